# SPDX-License-Identifier: Apache-2.0
"""The days of the city, one run each, and what people set at run time."""

from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.records import Facts, Json

T = TypeVar("T")


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    run_start: str
    run_finish: str
    run_last: str
    run_newest: str
    run_at: str
    run_first_begins_at: str
    setting_read: str
    setting_write: str


SQL = sql.load(Path(__file__).with_name("queries_runs.sql"), Sql)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the city: `begins_at` and `ends_at` are city time, the others the clock's."""

    number: int
    scenario: str
    begins_at: datetime
    ends_at: datetime
    started_at: datetime
    finished_at: datetime | None = None
    summary: Facts | None = None


class Runs:
    """The runs of one city, in order."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def start(self, *, number: int, scenario: str, begins_at: datetime, ends_at: datetime, now: datetime) -> Run:
        """Note that a run begins."""
        run = Run(number=number, scenario=scenario, begins_at=begins_at, ends_at=ends_at, started_at=now)
        await self._db.write(SQL.run_start, msgspec.structs.asdict(run))
        return run

    async def finish(self, number: int, *, summary: Facts, now: datetime) -> None:
        """Note that a run is over, with its final figures."""
        await self._db.write(SQL.run_finish, {"number": number, "summary": dict(summary), "now": now})

    async def last(self) -> Run | None:
        """The newest run, finished or not."""
        return await self._db.read_one(SQL.run_last, as_=Run)

    async def newest(self, limit: int) -> list[Run]:
        """The newest runs, the newest first."""
        return await self._db.read(SQL.run_newest, {"limit": limit}, as_=Run)

    async def at(self, at: datetime) -> Run | None:
        """The newest run that had begun at a city time."""
        return await self._db.read_one(SQL.run_at, {"at": at}, as_=Run)

    async def first_begins_at(self) -> datetime | None:
        """The city time at which the first run began."""
        return await self._db.read_one(SQL.run_first_begins_at, as_=datetime)


async def read_setting(db: Database, name: str, *, as_: type[T]) -> T | None:
    """What is set under a name, None when nothing is."""
    found = await db.read_one(SQL.setting_read, {"name": name}, as_=object)
    return None if found is None else msgspec.convert(found, as_)


async def write_setting(db: Database, name: str, value: Json) -> None:
    """Set what is under a name."""
    await db.write(SQL.setting_write, {"name": name, "value": msgspec.json.encode(value).decode()})
