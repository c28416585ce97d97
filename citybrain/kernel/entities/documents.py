# SPDX-License-Identifier: Apache-2.0
"""All current entities of all tenants, in memory; the database is the truth and is written before anybody is answered.

An attribute that is observed in columns (`Pool.observe`) is overlaid on the document when it is read: of the value in
the columns and the one in the document the one with the newer `observedAt` is shown. A write of such an attribute
through a document goes into the document, and into the history, like any other.
"""

import asyncio
import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.entities.attribute_names import AttributeName, AttributeNames
from citybrain.kernel.entities.document import (
    DEFAULT_TENANT,
    AttributeChange,
    Document,
    EntityChange,
)
from citybrain.kernel.entities.expiry import due_us, expired, unexpired
from citybrain.kernel.entities.keepable import check_keepable, check_key
from citybrain.kernel.entities.loading import blocks, take_in
from citybrain.kernel.entities.shelf import Shelf
from citybrain.kernel.entities.times import from_us, to_us
from citybrain.kernel.entities.writing import (
    SQL,
    Committer,
    HistoryRows,
    Notice,
    Row,
    Writing,
    past_row,
    time_of,
)
from citybrain.kernel.errors import NotFound, Unavailable

Watcher = Callable[[Sequence[EntityChange]], Sequence[Notice]]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Document).decode


class NoSuchTenant(NotFound):
    """There is no tenant of this name (CIM 009 clause 5.5.10: NonexistentTenant)."""


class Observed(Protocol):
    """The values of entities of the default tenant that arrive in columns."""

    def names(self, types: tuple[str, ...]) -> Collection[str]:
        """The attributes of these types that may have values in columns."""

    def over(self, document: Document) -> Document:
        """The document with the values of the columns where they are newer."""


class Documents:
    """Made by `Documents.open`; who writes is set by `write_by`. Reading is immediate, also of what is not committed.

    `hooks` are called with every change as soon as it counts in memory, before anybody else can read (indexes).
    `watchers` are asked next; what they answer is stored in the transaction of the change.
    `now` says the time when expired entities are left out.
    """

    def __init__(self, *, now: Callable[[], datetime] = utc_now) -> None:
        self.names = AttributeNames()
        self.hooks: list[Callable[[Sequence[EntityChange]], None]] = []
        self.watchers: list[Watcher] = []
        self.guards: list[Callable[[EntityChange], None]] = []
        self.observed: Observed | None = None
        self._now = now
        self._shelves: dict[str, Shelf] = {}
        self._nothing = Shelf()  # what a tenant that is not there has
        self._next_number = 1
        self._same_types: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._due: list[tuple[int, str, str]] = []
        self._committer: Committer | None = None

    @classmethod
    async def open(cls, db: Database, *, now: Callable[[], datetime] = utc_now) -> "Documents":
        """All entities as the database has them, fetched in blocks: the next one comes while one is taken in."""
        documents = cls(now=now)
        documents.names = AttributeNames(await db.read(SQL.names, as_=AttributeName))
        last = (await db.read(SQL.newest_number, as_=int))[0]
        documents._next_number = last + 1
        async for block in blocks(db, last):
            take_in(documents._shelf(block.tenant), block, documents._same_types)
            for id, at in zip(block.due_ids or (), block.due or (), strict=True):
                documents._set_due(block.tenant, id, to_us(at))
        return documents

    def write_by(self, committer: Committer | None) -> None:
        """From now on this one writes; None: nothing can be written."""
        self._committer = committer

    def get(self, tenant: str, id: str) -> Document | None:
        """An entity as it is now; None when there is none or it has expired."""
        shelf = self._shelves.get(tenant, self._nothing)
        slot = shelf.slots.get(id)
        body = None if slot is None else shelf.bodies[slot]
        return None if body is None else self._shown(tenant, shelf, id, body)

    def raw(self, tenant: str, id: str) -> bytes | None:
        """An entity as msgspec's JSON of its `Document`; None when there is none or it has expired."""
        shelf = self._shelves.get(tenant, self._nothing)
        slot = shelf.slots.get(id)
        body = None if slot is None else shelf.bodies[slot]
        if slot is None or body is None or (id not in shelf.due_us and not self._in_columns(tenant, shelf.types[slot])):
            return body
        document = self._shown(tenant, shelf, id, body)
        return None if document is None else _encode(document)

    def stored(self, tenant: str, id: str) -> Document | None:
        """An entity without what is observed in columns; None when there is none or it has expired."""
        body = self.kept(tenant, id)
        return None if body is None else self._unexpired(self._shelf(tenant), id, body)

    def kept(self, tenant: str, id: str) -> bytes | None:
        """The bytes kept of an entity, as they are: another object as soon as it has changed."""
        shelf = self._shelves.get(tenant, self._nothing)
        slot = shelf.slots.get(id)
        return None if slot is None else shelf.bodies[slot]

    def types(self, tenant: str, id: str) -> tuple[str, ...]:
        """The types of an entity without decoding it; none when there is none."""
        shelf = self._shelves.get(tenant, self._nothing)
        slot = shelf.slots.get(id)
        return () if slot is None else shelf.types[slot]

    def ids(self, tenant: str) -> Iterator[str]:
        """The ids of all entities of a tenant in order of creation."""
        return (id for id, _ in self._shelves.get(tenant, self._nothing).scan())

    def ids_of_type(self, tenant: str, type: str) -> Iterator[str]:
        """The ids of all entities of a type in order of creation."""
        return (id for id, _ in self._shelves.get(tenant, self._nothing).scan(type))

    def scan(self, tenant: str, type: str | None = None) -> Iterator[Document]:
        """All entities of a tenant, or those of a type, in order of creation; expired ones are left out."""
        shelf = self._shelves.get(tenant, self._nothing)
        for id, body in shelf.scan(type):
            document = self._shown(tenant, shelf, id, body)
            if document is not None:
                yield document

    def count(self, tenant: str, type: str | None = None) -> int:
        """How many entities a tenant has, of one type or in all. Never scans; those expired since a second count."""
        return self._shelves.get(tenant, self._nothing).count(type)

    def counts(self, tenant: str) -> dict[str, int]:
        """How many entities there are of each type that has any."""
        return {type: rack.count for type, rack in self._shelves.get(tenant, self._nothing).racks.items()}

    def shelf(self, tenant: str) -> Shelf:
        """The entities of a tenant by slot, to be read by indexes and changed by nobody."""
        return self._shelves.get(tenant, self._nothing)

    def tenants(self) -> Collection[str]:
        """All tenants that ever had anything, and the default one."""
        return {DEFAULT_TENANT, *self._shelves}

    def add_tenant(self, tenant: str) -> None:
        """A tenant is there as soon as anything is kept for it, also when that is no entity."""
        self._shelf(tenant)

    def check_tenant(self, tenant: str) -> None:
        """Refuses a tenant for which nothing was ever kept."""
        if tenant != DEFAULT_TENANT and tenant not in self._shelves:
            raise NoSuchTenant("kernel.no_such_tenant", {"tenant": tenant})

    def number(self, tenant: str, id: str) -> int | None:
        """The number that the history knows an entity by, also of one that is gone; None when there never was one."""
        return self._shelves.get(tenant, self._nothing).number(id)

    def claim(self, tenant: str, id: str) -> int:
        """The number of an entity; one that never was gets the next, and must be created before anybody else runs."""
        number = self._number(tenant, id)
        shelf = self._shelf(tenant)
        if id not in shelf.slots:
            shelf.past[id] = number
        return number

    def past_ids(self, tenant: str) -> Collection[str]:
        """The ids of entities that only the history knows."""
        return self._shelves.get(tenant, self._nothing).past.keys()

    def check(self, change: EntityChange) -> None:
        """Refuse a change that a guard refuses. Whoever makes changes for the outside asks first, one by one."""
        for guard in self.guards:
            guard(change)

    async def apply(self, changes: Sequence[EntityChange]) -> None:
        """Make changes, as one: visible at once, committed on return with history and notices.

        Nobody runs between the call and the changes being visible, so what was read just before still holds.
        """
        await self.put(changes)

    def reserve(self, instances: int) -> int:
        """Set numbers of attribute instances aside, for who makes rows of the history; answers with the first."""
        return self._writer().reserve(instances)

    def put(self, changes: Sequence[EntityChange], *, history: HistoryRows | None = None) -> asyncio.Future[None]:
        """Make changes, visible on return; the future is done when they are committed.

        The history gets a row for each attribute instance that changed, or, if given, the rows of `history`.
        """
        committer = self._writer()
        numbered = self._numbered(changes)
        kept = history or committer.history(numbered)
        rows = [self._row(change, number) for number, change in numbered]
        # All that can be refused was refused. From here on memory is ahead, and the writing follows whatever happens.
        for change, row in zip(changes, rows, strict=True):
            self._take(change, row)
        notices: list[Notice] = []
        try:
            for hook in self.hooks:
                hook(changes)
            for watcher in self.watchers:
                notices += watcher(changes)
        finally:
            committed = committer.commit(Writing(rows=rows, history=kept, notices=notices))
        return committed

    async def record(
        self, tenant: str, document: Document, attributes: Sequence[AttributeChange], *, at: datetime
    ) -> int:
        """Write attribute instances into the history alone; answers with the entity's number, committed.

        An entity that is not there becomes or stays one that only the history knows, with the types and scopes of
        `document`.
        """
        committer = self._writer()
        shelf = self._shelf(tenant)
        rows: list[Row] = []
        change = EntityChange(
            tenant=tenant, id=document.id, at=at, before=None, after=None, attributes=tuple(attributes)
        )
        ((number, _),) = self._numbered([change])
        history = committer.history([(number, change)])
        if document.id not in shelf.slots:
            rows.append(past_row(tenant, document, number, at))
            shelf.past[document.id] = number
        await committer.commit(Writing(rows=rows, history=history))
        return number

    async def forget(self, tenant: str, id: str) -> None:
        """Delete the whole history of an entity; of one that only the history knows, the entity too. Committed."""
        committer = self._writer()
        shelf = self._shelf(tenant)
        number = shelf.number(id)
        if number is not None:
            shelf.past.pop(id, None)
            await committer.commit(Writing(forgotten=[number]))

    async def expire(self, now: datetime) -> int:
        """Delete what has expired, as changes like any others; answers with how many entities that touched."""
        changes: list[EntityChange] = []
        now_us = to_us(now)
        while self._due and self._due[0][0] <= now_us:
            us, tenant, id = heapq.heappop(self._due)
            shelf = self._shelf(tenant)
            body = shelf.bodies[shelf.slots[id]] if shelf.due_us.get(id) == us else None
            if body is not None:
                changes.append(expired(tenant, _decode(body), now))
        if changes:
            await self.apply(changes)
        return len(changes)

    def _writer(self) -> Committer:
        if self._committer is None:
            raise Unavailable("kernel.journal_stopped", {"why": "closed"})
        self._committer.check()
        return self._committer

    def _shelf(self, tenant: str) -> Shelf:
        shelf = self._shelves.get(tenant)
        if shelf is None:
            shelf = self._shelves[tenant] = Shelf()
        return shelf

    def _shown(self, tenant: str, shelf: Shelf, id: str, body: bytes) -> Document | None:
        document = self._unexpired(shelf, id, body)
        if document is not None and self._in_columns(tenant, document.types):
            document = self.observed.over(document) if self.observed else document
        return document

    def _unexpired(self, shelf: Shelf, id: str, body: bytes) -> Document | None:
        document = _decode(body)
        return unexpired(document, to_us(self._now())) if id in shelf.due_us else document

    def _in_columns(self, tenant: str, types: tuple[str, ...]) -> bool:
        return self.observed is not None and tenant == DEFAULT_TENANT and bool(self.observed.names(types))

    def _number(self, tenant: str, id: str) -> int:
        """The number an entity has or had; the next one when it is new."""
        number = self._shelf(tenant).number(id)
        if number is None:
            check_key(tenant, id)
            number = self._next_number
            self._next_number += 1
        return number

    def _numbered(self, changes: Sequence[EntityChange]) -> list[tuple[int, EntityChange]]:
        """Changes with the numbers of their entities; one that comes several times has one number."""
        numbers: dict[tuple[str, str], int] = {}
        for change in changes:
            key = (change.tenant, change.id)
            if key not in numbers:
                numbers[key] = self._number(*key)
        return [(numbers[change.tenant, change.id], change) for change in changes]

    def _row(self, change: EntityChange, number: int) -> Row:
        """What is to be written of a changed entity."""
        if change.after is None:
            return past_row(change.tenant, change.before or Document(id=change.id, types=()), number, change.at)
        types = self._same_types.get(change.after.types)
        if types is None:
            check_keepable(*change.after.types)
            types = self._same_types[change.after.types] = change.after.types
        body = _encode(change.after)
        due = due_us(change.after, body)
        return Row(
            number=number,
            tenant=change.tenant,
            id=change.id,
            types=types,
            body=body,
            live=True,
            created_at=time_of(change.after.created_at, change.at),
            modified_at=time_of(change.after.modified_at, change.at),
            expires_at=None if due is None else from_us(due),
        )

    def _take(self, change: EntityChange, row: Row) -> None:
        """A change in memory."""
        shelf = self._shelf(change.tenant)
        if change.id in shelf.slots and (change.after is None or change.before is None):
            shelf.remove(change.id)
        if not row.live:
            shelf.past[change.id] = row.number
            return
        if change.id in shelf.slots:
            shelf.change(change.id, row.types, row.body)
        else:
            shelf.add(change.id, row.number, row.types, row.body)
        self._set_due(change.tenant, change.id, None if row.expires_at is None else to_us(row.expires_at))

    def _set_due(self, tenant: str, id: str, due: int | None) -> None:
        shelf = self._shelf(tenant)
        if due is None:
            shelf.due_us.pop(id, None)
        else:
            shelf.due_us[id] = due
            heapq.heappush(self._due, (due, tenant, id))
