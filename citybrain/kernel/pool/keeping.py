# SPDX-License-Identifier: Apache-2.0
"""What the history keeps: each attribute's policy, decided for whole columns."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.pool.current import LONG_AGO_US, Numbers, Objects, to_us, typed
from citybrain.kernel.pool.slots import Directory, Slots
from citybrain.kernel.records import Batch

Mask = NDArray[np.bool_]


class Kept(msgspec.Struct, frozen=True):
    """The part of one column that enters the history: numbers of series, and numbers or words."""

    series_ids: NDArray[np.int32]
    values: Numbers | Objects


def numbers_due(values: Numbers, last: Numbers, *, on_change: Mask, waited_us: NDArray[np.int64], every_us: NDArray[np.int64]) -> Mask:  # fmt: skip
    """Which numbers to keep: at a change, or when `every` of city time has passed since the last one kept.

    "Not known" is kept once, where a known value ends; a time before the last one kept counts like one after.
    """
    unknown_still = np.isnan(values) & np.isnan(last)
    due: Mask = np.where(on_change, values != last, np.abs(waited_us) >= every_us) & ~unknown_still
    return due


def words_due(values: Objects, last: Objects, *, on_change: Mask, waited_us: NDArray[np.int64], every_us: NDArray[np.int64]) -> Mask:  # fmt: skip
    """Which words to keep, by the same rules; None is "not known"."""
    unknown = np.array([value is None for value in values], np.bool_)
    changed = np.array([value != before for value, before in zip(values, last, strict=True)], np.bool_)
    due: Mask = np.where(on_change, changed, np.abs(waited_us) >= every_us) & ~(unknown & ~changed)
    return due


class Keeping:
    """Remembers what was kept last of every series, and decides what of a batch is kept next."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._number = np.full(1, np.nan)
        self._word: Objects = np.full(1, None, np.object_)
        self._kept_us = np.full(1, LONG_AGO_US, np.int64)

    def grow(self, size: int) -> None:
        """Make room for `size` slots."""
        more = size - len(self._number)
        self._number = np.concatenate([self._number, np.full(more, np.nan)])
        self._word = np.concatenate([self._word, np.full(more, None, np.object_)])
        self._kept_us = np.concatenate([self._kept_us, np.full(more, LONG_AGO_US, np.int64)])

    def remember(self, slots: Slots, values: Numbers | Objects, observed_us: int | NDArray[np.int64]) -> None:
        """These values are in the history now, or will be."""
        (self._word if values.dtype == np.object_ else self._number)[slots] = values
        self._kept_us[slots] = observed_us

    def take(self, batch: Batch) -> Iterator[Kept]:
        """What of a batch is to be kept, column by column; once taken, it counts as kept."""
        us = to_us(batch.observed_at)
        directory = self._directory
        for column in batch.columns:
            place = directory.known_place(column.attribute, column.entity_ids)
            if not place.kept:
                continue
            values, slots = typed(column), place.slots
            words = values.dtype == np.object_
            rule = words_due if words else numbers_due
            due = rule(
                values,
                (self._word if words else self._number)[slots],
                on_change=directory.on_change[slots],
                waited_us=us - self._kept_us[slots],
                every_us=directory.every_us[slots],
            )
            due &= ~directory.never[slots]
            if due.any():
                self.remember(slots[due], values[due], us)
                yield Kept(directory.series_id[slots[due]], values[due])
