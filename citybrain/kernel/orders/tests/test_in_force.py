# SPDX-License-Identifier: Apache-2.0
"""Which orders stood at a past time, as a screen that goes back in time shows what was closed then."""

from datetime import timedelta

from citybrain.kernel.db import Database
from citybrain.kernel.orders import Orders, OrderState
from citybrain.kernel.orders.order import Wanted
from citybrain.kernel.orders.tests.desk import ANN, BOB, CITY, EVE, NOW, SIGNAL, carry_out, give


async def stood(orders: Orders, minute: float, by: object = ANN) -> list[str]:
    """The means of what stood so many minutes after the clock said NOW and the city CITY."""
    passed = timedelta(minutes=minute)
    found = await orders.in_force(by, group="road", at=CITY + passed, clock_at=NOW + passed)  # type: ignore[arg-type]
    assert all(each.state is OrderState.STANDING and each.ended is None for each in found), "its end was not known"
    return [each.means for each in found]


async def test_what_was_closed_from_ten_to_ten_past_is_closed_at_five_past_and_open_at_a_quarter_past(
    orders: Orders, db: Database
) -> None:
    order = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    assert await stood(orders, -1) == []
    assert await stood(orders, 5) == ["road.mode"]
    assert await stood(orders, 15) == ["road.mode"]
    await orders.end(ANN, order.id, reason="", now=NOW + timedelta(minutes=10))
    assert await stood(orders, 5) == ["road.mode"]
    assert await stood(orders, 15) == []
    assert await orders.in_force(ANN, group="road") == [], "nothing stands now"


async def test_what_was_ordered_for_minutes_is_over_by_the_citys_time(orders: Orders, db: Database) -> None:
    await give(orders, ANN, "road.hold", minutes=10)
    await carry_out(orders, db)
    assert [await stood(orders, minute) for minute in (5, 15)] == [["road.hold"], []]
    assert [each.means for each in await orders.in_force(ANN, group="road")] == ["road.hold"], "nobody ended it yet"


async def test_what_two_must_agree_to_stands_from_the_second_one_on(orders: Orders, db: Database) -> None:
    lock = await give(orders, ANN, "road.lock", stage=1)
    await orders.approve(BOB, lock.id, now=NOW + timedelta(minutes=4))
    await carry_out(orders, db)
    withdrawn = await orders.give(
        ANN, Wanted(means="road.lock", entity_id=SIGNAL, parameters={"stage": 2}), now=NOW, city_now=CITY
    )
    await orders.end(ANN, withdrawn.id, reason="", now=NOW + timedelta(minutes=20))
    assert [await stood(orders, minute) for minute in (3, 5, 30)] == [[], ["road.lock"], ["road.lock"]]


async def test_what_was_refused_never_stood(orders: Orders, db: Database) -> None:
    await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db, state="refused")
    assert await stood(orders, 5) == []


async def test_nobody_is_told_of_means_that_he_may_not_use(orders: Orders, db: Database) -> None:
    await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    assert await stood(orders, 5, EVE) == []
