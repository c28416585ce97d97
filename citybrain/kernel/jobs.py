# SPDX-License-Identifier: Apache-2.0
"""Scheduled work on procrastinate, in the city's own database; the first of it is forgetting what is old."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import procrastinate

from citybrain.kernel import sql
from citybrain.kernel.access import Access
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.outbox import Outbox
from citybrain.kernel.pool.retention import keep_to_policies

RETENTION_CRON = "17 * * * *"  # off the full hour, when everybody else's jobs run
OUTBOX_LASTS = timedelta(days=1)  # a reader that was away for longer reads the state anew
STOP_WITHIN_S = 5.0
MACHINE = "brain"  # Order.by of what nobody ordered in person


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    jobs_lock: str
    jobs_schema_present: str
    history_drop: str
    batches_drop: str
    outcomes_drop: str
    orders_drop: str
    newest_city_time: str


SQL = sql.load(Path(__file__).with_name("queries_jobs.sql"), Sql)


async def forget_old(db: Database, access: Access, *, keep_days: int, now: datetime) -> int:
    """Retention: drop whole days of history, prune outbox, sessions and attempts; answers with the days dropped.

    What feeds observed goes after `keep_days`; what came through the API stays as long as its own policies say.

    Age is counted in city time from the newest batch, so a simulated city keeps as much as a real one.
    Orders of the machine go with the observations they rest on. Events, readings and what people ordered stay: they
    are few, and they are the record of what was done.
    """
    await Outbox(db).prune(before=now - OUTBOX_LASTS)
    await access.prune(now=now)
    newest = await db.read_one(SQL.newest_city_time, as_=datetime)
    await keep_to_policies(db, now=newest or now)
    if newest is None:
        return 0
    first_day = newest.date() - timedelta(days=keep_days)
    dropped = await db.read_one(SQL.history_drop, {"day": first_day}, as_=int)
    await db.write(SQL.batches_drop, {"day": first_day})
    machine = {"day": first_day, "by": MACHINE}
    await db.write(SQL.outcomes_drop, machine)
    await db.write(SQL.orders_drop, machine)
    return dropped or 0


class Chore(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done again and again: by a cron line, and once at the start. It gets the time of the clock."""

    name: str
    cron: str
    do: Callable[[datetime], Awaitable[object]]


class Jobs:
    """A small worker in the same event loop. It shares the connections of the database."""

    def __init__(self, db: Database, app: procrastinate.App) -> None:
        self._db = db
        self._app = app
        self._worker: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, db: Database, access: Access, *, keep_days: int, chores: Sequence[Chore] = ()) -> "Jobs":
        """Make the queue's tables if they are missing, forget what is old now and every hour, and begin to work."""
        app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        for chore in chores:
            await chore.do(utc_now())
            _repeat(app, chore)

        @app.periodic(cron=RETENTION_CRON)
        @app.task(name="kernel.forget_old", queueing_lock="kernel.forget_old")
        async def retention(timestamp: int) -> None:
            await forget_old(db, access, keep_days=keep_days, now=utc_now())

        await forget_old(db, access, keep_days=keep_days, now=utc_now())
        jobs = cls(db, app)
        await jobs._make_tables()
        await app.open_async(db.pool)
        jobs._worker = asyncio.create_task(
            app.run_worker_async(
                install_signal_handlers=False,
                listen_notify=False,
                delete_jobs="successful",
                shutdown_graceful_timeout=STOP_WITHIN_S,
            ),
            name="jobs",
        )
        return jobs

    async def close(self) -> None:
        """Stop the worker; a job that does not end in time is put back."""
        if self._worker:
            self._worker.cancel()
            await asyncio.wait([self._worker])
        await self._app.close_async()

    async def _make_tables(self) -> None:
        """procrastinate brings its own schema; it is applied once, under the lock of migrations."""
        async with self._db.transaction() as transaction:
            await transaction.write(SQL.jobs_lock)
            if not (await transaction.read(SQL.jobs_schema_present, as_=bool))[0]:
                await transaction.script(procrastinate.schema.SchemaManager.get_schema())


def _repeat(app: procrastinate.App, chore: Chore) -> None:
    @app.periodic(cron=chore.cron)
    @app.task(name=chore.name, queueing_lock=chore.name)
    async def repeated(timestamp: int) -> None:
        await chore.do(utc_now())
