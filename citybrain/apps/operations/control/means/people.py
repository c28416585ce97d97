# SPDX-License-Identifier: Apache-2.0
"""People and vehicles that are sent to a place: each a case for those who send them. Pure."""

from typing import Annotated, Literal

import msgspec

from citybrain.apps.operations.control.means.acts import Act, Task, task
from citybrain.apps.operations.control.means.parameters import Id, Note, Number, Send

PEOPLE = "operations_people"


class SendFire(msgspec.Struct, frozen=True, kw_only=True):
    """Fire engines for a fire, a rescue or what leaked out; what for is asked first."""

    kind: Literal["fire", "rescue", "leak"]
    number: Number = 2
    unit: Id = ""
    task: Note = ""


class SendAmbulance(Send, frozen=True, kw_only=True):
    """Ambulances for so many people hurt."""

    hurt: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1


class SendTow(Send, frozen=True, kw_only=True):
    """Tow trucks that can take such a vehicle."""

    vehicle_class: Literal["car", "lorry", "bus"] = "car"


class SendPump(Send, frozen=True, kw_only=True):
    """Pump trucks that lift so much water in an hour together."""

    m3_per_h: Annotated[int, msgspec.Meta(ge=50, le=20_000)] = 1000


class SendCrane(Send, frozen=True, kw_only=True):
    """Cranes that lift so many tonnes."""

    tonnes: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 25


class SendSupplies(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be brought, and for how many people."""

    what: Literal["food", "blankets", "tents", "sandbags", "medicine", "fuel"]
    for_people: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    task: Note = ""


# Means, role, parameters, priority, minutes to be on site. The times are the duty officer's mark for "nobody came",
# not a promise of any service; a city changes them with its case types.
_SENT: tuple[tuple[str, str, type[msgspec.Struct], int, int], ...] = (
    ("people.send_police", "police", Send, 1, 15),
    ("people.send_traffic_police", "traffic_police", Send, 1, 15),
    ("people.send_ambulance", "ambulance", SendAmbulance, 1, 15),
    ("people.send_fire", "fire", SendFire, 1, 10),
    ("people.send_hazmat", "hazmat", Send, 1, 30),
    ("people.send_boat", "water_rescue", Send, 1, 40),
    ("people.send_tow", "tow", SendTow, 2, 30),
    ("people.send_crane", "crane", SendCrane, 2, 60),
    ("people.send_pump", "pump", SendPump, 1, 45),
    ("people.send_road_maintenance", "roads", Send, 2, 45),
    ("people.send_salt_truck", "roads", Send, 2, 60),
    ("people.send_tree_crew", "parks", Send, 2, 60),
    ("people.send_city_management", "city_management", Send, 3, 45),
    ("people.send_sanitation", "sanitation", Send, 3, 60),
    ("people.send_signal_repair", "signal_repair", Send, 2, 60),
    ("people.send_power_crew", "power", Send, 2, 60),
    ("people.send_gas_crew", "gas", Send, 1, 30),
    ("people.send_water_crew", "water", Send, 2, 60),
    ("people.send_water_truck", "water", Send, 3, 120),
    ("people.send_supplies", "supplies", SendSupplies, 2, 90),
)

ACTS: tuple[Act, ...] = tuple(
    task(name, Task(role=role, type=PEOPLE, priority=priority), parameters, minutes)
    for name, role, parameters, priority, minutes in _SENT
)
