# SPDX-License-Identifier: Apache-2.0
"""The only reader of the clock, and the maker of ids that sort by time."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

TIMEZONE = "Asia/Shanghai"
"""The zone of a city that says none."""

Clock = Callable[[], datetime]
"""What tells the time to whoever is given it."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHANCE_BITS = 80
_newest = 0


def utc_now() -> datetime:
    """The time of day, aware, in UTC."""
    return datetime.now(UTC)


def monotonic_s() -> float:
    """Seconds that never go back; only differences mean anything."""
    return time.monotonic()


def new_id() -> str:
    """A new id of 26 letters and digits (ULID: 48 bits of milliseconds, 80 of chance).

    Ids of one process sort in the order they were made, also within a millisecond.
    """
    global _newest
    number = time.time_ns() // 1_000_000 << _CHANCE_BITS | secrets.randbits(_CHANCE_BITS)
    _newest = max(number, _newest + 1)
    return "".join(_CROCKFORD[_newest >> shift & 31] for shift in range(125, -1, -5))
