# SPDX-License-Identifier: Apache-2.0
"""Cutting a write: which attributes go to which source, which stay here (CIM 009 clauses 4.3.6.2, 4.3.6.3). Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from citybrain.kernel.records import Json
from citybrain.kernel.registrations.index import Match
from citybrain.kernel.registrations.model import Mode

ENTITY_MEMBERS = frozenset({"id", "@id", "type", "@type", "scope", "expiresAt", "@context"})
IDENTITY = frozenset({"id", "@id", "type", "@type"})

Supports = Callable[[Match], bool]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What one source is to do: with these attributes, by the terms of the request, or with the entity as a whole."""

    match: Match
    terms: tuple[str, ...]
    is_whole: bool


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Orders for those who take the operation, those who hold a part and do not take it, and what stays here.

    `stays` is None when nothing of the entity is held here.
    """

    orders: tuple[Order, ...]
    refusing: tuple[Order, ...]
    stays: tuple[str, ...] | None

    @property
    def is_local(self) -> bool:
        """Whether no source is concerned."""
        return not self.orders and not self.refusing


def plan(matches: Sequence[Match], terms: Mapping[str, str], supports: Supports) -> Plan:
    """Cut a write of attributes, given as terms with their internal names.

    Exclusive sources take theirs first, then every redirect source that of the rest it registered; what is left stays
    here, and inclusive sources get a copy. Auxiliary sources are never written to (clause 4.3.6.2).
    """
    orders: list[Order] = []
    refusing: list[Order] = []
    rest = dict(terms)
    is_taken = False
    for mode in (Mode.EXCLUSIVE, Mode.REDIRECT, Mode.INCLUSIVE):
        found = [_order(match, rest) for match in matches if match.registration.mode is mode]
        concerned = [order for order in found if order.terms or order.is_whole]
        takes = [order for order in concerned if supports(order.match)]
        orders += takes
        if not mode.is_proxied:
            continue
        refusing += [order for order in concerned if order not in takes]
        is_taken = is_taken or bool(concerned)
        gone = {term for order in concerned for term in order.terms}
        rest = {term: name for term, name in rest.items() if term not in gone}
    stays = None if is_taken and not rest else tuple(rest)
    return Plan(orders=tuple(orders), refusing=tuple(refusing), stays=stays)


def attribute_terms(body: Mapping[str, Json], expand: Callable[[str], str]) -> dict[str, str]:
    """The attributes in a body: each term with its internal name."""
    return {term: expand(term) for term in body if term not in ENTITY_MEMBERS}


def reduced(body: Mapping[str, Json], terms: Collection[str], *, is_whole: bool) -> dict[str, Json]:
    """A body with these attributes alone; members of the entity itself only for who holds it as a whole."""
    kept = ENTITY_MEMBERS - {"@context"} if is_whole else IDENTITY
    return {name: value for name, value in body.items() if name in kept or name in terms}


def _order(match: Match, rest: Mapping[str, str]) -> Order:
    terms = tuple(term for term, name in rest.items() if match.covers(name))
    return Order(match=match, terms=terms, is_whole=match.claimed is None)
