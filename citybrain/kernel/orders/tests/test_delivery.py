# SPDX-License-Identifier: Apache-2.0
"""How orders reach whoever carries them out: once each, over kills, and what their outcomes lead to."""

from datetime import datetime, timedelta

import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.errors import Refusal
from citybrain.kernel.orders import Orders, Wanted
from citybrain.kernel.orders.tests.desk import ANN, BOB, CITY, NOW, SIGNAL, acts, carry_out, give, look, reopened


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


async def test_what_failed_is_tried_again_each_minute_while_it_should_be_in_force(orders: Orders, db: Database) -> None:
    async def tried(minutes: float) -> list[str]:
        await orders.delivery.tick(CITY, now=NOW + timedelta(minutes=minutes))
        return [each.id for each in await orders.delivery.take(CITY)]

    given = await give(orders, ANN, "road.mode", mode="plan")
    await carry_out(orders, db, state="failed", code="road.away")
    assert [await tried(minutes) for minutes in (0, 0.5, 1)] == [[given.id], [], [given.id]]
    await orders.end(ANN, given.id, reason="", now=NOW)
    await carry_out(orders, db, state="failed", code="road.away")
    assert await tried(2) == [f"{given.id}:end"]
    assert await tried(60 * 25) == []


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


async def test_an_order_of_some_minutes_expires_so_long_after_it_was_given_first(orders: Orders, db: Database) -> None:
    given = await give(orders, ANN, "road.hold", minutes=5)
    assert given.expires_at is None, "it has not begun"
    await orders.delivery.take(CITY)
    second = reopened(db)
    await second.delivery.reopen(CITY, saved_at=None)
    await second.delivery.take(CITY + timedelta(minutes=1))
    assert (await look(second, given)).expires_at == CITY + timedelta(minutes=5), "given again it is no longer"
    await second.delivery.tick(CITY + timedelta(minutes=5), now=NOW)
    assert [each.means for each in await second.delivery.take(CITY)] == ["road.unlock"]


async def test_an_order_that_is_given_again_says_when_it_was_given_first(orders: Orders, db: Database) -> None:
    await give(orders, ANN, "road.mode", mode="plan")
    (first,) = await carry_out(orders, db)
    await db.write(
        "INSERT INTO city_order (id, means, entity_id, at, because, parameters, by) "
        "VALUES (%(id)s, 'road.mode', 'x', %(at)s, '{}', '{}', 'ann')",
        {"id": first.id, "at": CITY},
    )
    (again,) = await reopened(db).delivery.reopen(CITY + timedelta(hours=1), saved_at=None)
    assert again == first
