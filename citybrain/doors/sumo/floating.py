# SPDX-License-Identifier: Apache-2.0
"""Floating cars: the vehicles that report their road and speed, and what they say of the roads."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from zlib import crc32

import libsumo
import numpy as np
from numpy.typing import NDArray

from citybrain.doors.sumo.against import Driver
from citybrain.doors.sumo.place import Place
from citybrain.doors.sumo.quick import position_of, road_of, speed_of

PROBE_SHARE = 0.2
"""Vehicles that report: one in five. An assumption, not a city's figure: taxis, buses and drivers who navigate."""

WINDOW_S = 60
"""A road's speed is that of the last minute."""

REPORT_EVERY_S = 5
"""So often a probe says where it is; each in a second of its own. An assumption: taxis do so every 1 to 30 s."""

ACCURACY_M = 5.0
"""How far off these places are, east and north alike (standard deviation), where nobody says otherwise: GPS between
houses, not under open sky."""

KMH_PER_MPS = 3.6

Numbers = NDArray[np.float64]

NO_PROBES: Numbers = np.empty((0, 3))
NO_PLACES: Numbers = np.empty((0, 4))

PROBES = "probes"
"""Of each road a table with the place, speed and standing seconds of each probe on it."""

FLOATING_CARS = "floatingCars"
"""A table with number, longitude, latitude and accuracy of each probe that reports in this second."""


def _is_due(vehicle: str, second: int) -> bool:
    return (crc32(vehicle.encode()) + second) % REPORT_EVERY_S == 0


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
        self._is_probe = cache(is_probe)
        self._probes: list[str] = []
        self._heard: list[tuple[int, float, str]] = []

    def listen(self, vehicles: Iterable[str]) -> None:
        """Hear the probes among all vehicles on the road, for this second; what is a minute old is forgotten."""
        roads, speeds = self._hear(vehicles)
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
        kmh = np.full(len(self._number), np.nan)
        heard = seconds > 0.5
        kmh[heard] = np.maximum(metres[heard] / seconds[heard], 0.0) * KMH_PER_MPS
        return kmh

    def counts(self) -> Numbers:
        """Per road, how many probes were on it, as the mean of the window."""
        seconds: Numbers = self._sums[1]
        return seconds / WINDOW_S

    def memory(self) -> bytes:
        """The minute that was heard, oldest second first."""
        return np.roll(self._seconds, -self._second, axis=0).tobytes()

    def remember(self, memory: bytes) -> None:
        """Go on from a minute that was heard before."""
        if memory:
            self._seconds = np.frombuffer(memory).reshape(self._seconds.shape).copy()
            self._sums = self._seconds.sum(axis=0)

    def _hear(self, vehicles: Iterable[str]) -> tuple[list[int], list[float]]:
        self._probes = [one for one in vehicles if self._is_probe(one)]
        heard = [(self._number.get(road_of(one), -1), speed_of(one), one) for one in self._probes]
        self._heard = [each for each in heard if each[0] >= 0]
        return [road for road, _, _ in self._heard], [speed for _, speed, _ in self._heard]

    def probes(self, standing_s: Mapping[str, float]) -> tuple[Numbers, ...]:
        """Per road, those heard last: metres from its begin, m/s, and for how many seconds each has stood. They match
        themselves to the road, as navigation does; who they are is not told."""
        found: dict[int, list[tuple[float, float, float]]] = {}
        for road, speed, one in self._heard:
            found.setdefault(road, []).append((round(position_of(one), 1), speed, standing_s.get(one, 0.0)))
        return tuple(np.array(found[road]) if road in found else NO_PROBES for road in range(len(self._number)))

    def places(self, others: Iterable[Driver], place: Place, now_s: float, *, accuracy_m: float, seed: int) -> Numbers:
        """What those heard last, and others who report, say of where they are; errors are new with each."""
        second = round(now_s)
        saying = [one for one in self._probes if _is_due(one, second)]
        beside = [one for one in others if _is_due(one.name, second)]
        if not saying and not beside:
            return NO_PLACES
        points = [libsumo.vehicle.getPosition(one) for one in saying] + [one.at for one in beside]
        error_m = np.random.default_rng([seed, second]).normal(0.0, accuracy_m, (len(points), 2))
        numbers = np.array([crc32(name.encode()) for name in (*saying, *(one.name for one in beside))], np.float64)
        lonlat = place.lonlat(np.array(points) + error_m)
        return np.column_stack((numbers, lonlat, np.full(len(points), accuracy_m)))
