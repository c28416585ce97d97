# SPDX-License-Identifier: Apache-2.0
"""Tells subscribers: at least once, in order for each, and the slow ones do not hold up the others."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.ending import end_all
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.subscriptions import store
from citybrain.kernel.subscriptions.carriers import Carried, Carriers, Message
from citybrain.kernel.subscriptions.line import SLOW_S, Line
from citybrain.kernel.subscriptions.notice import Notice
from citybrain.kernel.subscriptions.subscription import Why

# How many notifications are under way at once: of subscribers that answer soon, and of the others.
QUICK_AT_ONCE = 256
SLOW_AT_ONCE = 64
# How long it may take until the database knows that something was told. What is told in this time before a crash is
# told again after it.
FLUSH_S = 0.1
RETRY_S = 1.0
# What is kept of bodies in memory; beyond it they wait on the disk alone.
BYTES_KEPT = 64 * 2**20
LAST_CHANCE_S = 5.0

log = structlog.get_logger()

Compose = Callable[[Line, Sequence[bytes]], Message]


class Delivery:
    """The lines of all subscriptions. `compose` makes a message of the bodies of notices."""

    def __init__(self, db: Database, carriers: Carriers, compose: Compose) -> None:
        self._db = db
        self._carriers = carriers
        self._compose = compose
        self.lines: dict[int, Line] = {}
        self._quick = asyncio.Semaphore(QUICK_AT_ONCE)
        self._slow = asyncio.Semaphore(SLOW_AT_ONCE)
        self._bytes = 0
        self._dirty: set[int] = set()
        self._done: list[int] = []
        self._stirred = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._is_closed = False

    def open(self) -> None:
        """Begin to write down what was told."""
        self._flusher = asyncio.create_task(self._flush_for_ever(), name="notifications")

    async def close(self) -> None:
        """Stop telling, and write down how far it got. What is committed from now on waits for the next start."""
        self._is_closed = True
        await end_all(line.task for line in self.lines.values() if line.task)
        if self._flusher:
            self._flusher.cancel()
            await asyncio.wait([self._flusher])
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(LAST_CHANCE_S):
                await self._flush()

    def put(self, notices: Iterable[Notice]) -> None:
        """Tell of committed notices, each to the lines it names, behind what waits there."""
        if self._is_closed:
            return
        for notice in notices:
            lines = [self.lines[number] for number in notice.subscriptions if number in self.lines]
            notice.left = len(lines)
            if not lines:
                notice.body = None
                self._forget([notice])
                continue
            self._keep(notice)
            for line in lines:
                line.waiting.append(notice)
                self.stir(line)

    def stir(self, line: Line) -> None:
        """Let a line go on if it may."""
        line.wake()
        if line.waiting and (line.task is None or line.task.done()):
            line.task = asyncio.create_task(self._run(line))

    def drop(self, line: Line) -> None:
        """A subscription is gone: nothing more is told to it."""
        self._forget(line.abandon())
        self._dirty.discard(line.one.subscription.number)
        if line.task:
            line.task.cancel()

    async def send(self, line: Line, message: Message) -> Carried:
        """Carry one message in the lane of its line."""
        lane = self._slow if line.is_slow or line.health.is_failing else self._quick
        async with lane:
            begun_s = monotonic_s()
            line.set_out(utc_now())
            carried = await self._carriers.carry(line.one.subscription.params.endpoint, message)
            line.is_slow = monotonic_s() - begun_s > SLOW_S
        line.note(carried, now=utc_now(), monotonic_s=monotonic_s())
        self.mark(line)
        return carried

    def mark(self, line: Line) -> None:
        """The database is to know what became of a line."""
        if not line.is_gone:
            self._dirty.add(line.one.subscription.number)
            self._stirred.set()

    async def _run(self, line: Line) -> None:
        """Tell what waits in one line, in order, until nothing waits."""
        while line.waiting:
            pause_s = line.may_go_in(utc_now(), monotonic_s())
            if pause_s is None or pause_s > 0:
                await line.rest(pause_s)
                continue
            group = line.group()
            told = line.newest(group)
            bodies = await self._bodies(told)
            carried = await self._tell(line, bodies)
            if line.is_gone:
                return
            if carried.why is None:
                self._forget(line.pass_over(group))
            else:
                await self._bury(line, line.dying(carried, group), utc_now())

    async def _tell(self, line: Line, bodies: Sequence[bytes]) -> Carried:
        """Send one message. One that cannot be made is a bug; it is logged and dies like one that is refused, so that
        it does not hold up the others."""
        try:
            message = self._compose(line, bodies)
        except Exception as error:
            log.exception("bug", subscription=line.one.subscription.id)
            carried = Carried(Why("kernel.notify_unmakeable", {"why": repr(error)}), is_refused=True)
            line.set_out(utc_now())
            line.note(carried, now=utc_now(), monotonic_s=monotonic_s())
            self.mark(line)
            return carried
        return await self.send(line, message)

    async def _bodies(self, notices: Sequence[Notice]) -> list[bytes]:
        missing = [each.number for each in notices if each.body is None]
        fetched: dict[int, bytes] = {}
        while missing and not fetched:
            try:
                fetched = await store.bodies(self._db, missing)
            except Unavailable:
                await asyncio.sleep(RETRY_S)
        return [fetched[each.number] if each.body is None else each.body for each in notices]

    async def _bury(self, line: Line, dying: list[Notice], now: datetime) -> None:
        """Move notices that were tried often enough to the dead letters, at once with how far the line got."""
        if not dying:
            return
        number, health = line.one.subscription.number, line.health
        numbers = [each.number for each in dying]
        while not line.is_gone:
            try:
                async with self._db.transaction() as transaction:
                    await store.bury(transaction, number, numbers, tries=health.tries, why=health.why, at=now)
                    progress = store.Progress(number=number, told_until=numbers[-1], health=health)
                    await store.write_progress(transaction, [progress], [])
                break
            except Unavailable:
                await asyncio.sleep(RETRY_S)
        else:
            return
        health.dead += len(dying)
        # The next one is a new notification, tried from the beginning, but no sooner than this one would have been.
        health.tries = 0
        self._forget(line.pass_over(dying))
        self.mark(line)

    def _keep(self, notice: Notice) -> None:
        if notice.body is None:
            return
        if self._bytes + notice.size > BYTES_KEPT:
            notice.body = None
        else:
            self._bytes += notice.size

    def _forget(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.body is not None:
                self._bytes = max(0, self._bytes - notice.size)
            self._done.append(notice.number)
        if notices:
            self._stirred.set()

    async def _flush_for_ever(self) -> None:
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            try:
                await self._flush()
            except Unavailable:
                self._stirred.set()
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(FLUSH_S)

    async def _flush(self) -> None:
        """Write how far each line got, and forget what all were told, as one."""
        dirty, self._dirty = self._dirty, set()
        done, self._done = self._done, []
        lines = [self.lines[number] for number in sorted(dirty) if number in self.lines]
        progress = [
            store.Progress(number=line.one.subscription.number, told_until=line.told_until, health=line.health)
            for line in lines
        ]
        if not progress and not done:
            return
        try:
            async with self._db.transaction() as transaction:
                await store.write_progress(transaction, progress, done)
        except BaseException:
            self._dirty |= dirty
            self._done = done + self._done
            raise
