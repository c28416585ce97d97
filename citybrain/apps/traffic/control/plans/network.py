# SPDX-License-Identifier: Apache-2.0
"""Which signal feeds which: what leaves one by an exit lane reaches the next by these approach lanes."""

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from citybrain.apps.traffic.model import Junction, Way
from citybrain.kernel.records import Entity
from citybrain.kernel.routing import Roads, roads_of_lanes

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


def through(junction: Junction, arriving: Sequence[Link], leaving: Sequence[Link]) -> tuple[Way, ...]:
    """The ways of a junction that lead from what arrives to what leaves; without one of them, all ways to the other."""
    lanes_in = {lane for link in arriving for lane in link.approaches}
    lanes_out = {link.exit for link in leaving}
    return tuple(
        way
        for way in junction.ways
        if (not lanes_in or junction.approaches[way.approach].lane in lanes_in)
        and (not lanes_out or junction.exits[way.exit].lane in lanes_out)
    )


def shortest(links: Sequence[Link], start: str, end: str) -> tuple[str, ...] | None:
    """The signals from one to another over the fewest metres (Dijkstra 1959); None where no road leads there."""
    onward: dict[str, dict[str, float]] = defaultdict(dict)
    for link in links:
        known_m = onward[link.signal].get(link.next_signal)
        onward[link.signal][link.next_signal] = min(link.length_m, known_m) if known_m is not None else link.length_m
    queue: list[tuple[float, tuple[str, ...]]] = [(0.0, (start,))]
    seen: set[str] = set()
    while queue:
        so_far_m, way = heapq.heappop(queue)
        if way[-1] == end:
            return way
        if way[-1] in seen:
            continue
        seen.add(way[-1])
        for after, length_m in onward[way[-1]].items():
            if after not in seen:
                heapq.heappush(queue, (so_far_m + length_m, (*way, after)))
    return None
