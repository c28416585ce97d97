# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the simulated street, by plan and by seed; only the judge is told what really happened."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import libsumo
import msgspec

from citybrain.doors.sumo import against
from citybrain.doors.sumo.detours import Avoidance
from citybrain.doors.sumo.drawing import SENSORS, STANDING, Planned
from citybrain.doors.sumo.fleet import CAR as CAR_TYPE
from citybrain.doors.sumo.fleet import REPORTING, TYPE_PREFIX
from citybrain.doors.sumo.lanes import road_of
from citybrain.doors.sumo.network import entity_id
from citybrain.doors.sumo.options import FOREVER_S, Fault
from citybrain.doors.sumo.use import StreetUse
from citybrain.kernel.records import Facts

BRAKES_MPS2 = 4.0
"""A vehicle is chosen only if it can come to stand at the spot with this, which is ordinary braking."""

ROOM_M = 5.0
BEHIND_M = 8.0
"""The second vehicle of a crash stands so far behind the first."""

FROM_BEGIN_M, FROM_END_M = 15.0, 10.0
"""So far from both ends of a lane nobody comes to stand: a junction box is no place of its own here."""

CHOOSE_AGAIN_S = 90.0
"""A chosen vehicle that does not stand by then was held up or turned off; another one is taken."""

ANY_LANE_AFTER_S = 120.0
GIVEN_UP_AFTER_S = 900.0

NEWS_S = 180.0
NAVIGATED = 0.3
"""An unplanned closure is known to navigation after so long, and so many drive by it: assumptions of the simulation.
Others see it from the road before it. A closure that the city planned is an order, known to all."""

CLOSING = ("lane_closure", "closure")

LONG_S = 1_000_000.0
"""Stops end when the incident does, not by SUMO's own clock."""


class Signals(Protocol):
    """What an incident does to signals."""

    def darken(self, signal: str) -> None: ...

    def lighten(self, signal: str, now_s: float) -> None: ...


class Happening(msgspec.Struct, kw_only=True):
    """How far an incident is. Times are SUMO's. `standing` are its vehicles, `added` counts those of a surge."""

    lane: str = ""
    spot_m: float = 0.0
    vehicles: list[str] = []
    chosen_s: float = 0.0
    began_s: float | None = None
    ended_s: float | None = None
    cleared_by: str = ""
    added: int = 0


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """The plan, and how far each of it is."""

    planned: tuple[Planned, ...] = ()
    happened: tuple[Happening, ...] = ()


class Incidents:
    """All incidents of one run. With none, a step is one comparison."""

    def __init__(self, memory: Memory, *, begin_s: float, street: StreetUse, signals: Signals) -> None:
        self._begin_s = begin_s
        self._lanes = street.lanes
        self._detours = street.detours
        self._ways = street.ways
        self._signals = signals
        self._lines: dict[int, list[against.Point]] = {}
        self._planned = memory.planned
        self._happened = list(memory.happened) or [Happening() for _ in memory.planned]
        self._open = [at for at, each in enumerate(self._happened) if each.ended_s is None]
        for at in self._open:
            # SUMO's state keeps stops and vehicles, and forgets lamps; lanes and detours have memories of their own.
            if self._happened[at].began_s is not None and self._planned[at].incident.kind == "dark_signal":
                self._signals.darken(self._planned[at].incident.signal)

    def memory(self) -> Memory:
        """What to remember when the run is saved."""
        return Memory(planned=self._planned, happened=tuple(self._happened))

    def step(self, now_s: float, vehicles: Collection[str]) -> None:
        """Begin what is due, end what is over. `vehicles`: all on the road."""
        for at in list(self._open):
            incident, happening = self._planned[at].incident, self._happened[at]
            due_s = self._begin_s + incident.begin_s
            if now_s < due_s:
                continue
            if happening.began_s is None:
                self._begin(at, now_s, now_s - due_s, vehicles)
            elif now_s >= happening.began_s + incident.duration_s:
                self._end(at, now_s, "time")
            elif incident.kind == "surge":
                self._add(at, now_s)
            elif incident.kind in CLOSING:
                self._close(at, now_s, vehicles)
            elif incident.kind == "wrong_way":
                self._drive_against(at, now_s)

    def drivers(self, now_s: float) -> list[against.Driver]:
        """Who drives on the wrong way now."""
        found = []
        for at in self._open:
            if self._lines.get(at) and (began_s := self._happened[at].began_s) is not None:
                place = against.where(self._lines[at], against.SPEED_MPS * (now_s - began_s))
                found += [against.Driver(against.name_of(at), *place)] if place else []
        return found

    def standing_on(self, road: str) -> list[tuple[int, str]]:
        """What stands in the way on a road now, or is dark at its end: number and kind."""
        kinds = {at: self._planned[at].incident for at in self._open if self._happened[at].began_s is not None}
        here = {at: each for at, each in kinds.items() if road_of(self._happened[at].lane) == road}
        return [(at, each.kind) for at, each in here.items() if each.kind in (*STANDING, *CLOSING, "dark_signal")]

    def place(self, number: int) -> tuple[str, float]:
        """The lane of an incident, and how far along it."""
        return self._happened[number].lane, self._happened[number].spot_m

    def clear(self, number: int, now_s: float, by: str) -> None:
        """End an incident before its time; one that is over stays as it was."""
        if number in self._open:
            self._end(number, now_s, by)

    def truth(self, begins_at: datetime) -> list[Facts]:
        """What really happened, for the judge: times are those at which it began and ended, not those planned."""
        return [self._told(at, begins_at) for at in range(len(self._planned))]

    def _told(self, at: int, begins_at: datetime) -> Facts:
        planned, happening = self._planned[at], self._happened[at]
        incident = planned.incident

        def passed(time_s: float | None) -> float | None:
            return None if time_s is None else time_s - self._begin_s

        def iso(time_s: float | None) -> str | None:
            passed_s = passed(time_s)
            return None if passed_s is None else (begins_at + timedelta(seconds=passed_s)).isoformat()

        return {
            "number": at,
            "kind": incident.kind,
            "entity_id": _entity(planned),
            "lane": happening.lane,
            "offset_m": round(happening.spot_m, 1),
            "lanes": len(self._lanes.for_cars(incident.road)),
            "begin_s": passed(happening.began_s),
            "end_s": passed(happening.ended_s),
            "begin": iso(happening.began_s),
            "end": iso(happening.ended_s),
            "planned_s": incident.begin_s,
            "duration_s": incident.duration_s,
            "cleared_by": happening.cleared_by,
            "vehicles_per_hour": planned.vehicles_per_hour,
            "vehicles": happening.added or len(happening.vehicles),
            **({"roads": self._roads_against(at)} if incident.kind == "wrong_way" else {}),
        }

    def _begin(self, at: int, now_s: float, late_s: float, vehicles: Collection[str]) -> None:
        kind, happening = self._planned[at].incident.kind, self._happened[at]
        if kind in STANDING:
            self._bring_to_stand(at, now_s, late_s)
        elif kind in CLOSING:
            self._close(at, now_s, vehicles)
        elif kind == "wrong_way":
            self._drive_against(at, now_s)
        else:
            if kind == "dark_signal":
                self._signals.darken(self._planned[at].incident.signal)
                # There whoever mends it comes to.
                happening.lane = self._lanes.first_at(self._planned[at].incident.signal)
                happening.spot_m = float(libsumo.lane.getLength(happening.lane)) if happening.lane else 0.0
            happening.began_s = now_s
        if happening.began_s is None and late_s > GIVEN_UP_AFTER_S and at in self._open:
            self._drop_stops(happening.vehicles)
            self._open.remove(at)

    def _end(self, at: int, now_s: float, by: str) -> None:
        incident, happening = self._planned[at].incident, self._happened[at]
        self._drop_stops(happening.vehicles)
        if incident.kind == "dark_signal":
            self._signals.lighten(incident.signal, now_s)
        self._lanes.end(_key(at))
        self._detours.end(_key(at))
        happening.ended_s, happening.cleared_by = now_s, by
        self._open.remove(at)

    def _close(self, at: int, now_s: float, vehicles: Collection[str]) -> None:
        """Something lies on the lanes: whoever comes first on each stands before it until it is away."""
        incident, happening = self._planned[at].incident, self._happened[at]
        lanes = self._lanes.for_cars(incident.road)
        if incident.kind == "lane_closure":
            if len(lanes) < 2:
                self._open.remove(at)
                return
            lanes = [lanes[max(incident.lane, 0) % len(lanes)]]
        happening.vehicles = [one for one in happening.vehicles if _stop_of(one)]
        for lane in sorted(set(lanes) - {_stop_of(one) for one in happening.vehicles}):
            happening.vehicles += _stop_at(incident.road, lane, _spot_m(lane, incident.at), 1)
        if happening.began_s is None:
            standing = [one for one in happening.vehicles if _stands(one)]
            if not standing:
                return
            happening.lane, happening.began_s = _stop_of(standing[0]), now_s
            happening.spot_m = _spot_m(happening.lane, incident.at)
        if incident.kind == "closure":
            share = NAVIGATED if now_s >= happening.began_s + NEWS_S else 0.0
            around = Avoidance(
                roads=(incident.road,), share=share, seen_from=tuple(sorted(self._ways.behind.get(incident.road, ())))
            )
            if self._detours.asked(_key(at)) != around:
                self._detours.begin(_key(at), around, vehicles)

    def _drive_against(self, at: int, now_s: float) -> None:
        """Somebody drives against a road from now on, or goes on; it is over when his way is."""
        incident, happening = self._planned[at].incident, self._happened[at]
        if happening.began_s is None:
            happening.began_s, happening.lane = now_s, self._lanes.for_cars(incident.road)[-1]
            happening.spot_m = _spot_m(happening.lane, incident.at)
        if at not in self._lines:
            self._lines[at] = against.line_against(self._roads_against(at), incident.at, self._lanes)
        if against.where(self._lines[at], against.SPEED_MPS * (now_s - happening.began_s)) is None:
            self._end(at, now_s, "way")

    def _roads_against(self, at: int) -> list[str]:
        """The roads that the driver of an incident goes against."""
        incident = self._planned[at].incident
        length_m = against.SPEED_MPS * incident.duration_s
        return against.roads_against(incident.road, self._ways, self._lanes, length_m)

    def _bring_to_stand(self, at: int, now_s: float, late_s: float) -> None:
        """A vehicle that comes by brakes and stands; the incident begins when it does."""
        incident, happening = self._planned[at].incident, self._happened[at]
        if happening.vehicles:
            if any(_stands(vehicle) for vehicle in happening.vehicles):
                happening.began_s = now_s
            elif now_s - happening.chosen_s > CHOOSE_AGAIN_S or not _is_there(happening.vehicles[0]):
                self._drop_stops(happening.vehicles)
                happening.vehicles = []
            return
        lanes = self._lanes.for_cars(incident.road)
        any_lane = incident.lane < 0 or late_s > ANY_LANE_AFTER_S
        for lane in lanes if any_lane else lanes[incident.lane : incident.lane + 1]:
            spot_m = _spot_m(lane, incident.at)
            number = 2 if incident.kind == "crash" else 1
            stopped = _stop_at(incident.road, lane, spot_m, number)
            if stopped:
                happening.lane, happening.spot_m = lane, spot_m
                happening.vehicles, happening.chosen_s = stopped, now_s
                return

    def _drop_stops(self, vehicles: Sequence[str]) -> None:
        for vehicle in vehicles:
            _let_go(vehicle)

    def _add(self, at: int, now_s: float) -> None:
        """The vehicles of a surge, evenly over its time."""
        planned, happening = self._planned[at], self._happened[at]
        assert happening.began_s is not None
        due = int((now_s - happening.began_s) * planned.incident.per_hour / 3600.0)
        while happening.added < due and planned.ways:
            vehicle = f"surge-{at}-{happening.added}"
            happening.added += 1
            way = self._detours.way(planned.ways[happening.added % len(planned.ways)])
            try:
                libsumo.route.add(vehicle, way)
                libsumo.vehicle.add(vehicle, vehicle, TYPE_PREFIX + CAR_TYPE, departLane="best", departSpeed="max")
            except libsumo.TraCIException:
                # A lane was closed since, and nothing leads there any more.
                continue


def as_known(memory: Memory) -> Memory:
    """What somebody can know who thinks of the time to come: what goes wrong now, and not when it will be over."""
    planned, happened = [], []
    for each, happening in zip(memory.planned, memory.happened, strict=True):
        now = happening.began_s is not None and happening.ended_s is None
        times = {"duration_s": LONG_S} if now else {"begin_s": FOREVER_S}
        planned.append(msgspec.structs.replace(each, incident=msgspec.structs.replace(each.incident, **times)))
        happened.append(happening)
    return Memory(planned=tuple(planned), happened=tuple(happened))


def faults(planned: Sequence[Planned]) -> tuple[Fault, ...]:
    """The incidents of sensors, as faults of detectors."""
    return tuple(
        Fault(
            kind=each.incident.kind.removeprefix("sensor_"),  # type: ignore[arg-type]
            detector=each.incident.detector,
            from_s=each.incident.begin_s,
            until_s=each.incident.begin_s + each.incident.duration_s,
        )
        for each in planned
        if each.incident.kind in SENSORS
    )


def _entity(planned: Planned) -> str:
    incident = planned.incident
    if incident.signal:
        return entity_id("TrafficSignalController", incident.signal)
    if incident.detector:
        return entity_id("TrafficDetector", incident.detector)
    return entity_id("RoadSegment", incident.road)


def _key(number: int) -> str:
    return f"incident:{number}"


def _spot_m(lane: str, at: float) -> float:
    length_m = float(libsumo.lane.getLength(lane))
    return min(max(at * length_m, FROM_BEGIN_M), length_m - FROM_END_M)


def _stop_of(vehicle: str) -> str:
    """The lane on which it stands or will; empty where it did not come to stand and is past it, or gone."""
    try:
        return next((str(stop.lane) for stop in libsumo.vehicle.getStops(vehicle, 1)), "")
    except libsumo.TraCIException:
        return ""


def _stop_at(road: str, lane: str, spot_m: float, number: int) -> list[str]:
    """Tell the nearest vehicles of a lane that can to stop at a spot, each behind the other; those that will."""
    index = int(lane.rpartition("_")[2])
    nearest = sorted(
        ((libsumo.vehicle.getLanePosition(one), one) for one in libsumo.lane.getLastStepVehicleIDs(lane)), reverse=True
    )
    stopped: list[str] = []
    for position_m, vehicle in nearest:
        wanted_m = spot_m - BEHIND_M * len(stopped)
        if len(stopped) < number and _can_stop(vehicle, position_m, wanted_m, lane):
            try:
                libsumo.vehicle.setStop(vehicle, road, wanted_m, index, LONG_S)
            except libsumo.TraCIException:
                continue
            stopped.append(vehicle)
    return stopped


def _can_stop(vehicle: str, position_m: float, spot_m: float, lane: str) -> bool:
    """An ordinary vehicle on its way over this lane that need not brake hard."""
    speed_mps = libsumo.vehicle.getSpeed(vehicle)
    if position_m + speed_mps**2 / (2 * BRAKES_MPS2) + ROOM_M > spot_m or spot_m <= 0.0:
        return False
    if libsumo.vehicle.getVehicleClass(vehicle) in REPORTING or libsumo.vehicle.getStops(vehicle, 1):
        return False
    return any(best[0] == lane and best[4] for best in libsumo.vehicle.getBestLanes(vehicle))


def _is_there(vehicle: str) -> bool:
    try:
        return bool(libsumo.vehicle.getRoadID(vehicle))
    except libsumo.TraCIException:
        return False


def _stands(vehicle: str) -> bool:
    try:
        return bool(libsumo.vehicle.isStopped(vehicle))
    except libsumo.TraCIException:
        return False


def _let_go(vehicle: str) -> None:
    """Drive on: it was towed to the kerb, repaired, or sent away. SUMO's trips stay whole that way."""
    try:
        if libsumo.vehicle.isStopped(vehicle):
            libsumo.vehicle.resume(vehicle)
        elif libsumo.vehicle.getStops(vehicle, 1):
            libsumo.vehicle.replaceStop(vehicle, 0, "")
    except libsumo.TraCIException:
        return
