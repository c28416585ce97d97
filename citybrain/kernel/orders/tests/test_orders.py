# SPDX-License-Identifier: Apache-2.0
"""What people may do with orders, alone and by two, and what is refused."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from citybrain.kernel.access.actor import Kind
from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Refusal
from citybrain.kernel.orders import Orders, StandingOrder, Wanted
from citybrain.kernel.orders.tests.desk import (
    ANN,
    BOB,
    CITY,
    EVE,
    NOW,
    ROAD,
    SIGNAL,
    actor,
    acts,
    carry_out,
    give,
    look,
)
from citybrain.kernel.records import Because


async def test_an_order_that_would_be_over_at_once_is_refused(orders: Orders) -> None:
    for expires_at, code in ((CITY, "in_the_past"), (CITY.replace(tzinfo=None), "without_zone")):
        wanted = Wanted(means="road.mode", entity_id=SIGNAL, parameters={"mode": "plan"}, expires_at=expires_at)
        with pytest.raises(Refusal, match=f"order_expires_{code}"):
            await orders.give(ANN, wanted, now=NOW, city_now=CITY)


async def test_two_persons_give_what_needs_two(orders: Orders, db: Database) -> None:
    proposed = await give(orders, ANN, "road.lock", stage=1)
    assert (proposed.state, proposed.approve_until) == ("proposed", NOW + timedelta(minutes=10))
    assert await orders.delivery.take(CITY) == ()
    with pytest.raises(Refusal, match="order_needs_other_person"):
        await orders.approve(ANN, proposed.id, now=NOW)
    lent = msgspec.structs.replace(BOB, on_behalf_of="ann")
    with pytest.raises(Refusal, match="order_needs_other_person"):
        await orders.approve(lent, proposed.id, now=NOW)
    with pytest.raises(Refusal, match="order_needs_person"):
        await orders.approve(actor("bot", kind=Kind.SERVICE), proposed.id, now=NOW)
    approved = await orders.approve(BOB, proposed.id, now=NOW + timedelta(minutes=10))
    assert (approved.state, approved.approved_by) == ("standing", "bob")
    taken = (await carry_out(orders, db))[0]
    assert taken.because.code == "kernel.because_two_persons"
    assert await acts(orders, proposed) == [("propose", "ann"), ("approve", "bob"), ("outcome", "")]
    with pytest.raises(Refusal, match="order_not_proposed"):
        await orders.approve(BOB, proposed.id, now=NOW)


async def test_who_approves_too_late_is_refused_and_so_is_the_order(orders: Orders) -> None:
    proposed = await give(orders, ANN, "road.lock", stage=1)
    late = NOW + timedelta(minutes=10, seconds=1)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            await orders.approve(BOB, proposed.id, now=late)
        assert (refused.value.code, refused.value.facts["minutes"]) == ("kernel.order_approved_late", 10)
    found = await look(orders, proposed)
    assert found.ended is not None
    assert (found.state, found.ended.why) == ("refused", "late")
    assert await orders.delivery.take(CITY) == ()


async def test_what_nobody_approves_is_refused_by_itself(orders: Orders) -> None:
    proposed = await give(orders, ANN, "road.lock", stage=1)
    await orders.delivery.tick(CITY, now=NOW + timedelta(minutes=10))
    assert (await look(orders, proposed)).state == "proposed"
    await orders.delivery.tick(CITY, now=NOW + timedelta(minutes=11))
    assert (await look(orders, proposed)).state == "refused"


async def test_only_who_proposed_an_order_withdraws_it(orders: Orders) -> None:
    proposed = await give(orders, ANN, "road.lock", stage=1)
    with pytest.raises(Refusal, match="order_not_yours"):
        await orders.end(BOB, proposed.id, reason="", now=NOW)
    withdrawn = await orders.end(ANN, proposed.id, reason="wrong junction", now=NOW)
    assert withdrawn.ended is not None
    assert (withdrawn.state, withdrawn.ended.why) == ("ended", "withdrawn")
    with pytest.raises(Refusal, match="order_not_proposed"):
        await orders.approve(BOB, proposed.id, now=NOW)


async def locked(orders: Orders, db: Database, stage: int = 1) -> StandingOrder:
    proposed = await give(orders, ANN, "road.lock", stage=stage)
    await orders.approve(BOB, proposed.id, now=NOW)
    await carry_out(orders, db)
    return await look(orders, proposed)


async def test_what_two_persons_locked_one_alone_neither_unlocks_nor_ends(orders: Orders, db: Database) -> None:
    lock = await locked(orders, db)
    unlock = await give(orders, EVE_MAY_CONTROL, "road.unlock")
    assert (unlock.state, unlock.two_person) == ("proposed", True), "though unlocking needs one person elsewhere"
    ending = await orders.end(EVE_MAY_CONTROL, lock.id, reason="", now=NOW)
    assert ending.ending is not None
    assert (ending.state, ending.ending.by) == ("standing", "eve")
    with pytest.raises(Refusal, match="order_needs_other_person"):
        await orders.end(EVE_MAY_CONTROL, lock.id, reason="", now=NOW)
    assert await orders.delivery.take(CITY) == ()
    ended = await orders.approve(BOB, lock.id, now=NOW + timedelta(minutes=5))
    assert ended.ended is not None
    assert (ended.state, ended.ended.by) == ("ended", "bob")
    assert [each.means for each in await orders.delivery.take(CITY)] == ["road.unlock"]


EVE_MAY_CONTROL = actor("eve")


async def test_a_wish_to_end_lapses_after_the_time_of_the_second_person(orders: Orders, db: Database) -> None:
    lock = await locked(orders, db)
    await orders.end(ANN, lock.id, reason="", now=NOW)
    late = NOW + timedelta(minutes=11)
    with pytest.raises(Refusal, match="order_not_proposed"):
        await orders.approve(BOB, lock.id, now=late)
    again = await orders.end(BOB, lock.id, reason="", now=late)
    assert again.ending is not None
    assert (again.state, again.ending.by) == ("standing", "bob")


async def test_two_persons_unlock_by_the_means_that_undoes_the_lock(orders: Orders, db: Database) -> None:
    lock = await locked(orders, db)
    unlock = await give(orders, BOB, "road.unlock")
    await orders.approve(ANN, unlock.id, now=NOW)
    await carry_out(orders, db)
    found = await look(orders, lock)
    assert found.replaced_by is not None
    assert (found.state, found.replaced_by.id) == ("ended", unlock.id)


async def test_a_newer_lock_of_two_replaces_the_lock_of_two(orders: Orders, db: Database) -> None:
    first, second = await locked(orders, db), await locked(orders, db, stage=2)
    assert (await look(orders, first)).replaced_by is not None
    assert (await look(orders, second)).state == "standing"


async def test_an_order_under_one_key_is_one_order_even_if_sent_twice_at_once(orders: Orders, db: Database) -> None:
    wanted = Wanted(means="road.stage", entity_id=SIGNAL, parameters={"stage": 2}, key="click-1")
    both = await asyncio.gather(*(orders.give(ANN, wanted, now=NOW, city_now=CITY) for _ in range(8)))
    assert len({each.id for each in both}) == 1
    assert len(await carry_out(orders, db)) == 1
    assert (await orders.give(ANN, wanted, now=NOW, city_now=CITY)).state == "ended", "the answer is the order as it is"
    assert await orders.delivery.take(CITY) == ()
    with pytest.raises(Refusal, match="order_key_used"):
        await orders.give(ANN, msgspec.structs.replace(wanted, parameters={"stage": 3}), now=NOW)
    assert (await orders.give(BOB, wanted, now=NOW)).id != both[0].id, "keys are each person's own"


async def test_who_may_not_use_a_means_gives_sees_and_ends_no_order_of_it(orders: Orders) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    with pytest.raises(NotPermitted):
        await give(orders, EVE, "road.mode", mode="plan")
    for act in (orders.end(EVE, given.id, reason="", now=NOW), orders.approve(EVE, given.id, now=NOW)):
        with pytest.raises(Refusal, match="order_unknown"):
            await act
    with pytest.raises(Refusal, match="order_unknown"):
        await orders.get(EVE, given.id)
    assert await orders.find(EVE) == []
    assert await orders.find(EVE, means="road.mode") == []


REFUSED = [
    ("no_such_means", "road.fly", SIGNAL),
    ("nobody_executes", "road.dream", SIGNAL),
    ("order_for_nothing", "road.unlock", "urn:ngsi-ld:Signal:none"),
    ("order_not_on_this", "road.unlock", ROAD),
]


@pytest.mark.parametrize(("code", "name", "entity_id"), REFUSED)
async def test_orders_that_make_no_sense_are_refused(orders: Orders, code: str, name: str, entity_id: str) -> None:
    with pytest.raises(Refusal) as refused:
        await orders.give(ANN, Wanted(means=name, entity_id=entity_id), now=NOW)
    assert refused.value.code == f"kernel.{code}"
    assert await orders.find(ANN) == []


async def test_every_act_is_in_the_audit_log(orders: Orders, db: Database) -> None:
    lock = await locked(orders, db)
    await orders.end(ANN, lock.id, reason="", now=NOW)
    await orders.end(BOB, lock.id, reason="", now=NOW)
    told = await db.rows(
        "SELECT act, actor FROM audit_entry WHERE object = %(object)s ORDER BY id", {"object": f"order:{lock.id}"}
    )
    assert told == [
        ("order.propose", "ann"),
        ("order.approve", "bob"),
        ("order.outcome", "brain"),
        ("order.propose_end", "ann"),
        ("order.end", "bob"),
    ]


async def test_the_city_itself_orders_without_a_permission_but_is_no_second_person(orders: Orders) -> None:
    assert (await give(orders, None, "road.stage", stage=1)).proposed_by == "brain"
    with pytest.raises(Refusal, match="order_needs_person"):
        await give(orders, None, "road.lock", stage=1)


async def test_two_who_order_and_end_at_once_leave_one_order_or_none(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    done = await asyncio.gather(
        *(orders.end(each, given.id, reason="", now=NOW) for each in (ANN, BOB)), return_exceptions=True
    )
    assert sorted(isinstance(each, Refusal) for each in done) == [False, True]
    assert len(await orders.delivery.take(CITY)) == 1


async def test_a_means_for_anything_may_be_used_on_what_is_no_entity(orders: Orders) -> None:
    wanted = Wanted(means="road.cancel", entity_id="mission-7")
    assert (await orders.give(ANN, wanted, now=NOW)).entity_id == "mission-7"


async def test_an_order_of_the_city_itself_says_what_it_rests_on_until_it_is_carried_out(
    orders: Orders, db: Database
) -> None:
    because = Because(code="road.because_flood", facts={"line": 2}, event_id="flood-1")
    wanted = Wanted(means="road.stage", entity_id=SIGNAL, parameters={"stage": 1}, key="run:2", because=because)
    given = await orders.give(None, wanted, now=NOW, city_now=CITY)
    assert given.because == because
    assert (await orders.give(None, wanted, now=NOW, city_now=CITY)).id == given.id
    taken = (await carry_out(orders, db))[0]
    told = taken.because
    assert (told.code, told.event_id, told.facts["line"]) == ("road.because_flood", "flood-1", 2)
    found = await orders.of_ids([given.id, "nobody's"])
    assert [(each.id, each.outcome and each.outcome.state) for each in found] == [(given.id, "executed")]
