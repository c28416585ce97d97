# SPDX-License-Identifier: Apache-2.0
"""A run of a playbook: the states of its lines, and the one machine that moves them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from citybrain.apps.operations.decide.conditions import UNMET, Now, Room, Unmet, unmet
from citybrain.apps.operations.decide.playbook import Conditions, Line
from citybrain.kernel.app import APPROVE_WITHIN, Where
from citybrain.kernel.records import Because, Facts, Json, Severity

SETTLES = timedelta(seconds=30)
"""An event is over when it has been so for so long (city time): what flickers stops nothing and undoes nothing."""
SETTLES_ANEW = timedelta(minutes=5)
"""The same for runs that are older than this opening of the city: it ends all events, and detectors begin anew."""


class State(StrEnum):
    """Where a line stands."""

    WAITING = "waiting"
    PROPOSED = "proposed"
    DUE = "due"
    ORDERED = "ordered"
    EXECUTED = "executed"
    REFUSED = "refused"
    FAILED = "failed"
    LATE = "late"
    SKIPPED = "skipped"
    CHECKED = "checked"


NEXT: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.PROPOSED, State.DUE, State.SKIPPED}),
    State.PROPOSED: frozenset({State.DUE, State.SKIPPED, State.LATE}),
    # What turns out to need a person is proposed to one.
    State.DUE: frozenset({State.ORDERED, State.REFUSED, State.SKIPPED, State.PROPOSED}),
    State.ORDERED: frozenset({State.EXECUTED, State.REFUSED, State.FAILED, State.LATE}),
    State.EXECUTED: frozenset({State.CHECKED}),
    # An answer that comes after all is the truth; what did not come about may be tried again.
    State.LATE: frozenset({State.EXECUTED, State.REFUSED, State.FAILED, State.DUE}),
    State.REFUSED: frozenset({State.DUE}),
    State.FAILED: frozenset({State.DUE, State.EXECUTED}),
    State.SKIPPED: frozenset(),
    State.CHECKED: frozenset(),
}

OPEN = frozenset({State.WAITING, State.PROPOSED, State.DUE, State.ORDERED})
DONE = frozenset({State.EXECUTED, State.CHECKED})
BROKEN = frozenset({State.REFUSED, State.FAILED, State.LATE})


class Verdict(StrEnum):
    """Whether an order did what its means promises."""

    HELPED = "helped"
    MISSED = "missed"
    UNKNOWN = "unknown"


class Undo(StrEnum):
    """What became of undoing what lasts."""

    NONE = "none"
    DUE = "due"
    DONE = "done"
    REFUSED = "refused"


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a run on one entity. `at` and `city_at` are when it came to its state; `code` says why;
    `ordered_at` is the clock's, `executed_at` the city's.

    `checks`: an effect is promised, so it is not over before that was looked at.
    """

    number: int
    part: int
    spec: Line
    entity_id: str
    parameters: Facts
    state: State
    at: datetime
    city_at: datetime
    code: str = ""
    facts: Facts = {}
    order_id: str | None = None
    tries: int = 0
    confirmed_by: str | None = None
    second_by: str | None = None
    ordered_at: datetime | None = None
    executed_at: datetime | None = None
    verdict: Verdict | None = None
    checks: bool = False
    two_person: bool = False
    undo: Undo = Undo.NONE
    version: int = 1

    @property
    def key(self) -> tuple[int, int]:
        """Which line it is in its run."""
        return (self.number, self.part)


class RunState(StrEnum):
    """Whether anything may still happen in a run."""

    OPEN = "open"
    DONE = "done"


class RunHead(msgspec.Struct, frozen=True, kw_only=True):
    """Which playbook is at work on which event, and since when."""

    id: str
    event_id: str
    kind: str
    severity: Severity
    entity_id: str
    group: str | None
    playbook: str
    because: Because
    state: RunState
    started_at: datetime
    city_at: datetime
    event_at: datetime


class Run(RunHead, frozen=True, kw_only=True):
    """A playbook at work on one event. `started_at` is the clock's, times of the event and `city_at` are the city's;
    `evidence` is what conditions of its lines ask of the event's.
    """

    playbook_version: int
    event_ended_at: datetime | None = None
    ended_at: datetime | None = None
    evidence: Facts = {}
    lines: tuple[RunLine, ...] = ()


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A line comes to another state, or with `undo` is to be undone."""

    number: int
    part: int
    to: State | None = None
    code: str = ""
    facts: Facts = {}
    undo: Undo | None = None


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What is so now. `since` is when the city opened: nobody can have answered while it was closed."""

    now: datetime
    city_now: datetime
    since: datetime
    value: Callable[[Run, str, Where], Json] = lambda _run, _attribute, _on: None
    room: Callable[[Run], Room | None] = lambda _run: None


def advance(run: Run, world: World) -> list[Move]:
    """What the lines of a run do next; nothing when all wait. Called again with what it led to, it comes to rest."""
    over = is_over(run, world.city_now, since=world.since)
    moves = [move for line in run.lines if (move := _next(run, line, world, over=over)) is not None]
    moves += [
        Move(number=line.number, part=line.part, undo=Undo.DUE)
        for line in run.lines
        if line.undo is Undo.NONE and _is_to_undo(line, over=over)
    ]
    return moves


def _is_to_undo(line: RunLine, *, over: bool) -> bool:
    if line.state not in DONE:
        return False
    missed = line.spec.undo_if_missed and line.verdict is Verdict.MISSED
    return missed or (line.spec.undo and over)


def is_over(run: Run, city_now: datetime, *, since: datetime) -> bool:
    """Whether the event has ended for good; `since` is when the city opened, by the clock."""
    settles = SETTLES_ANEW if run.started_at < since else SETTLES
    return run.event_ended_at is not None and city_now >= run.event_ended_at + settles


def is_done(run: Run, city_now: datetime, *, since: datetime) -> bool:
    """Whether nothing can happen in a run any more: every line came to rest, and what had to be undone is."""
    if any(line.state in OPEN or (line.state is State.EXECUTED and line.checks) for line in run.lines):
        return False
    over = is_over(run, city_now, since=since)
    undone = (Undo.DONE, Undo.REFUSED)
    if any(_is_to_undo(line, over=True) and line.undo not in undone for line in run.lines):
        return False
    return over or not any(line.spec.undo and line.state in DONE for line in run.lines)


def _next(run: Run, line: RunLine, world: World, *, over: bool) -> Move | None:
    if line.state in (State.WAITING, State.PROPOSED) and over and line.spec.wants_open:
        return _to(line, State.SKIPPED, "operations.line_event_over", {})
    if line.state is State.WAITING:
        return _begin(run, line, world, over=over)
    if line.state is State.PROPOSED and _may_alone(run, line, world):
        return _to(line, State.DUE, "operations.line_alone", {})
    waited = world.now - max(line.at, world.since)
    if line.state is State.PROPOSED and waited > timedelta(minutes=line.spec.approve_minutes):
        return _to(line, State.LATE, "operations.line_not_confirmed", {"minutes": line.spec.approve_minutes})
    limit = timedelta(seconds=line.spec.answer_s) + (APPROVE_WITHIN if line.two_person else timedelta())
    if line.state is State.ORDERED and waited > limit:
        return _to(line, State.LATE, "operations.line_not_answered", {"seconds": limit.total_seconds()})
    return None


def _may_alone(run: Run, line: RunLine, world: World) -> bool:
    """Whether what was missing for the city to do it alone has come about. What two persons hold misses a person."""
    alone = line.spec.alone_if
    return alone is not None and line.code in UNMET and _unmet(alone, run, world) is None


def _begin(run: Run, line: RunLine, world: World, *, over: bool) -> Move | None:
    since = run.city_at
    after = line.spec.after
    if after and after.line is not None:
        earlier = [each for each in run.lines if each.number == after.line]
        if never(earlier, after.state):
            facts = {"line": after.line, "state": after.state}
            return _to(line, State.SKIPPED, "operations.line_not_needed", facts)
        if not reached(earlier, after.state):
            return None
        since = max(each.city_at for each in earlier)
    if not line.spec.wants_open:
        if not over:
            return None
        since = max(since, run.event_ended_at or since)
    if after and world.city_now < since + timedelta(minutes=after.minutes):
        return None
    return _its_turn(run, line, world)


def _its_turn(run: Run, line: RunLine, world: World) -> Move | None:
    """Due, or an officer is asked, unless it is so that the city does it alone; why not is told to the officer."""
    spec = line.spec
    if spec.only_if is not None and _unmet(spec.only_if, run, world) is not None:
        return None
    if spec.approval == "none" or spec.alone_if is None:
        return _to(line, State.DUE if spec.approval == "none" else State.PROPOSED, "", {})
    why = _unmet(spec.alone_if, run, world)
    if why is None:
        return _to(line, State.DUE, "operations.line_alone", {})
    return _to(line, State.PROPOSED, why.code, why.facts)


def _unmet(wanted: Conditions, run: Run, world: World) -> Unmet | None:
    now = Now(
        evidence=run.evidence,
        lasted=world.city_now - run.event_at,
        value=lambda attribute, on: world.value(run, attribute, on),
        room=lambda: world.room(run),
    )
    return unmet(wanted, now)


def _missed(lines: Sequence[RunLine]) -> bool:
    verdicts = [line.verdict for line in lines]
    return not _is_unchecked(lines) and Verdict.HELPED not in verdicts and Verdict.MISSED in verdicts


REACHED: dict[str, Callable[[Sequence[RunLine]], bool]] = {
    "over": lambda _: True,
    "executed": lambda lines: any(line.state in DONE for line in lines),
    "failed": lambda lines: (
        not any(line.state in DONE for line in lines) and any(line.state in BROKEN for line in lines)
    ),
    "skipped": lambda lines: all(line.state is State.SKIPPED for line in lines),
    "helped": lambda lines: any(line.verdict is Verdict.HELPED for line in lines),
    "missed": _missed,
}
"""What a line on all its entities must have come to, none of them open any more. One that helped is enough."""


def reached(lines: Sequence[RunLine], wanted: str) -> bool:
    """Whether a line has come to what another one waits for."""
    if not lines or any(line.state in OPEN for line in lines):
        return False
    return REACHED[wanted](lines)


def never(lines: Sequence[RunLine], wanted: str) -> bool:
    """Whether it is certain that a line will not come to what another one waits for, short of a person's retry."""
    if any(line.state in OPEN for line in lines) or reached(lines, wanted):
        return False
    return wanted not in ("helped", "missed") or not _is_unchecked(lines)


def _is_unchecked(lines: Iterable[RunLine]) -> bool:
    return any(line.state is State.EXECUTED and line.checks for line in lines)


def _to(line: RunLine, state: State, code: str, facts: Facts) -> Move:
    return Move(number=line.number, part=line.part, to=state, code=code, facts=facts)


def moved(run: Run, moves: Iterable[Move], *, now: datetime, city_now: datetime) -> Run:
    """The run after its moves. A move that `NEXT` does not know is a bug and raises."""
    by_key = {line.key: line for line in run.lines}
    for move in moves:
        line = by_key[move.number, move.part]
        by_key[line.key] = _moved(line, move, now, city_now)
    return msgspec.structs.replace(run, lines=tuple(by_key.values()))


def _moved(line: RunLine, move: Move, now: datetime, city_now: datetime) -> RunLine:
    if move.undo is not None:
        return msgspec.structs.replace(line, undo=move.undo, version=line.version + 1)
    assert move.to is not None
    if move.to not in NEXT[line.state]:
        raise ValueError(line.state, move.to)
    return msgspec.structs.replace(
        line,
        state=move.to,
        at=now,
        city_at=city_now,
        code=move.code,
        facts=move.facts,
        version=line.version + 1,
    )
