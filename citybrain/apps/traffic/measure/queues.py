# SPDX-License-Identifier: Apache-2.0
"""A fast model of the queues at all stop lines: who arrives is measured, who waits is worked out for any lamps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.choice.worth import HEADWAY_S, PERMISSIVE, REACH_M, SPACE_M, STANDING_MPS
from citybrain.apps.traffic.model import RANK, Junction, Track
from citybrain.kernel.records import Batch

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

TRACKS = "tracks"

CAN_PASS = 4
"""No more vehicles than this pass one stop line in a second."""

SAME_VEHICLE_M = 6.0
"""A vehicle is found again in the next second within so many metres of where it should be, or is another one."""

FLOW = 1.0 / HEADWAY_S
"""Vehicles per second and lane from a queue, until it has been measured at this lane."""

FLOW_LEAST, FLOW_MOST = 0.2, 1.5

LEARN = 0.002
"""In each second of green, the flow of a lane changes by so much for each vehicle that the model has too many."""

FAR_OFF = 5.0
"""But for no more vehicles than these: a lane that is blocked from ahead teaches little."""

LONGEST_DRIVE_S = 60


class Stops:
    """The approach lanes of all junctions in a row; `of` are each junction's places in it."""

    def __init__(self, all_junctions: Sequence[Junction]) -> None:
        lanes = [lane for one in all_junctions for lane in one.approaches]
        ends = np.cumsum([len(one.approaches) for one in all_junctions]).tolist()
        self.size = len(lanes)
        self.of = [slice(end - len(one.approaches), end) for one, end in zip(all_junctions, ends, strict=True)]
        self.junction_of = np.repeat(np.arange(len(all_junctions)), [len(one.approaches) for one in all_junctions])
        self.detectors = tuple(lane.detector_id for lane in lanes)
        self.limit_mps = np.array([lane.speed_limit_mps for lane in lanes], dtype=np.float64)
        self.length_m = np.array([lane.length_m for lane in lanes], dtype=np.float64)


class Arrivals:
    """What is measured at the stop lines each second: how many are within reach, came, and passed the line.

    Vehicles have no names here. One that passed is told from one that stands by where the others should be now; what
    came is what is there, less what was there, plus what passed. A count that falls by itself (a vehicle that changes
    lanes, one that is not seen for a second) is owed by those that come next. Whoever comes is the last of the lane, at
    `from_m`.
    """

    def __init__(self, stops: Stops) -> None:
        self._stops = stops
        size = stops.size
        self.within = np.zeros(size)
        self._within_before = self.within
        self.came = np.zeros(size)
        self.passed = np.zeros(size)
        self.standing = np.zeros(size)
        self._reach_m = np.minimum(stops.length_m, REACH_M)
        self.from_m = self._reach_m
        self.seen = np.zeros(size, dtype=bool)
        self._owed = np.zeros(size)
        self._before: tuple[Numbers, Places, Places] | None = None
        self._ids: tuple[tuple[str, ...], ...] = ()
        self._from: list[tuple[int, int, int]] = []

    def see(self, batch: Batch) -> None:
        """Take in the tracks of this second; lanes whose detector does not report are not `seen`."""
        columns = [column for column in batch.columns if column.attribute == TRACKS]
        self._find(columns)
        nothing = np.empty((0, 4))
        tracks: list[Numbers] = [nothing] * self._stops.size
        for place, column, number in self._from:
            tracks[place] = columns[column].values[number]
        sizes = np.fromiter(map(len, tracks), dtype=np.int64, count=len(tracks))
        table = np.concatenate(tracks) if tracks else nothing
        lane = np.repeat(np.arange(self._stops.size), sizes)
        distance_m, share = table[:, 0], table[:, 3]
        behind = distance_m >= 0.0
        within = behind & (distance_m <= REACH_M)
        self._count(distance_m, table[:, 1], share, lane, within)
        starts = np.cumsum(sizes) - sizes
        first = starts + np.bincount(lane[~behind], minlength=self._stops.size)
        waiting = starts + sizes - first
        self._match(table, first, waiting, fresh=self._before is None)
        self._before = (table, first, waiting)

    def _count(self, distance_m: Numbers, speed_mps: Numbers, share: Numbers, lane: Places, within: Any) -> None:
        size = self._stops.size
        self._within_before = self.within
        self.within = _sums(lane[within], share[within], size)
        stands = within & (speed_mps < STANDING_MPS)
        self.standing = _sums(lane[stands], share[stands], size)
        # Tracks are sorted, nearest first: of several values for one lane the last, the farthest, stays.
        self.from_m = self._reach_m.copy()
        self.from_m[lane[within]] = distance_m[within]

    def _match(self, table: Numbers, first: Places, waiting: Places, *, fresh: bool) -> None:
        """How many passed the line: as many as leave in front the one that fits best who is first now."""
        if fresh or self._before is None:
            self.passed = np.zeros(self._stops.size)
            self.came = np.zeros(self._stops.size)
            return
        before, first_before, waiting_before = self._before
        leads = waiting > 0
        place = np.where(leads, first, 0)
        at_m = np.where(leads, table[place, 0] if len(table) else 0.0, np.inf)
        mps = np.where(leads, table[place, 1] if len(table) else 0.0, 0.0)
        off_m = np.full((CAN_PASS, self._stops.size), np.inf)
        over = np.zeros(self._stops.size)
        for number in range(CAN_PASS if len(before) else 0):
            there = waiting_before > number
            row = np.where(there, first_before + number, 0)
            speed = before[row, 1]
            off_m[number] = np.where(there & leads, np.abs(before[row, 0] - (speed + mps) / 2 - at_m), np.inf)
            over += there & (before[row, 0] < speed)
        best = np.argmin(off_m, axis=0)
        found = off_m[best, np.arange(self._stops.size)] <= SAME_VEHICLE_M
        self.passed = np.where(found, best, over).astype(float)
        came = self.within - self._within_before + self.passed - self._owed
        self._owed = np.maximum(-came, 0.0)
        self.came = np.maximum(came, 0.0)

    def _find(self, columns: Sequence[Any]) -> None:
        """Where the tracks of each stop line lie; looked up again when other detectors report."""
        ids = tuple(column.entity_ids for column in columns)
        if len(ids) == len(self._ids) and all(one is other for one, other in zip(ids, self._ids, strict=True)):
            return
        if ids == self._ids:
            return
        self._ids = ids
        where = {name: (at, number) for at, names in enumerate(ids) for number, name in enumerate(names)}
        found = [(place, where.get(name)) for place, name in enumerate(self._stops.detectors)]
        self._from = [(place, *there) for place, there in found if there is not None]
        self.seen = np.array([there is not None for _, there in found], dtype=bool)
        self._before = None


class Flows:
    """Vehicles per second that each lane lets out of a queue: what makes the model of what really happens agree with
    what is measured. Both worlds then use it."""

    def __init__(self, size: int) -> None:
        self.per_s = np.full(size, FLOW)

    def learn(self, arrivals: Arrivals, real: "Queues", lamps: "Lamps") -> None:
        """A queue that is longer in the model than on the street discharges too slowly there."""
        off = np.clip(real.queue + real.driving() - arrivals.within, -FAR_OFF, FAR_OFF)
        learned = np.clip(self.per_s * (1.0 + LEARN * off), FLOW_LEAST, FLOW_MOST)
        self.per_s = np.where((lamps.part > 0.0) & arrivals.seen, learned, self.per_s)


class Lamps:
    """What part of each lane is green, and for how long; one world has one."""

    def __init__(self, stops: Stops, all_junctions: Sequence[Junction]) -> None:
        self._stops = stops
        self._junctions = all_junctions
        self._parts: list[dict[str, Numbers]] = [{} for _ in all_junctions]
        self.part = np.zeros(stops.size)
        self.green_s = np.zeros(stops.size)

    def show(self, junction: int, lamps: str) -> None:
        """The lamps of one junction, all its signals in a row, have changed."""
        known = self._parts[junction]
        if lamps not in known:
            known[lamps] = parts(self._junctions[junction], lamps)
        self.part[self._stops.of[junction]] = known[lamps]

    def second(self) -> None:
        """One more second has passed."""
        self.green_s = np.where(self.part > 0.0, self.green_s + 1.0, 0.0)


class Queues:
    """One world: the queues that those who come make under its lamps. A point queue per lane, served in turn.

    Whoever comes reaches the stop line after the drive at the speed limit, and passes when the lamp is green, the
    queue is started and the flow of the lane has room.
    """

    def __init__(self, stops: Stops) -> None:
        self._stops = stops
        self.queue = np.zeros(stops.size)
        self.since_s = np.zeros(stops.size)
        self._credit = np.zeros(stops.size)
        self._driving = np.zeros((LONGEST_DRIVE_S, stops.size))
        self._on_way = np.zeros(stops.size)
        self._now = 0

    def begin(self, junction: int, standing: Numbers, now_s: float) -> None:
        """Begin at one junction with what stands there."""
        places = self._stops.of[junction]
        self.queue[places] = standing[places]
        self.since_s[places] = now_s
        self._driving[:, places] = 0.0
        self._on_way[places] = 0.0

    def copy(self, junction: int, other: "Queues") -> None:
        """Begin at one junction as another world is now."""
        places = self._stops.of[junction]
        self.queue[places] = other.queue[places]
        self.since_s[places] = other.since_s[places]
        self._on_way[places] = other.driving()[places]
        self._driving[:, places] = np.roll(other._driving, self._now - other._now, axis=0)[:, places]

    def step(self, came: Numbers, drive_s: Places, lamps: Lamps, flow: Numbers, now_s: float) -> None:
        """One second: those who came drive on, those who are there queue, those who may pass."""
        every = np.arange(self._stops.size)
        self._driving[(self._now + drive_s) % LONGEST_DRIVE_S, every] += came
        was = self.queue > 0.5
        there = self._driving[self._now]
        queue = self.queue + there
        self._on_way = np.maximum(self._on_way + came - there, 0.0)
        self._driving[self._now] = 0.0
        self._now = (self._now + 1) % LONGEST_DRIVE_S
        runs = lamps.green_s > 0.0
        self._credit = np.where(runs, np.minimum(self._credit + flow * lamps.part, 1.0), 0.0)
        gone = np.minimum(queue, self._credit)
        self._credit = self._credit - gone
        self.queue = queue - gone
        self.since_s = np.where(was & (self.queue > 0.5) & (lamps.part == 0.0), self.since_s, now_s)

    def driving(self) -> Numbers:
        """Vehicles per lane on their way to the stop line."""
        return self._on_way

    def tracks(self, place: int, limit_mps: float, now_s: float) -> list[Track]:
        """One lane as a detector would see it: the queue at the line, and those on their way."""
        count = round(float(self.queue[place]))
        waited_s = max(0.0, now_s - float(self.since_s[place]))
        found: list[Track] = [
            (1.0 + SPACE_M * at, 0.0, max(1.0, waited_s * (1.0 - at / count)), 1.0) for at in range(count)
        ]
        tail_m = SPACE_M * count
        driving = self._driving[:, place]
        for second in range(LONGEST_DRIVE_S):
            coming = float(driving[(self._now + second) % LONGEST_DRIVE_S])
            at_m = (second + 1) * limit_mps
            if coming > 0.05 and at_m > tail_m:
                found.append((at_m, limit_mps, 0.0, min(coming, 1.0)))
        return found


def parts(junction: Junction, lamps: str) -> Numbers:
    """What part of the ways out of each approach is green, a permissive green worth less."""
    found = np.zeros(len(junction.approaches))
    ways = np.zeros(len(junction.approaches))
    for way in junction.ways:
        ways[way.approach] += 1.0
        rank = RANK.get(lamps[way.lamp], 0)
        found[way.approach] += 1.0 if rank == RANK["G"] else PERMISSIVE if rank else 0.0
    return found / np.maximum(ways, 1.0)


def drive_s(from_m: Numbers, limit_mps: Numbers) -> Places:
    """Seconds from where somebody comes into a lane to its stop line at the speed limit."""
    seconds: Places = np.clip(np.rint(from_m / np.maximum(limit_mps, 1.0)), 0, LONGEST_DRIVE_S - 1).astype(np.int64)
    return seconds


def by_junction(stops: Stops, values: Numbers, size: int) -> Numbers:
    """Sums over the lanes of each junction."""
    return _sums(stops.junction_of, values, size)


def _sums(places: Places, weights: Numbers, size: int) -> Numbers:
    """The sum of the weights at each place."""
    found: Numbers = np.bincount(places, weights=weights, minlength=size).astype(np.float64)
    return found
