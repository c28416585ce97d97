# SPDX-License-Identifier: Apache-2.0
"""What arrives in columns shows in the documents; what watchers of documents want told is stored with the change."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import msgspec
import pytest

from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, EntityChange, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.journal import Journal
from citybrain.kernel.pool import Pool
from citybrain.kernel.tests.scene import ENTITIES, ROADS, SIGNALS, TYPES, after, batch

SPEED = "averageVehicleSpeed"


class City:
    """A pool with the scene's entities, its documents and its journal."""

    def __init__(self, pool: Pool, journal: Journal) -> None:
        self.pool, self.documents, self.journal = pool, pool.documents, journal

    def shown(self, id: str, name: str) -> Instance | None:
        found = self.documents.get("", id)
        assert found is not None
        return found.attributes[name][0] if name in found.attributes else None


@pytest.fixture
async def city(db: Database) -> AsyncIterator[City]:
    pool = await Pool.open(db, TYPES)
    journal = await Journal.open(db, pool)
    await pool.register(ENTITIES)
    yield City(pool, journal)
    await journal.close()


async def test_a_document_shows_what_was_observed_in_columns(db: Database, city: City) -> None:
    seen = batch(after(1), [30, float("nan")], "rG", tracks=((1.0,), (2.0,)))
    city.pool.observe(seen)
    speed = city.shown(ROADS[0], SPEED)
    assert speed is not None
    assert (speed.value, speed.unit_code, speed.observed_at) == (30, "KMH", text_of(after(1)))
    state = city.shown(SIGNALS[0], "signalState")
    assert state is not None
    assert state.value == "rG"
    assert city.shown(ROADS[1], SPEED) is None, "what is not known is no attribute"
    assert city.shown(ROADS[0], "tracks") is None, "tracks are for the brain only"
    raw = city.documents.raw("", ROADS[0])
    assert raw is not None
    assert msgspec.json.decode(raw, type=Document) == city.documents.get("", ROADS[0])
    assert [each.id for each in city.documents.scan("", "RoadSegment")] == list(ROADS)
    await (await city.journal.append(seen))
    again = await Pool.open(db, TYPES)
    assert again.documents.get("", ROADS[0]) == city.documents.get("", ROADS[0]), "also after a restart"


@pytest.mark.parametrize(("seconds", "shown"), [(60, 31), (140, 99)])
async def test_of_document_and_column_the_newer_observation_is_shown(city: City, seconds: int, shown: float) -> None:
    city.pool.observe(batch(after(100 + seconds // 100), [31, 31]))
    patch = Document(
        id=ROADS[0],
        types=("RoadSegment",),
        attributes={
            SPEED: (Instance(type=AttributeType.PROPERTY, value=99, observed_at=text_of(after(seconds))),),
        },
    )
    await service.upsert(Desk(documents=city.documents, tenant="", at=after(200)), patch)
    speed = city.shown(ROADS[0], SPEED)
    assert speed is not None
    assert speed.value == shown


async def test_registering_again_changes_only_what_differs(db: Database, city: City) -> None:
    note = Document(
        id=ROADS[0],
        types=("RoadSegment",),
        attributes={"note": (Instance(type=AttributeType.PROPERTY, value="dug up"),)},
    )
    await service.upsert(Desk(documents=city.documents, tenant="", at=after(0)), note)
    rows = "SELECT count(*) FROM history WHERE batch_number IS NULL"
    before = await db.read(rows, as_=int)
    await city.pool.register(ENTITIES)
    assert await db.read(rows, as_=int) == before
    moved = msgspec.structs.replace(ENTITIES[0], geometry={"type": "Point", "coordinates": [1, 2]})
    await city.pool.register([moved])
    assert await db.read(rows, as_=int) == [before[0] + 1]
    assert city.pool.entity(ROADS[0]) == msgspec.structs.replace(moved, attributes={"note": "dug up"})
    assert city.shown(ROADS[0], "note") is not None, "what others added stays"


async def test_what_is_never_kept_is_not_kept_from_documents_either(db: Database, city: City) -> None:
    tracks = Instance(type=AttributeType.PROPERTY, value="x")
    patch = Document(id=ROADS[1], types=("RoadSegment",), attributes={"tracks": (tracks,), "width": (tracks,)})
    await service.upsert(Desk(documents=city.documents, tenant="", at=after(0)), patch)
    names = """SELECT a.name FROM history h JOIN attribute_name a ON a.number = h.attribute
        WHERE h.entity = %(number)s AND h.word = 'x'"""
    assert await db.read(names, {"number": city.documents.number("", ROADS[1])}, as_=str) == ["width"]


class Told(msgspec.Struct, frozen=True):
    """What the watcher of this test wants stored."""

    id: str


@pytest.fixture
async def told_table(db: Database) -> None:
    await db.write("CREATE TABLE IF NOT EXISTS told_copy (id text)")


async def test_notices_are_stored_with_the_change_and_told_once_it_is_committed(
    db: Database, city: City, told_table: None
) -> None:
    told: list[str] = []

    def watch(changes: Sequence[EntityChange]) -> Sequence[Told]:
        return [Told(change.id) for change in changes if change.after and "alarm" in change.after.attributes]

    async def store(transaction: Transaction, notices: Sequence[Told]) -> None:
        await transaction.write_many("INSERT INTO told_copy VALUES (%(id)s)", [{"id": each.id} for each in notices])

    city.documents.watchers.append(watch)
    city.journal.notice_writers[Told] = store
    city.journal.told.append(lambda notices: told.extend(each.id for each in notices))
    alarm: Attributes = {"alarm": (Instance(type=AttributeType.PROPERTY, value=1),)}
    desk = Desk(documents=city.documents, tenant="", at=after(0) + timedelta(days=1))
    loud = [Document(id=f"urn:loud:{n}", types=("Siren",), attributes=alarm) for n in range(3)]
    await asyncio.gather(*(service.create(desk, each) for each in loud))
    await service.create(desk, Document(id="urn:quiet", types=("Siren",)))
    assert await db.read("SELECT id FROM told_copy ORDER BY id", as_=str) == [each.id for each in loud]
    assert sorted(told) == [each.id for each in loud]
    assert (await Documents.open(db)).count("", "Siren") == 4
