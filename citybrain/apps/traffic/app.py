# SPDX-License-Identifier: Apache-2.0
"""Everything the traffic app gives the city."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from citybrain.apps.traffic.api.junctions import ROUTES
from citybrain.apps.traffic.api.missions import ROUTES as MISSION_ROUTES
from citybrain.apps.traffic.api.past import PAST_ROUTES
from citybrain.apps.traffic.api.plans import PLAN_ROUTES
from citybrain.apps.traffic.control.judge import BRAIN_WORSE
from citybrain.apps.traffic.control.locks import END_HOLD, HOLD, LOCK, UNLOCK, EndHold, Hold, Lock, Unlock
from citybrain.apps.traffic.control.missions.means import MEANS as MISSION_MEANS
from citybrain.apps.traffic.control.missions.means import PERMISSION as MAY_DISPATCH
from citybrain.apps.traffic.control.missions.model import MISSION
from citybrain.apps.traffic.control.modes import DEFAULT, SET_MODE
from citybrain.apps.traffic.control.plans.means import PERMISSION as CONTROL
from citybrain.apps.traffic.control.plans.means import PLAN_MEANS
from citybrain.apps.traffic.control.promises import promised
from citybrain.apps.traffic.control.signals import RELEASE, SET_STAGE, SignalControl
from citybrain.apps.traffic.detect.at_signals import SENSOR_DOUBTED, SPILLBACK, spillback
from citybrain.apps.traffic.detect.closed import ROAD_CLOSED, SURGE
from citybrain.apps.traffic.detect.congestion import CONGESTION, Congestion
from citybrain.apps.traffic.detect.dark import SIGNAL_DARK
from citybrain.apps.traffic.detect.incidents import MERGES, Incidents
from citybrain.apps.traffic.detect.stops import BLOCKED_LANE, ILLEGAL_PARKING, STOPPED_VEHICLE
from citybrain.apps.traffic.detect.wrong_way import SAME, SENSES, WRONG_WAY, WrongWay
from citybrain.apps.traffic.index import RoadLevels
from citybrain.apps.traffic.jobs import running
from citybrain.apps.traffic.measure.figures import TrafficMeasure
from citybrain.apps.traffic.model import SIGNAL
from citybrain.kernel.app import App, Indicator, Means

OWNER = "traffic"
RESCO = "RESCO: Ault & Sharon, NeurIPS 2021 Datasets and Benchmarks"
AMAP = "AMAP (高德)"
GB_T_33171 = "GB/T 33171-2016"
SET_CONTROL_MODE = "traffic.set_control_mode"


class SetStage(msgspec.Struct, frozen=True, kw_only=True):
    """Show stage number `stage` of the cabinet; the guard in the cabinet makes yellow, all-red and minimum green."""

    stage: int


class SetControlMode(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides at a signal: the brain, or the shipped plan."""

    mode: Literal["brain", "plan"]


class SetMode(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides at a junction: the brain, the shipped plan on purpose, or the plan while the brain only compares
    (`shadow`); `default` is what the junction began with."""

    mode: Literal["shadow", "brain", "plan", "default"]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Go back to the shipped plan at once, from what is shown, until the next order."""


def _at_signal(name: str, parameters: type[msgspec.Struct], undone_by: str) -> Means:
    return Means(name=name, permission=CONTROL, parameters=parameters, undone_by=undone_by, entity_types=(SIGNAL,))


def _held(name: str, parameters: type[msgspec.Struct], undone_by: str) -> Means:
    """It stands for its minutes, also over a restart, and ends only what it began."""
    return replace(
        _at_signal(name, parameters, undone_by),
        lasts=True,
        lasts_for=lambda asked: timedelta(minutes=asked["minutes"]),
        undo=lambda order: {"only": order.id},
    )


MEANS = (
    Means(
        name=SET_STAGE,
        permission=CONTROL,
        parameters=SetStage,
        undone_by=SET_CONTROL_MODE,
    ),
    replace(
        _at_signal(SET_CONTROL_MODE, SetControlMode, SET_CONTROL_MODE),
        undo=lambda _: {"mode": "brain"},
        lasts=True,
    ),
    _at_signal(RELEASE, Release, SET_STAGE),
    replace(
        _at_signal(SET_MODE, SetMode, SET_MODE),
        undo=lambda _: {"mode": DEFAULT},
        lasts=True,
    ),
    replace(_held(LOCK, Lock, UNLOCK), two_person=True),
    _held(HOLD, Hold, END_HOLD),
    _at_signal(UNLOCK, Unlock, LOCK),
    _at_signal(END_HOLD, EndHold, HOLD),
    *MISSION_MEANS,
    *PLAN_MEANS,
)

APP = App(
    name="traffic",
    folder=Path(__file__).parent,
    detectors=(Congestion, spillback, Incidents, WrongWay),
    merges=(*MERGES, SAME),
    senses=SENSES,
    deciders=(SignalControl,),
    measures=(TrafficMeasure,),
    shows=(RoadLevels,),
    means=tuple(map(promised, MEANS)),
    executes=tuple(sorted(SignalControl(()).means)),
    indicators=(
        Indicator(name="traffic.delay", unit="s/veh", owner=OWNER, source=RESCO),
        Indicator(name="traffic.travel_time", unit="s", owner=OWNER, source=RESCO),
        Indicator(name="traffic.arrived", unit="veh", owner=OWNER, source=RESCO, lower_is_better=False),
        Indicator(name="traffic.delay_index", unit="", owner=OWNER, source=AMAP),
        Indicator(name="traffic.tpi", unit="", owner=OWNER, source=f"{GB_T_33171}, 7.2.2.2, C"),
        Indicator(name="traffic.congested_share", unit="%", owner=OWNER, source=GB_T_33171),
    ),
    kinds=(
        CONGESTION,
        SPILLBACK,
        SENSOR_DOUBTED,
        BLOCKED_LANE,
        ILLEGAL_PARKING,
        STOPPED_VEHICLE,
        SIGNAL_DARK,
        ROAD_CLOSED,
        SURGE,
        WRONG_WAY,
        BRAIN_WORSE,
        MISSION,
    ),
    routes=(
        *ROUTES,
        *MISSION_ROUTES,
        *PAST_ROUTES,
        *PLAN_ROUTES,
    ),
    opens=running,
    permissions={CONTROL: ("operator",), MAY_DISPATCH: ("operator",)},
)
