# SPDX-License-Identifier: Apache-2.0
"""Times, spans and durations as ISO 8601 texts, both ways."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from citybrain.doors.sensorthings.expression import Span
from citybrain.kernel.entities.times import text_of

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
DATE = r"\d{4}-\d\d-\d\d"
_TIME = re.compile(TIME, re.ASCII)
_DURATION = re.compile(r"([+-]?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)
LONGEST_DAYS = 3_650_000


def read_time(text: str) -> datetime | None:
    """A time as the value of Python, UTC; a date begins at midnight; None if the text is neither."""
    if not (_TIME.fullmatch(text) or re.fullmatch(DATE, text, re.ASCII)):
        return None
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@lru_cache(1024)
def read_span(text: str) -> Span | None:
    """A time, or a span `begin/end`; None if the text is neither, or ends before it begins."""
    first, slash, second = text.partition("/")
    begin = read_time(first)
    end = read_time(second) if slash else begin
    return Span(begin, end) if begin and end and begin <= end else None


def read_duration(text: str) -> timedelta | None:
    """A duration of days and smaller units; None if the text is none."""
    found = _DURATION.fullmatch(text)
    if found is None or text[-1] in "PT" or len(text) > 40:
        return None
    sign, days, hours, minutes, seconds = found.groups()
    if int(days or 0) > LONGEST_DAYS or int(hours or 0) > LONGEST_DAYS * 24:
        return None
    try:
        length = timedelta(
            days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0)
        )
    except OverflowError:
        return None
    return -length if sign == "-" else length


def told(span: Span) -> str:
    """A time or a span as text."""
    return text_of(span.begin) if span.begin == span.end else f"{text_of(span.begin)}/{text_of(span.end)}"
