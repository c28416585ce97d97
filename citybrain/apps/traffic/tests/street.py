# SPDX-License-Identifier: Apache-2.0
"""A crossing of two one-way streets for tests of sensors: vehicles come by chance, wait at red, pass, and leave."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np

from citybrain.apps.traffic.index import Numbers
from citybrain.apps.traffic.model import DETECTOR, SIGNAL
from citybrain.kernel.records import Batch, Column, Entity

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

WAYS = (("north", "south"), ("east", "west"))
SPEED_MPS = 10.0
BOX_M = 20.0
REACH_M = {"approach": 150.0, "exit": 60.0}
CYCLE_S = 60
STOP_LOOP_M, ADVANCE_LOOP_M, EXIT_LOOP_M = 2.0, 50.0, 25.0
LENGTH_M, LOOP_M = 5.0, 2.0

Columns = dict[str, dict[str, Any]]


def _watches(role: str, lane: str) -> list[list[object]]:
    """Its own lane and the way through the box, which both detectors at its ends watch."""
    box = next(f":{way[0]}" for way in WAYS if lane in way)
    if role == "approach":
        return [[f"{lane}_0", 200.0, -1.0, 1.0], [box, 0.0, -1.0, 1.0]]
    return [[f"{lane}_0", 0.0, 1.0, 1.0], [box, -BOX_M, 1.0, 1.0]]


def detector(role: str, lane: str) -> Entity:
    facts = {
        "controller": "cross",
        "role": role,
        "lane": f"{lane}_0",
        "length_m": 200.0,
        "speed_limit_mps": 13.9,
        "loops_m": [STOP_LOOP_M, ADVANCE_LOOP_M] if role == "approach" else [EXIT_LOOP_M],
        "coverage_m": REACH_M[role],
        "watches": _watches(role, lane),
    }
    return Entity(id=lane, type=DETECTOR, source="test", observed_at=NOON, attributes=facts)


LINKS = [
    {"index": at, "approach": f"{into}_0", "exit": f"{out}_0", "via": "", "crosses": []}
    for at, (into, out) in enumerate(WAYS)
]
CROSS = Entity(
    id="cross",
    type=SIGNAL,
    source="test",
    observed_at=NOON,
    attributes={
        "links": LINKS,
        "stages": ["Gr", "rG"],
        "min_green_s": [5.0, 5.0],
        "yellow_s": 3.0,
        "all_red_s": 0.0,
        "plan": [{"state": "Gr", "duration_s": 27.0}, {"state": "rG", "duration_s": 27.0}],
    },
)
CITY = [CROSS, *(detector(role, lane) for way in WAYS for role, lane in zip(("approach", "exit"), way, strict=True))]


class Street:
    """One second after the other. Positions are metres past the stop line: -150 where a vehicle comes into sight."""

    def __init__(self, *, seed: int, every_s: Mapping[str, float]) -> None:
        self._chance = Random(seed)
        self._every_s = every_s
        self.second = 0
        self.at: dict[str, list[list[float]]] = {into: [] for into, _ in WAYS}

    @property
    def lamps(self) -> str:
        turn = self.second % CYCLE_S
        return "Gr" if turn < 27 else "yr" if turn < 30 else "rG" if turn < 57 else "ry"

    def step(self, *, by_loops: bool = False) -> Columns:
        """What the detectors say of the next second."""
        self.second += 1
        before = {into: [list(one) for one in vehicles] for into, vehicles in self.at.items()}
        for at, (into, _) in enumerate(WAYS):
            self._move(into, is_green=self.lamps[at] == "G")
        return self._loops(before) if by_loops else self._tracks()

    def _move(self, into: str, *, is_green: bool) -> None:
        ahead_m = np.inf
        for one in self.at[into]:
            stop_m = np.inf if is_green or one[0] > -0.5 else -1.0
            free_m = min(SPEED_MPS, stop_m - one[0], ahead_m - 7.5 - one[0])
            one[1] = max(free_m, 0.0)
            one[0] += one[1]
            one[2] = one[2] + 1.0 if one[1] < 0.1 else 0.0
            ahead_m = one[0]
        self.at[into] = [one for one in self.at[into] if one[0] < BOX_M + 100.0]
        last_m = self.at[into][-1][0] if self.at[into] else np.inf
        if self._chance.random() < 1.0 / self._every_s[into] and last_m > -140.0:
            self.at[into].append([-149.0, SPEED_MPS, 0.0])

    def _tracks(self) -> Columns:
        tracks: dict[str, Numbers] = {}
        for into, out in WAYS:
            seen = [[-at, speed, waited, 1.0] for at, speed, waited in self.at[into] if at < BOX_M]
            gone = [[at - BOX_M, speed, waited, 1.0] for at, speed, waited in self.at[into] if 0.0 < at < BOX_M + 60.0]
            tracks[into] = np.array(sorted(seen)).reshape(-1, 4)
            tracks[out] = np.array(sorted(gone)).reshape(-1, 4)
        counts = {name: float((one[:, 0] >= 0).sum()) for name, one in tracks.items()}
        return {"tracks": dict(tracks), "vehicleCount": counts}

    def _loops(self, before: Mapping[str, list[list[float]]]) -> Columns:
        found: Columns = {name: {} for name in ("vehicleCount", "occupancy", "advanceCount", "advanceOccupancy")}
        for into, out in WAYS:
            moves = [(was[0], now[0]) for was, now in zip(before[into], self.at[into], strict=False)]
            loops = ((into, -STOP_LOOP_M, ""), (into, -ADVANCE_LOOP_M, "advance"), (out, BOX_M + EXIT_LOOP_M, ""))
            for lane, loop_m, which in loops:
                count = sum(was < loop_m <= now for was, now in moves)
                over = sum(_over_s(was - loop_m, now - loop_m) for was, now in moves)
                found["advanceCount" if which else "vehicleCount"][lane] = float(count)
                found["advanceOccupancy" if which else "occupancy"][lane] = min(over, 1.0)
            found["advanceCount"][out] = found["advanceOccupancy"][out] = float("nan")
        return found


def _over_s(was_m: float, is_m: float) -> float:
    """The part of a second for which a vehicle is over a loop at 0."""
    if was_m == is_m:
        return float(0.0 <= is_m <= LENGTH_M + LOOP_M)
    moved_m = is_m - was_m
    comes, goes = -was_m / moved_m, (LENGTH_M + LOOP_M - was_m) / moved_m
    return max(0.0, min(goes, 1.0) - max(comes, 0.0))


def batch(street: Street, columns: Columns) -> Batch:
    """The columns as a feed sends them."""
    at = NOON + timedelta(seconds=street.second)
    made = [Column(attribute="signalState", entity_ids=("cross",), values=(street.lamps,))]
    for name, values in columns.items():
        cells = tuple(values.values())
        rows = cells if name == "tracks" else np.array(cells, dtype=float)
        made.append(Column(attribute=name, entity_ids=tuple(values), values=rows))
    return Batch(id=f"b{street.second}", source="test", observed_at=at, received_at=at, columns=tuple(made))
