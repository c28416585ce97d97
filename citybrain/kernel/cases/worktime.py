# SPDX-License-Identifier: Apache-2.0
"""Working time in China: which days are worked, and when a time limit is over.

Days off and make-up days come from `chinesecalendar`, which follows the yearly notices of the State Council. For a
year it does not know yet Saturdays, Sundays and the fixed days of the regulation on public holidays (全国年节及纪念日
放假办法, State Council Decree 795) are taken, and `is_known` says so.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar
import msgspec

from citybrain.kernel.clock import TIMEZONE

DAY = timedelta(days=1)
# Of the fixed holidays those that stand on a day of the solar calendar: New Year, Labour Day (2), National Day (3).
FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
FAR_DAYS = 3_660  # a limit that is not over within ten years is a mistake of who set it


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of a working day, in order and apart; the usual ones of Chinese authorities are the default."""

    spans: tuple[tuple[time, time], ...] = ((time(9), time(12)), (time(13), time(17)))
    timezone: str = TIMEZONE

    @property
    def length(self) -> timedelta:
        """How long a working day is."""
        return sum((_between(begin, end) for begin, end in self.spans), timedelta())


USUAL = Hours()


def is_known(year: int) -> bool:
    """Whether the holidays of a year have been announced, as far as we know."""
    return year in _known_years()


@lru_cache
def _known_years() -> frozenset[int]:
    days = [*chinese_calendar.constants.holidays, *chinese_calendar.constants.workdays]
    return frozenset(day.year for day in days)


@lru_cache(maxsize=10_000)
def is_workday(day: date) -> bool:
    """Whether a day is worked: weekdays less holidays, and the weekends that make up for them."""
    if is_known(day.year):
        return bool(chinese_calendar.is_workday(day))  # type: ignore[no-untyped-call]
    return day.weekday() < 5 and (day.month, day.day) not in FIXED_HOLIDAYS


def after_workdays(start: datetime, days: int, hours: Hours = USUAL) -> datetime:
    """The end of the `days`-th working day after the day of `start`, in UTC.

    The day on which a period begins does not count (Civil Code of the People's Republic of China, article 201), and a
    period that is counted in days ends with business hours on its last day (article 203). `days` is at least 1.
    """
    zone = ZoneInfo(hours.timezone)
    day = start.astimezone(zone).date()
    for _ in range(FAR_DAYS):
        day += DAY
        if is_workday(day):
            days -= 1
        if days == 0:
            return _at(day, hours.spans[-1][1], zone)
    raise OverflowError(start, days)


def after_worktime(start: datetime, length: timedelta, hours: Hours = USUAL) -> datetime:
    """When `length` of working time has passed since `start`, in UTC. Nothing passes outside working hours.

    A limit that is over with the last minute of a span is over then, not at the beginning of the next.
    """
    zone = ZoneInfo(hours.timezone)
    day = start.astimezone(zone).date()
    left = length
    for _ in range(FAR_DAYS):
        for begin, end in _spans(day, hours, zone):
            if end <= start:
                continue
            from_ = max(begin, start)
            if left <= end - from_:
                return (from_ + left).astimezone(ZoneInfo("UTC"))
            left -= end - from_
        day += DAY
    raise OverflowError(start, length)


def before_worktime(end: datetime, length: timedelta, hours: Hours = USUAL) -> datetime:
    """The latest time from which `length` of working time passes until `end`, in UTC."""
    zone = ZoneInfo(hours.timezone)
    day = end.astimezone(zone).date()
    left = length
    for _ in range(FAR_DAYS):
        for begin, until in reversed(_spans(day, hours, zone)):
            if begin >= end:
                continue
            until_ = min(until, end)
            if left <= until_ - begin:
                return (until_ - left).astimezone(ZoneInfo("UTC"))
            left -= until_ - begin
        day -= DAY
    raise OverflowError(end, length)


def workdays_between(start: datetime, end: datetime, hours: Hours = USUAL) -> int:
    """How many working days come after the day of `start` up to that of `end`."""
    zone = ZoneInfo(hours.timezone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    count = 0
    while day < last:
        day += DAY
        count += is_workday(day)
    return count


def worktime_between(start: datetime, end: datetime, hours: Hours = USUAL) -> timedelta:
    """How much working time lies between two times; nothing when the second is not later."""
    zone = ZoneInfo(hours.timezone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    passed = timedelta()
    while day <= last:
        for begin, until in _spans(day, hours, zone):
            passed += max(timedelta(), min(until, end) - max(begin, start))
        day += DAY
    return passed


def _spans(day: date, hours: Hours, zone: ZoneInfo) -> Sequence[tuple[datetime, datetime]]:
    if not is_workday(day):
        return ()
    return [(_at(day, begin, zone), _at(day, end, zone)) for begin, end in hours.spans]


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(ZoneInfo("UTC"))


def _between(begin: time, end: time) -> timedelta:
    day = date(2000, 1, 1)
    return datetime.combine(day, end) - datetime.combine(day, begin)
