# SPDX-License-Identifier: Apache-2.0
"""The words and limits of anomalies: which streams are watched, and when a value is out of the ordinary. Pure."""

from collections.abc import Mapping
from enum import IntEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.records import Severity

Numbers = NDArray[np.float64]
Constant = float | Numbers
"""One number for all series, or one for each (only trials of the constants need that)."""

ANOMALY = "operations.anomaly"
HOUR_S, DAY_S, WEEK_S = 3600.0, 86_400.0, 604_800.0

WATCHED: tuple[tuple[str, str], ...] = (
    ("AirQualityObserved", "pm25"),
    ("AirQualityObserved", "no2"),
    ("NoiseLevelObserved", "LAeq"),
    ("WaterLevelObserved", "waterLevel"),
    ("FloodMonitoring", "currentLevel"),
    ("CrowdFlowObserved", "peopleCount"),
    ("WeatherObserved", "temperature"),
    ("ParkingGroup", "availableSpotNumber"),
    ("ThreePhaseAcMeasurement", "totalActivePower"),
)
"""Type and attribute of the streams that are watched. None is a fast column of a simulated city (speeds, queues, lamps
each second): those have detectors of their own, and the loop stays as cheap as it was."""

HURTS: Mapping[tuple[str, str], float] = {
    ("AirQualityObserved", "pm25"): 1,
    ("AirQualityObserved", "no2"): 1,
    ("NoiseLevelObserved", "LAeq"): 1,
    ("CrowdFlowObserved", "peopleCount"): 1,
    ("ParkingGroup", "availableSpotNumber"): -1,
}
"""Which side of a stream is news: clean air and a quiet street are none. What is not named here has two."""


class Sign(IntEnum):
    """Why an event opens. The number is what the detector keeps."""

    NONE = 0
    HIGH = 1
    LOW = 2
    LASTING_HIGH = 3
    LASTING_LOW = 4
    STUCK = 5


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """One set for all streams. Distances are in spreads (1.25 × mean absolute deviation, Huber 1981 section 1.1, so
    that one spread is one standard deviation of a normal stream), kept for the upper and the lower side apart."""

    far: Constant = 12.0  # opens when so far out and further than `again` × what was seen lately
    again: Constant = 0.9
    further: Constant = 4.0  # opens also when only so far out but further than `record` × what was seen lately
    record: Constant = 1.3
    forgets_s: Constant = 4 * DAY_S  # half-life of what was seen lately
    startles: Constant = 0.5  # what is further out than lately raises that by this share of the difference
    lasting: Constant = 6.0  # the same for the mean distance of the last `lasting_s`
    lasting_s: Constant = HOUR_S
    clip: Constant = 2.0  # values further out teach as if they were so far out
    level_s: Constant = 7 * DAY_S
    spread_s: Constant = 14 * DAY_S
    trust_profile: Constant = 10.0  # so many values in an hour of the day weigh as much as the level
    trust_spread: Constant = 10.0
    gap_s: Constant = 3 * HOUR_S  # a value after such a gap may lie √2 further out
    warm_s: Constant = DAY_S
    warm_values: Constant = 50.0
    quiet_s: Constant = HOUR_S  # near the expected for so long, and it is over
    adapts_s: Constant = DAY_S  # a level that lasted so long is the new one
    stuck_s: Constant = 6 * HOUR_S  # one exact value for so long in a stream that used to change
    hurts: Constant = 0.0  # which side is news: 1 the upper alone, -1 the lower alone, 0 both
    stuck_ratio: Constant = 30.0  # and for so many times its longest usual run


USUAL = Thresholds()

# Severity by the distance, in spreads, at its worst; an anomaly alone is never worse than III: it says "look here".
SEVERITIES: tuple[tuple[float, Severity], ...] = ((16.0, Severity.III), (0.0, Severity.IV))


def severity(distance: float) -> Severity:
    """The first row of the table that the distance reaches."""
    return next((row[1] for row in SEVERITIES if abs(distance) >= row[0]), Severity.IV)
