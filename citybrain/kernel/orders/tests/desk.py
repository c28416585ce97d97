# SPDX-License-Identifier: Apache-2.0
"""Means of a small city, people who use them, and what tests of orders begin with."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.app import Means
from citybrain.kernel.db import Database
from citybrain.kernel.orders import Orders, StandingOrder, Trade, Wanted
from citybrain.kernel.records import Entity, Order

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
CITY = datetime(2027, 1, 1, 7, tzinfo=UTC)
SIGNAL, ROAD = "urn:ngsi-ld:Signal:1", "urn:ngsi-ld:Road:1"
ENTITIES = {
    SIGNAL: Entity(id=SIGNAL, type="Signal", source="test", observed_at=CITY),
    ROAD: Entity(id=ROAD, type="Road", source="test", observed_at=CITY),
}


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    mode: Literal["brain", "plan"]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    stage: int


class Minutes(msgspec.Struct, frozen=True, kw_only=True):
    minutes: int


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    pass


def means(name: str, parameters: type[msgspec.Struct], undone_by: str = "", **more: Any) -> Means:
    more = {"permission": "road.control", "entity_types": ("Signal",), **more}
    return Means(name=name, parameters=parameters, undone_by=undone_by, **more)


ALL = (
    means("road.mode", Mode, "road.mode", lasts=True, undo=lambda _: {"mode": "brain"}),
    means("road.lock", Stage, "road.unlock", lasts=True, two_person=True),
    means("road.unlock", Nothing),
    means("road.hold", Minutes, "road.unlock", lasts=True, lasts_for=lambda p: timedelta(minutes=p["minutes"])),
    means("road.cancel", Nothing, entity_types=()),
    means("road.stage", Stage, "road.mode"),
    means("road.close", Nothing, permission="road.close"),
    means("road.dream", Nothing),
)
TRADE = Trade(means={each.name: each for each in ALL}, executed=frozenset({each.name for each in ALL} - {"road.dream"}))


def actor(account: str, *may: str, kind: Kind = Kind.STAFF) -> Actor:
    rights = {name: Right(reach=EVERYTHING) for name in may or ("road.control",)}
    return Actor(name=account.title(), account=account, kind=kind, rights=rights)


ANN, BOB, EVE = actor("ann"), actor("bob"), actor("eve", "road.close")


async def give(orders: Orders, by: Actor | None, name: str, **parameters: Any) -> StandingOrder:
    wanted = Wanted(means=name, entity_id=SIGNAL, parameters=parameters)
    return await orders.give(by, wanted, now=NOW, city_now=CITY)


async def answer(
    orders: Orders, db: Database, *given: Order, state: str = "executed", code: str = "", at: datetime = CITY
) -> None:
    """What the journal writes of orders that were carried out, and what follows from it."""
    for each in given:
        await db.write(
            "INSERT INTO outcome (order_id, state, at, code, facts) VALUES (%(id)s, %(state)s, %(at)s, %(code)s, '{}')",
            {"id": each.id, "state": state, "at": at, "code": code},
        )
    await orders.delivery.settle(now=NOW)


async def carry_out(orders: Orders, db: Database, **answered: Any) -> tuple[Order, ...]:
    given = await orders.delivery.take(CITY)
    await answer(orders, db, *given, **answered)
    return given


async def look(orders: Orders, order: StandingOrder) -> StandingOrder:
    return (await orders.get(ANN, order.id))[0]


async def acts(orders: Orders, order: StandingOrder) -> list[tuple[str, str]]:
    return [(each.act, each.by) for each in (await orders.get(ANN, order.id))[1]]


def reopened(db: Database) -> Orders:
    """The desk as another process makes it from the same database."""
    return Orders(db, TRADE, ENTITIES.get)
