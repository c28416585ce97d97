# SPDX-License-Identifier: Apache-2.0
"""The junction that an emulated controller stands at: read from a file, refused when it contradicts itself. Pure."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from citybrain.doors.gbt20999.facts import LampGroup, Phase, Plan, Stage
from citybrain.kernel.errors import Invalid

CROSSING = Path(__file__).with_name("crossing.json")
"""A made-up crossing of two roads with a left turn and a pedestrians' crossing."""


class UnusableSite(Invalid):
    """No such junction can be: the facts say why."""


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A junction. `intergreen_s` has (from, to, seconds) for phases that conflict; else the yellow is enough.

    `transitions` has (from, to, constraint) for changes between stages that are not free.
    """

    maker: str = "citybrain emulator"
    serial: str = "0"
    junction: int = 1
    lamp_groups: tuple[LampGroup, ...]
    phases: tuple[Phase, ...]
    stages: tuple[Stage, ...]
    conflicts: tuple[tuple[int, int], ...]
    intergreen_s: tuple[tuple[int, int, float], ...] = ()
    transitions: tuple[tuple[int, int, int], ...] = ()
    plans: tuple[Plan, ...]
    detectors: int = 0

    def phase(self, number: int) -> Phase:
        """The phase of a number."""
        return next(phase for phase in self.phases if phase.number == number)

    def stage(self, number: int) -> Stage | None:
        """The stage of a number, None where there is none."""
        return next((stage for stage in self.stages if stage.number == number), None)

    def plan(self, number: int) -> Plan | None:
        """The plan of a number, None where there is none."""
        return next((plan for plan in self.plans if plan.number == number), None)

    def conflict(self, one: int, other: int) -> bool:
        """Whether two phases may not be green together."""
        return (one, other) in self.conflicts or (other, one) in self.conflicts

    def between_s(self, one: int, other: int) -> float:
        """From the end of green of one phase to the begin of green of another that conflicts with it."""
        told = [seconds for a, b, seconds in self.intergreen_s if (a, b) == (one, other)]
        return max([float(self.phase(one).yellow_s), *told])


def load(path: Path) -> Site:
    """Read a junction (JSON)."""
    try:
        site = msgspec.json.decode(path.read_bytes(), type=Site)
    except (OSError, msgspec.DecodeError) as error:
        raise UnusableSite("gbt20999.site_unusable", {"path": str(path), "why": str(error)}) from error
    why = next(_faults(site), None)
    if why is not None:
        raise UnusableSite("gbt20999.site_unusable", {"path": str(path), "why": why})
    return site


def _faults(site: Site) -> Iterator[str]:
    if not site.plans or not site.stages:
        yield "no plan"
    yield from _bad_stages(site)
    known = {phase.number for phase in site.phases}
    for one, other, seconds in site.intergreen_s:
        if not {one, other} <= known or seconds < site.phase(one).yellow_s:
            yield f"intergreen {one} {other}"
    stages = {stage.number for stage in site.stages}
    for plan in site.plans:
        if not plan.steps or {step.stage for step in plan.steps} - stages:
            yield f"plan {plan.number}"


def _bad_stages(site: Site) -> Iterator[str]:
    known = {phase.number for phase in site.phases}
    for stage in site.stages:
        if stage.phases - known or not stage.phases:
            yield f"stage {stage.number}: no such phase"
        if any(site.conflict(one, other) for one in stage.phases for other in stage.phases):
            yield f"stage {stage.number}: conflict"
