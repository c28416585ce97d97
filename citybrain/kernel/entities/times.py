# SPDX-License-Identifier: Apache-2.0
"""Times of documents: text in ISO 8601 outside, whole microseconds since 1970 where they are compared."""

from datetime import UTC, datetime, timedelta

from citybrain.kernel.entities.moments import date_time_key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def text_of(at: datetime) -> str:
    """A time as documents hold it: UTC, ending in `Z`, without trailing zeros of a fraction."""
    text = (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat()[:-6]  # without its +00:00
    return f"{text.rstrip('0') if '.' in text else text}Z"


def us_of(text: str) -> int:
    """Microseconds since 1970 of a document's text; parts of a microsecond are cut off, a leap second is the next one.

    Refuses what is no date-time (`ValueError`): documents hold none.
    """
    try:
        return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND
    except ValueError:
        key = date_time_key(text)
        if key is None:
            raise
        return key


def to_us(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - EPOCH) // MICROSECOND


def from_us(us: int) -> datetime:
    """The time that many microseconds after 1970."""
    return EPOCH + us * MICROSECOND
