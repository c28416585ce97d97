# SPDX-License-Identifier: Apache-2.0
"""What loops alone can tell of a junction: who passed, how long they were covered, and an estimate of who waits.

Nothing is compared there: a comparison needs to know where vehicles are, and loops do not.
"""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from citybrain.apps.traffic.choice.mind import Tracks
from citybrain.apps.traffic.choice.worth import STANDING_MPS
from citybrain.apps.traffic.detect.symptoms import Look, Mask
from citybrain.apps.traffic.index import Numbers
from citybrain.apps.traffic.model import Junction

WINDOW_S = 900
SAMPLE_S = 5
"""Queues are estimated for the report so often: a queue of a cycle has a dozen samples."""

KEPT = 96
"""Quarters of an hour: a day, in memory."""


class LoopWindow(msgspec.Struct, frozen=True, kw_only=True):
    """One junction in one quarter of an hour, by its loops. `vehicles` passed the stop lines; `occupancy` is the share
    of time in which a loop there was covered. `queue` (mean) and `queue_most` are vehicles over all approaches by the
    virtual queue between the loops: an estimate, and no measurement."""

    begins_at: datetime
    seconds: int
    vehicles: float
    occupancy: float | None
    queue: float | None
    queue_most: float


class LoopReport(msgspec.Struct, frozen=True, kw_only=True):
    """The window that runs, and those that ended, the newest first. `is_estimate` says what the queues are."""

    now: LoopWindow
    windows: Sequence[LoopWindow]
    is_estimate: bool = True


class _Sums:
    """Of each junction since the window began; times and samples are the same for all."""

    def __init__(self, junctions: int) -> None:
        self.seconds = 0.0
        self.samples = 0
        self.vehicles, self.covered_s, self.heard_s, self.queued, self.most = np.zeros((5, junctions))


class Loops:
    """Adds up what loops report at every junction. `ids` are the detectors in the order of looks."""

    def __init__(self, junctions: Sequence[Junction], ids: Sequence[str]) -> None:
        place_of = {name: place for place, name in enumerate(ids)}
        lanes = [(number, lane.detector_id) for number, one in enumerate(junctions) for lane in one.approaches]
        self._lanes = [lane for _, lane in lanes]
        self._junction = np.array([number for number, _ in lanes], dtype=np.int64)
        self._place = np.array([place_of[lane] for lane in self._lanes], dtype=np.int64)
        self._sums = _Sums(len(junctions))
        self._ended: list[deque[LoopWindow]] = [deque(maxlen=KEPT) for _ in junctions]
        self._window = 0
        self._sampled = -1

    def step(self, look: Look | None, tracks: Tracks, now_s: float) -> None:
        """One second. Where detectors tell places, nothing is added up: there the comparison says more."""
        if look is None or not look.by_loops:
            return
        self._turn(now_s)
        occupancy, sums = look.occupancy[self._place], self._sums
        sums.seconds += look.seconds
        sums.vehicles += self._by_junction(np.nan_to_num(look.count[self._place]))
        sums.covered_s += self._by_junction(np.nan_to_num(occupancy)) * look.seconds
        sums.heard_s += self._by_junction(~np.isnan(occupancy)) * look.seconds
        sample = int(now_s // SAMPLE_S)
        if sample != self._sampled:
            self._sampled = sample
            queued = self._by_junction(np.array([_standing(tracks, lane) for lane in self._lanes]))
            sums.samples += 1
            sums.queued += queued
            sums.most = np.maximum(sums.most, queued)

    def report(self, number: int) -> LoopReport | None:
        """Of one junction, by its place; None where no loops reported."""
        if not self._sums.seconds and not self._ended[number]:
            return None
        return LoopReport(now=self._of(number), windows=tuple(reversed(self._ended[number])))

    def _by_junction(self, of_lanes: Numbers | Mask) -> Numbers:
        return np.bincount(self._junction, of_lanes, len(self._ended)).astype(np.float64)

    def _turn(self, now_s: float) -> None:
        window = int(now_s // WINDOW_S)
        if window == self._window:
            return
        if self._window and self._sums.seconds:
            for number, ended in enumerate(self._ended):
                ended.append(self._of(number))
        self._sums = _Sums(len(self._ended))
        self._window = window

    def _of(self, number: int) -> LoopWindow:
        sums = self._sums
        heard_s = float(sums.heard_s[number])
        return LoopWindow(
            begins_at=datetime.fromtimestamp(self._window * WINDOW_S, tz=UTC),
            seconds=round(sums.seconds),
            vehicles=round(float(sums.vehicles[number]), 1),
            occupancy=round(float(sums.covered_s[number]) / heard_s, 3) if heard_s else None,
            queue=round(float(sums.queued[number]) / sums.samples, 1) if sums.samples else None,
            queue_most=round(float(sums.most[number]), 1),
        )


def _standing(tracks: Tracks, lane: str) -> float:
    return sum(float(row[3]) for row in tracks[lane] if row[0] >= 0.0 and row[1] < STANDING_MPS)
