# SPDX-License-Identifier: Apache-2.0
"""Drivers who take another way, because a road is closed, a turn is banned, or somebody told them of trouble ahead."""

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import libsumo
import msgspec

from citybrain.doors.sumo.ways import Turn, Ways, touches

COMMITTED_M = 50.0
"""Nearer to the end of its road a driver takes the turn that lies ahead: there is no time to change lanes."""


class Avoidance(msgspec.Struct, frozen=True, kw_only=True):
    """What is driven around, and by which share of those whose way leads there. Who ends on a road may drive there,
    but for those who are guided elsewhere: from the road `instead[0]` to `instead[1]`. From the roads `seen_from`
    everybody sees it.
    """

    roads: tuple[str, ...] = ()
    turns: tuple[Turn, ...] = ()
    share: float = 1.0
    instead: Turn | None = None
    seen_from: tuple[str, ...] = ()


class Detours:
    """All that is driven around at present, by who asked for it. It changes routes and nothing else of SUMO."""

    def __init__(self, ways: Ways, memory: Mapping[str, Avoidance]) -> None:
        self._ways = ways
        self._standing: dict[str, Avoidance] = dict(memory)
        self._saw: dict[str, set[str]] = {}
        self.rerouted = 0

    def memory(self) -> dict[str, Avoidance]:
        """What is driven around; routes of vehicles are in SUMO's own state."""
        return self._standing

    def asked(self, key: str) -> Avoidance | None:
        """What this key asks for at present."""
        return self._standing.get(key)

    def begin(self, key: str, avoidance: Avoidance, vehicles: Iterable[str]) -> None:
        """Ask for one; those on the road learn of it at once, others when they set out."""
        if self._standing.get(key) != avoidance:
            self._standing[key] = avoidance
            self._look_at(vehicles)

    def end(self, key: str) -> None:
        """It is over: who sets out from now on takes the way he would have taken; others keep theirs."""
        self._standing.pop(key, None)
        self._saw.pop(key, None)

    def listen(self) -> None:
        """Once per second: those who set out learn of it, and those who come to where it is seen from."""
        if self._standing:
            self._look_at(libsumo.simulation.getDepartedIDList())
        for key, one in self._standing.items():
            if one.seen_from:
                there = {each for road in one.seen_from for each in libsumo.edge.getLastStepVehicleIDs(road)}
                before, self._saw[key] = self._saw.get(key, set()), there
                self._look_at(sorted(there - before))

    def way(self, way: tuple[str, ...]) -> tuple[str, ...]:
        """A way as everybody drives it now: around what all drive around, if there is such a way."""
        known = [one for one in self._standing.values() if one.share >= 1.0]
        shut = {road for one in known for road in one.roads}
        turns = {turn for one in known for turn in one.turns}
        if not touches(way, shut, turns):
            return way
        return tuple(self._ways.fastest(way[0], way[-1], shut=shut, turns=turns) or way)

    def _look_at(self, vehicles: Iterable[str]) -> None:
        for vehicle in list(vehicles):
            route = _ahead_if_there(vehicle)
            if not route:
                continue
            seen = [one for one in self._standing.values() if one.seen_from and _road(vehicle) in one.seen_from]
            told = [*seen, *(one for key, one in self._standing.items() if _hears(vehicle, key, one.share))]
            shut = {road for one in told for road in one.roads}
            turns = {turn for one in told for turn in one.turns}
            goals = dict(one.instead for one in told if one.instead)
            if touches(route, shut, turns) or route[-1] in goals:
                way = self._way(
                    vehicle, route, goals.get(route[-1], route[-1]), shut=shut, turns=turns, sees=bool(seen)
                )
                self.rerouted += _drives(vehicle, way)

    def _way(
        self, vehicle: str, route: tuple[str, ...], goal: str, *, shut: set[str], turns: set[Turn], sees: bool
    ) -> list[str]:
        """The way around, from the road it is on; empty where there is none. Who sees it turns off even at the last
        moment, if its lane leads there."""
        committed = _is_committed(vehicle) and len(route) > 2
        kept = route[: 1 if committed and not sees else 0]
        way = self._ways.fastest(route[len(kept)], goal, shut=shut, turns=turns)
        if way is None or touches(way, shut, turns):
            return []
        if committed and sees and len(way) > 1 and way[1] not in _led_to(vehicle):
            return []
        return [*kept, *way]


def ahead(vehicle: str) -> tuple[str, ...]:
    """The roads of a vehicle from the one it is on, or from the one it is about to enter when it is in a junction."""
    route: tuple[str, ...] = libsumo.vehicle.getRoute(vehicle)
    index = max(libsumo.vehicle.getRouteIndex(vehicle), 0)
    inside = libsumo.vehicle.getRoadID(vehicle).startswith(":")
    return route[index + inside :]


def _ahead_if_there(vehicle: str) -> tuple[str, ...]:
    """Nothing for one that set out and arrived in the same second."""
    try:
        return ahead(vehicle)
    except libsumo.TraCIException:
        return ()


def _is_committed(vehicle: str) -> bool:
    lane = libsumo.vehicle.getLaneID(vehicle)
    if not lane or lane.startswith(":"):
        return False
    left_m = libsumo.lane.getLength(lane) - libsumo.vehicle.getLanePosition(vehicle)
    return bool(left_m < COMMITTED_M)


def _drives_like_a_car(vehicle: str) -> bool:
    return libsumo.vehicle.getVehicleClass(vehicle) not in ("bus", "tram", "bicycle", "pedestrian", "rail")


def _hears(vehicle: str, key: str, share: float) -> bool:
    """Whether a driver is among the share, which is the same ones each time."""
    return share >= 1.0 or crc32(f"{key} {vehicle}".encode()) % 1000 < share * 1000


def _road(vehicle: str) -> str:
    return str(libsumo.vehicle.getRoadID(vehicle))


def _led_to(vehicle: str) -> set[str]:
    """The roads that the lane of a vehicle leads to."""
    return {link[0].rpartition("_")[0] for link in libsumo.lane.getLinks(libsumo.vehicle.getLaneID(vehicle))}


def _drives(vehicle: str, way: Sequence[str]) -> bool:
    """Whether it takes this way from now on. Others than cars may know fewer ways."""
    if not way or libsumo.vehicle.getStops(vehicle, 1) or not _drives_like_a_car(vehicle):
        return False
    libsumo.vehicle.setRoute(vehicle, list(way))
    return True
