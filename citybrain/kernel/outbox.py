# SPDX-License-Identifier: Apache-2.0
"""The outbox: what readers must be told, written in the transaction of the records themselves.

The journal is its only writer and holds a lock on that, so ids are in order of commit and a reader that remembers
the last id it saw misses nothing.
"""

from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    outbox_since: str
    outbox_last_id: str
    outbox_prune: str


SQL = sql.load(Path(__file__).with_name("queries_outbox.sql"), Sql)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell: `payload` is JSON, ready to be sent."""

    id: int
    topic: str
    payload: str
    at: datetime


class Outbox:
    """Reads the outbox. Topics: `event` (an event with its note), `outcome`, `reading`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def since(self, after: int, *, topic: str | None = None, limit: int = 500) -> list[Told]:
        """What was told after an id, in order."""
        return await self._db.read(SQL.outbox_since, {"after": after, "topic": topic, "limit": limit}, as_=Told)

    async def last_id(self) -> int:
        """The id of what was told last, 0 when nothing was."""
        return await self._db.read_one(SQL.outbox_last_id, as_=int) or 0

    async def prune(self, *, before: datetime) -> int:
        """Forget what was told before a time of the clock; answers with how much that was."""
        return await self._db.write(SQL.outbox_prune, {"before": before})
