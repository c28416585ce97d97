# SPDX-License-Identifier: Apache-2.0
"""Air that is worse than the hourly limits, or than a class of the air quality index."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from citybrain.apps.operations.detect.averaging import Averages
from citybrain.apps.operations.detect.roster import Lanes, Numbers, Roster, grown, number, union
from citybrain.apps.operations.detect.watching import Look, Said, levels, short
from citybrain.kernel.records import Batch, Entity, Json

AIR = "operations.air_limit"

HOUR_S = 3600.0
COVERED_S = 2700.0  # an hour's mean needs 45 minutes (GB 3095-2012 table 4)
# Limits of the hour's mean, class 2 (GB 3095-2012 tables 1 and 2): µg/m³, CO in mg/m³. None is set for particles.
LIMITS: Mapping[str, float] = {"so2": 500.0, "no2": 200.0, "co": 10.0, "o3": 200.0, "nox": 250.0}
# Individual index by concentration (HJ 633-2012 table 1). Gases: means of an hour, SO₂ above 800 has no hourly index.
# Particles have marks for the mean of 24 hours alone; as in the public hourly reports they are held against an hour's.
INDEX = (0.0, 50.0, 100.0, 150.0, 200.0, 300.0, 400.0, 500.0)
MARKS: Mapping[str, tuple[float, ...]] = {
    "so2": (0, 150, 500, 650, 800),
    "no2": (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    "co": (0, 5, 10, 35, 60, 90, 120, 150),
    "o3": (0, 160, 200, 300, 400, 800, 1000, 1200),
    "pm10": (0, 50, 150, 250, 350, 420, 500, 600),
    "pm25": (0, 35, 75, 115, 150, 250, 350, 500),
}
# Levels III … I: moderately, heavily, severely polluted (HJ 633-2012 table 2). A limit that is passed is IV at least.
CLASSES = (150.0, 200.0, 300.0)
POLLUTANTS = ("so2", "no2", "co", "o3", "nox", "pm10", "pm25")
ENDS_AFTER_S = 600.0


class Air:
    """AirQualityObserved, in the units above. `averagedOver_s` says over how many seconds its values are means."""

    kind = AIR
    ends_after_s = ENDS_AFTER_S
    lasts_silent = False

    def __init__(self) -> None:
        self._stations = Roster(("AirQualityObserved",), POLLUTANTS)
        self._averages = {name: Averages(HOUR_S) for name in POLLUTANTS}
        self._mean = {name: np.zeros(0) for name in POLLUTANTS}
        self._averaged_s = np.zeros(0)

    @property
    def entities(self) -> Sequence[Entity]:
        """The stations by lane."""
        return self._stations.entities

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> Lanes:
        """Take stations in."""
        met, lost = self._stations.meet(entities, gone)
        size = len(self.entities)
        self._averaged_s = grown(self._averaged_s, size, np.nan)
        for name, averages in self._averages.items():
            averages.grow(size)
            self._mean[name] = grown(self._mean[name], size, np.nan)
        for lane in met.tolist():
            self._averaged_s[lane] = number(self.entities[lane], "averagedOver_s")
        return lost

    def take(self, batch: Batch) -> Lanes:
        """Stations that reported."""
        at_s = batch.observed_at.timestamp()
        found = self._stations.take(batch)
        for name, lanes in found.items():
            self._averages[name].take(lanes, at_s, self._stations.values[name][lanes])
        return union(found.values())

    def look(self, lanes: Lanes, at: datetime) -> Look:
        """The worst of all pollutants."""
        level = np.zeros(len(lanes), np.int8)
        for name, averages in self._averages.items():
            mean, covers_s = averages.mean(lanes, at.timestamp(), self._averaged_s[lanes])
            self._mean[name][lanes] = np.where(covers_s >= COVERED_S, mean, np.nan)
            level = np.maximum(level, _level(name, self._mean[name][lanes]))
        return Look(level, level > 0)

    def said(self, lane: int, level: int) -> Said:
        """The pollutant with the highest index, or the one over its limit."""
        means = {name: float(mean[lane]) for name, mean in self._mean.items() if np.isfinite(mean[lane])}
        worst = max(means, key=lambda name: (int(_level(name, np.array([means[name]]))[0]), _index_of(name, means)))
        facts: dict[str, Json] = {"pollutant": worst, "mean": short(means[worst])}
        evidence = {"hour_means": {name: short(mean) for name, mean in means.items()}}
        if level == 1:
            return Said(code="operations.air_limit_passed", facts={**facts, "limit": LIMITS[worst]}, evidence=evidence)
        facts["index"] = round(_index_of(worst, means))
        return Said(code="operations.air_limit_index", facts=facts, evidence=evidence)


def index(name: str, mean: Numbers) -> Numbers:
    """The individual air quality index of an hour's mean; 0 of what has none."""
    marks = MARKS.get(name)
    return np.interp(mean, marks, INDEX[: len(marks)]) if marks else np.zeros(len(mean))


def _index_of(name: str, means: Mapping[str, float]) -> float:
    return float(index(name, np.array([means[name]]))[0])


def _level(name: str, mean: Numbers) -> np.ndarray:
    over = np.where(mean > LIMITS.get(name, np.inf), 1, 0)
    by_class = levels(np.nextafter(index(name, mean), -np.inf), CLASSES)
    return np.where(np.isfinite(mean), np.where(by_class > 0, by_class + 1, over), 0).astype(np.int8)
