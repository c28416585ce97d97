# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.keepable import UnkeepableWord
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of, to_us
from citybrain.kernel.journal import Journal
from citybrain.kernel.pool import Pool, observing
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.pool.temporal_rows import moment_of
from citybrain.kernel.records import Json

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
ROWS = """SELECT entity, attribute, observed_at, observed_at, number, word, instance, recorded_at, modified_at,
    is_observed, detail FROM history WHERE entity = %(number)s ORDER BY instance"""

Row = tuple[str, str, int, Json, str]


@pytest.fixture
async def documents(db: Database) -> AsyncIterator[Documents]:
    documents = await Documents.open(db)
    journal = await Journal.open(db, await Pool.open(db, (), documents))
    yield documents
    await journal.close()


def seen(rows: Sequence[Row]) -> Observations:
    """Rows of entity, attribute, seconds after noon, value and unit as columns."""
    return Observations(
        entity_ids=[row[0] for row in rows],
        attributes=[row[1] for row in rows],
        observed_us=np.array([to_us(NOON + timedelta(seconds=row[2])) for row in rows], np.int64),
        numbers=np.array([row[3] if not isinstance(row[3], str) else np.nan for row in rows], np.float64),
        words=[row[3] if isinstance(row[3], str) else None for row in rows],
        units=[row[4] for row in rows],
    )


def now(documents: Documents, id: str) -> dict[str, Json]:
    found = documents.get("", id)
    assert found is not None
    return {name: (each[0].value, each[0].unit_code, each[0].observed_at) for name, each in found.attributes.items()}


async def test_all_enter_the_history_and_the_newest_is_the_present(db: Database, documents: Documents) -> None:
    rows: list[Row] = [
        ("urn:o:1", "level", 0, 1.5, "MTR"),
        ("urn:o:1", "level", 20, 3.0, "MTR"),
        ("urn:o:1", "level", 10, 2.5, "MTR"),
        ("urn:o:1", "state", 5, "wet", ""),
        ("urn:o:2", "level", 0, 7.0, ""),
    ]
    numbers = await observe_many(documents, "", seen(rows), type="Gauge", at=NOON)
    assert now(documents, "urn:o:1") == {
        "level": (3, "MTR", text_of(NOON + timedelta(seconds=20))),
        "state": ("wet", "", text_of(NOON + timedelta(seconds=5))),
    }
    again = await Documents.open(db)
    assert again.get("", "urn:o:1") == documents.get("", "urn:o:1")
    assert again.types("", "urn:o:2") == ("Gauge",)
    moments = [moment_of(row, "") for row in await db.rows(ROWS, {"number": documents.number("", "urn:o:1")})]
    assert [
        (each.instance.value, each.instance.unit_code, each.instance.extra["instanceId"]) for each in moments if each
    ] == [
        (value, unit, f"urn:ngsi-ld:instance:{number}")
        for (_, _, _, value, unit), number in zip(rows[:4], numbers, strict=False)
    ]


async def test_what_comes_late_changes_only_the_history(db: Database, documents: Documents) -> None:
    await observe_many(documents, "", seen([("urn:late", "level", 60, 6.0, "")]), type="Gauge", at=NOON)
    body = documents.kept("", "urn:late")
    await observe_many(documents, "", seen([("urn:late", "level", 30, 3.0, "")]), type="Gauge", at=NOON)
    assert documents.kept("", "urn:late") is body
    counted = "SELECT count(*) FROM history WHERE entity = %(number)s"
    assert await db.read(counted, {"number": documents.number("", "urn:late")}, as_=int) == [2]


async def test_what_else_is_known_of_the_entity_stays(documents: Documents) -> None:
    owner = Instance(type=AttributeType.RELATIONSHIP, value="urn:owner")
    other = Instance(type=AttributeType.PROPERTY, value=9, dataset_id="urn:other")
    gauge = Document(id="urn:known", types=("Gauge", "Thing"), attributes={"owner": (owner,), "level": (other,)})
    await service.create(Desk(documents=documents, tenant="", at=NOON), gauge)
    await observe_many(documents, "", seen([("urn:known", "level", 0, 4.0, "")]), type="Sensor", at=NOON)
    found = documents.get("", "urn:known")
    assert found is not None
    assert found.types == ("Gauge", "Thing")
    assert found.attributes["owner"] == (owner,)
    assert [(each.value, each.dataset_id) for each in found.attributes["level"]] == [(4, ""), (9, "urn:other")]


async def test_many_are_stored_in_several_groups(
    db: Database, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "TOGETHER", 7)
    rows: list[Row] = [(f"urn:many:{n % 3}", "level", n, float(n), "") for n in range(30)]
    numbers = await observe_many(documents, "", seen(rows), type="Gauge", at=NOON)
    assert len(set(numbers)) == 30
    assert [now(documents, f"urn:many:{n}")["level"][0] for n in range(3)] == [27, 28, 29]
    counted = "SELECT count(*) FROM history WHERE instance = ANY(%(numbers)s)"
    assert await db.read(counted, {"numbers": numbers}, as_=int) == [30]


async def test_a_word_that_cannot_be_kept_is_refused_before_anything_is(documents: Documents) -> None:
    with pytest.raises(UnkeepableWord):
        await observe_many(documents, "", seen([("urn:nul", "state", 0, "a\x00b", "")]), type="Gauge", at=NOON)
    assert documents.get("", "urn:nul") is None


async def test_years_of_the_past_come_into_partitions_of_months(db: Database, documents: Documents) -> None:
    rows: list[Row] = [("urn:import", "level", -86_400 * day, float(day), "") for day in range(3000, 3060)]
    await observe_many(documents, "", seen(rows), type="Gauge", at=NOON)
    made = "SELECT count(*) FROM pg_class WHERE relname ~ '^history_201[78]' AND relkind = 'r'"
    (count,) = await db.read(made, as_=int)
    assert count <= 3


async def test_many_days_of_a_month_come_after_single_days_of_it(db: Database, documents: Documents) -> None:
    single: list[Row] = [("urn:month", "level", -86_400 * 2000, 0.0, "")]
    await observe_many(documents, "", seen(single), type="Gauge", at=NOON)
    rows: list[Row] = [("urn:month", "level", -86_400 * day, float(day), "") for day in range(1980, 2020)]
    await observe_many(documents, "", seen(rows), type="Gauge", at=NOON)
    counted = "SELECT count(*) FROM history WHERE entity = %(number)s"
    assert await db.read(counted, {"number": documents.number("", "urn:month")}, as_=int) == [41]
