# SPDX-License-Identifier: Apache-2.0
"""From what a controller says of itself to its stages, and from a wish to the commands that bring it about."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.doors.ntcip import phasing
from citybrain.doors.ntcip.cabinet import Cabinet, dual_ring
from citybrain.doors.ntcip.capability import Capability, PhaseFacts
from citybrain.doors.ntcip.ring import Walkers
from citybrain.doors.ntcip.tests.watching import Shown, faults
from citybrain.doors.ntcip.unit import Controls, Unit

STAGES = ((1, 5), (1, 6), (2, 5), (2, 6), (3, 7), (3, 8), (4, 7), (4, 8))
ALL = ("hold", "force_off", "omit", "call", "plan", "back_up")
BEAT = 10
"""Tenths of seconds between two commands."""


def facts(cabinet: Cabinet) -> list[PhaseFacts]:
    return [
        PhaseFacts(
            number=phase.number,
            min_green_s=phase.min_green_s,
            max_green_s=phase.max_green_s,
            yellow_s=phase.yellow_s,
            all_red_s=phase.red_clear_s,
            walk_s=phase.walk_s,
            ped_clear_s=phase.ped_clear_s,
            ring=cabinet.ring_of(phase.number),
            concurrent=frozenset(phase.concurrent),
        )
        for phase in cabinet.phases
    ]


def capability(cabinet: Cabinet, *, can: Sequence[str] = ALL) -> Capability:
    phases = facts(cabinet)
    conflicting = phasing.conflicts(phases)
    return Capability(
        maker="",
        version="",
        phases=tuple(phases),
        stages=phasing.stages(cabinet.rings, conflicting),
        conflicts=conflicting,
        intergreen_s=phasing.intergreen_s(phases),
        rings=cabinet.rings,
        can=frozenset(can),
        backup_s=20,
        max_phases=8,
        channels=8,
    )


def drive(unit: Unit, known: Capability, stage: tuple[int, ...], beats: int) -> list[Shown]:
    """Command the stage again and again, as a client does that looks between."""
    shown: list[Shown] = []
    for _ in range(beats):
        green = {phase for phase, lamp in unit.lamps().items() if lamp == "G"}
        walking = unit.walkers(Walkers.WALK) | unit.walkers(Walkers.CLEAR)
        command = phasing.steer(known, stage, green, green - walking)
        unit.controls = Controls(
            hold=command.hold,
            force_off=command.force_off,
            omit=command.omit,
            call=command.call,
            pattern=254 if command.free else 0,
        )
        unit.commanded()
        for _ in range(BEAT):
            unit.tick()
            shown.append((unit.now, unit.lamps()))
    return shown


def greens(unit: Unit) -> tuple[int, ...]:
    return tuple(sorted(phase for phase, lamp in unit.lamps().items() if lamp == "G"))


def test_the_usual_eight_phases_have_eight_stages_and_their_conflicts() -> None:
    known = capability(dual_ring())
    assert known.stages == STAGES
    assert len(known.conflicts) == 2 * (28 - 8)
    assert all((b, a) in known.conflicts for a, b in known.conflicts)
    assert known.intergreen_s[2, 4] == 5.0
    assert (2, 6) not in known.intergreen_s


def test_phases_that_do_not_name_each_other_both_ways_conflict() -> None:
    one, two = facts(dual_ring())[0], facts(dual_ring())[4]
    assert phasing.may_run_together(one, two)
    assert not phasing.may_run_together(one, msgspec.structs.replace(two, concurrent=frozenset()))
    assert not phasing.may_run_together(one, msgspec.structs.replace(two, ring=1)), "phases of one ring never do"


def test_a_controller_with_too_many_combinations_lists_none() -> None:
    assert phasing.stages([range(16 * ring + 1, 16 * ring + 17) for ring in range(5)], frozenset()) == ()


def test_the_command_holds_what_is_wanted_and_forces_off_only_what_is_ready() -> None:
    command = phasing.steer(capability(dual_ring()), (4, 8), {2, 6}, {2})
    assert command.hold == command.call == {4, 8}
    assert command.force_off == {2}
    assert command.omit == {1, 2, 3, 5, 6, 7}
    bare = phasing.steer(capability(dual_ring(), can=("hold", "force_off")), (4, 8), {2, 6}, {2, 6})
    assert not bare.omit | bare.call
    assert not bare.free
    assert bare.force_off == {2, 6}


@pytest.mark.parametrize("first", STAGES)
@pytest.mark.parametrize("then", STAGES)
def test_every_stage_leads_to_every_other_and_stays(first: tuple[int, ...], then: tuple[int, ...]) -> None:
    """Least green and clearance of what was green, then at most one change: 20 s are plenty."""
    cabinet = dual_ring()
    unit, known = Unit(cabinet), capability(cabinet)
    shown = drive(unit, known, first, 30)
    assert greens(unit) == first
    shown += drive(unit, known, then, 20)
    assert greens(unit) == then
    later = drive(unit, known, then, 60)
    assert {tuple(lamps.values()) for _, lamps in later} == {tuple(unit.lamps().values())}
    assert faults(cabinet, shown + later) == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_controller_that_cannot_omit_comes_there_through_what_it_serves(stage: tuple[int, ...]) -> None:
    cabinet = dual_ring()
    unit, known = Unit(cabinet), capability(cabinet, can=("hold", "force_off"))
    shown = drive(unit, known, stage, 120)
    assert greens(unit) == stage
    assert faults(cabinet, shown) == []


@pytest.mark.parametrize("first", STAGES)
@pytest.mark.parametrize("then", STAGES)
def test_no_ring_goes_back_beside_a_green_one_unless_it_may(first: tuple[int, ...], then: tuple[int, ...]) -> None:
    cabinet = msgspec.structs.replace(dual_ring(), backup_protect=True)
    unit, known = Unit(cabinet), capability(cabinet, can=ALL[:-1])
    shown = drive(unit, known, first, 120)
    assert greens(unit) == first
    shown += drive(unit, known, then, 120)
    assert greens(unit) == then
    assert faults(cabinet, shown) == []


def test_the_sides_of_the_barrier_are_what_is_concurrent() -> None:
    assert phasing.sides(facts(dual_ring())) == (frozenset({1, 2, 5, 6}), frozenset({3, 4, 7, 8}))
    lone = [msgspec.structs.replace(phase, concurrent=frozenset()) for phase in facts(dual_ring())]
    assert len(phasing.sides(lone)) == 8


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STAGES), st.integers(1, 15)), max_size=15))
def test_no_order_of_wishes_shows_anything_wrong_and_the_last_one_comes_about(
    wishes: list[tuple[tuple[int, ...], int]],
) -> None:
    cabinet = dual_ring(recall="max")
    unit, known = Unit(cabinet), capability(cabinet)
    shown: list[Shown] = []
    for stage, beats in wishes:
        shown += drive(unit, known, stage, beats)
    shown += drive(unit, known, (4, 8), 45)
    assert greens(unit) == (4, 8)
    assert faults(cabinet, shown) == []
