# SPDX-License-Identifier: Apache-2.0
"""What a question of the query language is made of, and how it is written again (CIM 009 clause 4.9)."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from json import dumps

import msgspec


class Operator(StrEnum):
    """How a value is compared; the words are those of the wire."""

    EQUAL = "=="
    UNEQUAL = "!="
    GREATER_EQUAL = ">="
    GREATER = ">"
    LESS_EQUAL = "<="
    LESS = "<"
    MATCHES = "~="
    MATCHES_NOT = "!~="


class Kind(StrEnum):
    """What a literal is. `WORD` is a URI, or any other text without quotes."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE_TIME = "date-time"
    DATE = "date"
    TIME = "time"
    WORD = "word"


class Literal(msgspec.Struct, frozen=True, kw_only=True):
    """A value in a question.

    `value` is a float, text or boolean, `key` what orders it among its kind (for times: `moments`). `vocab` is the
    internal name that it means as a value of a VocabProperty: that of an IRI, or, for the attributes of
    `expandValues`, that of the term.
    """

    kind: Kind
    value: float | str | bool
    key: float | int | str | bool
    vocab: str = ""


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """One value or a list of them, any of which counts."""

    any_of: tuple[Literal, ...]


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """From a lowest to a highest value of one kind, both included."""

    lowest: Literal
    highest: Literal


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """A regular expression that is somewhere in a text; `^` and `$` bind it to the ends."""

    text: str


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """Which value of an entity is meant, names being internal ones.

    `names`: an attribute, then attributes of it. `inside`: members of a compound value, or the language of a
    LanguageProperty (`*` for any). `linked`: a path in the entities that the Relationship points to, which must have
    one of `types` if any are given.
    """

    names: tuple[str, ...]
    inside: tuple[str, ...] = ()
    linked: "Path | None" = None
    types: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """How many entities away the value is."""
        return 0 if self.linked is None else 1 + self.linked.depth


class Exists(msgspec.Struct, frozen=True, kw_only=True):
    """The value is there; or, if not `wanted`, it is not."""

    path: Path
    wanted: bool = True


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The value is there and compares so."""

    path: Path
    operator: Operator
    operand: Values | Range | Pattern


class AllOf(msgspec.Struct, frozen=True, kw_only=True):
    """Every one of these holds."""

    terms: tuple["Expression", ...]


class AnyOf(msgspec.Struct, frozen=True, kw_only=True):
    """At least one of these holds."""

    terms: tuple["Expression", ...]


Expression = Exists | Comparison | AllOf | AnyOf
Name = Callable[[str], str]


def paths(expression: Expression) -> Iterator[Path]:
    """Every path that a question names."""
    if isinstance(expression, AllOf | AnyOf):
        for term in expression.terms:
            yield from paths(term)
    else:
        yield expression.path


def written(expression: Expression, name: Name = str) -> str:
    """The question in the query language; `name` makes a term of an internal name. Reading it gives it again."""
    if isinstance(expression, Exists):
        return ("" if expression.wanted else "!") + path_written(expression.path, name)
    if isinstance(expression, Comparison):
        return f"{path_written(expression.path, name)}{expression.operator}{_operand(expression.operand)}"
    sign = ";" if isinstance(expression, AllOf) else "|"
    return sign.join(_term(term, name) for term in expression.terms)


def path_written(path: Path, name: Name = str) -> str:
    """A path as the query language has it."""
    text = ".".join(name(each) for each in path.names)
    if path.linked is not None:
        hint = ",".join(name(each) for each in path.types)
        return f"{text}{{{hint}{':' if hint else ''}{path_written(path.linked, name)}}}"
    return f"{text}[{'.'.join(path.inside)}]" if path.inside else text


def _term(term: Expression, name: Name) -> str:
    return f"({written(term, name)})" if isinstance(term, AllOf | AnyOf) else written(term, name)


def _operand(operand: Values | Range | Pattern) -> str:
    if isinstance(operand, Pattern):
        return dumps(operand.text, ensure_ascii=False)
    if isinstance(operand, Range):
        return f"{_literal(operand.lowest)}..{_literal(operand.highest)}"
    return ",".join(_literal(each) for each in operand.any_of)


def _literal(literal: Literal) -> str:
    if literal.kind is Kind.TEXT:
        return dumps(literal.value, ensure_ascii=False)
    if isinstance(literal.value, bool | float | int):
        return dumps(literal.value)
    return literal.value
