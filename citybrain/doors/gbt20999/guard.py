# SPDX-License-Identifier: Apache-2.0
"""What is never asked of a controller, whoever wishes it: judged by what the controller said of itself. Pure."""

from citybrain.doors.gbt20999.capability import Capability, Seen
from citybrain.kernel.controllers.outstation import ACCEPTED, Answer, Mode, refused

LONGEST_WISH_S = 300.0
"""A wish is renewed long before; one that would stand for longer is a mistake of whoever wishes."""


def judge(capability: Capability, stage: int, for_s: float) -> Answer:
    """Whether the controller could show this stage at all, and for so long."""
    if not 0 <= stage < len(capability.stages) or not capability.stages[stage]:
        return refused("gbt20999.no_such_stage", stage=stage, stages=len(capability.stages))
    pair = first_conflict(capability, stage)
    if pair is not None:
        return refused("gbt20999.stage_conflicts", stage=stage, one=pair[0], other=pair[1])
    least_s = capability.min_green_s(stage)
    if not least_s <= for_s <= LONGEST_WISH_S:
        return refused("gbt20999.wish_out_of_range", for_s=for_s, least_s=least_s, longest_s=LONGEST_WISH_S)
    return ACCEPTED


def first_conflict(capability: Capability, stage: int) -> tuple[int, int] | None:
    """The first two phases of a stage that conflict, None when none do."""
    phases = capability.stages[stage]
    return next(
        ((one, other) for one in phases for other in phases if one < other and (one, other) in capability.conflicts),
        None,
    )


def in_other_hands(seen: Seen) -> Answer | None:
    """A controller that flashes, is dark, all red, or has somebody at its panel is left alone."""
    is_special = seen.mode in (Mode.FLASH, Mode.ALL_RED, Mode.OFF)
    return _others_have_it(seen) if is_special else at_the_panel(seen)


def at_the_panel(seen: Seen) -> Answer | None:
    """Whoever stands at the cabinet sees what the centre does not."""
    return _others_have_it(seen) if seen.is_manual else None


def _others_have_it(seen: Seen) -> Answer:
    return refused("gbt20999.in_other_hands", mode=seen.mode.value, run_mode=f"0x{seen.run_mode:02X}")


def no_way(capability: Capability, seen: Seen, stage: int) -> Answer | None:
    """A change that the controller's own table does not allow from what is shown, or only by another stage."""
    if seen.stage is None or seen.stage == stage:
        return None
    constraint = capability.transitions.get((seen.stage, stage), 0)
    if not constraint:
        return None
    via = capability.place(constraint)
    if via is None:
        return refused("gbt20999.no_way", stage=stage, shown=seen.stage)
    return refused("gbt20999.only_by_stage", stage=stage, shown=seen.stage, via=via)


def may_change(capability: Capability, seen: Seen) -> bool:
    """The least green of what is shown is over; in the middle of a change it is not."""
    return seen.stage is not None and seen.stage_age_s >= capability.min_green_s(seen.stage)
