# SPDX-License-Identifier: Apache-2.0
"""Other ways: the fastest one through the net that keeps off closed roads and banned turns."""

import heapq
from collections.abc import Collection, Sequence, Set
from itertools import pairwise
from typing import Any

import libsumo

from citybrain.doors.sumo.network import CAR

TIMES_FOR_S = 30.0
"""So long the times of roads are taken to hold: drivers do not hear of each second's change either."""

Turn = tuple[str, str]


class Ways:
    """The net as drivers know it: which road leads to which, and how long each takes at present.

    `onward` are the roads that each leads to, by name; `behind` those that lead to it, from west to east.
    """

    def __init__(self, roads: Sequence[Any]) -> None:
        self.onward = {
            edge.getID(): tuple(sorted(after.getID() for after, ways in edge.getOutgoing().items() if _for_cars(ways)))
            for edge in roads
        }
        self.behind: dict[str, list[str]] = {}
        for road, onward in self.onward.items():
            for after in onward:
                self.behind.setdefault(after, []).append(road)
        self._free_s = {edge.getID(): edge.getLength() / max(edge.getSpeed(), 0.1) for edge in roads}
        self._ends = {edge.getID(): (edge.getFromNode().getID(), edge.getToNode().getID()) for edge in roads}
        self._between: dict[tuple[str, str], str] = {ends: road for road, ends in reversed(self._ends.items())}
        self._now_s: dict[str, float] = {}
        self._read_at_s = -TIMES_FOR_S

    def fastest(
        self, start: str, goal: str, *, shut: Set[str] = frozenset(), turns: Set[Turn] = frozenset()
    ) -> list[str] | None:
        """The roads from `start` to `goal`, both included; None where there is no way. A closed goal may be reached."""
        times_s = self._times()
        queue: list[tuple[float, str]] = [(0.0, start)]
        before: dict[str, str] = {}
        least_s = {start: 0.0}
        while queue:
            took_s, road = heapq.heappop(queue)
            if road == goal:
                return _back(before, start, goal)
            if took_s > least_s[road]:
                continue
            for after in self.onward.get(road, ()):
                if (after in shut and after != goal) or (road, after) in turns:
                    continue
                reached_s = took_s + times_s[after]
                if reached_s < least_s.get(after, float("inf")):
                    least_s[after], before[after] = reached_s, road
                    heapq.heappush(queue, (reached_s, after))
        return None

    def can_do_without(self, road: str) -> bool:
        """Whoever comes over this road could come another way, from each road before it to each one after it."""
        behind = [one for one in self.behind.get(road, ()) if one != road]
        return bool(behind) and all(
            self.fastest(one, after, shut={road}) is not None
            for one in behind
            for after in self.onward[road]
            if after != one
        )

    def edge_nearest_to(self, goal: str) -> str:
        """The road into the net from which the goal is reached soonest; the goal itself where there is none."""
        times_s = self._times()
        queue, seen = [(0.0, goal)], {goal}
        while queue:
            took_s, road = heapq.heappop(queue)
            if road != goal and road not in self.behind:
                return road
            for before in sorted(self.behind.get(road, ())):
                if before not in seen:
                    seen.add(before)
                    heapq.heappush(queue, (took_s + times_s[before], before))
        return goal

    def opposite(self, road: str) -> str:
        """The road between the same junctions the other way; empty where there is none."""
        begin, end = self._ends[road]
        return self._between.get((end, begin), "")

    def _times(self) -> dict[str, float]:
        now_s = float(libsumo.simulation.getTime())
        if not self._now_s or not 0.0 <= now_s - self._read_at_s < TIMES_FOR_S:
            self._now_s = {road: max(float(libsumo.edge.getTraveltime(road)), s) for road, s in self._free_s.items()}
            self._read_at_s = now_s
        return self._now_s


def touches(route: Sequence[str], shut: Collection[str], turns: Collection[Turn]) -> bool:
    """Whether a way that begins on its first road leads over a closed road or a banned turn; its end may be closed."""
    return any(road in shut for road in route[1:-1]) or (bool(turns) and any(pair in turns for pair in pairwise(route)))


def _for_cars(connections: Sequence[Any]) -> bool:
    return any(one.getFromLane().allows(CAR) and one.getToLane().allows(CAR) for one in connections)


def _back(before: dict[str, str], start: str, goal: str) -> list[str]:
    way = [goal]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
