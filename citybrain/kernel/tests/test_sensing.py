# SPDX-License-Identifier: Apache-2.0
"""What doors bring into the pool reaches detectors."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from citybrain.kernel.app import App, Frame
from citybrain.kernel.db import Database
from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of, to_us
from citybrain.kernel.journal import Journal
from citybrain.kernel.loop import NOTHING, Loop, Sensed
from citybrain.kernel.pool import Pool
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.records import Batch, Column, Entity, Event, Json
from citybrain.kernel.sensing import STALE, Meant, Sensing

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
GAUGE = "urn:ngsi-ld:Gauge:1"


@pytest.fixture
async def pool(db: Database) -> AsyncIterator[Pool]:
    documents = await Documents.open(db)
    pool = await Pool.open(db, (), documents)
    journal = await Journal.open(db, pool)
    yield pool
    for id in list(documents.ids("")):
        await service.delete(Desk(documents=documents, tenant="", at=NOON), id)
    await journal.close()


def sensing(pool: Pool) -> Sensing:
    return Sensing(pool, {"Gauge": ["level"]}, clock=lambda: NOON)


def desk(pool: Pool, tenant: str = "") -> Desk:
    return Desk(documents=pool.documents, tenant=tenant, at=NOON)


def gauge(id: str = GAUGE, type: str = "Gauge", **values: Json) -> Document:
    attributes: Attributes = {
        name: (Instance(type=AttributeType.PROPERTY, value=value),) for name, value in values.items()
    }
    return Document(id=id, types=(type,), created_at=text_of(NOON), attributes=attributes)


def level(value: Json) -> list[Instance]:
    return [Instance(type=AttributeType.PROPERTY, value=value)]


async def observe(pool: Pool, value: float, at: datetime, id: str = GAUGE) -> None:
    observations = Observations(
        entity_ids=[id], attributes=["level"], observed_us=np.array([to_us(at)]), numbers=np.array([value])
    )
    await observe_many(pool.documents, "", observations, type="Gauge", at=NOON)


def told(sensed: Sensed) -> tuple[list[str], list[str], dict[str, dict[str, float]]]:
    values = {
        each.attribute: dict(zip(each.entity_ids, each.values.tolist(), strict=True))  # type: ignore[union-attr]
        for each in sensed.columns
    }
    return [each.id for each in sensed.entities], list(sensed.gone), values


async def test_new_things_and_values_are_told_once(pool: Pool) -> None:
    looking = sensing(pool)
    assert looking.is_idle
    await service.create(desk(pool), gauge(level=1.5, datum=2))
    assert not looking.is_idle
    assert told(looking.take()) == ([GAUGE], [], {"level": {GAUGE: 1.5}})
    assert looking.take() == NOTHING
    await service.replace_attribute(desk(pool), GAUGE, "level", level(1.7))
    assert told(looking.take()) == ([], [], {"level": {GAUGE: 1.7}})


async def test_of_several_values_between_two_steps_the_newest_counts_and_an_equal_one_counts_too(pool: Pool) -> None:
    await service.create(desk(pool), gauge(level=1))
    looking = sensing(pool)
    for value in (5, 7, 7):
        await service.replace_attribute(desk(pool), GAUGE, "level", level(value))
    assert told(looking.take())[2] == {"level": {GAUGE: 7.0}}
    await service.replace_attribute(desk(pool), GAUGE, "level", level(7))
    assert told(looking.take())[2] == {"level": {GAUGE: 7.0}}


async def test_a_thing_that_is_known_otherwise_is_told_again_and_one_that_is_deleted_is_gone(pool: Pool) -> None:
    await service.create(desk(pool), gauge(level=1, datum=2))
    looking = sensing(pool)
    await service.replace_attribute(desk(pool), GAUGE, "datum", level(2))
    assert looking.take() == NOTHING
    await service.replace_attribute(desk(pool), GAUGE, "datum", level(3))
    (entity,) = looking.take().entities
    assert entity.attributes["datum"] == 3
    await service.delete(desk(pool), GAUGE)
    assert told(looking.take()) == ([], [GAUGE], {})


async def test_bulk_observations_count_and_imports_of_the_past_do_not(pool: Pool) -> None:
    looking = sensing(pool)
    await observe(pool, 2.5, NOON - STALE + timedelta(minutes=1))
    assert told(looking.take()) == ([GAUGE], [], {"level": {GAUGE: 2.5}})
    await observe(pool, 3.5, NOON - STALE - timedelta(minutes=1), "urn:ngsi-ld:Gauge:old")
    assert told(looking.take()) == (["urn:ngsi-ld:Gauge:old"], [], {})


async def test_other_types_words_and_other_attributes_are_not_looked_at(pool: Pool) -> None:
    await service.create(desk(pool), gauge(level=1))
    looking = sensing(pool)
    await service.create(desk(pool), gauge("urn:ngsi-ld:Lamp:1", "Lamp", level=1))
    await service.replace_attribute(desk(pool), GAUGE, "level", level("dry"))
    assert looking.take() == NOTHING


def probe(document: Document) -> Meant | None:
    if "gauges" not in document.attributes:
        return None
    return Meant(entity=Entity(id=document.id, type="Gauge", source="probe", observed_at=NOON), names={"seen": "level"})


async def test_what_a_door_keeps_in_a_form_of_its_own_counts_as_what_it_means(pool: Pool) -> None:
    looking = Sensing(pool, {"Gauge": ["level"]}, {"Probe": probe}, clock=lambda: NOON)
    await service.create(desk(pool), gauge("urn:p:1", "Probe", gauges=True, seen=2.5))
    await service.create(desk(pool), gauge("urn:p:2", "Probe", seen=9))
    sensed = looking.take()
    assert told(sensed) == (["urn:p:1"], [], {"level": {"urn:p:1": 2.5}})
    assert [(each.id, each.type) for each in looking.entities()] == [("urn:p:1", "Gauge")]


class Highest:
    """A detector that keeps what it is told."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.known = [each.id for each in entities]
        self.seen: list[float] = []
        self.gone: list[str] = []

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> None:
        self.known += [each.id for each in entities]
        self.gone += gone

    def __call__(self, batch: Batch) -> list[Event]:
        self.seen += [value for column in batch.columns for value in column.values]
        return []


def test_the_loop_tells_its_detectors_before_it_hands_them_the_values() -> None:
    made: list[Highest] = []

    def begin(entities: Sequence[Entity]) -> Highest:
        made.append(Highest(entities))
        return made[-1]

    loop = Loop([App(name="water", folder=Path(), detectors=(begin,))], (), arm="brain", decide=True)
    batch = Batch(id="b", source="field", observed_at=NOON, received_at=NOON, columns=())
    column = Column(attribute="level", entity_ids=(GAUGE,), values=np.array([4.0]))
    entity = Entity(id=GAUGE, type="Gauge", source="test", observed_at=NOON)
    step = loop.step(Frame(batch=batch), (), Sensed(entities=(entity,), gone=("x",), columns=(column,)))
    assert (made[0].known, made[0].seen, made[0].gone) == ([GAUGE], [4.0], ["x"])
    assert step.frame.batch.columns == (), "the pool has them already"
