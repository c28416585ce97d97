# SPDX-License-Identifier: Apache-2.0
"""What the controller remembers of a junction, and the choice of its next stage."""

from collections.abc import Mapping, Sequence
from math import inf

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.choice.worth import STANDING_MPS, View, Worth, room, served, worth
from citybrain.apps.traffic.model import RANK, Junction, Track, Way, worth_trying

DECIDE_EVERY_S = 5.0
"""A junction thinks every second once its least green is over; a choice to stay it says again only so often."""

STAY = 1.5
"""A change must promise half as much again as staying, or a junction that thinks every second is restless (m)."""

SPILLED_S = 2.0
"""A tail that stands in the box of the signal behind for so long is a spill-back."""

TAIL_M = 5.0
"""A vehicle that stands nearer to the exit's start than its own length has its tail in the box."""


class Tracks:
    """The tracks of a batch by detector, unpacked when they are asked for."""

    def __init__(self, arrays: Mapping[str, NDArray[np.float64]]) -> None:
        self._arrays = arrays
        self._unpacked: dict[str, list[Track]] = {}

    def __contains__(self, detector_id: str) -> bool:
        return detector_id in self._arrays

    def __getitem__(self, detector_id: str) -> list[Track]:
        if detector_id not in self._unpacked:
            self._unpacked[detector_id] = self._arrays[detector_id].tolist()
        return self._unpacked[detector_id]


class Signal:
    """What the controller remembers of one signal: the stage shown, since when, and since when each lamp is green."""

    def __init__(self, stages: Sequence[str]) -> None:
        self._stages = stages
        self.lamps = "r" * len(stages[0])
        self.since_s = -inf
        self.asked_again_s = -inf
        self._seen_s = -inf
        self._green_since_s = [0.0] * len(self.lamps)

    @property
    def stage(self) -> int | None:
        """The stage that is green; None in a change."""
        return self._stages.index(self.lamps) if self.lamps in self._stages else None

    def watch(self, lamps: str, now_s: float) -> None:
        """Note what turned green: since the batch before, for this one tells what was shown until now."""
        since_s = self._seen_s if self._seen_s > -inf else now_s
        self._seen_s = now_s
        if lamps == self.lamps:
            return
        for lamp, (was, now) in enumerate(zip(self.lamps, lamps, strict=True)):
            if now in RANK and was not in RANK:
                self._green_since_s[lamp] = since_s
        self.lamps, self.since_s = lamps, since_s

    def green_s(self, now_s: float) -> list[float]:
        """Seconds of green per lamp, at least one; 0 for a lamp that is not green."""
        return [
            max(now_s - since_s, 1.0) if letter in RANK else 0.0
            for letter, since_s in zip(self.lamps, self._green_since_s, strict=True)
        ]


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a junction should show next and why; `values` are those of all stages that were weighed."""

    stage: int
    code: str
    chosen: Worth
    current: Worth
    values: Mapping[int, float] = {}


class Mind:
    """One junction with its signals and all that can be worked out beforehand."""

    def __init__(self, junction: Junction) -> None:
        self.junction = junction
        self.signals = [Signal(stages) for stages in junction.stages_of]
        self.served = served(junction)
        self.candidates = worth_trying(junction.stages)
        self.flushing = flushing(junction)

    @property
    def stage(self) -> int | None:
        """The joint stage that is shown; None in a change, and for signals that do not fit together."""
        shown = tuple(-1 if signal.stage is None else signal.stage for signal in self.signals)
        return self.junction.orders.index(shown) if shown in self.junction.orders else None

    @property
    def is_changing(self) -> bool:
        return any(signal.stage is None for signal in self.signals)


def flushing(junction: Junction) -> Mapping[int, tuple[int, ...]]:
    """For each short inner lane (by approach number) the stages that empty it best and fill the fewest others."""
    found = {}
    inner_exits = {exit_ for _, exit_ in junction.inner}
    for approach, _ in junction.inner:
        marks = {}
        for number, stage in enumerate(junction.stages):
            ranks = [RANK.get(stage[way.lamp], 0) for way in junction.ways if way.approach == approach]
            fed = len({way.exit for way in junction.ways if stage[way.lamp] in RANK} & inner_exits)
            marks[number] = (-min(ranks), fed)
        best = min(marks.values())
        found[approach] = tuple(number for number, mark in marks.items() if mark == best)
    return found


def stands(tracks: Sequence[Track], before_m: float) -> bool:
    """Someone has stood for a moment nearer than this: 0 is the end of the box, at `TAIL_M` the tail is still in it."""
    return any(
        distance_m < before_m and speed_mps < STANDING_MPS and waiting_s >= SPILLED_S
        for distance_m, speed_mps, waiting_s, _ in tracks
    )


def _allowed(mind: Mind, tracks: Tracks) -> Sequence[int]:
    """The stages to weigh: all, those that leave no short lane stuck, or those that empty one that spilled back."""
    junction = mind.junction
    full = [approach for approach, exit_ in junction.inner if stands(tracks[junction.exits[exit_].detector_id], TAIL_M)]
    if full:
        return min((mind.flushing[approach] for approach in full), key=len)
    allowed = [stage for stage in mind.candidates if may_show(junction, stage, tracks)] or mind.candidates
    held = held_up(junction, tracks)
    return [stage for stage in allowed if not _runs_into(junction, stage, held)] or allowed


def held_up(junction: Junction, tracks: Tracks) -> list[Way]:
    """Ways on which somebody stands in the box because his exit is full."""
    full = {
        number
        for number, lane in enumerate(junction.exits)
        if stands(tracks[lane.detector_id], 0.0) and room(tracks[lane.detector_id]) < 1.0
    }
    return [
        way
        for way in junction.ways
        if way.exit in full and stands(tracks[junction.approaches[way.approach].detector_id], 0.0)
    ]


def _runs_into(junction: Junction, stage: int, held: Sequence[Way]) -> bool:
    """The stage lets others drive at one who stands in the box and has no green himself."""
    lamps = junction.stages[stage]
    return any(
        lamps[way.lamp] not in RANK and any(lamps[junction.ways[other].lamp] in RANK for other in way.crosses)
        for way in held
    )


def may_show(junction: Junction, stage: int, tracks: Tracks) -> bool:
    """Nobody is on, or on the way to, a short lane that must be empty in this stage."""
    lanes = [junction.exits[exit_] for exit_ in junction.only_empty[stage]] if junction.only_empty else []
    return not any(track[0] <= lane.length_m for lane in lanes for track in tracks[lane.detector_id][:1])


def choose(mind: Mind, tracks: Tracks, now_s: float) -> Choice | None:
    """The stage for now; None while a signal changes or is in its least green, and mostly while it stays."""
    if mind.is_changing:
        return None
    current = mind.stage
    least_s = 0.0 if current is None else mind.junction.min_green_s[current]
    over_s = now_s - max(signal.since_s for signal in mind.signals) - least_s
    if over_s < 0.0:
        return None
    candidates = _allowed(mind, tracks)
    choice = _best(mind, candidates, current, _view(mind, tracks, now_s))
    is_due = over_s % DECIDE_EVERY_S < 1.0
    return choice if is_due or choice.stage != current else None


def _view(mind: Mind, tracks: Tracks, now_s: float) -> View:
    return View(
        approaches=[tracks[lane.detector_id] for lane in mind.junction.approaches],
        room=[room(tracks[lane.detector_id]) for lane in mind.junction.exits],
        green_s=[green_s for signal in mind.signals for green_s in signal.green_s(now_s)],
    )


def _best(mind: Mind, candidates: Sequence[int], current: int | None, view: View) -> Choice:
    """The candidate of highest value; the current stage has a bonus and wins a tie."""
    weighed = {stage: worth(mind.junction, mind.served[stage], view) for stage in candidates}
    stays = Worth()
    if current is not None:
        stays = weighed.get(current) or worth(mind.junction, mind.served[current], view)
    values = {stage: one.rate * (STAY if stage == current else 1.0) + one.extra for stage, one in weighed.items()}
    best = max(values, key=lambda stage: (values[stage], stage == current))
    may_stay = current not in mind.candidates or current in candidates
    code = _code(best == current, weighed[best], stays) if may_stay else "traffic.stage_frees_short_lane"
    return Choice(stage=best, code=code, chosen=weighed[best], current=stays, values=values)


def _code(is_current: bool, chosen: Worth, stays: Worth) -> str:
    if is_current:
        return "traffic.stage_still_passes_most"
    if chosen.extra > stays.extra:
        return "traffic.stage_waited_too_long"
    if stays.full_exits and not stays.rate:
        return "traffic.stage_has_full_exits"
    return "traffic.stage_passes_more"
