# SPDX-License-Identifier: Apache-2.0
"""What each verb makes of a case: pure rules, no rights of rows."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from citybrain.kernel.cases.case import Case, CommentKind, MoveFacts, Opening, Verb
from citybrain.kernel.cases.case_type import CaseType, Move, Need, Phase
from citybrain.kernel.cases.refusals import (
    MergeRefused,
    MoveNotInTable,
    NotInPool,
    SomethingMissing,
    TransferRefused,
)
from citybrain.kernel.records import Facts


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb did: the case afterwards, what history says, and a comment that comes with it."""

    verb: Verb
    after: Case
    move: str | None = None
    reason: str = ""
    facts: Facts = {}
    comment: tuple[CommentKind, str] | None = None


class How(msgspec.Struct, frozen=True):
    """To which phase a verb leads, and by which move if it is named."""

    verb: Verb
    phase: Phase
    move: str | None
    expected_version: int | None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """New values of what a clerk may correct; what is UNSET stays. `fields` are put over those the case has.

    A field that is given as None is taken away.
    """

    title: str | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    category: str | msgspec.UnsetType = msgspec.UNSET
    address: str | msgspec.UnsetType = msgspec.UNSET
    longitude: float | msgspec.UnsetType | None = msgspec.UNSET
    latitude: float | msgspec.UnsetType | None = msgspec.UNSET
    fields: Facts = {}


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """New times of a case; what is UNSET stays."""

    due_at: datetime | msgspec.UnsetType | None = msgspec.UNSET
    warned_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


def begin(opening: Opening, type: CaseType, by: str, now: datetime) -> Case:
    """The case that an opening makes, not yet numbered."""
    created_at = opening.created_at or now
    state = type.initial
    phase = type.phase_of(state)
    return Case(
        id=0,
        number=opening.number or "",
        type=type.id,
        type_version=type.version,
        state=state,
        phase=phase,
        title=opening.title,
        department=opening.department,
        assignee=opening.assignee,
        opened_by=by,
        priority=opening.priority,
        channel=opening.channel,
        category=opening.category,
        longitude=opening.longitude,
        latitude=opening.latitude,
        address=opening.address,
        fields=opening.fields,
        created_at=created_at,
        changed_at=now,
        closed_at=created_at if phase is Phase.CLOSED else None,
        suspended_at=created_at if phase is Phase.SUSPENDED else None,
        key=opening.key,
    )


def find_move(case: Case, type: CaseType, name: str) -> Move:
    """The row of the table; refuses `MoveNotInTable` with the moves there are."""
    moves = type.moves_from(case.state)
    for move in moves:
        if move.name == name:
            return move
    facts = {"number": case.number, "move": name, "state": case.state, "moves": [move.name for move in moves]}
    raise MoveNotInTable("kernel.case_move_not_in_table", facts)


def find_move_to(case: Case, type: CaseType, phase: Phase, name: str | None) -> Move:
    """The move that leads to a phase, when there is only one or it is named."""
    moves = [move for move in type.moves_from(case.state) if type.phase_of(move.to) is phase]
    fitting = [move for move in moves if name in (None, move.name)]
    if case.phase is phase or len(fitting) != 1:
        facts = {"number": case.number, "move": name or phase, "state": case.state, "moves": [m.name for m in moves]}
        raise MoveNotInTable("kernel.case_move_not_in_table", facts)
    return fitting[0]


def make_move(case: Case, type: CaseType, move: Move, facts: MoveFacts, by: str, now: datetime) -> Step:
    """Go along a row of the table. Refuses when something it needs did not come."""
    _check_needs(case, move, facts)
    after = stand(case, type, move.to, now)
    if Need.DEPARTMENT in move.needs and facts.department:
        after = pass_to(after, facts.department)
    assignee = {"pool": None, "actor": by}.get(move.assignee, after.assignee)
    after = replace(
        after,
        assignee=facts.assignee if Need.ASSIGNEE in move.needs else assignee,
        priority=move.priority or after.priority,
        fields=_put_over(case.fields, facts.fields),
    )
    comment = (CommentKind.ANSWER, facts.answer) if facts.answer else None
    return Step(verb=Verb.MOVE, after=after, move=move.name, reason=facts.reason, comment=comment)


def _check_needs(case: Case, move: Move, facts: MoveFacts) -> None:
    given = {
        Need.REASON: facts.reason.strip(),
        Need.ANSWER: facts.answer.strip(),
        Need.DEPARTMENT: facts.department,
        Need.ASSIGNEE: facts.assignee,
    }
    fields = {**case.fields, **facts.fields}
    missing = [str(need) for need in move.needs if not given[need]]
    missing += [name for name in move.fields if fields.get(name) in (None, "", [])]
    if missing:
        raise SomethingMissing("kernel.case_something_missing", {"move": move.name, "missing": missing})


def stand(case: Case, type: CaseType, state: str, now: datetime) -> Case:
    """The case in another state, with all that hangs on its phase."""
    phase = type.phase_of(state)
    return replace(
        case,
        state=state,
        phase=phase,
        closed_at=(case.closed_at or now) if phase is Phase.CLOSED else None,
        suspended_at=(case.suspended_at or now) if phase is Phase.SUSPENDED else None,
        reopened=case.reopened + (case.phase is Phase.CLOSED and phase is not Phase.CLOSED),
    )


def pass_to(case: Case, department: str) -> Case:
    """The case in another department's pool; it stays with its own if that is the one."""
    if department == case.department:
        return case
    return replace(case, department=department, came_from=case.department, assignee=None)


def assign(case: Case, assignee: str, reason: str) -> Step:
    """Give a case to somebody."""
    _check_open(case, "assign")
    return Step(verb=Verb.ASSIGN, after=replace(case, assignee=assignee), reason=reason)


def take(case: Case, by: str) -> Step:
    """Take a case out of the pool; refuses `NotInPool` when another has it."""
    _check_open(case, "take")
    if case.assignee not in (None, by):
        raise NotInPool("kernel.case_not_in_pool", {"number": case.number, "assignee": case.assignee})
    return Step(verb=Verb.TAKE, after=replace(case, assignee=by))


def to_pool(case: Case, reason: str) -> Step:
    """Put a case back for others to take."""
    _check_open(case, "to_pool")
    return Step(verb=Verb.TO_POOL, after=replace(case, assignee=None), reason=reason)


def transfer(case: Case, type: CaseType, department: str, reason: str, now: datetime) -> Step:
    """Hand a case on to another department, within the rules of its type."""
    rule = type.transfers
    _check_transfer(case, type, reason, {"department": department})
    if department == case.department:
        raise TransferRefused("kernel.case_already_there", {"number": case.number, "department": department})
    if case.transfers >= rule.at_most:
        raise TransferRefused("kernel.case_transferred_often", {"number": case.number, "at_most": rule.at_most})
    after = pass_to(case, department)
    after = replace(stand(after, type, rule.to_state or case.state, now), transfers=case.transfers + 1)
    return Step(verb=Verb.TRANSFER, after=after, reason=reason)


def give_back(case: Case, type: CaseType, reason: str, now: datetime) -> Step:
    """Return a case to the department it came from, within the rules of its type. It cannot be returned again there."""
    rule = type.transfers
    _check_transfer(case, type, reason, {"department": case.came_from})
    if case.came_from is None:
        raise TransferRefused("kernel.case_came_from_nowhere", {"number": case.number})
    if case.returns >= rule.returns_at_most:
        raise TransferRefused("kernel.case_returned_often", {"number": case.number, "at_most": rule.returns_at_most})
    after = replace(pass_to(case, case.came_from), came_from=None, returns=case.returns + 1)
    return Step(verb=Verb.RETURN, after=stand(after, type, rule.to_state or case.state, now), reason=reason)


def _check_transfer(case: Case, type: CaseType, reason: str, facts: Facts) -> None:
    if not reason.strip():
        raise SomethingMissing("kernel.case_something_missing", {"move": "transfer", "missing": ["reason"]})
    states = type.transfers.states
    if case.phase is Phase.CLOSED or (states and case.state not in states):
        raise TransferRefused("kernel.case_stays_in_state", {"number": case.number, "state": case.state, **facts})


def edit(case: Case, edits: Edit) -> Step:
    """Correct what is known of a case."""
    given = {
        name: value
        for name, value in msgspec.structs.asdict(edits).items()
        if value is not msgspec.UNSET and name != "fields"
    }
    return Step(verb=Verb.EDIT, after=replace(case, **given, fields=_put_over(case.fields, edits.fields)))


def _put_over(fields: Facts, given: Facts) -> Facts:
    """Fields with those that are given; one that is given as None is there no more."""
    taken = {name for name, value in given.items() if value is None}
    return {name: value for name, value in {**fields, **given}.items() if name not in taken}


def plan(case: Case, time: Time, reason: str) -> Step:
    """Set the times of a case."""
    given: Mapping[str, datetime | None] = {
        name: value for name, value in msgspec.structs.asdict(time).items() if value is not msgspec.UNSET
    }
    return Step(verb=Verb.PLAN, after=replace(case, **given), reason=reason)


def merge(case: Case, into: Case, type: CaseType, reason: str, now: datetime) -> Step:
    """Close a case because another one tells the same."""
    if type.merges_into is None or case.phase is Phase.CLOSED or into.phase is Phase.CLOSED:
        raise MergeRefused("kernel.case_merge_refused", {"number": case.number, "into": into.number})
    after = stand(case, type, type.merges_into, now)
    return Step(verb=Verb.MERGE, after=after, reason=reason, facts={"into": into.id, "number": into.number})


def convert(case: Case, type: CaseType) -> Step:
    """Let a case go on under a newer version of its type, in which its state must stand for the same phase."""
    state = type.states.get(case.state)
    if state is None or state.phase is not case.phase:
        facts = {"number": case.number, "state": case.state, "version": type.version}
        raise MoveNotInTable("kernel.case_state_not_in_version", facts)
    return Step(verb=Verb.CONVERT, after=replace(case, type_version=type.version))


def _check_open(case: Case, verb: str) -> None:
    if case.phase is Phase.CLOSED:
        raise MoveNotInTable("kernel.case_is_closed", {"number": case.number, "verb": verb})
