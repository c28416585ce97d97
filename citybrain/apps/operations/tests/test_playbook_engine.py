# SPDX-License-Identifier: Apache-2.0
"""Playbooks at work on a real database: days that go well, and bad ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from citybrain.apps.operations.service import running
from citybrain.apps.operations.service.running import Wish
from citybrain.apps.operations.tests.playing import (
    ANN,
    BEFORE,
    NEXT_ROAD,
    SIGNAL,
    TRADE,
    Town,
    event,
    line,
    playbook,
    town,
)
from citybrain.kernel.records import OutcomeState, Severity


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


async def test_an_event_is_handled_at_once_and_every_order_knows_its_event_playbook_and_line(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.sign", parameters={"text": "{severity}"}), line(2, "street.tow")))
    jam = event(at=city.at)
    await city.tell(jam)
    assert await city.states(jam) == ["ordered", "ordered"]
    await city.step()
    assert await city.states(jam) == ["executed", "executed"]
    signed, towed = city.carried_out
    assert (signed.means, signed.entity_id, signed.parameters, signed.by) == (
        "street.sign",
        NEXT_ROAD,
        {"text": "III"},
        "brain",
    )
    assert (signed.because.code, signed.because.event_id) == ("operations.because_playbook", jam.id)
    assert [towed.because.facts[name] for name in ("playbook", "version", "line")] == ["jam", 1, 2]
    run = (await city.runs(jam))[0]
    assert (run.playbook, run.state, run.because.code) == ("jam", "done", "operations.because_only_one")


async def test_an_event_that_is_told_again_and_again_has_one_run(city: Town) -> None:
    await city.play(playbook("jam", line(1)))
    jam = event(at=city.at)
    for number in range(5):
        await city.tell(msgspec.structs.replace(jam, evidence={"signs": number}))
        await city.step(1)
    assert len(await city.runs(jam)) == 1
    assert city.ordered() == ["street.sign"]


async def test_a_line_acts_on_every_junction_that_traffic_comes_from(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.sign", target="upstream_junctions"), line(2, target="junction")))
    await city.tell(event(at=city.at))
    await city.step()
    assert [order.entity_id for order in city.carried_out] == [BEFORE, SIGNAL]


async def test_lines_wait_for_others_for_time_and_for_values(city: Town) -> None:
    queue = {"value": {"attribute": "queue", "is": "above", "value": 20}}
    await city.play(
        playbook(
            "jam",
            line(1, "street.sign"),
            line(2, "street.divert", after={"line": 1, "minutes": 2}),
            line(3, "street.tow", only_if=queue),
        )
    )
    jam = event(at=city.at)
    city.see("queue", NEXT_ROAD, 10)
    await city.tell(jam)
    await city.step()
    assert await city.states(jam) == ["executed", "waiting", "waiting"]
    await city.later(minutes=1)
    city.see("queue", NEXT_ROAD, 21)
    await city.later(seconds=1)
    assert await city.states(jam) == ["executed", "waiting", "ordered"]
    await city.later(seconds=60)
    assert (await city.states(jam))[1] == "ordered"


async def test_what_still_waits_stops_when_the_event_ends_and_what_lasts_is_undone_where_the_line_says_so(
    city: Town,
) -> None:
    await city.play(
        playbook(
            "jam",
            line(1, "street.divert", undo=True),
            line(2, "street.tow", undo=True),
            line(3, "street.sign", after={"minutes": 10}),
            line(4, "street.sign", approval="officer", approve_minutes=30),
            line(5, "street.case", only_if={"event_open": False}),
        )
    )
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    assert await city.states(jam) == ["executed", "executed", "waiting", "proposed", "waiting"]
    await city.later(minutes=1)
    await city.tell(msgspec.structs.replace(jam, ended_at=city.at))
    await city.step(1)
    assert (await city.states(jam))[2:] == ["waiting", "proposed", "waiting"], "what flickers stops nothing"
    await city.later(seconds=31)
    await city.step()
    run = (await city.runs(jam))[0]
    assert [each.state for each in run.lines][2:4] == ["skipped", "skipped"]
    assert {each.code for each in run.lines[2:4]} == {"operations.line_event_over"}
    assert [each.undo for each in run.lines] == ["done", "done", "none", "none", "none"]
    assert sorted(city.ordered()) == ["street.case", "street.divert", "street.end", "street.recall", "street.tow"]


async def test_a_means_that_fails_half_way_leaves_the_rest_to_its_alternative(city: Town) -> None:
    await city.play(
        playbook(
            "jam",
            line(1, "street.sign"),
            line(2, "street.tow"),
            line(3, "street.case", after={"line": 2, "state": "failed"}),
            line(4, "street.divert", after={"line": 2, "state": "executed"}),
        )
    )
    city.answers["street.tow"] = OutcomeState.FAILED
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    run = (await city.runs(jam))[0]
    assert [each.state for each in run.lines] == ["executed", "failed", "checked", "skipped"]
    assert (run.lines[1].code, run.lines[3].code) == ("street.said", "operations.line_not_needed")
    city.answers["street.tow"] = OutcomeState.EXECUTED
    await running.act(city.engine, ANN, run.id, 2, Wish(act="retry"), now=city.now)
    await city.step()
    again = (await city.runs(jam))[0].lines[1]
    assert (again.state, again.tries) == ("executed", 1)
    assert city.ordered() == ["street.sign", "street.tow", "street.case", "street.tow"]


async def test_an_executor_that_never_answers_is_late_is_shown_and_its_alternative_runs(city: Town) -> None:
    await city.play(
        playbook(
            "jam",
            line(1, "street.tow", answer_s=20),
            line(2, "street.case", after={"line": 1, "state": "failed"}),
        )
    )
    del city.answers["street.tow"]
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    await city.later(seconds=19)
    assert await city.states(jam) == ["ordered", "waiting"]
    await city.later(seconds=2)
    await city.step()
    late, instead = (await city.runs(jam))[0].lines
    assert (late.state, late.code, late.facts["seconds"], instead.state) == (
        "late",
        "operations.line_not_answered",
        20,
        "checked",
    )
    # It answers after all: that is the truth, and nothing is ordered again.
    city.answers["street.tow"] = OutcomeState.EXECUTED
    given = (await city.store.orders.of_ids([late.order_id or ""]))[0]
    city.store.orders.delivery.add(given.id)
    await city.step()
    assert city.ordered().count("street.case") == 1


async def test_what_is_carried_out_when_all_is_long_over_is_undone_too(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.divert", undo=True, answer_s=20)))
    del city.answers["street.divert"]
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    await city.tell(msgspec.structs.replace(jam, ended_at=city.at))
    await city.later(minutes=5)
    late = (await city.runs(jam))[0]
    assert (late.state, late.lines[0].state) == ("done", "late")
    city.answers["street.divert"] = OutcomeState.EXECUTED
    city.store.orders.delivery.add(late.lines[0].order_id or "")
    await city.step()
    found = (await city.runs(jam))[0]
    assert (found.lines[0].state, found.lines[0].undo) == ("checked", "done")
    assert city.ordered() == ["street.divert", "street.divert", "street.end"]


async def test_what_a_means_that_is_nobodys_or_unknown_was_to_do_is_left_to_its_alternative(city: Town) -> None:
    await city.play(
        playbook(
            "jam",
            line(1, "street.fly"),
            line(2, "street.nobody"),
            line(3, "street.sign", target="urn:ngsi-ld:Pump:1", after={"line": 1, "state": "failed"}),
        )
    )
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    run = (await city.runs(jam))[0]
    assert [(each.state, each.code) for each in run.lines] == [
        ("refused", "kernel.no_such_means"),
        ("refused", "kernel.nobody_executes"),
        ("executed", "street.said"),
    ]


async def test_a_playbook_that_changes_while_a_run_is_open_leaves_the_run_as_it_was(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.sign"), line(2, "street.tow", after={"line": 1, "minutes": 5})))
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    await city.play(playbook("jam", line(1, "street.case")))
    await city.reopen()
    await city.later(minutes=6)
    await city.step()
    run = (await city.runs(jam))[0]
    assert (run.version < city.operations.active[0].version, [each.means for each in run.lines]) == (
        True,
        ["street.sign", "street.tow"],
    )
    assert city.ordered() == ["street.sign", "street.tow"]
    newer = event(entity_id=SIGNAL, at=city.at)
    await city.tell(newer)
    assert [each.means for each in (await city.runs(newer))[0].lines] == ["street.case"]


async def test_a_promise_that_was_kept_or_missed_is_seen_and_a_missed_one_runs_the_next_line(city: Town) -> None:
    await city.play(
        playbook("jam", line(1, "street.divert"), line(2, "street.tow", after={"line": 1, "state": "missed"}))
    )
    for after, verdict, then in ((30.0, "missed", "executed"), (10.0, "helped", "skipped")):
        jam = event(at=city.at)
        city.see("queue", NEXT_ROAD, 25.0)
        await city.tell(jam)
        await city.step()
        assert await city.states(jam) == ["executed", "waiting"]
        await city.later(minutes=4)
        city.see("queue", NEXT_ROAD, after)
        await city.later(seconds=59)
        assert await city.states(jam) == ["executed", "waiting"]
        await city.later(seconds=2)
        await city.step()
        run = (await city.runs(jam))[0]
        assert [each.state for each in run.lines] == ["checked", then]
        assert run.lines[0].verdict == verdict
        check = (await running.look(city.operations, run.id)).lines[0].check
        assert check is not None
        assert (check.before, check.after, check.state) == (25.0, after, verdict)
        await city.later(minutes=20)


async def test_what_nobody_saw_is_unknown_and_not_taken_for_missed(city: Town) -> None:
    body = playbook("jam", line(1, "street.divert"), line(2, "street.tow", after={"line": 1, "state": "missed"}))
    await city.play(body)
    jam = event(entity_id="urn:ngsi-ld:RoadSegment:never", at=city.at)
    await city.tell(jam)
    await city.step()
    await city.later(minutes=6)
    run = (await city.runs(jam))[0]
    assert (run.lines[0].verdict, run.lines[1].state) == ("unknown", "skipped")


async def test_what_is_undone_with_its_event_is_looked_at_before_and_not_when_it_has_long_been_over(city: Town) -> None:
    await city.play(playbook("jam", line(1, "street.divert", undo=True)))
    jam = event(at=city.at)
    city.see("queue", NEXT_ROAD, 25.0)
    await city.tell(jam)
    await city.step()
    city.see("queue", NEXT_ROAD, 5.0)
    await city.tell(msgspec.structs.replace(jam, ended_at=city.at))
    await city.later(seconds=31)
    await city.step()
    city.see("queue", NEXT_ROAD, 50.0)
    await city.later(minutes=6)
    found = (await city.runs(jam))[0]
    assert (found.state, found.lines[0].verdict, found.lines[0].undo) == ("done", "helped", "done")


async def test_a_storm_has_one_run_and_signs_of_another_event_have_none(city: Town) -> None:
    await city.play(playbook("jam", line(1)))
    head = event(at=city.at)
    head = msgspec.structs.replace(head, group=head.id)
    members = [event(at=city.at, group=head.id) for _ in range(50)]
    sign = event(at=city.at, evidence={"merged_into": head.id})
    await city.tell(head, *members, sign)
    await city.step()
    assert len(await city.runs(head)) == 1
    assert city.ordered() == ["street.sign"]


async def test_an_event_that_becomes_worse_is_handled_by_the_playbook_for_that(city: Town) -> None:
    await city.play(
        playbook("jam", line(1, "street.sign"), line(2, "street.tow", after={"minutes": 5})),
        playbook("bad-jam", line(1, "street.sign"), line(2, "street.divert"), severities=["I", "II"]),
    )
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    await city.tell(msgspec.structs.replace(jam, severity=Severity.II))
    await city.step()
    first, second = await city.runs(jam)
    assert (first.lines[1].state, first.lines[1].code) == ("skipped", "operations.line_superseded")
    assert (second.lines[0].state, second.lines[0].code) == ("skipped", "operations.line_done_before")
    assert city.ordered() == ["street.sign", "street.divert"]


async def test_the_same_trouble_that_comes_back_is_not_handled_twice(city: Town) -> None:
    """As after a restart of the city, when detectors begin anew: the event ends and opens under another id."""
    await city.play(playbook("jam", line(1, "street.tow")))
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    await city.tell(msgspec.structs.replace(jam, ended_at=city.at))
    await city.later(minutes=2)
    await city.tell(event(at=city.at))
    await city.step()
    assert city.ordered() == ["street.tow"]
    await city.later(minutes=15)
    await city.tell(event(at=city.at))
    await city.step()
    assert city.ordered() == ["street.tow", "street.tow"]


async def test_a_restart_takes_no_proposal_away_and_makes_none_twice(city: Town) -> None:
    """The city ends all events when it opens; detectors find what goes on, under the same id or another."""
    body = playbook("jam", line(1, "street.sign"), line(2, "street.tow", approval="officer", approve_minutes=60))
    await city.play(body)
    jam = event(at=city.at)
    await city.tell(jam)
    await city.step()
    await city.later(seconds=1)
    await city.reopen()
    await city.tell(msgspec.structs.replace(jam, ended_at=city.at))
    await city.later(minutes=2)
    assert await city.states(jam) == ["executed", "proposed"]
    await city.tell(jam)
    await city.later(minutes=10)
    assert await city.states(jam) == ["executed", "proposed"], "it goes on"
    await city.tell(msgspec.structs.replace(jam, ended_at=city.at))
    again = event(at=city.at)
    await city.tell(again)
    assert await city.states(jam) == ["executed", "skipped"]
    assert (await city.states(again))[1] == "proposed"
