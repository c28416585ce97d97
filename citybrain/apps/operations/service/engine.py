# SPDX-License-Identifier: Apache-2.0
"""The engine of playbooks: it hears of committed events, opens runs, and moves their lines until all is done.

The tables are the truth. What it decided is committed before it is done, and an order has the key of its line: so a
kill at any moment loses none and gives none twice.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog

from citybrain.apps.operations.service import checking, following, intake, ordering
from citybrain.apps.operations.service.open_runs import OpenRuns
from citybrain.apps.operations.service.operations import Operations
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Event, Outcome

TICK = timedelta(seconds=0.5)
"""So often it is looked at what time alone decides: conditions, limits, promises."""
PAUSE = timedelta(seconds=1)
YIELD_EVERY = 100

log = structlog.get_logger()


class Engine:
    """One per city. `lock` is held by whoever changes a run: the engine itself, or an officer's act."""

    def __init__(self, operations: Operations) -> None:
        self.under_way = OpenRuns(operations)
        self.lock = asyncio.Lock()
        self._delivery = operations.store.orders.delivery
        self._answered: set[str] = set()
        self._heard = True
        self._woken = asyncio.Event()

    async def open(self, now: datetime) -> None:
        """Take up what is under way, and look what became of it while nobody heard."""
        await self.under_way.load(now)
        self._answered |= set(self.under_way.of_order)

    def hear(self, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Something was committed; it is looked at by the next round, which begins at once."""
        ours, given = self.under_way.of_order, self._delivery.under_way
        answered = {each.order_id for each in outcomes if each.order_id in ours or each.order_id in given}
        self._answered |= answered
        self._heard = self._heard or bool(events)
        if events or answered:
            self._woken.set()

    async def work(self) -> None:
        """Round after round, until cancelled. The edge of a job: what is refused now is tried in the next round."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK.total_seconds()):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self.round(utc_now())
            except Refusal as refusal:
                log.warning("playbooks_wait", code=refusal.code, facts=dict(refusal.facts))
                await asyncio.sleep(PAUSE.total_seconds())
            except Exception as bug:
                # A bug in one run must not end the handling of all others; it is told loudly each time.
                log.exception("bug", error=repr(bug))
                await asyncio.sleep(PAUSE.total_seconds())

    async def round(self, now: datetime) -> None:
        """Take in what was committed, then do what is due. What fails half-way is done by the next round."""
        async with self.lock:
            heard, self._heard = self._heard, False
            answered, self._answered = self._answered, set()
            try:
                if heard:
                    await intake.take_events(self.under_way, now)
                await ordering.settle(self.under_way, answered, now)
            except BaseException:
                self._heard = self._heard or heard
                self._answered |= answered
                raise
            await following.follow(self.under_way)
            await checking.look(self.under_way, now)
            for number, run in enumerate(list(self.under_way.runs.values()), start=1):
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
                await ordering.turn(self.under_way, run, now)


@asynccontextmanager
async def working(operations: Operations) -> AsyncIterator[Engine]:
    """An engine at work, until the city stops."""
    engine = Engine(operations)
    operations.store.journal.committed.append(engine.hear)
    await engine.open(utc_now())
    task = asyncio.create_task(engine.work(), name="playbooks")
    try:
        yield engine
    finally:
        operations.store.journal.committed.remove(engine.hear)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
