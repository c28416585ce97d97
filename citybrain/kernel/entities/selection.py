# SPDX-License-Identifier: Apache-2.0
"""Which types and which scopes are meant (CIM 009 clauses 4.17 and 4.19)."""

import re
from collections.abc import Callable, Collection
from typing import TypeVar

import msgspec

from citybrain.kernel.entities.scanner import Scanner
from citybrain.kernel.ld.context import Context

T = TypeVar("T")

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s,;|()\"<>]+|[^\W\d][\w.-]*(?::[^\s,;|()\"<>]+)*")
_SCOPE = re.compile(r"/?(?:\+|[^\W_][\w-]*)(?:/(?:\+|[^\W_][\w-]*))*(?:/#)?|/#|#")
_DEEPEST = 20
_MOST = 256


class Types(msgspec.Struct, frozen=True, kw_only=True):
    """A disjunction of conjunctions: an entity is meant if it has all types of one of these sets.

    An empty disjunction means every entity (`*`).
    """

    any_of: tuple[frozenset[str], ...] = ()

    def select(self, types: Collection[str]) -> bool:
        """An entity of these types is meant."""
        return not self.any_of or any(wanted.issubset(types) for wanted in self.any_of)

    @property
    def single(self) -> str | None:
        """The type, if exactly one is named."""
        return next(iter(self.any_of[0])) if len(self.any_of) == 1 and len(self.any_of[0]) == 1 else None

    @property
    def names(self) -> frozenset[str]:
        """Every type that is named."""
        return frozenset().union(*self.any_of)


class ScopePattern(msgspec.Struct, frozen=True, kw_only=True):
    """A scope, `+` standing for any one level; with `below`, also every scope below it."""

    levels: tuple[str, ...]
    below: bool = False

    def meets(self, scope: str) -> bool:
        """The scope is this one, or one that the wildcards stand for."""
        found = [level for level in scope.split("/") if level]
        if len(found) < len(self.levels) or (len(found) > len(self.levels) and not self.below):
            return False
        return bool(found) and all(w in ("+", f) for w, f in zip(self.levels, found, strict=False))


class Scopes(msgspec.Struct, frozen=True, kw_only=True):
    """A disjunction of conjunctions of scopes."""

    any_of: tuple[frozenset[ScopePattern], ...]

    def select(self, scopes: Collection[str]) -> bool:
        """An entity within these scopes is meant; one without any never is."""
        return any(all(any(each.meets(scope) for scope in scopes) for each in wanted) for wanted in self.any_of)


def read_types(text: str, context: Context, *, parameter: str = "type") -> Types:
    """The types that a text selects, as internal names. `,` and `|` are "or", `;` is "and", which binds more.

    Refuses `BadRequestData` with the position of what is wrong, and more than `_MOST` combinations.
    """
    scanner = Scanner(text, parameter)
    if scanner.takes("*"):
        scanner.end()
        return Types()

    def one() -> str:
        found = scanner.match(_TYPE)
        return context.expand_type(found) if found is not None else scanner.refuse("type")

    return Types(any_of=_whole(scanner, one))


def read_scopes(text: str, *, parameter: str = "scopeQ") -> Scopes:
    """The scopes that a text selects. Refuses `BadRequestData` with the position of what is wrong."""
    scanner = Scanner(text, parameter)

    def one() -> ScopePattern:
        found = scanner.match(_SCOPE)
        if found is None:
            scanner.refuse("scope")
        levels = [level for level in found.split("/") if level]
        below = bool(levels) and levels[-1] == "#"
        return ScopePattern(levels=tuple(levels[:-1] if below else levels), below=below)

    return Scopes(any_of=_whole(scanner, one))


def _whole(scanner: Scanner, one: Callable[[], T]) -> tuple[frozenset[T], ...]:
    found = _any_of(scanner, one, 0)
    scanner.end()
    return tuple(dict.fromkeys(found))


def _any_of(scanner: Scanner, one: Callable[[], T], depth: int) -> list[frozenset[T]]:
    found = _all_of(scanner, one, depth)
    while scanner.takes("|") or scanner.takes(","):
        found += _all_of(scanner, one, depth)
    return found


def _all_of(scanner: Scanner, one: Callable[[], T], depth: int) -> list[frozenset[T]]:
    found = _element(scanner, one, depth)
    while scanner.takes(";"):
        more = _element(scanner, one, depth)
        found = [left | right for left in found for right in more]
        if len(found) > _MOST:
            scanner.refuse("")
    return found


def _element(scanner: Scanner, one: Callable[[], T], depth: int) -> list[frozenset[T]]:
    if depth < _DEEPEST and scanner.takes("("):
        found = _any_of(scanner, one, depth + 1)
        scanner.expect(")")
        return found
    return [frozenset({one()})]
