# SPDX-License-Identifier: Apache-2.0
"""In which order entities stand in an answer (CIM 009 clause 4.23)."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from citybrain.kernel.entities.collation import read_collation, sort_key
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.expressions import Path
from citybrain.kernel.entities.geometry import asked_shape, great_circle_m, read_geometry
from citybrain.kernel.entities.moments import date_key, date_time_key, time_key
from citybrain.kernel.entities.parsing import read_path
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.scanner import Scanner
from citybrain.kernel.entities.targets import As, LookUp, Target, targets
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

_DIRECTION = re.compile(r"dist-asc|dist-desc|asc|desc")


class Direction(StrEnum):
    """How an attribute orders; the words are those of the wire."""

    ASCENDING = "asc"
    DESCENDING = "desc"
    NEAREST = "dist-asc"
    FARTHEST = "dist-desc"


_BY_DISTANCE = frozenset({Direction.NEAREST, Direction.FARTHEST})
DOWNWARDS = frozenset({Direction.DESCENDING, Direction.FARTHEST})


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One value by which to order; only among equals the next term counts."""

    path: Path
    direction: Direction = Direction.ASCENDING


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    """Terms in their rank; `origin` is the geometry from which distances are measured, `collation` a BCP 47 tag."""

    terms: tuple[Term, ...]
    origin: bytes = b""
    collation: str = ""


def read_ordering(params: Mapping[str, Json], context: Context, *, is_body: bool = False) -> Ordering | None:
    """The order asked for; None if none is.

    Parameters are orderBy, orderFrom, orderGeometry, collation; members of a body orderBy, coordinates, geometry,
    collation (clause 5.2.43). Refuses `BadRequestData`: order by distance needs an origin, a collation must exist.
    """
    from_name, kind_name = ("coordinates", "geometry") if is_body else ("orderFrom", "orderGeometry")
    kind, coordinates = params.get(kind_name) or "Point", params.get(from_name)
    if not isinstance(kind, str) or (is_body and isinstance(coordinates, str)):
        raise BadRequestData("kernel.parameter_unusable", {"parameter": kind_name, "value": str(kind)[:100]})
    origin = read_geometry(kind, coordinates, parameter=from_name) if coordinates not in (None, "") else b""
    collation = read_collation(params["collation"]) if params.get("collation") else ""
    given = params.get("orderBy")
    if not given:
        return None
    text = ",".join(str(each) for each in given) if isinstance(given, list) else str(given)
    terms = _terms(Scanner(text, "orderBy"), context)
    if not origin and any(term.direction in _BY_DISTANCE for term in terms):
        raise BadRequestData("kernel.parameter_missing", {"parameter": from_name, "with": "orderBy"})
    return Ordering(terms=terms, origin=origin, collation=collation)


def ordered(documents: Sequence[Document], ordering: Ordering, *, look_up: LookUp) -> list[Document]:
    """The entities in the order asked for; equal ones stay as they stood."""
    keyed = [(document, order_keys(document, ordering, look_up=look_up)) for document in documents]
    for at in reversed(range(len(ordering.terms))):
        sort_by(keyed, ordering.terms[at], at)
    return [document for document, _ in keyed]


def order_keys(document: Any, ordering: Ordering, *, look_up: LookUp) -> tuple[Any, ...]:
    """What orders one entity: for each term a key, or None where it has no value."""
    return tuple(_key(document, term, ordering, look_up) for term in ordering.terms)


def sort_by(keyed: list[tuple[Any, tuple[Any, ...]]], term: Term, at: int) -> None:
    """Order by the keys at one place, whichever way: what has no value stands last (clause 4.23.2)."""
    with_value = [each for each in keyed if each[1][at] is not None]
    without = [each for each in keyed if each[1][at] is None]
    with_value.sort(key=lambda each: each[1][at], reverse=term.direction in DOWNWARDS)
    keyed[:] = with_value + without


def _terms(scanner: Scanner, context: Context) -> tuple[Term, ...]:
    terms: list[Term] = []
    while not terms or scanner.takes(","):
        path = read_path(scanner, context)
        direction = Direction.ASCENDING
        if scanner.takes(";"):
            found = scanner.match(_DIRECTION)
            if found is None:
                scanner.refuse("direction")
            direction = Direction(found)
        terms.append(Term(path=path, direction=direction))
    scanner.end()
    return tuple(terms)


def _key(document: Document, term: Term, ordering: Ordering, look_up: LookUp) -> Any:
    keys = [_of(target, term, ordering) for target in targets(document, term.path, look_up)]
    known = [key for key in keys if key is not None]
    if not known:
        return None
    return max(known) if term.direction in DOWNWARDS else min(known)


def _of(target: Target, term: Term, ordering: Ordering) -> Any:
    """Numbers, texts, objects, arrays, booleans, times, dates, date-times: in this order, each by its own (4.23.2)."""
    value = target.value
    if term.direction in _BY_DISTANCE and isinstance(value, dict):
        distance = great_circle_m(value, asked_shape(ordering.origin))
        if distance is not None:
            return (-1, distance)
    if target.how is As.MOMENT:
        return (7, date_time_key(str(value)) or 0)
    if isinstance(value, dict) and "@value" in value:
        return _typed(value, ordering)
    return _plain(value, ordering)


def _typed(value: Mapping[str, Json], ordering: Ordering) -> Any:
    for rank, name, key_of in _TYPED:
        if str(value.get("@type", "")).endswith(name) and isinstance(value["@value"], str):
            key = key_of(value["@value"])
            if key is not None:
                return (rank, key)
    return _plain(value["@value"], ordering)


def _plain(value: Json, ordering: Ordering) -> Any:
    if value is None:
        return None
    if isinstance(value, bool):
        return (4, value)
    if isinstance(value, int | float):
        return (0, value)
    if isinstance(value, str):
        return (1, sort_key(value, ordering.collation))
    if isinstance(value, list):
        return (1, sort_key(str(value[0]), ordering.collation)) if len(value) == 1 else (3, msgspec.json.encode(value))
    return (2, msgspec.json.encode(value, order="sorted"))


_TYPED: Sequence[tuple[int, str, Callable[[str], int | None]]] = (
    (7, "DateTime", date_time_key),
    (6, "Date", date_key),
    (5, "Time", time_key),
)
