# SPDX-License-Identifier: Apache-2.0
"""The eyes at a signal: wide-area radar or video per approach lane, per exit lane and over the junction box."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import libsumo
import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.doors.sumo.cabinet import SignalPlan
from citybrain.doors.sumo.plans import inside
from citybrain.doors.sumo.quick import lane_of, position_of, speed_of
from citybrain.kernel.records import Json

APPROACH_RANGE_M = 150.0
"""Reach of wide-area radar at the stop line: makers state 180 to 275 m for vehicles; less, for trees and bends."""

EXIT_RANGE_M = 60.0
"""The same device seen from behind: the first 60 m past the junction."""

STOP_LOOP_M = 2.0
"""Where the loop at the stop line lies: so near that the first vehicle of a queue stands on it."""

ADVANCE_LOOP_M = 50.0
"""Where the advance loop lies: 50 m are 3.6 s at 50 km/h, a gap-out time (HCM 6, chapter 31: 40 to 60 m)."""

EXIT_LOOP_M = 25.0
"""Where the loop in an exit lies: a queue that reaches it leaves room for two vehicles."""

LOOP_REACH = 0.8
"""On a lane that is watched for less than that, a loop lies at this share of what is watched."""

LEAST_SHARE = 0.2
"""A lane upstream that feeds this lane with less than a fifth of its branches tells nothing about it."""

STANDING_MPS = 0.1
"""Below this a track stands (SUMO's own threshold for waiting)."""

TRACK_COLUMNS = ("distance_m", "speed_mps", "waiting_s", "share")
"""Distance to the stop line (approach) or from the exit's start (exit); below 0 inside the junction box."""

Tracks = NDArray[np.float64]


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """What one detector watches: its lane and range; `cells` are stretches (lane, metres, sign, share).

    The distance of a vehicle at `pos` on a cell's lane is `metres + sign * pos`. `loops_m` are the distances of the
    induction loops: at the stop line and before it, or one in an exit. `coverage_m` is the length that is really
    watched: less than the range where a signal or the end of a road is near.
    """

    role: str
    lane: str
    range_m: float
    length_m: float
    speed_limit_mps: float
    cells: tuple[tuple[str, float, float, float], ...]
    loops_m: tuple[float, ...] = ()
    coverage_m: float = 0.0

    def as_attributes(self) -> dict[str, Json]:
        return {
            "role": self.role,
            "lane": self.lane,
            "range_m": self.range_m,
            "length_m": self.length_m,
            "speed_limit_mps": self.speed_limit_mps,
            "loops_m": list(self.loops_m),
            "coverage_m": self.coverage_m,
            "watches": [[lane, round(metres, 1), sign, round(share, 3)] for lane, metres, sign, share in self.cells],
        }


class Street:
    """The lanes of the opened net: what follows what, and which ways are signalled. Read once."""

    def __init__(self, signalled: Iterable[tuple[str, str]]) -> None:
        lane = libsumo.lane
        self.length_m = {one: float(lane.getLength(one)) for one in lane.getIDList()}
        self.speed_mps = {one: float(lane.getMaxSpeed(one)) for one in self.length_m}
        self._signalled = frozenset(signalled)
        self.onward: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        self.back: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        for one in [name for name in self.length_m if not name.startswith(":")]:
            for link in lane.getLinks(one):
                way = inside(link[4])
                self.onward[one].append((link[0], way))
                self.back[link[0]].append((one, way))

    def is_signalled(self, approach: str, exit_lane: str) -> bool:
        return (approach, exit_lane) in self._signalled


def zones(plans: Mapping[str, SignalPlan], street: Street) -> dict[tuple[str, str, str], Zone]:
    """Every detector the signals have, by (signal, role, lane)."""
    found: dict[tuple[str, str, str], Zone] = {}
    for signal, plan in plans.items():
        for lane in dict.fromkeys(link.approach for link in plan.links):
            ways = [inside(link.via) for link in plan.links if link.approach == lane]
            cells = _upstream(lane, street) + _box(ways, sign=-1.0, start_m=0.0, street=street)
            found[signal, "approach", lane] = _zone("approach", lane, cells, street)
        for lane in dict.fromkeys(link.exit for link in plan.links):
            ways = [inside(link.via) for link in plan.links if link.exit == lane]
            cells = _downstream(lane, street) + _box(ways, sign=1.0, start_m=None, street=street)
            found[signal, "exit", lane] = _zone("exit", lane, cells, street)
    return found


def _zone(role: str, lane: str, cells: list[tuple[str, float, float, float]], street: Street) -> Zone:
    range_m = APPROACH_RANGE_M if role == "approach" else EXIT_RANGE_M
    reach_m = max(max(metres, metres + sign * street.length_m[at]) for at, metres, sign, _ in cells)
    return Zone(
        role=role,
        lane=lane,
        range_m=range_m,
        length_m=street.length_m[lane],
        speed_limit_mps=street.speed_mps[lane],
        cells=tuple(cells),
        loops_m=_loops_m(role, reach_m),
        coverage_m=round(min(reach_m, range_m), 1),
    )


def _loops_m(role: str, reach_m: float) -> tuple[float, ...]:
    """The stop line and `ADVANCE_LOOP_M` before it, or the exit; nearer where less is watched."""
    if role == "exit":
        return (round(min(EXIT_LOOP_M, LOOP_REACH * reach_m), 1),)
    return (STOP_LOOP_M, round(max(min(ADVANCE_LOOP_M, LOOP_REACH * reach_m), STOP_LOOP_M), 1))


def _upstream(lane: str, street: Street) -> list[tuple[str, float, float, float]]:
    """Stretches that lead to the stop line of `lane` without a signal between, with their distances and shares."""
    cells: list[tuple[str, float, float, float]] = []
    seen = {lane}
    queue = [(lane, 0.0, 1.0)]
    while queue:
        at, offset_m, share = queue.pop(0)
        length_m = street.length_m[at]
        cells.append((at, offset_m + length_m, -1.0, share))
        far_m = offset_m + length_m
        if far_m >= APPROACH_RANGE_M:
            continue
        for before, way in street.back[at]:
            part = share / max(1, len({to for to, _ in street.onward[before]}))
            if before in seen or street.is_signalled(before, at) or part < LEAST_SHARE:
                continue
            seen.add(before)
            behind_m = far_m
            for piece in reversed(way):
                behind_m += street.length_m[piece]
                cells.append((piece, behind_m, -1.0, share))
            queue.append((before, behind_m, part))
    return cells


def _downstream(lane: str, street: Street) -> list[tuple[str, float, float, float]]:
    """Stretches past the junction up to the next signal or the end of the range; a branch has the share it gets."""
    cells: list[tuple[str, float, float, float]] = []
    queue = [(lane, 0.0, 1.0)]
    seen = {lane}
    while queue:
        at, start_m, share = queue.pop(0)
        cells.append((at, start_m, 1.0, share))
        end_m = start_m + street.length_m[at]
        ways = street.onward[at]
        if end_m >= EXIT_RANGE_M or any(street.is_signalled(at, to) for to, _ in ways):
            continue
        for after, way in ways:
            part = share / len(ways)
            if after in seen or part < LEAST_SHARE:
                continue
            seen.add(after)
            ahead_m = end_m
            for piece in way:
                cells.append((piece, ahead_m, 1.0, part))
                ahead_m += street.length_m[piece]
            queue.append((after, ahead_m, part))
    return cells


def _box(
    ways: Sequence[tuple[str, ...]], *, sign: float, start_m: float | None, street: Street
) -> list[tuple[str, float, float, float]]:
    """The ways through the box, as negative distances: past the stop line, or still before the exit's start."""
    cells: list[tuple[str, float, float, float]] = []
    for way in ways:
        at_m = start_m if start_m is not None else -sum(street.length_m[piece] for piece in way)
        for piece in way:
            cells.append((piece, at_m, sign, 1.0))
            at_m += sign * street.length_m[piece]
    return cells


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the zones saw in one second: zone, distance, share and number of the vehicle per row; names by number."""

    zone: NDArray[np.int64]
    distance_m: Tracks
    share: Tracks
    vehicle: NDArray[np.int64]
    names: tuple[str, ...]


class Sensors:
    """Reads the street once per second; what it knows of a vehicle is where a radar sees it and how long it stands.

    `is_missed` says of a vehicle by name that no sensor ever sees it.
    """

    def __init__(self, zones_in_order: Sequence[Zone], is_missed: Callable[[str], bool] | None = None) -> None:
        self._is_missed = is_missed
        self.speeds_mps: dict[str, float] = {}
        self._ranges_m = np.array([zone.range_m for zone in zones_in_order])
        self._count = len(zones_in_order)
        lanes = list(dict.fromkeys(cell[0] for zone in zones_in_order for cell in zone.cells))
        self._lane_number = {lane: number for number, lane in enumerate(lanes)}
        per_lane: list[list[tuple[int, float, float, float]]] = [[] for _ in lanes]
        for number, zone in enumerate(zones_in_order):
            for lane, metres, sign, share in zone.cells:
                per_lane[self._lane_number[lane]].append((number, metres, sign, share))
        self._starts = np.cumsum([0] + [len(cells) for cells in per_lane])
        flat = np.array([cell for cells in per_lane for cell in cells]).reshape(-1, 4)
        self._zone, self._metres, self._sign, self._share = flat[:, 0].astype(int), flat[:, 1], flat[:, 2], flat[:, 3]
        self._waiting_s: dict[str, float] = {}

    @property
    def waiting_s(self) -> dict[str, float]:
        """How long each standing vehicle has been standing."""
        return self._waiting_s

    def remember(self, waiting_s: dict[str, float]) -> None:
        """Go on from what was known before."""
        self._waiting_s = waiting_s

    def read(self, step_s: float = 1.0, vehicles: Iterable[str] | None = None) -> tuple[Tracks, ...]:
        """The tracks of every zone, nearest first; columns as in `TRACK_COLUMNS`. `vehicles`: all on the road."""
        on_road = libsumo.vehicle.getIDList() if vehicles is None else vehicles
        if self._is_missed is not None:
            on_road = [vehicle for vehicle in on_road if not self._is_missed(vehicle)]
        names, (lanes, positions, speeds, waits) = self._vehicles(on_road, step_s)
        counts = self._starts[lanes + 1] - self._starts[lanes]
        vehicle = np.repeat(np.arange(len(lanes)), counts)
        cell = np.arange(len(vehicle)) - np.repeat(np.cumsum(counts) - counts, counts) + self._starts[lanes][vehicle]
        distance_m = self._metres[cell] + self._sign[cell] * positions[vehicle]
        zone = self._zone[cell]
        near = distance_m <= self._ranges_m[zone]
        order = np.lexsort((distance_m[near], zone[near]))
        pick, cell, zone = vehicle[near][order], cell[near][order], zone[near][order]
        table = np.column_stack((distance_m[near][order], speeds[pick], waits[pick], self._share[cell]))
        self.rows = Rows(zone=zone, distance_m=table[:, 0], share=table[:, 3], vehicle=pick, names=names)
        bounds = np.searchsorted(zone, np.arange(self._count + 1)).tolist()
        return tuple(table[bounds[number] : bounds[number + 1]] for number in range(self._count))

    def _vehicles(
        self, vehicles: Iterable[str], step_s: float
    ) -> tuple[tuple[str, ...], tuple[NDArray[np.int64], Tracks, Tracks, Tracks]]:
        """Vehicles on watched lanes. Three direct calls cost less than one subscription (1.4 v 2 µs a vehicle)."""
        rows = array("d")
        waiting_s: dict[str, float] = {}
        names: list[str] = []
        speeds: dict[str, float] = {}
        waited_before_s, number_of = self._waiting_s.get, self._lane_number.get
        for vehicle in vehicles:
            speed = speeds[vehicle] = speed_of(vehicle)
            waited_s = 0.0
            if speed < STANDING_MPS:
                waited_s = waiting_s[vehicle] = waited_before_s(vehicle, 0.0) + step_s
            lane = number_of(lane_of(vehicle))
            if lane is not None:
                rows.extend((lane, position_of(vehicle), speed, waited_s))
                names.append(vehicle)
        self._waiting_s, self.speeds_mps = waiting_s, speeds
        table = np.array(rows).reshape(-1, 4)
        return tuple(names), (table[:, 0].astype(np.int64), table[:, 1], table[:, 2], table[:, 3])
