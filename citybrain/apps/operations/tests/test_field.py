# SPDX-License-Identifier: Apache-2.0
"""The field as it was: a team where it stood, a lane closed while it was closed, and how old that was."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from citybrain.apps.operations.app import APP
from citybrain.apps.operations.choice.crews import Crews
from citybrain.apps.operations.service.field import FieldView, field
from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.app import Attribute, EntityType
from citybrain.kernel.orders import Trade, Wanted
from citybrain.kernel.records import Batch, Column, Entity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
ROAD, TOW = "urn:ngsi-ld:RoadSegment:1", "urn:ngsi-ld:Vehicle:tow"
TRADE = Trade(means={each.name: each for each in APP.means}, executed=frozenset(each.name for each in APP.means))


def officer(*may: str) -> Actor:
    return Actor(name="Lin", account="lin", kind=Kind.STAFF, rights={name: Right(reach=EVERYTHING) for name in may})


LIN = officer("operations.street")


def after(minutes: float) -> datetime:
    return TEN + timedelta(minutes=minutes)


def tow(at: datetime, lon: float, status: str) -> Entity:
    place = {"type": "Point", "coordinates": [lon, 30.0]}
    facts = {"skill": "tow", "status": status}
    return Entity(id=TOW, type="Vehicle", source="test", observed_at=at, geometry=place, attributes=facts)


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path) -> AsyncIterator[Store]:
    """A street city: a lane is closed from 10:00 to 10:10, and a tow truck comes at 10:03."""
    settings = Settings(data=open_folder / "field", database_url=database_url)
    types = (EntityType(name="VehicleFleet", attributes=(Attribute(name="sentVehicles"),)),)
    async with open_store(settings, trade=TRADE, types=types) as found:
        await found.pool.register([Entity(id=ROAD, type="RoadSegment", source="test", observed_at=TEN)])
        await found.pool.register([tow(TEN, 120.0, "free")])
        await found.pool.register([tow(after(3), 120.1, "busy")])
        wanted = Wanted(means="street.close_lane", entity_id=ROAD, parameters={"lane_index": 0, "minutes": 120})
        closed = await found.orders.give(LIN, wanted, now=TEN, city_now=TEN)
        await found.orders.delivery.take(TEN)
        await found.orders.end(LIN, closed.id, reason="clear", now=after(10))
        yield found


CREW = '[{"vehicle":"urn:ngsi-ld:Vehicle:p","kind":"police","order":"o","state":"%s","lon":%s,"lat":30.0,"kmh":36}]'


@pytest.mark.parametrize(
    ("minute", "crews"),
    [(-1, []), (0, [("under_way", 120.0)]), (4, [("at_work", 120.2)]), (20, [])],
)
async def test_a_crew_that_an_order_sent_is_drawn_where_it_was(
    store: Store, driven: Entity, minute: float, crews: list[tuple[str, float]]
) -> None:
    values = await store.pool.values_at(after(minute))
    drawn = Crews([driven])(values)["crews"]
    assert [(one.state, one.lon) for one in drawn] == crews
    assert all((one.kind, one.order) == ("police", "o") for one in drawn)


@pytest.fixture(scope="module")
async def driven(store: Store) -> Entity:
    """The fleet of a police car that an order sent at 10:00, at work from 10:03 on, and over at 10:10."""
    fleet = Entity(id="urn:ngsi-ld:VehicleFleet:f", type="VehicleFleet", source="test", observed_at=TEN)
    await store.pool.register([fleet])
    for minute, said in ((0, CREW % ("under_way", 120.0)), (3, CREW % ("at_work", 120.2)), (10, None)):
        column = Column(attribute="sentVehicles", entity_ids=(fleet.id,), values=(said,))
        at = after(minute)
        batch = Batch(id=f"b{minute}", source="test", observed_at=at, received_at=at, columns=(column,))
        await (await store.journal.append(batch))
    return fleet


def test_before_anybody_was_sent_nobody_is_drawn() -> None:
    assert Crews([])(lambda attribute, ids: [None for _ in ids]) == {"crews": []}


def told(view: FieldView) -> tuple[list[tuple[object, object, float | None]], list[str]]:
    teams = [(one.values["location"]["coordinates"][0], one.values["status"], one.age_s) for one in view.teams]
    return teams, [each.means for each in view.changes]


async def test_the_field_is_told_as_it_was(store: Store) -> None:
    assert told(await field(store, LIN, after(-1))) == ([], [])
    assert told(await field(store, LIN, after(2))) == ([(120.0, "free", 120.0)], ["street.close_lane"])
    assert told(await field(store, LIN, after(5))) == ([(120.1, "busy", 120.0)], ["street.close_lane"])
    assert told(await field(store, LIN, after(15))) == ([(120.1, "busy", 720.0)], [])


async def test_the_present_comes_the_same_way(store: Store) -> None:
    now = await field(store, LIN)
    assert now.at is None
    assert [(one.id, one.values["status"]) for one in now.teams] == [(TOW, "busy")]
    assert now.changes == []


async def test_who_may_close_no_street_sees_the_teams_only(store: Store) -> None:
    then = await field(store, officer("operations.view"), after(5))
    assert (len(then.teams), then.changes) == (1, [])
