# SPDX-License-Identifier: Apache-2.0
"""Questions kept under a name: whose they are, who may change them, how many cases they find."""

import pytest
from msgspec.structs import replace

from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.query import CaseQuery, Scope
from citybrain.kernel.cases.queues import NAME_LENGTH, Queue, QueueChanged, Queues, QueueUnusable
from citybrain.kernel.cases.refusals import NoSuchQueue
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import ROADS, ROADS_HEAD, ROADS_TOO, WATER, operator, pothole
from citybrain.kernel.db import Database

MINE = Queue(name="我的", query=CaseQuery(scope=Scope.MINE))
SHARED = Queue(name="全部", department="roads", query=CaseQuery(scope=Scope.HELD))


@pytest.fixture
async def queues(db: Database, cases: Cases) -> Queues:
    await db.write("DELETE FROM kept_question")
    return Queues(db, cases.finding.counting)


async def test_a_kept_question_is_its_owners_or_its_departments(queues: Queues) -> None:
    own, shared = await queues.keep(ROADS, MINE), await queues.keep(ROADS_HEAD, SHARED)
    assert [each.id for each in await queues.of(ROADS)] == [shared.id, own.id]
    assert [each.may_change for each in await queues.of(ROADS)] == [False, True]
    assert [each.id for each in await queues.of(ROADS_TOO)] == [shared.id]
    assert [each.id for each in await queues.of(operator())] == [shared.id]
    assert await queues.of(WATER) == []
    for who, queue in ((WATER, own), (WATER, shared), (ROADS, shared), (ROADS_HEAD, own), (operator(), own)):
        with pytest.raises(NoSuchQueue):
            await queues.forget(who, queue.id)
        with pytest.raises(NoSuchQueue):
            await queues.change(who, replace(queue, name="x"))
    await queues.forget(ROADS_HEAD, shared.id)
    assert [each.id for each in await queues.of(ROADS)] == [own.id]


async def test_only_who_assigns_its_cases_keeps_a_question_for_a_department(queues: Queues) -> None:
    with pytest.raises(NotPermitted):
        await queues.keep(ROADS, SHARED)
    own = await queues.keep(ROADS, MINE)
    with pytest.raises(NotPermitted):
        await queues.change(ROADS, replace(own, department="roads"))


async def test_of_two_changes_the_second_is_refused(queues: Queues) -> None:
    kept = await queues.keep(ROADS_HEAD, SHARED)
    changed = await queues.change(operator(), replace(kept, name="道路"))
    assert (changed.version, changed.owner) == (2, "zhao")
    with pytest.raises(QueueChanged):
        await queues.change(ROADS_HEAD, replace(kept, name="路"))
    assert [each.name for each in await queues.of(ROADS)] == ["道路"]


async def test_a_question_says_how_many_it_finds_where_counts_can_say_it(queues: Queues, cases: Cases) -> None:
    await queues.keep(ROADS_HEAD, SHARED)
    await queues.keep(ROADS_HEAD, replace(SHARED, name="有字", query=CaseQuery(words="路")))
    before = (await queues.of(ROADS))[0].count or 0
    await cases.open(ROADS, pothole())
    assert [each.count for each in await queues.of(ROADS)] == [before + 1, None]


async def test_a_question_needs_a_name(queues: Queues) -> None:
    for name in (" ", "x" * (NAME_LENGTH + 1)):
        with pytest.raises(QueueUnusable):
            await queues.keep(ROADS, replace(MINE, name=name))
