# SPDX-License-Identifier: Apache-2.0
"""The means of plans on request: timetables, green waves, priority for buses, and the end of each."""

from citybrain.apps.traffic.control.plans.buses import BUS_PRIORITY, END_BUS_PRIORITY, EndBusPriority, GiveBusPriority
from citybrain.apps.traffic.control.plans.requested import END_PLAN, RUN_PLAN, EndPlan, RunPlan
from citybrain.apps.traffic.control.plans.wave import END_GREEN_WAVE, GREEN_WAVE, EndGreenWave, RunGreenWave
from citybrain.apps.traffic.model import SIGNAL
from citybrain.kernel.app import Means

PERMISSION = "traffic.control"

PAIRS = (
    (RUN_PLAN, RunPlan, END_PLAN, EndPlan),
    (GREEN_WAVE, RunGreenWave, END_GREEN_WAVE, EndGreenWave),
    (BUS_PRIORITY, GiveBusPriority, END_BUS_PRIORITY, EndBusPriority),
)
"""Each lasts until it is ended or expires; its end takes no parameters."""

PLAN_MEANS = tuple(
    means
    for begin, parameters, end, nothing in PAIRS
    for means in (
        Means(
            name=begin,
            permission=PERMISSION,
            parameters=parameters,
            undone_by=end,
            undo=lambda _: {},
            lasts=True,
            entity_types=(SIGNAL,),
        ),
        Means(name=end, permission=PERMISSION, parameters=nothing, undone_by=begin, entity_types=(SIGNAL,)),
    )
)
