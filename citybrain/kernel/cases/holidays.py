# SPDX-License-Identifier: Apache-2.0
"""Warns while there is still time when the holidays of the coming year are not known. Pure."""

from datetime import datetime, timedelta

from citybrain.kernel.cases.worktime import is_known
from citybrain.kernel.records import Because, Event, Severity

KIND = "kernel.holidays_missing"
WARN_BEFORE = timedelta(days=31)


def missing_year(now: datetime) -> int | None:
    """The year whose holidays are not known although it has begun or begins within a month; None when all is well."""
    return next((year for year in (now.year, (now + WARN_BEFORE).year) if not is_known(year)), None)


def holidays_event(now: datetime) -> Event | None:
    """The event that says so: one per year, however often it is told."""
    year = missing_year(now)
    if year is None:
        return None
    begins = datetime(year, 1, 1, tzinfo=now.tzinfo)
    return Event(
        id=f"holidays-{year}",
        kind=KIND,
        severity=Severity.III if begins <= now else Severity.IV,
        at=begins - WARN_BEFORE,
        entity_id="city",
        because=Because(code=KIND, facts={"year": year}),
    )
