# SPDX-License-Identifier: Apache-2.0
"""The emulated controller: whatever is commanded, it shows what its cabinet allows, and it finds its way back."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.doors.ntcip import objects
from citybrain.doors.ntcip.cabinet import Cabinet, Phase, UnusableCabinet, dual_ring, load
from citybrain.doors.ntcip.tests.watching import Shown, faults
from citybrain.doors.ntcip.unit import Controls, Running, Unit

some = st.frozensets(st.integers(1, 8), max_size=8)
commands = st.builds(
    Controls,
    omit=some,
    ped_omit=some,
    hold=some,
    force_off=some,
    call=some,
    ped_call=some,
    pattern=st.sampled_from([0, 1, 2, 254, 255]),
)

# One ring of five phases; and three rings without a clean barrier, which may starve a phase but must stay safe.
SINGLE = Cabinet(
    phases=tuple(Phase(number=n, recall="min") for n in range(1, 6)), rings=((1, 2, 3, 4, 5),), startup=(1,)
)
LOPSIDED = Cabinet(
    phases=(
        Phase(number=1, concurrent=(4,)),
        Phase(number=2, concurrent=(4, 5)),
        Phase(number=3),
        Phase(number=4, concurrent=(1, 2, 6)),
        Phase(number=5, concurrent=(2,)),
        Phase(number=6, concurrent=(4,)),
    ),
    rings=((1, 2, 3), (4, 5), (6,)),
    startup=(1, 4),
)
CABINETS = [dual_ring(), dual_ring(recall="max"), dual_ring(recall="none", backup_s=5), SINGLE, LOPSIDED]


def run(unit: Unit, tenths: int) -> list[Shown]:
    """What it showed at every tenth of a second."""
    shown: list[Shown] = []
    for _ in range(tenths):
        unit.tick()
        shown.append((unit.now, unit.lamps()))
    return shown


def greens(unit: Unit) -> set[int]:
    return {phase for phase, lamp in unit.lamps().items() if lamp == "G"}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CABINETS), st.lists(st.tuples(st.integers(1, 150), commands), max_size=8))
def test_no_command_at_any_time_shows_a_conflict_or_cuts_a_time_short(
    cabinet: Cabinet, told: list[tuple[int, Controls]]
) -> None:
    unit = Unit(cabinet)
    shown = run(unit, 70)
    for tenths, controls in told:
        unit.controls = msgspec.structs.replace(controls)
        unit.commanded()
        shown += run(unit, tenths)
    assert faults(cabinet, shown) == []
    assert unit.running is not Running.FAULT


@pytest.mark.parametrize("cabinet", [dual_ring(), dual_ring(recall="max"), SINGLE])
def test_left_alone_every_phase_with_recall_is_served(cabinet: Cabinet) -> None:
    unit = Unit(cabinet)
    shown = run(unit, 2_000)
    assert {phase for _, lamps in shown for phase, lamp in lamps.items() if lamp == "G"} == unit.phases.keys()
    assert faults(cabinet, shown) == []


def test_nobody_calling_the_green_rests_and_a_call_beyond_the_barrier_ends_it() -> None:
    unit = Unit(dual_ring(recall="none"))
    run(unit, 600)
    assert greens(unit) == {2, 6}
    unit.called.add(4)
    run(unit, 60)
    assert greens(unit) == {4, 8}, "8 enters beside 4, as it has dual entry"


def test_the_ring_that_is_ready_waits_for_the_other_at_the_barrier() -> None:
    cabinet = dual_ring(recall="none")
    unit = Unit(cabinet)
    shown = run(unit, 100)
    unit.controls = Controls(hold=frozenset({6}), force_off=frozenset({2}), call=frozenset({4, 8}))
    unit.commanded()
    shown += run(unit, 100)
    assert greens(unit) == {2, 6}
    unit.controls = Controls(force_off=frozenset({2, 6}), call=frozenset({4, 8}))
    unit.commanded()
    shown += run(unit, 60)
    assert greens(unit) == {4, 8}
    assert faults(cabinet, shown) == []


def test_a_force_off_is_over_when_its_green_is() -> None:
    unit = Unit(dual_ring())
    run(unit, 115)
    unit.controls.force_off = frozenset(greens(unit))
    unit.commanded()
    run(unit, 20)
    assert not unit.controls.force_off


def test_without_a_command_for_the_back_up_time_every_control_is_gone() -> None:
    unit = Unit(dual_ring(backup_s=10))
    run(unit, 70)
    unit.controls = Controls(hold=frozenset({2, 6}))
    unit.commanded()
    run(unit, 99)
    assert unit.status == objects.CONTROL_SYSTEM
    assert greens(unit) == {2, 6}
    run(unit, 1)
    assert unit.status == objects.CONTROL_BACKUP
    assert unit.controls.are_idle()
    run(unit, 200)
    assert greens(unit) != {2, 6}


def test_a_back_up_time_of_0_never_ends() -> None:
    unit = Unit(dual_ring(backup_s=0))
    unit.controls = Controls(hold=frozenset({2, 6}))
    unit.commanded()
    run(unit, 3_000)
    assert greens(unit) == {2, 6}


def test_a_called_flash_is_entered_through_red_and_left_through_red() -> None:
    cabinet = dual_ring()
    unit = Unit(cabinet)
    run(unit, 70)
    unit.controls.pattern = objects.PATTERN_FLASH
    unit.commanded()
    shown = run(unit, 150)
    assert unit.flash == objects.FLASH_AUTOMATIC
    before = next(lamps for t, lamps in reversed(shown) if "F" not in lamps.values())
    assert set(before.values()) == {"R"}
    unit.controls.pattern = objects.PATTERN_STANDBY
    unit.commanded()
    run(unit, 61)
    assert greens(unit) == {2, 6}


def test_a_pattern_gives_each_phase_its_split_and_an_unknown_one_runs_free() -> None:
    unit = Unit(dual_ring())
    unit.controls.pattern = 1
    unit.commanded()
    unit.backup_s = 0
    shown = run(unit, 1_500)
    lasted = [t for t, lamps in shown if lamps[4] == "G"]
    assert len([t for t in lasted if t < lasted[0] + 300]) == 150, "split 20 s less 3 s of yellow and 2 s of red"
    unit.controls.pattern = 77
    assert unit.pattern == objects.PATTERN_FREE


def test_the_monitor_makes_the_unit_flash_when_lamps_conflict_until_it_is_reset() -> None:
    unit = Unit(dual_ring())
    run(unit, 100)
    unit.force_conflict([2, 8])
    run(unit, 1)
    assert unit.flash == objects.FLASH_MMU
    run(unit, 500)
    assert unit.flash == objects.FLASH_MMU
    unit.reset()
    run(unit, 61)
    assert greens(unit) == {2, 6}


def test_the_checker_sees_what_it_is_for() -> None:
    red = dict.fromkeys(range(1, 9), "R")
    cabinet = dual_ring()
    assert faults(cabinet, [(0, red), (1, red | {2: "G", 4: "G"})]) == ["1: 2 and 4 together"]
    assert faults(cabinet, [(0, red | {2: "G"}), (10, red | {2: "Y"})]) == ["10: 2 green for 10"]
    assert faults(cabinet, [(0, red | {2: "G"}), (50, red | {2: "Y"}), (60, red)]) == ["60: 2 yellow for 10"]
    early = [(0, red | {2: "G"}), (50, red | {2: "Y"}), (80, red), (90, red | {4: "G"})]
    assert faults(cabinet, early) == ["90: 4 green 10 after 2"]


def test_a_cabinet_that_contradicts_itself_is_refused() -> None:
    lone = Cabinet(phases=(Phase(number=1, concurrent=(2,)), Phase(number=2)), rings=((1,), (2,)), startup=())
    shared = Cabinet(
        phases=(Phase(number=1, concurrent=(2,)), Phase(number=2, concurrent=(1,))), rings=((1, 2),), startup=()
    )
    for cabinet in (lone, shared, msgspec.structs.replace(SINGLE, rings=((1, 2),))):
        with pytest.raises(UnusableCabinet):
            load(msgspec.json.encode(cabinet))
    assert load(msgspec.json.encode(dual_ring())) == dual_ring()
