# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.cases.worktime import (
    USUAL,
    after_workdays,
    after_worktime,
    before_worktime,
    is_known,
    is_workday,
    workdays_between,
    worktime_between,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


# fmt: off
DAYS = [
    (date(2025, 9, 30), True,  "the Tuesday before National Day"),
    (date(2025, 10, 1), False, "National Day"),
    (date(2025, 10, 6), False, "Mid-Autumn, in the same holidays"),
    (date(2025, 9, 28), True,  "a Sunday that makes up for the holidays"),
    (date(2025, 9, 27), False, "the Saturday before it is free"),
    (date(2025, 1, 26), True,  "the Sunday that makes up for Spring Festival"),
    (date(2025, 1, 28), False, "the eve of Spring Festival"),
]
# fmt: on


@pytest.mark.parametrize(("day", "worked", "why"), DAYS)
def test_holidays_and_make_up_days_are_those_of_the_notice(day: date, worked: bool, why: str) -> None:
    assert is_workday(day) is worked, why


def test_a_year_without_a_notice_has_weekends_and_fixed_holidays_and_says_so() -> None:
    assert is_known(2025)
    assert not is_known(2099)
    assert not is_workday(date(2099, 10, 1))
    assert is_workday(date(2099, 9, 30))


# fmt: off
WORKDAYS = [
    ("2025-09-22T10:00", 1, "2025-09-23T17:00", "the day it begins does not count"),
    ("2025-09-26T10:00", 1, "2025-09-28T17:00", "from Friday to the Sunday that is worked"),
    ("2025-09-30T10:00", 1, "2025-10-09T17:00", "over the eight days of National Day"),
    ("2025-09-20T10:00", 2, "2025-09-23T17:00", "what comes on a Saturday begins to count on Monday"),
]
# fmt: on


@pytest.mark.parametrize(("start", "days", "end", "why"), WORKDAYS)
def test_a_limit_in_working_days_ends_with_the_last_of_them(start: str, days: int, end: str, why: str) -> None:
    assert after_workdays(at(start), days) == at(end), why


# fmt: off
WORKTIMES = [
    ("2025-09-22T10:00", 2,  "2025-09-22T12:00", "the end of the morning is in time"),
    ("2025-09-22T10:00", 3,  "2025-09-22T14:00", "noon does not count"),
    ("2025-09-22T16:00", 2,  "2025-09-23T10:00", "over the night"),
    ("2025-09-30T16:00", 2,  "2025-10-09T10:00", "over the holidays"),
    ("2025-09-22T07:00", 1,  "2025-09-22T10:00", "before work it waits"),
    ("2025-09-22T20:00", 7,  "2025-09-23T17:00", "a whole day of seven hours"),
]
# fmt: on


@pytest.mark.parametrize(("start", "hours", "end", "why"), WORKTIMES)
def test_working_time_passes_only_while_people_work(start: str, hours: int, end: str, why: str) -> None:
    assert after_worktime(at(start), timedelta(hours=hours)) == at(end), why


def naive(start: datetime, minutes: int) -> datetime:
    """Minute by minute, as a clerk with a watch would count."""
    now = start
    while minutes > 0:
        local = now.astimezone(SHANGHAI)
        worked = any(begin <= local.time() < end for begin, end in USUAL.spans)
        minutes -= is_workday(local.date()) and worked
        now += timedelta(minutes=1)
    return now


FIRST = datetime(2025, 1, 20, tzinfo=UTC)
TIMES = st.integers(0, 265 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))


@given(TIMES, st.integers(1, 3_000))
def test_counting_by_spans_is_counting_by_minutes(start: datetime, minutes: int) -> None:
    assert after_worktime(start, timedelta(minutes=minutes)) == naive(start, minutes)


@given(TIMES, st.integers(0, 5_000))
def test_what_was_added_lies_between(start: datetime, minutes: int) -> None:
    length = timedelta(minutes=minutes)
    assert worktime_between(start, after_worktime(start, length)) == length


@given(TIMES, st.integers(1, 60))
def test_as_many_working_days_lie_between_as_were_given(start: datetime, days: int) -> None:
    end = after_workdays(start, days)
    day, counted = start.astimezone(SHANGHAI).date(), 0
    while day < end.astimezone(SHANGHAI).date():
        day += timedelta(days=1)
        counted += is_workday(day)
    assert counted == days
    assert is_workday(day)


@given(TIMES, st.integers(1, 5_000))
def test_going_back_by_working_time_is_undone_by_going_on(end: datetime, minutes: int) -> None:
    length = timedelta(minutes=minutes)
    start = before_worktime(end, length)
    assert start < end
    assert worktime_between(start, end) == length
    assert worktime_between(start + timedelta(seconds=1), end) < length


@given(TIMES, st.integers(1, 60))
def test_working_days_are_counted_as_they_were_added(start: datetime, days: int) -> None:
    assert workdays_between(start, after_workdays(start, days)) == days
