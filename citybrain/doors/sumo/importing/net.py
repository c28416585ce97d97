# SPDX-License-Identifier: Apache-2.0
"""What a finished net will be like as a city: its signals, its islands, its dead ends, its shapes, its units."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import shapely
import sumolib

from citybrain.doors.sumo.cabinet import PlanPhase, green_stages
from citybrain.doors.sumo.configuration import ConfigurationBroken
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.turns import FASTEST_MPS, WIDEST_M
from citybrain.doors.sumo.network import CAR, read_net
from citybrain.doors.sumo.place import NO_PROJECTION

SHORTEST_M = 0.3
"""netconvert's own least length of a lane is 0.1 m; a road that short is a fault of the drawing."""

HEARTS_TRIED = 8
"""Roads from which the heart of a net is looked for; in a real net it holds nearly all roads."""

LENGTH_TOLERANCE = 0.25
"""A stated length may leave the drawn one by this share; OpenStreetMap and surveys differ by less than 5 %."""


def examine(path: Path, findings: Findings) -> Any:
    """Read a net file and say what is odd in it; answers with the net of sumolib."""
    read_net(path)
    try:
        net = sumolib.net.readNet(str(path), withPrograms=True, withFoes=True)
    except (KeyError, ValueError, AttributeError, IndexError) as error:
        raise ConfigurationBroken("sumo.net_broken", {"path": str(path), "detail": str(error)}) from error
    roads = [edge for edge in net.getEdges() if edge.allows(CAR)]
    _figures(net, roads, findings)
    _signals(net, findings)
    _islands(roads, findings)
    _turns(roads, findings)
    _shapes(roads, findings)
    return net


def _figures(net: Any, roads: Sequence[Any], findings: Findings) -> None:
    (west, south), (east, north) = net.getBBoxXY()
    projection = net._location.get("projParameter", NO_PROJECTION)
    lanes = [lane for edge in roads for lane in edge.getLanes() if lane.allows(CAR)]
    fastest = max((lane.getSpeed() for lane in lanes), default=0.0)
    widest = max((lane.getWidth() for lane in lanes), default=0.0)
    findings.figures |= {
        "roads": len(roads),
        "lanes": len(lanes),
        "lane_km": round(sum(lane.getLength() for lane in lanes) / 1000, 3),
        "junctions": len({node.getID() for edge in roads for node in (edge.getFromNode(), edge.getToNode())}),
        "signals": len(net.getTrafficLights()),
        "width_m": round(east - west, 1),
        "height_m": round(north - south, 1),
        "fastest_kmh": round(fastest * 3.6, 1),
        "widest_lane_m": round(widest, 2),
        "projection": projection,
    }
    findings.note("sumo.import_units", width_m=round(east - west), height_m=round(north - south))
    if projection in ("", NO_PROJECTION):
        findings.warn("sumo.import_no_place")
    if fastest > FASTEST_MPS:
        findings.warn("sumo.import_speeds_in_kmh", [e.getID() for e in roads if e.getSpeed() > FASTEST_MPS])
    if widest > WIDEST_M:
        findings.warn("sumo.import_widths_in_feet", [ln.getID() for ln in lanes if ln.getWidth() > WIDEST_M])


def _signals(net: Any, findings: Findings) -> None:
    controlled = {signal.getID(): signal for signal in net.getTrafficLights()}
    lit = {node.getID() for node in net.getNodes() if node.getType().startswith("traffic_light")}
    links = {edge.getTLS().getID() for edge in net.getEdges() if edge.getTLS() is not None}
    choices = {name: _stages(signal) for name, signal in controlled.items()}
    if not controlled:
        findings.warn("sumo.import_no_signals")
    without = [name for name, stages in choices.items() if stages == 0]
    if without:
        findings.warn("sumo.import_signals_without_phases", without)
    single = [name for name, stages in choices.items() if stages == 1]
    if single:
        findings.warn("sumo.import_signals_with_one_phase", single)
    unlit = sorted(name for name in controlled if name not in links)
    if unlit:
        findings.warn("sumo.import_signals_without_lanes", unlit)
    crossing = [name for name, signal in controlled.items() if _shows_conflict(signal)]
    if crossing:
        findings.warn("sumo.import_signals_conflict", crossing)
    findings.figures["signals_to_control"] = sum(stages > 1 for stages in choices.values())
    findings.figures["signal_junctions"] = len(lit)


def _stages(signal: Any) -> int:
    programs = list(signal.getPrograms().values())
    if not programs:
        return 0
    phases = [PlanPhase(state=phase.state, duration_s=phase.duration) for phase in programs[-1].getPhases()]
    if not phases or len({len(phase.state) for phase in phases}) > 1:
        return 0
    greens = {phase.state for phase in phases if set(phase.state) & set("Gg")}
    return min(len(green_stages(phases)) if len(phases) > 1 else len(greens), len(greens))


def _shows_conflict(signal: Any) -> bool:
    """Whether a plan shows `G`, which yields to nobody, to two ways at once that cross or meet."""
    ways = _ways(signal)
    states = {phase.state for program in signal.getPrograms().values() for phase in program.getPhases()}
    foes = [
        (a, b)
        for at, (a, node, one) in enumerate(ways)
        for b, beside, two in ways[:at]
        if node is beside and node.areFoes(one, two)
    ]
    return any(a != b and max(a, b) < len(state) and state[a] == state[b] == "G" for state in states for a, b in foes)


def _ways(signal: Any) -> list[tuple[int, Any, int]]:
    """The ways under a signal: lamp, node, and number within the node."""
    found = []
    for start, end, lamp in signal.getConnections():
        node = start.getEdge().getToNode()
        for connection in start.getOutgoing():
            if connection.getToLane() is end:
                found.append((lamp, node, node.getLinkIndex(connection)))
    return found


def _islands(roads: Sequence[Any], findings: Findings) -> None:
    """Parts that cannot be reached from the largest one: not at all, or only in one direction."""
    groups = sorted(_components(roads), key=len, reverse=True)
    if len(groups) > 1:
        cut_off = [
            f"{group[0].getID()} (+{len(group) - 1})" if len(group) > 1 else group[0].getID() for group in groups[1:]
        ]
        findings.warn("sumo.import_islands", cut_off, roads=sum(len(group) for group in groups[1:]))
    findings.figures["islands"] = max(len(groups) - 1, 0)
    apart = _apart(groups[0]) if groups else []
    if apart:
        findings.warn("sumo.import_roads_apart", apart)


def _components(roads: Sequence[Any]) -> Iterator[list[Any]]:
    known = {edge.getID(): edge for edge in roads}
    left = dict(known)
    while left:
        queue = deque([left.pop(next(iter(left)))])
        group = []
        while queue:
            edge = queue.popleft()
            group.append(edge)
            for beside in (*edge.getOutgoing(), *edge.getIncoming()):
                if left.pop(beside.getID(), None) is not None:
                    queue.append(beside)
        yield group


def _apart(roads: Sequence[Any]) -> list[str]:
    """Roads that neither lead to the heart of a net nor can be reached from it. The heart: where all reach all."""
    known = {edge.getID() for edge in roads}
    hearts = []
    for start in roads[:: max(len(roads) // HEARTS_TRIED, 1)]:
        ahead = _reached(start, known, lambda edge: edge.getOutgoing())
        behind = _reached(start, known, lambda edge: edge.getIncoming())
        hearts.append((len(ahead & behind), ahead | behind))
    size, joined = max(hearts, key=lambda one: one[0])
    return sorted(known - joined) if size > 1 else []


def _reached(start: Any, known: Collection[str], following: Callable[[Any], Iterable[Any]]) -> set[str]:
    seen, queue = {start.getID()}, deque([start])
    while queue:
        for beside in following(queue.popleft()):
            if beside.getID() in known and beside.getID() not in seen:
                seen.add(beside.getID())
                queue.append(beside)
    return seen


def _turns(roads: Sequence[Any], findings: Findings) -> None:
    ends, stuck, idle = [], [], []
    for edge in roads:
        others = [
            out for out in edge.getToNode().getOutgoing() if out.allows(CAR) and out.getToNode() != edge.getFromNode()
        ]
        going_on = [out for out in edge.getOutgoing() if out.allows(CAR)]
        if not others:
            ends.append(edge.getID())
        elif not going_on:
            stuck.append(edge.getID())
        else:
            idle += [lane.getID() for lane in edge.getLanes() if lane.allows(CAR) and not lane.getOutgoing()]
    if ends:
        findings.note("sumo.import_dead_ends", ends)
    if stuck:
        findings.warn("sumo.import_roads_without_turns", stuck)
    if idle:
        findings.warn("sumo.import_lanes_without_turns", idle)


def _shapes(roads: Sequence[Any], findings: Findings) -> None:
    short = [edge.getID() for edge in roads if edge.getLength() < SHORTEST_M]
    if short:
        findings.warn("sumo.import_roads_too_short", short)
    bent = [edge.getID() for edge in roads if _disagrees(edge)]
    if bent:
        findings.warn("sumo.import_lengths_disagree", bent)
    crossing = list(_crossings(roads))
    if crossing:
        findings.warn("sumo.import_roads_cross", crossing)


def _disagrees(edge: Any) -> bool:
    drawn_m = sum(((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 for (ax, ay), (bx, by) in pairwise(edge.getShape()))
    return bool(abs(edge.getLength() - drawn_m) > max(LENGTH_TOLERANCE * drawn_m, 10.0))


def _crossings(roads: Sequence[Any]) -> Iterator[str]:
    """Roads that cross between their ends without a junction: a bridge, or a junction that is missing."""
    lines = [shapely.LineString(edge.getShape()) for edge in roads]
    tree = shapely.STRtree(lines)
    seen: set[frozenset[str]] = set()
    for one, other in tree.query(lines, predicate="crosses").T.tolist():
        first, second = roads[one], roads[other]
        ends = {first.getFromNode().getID(), first.getToNode().getID()}
        pair = frozenset((_street(first), _street(second)))
        if one < other and pair not in seen and not ends & {second.getFromNode().getID(), second.getToNode().getID()}:
            seen.add(pair)
            yield f"{first.getID()} × {second.getID()}"


def _street(edge: Any) -> str:
    """Both directions of a street are one."""
    return " ".join(sorted((edge.getFromNode().getID(), edge.getToNode().getID())))
