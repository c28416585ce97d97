# SPDX-License-Identifier: Apache-2.0
"""Questions about cases kept under a name: for their owner alone, or for all of a department."""

from pathlib import Path

import msgspec
from msgspec.structs import replace

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import reach, require
from citybrain.kernel.cases.counting import Counting
from citybrain.kernel.cases.query import CaseQuery, check_query
from citybrain.kernel.cases.refusals import NoSuchQueue
from citybrain.kernel.cases.rights import ASSIGN, VIEW, seen
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Conflict, Invalid
from citybrain.kernel.records import Facts

NAME_LENGTH = 100
AT_MOST = 100  # of one owner


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    queue_insert: str
    queues: str
    queue_of: str
    queues_counted: str
    queue_update: str
    queue_delete: str


SQL = sql.load(Path(__file__).with_name("queries_queues.sql"), Sql)


class QueueChanged(Conflict):
    """Somebody else changed the question; the facts hold the newer version."""


class QueueUnusable(Invalid):
    """A question without a name, with too long a one, or one too many."""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A kept question. `department`: all who see its cases have it too; `count` where counts can say it."""

    id: int = 0
    owner: str = ""
    department: str | None = None
    name: str
    query: CaseQuery
    version: int = 0
    count: int | None = None
    may_change: bool = False


class Queues:
    """The kept questions of one city."""

    def __init__(self, db: Database, counting: Counting) -> None:
        self._db = db
        self._counting = counting

    async def keep(self, actor: Actor, queue: Queue) -> Queue:
        """Keep a question under a name; for a department that needs `case.assign` there."""
        self._check(actor, queue)
        if (await self._db.read(SQL.queues_counted, {"owner": actor.account}, as_=int))[0] >= AT_MOST:
            raise QueueUnusable("kernel.case_queues_too_many", {"limit": AT_MOST})
        params = {"owner": actor.account, **_params(queue)}
        id = (await self._db.read(SQL.queue_insert, params, as_=int))[0]
        return await self._told(actor, replace(queue, id=id, owner=actor.account, version=1))

    async def change(self, actor: Actor, queue: Queue) -> Queue:
        """Change a question by its id: one's own, or a department's with `case.assign`. Refuses `QueueChanged`."""
        before = await self._changeable(actor, queue.id)
        self._check(actor, queue)
        params = {"id": queue.id, "version": queue.version, "by": actor.account, **_params(queue)}
        if not await self._db.write(SQL.queue_update, params):
            newer = await self._changeable(actor, queue.id)
            raise QueueChanged("kernel.case_queue_changed", {"id": queue.id, "version": newer.version})
        return await self._told(actor, replace(queue, owner=before.owner, version=queue.version + 1))

    async def forget(self, actor: Actor, id: int) -> None:
        """Forget a question: one's own, or a department's with `case.assign` there."""
        await self._changeable(actor, id)
        await self._db.write(SQL.queue_delete, {"id": id})

    async def of(self, actor: Actor) -> list[Queue]:
        """The questions that somebody kept, and those of their departments, by name, with what each finds."""
        found = reach(actor, VIEW)
        params = {"owner": actor.account, "departments": sorted(found.departments), "all": found.all}
        return [await self._told(actor, each) for each in await self._db.read(SQL.queues, params, as_=Queue)]

    async def _told(self, actor: Actor, queue: Queue) -> Queue:
        """With how many cases it finds for the actor, if counts can say it."""
        count = await self._counting.total(queue.query, seen(actor))
        return replace(queue, count=count, may_change=_may_change(actor, queue))

    async def _changeable(self, actor: Actor, id: int) -> Queue:
        found = await self._db.read_one(SQL.queue_of, {"id": id}, as_=Queue)
        if found is None or not _may_change(actor, found):
            raise NoSuchQueue("kernel.no_such_case_queue", {"id": id})
        return found

    def _check(self, actor: Actor, queue: Queue) -> None:
        require(actor, VIEW)
        if queue.department is not None:
            require(actor, ASSIGN, department=queue.department)
        if not 0 < len(queue.name.strip()) <= NAME_LENGTH:
            raise QueueUnusable("kernel.case_queue_name", {"limit": NAME_LENGTH})
        check_query(queue.query)


def _may_change(actor: Actor, queue: Queue) -> bool:
    if queue.department is None:
        return queue.owner == actor.account
    return reach(actor, ASSIGN).covers(queue.department)


def _params(queue: Queue) -> Facts:
    query: Facts = msgspec.to_builtins(queue.query)
    return {"department": queue.department, "name": queue.name.strip(), "query": query}
