# SPDX-License-Identifier: Apache-2.0
"""What an emulated controller is told when it is set up: phases, rings, local plan. A JSON file, checked once."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from citybrain.kernel.errors import Invalid


class UnusableCabinet(Invalid):
    """The file of an emulated controller contradicts itself."""


class Phase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phase. `recall`: it is served without a call, for its least (min) or greatest (max) green."""

    number: int
    concurrent: tuple[int, ...] = ()
    min_green_s: int = 5
    max_green_s: int = 20
    yellow_s: float = 3.0
    red_clear_s: float = 2.0
    walk_s: int = 0
    ped_clear_s: int = 0
    recall: Literal["none", "min", "max"] = "min"
    ped_recall: bool = False
    dual_entry: bool = True


class Cabinet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of one controller. `rings` hold the phases in their order; `startup` is green first.

    With `backup_protect` no ring goes back to a phase before the one that is green while another ring stays green.
    `overlaps` are outputs that are green with any of several phases, in a cabinet of one ring.
    `patterns` give each phase its split: green and clearance in seconds. `local_pattern` runs by itself (254: free).
    """

    phases: tuple[Phase, ...]
    rings: tuple[tuple[int, ...], ...]
    startup: tuple[int, ...]
    backup_s: int = 20
    backup_protect: bool = False
    patterns: Mapping[str, Mapping[str, int]] = {}
    local_pattern: int = 254
    overlaps: tuple[tuple[int, ...], ...] = ()
    make: str = "citybrain"
    model: str = "emulated ASC"
    version: str = "1"
    read_community: str = "public"
    write_community: str = "public"

    def ring_of(self, phase: int) -> int:
        """The number of the ring, from 1."""
        return next(at for at, ring in enumerate(self.rings, start=1) if phase in ring)


def load(text: bytes) -> Cabinet:
    """Read and check a cabinet."""
    try:
        cabinet = msgspec.json.decode(text, type=Cabinet)
    except msgspec.DecodeError as error:
        raise UnusableCabinet("ntcip.cabinet_unusable", {"why": str(error)}) from error
    why = next(_faults(cabinet), None)
    if why is not None:
        raise UnusableCabinet("ntcip.cabinet_unusable", {"why": why})
    return cabinet


def _faults(cabinet: Cabinet) -> Iterator[str]:
    known = {phase.number: phase for phase in cabinet.phases}
    in_rings = [phase for ring in cabinet.rings for phase in ring]
    if sorted(in_rings) != sorted(known) or not all(1 <= number <= 64 for number in known):
        yield "rings and phases differ"
    yield from _bad_pairs(cabinet, known)
    if any(not set(overlap) <= set(known) for overlap in cabinet.overlaps):
        yield "overlaps"
    if cabinet.overlaps and len(cabinet.rings) > 1:
        yield "overlaps beside several rings"
    if not set(cabinet.startup) <= set(known):
        yield "startup"


def _bad_pairs(cabinet: Cabinet, known: Mapping[int, Phase]) -> Iterator[str]:
    for phase in cabinet.phases:
        for other in phase.concurrent:
            if other not in known or phase.number not in known[other].concurrent:
                yield f"concurrency of {phase.number} and {other}"
            elif cabinet.ring_of(other) == cabinet.ring_of(phase.number):
                yield f"{phase.number} and {other} share a ring"


def dual_ring(*, backup_s: int = 20, recall: Literal["none", "min", "max"] = "min") -> Cabinet:
    """The usual eight phases in two rings with a barrier between 1 2 5 6 and 3 4 7 8; through phases have walkers."""
    sides = ((1, 2, 5, 6), (3, 4, 7, 8))
    rings = ((1, 2, 3, 4), (5, 6, 7, 8))
    phases = tuple(
        Phase(
            number=number,
            concurrent=tuple(
                other
                for side in sides
                if number in side
                for other in side
                if not any({number, other} <= set(ring) for ring in rings)
            ),
            walk_s=4 if number % 2 == 0 else 0,
            ped_clear_s=4 if number % 2 == 0 else 0,
            recall=recall,
        )
        for number in range(1, 9)
    )
    patterns = {"1": {str(number): 12 if number % 2 else 20 for number in range(1, 9)}}
    return Cabinet(phases=phases, rings=rings, startup=(2, 6), backup_s=backup_s, patterns=patterns)
