# SPDX-License-Identifier: Apache-2.0
"""Putting many entities in order by columns, and those by decoding that columns do not hold (CIM 009 clause 4.23)."""

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.entities.collation import sort_key
from citybrain.kernel.entities.columns import Column, Columns, State
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.ordering import DOWNWARDS, Direction, Ordering, Term, order_keys, sort_by
from citybrain.kernel.entities.targets import OF_ENTITY

Slots = NDArray[np.intp]

_TURN = 200
_FEW = 500
_RANK = {State.NUMBER: 0, State.TEXT: 1, State.OBJECT: 1, State.BOOLEAN: 4, State.MOMENT: 7}
_LAST = 9
_ABSENT = State.ABSENT


async def ranked(columns: Columns, tenant: str, slots: Slots, ordering: Ordering, *, first: int) -> list[int]:
    """The first so many slots in the order asked for; equal ones stay in that of their creation."""
    if len(slots) > _FEW:
        keys = await _keys(columns, tenant, slots, ordering)
        if keys is not None:
            found: list[int] = slots[await asyncio.to_thread(_first, keys, first)].tolist()
            return found
    return (await _by_decoding(columns, tenant, slots, ordering))[:first]


def _first(keys: list[Any], first: int) -> Slots:
    """Where the first so many stand. Only those are sorted that the weightiest key does not put behind them."""
    weightiest = keys[-1] if keys[-1].min() != keys[-1].max() else keys[-2]
    many = len(weightiest)
    kept = np.arange(many)
    if first < many:
        kept = np.flatnonzero(weightiest <= np.partition(weightiest, first)[first])
    return kept[np.lexsort([key[kept] for key in keys])][:first]


async def _by_decoding(columns: Columns, tenant: str, slots: Slots, ordering: Ordering) -> list[int]:
    ids, look_up = columns.documents.shelf(tenant).ids, partial(columns.documents.get, tenant)
    keyed: list[tuple[Any, tuple[Any, ...]]] = []
    for asked, slot in enumerate(slots.tolist(), 1):
        document: Document | None = look_up(ids[slot])
        if document is not None:
            keyed.append((slot, order_keys(document, ordering, look_up=look_up)))
        if asked % _TURN == 0:
            await asyncio.sleep(0)
    for at in reversed(range(len(ordering.terms))):
        sort_by(keyed, ordering.terms[at], at)
    return [slot for slot, _ in keyed]


async def _keys(columns: Columns, tenant: str, slots: Slots, ordering: Ordering) -> list[Any] | None:
    """What numpy's lexsort takes, the weightiest last; None if some entity must be asked itself."""
    keys: list[Any] = []
    for term in reversed(ordering.terms):
        if term.direction in (Direction.NEAREST, Direction.FARTHEST) or not columns.may_hold(tenant, term.path):
            return None
        if term.path.names[0] in OF_ENTITY and term.path.names[0] not in ("createdAt", "modifiedAt", "expiresAt"):
            return None
        column = columns.of_path(tenant, term.path)
        await columns.fill(tenant, column, slots)
        found = await _of_term(column, slots, term, ordering.collation)
        if found is None:
            return None
        keys += found
    return keys


async def _of_term(column: Column, slots: Slots, term: Term, collation: str) -> list[Any] | None:
    states = column.states[slots]
    ranks = np.full(len(slots), -1, np.int64)
    for state, rank in _RANK.items():
        ranks[states == state] = rank
    ranks[states == _ABSENT] = _LAST
    if (ranks < 0).any():
        return None
    values = column.numbers[slots].copy()
    texts = np.flatnonzero(ranks == _RANK[State.TEXT])
    if len(texts):
        values[texts] = await _text_ranks(column, column.codes[slots][texts], collation)
    values[ranks == _LAST] = 0
    if term.direction in DOWNWARDS:
        values = -values
        ranks = np.where(ranks == _LAST, _LAST, -ranks)
    return [values, ranks]


async def _text_ranks(column: Column, codes: NDArray[np.int32], collation: str) -> NDArray[np.float64]:
    """For each text its place among those that occur."""
    occurring, where = np.unique(codes, return_inverse=True)
    known = column.sort_keys.setdefault(collation, {})
    for asked, code in enumerate(occurring.tolist(), 1):
        if code not in known:
            known[code] = sort_key(str(column.words[code]), collation)
            if asked % _TURN == 0:
                await asyncio.sleep(0)
    in_order = sorted(range(len(occurring)), key=lambda at: known[int(occurring[at])])
    places = np.empty(len(occurring), np.float64)
    places[in_order] = np.arange(len(occurring))
    # Texts that count as equal share the first place of their kind.
    for before, after in pairwise(in_order):
        if known[int(occurring[before])] == known[int(occurring[after])]:
            places[after] = places[before]
    return places[where]
