# SPDX-License-Identifier: Apache-2.0
"""Finding entities among many (CIM 009 clause 5.7.2).

What it costs, n being the entities of the types asked for:
- a page by type: its own entities, whatever n; a page of ids: those ids.
- a page by any condition: blocks of rows are asked until the page is full, so where matches are dense a page costs the
  same whatever n; where they are sparse it is vector scans of n rows (some 10 ns a row), and the entities that
  columns alone do not decide (several values, geometries that are no points, other entities' values) decoded.
- a count: of all or of a type a counter; of what columns decide, vector scans; else the undecided ones decoded.
- an order: all matches, by columns where these hold it (n log n), else all matches decoded.
Others run in between wherever a piece of work takes more than a few milliseconds.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.entities.columns import Columns, Rows, columns_of
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.evaluate import matches, names
from citybrain.kernel.entities.expressions import Path
from citybrain.kernel.entities.found import Found
from citybrain.kernel.entities.masks import Every, Mask, Unknown, has_any, mask_of
from citybrain.kernel.entities.places import InScope, IsThere
from citybrain.kernel.entities.query import EntityQuery
from citybrain.kernel.entities.ranking import ranked
from citybrain.kernel.entities.view import View, page_of

FIRST_BLOCK = 1_024
_LARGEST_BLOCK = 262_144
_TURN = 200
"""After so many decoded entities others run: 2 or 3 ms."""
_SPARSE = 16
"""Of fewer than one in so many rows the slots are looked up one by one, of more all are scanned."""

Slots = NDArray[np.intp]
Bools = NDArray[np.bool_]

_NONE: Slots = np.zeros(0, np.intp)


async def find(
    documents: Documents | View,
    tenant: str,
    query: EntityQuery,
    *,
    offset: int = 0,
    limit: int = 20,
    count: bool = False,
) -> Found:
    """The entities that a question asks for: `limit` of them after the first `offset`, in the order it asks for.

    Without an order they stand in that of their creation. Changes that come while it looks may or may not count.
    """
    if isinstance(documents, View):
        page, total = await page_of(documents, query, find, offset=offset, limit=limit)
        return Found(documents=page, total=total if count else None, has_more=total > offset + len(page))
    while True:
        try:
            return await _found(_Search(documents, tenant, query), offset, limit, count=count)
        except _Renumbered:  # many were deleted meanwhile, and their slots closed up: rare, and then once
            continue


async def _found(search: "_Search", offset: int, limit: int, *, count: bool) -> Found:
    documents, tenant, query = search.documents, search.tenant, search.query
    if query.ordering is not None:
        slots = await search.all_slots()
        first = await ranked(search.columns, tenant, slots, query.ordering, first=offset + limit)
        ids, total = [search.ids[slot] for slot in first[offset:]], len(slots)
    elif count and (known := search.count()) is not None:
        ids, total = await search.page(offset, limit, count=False)
        total = max(known, offset + len(ids)) if ids else known
    else:
        ids, total = await search.page(offset, limit, count=count)
    shown = (documents.get(tenant, id) for id in ids)
    return Found(
        documents=tuple(document for document in shown if document is not None),
        total=total if count else None,
        has_more=total > offset + len(ids),
    )


async def find_ids(documents: Documents, tenant: str, query: EntityQuery) -> list[str]:
    """The ids of all entities that a question asks for, in the order of their creation."""
    while True:
        try:
            search = _Search(documents, tenant, query)
            return [search.ids[slot] for slot in (await search.all_slots()).tolist()]
        except _Renumbered:
            continue


class _Renumbered(Exception):
    """The slots of entities are not what they were when the question began."""


class _Search:
    """One question on its way through the entities of a tenant."""

    def __init__(self, documents: Documents, tenant: str, query: EntityQuery) -> None:
        self.documents, self.tenant, self.query = documents, tenant, query
        self.columns = columns_of(documents)
        self.shelf = documents.shelf(tenant)
        self.ids = self.shelf.ids
        self.mask = _condition(self.columns, tenant, query)
        # With one selector an id that its pattern meets is decided; several are asked one by one.
        self.asks_ids = any(each.ids or each.id_pattern for each in query.selectors)

    def count(self) -> int | None:
        """How many entities there are, if a counter tells it."""
        if self.mask is not None or self.asks_ids:
            return None
        if not self.query.selectors:
            return self.documents.count(self.tenant)
        types = self.query.selectors[0].types
        if len(self.query.selectors) > 1 or types is None:
            return None
        if not types.any_of:
            return self.documents.count(self.tenant)
        return self.documents.count(self.tenant, types.single) if types.single else None

    async def page(self, offset: int, limit: int, *, count: bool) -> tuple[list[str], int]:
        """Ids of a page, and how many were seen: all if they are counted, else one more than the page if there is."""
        page: list[str] = []
        seen = 0
        async for slots, sure in self.blocks(eager=count):
            if sure.all() or (count and len(page) == limit):
                begin = max(0, offset - seen)
                page += [self.ids[slot] for slot in slots[begin : begin + limit - len(page)].tolist()]
                seen += int(np.count_nonzero(sure))
                slots, sure = slots[~sure], sure[~sure]
            async for slot in self.met(slots, sure):
                if seen >= offset and len(page) < limit:
                    page.append(self.ids[slot])
                seen += 1
                if not count and seen > offset + limit:
                    break
            if not count and seen > offset + limit:
                break
        return page, seen

    async def all_slots(self) -> Slots:
        """Every entity that is asked for."""
        found: list[Slots] = []
        async for slots, sure in self.blocks(eager=True):
            met = [slot async for slot in self.met(slots[~sure], sure[~sure])]
            found.append(np.union1d(slots[sure], np.array(met, np.intp)) if met else slots[sure])
        return np.concatenate(found) if found else np.zeros(0, np.intp)

    async def met(self, slots: Slots, sure: Bools) -> AsyncIterator[int]:
        """Of these slots those that are asked for; who is not sure is decoded and asked."""
        look_up = partial(self.documents.get, self.tenant)
        asked = 0
        for slot, is_sure in zip(slots.tolist(), sure.tolist(), strict=True):
            if is_sure:
                yield slot
                continue
            document = look_up(self.ids[slot])
            if document is not None and matches(document, self.query, look_up=look_up):
                yield slot
            asked += 1
            if asked % _TURN == 0:
                await asyncio.sleep(0)

    async def blocks(self, *, eager: bool) -> AsyncIterator[tuple[Slots, Bools]]:
        """Slots that may be asked for, block by block, and which of them surely are.

        Unless `eager`, nothing is filled for the first block, which is small: often it is all that is needed.
        """
        before: Rows = slice(0, 0)
        for at, rows in enumerate(self._rows()):
            if self.shelf.ids is not self.ids:
                raise _Renumbered
            possible = self._of_kind(rows)
            sure = possible
            if self.mask is not None:
                if eager or at:
                    await self.mask.prepare(before)
                    await self.mask.prepare(rows)
                    possible = self._of_kind(rows)
                answer = self.mask.answer(rows)
                possible, sure = possible & (answer.certain | answer.perhaps), possible & answer.certain
            before = rows if at == 0 else slice(0, 0)
            at_all = np.flatnonzero(possible)
            slots = at_all + rows.start if isinstance(rows, slice) else rows[at_all]
            yield await self._by_id(slots, self._lasting(slots) & sure[at_all])

    def _rows(self) -> Iterator[Rows]:
        """Rows of the types asked for: ranges of all, or the slots of the types where these are few."""
        if self.query.ids is not None:
            known = self.shelf.slots
            return iter([np.array(sorted(known[id] for id in self.query.ids if id in known), np.intp)])
        names, many = self.query.type_names, len(self.ids)
        racks = [self.shelf.racks[name].slots for name in names or () if name in self.shelf.racks]
        if len(racks) == 1 and (self.mask is None or len(racks[0]) * _SPARSE < many):
            return (np.array(racks[0][rows], np.intp) for rows in _cut(len(racks[0])))
        if names is None or sum(len(rack) for rack in racks) * _SPARSE >= many:
            return iter(_cut(many))
        slots = np.unique(np.concatenate([_NONE, *(np.array(rack, np.intp) for rack in racks)]))
        return (slots[rows] for rows in _cut(len(slots)))

    def _of_kind(self, rows: Rows) -> Bools:
        """What is there and of the types that a selector names."""
        selectors, kinds = self.query.selectors, self.shelf.kinds
        wanted = [
            kind > 0 and (not selectors or any(each.types is None or each.types.select(types) for each in selectors))
            for kind, types in enumerate(self.shelf.kind_types)
        ]
        # The view must be gone before anybody adds an entity: an array that is looked at cannot grow.
        return np.array(wanted, np.bool_)[np.frombuffer(kinds, np.int32)[rows]] if kinds else np.zeros(0, np.bool_)

    def _lasting(self, slots: Slots) -> Bools:
        """What cannot have expired in part or whole since columns took it in."""
        known = self.shelf.slots
        due = [known[id] for id in self.shelf.due_us if id in known]
        return np.isin(slots, np.array(due, np.intp), invert=True) if due else np.ones(len(slots), np.bool_)

    async def _by_id(self, slots: Slots, sure: Bools) -> tuple[Slots, Bools]:
        """What also an id or its pattern selects. Where selectors differ, types and ids must be seen together."""
        if not self.asks_ids:
            return slots, sure
        kept: list[bool] = []
        for asked, slot in enumerate(slots.tolist(), 1):
            kept.append(any(names(self.ids[slot], each) for each in self.query.selectors))
            if asked % (_TURN * _TURN) == 0:
                await asyncio.sleep(0)
        chosen = np.array(kept, np.bool_)
        return slots[chosen], sure[chosen] & (len(self.query.selectors) == 1)


def _cut(many: int) -> list[Rows]:
    """Ranges that cover so many rows, the first one small."""
    cuts: list[Rows] = []
    begin, size = 0, FIRST_BLOCK
    while begin < many:
        cuts.append(slice(begin, min(begin + size, many)))
        begin, size = begin + size, min(size * 16, _LARGEST_BLOCK)
    return cuts


def _condition(columns: Columns, tenant: str, query: EntityQuery) -> Mask | None:
    """Everything of the question but types and ids; None if there is nothing else."""
    parts: list[Mask] = []
    if query.attributes:
        parts.append(has_any(columns, tenant, query.attributes))
    if query.scopes is not None:
        parts.append(InScope(columns, tenant, query.scopes))
    if query.geo is not None:
        is_kept = columns.may_hold(tenant, Path(names=(query.geo.name,)))
        parts.append(IsThere(columns, tenant, query.geo) if is_kept else Unknown())
    if query.q is not None:
        parts.append(mask_of(columns, tenant, query.q))
    return Every(parts) if parts else None
