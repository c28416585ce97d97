# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from citybrain.kernel import writer
from citybrain.kernel.db import Database, Params, Transaction
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.journal import Journal, NoSuchEvent
from citybrain.kernel.outbox import Outbox
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Because, Order, Outcome, OutcomeState, Reading, Severity
from citybrain.kernel.tests.scene import ROADS, SIGNALS, after, batch, jam, registered
from citybrain.kernel.tests.test_db import cut_all_connections

SPEED = "averageVehicleSpeed"


@pytest.fixture(scope="module")
async def pool(db: Database) -> Pool:
    return await registered(db)


@pytest.fixture
async def journal(db: Database, pool: Pool) -> AsyncIterator[Journal]:
    journal = await Journal.open(db, pool)
    yield journal
    await journal.close()


async def test_what_is_acknowledged_is_committed(db: Database, pool: Pool, journal: Journal) -> None:
    seen = batch(after(0), [30, 40], "rG")
    committed = await journal.append(seen)
    await committed
    found = await pool.batch(seen.id)
    assert found is not None
    assert len(found.observations) == 3
    assert journal.waiting == 0
    assert await journal.known_until(since=after(0)) == after(0)
    assert await journal.known_until(since=after(1)) is None


async def test_an_event_goes_on_under_its_id_until_it_ends(journal: Journal) -> None:
    await (await journal.append(batch(after(10)), events=[jam("e1", after(10))]))
    worse = msgspec.structs.replace(jam("e1", after(10)), severity=Severity.II)
    await (await journal.append(batch(after(20)), events=[worse]))
    (found,) = await journal.events(open_only=True)
    assert (found.id, found.severity, found.ended_at) == ("e1", Severity.II, None)
    assert found.because == worse.because
    assert found.geometry == worse.geometry
    await (await journal.append(batch(after(30)), events=[jam("e1", after(10), ended_at=after(30))]))
    assert await journal.events(open_only=True) == []
    assert [event.ended_at for event in await journal.events(entity_id=ROADS[0])] == [after(30)]


async def test_events_can_be_seen_as_they_were(journal: Journal) -> None:
    await (await journal.append(batch(after(2000)), events=[jam("e2", after(2000), ended_at=after(2100))]))

    async def open_at(seconds: int) -> list[tuple[str, bool]]:
        return [(event.id, event.ended_at is None) for event in await journal.events(open_at=after(seconds))]

    assert await open_at(1999) == []
    assert await open_at(2000) == [("e2", True)], "its end was not known then"
    assert await open_at(2100) == []
    assert [event.id for event in await journal.events(since=after(2000), until=after(2050))] == ["e2"]


async def test_an_event_is_read_alone(journal: Journal) -> None:
    await (await journal.append(batch(after(40)), events=[jam("e3", after(40))]))
    assert (await journal.event("e3")).acknowledged_by is None
    with pytest.raises(NoSuchEvent):
        await journal.event("gone")


async def test_open_events_can_all_be_ended(journal: Journal) -> None:
    await (await journal.append(batch(after(70)), events=[jam("e4", after(70)), jam("e5", after(900))]))
    assert await journal.end_open_events(at=after(80)) >= 2
    assert await journal.events(open_only=True) == []
    ended = {event.id: event.ended_at for event in await journal.events()}
    assert (ended["e4"], ended["e5"]) == (after(80), after(900)), "none ends before it began"


async def test_an_order_is_found_with_its_cause_and_what_became_of_it(journal: Journal) -> None:
    because = Because(code="traffic.queue", facts={"queue_m": 80}, batch_id="b", event_id="e1")
    order = Order(id="o1", means="traffic.set_phase", entity_id=SIGNALS[0], at=after(90), because=because)
    await (await journal.append(batch(after(90)), orders=[order]))
    (waiting,) = await journal.recent_orders(SIGNALS[0])
    assert (waiting.because, waiting.by, waiting.outcome) == (because, "brain", None)
    outcome = Outcome(order_id="o1", state=OutcomeState.REFUSED, at=after(91), code="sumo.too_soon", facts={"s": 3})
    await (await journal.append(batch(after(91)), outcomes=[outcome]))
    (done,) = await journal.recent_orders(SIGNALS[0])
    assert done.outcome is not None
    assert (done.outcome.state, done.outcome.code, done.outcome.facts) == (
        OutcomeState.REFUSED,
        "sumo.too_soon",
        {"s": 3},
    )


async def test_what_an_event_or_order_rests_on_can_be_walked_back_to(pool: Pool, journal: Journal) -> None:
    await (await journal.append(batch(after(3000), [30, 40])))
    seen = batch(after(3007), [4.5, 39])
    await (await journal.append(seen, events=[jam("e6", after(3007), ended_at=after(3008))]))
    found = await pool.batch(seen.id)
    assert found is not None
    assert [(each.entity_id, each.value) for each in found.observations] == [(ROADS[0], 4.5)]


async def test_readings_are_kept_by_arm_and_can_be_seen_as_they_were(journal: Journal) -> None:
    for at in (100, 110):
        readings = [
            Reading(indicator="delay", arm=arm, at=after(at), value=at + value, parts={"n": at})
            for arm, value in (("brain", 0.1), ("fixed", 0.2))
        ]
        await (await journal.append(batch(after(at)), readings=readings))
    found = await journal.readings("delay", since=after(0), until=after(110))
    assert [(each.arm, each.value) for each in found] == [
        ("brain", 100.1), ("fixed", 100.2), ("brain", 110.1), ("fixed", 110.2)
    ]  # fmt: skip
    past = await journal.readings_at(after(105), since=after(0))
    assert past["delay"]["brain"].value == 100.1
    assert past["delay"]["fixed"].parts == {"n": 100}
    assert await journal.readings_at(after(99), since=after(98)) == {}


async def test_what_is_told_comes_in_order_and_can_be_taken_up_again(db: Database, journal: Journal) -> None:
    outbox = Outbox(db)
    begin = await outbox.last_id()
    for at in range(5):
        await journal.append(batch(after(4000 + at)), events=[jam(f"t{at}", after(4000 + at), ended_at=after(5000))])
    await (await journal.append(batch(after(4010)), readings=[Reading(indicator="x", arm="a", at=after(1), value=1)]))
    told = await outbox.since(begin)
    assert [row.topic for row in told] == ["event"] * 5 + ["reading"]
    assert [row.id for row in told] == sorted(row.id for row in told)
    assert [msgspec.json.decode(row.payload)["id"] for row in told[:5]] == [f"t{at}" for at in range(5)]
    assert await outbox.since(told[2].id, topic="event", limit=1) == [told[3]]
    assert await outbox.last_id() == told[-1].id


async def test_waiting_entries_are_written_together(db: Database, journal: Journal) -> None:
    (before,) = await db.read("SELECT number FROM journal_position", as_=int)
    acknowledged = [await journal.append(batch(after(6000 + at), [1, 1])) for at in range(50)]
    await asyncio.gather(*acknowledged)
    (number,) = await db.read("SELECT number FROM journal_position", as_=int)
    assert number - before < 10, "fifty entries took a few commits"


async def test_a_second_journal_on_one_database_is_refused(
    db: Database, pool: Pool, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LOCK_TRIES", 2)
    with pytest.raises(Unavailable) as refusal:
        await Journal.open(db, pool)
    assert refusal.value.code == "kernel.database_in_use"


async def test_closing_writes_what_is_waiting(db: Database, pool: Pool) -> None:
    journal = await Journal.open(db, pool)
    batches = [batch(after(7000 + at), [1, 1]) for at in range(20)]
    for each in batches:
        await journal.append(each)
    await journal.close()
    assert await pool.batch(batches[-1].id) is not None
    with pytest.raises(Unavailable) as refusal:
        await journal.append(batch(after(7100)))
    assert refusal.value.code == "kernel.journal_stopped"


async def test_nothing_is_lost_or_doubled_when_connections_are_cut(db: Database, pool: Pool, journal: Journal) -> None:
    acknowledged = []
    batches = [batch(after(8000 + at), [at, at], closed=(str(at), str(at))) for at in range(200)]
    for number, each in enumerate(batches):
        acknowledged.append(await journal.append(each))
        if number % 40 == 20:
            await cut_all_connections(db)
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await asyncio.gather(*acknowledged)
    assert journal.trouble is None
    counted = "SELECT count(*) FROM history WHERE observed_at >= %(at)s AND word IS NOT NULL"
    assert await db.read(counted, {"at": after(8000)}, as_=int) == [400]
    counted = "SELECT count(*) FROM observation_batch WHERE observed_at >= %(at)s"
    assert await db.read(counted, {"at": after(8000)}, as_=int) == [200]


async def test_while_the_database_is_away_entries_wait_and_room_runs_out(
    db: Database, pool: Pool, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ENTRIES_WAITING", 3)
    async with db.transaction() as elsewhere:
        await elsewhere.write("LOCK TABLE observation_batch")
        acknowledged = [await journal.append(batch(after(9000 + at))) for at in range(3)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await journal.append(batch(after(9100)))
        assert journal.waiting == 3
        assert not any(each.done() for each in acknowledged)
    await asyncio.gather(*acknowledged)
    await (await journal.append(batch(after(9200))))


async def test_a_bug_stops_the_journal_loudly(db: Database, pool: Pool) -> None:
    journal = await Journal.open(db, pool)
    twice = batch(after(9300))
    await (await journal.append(twice))
    with pytest.raises(Exception, match="duplicate key"):
        await (await journal.append(twice))
    with pytest.raises(Unavailable) as refusal:
        await journal.append(batch(after(9301)))
    assert "duplicate key" in refusal.value.facts["why"]
    await journal.close()


async def test_history_days_are_made_as_they_come(db: Database, pool: Pool, journal: Journal) -> None:
    for days in (40, 41, 40, 39):
        await (await journal.append(batch(after(86_400 * days + days), [1, 1])))
    names = await db.read("SELECT relname FROM pg_class WHERE relname LIKE 'history_2026%%' AND relkind = 'r'", as_=str)
    assert {"history_20260409", "history_20260410", "history_20260411"} <= set(names)


async def test_a_day_to_come_does_not_hide_that_a_day_of_now_is_there(
    db: Database, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await journal.append(batch(after(86_400 * 400), [1, 1])))
    asked: list[str] = []
    write = Transaction.write

    async def listening(transaction: Transaction, query: str, params: Params | None = None) -> int:
        asked.extend([query] if "history_add" in query else [])
        return await write(transaction, query, params)

    monkeypatch.setattr(Transaction, "write", listening)
    for second in range(3):
        await (await journal.append(batch(after(86_400 * 50 + second), [1, 1])))
    assert len(asked) == 1, "the day is made once and then known"


async def test_who_follows_hears_of_what_is_committed_in_order(journal: Journal) -> None:
    heard: list[str] = []
    journal.committed.append(lambda events, outcomes: heard.extend([each.id for each in events]))
    journal.committed.append(lambda events, outcomes: heard.extend([each.order_id for each in outcomes]))
    outcome = Outcome(order_id="o9", state=OutcomeState.EXECUTED, at=after(7000))
    await (await journal.append(batch(after(7000)), events=[jam("e9", after(7000))], outcomes=[outcome]))
    await (await journal.append(batch(after(7001))))
    await journal.tell([jam("e9", after(7000), ended_at=after(7002))])
    assert heard == ["e9", "o9", "e9"]
