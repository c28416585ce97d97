# SPDX-License-Identifier: Apache-2.0
"""The independent checker finds each breach of a rule once, and nothing in what the plan itself shows."""

from collections.abc import Callable, Sequence

import pytest

from citybrain.doors.sumo.cabinet import PlanPhase, SignalLink
from citybrain.doors.sumo.checker import STUCK_RED_S, Checker, Rule, Rules
from citybrain.doors.sumo.field import SumoField
from citybrain.kernel.app import Scenario

from .test_signals import order, signal_of

# Two streets that cross: lamp 0 west-east with lamp 1 turning left out of it, lamp 2 east-west, lamp 3 north-south.
FOES = {(1, 2), (0, 3), (1, 3), (2, 3)}
PHASES = (
    ("GgGr", 20.0, 8.0),
    ("ygyr", 4.0, 4.0),
    ("rGrr", 10.0, 10.0),
    ("ryrr", 4.0, 4.0),
    ("rrrr", 2.0, 2.0),
    ("rrrG", 15.0, 15.0),
    ("rrry", 3.0, 3.0),
    ("rrrr", 2.0, 2.0),
)

Seconds = Sequence[tuple[str, int]]


def rules(*, longer_yellows: bool = True) -> Rules:
    links = [
        SignalLink(
            index=lamp,
            approach=f"in{lamp}",
            exit=f"out{lamp}",
            via="",
            crosses=tuple(foe for foe in range(4) if (lamp, foe) in FOES or (foe, lamp) in FOES),
        )
        for lamp in range(4)
    ]
    phases = [PlanPhase(state=state, duration_s=lasts_s, shortest_s=least_s) for state, lasts_s, least_s in PHASES]
    return Rules(phases, links, longer_yellows=longer_yellows)


def checked(
    seconds: Seconds, *, longer_yellows: bool = True, at_line: Callable[[str, str, int], bool] | None = None
) -> Checker:
    states = [state for state, lasts_s in seconds for _ in range(lasts_s)]
    shown = iter(states)
    nobody = at_line or (lambda _lane, _signal, _lamp: False)
    checker = Checker({"one": rules(longer_yellows=longer_yellows)}, lambda _: next(shown), nobody)
    for now_s in range(len(states)):
        checker.look(float(now_s))
    return checker


def cycle(times: int = 2) -> list[tuple[str, int]]:
    return [(state, int(lasts_s)) for _ in range(times) for state, lasts_s, _ in PHASES]


def test_the_shipped_plan_breaks_no_rule() -> None:
    assert checked(cycle(5)).count == 0


def but(at: int, *instead: tuple[str, int]) -> list[tuple[str, int]]:
    """Two cycles, with something else in place of one phase of the second."""
    phases = cycle()
    return [*phases[: 8 + at], *instead, *phases[9 + at :]]


# fmt: off
BREACHES: list[tuple[str, Seconds, Rule, tuple[int, ...]]] = [
    ("two streets that cross are green together",        but(0, ("GgGG", 1), ("GgGr", 19)), Rule.CONFLICT,  (0, 3)),
    ("a left turn has priority over those it must let by", but(0, ("GgGr", 19), ("GGGr", 1)), Rule.CONFLICT, (1, 2)),
    ("a green begins while a foe shows yellow",          but(3, ("ryrG", 4)),               Rule.CONFLICT,  (1, 3)),
    ("a green ends without yellow",                      but(6, ("rrrr", 3)),               Rule.YELLOW,    (3,)),
    ("a yellow is a second too short",                   but(3, ("ryrr", 3), ("rrrr", 1)),  Rule.YELLOW,    (1,)),
    ("the next street is let in a second too early",     but(4, ("rrrr", 1)),               Rule.CLEARANCE, (1, 3)),
    ("a green is a second too short",                    but(5, ("rrrG", 4)),               Rule.GREEN,     (3,)),
    ("a stage does not last what the plan states",       but(0, ("GgGr", 7)),               Rule.GREEN,     (0, 2)),
]
# fmt: on


@pytest.mark.parametrize(("what", "seconds", "rule", "lamps"), BREACHES)
def test_each_breach_is_found(what: str, seconds: Seconds, rule: Rule, lamps: tuple[int, ...]) -> None:
    found = checked(seconds)
    assert {(each.rule, each.lamps) for each in found.first} >= {(rule, lamps)}, what


def test_the_time_and_what_was_needed_are_told() -> None:
    (found,) = checked(but(4, ("rrrr", 1))).first
    assert (found.signal, found.at_s, found.lasted_s, found.needed_s) == ("one", 99.0, 1.0, 2.0)


def test_a_left_turn_that_gives_way_is_no_conflict() -> None:
    assert checked(but(0, ("GgGr", 20))).count == 0
    assert checked(but(0, ("ggGr", 20))).count == 0, "a lower priority than the plan's is as safe"


def test_rescos_yellow_is_enough_where_it_was_asked_for() -> None:
    short = but(3, ("ryrr", 3))
    assert checked(short).count == 1
    assert checked(short, longer_yellows=False).count == 0
    assert checked(but(3, ("ryrr", 2)), longer_yellows=False).count == 1


def test_what_was_shown_before_the_first_look_is_not_judged() -> None:
    assert checked([("rrrG", 1), ("rrry", 3), ("rrrr", 2), ("GgGr", 20)]).count == 0
    assert checked([("rrry", 1), ("rrrr", 2), ("GgGr", 20)]).count == 0


def red(seconds: int) -> list[tuple[str, int]]:
    return [*cycle(1), *cycle(1)[:5], ("rrrr", seconds)]


def test_a_red_that_keeps_somebody_waiting_without_end_is_found_once() -> None:
    stands = checked(red(700), at_line=lambda lane, _signal, _lamp: lane == "in3")
    assert [(each.rule, each.lamps) for each in stands.first] == [(Rule.STUCK, (3,))]
    assert stands.count == 1
    assert checked(red(700)).count == 0, "nobody stands there"


def test_a_red_is_not_stuck_while_others_come_and_go() -> None:
    asked: list[int] = []

    def now_and_then(lane: str, _signal: str, _lamp: int) -> bool:
        asked.append(1)
        return lane == "in3" and len(asked) % 5 != 0

    assert checked(red(int(STUCK_RED_S) * 3), at_line=now_and_then).count == 0


def test_only_the_first_few_are_kept_and_all_are_counted() -> None:
    found = checked([("GgGr", 8), ("rrrr", 4)] * 50)
    assert found.count > 100
    assert len(found.first) == 5
    facts = found.figures()
    assert facts["violations"] == found.count
    assert facts["first_violations"][0]["rule"] == "yellow_too_short"


def test_a_street_under_orders_is_checked_as_it_runs(opened: Callable[..., SumoField], crossing: Scenario) -> None:
    field = opened(crossing, obey=True)
    signal = signal_of(field).id
    for second in range(299):
        field.step((order(signal, stage=second // 3 % 2),))
    assert field.summary()["violations"] == 0
