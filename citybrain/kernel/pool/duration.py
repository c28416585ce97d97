# SPDX-License-Identifier: Apache-2.0
"""Lengths of time as ISO 8601 writes them, months and all, and the periods they make (CIM 009 clause 4.5.19)."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from citybrain.kernel.errors import Invalid

_FORM = re.compile(
    r"P(?!$)(?:(?P<years>\d{1,6})Y)?(?:(?P<months>\d{1,6})M)?(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:[.,]\d{1,6})?)S)?)?"
)
MONTHS_A_YEAR = 12


class BadDuration(Invalid):
    """The text is not a duration of ISO 8601."""


class Duration(msgspec.Struct, frozen=True, kw_only=True):
    """So many calendar months and so much exact time. Nothing at all (`PT0S`) stands for "the whole time"."""

    months: int = 0
    exact: timedelta = timedelta()

    @property
    def whole(self) -> bool:
        """Whether it stands for the whole time at once."""
        return not self.months and not self.exact

    def after(self, start: datetime, times: int) -> datetime:
        """The time that lies `times` durations after `start`; a day that a month does not have is its last one."""
        return _months_after(start, self.months * times) + self.exact * times

    def periods(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The beginnings of the periods that follow each other from `start` on, up to the first that is past `end`."""
        times = 0
        while True:
            at = self.after(start, times)
            yield at
            if at > end or self.whole:
                return
            times += 1


def read_duration(text: str) -> Duration:
    """Read `P1D`, `PT1H30M`, `P3M` …; refuses what is none."""
    found = _FORM.fullmatch(text)
    if not found:
        raise BadDuration("kernel.duration_bad", {"given": text})
    part = {name: value or "0" for name, value in found.groupdict().items()}
    return Duration(
        months=int(part["years"]) * MONTHS_A_YEAR + int(part["months"]),
        exact=timedelta(
            weeks=int(part["weeks"]),
            days=int(part["days"]),
            hours=int(part["hours"]),
            minutes=int(part["minutes"]),
            seconds=float(part["seconds"].replace(",", ".")),
        ),
    )


def _months_after(start: datetime, months: int) -> datetime:
    if not months:
        return start
    month = start.month - 1 + months
    year = start.year + month // MONTHS_A_YEAR
    month = month % MONTHS_A_YEAR + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
