# SPDX-License-Identifier: Apache-2.0
"""What people do with orders, what becomes of them, and what a city that opens anew is given."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest

from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.app import Means
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Refusal
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


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    pass


def means(name: str, parameters: type[msgspec.Struct], undone_by: str = "", **more: Any) -> Means:
    more = {"permission": "road.control", "entity_types": ("Signal",), **more}
    return Means(name=name, parameters=parameters, undone_by=undone_by, **more)


ALL = (
    means("road.mode", Mode, "road.mode", lasts=True, undo=lambda _: {"mode": "brain"}),
    means("road.lock", Stage, "road.unlock", lasts=True, two_person=True),
    means("road.unlock", Nothing),
    means("road.stage", Stage, "road.mode"),
    means("road.close", Nothing, permission="road.close"),
    means("road.dream", Nothing),
)
TRADE = Trade(means={each.name: each for each in ALL}, executed=frozenset({each.name for each in ALL} - {"road.dream"}))


def actor(account: str, *may: str, kind: Kind = Kind.STAFF) -> Actor:
    rights = {name: Right(reach=EVERYTHING) for name in may or ("road.control",)}
    return Actor(name=account.title(), account=account, kind=kind, rights=rights)


ANN, BOB, EVE = actor("ann"), actor("bob"), actor("eve", "road.close")


@pytest.fixture
async def orders(db: Database) -> AsyncIterator[Orders]:
    yield Orders(db, TRADE, ENTITIES.get)
    await db.write("TRUNCATE standing_order, standing_order_act, outcome")


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


async def test_an_order_that_lasts_is_given_once_and_stands(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    assert (given.state, given.outcome) == ("standing", None)
    taken = await carry_out(orders, db)
    assert [(each.id, each.means, each.parameters, each.by) for each in taken] == [
        (given.id, "road.mode", {"mode": "plan"}, "ann")
    ]
    assert await orders.delivery.take(CITY) == ()
    found = await look(orders, given)
    assert found.state == "standing"
    assert found.outcome is not None
    assert found.outcome.state == "executed"
    assert await acts(orders, given) == [("give", "ann"), ("outcome", "")]


async def test_an_order_that_does_not_last_is_over_when_it_is_carried_out(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.stage", stage=2)
    await carry_out(orders, db)
    found = await look(orders, given)
    assert found.ended is not None
    assert (found.state, found.ended.why, found.undo.state) == ("ended", "done", "none")
    assert await reopened(db).delivery.reopen(CITY, saved_at=None) == ()


async def test_a_refused_order_says_why_and_does_not_stand(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db, state="refused", code="road.broken")
    found = await look(orders, given)
    assert found.outcome is not None
    assert (found.state, found.outcome.code) == ("refused", "road.broken")
    assert await reopened(db).delivery.reopen(CITY, saved_at=None) == ()


async def test_an_order_that_failed_stands_on_and_is_tried_again_by_a_city_that_opens(
    orders: Orders, db: Database
) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db, state="failed", code="road.away")
    assert (await look(orders, given)).state == "standing"
    assert [each.id for each in await reopened(db).delivery.reopen(CITY, saved_at=None)] == [given.id]


async def test_the_newer_order_replaces_the_older_and_both_know_of_each_other(orders: Orders, db: Database) -> None:
    older = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    newer = await give(orders, BOB, "road.mode", mode="brain")
    assert (await look(orders, older)).state == "standing", "until the newer one is carried out"
    await carry_out(orders, db)
    found = await look(orders, older)
    assert found.replaced_by is not None
    assert (found.replaced_by.id, found.replaced_by.by, found.replaced_by.at) == (newer.id, "bob", NOW)
    assert (found.state, found.undo.state) == ("ended", "none")
    assert (await look(orders, newer)).state == "standing"
    assert [each.id for each in await orders.find(ANN, entity_id=SIGNAL, state=newer.state)] == [newer.id]


async def test_a_newer_order_that_is_refused_replaces_nothing(orders: Orders, db: Database) -> None:
    older = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    await give(orders, BOB, "road.mode", mode="brain")
    await carry_out(orders, db, state="refused", code="road.broken")
    assert (await look(orders, older)).state == "standing"


async def test_an_order_that_ends_is_undone_as_its_means_says(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    ended = await orders.end(BOB, given.id, reason="work is over", now=NOW)
    assert ended.ended is not None
    assert (ended.state, ended.ended.why, ended.ended.by, ended.ended.reason) == (
        "ended", "ended", "bob", "work is over",
    )  # fmt: skip
    undo = (await carry_out(orders, db))[0]
    assert (undo.id, undo.means, undo.parameters, undo.by) == (f"{given.id}:end", "road.mode", {"mode": "brain"}, "bob")
    found = await look(orders, given)
    assert found.undo.outcome is not None
    assert (found.undo.state, found.undo.outcome.state) == ("done", "executed")
    assert await acts(orders, given) == [("give", "ann"), ("outcome", ""), ("end", "bob"), ("undo", "")]
    with pytest.raises(Refusal, match="order_over"):
        await orders.end(ANN, given.id, reason="", now=NOW)


async def test_an_order_expires_by_the_city_s_clock_and_is_undone(orders: Orders, db: Database) -> None:
    wanted = Wanted(
        means="road.mode", entity_id=SIGNAL, parameters={"mode": "plan"}, expires_at=CITY + timedelta(hours=1)
    )
    given = await orders.give(ANN, wanted, now=NOW, city_now=CITY)
    await carry_out(orders, db)
    await orders.delivery.tick(CITY + timedelta(minutes=59), now=NOW)
    assert await orders.delivery.take(CITY) == ()
    await orders.delivery.tick(CITY + timedelta(hours=1), now=NOW)
    assert [each.id for each in await orders.delivery.take(CITY)] == [f"{given.id}:end"]
    found = await look(orders, given)
    assert found.ended is not None
    assert (found.state, found.ended.why, found.ended.by) == ("ended", "expired", "")


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
        with pytest.raises(Refusal, match="no_such_order"):
            await act
    with pytest.raises(Refusal, match="no_such_order"):
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


async def test_what_waits_for_its_outcome_when_the_city_dies_is_given_again_with_the_same_id(
    orders: Orders, db: Database
) -> None:
    stage, mode = await give(orders, ANN, "road.stage", stage=2), await give(orders, ANN, "road.mode", mode="plan")
    assert len(await orders.delivery.take(CITY)) == 2, "given, and the city dies before an outcome is committed"
    second = reopened(db)
    assert await second.delivery.reopen(CITY, saved_at=None) == (), "their outcomes are still to be kept"
    assert [each.id for each in await carry_out(second, db)] == [stage.id, mode.id]
    third = reopened(db)
    assert [each.id for each in await third.delivery.reopen(CITY, saved_at=None)] == [mode.id]
    assert await third.delivery.take(CITY) == (), "what was done is not done twice"


async def test_an_outcome_that_was_committed_before_the_kill_counts(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.stage", stage=2)
    taken = await orders.delivery.take(CITY)
    await db.write(
        "INSERT INTO outcome (order_id, state, at, code, facts) VALUES (%(id)s, 'executed', %(at)s, '', '{}')",
        {"id": taken[0].id, "at": CITY},
    )
    second = reopened(db)
    await second.delivery.settle(now=NOW)
    await second.delivery.reopen(CITY, saved_at=None)
    assert await second.delivery.take(CITY) == ()
    assert (await look(second, given)).state == "ended"


async def test_what_was_undone_after_the_saved_state_is_undone_again(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    await orders.end(ANN, given.id, reason="", now=NOW)
    await carry_out(orders, db, at=CITY + timedelta(seconds=30))

    async def again(saved_at: datetime | None) -> list[str]:
        return [each.id for each in await reopened(db).delivery.reopen(CITY, saved_at=saved_at)]

    assert await again(CITY) == [f"{given.id}:end"]
    assert await again(CITY + timedelta(seconds=30)) == []
    assert await again(None) == []
    newer = await give(orders, BOB, "road.mode", mode="plan")
    await carry_out(orders, db)
    assert await again(CITY) == [newer.id], "what stands there now is not undone"


async def test_an_undo_that_was_not_carried_out_is_given_after_a_kill(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    await orders.end(ANN, given.id, reason="", now=NOW)
    second = reopened(db)
    assert await second.delivery.reopen(CITY, saved_at=CITY) == ()
    assert [each.id for each in await carry_out(second, db)] == [f"{given.id}:end"]
    assert (await look(second, given)).undo.state == "done"


async def test_two_who_order_and_end_at_once_leave_one_order_or_none(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db)
    done = await asyncio.gather(
        *(orders.end(each, given.id, reason="", now=NOW) for each in (ANN, BOB)), return_exceptions=True
    )
    assert sorted(isinstance(each, Refusal) for each in done) == [False, True]
    assert len(await orders.delivery.take(CITY)) == 1
