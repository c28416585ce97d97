# SPDX-License-Identifier: Apache-2.0
"""What a line may depend on: evidence, room on the roads around, time; and that what missed does not stay."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from citybrain.apps.operations.decide.conditions import KNOWN, Now, Room, asked_of, room_of, unmet
from citybrain.apps.operations.decide.lines import Run, RunLine, State, Undo, Verdict, World, advance, is_done, moved
from citybrain.apps.operations.decide.network import Network
from citybrain.apps.operations.decide.playbook import Conditions
from citybrain.apps.operations.service.running import look
from citybrain.apps.operations.service.shipping import shipped_playbooks
from citybrain.apps.operations.tests.playing import (
    AT,
    NEXT_ROAD,
    NOW,
    OTHER_ROAD,
    ROAD,
    STREETS,
    Town,
    event,
    line,
    playbook,
    town,
)
from citybrain.apps.operations.tests.test_playbook_lines import run, run_line, world

MUCH, LITTLE = Room(known=8, congested=1), Room(known=8, congested=4)
LEADS_ELSEWHERE = ("street.divert", "street.gate")


def held(**wanted: Any) -> str:
    """Which condition is not met by a crash that goes on for five minutes where there is room."""
    now = Now(
        evidence={"cause": "crash", "lanes": 2},
        lasted=timedelta(minutes=5),
        value=lambda attribute, _on: {"queue": 12}.get(attribute),
        room=lambda: MUCH,
    )
    found = unmet(msgspec.convert(wanted, Conditions), now)
    return found.code.removeprefix("operations.unmet_") if found else ""


CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"evidence": {"cause": "crash"}}, ""),
    ({"evidence": {"cause": ["breakdown", "crash"], "lanes": 2}}, ""),
    ({"evidence": {"cause": "breakdown"}}, "evidence"),
    ({"evidence": {"nothing": "crash"}}, "evidence"),
    ({"minutes": 5}, ""),
    ({"minutes": 6}, "minutes"),
    ({"net": "has_room"}, ""),
    ({"value": {"attribute": "queue", "is": "above", "value": 10}}, ""),
    ({"value": {"attribute": "queue", "is": "above", "value": 12}}, "value"),
    ({"value": {"attribute": "speed", "is": "below", "value": 12}}, "value"),
]


@pytest.mark.parametrize(("wanted", "expected"), CONDITIONS)
def test_conditions_must_all_be_so(wanted: dict[str, Any], expected: str) -> None:
    assert held(**wanted) == expected


def test_roads_have_room_while_few_of_those_that_are_known_are_congested() -> None:
    free, jam, unknown = (45.0, 50.0), (20.0, 50.0), (None, 50.0)
    assert room_of([free, free, free, jam, unknown, (30.0, None)]) == Room(known=4, congested=1)
    assert not room_of([free, free, free, jam]).is_there
    assert room_of([free, free, free, free, jam]).is_there
    assert not room_of([free] * (KNOWN - 1)).is_there, "of so few roads nobody knows"
    assert not room_of([unknown] * 20).is_there


def test_roads_around_are_those_before_and_after_and_not_the_road_itself() -> None:
    network = Network(STREETS)
    assert network.around(ROAD, 1) == (NEXT_ROAD,)
    assert network.around(ROAD, 2) == tuple(sorted((NEXT_ROAD, OTHER_ROAD)))
    assert network.around("urn:ngsi-ld:RoadSegment:nowhere", 2) == ()


def test_a_run_remembers_only_the_evidence_that_its_lines_ask_for() -> None:
    lines = [line(1, only_if={"evidence": {"cause": "crash"}}), line(2)]
    assert asked_of(lines, {"cause": "crash", "signs": [1, 2, 3]}) == {"cause": "crash"}
    assert asked_of(lines, {"signs": []}) == {}


ALONE: dict[str, Any] = {"approval": "officer", "alone_if": {"net": "has_room", "minutes": 5}}


def asked(found: Run, room: Room | None, minutes: float) -> RunLine:
    """The first line after what follows from so much room after so many minutes."""
    now = world(minutes=minutes)
    now = World(now=now.now, city_now=now.city_now, since=now.since, room=lambda _: room)
    return moved(found, advance(found, now), now=NOW, city_now=AT).lines[0]


@pytest.mark.parametrize(
    ("room", "minutes", "state", "code"),
    [
        (MUCH, 6, State.DUE, "line_alone"),
        (MUCH, 1, State.PROPOSED, "unmet_minutes"),
        (LITTLE, 6, State.PROPOSED, "unmet_net"),
        (None, 6, State.PROPOSED, "unmet_net_unknown"),
    ],
)
def test_the_city_does_alone_only_what_it_may_and_says_why_it_asks(
    room: Room | None, minutes: float, state: State, code: str
) -> None:
    found = asked(run(run_line(1, **ALONE)), room, minutes)
    assert (found.state, found.code) == (state, f"operations.{code}")


def test_what_was_proposed_is_done_alone_when_it_has_come_to_be_so_but_not_what_needs_a_person() -> None:
    proposed = run_line(1, State.PROPOSED, code="operations.unmet_net", **ALONE)
    assert asked(run(proposed), MUCH, 6).state is State.DUE
    assert asked(run(proposed), LITTLE, 6).state is State.PROPOSED
    of_two = run_line(1, State.PROPOSED, code="kernel.order_needs_person", **ALONE)
    assert asked(run(of_two), MUCH, 6).state is State.PROPOSED
    skipped = run_line(1, State.SKIPPED, **ALONE)
    assert asked(run(skipped), MUCH, 6).state is State.SKIPPED, "an officer left it"


def test_a_line_waits_until_the_evidence_says_so() -> None:
    found = run(run_line(1, only_if={"evidence": {"cause": "crash"}}), evidence={"cause": "unknown"})
    assert advance(found, world()) == []
    found = msgspec.structs.replace(found, evidence={"cause": "crash"})
    assert [move.to for move in advance(found, world())] == [State.DUE]


@pytest.mark.parametrize(
    ("verdict", "undone"), [(Verdict.MISSED, True), (Verdict.HELPED, False), (Verdict.UNKNOWN, False)]
)
def test_what_missed_is_undone_though_the_event_goes_on(verdict: Verdict, undone: bool) -> None:
    found = run(run_line(1, State.CHECKED, verdict=verdict, undo_if_missed=True))
    assert bool(advance(found, world())) is undone
    assert is_done(found, AT, since=NOW) is not undone
    gone = msgspec.structs.replace(found.lines[0], undo=Undo.DONE)
    assert is_done(msgspec.structs.replace(found, lines=(gone,)), AT, since=NOW)


def test_as_shipped_nothing_leads_traffic_elsewhere_unless_there_is_room_or_somebody_says_so() -> None:
    lines = [one for each in shipped_playbooks() for one in each.lines if one.means in LEADS_ELSEWHERE]
    assert lines
    assert {one.approval for one in lines} == {"officer"}
    assert all(one.undo and one.undo_if_missed for one in lines)
    assert {one.alone_if.net for one in lines if one.alone_if} == {"has_room"}


@pytest.fixture(scope="module")
async def one(database_url: str, open_folder: Path) -> AsyncIterator[Town]:
    async with town(database_url, open_folder) as found:
        yield found


@pytest.fixture
async def city(one: Town) -> Town:
    """The town as if nothing had happened for a while."""
    await one.later(hours=1)
    one.carried_out.clear()
    return one


async def test_evidence_that_comes_later_lets_a_line_begin(city: Town) -> None:
    await city.play(playbook("jam", line(1, only_if={"evidence": {"cause": "crash"}})))
    told = event(at=city.at, evidence={"cause": "unknown"})
    await city.tell(told)
    assert await city.states(told) == ["waiting"]
    await city.tell(msgspec.structs.replace(told, evidence={"cause": "crash", "more": 1}))
    await city.step()
    assert await city.states(told) == ["executed"]
    assert [one.evidence for one in await city.stored(told)] == [{"cause": "crash"}]


async def test_a_diversion_that_does_not_help_is_ended_and_its_alternative_runs(city: Town) -> None:
    lines = (
        line(1, "street.divert", undo=True, undo_if_missed=True),
        line(2, "street.sign", after={"line": 1, "state": "missed"}),
    )
    await city.play(playbook("jam", *lines))
    told = event(at=city.at)
    city.see("queue", NEXT_ROAD, 10.0)
    await city.tell(told)
    await city.step()
    await city.later(minutes=6)
    await city.step()
    (found,) = await city.runs(told)
    assert [(one.state, one.verdict, one.undo) for one in found.lines] == [
        ("checked", "missed", "done"),
        ("executed", None, "none"),
    ]
    assert sorted(city.ordered()) == ["street.divert", "street.end", "street.sign"]
    assert found.state == "open", "its event goes on"
    await city.tell(msgspec.structs.replace(told, ended_at=city.at))
    await city.later(minutes=2)
    assert [one.state for one in await city.runs(told)] == ["done"]
    assert city.ordered().count("street.end") == 1


@pytest.mark.parametrize(("after", "verdict"), [((10.0, 9.0, 2.0), "helped"), ((12.0, 12.0, 5.0), "missed")])
async def test_what_flickers_is_judged_by_means_over_minutes(
    city: Town, after: tuple[float, ...], verdict: str
) -> None:
    await city.play(playbook("jam", line(1, "street.meter")))
    for value in (9.0, 12.0, 6.0):
        await city.keep("queue", NEXT_ROAD, value)
        await city.later(minutes=1)
    told = event(at=city.at)
    await city.tell(told)
    await city.step()
    await city.later(minutes=2)
    for value in after:
        await city.keep("queue", NEXT_ROAD, value)
        await city.later(minutes=1)
    (found,) = await city.runs(told)
    (check,) = (await look(city.operations, found.id)).lines
    assert (found.lines[0].verdict, check.check and check.check.before) == (verdict, 9.0)
