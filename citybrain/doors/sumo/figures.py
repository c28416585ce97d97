# SPDX-License-Identifier: Apache-2.0
"""What a detector reports of its tracks: how many, how fast, how full, how long the queue is, and who is in the box."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from citybrain.doors.sumo.sensors import STANDING_MPS, Zone

KMH_PER_MPS = 3.6

VEHICLE_M = 5.0
"""Length of SUMO's standard car, for occupancy and the end of the queue: radar does not measure it."""

SLOW_MPS = 5.0
"""Slower than this inside the box, a vehicle may not be out of the way before the next green. One that has just started
at 2 to 3 m/s was let be at first: it had to stop again for one that turned, and the box locked."""

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Lanes = Mapping[str, frozenset[str]]


class Watch:
    """What all detectors see, from the tracks of `zones`, which are keyed by (signal, role, lane)."""

    def __init__(self, zones: Mapping[tuple[str, str, str], Zone]) -> None:
        self._keys = tuple(zones)
        self._range_m = np.array([zone.range_m for zone in zones.values()])
        self._table = np.empty((0, 4))
        self._detector = np.empty(0, dtype=np.int64)
        self._calls = np.zeros(len(zones), dtype=np.bool_)

    def see(self, tracks: Sequence[Numbers], blind: Mask | None = None) -> None:
        """Take in the tracks of this second; at a `blind` detector somebody is taken to wait."""
        self._table = np.concatenate(tracks) if tracks else self._table
        self._detector = np.repeat(np.arange(len(tracks)), [len(one) for one in tracks])
        self._calls = np.zeros(len(self._keys), dtype=np.bool_) if blind is None else blind

    def feel(self, standing: Mask, blind: Mask) -> None:
        """Take in where somebody stands on the loop at the stop line, and which loops are silent."""
        self._calls = standing | blind

    def figures(self) -> dict[str, Numbers]:
        """One value per detector. A lane that hears nobody has no speed (NaN), and a count, occupancy and queue of 0.

        Vehicles in the box, at negative distances, do not count; one on a branch counts with its share.
        """
        near = self._table[:, 0] >= 0.0
        distance_m, speed_mps, _, share = self._table[near].T
        detector = self._detector[near]
        size = len(self._keys)
        count = np.bincount(detector, weights=share, minlength=size)
        speed_sum = np.bincount(detector, weights=share * speed_mps, minlength=size)
        standing = speed_mps < STANDING_MPS
        queue_m = np.zeros(size)
        # Tracks are sorted, nearest first: of several values for one detector the last, the farthest, stays.
        queue_m[detector[standing]] = distance_m[standing] + VEHICLE_M
        speed_kmh = np.where(count > 0, speed_sum / np.where(count > 0, count, 1.0), np.nan) * KMH_PER_MPS
        return {
            "vehicleCount": count,
            "averageVehicleSpeed": speed_kmh,
            "occupancy": np.minimum(count * VEHICLE_M / self._range_m, 1.0),
            "queueLength": queue_m,
        }

    def occupied(self) -> Lanes:
        """Per signal, the approach lanes with a slow vehicle inside the box."""
        return self._approaches(self._detector[(self._table[:, 0] < 0.0) & (self._table[:, 1] < SLOW_MPS)])

    def calling(self) -> Lanes:
        """Per signal, the approach lanes with a vehicle that waits at the stop line, or where nobody would see one."""
        waits = self._detector[(self._table[:, 0] >= 0.0) & (self._table[:, 2] > 0.0)]
        return self._approaches(np.concatenate((waits, self._calls.nonzero()[0])))

    def _approaches(self, detectors: NDArray[np.int64]) -> Lanes:
        found: dict[str, set[str]] = defaultdict(set)
        for number in set(detectors.tolist()):
            signal, role, lane = self._keys[number]
            if role == "approach":
                found[signal].add(lane)
        return {signal: frozenset(lanes) for signal, lanes in found.items()}
