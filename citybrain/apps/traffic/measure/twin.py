# SPDX-License-Identifier: Apache-2.0
"""Lamps in the world that is not: a junction as the brain would drive it, or as its shipped plan would."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from citybrain.apps.traffic.choice.mind import Choice, Mind, Tracks, choose
from citybrain.apps.traffic.model import RANK, Junction, Track

CHANGING = "y"


class DrivenTwin:
    """A junction under the brain that does not act: what it would choose, with least greens and changes kept."""

    def __init__(self, junction: Junction, lamps: str, now_s: float) -> None:
        self._mind = Mind(junction)
        self._shown = junction.stages.index(lamps) if lamps in junction.stages else 0
        self._wanted = self._shown
        self._since_s = now_s
        self._changes_until_s = now_s if lamps in junction.stages else now_s + junction.change_s
        self._cuts = list(accumulate(len(stages[0]) for stages in junction.stages_of))
        self.lamps = lamps
        self.chose: tuple[Choice, Tracks] | None = None

    @property
    def mind(self) -> Mind:
        """What it remembers of its junction."""
        return self._mind

    def step(self, tracks: Tracks, now_s: float) -> str:
        """The lamps for the coming second."""
        junction = self._mind.junction
        start = 0
        for signal, end in zip(self._mind.signals, self._cuts, strict=True):
            signal.watch(self.lamps[start:end], now_s)
            start = end
        choice = choose(self._mind, tracks, now_s)
        if choice is not None:
            self._wanted = choice.stage
            self.chose = choice, tracks
        if now_s >= self._changes_until_s:
            if self.lamps != junction.stages[self._shown]:
                self.lamps, self._since_s = junction.stages[self._shown], now_s
            elif self._wanted != self._shown and now_s - self._since_s >= junction.min_green_s[self._shown]:
                self.lamps = between(self.lamps, junction.stages[self._wanted])
                self._shown, self._changes_until_s = self._wanted, now_s + junction.change_s
        return self.lamps


class PlannedTwin:
    """A junction under its shipped plan, from the first phase, each signal in its own cycle."""

    def __init__(self, plans: Sequence[Sequence[Mapping[str, Any]]]) -> None:
        self._states = [[str(phase["state"]) for phase in plan] for plan in plans]
        self._lasts_s = [[max(1.0, float(phase["duration_s"])) for phase in plan] for plan in plans]
        self._at = [0] * len(plans)
        self._until_s: list[float] = []
        self.lamps = "".join(states[0] for states in self._states)

    def step(self, now_s: float) -> str:
        """The lamps for the coming second."""
        if not self._until_s:
            self._until_s = [now_s + lasts_s[0] for lasts_s in self._lasts_s]
        if now_s < min(self._until_s):
            return self.lamps
        for number, until_s in enumerate(self._until_s):
            if now_s >= until_s:
                at = self._at[number] = (self._at[number] + 1) % len(self._states[number])
                self._until_s[number] = now_s + self._lasts_s[number][at]
        self.lamps = "".join(states[at] for states, at in zip(self._states, self._at, strict=True))
        return self.lamps


class TwinTracks(Tracks):
    """What the detectors of one junction would see: its approaches as modelled, its exits as they are."""

    def __init__(self, approaches: Mapping[str, Callable[[], list[Track]]], real: Tracks) -> None:
        super().__init__({})
        self._approaches = approaches
        self._real = real

    def __contains__(self, detector_id: str) -> bool:
        return detector_id in self._approaches or detector_id in self._real

    def __getitem__(self, detector_id: str) -> list[Track]:
        if detector_id not in self._approaches:
            return self._real[detector_id]
        if detector_id not in self._unpacked:
            self._unpacked[detector_id] = self._approaches[detector_id]()
        return self._unpacked[detector_id]


def between(was: str, will: str) -> str:
    """What is shown in a change: only what is green before and after stays so, in its lower priority."""
    pairs = zip(was, will, strict=True)
    return "".join(_in_change(one, other) for one, other in pairs)


def _in_change(was: str, will: str) -> str:
    if was in RANK:
        return min(was, will, key=lambda letter: RANK[letter]) if will in RANK else CHANGING
    return "r"
