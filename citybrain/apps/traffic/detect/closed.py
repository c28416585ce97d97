# SPDX-License-Identifier: Apache-2.0
"""Closed roads and surges of demand as events, from the flows of `flows.Flows`."""

from datetime import timedelta

import numpy as np

from citybrain.apps.traffic.detect.flows import Flows
from citybrain.apps.traffic.detect.ledger import Ledger, Said
from citybrain.kernel.records import Batch, Event, Severity

ROAD_CLOSED = "traffic.road_closed"
SURGE = "traffic.surge"

BUSY_PER_HOUR = 600.0
"""A closed road that so many use is worse, and so is a surge on top of so many. Our convention."""


class Closed:
    """One event for each road that nobody uses any more, and one for each to which far more come."""

    def __init__(self) -> None:
        self._closures, self._surges = Ledger(), Ledger()

    def events(self, flows: Flows, batch: Batch) -> list[Event]:
        """What ended, changed or is new."""
        closures = {said.entity_id: said for said in self._roads(flows, batch)}
        surges = {said.entity_id: said for said in self._rising(flows, batch)}
        return self._closures.tell(closures, batch) + self._surges.tell(surges, batch)

    def _roads(self, flows: Flows, batch: Batch) -> list[Said]:
        rates = flows.groups.by_road(flows.rate_per_s)
        found = []
        for at in flows.is_closed.nonzero()[0].tolist():
            road, per_hour, quiet_s = flows.groups.roads[at], float(rates[at]) * 3600.0, float(flows.road_quiet_s[at])
            found.append(
                Said(
                    kind=ROAD_CLOSED,
                    entity_id=road.id,
                    code="traffic.road_is_closed",
                    over="traffic.road_is_open",
                    severity=Severity.II if per_hour >= BUSY_PER_HOUR else Severity.III,
                    since=batch.observed_at - timedelta(seconds=quiet_s),
                    facts={
                        "per_hour": round(per_hour),
                        "expected": round(float(flows.road_expected[at])),
                        "seconds": round(quiet_s),
                    },
                    entity_ids=(road.id,),
                    geometry=road.geometry,
                    evidence={
                        "place": {"road": road.id, "lane": "", "offset_m": 0.0},
                        "per_hour": round(per_hour),
                        "expected": round(float(flows.road_expected[at])),
                    },
                )
            )
        return found

    def _rising(self, flows: Flows, batch: Batch) -> list[Said]:
        rates = flows.groups.by_road(flows.rate_per_s)
        found = []
        for at in flows.is_surge.nonzero()[0].tolist():
            road, per_hour = flows.groups.roads[at], float(rates[at]) * 3600.0
            times = float(flows.came[at]) / max(float(flows.usually[at]), 1.0)
            found.append(
                Said(
                    kind=SURGE,
                    entity_id=road.id,
                    code="traffic.surge_comes",
                    over="traffic.surge_is_over",
                    severity=Severity.III if per_hour >= BUSY_PER_HOUR else Severity.IV,
                    since=batch.observed_at - timedelta(seconds=float(flows.surge_s[at])),
                    facts={
                        "per_hour": round(per_hour),
                        "times": round(times, 1),
                        "seconds": round(float(flows.surge_s[at])),
                    },
                    entity_ids=(road.id,),
                    geometry=road.geometry,
                    evidence={
                        "per_hour": round(per_hour),
                        "came": round(float(flows.came[at])),
                        "usually": round(float(np.maximum(flows.usually[at], 0.0))),
                    },
                )
            )
        return found
