# SPDX-License-Identifier: Apache-2.0
"""Finding cases: by filters, page by page, by words; and never one that is another's."""

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.case import Case, LinkKind, MoveFacts
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.cases.query import CaseQuery, Order, Scope, cells_of
from citybrain.kernel.cases.refusals import NoSuchCase, QueryRefused
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import (
    DEPARTMENTS,
    NOBODY,
    NOON,
    ROADS,
    ROADS_HEAD,
    TICKET,
    WATER,
    clerk,
    operator,
    pothole,
)
from citybrain.kernel.cases.words import asked, words_of

ALL = operator()
LATER = NOON + timedelta(seconds=60)
PEOPLE = {name: clerk(f"clerk_{name}", name, roles=("clerk", "head")) for name in DEPARTMENTS}
FINISHED = MoveFacts(answer="好", fields={"cause": "x"})


@pytest.fixture(scope="module")
async def filled(cases: Cases) -> Cases:
    """Forty cases of three departments, in all states, some helped with, some in others' hands."""
    chance = random.Random(4)
    for number in range(40):
        department = DEPARTMENTS[number % 3]
        who = PEOPLE[department]
        place = {"longitude": 116.3 + number / 1000, "latitude": 39.9, "address": f"学院路{number}号"}
        case = await cases.open(
            who, pothole(department=department, priority=1 + number % 4, category=f"c{number % 5}", **place)
        )
        if number % 2:
            await cases.move(who, case.id, "accept")
            if number % 4 == 1:
                await cases.move(who, case.id, "finish", FINISHED)
        if number % 7 == 0:
            await cases.join(
                who, case.id, chance.choice([each for each in DEPARTMENTS if each != department]), "看一下"
            )
        if number % 8 == 3:
            await cases.assign(who, case.id, PEOPLE[DEPARTMENTS[(number + 1) % 3]].account)
    return cases


async def everything(cases: Cases, actor: Actor, query: CaseQuery) -> list[Case]:
    """All pages of a question."""
    found: list[Case] = []
    while True:
        page = await cases.find(actor, query)
        found += page.cases
        if page.next is None:
            return found
        query = CaseQuery(**{**{name: getattr(query, name) for name in query.__struct_fields__}, "after": page.next})


async def sees(cases: Cases, actor: Actor, case: Case) -> bool:
    """Whether somebody sees a case, asked one by one."""
    try:
        await cases.get(actor, case.id)
    except NoSuchCase:
        return False
    return True


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("department", DEPARTMENTS)
async def test_a_list_holds_exactly_what_may_be_seen_in_order(filled: Cases, order: Order, department: str) -> None:
    who = PEOPLE[department]
    all_cases = await everything(filled, ALL, CaseQuery(order=order, limit=1000))
    mine = [case.id for case in all_cases if await sees(filled, who, case)]
    assert [case.id for case in await everything(filled, who, CaseQuery(order=order, limit=3))] == mine
    assert 0 < len(mine) < len(all_cases)


async def test_nobody_sees_nothing(filled: Cases) -> None:
    assert (await filled.find(NOBODY, CaseQuery())).cases == ()
    assert (await filled.find(clerk("lost"), CaseQuery(order=Order.NEWEST))).cases == ()


async def test_what_was_mine_elsewhere_is_not_any_more_once_it_is_done(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    await cases.assign(ROADS_HEAD, case.id, WATER.account)
    assert await sees(cases, WATER, case)
    await cases.move(WATER, case.id, "accept")
    await cases.move(WATER, case.id, "finish", FINISHED)
    assert not await sees(cases, WATER, case)


# fmt: off
FILTERS = [
    (CaseQuery(states=("new",)), lambda c: c.state == "new"),
    (CaseQuery(phases=(Phase.CLOSED,), order=Order.NEWEST), lambda c: c.phase is Phase.CLOSED),
    (CaseQuery(types=("ticket", "other")), lambda c: True),
    (CaseQuery(categories=("c1", "c2"), order=Order.OLDEST), lambda c: c.category in ("c1", "c2")),
    (CaseQuery(departments=("water",)), lambda c: c.department == "water"),
    (CaseQuery(created_from=LATER, order=Order.NEWEST), lambda c: c.created_at >= LATER),
    (CaseQuery(created_before=LATER, order=Order.NEWEST), lambda c: c.created_at < LATER),
    (CaseQuery(box=(116.3, 39.89, 116.31, 39.91), order=Order.NEWEST), lambda c: (c.longitude or 999) <= 116.31),
    (CaseQuery(scope=Scope.POOL), lambda c: c.assignee is None),
    (CaseQuery(words="学院路", order=Order.NEWEST), lambda c: "学院路" in c.address),
]
# fmt: on


@pytest.mark.parametrize(("query", "fits"), FILTERS)
@pytest.mark.parametrize("who", [ALL, clerk("two", "roads", "water")])
async def test_filters_leave_what_fits(
    filled: Cases, query: CaseQuery, fits: Callable[[Case], bool], who: Actor
) -> None:
    open_only = query.order is Order.DUE
    seen = await everything(filled, who, CaseQuery(order=Order.NEWEST, limit=1000))
    reach = who.rights["case.view"].reach
    expected = {
        case.id
        for case in seen
        if fits(case)
        and not (open_only and case.phase is Phase.CLOSED)
        and (query.scope is not Scope.POOL or reach.covers(case.department))
    }
    assert {case.id for case in await everything(filled, who, query)} == expected
    assert expected


async def test_totals_come_from_counts_and_are_right(filled: Cases) -> None:
    for who in (ALL, *PEOPLE.values()):
        for query in (
            CaseQuery(scope=Scope.HELD, limit=1),
            CaseQuery(scope=Scope.POOL, limit=1),
            CaseQuery(scope=Scope.MINE, limit=1),
            CaseQuery(scope=Scope.HELD, states=("done",), order=Order.NEWEST, limit=1),
        ):
            page = await filled.find(who, query)
            assert page.total == len(await everything(filled, who, query)), (who.name, query)


async def test_counts_group_by_what_is_asked(filled: Cases) -> None:
    counts = await filled.finding.counting.counts(ALL, CaseQuery(order=Order.NEWEST), ("department", "phase"))
    cases = await everything(filled, ALL, CaseQuery(order=Order.NEWEST, limit=1000))
    for count in counts:
        same = [case for case in cases if (case.department, case.phase) == (count.department, count.phase)]
        assert len(same) == count.n
    assert sum(count.n for count in counts) == len(cases)
    with pytest.raises(QueryRefused):
        await filled.finding.counting.counts(ALL, CaseQuery(words="x"))


# fmt: off
SEARCHES = [
    ("管道爆裂", True),
    ("道爆", True), ("裂", True), ("爆裂管道", True), ("爆管道裂", False), ("望京", True),
    ("望京 管道", True),
    ("望京 路灯", False), ("gdbl", True), ("GDBL", True), ("dbl", True), ("wj", True),
    ("gdxx", False), ("ＡＢ12", True),
    ("ab1", True), ("b12", False), ("'); DROP", False), ("\\", False), ("！？", False), ("喷水", True),
]
# fmt: on


@pytest.mark.parametrize(("typed", "found"), SEARCHES)
async def test_words_find_chinese_pinyin_and_codes(cases: Cases, typed: str, found: bool) -> None:
    case = await cases.open(
        WATER,
        pothole(department="water", title="管道爆裂", address="望京街AB12号", fields={"text": "正在喷水"}, key="pipe"),
    )
    page = await cases.find(WATER, CaseQuery(words=typed, order=Order.NEWEST))
    assert (case.id in {each.id for each in page.cases}) is found
    assert (await cases.find(clerk("p", "parks"), CaseQuery(words=typed, order=Order.NEWEST))).cases == ()


async def test_a_number_is_found_by_its_begin_and_its_end(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole())
    for typed in (case.number, case.number.lower(), case.number[:-2], case.number[-4:], case.number[-6:]):
        page = await cases.find(ROADS, CaseQuery(words=typed, order=Order.NEWEST, limit=1000))
        assert case.id in {each.id for each in page.cases}, typed


async def test_words_follow_a_case_to_its_new_department_and_its_end(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole(title="独一无二的事"))
    query = CaseQuery(words="独一无二", scope=Scope.HELD)
    await cases.transfer(ROADS, case.id, "water", "管道")
    assert [(await cases.find(who, query)).cases != () for who in (ROADS, WATER)] == [False, True]
    await cases.move(WATER, case.id, "accept")
    await cases.move(WATER, case.id, "finish", FINISHED)
    assert (await cases.find(WATER, query)).cases == ()
    done = CaseQuery(words="独一无二", order=Order.NEWEST)
    assert [each.id for each in (await cases.find(WATER, done)).cases] == [case.id]


# fmt: off
UNUSABLE = [
    CaseQuery(limit=0), CaseQuery(limit=1001), CaseQuery(box=(10, 0, 5, 1)), CaseQuery(box=(0, 0, 5, 91)),
    CaseQuery(after="x"), CaseQuery(after="WzFd"), CaseQuery(after="WyJ4IiwxXQ=="), CaseQuery(phases=(Phase.CLOSED,)),
]
# fmt: on


@pytest.mark.parametrize("query", UNUSABLE)
async def test_a_question_that_makes_no_sense_is_refused(cases: Cases, query: CaseQuery) -> None:
    with pytest.raises(QueryRefused):
        await cases.find(ALL, query)


@settings(deadline=None)
@given(st.text(alphabet="路灯不亮水管ab1", min_size=1, max_size=12), st.integers(0, 11), st.integers(1, 6))
def test_every_part_of_a_text_of_two_or_more_characters_is_asked_by_words_it_has(text: str, at: int, size: int) -> None:
    case = Case(
        id=1, number="", type="t", type_version=1, state="new", phase=Phase.OPEN, title=text, department="d",
        opened_by="x", created_at=NOON, changed_at=NOON,
    )  # fmt: skip
    words = words_of(case, TICKET)
    part = text[at : at + size]
    for ask in asked(part):
        ways = [[word.removesuffix(":*").strip("'") for word in way] for way in ask.ways]
        fits = [all(any(has.startswith(word) for has in words) for word in way) for way in ways]
        starts_inside = part[0].isascii() and at and text[at - 1].isascii()
        assert any(fits) or starts_inside


@given(st.floats(-180, 179), st.floats(-90, 89), st.floats(0, 0.3), st.floats(0, 0.3))
def test_cells_of_a_box_are_named_or_too_many(west: float, south: float, width: float, height: float) -> None:
    cells = cells_of((west, south, west + width, south + height))
    assert len(cells) == len(set(cells)) <= 2500


async def test_a_linked_case_is_a_parent_but_never_its_own(cases: Cases) -> None:
    first, second = await cases.open(ROADS, pothole()), await cases.open(ROADS, pothole())
    await cases.link(ROADS, first.id, second.id, LinkKind.FOLLOWS)
    with pytest.raises(Exception, match="link_ring"):
        await cases.link(ROADS, second.id, first.id, LinkKind.FOLLOWS)
    await cases.link(ROADS, second.id, first.id, LinkKind.DUPLICATE_OF)
    assert len((await cases.story(ROADS, first.id)).links) == 2
