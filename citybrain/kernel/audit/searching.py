# SPDX-License-Identifier: Apache-2.0
"""Looking into the log, and taking it out of the city whole."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction

PAGE = 100
LONGEST_PAGE = 1_000


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    entries_search: str
    entries_between: str
    entry_link: str


SQL = sql.load(Path(__file__).with_name("queries_search.sql"), Sql)


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; all that is said must fit.

    `actor` also finds what was done on behalf of that account, `act` a whole group (`case` finds `case.move`), `words`
    anything in object or facts, all of the words. `before` is the id that the page before ended with.
    """

    actor: str | None = None
    act: str | None = None
    object: str | None = None
    department: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    before: int | None = None
    limit: int = PAGE


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as the audit power sees it; `position` is null until it is in the chain."""

    id: int
    position: int | None
    at: datetime
    actor: str
    actor_kind: str
    on_behalf_of: str | None
    act: str
    object: str
    department: str | None
    facts: str


class AuditLink(msgspec.Struct, frozen=True, kw_only=True):
    """An entry's place in the chain: its hash and the one before it (hex), and the first seal that covers it."""

    position: int
    family: str
    hash: str
    before: str | None
    sealed_position: int | None
    sealed_at: datetime | None
    key_number: int | None


async def link_of(db: Database, id: int) -> AuditLink | None:
    """Where an entry stands in the chain; None while it waits to get there, which takes a second."""
    return await db.read_one(SQL.entry_link, {"id": id}, as_=AuditLink)


async def search(transaction: Transaction, query: AuditQuery) -> list[AuditEntry]:
    """The newest entries that fit, newest first."""
    params = msgspec.structs.asdict(query)
    params["words"] = [f"%{_literal(word)}%" for word in query.words.split()] or None
    params["limit"] = max(1, min(query.limit, LONGEST_PAGE))
    return await transaction.read(SQL.entries_search, params, as_=AuditEntry)


async def export(db: Database, *, since: datetime | None = None, until: datetime | None = None) -> AsyncIterator[bytes]:
    """The chained entries of a time as JSON lines, each with its hash, so that others can verify it elsewhere."""
    names = ("position", "family", "hash", "id", "at", "actor", "actor_kind", "on_behalf_of", "act", "object")
    async for rows in db.stream(SQL.entries_between, {"since": since, "until": until}):
        lines = [dict(zip((*names, "department", "facts"), row, strict=True)) for row in rows]
        yield b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
