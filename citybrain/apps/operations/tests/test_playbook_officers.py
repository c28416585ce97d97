# SPDX-License-Identifier: Apache-2.0
"""Officers and playbooks: what waits for one or for two, who is too late, who was faster."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from citybrain.apps.operations.service import running
from citybrain.apps.operations.service.running import Wish
from citybrain.apps.operations.tests.playing import (
    ANN,
    BOB,
    NEXT_ROAD,
    TRADE,
    Town,
    event,
    line,
    playbook,
    town,
)
from citybrain.kernel.errors import Refusal
from citybrain.kernel.orders import Wanted
from citybrain.kernel.records import OutcomeState


@pytest.fixture(scope="module")
async def one(database_url: str, open_folder: Path) -> AsyncIterator[Town]:
    async with town(database_url, open_folder) as found:
        yield found


@pytest.fixture
async def city(one: Town) -> Town:
    """The town as if nothing had happened for a while."""
    await one.later(hours=1)
    one.answers = dict.fromkeys(TRADE.means, OutcomeState.EXECUTED)
    await one.step()
    one.carried_out.clear()
    await one.play()
    return one


async def test_an_officer_confirms_or_skips_and_the_order_bears_the_name(city: Town) -> None:
    await city.play(
        playbook("jam", line(1, "street.sign", approval="officer"), line(2, "street.tow", approval="officer"))
    )
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    assert city.ordered() == []
    run = (await city.runs(jam))[0]
    assert run.waits_for_person
    assert run.lines[0].confirm_until == city.now + timedelta(minutes=10)
    with pytest.raises(Refusal, match="line_changed"):
        await running.act(city.engine, ANN, run.id, 1, Wish(act="confirm", version=1), now=city.now)
    version = run.lines[0].version
    await running.act(city.engine, ANN, run.id, 1, Wish(act="confirm", version=version), now=city.now)
    skipped = await running.act(city.engine, BOB, run.id, 2, Wish(act="skip", note="it drives"), now=city.now)
    assert (skipped.lines[1].state, skipped.lines[1].facts) == ("skipped", {"name": "bob", "note": "it drives"})
    with pytest.raises(Refusal, match="line_not_proposed"):
        await running.act(city.engine, BOB, run.id, 1, Wish(act="confirm"), now=city.now)
    with pytest.raises(Refusal, match="line_not_skippable"):
        await running.act(city.engine, BOB, run.id, 1, Wish(act="skip"), now=city.now)
    with pytest.raises(Refusal, match="line_not_broken"):
        await running.act(city.engine, BOB, run.id, 1, Wish(act="retry"), now=city.now)
    await city.step()
    order = city.carried_out[0]
    assert (order.by, order.because.code, order.because.facts["name"]) == (
        "ann",
        "operations.because_playbook_confirmed",
        "ann",
    )
    seen = await running.look(city.operations, run.id)
    assert seen.lines[0].order is not None
    assert seen.lines[0].order.proposed_by == "ann"


async def test_an_approval_that_comes_too_late_is_refused_and_the_line_is_late(city: Town) -> None:
    await city.play(
        playbook(
            "jam",
            line(1, "street.tow", approval="officer", approve_minutes=5),
            line(2, "street.case", after={"line": 1, "state": "failed"}),
        )
    )
    jam = event(at=city.at)
    await city.tell(jam)
    run = (await city.runs(jam))[0]
    late = city.now + timedelta(minutes=5, seconds=1)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            await running.act(city.engine, ANN, run.id, 1, Wish(act="confirm"), now=late)
        assert (refused.value.code, refused.value.facts["minutes"]) == ("operations.line_confirmed_late", 5.0)
    await city.step()
    assert await city.states(jam) == ["late", "checked"]
    assert city.ordered() == ["street.case"], "what was confirmed too late is never ordered"


async def test_what_two_must_agree_to_takes_the_orders_own_second_person(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.close", approval="officer")))
    jam = event(at=city.at)
    await city.tell(jam)
    run = (await city.runs(jam))[0]
    await running.act(city.engine, ANN, run.id, 1, Wish(act="confirm"), now=city.now)
    await city.step()
    assert city.ordered() == []
    id = (await city.runs(jam))[0].lines[0].order_id or ""
    await city.store.orders.approve(BOB, id, now=city.now)
    await city.step()
    assert await city.states(jam) == ["executed"]
    assert city.carried_out[0].because.facts["other"] == "bob"


async def test_a_second_person_who_never_comes_makes_the_line_late(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.close", approval="officer")))
    jam = event(at=city.at)
    await city.tell(jam)
    run = (await city.runs(jam))[0]
    await running.act(city.engine, ANN, run.id, 1, Wish(act="confirm"), now=city.now)
    await city.later(minutes=10, seconds=5)
    await city.step()
    found = (await city.runs(jam))[0].lines[0]
    assert (found.state, found.code) == ("late", "kernel.order_approved_late")


async def test_a_line_that_two_must_confirm_takes_two_different_people(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.tow", approval="two")))
    jam = event(at=city.at)
    await city.tell(jam)
    run = (await city.runs(jam))[0]
    first = await running.act(city.engine, ANN, run.id, 1, Wish(act="confirm"), now=city.now)
    assert (first.lines[0].state, first.lines[0].confirmed_by) == ("proposed", "ann")
    with pytest.raises(Refusal, match="line_needs_other_person"):
        await running.act(city.engine, ANN, run.id, 1, Wish(act="confirm"), now=city.now)
    second = await running.act(city.engine, BOB, run.id, 1, Wish(act="confirm"), now=city.now)
    assert (second.lines[0].state, second.lines[0].second_by) == ("ordered", "bob")


async def test_two_officers_who_confirm_at_once_give_one_order(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.tow", approval="officer")))
    jam = event(at=city.at)
    await city.tell(jam)
    id = (await city.runs(jam))[0].id
    both = await asyncio.gather(
        *(running.act(city.engine, each, id, 1, Wish(act="confirm"), now=city.now) for each in (ANN, BOB)),
        return_exceptions=True,
    )
    assert sorted(isinstance(each, Refusal) for each in both) == [False, True]
    await city.step()
    assert city.ordered() == ["street.tow"]


async def test_what_two_persons_hold_the_city_alone_does_not_touch_but_asks(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.open")))
    given = await city.store.orders.give(
        ANN, Wanted(means="street.close", entity_id=NEXT_ROAD), now=city.now, city_now=city.at
    )
    await city.store.orders.approve(BOB, given.id, now=city.now)
    await city.step()
    jam = event(at=city.at)
    await city.tell(jam)
    found = (await city.runs(jam))[0].lines[0]
    assert (found.state, found.code) == ("proposed", "kernel.order_needs_person")


async def test_what_an_officer_confirmed_before_a_kill_is_ordered_in_the_officers_name_after_it(city: Town) -> None:
    await city.store.access.add_account("ann", "correct horse battery", roles=("operator",), now=city.now)
    await city.play(
        playbook("jam", line(1, "street.sign", approval="officer"), line(2, "street.tow", approval="officer"))
    )
    jam = event(at=city.at)
    await city.tell(jam)
    run = (await city.runs(jam))[0]
    # So the table is when the kill comes between the officer's word and the order.
    await city.store.db.write(
        "UPDATE operations_line SET state = 'due', confirmed_by = CASE number WHEN 1 THEN 'ann' ELSE 'gone' END"
        " WHERE run_id = %(run)s",
        {"run": run.id},
    )
    await city.reopen()
    await city.engine.round(city.now)
    await city.step()
    assert [(order.means, order.by) for order in city.carried_out] == [("street.sign", "ann"), ("street.tow", "brain")]
