# SPDX-License-Identifier: Apache-2.0
"""History rows of single attribute instances, in PostgreSQL's binary COPY form (see `rows`)."""

import struct
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from citybrain.kernel.entities.attribute_names import AttributeNames
from citybrain.kernel.entities.document import AttributeChange, AttributeType, Done, EntityChange, Instance
from citybrain.kernel.entities.times import from_us, text_of, to_us, us_of
from citybrain.kernel.entities.writing import HistoryRows
from citybrain.kernel.pool.rows import FIELDS, NULL, UNIX_TO_POSTGRES_US
from citybrain.kernel.records import Json

EXACT_BELOW = 2**53  # integers beyond lose digits in a float
SCOPE = "scope"
"""The name under which the history keeps the scopes of an entity."""

DAY_US = 86_400_000_000

_START = struct.Struct(">hiiiiiqi")
_NUMBER = struct.Struct(">id")
_LENGTH = struct.Struct(">i")
_ABSENT = _LENGTH.pack(NULL)
_END = struct.Struct(">iqiqiqibi")
_encode = msgspec.json.Encoder().encode


def encode_changes(
    changes: Collection[tuple[int, EntityChange]],
    names: AttributeNames,
    *,
    instance: int,
    never: Collection[tuple[str, str]] = (),
) -> HistoryRows:
    """One row for each attribute instance that changed; they are numbered from `instance` + 1 on.

    A row stands at the time the value was observed, else at the time of the change. `never` holds pairs of type and
    attribute of which nothing is kept.
    """
    pieces: list[bytes] = []
    days: dict[int, date] = {}
    for entity, change in changes:
        at_us = to_us(change.at)
        for each in _kept(change, never):
            instance += 1
            us = us_of(each.after.observed_at) if each.after and each.after.observed_at else at_us
            pieces.append(_row(_Place(entity, names.number(each.name, each.dataset_id), us, at_us, instance), each))
            day = us // DAY_US
            if day not in days:
                days[day] = from_us(day * DAY_US).date()
    return HistoryRows(b"".join(pieces), frozenset(days.values()), instance)


def parts(instance: Instance) -> tuple[float | None, str | None, bytes | None]:
    """A value as the history's number, word and detail: the detail only when number or word do not say it all.

    What number or word say exactly is not said again in the detail, nor what has a column of its own.
    """
    number, word, whole = _plain(instance)
    if not (whole and not (instance.attributes or instance.extra or instance.expires_at or instance.object_type)):
        return number, word, _encode(_without_columns(instance, None if whole else instance.value))
    return number, word, _usual_detail(instance.type, instance.unit_code)


@lru_cache(1024)
def _usual_detail(type: AttributeType, unit_code: str) -> bytes | None:
    """What most instances have beside a value: a kind and a unit."""
    if type is AttributeType.PROPERTY and not unit_code:
        return None
    return _encode(Instance(type=type, unit_code=unit_code))


def _without_columns(instance: Instance, value: Json) -> Instance:
    return msgspec.structs.replace(instance, value=value, dataset_id="", observed_at="", created_at="", modified_at="")


def _plain(instance: Instance) -> tuple[float | None, str | None, bool]:
    """Number and word of a value, and whether they are the whole of it."""
    value = instance.value
    if isinstance(value, bool):
        return float(value), None, False
    if isinstance(value, float) or (isinstance(value, int) and -EXACT_BELOW < value < EXACT_BELOW):
        return float(value), None, True
    if isinstance(value, str) and "\x00" not in value:
        return None, value, True
    return None, None, False


def _kept(change: EntityChange, never: Collection[tuple[str, str]]) -> Iterator[AttributeChange]:
    document = change.after or change.before
    types = document.types if document else ()
    for each in (*_scope(change), *change.attributes, *change.late):
        if not never or not any((type, each.name) in never for type in types):
            yield each


def _scope(change: EntityChange) -> Iterator[AttributeChange]:
    """Changed scopes as an instance that was observed when they changed (CIM 009 clause 4.5.6)."""
    old = change.before.scopes if change.before else ()
    new = change.after.scopes if change.after else ()
    if old != new:
        before, after = (_scopes(each, change) for each in (old, new))
        done = Done.DELETED if after is None else Done.UPDATED if before else Done.CREATED
        yield AttributeChange(name=SCOPE, done=done, before=before, after=after)


def _scopes(scopes: tuple[str, ...], change: EntityChange) -> Instance | None:
    if not scopes:
        return None
    value = scopes[0] if len(scopes) == 1 else list(scopes)
    return Instance(type=AttributeType.PROPERTY, value=value, observed_at=text_of(change.at))


class _Place(NamedTuple):
    """Whose row it is, the two times in it, and the instance's number."""

    entity: int
    attribute: int
    us: int
    at_us: int
    instance: int


def _row(place: _Place, change: AttributeChange) -> bytes:
    after = change.after
    value, word, detail = _deletion(change, place.at_us) if after is None else parts(after)
    at = place.at_us - UNIX_TO_POSTGRES_US
    is_observed = after is not None and bool(after.observed_at)
    start = _START.pack(FIELDS, 4, place.entity, 4, place.attribute, 8, place.us - UNIX_TO_POSTGRES_US, NULL)
    middle = _ABSENT if value is None else _NUMBER.pack(8, value)
    text = _ABSENT if word is None else _text(word.encode())
    end = _END.pack(8, place.instance, 8, at, 8, at, 1, is_observed, NULL if detail is None else len(detail))
    return b"".join((start, middle, text, end, detail or b""))


def _deletion(change: AttributeChange, at_us: int) -> tuple[None, None, bytes]:
    """When it was deleted, and of what kind it was."""
    gone = {"deletedAt": text_of(from_us(at_us))}
    return None, None, _encode({**gone, "type": change.before.type} if change.before else gone)


def _text(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def day_of(at: datetime) -> date:
    """The day of the history that a time falls on."""
    return at.astimezone(UTC).date()
