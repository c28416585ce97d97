# SPDX-License-Identifier: Apache-2.0
"""Floating cars: the vehicles that report their road and speed, and what they say of the roads."""

from collections.abc import Sequence
from zlib import crc32

import libsumo
import numpy as np
from numpy.typing import NDArray

PROBE_SHARE = 0.2
"""Vehicles that report: one in five. An assumption, not a city's figure: taxis, buses and drivers who navigate."""

WINDOW_S = 60
"""A road's speed is that of the last minute."""

KMH_PER_MPS = 3.6

Numbers = NDArray[np.float64]


def is_probe(vehicle: str) -> bool:
    """Whether a vehicle reports; the same ones in each run of the same demand."""
    return crc32(vehicle.encode()) % 1000 < PROBE_SHARE * 1000


class FloatingCars:
    """Listens to the probes each second. A road that no probe drove on in the last minute is not known: NaN."""

    def __init__(self, roads: Sequence[str]) -> None:
        self._number = {road: number for number, road in enumerate(roads)}
        self._seconds = np.zeros((WINDOW_S, 2, len(roads)))
        self._sums = np.zeros((2, len(roads)))
        self._second = 0
        self._probes: dict[str, bool] = {}

    def listen(self) -> None:
        """Hear all probes for this second; what is a minute old is forgotten."""
        roads, speeds = self._hear()
        now = self._seconds[self._second]
        self._sums -= now
        size = len(self._number)
        now[0] = np.bincount(roads, weights=speeds, minlength=size)
        now[1] = np.bincount(roads, minlength=size)
        self._sums += now
        self._second = (self._second + 1) % WINDOW_S

    def speeds_kmh(self) -> Numbers:
        """Per road, metres driven by seconds spent, over all probes of the window (Edie's space-mean speed)."""
        metres, seconds = self._sums
        heard = seconds > 0.5
        kmh: Numbers = np.where(heard, metres / np.where(heard, seconds, 1.0), np.nan) * KMH_PER_MPS
        slowest: Numbers = np.maximum(kmh, 0.0)
        return slowest

    def counts(self) -> Numbers:
        """Per road, how many probes were on it, as the mean of the window."""
        return self._sums[1] / WINDOW_S

    def _hear(self) -> tuple[list[int], list[float]]:
        road_of, speed_of, number_of = libsumo.vehicle.getRoadID, libsumo.vehicle.getSpeed, self._number.get
        known, probes = self._probes, {}
        roads: list[int] = []
        speeds: list[float] = []
        for vehicle in libsumo.vehicle.getIDList():
            reports = known.get(vehicle)
            probes[vehicle] = reports = is_probe(vehicle) if reports is None else reports
            if reports and (number := number_of(road_of(vehicle))) is not None:
                roads.append(number)
                speeds.append(speed_of(vehicle))
        self._probes = probes
        return roads, speeds
