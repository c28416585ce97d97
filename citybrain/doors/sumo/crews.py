# SPDX-License-Identifier: Apache-2.0
"""Crews that clear what stands in the way or mend a signal: whoever an order sent, once there; and what they say."""

from collections.abc import Mapping

import libsumo
import msgspec

from citybrain.doors.sumo.fleet import Fleet
from citybrain.doors.sumo.incidents import Incidents
from citybrain.doors.sumo.network import entity_id
from citybrain.doors.sumo.ways import Ways
from citybrain.kernel.records import Json

WORK_S: Mapping[tuple[str, str], float] = {
    ("tow", "crash"): 600.0,
    ("tow", "breakdown"): 300.0,
    ("tow", "stopped"): 120.0,
    ("tow", "illegal_parking"): 300.0,
    ("tow", "lane_closure"): 600.0,
    ("maintenance", "crash"): 900.0,
    ("maintenance", "breakdown"): 600.0,
    ("maintenance", "lane_closure"): 600.0,
    ("maintenance", "closure"): 900.0,
    ("police", "stopped"): 60.0,
    ("police", "illegal_parking"): 180.0,
    ("signal_repair", "dark_signal"): 900.0,
}
"""How long a crew works, by its kind and what it finds; what is not listed it cannot clear. Assumptions of the
simulation: the order of size of on-scene times in incident management, without paperwork or recovery of lorries. That
who tows also takes debris off a lane is what service patrols do (FHWA-HOP-08-031, Service Patrol Handbook)."""

KINDS = frozenset(crew for crew, _ in WORK_S)

BEFORE_M = 50.0
"""A crew is there when it is so near, or past it: it stands on the kerb and no more in the way."""

STUCK_S = 60.0
WALK_M = 300.0
"""One that stands in the queue for so long and has no more than this to go walks the rest, with its tools. So far it
sees, too: what stands on the next road, where nothing does on that to which it was sent."""

SAID_FOR_S = 120.0
"""So long a crew goes on saying how its task ended."""

UNDER_WAY, AT_WORK, CLEARED, NOTHING = "under_way", "at_work", "cleared", "nothing"


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A crew at work on an incident, until a time of SUMO."""

    incident: int
    until_s: float


class Crews:
    """All crews that are on their way or at work. Nobody at work is looked at each second but for his time."""

    def __init__(self, fleet: Fleet, incidents: Incidents, ways: Ways, memory: Mapping[str, Work]) -> None:
        self._fleet = fleet
        self._incidents = incidents
        self._ways = ways
        self._at_work = dict(memory)
        self._going: set[str] = set()
        self._ended: dict[str, tuple[str, float]] = {}

    def memory(self) -> dict[str, Work]:
        """Who is at work."""
        return self._at_work

    def step(self, now_s: float) -> None:
        """Begin to work where a crew has come to something it can clear; what is done is out of the way."""
        for vehicle, work in list(self._at_work.items()):
            if now_s >= work.until_s:
                self._incidents.clear(work.incident, now_s, by=entity_id("Vehicle", vehicle))
                del self._at_work[vehicle]
                self._ended[vehicle] = CLEARED, now_s
        going = self._fleet.on_the_way(KINDS)
        there = {vehicle for vehicle, _, _ in going}
        for vehicle, kind, road in going:
            if vehicle not in self._at_work and self._ended.get(vehicle, (NOTHING, 0.0))[0] == NOTHING:
                self._arrive(vehicle, kind, road, now_s)
        for vehicle in self._going - there - self._at_work.keys() - self._ended.keys():
            self._ended[vehicle] = NOTHING, now_s
        self._going = there

    def reports(self, now_s: float) -> tuple[Json, ...]:
        """What each crew says of the order that sent it: that it is under way, is at work, has cleared something, or
        found nothing that it could clear."""
        said = dict.fromkeys(self._fleet.expected, UNDER_WAY) | dict.fromkeys(self._at_work, AT_WORK)
        for vehicle, (state, at_s) in self._ended.items():
            said.pop(vehicle, None)
            if now_s - at_s <= SAID_FOR_S:
                said[vehicle] = state
        return tuple(
            {"order": order, "vehicle": entity_id("Vehicle", vehicle), "state": state}
            for vehicle, state in said.items()
            if (order := self._fleet.order_of(vehicle))
        )

    def _arrive(self, vehicle: str, kind: str, road: str, now_s: float) -> None:
        in_hand = {work.incident for work in self._at_work.values()}
        here = str(libsumo.vehicle.getRoadID(vehicle))
        # What holds it up it clears on its way; what is a road further it sees once it is where it was sent.
        beside = self._beside(road) if here == road else ()
        stuck = (here,) if libsumo.vehicle.getWaitingTime(vehicle) >= STUCK_S else ()
        for where in dict.fromkeys((road, *stuck, *beside)):
            for number, what in self._incidents.standing_on(where):
                lane, spot_m = self._incidents.place(number)
                sees = where in beside and _is_within_sight(vehicle, lane, spot_m)
                if number in in_hand or not (sees or _is_at(vehicle, lane, spot_m)):
                    continue
                if (kind, what) in WORK_S:
                    self._at_work[vehicle] = Work(incident=number, until_s=now_s + WORK_S[kind, what])
                    self._ended.pop(vehicle, None)
                    return
                if where == road:
                    # It is there, and says that others must come.
                    self._ended[vehicle] = NOTHING, now_s

    def _beside(self, road: str) -> tuple[str, ...]:
        return (*self._ways.onward.get(road, ()), *self._ways.behind.get(road, ()))


def _is_within_sight(vehicle: str, lane: str, spot_m: float) -> bool:
    road, _, index = lane.rpartition("_")
    x_m, y_m = libsumo.simulation.convert2D(road, spot_m, int(index))
    at_x_m, at_y_m = libsumo.vehicle.getPosition(vehicle)
    return bool((x_m - at_x_m) ** 2 + (y_m - at_y_m) ** 2 <= WALK_M**2)


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
