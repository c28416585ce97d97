# SPDX-License-Identifier: Apache-2.0
"""Cases through their life: opened, moved, handed on, finished."""

import pytest

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.acts import Edit
from citybrain.kernel.cases.case import MoveFacts, Verb, replay
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.cases.refusals import (
    CaseChanged,
    FieldsRefused,
    MoveNotInTable,
    MoveNotYours,
    NoSuchCase,
    NotInPool,
    SomethingMissing,
    TransferRefused,
)
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOBODY, ROADS, ROADS_HEAD, ROADS_TOO, WATER, pothole
from citybrain.kernel.errors import Refusal

DONE = MoveFacts(answer="已修复", fields={"cause": "车辆碾压"})
WHY = MoveFacts(reason="等待材料")


async def test_a_case_is_opened_worked_on_and_finished(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    assert (case.number, case.state, case.phase, case.version) == ("HT202603020001", "new", Phase.OPEN, 1)
    case = await cases.move(ROADS, case.id, "accept")
    assert (case.state, case.assignee) == ("working", "li")
    case = await cases.move(ROADS, case.id, "finish", DONE)
    assert (case.state, case.phase, case.fields["cause"]) == ("done", Phase.CLOSED, "车辆碾压")
    assert case.closed_at is not None
    story = await cases.story(ROADS, case.id)
    assert [(event.verb, event.move) for event in story.events] == [
        (Verb.OPEN, None),
        (Verb.MOVE, "accept"),
        (Verb.MOVE, "finish"),
    ]
    assert [comment.text for comment in story.comments] == ["已修复"]
    assert replay(list(story.events)) == story.case == case


# fmt: off
REFUSED = [
    (ROADS,  "finish",   DONE,                    MoveNotInTable,   "not from a new case"),
    (ROADS,  "paint",    MoveFacts(),             MoveNotInTable,   "not in the table at all"),
    (ROADS,  "refuse",   WHY,                     MoveNotYours,     "only a head refuses"),
    (ROADS_HEAD, "refuse", MoveFacts(),           SomethingMissing, "a reason is needed"),
    (ROADS_HEAD, "refuse", MoveFacts(reason=" "), SomethingMissing, "blanks are no reason"),
    (ROADS,  "dispatch", WHY,                     SomethingMissing, "to whom?"),
    (WATER,  "accept",   MoveFacts(),             NoSuchCase,       "another department does not see it"),
    (NOBODY, "accept",   MoveFacts(),             NoSuchCase,       "nor does nobody"),
    (ROADS,  "accept",   MoveFacts(fields={"phone": "1"}), FieldsRefused, "the form has no such field"),
]
# fmt: on


@pytest.mark.parametrize(("actor", "move", "facts", "refusal", "why"), REFUSED)
async def test_a_move_that_does_not_fit_is_refused_and_changes_nothing(
    cases: Cases, actor: Actor, move: str, facts: MoveFacts, refusal: type[Refusal], why: str
) -> None:
    case = await cases.open(ROADS, pothole())
    with pytest.raises(refusal):
        await cases.move(actor, case.id, move, facts)
    assert await cases.get(ROADS, case.id) == case, why


async def test_of_two_clerks_the_second_is_told_who_was_quicker(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    await cases.move(ROADS, case.id, "accept", expected_version=1)
    with pytest.raises(CaseChanged) as refused:
        await cases.move(ROADS_TOO, case.id, "accept", expected_version=1)
    facts = refused.value.facts
    assert (facts["by"], facts["case"]["state"], facts["case"]["version"]) == ("li", "working", 2)
    with pytest.raises(NotInPool):
        await cases.take(ROADS_TOO, case.id)


async def test_a_case_passes_on_only_as_often_as_its_type_lets(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    case = await cases.transfer(ROADS, case.id, "water", "管道问题")
    assert (case.department, case.came_from, case.transfers) == ("water", "roads", 1)
    case = await cases.give_back(WATER, case.id, "不属于我单位")
    assert (case.department, case.came_from, case.returns) == ("roads", None, 1)
    case = await cases.transfer(ROADS, case.id, "water", "核实后仍为管道问题")
    with pytest.raises(TransferRefused, match="returned_often"):
        await cases.give_back(WATER, case.id, "不属于我单位")
    with pytest.raises(TransferRefused, match="transferred_often"):
        await cases.transfer(WATER, case.id, "parks", "绿化")


async def test_a_case_that_rests_goes_on_and_one_that_is_done_is_taken_up_again(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    await cases.move(ROADS, case.id, "accept")
    rested = await cases.suspend(ROADS, case.id, "等待天气")
    assert (rested.phase, rested.suspended_at is None) == (Phase.SUSPENDED, False)
    assert (await cases.resume(ROADS, case.id)).suspended_at is None
    await cases.move(ROADS, case.id, "finish", DONE)
    again = await cases.reopen(ROADS, case.id, "没有修好")
    assert (again.state, again.reopened, again.closed_at, again.assignee) == ("working", 1, None, None)


async def test_what_is_sent_twice_with_one_key_is_one_case(cases: Cases) -> None:
    first = await cases.open(ROADS, pothole(key="web:1"))
    assert await cases.open(ROADS, pothole(key="web:1", title="再来一次")) == first


async def test_nobody_opens_a_case_for_a_department_that_is_not_theirs(cases: Cases) -> None:
    with pytest.raises(NotPermitted):
        await cases.open(WATER, pothole())


async def test_a_field_that_is_emptied_is_taken_away_and_history_says_so(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole(fields={"text": "坑", "cause": "rain"}))
    after = await cases.edit(ROADS, case.id, Edit(fields={"cause": None}))
    assert after.fields == {"text": "坑"}
    assert (await cases.get(ROADS, case.id)).fields == {"text": "坑"}
    assert replay(await cases.history(ROADS, case.id)).fields == {"text": "坑"}
    with pytest.raises(FieldsRefused):
        await cases.edit(ROADS, case.id, Edit(fields={"text": None}))
    assert (await cases.edit(ROADS, case.id, Edit(fields={"cause": None}))).fields == {"text": "坑"}
