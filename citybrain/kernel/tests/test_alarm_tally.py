# SPDX-License-Identifier: Apache-2.0
"""Counts of alarms are kept as they change, and are at every moment what counting the rows gives."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest

from citybrain.kernel import embedded
from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Conflict
from citybrain.kernel.handling import Act, Alarms, Asked, State, Which, Wish
from citybrain.kernel.migrate import migrate
from citybrain.kernel.records import Event, Severity
from citybrain.kernel.store import Store
from citybrain.kernel.tests.older import database_before
from citybrain.kernel.tests.scene import after, jam

# Long after the clock of whoever runs this, so that no shelf of these tests empties itself.
NOW = datetime(2126, 7, 1, 9, tzinfo=UTC)
OFFICERS = [Actor(name=name, account=name, kind=Kind.STAFF) for name in ("lin", "wu", "zhao")]
KINDS = ("road.slow", "road.dark", "road.wet")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Since then: all alarms, but asked so that rows are counted."""


@pytest.fixture
async def empty(store: Store) -> Store:
    """The store without the alarms of the tests before; what is deleted is not counted any more."""
    for emptying in ("DELETE FROM event_act", "DELETE FROM event_handling", "DELETE FROM event"):
        await store.db.write(emptying)
    await store.alarms.fold()
    assert await store.db.read("SELECT count(*) FROM event_tally", as_=int) == [0]
    return store


def event(number: int, severity: Severity, ended: datetime | None = None, merged_into: str | None = None) -> Event:
    evidence = {"merged_into": merged_into} if merged_into else {}
    return msgspec.structs.replace(
        jam(f"e{number}", after(number)),
        kind=KINDS[number % 3],
        severity=severity,
        entity_id=f"urn:{number}",
        ended_at=ended,
        evidence=evidence,
    )


async def same_both_ways(alarms: Alarms, now: datetime) -> None:
    """Whatever is asked, the tally and the rows say the same."""
    for which in Which:
        for kinds in ((), KINDS[:1], KINDS[1:]):
            for taken_by in (None, "lin"):
                asked = Asked(which=which, kinds=kinds, taken_by=taken_by)
                kept = await alarms.find(asked, now=now)
                counted = await alarms.find(msgspec.structs.replace(asked, since=LONG_AGO), now=now)
                assert (kept.total, kept.counts) == (counted.total, counted.counts), asked


async def changed_by_chance(store: Store, random: Random) -> None:
    """One thing happens to some alarm: it comes, ends, is worse, becomes a sign, or somebody does something."""
    number = random.randrange(40)
    if random.random() < 0.5:
        ended = after(900) if random.random() < 0.3 else None
        merged_into = "e0" if number and random.random() < 0.2 else None
        await store.journal.tell([event(number, random.choice(list(Severity)), ended, merged_into)])
        return
    act = random.choice([Act.ACKNOWLEDGE, Act.TAKE, Act.RELEASE, Act.SHELVE, Act.UNSHELVE, Act.CLEAR])
    until = NOW + timedelta(hours=1) if act is Act.SHELVE else None
    ids = [f"e{each}" for each in random.sample(range(40), 5)]
    await store.alarms.act_together(random.choice(OFFICERS), ids, Wish(act=act, until=until), now=NOW)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_the_kept_counts_are_those_of_the_rows(store: Store, seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        for _ in range(10):
            await changed_by_chance(store, random)
        if random.random() < 0.5:
            await store.alarms.fold()
        await same_both_ways(store.alarms, NOW)
    await same_both_ways(store.alarms, NOW + timedelta(hours=2))
    assert (await store.alarms.find(Asked(which=Which.ALL), now=NOW)).total > 0


async def test_a_shelf_whose_time_is_over_counts_as_what_lay_beneath_before_it_is_emptied(empty: Store) -> None:
    await empty.journal.tell([event(0, Severity.II)])
    await empty.alarms.act(OFFICERS[0], "e0", Wish(act=Act.ACKNOWLEDGE), now=NOW)
    until = NOW + timedelta(minutes=10)
    await empty.alarms.act(OFFICERS[0], "e0", Wish(act=Act.SHELVE, until=until), now=NOW)
    lying = await empty.alarms.find(Asked(), now=NOW)
    over = await empty.alarms.find(Asked(), now=until)
    assert (lying.counts.handling, over.counts.handling) == ({State.SHELVED: 1}, {State.ACKNOWLEDGED: 1})


async def test_officers_and_the_city_at_once_lose_no_count_while_counts_are_put_together(empty: Store) -> None:
    await empty.journal.tell([event(number, Severity.III) for number in range(40)])
    before = (await empty.alarms.find(Asked(), now=NOW)).total

    async def officer(seed: int) -> None:
        random = Random(seed)
        for _ in range(20):
            try:
                await changed_by_chance(empty, random)
            except Conflict:
                continue

    async def fold() -> None:
        for _ in range(20):
            await empty.alarms.fold()

    await asyncio.gather(*(officer(seed) for seed in range(4)), fold(), fold())
    assert before == 40
    await same_both_ways(empty.alarms, NOW)


async def test_put_together_there_is_one_row_of_each_sort(empty: Store) -> None:
    for number in range(30):
        await empty.journal.tell([event(number, Severity.III)])
    await empty.alarms.fold()
    rows = await empty.db.read("SELECT number FROM event_tally ORDER BY kind", as_=int)
    assert rows == [10, 10, 10]


@pytest.fixture
async def older(server: embedded.Postgres, tmp_path: Path) -> AsyncIterator[Database]:
    """A database from before counts were kept, with alarms of every sort in it, then brought up to date."""
    async with database_before("0024", server, tmp_path) as db:
        for number, (state, merged_into) in enumerate(
            [("new", None), ("new", None), ("taken", None), ("shelved", None), ("new", "old-0")]
        ):
            params = {"id": f"old-{number}", "state": state, "merged_into": merged_into}
            await db.write(
                "INSERT INTO event (id, kind, severity, at, entity_id, because, evidence)"
                " VALUES (%(id)s, 'road.slow', 'II', '2026-06-01T08:00Z', 'urn:1', '{\"code\": \"x\"}', '{}')",
                params,
            )
            await db.write(
                "INSERT INTO event_handling (event_id, kind, severity, at, entity_id, merged_into, words, state, under,"
                " shelved_until) VALUES (%(id)s, 'road.slow', 'II', '2026-06-01T08:00Z', 'urn:1', %(merged_into)s, '',"
                " %(state)s, 'new', '2126-07-01T10:00Z')",
                params,
            )
        assert "kernel/0024_alarm_tally.sql" in await migrate(db, {})
        yield db


async def test_an_older_database_is_counted_once_when_it_is_brought_up_to_date(older: Database) -> None:
    alarms = Alarms(older, lambda _: None, lambda _: None)
    page = await alarms.find(Asked(), now=NOW)
    assert (page.total, page.counts.handling) == (4, {"new": 2, "taken": 1, "shelved": 1})
