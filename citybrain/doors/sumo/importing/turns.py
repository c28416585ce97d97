# SPDX-License-Identifier: Apache-2.0
"""Is a CityFlow net whole? Every name leads somewhere, every turn has lanes, every phase shows turns that exist."""

from collections import Counter
from collections.abc import Iterator, Mapping

from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.roadnet import Intersection, Road, RoadLink, Roadnet

FASTEST_MPS = 42.0
"""150 km/h. A faster lane was given in km/h: CityFlow's speeds are metres per second."""

WIDEST_M = 7.0
"""A wider lane was given in feet: 10 to 12 ft are usual, 2.5 to 4 m."""

DEGREES = 360.0
"""A net whose coordinates all are smaller, and that has roads shorter than a metre, is given in degrees."""


def examine(net: Roadnet, findings: Findings) -> None:
    """Say what is broken (errors) and what is odd (warnings)."""
    _examine_names(net, findings)
    roads = {road.id: road for road in net.roads}
    broken = [place for junction in net.intersections for place in _broken_turns(junction, roads)]
    if broken:
        findings.error("sumo.import_turn_broken", broken)
    laneless = [f"{j.id}: {link.start_road} → {link.end_road}" for j in net.intersections for link in _laneless(j)]
    if laneless:
        findings.warn("sumo.import_turns_without_lanes", laneless)
    _examine_units(net, findings)


def _examine_names(net: Roadnet, findings: Findings) -> None:
    if not net.roads:
        findings.error("sumo.import_no_roads")
    for ids in ([road.id for road in net.roads], [junction.id for junction in net.intersections]):
        twice = [name for name, times in Counter(ids).items() if times > 1]
        if twice:
            findings.error("sumo.import_id_twice", twice)
    junctions = {junction.id for junction in net.intersections}
    lost = [
        f"{road.id} → {end}"
        for road in net.roads
        for end in (road.start_intersection, road.end_intersection)
        if end not in junctions
    ]
    if lost:
        findings.error("sumo.import_road_leads_nowhere", lost)
    points = [road.id for road in net.roads if len({(point.x, point.y) for point in road.points}) < 2]
    if points:
        findings.error("sumo.import_road_without_length", points)


def _broken_turns(junction: Intersection, roads: Mapping[str, Road]) -> Iterator[str]:
    """Turns that name a road or lane that is not there or not at this junction, and phases that name no turn."""
    for number, link in enumerate(junction.road_links):
        place = f"{junction.id}.roadLinks[{number}]"
        start, end = roads.get(link.start_road), roads.get(link.end_road)
        if start is None or end is None:
            yield f"{place}: {link.start_road if start is None else link.end_road}"
        elif start.end_intersection != junction.id or end.start_intersection != junction.id:
            yield f"{place}: {link.start_road} → {link.end_road}"
        else:
            yield from (f"{place}.laneLinks[{at}]" for at in _broken_lanes(link, start, end))
    for number, phase in enumerate(junction.traffic_light.lightphases if junction.traffic_light else ()):
        for index in phase.available_road_links:
            if index >= len(junction.road_links):
                yield f"{junction.id}.trafficLight.lightphases[{number}]: {index}"


def _broken_lanes(link: RoadLink, start: Road, end: Road) -> list[int]:
    return [
        at
        for at, way in enumerate(link.lane_links)
        if way.start_lane_index >= len(start.lanes) or way.end_lane_index >= len(end.lanes)
    ]


def _laneless(junction: Intersection) -> list[RoadLink]:
    return [link for link in junction.road_links if not link.lane_links]


def _examine_units(net: Roadnet, findings: Findings) -> None:
    lanes = [lane for road in net.roads for lane in road.lanes]
    points = [point for road in net.roads for point in road.points]
    if not lanes:
        return
    fastest, widest = max(lane.max_speed for lane in lanes), max(lane.width for lane in lanes)
    findings.note(
        "sumo.import_units_cityflow", fastest_mps=fastest, fastest_kmh=round(fastest * 3.6, 1), widest_m=widest
    )
    if fastest > FASTEST_MPS:
        findings.warn("sumo.import_speeds_in_kmh", [r.id for r in net.roads if r.lanes[0].max_speed > FASTEST_MPS])
    if widest > WIDEST_M:
        findings.warn("sumo.import_widths_in_feet", [r.id for r in net.roads if r.lanes[0].width > WIDEST_M])
    small = all(abs(point.x) <= DEGREES and abs(point.y) <= DEGREES for point in points)
    if small and all(_span_m(road) < 1.0 for road in net.roads):
        findings.error("sumo.import_places_in_degrees")


def _span_m(road: Road) -> float:
    xs, ys = [point.x for point in road.points], [point.y for point in road.points]
    return max(max(xs) - min(xs), max(ys) - min(ys))
