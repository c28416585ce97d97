# SPDX-License-Identifier: Apache-2.0
"""The figures of operations: what counts, what does not, and what they are made of."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.apps.operations.measure.figures import (
    BY_HAND_S,
    SPECS,
    Checked,
    Counted,
    Figure,
    alarm_rate,
    effect,
    false_alarms,
    faster_than_by_hand,
    figures,
    found_by_machine,
    handled_at_once,
    time_to_act,
    time_to_clear,
    time_to_find,
    time_to_order,
)
from citybrain.apps.operations.measure.incidents import MACHINE, Answer, Incident
from citybrain.kernel.records import OutcomeState

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def answer(after_s: float, *, by: str = MACHINE, done_s: float | None = 1.0, state: str = "executed") -> Answer:
    return Answer(
        order_id=f"o{after_s}",
        means="street.sign",
        by=by,
        at=later(after_s),
        state=OutcomeState(state) if done_s is not None else None,
        settled_at=later(after_s + done_s) if done_s is not None else None,
    )


def incident(id: str = "e", at_s: float = 0.0, **more: object) -> Incident:
    given: dict[str, object] = {
        "kind": "traffic.blocked_lane",
        "entity_id": "r",
        "since": None,
        "ended_at": None,
        "told_by_people": False,
        "false": False,
        "people": frozenset(),
        **more,
    }
    return Incident(id=id, at=later(at_s), **given)  # type: ignore[arg-type]


def counted(*incidents: Incident, hours: float = 1.0, operators: int | None = None) -> Counted:
    return Counted(since=AT, until=AT + timedelta(hours=hours), incidents=incidents, operators=operators)


def test_what_people_told_first_was_not_found_by_the_machine() -> None:
    came = found_by_machine(counted(incident("a"), incident("b"), incident("c"), incident("d", told_by_people=True)))
    assert (came.value, came.parts) == (75.0, {"part": 3, "of": 4})
    assert [row["found_by"] for row in came.rows] == ["machine", "machine", "machine", "people"]


@pytest.mark.parametrize(
    ("answers", "at_once"),
    [
        ((answer(2.0),), True),
        ((answer(59.0),), True),
        ((answer(60.0),), False),
        ((answer(2.0, by="ann"),), False),
        ((answer(2.0, done_s=None),), False),
        ((answer(2.0, state="refused"),), False),
        ((answer(2.0, state="failed"), answer(10.0)), True),
        ((answer(2.0, by="ann"), answer(90.0)), False),
        ((), False),
    ],
)
def test_at_once_is_an_order_of_the_machine_carried_out_within_a_minute(
    answers: tuple[Answer, ...], at_once: bool
) -> None:
    came = handled_at_once(counted(incident(answers=answers)))
    assert came.value == (100.0 if at_once else 0.0)
    assert came.rows[0]["at_once"] is at_once


def test_times_are_medians_of_those_that_are_known() -> None:
    seen = (
        incident("a", 30.0, since=AT, ended_at=later(330.0), answers=(answer(32.0), answer(40.0))),
        incident("b", 30.0, answers=(answer(20.0),)),
        incident("c", 30.0),
    )
    assert (time_to_find(counted(*seen)).value, time_to_find(counted(*seen)).parts["known"]) == (30.0, 1)
    assert time_to_order(counted(*seen)).value == 1.0, "an order before the event was told is at once"
    assert time_to_act(counted(*seen)).value == 1.5
    assert time_to_clear(counted(*seen)).value == 300.0
    assert faster_than_by_hand(counted(*seen)).value == BY_HAND_S


def test_nothing_to_count_is_no_figure_and_not_zero() -> None:
    values = {figure.spec.name: figure.came.value for figure in figures(counted())}
    assert {name for name, value in values.items() if value is not None} == {
        "operations.false_alarms",
        "operations.alarm_rate",
    }
    assert all(figure.meets_target is None for figure in figures(counted()) if figure.came.value is None)


def test_an_effect_that_nobody_knows_is_told_apart() -> None:
    def checked(state: str) -> Checked:
        return Checked(
            order_id=state,
            means="street.sign",
            entity_id="r",
            event_id=None,
            attribute="speed",
            becomes="rises",
            before=1,
            after=2,
            executed_at=AT,
            due_at=AT,
            state=state,
        )

    checks = [checked(state) for state in ("helped", "helped", "helped", "missed", "unknown", "waiting")]
    came = effect(Counted(since=AT, until=later(3600), incidents=(), checks=checks))
    assert came.value == 75.0
    assert (came.parts["unknown"], came.parts["waiting"]) == (1, 1)


def test_false_alarms_are_counted_a_day() -> None:
    assert false_alarms(counted(incident("a", false=True), incident("b"), hours=12.0)).value == 2.0


def test_alarms_are_shared_by_those_on_duty() -> None:
    busy = [incident(f"e{number}", 60.0 * number, people=frozenset({"ann"})) for number in range(12)]
    alone = alarm_rate(counted(*busy))
    assert (alone.value, alone.parts["operators"], alone.parts["most"]) == (2.0, 1, 10)
    both = alarm_rate(counted(*busy, operators=2))
    assert both.value == 1.0
    assert Figure(spec=next(each for each in SPECS if each.rule is alarm_rate), came=both).meets_target is True


@given(st.lists(st.tuples(st.floats(0, 3599), st.booleans()), max_size=30))
def test_the_rows_add_up_to_the_figure(events: list[tuple[float, bool]]) -> None:
    seen = [incident(f"e{number}", at_s, told_by_people=told) for number, (at_s, told) in enumerate(events)]
    for figure in figures(counted(*seen)):
        if figure.spec.unit == "%" and figure.came.value is not None:
            assert 0.0 <= figure.came.value <= 100.0
    came = alarm_rate(counted(*seen))
    assert sum(int(row["alarms"]) for row in came.rows) == len(events)
    assert came.value == pytest.approx(len(events) / 6.0)
