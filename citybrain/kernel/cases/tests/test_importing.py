# SPDX-License-Identifier: Apache-2.0
"""Many cases at once: by the rules of one, each once, and what is refused leaves the others as they are."""

from collections.abc import Sequence

import pytest

from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.auditing import audited, audited_together
from citybrain.kernel.cases.case import Case, MoveFacts, replay
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.importing import Importing, Old, Outcome
from citybrain.kernel.cases.query import CaseQuery, Order
from citybrain.kernel.cases.refusals import FieldsRefused, LinkRefused, MoveNotYours, NoSuchCaseType
from citybrain.kernel.cases.rights import seen
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, TICKET, Clock, Tree, clerk, operator, pothole
from citybrain.kernel.db import Database, Transaction

OPERATOR = operator()
TREE = Tree({"lamps": "roads"})


@pytest.fixture
async def cases(db: Database) -> Cases:
    types = CaseTypes(db)
    await types.put(TICKET, by="test", now=NOON)
    found = Cases(db, types, Clock(), TREE)
    found.hooks.watchers.append(audited)
    found.hooks.together[audited] = audited_together
    return found


@pytest.fixture
def importing(db: Database, cases: Cases) -> Importing:
    return Importing(db, cases, Clock())


def olds(name: str, count: int, **changes: object) -> list[Old]:
    return [Old(opening=pothole(key=f"{name}:{each}", **changes)) for each in range(count)]


async def test_each_is_as_if_it_had_been_opened_alone(db: Database, cases: Cases, importing: Importing) -> None:
    alone = await cases.open(OPERATOR, pothole())
    (made,) = await importing.take(OPERATOR, [Old(opening=pothole())])
    assert isinstance(made, Case)
    story = await cases.story(OPERATOR, made.id)
    assert story.case == made == replay(list(story.events))
    same = {name: getattr(made, name) for name in ("state", "title", "fields", "department", "version", "phase")}
    assert same == {name: getattr(alone, name) for name in same}
    assert int(made.number[-4:]) == int(alone.number[-4:]) + 1
    words = await db.rows(
        "SELECT words::text FROM case_words WHERE case_id IN (%(a)s, %(b)s)", {"a": alone.id, "b": made.id}
    )
    assert len(words) == 2
    for table, column in (("audit_entry", "object"), ("outbox_shared", "payload::json ->> 'number'")):
        value = f"case:{made.id}" if table == "audit_entry" else made.number
        assert await db.rows(f"SELECT 1 FROM {table} WHERE {column} = %(value)s", {"value": value})  # noqa: S608


async def test_counts_and_search_know_them(cases: Cases, importing: Importing) -> None:
    before = await cases.finding.counting.total(CaseQuery(order=Order.NEWEST), seen(OPERATOR))
    await importing.take(OPERATOR, olds("counted", 30, title="独一无二的喷泉漏水"))
    after = await cases.finding.counting.total(CaseQuery(order=Order.NEWEST), seen(OPERATOR))
    assert (after or 0) - (before or 0) == 30
    assert len((await cases.find(OPERATOR, CaseQuery(words="喷泉", order=Order.NEWEST))).cases) == 30


async def test_a_key_that_is_known_is_left_as_it_is_however_often_it_is_sent(importing: Importing) -> None:
    first = await importing.take(OPERATOR, olds("again", 3))
    again = await importing.take(OPERATOR, [*olds("again", 3), *olds("more", 1), *olds("more", 1)])
    assert all(isinstance(each, Case) for each in first)
    assert [each is None for each in again] == [True, True, True, False, True]


async def test_what_is_refused_leaves_the_others(importing: Importing, cases: Cases) -> None:
    taken = await cases.open(OPERATOR, pothole(number="OLD-1"))
    many = [
        Old(opening=pothole(fields={"nothing": 1})),
        Old(opening=pothole(type="no_such")),
        Old(opening=pothole(number=taken.number)),
        Old(opening=pothole()),
    ]
    result = await importing.take(OPERATOR, many)
    assert [type(each) for each in result] == [FieldsRefused, NoSuchCaseType, LinkRefused, Case]
    (elsewhere,) = await importing.take(clerk("chen", "water"), [Old(opening=pothole())])
    assert isinstance(elsewhere, NotPermitted)


async def test_a_dissolved_departments_case_is_its_successors(importing: Importing) -> None:
    (made,) = await importing.take(OPERATOR, [Old(opening=pothole(department="lamps"))])
    assert isinstance(made, Case)
    assert made.department == "roads"


async def test_one_may_move_on_at_once_by_the_rules_of_moves(importing: Importing, cases: Cases) -> None:
    facts = MoveFacts(department="water", reason="theirs")
    (made,) = await importing.take(OPERATOR, [Old(opening=pothole(), move="dispatch", facts=facts)])
    assert isinstance(made, Case)
    assert (made.department, made.version) == ("water", 2)
    assert await cases.get(OPERATOR, made.id) == made
    many = [Old(opening=pothole(), move="refuse", facts=facts), *olds("beside", 1)]
    refused, beside = await importing.take(clerk("li", "roads"), many)
    assert isinstance(refused, MoveNotYours)
    assert isinstance(beside, Case)


async def test_when_what_is_written_with_them_fails_nothing_is_there(
    db: Database, cases: Cases, importing: Importing
) -> None:
    async def fails(transaction: Transaction, outcomes: Sequence[Outcome]) -> None:
        assert len(outcomes) == 2
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await importing.take(OPERATOR, olds("undone", 2), also=fails)
    assert await db.rows("SELECT 1 FROM city_case WHERE key LIKE 'undone:%%'", {"none": 1}) == []
    assert all(isinstance(each, Case) for each in await importing.take(OPERATOR, olds("undone", 2)))


async def test_nothing_is_nothing(importing: Importing) -> None:
    assert await importing.take(OPERATOR, []) == []
