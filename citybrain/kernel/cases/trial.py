# SPDX-License-Identifier: Apache-2.0
"""A definition of a type tried out: a case that is nowhere written goes step by step through given times. Pure.

Who acts is not asked: rights hang on people, and here there are none. All else is done by the rules of the engine.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from citybrain.kernel.cases import acts
from citybrain.kernel.cases.acts import Edit, Step, Time
from citybrain.kernel.cases.case import Case, MoveFacts, Opening, Verb
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.deadlines import Alarm, AlarmKind, Clock, alarms, keep_time, read_clocks
from citybrain.kernel.cases.forms import check_fields
from citybrain.kernel.cases.lengths import after, read_length
from citybrain.kernel.errors import Invalid, Refusal
from citybrain.kernel.records import Facts

STEPS_AT_MOST = 200
SOMEBODY = "somebody"
SOMEWHERE = "somewhere"
TIME = re.compile(r"\d{4}-")
FARTHEST = timedelta(days=3_660)  # ten years, as far as tables of holidays could ever matter


class TrialUnusable(Invalid):
    """A step that names no act or an unknown one, goes back in time, or is one too many."""


class TrialOpening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a trial begins with, in the words of an opening; all may be left out. `at` is when the case begins."""

    type: str = ""
    at: datetime | None = None
    title: str = ""
    department: str = SOMEWHERE
    fields: Facts = {}
    assignee: str | None = None
    priority: int = 5
    channel: str = ""
    category: str = ""
    address: str = ""
    longitude: float | None = None
    latitude: float | None = None


class TrialFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes with a step; `by` is whose case it is when somebody takes it."""

    reason: str = ""
    answer: str = ""
    department: str | None = None
    assignee: str | None = None
    fields: Facts = {}
    priority: int | None = None
    category: str | None = None
    due_at: datetime | None = None
    by: str = SOMEBODY


class TrialStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move or a verb, a length (`2h`, `3wd`) after the step before or at a time; with neither, time just passes."""

    after: str = ""
    move: str | None = None
    verb: Verb | None = None
    facts: TrialFacts = msgspec.field(default_factory=TrialFacts)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """How the case stands after a step, 0 the opening. A step that was `refused` changed nothing.

    `alarms` are still to ring, `rang` are those that rang since the step before. `moves` lead on from here.
    """

    step: int
    at: datetime
    verb: Verb | None
    move: str | None
    state: str
    phase: Phase
    department: str
    assignee: str | None
    priority: int
    due_at: datetime | None
    fields: Facts
    clocks: Mapping[str, Clock]
    alarms: Sequence[Alarm]
    rang: Sequence[Alarm]
    moves: Sequence[str]
    refused: Mapping[str, object] | None = None


class _Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The case between two steps, and the alarms that rang so far."""

    case: Case
    at: datetime
    rung: frozenset[Alarm] = frozenset()


def try_out(type: CaseType, opening: TrialOpening, steps: Sequence[TrialStep], now: datetime) -> list[Stage]:
    """Every stage of a case that goes through some steps; without a time of its own it begins `now`.

    The definition is one that can work. Refuses `TrialUnusable`, and what the form refuses at the beginning.
    """
    if len(steps) > STEPS_AT_MOST:
        raise TrialUnusable("kernel.trial_too_long", {"limit": STEPS_AT_MOST})
    at = opening.at or now
    begun = keep_time(type, None, _begun(type, opening, at), at)
    stages = [_stage(type, _Standing(case=begun, at=at), 0, TrialStep(verb=Verb.OPEN))]
    standing = _Standing(case=begun, at=at)
    for number, step in enumerate(steps, 1):
        standing, stage = _gone(type, standing, number, step)
        stages.append(stage)
    return stages


def _begun(type: CaseType, opening: TrialOpening, at: datetime) -> Case:
    given = {name: value for name, value in msgspec.structs.asdict(opening).items() if name != "at"}
    fields = check_fields(type, opening.fields)
    return acts.begin(Opening(**{**given, "type": type.id, "fields": fields}), type, SOMEBODY, at)


def _gone(type: CaseType, standing: _Standing, number: int, step: TrialStep) -> tuple[_Standing, Stage]:
    """One step: first time passes and alarms ring, then something is done."""
    at = _time(standing.at, number, step)
    rang = [each for each in alarms(type, standing.case) if each.at <= at and each not in standing.rung]
    case = standing.case
    warned = [each.at for each in rang if each.kind is AlarmKind.WARN]
    if warned:
        case = replace(case, warned_at=warned[-1])
    refused = None
    try:
        case = _done(type, case, step, at)
    except Refusal as refusal:
        refused = {"code": refusal.code, "facts": dict(refusal.facts)}
    standing = _Standing(case=case, at=at, rung=standing.rung | frozenset(rang))
    return standing, _stage(type, standing, number, step, rang=rang, refused=refused)


def _time(before: datetime, number: int, step: TrialStep) -> datetime:
    """When a step is made; refuses what is no time, and one before the last or too far away."""
    at = before
    if TIME.match(step.after):
        try:
            at = msgspec.convert(step.after, datetime)
        except msgspec.ValidationError:
            raise TrialUnusable("kernel.trial_time_unusable", {"step": number}) from None
    elif step.after:
        at = after(before, read_length(step.after))
    if at.tzinfo is None or at < before or at - before > FARTHEST:
        raise TrialUnusable("kernel.trial_time_unusable", {"step": number})
    return at


def _done(type: CaseType, case: Case, step: TrialStep, at: datetime) -> Case:
    verb = step.verb or (Verb.MOVE if step.move else None)
    if verb is None:
        return case
    act = ACTS.get(verb)
    if act is None:
        raise TrialUnusable("kernel.trial_verb_unknown", {"verb": verb})
    done = act(type, case, step, at).after
    if step.facts.fields:
        done = replace(done, fields=check_fields(type, done.fields))
    return keep_time(type, case, replace(done, version=case.version + 1, changed_at=at), at)


def _move(type: CaseType, case: Case, step: TrialStep, at: datetime) -> Step:
    return acts.make_move(case, type, acts.find_move(case, type, step.move or ""), _facts(step), step.facts.by, at)


def _to_phase(phase: Phase) -> "Do":
    def go(type: CaseType, case: Case, step: TrialStep, at: datetime) -> Step:
        fits = (case.phase is Phase.CLOSED) is (step.verb is Verb.REOPEN)
        row = acts.find_move_to(case, type, phase if fits else case.phase, step.move)
        return acts.make_move(case, type, row, _facts(step), step.facts.by, at)

    return go


def _edit(_type: CaseType, case: Case, step: TrialStep, _at: datetime) -> Step:
    given = {"priority": step.facts.priority, "category": step.facts.category}
    known = {name: value for name, value in given.items() if value is not None}
    return acts.edit(case, Edit(**known, fields=step.facts.fields))  # type: ignore[arg-type]


def _facts(step: TrialStep) -> MoveFacts:
    names = MoveFacts.__struct_fields__
    return MoveFacts(**{name: getattr(step.facts, name) for name in names})


Do = Callable[[CaseType, Case, TrialStep, datetime], Step]
ACTS: Mapping[Verb, Do] = {
    Verb.MOVE: _move,
    Verb.SUSPEND: _to_phase(Phase.SUSPENDED),
    Verb.RESUME: _to_phase(Phase.OPEN),
    Verb.REOPEN: _to_phase(Phase.OPEN),
    Verb.TAKE: lambda _type, case, step, _at: acts.take(case, step.facts.by),
    Verb.TO_POOL: lambda _type, case, step, _at: acts.to_pool(case, step.facts.reason),
    Verb.ASSIGN: lambda _type, case, step, _at: acts.assign(case, step.facts.assignee or "", step.facts.reason),
    Verb.TRANSFER: lambda type, case, step, at: acts.transfer(
        case, type, step.facts.department or "", step.facts.reason, at
    ),
    Verb.RETURN: lambda type, case, step, at: acts.give_back(case, type, step.facts.reason, at),
    Verb.PLAN: lambda _type, case, step, _at: acts.plan(case, Time(due_at=step.facts.due_at), step.facts.reason),
    Verb.EDIT: _edit,
}
"""What can be tried of what can be done: all that one case alone is enough for."""


def _stage(
    type: CaseType,
    standing: _Standing,
    number: int,
    step: TrialStep,
    *,
    rang: Sequence[Alarm] = (),
    refused: Mapping[str, object] | None = None,
) -> Stage:
    case = standing.case
    return Stage(
        step=number,
        at=standing.at,
        verb=step.verb or (Verb.MOVE if step.move else None),
        move=step.move,
        state=case.state,
        phase=case.phase,
        department=case.department,
        assignee=case.assignee,
        priority=case.priority,
        due_at=case.due_at,
        fields=case.fields,
        clocks=read_clocks(case).running,
        alarms=[each for each in alarms(type, case) if each not in standing.rung],
        rang=rang,
        moves=[move.name for move in type.moves_from(case.state)],
        refused=refused,
    )
