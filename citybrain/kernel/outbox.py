# SPDX-License-Identifier: Apache-2.0
"""The outbox: what readers must be told, written in the transaction of the records themselves.

Of most topics the journal is the only writer and holds a lock on that, so ids are in order of commit and a reader that
remembers the last id it saw misses nothing. Topics that many write at once are told by the number of the transaction,
all of one transaction together, once it and every older one are over: such a reader misses nothing either.
"""

from collections.abc import Sequence
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
    outbox_shared_since: str
    outbox_shared_last_id: str
    outbox_shared_prune: str


SQL = sql.load(Path(__file__).with_name("queries_outbox.sql"), Sql)


SHARED = frozenset({"case"})
"""Topics that many write at once."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell: `payload` is JSON, ready to be sent."""

    id: int
    topic: str
    payload: str
    at: datetime


class Outbox:
    """Reads the outbox. Topics: `event` (an event with its note), `alarm` (somebody did something with an event: its
    id), `outcome`, `reading`, and `case` (an act on a case).

    Ids of shared topics are those of their own: several rows have one, and they are not compared with others'.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    async def since(
        self, after: int, *, topic: str | None = None, topics: Sequence[str] = (), limit: int = 500
    ) -> list[Told]:
        """What was told after an id, in order: of a topic, or of several of the journal's, or of all that are its own.

        Of shared topics it may be more than `limit`.
        """
        if topic in SHARED:
            shared = {"after": after, "topic": topic, "limit": limit}
            return await self._db.read(SQL.outbox_shared_since, shared, as_=Told)
        wanted = [topic] if topic else list(topics) or None
        return await self._db.read(SQL.outbox_since, {"after": after, "topics": wanted, "limit": limit}, as_=Told)

    async def last_id(self, *, topic: str | None = None) -> int:
        """The id of what was told last, 0 when nothing was. Of a shared topic one after which nothing is told yet."""
        if topic in SHARED:
            return (await self._db.read(SQL.outbox_shared_last_id, as_=int))[0]
        return await self._db.read_one(SQL.outbox_last_id, as_=int) or 0

    async def prune(self, *, before: datetime) -> int:
        """Forget what was told before a time of the clock; answers with how much that was."""
        shared = await self._db.write(SQL.outbox_shared_prune, {"before": before})
        return shared + await self._db.write(SQL.outbox_prune, {"before": before})
