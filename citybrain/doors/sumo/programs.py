# SPDX-License-Identifier: Apache-2.0
"""SUMO's own traffic-responsive programs, made of the shipped plan of a signal: its phases, in its order."""

import libsumo

from citybrain.doors.sumo.cabinet import PlanPhase, SignalPlan, is_change

MAX_GREEN_S = 50.0
"""Longest green of a stage, or its shipped time where that is longer (SUMO's default for actuated signals: 50 s)."""

TYPES = {"actuated": libsumo.TRAFFICLIGHT_TYPE_ACTUATED, "delay_based": libsumo.TRAFFICLIGHT_TYPE_DELAYBASED}
"""`actuated` ends a green at a gap of 3 s in its traffic, `delay_based` when nobody who lost 1 s still comes."""


def install(signal: str, program: str, plan: SignalPlan) -> None:
    """Let a signal run SUMO's own `program` from now on.

    A stage lasts from the plan's least green (5 s where it names none) to `MAX_GREEN_S`; all other phases keep their
    shipped time, yellow that of the cabinet.
    """
    phases = [_phase(phase, plan) for phase in plan.plan]
    logic = libsumo.trafficlight.Logic(program, TYPES[program], 0, phases)
    libsumo.trafficlight.setProgramLogic(signal, logic)


def _phase(phase: PlanPhase, plan: SignalPlan) -> libsumo.trafficlight.Phase:
    if phase.state in plan.stages:
        least_s = plan.min_green_s[plan.stages.index(phase.state)]
        most_s = max(MAX_GREEN_S, phase.duration_s, least_s)
        return libsumo.trafficlight.Phase(min(max(phase.duration_s, least_s), most_s), phase.state, least_s, most_s)
    # Only the option of RESCO's yellow makes the cabinet's shorter than the plan's.
    length_s = min(phase.duration_s, plan.yellow_s) if is_change(phase.state) else phase.duration_s
    return libsumo.trafficlight.Phase(length_s, phase.state, length_s, length_s)
