# SPDX-License-Identifier: Apache-2.0
"""How often something may be tried from one place or for one name. Kept in memory: locks that matter are durable."""

from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

from citybrain.kernel.errors import Forbidden

REMEMBERED = 50_000


class TooOften(Forbidden):
    """Tried too often; `until` says when it may be tried again."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """So many times within so long a time."""

    times: int
    within: timedelta


# OWASP ASVS 5.0 6.3.1 asks for limits against guessing and stuffing; an office behind one address signs in at eight.
SIGN_IN_BY_ADDRESS = Limit(times=60, within=timedelta(minutes=5))
CODES_BY_ADDRESS = Limit(times=20, within=timedelta(hours=1))
CODES_BY_CONTACT = Limit(times=5, within=timedelta(hours=1))
CODES_AT_ONCE = Limit(times=1, within=timedelta(seconds=30))


class Limits:
    """Counts by key; the least recently used keys are forgotten first."""

    def __init__(self) -> None:
        self._counts: OrderedDict[tuple[str, Limit], tuple[datetime, int]] = OrderedDict()

    def count(self, key: str, limit: Limit, now: datetime) -> None:
        """Count one try; refuses `TooOften` when there were too many within the limit's time."""
        place = (key, limit)
        began_at, times = self._counts.get(place, (now, 0))
        if now - began_at >= limit.within:
            began_at, times = now, 0
        self._counts[place] = (began_at, times + 1)
        self._counts.move_to_end(place)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        if times >= limit.times:
            raise TooOften("kernel.too_often", {"until": began_at + limit.within})
