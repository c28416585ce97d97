# SPDX-License-Identifier: Apache-2.0
"""A junction for the emulator after a signal of the city: one phase and lamp group per group of lamps. Pure."""

from pathlib import Path

import msgspec

from citybrain.doors.gbt20999.facts import LampGroup, Phase, Plan, Stage, Step
from citybrain.doors.gbt20999.site import Site
from citybrain.doors.gbt20999.values import Lamp, LampGroupType
from citybrain.kernel.controllers.emulating import BACKUP_S, HOST, Blueprint, Made

MAX_GREEN_S = 180

UNHEARD = f"{HOST}:9"
"""Where nobody listens: lamps are told to whoever lets the time pass."""


def emulate(signal: Blueprint, path: Path, port: int) -> Made:
    """A controller after a signal, whose time passes when it is told so at the next port."""
    arguments = ("--port", str(port), "--faults-port", str(port + 1), "--plan", str(path), "--stepped")
    quiet = ("--backup-s", str(BACKUP_S), "--lamps", UNHEARD)
    return Made(
        plan=msgspec.json.encode(site_of(signal)),
        lamps=signal.group_of,
        mapped={"address": f"tcp://{HOST}:{port}", "backup_s": BACKUP_S, "stops": True},
        arguments=("citybrain.doors.gbt20999.emulator", *arguments, *quiet),
    )


def site_of(signal: Blueprint) -> Site:
    """Stage n + 1 is the signal's stage n. Phases that no stage shows together conflict; a group of lamps that gives
    way in some stages and need not in others has a phase for each, or a green that need not would end beside others.

    A phase is green for at least the longest least green of its stages, so no stage is cut short. The plan is the
    signal's own.
    """
    phases = _phases(signal)
    conflicts = tuple(
        (one, other)
        for one, (group, mine) in enumerate(phases, start=1)
        for other, (another, theirs) in enumerate(phases, start=1)
        if one < other and group != another and not mine & theirs
    )
    between_s = signal.yellow_s + signal.all_red_s
    return Site(
        maker="citybrain, after a signal",
        lamp_groups=tuple(
            LampGroup(number=number, type=LampGroupType.VEHICLES) for number in range(1, len(signal.letters) + 1)
        ),
        phases=tuple(_phase(signal, number, *each) for number, each in enumerate(phases, start=1)),
        stages=tuple(
            Stage(
                number=stage + 1,
                phases=frozenset(number for number, (_, shown) in enumerate(phases, start=1) if stage in shown),
            )
            for stage in range(len(signal.stages))
        ),
        conflicts=conflicts,
        intergreen_s=tuple((*way, between_s) for pair in conflicts for way in (pair, (pair[1], pair[0]))),
        plans=(_plan(signal),),
    )


def _phases(signal: Blueprint) -> list[tuple[int, frozenset[int]]]:
    """The group of lamps of each phase, and the stages that show it."""
    return [
        (group, stages)
        for group, letters in enumerate(signal.letters, start=1)
        for green in "Gg"
        if (stages := frozenset(at for at, letter in enumerate(letters) if letter == green))
    ]


def _phase(signal: Blueprint, number: int, group: int, stages: frozenset[int]) -> Phase:
    return Phase(
        number=number,
        lamp_groups=frozenset({group}),
        lose=((Lamp.YELLOW, signal.yellow_s),),
        gain=(),
        min_green_s=max(signal.min_green_s[stage] for stage in stages),
        max_green_s=MAX_GREEN_S,
    )


def _plan(signal: Blueprint) -> Plan:
    return Plan(
        number=1,
        junction=1,
        cycle_s=min(sum(seconds + signal.change_s for _, seconds in signal.cycle), 65_535),
        offset_s=0,
        coordinated=0,
        steps=tuple(Step(stage + 1, seconds + signal.change_s) for stage, seconds in signal.cycle),
    )
