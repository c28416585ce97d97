# SPDX-License-Identifier: Apache-2.0
"""Noise above the limit of its zone at this hour."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from citybrain.apps.operations.detect.averaging import Averages
from citybrain.apps.operations.detect.roster import Lanes, Numbers, Roster, grown, number, union
from citybrain.apps.operations.detect.watching import Look, Said, levels
from citybrain.kernel.records import Batch, Entity

NOISE = "operations.noise_limit"

# Equivalent level in dB(A) by day (06:00 to 22:00) and by night (GB 3096-2008 table 1 and clause 3.5).
LIMITS: Mapping[str, tuple[float, float]] = {
    "0": (50.0, 40.0),
    "1": (55.0, 45.0),
    "2": (60.0, 50.0),
    "3": (65.0, 55.0),
    "4a": (70.0, 55.0),
    "4b": (70.0, 60.0),
}
USUAL_ZONE = "2"  # dwellings, shops and works mixed: what a zone is taken for that says nothing
NIGHT_FROM, NIGHT_UNTIL = 22, 6
ZONE_TIME = timedelta(hours=8)  # the standard is China's, and so is the clock
SUDDEN_DB = 15.0  # a single noise at night may pass the limit by no more (clause 5.4)
WINDOW_S = 600.0  # measured for ten minutes at least (annex B.3)
COVERED_S = 540.0
# Levels IV, III and II: above the limit, by 5 and by 10 dB, which sounds twice as loud (our convention).
OVER_DB = (0.0, 5.0, 10.0)
ENDS_AFTER_S = 600.0


class Noise:
    """NoiseLevelObserved (`LAeq`, `LAmax`), with the class of its zone in `noiseZone`. `averagedOver_s` says over how
    many seconds its levels are equivalent."""

    kind = NOISE
    ends_after_s = ENDS_AFTER_S
    lasts_silent = False

    def __init__(self) -> None:
        self._meters = Roster(("NoiseLevelObserved",), ("LAeq", "LAmax"))
        self._energy = Averages(WINDOW_S)
        self._limits = np.zeros((0, 2))
        self._averaged_s, self._level_db, self._limit_db, self._sudden_db = np.zeros((4, 0))

    @property
    def entities(self) -> Sequence[Entity]:
        """The meters by lane."""
        return self._meters.entities

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> Lanes:
        """Take meters in."""
        met, lost = self._meters.meet(entities, gone)
        size = len(self.entities)
        self._limits, self._averaged_s = grown(self._limits, size, np.nan), grown(self._averaged_s, size, np.nan)
        self._level_db, self._limit_db = grown(self._level_db, size, np.nan), grown(self._limit_db, size, np.nan)
        self._sudden_db = grown(self._sudden_db, size, np.nan)
        self._energy.grow(size)
        for lane in met.tolist():
            entity = self.entities[lane]
            self._limits[lane] = LIMITS.get(str(entity.attributes.get("noiseZone")), LIMITS[USUAL_ZONE])
            self._averaged_s[lane] = number(entity, "averagedOver_s")
        return lost

    def take(self, batch: Batch) -> Lanes:
        """Meters that reported."""
        found = self._meters.take(batch)
        heard = found.get("LAeq")
        if heard is not None:
            power: Numbers = 10 ** (self._meters.values["LAeq"][heard] / 10)
            self._energy.take(heard, batch.observed_at.timestamp(), power)
        lanes = union(found.values())
        self._sudden_db[lanes] = np.nan
        sudden = found.get("LAmax")
        if sudden is not None:
            self._sudden_db[sudden] = self._meters.values["LAmax"][sudden]
        return lanes

    def look(self, lanes: Lanes, at: datetime) -> Look:
        """The level of ten minutes against the limit of the hour; at night a single noise too."""
        night = is_night(at)
        limit = self._limits[lanes, int(night)]
        power, covers_s = self._energy.mean(lanes, at.timestamp(), self._averaged_s[lanes])
        known = (covers_s >= COVERED_S) & np.isfinite(power)
        db = np.where(known, 10 * np.log10(np.where(known, power, 1.0)), np.nan)
        self._level_db[lanes], self._limit_db[lanes] = db, limit
        level = levels(np.nextafter(db - limit, -np.inf), OVER_DB)
        if night:
            sudden = self._sudden_db[lanes] > limit + SUDDEN_DB
            level = np.maximum(level, sudden.astype(np.int8))
        return Look(level, level > 0)

    def said(self, lane: int, level: int) -> Said:
        """Level, limit and zone."""
        db, limit = float(self._level_db[lane]), float(self._limit_db[lane])
        is_mean = np.isfinite(db) and db > limit
        shown = db if is_mean else float(self._sudden_db[lane])
        facts = {"level_db": round(shown, 1), "limit_db": limit if is_mean else limit + SUDDEN_DB}
        zone = str(self.entities[lane].attributes.get("noiseZone") or USUAL_ZONE)
        return Said(
            code="operations.noise_limit_passed" if is_mean else "operations.noise_limit_sudden",
            facts={**facts, "zone": zone},
            evidence={**facts, "zone": zone},
        )


def is_night(at: datetime) -> bool:
    """Whether the limits of the night hold."""
    hour = (at + ZONE_TIME).hour
    return hour >= NIGHT_FROM or hour < NIGHT_UNTIL
