# SPDX-License-Identifier: Apache-2.0
"""Which signal feeds which: what leaves one by an exit lane reaches the next by these approach lanes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from citybrain.apps.traffic.missions.roads import Roads
from citybrain.apps.traffic.model import Junction
from citybrain.kernel.records import Entity

FARTHEST_M = 1200.0
"""Signals farther apart do not hold a platoon together: it has spread over half a minute by then."""


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


def roads_of_lanes(entities: Sequence[Entity]) -> dict[str, str]:
    """The road of each lane, by the name that detectors and signals know the lane by."""
    lanes = [one.attributes for one in entities if one.type == "RoadLane" and "lane" in one.attributes]
    return {str(facts["lane"]): str(facts["road"]) for facts in lanes}


def links(junctions: Sequence[Junction], entities: Sequence[Entity]) -> tuple[Link, ...]:
    """The links between signals, by following the roads from each exit up to the first signal."""
    roads = Roads(entities)
    road_of = roads_of_lanes(entities)
    fed: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in junctions:
        for lane in one.approaches:
            fed[road_of.get(lane.lane, "")].append((one.signals[0], lane.lane))
    fed.pop("", None)
    found: list[Link] = []
    for one in junctions:
        for lane in one.exits:
            start = road_of.get(lane.lane)
            if start is not None and start in roads:
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
        length_m = before_m + roads[road].length_m
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
                    speed_limit_mps=roads[road].limit_mps,
                )
            )
        if by_signal or length_m > FARTHEST_M:
            continue
        for after in roads[road].onward:
            if after in roads and after not in seen:
                seen.add(after)
                queue.append((after, length_m))
    return found
