# SPDX-License-Identifier: Apache-2.0
"""What values of a period amount to: which figures each kind of value has, and how they are told (clause 4.5.19)."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from citybrain.kernel.entities.document import AttributeType, Instance
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.pool.temporal_query import Method
from citybrain.kernel.records import Json


class Kind(StrEnum):
    """Kinds of values as table 4.5.19.1-1 tells them apart; truth counts as 1 and 0."""

    NUMBER = "number"
    TEXT = "text"
    ARRAY = "array"
    OTHER = "other"


_COUNTS = frozenset({Method.TOTAL_COUNT, Method.DISTINCT_COUNT})
_ORDERED = _COUNTS | {Method.MIN, Method.MAX}
ELIGIBLE: Mapping[Kind, frozenset[Method]] = {
    Kind.NUMBER: frozenset(Method),
    Kind.TEXT: _ORDERED,
    Kind.ARRAY: _ORDERED | {Method.SUM, Method.AVG},
    Kind.OTHER: _COUNTS,
}
"""Which figures a kind of value has (tables 4.5.19.1-1 and 4.5.19.1-3)."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one period that begins at `start`; those that its values do not have are None."""

    start: datetime
    total: int
    distinct: int | None = None
    sum: float | None = None
    sumsq: float | None = None
    low: float | None = None
    high: float | None = None
    stddev: float | None = None
    first: str | None = None
    last: str | None = None


_READ: Mapping[Method, Callable[[Figures], Json]] = {
    Method.TOTAL_COUNT: lambda of: of.total,
    Method.DISTINCT_COUNT: lambda of: of.distinct,
    Method.SUM: lambda of: of.sum,
    Method.SUMSQ: lambda of: of.sumsq,
    Method.AVG: lambda of: None if of.sum is None or not of.total else of.sum / of.total,
    Method.MIN: lambda of: of.low if of.first is None else of.first,
    Method.MAX: lambda of: of.high if of.last is None else of.last,
    Method.STDDEV: lambda of: _stddev(of) if of.stddev is None else of.stddev,
}


def kind_of(instance: Instance) -> Kind:
    """The kind of an attribute instance's value."""
    if instance.type in (AttributeType.RELATIONSHIP, AttributeType.LIST_RELATIONSHIP):
        return Kind.OTHER
    value = instance.value
    if isinstance(value, bool | int | float):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.TEXT if instance.type is AttributeType.PROPERTY else Kind.OTHER
    return Kind.ARRAY if isinstance(value, list) else Kind.OTHER


def summed(values: Iterable[tuple[datetime, Json]], start_of: Callable[[datetime], datetime]) -> list[Figures]:
    """Figures of values that are neither numbers nor texts: those of their sizes for arrays, counts for all."""
    periods: dict[datetime, list[Json]] = {}
    for at, value in values:
        periods.setdefault(start_of(at), []).append(value)
    return [_of_sizes(start, held) for start, held in sorted(periods.items())]


def _of_sizes(start: datetime, held: Sequence[Json]) -> Figures:
    sizes = [float(len(each)) for each in held if isinstance(each, list)]
    return Figures(
        start=start,
        total=len(held),
        distinct=len({msgspec.json.encode(each, order="sorted") for each in held}),
        sum=math.fsum(sizes) if sizes else None,
        low=min(sizes, default=None),
        high=max(sizes, default=None),
    )


def told(
    periods: Sequence[Figures], methods: Iterable[Method], kind: Kind, end_of: Callable[[datetime], datetime]
) -> dict[str, Any]:
    """The figures by method, each an array of value, beginning and end of the period."""
    return {
        method.value: [
            [_number(_READ[method](each)), text_of(each.start), text_of(end_of(each.start))] for each in periods
        ]
        for method in methods
        if method in ELIGIBLE[kind]
    }


def _stddev(of: Figures) -> float | None:
    """From the sums, where single values are no longer there."""
    if of.sum is None or of.sumsq is None or not of.total:
        return None
    return math.sqrt(max(of.sumsq / of.total - (of.sum / of.total) ** 2, 0.0))


def _number(value: Json) -> Json:
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
