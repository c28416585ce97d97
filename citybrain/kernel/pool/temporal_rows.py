# SPDX-License-Identifier: Apache-2.0
"""Rows of the history as attribute instances at a time, and the numbers that name them."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from citybrain.kernel.entities.document import NULL, AttributeType, Instance
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.pool.instances import SCOPE
from citybrain.kernel.records import Json

__all__ = ["SCOPE", "Moment", "instance_id", "instance_number", "moment_of"]

INSTANCE_PREFIX: Final = "urn:ngsi-ld:instance:"
LARGEST_INSTANCE = 2**63 - 1
_decode = msgspec.json.Decoder(Instance).decode
_decode_gone = msgspec.json.decode
_GONE = b'"deletedAt":'


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute instance and the time by which it was asked for. `is_gone` tells that it records a deletion."""

    at: datetime
    instance: Instance
    is_gone: bool = False


class Row(msgspec.Struct, frozen=True, array_like=True):
    """A row as the queries of the past give it."""

    entity: int
    attribute: int
    at: datetime | None
    observed_at: datetime
    number: float | None
    word: str | None
    instance: int | None
    recorded_at: datetime | None
    modified_at: datetime | None
    is_observed: bool
    detail: bytes | None


def instance_id(number: int) -> str:
    """The identifier of the instance with this number."""
    return f"{INSTANCE_PREFIX}{number}"


def instance_number(id: str) -> int | None:
    """The number of an instance by its identifier; None for an identifier that is none of ours."""
    digits = id.removeprefix(INSTANCE_PREFIX)
    if digits == id or not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(LARGEST_INSTANCE)):
        return None
    number = int(digits)
    return number if number <= LARGEST_INSTANCE else None


def moment_of(row: Sequence[Any], dataset_id: str) -> Moment | None:
    """A row as an instance at a time; None for a value of columns that became unknown, which NGSI-LD cannot say."""
    held = Row(*row)
    if held.number is not None and math.isnan(held.number):
        return None
    gone = held.detail is not None and _GONE in held.detail[:64]
    instance = _gone(held) if gone else _plain(held)
    extra: dict[str, Json] = dict(instance.extra)
    if held.instance is not None:
        extra["instanceId"] = instance_id(held.instance)
    recorded = text_of(held.recorded_at) if held.recorded_at else ""
    stamped = msgspec.structs.replace(
        instance,
        dataset_id=dataset_id,
        observed_at=_observed(held, instance),
        created_at=recorded,
        modified_at=text_of(held.modified_at) if held.modified_at else recorded,
        extra=extra,
    )
    return Moment(at=held.at or held.observed_at, instance=stamped, is_gone=gone)


def _observed(row: Row, instance: Instance) -> str:
    return text_of(row.observed_at) if row.is_observed else instance.observed_at


def _plain(row: Row) -> Instance:
    """A bare number or word is a Property; whatever is more has its detail, which does not repeat them."""
    value = _number(row.number) if row.word is None else row.word
    if not row.detail:
        return Instance(type=AttributeType.PROPERTY, value=value)
    instance = _decode(row.detail)
    return instance if instance.value is not None else msgspec.structs.replace(instance, value=value)


def _gone(row: Row) -> Instance:
    """What records a deletion: a null of its kind, and when (clauses 4.5.7, 4.5.8, 4.5.18)."""
    told = _decode_gone(row.detail or b"{}")
    kind = AttributeType(told.get("type", AttributeType.PROPERTY))
    return Instance(type=kind, value=null_of(kind), extra={"deletedAt": told["deletedAt"]})


def null_of(kind: AttributeType) -> Json:
    """What stands for "deleted" as the value of an attribute of this kind."""
    return {"@none": NULL} if kind is AttributeType.LANGUAGE_PROPERTY else NULL


def _number(number: float | None) -> Json:
    """Whole numbers come back as they were sent."""
    return int(number) if number is not None and number.is_integer() and abs(number) < 2**53 else number
