# SPDX-License-Identifier: Apache-2.0
"""The machine of lines alone: what moves, what never does; and whether promises were kept."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.apps.operations.decide.effects import holds
from citybrain.apps.operations.decide.lines import (
    NEXT,
    OPEN,
    Move,
    Run,
    RunLine,
    RunState,
    State,
    Verdict,
    World,
    advance,
    is_done,
    moved,
    never,
    reached,
)
from citybrain.apps.operations.tests.playing import AT, NEXT_ROAD, NOW, line
from citybrain.kernel.app import Effect
from citybrain.kernel.records import Because, Severity

SAID = ("after", "approval", "only_if", "alone_if", "undo", "undo_if_missed")


def run_line(number: int, state: State = State.WAITING, **more: Any) -> RunLine:
    spec = line(number, **{name: more.pop(name) for name in SAID if name in more})
    given = {"part": 0, "entity_id": NEXT_ROAD, "parameters": {}, "at": NOW, "city_at": AT, **more}
    return RunLine(number=number, spec=spec, state=state, **given)


def run(*lines: RunLine, **more: Any) -> Run:
    given = {"group": None, "event_ended_at": None, **more}
    return Run(
        id="run",
        event_id="event",
        kind="traffic.jam",
        severity=Severity.III,
        entity_id=NEXT_ROAD,
        playbook="jam",
        playbook_version=1,
        because=Because(code="test"),
        state=RunState.OPEN,
        started_at=NOW,
        city_at=AT,
        event_at=AT,
        lines=lines,
        **given,
    )


def world(**later: float) -> World:
    return World(now=NOW + timedelta(**later), city_now=AT + timedelta(**later), since=NOW)


WAITS = [
    ("executed", State.EXECUTED, None, True, False),
    ("executed", State.CHECKED, Verdict.MISSED, True, False),
    ("executed", State.FAILED, None, False, True),
    ("executed", State.ORDERED, None, False, False),
    ("failed", State.FAILED, None, True, False),
    ("failed", State.REFUSED, None, True, False),
    ("failed", State.LATE, None, True, False),
    ("failed", State.EXECUTED, None, False, True),
    ("skipped", State.SKIPPED, None, True, False),
    ("over", State.SKIPPED, None, True, False),
    ("over", State.PROPOSED, None, False, False),
    ("missed", State.CHECKED, Verdict.MISSED, True, False),
    ("missed", State.CHECKED, Verdict.HELPED, False, True),
    ("missed", State.CHECKED, Verdict.UNKNOWN, False, True),
    ("missed", State.FAILED, None, False, True),
    ("helped", State.CHECKED, Verdict.HELPED, True, False),
]


@pytest.mark.parametrize(("wanted", "state", "verdict", "there", "hopeless"), WAITS)
def test_what_a_line_waits_for(wanted: str, state: State, verdict: Verdict, there: bool, hopeless: bool) -> None:
    found = [run_line(1, state, verdict=verdict)]
    assert (reached(found, wanted), never(found, wanted)) == (there, hopeless)


def test_a_promise_that_is_not_looked_at_yet_is_neither_kept_nor_missed() -> None:
    found = [run_line(1, State.EXECUTED, checks=True)]
    assert not reached(found, "missed")
    assert not never(found, "missed")


def test_of_a_line_on_several_entities_one_that_went_well_is_enough() -> None:
    found = [run_line(1, State.FAILED), run_line(1, State.EXECUTED, part=1)]
    assert reached(found, "executed")
    assert never(found, "failed")
    assert not reached([*found, run_line(1, State.ORDERED, part=2)], "executed")


def test_a_move_that_the_table_does_not_know_is_a_bug() -> None:
    with pytest.raises(ValueError, match="skipped"):
        moved(run(run_line(1, State.SKIPPED)), [Move(number=1, part=0, to=State.DUE)], now=NOW, city_now=AT)


def test_what_answers_after_all_counts_though_it_was_late() -> None:
    late = run(run_line(1, State.LATE))
    after = moved(late, [Move(number=1, part=0, to=State.EXECUTED)], now=NOW, city_now=AT)
    assert after.lines[0].state is State.EXECUTED


specs = st.fixed_dictionaries(
    {},
    optional={
        "after": st.fixed_dictionaries(
            {
                "line": st.just(1),
                "state": st.sampled_from(["executed", "failed", "helped", "missed", "skipped", "over"]),
            },
            optional={"minutes": st.integers(0, 3)},
        ),
        "approval": st.sampled_from(["none", "officer"]),
        "only_if": st.fixed_dictionaries({"event_open": st.booleans()}),
        "undo": st.booleans(),
        "undo_if_missed": st.booleans(),
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(specs, min_size=1, max_size=4), st.data())
def test_whatever_happens_each_line_is_ordered_at_most_once_and_all_come_to_rest(
    made: list[dict[str, Any]], data: st.DataObject
) -> None:
    first = {name: value for name, value in made[0].items() if name != "after"}
    lines = [run_line(1, **first), *(run_line(number, **each) for number, each in enumerate(made[1:], start=2))]
    found, ordered, minutes = run(*lines), dict.fromkeys((each.number for each in lines), 0), 0.0
    ends = data.draw(st.integers(0, 30))
    for _ in range(200):
        minutes += 1.0
        if minutes > ends and found.event_ended_at is None:
            found = msgspec.structs.replace(found, event_ended_at=AT + timedelta(minutes=minutes))
        now = world(minutes=minutes)
        found = moved(found, advance(found, now), now=now.now, city_now=now.city_now)
        for each in found.lines:
            move = _next(each, data)
            if move is not None:
                ordered[each.number] += move.to is State.ORDERED
                found = moved(found, [move], now=now.now, city_now=now.city_now)
        if is_done(found, now.city_now, since=now.since):
            break
    else:
        raise AssertionError(found)
    assert max(ordered.values()) <= 1
    assert not any(each.state in OPEN for each in found.lines)


CHOICES: dict[State, list[State | None]] = {
    State.DUE: [State.ORDERED, State.REFUSED],
    State.PROPOSED: [State.DUE, State.SKIPPED, None],
    State.ORDERED: [State.EXECUTED, State.REFUSED, State.FAILED, None],
    State.EXECUTED: [State.CHECKED, None],
}


def _next(each: RunLine, data: st.DataObject) -> Move | None:
    """What the world does with a line: people confirm some, executors answer some."""
    if each.undo == "due":
        return Move(number=each.number, part=0, undo=type(each.undo).DONE)
    choices: list[State | None] = CHOICES.get(each.state, [None])
    to = data.draw(st.sampled_from(choices))
    return None if to is None else Move(number=each.number, part=0, to=to)


def test_every_state_is_in_the_table_and_leads_only_to_others() -> None:
    assert set(NEXT) == set(State)
    assert all(state not in after for state, after in NEXT.items())


HOLDS: list[tuple[str, Any, Any, Any, bool | None]] = [
    ("falls", None, 10, 9, True),
    ("falls", None, 10, 10, False),
    ("falls", 3.0, 10, 8, False),
    ("falls", 3.0, 10, 7, True),
    ("falls", None, None, 7, None),
    ("falls", "10%", 10, 9.2, False),
    ("falls", "10%", 10, 9, True),
    ("falls", "10%", 0, 0, False),
    ("rises", "10%", 10, 11, True),
    ("falls", "10%", None, 9, None),
    ("falls", None, 10, None, None),
    ("rises", None, 10, 12, True),
    ("rises", 5.0, 10, 12, False),
    ("below", 5.0, None, 4, True),
    ("below", 5.0, None, 5, False),
    ("below", None, None, 5, None),
    ("above", 0.0, None, 1, True),
    ("is", "flash", None, "flash", True),
    ("is", "flash", "flash", "brain", False),
    ("is", "{mode}", None, "on", True),
    ("is", "{nothing}", None, "on", None),
    ("changes", None, "a", "b", True),
    ("changes", None, "a", "a", False),
    ("changes", None, "a", None, None),
    ("above", 1.0, None, True, None),
    ("ordered", None, None, None, True),
]


@pytest.mark.parametrize(("becomes", "value", "before", "after", "expected"), HOLDS)
def test_a_promise_is_held_against_the_values(
    becomes: Any, value: Any, before: Any, after: Any, expected: bool | None
) -> None:
    effect = Effect(attribute="x", becomes=becomes, value=value, within=timedelta(minutes=1))
    assert holds(effect, before, after, {"mode": "on"}) is expected


def test_the_same_value_that_was_observed_anew_counts_as_a_change() -> None:
    effect = Effect(attribute="x", becomes="changes", within=timedelta(minutes=1))
    assert holds(effect, "a", "a", {}, anew=True)
