# SPDX-License-Identifier: Apache-2.0
"""Vehicles that report themselves: ambulances, fire engines and police that orders sent, and buses.

Nobody asks the simulation about them but their own telemetry: what a vehicle's locator would send once per second.
"""

import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import libsumo
import msgspec
import numpy as np

from citybrain.doors.sumo.configuration import Configuration
from citybrain.doors.sumo.network import DECIMALS, SOURCE, Net, entity_id
from citybrain.kernel.records import Entity, Facts, Json, Order, Outcome, OutcomeState

SEND_VEHICLE = "traffic.send_vehicle"
REROUTE_VEHICLE = "traffic.reroute_vehicle"
MEANS = (SEND_VEHICLE, REROUTE_VEHICLE)

FLEET = "VehicleFleet"
FLEET_ID = entity_id(FLEET, SOURCE)

CAR = "car"
REPORTING = {"emergency": "ambulance", "authority": "police", "bus": "bus"}
"""Classes of SUMO whose vehicles report, and what they are taken for when no order sent them."""

WITH_RIGHTS = (
    'vClass="emergency" speedFactor="1.5" speedDev="0" jmDriveAfterRedTime="300" jmDriveRedSpeed="5.56" lcSpeedGain="5"'
)
"""Special rights as SUMO documents them (userdoc, Simulation/Emergency, and junction model parameters): 1.5 times the
speed limit, over a red light that is red for less than 300 s at 20 km/h, keen to overtake. Its bluelight device is
left out: with it SUMO 1.28 crashes on ingolstadt7, and without the sublane model it makes nobody give way."""

# Sizes: SUMO's own for its classes emergency, passenger and bus; a fire engine and maintenance as its truck, who mends
# signals as its delivery van.
# A tow truck on its way to what blocks a road has the rights of the others: an assumption, cities differ.
TYPES = {
    "ambulance": f'{WITH_RIGHTS} guiShape="emergency"',
    "fire": f'{WITH_RIGHTS} guiShape="firebrigade" length="7.1" width="2.4" height="2.4"',
    "police": f'{WITH_RIGHTS} guiShape="police" length="5.0" width="1.8" height="1.5"',
    "tow": f'{WITH_RIGHTS} guiShape="truck" length="8.5" width="2.5" height="3.0"',
    "maintenance": f'{WITH_RIGHTS} guiShape="truck" length="7.1" width="2.4" height="2.4"',
    "signal_repair": f'{WITH_RIGHTS} guiShape="delivery" length="6.5" width="2.2" height="2.9"',
    "bus": 'vClass="bus"',
    CAR: "",
}
"""Types of the vehicles that orders send. A car is SUMO's ordinary passenger car, to compare an ambulance with."""

TYPE_PREFIX = "citybrain."
TYPES_FILE = "fleet.add.xml"
ADDITIONAL = "additional-files"

WAITING, DRIVING, ARRIVED = "waiting", "driving", "arrived"

ARRIVED_FOR_S = 10
"""So long a vehicle that arrived goes on saying so."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What an order said of the vehicle it sent; the vehicle repeats it in its reports."""

    kind: str
    destination: str
    mission: str = ""
    urgency: int = 0
    order: str = ""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What to remember of the fleet when the run is saved: whom orders sent, who is over, who drove already."""

    sent: dict[str, Sent] = {}
    over: list[str] = []
    seen: list[str] = []


def equipped(configuration: Configuration, folder: Path, *, resumed: bool) -> Configuration:
    """The configuration with our vehicle types added; a resumed run has them in its state already."""
    if resumed:
        return configuration
    file = folder / TYPES_FILE
    types = "".join(f'<vType id="{TYPE_PREFIX}{kind}" {facts}/>' for kind, facts in TYPES.items())
    file.write_text(f"<additional>{types}</additional>")
    files = ",".join(one for one in (configuration.options.get(ADDITIONAL, ""), str(file)) if one)
    return msgspec.structs.replace(configuration, options={**configuration.options, ADDITIONAL: files})


def fleet_entity(at: datetime) -> Entity:
    """The one entity whose attribute `fleet` is the list of reports: vehicles come and go, the fleet stays."""
    name = {"zh": "自报位置的车辆", "en": "Vehicles that report themselves"}
    return Entity(id=FLEET_ID, type=FLEET, source=SOURCE, observed_at=at, name=name)


class Fleet:
    """The vehicles that report, and the orders that send them or give them another way."""

    def __init__(self, net: Net, memory: Memory, on_road: Collection[str]) -> None:
        self._place = net.place
        self._road_of = {entity_id("RoadSegment", edge.getID()): edge.getID() for edge in net.roads}
        self._onward = {edge.getID(): {after.getID() for after in edge.getOutgoing()} for edge in net.roads}
        self._sent: dict[str, Sent] = dict(memory.sent)
        self._over: dict[str, float] = dict.fromkeys(memory.over, -float(ARRIVED_FOR_S))
        self._seen = set(memory.seen)
        self._reporting = dict.fromkeys(one for one in on_road if self._reports(one))

    def memory(self) -> Memory:
        """What to remember when the run is saved."""
        return Memory(sent=self._sent, over=list(self._over), seen=sorted(self._seen))

    def reporting(self, vehicle_id: str) -> str | None:
        """SUMO's name of a vehicle that reports itself at present."""
        vehicle = _local(vehicle_id)
        return vehicle if vehicle in self._reporting else None

    def on_the_way(self, kinds: Collection[str]) -> list[tuple[str, str, str]]:
        """The vehicles of these kinds that orders sent and that are on the road: name, kind, and where they go."""
        return [
            (one, sent.kind, self._road_of.get(sent.destination, ""))
            for one, sent in self._sent.items()
            if sent.kind in kinds and one in self._reporting
        ]

    def order_of(self, vehicle: str) -> str:
        """The order that sent a vehicle as a crew; empty where none did."""
        return self._sent[vehicle].order if vehicle in self._sent else ""

    @property
    def expected(self) -> list[str]:
        """The vehicles that orders sent and that have not come to the end of their way."""
        return [one for one in self._sent if one not in self._over]

    @property
    def orders(self) -> Mapping[str, str]:
        """The vehicles that orders sent, by their ids, with the order of each that is a crew."""
        return {entity_id("Vehicle", one): sent.order for one, sent in self._sent.items()}

    @property
    def sent(self) -> Collection[str]:
        """The vehicles that orders sent."""
        return self._sent.keys()

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Send a vehicle, or give one another way. One that was sent already is not sent twice."""
        refusal = self._send(order) if order.means == SEND_VEHICLE else self._reroute(order)
        if refusal:
            code, facts = refusal
            return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code=code, facts=facts)
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)

    def listen(self, vehicles: Collection[str]) -> None:
        """Note who came onto the road and who left it, in the second that passed. `vehicles`: all on the road."""
        now_s = float(libsumo.simulation.getTime())
        for vehicle in libsumo.simulation.getDepartedIDList():
            if self._reports(vehicle):
                self._reporting[vehicle] = None
                self._seen.add(vehicle)
        for vehicle in [one for one in self._reporting if one not in vehicles]:
            del self._reporting[vehicle]
            self._over[vehicle] = now_s
        if len(self._over) > len(self._sent):
            self._over = {
                one: at_s for one, at_s in self._over.items() if one in self._sent or now_s - at_s <= ARRIVED_FOR_S
            }

    def reports(self) -> tuple[Json, ...]:
        """What each vehicle says in this second: who is under way, who waits to enter the road, who has arrived."""
        now_s = float(libsumo.simulation.getTime())
        waiting = [one for one in self._sent if one not in self._seen and one not in self._over]
        arrived = [one for one, at_s in self._over.items() if now_s - at_s <= ARRIVED_FOR_S]
        driving = [report for one in self._reporting if (report := self._driving(one)) is not None]
        return (
            *driving,
            *({**self._said(one), "state": WAITING} for one in waiting),
            *({**self._said(one), "state": ARRIVED} for one in arrived),
        )

    def _reports(self, vehicle: str) -> bool:
        return vehicle in self._sent or libsumo.vehicle.getVehicleClass(vehicle) in REPORTING

    def _said(self, vehicle: str) -> dict[str, Json]:
        sent = self._sent.get(vehicle)
        facts: dict[str, Json] = {"vehicle": entity_id("Vehicle", vehicle)}
        if sent:
            facts |= {"kind": sent.kind, "mission": sent.mission, "urgency": sent.urgency}
            facts["destination"] = sent.destination
        return facts

    def _driving(self, vehicle: str) -> Json | None:
        """None while SUMO has it nowhere."""
        road = libsumo.vehicle.getRoadID(vehicle)
        if not road:
            return None
        inside = road.startswith(":")
        route = libsumo.vehicle.getRoute(vehicle)[libsumo.vehicle.getRouteIndex(vehicle) + inside :]
        lon, lat = self._place.lonlat(np.array([libsumo.vehicle.getPosition(vehicle)]))[0]
        vclass = libsumo.vehicle.getVehicleClass(vehicle)
        return {
            "kind": REPORTING.get(vclass, CAR),
            **self._said(vehicle),
            "class": vclass,
            "state": DRIVING,
            "road": entity_id("RoadSegment", route[0] if inside and route else road),
            "lane": "" if inside else libsumo.vehicle.getLaneID(vehicle),
            "inside_junction": inside,
            "position_m": 0.0 if inside else round(libsumo.vehicle.getLanePosition(vehicle), 2),
            "speed_mps": round(max(libsumo.vehicle.getSpeed(vehicle), 0.0), 2),
            "lon": round(float(lon), DECIMALS),
            "lat": round(float(lat), DECIMALS),
            "route": [entity_id("RoadSegment", one) for one in route],
        }

    def _send(self, order: Order) -> tuple[str, Facts] | None:
        return self.send(order.entity_id, order.parameters)

    def send(self, vehicle_id: str, given: Facts) -> tuple[str, Facts] | None:
        """Put a vehicle on the road; why not, where it cannot. One that was sent already is not sent twice."""
        vehicle = _local(vehicle_id)
        if vehicle in self._sent:
            return None
        kind = given.get("kind")
        if kind not in TYPES:
            return "sumo.no_such_kind", {"kind": str(kind)}
        route = self._route(given)
        if isinstance(route, tuple):
            return route
        try:
            libsumo.route.add(vehicle, route)
            libsumo.vehicle.add(vehicle, vehicle, TYPE_PREFIX + kind, departLane="best")
        except libsumo.TraCIException as error:
            return "sumo.vehicle_refused", {"vehicle": vehicle_id, "detail": str(error)}
        self._sent[vehicle] = Sent(
            kind=kind,
            destination=entity_id("RoadSegment", route[-1]),
            mission=str(given.get("mission", "")),
            urgency=int(given.get("urgency", 0)),
            order=str(given.get("order", "")),
        )
        return None

    def _route(self, given: Facts) -> list[str] | tuple[str, Facts]:
        """The roads to drive, as SUMO names them: those given, or SUMO's fastest at this time."""
        wanted: Sequence[Any] = given.get("route") or [given.get("from_road"), given.get("to_road")]
        unknown = [road for road in wanted if road not in self._road_of]
        if unknown:
            return "sumo.no_such_road", {"road": str(unknown[0])}
        roads = [self._road_of[road] for road in wanted]
        if given.get("route"):
            return roads if self._hangs_together(roads) else ("sumo.route_broken", {})
        found = libsumo.simulation.findRoute(roads[0], roads[-1], TYPE_PREFIX + str(given["kind"]))
        return list(found.edges) or ("sumo.no_way", {"from": str(wanted[0]), "to": str(wanted[-1])})

    def _hangs_together(self, roads: Sequence[str]) -> bool:
        """SUMO ends the whole run when a vehicle cannot go on from one road of its route to the next."""
        return all(after in self._onward[road] for road, after in pairwise(roads))

    def _reroute(self, order: Order) -> tuple[str, Facts] | None:
        vehicle = _local(order.entity_id)
        if vehicle not in self._reporting:
            return "sumo.vehicle_not_under_way", {"vehicle": order.entity_id}
        roads = self._route({"route": order.parameters.get("route") or [""]})
        if isinstance(roads, tuple):
            return roads
        try:
            libsumo.vehicle.setRoute(vehicle, roads)
        except libsumo.TraCIException as error:
            return "sumo.vehicle_refused", {"vehicle": order.entity_id, "detail": str(error)}
        return None


def _local(vehicle_id: str) -> str:
    """SUMO's name of a vehicle. Those that orders send have URNs that need no decoding."""
    return vehicle_id.removeprefix("urn:ngsi-ld:Vehicle:")


def trips(path: Path, sent: Collection[str]) -> Mapping[str, Json]:
    """Of a tripinfo file: the trip of each vehicle that was sent, and the mean delay of all others."""
    found: dict[str, Json] = {}
    others, delay_s = 0, 0.0
    for _, element in ET.iterparse(path):
        if element.tag == "tripinfo":
            waited_s = max(float(element.get("departDelay", "0")), 0.0)
            if element.get("id", "") in sent:
                found[entity_id("Vehicle", element.get("id", ""))] = {
                    "arrived": float(element.get("arrival", "-1")) >= 0,
                    "time_s": float(element.get("duration", "0")) + waited_s,
                    "length_m": float(element.get("routeLength", "0")),
                }
            else:
                others += 1
                delay_s += float(element.get("timeLoss", "0")) + waited_s
        element.clear()
    return {"vehicles": found, "others_delay_s": delay_s / max(others, 1)}
