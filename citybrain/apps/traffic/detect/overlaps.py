# SPDX-License-Identifier: Apache-2.0
"""Two detectors that watch the same stretch, such as the way through the box, see the same vehicles there.

Looks for detectors that see nobody at all while others see `UNSEEN` vehicles drive where only they, too, must see them.
One that froze while its lane was empty is found so by the first vehicles. Evidence is by vehicle: places are those of
`watches`, so that of an approach's vehicle in the box each exit it may be going to is asked.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.detect.persistence import Mask
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.index import Numbers, Places
from citybrain.kernel.records import Entity
from citybrain.kernel.routing import LANE

UNSEEN = 3.0
"""Vehicles in a row. Sensors that miss one in fifty miss three in a row once in 125,000 times."""

SETTLED_S = 20.0
"""Since the first of them: a neighbour that makes vehicles up is doubted by then."""

MARGIN_M = 3.0
"""So near to where a stretch ends the noise of a place decides whether one is in it or in the next one."""

SURE, LIKELY_MAX = 0.95, 20.0
"""Where several may be the one that does not see, it is taken to be one of them from this chance on."""

LEAST_M = 0.1

UNKNOWN_M = 40.0
"""Taken as the length of lanes in junctions without a signal, which are no lanes of ours."""

DRIVING_MPS = 2.0
"""Who drives into a stretch is seen in it a second later, whatever the noise; one who stands before it never."""

NEAR_M = 10.0
"""Within so many metres of where he should be it is the same one: the noise of both, and a second of driving."""

APART_M = 10_000.0

Whole = NDArray[np.int64]


class Cells(msgspec.Struct, frozen=True):
    """Stretches of lanes, each as one detector sees it: `distance = metres + sign * offset`, offsets from `from_m` on.
    Those of a lane follow each other."""

    lane: Whole
    place: Whole
    metres: Numbers
    sign: Numbers
    from_m: Numbers
    until_m: Numbers


class Stretches(msgspec.Struct, frozen=True):
    """Of the sight of a detector those parts, from `low_m` to `high_m`, where there is somebody to ask of each lane on
    which a vehicle may be, nearest first; and `number` rows each of whom to ask: `metres + sign * distance` in the
    sight of `other`."""

    place: Whole
    low_m: Numbers
    high_m: Numbers
    number: Whole
    other: Whole
    sign: Numbers
    metres: Numbers


class Overlaps:
    """Counts, for each detector, the vehicles that others have seen where it must see them since it last saw any.

    `vouched` are those whose neighbours look, too, and miss nobody: they rightly see nobody.
    """

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        size = len(places.entities)
        found = _stretches(_cells(entities, places))
        self._begins, self._ends = found.place * APART_M + found.low_m, found.place * APART_M + found.high_m
        self._first = np.concatenate(([0], np.cumsum(found.number)))
        self._other, self._sign, self._metres = found.other, found.sign, found.metres
        witness = np.repeat(found.place, found.number)
        self._witness, self._asked = np.divmod(np.unique(witness * size + self._other), max(size, 1))
        self._unseen, self._since_s, self._number, self._quiet_s = np.zeros((4, size))
        self._lied = np.zeros(size, dtype=np.bool_)
        self.vouched = np.zeros(size, dtype=np.bool_)

    def __call__(self, look: Look, trusted: Mask, rate_per_s: Numbers) -> Mask:
        """Which detectors do not see those who are there. `rate_per_s`: what is known of the traffic of each."""
        if look.by_loops or not len(self._asked):
            self.vouched = np.zeros(look.size, dtype=np.bool_)
            return self.vouched
        busy = np.bincount(look.detector, minlength=look.size) > 0
        silent = look.heard & ~busy
        self._quiet_s = np.where(silent, self._quiet_s + look.seconds, 0.0)
        # Of several one does not see: likelier the one that should have seen many by now (Bayes, Poisson arrivals).
        likely = np.exp(np.minimum(rate_per_s * self._quiet_s, LIKELY_MAX))
        number = self._missing(look, silent, trusted, likely)
        lies = ~trusted & ~self._lied
        self._lied = ~trusted
        shaken = np.bincount(self._asked, lies[self._witness], look.size) > 0
        starts = ~silent | shaken
        more = np.maximum(number - self._number, 0.0)
        self._number = number
        self._unseen = np.where(starts, 0.0, self._unseen + more)
        self._since_s = np.where(self._unseen > 0.0, self._since_s + look.seconds, 0.0)
        witnessed = np.bincount(self._asked, (trusted & look.heard)[self._witness], look.size) > 0
        self.vouched = witnessed & (self._unseen == 0.0)
        found: Mask = (self._unseen >= UNSEEN) & (self._since_s >= SETTLED_S)
        return found

    def _missing(self, look: Look, silent: Mask, trusted: Mask, likely: Numbers) -> Numbers:
        """Per detector, how many vehicles others see that it must see and does not; where several may be meant, a part
        for each."""
        axis = look.table[:, 0] + look.detector * APART_M
        at = np.searchsorted(self._begins, axis, side="right") - 1
        inside = (at >= 0) & (axis <= self._ends[at])
        rows = (inside & (look.table[:, 1] >= DRIVING_MPS) & trusted[look.detector]).nonzero()[0]
        number: Numbers = np.zeros(look.size)
        if not len(rows):
            return number
        at = at[rows]
        row, asked = _ranges(self._first[at], self._first[at + 1])
        other = self._other[asked]
        blames = silent[other]
        if not blames.any():
            return number
        should_m = self._metres[asked] + self._sign[asked] * look.table[rows[row], 0]
        # One that is not believed may be the one that should have seen it.
        seen = (_nearest_m(axis, should_m + other * APART_M) <= NEAR_M) | ~(trusted & look.heard)[other]
        answered = np.bincount(row, seen, len(rows)) > 0
        open_ = blames & ~answered[row]
        of = row[open_]
        chance = likely[other[open_]] / np.bincount(of, likely[other[open_]], len(rows))[of]
        sure = np.bincount(of, chance >= SURE, len(rows))[of] > 0
        share = np.where(sure, chance, 1.0 / np.bincount(of, minlength=len(rows))[of])
        return _vehicles(other[open_], should_m[open_], share, look.size)


def _nearest_m(axis: Numbers, wanted: Numbers) -> Numbers:
    """How far the nearest of the sorted `axis` is from each of `wanted`."""
    at = np.searchsorted(axis, wanted)
    ends = np.concatenate(([-np.inf], axis, [np.inf]))
    found: Numbers = np.minimum(wanted - ends[at], ends[at + 1] - wanted)
    return found


def _vehicles(place: Whole, distance_m: Numbers, share: Numbers, size: int) -> Numbers:
    """Per detector how many there are; whom several see at the same place is one."""
    order = np.lexsort((distance_m, place))
    place, distance_m, share = place[order], distance_m[order], share[order]
    new = np.ones(len(place), dtype=np.bool_)
    new[1:] = (place[1:] != place[:-1]) | (np.diff(distance_m) > MARGIN_M)
    return np.bincount(place[new], share[new], size).astype(np.float64)


def _cells(entities: Sequence[Entity], places: Places) -> Cells:
    """The stretches of each lane by who watches them."""
    length_m = {
        str(one.attributes.get("lane")): float(one.attributes["length"])
        for one in entities
        if one.type == LANE and "length" in one.attributes
    }
    box = _box(places, length_m)
    found: dict[str, list[tuple[float, ...]]] = {}
    for place, one in enumerate(places.entities):
        sure_m = float(one.attributes.get("coverage_m") or 0.0) - MARGIN_M
        for lane, metres, sign, _ in one.attributes.get("watches") or ():
            known = length_m.get(lane, box.get(lane))
            until_m = UNKNOWN_M if known is None else known
            ends = (0.0, sure_m - metres) if sign > 0 else (metres - sure_m, until_m)
            from_m, until_m = max(0.0, ends[0]), min(until_m, ends[1])
            if until_m > from_m:
                # Where a lane ends is not known: one may be on it, and nobody can be asked.
                name = lane if known is not None else f"{lane} {place}"
                found.setdefault(name, []).append((place, metres, sign, from_m, until_m))
    table = np.array([row for each in found.values() for row in each], dtype=np.float64).reshape(-1, 5)
    lane_number = np.repeat(np.arange(len(found)), [len(each) for each in found.values()])
    return Cells(lane_number, table[:, 0].astype(np.int64), *table[:, 1:].T)


def _box(places: Places, length_m: Mapping[str, float]) -> Mapping[str, float]:
    """The lengths of lanes in the box, which are no lanes of ours. An approach sees each way from 0 down, piece by
    piece, so that the next piece begins where one ends; an exit sees that the last one ends at 0."""
    last: dict[str, float] = {}
    others: dict[str, float] = {}
    for one in places.entities:
        cells = one.attributes.get("watches") or ()
        for (lane, metres, sign, _), after in zip(cells, [*cells[1:], None], strict=False):
            if lane in length_m or metres > 0.0:
                continue
            if sign > 0:
                last[lane] = -metres
            elif after and after[1] < metres:
                others[lane] = metres - after[1]
    return {**last, **others}


def _stretches(cells: Cells) -> Stretches:
    """Where whom to ask: of one who is seen somewhere, on each lane where he may really be, `MARGIN_M` off."""
    lane = cells.lane
    first, end = np.searchsorted(lane, lane), np.searchsorted(lane, lane, side="right")
    place, low_m, high_m = _between(cells, first, end)
    of_place = np.argsort(cells.place, kind="stable")
    by_place = cells.place[of_place]
    part, at = _ranges(np.searchsorted(by_place, place), np.searchsorted(by_place, place, side="right"))
    cell = of_place[at]
    offset_m = (0.5 * (low_m + high_m)[part] - cells.metres[cell]) * cells.sign[cell]
    near = (offset_m >= cells.from_m[cell] - MARGIN_M) & (offset_m <= cells.until_m[cell] + MARGIN_M)
    part, cell, offset_m = part[near], cell[near], offset_m[near]
    offset_m = np.clip(offset_m, cells.from_m[cell], cells.until_m[cell])
    row, other = _ranges(first[cell], end[cell])
    sees = cells.place[other] != cells.place[cell[row]]
    sees &= (cells.from_m[other] <= offset_m[row]) & (offset_m[row] <= cells.until_m[other])
    row, other = row[sees], other[sees]
    nobody = np.bincount(row, minlength=len(cell)) == 0
    known = np.bincount(part[nobody], minlength=len(place)) == 0
    kept = known[part[row]]
    row, other = row[kept], other[kept]
    number = np.bincount(part[row], minlength=len(place))
    some = number > 0
    sign = cells.sign[other] * cells.sign[cell[row]]
    metres = cells.metres[other] - sign * cells.metres[cell[row]]
    return Stretches(place[some], low_m[some], high_m[some], number[some], cells.place[other], sign, metres)


def _between(cells: Cells, first: Whole, end: Whole) -> tuple[Whole, Numbers, Numbers]:
    """Detector, from and until which distance: the parts of its sight, cut wherever it changes who can be asked."""
    cell, other = _ranges(first, end)
    cuts_m = np.column_stack(
        [each + off for each in (cells.from_m, cells.until_m) for off in (-MARGIN_M, 0.0, MARGIN_M)]
    )
    at_m = (cells.metres[cell, np.newaxis] + cells.sign[cell, np.newaxis] * cuts_m[other]).ravel()
    place = np.repeat(cells.place[cell], cuts_m.shape[1])
    order = np.lexsort((at_m, place))
    place, at_m = place[order], at_m[order]
    parts = ((place[1:] == place[:-1]) & (np.diff(at_m) > LEAST_M)).nonzero()[0]
    return place[parts], at_m[parts], at_m[parts + 1]


def _ranges(first: Whole, end: Whole) -> tuple[Whole, Whole]:
    """Row and number: for each row the numbers from its first to before its end."""
    counts = end - first
    row = np.repeat(np.arange(len(first)), counts)
    return row, np.arange(len(row)) + (first - np.cumsum(counts) + counts)[row]
