# SPDX-License-Identifier: Apache-2.0
"""What a simulated city does differently from the shipped one: demand, plans, timing, and faults of its sensors."""

from typing import Annotated, Literal

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class OptionsBroken(Invalid):
    """The options of an opening cannot be read."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of an opening. The defaults are the city as its files ship it, seen without fault.

    `demand` multiplies the traffic (SUMO's `--scale`). `program`: what the signals run where nobody orders: their
    shipped plan, SUMO's gap-based `actuated` or time-loss-based `delay_based` control. `yellow`: the plan's own, or
    3 s everywhere as in RESCO's published runs. `sensors`: positions of vehicles (video, radar), or counts and
    occupancy only (loops). `missed` of the vehicles are not seen, places are wrong by `noise_m` (standard deviation),
    `dead` of the detectors report nothing.
    """

    demand: Annotated[float, msgspec.Meta(gt=0.0, le=10.0)] = 1.0
    program: Literal["shipped", "actuated", "delay_based"] = "shipped"
    yellow: Literal["shipped", "resco"] = "shipped"
    sensors: Literal["tracks", "loops"] = "tracks"
    missed: Share = 0.0
    noise_m: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    dead: Share = 0.0


def options(given: Facts) -> Options:
    """Read the options of an opening; refuses what is unknown or out of range with the place of it."""
    try:
        return msgspec.convert(dict(given), Options)
    except msgspec.ValidationError as error:
        raise OptionsBroken("sumo.options_broken", {"detail": str(error)}) from error
