# SPDX-License-Identifier: Apache-2.0
"""How long a time limit is: hours and days of the calendar, of working time, or working days. Pure."""

import re
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from citybrain.kernel.cases.worktime import (
    USUAL,
    Hours,
    after_workdays,
    after_worktime,
    before_worktime,
    workdays_between,
    worktime_between,
)
from citybrain.kernel.errors import Invalid

SPELLED = re.compile(r"([0-9]{1,5})(min|h|d|wh|wd)")
LONGEST_DAYS = 3_000


class LengthUnreadable(Invalid):
    """A length that is not spelled like 30min, 24h, 7d, 8wh or 5wd."""


class Unit(StrEnum):
    """What is counted."""

    MINUTES = "min"
    HOURS = "h"
    DAYS = "d"
    WORKING_HOURS = "wh"
    WORKING_DAYS = "wd"


CALENDAR = {
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.DAYS: timedelta(days=1),
}


class Length(msgspec.Struct, frozen=True):
    """So many of a unit."""

    count: int
    unit: Unit

    @property
    def is_working(self) -> bool:
        """Whether it passes only while people work."""
        return self.unit not in CALENDAR

    def lasts(self, hours: Hours = USUAL) -> timedelta:
        """Its whole time: of the calendar, or of working time."""
        if self.unit in CALENDAR:
            return self.count * CALENDAR[self.unit]
        return self.count * (hours.length if self.unit is Unit.WORKING_DAYS else timedelta(hours=1))


def read_length(text: str) -> Length:
    """`30min`, `24h` and `7d` of the calendar, `8wh` of working hours, `5wd` working days. At least one of them."""
    match = SPELLED.fullmatch(text)
    if not match or int(match[1]) == 0:
        raise LengthUnreadable("kernel.length_unreadable", {"length": text})
    length = Length(int(match[1]), Unit(match[2]))
    if length.lasts() > timedelta(days=LONGEST_DAYS) / (4 if length.is_working else 1):
        raise LengthUnreadable("kernel.length_too_long", {"length": text, "days": LONGEST_DAYS})
    return length


def after(start: datetime, length: Length, hours: Hours = USUAL) -> datetime:
    """When a limit that begins at `start` is over. Working days end with business hours, the first not counted."""
    if length.unit is Unit.WORKING_DAYS:
        return after_workdays(start, length.count, hours)
    if length.unit is Unit.WORKING_HOURS:
        return after_worktime(start, length.lasts(), hours)
    return start + length.lasts()


def before(end: datetime, length: Length, hours: Hours = USUAL) -> datetime:
    """The time from which a length passes until `end`; a working day is as long as its hours."""
    lasts = length.lasts(hours)
    return before_worktime(end, lasts, hours) if length.is_working else end - lasts


def at_share(end: datetime, length: Length, share: float, hours: Hours = USUAL) -> datetime:
    """When a share of a limit that ends at `end` has passed: 0.8 means that a fifth is left."""
    left = length.lasts(hours) * (1 - share)
    return before_worktime(end, left, hours) if length.is_working else end - left


def put_off(end: datetime, stopped_at: datetime, goes_on_at: datetime, unit: Unit, hours: Hours = USUAL) -> datetime:
    """The end of a limit that stood still for a while: as much is left as was when it stopped. One that was over stays.

    Of working days whole ones are left; of the last day as much working time as it still had.
    """
    if stopped_at >= end:
        return end
    if unit in CALENDAR:
        return end + (goes_on_at - stopped_at)
    days = workdays_between(stopped_at, end, hours)
    if unit is Unit.WORKING_DAYS and days:
        return after_workdays(goes_on_at, days, hours)
    return after_worktime(goes_on_at, worktime_between(stopped_at, end, hours), hours)
