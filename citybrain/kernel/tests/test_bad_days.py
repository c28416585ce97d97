# SPDX-License-Identifier: Apache-2.0
"""Entities on bad days: killed processes, databases that die or are full, clocks and writers out of order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from citybrain.kernel import writer
from citybrain.kernel.db import Database
from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.order import Order
from citybrain.kernel.entities.service import Desk, EntityExists, NoSuchEntity
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.verbs import NoSuchAttribute
from citybrain.kernel.journal import Journal
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Json
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.tests.test_db import cut_all_connections

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ACKNOWLEDGED_BEFORE_THE_KILL = 150

WRITE = """
import asyncio, sys
from pathlib import Path
from citybrain.kernel.entities import service
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.tests.test_bad_days import desk_of, level

async def main():
    async with open_store(Settings(data=Path(sys.argv[1]))) as store:
        async def write(name):
            for number in range(1_000_000):
                pair = [level(f"urn:{name}:{side}", number) for side in "ab"]
                await service.upsert_many(desk_of(store.documents), pair)
                print(name, number, flush=True)
        await asyncio.gather(*(write(f"writer{number}") for number in range(4)))

asyncio.run(main())
"""


def desk_of(documents: Documents, *, at: datetime = NOON, order: Order = Order.LAST_WRITE) -> Desk:
    """The default tenant's desk."""
    return Desk(documents=documents, tenant="", at=at, order=order)


def level(id: str, value: Json, *, observed_at: datetime | None = None) -> Document:
    """A gauge with its level."""
    seen = text_of(observed_at) if observed_at else ""
    instance = Instance(type=AttributeType.PROPERTY, value=value, observed_at=seen)
    return Document(id=id, types=("Gauge",), attributes={"level": (instance,)})


@pytest.fixture
async def documents(db: Database) -> AsyncIterator[Documents]:
    documents = await Documents.open(db)
    journal = await Journal.open(db, await Pool.open(db, (), documents))
    yield documents
    await journal.close()


async def told_of(db: Database, documents: Documents, id: str) -> list[float]:
    """The levels in the history of an entity, in the order they were written."""
    query = "SELECT number FROM history WHERE entity = %(number)s AND number IS NOT NULL ORDER BY instance"
    return await db.read(query, {"number": documents.number("", id)}, as_=float)


def level_now(documents: Documents, id: str) -> Json:
    found = documents.get("", id)
    return found and found.attributes["level"][0].value


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_and_no_batch_is_half_there_after_kill_9(fresh_settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITE, str(fresh_settings.data), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(ACKNOWLEDGED_BEFORE_THE_KILL)]
    process.send_signal(signal.SIGKILL)
    lines += (await process.stdout.read()).decode().splitlines()
    assert await process.wait() == -signal.SIGKILL
    acknowledged: dict[str, int] = {}
    for name, number in (line.split() for line in lines if len(line.split()) == 2):
        acknowledged[name] = int(number)
    async with open_store(fresh_settings) as store:
        assert acknowledged
        for name, newest in acknowledged.items():
            left, right = (level_now(store.documents, f"urn:{name}:{side}") for side in "ab")
            assert left == right >= newest, "both of a batch, and not older than what was acknowledged"
            history = await told_of(store.db, store.documents, f"urn:{name}:a")
            assert history == list(range(left + 1)), "and the history knows each of them once"
        await service.upsert(desk_of(store.documents), level("urn:after", 1))
        assert await told_of(store.db, store.documents, "urn:after") == [1]


@pytest.mark.slow
async def test_a_database_that_dies_in_mid_load_loses_nothing(fresh_settings: Settings) -> None:
    async with open_store(fresh_settings) as store:
        desk = desk_of(store.documents)

        async def load(name: str) -> None:
            for number in range(20):
                await service.upsert_many(desk, [level(f"urn:{name}:{each}", number) for each in range(50)])

        loading = asyncio.gather(*(load(f"load{number}") for number in range(3)))
        await asyncio.sleep(0.1)
        os.kill(int((fresh_settings.data / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        async with asyncio.timeout(60):
            await loading
        assert store.journal.trouble is None
        again = await Documents.open(store.db)
        for name in ("load0", "load1", "load2"):
            assert {level_now(again, f"urn:{name}:{each}") for each in range(50)} == {19}
            assert await told_of(store.db, again, f"urn:{name}:7") == list(range(20))


async def test_connections_that_are_cut_neither_lose_nor_double(db: Database, documents: Documents) -> None:
    desk = desk_of(documents)
    for number in range(40):
        writing = asyncio.gather(*(service.upsert(desk, level(f"urn:cut:{each}", number)) for each in range(5)))
        if number % 10 == 5:
            await cut_all_connections(db)
        async with asyncio.timeout(30):
            await writing
    again = await Documents.open(db)
    for each in range(5):
        assert level_now(again, f"urn:cut:{each}") == 39
        assert await told_of(db, again, f"urn:cut:{each}") == list(range(40))


async def test_a_full_disk_stops_nothing_for_ever(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL reports 53100 (disk_full) for a while: the journal waits, says why, and goes on."""
    monkeypatch.setattr(writer, "RETRY_LAST_S", 0.2)
    documents = await Documents.open(db)
    journal = await Journal.open(db, await Pool.open(db, (), documents))
    await db.write(
        "CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$"
    )
    await db.write("CREATE TRIGGER disk_full BEFORE INSERT ON document EXECUTE FUNCTION no_space()")
    writing = asyncio.create_task(service.create(desk_of(documents), level("urn:full", 1)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(writing), 1)
    assert journal.trouble is not None, "what is not stored is not acknowledged"
    assert "No space left" in journal.trouble["why"]
    assert level_now(documents, "urn:full") == 1
    await db.write("DROP TRIGGER disk_full ON document")
    async with asyncio.timeout(10):
        await writing
    assert journal.trouble is None
    await service.upsert(desk_of(documents), level("urn:full", 2))
    await journal.close()
    assert level_now(await Documents.open(db), "urn:full") == 2


async def test_a_clock_that_goes_back_loses_nothing_and_the_last_writer_wins(
    db: Database, documents: Documents
) -> None:
    for hours, value in ((0, 1), (-3, 2), (-1, 3)):
        await service.upsert(desk_of(documents, at=NOON + timedelta(hours=hours)), level("urn:clock", value))
    again = await Documents.open(db)
    assert level_now(documents, "urn:clock") == level_now(again, "urn:clock") == 3
    assert await told_of(db, again, "urn:clock") == [1, 2, 3]


async def test_an_older_observation_does_not_replace_a_newer_one_but_is_kept(
    db: Database, documents: Documents
) -> None:
    seen = ((10, 1), (30, 3), (20, 2), (30, 33))
    for seconds, value in seen:
        desk = desk_of(documents, order=Order.NEWEST)
        await service.upsert(desk, level("urn:order", value, observed_at=NOON + timedelta(seconds=seconds)))
    assert level_now(documents, "urn:order") == 33, "of the same time the last one counts"
    assert level_now(await Documents.open(db), "urn:order") == 33
    by_time = "SELECT number FROM history WHERE entity = %(number)s ORDER BY observed_at, instance"
    assert await db.read(by_time, {"number": documents.number("", "urn:order")}, as_=float) == [1, 2, 3, 33]
    await service.upsert(desk_of(documents), level("urn:order", 4, observed_at=NOON))
    assert level_now(documents, "urn:order") == 4, "the API's last writer wins whatever he says of when"


async def test_two_writers_of_one_entity_follow_one_another(documents: Documents) -> None:
    await service.create(desk_of(documents), level("urn:both", 0))

    def named(name: str, value: int) -> Document:
        return Document(
            id="urn:both",
            types=("Gauge",),
            attributes={name: (Instance(type=AttributeType.PROPERTY, value=value),)},
        )

    writers = [service.upsert(desk_of(documents), named(name, n)) for n in range(20) for name in ("left", "right")]
    await asyncio.gather(*writers)
    found = documents.get("", "urn:both")
    assert found is not None
    assert {name: instances[0].value for name, instances in found.attributes.items()} == {
        "level": 0, "left": 19, "right": 19,
    }  # fmt: skip


async def test_a_batch_refuses_one_and_stores_the_others(documents: Documents) -> None:
    desk = desk_of(documents)
    await service.create(desk, level("urn:batch:1", 1))
    with pytest.raises(EntityExists):
        await service.create(desk, level("urn:batch:1", 2))
    made = await service.create_many(desk, [level(f"urn:batch:{n}", n) for n in (1, 2, 2, 3)])
    assert made.created == ("urn:batch:2", "urn:batch:3")
    assert [(id, type(why)) for id, why in made.refused] == [
        ("urn:batch:1", EntityExists), ("urn:batch:2", EntityExists)
    ]  # fmt: skip
    again = await service.upsert_many(desk, [level("urn:batch:2", 5), level("urn:batch:4", 4)])
    assert (again.created, again.changed) == (("urn:batch:4",), ("urn:batch:2",))
    gone = await service.delete_many(desk, ["urn:batch:3", "urn:batch:9"])
    assert gone.changed == ("urn:batch:3",)
    assert isinstance(gone.refused[0][1], NoSuchEntity)
    purged = await service.purge(desk, ["urn:batch:2"], drop=("level",))
    assert purged.changed == ("urn:batch:2",)
    with pytest.raises(NoSuchAttribute):
        await service.delete_attribute(desk, "urn:batch:2", "level")
    with pytest.raises(NoSuchEntity):
        await service.replace(desk, level("urn:batch:9", 1))
