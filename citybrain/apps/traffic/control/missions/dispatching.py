# SPDX-License-Identifier: Apache-2.0
"""A dispatch becomes a mission: from where, to where, which vehicle, which way; and the orders that set it going."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from citybrain.apps.traffic.control.missions import view
from citybrain.apps.traffic.control.missions.model import (
    REROUTE_VEHICLE,
    SEND_VEHICLE,
    Dispatch,
    Kind,
    Mission,
    NoSuchRoad,
    NoSuchVehicle,
    NoWay,
    Point,
    Report,
    State,
    VehicleIsBusy,
    reports,
)
from citybrain.kernel.records import Batch, Because, Order
from citybrain.kernel.routing import Roads, Times


class Dispatcher:
    """Makes missions of dispatches, on the times that roads take now."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads

    def mission(self, order: Order, at: datetime, batch: Batch | None, *, busy: Mapping[str, str]) -> Mission:
        """The mission of a dispatch; equal orders give equal ids. `busy`: vehicles that have a mission already."""
        given = msgspec.convert(dict(order.parameters), Dispatch)
        mission_id = f"urn:ngsi-ld:Mission:{order.id}"
        report = self._vehicle(given.vehicle, batch)
        if report is not None and busy.get(report.vehicle, mission_id) != mission_id:
            raise VehicleIsBusy("traffic.vehicle_is_busy", {"vehicle": report.vehicle})
        start = report.route[0] if report is not None else self._road(given.from_road, given.from_point)
        end = self._road(given.to_road or self._if_road(order.entity_id), given.to_point)
        times = Times(self._roads, batch)
        route = self._roads.fastest(start, end, times.emergency_s)
        ordinary = self._roads.fastest(start, end, times.ordinary_s)
        if route is None or ordinary is None:
            raise NoWay("traffic.no_way", {"from": start, "to": end})
        return Mission(
            id=mission_id,
            vehicle=report.vehicle if report else f"urn:ngsi-ld:Vehicle:{given.kind.value}-{order.id}",
            kind=given.kind,
            urgency=given.urgency,
            origin=start,
            destination=end,
            begun_at=at,
            route=route,
            ordinary_s=self._roads.time_s(ordinary, times.ordinary_s),
            eta_s=self._roads.time_s(route, times.emergency_s),
            report=report,
        )

    def adopted(self, report: Report, at: datetime, batch: Batch | None) -> Mission:
        """The mission of a vehicle that is under way on it, as its own reports tell it."""
        times = Times(self._roads, batch)
        return Mission(
            id=report.mission,
            vehicle=report.vehicle,
            kind=Kind(report.kind),
            urgency=min(max(report.urgency, 1), 3),
            origin=report.road,
            destination=report.destination,
            begun_at=at,
            route=report.route,
            ordinary_s=self._roads.time_s(report.route, times.ordinary_s),
            state=State.UNDER_WAY,
            heard_s=at.timestamp(),
            routed_s=at.timestamp(),
            report=report,
        )

    def _vehicle(self, vehicle: str | None, batch: Batch | None) -> Report | None:
        if vehicle is None:
            return None
        report = reports(batch).get(vehicle) if batch is not None else None
        if report is None or not report.route:
            raise NoSuchVehicle("traffic.no_such_vehicle", {"vehicle": vehicle})
        return report

    def _if_road(self, entity_id: str) -> str | None:
        return entity_id if entity_id in self._roads else None

    def _road(self, road: str | None, point: Point | None) -> str:
        found = road if road is not None else self._roads.nearest(point) if point is not None else None
        if found is None or found not in self._roads:
            raise NoSuchRoad("traffic.no_such_road", {"road": str(found or point or "")})
        return found


def sending(mission: Mission, at: datetime) -> Order:
    """The order that puts the vehicle of a mission on the road."""
    facts = {"vehicle": view.short(mission.vehicle), "urgency": mission.urgency}
    return Order(
        id=f"{mission.id}:send",
        means=SEND_VEHICLE,
        entity_id=mission.vehicle,
        at=at,
        because=Because(code="traffic.mission_begun", facts=facts, event_id=mission.id),
        parameters={
            "kind": mission.kind.value,
            "route": list(mission.route),
            "mission": mission.id,
            "urgency": mission.urgency,
        },
    )


def rerouting(mission: Mission, because: Because, at: datetime) -> Order:
    """The order that gives the vehicle of a mission its way."""
    return Order(
        id=f"{mission.id}:{at.timestamp():.0f}",
        means=REROUTE_VEHICLE,
        entity_id=mission.vehicle,
        at=at,
        because=because,
        parameters={"route": list(mission.route)},
    )
