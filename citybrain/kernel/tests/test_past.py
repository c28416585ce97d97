# SPDX-License-Identifier: Apache-2.0
"""Entities that doors brought in, as they were at a past time; and which time of the clock that was."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeChange, Done, EntityChange
from citybrain.kernel.records import Batch, Entity
from citybrain.kernel.store import Store

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
TEAM = ("Team",)
SAID = ("name", "location", "status", "load")


def after(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def team(name: str, at: datetime, lon: float, **facts: object) -> Entity:
    return Entity(
        id=f"urn:ngsi-ld:Team:{name}",
        type="Team",
        source="test",
        observed_at=at,
        name={"en": name},
        geometry={"type": "Point", "coordinates": [lon, 30.0]},
        attributes=facts,
    )


@pytest.fixture(scope="module")
async def driven(store: Store) -> AsyncIterator[Store]:
    """A tow truck that drives from 10:00 to 10:20, a patrol that stands all day, and one that is there till 10:15."""
    pool = store.pool
    await pool.register([team("patrol", TEN, 120.5, status="free"), team("gone", TEN, 120.7, status="free")])
    for minute in range(0, 21, 5):
        await pool.register([team("tow", after(minute), 120.0 + minute / 100, status="busy" if minute else "free")])
    gone = store.documents.stored(DEFAULT_TENANT, "urn:ngsi-ld:Team:gone")
    await store.documents.apply(
        [EntityChange(tenant=DEFAULT_TENANT, id="urn:ngsi-ld:Team:gone", at=after(15), before=gone, after=None)]
    )
    await pool.register([team("late", after(30), 121.0)])
    yield store


async def places(store: Store, at: datetime) -> dict[str, tuple[float, object]]:
    return {
        each.id.rpartition(":")[2]: (each.values["location"]["coordinates"][0], each.values.get("status"))
        for each in await store.pool.past.at(TEAM, SAID, at)
    }


@pytest.mark.parametrize(
    ("minute", "there"),
    [
        (-1, {}),
        (0, {"gone": (120.7, "free"), "patrol": (120.5, "free"), "tow": (120.0, "free")}),
        (4, {"gone": (120.7, "free"), "patrol": (120.5, "free"), "tow": (120.0, "free")}),
        (12, {"gone": (120.7, "free"), "patrol": (120.5, "free"), "tow": (120.1, "busy")}),
        (16, {"patrol": (120.5, "free"), "tow": (120.15, "busy")}),
        (60, {"late": (121.0, None), "patrol": (120.5, "free"), "tow": (120.2, "busy")}),
    ],
)
async def test_who_drove_stands_where_it_stood_and_who_was_not_there_does_not(
    driven: Store, minute: float, there: dict[str, tuple[float, object]]
) -> None:
    assert await places(driven, after(minute)) == there


async def test_the_present_is_told_in_the_same_form(driven: Store) -> None:
    assert driven.pool.past.now(TEAM, SAID) == await driven.pool.past.at(TEAM, SAID, utc_now())


async def test_each_value_says_how_old_it_is(driven: Store) -> None:
    tow = next(each for each in await driven.pool.past.at(TEAM, SAID, after(12)) if each.id.endswith(":tow"))
    assert (tow.seen_at["location"], tow.seen_at["status"]) == (after(10), after(5)), "the state has not changed since"
    assert tow.entity().name == {"en": "tow"}
    assert tow.entity().geometry == tow.values["location"]


async def test_an_attribute_that_was_taken_away_later_was_there_then(driven: Store) -> None:
    pump = team("pump", TEN, 122.0, load=2)
    await driven.pool.register([pump])
    before = driven.documents.stored(DEFAULT_TENANT, pump.id)
    assert before is not None
    held = before.attributes["load"][0]
    rest = {name: one for name, one in before.attributes.items() if name != "load"}
    without = msgspec.structs.replace(before, attributes=rest)
    await driven.documents.apply(
        [
            EntityChange(
                tenant=DEFAULT_TENANT,
                id=pump.id,
                at=after(10),
                before=before,
                after=without,
                attributes=(AttributeChange(name="load", done=Done.DELETED, before=held, after=None),),
            )
        ]
    )
    loads = [
        next(each.values.get("load") for each in await driven.pool.past.at(TEAM, SAID, at) if each.id == pump.id)
        for at in (after(9), after(11))
    ]
    assert loads == [2, None]


async def test_what_the_clock_said_is_told_by_the_batches_of_a_simulated_day(driven: Store) -> None:
    day = datetime(2027, 5, 1, 7, tzinfo=UTC)
    assert await driven.clock_at(day) == day, "no day was simulated: the city's time is the clock's"
    await driven.runs.start(number=1, scenario="s", begins_at=day, ends_at=day + timedelta(hours=1), now=TEN)
    assert await driven.clock_at(day + timedelta(minutes=1)) == day + timedelta(minutes=1), "of which nothing is kept"
    for second in (0, 10):
        told = Batch(
            id=f"b{second}",
            source="test",
            observed_at=day + timedelta(seconds=second),
            received_at=TEN + timedelta(seconds=second / 10),
            columns=(),
        )
        await (await driven.journal.append(told))
    assert await driven.clock_at(day + timedelta(seconds=9)) == TEN
    assert await driven.clock_at(day + timedelta(seconds=11)) == TEN + timedelta(seconds=1)
    assert await driven.clock_at(day + timedelta(hours=2)) == day + timedelta(hours=2), "the day was over"
