# SPDX-License-Identifier: Apache-2.0
"""A question about cases as it stands in an address, and as one is kept or sent in a body."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import msgspec

from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.cases.query import CaseQuery, Order
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

# What an address calls one of several, and the question all of them.
SEVERAL = {
    "state": "states",
    "phase": "phases",
    "type": "types",
    "category": "categories",
    "department": "departments",
    "channel": "channels",
}
SEPARATOR = ","


class CaseQueryUnusable(Invalid):
    """A part that questions about cases do not have, or a value that is none."""


class Params(Protocol):
    """The part of an address behind the question mark, in which names may stand more than once."""

    def getall(self, key: str) -> list[str]:
        """Every value of a name."""
        ...

    def keys(self) -> object:
        """The names."""
        ...


def read_query(params: Params) -> CaseQuery:
    """The question of an address. Whoever asks for closed cases and no order gets the newest first.

    Refuses `CaseQueryUnusable` for what is unknown, and for times that do not say their zone.
    """
    given: dict[str, Json] = {}
    for name in dict.fromkeys(params.keys()):  # type: ignore[call-overload]
        values = [value for value in params.getall(name) if value]
        if values:
            given[SEVERAL.get(name, name)] = _value(name, values)
    return as_query(given)


def _value(name: str, values: list[str]) -> Json:
    if name in SEVERAL:
        return values
    if name == "box":
        return values[-1].split(SEPARATOR)
    return values[-1]


def as_query(given: Mapping[str, Json]) -> CaseQuery:
    """A question from its parts by name, as they came."""
    unknown = sorted(set(given) - set(CaseQuery.__struct_fields__))
    if unknown:
        raise CaseQueryUnusable("serve.case_query_unusable", {"why": ", ".join(unknown)[:200]})
    try:
        query = msgspec.convert(dict(given), CaseQuery, strict=False)
    except msgspec.ValidationError as problem:
        raise CaseQueryUnusable("serve.case_query_unusable", {"why": str(problem)[:200]}) from problem
    _check(query)
    if "order" not in given and Phase.CLOSED in query.phases:
        return msgspec.structs.replace(query, order=Order.NEWEST)
    return query


def _check(query: CaseQuery) -> None:
    """Texts that no database takes, and times of which nobody knows when they are."""
    for name, value in msgspec.structs.asdict(query).items():
        if isinstance(value, datetime) and value.tzinfo is None:
            raise CaseQueryUnusable("serve.case_query_unusable", {"why": name})
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise CaseQueryUnusable("serve.case_query_unusable", {"why": name})
