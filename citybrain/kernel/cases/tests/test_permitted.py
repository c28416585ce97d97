# SPDX-License-Identifier: Apache-2.0
"""What somebody is told they may do with a case is what they are not refused, and the other way round."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.acts import Edit, Time
from citybrain.kernel.cases.case import Case, CommentKind, LinkKind, MoveFacts, Verb
from citybrain.kernel.cases.permitted import Asker, verbs
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, ROADS, ROADS_HEAD, ROADS_TOO, WATER, operator, pothole
from citybrain.kernel.errors import Refusal

DONE = MoveFacts(answer="好", fields={"cause": "x"})
BOSS = operator()
Way = tuple[tuple[str, MoveFacts], ...]
# fmt: off
WAYS: Mapping[str, Way] = {
    "new":       (),
    "working":   (("accept", MoveFacts()),),
    "suspended": (("accept", MoveFacts()), ("wait", MoveFacts(reason="等料"))),
    "closed":    (("accept", MoveFacts()), ("finish", DONE)),
}
# fmt: on
ACTORS = (ROADS, ROADS_TOO, ROADS_HEAD, WATER, BOSS)
Do = Callable[[Cases, Actor, Case], Awaitable[object]]


async def _merge(cases: Cases, actor: Actor, case: Case) -> object:
    other = await cases.open(BOSS, pothole())
    return await cases.merge(actor, case.id, [other.id], "重复")


async def _link(cases: Cases, actor: Actor, case: Case) -> object:
    return await cases.link(actor, case.id, case.id - 1, LinkKind.FOLLOWS)


TRIED: Mapping[Verb, Do] = {
    Verb.TAKE: lambda cases, actor, case: cases.take(actor, case.id),
    Verb.ASSIGN: lambda cases, actor, case: cases.assign(actor, case.id, "li"),
    Verb.TO_POOL: lambda cases, actor, case: cases.to_pool(actor, case.id, "x"),
    Verb.TRANSFER: lambda cases, actor, case: cases.transfer(actor, case.id, "parks", "x"),
    Verb.RETURN: lambda cases, actor, case: cases.give_back(actor, case.id, "x"),
    Verb.SUSPEND: lambda cases, actor, case: cases.suspend(actor, case.id, "x"),
    Verb.RESUME: lambda cases, actor, case: cases.resume(actor, case.id, "x", move="go_on"),
    Verb.REOPEN: lambda cases, actor, case: cases.reopen(actor, case.id, "x"),
    Verb.EDIT: lambda cases, actor, case: cases.edit(actor, case.id, Edit(title="x")),
    Verb.COMMENT: lambda cases, actor, case: cases.comment(actor, case.id, CommentKind.INTERNAL, "x"),
    Verb.JOIN: lambda cases, actor, case: cases.join(actor, case.id, "parks", "x"),
    Verb.LEAVE: lambda cases, actor, case: cases.leave(actor, case.id, "water", "x"),
    Verb.LINK: _link,
    Verb.MERGE: _merge,
}
# Done to a case as it already is, these change nothing: they are not told, and not refused either.
NOTHING_CHANGES = {Verb.TAKE, Verb.TO_POOL, Verb.LEAVE}


async def _made(cases: Cases, way: Way) -> Case:
    """A case that li has brought so far, with which the water works help."""
    await cases.open(BOSS, pothole())
    case = await cases.open(ROADS, pothole())
    await cases.join(ROADS, case.id, "water", "看水管")
    for move, facts in way:
        await cases.move(ROADS, case.id, move, facts)
    return await cases.get(BOSS, case.id)


async def _told(cases: Cases, actor: Actor, case: Case) -> set[Verb]:
    story = await cases.story(actor, case.id)
    asker = Asker(
        actor=actor,
        case=case,
        type=await cases.types.get(case.type, case.type_version),
        shares=story.shares,
        moves=await cases.moves(actor, case),
    )
    return set(verbs(asker, cases.departments.within))


@pytest.mark.parametrize("state", WAYS)
@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.name)
async def test_what_is_told_can_be_done_and_what_is_not_told_is_refused(cases: Cases, state: str, actor: Actor) -> None:
    for verb, do in TRIED.items():
        case = await _made(cases, WAYS[state])
        told = verb in await _told(cases, actor, case)
        try:
            await do(cases, actor, case)
        except Refusal as refusal:
            assert not told, f"{verb} of {actor.name} with a {state} case: {refusal.code}"
        else:
            assert told or verb in NOTHING_CHANGES, f"{verb} of {actor.name} with a {state} case is not told"


async def test_a_case_that_was_transferred_can_be_returned_and_taken(cases: Cases) -> None:
    case = await _made(cases, ())
    await cases.transfer(ROADS, case.id, "water", "水管")
    there = await cases.get(BOSS, case.id)
    assert {Verb.RETURN, Verb.TAKE} <= await _told(cases, WATER, there)
    await cases.give_back(WATER, case.id, "不是水管")
    assert Verb.RETURN not in await _told(cases, ROADS, await cases.get(BOSS, case.id))


async def test_only_who_assigns_plans(cases: Cases) -> None:
    case = await _made(cases, ())
    assert Verb.PLAN in await _told(cases, ROADS_HEAD, case)
    assert Verb.PLAN not in await _told(cases, ROADS, case)
    await cases.plan(ROADS_HEAD, case.id, Time(due_at=NOON + timedelta(days=1)))
