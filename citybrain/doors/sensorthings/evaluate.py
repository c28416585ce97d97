# SPDX-License-Identifier: Apache-2.0
"""Whether an expression is true of an entity. A property of many related entities counts if any of them fits."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any, Protocol

import shapely
from shapely.geometry.base import BaseGeometry

from citybrain.doors.sensorthings.expression import (
    Among,
    Binary,
    Call,
    Expression,
    Geometry,
    Literal,
    Minus,
    Not,
    Path,
)
from citybrain.doors.sensorthings.functions import Evaluated, calculate, call, compare
from citybrain.doors.sensorthings.refusals import unusable

MANY = 10_000
"""So many combinations of values of related entities are looked at."""
_LOGIC = ("and", "or")
_COMPARED = ("eq", "ne", "gt", "ge", "lt", "le")


class Subject(Protocol):
    """What an expression is asked of."""

    def values(self, names: Sequence[str]) -> list[Evaluated]:
        """The values at a path: one, or one for each related entity."""


class Evaluation:
    """One expression, ready to be asked of many. `now` is what now() answers."""

    def __init__(self, expression: Expression, now: datetime) -> None:
        self._expression = expression
        self._now = now

    def holds(self, subject: Subject) -> bool:
        """Whether it is true; what cannot be said is not."""
        return any(each is True for each in self._all(self._expression, subject))

    def value(self, subject: Subject) -> Evaluated:
        """Its value, of several the first."""
        return next(iter(self._all(self._expression, subject)), None)

    def _all(self, expression: Expression, subject: Subject) -> Sequence[Evaluated]:
        found: Sequence[Evaluated]
        match expression:
            case Literal(value=value):
                found = [shape_of(value.wkt) if isinstance(value, Geometry) else value]
            case Path(names=names):
                found = subject.values(names)
            case Not(of=of):
                found = [not any(each is True for each in self._all(of, subject))]
            case Minus(of=of):
                found = [calculate("sub", 0, each) for each in self._all(of, subject)]
            case Among(path=path, ids=ids):
                found = [any(each in ids for each in subject.values(path.names))]
            case Binary():
                found = self._joined(expression, subject)
            case Call(name=name, arguments=arguments):
                found = [call(name, list(each), self._now) for each in self._combined(arguments, subject)]
        return found

    def _joined(self, binary: Binary, subject: Subject) -> Sequence[Evaluated]:
        operator = binary.operator
        if operator in _LOGIC:
            left = any(each is True for each in self._all(binary.left, subject))
            if left is (operator == "or"):
                return [left]
            return [any(each is True for each in self._all(binary.right, subject))]
        pairs = self._combined((binary.left, binary.right), subject)
        if operator in _COMPARED:
            return [compare(operator, left, right) for left, right in pairs]
        return [calculate(operator, left, right) for left, right in pairs]

    def _combined(self, expressions: Sequence[Expression], subject: Subject) -> Iterator[tuple[Any, ...]]:
        columns = [self._all(each, subject) for each in expressions]
        for number, combination in enumerate(product(*columns)):
            if number >= MANY:
                break
            yield combination


@lru_cache(256)
def shape_of(wkt: str) -> BaseGeometry:
    """A geometry from its text; refuses what is none."""
    try:
        return shapely.from_wkt(wkt.partition(";")[2] if wkt.upper().startswith("SRID=") else wkt)
    except (shapely.errors.ShapelyError, ValueError, TypeError) as problem:
        raise unusable("geometry_unusable", text=wkt) from problem
