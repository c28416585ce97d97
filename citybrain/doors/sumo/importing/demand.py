# SPDX-License-Identifier: Apache-2.0
"""CityFlow's flows as SUMO's vehicles: kinds with matching dynamics, whole routes, and when each departs."""

import heapq
import math
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.plain import Names
from citybrain.doors.sumo.importing.roadnet import Flow, Point, Roadnet, Vehicle

ROUTES = "city.rou.xml"

HORIZON_S = 3600.0
"""Flows without an end are taken for one hour; an hour is what the literature runs."""

LEAST_TAU_S = 1.0
"""SUMO's Krauss model collides when its tau is less than its step, which is one second."""

Turns = Mapping[str, Mapping[str, float]]


def write(net: Roadnet, flows: Sequence[Flow], folder: Path, findings: Findings) -> float:
    """Write `city.rou.xml`; vehicles without a route are left out and told. Answers with when the demand ends."""
    names, turns = Names(net), _turns(net)
    root = ET.Element("routes")
    kinds: dict[Vehicle, str] = {}
    departures: list[tuple[float, int, str, tuple[str, ...]]] = []
    lost: list[str] = []
    for number, flow in enumerate(flows):
        route = whole_route(flow.route, turns)
        if route is None:
            lost.append(f"[{number}] {' → '.join(flow.route[:4])}")
            continue
        kind = kinds.setdefault(flow.vehicle, f"vehicle{len(kinds)}")
        departures += [(time, number, kind, route) for time in flow.departures(HORIZON_S)]
    for vehicle, kind in kinds.items():
        ET.SubElement(root, "vType", {"id": kind, **dynamics(vehicle)})
    departures.sort(key=lambda one: one[:2])
    for place, (time, number, kind, route) in enumerate(departures):
        one = ET.SubElement(root, "vehicle", id=f"flow_{number}_{place}", type=kind, depart=f"{time:g}")
        one.set("departLane", "best")
        ET.SubElement(one, "route", edges=" ".join(names.roads[road] for road in route))
    ET.indent(root)
    ET.ElementTree(root).write(folder / ROUTES, encoding="utf-8", xml_declaration=True)
    _tell(departures, lost, findings)
    return max(HORIZON_S, departures[-1][0] + 1.0 if departures else 0.0)


def whole_route(given: Sequence[str], turns: Turns) -> tuple[str, ...] | None:
    """The roads of a route; between roads that no turn joins, the shortest way. None where there is no way."""
    if any(road not in turns for road in given):
        return None
    route = [given[0]]
    for here, there in pairwise(given):
        way = [there] if there in turns[here] else _shortest(here, there, turns)
        if not way:
            return None
        route += way
    return tuple(route)


def dynamics(vehicle: Vehicle) -> dict[str, str]:
    """A kind of vehicles for SUMO.

    CityFlow follows at `headwayTime` × speed from bumper to bumper (Vehicle::getCarFollowSpeed); SUMO's Krauss model at
    minGap + tau × speed. Equal at full speed: tau = headwayTime - minGap / maxSpeed. Nobody dawdles, nobody speeds;
    lanes are changed only to keep to the route: CityFlow's lane changes are off unless its configuration asks for them.
    """
    tau_s = max(LEAST_TAU_S, vehicle.headway_time - vehicle.min_gap / vehicle.max_speed)
    values = {
        "length": vehicle.length,
        "width": vehicle.width,
        "minGap": vehicle.min_gap,
        "maxSpeed": vehicle.max_speed,
        "accel": min(vehicle.usual_pos_acc, vehicle.max_pos_acc),
        "decel": vehicle.usual_neg_acc,
        "emergencyDecel": max(vehicle.max_neg_acc, vehicle.usual_neg_acc),
        "tau": tau_s,
        "sigma": 0.0,
        "speedFactor": 1.0,
        "speedDev": 0.0,
        "lcSpeedGain": 0.0,
        "lcKeepRight": 0.0,
        "lcCooperative": 0.0,
    }
    return {name: f"{value:.4g}" if name != "maxSpeed" else f"{value:.4f}" for name, value in values.items()}


def _turns(net: Roadnet) -> dict[str, dict[str, float]]:
    lengths = {road.id: _length_m(road.points) for road in net.roads}
    found: dict[str, dict[str, float]] = {road: {} for road in lengths}
    for junction in net.intersections:
        for link in junction.road_links:
            if link.lane_links:
                found[link.start_road][link.end_road] = lengths[link.end_road]
    return found


def _length_m(points: Sequence[Point]) -> float:
    return sum(math.hypot(here.x - there.x, here.y - there.y) for here, there in pairwise(points))


def _shortest(here: str, there: str, turns: Turns) -> list[str]:
    best = {here: 0.0}
    came: dict[str, str] = {}
    queue = [(0.0, here)]
    while queue:
        cost, road = heapq.heappop(queue)
        if road == there:
            break
        for following, length in turns[road].items():
            if cost + length < best.get(following, float("inf")):
                best[following] = cost + length
                came[following] = road
                heapq.heappush(queue, (best[following], following))
    way = []
    while there in came and there != here:
        way.append(there)
        there = came[there]
    return way[::-1]


def _tell(departures: Sequence[tuple[float, int, str, tuple[str, ...]]], lost: list[str], findings: Findings) -> None:
    hours = Counter(int(time // 3600) for time, *_ in departures)
    findings.figures["vehicles"] = len(departures)
    findings.figures["vehicles_per_hour"] = {str(hour): hours[hour] for hour in sorted(hours)}
    if lost:
        findings.warn("sumo.import_without_route", lost)
    if not departures:
        findings.warn("sumo.import_no_demand")
