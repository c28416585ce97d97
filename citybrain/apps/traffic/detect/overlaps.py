# SPDX-License-Identifier: Apache-2.0
"""Two detectors that watch the same stretch, such as the way through the box, see the same vehicles there.

Looks for detectors that see nobody at all while others see `UNSEEN` vehicles drive where only they, too, must see them.
One that froze while its lane was empty is found so by the first vehicles. Evidence is by vehicle: places are those of
`watches`, so that of an approach's vehicle in the box each exit it may be going to is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

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


class Cell(msgspec.Struct, frozen=True):
    """A stretch of a lane as one detector sees it: `distance = metres + sign * offset`, offsets from `from_m` on."""

    place: int
    metres: float
    sign: float
    from_m: float
    until_m: float


class Overlaps:
    """Counts, for each detector, the vehicles that others have seen where it must see them since it last saw any.

    `vouched` are those whose neighbours look, too, and miss nobody: they rightly see nobody.
    """

    def __init__(self, entities: Sequence[Entity], places: Places) -> None:
        size = len(places.entities)
        stretches = list(_stretches(_cells(entities, places)))
        self._begins = np.array([place * APART_M + from_m for place, from_m, _, _ in stretches], dtype=np.float64)
        self._ends = np.array([place * APART_M + until_m for place, _, until_m, _ in stretches], dtype=np.float64)
        order = np.argsort(self._begins, kind="stable")
        self._begins, self._ends = self._begins[order], self._ends[order]
        asked = [stretches[at][3] for at in order.tolist()]
        lengths = np.array([len(each) for each in asked], dtype=np.int64)
        self._first = np.concatenate(([0], np.cumsum(lengths)))
        table = np.array([row for each in asked for row in each], dtype=np.float64).reshape(-1, 3)
        self._other, self._sign, self._metres = table[:, 0].astype(np.int64), table[:, 1], table[:, 2]
        witness = np.repeat((self._begins + APART_M / 2) // APART_M, lengths).astype(np.int64)
        pairs = np.unique(np.column_stack((witness, self._other)), axis=0)
        self._witness, self._asked = pairs[:, 0], pairs[:, 1]
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
        counts = self._first[at + 1] - self._first[at]
        row = np.repeat(np.arange(len(rows)), counts)
        asked = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + self._first[at][row]
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


def _cells(entities: Sequence[Entity], places: Places) -> Mapping[str, list[Cell]]:
    """The stretches of each lane by who watches them."""
    length_m = {
        str(one.attributes.get("lane")): float(one.attributes["length"])
        for one in entities
        if one.type == LANE and "length" in one.attributes
    }
    box = _box(places, length_m)
    found: dict[str, list[Cell]] = {}
    for place, one in enumerate(places.entities):
        reach_m = float(one.attributes.get("coverage_m") or 0.0)
        for lane, metres, sign, _ in one.attributes.get("watches") or ():
            known = length_m.get(lane, box.get(lane))
            until_m = UNKNOWN_M if known is None else known
            sure_m = reach_m - MARGIN_M
            ends = (0.0, sure_m - metres) if sign > 0 else (metres - sure_m, until_m)
            from_m, until_m = max(0.0, ends[0]), min(until_m, ends[1])
            if until_m > from_m:
                # Where a lane ends is not known: one may be on it, and nobody can be asked.
                found.setdefault(lane if known is not None else f"{lane} {place}", []).append(
                    Cell(place, metres, sign, from_m, until_m)
                )
    return found


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


def _stretches(cells: Mapping[str, list[Cell]]) -> Iterator[tuple[int, float, float, list[tuple[float, float, float]]]]:
    """Detector, from and until which distance, and whom to ask: detector, sign and metres of the place in its sight.

    Only where for each lane on which a vehicle may be there is somebody to ask.
    """
    own: dict[int, list[tuple[str, Cell]]] = {}
    for lane, each in cells.items():
        for cell in each:
            own.setdefault(cell.place, []).append((lane, cell))
    for place, mine in own.items():
        for low, high in pairwise(sorted(_bounds(mine, cells))):
            asked = _asked(place, 0.5 * (low + high), mine, cells) if high - low > LEAST_M else []
            if asked:
                yield place, low, high, asked


def _bounds(mine: Sequence[tuple[str, Cell]], cells: Mapping[str, list[Cell]]) -> set[float]:
    """The distances at which it changes who can be asked."""
    return {
        cell.metres + cell.sign * (end + off_m)
        for lane, cell in mine
        for other in cells[lane]
        for end in (other.from_m, other.until_m)
        for off_m in (-MARGIN_M, 0.0, MARGIN_M)
    }


def _asked(
    place: int, middle_m: float, mine: Sequence[tuple[str, Cell]], cells: Mapping[str, list[Cell]]
) -> list[tuple[float, float, float]]:
    """Whom to ask of one who is seen there: on each lane where he may really be, `MARGIN_M` off."""
    found = []
    for lane, cell in mine:
        offset_m = (middle_m - cell.metres) * cell.sign
        if not cell.from_m - MARGIN_M <= offset_m <= cell.until_m + MARGIN_M:
            continue
        offset_m = min(max(offset_m, cell.from_m), cell.until_m)
        others = [one for one in cells[lane] if one.place != place and one.from_m <= offset_m <= one.until_m]
        if not others:
            return []
        for one in others:
            sign = one.sign * cell.sign
            found.append((float(one.place), sign, one.metres - sign * cell.metres))
    return found
