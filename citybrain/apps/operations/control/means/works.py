# SPDX-License-Identifier: Apache-2.0
"""What works, offices and venues are asked to do: drainage, lighting, supply, crowds, air and noise. Pure."""

from typing import Annotated, Literal

import msgspec

from citybrain.apps.operations.control.means.acts import ACCEPTED, DONE, ON_SITE, RECALL, Act, Task, task
from citybrain.apps.operations.control.means.parameters import Asked, Lasting, Minutes, Name, Note

DRAINAGE, LIGHTING, SUPPLY = "operations_drainage", "operations_lighting", "operations_supply"
PLACES, ENVIRONMENT, PARKING = "operations_places", "operations_environment", "operations_parking"
COMMUNICATIONS = "operations_communications"
RESTORE_POWER, RESTORE_GAS, RESTORE_WATER = "power.restore", "gas.restore", "water.restore"


class Isolate(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be cut off: a feeder, a section, a building; and why it must be."""

    section: Name
    task: Note = ""


class Basin(msgspec.Struct, frozen=True, kw_only=True):
    """The level to which a basin or river is lowered before rain, in metres."""

    level_m: Annotated[float, msgspec.Meta(ge=-20.0, le=5000.0)]
    task: Note = ""


class Shed(msgspec.Struct, frozen=True, kw_only=True):
    """How much load is to be taken off, in megawatts, and for how long."""

    megawatts: Annotated[float, msgspec.Meta(gt=0.0, le=10_000.0)]
    minutes: Minutes
    task: Note = ""


class Generator(msgspec.Struct, frozen=True, kw_only=True):
    """An emergency generator of so many kilowatts."""

    kilowatts: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    task: Note = ""


class Capacity(msgspec.Struct, frozen=True, kw_only=True):
    """So many people at most are inside; the others wait outside."""

    people: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    minutes: Minutes = 60
    task: Note = ""


class Guide(msgspec.Struct, frozen=True, kw_only=True):
    """Where people are led, and by which way."""

    to_place: Name
    way: Note = ""


class Shelter(msgspec.Struct, frozen=True, kw_only=True):
    """A shelter is opened for so many people."""

    people: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    task: Note = ""


class Guards(msgspec.Struct, frozen=True, kw_only=True):
    """So many more people keep order."""

    number: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 10
    minutes: Minutes = 120
    task: Note = ""


class Restrict(msgspec.Struct, frozen=True, kw_only=True):
    """Which vehicles do not drive here, and for how long."""

    what: Literal["lorries", "diesel", "construction", "odd_even"]
    minutes: Minutes
    task: Note = ""


class Throttle(msgspec.Struct, frozen=True, kw_only=True):
    """By how many percent a plant lowers what it emits, and for how long."""

    percent: Annotated[int, msgspec.Meta(ge=1, le=100)]
    minutes: Minutes
    task: Note = ""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What is sampled."""

    what: Literal["air", "water", "noise", "soil"]
    task: Note = ""


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """So many more places are opened for cars."""

    places: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    minutes: Minutes = 240
    task: Note = ""


# Means, role, type of case, parameters, priority, minutes, the step to be reached by then.
_WORKS: tuple[tuple[str, str, str, type[msgspec.Struct], int, int, float], ...] = (
    ("parking.open_reserve", "parking", PARKING, Reserve, 3, 30, ON_SITE),
    ("parking.waive_fee", "parking", PARKING, Lasting, 4, 30, ACCEPTED),
    ("drainage.lower_basin", "water", DRAINAGE, Basin, 2, 30, ACCEPTED),
    ("drainage.guard_manhole", "water", DRAINAGE, Asked, 1, 30, ON_SITE),
    ("drainage.clear_drain", "drains", DRAINAGE, Asked, 2, 60, ON_SITE),
    ("lighting.landscape_off", "lighting", LIGHTING, Lasting, 4, 30, ACCEPTED),
    ("lighting.repair", "lighting", LIGHTING, Asked, 3, 1440, DONE),
    ("power.generator", "power", SUPPLY, Generator, 1, 60, ON_SITE),
    ("gas.search_leak", "gas", SUPPLY, Asked, 1, 30, ON_SITE),
    (RESTORE_POWER, "power", SUPPLY, Isolate, 2, 60, DONE),
    (RESTORE_GAS, "gas", SUPPLY, Isolate, 2, 240, DONE),
    (RESTORE_WATER, "water", SUPPLY, Isolate, 2, 240, DONE),
    ("places.limit_capacity", "venues", PLACES, Capacity, 1, 10, ON_SITE),
    ("places.close_entrance", "venues", PLACES, Lasting, 1, 10, ON_SITE),
    ("places.one_way_crowd", "police", PLACES, Lasting, 1, 15, ON_SITE),
    ("places.guide_evacuation", "venues", PLACES, Guide, 1, 5, ON_SITE),
    ("places.open_shelter", "shelters", PLACES, Shelter, 1, 60, ON_SITE),
    ("places.add_guards", "police", PLACES, Guards, 2, 30, ON_SITE),
    ("environment.sprinkle", "sanitation", ENVIRONMENT, Lasting, 3, 60, ON_SITE),
    ("environment.fog_cannon", "sanitation", ENVIRONMENT, Lasting, 3, 60, ON_SITE),
    ("environment.restrict_traffic", "traffic_police", ENVIRONMENT, Restrict, 2, 60, ACCEPTED),
    ("environment.stop_earthwork", "construction", ENVIRONMENT, Lasting, 2, 60, ACCEPTED),
    ("environment.stop_noise", "city_management", ENVIRONMENT, Asked, 3, 60, ON_SITE),
    ("environment.sample", "environment", ENVIRONMENT, Sample, 2, 90, ON_SITE),
    ("communications.satellite_car", "telecommunications", COMMUNICATIONS, Asked, 1, 90, ON_SITE),
    ("communications.base_station", "telecommunications", COMMUNICATIONS, Asked, 1, 120, ON_SITE),
)

# The same for what two persons must order, and the means that undoes it: what was cut off is switched on by an order.
_BY_TWO: tuple[tuple[str, str, str, type[msgspec.Struct], int, int, float, str], ...] = (
    ("power.isolate", "power", SUPPLY, Isolate, 1, 15, DONE, RESTORE_POWER),
    ("power.shed_load", "power", SUPPLY, Shed, 1, 15, ACCEPTED, RECALL),
    ("gas.isolate", "gas", SUPPLY, Isolate, 1, 15, DONE, RESTORE_GAS),
    ("water.shut_main", "water", SUPPLY, Isolate, 1, 30, DONE, RESTORE_WATER),
    ("places.suspend_event", "police", PLACES, Asked, 1, 15, ACCEPTED, RECALL),
    ("environment.throttle_plant", "environment", ENVIRONMENT, Throttle, 2, 60, ACCEPTED, RECALL),
)

ACTS: tuple[Act, ...] = (
    *(
        task(name, Task(role=role, type=type, priority=priority), parameters, minutes, reaches=reaches)
        for name, role, type, parameters, priority, minutes, reaches in _WORKS
    ),
    *(
        task(
            name,
            Task(role=role, type=type, priority=priority, by_two=True),
            parameters,
            minutes,
            reaches=reaches,
            undone_by=undone_by,
        )
        for name, role, type, parameters, priority, minutes, reaches, undone_by in _BY_TWO
    ),
)
