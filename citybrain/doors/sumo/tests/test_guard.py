# SPDX-License-Identifier: Apache-2.0
"""Whatever is ordered at a signal, its lamps stay safe."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.sumo.cabinet import (
    GREEN,
    Conflicts,
    PlanPhase,
    SignalLink,
    SignalPlan,
    cycle,
    signal_plan,
)
from citybrain.doors.sumo.guard import CLEARANCE_MAX_S, MAX_RED_S, SILENCE_S, Guard


def plan_of(*phases: tuple[str, float]) -> SignalPlan:
    lamps = range(len(phases[0][0]))
    links = [SignalLink(index=lamp, approach=f"in{lamp}", exit=f"out{lamp}", via="") for lamp in lamps]
    return signal_plan(links, [PlanPhase(state=state, duration_s=duration_s) for state, duration_s in phases])


# fmt: off
CROSSING = plan_of(("GGrr", 30), ("yyrr", 3), ("rrGG", 25), ("rryy", 3))
LEFT = plan_of(("GGgrr", 29), ("yyyrr", 5), ("rrGrr", 6), ("rryrr", 5), ("rrrGG", 29), ("rrryy", 5))
SHIPPED = {
    "crossing": CROSSING,
    "protected left": LEFT,
    "all-red, and a stage shown twice": plan_of(
        ("GGrrG", 20), ("yyrrG", 3), ("rrrrG", 2), ("rrGrG", 10), ("rryrG", 3), ("rrrrG", 2),
        ("GGrrG", 8), ("yyrry", 3), ("rrrrr", 2), ("rrrGr", 9), ("rrryr", 3), ("rrrrr", 2),
    ),
    "turn on red": plan_of(("GGsrr", 10), ("yysrr", 3), ("srrGG", 10), ("srryy", 3)),
}
# fmt: on

NAMES = st.sampled_from(sorted(SHIPPED))
SECOND = st.tuples(
    st.one_of(st.none(), st.integers(0, 2)),
    st.frozensets(st.integers(0, 4), max_size=2),
    st.frozensets(st.integers(0, 4), max_size=2),
)

Second = tuple[int | None, frozenset[int], frozenset[int]]
"""An order, the lanes with someone in the box, the lanes with someone waiting."""


def lanes(numbers: frozenset[int]) -> frozenset[str]:
    return frozenset(f"in{number}" for number in numbers)


def drive(plan: SignalPlan, seconds: Sequence[Second]) -> list[str]:
    guard = Guard(plan, 0.0)
    shown = []
    for now_s, (stage, occupied, calling) in enumerate(seconds):
        if stage is not None and stage < len(plan.stages):
            guard.order(stage, now_s)
        shown.append(guard.step(now_s, occupied=lanes(occupied), calling=lanes(calling)))
    return shown


def runs(shown: list[str], lamp: int) -> list[tuple[str, int]]:
    """What one lamp showed, as (colour, seconds); both greens are one colour, and so are both reds."""
    colours = [{"g": "G", "s": "r"}.get(state[lamp], state[lamp]) for state in shown]
    found: list[tuple[str, int]] = []
    for colour in colours:
        if found and found[-1][0] == colour:
            found[-1] = (colour, found[-1][1] + 1)
        else:
            found.append((colour, 1))
    return found


@given(name=NAMES, seconds=st.lists(SECOND, max_size=300))
def test_no_orders_ever_make_conflicting_greens(name: str, seconds: list[Second]) -> None:
    plan = SHIPPED[name]
    conflicts = Conflicts(plan.plan)
    assert all(conflicts.first(state) is None for state in drive(plan, seconds))


@given(name=NAMES, seconds=st.lists(SECOND, max_size=300))
def test_a_green_lasts_its_least_time_and_ends_in_yellow(name: str, seconds: list[Second]) -> None:
    plan = SHIPPED[name]
    shown = drive(plan, seconds)
    for lamp in range(len(plan.stages[0])):
        for (before, lasted_s), (after, _) in pairwise(runs(shown, lamp)):
            if before == "G":
                assert after == "y"
                assert lasted_s >= min(plan.min_green_s)
            if before == "y":
                assert after == "r" or plan.all_red_s == 0.0
                assert lasted_s >= plan.yellow_s
            if after == "y":
                assert before == "G"


@given(name=NAMES, seconds=st.lists(SECOND, max_size=300))
def test_a_lamp_that_turns_green_has_been_clear_of_yellow_foes(name: str, seconds: list[Second]) -> None:
    plan = SHIPPED[name]
    conflicts = Conflicts(plan.plan)
    for before, after in pairwise(drive(plan, seconds)):
        new = [lamp for lamp, letter in enumerate(after) if letter in GREEN and before[lamp] not in GREEN]
        yellow = [lamp for lamp, letter in enumerate(after) if letter == "y"]
        as_green = "".join("G" if letter == "y" else letter for letter in after)
        assert all(conflicts.allows(as_green, one, other) for one in new for other in yellow)


def test_an_order_is_carried_out_after_the_least_green_with_yellow_between() -> None:
    shown = drive(CROSSING, [(1, frozenset(), frozenset())] * 10)
    assert shown == ["GGrr"] * 5 + ["yyrr"] * 3 + ["rrGG"] * 2


def test_a_lamp_that_stays_green_sees_no_yellow() -> None:
    shown = drive(LEFT, [(1, frozenset(), frozenset())] * 12)
    assert shown == ["GGgrr"] * 5 + ["yygrr"] * 5 + ["rrGrr"] * 2


# Lamps 0 and 1 cross lamp 2; the plan gives lamp 0 a yellow of 5 s and 2 s of red before lamp 2, lamp 1 only 3 s.
STAGGERED = plan_of(("GGr", 20), ("yGr", 3), ("yyr", 2), ("ryr", 1), ("rrr", 1), ("rrG", 20), ("rry", 3))


def test_each_lamp_has_its_own_yellow_and_clearance_and_ends_as_late_as_they_allow() -> None:
    shown = drive(STAGGERED, [(1, frozenset(), frozenset())] * 14)
    assert shown == ["GGr"] * 5 + ["yGr"] * 3 + ["yyr"] * 2 + ["ryr", "rrr"] + ["rrG"] * 2
    assert STAGGERED.changes_s == ((0.0, 7.0), (3.0, 0.0))


def test_a_stage_that_only_adds_greens_follows_at_once() -> None:
    plan = plan_of(("GrrG", 20), ("GGrG", 10), ("yyry", 3), ("rrGr", 20), ("rryr", 3))
    assert drive(plan, [(1, frozenset(), frozenset())] * 7) == ["GrrG"] * 5 + ["GGrG"] * 2


def test_without_orders_the_shipped_plan_runs() -> None:
    shown = drive(CROSSING, [(None, frozenset(), frozenset())] * 61)
    assert shown == ["GGrr"] * 30 + ["yyrr"] * 3 + ["rrGG"] * 25 + ["rryy"] * 3


def test_a_stage_that_the_plan_shows_twice_does_not_cut_the_cycle_short() -> None:
    plan = SHIPPED["all-red, and a stage shown twice"]
    assert cycle(plan) == ((0, 20.0), (1, 10.0), (0, 8.0), (2, 9.0))
    shown = drive(plan, [(None, frozenset(), frozenset())] * 67)
    assert [shown.count(stage) for stage in plan.stages] == [28, 10, 9]


def test_when_the_brain_falls_silent_the_shipped_plan_takes_over() -> None:
    guard = Guard(CROSSING, 0.0)
    guard.order(0, 0.0)
    shown = [guard.step(now_s) for now_s in range(int(SILENCE_S) + 5)]
    assert shown[int(SILENCE_S)] == "GGrr"
    assert guard.is_silent(SILENCE_S + 1)
    assert shown[int(SILENCE_S) + 1] == "yyrr"


def test_a_vehicle_left_in_the_box_holds_the_next_green_but_not_for_ever() -> None:
    stuck = frozenset({0})
    shown = drive(CROSSING, [(1, stuck, frozenset())] * 30)
    assert shown.count("rrrr") == CLEARANCE_MAX_S
    assert shown[-1] == "rrGG"


def test_a_vehicle_in_the_box_that_has_green_next_holds_nothing() -> None:
    shown = drive(LEFT, [(1, frozenset({2}), frozenset())] * 12)
    assert "rrrrr" not in shown


def test_a_lane_that_waited_too_long_is_served_whatever_the_brain_wants() -> None:
    seconds: list[Second] = [(0, frozenset(), frozenset({2}))] * int(MAX_RED_S + 10)
    shown = drive(CROSSING, seconds)
    assert "rrGG" in shown


def test_a_red_lamp_under_which_nobody_waits_may_stay_red() -> None:
    assert set(drive(CROSSING, [(0, frozenset(), frozenset())] * 400)) == {"GGrr"}


def test_a_resumed_run_goes_on_from_what_was_shown() -> None:
    guard = Guard(CROSSING, 0.0, "rrGG")
    assert guard.stage == 1
    assert guard.step(0.0) == "rrGG"


def test_a_run_resumed_in_the_middle_of_a_change_begins_with_yellow() -> None:
    guard = Guard(CROSSING, 0.0, "rryy")
    assert [guard.step(now_s) for now_s in range(5)] == ["rryy"] * 3 + ["GGrr"] * 2


# fmt: off
PLANS = [
    (CROSSING, 3.0, 0.0, (5.0, 5.0),      "what the plan leaves open is filled with the least times"),
    (LEFT,     5.0, 0.0, (5.0, 5.0, 5.0), "a longer yellow is kept"),
    (SHIPPED["all-red, and a stage shown twice"], 3.0, 2.0, (5.0, 5.0, 5.0), "the shipped all-red is kept"),
]
# fmt: on


@pytest.mark.parametrize(("plan", "yellow_s", "all_red_s", "min_green_s", "why"), PLANS)
def test_the_least_times_come_from_the_shipped_plan(
    plan: SignalPlan, yellow_s: float, all_red_s: float, min_green_s: tuple[float, ...], why: str
) -> None:
    assert (plan.yellow_s, plan.all_red_s, plan.min_green_s) == (yellow_s, all_red_s, min_green_s), why


def test_a_shortest_green_that_the_plan_states_is_kept() -> None:
    phases = [
        PlanPhase(state="Gr", duration_s=30.0, shortest_s=12.0),
        PlanPhase(state="yr", duration_s=3.0, shortest_s=3.0),
        PlanPhase(state="rG", duration_s=30.0, shortest_s=30.0),
        PlanPhase(state="ry", duration_s=3.0, shortest_s=3.0),
    ]
    assert signal_plan([], phases).min_green_s == (12.0, 5.0)


def test_two_lamps_may_be_green_together_only_as_shipped() -> None:
    conflicts = Conflicts(LEFT.plan)
    assert conflicts.first("GGgrr") is None
    assert conflicts.first("GGGrr") == (0, 2)
    assert conflicts.first("GrrGr") == (0, 3)
