# SPDX-License-Identifier: Apache-2.0
"""Induction loops: how many passed in this second, and for which part of it somebody was over the loop."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from citybrain.doors.sumo.sensors import Rows, Zone

LOOP_M = 2.0
"""Length of a loop along the lane (FHWA Traffic Detector Handbook 2006: 6 ft)."""

VEHICLE_M = 5.0
"""Length of SUMO's standard car."""

STANDS_ON = 0.99
"""Over the loop for the whole second."""

Numbers = NDArray[np.float64]


class Loops:
    """The loops of all zones, first those at the stop line (or in the exit), then those before it.

    A vehicle goes as far in a second as its speed at the end of it says (SUMO's Euler steps), so where it was a second
    ago and its speed now tell when it came onto the loop and when it left it, also where it has left the zone by now.
    """

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._count = len(zones)
        self._sign = np.array([1.0 if zone.role == "approach" else -1.0 for zone in zones])
        # An exit has one loop only; the second one is nowhere.
        self._loops_m = np.array([[*zone.loops_m, np.nan, np.nan][:2] for zone in zones]).reshape(-1, 2)
        self._before: Rows | None = None

    def read(self, rows: Rows, speeds_mps: Mapping[str, float]) -> dict[str, Numbers]:
        """The figures of this second per zone; NaN where there is no such loop."""
        before, self._before = self._before, rows
        figures = {}
        for at, (count, occupancy) in enumerate(FIGURES):
            passed, over = self._loop(at, before, speeds_mps)
            missing = np.isnan(self._loops_m[:, at])
            figures[count] = np.where(missing, np.nan, passed)
            figures[occupancy] = np.where(missing, np.nan, np.minimum(over, 1.0))
        return figures

    def _loop(self, at: int, before: Rows | None, speeds_mps: Mapping[str, float]) -> tuple[Numbers, Numbers]:
        if before is None:
            return np.zeros(self._count), np.zeros(self._count)
        moved_m = np.array([speeds_mps.get(name, np.nan) for name in before.names])[before.vehicle]
        zone = before.zone
        to_go_m = self._sign[zone] * (before.distance_m - self._loops_m[zone, at])
        # A vehicle that has gone from the street, and a loop that is not there, compare as false.
        passes = (to_go_m > 0.0) & (to_go_m <= moved_m)
        with np.errstate(divide="ignore", invalid="ignore"):
            comes_s, goes_s = to_go_m / moved_m, (to_go_m + LOOP_M + VEHICLE_M) / moved_m
        moving_s = np.clip(np.minimum(goes_s, 1.0) - np.maximum(comes_s, 0.0), 0.0, 1.0)
        stands = (to_go_m <= 0.0) & (to_go_m + LOOP_M + VEHICLE_M >= 0.0)
        over_s = np.where(moved_m > 0.0, moving_s, np.where(moved_m == 0.0, stands, 0.0))
        weight = before.share
        passed = np.bincount(zone[passes], weights=weight[passes], minlength=self._count)
        over = np.bincount(zone, weights=np.nan_to_num(over_s) * weight, minlength=self._count)
        return passed.astype(np.float64), over.astype(np.float64)


FIGURES = (("vehicleCount", "occupancy"), ("advanceCount", "advanceOccupancy"))
"""Columns of the loop at the stop line or in the exit, and of the advance loop."""


def standing(figures: Mapping[str, Numbers]) -> NDArray[np.bool_]:
    """The zones in which somebody stands at the stop line."""
    return figures["occupancy"] >= STANDS_ON
