# SPDX-License-Identifier: Apache-2.0
"""Rings, barriers and stages: which phases may be green together, and which commands bring a stage about. Pure."""

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import combinations, product

import msgspec

from citybrain.doors.ntcip.capability import Capability, PhaseFacts

MAX_COMBINATIONS = 100_000


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Phases under each system control; all that are not named are free of it.

    `free` asks for free operation, so that no coordination of the controller's own ends what is held. With `red_rest`
    rings that serve nobody rest in red; with `flash` the unit flashes.
    """

    hold: frozenset[int] = frozenset()
    force_off: frozenset[int] = frozenset()
    omit: frozenset[int] = frozenset()
    call: frozenset[int] = frozenset()
    free: bool = False
    red_rest: bool = False
    flash: bool = False


NOTHING = Command()
"""Takes every control back: the controller's own plan goes on."""


def may_run_together(one: PhaseFacts, other: PhaseFacts) -> bool:
    """Each names the other as concurrent, and they are of different rings (NTCIP 1202 v02, 2.2.2.23)."""
    return one.ring != other.ring and other.number in one.concurrent and one.number in other.concurrent


def conflicts(phases: Sequence[PhaseFacts]) -> frozenset[tuple[int, int]]:
    """All pairs, both ways round, that may never be green together."""
    return frozenset(
        (a.number, b.number) for a, b in product(phases, repeat=2) if a is not b and not may_run_together(a, b)
    )


def intergreen_s(phases: Sequence[PhaseFacts]) -> Mapping[tuple[int, int], float]:
    """From the end of one green to the begin of a conflicting one: yellow and red clearance of the first."""
    return {
        (a.number, b.number): a.yellow_s + a.all_red_s
        for a, b in product(phases, repeat=2)
        if a is not b and not may_run_together(a, b)
    }


def stages(rings: Sequence[Sequence[int]], conflicting: Set[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """All greatest sets of phases, at most one of each ring, without a conflict, in the order of the rings.

    A controller with too many of them to list has none here; a mapping names the few that count.
    """
    total = 1
    for ring in rings:
        total *= len(ring) + 1
    if total > MAX_COMBINATIONS:
        return ()
    sets = [
        frozenset(phase for phase in chosen if phase)
        for chosen in product(*((*ring, 0) for ring in rings))
        if first_conflict([phase for phase in chosen if phase], conflicting) is None
    ]
    greatest = [each for each in dict.fromkeys(sets) if each and not any(each < other for other in sets)]
    return tuple(tuple(sorted(each)) for each in greatest)


def first_conflict(phases: Iterable[int], conflicting: Set[tuple[int, int]]) -> tuple[int, int] | None:
    """Two of these phases that may never be green together; None when all may."""
    return next((pair for pair in combinations(sorted(phases), 2) if pair in conflicting), None)


def stage_shown(stages: Sequence[tuple[int, ...]], green: Set[int]) -> int | None:
    """The first stage whose phases are all green and no others are."""
    return next((at for at, stage in enumerate(stages) if frozenset(stage) == green), None)


def sides(phases: Sequence[PhaseFacts]) -> tuple[frozenset[int], ...]:
    """The sides of the barriers: phases that are concurrent, directly or by others."""
    found: list[frozenset[int]] = []
    around = {phase.number: {phase.number, *phase.concurrent} for phase in phases}
    for phase in phases:
        side = {phase.number}
        while grown := frozenset(n for each in side for n in around.get(each, ())) - side:
            side |= grown
        found.append(frozenset(side))
    return tuple(dict.fromkeys(found))


def steer(capability: Capability, stage: Sequence[int], green: Set[int], ready: Set[int]) -> Command:
    """The controls that lead to `stage` and keep it, whatever is green now.

    What is wanted is called and held, so that it stays once it is there. What is green beside it is forced off as soon
    as it is `ready` (its least times are over). All else is omitted, so that the controller does not serve it on the
    way. The barrier is the controller's own: where a ring must wait for another one, both are forced off, and it
    crosses when both have ended.

    A ring whose wanted phase lies before the one that is green, on the same side, must go back. Where the controller
    may not (left-turn trap, "backup protect"), or cannot omit, nothing is held or omitted until all rings have gone
    round, at the least times of what is called.
    """
    wanted = frozenset(stage)
    others = frozenset(phase.number for phase in capability.phases) - wanted
    goes_round = not {"omit", "back_up"} <= capability.can and _must_go_back(capability, wanted, green)
    held = frozenset() if goes_round else wanted
    return Command(
        hold=held,
        force_off=frozenset(green & ready) - held,
        omit=others if "omit" in capability.can and not goes_round else frozenset(),
        call=wanted if "call" in capability.can else frozenset(),
        free="plan" in capability.can,
    )


def all_red(capability: Capability, green: Set[int], ready: Set[int]) -> Command:
    """What brings red about for everybody: nobody is served any more, and who may end ends."""
    everybody = frozenset(phase.number for phase in capability.phases)
    return Command(force_off=frozenset(green & ready), omit=everybody, red_rest=True, free="plan" in capability.can)


def _must_go_back(capability: Capability, wanted: Set[int], green: Set[int]) -> bool:
    """A ring shows a phase that comes after its wanted one on the same side."""
    return any(
        ring.index(one) > ring.index(other)
        for side in sides(capability.phases)
        for ring in capability.rings
        for one in green & side & set(ring)
        for other in wanted & side & set(ring)
    )
