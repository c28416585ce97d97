# SPDX-License-Identifier: Apache-2.0
"""The net as entities of the city: roads, lanes, junctions, signals and what watches them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
import sumolib
from numpy.typing import NDArray

from citybrain.doors.sumo.cabinet import SignalPlan
from citybrain.doors.sumo.configuration import ConfigurationBroken
from citybrain.doors.sumo.place import NO_PROJECTION, Place
from citybrain.doors.sumo.sensors import Zone
from citybrain.kernel.records import Entity, Json, Text

SOURCE = "sumo"

CAR = "passenger"

KMH_PER_MPS = 3.6

DECIMALS = 7
"""Of a degree: about a centimetre."""

Shape = Sequence[tuple[float, float]]
SignalZones = Mapping[tuple[str, str, str], Zone]


class Net(msgspec.Struct, frozen=True, kw_only=True):
    """A net file as read by sumolib, and its place on earth; `roads` are the edges that cars may use."""

    place: Place
    roads: tuple[Any, ...]
    lanes: Mapping[str, Any]
    junctions: tuple[Any, ...]
    middle: tuple[float, float]


def entity_id(kind: str, local: str) -> str:
    """The id of a thing of the net; what a URN may not hold is percent-encoded (RFC 8141)."""
    return f"urn:ngsi-ld:{kind}:{quote(local, safe=':')}"


def read_net(path: Path) -> Net:
    """Read the whole net; SUMO itself may crash on a file that is cut off, so this comes before it."""
    try:
        net = sumolib.net.readNet(str(path), withFoes=False)
        location = net._location
        place = Place(location.get("projParameter", NO_PROJECTION), net.getLocationOffset())
    except (KeyError, ValueError, AttributeError, OSError, EOFError, IndexError, SyntaxError) as error:
        raise ConfigurationBroken("sumo.net_broken", {"path": str(path), "detail": str(error)}) from error
    if not net.getEdges():
        raise ConfigurationBroken("sumo.net_without_roads", {"path": str(path)})
    roads = tuple(sorted((edge for edge in net.getEdges() if edge.allows(CAR)), key=_from_west))
    nodes = {node.getID(): node for edge in roads for node in (edge.getFromNode(), edge.getToNode())}
    lanes = {lane.getID(): lane for edge in net.getEdges() for lane in edge.getLanes()}
    (west, south), (east, north) = net.getBBoxXY()
    middle = ((west + east) / 2, (south + north) / 2)
    return Net(place=place, roads=roads, lanes=lanes, junctions=tuple(nodes.values()), middle=middle)


class Survey:
    """Makes the entities of one net, all of them observed when the run began.

    Signals of a `trusted` city say that the brain decides from the start; others say nothing of it.
    """

    def __init__(self, net: Net, at: datetime, *, trusted: bool = False) -> None:
        self._net = net
        self._at = at
        self._control: Mapping[str, Json] = {"controlDefault": "brain"} if trusted else {}

    def entities(self, plans: Mapping[str, SignalPlan], zones: SignalZones) -> tuple[Entity, ...]:
        """Everything there is, roads first; signals and roads are numbered from west to east."""
        names = self.signal_names(plans)
        return (
            *(self._road(edge, number) for number, edge in enumerate(self._net.roads, start=1)),
            *(self._lane(lane) for edge in self._net.roads for lane in edge.getLanes() if _is_for_traffic(lane)),
            *(self._junction(node) for node in self._net.junctions if len(node.getShape()) >= 3),
            *(self._signal(signal, plans[signal], name) for signal, name in names.items()),
            *self._detectors(zones, names),
        )

    def signal_names(self, plans: Mapping[str, SignalPlan]) -> dict[str, Text]:
        """The signals from west to east with their names: of the crossing roads, or else a number."""
        order = sorted(plans, key=lambda signal: _by_position(self._middle(plans[signal]), signal))
        return {signal: self._signal_name(plans[signal], number) for number, signal in enumerate(order, start=1)}

    def _road(self, edge: Any, number: int) -> Entity:
        lanes = [lane for lane in edge.getLanes() if _is_for_traffic(lane)]
        return self._entity(
            "RoadSegment",
            edge.getID(),
            name=_named(edge.getName()) or {"zh": f"路段 {number} 号", "en": f"Road {number}"},
            geometry=self._line(lanes[len(lanes) // 2].getShape()),
            attributes={
                "length": round(edge.getLength(), 2),
                "totalLaneNumber": len(lanes),
                "maximumAllowedSpeed": round(edge.getSpeed() * KMH_PER_MPS, 1),
                "fromJunction": entity_id("RoadJunction", edge.getFromNode().getID()),
                "toJunction": entity_id("RoadJunction", edge.getToNode().getID()),
                "leadsTo": self._onward(edge),
            },
        )

    def _onward(self, edge: Any) -> list[str]:
        """The roads that a car may turn into from this one; empty where it ends."""
        return [entity_id("RoadSegment", after.getID()) for after in edge.getOutgoing() if after.allows(CAR)]

    def _lane(self, lane: Any) -> Entity:
        return self._entity(
            "RoadLane",
            lane.getID(),
            geometry=self._line(lane.getShape()),
            attributes={
                "road": entity_id("RoadSegment", lane.getEdge().getID()),
                "number": lane.getIndex(),
                "lane": lane.getID(),
                "length": round(lane.getLength(), 2),
                "width": lane.getWidth(),
                "maximumAllowedSpeed": round(lane.getSpeed() * KMH_PER_MPS, 1),
            },
        )

    def _junction(self, node: Any) -> Entity:
        shape = [*node.getShape(), node.getShape()[0]]
        return self._entity(
            "RoadJunction", node.getID(), geometry={"type": "Polygon", "coordinates": [self._lonlat(shape)]}
        )

    def _signal(self, signal: str, plan: SignalPlan, name: Text) -> Entity:
        return self._entity(
            "TrafficSignalController",
            signal,
            name=name,
            geometry={"type": "Point", "coordinates": self._lonlat([self._middle(plan)])[0]},
            attributes={
                **plan.as_attributes(),
                **self._control,
                "heads": [self._head(lane, plan) for lane in self._approaches(plan)],
            },
        )

    def _detectors(self, zones: SignalZones, names: Mapping[str, Text]) -> Iterator[Entity]:
        numbers: Counter[tuple[str, str]] = Counter()
        for (signal, role, lane), zone in zones.items():
            numbers[signal, role] += 1
            number = numbers[signal, role]
            name = names[signal]
            zh = {"approach": "进口", "exit": "出口"}[role]
            shape = self._net.lanes[lane].getShape() if lane in self._net.lanes else None
            yield self._entity(
                "TrafficDetector",
                f"{signal}:{role}:{lane}",
                name={"zh": f"{name['zh']}{zh}检测器 {number}", "en": f"{name['en']}, {role} detector {number}"},
                geometry=self._line(shape) if shape else None,
                attributes={**zone.as_attributes(), "controller": entity_id("TrafficSignalController", signal)},
            )

    def _entity(
        self,
        kind: str,
        local: str,
        *,
        name: Text | None = None,
        geometry: Json = None,
        attributes: Mapping[str, Json] | None = None,
    ) -> Entity:
        return Entity(
            id=entity_id(kind, local),
            type=kind,
            source=SOURCE,
            observed_at=self._at,
            name=name or {},
            geometry=geometry,
            attributes=attributes or {},
        )

    def _signal_name(self, plan: SignalPlan, number: int) -> Text:
        roads = Counter(lane.getEdge().getName() for lane in self._approaches(plan) if lane.getEdge().getName())
        if not roads:
            return {"zh": f"路口 {number} 号", "en": f"Junction {number}"}
        crossing = [road for road, _ in roads.most_common(2)]
        return {"zh": f"{'与'.join(crossing)}路口", "en": " / ".join(crossing)}

    def _head(self, lane: Any, plan: SignalPlan) -> Json:
        return {
            "line": self._lonlat(_stop_line(lane.getShape(), lane.getWidth())),
            "links": [link.index for link in plan.links if link.approach == lane.getID()],
            "lane": entity_id("RoadLane", lane.getID()),
        }

    def _approaches(self, plan: SignalPlan) -> list[Any]:
        """The approach lanes that are roads: a crossing has lamps too, but no stop line of a road."""
        names = dict.fromkeys(link.approach for link in plan.links)
        return [self._net.lanes[name] for name in names if name in self._net.lanes]

    def _middle(self, plan: SignalPlan) -> tuple[float, float]:
        ends = np.array([lane.getShape()[-1] for lane in self._approaches(plan)] or [(0.0, 0.0)])
        x, y = ends.mean(axis=0)
        return float(x), float(y)

    def _line(self, shape: Shape) -> Json:
        return {"type": "LineString", "coordinates": self._lonlat(shape)}

    def _lonlat(self, shape: Shape | NDArray[np.float64]) -> list[list[float]]:
        lonlat: list[list[float]] = self._net.place.lonlat(np.asarray(shape, dtype=np.float64)).round(DECIMALS).tolist()
        return lonlat


def _is_for_traffic(lane: Any) -> bool:
    return bool(lane.allows(CAR) or lane.allows("bus"))


def _stop_line(shape: Shape, width_m: float) -> NDArray[np.float64]:
    """Across the lane at its end."""
    before, end = np.array(shape[-2]), np.array(shape[-1])
    along = end - before
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9)
    return np.array([end + across * width_m / 2, end - across * width_m / 2])


def _from_west(edge: Any) -> tuple[float, float, str]:
    points: Iterable[tuple[float, float]] = edge.getShape()
    x, y = np.array(list(points)).mean(axis=0)
    return _by_position((float(x), float(y)), edge.getID())


def _by_position(point: tuple[float, float], name: str) -> tuple[float, float, str]:
    return point[0], -point[1], name


def _named(name: str) -> Text | None:
    return {"zh": name, "en": name} if name else None
