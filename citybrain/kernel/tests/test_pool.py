# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import datetime

import msgspec
import numpy as np
import pytest

from citybrain.kernel.app import Attribute, EntityType, Keep
from citybrain.kernel.db import Database
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.journal import Journal
from citybrain.kernel.pool import Pool
from citybrain.kernel.pool.pool import DeclaredTwice
from citybrain.kernel.pool.slots import UnknownSeries
from citybrain.kernel.records import Batch, Column, Json
from citybrain.kernel.tests.scene import ENTITIES, ROADS, SIGNALS, TYPES, after, batch, registered

SPEED = "averageVehicleSpeed"


@pytest.fixture(scope="module")
async def day(db: Database) -> list[Batch]:
    """Three minutes of a city, kept: one batch every ten seconds, the signal changing each minute."""
    pool = await registered(db)
    journal = await Journal.open(db, pool)
    batches = [
        batch(after(at), [at + 0.5, float("nan")], "Gr" if at % 120 < 60 else "rG", closed=("no", "yes"))
        for at in range(0, 180, 10)
    ]
    committed = [await journal.append(each) for each in batches]
    await asyncio.gather(*committed)
    await journal.close()
    return batches


async def test_the_present_is_the_newest_value_of_each_series(db: Database) -> None:
    pool = await _pool(db)
    assert pool.values(SPEED, ROADS) == [None, None]
    first, second = batch(after(1), [30, 40], "rrGG"), batch(after(2), [31, float("nan")])
    pool.observe(first)
    pool.observe(second)
    assert pool.values(SPEED, ROADS) == [31, None]
    assert pool.values("signalState", SIGNALS) == ["rrGG"]
    assert pool.values("signalState", ("urn:ngsi-ld:TrafficSignalController:gone",)) == [None]
    now = pool.now(ROADS[0])[SPEED]
    assert (now.value, now.observed_at, now.received_at, now.batch_id) == (31, after(2), after(4), second.id)
    assert pool.now(SIGNALS[0])["signalState"].batch_id == first.id
    assert pool.now("urn:ngsi-ld:RoadSegment:gone") == {}


async def test_an_observation_that_comes_late_does_not_replace_a_newer_one(db: Database) -> None:
    pool = await _pool(db)
    pool.observe(batch(after(5), [50, 50]))
    pool.observe(Batch(id="late", source="test", observed_at=after(4), received_at=after(9), columns=(
        Column(attribute=SPEED, entity_ids=(ROADS[0],), values=np.array([9.0])),
        Column(attribute="closed", entity_ids=ROADS, values=("no", "no")),
    )))  # fmt: skip
    assert pool.values(SPEED, ROADS) == [50, 50]
    assert pool.values("closed", ROADS) == ["no", "no"]


async def test_what_is_never_kept_is_still_known_now(db: Database) -> None:
    pool = await _pool(db)
    tracks = (np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    pool.observe(batch(after(1), tracks=tracks))
    assert [track.tolist() for track in pool.values("tracks", ROADS)] == [[[1.0, 2.0]], [[3.0, 4.0]]]


async def test_numbers_may_come_as_a_plain_list(db: Database) -> None:
    pool = await _pool(db)
    pool.observe(batch(after(1), averageVehicleSpeed=(7, None)))
    assert pool.values(SPEED, ROADS) == [7, None]


async def test_a_series_nobody_declared_is_refused(db: Database) -> None:
    pool = await _pool(db)
    with pytest.raises(UnknownSeries) as refusal:
        pool.observe(batch(after(1), noise=(1.0, 2.0)))
    assert refusal.value.facts == {"attribute": "noise", "entity_id": ROADS[0]}


def test_one_attribute_declared_in_two_ways_is_a_bug_seen_at_start(db: Database) -> None:
    again = EntityType(name="RoadSegment", attributes=(Attribute(name=SPEED, unit="m/s"),))
    with pytest.raises(DeclaredTwice):
        Pool(db, (*TYPES, again), Documents())
    Pool(db, (*TYPES, *TYPES), Documents())


async def test_entities_are_found_by_id_and_type_and_may_change(db: Database) -> None:
    pool = await _pool(db)
    assert pool.entity(ROADS[0]) == ENTITIES[0]
    assert pool.entity("urn:ngsi-ld:RoadSegment:gone") is None
    assert [entity.id for entity in pool.entities("RoadSegment")] == list(ROADS)
    assert len(pool.entities()) == len(ENTITIES)
    pool.observe(batch(after(1), [30, 40]))
    journal = await Journal.open(db, pool)
    await pool.register([msgspec.structs.replace(ENTITIES[0], name={"en": "High Street"})])
    await journal.close()
    assert pool.values(SPEED, ROADS) == [30, 40], "what is known of it stays"
    reopened = await Pool.open(db, TYPES)
    assert reopened.entities("RoadSegment")[0].name == {"en": "High Street"}
    await registered(db)


async def test_a_pool_opened_anew_knows_what_was_kept_last(db: Database, day: list[Batch]) -> None:
    pool = await Pool.open(db, TYPES)
    assert pool.values(SPEED, ROADS) == [150.5, None]
    assert pool.values("signalState", SIGNALS) == ["Gr"]
    assert pool.values("closed", ROADS) == ["no", "yes"]
    now = pool.now(SIGNALS[0])["signalState"]
    assert (now.observed_at, now.received_at, now.batch_id) == (after(120), after(122), day[12].id)
    assert pool.keep(batch(after(170), [1, float("nan")], "Gr", closed=("no", "yes")), 99) == b"", "nor keeps it twice"


@pytest.mark.parametrize(
    ("at", "speeds", "state"),
    [
        (-1, [None, None], None),
        (0, [0.5, None], "Gr"),
        (29, [0.5, None], "Gr"),
        (59, [30.5, None], "Gr"),
        (60, [60.5, None], "rG"),
        (125, [120.5, None], "Gr"),
        (9999, [150.5, None], "Gr"),
    ],
)
async def test_the_city_can_be_seen_as_it_was(
    db: Database, day: list[Batch], at: int, speeds: list[Json], state: str | None
) -> None:
    values = await (await Pool.open(db, TYPES)).values_at(after(at))
    assert values(SPEED, ROADS) == speeds
    assert values("signalState", SIGNALS) == [state]


async def test_a_look_back_may_begin_with_the_day(db: Database, day: list[Batch]) -> None:
    values = await (await Pool.open(db, TYPES)).values_at(after(119), since=after(61))
    assert values(SPEED, ROADS) == [90.5, None]
    assert values("signalState", SIGNALS) == [None], "its last change was before"


@pytest.mark.parametrize(
    ("since", "until", "limit", "seconds"),
    [
        (None, None, 100, [0, 30, 60, 90, 120, 150]),
        (after(30), after(90), 100, [30, 60, 90]),
        (None, None, 2, [120, 150]),
        (after(500), None, 100, []),
    ],
)
async def test_history_is_oldest_first_and_of_too_many_the_newest(
    db: Database, day: list[Batch], since: datetime | None, until: datetime | None, limit: int, seconds: list[int]
) -> None:
    pool = await Pool.open(db, TYPES)
    points = await pool.history(ROADS[0], SPEED, since=since, until=until, limit=limit)
    assert points == [(after(at), at + 0.5) for at in seconds]
    assert await pool.history(ROADS[0], "unheard of", since=None, until=None, limit=9) == []


async def test_the_histories_of_many_are_those_of_each_and_end_before_the_end(db: Database, day: list[Batch]) -> None:
    pool = await _pool(db)
    since, until = after(20), after(60)
    many = await pool.histories([*ROADS, "urn:ngsi-ld:RoadSegment:gone"], SPEED, since=since, until=until)
    assert list(many) == [*ROADS, "urn:ngsi-ld:RoadSegment:gone"]
    for road in ROADS:
        alone = await pool.history(road, SPEED, since=since, until=until, limit=100)
        assert many[road] == [(at, value) for at, value in alone if at < until]
    assert many[ROADS[0]], "the road was observed"
    assert many["urn:ngsi-ld:RoadSegment:gone"] == []


async def test_a_batch_shows_what_was_kept_of_it(db: Database, day: list[Batch]) -> None:
    pool = await Pool.open(db, TYPES)
    found = await pool.batch(day[6].id)
    assert found is not None
    assert (found.source, found.observed_at, found.received_at) == ("test", after(60), after(62))
    assert [(each.entity_id, each.attribute, each.value) for each in found.observations] == [
        (ROADS[0], SPEED, 60.5),
        (SIGNALS[0], "signalState", "rG"),
    ]
    nothing = await pool.batch(day[7].id)
    assert nothing is not None
    assert nothing.observations == (), "there is a batch also when nothing of it was kept"
    assert await pool.batch("gone") is None


async def test_the_extent_is_from_the_first_batch_to_the_last(db: Database, day: list[Batch]) -> None:
    assert await (await Pool.open(db, TYPES)).extent() == (after(0), after(170))


async def test_an_attribute_that_is_declared_no_more_does_not_disturb(db: Database, day: list[Batch]) -> None:
    fewer = (EntityType(name="RoadSegment", attributes=(Attribute(name="closed", keep=Keep.CHANGE),)),)
    pool = await Pool.open(db, fewer)
    assert pool.values(SPEED, ROADS) == [None, None]
    assert pool.values("closed", ROADS) == ["no", "yes"]


async def test_an_attribute_that_is_declared_later_is_kept_from_then_on(db: Database, day: list[Batch]) -> None:
    await _pool(db)
    more = EntityType(name="RoadSegment", attributes=(Attribute(name="wet"),))
    pool = await Pool.open(db, (*TYPES, more))
    journal = await Journal.open(db, pool)
    await (await journal.append(batch(after(100), wet=(0.5, 0.75))))
    await journal.close()
    assert await pool.history(ROADS[1], "wet", since=None, until=None, limit=9) == [(after(100), 0.75)]


async def _pool(db: Database) -> Pool:
    """A pool with the scene's entities of which nothing was seen yet."""
    await registered(db)
    return Pool(db, TYPES, await Documents.open(db))
