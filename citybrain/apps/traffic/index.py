# SPDX-License-Identifier: Apache-2.0
"""Congestion indices: how long the roads take against how long they would take when free."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from citybrain.kernel.app import Values
from citybrain.kernel.records import Batch, Column, Entity, Facts

Numbers = NDArray[np.float64]
_Meeting = tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]

# GB/T 33171-2016, level of a road segment by V/Vf: 1 畅通 above 70 %, 2 基本畅通 to 50, 3 轻度 to 40, 4 中度 to 30,
# 5 严重 at or below 30. A share exactly on a limit belongs to the worse level.
LEVEL_LIMITS = (0.30, 0.40, 0.50, 0.70)
NO_DATA = 0
MODERATE = 4
SEVERE = 5

# GB/T 33171-2016 appendix C: the band limits. Straight lines between them are our convention: one source credits them
# to the appendix, another to itself. The last band ends at DTP = 1, where all time is delay.
DTP_LIMITS = (0.0, 0.3, 0.5, 0.6, 0.7, 1.0)
TPI_LIMITS = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0)

# Our floor, so that a road that stands has a long travel time and not an infinite one: slower than any walk.
SLOWEST_KMH = 1.0


NO_TRACKS: Numbers = np.empty((0, 4))


class Places:
    """Entities of one type in a fixed order, and how the columns of a batch fall on them."""

    def __init__(self, entities: Sequence[Entity], type_name: str) -> None:
        self.entities = tuple(one for one in entities if one.type == type_name)
        self._place_of = {one.id: place for place, one in enumerate(self.entities)}
        self._known: dict[tuple[str, tuple[str, ...], int], _Meeting] = {}

    def facts(self, attribute: str) -> Numbers:
        """A numeric attribute of each entity; NaN where it has none."""
        return np.array([float(one.attributes.get(attribute, np.nan)) for one in self.entities])

    def observed(self, batch: Batch, attribute: str) -> Numbers:
        """The observed values in the order of the places; NaN where the batch says nothing."""
        values = np.full(len(self.entities), np.nan)
        for column in batch.columns:
            if column.attribute == attribute:
                places, rows = self._meet(column)
                if len(places):
                    values[places] = np.asarray(column.values, float)[rows]
        return values

    def tracks(self, batch: Batch, attribute: str = "tracks") -> tuple[list[Numbers], NDArray[np.bool_]]:
        """The tracks at each place, none where there are none, and whether the batch speaks of the place at all."""
        found = [NO_TRACKS] * len(self.entities)
        seen = np.zeros(len(self.entities), dtype=np.bool_)
        for column in batch.columns:
            if column.attribute == attribute:
                places, rows = self._meet(column)
                seen[places] = True
                for place, row in zip(places.tolist(), rows.tolist(), strict=True):
                    found[place] = column.values[row]
        return found, seen

    def _meet(self, column: Column) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places and rows that belong together; found once for the ids that a feed passes again and again."""
        ids = column.entity_ids
        key = (column.attribute, ids[:1], len(ids))
        known = self._known.get(key)
        if known is None or (known[0] is not ids and known[0] != ids):
            pairs = [(self._place_of[one], row) for row, one in enumerate(ids) if one in self._place_of]
            both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
            known = self._known[key] = (ids, both[:, 0], both[:, 1])
        return known[1], known[2]


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """What a network's roads took together. Times are in vehicle-seconds per second; `level_share[n - 1]` is level n.

    `covered` is the share of the length that had data; the shares per level are of that part.
    """

    travel_s: float
    free_s: float
    delay_index: float
    dtp: float
    tpi: float
    level_share: tuple[float, float, float, float, float]
    congested_share: float
    covered: float
    roads: int


def speed_shares(speed_kmh: ArrayLike, free_kmh: ArrayLike) -> Numbers:
    """V / Vf of each road; NaN where the speed or the free speed is not known."""
    free_kmh = np.asarray(free_kmh, float)
    known_kmh = np.where(free_kmh > 0, free_kmh, np.nan)
    return np.asarray(np.asarray(speed_kmh, float) / known_kmh, float)


def levels(speed_kmh: ArrayLike, free_kmh: ArrayLike) -> NDArray[np.int64]:
    """Level of each road, 1 (smooth) to 5 (severe); 0 where there is no data."""
    share = speed_shares(speed_kmh, free_kmh)
    found = SEVERE - np.searchsorted(LEVEL_LIMITS, share, side="left")
    return np.where(np.isfinite(share), found, NO_DATA).astype(np.int64)


def delay_time_proportion(delay_index: ArrayLike) -> Numbers:
    """DTP = (T - Tf) / T (GB/T 33171-2016, 7.2.2.2), from T / Tf."""
    return 1.0 - 1.0 / np.asarray(delay_index, float)


def performance_index(dtp: ArrayLike) -> Numbers:
    """TPI from DTP, 0 (smooth) to 10 (severe); NaN stays NaN."""
    return np.asarray(np.interp(np.asarray(dtp, float), DTP_LIMITS, TPI_LIMITS), float)


def level_shares(level: ArrayLike, length_m: ArrayLike) -> Numbers:
    """运行状况等级里程比例: share of the length with data that is on each level, 1 to 5. NaN when nothing has data."""
    level, length_m = np.asarray(level), np.asarray(length_m, float)
    lengths = np.array([length_m[level == one].sum() for one in range(1, SEVERE + 1)])
    return lengths / lengths.sum() if lengths.sum() > 0 else np.full(SEVERE, np.nan)


def network(*, length_m: ArrayLike, free_kmh: ArrayLike, speed_kmh: ArrayLike, vehicles: ArrayLike) -> Network:
    """The indices of a network now. Roads without speed or without vehicles count for nothing, not for free flow.

    T / Tf is weighted by vehicle-kilometres (length times flow). Flow is not observed but follows from density and
    speed, so a road with n vehicles at V contributes n to T and n V / Vf to Tf: each vehicle spends a second, and goes
    as far as it would go at free flow in V / Vf seconds. Weighting by length times vehicles present would count a jam
    twice, once for its time and once for its density. Faster than free counts as free, so T / Tf is never below 1.
    """
    length_m, free_kmh = np.asarray(length_m, float), np.asarray(free_kmh, float)
    speed_kmh, vehicles = np.asarray(speed_kmh, float), np.asarray(vehicles, float)
    speed_share = np.minimum(speed_shares(np.maximum(speed_kmh, SLOWEST_KMH), free_kmh), 1.0)
    seen = np.isfinite(speed_share) & (vehicles > 0)
    travel_s = float(vehicles[seen].sum())
    free_s = float((vehicles * speed_share)[seen].sum())
    delay_index = travel_s / free_s if free_s > 0 else float("nan")
    dtp = float(delay_time_proportion(delay_index))
    shares = level_shares(levels(np.where(seen, speed_kmh, np.nan), free_kmh), length_m)
    return Network(
        travel_s=travel_s,
        free_s=free_s,
        delay_index=delay_index,
        dtp=dtp,
        tpi=float(performance_index(dtp)),
        level_share=(float(shares[0]), float(shares[1]), float(shares[2]), float(shares[3]), float(shares[4])),
        congested_share=float(shares[MODERATE - 1 :].sum()),
        covered=float(length_m[seen].sum() / length_m.sum()) if length_m.sum() > 0 else 0.0,
        roads=int(seen.sum()),
    )


class RoadLevels:
    """What screens draw of the indices: the level of each road, in the order of the entities."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        roads = Places(entities, "RoadSegment")
        self._ids = tuple(road.id for road in roads.entities)
        self._free_kmh = roads.facts("maximumAllowedSpeed")

    def __call__(self, values: Values) -> Facts:
        """`road_levels`, 1 (smooth) to 5 (severe), 0 without data."""
        speed_kmh = [np.nan if one is None else float(one) for one in values("averageVehicleSpeed", self._ids)]
        return {"road_levels": levels(speed_kmh, self._free_kmh).tolist()}
