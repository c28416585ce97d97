# SPDX-License-Identifier: Apache-2.0
import pytest
from msgspec.structs import replace

from citybrain.kernel.access.policy import NotPermitted
from citybrain.kernel.cases.answers import Answer, AnswerChanged, Answers, AnswerUnusable, NoSuchAnswer, fill_answer
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, ROADS, ROADS_HEAD, WATER, operator, pothole
from citybrain.kernel.db import Database

REPAIRED = Answer(
    title="路面已修复",
    body="您反映的“{title}”（{number}）已修复，原因：{fields.cause}。经办人：{name}",
    category="road.hole",
    department="roads",
)


@pytest.fixture
async def answers(db: Database) -> Answers:
    await db.write("DELETE FROM answer_template")
    return Answers(db)


async def test_an_answer_is_found_by_what_is_in_it_and_filled_from_the_case(answers: Answers, cases: Cases) -> None:
    kept = await answers.put(ROADS_HEAD, REPAIRED, now=NOON)
    for typed in ("修复", "路面 已修", "lmyxf", "ROAD"):
        assert [each.id for each in await answers.search(ROADS, typed)] == [kept.id], typed
    assert await answers.search(ROADS, "水管") == []
    assert await answers.search(WATER, "修复") == [], "another department's"
    case = await cases.open(ROADS, pothole())
    filled = await answers.use(ROADS, kept.id, case)
    assert f"（{case.number}）" in filled.text
    assert filled.open_slots == ("fields.cause", "name")
    assert "{fields.cause}" in filled.text
    assert (await answers.get(kept.id)).used == 1


async def test_those_of_the_category_come_first_then_those_above_it(answers: Answers) -> None:
    everything = operator()
    names = {"": "甲", "road": "乙", "road.hole": "丙", "water": "丁"}
    for category, title in names.items():
        await answers.put(everything, Answer(title=title, body="路", category=category), now=NOON)
    found = await answers.search(ROADS, "路", category="road.hole")
    assert [each.title for each in found] == ["丙", "乙", "甲", "丁"]


async def test_two_who_change_one_answer_do_not_undo_each_other(answers: Answers) -> None:
    kept = await answers.put(ROADS_HEAD, REPAIRED, now=NOON)
    newer = await answers.put(ROADS_HEAD, replace(kept, title="新"), now=NOON)
    assert newer.version == 2
    with pytest.raises(AnswerChanged):
        await answers.put(ROADS_HEAD, replace(kept, title="旧"), now=NOON)
    await answers.retire(ROADS_HEAD, kept.id, version=2, now=NOON)
    with pytest.raises(NoSuchAnswer):
        await answers.get(kept.id)


async def test_answers_of_a_department_are_its_own_to_write(answers: Answers) -> None:
    with pytest.raises(NotPermitted):
        await answers.put(ROADS, REPAIRED, now=NOON)
    with pytest.raises(NotPermitted):
        await answers.put(ROADS_HEAD, replace(REPAIRED, department="water"), now=NOON)
    with pytest.raises(AnswerUnusable):
        await answers.put(ROADS_HEAD, replace(REPAIRED, department=None), now=NOON)
    with pytest.raises(AnswerUnusable):
        await answers.put(ROADS_HEAD, replace(REPAIRED, body=" "), now=NOON)


async def test_what_stands_in_a_case_opens_no_slot(cases: Cases) -> None:
    case = await cases.open(ROADS, pothole(title="{fields.text}"))
    assert fill_answer("{title}", case).text == "{fields.text}"
    assert fill_answer("{department} {assignee} {__class__}", case).open_slots == (
        "department",
        "assignee",
        "__class__",
    )
