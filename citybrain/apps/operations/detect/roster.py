# SPDX-License-Identifier: Apache-2.0
"""Things in numbered lanes, with the newest value of each attribute: what rules compute on, all things at once."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.records import Batch, Column, Entity

Numbers = NDArray[np.float64]
Lanes = NDArray[np.intp]

NO_LANES: Lanes = np.empty(0, np.intp)
FEWEST_LANES = 16
CACHED = 16


class Roster:
    """The things of some types. It grows as doors bring things in; a lane is never given away twice. `known` are the
    lanes of all things that are there."""

    def __init__(self, types: Collection[str], attributes: Sequence[str]) -> None:
        self._types = frozenset(types)
        self.entities: list[Entity] = []
        self.size = FEWEST_LANES
        self.values: dict[str, Numbers] = {name: np.full(self.size, np.nan) for name in attributes}
        self.known: Lanes = NO_LANES
        self._lane_of: dict[str, int] = {}
        self._places: dict[int, tuple[tuple[str, ...], Lanes, Lanes]] = {}

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> tuple[Lanes, Lanes]:
        """Take things in; answers with the lanes of those that are new or known otherwise, and of those gone."""
        lost = [self._lane_of.pop(id) for id in gone if id in self._lane_of]
        met: list[int] = []
        for entity in entities:
            if entity.type in self._types:
                lane = self._lane_of.setdefault(entity.id, len(self.entities))
                if lane == len(self.entities):
                    self.entities.append(entity)
                self.entities[lane] = entity
                met.append(lane)
        while len(self.entities) > self.size:
            self.size *= 2
        self.values = {name: grown(values, self.size, np.nan) for name, values in self.values.items()}
        if met or lost:
            self._places.clear()
            self.known = np.array(sorted(self._lane_of.values()), np.intp)
        return np.array(met, np.intp), np.array(lost, np.intp)

    def take(self, batch: Batch) -> dict[str, Lanes]:
        """Keep the values of a batch; answers with the lanes that have a new one, by attribute."""
        found: dict[str, Lanes] = {}
        for column in batch.columns:
            kept = self.values.get(column.attribute)
            if kept is None:
                continue
            lanes, places = self._find(column)
            if len(lanes):
                kept[lanes] = np.asarray(column.values, np.float64)[places]
                lanes = lanes[np.isfinite(kept[lanes])]
                found[column.attribute] = np.union1d(found.get(column.attribute, NO_LANES), lanes)
        return found

    def _find(self, column: Column) -> tuple[Lanes, Lanes]:
        """Our lanes and where the column has them; a feed passes the same tuple each time."""
        ids = column.entity_ids
        known = self._places.get(id(ids))
        if known is None or known[0] is not ids:
            pairs = [(self._lane_of[each], place) for place, each in enumerate(ids) if each in self._lane_of]
            lanes, places = np.array(pairs, np.intp).reshape(-1, 2).T
            if len(self._places) >= CACHED:
                self._places.clear()
            known = self._places[id(ids)] = (ids, lanes, places)
        return known[1], known[2]


def union(found: Collection[Lanes]) -> Lanes:
    """All lanes of several sets, each once."""
    return np.unique(np.concatenate(list(found))).astype(np.intp) if found else NO_LANES


def grown(values: Numbers, size: int, fill: float) -> Numbers:
    """An array that has room for `size` lanes in its first dimension; new ones hold `fill`."""
    if len(values) >= size:
        return values
    more = np.full((size - len(values), *values.shape[1:]), fill, values.dtype)
    return np.concatenate([values, more])


def number(entity: Entity, name: str) -> float:
    """A fact of a thing that is a number above zero; NaN when it says none."""
    value = entity.attributes.get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else float("nan")
