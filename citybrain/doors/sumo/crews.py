# SPDX-License-Identifier: Apache-2.0
"""Crews that clear what stands in the way: a tow truck, road maintenance or police that an order sent, once there."""

from collections.abc import Mapping

import libsumo
import msgspec

from citybrain.doors.sumo.fleet import Fleet
from citybrain.doors.sumo.incidents import Incidents
from citybrain.doors.sumo.network import entity_id

WORK_S: Mapping[tuple[str, str], float] = {
    ("tow", "crash"): 600.0,
    ("tow", "breakdown"): 300.0,
    ("tow", "stopped"): 120.0,
    ("tow", "illegal_parking"): 300.0,
    ("maintenance", "crash"): 900.0,
    ("maintenance", "breakdown"): 600.0,
    ("maintenance", "lane_closure"): 600.0,
    ("maintenance", "closure"): 900.0,
    ("police", "stopped"): 60.0,
    ("police", "illegal_parking"): 180.0,
}
"""How long a crew works, by its kind and what it finds; what is not listed it cannot clear. Assumptions of the
simulation: the order of size of on-scene times in incident management, without paperwork or recovery of lorries."""

KINDS = frozenset(crew for crew, _ in WORK_S)

BEFORE_M = 50.0
"""A crew is there when it is so near, or past it: it stands on the kerb and no more in the way."""

STUCK_S = 60.0
WALK_M = 300.0
"""One that stands in the queue for so long and has no more than this to go walks the rest, with its tools."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A crew at work on an incident, until a time of SUMO."""

    incident: int
    until_s: float


class Crews:
    """All crews that are on their way or at work. Nobody at work is looked at each second but for his time."""

    def __init__(self, fleet: Fleet, incidents: Incidents, memory: Mapping[str, Work]) -> None:
        self._fleet = fleet
        self._incidents = incidents
        self._at_work = dict(memory)

    def memory(self) -> dict[str, Work]:
        """Who is at work."""
        return self._at_work

    def step(self, now_s: float) -> None:
        """Begin to work where a crew has come to something it can clear; what is done is out of the way."""
        for vehicle, work in list(self._at_work.items()):
            if now_s >= work.until_s:
                self._incidents.clear(work.incident, now_s, by=entity_id("Vehicle", vehicle))
                del self._at_work[vehicle]
        for vehicle, kind, road in self._fleet.on_the_way(KINDS):
            if vehicle not in self._at_work:
                self._arrive(vehicle, kind, road, now_s)

    def _arrive(self, vehicle: str, kind: str, road: str, now_s: float) -> None:
        in_hand = {work.incident for work in self._at_work.values()}
        for number, what in self._incidents.standing_on(road):
            if number in in_hand or (kind, what) not in WORK_S:
                continue
            lane, spot_m = self._incidents.place(number)
            if _is_at(vehicle, lane, spot_m):
                self._at_work[vehicle] = Work(incident=number, until_s=now_s + WORK_S[kind, what])
                return


def _is_at(vehicle: str, lane: str, spot_m: float) -> bool:
    road = lane.rpartition("_")[0]
    if libsumo.vehicle.getRoadID(vehicle) == road:
        left_m = spot_m - libsumo.vehicle.getLanePosition(vehicle)
    elif libsumo.vehicle.getWaitingTime(vehicle) >= STUCK_S:
        left_m = libsumo.vehicle.getDrivingDistance(vehicle, road, spot_m)
        # SUMO answers with a huge negative number where there is no way.
        left_m = left_m if left_m >= 0.0 else WALK_M * 2
    else:
        return False
    waits = libsumo.vehicle.getWaitingTime(vehicle) >= STUCK_S
    return bool(left_m <= (WALK_M if waits else BEFORE_M))
