# SPDX-License-Identifier: Apache-2.0
"""What most cities have: an alarm where floating cars are slow for a while."""

from collections.abc import Sequence

import msgspec
import numpy as np

from citybrain.apps.traffic.detect.persistence import Persistence, event_id
from citybrain.apps.traffic.index import Places
from citybrain.kernel.records import Batch, Because, Entity, Event, Severity

SLOW = "traffic.slow"
SLOW_SHARE = 0.3
AFTER_S = 60.0
"""Below 30 % of the limit (GB/T 33171-2016: severe) for a minute, one road at a time."""


class SpeedThreshold:
    """One event per slow road."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._roads = Places(entities, "RoadSegment")
        self._limit_kmh = self._roads.facts("maximumAllowedSpeed")
        self._memory = Persistence(len(self._roads.entities), opens_after_s=AFTER_S, closes_after_s=AFTER_S)
        self._open: dict[int, Event] = {}

    def __call__(self, batch: Batch) -> list[Event]:
        """What began or ended in this second."""
        speed_kmh = self._roads.observed(batch, "averageVehicleSpeed")
        known = np.isfinite(speed_kmh)
        slow = known & (speed_kmh <= SLOW_SHARE * self._limit_kmh)
        self._memory.update(slow, known & ~slow, 1.0)
        holds = set(self._memory.holds.nonzero()[0].tolist())
        told = [
            msgspec.structs.replace(event, ended_at=batch.observed_at)
            for road, event in self._open.items()
            if road not in holds
        ]
        self._open = {road: event for road, event in self._open.items() if road in holds}
        for road in sorted(holds - set(self._open)):
            name = self._roads.entities[road].id
            self._open[road] = Event(
                id=event_id(SLOW, name, batch),
                kind=SLOW,
                severity=Severity.IV,
                at=batch.observed_at,
                entity_id=name,
                because=Because(code=SLOW),
                evidence={"roads": [name]},
            )
            told.append(self._open[road])
        return told
