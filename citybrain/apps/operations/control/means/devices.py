# SPDX-License-Identifier: Apache-2.0
"""Devices in the street that obey: signs, pumps, gates, barriers, lights, parking, cameras, sensors. Pure.

Types and attributes are those of the smart data models (Streetlight, Camera, OffStreetParking, Device); pumps, gates,
barriers and signs, for which these have none, are called `Pump`, `Valve`, `Barrier` and `VariableMessageSign`.
"""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from citybrain.apps.operations.control.means.acts import ACT, RELEASE, Act, Command, Verb, becomes, command
from citybrain.kernel.app import Effect, Means

LIGHTS = ("Streetlight", "StreetlightGroup", "StreetlightControlCabinet")
PARKING = ("OffStreetParking", "OnStreetParking", "ParkingGroup")
SNAPSHOT, MEASURED = "imageSnapshot", "dateObserved"


class SignText(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign shows: a few words that drivers can read."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class Pumping(msgspec.Struct, frozen=True, kw_only=True):
    """A pump runs or stands."""

    state: Literal["on", "off"]


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """How far a gate is open: 0 is shut, 1 is wide open."""

    opening: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Shut(msgspec.Struct, frozen=True, kw_only=True):
    """A barrier or an entry is open, or closed."""

    state: Literal["open", "closed"]


class Light(msgspec.Struct, frozen=True, kw_only=True):
    """Lamps are on, dimmed or off."""

    state: Literal["on", "low", "off"]


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """How bright lamps are: 1 is as bright as they can."""

    level: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Guidance(msgspec.Struct, frozen=True, kw_only=True):
    """What signs say of a car park."""

    show: Literal["free", "full", "closed"]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """Where a camera looks: pan and tilt in degrees, and how much it magnifies."""

    pan: Annotated[float, msgspec.Meta(ge=-180.0, le=360.0)]
    tilt: Annotated[float, msgspec.Meta(ge=-90.0, le=90.0)] = 0.0
    zoom: Annotated[float, msgspec.Meta(ge=1.0, le=40.0)] = 1.0


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing more to say: now, once."""


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """The attribute that a device decides for itself again."""

    attribute: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


def _anew(attribute: str, seconds: float) -> Effect:
    return Effect(attribute=attribute, becomes="changes", within=timedelta(seconds=seconds))


ACTS: tuple[Act, ...] = (
    command(
        "information.sign_text",
        Command(attribute="displayedText", parameter="text"),
        SignText,
        ("VariableMessageSign", "Device"),
        becomes("displayedText", "text"),
    ),
    command(
        "drainage.run_pump",
        Command(attribute="powerState", parameter="state"),
        Pumping,
        ("Pump", "Device"),
        becomes("powerState", "state"),
    ),
    command(
        "drainage.set_gate",
        Command(attribute="gateOpening", parameter="opening"),
        Gate,
        ("Valve", "Device"),
        becomes("gateOpening", "opening", seconds=300.0),
    ),
    command(
        "drainage.close_underpass",
        Command(attribute="barrierState", parameter="state"),
        Shut,
        ("Barrier", "Device"),
        becomes("barrierState", "state"),
    ),
    command(
        "lighting.switch",
        Command(attribute="powerState", parameter="state"),
        Light,
        LIGHTS,
        becomes("powerState", "state"),
    ),
    command(
        "lighting.set_level",
        Command(attribute="illuminanceLevel", parameter="level"),
        Level,
        LIGHTS,
        becomes("illuminanceLevel", "level"),
    ),
    command(
        "parking.set_guidance",
        Command(attribute="guidanceText", parameter="show"),
        Guidance,
        PARKING,
        becomes("guidanceText", "show"),
    ),
    command(
        "parking.set_entry",
        Command(attribute="entryState", parameter="state"),
        Shut,
        PARKING,
        becomes("entryState", "state"),
    ),
    command(
        "evidence.turn_camera",
        Command(attribute="cameraOrientation"),
        Turn,
        ("Camera",),
        _anew("cameraOrientation", 30.0),
    ),
    command(
        "evidence.snapshot",
        Command(attribute=SNAPSHOT),
        Once,
        ("Camera",),
        _anew(SNAPSHOT, 30.0),
        lasts=False,
    ),
    command(
        "evidence.measure_again",
        Command(attribute=MEASURED),
        Once,
        (
            "Device",
            "AirQualityObserved",
            "NoiseLevelObserved",
            "WaterObserved",
            "WaterLevelObserved",
            "WeatherObserved",
            "FloodMonitoring",
        ),
        _anew(MEASURED, 120.0),
        lasts=False,
    ),
    Act(
        means=Means(
            name=RELEASE,
            permission=ACT,
            parameters=Release,
            undone_by="",
            group="devices",
            effect=Effect(attribute="desired", becomes="ordered", within=timedelta(seconds=60)),
            precondition="operations.before_device",
        ),
        how=Verb(name="release"),
    ),
)
