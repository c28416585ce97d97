# SPDX-License-Identifier: Apache-2.0
"""CityFlow's phases become a plan that clears the junction between any two of them."""

from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.sumo.importing.phases import plan, stages
from citybrain.doors.sumo.importing.roadnet import Phase

FREE = 0


def phases(*given: tuple[float, list[int]]) -> list[Phase]:
    return [Phase(time=time, available_road_links=turns) for time, turns in given]


def nobody(_one: int, _other: int) -> bool:
    return False


def test_a_clearance_that_the_file_shows_once_comes_between_all_phases() -> None:
    cycle = stages(phases((5, [0]), (30, [0, 1]), (20, [0, 2])))
    shown = plan(cycle, 3, nobody)
    assert [(one.state, one.duration_s) for one in shown] == [
        ("GGr", 30), ("Gyr", 3), ("Grr", 2), ("GrG", 20), ("Gry", 3), ("Grr", 2),
    ]  # fmt: skip


def test_clearances_of_the_file_s_own_keep_their_times() -> None:
    cycle = stages(phases((30, [0]), (3, []), (20, [1]), (7, [])))
    assert [one.clearance_s for one in cycle] == [3, 7]
    assert [one.duration_s for one in plan(cycle, 2, nobody)] == [30, 3, 20, 3, 4]


def test_phases_without_any_clearance_get_one() -> None:
    assert [one.clearance_s for one in stages(phases((30, [0]), (20, [1])))] == [5, 5]


def test_a_turn_that_goes_on_in_the_next_phase_stays_green() -> None:
    shown = plan(stages(phases((30, [0, 1]), (20, [1, 2]), (20, [2]))), 3, nobody)
    assert [one.state for one in shown][:4] == ["GGr", "yGr", "rGr", "rGG"]


def test_who_yields_is_shown_a_small_g() -> None:
    shown = plan(stages(phases((30, [0, 1]), (20, [1]))), 2, lambda one, other: (one, other) == (1, 0))
    assert shown[0].state == "Gg"
    assert "rG" in [one.state for one in shown], "alone it goes before all"


def test_a_signal_that_shows_nobody_anything_has_no_stages() -> None:
    assert stages([]) == []
    assert stages(phases((0, [0, 1]))) == []


def test_one_phase_is_shown_for_ever() -> None:
    assert [(one.state, one.duration_s) for one in plan(stages(phases((30, [0, 1]))), 2, nobody)] == [("GG", 30)]


CYCLES = st.lists(st.tuples(st.floats(0, 90), st.lists(st.integers(0, 5), max_size=6, unique=True)), max_size=8)


@given(CYCLES)
def test_no_turn_goes_from_green_to_red_without_yellow(cycle: list[tuple[float, list[int]]]) -> None:
    shown = plan(stages(phases(*cycle)), 6, nobody)
    for was, now in zip(shown, [*shown[1:], *shown[:1]], strict=True):
        assert all((a, b) not in {("G", "r"), ("g", "r")} for a, b in zip(was.state, now.state, strict=True))
        assert was.duration_s > 0
