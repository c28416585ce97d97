# SPDX-License-Identifier: Apache-2.0
"""From the text of a `$filter` or `$orderby` to an expression (OGC 18-088 clause 9.3.3.5, OData 4.0 part 2)."""

import math
import re
from collections.abc import Callable

from citybrain.doors.sensorthings.expression import (
    Binary,
    Call,
    Expression,
    Geometry,
    Literal,
    Minus,
    Not,
    Path,
    Value,
)
from citybrain.doors.sensorthings.functions import ARGUMENTS
from citybrain.doors.sensorthings.moments import DATE, TIME, read_duration, read_span
from citybrain.doors.sensorthings.refusals import Unusable, unusable

DEEPEST = 60
LONGEST = 20_000
LEVELS = (("or",), ("and",), ("eq", "ne", "gt", "ge", "lt", "le"), ("add", "sub"), ("mul", "div", "mod"))
_ALL_OPERATORS = {name for names in LEVELS for name in names}
_COMPARISONS = 2

_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<spelled>(?:geography|geometry|duration|datetime|date|time)'(?:[^']|'')*')
    |(?P<text>'(?:[^']|'')*')
    |(?P<time>(?:{TIME}|{DATE})(?:/(?:{TIME}|{DATE}))?)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<name>[@A-Za-z_\u0080-\uffff][\w.@]*(?:/[@A-Za-z_\u0080-\uffff\d][\w.@\-]*)*)
    |(?P<sign>[(),-])
    )""",
    re.VERBOSE | re.ASCII,
)


def read_filter(text: str) -> Expression:
    """An expression; refuses what is none, saying where it ends to be one."""
    if len(text) > LONGEST:
        raise unusable("expression_too_long", limit=LONGEST)
    reader = _Reader(text)
    found = reader.level(0)
    reader.end()
    return found


class _Reader:
    """Reads from left to right; `depth` keeps what is nested within bounds."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def level(self, level: int) -> Expression:
        """What the operators of this level and those that bind tighter join."""
        if level == len(LEVELS):
            return self._unary()
        left = self.level(level + 1)
        while (operator := self._operator(LEVELS[level])) is not None:
            left = Binary(operator, left, self.level(level + 1))
        return left

    def end(self) -> None:
        """Nothing may follow."""
        if self._next < len(self._tokens):
            raise self._refused()

    def _operator(self, names: tuple[str, ...]) -> str | None:
        kind, text = self._peek()
        if kind == "name" and text in names:
            self._next += 1
            return text
        return None

    def _unary(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise unusable("expression_too_deep", limit=DEEPEST)
        try:
            kind, text = self._peek()
            if kind == "name" and text == "not":
                self._next += 1
                return Not(self.level(_COMPARISONS))
            if (kind, text) == ("sign", "-"):
                self._next += 1
                return Minus(self._unary())
            return self._primary(kind, text)
        finally:
            self._depth -= 1

    def _primary(self, kind: str, text: str) -> Expression:
        if (kind, text) == ("sign", "("):
            self._next += 1
            inner = self.level(0)
            self._expect(")")
            return inner
        if kind == "name" and text not in _ALL_OPERATORS:
            self._next += 1
            return self._call(text) if self._peek() == ("sign", "(") else _named(text)
        if kind in _READ:
            self._next += 1
            return Literal(_READ[kind](text), text)
        raise self._refused()

    def _call(self, name: str) -> Expression:
        known = ARGUMENTS.get(name)
        if known is None:
            raise unusable("function_unknown", name=name)
        self._expect("(")
        arguments: list[Expression] = []
        while self._peek() != ("sign", ")"):
            if arguments:
                self._expect(",")
            arguments.append(self.level(0))
        self._expect(")")
        if len(arguments) not in known:
            raise unusable("function_arguments", name=name, given=len(arguments))
        return Call(name, tuple(arguments))

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next][:2] if self._next < len(self._tokens) else ("end", "")

    def _expect(self, sign: str) -> None:
        if self._peek() != ("sign", sign):
            raise self._refused()
        self._next += 1

    def _refused(self) -> Unusable:
        at = self._tokens[self._next][2] if self._next < len(self._tokens) else len(self._text)
        return unusable("expression_unreadable", text=self._text, rest=self._text[at:] or "∅")


def _tokens(text: str) -> list[tuple[str, str, int]]:
    tokens: list[tuple[str, str, int]] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise unusable("expression_unreadable", text=text, rest=text[at:])
        tokens.append((found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
        at = found.end()
    return tokens


def _named(text: str) -> Expression:
    known: dict[str, Value] = {"true": True, "false": False, "null": None}
    return Literal(known[text], text) if text in known else Path(tuple(text.split("/")))


def _number(text: str) -> Value:
    number = float(text)
    if not math.isfinite(number):
        raise unusable("literal_unusable", text=text)
    return int(text) if text.lstrip("-").isdigit() and len(text) < 20 else number


def _quoted(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _time(text: str) -> Value:
    span = read_span(text)
    if span is None:
        raise unusable("literal_unusable", text=text)
    return span


def _spelled(text: str) -> Value:
    kind, _, quoted = text.partition("'")
    inner = _quoted(f"'{quoted}")
    if kind in ("geography", "geometry"):
        return Geometry(inner)
    value = read_duration(inner) if kind == "duration" else read_span(inner)
    if value is None:
        raise unusable("literal_unusable", text=text)
    return value


_READ: dict[str, Callable[[str], Value]] = {
    "spelled": _spelled,
    "text": _quoted,
    "time": _time,
    "number": _number,
}
