# SPDX-License-Identifier: Apache-2.0
"""A small city that the kernel's tests share: two roads, a signal, and batches of what is seen there."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np

from citybrain.kernel.app import Attribute, EntityType, Keep
from citybrain.kernel.db import Database
from citybrain.kernel.journal import Journal
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Batch, Because, Column, Entity, Event, Json, Severity

DAWN = datetime(2026, 3, 1, 6, tzinfo=UTC)
HALF_MINUTE = timedelta(seconds=30)

TYPES = (
    EntityType(
        name="RoadSegment",
        attributes=(
            Attribute(name="averageVehicleSpeed", unit="km/h", every=HALF_MINUTE),
            Attribute(name="closed", keep=Keep.CHANGE),
            Attribute(name="tracks", keep=Keep.NEVER),
        ),
    ),
    EntityType(name="TrafficSignalController", attributes=(Attribute(name="signalState", keep=Keep.CHANGE),)),
)

ROADS = ("urn:ngsi-ld:RoadSegment:a", "urn:ngsi-ld:RoadSegment:b")
SIGNALS = ("urn:ngsi-ld:TrafficSignalController:1",)

ENTITIES = (
    *(Entity(id=road, type="RoadSegment", source="test", observed_at=DAWN, name={"en": road[-1]}) for road in ROADS),
    Entity(id=SIGNALS[0], type="TrafficSignalController", source="test", observed_at=DAWN),
)

_numbers = count(1)


def after(seconds: float) -> datetime:
    """City time, seconds after dawn."""
    return DAWN + timedelta(seconds=seconds)


def batch(
    at: datetime, speeds: Sequence[float] | None = None, state: str | None = None, **others: tuple[Json, ...]
) -> Batch:
    """What is seen at one time: speeds of both roads, the state of the signal, other attributes of the roads."""
    columns = [Column(attribute=name, entity_ids=ROADS, values=values) for name, values in others.items()]
    if speeds is not None:
        columns.append(Column(attribute="averageVehicleSpeed", entity_ids=ROADS, values=np.array(speeds)))
    if state is not None:
        columns.append(Column(attribute="signalState", entity_ids=SIGNALS, values=(state,)))
    received_at = at + timedelta(seconds=2)
    batch_id = f"batch-{next(_numbers)}"
    return Batch(id=batch_id, source="test", observed_at=at, received_at=received_at, columns=tuple(columns))


def jam(event_id: str, at: datetime, *, ended_at: datetime | None = None) -> Event:
    """A congestion on the first road."""
    return Event(
        id=event_id,
        kind="traffic.congestion",
        severity=Severity.III,
        at=at,
        ended_at=ended_at,
        entity_id=ROADS[0],
        because=Because(code="traffic.slow", facts={"speed_kmh": 4.5}, entity_ids=(ROADS[0],)),
        geometry={"type": "Point", "coordinates": [11.4, 48.7]},
    )


async def registered(db: Database) -> Pool:
    """A pool that knows the scene's entities, committed; nobody writes to it any more."""
    pool = await Pool.open(db, TYPES)
    journal = await Journal.open(db, pool)
    await pool.register(ENTITIES)
    await journal.close()
    return pool
