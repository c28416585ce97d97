# SPDX-License-Identifier: Apache-2.0
"""Which signal feeds which: what leaves one by an exit lane reaches the next by these approach lanes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from citybrain.apps.traffic.model import Junction
from citybrain.kernel.records import Entity

FARTHEST_M = 1200.0
"""Signals farther apart do not hold a platoon together: it has spread over half a minute by then."""

KMH_PER_MPS = 3.6


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What leaves one signal by an exit lane reaches approach lanes of the next, so many metres on."""

    signal: str
    exit: str
    next_signal: str
    approaches: tuple[str, ...]
    length_m: float
    speed_limit_mps: float

    @property
    def travel_s(self) -> float:
        """At the speed limit."""
        return self.length_m / self.speed_limit_mps


class Roads:
    """The roads by name, with what follows each: roads that leave the junction where it ends."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._roads = {one.id: one for one in entities if one.type == "RoadSegment"}
        self.of_lane = {
            one.id.rpartition(":")[2]: str(one.attributes["road"]) for one in entities if one.type == "RoadLane"
        }
        leaving: dict[str, list[str]] = defaultdict(list)
        for id, road in self._roads.items():
            leaving[str(road.attributes.get("fromJunction"))].append(id)
        self._after = {
            id: [
                one
                for one in leaving[str(road.attributes.get("toJunction"))]
                if self._roads[one].attributes.get("toJunction") != road.attributes.get("fromJunction")
            ]
            for id, road in self._roads.items()
        }

    def after(self, road: str) -> Sequence[str]:
        """Roads that go on where this one ends; turning back is not going on."""
        return self._after.get(road, ())

    def length_m(self, road: str) -> float:
        return float(self._roads[road].attributes["length"]) if road in self._roads else 0.0

    def speed_limit_mps(self, road: str) -> float:
        limit = self._roads[road].attributes.get("maximumAllowedSpeed") if road in self._roads else None
        return float(limit or 50.0) / KMH_PER_MPS


def links(junctions: Sequence[Junction], entities: Sequence[Entity]) -> tuple[Link, ...]:
    """The links between signals, by following the roads from each exit up to the first signal."""
    roads = Roads(entities)
    fed: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in junctions:
        for lane in one.approaches:
            fed[roads.of_lane.get(lane.lane, "")].append((one.signals[0], lane.lane))
    fed.pop("", None)
    found: list[Link] = []
    for one in junctions:
        for lane in one.exits:
            start = roads.of_lane.get(lane.lane)
            if start is not None:
                found.extend(_from_exit(one.signals[0], lane.lane, start, roads=roads, fed=fed))
    return tuple(found)


def _from_exit(
    signal: str, exit_lane: str, start: str, *, roads: Roads, fed: Mapping[str, Sequence[tuple[str, str]]]
) -> list[Link]:
    found: list[Link] = []
    seen = {start}
    queue = [(start, 0.0)]
    while queue:
        road, before_m = queue.pop(0)
        length_m = before_m + roads.length_m(road)
        by_signal: dict[str, list[str]] = defaultdict(list)
        for name, lane in fed.get(road, ()):
            by_signal[name].append(lane)
        for name, lanes in by_signal.items():
            found.append(
                Link(
                    signal=signal,
                    exit=exit_lane,
                    next_signal=name,
                    approaches=tuple(lanes),
                    length_m=length_m,
                    speed_limit_mps=roads.speed_limit_mps(road),
                )
            )
        if by_signal or length_m > FARTHEST_M:
            continue
        for after in roads.after(road):
            if after not in seen:
                seen.add(after)
                queue.append((after, length_m))
    return found
