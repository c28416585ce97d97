# SPDX-License-Identifier: Apache-2.0
"""What a simulated city does differently from the shipped one: demand, plans, timing, and faults of its sensors."""

from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec

from citybrain.doors.sumo.floating import ACCURACY_M
from citybrain.doors.sumo.outside import Outside
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts, Json

FOREVER_S = 1e9

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class OptionsBroken(Invalid):
    """The options of an opening cannot be read."""


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Detectors that lie for a while: one by its name (`signal:role:lane`), or a share of all, drawn by the seed.

    `dark`: nothing is reported. `frozen`: the last report again and again. `jumping`: vehicles at random places.
    `contradictory`: the count says many, while nobody is seen. Times are seconds since the scenario's begin.
    """

    kind: Literal["dark", "frozen", "jumping", "contradictory"]
    detector: str = ""
    share: Share = 0.0
    from_s: float = 0.0
    until_s: float = FOREVER_S


IncidentKind = Literal[
    "crash",
    "breakdown",
    "stopped",
    "illegal_parking",
    "lane_closure",
    "closure",
    "dark_signal",
    "sensor_dark",
    "sensor_frozen",
    "sensor_jumping",
    "sensor_contradictory",
    "surge",
    "wrong_way",
]

ALL_KINDS: tuple[IncidentKind, ...] = get_args(IncidentKind)


Minutes = Annotated[float, msgspec.Meta(gt=0.0, le=10_000.0)]


class Incident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong: where, by the net's own names, and when, in seconds since the scenario's begin.

    `at` is the share of the road's length where a vehicle comes to stand; `lane` counts from the right, and below 0 is
    any. `per_hour` is how many vehicles a surge adds, all of which start on the road.
    """

    kind: IncidentKind
    road: str = ""
    lane: int = -1
    at: Share = 0.5
    signal: str = ""
    detector: str = ""
    begin_s: Annotated[float, msgspec.Meta(ge=0.0)] = 300.0
    duration_s: Annotated[float, msgspec.Meta(gt=0.0)] = 900.0
    per_hour: Annotated[float, msgspec.Meta(ge=0.0, le=7200.0)] = 600.0


class Draw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Incidents by chance: `per_hour` of them in the mean, of these kinds alike, on roads by their traffic.

    `minutes` says of a kind from how long to how long it lasts when nobody comes, where that is to be other than usual.
    """

    seed: int = 1
    per_hour: Annotated[float, msgspec.Meta(gt=0.0, le=600.0)] = 6.0
    kinds: Annotated[tuple[IncidentKind, ...], msgspec.Meta(min_length=1)] = ALL_KINDS
    from_s: Annotated[float, msgspec.Meta(ge=0.0)] = 300.0
    minutes: dict[IncidentKind, tuple[Minutes, Minutes]] = {}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of an opening. The defaults are the city as its files ship it, seen without fault.

    `demand` multiplies the traffic (SUMO's `--scale`). `program`: what the signals run where nobody orders: their
    shipped plan, SUMO's gap-based `actuated` or time-loss-based `delay_based` control. `yellow`: the plan's own, or
    3 s everywhere as in RESCO's published runs. `sensors`: positions of vehicles (video, radar), or counts and
    occupancy only (loops). `missed` of the vehicles are not seen, places are wrong by `noise_m` (standard deviation),
    `dead` of the detectors report nothing, floating cars say where they are with an error of `floating_m` east and
    north alike (standard deviation), and `faults` are those that come and go.
    The lamps of the signals in `outside` are shown by controllers outside. From a saved state on, drivers go on as they
    would have; with another number of `dice` than 0 chance falls differently from there.
    A `branch` is a saved run that somebody thinks on: it foresees nothing that will go wrong, nor when it will be over.
    """

    demand: Annotated[float, msgspec.Meta(gt=0.0, le=10.0)] = 1.0
    program: Literal["shipped", "actuated", "delay_based"] = "shipped"
    yellow: Literal["shipped", "resco"] = "shipped"
    sensors: Literal["tracks", "loops"] = "tracks"
    missed: Share = 0.0
    noise_m: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    dead: Share = 0.0
    floating_m: Annotated[float, msgspec.Meta(gt=0.0)] = ACCURACY_M
    faults: tuple[Fault, ...] = ()
    outside: tuple[Outside, ...] = ()
    incidents: tuple[Incident, ...] | Draw = ()
    dice: Annotated[int, msgspec.Meta(ge=0)] = 0
    branch: bool = False


def options(given: Facts) -> Options:
    """Read the options of an opening; refuses what is unknown or out of range with the place of it.

    `incidents` may also be how many there are per hour, or JSON, or the path of a file of it, as people type it.
    """
    try:
        wanted = {"incidents": _typed(given["incidents"])} if "incidents" in given else {}
        return msgspec.convert({**given, **wanted}, Options)
    except (msgspec.ValidationError, msgspec.DecodeError, OSError) as error:
        raise OptionsBroken("sumo.options_broken", {"detail": str(error)}) from error


def _typed(incidents: Json) -> Json:
    if isinstance(incidents, str):
        text = incidents.strip()
        if not text.startswith(("{", "[")) and not text.replace(".", "", 1).isdigit():
            text = Path(text).expanduser().read_text()
        incidents = msgspec.json.decode(text)
    return {"per_hour": incidents} if isinstance(incidents, int | float) else incidents
