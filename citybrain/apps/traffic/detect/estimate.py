# SPDX-License-Identifier: Apache-2.0
"""Tracks where nobody sees places: out of counts and occupancy of loops, or out of what was learned of a blind lane.

A lane is a virtual queue: whoever comes over the advance loop is in it until somebody goes over the stop line (input
and output: Sharma, Bullock & Bonneson, TRR 2035, 2007). Between them a vehicle drives at the speed that occupancy
tells, v = n (L_vehicle + L_loop) / time occupied (Athol 1965; Coifman, TR-A 35, 2001), until it reaches the place in
the queue that is left for it, 7.5 m each. A queue over the advance loop grows by what was learned of the lane's traffic
(after Liu, Wu, Ma & Hu, TR-C 17, 2009, who find its length from the wave that dissolves it).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import numpy as np

from citybrain.apps.traffic.detect.lamps import Lamps
from citybrain.apps.traffic.detect.symptoms import Look, Mask
from citybrain.apps.traffic.index import NO_TRACKS, Numbers, Places
from citybrain.apps.traffic.model import RANK
from citybrain.kernel.records import Entity

VEHICLE_M, LOOP_M, SPACE_M = 5.0, 2.0, 7.5

FIRST_M = 1.0
"""Where the first of a queue stands."""

FREE_SHARE = 0.9
"""Of the limit, for a lane whose speed nobody has measured yet."""

SLOWEST_MPS = 3.0

COVERED = 0.99
"""A loop that is occupied for the whole second: somebody stands on it."""

CLEAR_S = 3.0
"""With nobody over the stop line for so long no queue stands there: whoever should be in one has gone another way."""

QUEUED_OVER_S = 3.0
"""An advance loop that is covered for so long has the queue over it."""

DISCHARGING_S = 4.0
"""A queue of which somebody left so shortly ago moves: twice the saturation headway."""

START_WAVE_MPS = 5.0
DISCHARGE_MPS = 6.0

START_UP_S = 2.0
HEADWAY_S = 2.0
PERMISSIVE_HEADWAY_S = 4.0
"""What leaves a blind lane in green: a car every 2 s, under permissive green every 4 s (HCM 6, chapter 19)."""

QUEUE_MAX = 20
"""No more than what fits into the reach of a radar."""

SPEED_FADES_S = 60.0

EXIT_STANDS_S = 3.0
EXIT_FILLS_S = 10.0
"""An exit loop covered for 3 s has a queue on it; 7 s later that queue is back at the junction."""

MIRROR_M = 80.0
"""On a lane shorter than this the next signal's loops tell more of the exit than the loop in it."""

PLANNED_USE = 0.6
"""Of what its green in the shipped plan can pass comes to a lane of which nothing was learned: whoever made the plan
knew something (HCM 6, chapter 19: plans aim at 0.8 to 0.9 at the peak)."""

LEAST_PART = 0.1


class VirtualQueue:
    """One lane. Arrivals are the times at which vehicles are at `advance_m`, the first of them the next to leave."""

    def __init__(self, advance_m: float, limit_mps: float) -> None:
        self.advance_m = advance_m
        self.speed_mps = FREE_SHARE * limit_mps
        self.arrivals: deque[float] = deque()
        self.since_s = -inf
        self.left_s = -inf

    def arrive(self, at_s: float) -> None:
        if len(self.arrivals) < QUEUE_MAX:
            self.arrivals.append(max(at_s, self.arrivals[-1]) if self.arrivals else at_s)

    def depart(self, now_s: float) -> None:
        """Somebody left; the first of those who left one after another started the queue."""
        if now_s - self.left_s > DISCHARGING_S:
            self.since_s = now_s
        self.left_s = now_s
        if self.arrivals:
            self.arrivals.popleft()

    def none_stands(self, now_s: float) -> None:
        """The stop line is clear: forget those who should long stand there."""
        while self.arrivals and now_s - self.arrivals[0] > self.advance_m / self.speed_mps + CLEAR_S:
            self.arrivals.popleft()

    def one_stands(self, now_s: float) -> None:
        """Somebody stands at the stop line: the first, or one who came unseen."""
        due_s = now_s - self.advance_m / self.speed_mps
        if not self.arrivals or self.arrivals[0] > due_s:
            self.arrivals.appendleft(due_s)

    def reaches_advance(self, now_s: float) -> None:
        """The queue stands over the advance loop: at least so many are in it."""
        while len(self.arrivals) < min(self.advance_m // SPACE_M, QUEUE_MAX):
            self.arrivals.append(now_s)

    def tracks(self, now_s: float, beyond: float = 0.0) -> list[list[float]]:
        """Where everybody is now, nearest first; `beyond` stand behind the advance loop."""
        moves = now_s - self.left_s <= DISCHARGING_S
        wave_m = START_WAVE_MPS * (now_s - self.since_s) + SPACE_M if moves else -1.0
        found = []
        for number, at_s in enumerate(self.arrivals):
            place_m = FIRST_M + SPACE_M * number
            free_m = self.advance_m - self.speed_mps * (now_s - at_s)
            if free_m > place_m:
                found.append([free_m, self.speed_mps, 0.0, 1.0])
            elif place_m <= wave_m:
                found.append([place_m, DISCHARGE_MPS, 0.0, 1.0])
            else:
                waited_s = now_s - at_s - (self.advance_m - place_m) / self.speed_mps
                found.append([place_m, 0.0, max(waited_s, 1.0), 1.0])
        last_m = max(found[-1][0] if found else 0.0, self.advance_m)
        found.extend([last_m + SPACE_M * (number + 1), 0.0, 1.0, 1.0] for number in range(int(beyond)))
        return found


class Greens(Lamps):
    """Which approaches are green and since when, from the states of the signals as they change."""

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        super().__init__(entities, places)
        self.planned_per_s = np.zeros(len(places.entities))
        for one in entities:
            for place, lamps in self.of(one.id).items():
                self.planned_per_s[place] = _planned_per_s(lamps, one.attributes.get("plan") or ())
        self.rank = np.zeros(len(places.entities), dtype=np.int64)
        self.green_since_s, self.red_since_s = np.full((2, len(places.entities)), inf)

    def watch(self, states: Mapping[str, str], now_s: float) -> None:
        """Note what each signal shows."""
        for place, ranks in self.changed(states):
            rank = max(ranks)
            if rank and not self.rank[place]:
                self.green_since_s[place] = now_s
            if rank:
                self.red_since_s[place] = inf
            elif self.red_since_s[place] == inf:
                self.red_since_s[place] = now_s
            self.rank[place] = rank


def _planned_per_s(lamps: Sequence[int], plan: Sequence[Mapping[str, Any]]) -> float:
    """What comes to a lane if the shipped plan is right: a part of what its green passes."""
    cycle_s = sum(phase["duration_s"] for phase in plan)
    passed = sum(
        phase["duration_s"] / (HEADWAY_S if rank == RANK["G"] else PERMISSIVE_HEADWAY_S)
        for phase in plan
        if (rank := max(RANK.get(phase["state"][lamp], 0) for lamp in lamps))
    )
    return PLANNED_USE * passed / cycle_s if cycle_s else 0.0


class Estimate:
    """The virtual queues of all approach lanes, and the exits as far as anything tells of them."""

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        self.lamps = Greens(entities, places)
        size = len(places.entities)
        facts = [one.attributes for one in places.entities]
        self._is_approach = np.array([one.get("role") == "approach" for one in facts], dtype=np.bool_)
        self._loop_m = [float((one.get("loops_m") or [50.0])[-1]) for one in facts]
        self._limit_mps = places.facts("speed_limit_mps")
        self._length_m = places.facts("length_m")
        self._queues = [
            VirtualQueue(loop_m, float(limit))
            for loop_m, limit in zip(self._loop_m, self._limit_mps.tolist(), strict=True)
        ]
        self._place_of = {one.id: place for place, one in enumerate(places.entities)}
        self._roads = Roads(places)
        self._into, self._out = np.zeros((2, size))
        self._stands_s, self._covered_s, self._clear_s = np.zeros((3, size))
        self._passed, self._over_s = np.zeros((2, size))
        self._rate_per_s = np.zeros(size)
        self._now_s = 0.0
        self._by_loops = False
        self._blind = np.zeros(size, dtype=np.bool_)

    def watch(self, look: Look, now_s: float, *, blind: Mask, rate_per_s: Numbers, flow: Numbers) -> None:
        """Take in one second: of loops what they count, of blind lanes what was learned."""
        self._now_s, self._by_loops, self._blind = now_s, look.by_loops, blind
        if look.by_loops:
            self._rate_per_s = rate_per_s
            self._count(look, now_s, ~blind)
        for place in (blind & self._is_approach).nonzero()[0].tolist():
            self._imagine(place, look.seconds, now_s, self._comes_per_s(place, flow, rate_per_s))

    def _comes_per_s(self, place: int, flow: Numbers, rate_per_s: Numbers) -> float:
        """To a blind lane: its part of what just left the junction upstream, what was learned of it, or what those
        beside it have, and at least what its plan is made for."""
        beside, upstream = self._roads.around(place)
        blind = self._blind
        seeing = [one for one in beside if not blind[one]]
        if upstream and not blind[upstream].any():
            whole = float(rate_per_s[upstream].sum())
            left = 1.0 - float(rate_per_s[seeing].sum()) / whole if whole > 0.0 else 1.0
            return float(flow[upstream].sum()) * max(left, LEAST_PART) / (len(beside) - len(seeing))
        if rate_per_s[place] > 0.0:
            return float(rate_per_s[place])
        planned = float(self.lamps.planned_per_s[place])
        return max(planned, float(rate_per_s[seeing].mean())) if seeing else planned

    def tracks(self, detector_id: str) -> Numbers:
        """The tracks of a detector that is blind or has no places."""
        place = self._place_of.get(detector_id)
        if place is None:
            return NO_TRACKS
        rows = self._approach(place) if self._is_approach[place] else self._exit(place)
        return np.array(rows, dtype=np.float64).reshape(-1, 4) if rows else NO_TRACKS

    def _count(self, look: Look, now_s: float, sees: Mask) -> None:
        sees = sees & self._is_approach
        stop, ahead = np.nan_to_num(look.occupancy), np.nan_to_num(look.advance_occupancy)
        self._stands_s = np.where(stop >= COVERED, self._stands_s + look.seconds, 0.0)
        self._clear_s = np.where(stop == 0.0, self._clear_s + look.seconds, 0.0)
        self._covered_s = np.where(ahead >= COVERED, self._covered_s + look.seconds, 0.0)
        self._measure_speeds(look, ahead)
        self._into += np.where(sees, np.nan_to_num(look.advance_count), 0.0)
        self._out += np.where(sees, np.nan_to_num(look.count), 0.0)
        for place in (self._into >= 1.0).nonzero()[0].tolist():
            self._queues[place].speed_mps = self._speed_mps(place)
            self._into[place] -= 1.0
            self._queues[place].arrive(now_s)
        for place in (self._out >= 1.0).nonzero()[0].tolist():
            self._out[place] -= 1.0
            self._queues[place].depart(now_s)
        for place in (sees & (self._clear_s >= CLEAR_S)).nonzero()[0].tolist():
            self._queues[place].none_stands(now_s)
        for place in (sees & (self._stands_s >= 1.0)).nonzero()[0].tolist():
            self._queues[place].one_stands(now_s)
        for place in (sees & (self._covered_s >= QUEUED_OVER_S)).nonzero()[0].tolist():
            self._queues[place].reaches_advance(now_s)

    def _measure_speeds(self, look: Look, ahead: Numbers) -> None:
        fades = np.exp(-look.seconds / SPEED_FADES_S)
        moves = ahead < COVERED
        self._passed = self._passed * fades + np.where(moves, np.nan_to_num(look.advance_count), 0.0)
        self._over_s = self._over_s * fades + np.where(moves, ahead * look.seconds, 0.0)

    def _speed_mps(self, place: int) -> float:
        """n (L_vehicle + L_loop) / occupied seconds, within what is possible."""
        limit = float(self._limit_mps[place])
        if self._passed[place] < 1.0 or self._over_s[place] <= 0.0:
            return FREE_SHARE * limit
        measured = float(self._passed[place] * (VEHICLE_M + LOOP_M) / self._over_s[place])
        return min(max(measured, SLOWEST_MPS), limit)

    def _imagine(self, place: int, seconds: float, now_s: float, rate_per_s: float) -> None:
        """A blind lane fills at its rate and empties under green."""
        queue = self._queues[place]
        self._into[place] += rate_per_s * seconds
        while self._into[place] >= 1.0:
            self._into[place] -= 1.0
            queue.arrive(now_s)
        rank, green_s = int(self.lamps.rank[place]), now_s - self.lamps.green_since_s[place]
        headway_s = HEADWAY_S if rank == RANK["G"] else PERMISSIVE_HEADWAY_S
        if not rank or green_s < START_UP_S:
            self._out[place] = 0.0
            return
        self._out[place] += seconds / headway_s
        if self._out[place] >= 1.0:
            self._out[place] -= 1.0
            if queue.tracks(now_s) and queue.tracks(now_s)[0][0] <= self._queues[place].speed_mps * headway_s:
                queue.depart(now_s)

    def _approach(self, place: int) -> list[list[float]]:
        covered_s = float(self._covered_s[place])
        beyond = covered_s * float(self._rate_per_s[place]) if covered_s >= QUEUED_OVER_S else 0.0
        return self._queues[place].tracks(self._now_s, min(beyond, QUEUE_MAX / 3))

    def _exit(self, place: int) -> list[list[float]]:
        """What the next signal knows of the lane, or whether somebody stands on the loop."""
        length_m = float(self._length_m[place])
        twin = self._roads.same_lane.get(place)
        if twin is not None and self._by_loops and length_m <= MIRROR_M and not self._blind[twin]:
            rows = self._approach(twin)
            return [[length_m - row[0], *row[1:]] for row in reversed(rows) if row[0] <= length_m]
        stands_s = float(self._stands_s[place])
        if self._blind[place] or stands_s < EXIT_STANDS_S:
            return []
        at_m = self._loop_m[place] if stands_s < EXIT_FILLS_S else min(self._loop_m[place], VEHICLE_M + SPACE_M)
        return [[at_m, 0.0, stands_s, 1.0]]


class Roads:
    """Which detectors tell of each other: those upstream on the same road, beside each other, and over the junction."""

    def __init__(self, places: Places) -> None:
        facts = [one.attributes for one in places.entities]
        exits: dict[str, list[int]] = {}
        lanes: dict[str, int] = {}
        self._beside: dict[tuple[object, str], list[int]] = {}
        self._facts = [(one.get("controller"), str(one.get("lane", "")).rpartition("_")[0]) for one in facts]
        for place, one in enumerate(facts):
            if one.get("role") == "exit":
                exits.setdefault(self._facts[place][1], []).append(place)
            else:
                lanes[str(one.get("lane"))] = place
                self._beside.setdefault(self._facts[place], []).append(place)
        self._feeding = exits
        self.same_lane = {
            place: lanes[str(one.get("lane"))]
            for place, one in enumerate(facts)
            if one.get("role") == "exit" and str(one.get("lane")) in lanes
        }

    def around(self, place: int) -> tuple[list[int], list[int]]:
        """The approach lanes of the same road, itself among them, and the exits of the junction upstream that lead to
        it."""
        return self._beside.get(self._facts[place], [place]), self._feeding.get(self._facts[place][1], [])
