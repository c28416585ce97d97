# SPDX-License-Identifier: Apache-2.0
"""Everything the door `sumo` gives the city."""

from datetime import timedelta
from pathlib import Path

from citybrain.doors.sumo import fleet, obeying, scenario, streets
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.floating import FLOATING_CARS, PROBES
from citybrain.doors.sumo.host import HostedSumoField
from citybrain.doors.sumo.importing.formats import IMPORTERS
from citybrain.doors.sumo.sent import KEPT_EVERY, SENT
from citybrain.kernel.app import Attribute, Door, EntityType, Keep

HALF_A_MINUTE = timedelta(seconds=30)


def _number(name: str, unit: str) -> Attribute:
    return Attribute(name=name, unit=unit, keep=Keep.EVERY, every=HALF_A_MINUTE)


def _word(name: str) -> Attribute:
    return Attribute(name=name, keep=Keep.CHANGE)


ENTITY_TYPES = (
    EntityType(
        name="RoadSegment",
        attributes=(
            _number("averageVehicleSpeed", "km/h"),
            _number("vehicleCount", "veh"),
            Attribute(name=PROBES, keep=Keep.NEVER),
        ),
    ),
    EntityType(name="RoadLane"),
    EntityType(
        name=fleet.FLEET,
        attributes=(
            *(Attribute(name=name, keep=Keep.NEVER) for name in ("fleet", "crews", FLOATING_CARS)),
            Attribute(name=SENT, keep=Keep.EVERY, every=KEPT_EVERY),
        ),
    ),
    EntityType(name="RoadJunction"),
    EntityType(name="TrafficSignalController", attributes=(_word("signalState"), _word("controlMode"))),
    EntityType(
        name="TrafficDetector",
        attributes=(
            _number("vehicleCount", "veh"),
            _number("averageVehicleSpeed", "km/h"),
            _number("occupancy", ""),
            _number("queueLength", "m"),
            _number("advanceCount", "veh"),
            _number("advanceOccupancy", ""),
            Attribute(name="tracks", keep=Keep.NEVER),
        ),
    ),
)

DOOR = Door(
    name="sumo",
    folder=Path(__file__).parent,
    entity_types=ENTITY_TYPES,
    executes=obeying.MEANS,
    plays=tuple(streets.PLAYED),
    scenarios=scenario.installed,
    find=scenario.find,
    open=SumoField,
    host=HostedSumoField,
    importers=IMPORTERS,
)
