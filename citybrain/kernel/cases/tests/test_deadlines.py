# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.case_type import CaseType, Move, Phase, State
from citybrain.kernel.cases.deadlines import (
    AlarmKind,
    DeadlineRule,
    Pause,
    RuleUnusable,
    alarms,
    check_rules,
    due,
    keep_time,
    read_clocks,
    rules_of,
)
from citybrain.kernel.cases.lengths import LengthUnreadable, after, read_length
from citybrain.kernel.cases.worktime import USUAL, is_workday

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


RULES: list[Any] = [
    {"name": "take", "within": "2h", "ends": ["assigned"], "warn": [], "begins": ["opened"]},
    {"name": "answer", "within": "2h", "priorities": [1], "escalate": [{"to": ["role:head"]}]},
    {"name": "answer", "within": "5wd", "categories": ["road"], "warn": ["80%", "1wd"]},
    {"name": "answer", "within": "7d", "escalate": [{"to": ["role:head"]}, {"to": ["account:mayor"], "after": "1d"}]},
    {"name": "repair", "within": "3d", "categories": ["road"], "begins": ["state:repair"], "ends": ["state:done"]},
]
TYPE = CaseType(
    id="report",
    name={"zh": "件", "en": "Case"},
    initial="new",
    states={
        "new": State(),
        "repair": State(),
        "waiting": State(phase=Phase.SUSPENDED),
        "done": State(phase=Phase.CLOSED),
    },
    moves=(Move(name="go", from_=("new",), to="done"),),
    deadlines=tuple(RULES),
)
NOON = at("2025-09-22T12:00")  # a Monday


def opened(**facts: Any) -> Case:
    case = Case(
        id=1,
        number="1",
        type="report",
        type_version=1,
        state="new",
        phase=Phase.OPEN,
        title="hole",
        department="roads",
        opened_by="li",
        created_at=NOON,
        changed_at=NOON,
    )
    return keep_time(TYPE, None, replace(case, **facts), NOON)


def stand(case: Case, state: str, now: datetime, **facts: Any) -> Case:
    phase = TYPE.phase_of(state)
    after = replace(
        case,
        state=state,
        phase=phase,
        closed_at=now if phase is Phase.CLOSED else None,
        suspended_at=now if phase is Phase.SUSPENDED else None,
        **facts,
    )
    return keep_time(TYPE, case, after, now)


# fmt: off
LENGTHS = [
    ("90min", "2025-09-30T16:00", "2025-09-30T17:30", "minutes of the calendar"),
    ("24h",   "2025-09-30T16:00", "2025-10-01T16:00", "holidays do not stop the calendar"),
    ("7d",    "2025-09-30T16:00", "2025-10-07T16:00", "days of the calendar"),
    ("8wh",   "2025-09-30T16:00", "2025-10-09T17:00", "an hour today, seven after the holidays"),
    ("1wd",   "2025-09-30T16:00", "2025-10-09T17:00", "the next working day, until it closes"),
]
# fmt: on


@pytest.mark.parametrize(("length", "start", "end", "why"), LENGTHS)
def test_a_limit_counts_what_its_unit_says(length: str, start: str, end: str, why: str) -> None:
    assert after(at(start), read_length(length)) == at(end), why


@pytest.mark.parametrize("text", ["", "5", "0h", "-1d", "1.5h", "99999d", "9999wd", "5 wd", "5days"])
def test_a_length_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(LengthUnreadable):
        read_length(text)


# fmt: off
FIRST = [
    ({},                                     "2025-09-22T14:00", "the soonest clock is what a case is due at"),
    ({"assignee": "li"},                     "2025-09-29T12:00", "what is taken has the limit of its answer"),
    ({"assignee": "li", "priority": 1},      "2025-09-22T14:00", "urgent ones have less time"),
    ({"assignee": "li", "category": "road.hole"}, "2025-09-28T17:00", "a category covers those below"),
    ({"assignee": "li", "category": "roadside"},  "2025-09-29T12:00", "and not what only begins like it"),
]
# fmt: on


@pytest.mark.parametrize(("facts", "end", "why"), FIRST)
def test_the_first_rule_that_fits_counts(facts: dict[str, Any], end: str, why: str) -> None:
    assert opened(**facts).due_at == at(end), why


def test_a_clock_ends_with_its_event_and_says_whether_that_was_in_time() -> None:
    case = opened()
    taken = keep_time(TYPE, case, replace(case, assignee="li"), NOON + timedelta(hours=2))
    assert read_clocks(taken).running["take"].in_time is True
    assert taken.due_at == at("2025-09-29T12:00")
    late = keep_time(TYPE, case, replace(case, assignee="li"), NOON + timedelta(hours=2, seconds=1))
    assert read_clocks(late).running["take"].in_time is False
    done = stand(taken, "done", at("2025-09-24T12:00"))
    assert done.due_at == at("2025-09-29T12:00"), "a closed case keeps the end of its answer"
    assert alarms(TYPE, done) == []


def test_a_suspended_case_is_due_at_no_time_and_goes_on_with_what_was_left() -> None:
    case = opened(assignee="li")
    waiting = stand(case, "waiting", at("2025-09-24T12:00"))
    assert waiting.due_at is None
    assert alarms(TYPE, waiting) == []
    again = stand(waiting, "new", at("2025-10-10T12:00"))
    assert again.due_at == at("2025-10-15T12:00"), "five of seven days were left"
    twice = stand(stand(again, "waiting", at("2025-10-11T12:00")), "new", at("2025-10-12T12:00"))
    assert twice.due_at == at("2025-10-16T12:00")


def test_another_category_works_the_limit_out_again_from_the_beginning_with_all_pauses() -> None:
    case = opened(assignee="li")
    again = stand(stand(case, "waiting", at("2025-09-23T10:00")), "new", at("2025-09-25T10:00"))
    assert again.due_at == at("2025-10-01T12:00")
    road = keep_time(TYPE, again, replace(again, category="road"), at("2025-09-25T11:00"))
    rule = DeadlineRule(name="answer", within="5wd")
    pause = Pause(since=at("2025-09-23T10:00"), until=at("2025-09-25T10:00"))
    assert road.due_at == due(rule, NOON, [pause]) == at("2025-09-30T17:00")
    back = keep_time(TYPE, road, replace(road, category=""), at("2025-09-25T12:00"))
    assert back.due_at == again.due_at


def test_an_end_that_somebody_set_stays_when_the_category_changes() -> None:
    case = opened(assignee="li")
    later = keep_time(TYPE, case, replace(case, due_at=at("2025-11-01T12:00")), NOON)
    road = keep_time(TYPE, later, replace(later, category="road"), NOON)
    assert later.due_at == road.due_at == at("2025-11-01T12:00")


def test_a_case_that_is_reopened_has_its_whole_time_again_and_no_stale_warning() -> None:
    case = replace(opened(assignee="li"), warned_at=at("2025-09-28T00:00"))
    done = stand(case, "done", at("2025-09-28T12:00"))
    assert done.warned_at
    again = stand(done, "new", at("2025-11-03T12:00"))
    assert again.due_at == at("2025-11-10T12:00")
    assert again.warned_at is None


def test_a_clock_may_begin_in_the_middle() -> None:
    case = stand(opened(assignee="li", category="road"), "repair", at("2025-09-23T12:00"))
    assert read_clocks(case).running["repair"].due_at == at("2025-09-26T12:00")


def test_who_is_told_when() -> None:
    found = [(each.clock, each.kind, each.at, each.to) for each in alarms(TYPE, opened(assignee="li"))]
    assert found == [
        ("answer", AlarmKind.WARN, at("2025-09-28T02:24"), ("assignee",)),
        ("answer", AlarmKind.ESCALATE, at("2025-09-29T12:00"), ("role:head",)),
        ("answer", AlarmKind.ESCALATE, at("2025-09-30T12:00"), ("account:mayor",)),
    ]
    road = [each.at for each in alarms(TYPE, opened(assignee="li", category="road"))]
    assert road == [at("2025-09-28T09:00")] * 2, "a fifth of five working days is one"


# fmt: off
UNUSABLE = [
    {"name": "a", "within": "soon"},
    {"name": "a", "within": "1h", "warn": ["0%"]},
    {"name": "a", "within": "1h", "warn": ["x"]},
    {"name": "a", "within": "1h", "begins": ["whenever"]},
    {"name": "a", "within": "1h", "ends": ["state:nowhere"]},
    {"name": "a", "within": "1h", "escalate": [{"to": ["somebody"]}]},
    {"name": "a", "within": "1h", "escalate": [{"to": ["role:head"], "after": "x"}]},
    {"within": "1h"},
]
# fmt: on


@pytest.mark.parametrize("rule", UNUSABLE)
def test_a_rule_that_cannot_work_is_refused(rule: Any) -> None:
    with pytest.raises(RuleUnusable):
        check_rules(replace(TYPE, deadlines=(rule,)))


BEGIN = datetime(2025, 1, 20, tzinfo=UTC)
TIMES = st.integers(0, 265 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
GAPS = st.lists(st.integers(1, 5_000), min_size=2, max_size=6)


def works(now: datetime) -> bool:
    local = now.astimezone(SHANGHAI)
    return is_workday(local.date()) and any(begin <= local.time() < end for begin, end in USUAL.spans)


def naive(start: datetime, minutes: int, pauses: list[Pause], *, working: bool) -> datetime:
    """Minute by minute, as a clerk with a watch would count who puts it down while a case is suspended."""
    now = start
    while minutes > 0:
        paused = any(pause.since <= now < (pause.until or now) for pause in pauses)
        minutes -= not paused and (not working or works(now))
        now += timedelta(minutes=1)
    return now


def pauses_after(start: datetime, gaps: list[int]) -> list[Pause]:
    moments = [start + timedelta(minutes=sum(gaps[: count + 1])) for count in range(len(gaps))]
    return [Pause(since=since, until=until) for since, until in zip(moments[::2], moments[1::2], strict=False)]


@settings(deadline=None)
@given(TIMES, GAPS, st.integers(1, 60))
def test_pauses_stop_the_calendar_as_a_watch_would_be_stopped(start: datetime, gaps: list[int], hours: int) -> None:
    pauses = pauses_after(start, gaps)
    rule = DeadlineRule(name="a", within=f"{hours}h")
    assert due(rule, start, pauses) == naive(start, hours * 60, pauses, working=False)


@settings(deadline=None)
@given(TIMES, GAPS, st.integers(1, 40))
def test_pauses_stop_working_time_as_a_watch_would_be_stopped(start: datetime, gaps: list[int], hours: int) -> None:
    pauses = pauses_after(start, gaps)
    rule = DeadlineRule(name="a", within=f"{hours}wh")
    assert due(rule, start, pauses) == naive(start, hours * 60, pauses, working=True)


@settings(deadline=None)
@given(TIMES, GAPS, st.integers(1, 20))
def test_pauses_never_shorten_working_days_and_the_last_one_is_worked(
    start: datetime, gaps: list[int], days: int
) -> None:
    pauses = pauses_after(start, gaps)
    rule = DeadlineRule(name="a", within=f"{days}wd")
    end = due(rule, start, pauses)
    assert end >= due(rule, start)
    assert is_workday(end.astimezone(SHANGHAI).date())
    day, counted = start.astimezone(SHANGHAI).date(), 0
    while day < end.astimezone(SHANGHAI).date():
        day += timedelta(days=1)
        counted += is_workday(day)
    stopped = [pause for pause in pauses if pause.until and pause.since < end]
    worked_in_pauses = sum(_workdays_over(pause) for pause in stopped)
    assert days <= counted <= days + worked_in_pauses


def _workdays_over(pause: Pause) -> int:
    """Working days of which something fell into a pause."""
    assert pause.until
    day, last = pause.since.astimezone(SHANGHAI).date(), pause.until.astimezone(SHANGHAI).date()
    count = 0
    while day <= last:
        count += is_workday(day)
        day += timedelta(days=1)
    return count


ACTS = st.lists(st.tuples(st.sampled_from(["new", "waiting", "road", "urgent", "repair"]), st.integers(1, 3_000)))


@settings(deadline=None)
@given(ACTS)
def test_whatever_happens_to_a_case_its_clocks_are_those_worked_out_from_the_beginning(
    acts: list[tuple[str, int]],
) -> None:
    case, now = opened(), NOON
    for act, minutes in acts:
        now += timedelta(minutes=minutes)
        if act in TYPE.states:
            case = stand(case, act, now) if act != case.state else case
        else:
            facts = {"category": "road"} if act == "road" else {"priority": 1}
            case = keep_time(TYPE, case, replace(case, **facts), now)
    clocks = read_clocks(case)
    rules = rules_of(TYPE)
    for clock in clocks.running.values():
        assert clock.due_at == due(rules[clock.rule], clock.begun_at, clocks.pauses)
    open_ones = [clock.due_at for clock in clocks.running.values() if clock.ended_at is None]
    assert case.due_at == (None if case.phase is Phase.SUSPENDED else min(open_ones))
    assert all(each.at >= NOON for each in alarms(TYPE, case))
