# SPDX-License-Identifier: Apache-2.0
"""What each means of traffic promises, and where people look for it: a table beside what the means are. Pure."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from citybrain.kernel.app import Becomes, Effect, Means, Where

SIGNALS, MISSIONS = "signals", "missions"
BEFORE_SIGNAL, BEFORE_VEHICLE = "traffic.before_signal", "traffic.before_vehicle"


def _effect(
    attribute: str, becomes: Becomes, minutes: float, *, value: float | str | None = None, on: Where = "entity"
) -> Effect:
    return Effect(attribute=attribute, becomes=becomes, value=value, on=on, within=timedelta(minutes=minutes))


# Group, precondition and effect. `ordered` where the outcome itself is the proof: the signal's guard has shown it.
PROMISES: Mapping[str, tuple[str, str, Effect]] = {
    "traffic.set_stage": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "changes", 2)),
    "traffic.set_control_mode": (SIGNALS, BEFORE_SIGNAL, _effect("controlMode", "is", 1, value="{mode}")),
    "traffic.release": (SIGNALS, BEFORE_SIGNAL, _effect("controlMode", "is", 1, value="plan")),
    "traffic.set_mode": (SIGNALS, BEFORE_SIGNAL, _effect("controlMode", "ordered", 1)),
    "traffic.lock": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.unlock": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.hold": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.end_hold": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.run_plan": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "changes", 5)),
    "traffic.end_plan": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.green_wave": (SIGNALS, BEFORE_SIGNAL, _effect("averageVehicleSpeed", "rises", 15, on="road")),
    "traffic.end_green_wave": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.bus_priority": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.end_bus_priority": (SIGNALS, BEFORE_SIGNAL, _effect("signalState", "ordered", 2)),
    "traffic.dispatch": (MISSIONS, BEFORE_VEHICLE, _effect("location", "ordered", 2)),
    "traffic.cancel_mission": (MISSIONS, BEFORE_VEHICLE, _effect("location", "ordered", 2)),
    "traffic.send_vehicle": (MISSIONS, BEFORE_VEHICLE, _effect("location", "ordered", 2)),
    "traffic.reroute_vehicle": (MISSIONS, BEFORE_VEHICLE, _effect("location", "ordered", 2)),
}


def promised(means: Means) -> Means:
    """A means with what it promises."""
    group, precondition, effect = PROMISES[means.name]
    return msgspec.structs.replace(means, group=group, precondition=precondition, effect=effect)
