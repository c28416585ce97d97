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
from citybrain.apps.traffic.detect.symptoms import Look
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


class _Sums(msgspec.Struct):
    """Of one junction since the window began."""

    seconds: float = 0.0
    vehicles: float = 0.0
    covered_s: float = 0.0
    heard_s: float = 0.0
    samples: int = 0
    queued: float = 0.0
    most: float = 0.0


class Loops:
    """Adds up what loops report at every junction. `ids` are the detectors in the order of looks."""

    def __init__(self, junctions: Sequence[Junction], ids: Sequence[str]) -> None:
        place_of = {name: place for place, name in enumerate(ids)}
        self._lanes = [[lane.detector_id for lane in one.approaches] for one in junctions]
        self._places = [np.array([place_of[lane] for lane in lanes], dtype=np.int64) for lanes in self._lanes]
        self._sums = [_Sums() for _ in junctions]
        self._ended: list[deque[LoopWindow]] = [deque(maxlen=KEPT) for _ in junctions]
        self._window = 0
        self._sampled = -1

    def step(self, look: Look | None, tracks: Tracks, now_s: float) -> None:
        """One second. Where detectors tell places, nothing is added up: there the comparison says more."""
        if look is None or not look.by_loops:
            return
        self._turn(now_s)
        sample = int(now_s // SAMPLE_S)
        is_sample, self._sampled = sample != self._sampled, sample
        for lanes, places, sums in zip(self._lanes, self._places, self._sums, strict=True):
            occupancy = look.occupancy[places]
            heard = ~np.isnan(occupancy)
            sums.seconds += look.seconds
            sums.vehicles += float(np.nansum(look.count[places]))
            sums.covered_s += float(occupancy[heard].sum()) * look.seconds
            sums.heard_s += float(heard.sum()) * look.seconds
            if is_sample:
                queue = sum(_standing(tracks, lane) for lane in lanes)
                sums.samples += 1
                sums.queued += queue
                sums.most = max(sums.most, queue)

    def report(self, number: int) -> LoopReport | None:
        """Of one junction, by its place; None where no loops reported."""
        if not self._sums[number].seconds and not self._ended[number]:
            return None
        return LoopReport(now=self._of(number), windows=tuple(reversed(self._ended[number])))

    def _turn(self, now_s: float) -> None:
        window = int(now_s // WINDOW_S)
        if window == self._window:
            return
        for number, sums in enumerate(self._sums):
            if self._window and sums.seconds:
                self._ended[number].append(self._of(number))
        self._sums = [_Sums() for _ in self._sums]
        self._window = window

    def _of(self, number: int) -> LoopWindow:
        sums = self._sums[number]
        return LoopWindow(
            begins_at=datetime.fromtimestamp(self._window * WINDOW_S, tz=UTC),
            seconds=round(sums.seconds),
            vehicles=round(sums.vehicles, 1),
            occupancy=round(sums.covered_s / sums.heard_s, 3) if sums.heard_s else None,
            queue=round(sums.queued / sums.samples, 1) if sums.samples else None,
            queue_most=round(sums.most, 1),
        )


def _standing(tracks: Tracks, lane: str) -> float:
    return sum(float(row[3]) for row in tracks[lane] if row[0] >= 0.0 and row[1] < STANDING_MPS)
