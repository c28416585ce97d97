# SPDX-License-Identifier: Apache-2.0
"""A database of the first release, with a day in it, becomes one of documents and loses nothing."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from citybrain.kernel import embedded
from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import AttributeType
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.journal import Journal
from citybrain.kernel.migrate import migrate
from citybrain.kernel.pool import Pool
from citybrain.kernel.tests.older import database_before
from citybrain.kernel.tests.scene import DAWN, ENTITIES, ROADS, SIGNALS, TYPES, after, batch

PLACE = {"type": "Point", "coordinates": [11.42, 48.76]}
FIRST_RELEASE = (
    """INSERT INTO entity VALUES
    ('urn:ngsi-ld:RoadSegment:a', 'RoadSegment', 'test', '2026-03-01T06:00:00.5Z', '{"en": "A", "zh": "甲"}',
        '{"type": "Point", "coordinates": [11.42, 48.76]}', '{"laneCount": 2, "surface": null, "kind": {"deep": [1]}}'),
    ('urn:ngsi-ld:RoadSegment:b', 'RoadSegment', 'test', '2026-03-01T06:00:00Z', '{}', NULL, '{}'),
    ('urn:ngsi-ld:TrafficSignalController:1', 'TrafficSignalController', 'test', '2026-03-01T06:00:00Z', '{}',
        'null', '{}')""",
    """INSERT INTO series (entity_id, attribute) VALUES
    ('urn:ngsi-ld:RoadSegment:b', 'averageVehicleSpeed'), ('urn:ngsi-ld:RoadSegment:a', 'averageVehicleSpeed'),
    ('urn:ngsi-ld:TrafficSignalController:1', 'signalState')""",
    "SELECT history_add_day('2026-03-01'), history_add_day('2026-03-02')",
    """INSERT INTO observation_batch VALUES (1, 'b1', 'test', '2026-03-01T06:00:00Z', '2026-03-01T06:00:02Z'),
    (2, 'b2', 'test', '2026-03-02T06:00:00Z', '2026-03-02T06:00:02Z')""",
    """INSERT INTO history SELECT s.id, b.number, b.observed_at, h.number, h.word FROM (VALUES
        ('urn:ngsi-ld:RoadSegment:a', 'averageVehicleSpeed', 1, 30::float8, NULL::text),
        ('urn:ngsi-ld:RoadSegment:b', 'averageVehicleSpeed', 1, 40, NULL),
        ('urn:ngsi-ld:TrafficSignalController:1', 'signalState', 1, NULL, 'rG'),
        ('urn:ngsi-ld:RoadSegment:a', 'averageVehicleSpeed', 2, 31, NULL),
        ('urn:ngsi-ld:RoadSegment:b', 'averageVehicleSpeed', 2, 'NaN', NULL)
    ) h (entity_id, attribute, batch, number, word)
    JOIN series s ON s.entity_id = h.entity_id AND s.attribute = h.attribute
    JOIN observation_batch b ON b.number = h.batch""",
)


@pytest.fixture(scope="module")
async def old(server: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """A database made and filled by the first release, then brought up to date."""
    async with database_before("0002", server, tmp_path_factory.mktemp("first-release")) as db:
        for statement in FIRST_RELEASE:
            await db.write(statement)
        assert "kernel/0002_documents.sql" in await migrate(db, {})
        yield db


async def test_entities_are_documents_now(old: Database) -> None:
    documents = await Documents.open(old)
    road = documents.get("", ROADS[0])
    assert road is not None
    assert (road.types, road.created_at) == (("RoadSegment",), "2026-03-01T06:00:00.5Z")
    assert {name: (each[0].type, each[0].value) for name, each in road.attributes.items()} == {
        "laneCount": (AttributeType.PROPERTY, 2),
        "kind": (AttributeType.PROPERTY, {"deep": [1]}),
        "source": (AttributeType.PROPERTY, "test"),
        "name": (AttributeType.LANGUAGE_PROPERTY, {"en": "A", "zh": "甲"}),
        "location": (AttributeType.GEO_PROPERTY, PLACE),
    }
    signal = documents.get("", SIGNALS[0])
    assert signal is not None
    assert set(signal.attributes) == {"source"}


async def test_they_are_the_same_entities_to_doors_and_apps(old: Database) -> None:
    pool = await Pool.open(old, TYPES)
    road = pool.entity(ROADS[0])
    assert road is not None
    assert (road.type, road.source, road.name, road.geometry) == ("RoadSegment", "test", {"en": "A", "zh": "甲"}, PLACE)
    assert road.attributes == {"laneCount": 2, "kind": {"deep": [1]}}


async def test_values_and_history_are_as_they_were(old: Database) -> None:
    pool = await Pool.open(old, TYPES)
    assert pool.values("averageVehicleSpeed", ROADS) == [31, None]
    assert pool.values("signalState", SIGNALS) == ["rG"]
    points = await pool.history(ROADS[0], "averageVehicleSpeed", since=None, until=None, limit=9)
    assert points == [(DAWN, 30), (after(86_400), 31)]
    first = await pool.batch("b1")
    assert first is not None
    assert [(each.entity_id, each.value) for each in first.observations] == [
        (ROADS[0], 30), (ROADS[1], 40), (SIGNALS[0], "rG")
    ]  # fmt: skip


async def test_the_days_are_still_days(old: Database) -> None:
    days = "SELECT relname FROM pg_class WHERE relname ~ '^history_2' AND relkind = 'r' ORDER BY relname"
    assert await old.read(days, as_=str) == ["history_20260301", "history_20260302"]
    gone = "SELECT count(*) FROM pg_class WHERE relname IN ('entity', 'series', 'history_before')"
    assert await old.read(gone, as_=int) == [0]
    assert await old.read("SELECT history_drop_before('2026-03-02')", as_=int) == [1]
    assert await old.read(days, as_=str) == ["history_20260302"]


async def test_the_city_goes_on_in_it(old: Database) -> None:
    pool = await Pool.open(old, TYPES)
    journal = await Journal.open(old, pool)
    named = msgspec.structs.replace(ENTITIES[0], name={"en": "High Street"})
    await pool.register([named, *ENTITIES[1:]])
    await (await journal.append(batch(after(90_000), [32, 42], "Gr")))
    await journal.close()
    again = await Pool.open(old, TYPES)
    assert again.values("averageVehicleSpeed", ROADS) == [32, 42]
    road = again.entity(ROADS[0])
    assert road is not None
    assert (road.name, road.attributes["laneCount"]) == ({"en": "High Street"}, 2)


async def test_a_month_that_comes_as_a_whole_is_one_partition(old: Database) -> None:
    await old.write("SELECT history_add_month('2019-05-17')")
    await old.write("SELECT history_add_day('2019-05-18'), history_add_month('2026-03-09')")
    months = "SELECT relname FROM pg_class WHERE relname ~ '^history_(2019|202603..$)' AND relkind = 'r'"
    assert sorted(await old.read(months, as_=str)) == [
        "history_201905", "history_20260301", "history_20260302"
    ]  # fmt: skip
    assert await old.read("SELECT history_drop_before('2019-05-31')", as_=int) == [0], "not all of it is old"
    assert await old.read("SELECT history_drop_before('2019-06-01')", as_=int) == [1]
