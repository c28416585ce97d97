# SPDX-License-Identifier: Apache-2.0
"""Where each series stands in memory: found once per feed, then known by the identity of its tuple."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.app import Attribute, Keep
from citybrain.kernel.errors import Invalid

T = TypeVar("T", bound=np.generic)
Slots = NDArray[np.intp]

NOTHING = 0  # the slot nobody writes: where a series that does not exist reads "not known"
PLACES_KEPT = 512


class UnknownSeries(Invalid):
    """A feed brings an attribute that no type declares, or an entity that was not registered."""


class Place(msgspec.Struct, frozen=True):
    """The slots of one column, with the tuple that names them, held so that its identity stays its own."""

    entity_ids: tuple[str, ...]
    slots: Slots
    unknown: tuple[str, ...]
    kept: bool


class Directory:
    """Gives every series a slot, with its numbers in the database and what the history keeps of it."""

    def __init__(self) -> None:
        self.size = 1
        self.entity: NDArray[np.int32] = np.zeros(1, np.int32)
        self.attribute: NDArray[np.int32] = np.zeros(1, np.int32)
        self.on_change: NDArray[np.bool_] = np.zeros(1, np.bool_)
        self.every_us: NDArray[np.int64] = np.zeros(1, np.int64)
        self.never: NDArray[np.bool_] = np.ones(1, np.bool_)
        self._slots: dict[str, dict[str, int]] = {}
        self._places: dict[tuple[str, int], Place] = {}

    def add(self, series: Iterable[tuple[str, Attribute, int, int]]) -> None:
        """Give slots to series that have none: entity, attribute, and the numbers of both in the database."""
        new: list[tuple[Attribute, int, int]] = []
        for entity_id, attribute, entity, number in series:
            slots = self._slots.setdefault(attribute.name, {})
            if entity_id not in slots:
                slots[entity_id] = self.size + len(new)
                new.append((attribute, entity, number))
        self.size += len(new)
        self.entity = _extended(self.entity, [entity for _, entity, _ in new])
        self.attribute = _extended(self.attribute, [number for _, _, number in new])
        self.on_change = _extended(self.on_change, [each.keep is Keep.CHANGE for each, _, _ in new])
        self.every_us = _extended(self.every_us, [round(each.every.total_seconds() * 1e6) for each, _, _ in new])
        self.never = _extended(self.never, [each.keep is Keep.NEVER for each, _, _ in new])
        self._places.clear()

    def slot(self, entity_id: str, attribute: str) -> int:
        """The slot of one series; `NOTHING` when there is none."""
        return self._slots.get(attribute, {}).get(entity_id, NOTHING)

    def place(self, attribute: str, entity_ids: tuple[str, ...]) -> Place:
        """The slots of a column; a series that does not exist stands at `NOTHING`."""
        key = (attribute, id(entity_ids))
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= PLACES_KEPT:
                self._places.clear()
            place = self._places[key] = self._find(attribute, entity_ids)
        return place

    def known_place(self, attribute: str, entity_ids: tuple[str, ...]) -> Place:
        """The slots of a column that is to be written; refuses series that do not exist."""
        place = self.place(attribute, entity_ids)
        if place.unknown:
            raise UnknownSeries("kernel.series_unknown", {"attribute": attribute, "entity_id": place.unknown[0]})
        return place

    def _find(self, attribute: str, entity_ids: tuple[str, ...]) -> Place:
        known = self._slots.get(attribute, {})
        slots = np.fromiter((known.get(each, NOTHING) for each in entity_ids), np.intp, len(entity_ids))
        unknown = tuple(each for each in entity_ids if each not in known)
        return Place(entity_ids, slots, unknown, not self.never[slots].all())


def _extended(column: NDArray[T], values: list[int] | list[bool]) -> NDArray[T]:
    return np.concatenate([column, np.array(values, column.dtype)])
