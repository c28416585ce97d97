# SPDX-License-Identifier: Apache-2.0
"""What the history keeps: each attribute's policy, decided for whole columns."""

from collections.abc import Collection, Iterator
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.pool.current import LONG_AGO_US, Numbers, Objects, to_us, typed
from citybrain.kernel.pool.slots import Directory, Slots
from citybrain.kernel.records import Batch

Mask = NDArray[np.bool_]
Times = NDArray[np.int64]


class Kept(msgspec.Struct, frozen=True):
    """The part of one column that enters the history: whose, numbers of entities and attributes, and the values."""

    entities: NDArray[np.int32]
    attributes: NDArray[np.int32]
    values: Numbers | Objects


def compare(values: Numbers | Objects, last: Numbers | Objects) -> tuple[Mask, Mask]:
    """Which values changed since the last one kept, and which are not known. "Not known" equals itself."""
    if values.dtype == np.object_:
        pairs = list(zip(values.tolist(), last.tolist(), strict=True))
        return (
            np.array([value != before for value, before in pairs], np.bool_),
            np.array([value is None for value, _ in pairs], np.bool_),
        )
    numbers, before = cast(Numbers, values), cast(Numbers, last)
    unknown = np.isnan(numbers)
    return (numbers != before) & ~(unknown & np.isnan(before)), unknown


def due(changed: Mask, unknown: Mask, *, on_change: Mask, waited_us: Times, every_us: Times) -> Mask:
    """Which values to keep: at a change, or when `every` of city time has passed since the last one kept.

    "Not known" is kept once, where a known value ends. A time before the last one kept counts like one after it.
    """
    by_policy: Mask = np.where(on_change, changed, np.abs(waited_us) >= every_us)
    return by_policy & ~(unknown & ~changed)


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

    def remember(self, slots: Slots, values: Numbers | Objects, observed_us: int) -> None:
        """These values are in the history now, or will be."""
        (self._word if values.dtype == np.object_ else self._number)[slots] = values
        self._kept_us[slots] = observed_us

    def take(self, batch: Batch, evidence: Collection[str] = ()) -> Iterator[Kept]:
        """What of a batch is to be kept, column by column; once taken, it counts as kept.

        What is known of the entities in `evidence` is kept whatever the policy: something rests on it.
        """
        us = to_us(batch.observed_at)
        directory = self._directory
        for column in batch.columns:
            place = directory.known_place(column.attribute, column.entity_ids)
            if not place.kept:
                continue
            values, slots = typed(column), place.slots
            last = (self._word if values.dtype == np.object_ else self._number)[slots]
            changed, unknown = compare(values, last)
            kept = ~directory.never[slots] & due(
                changed,
                unknown,
                on_change=directory.on_change[slots],
                waited_us=us - self._kept_us[slots],
                every_us=directory.every_us[slots],
            )
            if evidence:
                cited = [directory.slot(each, column.attribute) for each in evidence]
                kept |= np.isin(slots, cited) & ~directory.never[slots] & ~unknown
            if kept.any():
                chosen = slots[kept]
                self.remember(chosen, values[kept], us)
                yield Kept(directory.entity[chosen], directory.attribute[chosen], values[kept])
