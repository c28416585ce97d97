# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from citybrain.kernel import jobs
from citybrain.kernel.access import Access
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.jobs import forget_old
from citybrain.kernel.journal import Journal
from citybrain.kernel.records import Because, Order, Outcome, OutcomeState
from citybrain.kernel.runs import Runs, read_setting, write_setting
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.tests.scene import DAWN, ENTITIES, ROADS, TYPES, after, batch, registered

DAY_S = 86_400


@pytest.fixture(scope="module")
def keys(open_folder: Path) -> Path:
    """The keys of this module's database, which several data folders use in turn."""
    return open_folder / f"keys-{new_id()}.json"


async def test_everything_opens_closes_and_opens_again(
    database_url: str, unused_settings: Settings, keys: Path
) -> None:
    settings = Settings(data=unused_settings.data, keys=keys, database_url=database_url)
    async with open_store(settings, types=TYPES) as store:
        await store.pool.register(ENTITIES)
        await store.journal.append(batch(DAWN, [30, 40]))
    async with open_store(settings, types=TYPES) as store:
        assert store.pool.values("averageVehicleSpeed", ROADS) == [30, 40]


async def test_the_job_worker_does_what_is_asked_of_it(
    database_url: str, unused_settings: Settings, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: asyncio.Queue[int] = asyncio.Queue()

    async def forget(db: Database, access: Access, *, keep_days: int, now: object) -> int:
        asked.put_nowait(keep_days)
        return 0

    monkeypatch.setattr(jobs, "RETENTION_CRON", "* * * * * *")  # every second
    monkeypatch.setattr(jobs, "forget_old", forget)
    settings = Settings(data=unused_settings.data, keys=keys, database_url=database_url, keep_days=7)
    async with open_store(settings, types=TYPES), asyncio.timeout(30):
        assert await asked.get() == 7, "at the start"
        assert await asked.get() == 7, "and by the clock"


async def test_days_older_than_asked_are_dropped_by_city_time(db: Database) -> None:
    pool = await registered(db)
    journal = await Journal.open(db, pool)
    days = [batch(after(DAY_S * day), [day, day]) for day in range(1, 11)]
    for each in days:
        await (await journal.append(each))
    dropped = await forget_old(db, Access(db), keep_days=3, now=utc_now())
    assert dropped == 6, "dawn's day keeps what was registered then"
    points = await pool.history(ROADS[0], "averageVehicleSpeed", since=None, until=None, limit=100)
    assert [value for _, value in points] == [7, 8, 9, 10]
    assert await pool.extent() == (after(DAY_S * 7), after(DAY_S * 10))
    assert await pool.batch(days[0].id) is None
    assert await forget_old(db, Access(db), keep_days=3, now=utc_now()) == 0
    await (await journal.append(batch(after(DAY_S * 2), [1, 1])))  # a late batch of a dropped day is still taken
    await journal.close()


async def test_old_orders_of_the_machine_are_dropped_and_those_of_people_stay(db: Database) -> None:
    pool = await registered(db)
    journal = await Journal.open(db, pool)
    because = Because(code="test.because")
    for day, by in ((1, "brain"), (1, "operator"), (9, "brain")):
        at = after(DAY_S * day + len(by))
        order = Order(id=f"{day}-{by}", means="test.act", entity_id=ROADS[0], at=at, because=because, by=by)
        outcome = Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)
        await (await journal.append(batch(at, [1, 1]), orders=[order], outcomes=[outcome]))
    await forget_old(db, Access(db), keep_days=3, now=utc_now())
    kept = {order.id: order.outcome for order in await journal.recent_orders(ROADS[0])}
    assert set(kept) == {"1-operator", "9-brain"}
    assert all(kept.values()), "an order that stays keeps its outcome"
    assert len(await db.read("SELECT order_id FROM outcome", as_=str)) == 2
    await journal.close()


async def test_what_was_told_is_forgotten_after_a_day_but_ids_go_on(db: Database) -> None:
    for number in range(3):
        await db.write("INSERT INTO outbox (topic, payload, at) VALUES ('x', '{}', %(at)s)", {"at": after(number)})
    (last,) = await db.read("SELECT max(id) FROM outbox", as_=int)
    await forget_old(db, Access(db), keep_days=3, now=utc_now() + timedelta(days=3))
    assert await db.read("SELECT id FROM outbox", as_=int) == [last]


async def test_runs_follow_one_another(db: Database) -> None:
    runs = Runs(db)
    assert await runs.last() is None
    assert await runs.first_begins_at() is None
    hour = timedelta(hours=1)
    for number in (1, 2):
        begins_at = after(DAY_S * number)
        await runs.start(number=number, scenario="a", begins_at=begins_at, ends_at=begins_at + hour, now=DAWN)
    await runs.finish(1, summary={"brain": {"delay_s": 80.5}}, now=DAWN + hour)
    last, first = await runs.last(), await runs.at(after(DAY_S * 2 - 1))
    assert last is not None
    assert first is not None
    assert (last.number, last.finished_at) == (2, None)
    assert (first.number, first.finished_at, first.summary) == (1, DAWN + hour, {"brain": {"delay_s": 80.5}})
    assert await runs.at(after(0)) is None
    assert await runs.first_begins_at() == after(DAY_S)


async def test_a_setting_is_what_was_set_last(db: Database) -> None:
    assert await read_setting(db, "speed", as_=float) is None
    await write_setting(db, "speed", 2.5)
    await write_setting(db, "speed", 5.0)
    assert await read_setting(db, "speed", as_=float) == 5.0


async def test_of_a_month_that_is_not_over_only_the_old_days_are_dropped(db: Database) -> None:
    pool = await registered(db)
    await db.write("SELECT history_add_month('2031-03-05')")
    journal = await Journal.open(db, pool)
    dawn = (datetime(2031, 3, 1, 6, tzinfo=UTC) - DAWN).total_seconds()
    for day in range(1, 11):
        await (await journal.append(batch(after(dawn + DAY_S * day), [day, day])))
    await journal.close()
    await forget_old(db, Access(db), keep_days=3, now=utc_now())
    points = await pool.history(ROADS[0], "averageVehicleSpeed", since=None, until=None, limit=100)
    assert [value for _, value in points] == [7, 8, 9, 10]
