# SPDX-License-Identifier: Apache-2.0
"""What may be ordered of buses: one waits, takes another way, or drives in addition."""

from datetime import datetime
from typing import Any

import libsumo

from citybrain.doors.sumo.detours import ahead
from citybrain.doors.sumo.fleet import Fleet
from citybrain.doors.sumo.network import entity_id
from citybrain.doors.sumo.use import StreetUse
from citybrain.kernel.records import Facts, Order, Outcome, OutcomeState

HOLD_BUS = "transit.hold_bus"
REROUTE_BUS = "transit.reroute_bus"
INSERT_BUS = "transit.insert_bus"
MEANS = (HOLD_BUS, REROUTE_BUS, INSERT_BUS)

BUS = "bus"

LONGEST_HOLD_S = 600
BRAKES_MPS2 = 3.0
ROOM_M = 5.0

Refused = tuple[str, Facts] | None


class Transit:
    """Carries out orders for buses, which are vehicles of the class bus that report themselves."""

    def __init__(self, use: StreetUse, fleet: Fleet) -> None:
        self._use = use
        self._fleet = fleet

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Carry out one order."""
        refused = self._extra(order) if order.means == INSERT_BUS else self._of_bus(order)
        if refused is None:
            return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)
        code, facts = refused
        return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code=code, facts=facts)

    def _extra(self, order: Order) -> Refused:
        return self._fleet.send(order.entity_id, {**order.parameters, "kind": BUS})

    def _of_bus(self, order: Order) -> Refused:
        vehicle = self._fleet.reporting(order.entity_id)
        if vehicle is None or libsumo.vehicle.getVehicleClass(vehicle) != BUS:
            return "sumo.no_such_bus", {"vehicle": order.entity_id}
        return self._hold(vehicle, order) if order.means == HOLD_BUS else self._detour(vehicle, order)

    def _hold(self, vehicle: str, order: Order) -> Refused:
        """It comes to stand where it can do so gently, and drives on after the time; at a stop it stays longer."""
        seconds: Any = order.parameters.get("seconds")
        if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_HOLD_S:
            return "sumo.hold_unfit", {"seconds": seconds, "most": LONGEST_HOLD_S}
        stops = libsumo.vehicle.getStops(vehicle, 1)
        if stops and libsumo.vehicle.isStopped(vehicle):
            libsumo.vehicle.setStopParameter(vehicle, 0, "duration", str(stops[0].duration + seconds))
            return None
        lane = libsumo.vehicle.getLaneID(vehicle)
        braking_m = libsumo.vehicle.getSpeed(vehicle) ** 2 / (2 * BRAKES_MPS2) + ROOM_M
        place_m = libsumo.vehicle.getLanePosition(vehicle) + braking_m
        if lane.startswith(":") or place_m >= libsumo.lane.getLength(lane):
            return "sumo.cannot_stop_here", {"vehicle": order.entity_id}
        road, _, index = lane.rpartition("_")
        libsumo.vehicle.setStop(vehicle, road, place_m, int(index), float(seconds))
        return None

    def _detour(self, vehicle: str, order: Order) -> Refused:
        avoid = str(order.parameters.get("avoid", ""))
        route = ahead(vehicle)
        shut = {road for road in route if entity_id("RoadSegment", road) == avoid}
        if not shut or route[0] in shut or route[-1] in shut:
            return "sumo.not_on_its_way", {"road": avoid}
        way = self._use.ways.fastest(route[0], route[-1], shut=shut)
        if way is None or libsumo.vehicle.getStops(vehicle, 1):
            return "sumo.no_way", {
                "from": entity_id("RoadSegment", route[0]),
                "to": entity_id("RoadSegment", route[-1]),
            }
        libsumo.vehicle.setRoute(vehicle, way)
        return None
