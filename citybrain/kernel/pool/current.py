# SPDX-License-Identifier: Apache-2.0
"""What the city is now: the newest value of every series, in columns."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.pool.slots import NOTHING, Slots
from citybrain.kernel.records import Column, Json

Objects = NDArray[np.object_]
Numbers = NDArray[np.float64]

LONG_AGO_US = np.iinfo(np.int64).min // 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


class Seen(msgspec.Struct, frozen=True):
    """The batch a value came in."""

    batch_id: str
    observed_at: datetime
    received_at: datetime


def typed(column: Column) -> Numbers | Objects:
    """A column's values as numbers, or as objects when they are words or tracks."""
    values: Any = column.values
    if isinstance(values, np.ndarray) and values.dtype != np.object_:
        return values.astype(np.float64, copy=False)
    first = next((value for value in values if value is not None), None)
    if isinstance(first, (int, float, np.number)):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.fromiter(values, np.object_, len(values))


class Current:
    """Columns by slot. A series holds numbers or words; a value that is not known is NaN or None."""

    def __init__(self) -> None:
        self._number = np.full(1, np.nan)
        self._word: Objects = np.full(1, None, np.object_)
        self._seen: Objects = np.full(1, None, np.object_)
        self._observed_us = np.full(1, LONG_AGO_US, np.int64)

    def grow(self, size: int) -> None:
        """Make room for `size` slots."""
        more = size - len(self._number)
        self._number = np.concatenate([self._number, np.full(more, np.nan)])
        self._word = np.concatenate([self._word, np.full(more, None, np.object_)])
        self._seen = np.concatenate([self._seen, np.full(more, None, np.object_)])
        self._observed_us = np.concatenate([self._observed_us, np.full(more, LONG_AGO_US, np.int64)])

    def put(self, slots: Slots, values: Numbers | Objects, seen: Seen) -> None:
        """Take in newer values; what is older than the value held is left out."""
        us = to_us(seen.observed_at)
        late = self._observed_us[slots] > us
        if late.any():
            slots, values = slots[~late], values[~late]
        (self._word if values.dtype == np.object_ else self._number)[slots] = values
        self._seen[slots] = seen
        self._observed_us[slots] = us

    def values(self, slots: Slots) -> Sequence[Json]:
        """Values as they are; None where not known."""
        numbers, words = self._number[slots].tolist(), self._word[slots].tolist()
        return [
            word if word is not None else None if number != number else number
            for number, word in zip(numbers, words, strict=True)
        ]

    def value(self, slot: int) -> tuple[Json, Seen] | None:
        """One value with its batch; None when nothing was ever seen."""
        seen = self._seen[slot]
        if slot == NOTHING or seen is None:
            return None
        return self.values(np.array([slot]))[0], seen
