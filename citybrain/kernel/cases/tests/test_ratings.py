# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from citybrain.kernel.audit.recording import MACHINE
from citybrain.kernel.cases.case import Case, MoveFacts
from citybrain.kernel.cases.ratings import (
    Given,
    NoSuchFollowUp,
    RatingRefused,
    Ratings,
    RatingUnusable,
    Result,
)
from citybrain.kernel.cases.satisfaction import (
    NATIONAL,
    ZHEJIANG,
    ZHEJIANG_CHANNELS,
    CodeUnknown,
    Coding,
    RatingChannel,
    Satisfaction,
)
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.tests.city import NOON, ROADS, ROADS_TOO, TICKET, WATER, pothole
from citybrain.kernel.db import Database

RATED = replace(TICKET, rating=True)
GOOD = Given(satisfaction=Satisfaction.SATISFIED, channel=RatingChannel.PC)
BAD = Given(satisfaction=Satisfaction.VERY_DISSATISFIED, channel=RatingChannel.QR_CODE, remark="没人来")


@pytest.fixture(scope="module")
def ratings(db: Database) -> Ratings:
    return Ratings(db)


async def closed(cases: Cases) -> Case:
    case = await cases.open(ROADS, pothole())
    case = await cases.move(ROADS, case.id, "accept", MoveFacts())
    return await cases.move(ROADS, case.id, "finish", MoveFacts(answer="修好了", fields={"cause": "rain"}))


# fmt: off
CODES = [
    (NATIONAL, "1", Satisfaction.VERY_SATISFIED,    "GB/T 39046-2020 A.8: 1非常满意"),
    (NATIONAL, "2", Satisfaction.SATISFIED,         "2满意"),
    (NATIONAL, "3", Satisfaction.FAIRLY_SATISFIED,  "3基本满意"),
    (NATIONAL, "4", Satisfaction.DISSATISFIED,      "4不满意"),
    (NATIONAL, "5", Satisfaction.VERY_DISSATISFIED, "5非常不满意"),
    (ZHEJIANG, "1", Satisfaction.VERY_DISSATISFIED, "浙江: 1非常不满意"),
    (ZHEJIANG, "2", Satisfaction.DISSATISFIED,      "2不满意"),
    (ZHEJIANG, "3", Satisfaction.FAIRLY_SATISFIED,  "3基本满意"),
    (ZHEJIANG, "4", Satisfaction.SATISFIED,         "4满意"),
    (ZHEJIANG, "5", Satisfaction.VERY_SATISFIED,    "5非常满意"),
]
# fmt: on


@pytest.mark.parametrize(("coding", "code", "level", "why"), CODES)
def test_the_two_codings_are_opposite_and_both_are_kept(
    coding: Coding, code: str, level: Satisfaction, why: str
) -> None:
    assert coding.read(code) is level, why
    assert coding.read(int(code)) is level, why
    assert coding.write(level) == code, why


@pytest.mark.parametrize("code", ["0", "6", "", "x", "1.0", "-1"])
def test_a_code_that_a_coding_has_not_is_refused(code: str) -> None:
    for coding in (NATIONAL, ZHEJIANG):
        with pytest.raises(CodeUnknown):
            coding.read(code)


def test_ways_of_rating_have_the_numbers_of_the_interface() -> None:
    assert [ZHEJIANG_CHANNELS[each] for each in list(RatingChannel)[:7]] == list("1234567")
    assert {RatingChannel.PHONE, RatingChannel.ELSEWHERE}.isdisjoint(ZHEJIANG_CHANNELS), "it has no code for them"


async def test_a_case_is_rated_twice_and_no_more(cases: Cases, ratings: Ratings) -> None:
    case = await closed(cases)
    first = await ratings.rate(case, RATED, GOOD, by=MACHINE, now=NOON + timedelta(hours=1))
    second = await ratings.rate(case, RATED, BAD, by=MACHINE, now=NOON + timedelta(days=2))
    assert (first.round, second.round) == (1, 2)
    assert [each.satisfaction for each in await ratings.of_case(case.id)] == [
        Satisfaction.SATISFIED,
        Satisfaction.VERY_DISSATISFIED,
    ]
    with pytest.raises(RatingRefused):
        await ratings.rate(case, RATED, GOOD, by=MACHINE, now=NOON + timedelta(days=3))


async def test_two_who_rate_at_once_are_told_one_after_the_other(cases: Cases, ratings: Ratings) -> None:
    case = await closed(cases)
    rate = [ratings.rate(case, RATED, GOOD, by=MACHINE, now=NOON + timedelta(hours=1)) for _ in range(4)]
    found = await asyncio.gather(*rate, return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["Rating", "Rating", "RatingRefused", "RatingRefused"]


async def test_what_is_open_unrated_or_long_ago_is_not_rated(cases: Cases, ratings: Ratings) -> None:
    case = await cases.open(ROADS, pothole())
    with pytest.raises(RatingRefused):
        await ratings.rate(case, RATED, GOOD, by=MACHINE, now=NOON)
    done = await closed(cases)
    with pytest.raises(RatingRefused):
        await ratings.rate(done, TICKET, GOOD, by=MACHINE, now=NOON)
    with pytest.raises(RatingRefused):
        await ratings.rate(done, RATED, GOOD, by=MACHINE, now=NOON + timedelta(days=31))
    with pytest.raises(RatingUnusable):
        long = Given(satisfaction=Satisfaction.SATISFIED, channel=RatingChannel.PC, remark="x" * 2_001)
        await ratings.rate(done, RATED, long, by=MACHINE, now=NOON)


async def test_a_bad_rating_is_looked_into_by_the_department_that_had_the_case(
    cases: Cases, ratings: Ratings, db: Database
) -> None:
    await db.write("DELETE FROM case_follow_up")
    case = await closed(cases)
    await ratings.rate(case, RATED, BAD, by=MACHINE, now=NOON)
    good = await closed(cases)
    await ratings.rate(good, RATED, GOOD, by=MACHINE, now=NOON)
    (waiting,) = await ratings.follow_ups(ROADS)
    assert (waiting.case_id, waiting.round, waiting.remark) == (case.id, 1, "没人来")
    assert waiting.due_at.isoformat() == "2026-03-03T09:00:00+00:00", "the end of the next working day"
    assert await ratings.follow_ups(WATER) == []
    with pytest.raises(NoSuchFollowUp):
        await ratings.take(WATER, case.id, 1)
    await ratings.take(ROADS, case.id, 1)
    with pytest.raises(NoSuchFollowUp):
        await ratings.take(ROADS_TOO, case.id, 1)
    with pytest.raises(RatingUnusable):
        await ratings.finish(ROADS, case.id, 1, result=Result.RESOLVED, note=" ", now=NOON)
    await ratings.finish(ROADS, case.id, 1, result=Result.RESOLVED, note="已上门道歉", now=NOON)
    assert await ratings.follow_ups(ROADS) == []
    (done,) = await ratings.follow_ups(ROADS, done=True)
    assert (done.result, done.taken_by) == (Result.RESOLVED, "li")
    with pytest.raises(NoSuchFollowUp):
        await ratings.finish(ROADS, case.id, 1, result=Result.RESOLVED, note="again", now=NOON)


async def test_nobody_says_anything_is_told_apart_from_what_people_say(
    cases: Cases, ratings: Ratings, db: Database
) -> None:
    await db.write("DELETE FROM case_follow_up")
    await db.write("DELETE FROM case_rating")
    silent, loud = await closed(cases), await closed(cases)
    await ratings.rate(loud, RATED, BAD, by=MACHINE, now=NOON)
    late = NOON + timedelta(days=31)
    unrated = await ratings.unrated(["ticket"], now=late)
    assert silent.id in unrated
    assert loud.id not in unrated
    assert await ratings.rate_by_default([silent, loud], now=late) == 1
    counted = await ratings.counted(since=NOON, until=late + timedelta(days=1))
    assert {(each.satisfaction, each.by_default, each.count) for each in counted} == {
        (Satisfaction.SATISFIED, True, 1),
        (Satisfaction.VERY_DISSATISFIED, False, 1),
    }
