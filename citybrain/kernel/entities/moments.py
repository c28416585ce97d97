# SPDX-License-Identifier: Apache-2.0
"""Times, dates and date-times as texts, and what orders them (CIM 009 clause 4.6.3)."""

import re
from datetime import UTC, date, datetime

_FRACTION = r"(?:[.,](\d{1,9}))?"
_DATE_TIME = re.compile(rf"(\d{{4}})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d){_FRACTION}(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(rf"(\d\d):(\d\d):(\d\d){_FRACTION}Z?", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_S = 86_400


def date_time_key(text: str) -> int | None:
    """Microseconds since 1970 of a date-time, at most six digits of a fraction counted; None if it is none."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    day_number = _day(year, month, day)
    if day_number is None or hour > 23 or minute > 59 or second > 60:
        return None
    seconds = day_number * _DAY_S + hour * 3600 + minute * 60 + second - _offset_s(found[8])
    return seconds * 1_000_000 + _micros(found[7])


def date_key(text: str) -> int | None:
    """Days since 1970 of a date; None if it is none."""
    found = _DATE.fullmatch(text)
    return _day(*(int(part) for part in found.groups())) if found else None


def time_key(text: str) -> int | None:
    """Microseconds since midnight of a time of day; None if it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = (int(part) for part in found.groups()[:3])
    if hour > 23 or minute > 59 or second > 60:
        return None
    return (hour * 3600 + minute * 60 + second) * 1_000_000 + _micros(found[4])


def moment(text: str) -> datetime | None:
    """The same date-time as a value of Python, UTC; None if it is none or beyond the year 9999."""
    key = date_time_key(text)
    try:
        return None if key is None else datetime.fromtimestamp(key / 1_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _day(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


def _micros(digits: str | None) -> int:
    return int(digits[:6].ljust(6, "0")) if digits else 0


def _offset_s(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
