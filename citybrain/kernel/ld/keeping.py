# SPDX-License-Identifier: Apache-2.0
"""Contexts in memory and in the database: what is added is committed on return, what is used is noted in time."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

import msgspec
import structlog

from citybrain.kernel.db import Database
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.sql import load

NOTE_EVERY_S = 2.0
IMPLICIT_KEPT = 10_000

log = structlog.get_logger()


class Kind(StrEnum):
    """Where a context came from (CIM 009 clause 5.13.1)."""

    HOSTED = "Hosted"
    CACHED = "Cached"
    IMPLICIT = "ImplicitlyCreated"


class Kept(msgspec.Struct, kw_only=True):
    """A kept context with its document. What changes of it is its use, and its body when it is fetched again."""

    tenant: str
    id: str
    kind: Kind
    url: str
    body: bytes
    created_at: datetime
    used_at: datetime | None = None
    hits: int = 0
    is_noted: bool = True

    def use(self, now: datetime) -> None:
        """Count one use."""
        self.hits += 1
        self.used_at = now
        self.is_noted = False


class Queries(msgspec.Struct, frozen=True):
    """The SQL of kept contexts."""

    kept: str
    keep: str
    note_use: str
    forget: str


SQL = load(Path(__file__).parent / "queries.sql", Queries)


class Keeping:
    """All kept contexts, by tenant and identifier."""

    def __init__(self, db: Database, kept: Iterable[Kept]) -> None:
        self._db = db
        self._by_tenant: dict[str, dict[str, Kept]] = {}
        self._wanted: dict[tuple[str, str], Kept] = {}
        for each in kept:
            self._remember(each)
        self._wake = asyncio.Event()
        self._noting = asyncio.create_task(self._note_always())

    @classmethod
    async def open(cls, db: Database) -> Self:
        """Read what the database has, and begin to note uses."""
        return cls(db, await db.read(SQL.kept, as_=Kept))

    async def close(self) -> None:
        """Note the last uses."""
        self._noting.cancel()
        await asyncio.gather(self._noting, return_exceptions=True)
        await self._note()

    def get(self, tenant: str, name: str) -> Kept | None:
        """One by its identifier."""
        found = self._by_tenant.get(tenant)
        return found.get(name) if found else None

    def of_any_tenant(self, name: str) -> Kept | None:
        """One by its identifier, whoever has it."""
        return next((found[name] for found in self._by_tenant.values() if name in found), None)

    def all(self, tenant: str) -> list[Kept]:
        """Those of a tenant, the oldest first."""
        return list(self._by_tenant.get(tenant, {}).values())

    async def keep(self, kept: Kept) -> None:
        """Keep one; it is committed on return."""
        await self._db.write(SQL.keep, _row(kept))
        self._remember(kept)

    def want(self, kept: Kept) -> None:
        """Keep one that was just named to somebody: known at once, and committed as soon as may be."""
        known = self._by_tenant.setdefault(kept.tenant, {})
        if kept.id not in known:
            known[kept.id] = kept
            self._wanted[kept.tenant, kept.id] = kept
            self._wake.set()

    async def forget(self, kept: Kept) -> None:
        """Delete one."""
        self._wanted.pop((kept.tenant, kept.id), None)
        await self._db.write(SQL.forget, {"tenant": kept.tenant, "id": kept.id})
        self._by_tenant.get(kept.tenant, {}).pop(kept.id, None)

    def _remember(self, kept: Kept) -> None:
        self._by_tenant.setdefault(kept.tenant, {})[kept.id] = kept

    async def _note_always(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), NOTE_EVERY_S)
            self._wake.clear()
            try:
                await self._note()
            except Unavailable as refusal:
                log.warning("contexts_not_noted", code=refusal.code)

    async def _note(self) -> None:
        wanted, self._wanted = self._wanted, {}
        used = [kept for found in self._by_tenant.values() for kept in found.values() if not kept.is_noted]
        if not wanted and not used:
            return
        for kept in used:
            kept.is_noted = True
        try:
            async with self._db.transaction() as transaction:
                await transaction.write_many(SQL.keep, [_row(kept) for kept in wanted.values()])
                await transaction.write_many(SQL.note_use, [_row(kept) for kept in used])
        except BaseException:
            self._wanted = {**wanted, **self._wanted}
            for kept in used:
                kept.is_noted = False
            raise
        await self._drop_surplus()

    async def _drop_surplus(self) -> None:
        """Contexts made of requests are told by the same name again when they come again: the idlest may go."""
        for found in list(self._by_tenant.values()):
            implicit = [kept for kept in found.values() if kept.kind is Kind.IMPLICIT]
            surplus = len(implicit) - IMPLICIT_KEPT
            for kept in sorted(implicit, key=lambda kept: kept.used_at or kept.created_at)[: max(surplus, 0)]:
                await self.forget(kept)


def _row(kept: Kept) -> dict[str, object]:
    return {
        "tenant": kept.tenant,
        "id": kept.id,
        "kind": kept.kind.value,
        "url": kept.url,
        "body": kept.body,
        "created_at": kept.created_at,
        "used_at": kept.used_at,
        "hits": kept.hits,
    }
