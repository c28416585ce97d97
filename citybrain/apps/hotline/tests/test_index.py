# SPDX-License-Identifier: Apache-2.0
"""Places by name, sound, initials and with a letter wrong; tickets by words, place and time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from citybrain.apps.hotline.index.places import Places
from citybrain.apps.hotline.index.similar import Tickets
from citybrain.apps.hotline.tests.conftest import PLACES
from citybrain.apps.hotline.tests.test_rules import NOON, ticket

INDEX = Places(PLACES)

# fmt: off
FOUND = [
    ("在中关村大街路口有人摔倒", "中关村大街",   "name",     "the longer of two names"),
    ("我住幸福里小区三号楼",     "幸福里小区",   "name",     "a name inside a sentence"),
    ("人民公园",                 "人民公园",     "name",     "a name alone"),
    ("在中官村大街路口",         "中关村大街",   "sound",    "letters that sound the same"),
    ("zgcdj",                    "中关村大街",   "initials", "initials"),
    ("renmingongyuan",           "人民公园",     "sound",    "pinyin in one word"),
    ("幸福量小区的电梯",         "幸福里小区",   "typo",     "one letter wrong"),
    ("幸福小区的电梯",           "幸福里小区",   "typo",     "one letter left out"),
    ("near station road",        "Station Road", "name",     "another script, small letters"),
]
# fmt: on


@pytest.mark.parametrize(("text", "name", "how", "why"), FOUND)
def test_a_place_is_found_in_what_is_told(text: str, name: str, how: str, why: str) -> None:
    found = INDEX.find(text)
    assert found, why
    assert (found[0].place.name, found[0].how) == (name, how), why


@pytest.mark.parametrize("text", ["", "停水了", "的", "hello", "小区"])
def test_what_names_no_place_finds_none(text: str) -> None:
    assert INDEX.find(text) == []


@given(some.text(max_size=600))
def test_any_text_can_be_asked(text: str) -> None:
    for each in INDEX.find(text):
        assert 0 < each.score <= 1


def test_an_open_ticket_near_in_place_and_time_is_a_likely_duplicate() -> None:
    index = Tickets(
        [
            ticket(1, text="小区停水两天", longitude=116.4, latitude=39.9),
            ticket(2, text="小区停水两天", longitude=116.5, latitude=39.9),
            ticket(3, text="小区停水两天", longitude=116.4, latitude=39.9, created_at=NOON - timedelta(days=9)),
            ticket(4, text="路灯不亮", longitude=116.4, latitude=39.9, category="traffic.road.light"),
        ]
    )
    found = index.find("我们小区停水了", now=NOON, category="water.supply", place=(116.4001, 39.9))
    assert [each.case_id for each in found.duplicates] == [1]
    assert found.duplicates[0].distance_m == pytest.approx(8.5, abs=1)


def test_closed_tickets_come_with_their_answers_and_those_without_do_not() -> None:
    index = Tickets(
        [
            ticket(1, text="物业不开暖气", phase="closed", answer="已供暖"),
            ticket(2, text="物业不开暖气", phase="closed"),
        ]
    )
    found = index.find("暖气不热，物业不开暖气", now=NOON)
    assert [(each.case_id, each.answer) for each in found.answered] == [(1, "已供暖")]


def test_what_became_of_a_ticket_replaces_what_was_known() -> None:
    index = Tickets([ticket(1, text="小区停水两天")])
    index.put(ticket(1, text="小区停水两天", phase="closed", answer="已修复"))
    found = index.find("小区停水两天", now=NOON)
    assert len(index) == 1
    assert (found.duplicates, [each.answer for each in found.answered]) == ((), ["已修复"])


@given(some.lists(some.text(max_size=40), max_size=30), some.text(max_size=60))
def test_likeness_is_a_share(texts: list[str], asked: str) -> None:
    index = Tickets(ticket(number, text=text) for number, text in enumerate(texts))
    for each in index.find(asked, now=NOON).duplicates:
        assert 0 <= each.alike <= 1
