# SPDX-License-Identifier: Apache-2.0
"""Roads and waters that are flooded: depth by gauge, and rain beside it."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from citybrain.apps.operations.detect.roster import Lanes, Numbers, Roster, grown, number, union
from citybrain.apps.operations.detect.watching import Look, Said, short
from citybrain.kernel.geo import EARTH_RADIUS_M, centre
from citybrain.kernel.records import Batch, Entity

FLOOD = "operations.flood"

# Depth over the road in metres, levels IV … I. 0.15: GB 50014-2021 table 4.1.4 (at least one lane not deeper);
# 0.27: at which Beijing closes underpasses (下凹式立交桥 27 cm 断路); 0.40 and 0.50: still water in which large cars
# and then off-road cars begin to float (Shand, Cox, Blacka & Smith, Australian Rainfall and Runoff P10, 2011).
DEPTH_M = (0.15, 0.27, 0.40, 0.50)
# A gauge with marks of its own (FloodMonitoring): IV when it is near the alert level, III at it, II at the danger
# level, I this far above. Shares and height are our convention.
NEAR_ALERT = 0.9
ABOVE_DANGER_M = 0.5
# With a downpour, half the depth of level IV that still rises is an event: 20 mm in an hour is what China's weather
# service calls short-time heavy rain (短时强降水).
DOWNPOUR_MM_H = 20.0
RISING_DEPTH_M = 0.075
RAIN_WITHIN_M = 5000.0  # how far a rain gauge speaks for; our convention
RAIN_IS_KNOWN_S = 5400.0  # precipitation is told by the hour
CLEAR = 0.8  # over when below this share of the lowest limit
ENDS_AFTER_S = 600.0
NO_RAIN, UNKNOWN = -1, -2
AT_ONCE = 256

LEVELS = ("currentLevel", "waterLevel")


class Flood:
    """FloodMonitoring (`currentLevel`) and WaterLevelObserved (`waterLevel`), in metres over the road or over the
    gauge's own `referenceLevel`."""

    kind = FLOOD
    ends_after_s = ENDS_AFTER_S
    lasts_silent = True

    def __init__(self) -> None:
        self._gauges = Roster(("FloodMonitoring", "WaterLevelObserved"), LEVELS)
        self._rain = Roster(("WeatherObserved",), ("precipitation",))
        self._rain_at_s = np.full(0, -np.inf)
        self._limits, self._datum = np.zeros((0, 4)), np.zeros(0)
        self._has_marks = np.zeros(0, np.bool_)
        self._depth, self._before = np.zeros((2, 0))
        self._mm_h = np.zeros(0)
        self._stands: list[int] = []
        self._at_deg, self._rain_at_deg = np.zeros((2, 0, 2))
        self._nearest = np.zeros(0, np.intp)

    @property
    def entities(self) -> Sequence[Entity]:
        """The gauges by lane."""
        return self._gauges.entities

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> Lanes:
        """Take gauges and rain gauges in."""
        rains, _ = self._rain.meet(entities, gone)
        met, lost = self._gauges.meet(entities, gone)
        size = len(self._gauges.entities)
        self._limits, self._datum = grown(self._limits, size, np.nan), grown(self._datum, size, 0.0)
        self._has_marks = grown(self._has_marks, size, False)  # type: ignore[arg-type, assignment]
        self._depth, self._before = grown(self._depth, size, np.nan), grown(self._before, size, np.nan)
        self._mm_h = grown(self._mm_h, size, 0.0)
        self._rain_at_s = grown(self._rain_at_s, len(self._rain.entities), -np.inf)
        self._at_deg = grown(self._at_deg, size, np.nan)
        self._nearest = grown(self._nearest, size, UNKNOWN)  # type: ignore[arg-type, assignment]
        for lane in met.tolist():
            self._marks(lane, self._gauges.entities[lane])
            self._at_deg[lane] = _point(self._gauges.entities[lane])
            self._read(lane, self._gauges.entities[lane])
        if len(rains):
            self._rain_at_deg = np.array([_point(each) for each in self._rain.entities])
            self._nearest[:] = UNKNOWN
        self._nearest[met] = UNKNOWN
        return lost

    def take(self, batch: Batch) -> Lanes:
        """New rain is kept; new levels are looked at."""
        for lanes in self._rain.take(batch).values():
            self._rain_at_s[lanes] = batch.observed_at.timestamp()
        stands, self._stands = np.array(self._stands, np.intp), []
        found = self._gauges.take(batch)
        for name, lanes in found.items():
            self._before[lanes] = self._depth[lanes]
            self._depth[lanes] = self._gauges.values[name][lanes] - self._datum[lanes]
        return union([*found.values(), stands])

    def look(self, lanes: Lanes, at: datetime) -> Look:
        """By depth, and by rain while it rises."""
        depth, limits = self._depth[lanes], self._limits[lanes]
        level = (depth[:, None] >= limits).sum(axis=1).astype(np.int8)
        self._mm_h[lanes] = self._rain_of(lanes, at.timestamp())
        rises = (depth >= RISING_DEPTH_M) & (depth > self._before[lanes]) & (self._mm_h[lanes] >= DOWNPOUR_MM_H)
        level = np.maximum(level, np.where(rises & ~self._has_marks[lanes], 1, 0)).astype(np.int8)
        return Look(level, (level > 0) | (depth > CLEAR * limits[:, 0]))

    def said(self, lane: int, level: int) -> Said:
        """Depth, limit and rain."""
        depth, limits = float(self._depth[lane]), self._limits[lane]
        reached = float(limits[max(level - 1, 0)])
        rain = float(self._mm_h[lane])
        code = "operations.flood_rising" if depth < reached else "operations.flood_deep"
        facts = {"depth_m": short(depth), "limit_m": short(reached), "rain_mm_h": short(rain)}
        return Said(code=code, facts=facts, evidence={**facts, "limits_m": [short(each) for each in limits]})

    def _marks(self, lane: int, gauge: Entity) -> None:
        alert, danger = number(gauge, "alertLevel"), number(gauge, "dangerLevel")
        datum = number(gauge, "referenceLevel")
        has_marks = bool(np.isfinite(alert))
        self._has_marks[lane] = has_marks
        self._datum[lane] = 0.0 if has_marks or not np.isfinite(datum) else datum
        danger = danger if np.isfinite(danger) else np.inf
        own = (NEAR_ALERT * alert, alert, danger, danger + ABOVE_DANGER_M)
        self._limits[lane] = own if has_marks else DEPTH_M

    def _read(self, lane: int, gauge: Entity) -> None:
        """Water that stood there when the city began, or when the gauge came: a gauge may report only what changes."""
        level = next((value for name in LEVELS if isinstance(value := gauge.attributes.get(name), int | float)), None)
        if level is not None and np.isnan(self._depth[lane]):
            self._depth[lane] = level - self._datum[lane]
            self._stands.append(lane)

    def _rain_of(self, lanes: Lanes, at_s: float) -> Numbers:
        new = lanes[self._nearest[lanes] == UNKNOWN]
        for begin in range(0, len(new), AT_ONCE):
            self._nearest[new[begin : begin + AT_ONCE]] = self._find_rain(new[begin : begin + AT_ONCE])
        near = self._nearest[lanes]
        if not len(self._rain.known):
            return np.zeros(len(lanes))
        is_known = (near >= 0) & (at_s - self._rain_at_s[near] <= RAIN_IS_KNOWN_S)
        result: Numbers = np.where(is_known, self._rain.values["precipitation"][near], 0.0)
        return result

    def _find_rain(self, lanes: Lanes) -> Lanes:
        """The rain gauge that speaks for each lane; `NO_RAIN` where none is near."""
        known = self._rain.known
        if not len(known):
            return np.full(len(lanes), NO_RAIN)
        there, here = np.radians(self._rain_at_deg[known]), np.radians(self._at_deg[lanes])[:, None]
        x = (there[:, 0] - here[..., 0]) * np.cos(here[..., 1])
        distance_m = EARTH_RADIUS_M * np.hypot(x, there[:, 1] - here[..., 1])
        distance_m = np.where(np.isfinite(distance_m), distance_m, np.inf)
        nearest = distance_m.argmin(axis=1)
        is_near = distance_m[np.arange(len(lanes)), nearest] <= RAIN_WITHIN_M
        return np.where(is_near, known[nearest], NO_RAIN)


def _point(entity: Entity) -> tuple[float, float]:
    return centre(entity.geometry) or (np.nan, np.nan)
