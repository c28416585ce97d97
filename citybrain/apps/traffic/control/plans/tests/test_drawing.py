# SPDX-License-Identifier: Apache-2.0
"""A draft of a timetable is judged whole, with the place of each fault, and drawn as it would run."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.apps.traffic.control.plans.drawing import Bar, Wrong, drawn, read
from citybrain.apps.traffic.control.plans.plan import PlanBroken, check, stage_at
from citybrain.apps.traffic.control.plans.requested import RunPlan
from citybrain.apps.traffic.control.plans.tests.street import NOON, SIGNALS, STREET
from citybrain.apps.traffic.control.plans.tests.test_plan import table, timing
from citybrain.apps.traffic.model import singles

JUNCTIONS = {one.signals[0]: one for one in singles(STREET)}
FIRST = JUNCTIONS[SIGNALS[0]]


def draft(*parts: dict[str, Any]) -> RunPlan:
    found = read({"rows": [row for part in parts for row in part["rows"]]})
    assert isinstance(found, RunPlan)
    return found


def places(wrong: tuple[Wrong, ...]) -> list[tuple[str, int | None, int | None, int | None, str]]:
    return [(one.code.removeprefix("traffic.plan_"), one.row, one.timing, one.phase, one.field) for one in wrong]


def test_every_fault_is_told_with_its_place() -> None:
    bad = draft(
        table(timing(greens_s=(20.0, 12.0))),
        table(timing(greens_s=(20.0, 1.0, 30.0)), timing(signal="nowhere")),
        table(timing(greens_s=(20.0,)), timing(signal=SIGNALS[1], greens_s=(170.0, 20.0))),
    )
    assert places(drawn(bad, JUNCTIONS, NOON).wrong) == [
        ("green_too_short", 1, 0, 1, "green_s"),
        ("stage_unknown", 1, 0, 2, "stage"),
        ("signal_unknown", 1, 1, None, "signal_id"),
        ("too_short", 2, 0, None, "phases"),
        ("cycles_differ", 2, None, None, "cycle"),
        ("cycle_too_long", 2, None, None, "cycle"),
    ]


@given(st.lists(st.floats(0.5, 200.0), min_size=1, max_size=4), st.sampled_from([*SIGNALS, "nowhere"]))
def test_what_is_refused_is_what_is_told_to_be_wrong(greens_s: list[float], signal: str) -> None:
    found = read(table(timing(signal=signal, greens_s=tuple(greens_s))))
    if isinstance(found, Wrong):
        assert max(greens_s) > 180.0
        return
    wrong = drawn(found, JUNCTIONS, NOON).wrong
    if wrong:
        with pytest.raises(PlanBroken) as refused:
            check(found.rows[0].plan, JUNCTIONS)
        assert refused.value.code == wrong[0].code
    else:
        check(found.rows[0].plan, JUNCTIONS)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"green_s": 0}, ("green_unfit", 0, 0, 1, "green_s")),
        ({"green_s": "long"}, ("green_unfit", 0, 0, 1, "green_s")),
        ({"stage": 1.5}, ("value_unfit", 0, 0, 1, "stage")),
    ],
)
def test_a_value_that_is_none_has_a_place_too(change: dict[str, Any], place: tuple[Any, ...]) -> None:
    parameters = msgspec.json.decode(msgspec.json.encode(table(timing())))
    parameters["rows"][0]["plan"]["timings"][0]["phases"][1] |= change
    found = read(parameters)
    assert isinstance(found, Wrong)
    assert places((found,)) == [place]
    none = read({"rows": []})
    assert isinstance(none, Wrong)
    assert places((none,)) == [("value_unfit", None, None, None, "rows")]


def shown(bar: Bar, second: float) -> int | None:
    """The stage that is green then."""
    return next((part.stage for part in bar.parts if part.is_green and part.from_s <= second < part.to_s), None)


@given(st.floats(0.0, 300.0), st.integers(0, 200))
def test_the_bar_shows_what_the_plan_wishes_for(offset_s: float, second: int) -> None:
    one = timing(offset_s=round(offset_s, 1))
    (bar,) = drawn(
        draft({"rows": [{"plan": {"name": "x", "timings": [msgspec.to_builtins(one)]}}]}), JUNCTIONS, NOON
    ).bars
    assert sum(part.to_s - part.from_s for part in bar.parts) == pytest.approx(bar.cycle_s)
    green = shown(bar, second % bar.cycle_s)
    assert green in (None, stage_at(one, FIRST.change_s, float(second)))


def test_the_week_says_which_row_runs_when() -> None:
    school = table(timing(), when=({"days": [1, 5], "begins": "16:00:00", "until": "17:30:00"},))
    night = table(timing(), when=({"days": "any", "begins": "22:00:00", "until": "05:00:00"},))
    found = drawn(draft(school, night), JUNCTIONS, NOON)
    assert found.wrong == ()
    days = sorted({one.day for one in found.week})
    assert len(days) == 7
    by_day = {day: [(one.from_min, one.to_min, one.row) for one in found.week if one.day == day] for day in days}
    usual = [(0, 300, 1), (300, 1320, None), (1320, 1440, 1)]
    for day, spans in by_day.items():
        if day.isoweekday() in (1, 5):
            assert spans == [(0, 300, 1), (300, 960, None), (960, 1050, 0), (1050, 1320, None), (1320, 1440, 1)]
        else:
            assert spans == usual


def test_a_zone_that_nobody_knows_is_told_and_the_bars_are_drawn_all_the_same() -> None:
    found = read({**table(timing()), "timezone": "Moon/Base"})
    assert isinstance(found, RunPlan)
    look = drawn(found, JUNCTIONS, NOON)
    assert places(look.wrong) == [("zone_unknown", None, None, None, "timezone")]
    assert (len(look.bars), look.week) == (1, ())
