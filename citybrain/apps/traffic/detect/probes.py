# SPDX-License-Identifier: Apache-2.0
"""Floating cars that stand on a road where no detector sees a queue: a stop beyond the sight of detectors.

Looks at the speed of a road's floating cars in the last minute and at how many of them there were. Somebody stands who
spends as good as the whole minute below `SLOW_KMH`; that is no news where a detector sees a queue on the same road or
on one that it leads to, where those are slow themselves, or where floating cars often stand. Thresholds are ours: a
queue before a junction without a signal moves within a minute. One vehicle in five reports, so a stop is found when
one of those is in it or behind it. Evidence: speed, floating cars, and since when; the place on the road is not known.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from citybrain.apps.traffic.detect.ledger import Ledger, Said
from citybrain.apps.traffic.detect.persistence import Mask
from citybrain.apps.traffic.detect.stops import OVER, STOPPED_VEHICLE
from citybrain.apps.traffic.detect.streets import Streets
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.index import Numbers, Places
from citybrain.kernel.records import Batch, Entity, Event, Severity

SLOW_KMH = 4.0
ONE = 0.9
"""Floating cars on the road in the mean of the minute: one, nearly all the time."""

LASTS_S = 40.0
"""Over the minute that the figures are of."""

GONE_S = 20.0

QUEUE_S = 60.0
"""A queue that a detector saw explains the next minute, which is what the figures are of."""

USUAL = 1.5
USUAL_UP_TO_S = 120.0
USUAL_FADES = 0.9


class StandingProbes:
    """One event for each road on which floating cars stand for no reason that is seen."""

    def __init__(self, entities: Sequence[Entity], streets: Streets) -> None:
        self._roads = Places(entities, "RoadSegment")
        number = {one.id: at for at, one in enumerate(self._roads.entities)}
        road_of = [streets.road_of(place) for place in range(len(streets.places.entities))]
        self._road_of_detector = np.array([number[one.id] if one else -1 for one in road_of], dtype=np.int64)
        pairs = [
            (at, number[after])
            for at, one in enumerate(self._roads.entities)
            for after in one.attributes.get("leadsTo") or ()
            if after in number
        ]
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        self._road, self._after = table[:, 0], table[:, 1]
        size = len(self._roads.entities)
        self._on_s, self._off_s, self._usual_s = np.zeros((3, size))
        self._queued_s = np.full(size, np.inf)
        self._told = np.zeros(size, dtype=np.bool_)
        self._ledger = Ledger()

    def events(self, batch: Batch, look: Look, seconds: float) -> list[Event]:
        """What ended, changed or is new."""
        speed_kmh = self._roads.observed(batch, "averageVehicleSpeed")
        number = np.nan_to_num(self._roads.observed(batch, "vehicleCount"))
        slow = np.nan_to_num(speed_kmh, nan=np.inf) <= SLOW_KMH
        self._queues(look, seconds)
        slow_after = np.bincount(self._road, weights=slow[self._after], minlength=len(slow)) > 0
        stands = slow & (number >= ONE) & (self._queued_s > QUEUE_S) & ~slow_after
        self._remember(stands, seconds)
        needed_s = np.maximum(LASTS_S, USUAL * self._usual_s)
        self._told = (self._told | (self._on_s >= needed_s)) & (self._off_s < GONE_S)
        said = {
            self._roads.entities[at].id: self._said(at, float(speed_kmh[at]), float(number[at]), batch)
            for at in self._told.nonzero()[0].tolist()
        }
        return self._ledger.tell(said, batch)

    def _queues(self, look: Look, seconds: float) -> None:
        """Seconds since a detector last saw somebody stand on a road or on one it leads to."""
        standing = look.detector[look.table[:, 2] > 0.0]
        roads = self._road_of_detector[standing]
        seen = np.bincount(roads[roads >= 0], minlength=len(self._queued_s)) > 0
        seen |= np.bincount(self._road, weights=seen[self._after], minlength=len(seen)) > 0
        self._queued_s = np.where(seen, 0.0, self._queued_s + seconds)

    def _remember(self, stands: Mask, seconds: float) -> None:
        over = ~stands & (self._on_s > 0.0) & (self._on_s <= USUAL_UP_TO_S)
        usual_s: Numbers = np.maximum(USUAL_FADES * self._usual_s, self._on_s)
        self._usual_s = np.where(over, usual_s, self._usual_s)
        self._on_s = np.where(stands, self._on_s + seconds, 0.0)
        self._off_s = np.where(stands, 0.0, self._off_s + seconds)

    def _said(self, at: int, speed_kmh: float, number: float, batch: Batch) -> Said:
        road = self._roads.entities[at]
        lasted_s = float(self._on_s[at]) + QUEUE_S
        return Said(
            kind=STOPPED_VEHICLE,
            entity_id=road.id,
            code="traffic.probes_stand",
            over=OVER,
            severity=Severity.III if lasted_s >= 600.0 else Severity.IV,
            since=batch.observed_at - timedelta(seconds=lasted_s),
            facts={"number": round(number, 1), "seconds": round(lasted_s)},
            entity_ids=(road.id,),
            geometry=road.geometry,
            evidence={
                "place": {"road": road.id, "lane": "", "offset_m": None},
                "cause": "unknown",
                "rule": "probes",
                "speed_kmh": round(float(np.nan_to_num(speed_kmh)), 1),
                "floating_cars": round(number, 1),
            },
        )
