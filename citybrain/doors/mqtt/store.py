# SPDX-License-Identifier: Apache-2.0
"""What the door keeps: messages that were not taken in, devices that are shut out, and how many came."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.records import Facts

# About a gigabyte at most, at the usual few kilobytes a message.
LETTERS_KEPT = 200_000


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    letter_add: str
    letters: str
    letters_by_id: str
    letters_remove: str
    letters_prune: str
    quarantine_add: str
    quarantine_end: str
    quarantines: str
    count_add: str
    counts: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not taken in, and why: `code` and `facts` make the sentence."""

    source: str
    topic: str
    entity_id: str
    payload: bytes
    code: str
    facts: Facts
    at: datetime
    id: int = 0


class Quarantine(msgspec.Struct, frozen=True, kw_only=True):
    """A device whose messages are not believed."""

    entity_id: str
    source: str
    code: str
    event_id: str
    since: datetime


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one source since ever; `waiting` messages can be replayed."""

    source: str
    taken: int
    refused: int
    too_many: int
    last_at: datetime
    waiting: int = 0
    quarantined: int = 0


async def add_letters(db: Database, letters: Sequence[Letter]) -> None:
    """Keep messages that were not taken in; committed on return. The oldest make room beyond `LETTERS_KEPT`."""
    async with db.transaction() as transaction:
        rows = [{name: getattr(each, name) for name in each.__struct_fields__ if name != "id"} for each in letters]
        await transaction.write_many(SQL.letter_add, rows)
        await transaction.write(SQL.letters_prune, {"kept": LETTERS_KEPT})


async def letters(db: Database, *, source: str | None, before: int | None, limit: int) -> list[Letter]:
    """Messages that were not taken in, the newest first; `before` goes on after a page."""
    return await db.read(SQL.letters, {"source": source, "before": before, "limit": limit}, as_=Letter)


async def letters_by_id(db: Database, ids: Sequence[int]) -> list[Letter]:
    """These messages, those that are still there, in the order they came."""
    return await db.read(SQL.letters_by_id, {"ids": list(ids)}, as_=Letter)


async def remove_letters(db: Database, ids: Sequence[int]) -> int:
    """Forget messages; answers with how many there were."""
    return await db.write(SQL.letters_remove, {"ids": list(ids)})


async def add_quarantine(db: Database, quarantine: Quarantine) -> None:
    """Keep that a device is shut out."""
    await db.write(SQL.quarantine_add, msgspec.structs.asdict(quarantine))


async def end_quarantine(db: Database, entity_id: str) -> str | None:
    """A device is believed again; answers with the id of the event that told of it, None when it was not shut out."""
    return await db.read_one(SQL.quarantine_end, {"entity_id": entity_id}, as_=str)


async def quarantines(db: Database) -> list[Quarantine]:
    """Every device that is shut out, the oldest first."""
    return await db.read(SQL.quarantines, as_=Quarantine)


async def add_count(db: Database, count: Count) -> None:
    """Add what came of a source."""
    params = {"source": count.source, "taken": count.taken, "refused": count.refused}
    await db.write(SQL.count_add, {**params, "too_many": count.too_many, "at": count.last_at})


async def counts(db: Database) -> list[Count]:
    """What came of each source."""
    return await db.read(SQL.counts, as_=Count)
