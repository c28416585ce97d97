# SPDX-License-Identifier: Apache-2.0
"""Devices that fell silent: nothing came for several times as long as usual."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from citybrain.apps.operations.detect.roster import NO_LANES, Lanes, Roster, grown, union
from citybrain.apps.operations.detect.watching import Look, Said
from citybrain.kernel.records import Batch, Entity

OFFLINE = "operations.device_offline"

# Three reports missed: so routers take a peer for dead (RFC 5798 section 6.1: 3 × the interval).
MISSED = 3.0
# Who reports irregularly is silent for longer: half as long again as its longest silence of late. Our convention.
LONGEST = 1.5
FADES = 0.95  # the longest silence of late fades by this with each report
LEARNS = 0.05
FEWEST_GAPS = 3
SHORTEST_S = 120.0  # below this a network hiccup looks like a dead device; our convention
UNKNOWN_S = 86_400.0  # silent for so long after the start though its interval was never learned
LONG_S = 86_400.0  # a device that was silent for a day is level III
LOOK_EVERY_S = 10.0


class Offline:
    """Things of the types that are watched, whatever they measure."""

    kind = OFFLINE
    ends_after_s = 0.0
    lasts_silent = True

    def __init__(self, senses: Mapping[str, Sequence[str]]) -> None:
        self._devices = Roster(senses, sorted({name for names in senses.values() for name in names}))
        self._gap_s, self._longest_s, self._gaps, self._last_s = np.zeros((4, 0))
        self._looked_s = -np.inf

    @property
    def entities(self) -> Sequence[Entity]:
        """The devices by lane."""
        return self._devices.entities

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> Lanes:
        """Take devices in."""
        _, lost = self._devices.meet(entities, gone)
        size = len(self.entities)
        self._gap_s, self._longest_s = grown(self._gap_s, size, 0.0), grown(self._longest_s, size, 0.0)
        self._gaps, self._last_s = grown(self._gaps, size, 0.0), grown(self._last_s, size, np.nan)
        return lost

    def take(self, batch: Batch) -> Lanes:
        """Who was heard, and from time to time everybody else."""
        at_s = batch.observed_at.timestamp()
        known = self._devices.known
        self._last_s[known] = np.where(np.isnan(self._last_s[known]), at_s, self._last_s[known])
        heard = union(self._devices.take(batch).values())
        if len(heard):
            self._hear(heard, at_s)
        if at_s - self._looked_s < LOOK_EVERY_S:
            return heard
        self._looked_s = at_s
        return known if len(known) else NO_LANES

    def look(self, lanes: Lanes, at: datetime) -> Look:
        """Silent for longer than its limit."""
        silent_s = at.timestamp() - self._last_s[lanes]
        limit_s = self._limit_s(lanes)
        level = np.where(silent_s > np.maximum(limit_s, LONG_S), 2, np.where(silent_s > limit_s, 1, 0)).astype(np.int8)
        return Look(level, level > 0)

    def said(self, lane: int, level: int) -> Said:
        """Since when, and how often it used to report."""
        limit_s, usual_s = float(self._limit_s(np.array([lane]))[0]), float(self._gap_s[lane])
        facts = {"limit_minutes": _minutes(limit_s), "usual_minutes": _minutes(usual_s)}
        is_known = self._gaps[lane] >= FEWEST_GAPS
        return Said(
            code="operations.device_offline_silent" if is_known else "operations.device_offline_never",
            facts=facts if is_known else {"hours": round(UNKNOWN_S / 3600)},
            evidence={**facts, "heard_at_s": float(self._last_s[lane]), "type": self.entities[lane].type},
        )

    def _limit_s(self, lanes: Lanes) -> np.ndarray:
        known = np.maximum(np.maximum(MISSED * self._gap_s[lanes], LONGEST * self._longest_s[lanes]), SHORTEST_S)
        return np.where(self._gaps[lanes] >= FEWEST_GAPS, known, UNKNOWN_S)

    def _hear(self, lanes: Lanes, at_s: float) -> None:
        """Learn how often it reports; a silence that was an event teaches nothing."""
        gap = at_s - self._last_s[lanes]
        usual = (gap > 0) & ((gap <= self._limit_s(lanes)) | (self._gaps[lanes] < FEWEST_GAPS))
        teach, gap = lanes[usual], gap[usual]
        count = self._gaps[teach] + 1
        self._gap_s[teach] += np.maximum(1 / count, LEARNS) * (gap - self._gap_s[teach])
        self._longest_s[teach] = np.maximum(FADES * self._longest_s[teach], gap)
        self._gaps[teach] = count
        self._last_s[lanes] = at_s


def _minutes(seconds: float) -> float:
    return round(seconds / 60, 1)
