# SPDX-License-Identifier: Apache-2.0
"""The form of a `$filter` or `$orderby` expression once it was read, and as text again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec


class Span(msgspec.Struct, frozen=True):
    """A time or a span of time; both ends are equal for a time."""

    begin: datetime
    end: datetime


class Geometry(msgspec.Struct, frozen=True):
    """A geometry as WKT."""

    wkt: str


Value = bool | int | float | str | Span | timedelta | Geometry | None


class Literal(msgspec.Struct, frozen=True):
    """A value as it stands; `text` is how it was written."""

    value: Value
    text: str


class Path(msgspec.Struct, frozen=True):
    """A property, perhaps of related entities or inside an object: `Datastream/Thing/properties/owner`."""

    names: tuple[str, ...]


class Call(msgspec.Struct, frozen=True):
    """A function with its arguments."""

    name: str
    arguments: tuple["Expression", ...]


class Binary(msgspec.Struct, frozen=True):
    """Two expressions joined by an operator."""

    operator: str
    left: "Expression"
    right: "Expression"


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    of: "Expression"


class Minus(msgspec.Struct, frozen=True):
    """A number turned round."""

    of: "Expression"


class Among(msgspec.Struct, frozen=True):
    """Whether an id is one of those that a condition on Observations left. No text reads as this."""

    path: Path
    ids: frozenset[int]


Expression = Literal | Path | Call | Binary | Not | Minus | Among


def text_of(expression: Expression) -> str:
    """The expression as text that reads as the same expression."""
    written: str
    match expression:
        case Literal(text=text):
            written = text
        case Path(names=names):
            written = "/".join(names)
        case Call(name=name, arguments=arguments):
            written = f"{name}({','.join(map(text_of, arguments))})"
        case Not(of=of):
            written = f"not ({text_of(of)})"
        case Minus(of=of):
            written = f"-({text_of(of)})"
        case Among(path=path):
            written = f"among({text_of(path)})"
        case Binary(operator=operator, left=left, right=right):
            written = f"({text_of(left)}) {operator} ({text_of(right)})"
    return written


def conjuncts(expression: Expression) -> Iterator[Expression]:
    """The parts that must all be true."""
    if isinstance(expression, Binary) and expression.operator == "and":
        yield from conjuncts(expression.left)
        yield from conjuncts(expression.right)
    else:
        yield expression


def paths(expression: Expression) -> Iterator[Path]:
    """All properties that an expression asks for."""
    match expression:
        case Path():
            yield expression
        case Among(path=path):
            yield path
        case Call(arguments=arguments):
            for each in arguments:
                yield from paths(each)
        case Not(of=of) | Minus(of=of):
            yield from paths(of)
        case Binary(left=left, right=right):
            yield from paths(left)
            yield from paths(right)
        case _:
            return
