# SPDX-License-Identifier: Apache-2.0
"""What gives a lying detector away: its own reports, and the vehicles that others count and it does not."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.index import Numbers, Places
from citybrain.kernel.records import Batch, Column

Mask = NDArray[np.bool_]

STUCK_S = 300.0
"""A loop that is covered for so long with nobody passing: a cabinet serves every lane that waits after 180 s."""

FROZEN_S = 12.0
"""Equal reports for so long with somebody in them: whoever moves is elsewhere, whoever stands waits longer. A feed that
merely stutters repeats itself for a few seconds."""

LEAP = 3
"""More vehicles than this do not come to or leave a lane within a second (one in and one out, and changes of lane)."""

LEAPS = 2.0
"""So many leaps within `SHAKEN_S` are no chance."""

SHAKEN_S = 10.0

STRAY_M = 8.0
"""A vehicle that was not within 8 m of where its speed says was not seen a second ago: 2 sigma of 3 m of noise."""

STRAY_SHARE = 0.6
"""Of what is seen; in healthy reports it is those who came by changing the lane or out of a side road."""

STRAYS_FROM = 15.0
"""Vehicle seconds that are looked at before a share of them says anything."""

TOO_FAST = 2.0
"""Nobody drives twice the limit and 5 m/s through a junction."""

COUNT_MAX_PER_S = 1.2
"""Vehicles a loop can count in a row: no headway is below 0.8 s (HCM 6, chapter 19: 1.9 s on average)."""

AMISS = 1.5
"""A count that differs so much from the vehicles shown is another one; branches count in parts."""

AMISS_S = 5.0

UNBACKED = 4.0
"""So many counted within `WINDOW_S` with nobody over the loop in that second or the next: whoever passes covers it."""

WINDOW_S = 20.0

QUIET_S = 120.0
"""A lane may be empty for a cycle."""

EXPECTED = 15.0
"""Vehicles that should have come by now: with nobody missing, none of them has a chance of exp(-15)."""

MISSING = 0.7
"""Seven in ten of the expected ones must have been counted on the other side of the junction."""

LEARNED_S = 600.0
"""Time constant of what is learned of a lane's traffic: ten minutes, several cycles and still the same peak."""

NEVER_SEEN_S = 300.0

MISSING_FROM = 15.0


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One second of all detectors in their order. Figures are NaN where nothing was reported.

    `by_loops`: counts are of vehicles that passed. Otherwise `table` has the tracks and `detector` whose they are.
    """

    seconds: float
    heard: Mask
    by_loops: bool
    table: Numbers
    detector: NDArray[np.int64]
    count: Numbers
    occupancy: Numbers
    advance_count: Numbers
    advance_occupancy: Numbers

    @property
    def size(self) -> int:
        return len(self.heard)

    def sums(self, weights: Numbers) -> Numbers:
        """Per detector the sum over its tracks."""
        return np.bincount(self.detector, weights=weights, minlength=self.size).astype(np.float64)


class Reports:
    """Makes a `Look` of each batch; `None` for one that speaks of no detector at all."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._place_of = {one.id: place for place, one in enumerate(places.entities)}
        self._known: dict[int, tuple[tuple[str, ...], NDArray[np.int64]]] = {}
        self._last_s: float | None = None

    def read(self, batch: Batch) -> Look | None:
        tracks = [column for column in batch.columns if column.attribute == "tracks"]
        counts = [column for column in batch.columns if column.attribute == "vehicleCount"]
        places = [self._meet(column) for column in tracks]
        if not any(self._speaks(column) for column in (*tracks, *counts)):
            return None
        now_s = batch.observed_at.timestamp()
        seconds = min(max(now_s - self._last_s, 0.0), 60.0) if self._last_s is not None else 1.0
        self._last_s = now_s
        table, lengths = _under_each_other(tracks)
        table, detector = _by_place(table, lengths, places)
        count = self._places.observed(batch, "vehicleCount")
        by_loops = not tracks
        heard = ~np.isnan(count)
        if not by_loops:
            heard = np.zeros(len(count), dtype=np.bool_)
            for found in places:
                heard[found[found >= 0]] = True
        return Look(
            seconds=seconds,
            heard=heard,
            by_loops=by_loops,
            table=table,
            detector=detector,
            count=count,
            occupancy=self._places.observed(batch, "occupancy"),
            advance_count=self._places.observed(batch, "advanceCount"),
            advance_occupancy=self._places.observed(batch, "advanceOccupancy"),
        )

    def _speaks(self, column: Column) -> bool:
        """Whether a column is one of detectors at all: roads have counts, too."""
        return bool((self._meet(column) >= 0).any())

    def _meet(self, column: Column) -> NDArray[np.int64]:
        """The place of each id of the column, -1 for others; found once for the ids a feed passes again and again."""
        ids = column.entity_ids
        known = self._known.get(id(ids))
        if known is None or known[0] is not ids:
            if len(self._known) > KNOWN_MAX:
                self._known.clear()
            found = np.array([self._place_of.get(one, -1) for one in ids], dtype=np.int64)
            known = self._known[id(ids)] = (ids, found)
        return known[1]


KNOWN_MAX = 64


_last: tuple[Sequence[object], tuple[Numbers, NDArray[np.int64]]] = ((), (np.empty((0, 4)), np.empty(0, np.int64)))
"""Those who tell of doubts and those who act on them look at the same batch one after the other: it is joined once."""


def _under_each_other(columns: Sequence[Column]) -> tuple[Numbers, NDArray[np.int64]]:
    """All tracks in one table, and how many each detector has."""
    global _last
    values = [column.values for column in columns]
    if len(values) == len(_last[0]) and all(one is other for one, other in zip(values, _last[0], strict=True)):
        return _last[1]
    tables = [table for one in values for table in one]
    lengths = np.array(list(map(len, tables)), dtype=np.int64)
    found = (np.concatenate(tables) if tables else np.empty((0, 4)), lengths)
    _last = (values, found)
    return found


def _by_place(
    table: Numbers, lengths: NDArray[np.int64], places: Sequence[NDArray[np.int64]]
) -> tuple[Numbers, NDArray[np.int64]]:
    """The tracks of the detectors we know and the place of each; sorted by place."""
    if not places:
        return table, np.empty(0, dtype=np.int64)
    detector = np.repeat(np.concatenate(places), lengths)
    if (detector < 0).any():
        table, detector = table[detector >= 0], detector[detector >= 0]
    if (np.diff(detector) < 0).any():
        order = np.argsort(detector, kind="stable")
        table, detector = table[order], detector[order]
    return table, detector


class Frozen:
    """The same report again and again, with somebody in it."""

    def __init__(self, size: int) -> None:
        self._last = np.full(size, np.nan)
        self._same_s, self._stuck_s = np.zeros((2, size))

    def __call__(self, look: Look) -> Mask:
        if look.by_loops:
            mark, telling = _loop_mark(look)
        else:
            distance_m, speed_mps, waiting_s, _ = look.table.T
            mark = look.sums(distance_m + 7.31 * speed_mps + 3.17 * waiting_s)
            telling = np.bincount(look.detector, minlength=look.size) > 0
        still = look.heard & telling & (mark == self._last)
        self._same_s = np.where(still, self._same_s + look.seconds, 0.0)
        self._last = np.where(look.heard, mark, np.nan)
        stuck = look.by_loops & (np.fmax(look.occupancy, look.advance_occupancy) == 1.0) & (look.count == 0.0)
        self._stuck_s = np.where(stuck & (look.advance_count != 1.0), self._stuck_s + look.seconds, 0.0)
        return (self._same_s >= FROZEN_S) | (self._stuck_s >= STUCK_S)


def _loop_mark(look: Look) -> tuple[Numbers, Mask]:
    """Somebody passes: an empty loop, and one with a vehicle standing on it, rightly say the same for long."""
    counts = np.nan_to_num(look.count) + np.nan_to_num(look.advance_count)
    over = np.nan_to_num(look.occupancy), np.nan_to_num(look.advance_occupancy)
    # Where several lanes lead to an advance loop's place, one that stands on its loop covers a part of it for long.
    telling = (counts > 0) | ((over[0] > 0) & (over[0] < 1))
    return counts * 3.17 + over[0] + 7.31 * over[1], telling


class Jumping:
    """Vehicles that come out of nowhere, or more than a lane can bring."""

    def __init__(self, limits_mps: Numbers, signs: Numbers) -> None:
        size = len(limits_mps)
        self._too_fast_mps = limits_mps * TOO_FAST + 5.0
        self._signs = signs
        self._number = np.full(size, np.nan)
        self._shaken = np.zeros(size)
        self._before: tuple[Numbers, NDArray[np.int64]] = (np.empty(0), np.empty(0, dtype=np.int64))
        self._far_m = np.zeros(size)
        self._strays, self._seen = np.zeros((2, size))

    def __call__(self, look: Look) -> Mask:
        if look.by_loops:
            return self._too_many(look)
        number = np.where(look.heard, np.bincount(look.detector, minlength=look.size), np.nan)
        leaps = np.abs(number - self._number) > LEAP
        self._number = number
        self._shaken = self._shaken * np.exp(-look.seconds / SHAKEN_S) + leaps
        strays, seen = self._stray(look)
        fades = np.exp(-look.seconds / (2 * SHAKEN_S))
        self._strays, self._seen = self._strays * fades + strays, self._seen * fades + seen
        stray = (self._seen >= STRAYS_FROM) & (self._strays > STRAY_SHARE * self._seen)
        return (self._shaken >= LEAPS) | stray

    def _too_many(self, look: Look) -> Mask:
        most = np.fmax(np.nan_to_num(look.count), np.nan_to_num(look.advance_count))
        self._shaken = self._shaken * np.exp(-look.seconds / SHAKEN_S) + most
        return self._shaken > COUNT_MAX_PER_S * SHAKEN_S

    def _stray(self, look: Look) -> tuple[Numbers, Numbers]:
        """Per detector, tracks that nothing a second before explains, and tracks that could be explained at all.

        Those that may just have come into sight do not count: at the far end, and out of the box.
        """
        distance_m, speed_mps = look.table[:, 0], look.table[:, 1]
        detector = look.detector
        was_m = distance_m + self._signs[detector] * speed_mps * look.seconds
        np.maximum.at(self._far_m, detector, distance_m)
        testable = (distance_m >= 0.0) & (was_m >= 0.0) & (was_m < self._far_m[detector] - STRAY_M)
        before_m, before = self._before
        self._before = (distance_m, detector)
        # One axis for all: far enough apart that no detector reaches the next one's vehicles.
        place, known = was_m + detector * APART_M, before_m + before * APART_M
        at = np.searchsorted(known, place)
        ends = np.concatenate(([-np.inf], known, [np.inf]))
        off_m = np.minimum(place - ends[at], ends[at + 1] - place)
        stray = testable & ((off_m > STRAY_M) | (speed_mps > self._too_fast_mps[detector]))
        return look.sums(stray.astype(np.float64)), look.sums(testable.astype(np.float64))


APART_M = 10_000.0


class Contradictory:
    """A count that is not that of the vehicles shown, or that the loop's own occupancy denies."""

    def __init__(self, size: int) -> None:
        self._amiss_s = np.zeros(size)
        self._unbacked, self._claimed = np.zeros((2, size))

    def __call__(self, look: Look) -> Mask:
        if look.by_loops:
            return self._denied(look)
        shown = look.sums(np.where(look.table[:, 0] >= 0.0, look.table[:, 3], 0.0))
        amiss = look.heard & ~np.isnan(look.count) & (np.abs(look.count - shown) > AMISS)
        self._amiss_s = np.where(amiss, self._amiss_s + look.seconds, 0.0)
        return self._amiss_s >= AMISS_S

    def _denied(self, look: Look) -> Mask:
        """Many counted with nobody over the loop, then or a second later."""
        over = np.nan_to_num(look.occupancy) + np.nan_to_num(look.advance_occupancy) > 0.0
        fades = np.exp(-look.seconds / WINDOW_S)
        self._unbacked = self._unbacked * fades + np.where(over, 0.0, self._claimed)
        counted = np.nan_to_num(look.count) + np.nan_to_num(look.advance_count)
        self._claimed = np.where(over, 0.0, counted)
        found: Mask = self._unbacked >= UNBACKED
        return found


class SeesNobody:
    """Nobody where there always was somebody, while the other side of the junction counts those who are missing.

    What goes into a junction comes out. `rate_per_s` is what has been learned of each detector's traffic.
    """

    def __init__(self, junction: NDArray[np.int64], signs: Numbers) -> None:
        size = len(junction)
        self._junction, self._signs = junction, signs
        self._count = int(junction.max(initial=-1)) + 1
        self.rate_per_s, self._quiet_s = np.zeros(size), np.zeros(size)
        self.learned_s, self.flow = np.zeros((2, size))
        self._balance, self._drift_per_s, self._out = np.zeros((3, self._count))
        self._balance_then, self._out_then = np.zeros((2, size))
        self._found = np.zeros(size, dtype=np.bool_)

    def __call__(self, look: Look, trusted: Mask) -> Mask:
        flow, busy = self._flow(look)
        self.flow = flow
        known = trusted & look.heard
        self._learn(flow, known & (self._quiet_s < QUIET_S / 2), look.seconds)
        # One that is not believed is taken to pass what it always did; where that is not known, nothing can be told.
        unknown = ~known & (self.learned_s < NEVER_SEEN_S)
        flow = np.where(known, flow, self.rate_per_s * look.seconds)
        whole = self._sums(unknown.astype(np.float64)) == 0.0
        out, into = (self._sums(np.where(self._signs == sign, flow, 0.0)) for sign in (-1.0, 1.0))
        over = out - into
        self._balance += over
        self._out += out
        starts = busy | ~known | ~whole[self._junction]
        self._quiet_s = np.where(starts, 0.0, self._quiet_s + look.seconds)
        self._balance_then = np.where(starts, self._balance[self._junction], self._balance_then)
        self._out_then = np.where(starts, self._out[self._junction], self._out_then)
        self._drift(over, look.seconds)
        # Found out, it stays so until it sees somebody again.
        self._found = (self._found | self._missing()) & ~busy & look.heard
        return self._found

    def _sums(self, values: Numbers) -> Numbers:
        """Per junction."""
        return np.bincount(self._junction, weights=values, minlength=self._count).astype(np.float64)

    def _flow(self, look: Look) -> tuple[Numbers, Mask]:
        """Vehicles that passed since the last second, and where anybody is seen."""
        if look.by_loops:
            flow = np.nan_to_num(look.count)
            over = np.nan_to_num(look.occupancy) + np.nan_to_num(look.advance_occupancy)
            return flow, (flow + np.nan_to_num(look.advance_count) + over) > 0.0
        distance_m, speed_mps = look.table[:, 0], look.table[:, 1]
        signs = self._signs[look.detector]
        was_m = distance_m + signs * speed_mps * look.seconds
        passed = np.where(signs > 0, (distance_m < 0.0) & (was_m >= 0.0), (distance_m >= 0.0) & (was_m < 0.0))
        return look.sums(passed * look.table[:, 3]), np.bincount(look.detector, minlength=look.size) > 0

    def _learn(self, flow: Numbers, known: Mask, seconds: float) -> None:
        """A mean at first, and then one that forgets with the time constant."""
        self.learned_s = np.where(known, self.learned_s + seconds, self.learned_s)
        weight = np.where(known, seconds / np.clip(self.learned_s, 60.0, LEARNED_S), 0.0)
        self.rate_per_s += weight * (flow / max(seconds, 1.0) - self.rate_per_s)

    def _drift(self, over: Numbers, seconds: float) -> None:
        """What a junction gains or loses by miscounting, and vehicles that park; learned while nobody is quiet."""
        quiet = (self._quiet_s > QUIET_S / 2) & (self.rate_per_s * self._quiet_s > EXPECTED / 2)
        still = self._sums(quiet.astype(np.float64)) > 0.0
        weight = np.where(still, 0.0, seconds / LEARNED_S)
        self._drift_per_s += weight * (over / max(seconds, 1.0) - self._drift_per_s)

    def _missing(self) -> Mask:
        own = self._junction
        drifted = self._drift_per_s[own] * self._quiet_s
        missing = self._signs * (self._balance[own] - self._balance_then - drifted)
        expected = self.rate_per_s * self._quiet_s
        gone = (self._quiet_s >= QUIET_S) & (expected >= EXPECTED) & (missing >= MISSING * expected)
        through = self._out[own] - self._out_then
        unexplained = self._signs * (self._balance[own] - self._balance_then)
        never = (self._quiet_s >= NEVER_SEEN_S) & (self.rate_per_s == 0.0)
        found: Mask = gone | (never & (unexplained >= MISSING_FROM + 0.1 * through))
        return found
