# SPDX-License-Identifier: Apache-2.0
"""From a text of the query language to the question it asks (CIM 009 clause 4.9)."""

import re
from collections.abc import Collection
from json import JSONDecodeError, JSONDecoder
from urllib.parse import unquote

from citybrain.kernel.entities.expressions import (
    AllOf,
    AnyOf,
    Comparison,
    Exists,
    Expression,
    Kind,
    Literal,
    Operator,
    Path,
    Pattern,
    Range,
    Values,
)
from citybrain.kernel.entities.moments import date_key, date_time_key, time_key
from citybrain.kernel.entities.patterns import compiled
from citybrain.kernel.entities.refusals import TooComplexQuery
from citybrain.kernel.entities.scanner import Scanner
from citybrain.kernel.ld.context import Context

TIMES = frozenset({"observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})
"""Attributes of the system whose values are date-times, so that a quoted text means one too."""

_DEEPEST = 40
_MOST_TERMS = 500
_IRI_NAME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s=!<>~;|(){}\[\],]+")
_NAME = re.compile(r"@?[^\W\d][\w-]*(?::[^\W\d][\w-]*)*")
_HINT = re.compile(r"[^\W\d][\w-]*(?:\s*,\s*[^\W\d][\w-]*)*\s*:(?=[^\W\d])")
_MEMBER = re.compile(r"[^.\[\]]+")
_OPERATORS = tuple(sorted(Operator, key=len, reverse=True))
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?=\s*(?:$|[;|),]|\.\.))", re.ASCII)
_TIMES_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d(?:T[\d:.,]*\d(?:Z|[+-]\d\d:?\d\d)?)?|\d\d:\d\d:\d\d(?:[.,]\d+)?Z?", re.ASCII
)
_WORD = re.compile(r"(?:(?!\.\.)[^\s;|(),\"\[\]{}<>=!~])+")
_ENCODED_QUOTE = re.compile(r"[=~]%22")
_ORDERS = frozenset({Operator.GREATER, Operator.GREATER_EQUAL, Operator.LESS, Operator.LESS_EQUAL})
_PATTERNS = frozenset({Operator.MATCHES, Operator.MATCHES_NOT})
_STRINGS = JSONDecoder()


def read_expression(
    text: str, context: Context, *, parameter: str = "q", expand_values: Collection[str] = ()
) -> Expression:
    """The question that a text asks, names made internal by the context.

    `expand_values` are internal names of attributes whose values are terms of the context. A text that was
    percent-encoded once more than needed is read as what it was before. Refuses `BadRequestData` with the position
    of what is wrong, `TooComplexQuery` what is too long, too deep or a pattern that may never end.
    """
    if _ENCODED_QUOTE.search(text):
        text = unquote(text)
    parser = _Parser(Scanner(text, parameter), context, frozenset(expand_values))
    expression = parser.any_of()
    parser.scanner.end()
    return expression


def read_path(scanner: Scanner, context: Context) -> Path:
    """An attribute path: `a.b`, `a.b[c.d]`, `a{b}`, `a{Type:b}`."""
    return _Parser(scanner, context, frozenset()).path(0)


class _Parser:
    """Recursive descent: `|` binds least, then `;`, then a term or what stands in parentheses."""

    def __init__(self, scanner: Scanner, context: Context, expand_values: frozenset[str]) -> None:
        self.scanner = scanner
        self.context = context
        self.expand_values = expand_values
        self.terms = 0

    def any_of(self, depth: int = 0) -> Expression:
        terms = [self.all_of(depth)]
        while self.scanner.takes("|"):
            terms.append(self.all_of(depth))
        return terms[0] if len(terms) == 1 else AnyOf(terms=tuple(terms))

    def all_of(self, depth: int) -> Expression:
        terms = [self.term(depth)]
        while self.scanner.takes(";"):
            terms.append(self.term(depth))
        return terms[0] if len(terms) == 1 else AllOf(terms=tuple(terms))

    def term(self, depth: int) -> Expression:
        self.terms += 1
        if depth > _DEEPEST or self.terms > _MOST_TERMS:
            raise TooComplexQuery("kernel.query_too_deep", {"parameter": self.scanner.parameter})
        if self.scanner.takes("("):
            inner = self.any_of(depth + 1)
            self.scanner.expect(")")
            return inner
        if self.scanner.sees("!") and not self.scanner.sees("!=") and not self.scanner.sees("!~="):
            self.scanner.takes("!")
            return Exists(path=self.path(0), wanted=False)
        path = self.path(0)
        operator = next((each for each in _OPERATORS if self.scanner.takes(each)), None)
        if operator is None:
            return Exists(path=path)
        return Comparison(path=path, operator=operator, operand=self.operand(path, operator))

    def path(self, depth: int) -> Path:
        if depth > _DEEPEST:
            raise TooComplexQuery("kernel.query_too_deep", {"parameter": self.scanner.parameter})
        names = [self.name()]
        while self.scanner.sees(".") and not self.scanner.sees(".."):
            self.scanner.takes(".")
            names.append(self.name())
        inside: list[str] = []
        while self.scanner.takes("["):
            inside.extend(self.members())
        if inside or not self.scanner.takes("{"):
            return Path(names=tuple(names), inside=tuple(inside))
        types = self.type_hint()
        linked = self.path(depth + 1)
        self.scanner.expect("}")
        return Path(names=tuple(names), linked=linked, types=types)

    def name(self) -> str:
        found = self.scanner.match(_IRI_NAME) or self.scanner.match(_NAME)
        if found is None:
            self.scanner.refuse("attribute")
        return self.context.expand(found)

    def type_hint(self) -> tuple[str, ...]:
        """`Device:` or `Device,Sensor:` before a path in braces; nothing is read if there is no hint."""
        found = self.scanner.match(_HINT)
        if found is None:
            return ()
        return tuple(self.context.expand_type(each.strip()) for each in found.rstrip(": ").split(","))

    def members(self) -> list[str]:
        members: list[str] = []
        while not members or self.scanner.takes("."):
            found = self.scanner.match(_MEMBER)
            if found is None:
                self.scanner.refuse("member")
            members.append(found.strip())
        self.scanner.expect("]")
        return members

    def operand(self, path: Path, operator: Operator) -> Values | Range | Pattern:
        if operator in _PATTERNS:
            return self.pattern()
        first = self.literal(path)
        if operator in _ORDERS:
            return Values(any_of=(first,))
        if self.scanner.takes(".."):
            return self.range(first, self.literal(path))
        literals = [first]
        while self.scanner.takes(","):
            literals.append(self.literal(path))
        return Values(any_of=tuple(literals))

    def range(self, lowest: Literal, highest: Literal) -> Range:
        if lowest.kind is not highest.kind or lowest.kind in (Kind.BOOLEAN, Kind.WORD):
            self.scanner.refuse("value")
        return Range(lowest=lowest, highest=highest)

    def pattern(self) -> Pattern:
        text = self.quoted() if self.scanner.sees('"') else self.bare_pattern()
        if not text:
            self.scanner.refuse("pattern")
        compiled(text, self.scanner.parameter)
        return Pattern(text=text)

    def bare_pattern(self) -> str:
        """A regular expression without quotes: up to a sign of the language that is in no bracket of its own."""
        text, start, depth, at = self.scanner.text, self.scanner.position, 0, self.scanner.position
        while at < len(text) and not (depth == 0 and text[at] in ";|)"):
            if text[at] == "\\":
                at += 1
            elif text[at] in "([":
                depth += 1
            elif text[at] in ")]":
                depth = max(0, depth - 1)
            at += 1
        self.scanner.position = min(at, len(text))
        return text[start:at].strip()

    def literal(self, path: Path) -> Literal:
        if self.scanner.sees('"'):
            return self.text(self.quoted(), path)
        number = self.scanner.match(_NUMBER)
        if number is not None:
            return Literal(kind=Kind.NUMBER, value=float(number), key=float(number))
        time = self.scanner.match(_TIMES_WRITTEN)
        if time is not None:
            return self.time(time)
        word = self.scanner.match(_WORD)
        if word is None:
            self.scanner.refuse("value")
        if word in ("true", "false"):
            return Literal(kind=Kind.BOOLEAN, value=word == "true", key=word == "true")
        return Literal(kind=Kind.WORD, value=word, key=word, vocab=self.vocab(word, path))

    def text(self, text: str, path: Path) -> Literal:
        last = _last(path)
        if last.names[-1] in TIMES and not last.inside:
            key = date_time_key(text)
            if key is not None:
                return Literal(kind=Kind.DATE_TIME, value=text, key=key)
        return Literal(kind=Kind.TEXT, value=text, key=text, vocab=self.vocab(text, path))

    def time(self, text: str) -> Literal:
        kinds = ((Kind.DATE_TIME, date_time_key), (Kind.DATE, date_key), (Kind.TIME, time_key))
        found = [(kind, key) for kind, key in ((kind, key_of(text)) for kind, key_of in kinds) if key is not None]
        if not found:
            self.scanner.refuse("time")
        return Literal(kind=found[0][0], value=text, key=found[0][1])

    def vocab(self, text: str, path: Path) -> str:
        """Only a term of an attribute in `expandValues` is expanded; an IRI always means itself."""
        named = _last(path).names
        if ":" in text or any(name in self.expand_values for name in named):
            return self.context.expand_type(text)
        return ""

    def quoted(self) -> str:
        """A text as JSON has it (RFC 8259, section 7)."""
        try:
            value, end = _STRINGS.raw_decode(self.scanner.text, self.scanner.position)
        except JSONDecodeError:
            self.scanner.refuse('"')
        self.scanner.position = end
        self.scanner.skip_blanks()
        return str(value)


def _last(path: Path) -> Path:
    return path if path.linked is None else _last(path.linked)
