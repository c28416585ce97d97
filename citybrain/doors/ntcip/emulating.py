# SPDX-License-Identifier: Apache-2.0
"""A cabinet for the emulator after a signal of the city: one phase per stage in one ring, and overlaps. Pure."""

from pathlib import Path

import msgspec

from citybrain.doors.ntcip.cabinet import Cabinet, Phase
from citybrain.kernel.controllers.emulating import BACKUP_S, HOST, Blueprint, Made


def emulate(signal: Blueprint, path: Path, port: int) -> Made:
    """A controller after a signal, whose time passes when it is told so at the next port."""
    arguments = ("--port", str(port), "--control", str(port + 1), "--plan", str(path), "--stepped")
    return Made(
        plan=msgspec.json.encode(cabinet_of(signal)),
        lamps=channels_of(signal),
        mapped={"host": HOST, "port": port, "version": "v2c", "stages": stages_of(signal)},
        arguments=("citybrain.doors.ntcip.emulator", *arguments),
    )


def cabinet_of(signal: Blueprint, *, backup_s: int = BACKUP_S) -> Cabinet:
    """Phase n + 1 is stage n, so all phases conflict; a group of lamps that several stages show is an overlap of them.

    The local plan is the signal's own, each stage once, in the order of the ring.
    """
    order = tuple(dict.fromkeys(stage for stage, _ in signal.cycle))
    ring = tuple(stage + 1 for stage in (*order, *(at for at in range(len(signal.stages)) if at not in order)))
    greens = {stage: seconds for stage, seconds in reversed(signal.cycle)}
    splits = {
        str(stage + 1): greens.get(stage, signal.min_green_s[stage]) + signal.change_s
        for stage in range(len(signal.stages))
    }
    phases = tuple(
        Phase(
            number=stage + 1,
            min_green_s=signal.min_green_s[stage],
            max_green_s=max(60, greens.get(stage, 0)),
            yellow_s=signal.yellow_s,
            red_clear_s=signal.all_red_s,
            # Its detectors are the city's: a phase is called by the centre, or by the local plan.
            recall="none",
            dual_entry=False,
        )
        for stage in range(len(signal.stages))
    )
    return Cabinet(
        phases=phases,
        rings=(ring,),
        startup=ring[:1],
        backup_s=backup_s,
        patterns={"1": splits},
        local_pattern=1,
        overlaps=tuple(tuple(sorted(stage + 1 for stage in shown)) for shown in _shared(signal)),
        model="emulated after a signal",
    )


def channels_of(signal: Blueprint) -> tuple[int, ...]:
    """The channel of each lamp: that of its stage's phase, or that of its overlap; 0 where it is never green."""
    shared = _shared(signal)
    channels = [
        len(signal.stages) + shared.index(shown) + 1 if shown in shared else min(shown) + 1 for shown in signal.green_in
    ]
    return tuple(channels[group - 1] if group else 0 for group in signal.group_of)


def stages_of(signal: Blueprint) -> tuple[tuple[int], ...]:
    """The stages as sets of phases."""
    return tuple((stage + 1,) for stage in range(len(signal.stages)))


def _shared(signal: Blueprint) -> list[frozenset[int]]:
    return list(dict.fromkeys(shown for shown in signal.green_in if len(shown) > 1))
