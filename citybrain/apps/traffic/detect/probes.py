# SPDX-License-Identifier: Apache-2.0
"""Floating cars that stand on a road beyond the sight of detectors, where no queue explains it.

Looks at where each floating car is and for how long it has stood; where a feed has only means of roads, at those of the
last minute, below `SLOW_KMH` with one there nearly all the time. It stands for no reason where no queue reaches it: no
detector of its road sees one at the far end of its sight, and none is seen on the roads that it leads to, farther and
farther until a detector shows a road to be free. Thresholds are ours; one vehicle in five reports, so a stop is found
when one of those is in it or behind it. Evidence: how many, where on the road, and for how long.
"""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from citybrain.apps.traffic.detect.ledger import Ledger, Said
from citybrain.apps.traffic.detect.persistence import Mask
from citybrain.apps.traffic.detect.stops import OVER, STOPPED_VEHICLE, point_on
from citybrain.apps.traffic.detect.streets import CREEPING_MPS, END_M, YIELD_M, Streets
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.index import Numbers, Places
from citybrain.kernel.records import Batch, Entity, Event, Severity

PROBES = "probes"

SLOW_KMH = 4.0
ONE = 0.9
"""Floating cars on the road in the mean of the minute: one, nearly all the time."""

MEANS_S = 100.0
"""By means: 40 s on top of the minute that they are of."""

STANDS_S = 45.0
"""By places: longer than buses stop, and than most reds, with no queue to be seen."""

GIVES_WAY_S = 90.0
"""Near the end of a road without a detector one may wait for a gap."""

GONE_S = 20.0

QUEUE_S = 60.0
"""A queue that was seen explains the next minute."""

HOPS = 4
"""So many roads on a queue may begin that nobody sees in between."""

USUAL = 1.5
USUAL_UP_TO_S = 150.0
USUAL_FADES = 0.9

NOBODY = np.empty((0, 3))


class StandingProbes:
    """One event for each road on which floating cars stand for no reason that is seen."""

    def __init__(self, entities: Sequence[Entity], streets: Streets) -> None:
        self._roads = Places(entities, "RoadSegment")
        self._streets = streets
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
        self._length_m = np.nan_to_num(self._roads.facts("length"), nan=np.inf)
        # A road ends in sight where one of its detectors looks back from the stop line; from which place on.
        self._sight_m = np.full(size, np.inf)
        known = (self._road_of_detector >= 0) & streets.is_approach
        roads = self._road_of_detector[known]
        np.minimum.at(self._sight_m, roads, self._length_m[roads] - streets.coverage_m[known])
        self._is_watched = np.bincount(roads, minlength=size) > 0
        # And begins in sight where one of them looks after those who have left a junction; until which place.
        self._begin_m = np.zeros(size)
        leaves = (self._road_of_detector >= 0) & ~streets.is_approach
        np.maximum.at(self._begin_m, self._road_of_detector[leaves], streets.coverage_m[leaves])
        self._stood_s, self._off_s, self._usual_s, self._on_s = np.zeros((4, size))
        self._queued_s, self._reached_s = np.full((2, size), np.inf)
        self._told = np.zeros(size, dtype=np.bool_)
        self._ledger = Ledger()

    def events(self, batch: Batch, look: Look, seconds: float) -> list[Event]:
        """What ended, changed or is new."""
        self._queues(look, seconds)
        at_m, stood_s, number, needed_s = self._by_places(batch) or self._by_means(batch, seconds)
        stands = stood_s > 0.0
        explained = self._explained(at_m, stands)
        self._remember(np.where(stands, stood_s, 0.0), stands & ~explained, seconds)
        needed_s = np.maximum(needed_s, USUAL * self._usual_s)
        begins = stands & ~explained & (stood_s >= needed_s)
        self._told = (self._told | begins) & (self._off_s < GONE_S)
        said = {
            self._roads.entities[at].id: self._said(at, float(at_m[at]), float(number[at]), batch)
            for at in self._told.nonzero()[0].tolist()
        }
        return self._ledger.tell(said, batch)

    def _by_places(self, batch: Batch) -> tuple[Numbers, Numbers, Numbers, Numbers] | None:
        """Of each road where the one is that stands for longest out of sight, for how long, how many do, and for how
        long one must; `None` where nobody tells places."""
        tables = self._tables(batch)
        if tables is None:
            return None
        road, offset_m, standing_s = tables
        out = (offset_m < self._sight_m[road]) & (offset_m > self._begin_m[road])
        here = out & (standing_s > 0.0)
        road, offset_m, standing_s = road[here], offset_m[here], standing_s[here]
        size = len(self._length_m)
        order = np.argsort(standing_s, kind="stable")
        at_m, stood_s = np.full(size, np.nan), np.zeros(size)
        at_m[road[order]], stood_s[road[order]] = offset_m[order], standing_s[order]
        number = np.bincount(road, minlength=size).astype(np.float64)
        gives_way = ~self._is_watched & (self._length_m - np.nan_to_num(at_m) < YIELD_M)
        return at_m, stood_s, number, np.where(gives_way, GIVES_WAY_S, STANDS_S)

    def _tables(self, batch: Batch) -> tuple[NDArray[np.int64], Numbers, Numbers] | None:
        """Road, metres from its begin and standing seconds of each floating car."""
        tables, told = self._roads.tracks(batch, PROBES)
        if not told.any():
            return None
        lengths = np.fromiter(map(len, tables), np.int64, len(tables))
        road = np.repeat(np.arange(len(tables)), lengths)
        table = np.concatenate([NOBODY, *(tables[at][:, :3] for at in lengths.nonzero()[0].tolist())])
        return road, table[:, 0], table[:, 2]

    def _by_means(self, batch: Batch, seconds: float) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """The same where only means of a minute are told: nothing of where on the road."""
        speed_kmh = np.nan_to_num(self._roads.observed(batch, "averageVehicleSpeed"), nan=np.inf)
        number = np.nan_to_num(self._roads.observed(batch, "vehicleCount"))
        slow = (speed_kmh <= SLOW_KMH) & (number >= ONE)
        self._on_s = np.where(slow, np.maximum(self._on_s, QUEUE_S) + seconds, 0.0)
        return np.full(len(slow), np.nan), self._on_s, number, np.full(len(slow), MEANS_S)

    def _queues(self, look: Look, seconds: float) -> None:
        """Seconds since a detector last saw somebody stand on a road, and since a queue reached beyond its sight."""
        size = len(self._length_m)
        standing = look.detector[look.table[:, 2] > 0.0]
        roads = self._road_of_detector[standing]
        seen = np.bincount(roads[roads >= 0], minlength=size) > 0
        self._queued_s = np.where(seen, 0.0, self._queued_s + seconds)
        streets = self._streets
        far = look.table[:, 0] > streets.coverage_m[look.detector] - END_M
        creeps = streets.is_approach[look.detector] & far & (look.table[:, 1] < CREEPING_MPS)
        roads = self._road_of_detector[look.detector[creeps]]
        reached = np.bincount(roads[roads >= 0], minlength=size) > 0
        self._reached_s = np.where(reached, 0.0, self._reached_s + seconds)

    def _explained(self, at_m: Numbers, stands: Mask) -> Mask:
        """The roads on which a queue may reach who stands there: one that a detector at its end sees to go on beyond
        its sight; where there is none, one on a road that it leads to, and so on past roads that are not watched."""
        queued = self._queued_s <= QUEUE_S
        beyond = queued.copy()
        open_ = ~self._is_watched
        for _ in range(HOPS):
            spreads = np.bincount(self._road, weights=(queued | (beyond & open_))[self._after], minlength=len(queued))
            beyond = beyond | (spreads > 0.0)
        after = np.bincount(self._road, weights=beyond[self._after], minlength=len(queued)) > 0
        # Without a place one stands anywhere on the road.
        own = np.where(np.isnan(at_m), queued | after, self._reached_s <= QUEUE_S)
        found: Mask = stands & np.where(self._is_watched | np.isnan(at_m), own, after)
        return found

    def _remember(self, stood_s: Numbers, unexplained: Mask, seconds: float) -> None:
        """What ends without having been told is usual."""
        over = (stood_s < self._stood_s) & (self._stood_s <= USUAL_UP_TO_S) & (self._stood_s > 0.0) & ~self._told
        usual_s: Numbers = np.maximum(USUAL_FADES * self._usual_s, self._stood_s)
        self._usual_s = np.where(over, usual_s, self._usual_s)
        self._stood_s = np.where(unexplained, stood_s, 0.0)
        self._off_s = np.where(unexplained, 0.0, self._off_s + seconds)

    def _said(self, at: int, at_m: float, number: float, batch: Batch) -> Said:
        road = self._roads.entities[at]
        lasted_s = float(self._stood_s[at])
        place = None if np.isnan(at_m) else round(at_m, 1)
        return Said(
            kind=STOPPED_VEHICLE,
            entity_id=road.id,
            code="traffic.probes_stand",
            over=OVER,
            severity=Severity.III if lasted_s >= 600.0 else Severity.IV,
            since=batch.observed_at - timedelta(seconds=lasted_s),
            facts={"number": round(number, 1), "seconds": round(lasted_s)},
            entity_ids=(road.id,),
            geometry=road.geometry if place is None else point_on(road.geometry, place / self._length_m[at]),
            evidence={
                "place": {"road": road.id, "lane": "", "offset_m": place},
                "cause": "unknown",
                "rule": "probes",
                "floating_cars": round(number, 1),
            },
        )
