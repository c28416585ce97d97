# SPDX-License-Identifier: Apache-2.0
"""A CityFlow net as SUMO's plain XML: nodes, edges, connections and signal plans, and from these the net."""

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
import sumolib

from citybrain.doors.sumo.importing import programs
from citybrain.doors.sumo.importing.phases import Yields, plan, stages
from citybrain.doors.sumo.importing.roadnet import Intersection, LaneLink, Point, Road, RoadLink, Roadnet, Vehicle

NET = "city.net.xml"

TURN_MPS = Vehicle().turn_speed
"""CityFlow drives every turn at this speed, whatever its radius (src/vehicle/vehicle.h)."""

UNFIT = re.compile(r"[^\w.\-]")
"""What SUMO does not take in an id: spaces and | \\ ' " ; , < > &. Other signs go too, for the command line's sake."""

TYPES = ("go_straight", "turn_left", "turn_right")
"""Who goes first where ways meet: straight on before left before right (RoadLinkType, src/roadnet/roadnet.h)."""

OPTIONS = (
    *("--offset.disable-normalization", "true"),
    *("--no-turnarounds", "true"),
    *("--junctions.corner-detail", "5"),
    *("--precision", "3"),
    *("--output.original-names", "false"),
)


class Names:
    """Ids that SUMO takes, one for each of CityFlow's."""

    def __init__(self, net: Roadnet) -> None:
        self.roads = _fit([road.id for road in net.roads])
        self.junctions = _fit([junction.id for junction in net.intersections])


def build(net: Roadnet, folder: Path, *, projection: str = "") -> programs.Said:
    """Write `city.net.xml` into the folder.

    It is made twice: only the first net says which turns yield to which, and only then are the plans' letters known.
    """
    names = Names(net)
    roads = {road.id: road for road in net.roads}
    _write(folder / "city.nod.xml", _nodes(net, names, roads, projection))
    _write(folder / "city.edg.xml", _edges(net, names))
    _write(folder / "city.con.xml", _connections(net, names, roads))
    _write(folder / "city.tll.xml", _plans(net, names, {}))
    files = ["-n", "city.nod.xml", "-e", "city.edg.xml", "-x", "city.con.xml", "-i", "city.tll.xml", "-o", NET]
    programs.run("netconvert", [*files, *OPTIONS], folder)
    first = sumolib.net.readNet(str(folder / NET), withFoes=True)
    _write(folder / "city.tll.xml", _plans(net, names, {j.id: _yields(first, j, names) for j in _signals(net)}))
    said = programs.run("netconvert", [*files, *OPTIONS], folder)
    for kind in ("nod", "edg", "con", "tll"):
        (folder / f"city.{kind}.xml").unlink()
    return said


def _fit(ids: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in ids:
        fit = UNFIT.sub("_", name).lstrip(":") or "_"
        while fit in taken:
            fit += "_"
        taken.add(fit)
        found[name] = fit
    return found


def _signals(net: Roadnet) -> list[Intersection]:
    return [junction for junction in net.intersections if has_plan(junction)]


def has_plan(junction: Intersection) -> bool:
    """Whether the file says when which turn may go."""
    light = junction.traffic_light
    return not junction.virtual and light is not None and bool(stages(light.lightphases)) and bool(_ways(junction))


def _ways(junction: Intersection) -> list[RoadLink]:
    return [link for link in junction.road_links if link.lane_links]


def _nodes(net: Roadnet, names: Names, roads: Mapping[str, Road], projection: str) -> ET.Element:
    root = ET.Element("nodes")
    if projection:
        bounds = "0,0,0,0"
        ET.SubElement(
            root, "location", netOffset="0,0", convBoundary=bounds, origBoundary=bounds, projParameter=projection
        )
    for junction in net.intersections:
        node = ET.SubElement(root, "node", {"id": names.junctions[junction.id], **_xy(junction.point)})
        if has_plan(junction):
            node.set("type", "traffic_light")
            node.set("tl", names.junctions[junction.id])
        elif not junction.virtual:
            node.set("type", "priority")
        shape = _outline(junction, roads)
        if shape:
            node.set("shape", shape)
    return root


def _outline(junction: Intersection, roads: Mapping[str, Road]) -> str:
    """The junction up to its stop lines, which lie `width` from its middle; so lanes are as long as in CityFlow."""
    if junction.virtual or not junction.width:
        return ""
    corners = []
    for road in roads.values():
        across = sum(lane.width for lane in road.lanes)
        if road.end_intersection == junction.id:
            corners += _stop_line(road.points[-1], road.points[-2], junction.width, -across)
        if road.start_intersection == junction.id:
            corners += _stop_line(road.points[0], road.points[1], junction.width, across)
    hull = shapely.MultiPoint(corners).convex_hull
    if hull.geom_type != "Polygon":
        return ""
    return " ".join(f"{x:.3f},{y:.3f}" for x, y in hull.exterior.coords[:-1])


def _stop_line(end: Point, before: Point, back_m: float, across_m: float) -> list[tuple[float, float]]:
    """Both ends of the line across a road, `back_m` before its end; `across_m` to the right seen from the end."""
    length = math.hypot(before.x - end.x, before.y - end.y) or 1.0
    x, y = (before.x - end.x) / length, (before.y - end.y) / length
    foot = (end.x + x * back_m, end.y + y * back_m)
    return [foot, (foot[0] + y * across_m, foot[1] - x * across_m)]


def _edges(net: Roadnet, names: Names) -> ET.Element:
    root = ET.Element("edges")
    for road in net.roads:
        edge = ET.SubElement(
            root,
            "edge",
            id=names.roads[road.id],
            to=names.junctions[road.end_intersection],
            numLanes=str(len(road.lanes)),
            shape=" ".join(f"{point.x:.3f},{point.y:.3f}" for point in road.points),
        )
        edge.set("from", names.junctions[road.start_intersection])
        for at, lane in enumerate(reversed(road.lanes)):
            ET.SubElement(edge, "lane", index=str(at), width=f"{lane.width:.3f}", speed=f"{lane.max_speed:.3f}")
    return root


def _connections(net: Roadnet, names: Names, roads: Mapping[str, Road]) -> ET.Element:
    root = ET.Element("connections")
    for junction in net.intersections:
        for link in _ways(junction):
            for way in link.lane_links:
                one = _way(root, names, link, way, roads)
                if link.type != "go_straight":
                    one.set("speed", f"{TURN_MPS:.3f}")
                if len(way.points) > 2:
                    one.set("shape", " ".join(f"{point.x:.3f},{point.y:.3f}" for point in way.points))
        _give_way(root, names, _ways(junction))
    going_on = {link.start_road for junction in net.intersections for link in _ways(junction)}
    for road in net.roads:
        if road.id not in going_on:
            # A road without turns has none: SUMO would guess some.
            ET.SubElement(root, "connection", {"from": names.roads[road.id]})
    return root


def _way(root: ET.Element, names: Names, link: RoadLink, way: LaneLink, roads: Mapping[str, Road]) -> ET.Element:
    """A way as a connection. SUMO counts lanes from the kerb, CityFlow from the middle of the street."""
    one = ET.SubElement(root, "connection", {"from": names.roads[link.start_road], "to": names.roads[link.end_road]})
    one.set("fromLane", str(len(roads[link.start_road].lanes) - 1 - way.start_lane_index))
    one.set("toLane", str(len(roads[link.end_road].lanes) - 1 - way.end_lane_index))
    return one


def _give_way(root: ET.Element, names: Names, links: Sequence[RoadLink]) -> None:
    """Where two turns meet in one road, the one of the lower kind gives way, as in CityFlow."""
    for first in links:
        for second in links:
            meet = first.end_road == second.end_road and first.start_road != second.start_road
            if meet and TYPES.index(first.type) < TYPES.index(second.type):
                ET.SubElement(
                    root,
                    "prohibition",
                    prohibitor=f"{names.roads[first.start_road]}->{names.roads[first.end_road]}",
                    prohibited=f"{names.roads[second.start_road]}->{names.roads[second.end_road]}",
                )


def _plans(net: Roadnet, names: Names, yields: Mapping[str, Yields]) -> ET.Element:
    root = ET.Element("tlLogics")
    roads = {road.id: road for road in net.roads}
    for junction in _signals(net):
        assert junction.traffic_light is not None
        logic = ET.SubElement(
            root, "tlLogic", id=names.junctions[junction.id], type="static", programID="0", offset="0"
        )
        cycle = stages(junction.traffic_light.lightphases)
        for phase in plan(cycle, len(junction.road_links), yields.get(junction.id, _nobody)):
            ET.SubElement(logic, "phase", duration=f"{phase.duration_s:g}", state=phase.state)
    for junction in _signals(net):
        for lamp, link in enumerate(junction.road_links):
            for way in link.lane_links:
                one = _way(root, names, link, way, roads)
                one.set("tl", names.junctions[junction.id])
                one.set("linkIndex", str(lamp))
    return root


def _nobody(_one: int, _other: int) -> bool:
    return False


def _yields(net: Any, junction: Intersection, names: Names) -> Yields:
    """Which turns of a junction give way to which, by SUMO's own reckoning."""
    node = net.getNode(names.junctions[junction.id])
    lamps: dict[int, list[Any]] = {}
    for connection in node.getConnections():
        lamps.setdefault(connection.getTLLinkIndex(), []).append(connection)

    def gives_way(one: int, other: int) -> bool:
        return any(node.forbids(theirs, ours) for ours in lamps.get(one, ()) for theirs in lamps.get(other, ()))

    return gives_way


def _xy(point: Point) -> dict[str, str]:
    return {"x": f"{point.x:.3f}", "y": f"{point.y:.3f}"}


def _write(path: Path, root: ET.Element) -> None:
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
