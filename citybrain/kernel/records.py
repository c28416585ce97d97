# SPDX-License-Identifier: Apache-2.0
"""The words of the city: frozen records that apps and doors exchange."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Json = Any
"""A value that JSON can hold."""

Text = Mapping[str, str]
"""A name in data, by language: `{"zh": …, "en": …}`."""

Facts = Mapping[str, Json]
"""What a sentence is made of: the slots of the words under a `code`."""


class Severity(StrEnum):
    """How bad an event is. I is the worst (国家突发公共事件总体应急预案: 特别重大 … 一般)."""

    I = "I"  # noqa: E741
    II = "II"
    III = "III"
    IV = "IV"


class OutcomeState(StrEnum):
    """What became of an order."""

    EXECUTED = "executed"
    REFUSED = "refused"
    FAILED = "failed"


class Because(msgspec.Struct, frozen=True, kw_only=True):
    """The cause of a record: a code with facts that make one sentence, and the records it rests on."""

    code: str
    facts: Facts = {}
    batch_id: str | None = None
    event_id: str | None = None
    entity_ids: tuple[str, ...] = ()


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """A thing the city has (NGSI-LD information model, ETSI GS CIM 009 clause 4).

    `geometry` is GeoJSON in WGS-84 longitude-latitude; `attributes` are the slow facts, fast ones arrive as columns.
    """

    id: str
    type: str
    source: str
    observed_at: datetime
    name: Text = {}
    geometry: Json = None
    attributes: Mapping[str, Json] = {}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute of many entities at one time; `values[i]` belongs to `entity_ids[i]`.

    A feed passes the same `entity_ids` tuple each time, so that its place in the pool is found once.
    Numbers are a float array with NaN for "not known"; words a tuple of str; `tracks` a tuple of float arrays.
    """

    attribute: str
    entity_ids: tuple[str, ...]
    values: NDArray[np.float64] | Sequence[Any]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Observations that were true at one time, from one source. Never edited."""

    id: str
    source: str
    observed_at: datetime
    received_at: datetime
    columns: tuple[Column, ...]

    def by_entity(self, attribute: str) -> dict[str, Any]:
        """One attribute by entity; several columns may share it. For those who ask for few: a column is faster."""
        return {
            entity_id: value
            for column in self.columns
            if column.attribute == attribute
            for entity_id, value in zip(column.entity_ids, column.values, strict=True)
        }


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened at a place and may need handling.

    `kind` is owned by one app (`traffic.congestion`). One that goes on keeps its `id`; `ended_at` closes it.
    `group` is the id of the head of a storm of like events, also at the head itself. Signs of the event that came
    from elsewhere stand in its evidence as `signs`; one that became a sign of another has `merged_into` there.
    """

    id: str
    kind: str
    severity: Severity
    at: datetime
    entity_id: str
    because: Because
    geometry: Json = None
    evidence: Facts = {}
    ended_at: datetime | None = None
    group: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a means on one entity."""

    id: str
    means: str
    entity_id: str
    at: datetime
    because: Because
    parameters: Facts = {}
    by: str = "brain"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an order did. `code` and `facts` say why it was refused or failed."""

    order_id: str
    state: OutcomeState
    at: datetime
    code: str = ""
    facts: Facts = {}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One value of an indicator for one arm of a comparison (`brain`, `fixed`), with the parts it was made of."""

    indicator: str
    arm: str
    at: datetime
    value: float
    parts: Facts = {}
