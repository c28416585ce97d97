# SPDX-License-Identifier: Apache-2.0
"""Group commit: one task writes, in order, whatever is waiting, as one transaction."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database, Session, Transaction
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.records import Facts

Entry = TypeVar("Entry")

# What may wait in memory while the database is slow or away; then `room` waits too.
ENTRIES_WAITING = 20_000
BYTES_WAITING = 64 * 2**20
ENTRIES_TOGETHER = 1_000
BYTES_TOGETHER = 8 * 2**20
LOCK_TRIES = 50  # a server needs a moment to notice that a killed writer is gone
LOCK_PAUSE_S = 0.1
FLUSH_WITHIN_S = 30.0
RETRY_FIRST_S = 0.1
RETRY_LAST_S = 5.0


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    writer_lock: str
    position_read: str
    position_write: str


SQL = sql.load(Path(__file__).with_name("queries_writer.sql"), Sql)


class Writer(Generic[Entry]):
    """Writes entries by `store`, in groups that are numbered: a group is written once, whatever the connection does.

    `prepare` is called before, outside the group's transaction, and may be called again for the same group. `load`
    goes first in the transaction, for what is copied; `store` may not copy, as its statements go out as one.
    """

    def __init__(
        self,
        db: Database,
        *,
        prepare: Callable[[Session, Sequence[Entry]], Awaitable[None]],
        load: Callable[[Transaction, Sequence[Entry]], Awaitable[None]],
        store: Callable[[Transaction, Sequence[Entry]], Awaitable[None]],
    ) -> None:
        self._db = db
        self._prepare, self._load, self._store = prepare, load, store
        self._queue: deque[tuple[Entry, int, asyncio.Future[None]]] = deque()
        self._bytes = 0
        self._position = 0
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._changed = asyncio.Event()
        self.trouble: Facts | None = None

    async def open(self) -> None:
        """Take the lock and begin. Refuses when another process writes to this database."""
        self._session = await self._take_over()
        self._position = await self._known_position(self._session)
        self._task = asyncio.create_task(self._write_for_ever(), name="journal")
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Write what is waiting, then stop. Raises `Unavailable` when that takes too long; it is lost then."""
        try:
            async with asyncio.timeout(FLUSH_WITHIN_S):
                while self._queue and not self._stopped:
                    await self._changed.wait()
        except TimeoutError:
            raise Unavailable("kernel.journal_not_flushed", {"waiting": self.waiting}) from None
        finally:
            if self._task:
                self._task.cancel()
                await asyncio.wait([self._task])
            if self._session:
                await self._session.close()

    @property
    def waiting(self) -> int:
        """How many entries are not yet committed."""
        return len(self._queue)

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return not self._stopped

    @property
    def _stopped(self) -> bool:
        return self._task is None or self._task.done()

    async def room(self) -> None:
        """Wait until there is room for one more entry."""
        while not self._stopped and (len(self._queue) >= ENTRIES_WAITING or self._bytes >= BYTES_WAITING):
            await self._changed.wait()

    def check(self) -> None:
        """Refuse when nothing can be written any more."""
        if self._stopped:
            raise Unavailable("kernel.journal_stopped", {"why": repr(self._failure())})

    def put(self, entry: Entry, *, size: int) -> asyncio.Future[None]:
        """Queue an entry of about `size` bytes; the future is done when it is committed."""
        self.check()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((entry, size, future))
        self._bytes += size
        self._woken.set()
        return future

    def _failure(self) -> BaseException | None:
        return self._task.exception() if self._task and self._task.done() and not self._task.cancelled() else None

    def _ended(self, _task: asyncio.Task[None]) -> None:
        """The task stops when it is closed, or by a bug: then nobody who waits may think it was written."""
        failure = self._failure()
        for _, _, future in self._queue:
            if failure and not future.done():
                future.set_exception(failure)
            else:
                future.cancel()
        self._changed.set()

    async def _write_for_ever(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._queue:
                group = self._next_group()
                await self._write_surely(group)
                self._forget(len(group))

    def _next_group(self) -> list[Entry]:
        """What is written together. It stays in the queue until it is committed."""
        group: list[Entry] = []
        together = 0
        for entry, size, _ in self._queue:
            if group and (len(group) >= ENTRIES_TOGETHER or together + size > BYTES_TOGETHER):
                break
            group.append(entry)
            together += size
        return group

    def _forget(self, count: int) -> None:
        for _ in range(count):
            _, size, future = self._queue.popleft()
            self._bytes -= size
            if not future.done():
                future.set_result(None)
        self._changed.set()
        self._changed = asyncio.Event()

    async def _write_surely(self, group: list[Entry]) -> None:
        """Commit a group once. After a lost connection the position tells whether the commit got through."""
        number = self._position + 1
        pause_s = RETRY_FIRST_S
        while self._position < number:
            try:
                if self._session is None:
                    self._session = await self._take_over()
                    self._position = await self._known_position(self._session)
                    continue
                await self._write(self._session, group, number)
            except Unavailable as lost:
                self.trouble = {"code": lost.code, **lost.facts}
                if self._session:
                    await self._session.close()
                self._session = None
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, RETRY_LAST_S)
            else:
                self._position = number
        self.trouble = None

    async def _write(self, session: Session, group: list[Entry], number: int) -> None:
        await self._prepare(session, group)
        async with session.begin() as transaction:
            await self._load(transaction, group)
            async with transaction.pipelined():
                await self._store(transaction, group)
                await transaction.write(SQL.position_write, {"number": number})

    async def _take_over(self) -> Session:
        """A connection that holds the writer's lock; the lock goes with the connection."""
        session = await self._db.session()
        try:
            for _ in range(LOCK_TRIES):
                async with session.begin() as transaction:
                    if (await transaction.read(SQL.writer_lock, as_=bool))[0]:
                        return session
                await asyncio.sleep(LOCK_PAUSE_S)
        except BaseException:
            await session.close()
            raise
        await session.close()
        raise Unavailable("kernel.database_in_use", {})

    async def _known_position(self, session: Session) -> int:
        async with session.begin() as transaction:
            return (await transaction.read(SQL.position_read, as_=int))[0]
