# SPDX-License-Identifier: Apache-2.0
"""Sensors as they are: vehicles they miss, places that are wrong, and detectors that are dead or lie for a while."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.doors.sumo.options import Fault, Options

SPEED_NOISE_PER_M = 0.05
"""A device that is wrong by 1 m in place is wrong by 5 % in speed."""

JUMPING_TRACKS = 12
"""A detector that jumps shows up to so many vehicles at once,"""

JUMPING_MPS = 40.0
"""and none faster than this."""

JUMPING_COUNT = 5
"""A loop that chatters counts up to so many in a second."""

CLAIMED_COUNT = 12.0
"""A detector that contradicts itself counts so many more than it shows, a loop one per second."""

NOBODY: NDArray[np.float64] = np.empty((0, 4))

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Spell(msgspec.Struct, kw_only=True):
    """One fault with the detectors it befalls; frozen ones keep what they last reported."""

    fault: Fault
    places: Mask
    tracks: dict[tuple[str, int], Numbers] = {}
    figures: dict[str, Numbers] = {}

    def is_on(self, passed_s: float) -> bool:
        on = self.fault.from_s <= passed_s < self.fault.until_s
        if not on:
            self.tracks, self.figures = {}, {}
        return on


class Faults:
    """All that is wrong with the detectors `names` of one run. Equal seeds give equal faults."""

    def __init__(self, options: Options, seed: int, names: Sequence[str], ranges_m: Numbers) -> None:
        self._rng = np.random.default_rng([seed, 5])
        self._options = options
        self._ranges_m = ranges_m
        self._dead = self._rng.random(len(names)) < options.dead
        self._spells = [Spell(fault=fault, places=self._places(fault, names)) for fault in options.faults]

    def silent(self, passed_s: float) -> Mask:
        """The detectors that report nothing now."""
        silent = self._dead.copy()
        for spell in self._on("dark", passed_s):
            silent |= spell.places
        return silent

    def tracks(self, seen: Sequence[Numbers], passed_s: float, to: str = "centre") -> list[Numbers]:
        """What the detectors say they see; those that lie say something else, frozen ones the same as before."""
        told = list(seen)
        for spell in self._spells:
            if not spell.is_on(passed_s):
                continue
            for place in spell.places.nonzero()[0].tolist():
                if spell.fault.kind == "frozen":
                    told[place] = spell.tracks.setdefault((to, place), told[place])
                elif spell.fault.kind == "jumping":
                    told[place] = self._jumping(self._ranges_m[place])
                else:
                    told[place] = NOBODY
        return told

    def figures(self, told: Mapping[str, Numbers], passed_s: float, *, loops: bool) -> dict[str, Numbers]:
        """The figures with what the lying detectors make of them; NaN for those that report nothing.

        Figures of tracks follow from the tracks, which lie already; those of loops have to be made to lie here.
        """
        # An empty count of numpy is one of whole numbers, which cannot be unknown.
        figures = {name: np.array(values, dtype=np.float64) for name, values in told.items()}
        for spell in self._on("contradictory", passed_s):
            for name in figures:
                claimed = (1.0 if loops else CLAIMED_COUNT) if name.endswith("Count") else 0.0
                figures[name][spell.places] = claimed
        for spell in self._on("frozen", passed_s) if loops else ():
            for name in figures:
                kept = spell.figures.setdefault(name, figures[name])
                figures[name][spell.places] = kept[spell.places]
        for spell in self._on("jumping", passed_s) if loops else ():
            for name in figures:
                whole = name.endswith("Count")
                drawn = self._rng.integers(0, JUMPING_COUNT + 1, len(spell.places)) if whole else None
                values = drawn if drawn is not None else self._rng.random(len(spell.places))
                figures[name][spell.places] = values[spell.places]
        silent = self.silent(passed_s)
        for values in figures.values():
            values[silent] = np.nan
        return figures

    def blurred(self, told: Sequence[Numbers]) -> list[Numbers]:
        """The tracks with the noise of the device, again nearest first. Who stands is seen to stand."""
        if not self._options.noise_m or not told:
            return list(told)
        table = np.concatenate(told)
        place = np.repeat(np.arange(len(told)), [len(one) for one in told])
        table[:, 0] += self._rng.normal(0.0, self._options.noise_m, len(table))
        spread = SPEED_NOISE_PER_M * self._options.noise_m
        table[:, 1] *= np.maximum(self._rng.normal(1.0, spread, len(table)), 0.1)
        order = np.lexsort((table[:, 0], place))
        table = table[order]
        bounds = np.searchsorted(place[order], np.arange(len(told) + 1)).tolist()
        return [table[bounds[at] : bounds[at + 1]] for at in range(len(told))]

    def _on(self, kind: str, passed_s: float) -> list[Spell]:
        return [spell for spell in self._spells if spell.fault.kind == kind and spell.is_on(passed_s)]

    def _places(self, fault: Fault, names: Sequence[str]) -> Mask:
        drawn = self._rng.random(len(names)) < fault.share
        return drawn | np.array([name == fault.detector for name in names], dtype=np.bool_)

    def _jumping(self, range_m: float) -> Numbers:
        count = int(self._rng.integers(0, JUMPING_TRACKS + 1))
        rows = np.zeros((count, 4))
        rows[:, 0] = np.sort(self._rng.uniform(0.0, range_m, count))
        rows[:, 1] = self._rng.uniform(0.0, JUMPING_MPS, count)
        rows[:, 3] = 1.0
        return rows


def missed(share: float, seed: int) -> Callable[[str], bool] | None:
    """Whether a vehicle is one that no sensor ever sees: by its name and the seed. None when all are seen."""
    if not share:
        return None
    known: dict[str, bool] = {}

    def is_missed(vehicle: str) -> bool:
        if vehicle not in known:
            digest = blake2b(f"{seed} {vehicle}".encode(), digest_size=8).digest()
            known[vehicle] = int.from_bytes(digest, "big") < share * 2**64
        return known[vehicle]

    return is_missed
