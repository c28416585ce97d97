# SPDX-License-Identifier: Apache-2.0
"""Lanes on which nobody drives any more while the lanes beside them are used: something stands beyond the sight there.

Looks, where a detector's sight ends, at the lanes of one road that leave or come to the same junction: how many cross a
line near that end, by lane. A lane is deserted when the cumulative sum of the log-likelihood ratio of a tenth of its
learned share against that share (Page, Biometrika 41, 1954) says so, and goes beyond what signals, which serve one way
after the other, usually make of it. Constants are ours, chosen on injected stops. Evidence: the share that was learned,
how many have come since, and the place where sight ends.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from citybrain.apps.traffic.detect.ledger import Ledger, Said
from citybrain.apps.traffic.detect.persistence import Mask
from citybrain.apps.traffic.detect.stops import BLOCKED_LANE, OVER, point_on, severity
from citybrain.apps.traffic.detect.streets import Streets
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.index import Numbers
from citybrain.kernel.records import Batch, Event

LINE_M = 20.0
"""So far before the end of sight lies the line: who is to change the lane because of what he sees has done it."""

LEARNED_S = 1800.0
"""Time constant of what is learned of the lanes."""

LEARNING_S = 900.0
"""Before that nothing is told."""

LEAST = 12.0
"""Vehicles of a lane that must have been learned."""

LIKELIEST = 0.75
"""A lane that nearly everybody takes is not deserted as soon as three take another one."""

LEFT = 0.1
"""Of its share: whoever drives up to what stands there, and goes around it."""

SPREAD = 1.5
"""Vehicles of one platoon choose alike: evidence counts by so much less."""

ALARM = 16.0
"""Of the cumulative sum: the chance of one false alarm is about exp(-16) for each time it begins."""

USUAL = 1.5
USUAL_FADES = 0.9

QUIET_S = 45.0
"""One way after the other is served: so long since the lane was last used."""


class Deserted:
    """One event for each road with such a lane."""

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        size = len(streets.places.entities)
        ends = streets.coverage_m < streets.length_m
        self._line_m = streets.coverage_m - LINE_M
        names: dict[tuple[str, str, str], int] = {}
        self._group = np.full(size, -1, dtype=np.int64)
        for place, one in enumerate(streets.places.entities):
            road = streets.road_of(place)
            if road is not None and ends[place] and self._line_m[place] > 0.0:
                key = (str(one.attributes.get("controller")), str(one.attributes.get("role")), road.id)
                self._group[place] = names.setdefault(key, len(names))
        self._groups = len(names)
        self._known = self._group >= 0
        self._learned, self._sum, self._highest, self._usual, self._quiet_s, self._since = np.zeros((6, size))
        self._watched_s = 0.0
        self._is_told = np.zeros(size, dtype=np.bool_)
        self._ledger = Ledger()

    def watch(self, look: Look, blind: Mask) -> None:
        """Take in one second."""
        crossed = self._crossed(look)
        sees = look.heard & ~blind
        whole = self._of_group(~sees & self._known) == 0.0
        calm = self._of_group(self._sum > ALARM / 2) == 0.0
        total, came = self._of_group(self._learned), self._of_group(crossed)
        share = np.clip((self._learned - np.sqrt(self._learned)) / np.maximum(total, 1.0), 0.0, LIKELIEST)
        others = came - crossed
        step = (others * np.log((1.0 - LEFT * share) / (1.0 - share)) + crossed * np.log(LEFT)) / SPREAD
        self._watched_s += look.seconds
        tested = whole & self._known & (self._learned >= LEAST) & (self._watched_s >= LEARNING_S)
        self._sum = np.where(tested, np.clip(self._sum + step, 0.0, 2 * ALARM + USUAL * self._usual), 0.0)
        self._highest = np.maximum(self._highest, self._sum)
        over = (self._sum <= 0.0) & (self._highest > 0.0)
        usual = np.maximum(USUAL_FADES * self._usual, self._highest)
        self._usual = np.where(over & (self._highest < ALARM), usual, self._usual)
        self._highest = np.where(over, 0.0, self._highest)
        self._quiet_s = np.where(crossed > 0.0, 0.0, self._quiet_s + look.seconds)
        self._since = np.where(crossed > 0.0, 0.0, self._since + others)
        needed = np.maximum(ALARM, USUAL * self._usual)
        begins = (self._sum >= needed) & (self._quiet_s >= QUIET_S)
        self._is_told = (self._is_told | begins) & (self._sum > ALARM / 2)
        fades = np.where(calm & whole, np.exp(-look.seconds / LEARNED_S), 1.0)
        self._learned = self._learned * fades + np.where(calm & whole, crossed, 0.0)

    def events(self, batch: Batch) -> list[Event]:
        """What ended, changed or is new."""
        by_road: dict[str, list[int]] = {}
        for place in self._is_told.nonzero()[0].tolist():
            road = self._streets.road_of(place)
            if road is not None:
                by_road.setdefault(road.id, []).append(place)
        return self._ledger.tell({road: self._said(road, places, batch) for road, places in by_road.items()}, batch)

    def _of_group(self, values: Numbers | Mask) -> Numbers:
        """For each detector the sum over its group."""
        sums = np.bincount(self._group[self._known], weights=values[self._known], minlength=self._groups)
        found = np.zeros(len(self._group))
        found[self._known] = sums[self._group[self._known]]
        return found

    def _crossed(self, look: Look) -> Numbers:
        """The vehicles that crossed the line of each detector in this second."""
        detector, distance_m = look.detector, look.table[:, 0]
        approach, line_m = self._streets.is_approach[detector], self._line_m[detector]
        was_m = distance_m + np.where(approach, 1.0, -1.0) * look.table[:, 1] * look.seconds
        crossed = np.where(
            approach, (distance_m < line_m) & (was_m >= line_m), (distance_m >= line_m) & (was_m < line_m)
        )
        return look.sums(crossed.astype(np.float64))

    def _said(self, road: str, places: Sequence[int], batch: Batch) -> Said:
        streets = self._streets
        lasted_s = float(self._quiet_s[places].max())
        since = self._ledger.since(road) or batch.observed_at - timedelta(seconds=lasted_s)
        entity = streets.roads[road]
        place = max(places, key=lambda one: float(self._sum[one]))
        at = streets.spotted(place, float(streets.coverage_m[place]))
        lanes = tuple(sorted({str(streets.places.entities[one].attributes.get("lane")) for one in places}))
        ids = tuple(streets.places.entities[one].id for one in places)
        share = len(lanes) / max(int(entity.attributes.get("totalLaneNumber", 1)), 1)
        return Said(
            kind=BLOCKED_LANE,
            entity_id=road,
            code="traffic.lane_deserted",
            over=OVER,
            severity=severity(share, 0, batch.observed_at - since),
            since=since,
            facts={
                "lanes": len(lanes),
                "others": round(float(self._since[place])),
                "seconds": round((batch.observed_at - since).total_seconds()),
            },
            entity_ids=(road, *ids),
            state=lanes,
            geometry=point_on(entity.geometry, at.offset_m / max(float(entity.attributes["length"]), 1.0)),
            evidence={
                "place": {"road": road, "lane": lanes[0], "offset_m": at.offset_m},
                "cause": "unknown",
                "rule": "deserted",
                "lanes": list(lanes),
                "detectors": list(ids),
            },
        )
