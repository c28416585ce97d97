# SPDX-License-Identifier: Apache-2.0
"""Entities as they were at one time, kept apart: what is told of them in memory, themselves in the database."""

import zlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import Document
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.records import Json

# Snapshots in use are read again and again; those at rest need no memory.
IN_MEMORY = 8
USUAL_PRIORITY = 5

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Document]).decode


class AlreadyExists(Conflict):
    """There is a snapshot with this id."""


class ResourceNotFound(NotFound):
    """There is no snapshot with this id."""


class Status(StrEnum):
    """How far a snapshot is (table 5.2.41-1)."""

    PREPARING = "preparing"
    SUCCESS = "success"
    PARTIAL = "partial"
    EMPTY = "empty"
    FAILED = "failed"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told of one snapshot (clause 5.2.41); `queries` as they were given, `results` one word for each."""

    id: str
    tenant: str
    queries: tuple[Json, ...]
    status: Status = Status.PREPARING
    results: tuple[Status, ...] = ()
    priority: int = USUAL_PRIORITY
    expires_at: str = ""
    created_at: str = ""
    modified_at: str = ""
    last_used_at: str = ""


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    all: str
    put: str
    put_about: str
    entities: str
    remove: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


class Snapshots:
    """All snapshots of all tenants."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[tuple[str, str], Snapshot] = {}
        self._read: OrderedDict[tuple[str, str], Mapping[str, Document]] = OrderedDict()

    @classmethod
    async def open(cls, db: Database) -> Self:
        """All that the database holds; one that was still being made has failed."""
        snapshots = cls(db)
        for (about,) in await db.rows(SQL.all):
            found = msgspec.json.decode(bytes(about), type=Snapshot)
            if found.status is Status.PREPARING:
                found = msgspec.structs.replace(found, status=Status.FAILED)
            snapshots._known[found.tenant, found.id] = found
        return snapshots

    def get(self, tenant: str, id: str, now: datetime) -> Snapshot:
        """What is told of one; refuses an unknown one, and one that has expired counts as that."""
        found = self._known.get((tenant, id))
        if found is None or (found.expires_at and datetime.fromisoformat(found.expires_at) <= now):
            raise ResourceNotFound("kernel.no_such_snapshot", {"id": id})
        return found

    def all(self, tenant: str) -> Collection[Snapshot]:
        """Those of a tenant, in the order in which they were made."""
        return [found for (owner, _), found in self._known.items() if owner == tenant]

    async def create(self, snapshot: Snapshot, documents: Collection[Document], now: datetime) -> None:
        """Keep a new one; refuses an id that is taken."""
        if (snapshot.tenant, snapshot.id) in self._known:
            raise AlreadyExists("kernel.snapshot_exists", {"id": snapshot.id})
        await self._write(snapshot, documents, now)

    async def fill(self, snapshot: Snapshot, documents: Collection[Document], now: datetime) -> None:
        """Put the entities into one that is being made; one that was deleted meanwhile stays deleted."""
        if (snapshot.tenant, snapshot.id) in self._known:
            await self._write(snapshot, documents, now)

    async def update(self, snapshot: Snapshot) -> None:
        """Change what is told of one; its entities stay."""
        where = {"tenant": snapshot.tenant, "id": snapshot.id}
        await self._db.write(SQL.put_about, {**where, "about": _encode(snapshot)})
        self._known[snapshot.tenant, snapshot.id] = snapshot

    async def delete(self, tenant: str, id: str) -> None:
        """Forget one with its entities."""
        await self._db.write(SQL.remove, {"tenant": tenant, "id": id})
        self._known.pop((tenant, id), None)
        self._read.pop((tenant, id), None)

    async def documents(self, tenant: str, id: str) -> Mapping[str, Document]:
        """The entities of one, by id, in their order."""
        found = self._read.get((tenant, id))
        if found is None:
            rows = await self._db.rows(SQL.entities, {"tenant": tenant, "id": id})
            several = _decode(zlib.decompress(bytes(rows[0][0]))) if rows else []
            found = {document.id: document for document in several}
            self._read[tenant, id] = found
            while len(self._read) > IN_MEMORY:
                self._read.popitem(last=False)
        else:
            self._read.move_to_end((tenant, id))
        return found

    async def _write(self, snapshot: Snapshot, documents: Collection[Document], now: datetime) -> None:
        params = {
            "tenant": snapshot.tenant,
            "id": snapshot.id,
            "created_at": now,
            "about": _encode(snapshot),
            "entities": zlib.compress(_encode(list(documents)), 1),
        }
        await self._db.write(SQL.put, params)
        self._known[snapshot.tenant, snapshot.id] = snapshot
        self._read.pop((snapshot.tenant, snapshot.id), None)
