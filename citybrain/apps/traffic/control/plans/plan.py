# SPDX-License-Identifier: Apache-2.0
"""A fixed plan for one or more signals, when it runs, and what it shows at a given second."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from citybrain.apps.traffic.model import Junction
from citybrain.kernel.cases.worktime import is_workday
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts

LONGEST_CYCLE_S = 180.0
"""RiLSA 2015 asks for cycles of at most 120 s; a special event may stretch that, but nobody waits for ever."""

Seconds = Annotated[float, msgspec.Meta(gt=0.0, le=LONGEST_CYCLE_S)]


class PlanBroken(Invalid):
    """A plan that cannot run at these signals."""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """One green of a plan: the number of the signal's stage, and how long it is green."""

    stage: int
    green_s: Seconds


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of one signal. `offset_s`: when in the cycle the green of the first phase begins."""

    signal_id: str
    phases: tuple[Phase, ...]
    offset_s: float = 0.0


class When(msgspec.Struct, frozen=True, kw_only=True):
    """A span of the day on some days: ISO weekdays (1 is Monday), or working days and days off as China observes them.

    `until` is not included; a span that ends before it begins goes on past midnight.
    """

    days: Literal["any", "workdays", "restdays"] | tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...] = "any"
    begins: time = time(0, 0)
    until: time = time(0, 0)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Timings that run in step: every signal has the same cycle, counted from the same moment."""

    name: str
    timings: Annotated[tuple[Timing, ...], msgspec.Meta(min_length=1)]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a plan, and where: the number of the signal in it, of the phase there, and the field."""

    code: str
    facts: Facts
    timing: int | None = None
    phase: int | None = None
    field: str = ""


def check(plan: Plan, junctions: Mapping[str, Junction]) -> None:
    """Refuse a plan that names unknown signals or stages, a green below its least, or cycles that differ."""
    for fault in faults(plan, junctions):
        raise PlanBroken(fault.code, fault.facts)


def faults(plan: Plan, junctions: Mapping[str, Junction]) -> Iterator[Fault]:
    """All that is wrong with a plan."""
    cycles: dict[str, float] = {}
    for at, timing in enumerate(plan.timings):
        junction = junctions.get(timing.signal_id)
        if junction is None:
            broken = PlanBroken("traffic.plan_signal_unknown", {"signal": timing.signal_id})
            yield _fault(broken, "signal_id", timing=at)
            continue
        if len(timing.phases) < 2:
            broken = PlanBroken("traffic.plan_too_short", {"signal": timing.signal_id})
            yield _fault(broken, "phases", timing=at)
        for number, phase in enumerate(timing.phases):
            if wrong := _fault_of(phase, junction, timing.signal_id):
                yield replace(wrong, timing=at, phase=number)
        cycles[timing.signal_id] = round(cycle_s(timing, junction.change_s), 1)
    if len(set(cycles.values())) > 1:
        told = ", ".join(f"{signal}: {seconds} s" for signal, seconds in cycles.items())
        yield _fault(PlanBroken("traffic.plan_cycles_differ", {"cycles": told}), "cycle")
    longest_s = max(cycles.values(), default=0.0)
    if longest_s > LONGEST_CYCLE_S:
        facts = {"cycle_s": longest_s, "longest_s": LONGEST_CYCLE_S}
        yield _fault(PlanBroken("traffic.plan_cycle_too_long", facts), "cycle")


def _fault_of(phase: Phase, junction: Junction, signal_id: str) -> Fault | None:
    if not 0 <= phase.stage < len(junction.stages):
        facts: Facts = {"signal": signal_id, "stage": phase.stage, "stages": len(junction.stages)}
        return _fault(PlanBroken("traffic.plan_stage_unknown", facts), "stage")
    least_s = junction.min_green_s[phase.stage]
    if phase.green_s < least_s:
        facts = {"signal": signal_id, "stage": phase.stage, "green_s": phase.green_s, "least_s": least_s}
        return _fault(PlanBroken("traffic.plan_green_too_short", facts), "green_s")
    return None


def _fault(broken: PlanBroken, field: str, *, timing: int | None = None) -> Fault:
    return Fault(code=broken.code, facts=broken.facts, timing=timing, field=field)


def cycle_s(timing: Timing, change_s: float) -> float:
    """Greens and the changes between them."""
    return sum(phase.green_s + change_s for phase in timing.phases)


def stage_at(timing: Timing, change_s: float, now_s: float) -> int:
    """The stage to wish for at `now_s` (seconds since 1970): the next one as soon as the green before it is over."""
    at_s = (now_s - timing.offset_s + change_s) % cycle_s(timing, change_s)
    for phase in timing.phases:
        at_s -= change_s + phase.green_s
        if at_s < 0.0:
            return phase.stage
    return timing.phases[-1].stage


def runs(when: When, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the span holds at a time; the part after midnight belongs to the day on which it began."""
    local = at.astimezone(zone)
    now = local.time()
    if when.begins == when.until:
        return _is_day(when, local)
    if when.begins < when.until:
        return when.begins <= now < when.until and _is_day(when, local)
    if now >= when.begins:
        return _is_day(when, local)
    return now < when.until and _is_day(when, local, days_back=1)


def _is_day(when: When, local: datetime, days_back: int = 0) -> bool:
    day = local.date() - timedelta(days=days_back)
    if when.days == "any":
        return True
    if isinstance(when.days, tuple):
        return day.isoweekday() in when.days
    return is_workday(day) == (when.days == "workdays")
