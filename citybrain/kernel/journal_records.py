# SPDX-License-Identifier: Apache-2.0
"""What the journal writes together, and what it shows of events and orders."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from citybrain.kernel.entities.attribute_names import AttributeName
from citybrain.kernel.entities.writing import Writing
from citybrain.kernel.records import (
    Batch,
    Because,
    Event,
    Facts,
    Json,
    Order,
    Outcome,
    OutcomeState,
    Reading,
    Severity,
)


class ShownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event as every view of it begins: all is said, even what is empty."""

    id: str
    kind: str
    severity: Severity
    at: datetime
    ended_at: datetime | None
    entity_id: str
    geometry: Json
    because: Because
    evidence: Facts


class EventView(ShownEvent, frozen=True, kw_only=True):
    """An event with who took note of it first, and the newest words of anybody on it."""

    acknowledged_by: str | None
    acknowledged_at: datetime | None
    note: str
    group: str | None = None


class OutcomeView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order."""

    state: OutcomeState
    code: str
    facts: Facts
    at: datetime


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its outcome, once there is one."""

    id: str
    means: str
    entity_id: str
    at: datetime
    because: Because
    parameters: Facts
    by: str
    outcome: OutcomeView | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is written together: either all of it counts or nothing.

    `retold` are events that people did something with: that is committed already, and told with this.
    """

    batch: Batch | None = None
    batch_number: int = 0
    names: Sequence[AttributeName] = ()
    rows: bytes = b""
    days: frozenset[date] = frozenset()
    today: date | None = None
    writing: Writing | None = None
    instance: int = 0
    events: Sequence[Event] = ()
    orders: Sequence[Order] = ()
    outcomes: Sequence[Outcome] = ()
    readings: Sequence[Reading] = ()
    retold: Sequence[str] = ()
