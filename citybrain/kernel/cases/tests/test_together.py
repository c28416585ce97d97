# SPDX-License-Identifier: Apache-2.0
"""Cases that several work on: helpers, duplicates, parts, many at once, a department that is no more, who is told."""

import pytest
from msgspec.structs import replace

from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.case import Case, CaseChange, CommentKind, LinkKind, MoveFacts, Verb
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.export import on_many
from citybrain.kernel.cases.query import CaseQuery, Order
from citybrain.kernel.cases.refusals import MergeRefused, MoveNotYours, NoSuchCase, NotShared
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, ROADS, ROADS_HEAD, WATER, Tree, clerk, operator, pothole
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.outbox import Outbox

PARKS_HEAD = clerk("sun", "parks", roles=("clerk", "head"))
DONE = MoveFacts(answer="好", fields={"cause": "x"})


async def test_a_helper_sees_the_case_says_its_part_and_may_make_only_moves_for_helpers(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    await cases.move(ROADS, case.id, "accept")
    await cases.suspend(ROADS, case.id, "等水务")
    with pytest.raises(NoSuchCase):
        await cases.get(WATER, case.id)
    await cases.join(ROADS, case.id, "water", "查管道")
    assert (await cases.get(WATER, case.id)).department == "roads"
    with pytest.raises(NotPermitted):
        await cases.transfer(WATER, case.id, "parks", "不是我的")
    await cases.comment(WATER, case.id, CommentKind.INTERNAL, "正在查")
    assert (await cases.move(WATER, case.id, "go_on")).state == "working"
    with pytest.raises(MoveNotYours):
        await cases.move(WATER, case.id, "finish", DONE)
    await cases.leave(WATER, case.id, "water", "管道完好")
    with pytest.raises(NotShared):
        await cases.leave(WATER, case.id, "water", "再说一次")
    (share,) = (await cases.story(WATER, case.id)).shares
    assert (share.task, share.answer, share.answered_by) == ("查管道", "管道完好", "chen")


async def test_duplicates_close_into_one_or_not_at_all(cases: Cases) -> None:
    first, second, done = [await cases.open(ROADS, pothole()) for _ in range(3)]
    await cases.move(ROADS, done.id, "accept")
    await cases.move(ROADS, done.id, "finish", DONE)
    with pytest.raises(MergeRefused):
        await cases.merge(ROADS, first.id, [second.id, done.id], "同一处")
    assert await cases.get(ROADS, second.id) == second
    await cases.merge(ROADS, first.id, [second.id], "同一处")
    story = await cases.story(ROADS, second.id)
    assert (story.case.phase, story.events[-1].facts["into"]) == (Phase.CLOSED, first.id)
    assert [(link.from_id, link.to_id, link.kind) for link in story.links] == [
        (second.id, first.id, LinkKind.DUPLICATE_OF)
    ]


async def test_parts_of_a_case_have_it_as_their_parent(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    parts = await cases.split(ROADS, case.id, [pothole(title="路面"), pothole(title="人行道")])
    story = await cases.story(ROADS, case.id)
    assert {(link.from_id, link.kind) for link in story.links} == {(part.id, LinkKind.PARENT) for part in parts}
    assert story.events[-1].facts["numbers"] == [part.number for part in parts]
    assert len({case.number, *(part.number for part in parts)}) == 3


async def test_of_many_cases_each_is_done_alone(cases: Cases) -> None:
    mine, other = await cases.open(ROADS, pothole()), await cases.open(WATER, pothole(department="water"))
    results = await on_many([mine.id, other.id, 10**9], lambda id: cases.move(ROADS, id, "accept"))
    assert [(result.done, result.code) for result in results] == [
        (True, ""),
        (False, "kernel.no_such_case"),
        (False, "kernel.no_such_case"),
    ]


async def test_a_dissolved_departments_cases_go_to_its_successor(cases: Cases) -> None:
    made = [await cases.open(PARKS_HEAD, pothole(department="parks")) for _ in range(3)]
    closed = made.pop()
    await cases.move(PARKS_HEAD, closed.id, "accept")
    await cases.move(PARKS_HEAD, closed.id, "finish", DONE)
    tree = Tree({"parks": "water"})
    after = Cases(cases._db, cases.types, cases._clock, tree)
    assert await after.hand_over(PARKS_HEAD, "parks", "机构改革") == 2
    for case in made:
        assert (await after.get(WATER, case.id)).department == "water"
    assert (await after.get(PARKS_HEAD, closed.id)).department == "parks"
    given = await after.open(operator(), pothole(department="parks"))
    moved = await after.transfer(ROADS, (await after.open(ROADS, pothole())).id, "parks", "绿化")
    assert (given.department, moved.department) == ("water", "water")


async def test_watchers_are_told_inside_the_transaction_and_planners_set_times(cases: Cases, db: Database) -> None:
    told: list[CaseChange] = []

    async def watch(transaction: Transaction, change: CaseChange) -> None:
        told.append(change)
        if change.after.title == "拒绝":
            raise MergeRefused("kernel.case_merge_refused", {"number": "", "into": ""})

    def plan(type: CaseType, before: Case | None, after: Case, now: object) -> Case:
        return replace(after, due_at=NOON) if before is None else after

    cases.hooks.watchers.append(watch)
    cases.hooks.planners.append(plan)
    outbox = Outbox(db)
    begin = await outbox.last_id(topic="case")
    case = await cases.open(ROADS, pothole())
    await cases.move(ROADS, case.id, "accept")
    with pytest.raises(MergeRefused):
        await cases.open(ROADS, pothole(title="拒绝"))
    cases.hooks.watchers.clear()
    cases.hooks.planners.clear()
    assert [(each.before and each.before.state, each.after.state) for each in told[:2]] == [
        (None, "new"),
        ("new", "working"),
    ]
    assert told[0].event.verb is Verb.OPEN and told[0].actor is ROADS
    assert (await cases.get(ROADS, case.id)).due_at == NOON
    rows = await outbox.since(begin, topic="case")
    assert ['"verb":"open"' in row.payload for row in rows] == [True, False]
    assert "中关村" not in "".join(row.payload for row in rows)
    assert await outbox.since(rows[-1].id, topic="case") == []
    assert (await cases.find(ROADS, CaseQuery(words="拒绝", order=Order.NEWEST))).cases == ()


async def test_history_can_only_be_added_to(cases: Cases, db: Database) -> None:
    await cases.open(ROADS, pothole())
    for statement in ("UPDATE case_event SET by = 'x'", "DELETE FROM case_event", "TRUNCATE case_event"):
        with pytest.raises(Exception, match="append-only"):
            await db.write(statement)


async def test_another_persons_case_goes_back_to_the_pool_only_by_a_head(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    await cases.take(ROADS, case.id)
    with pytest.raises(MoveNotYours):
        await cases.to_pool(clerk("wang", "roads"), case.id)
    assert (await cases.to_pool(ROADS_HEAD, case.id, "请假")).assignee is None
