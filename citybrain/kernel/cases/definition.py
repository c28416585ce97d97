# SPDX-License-Identifier: Apache-2.0
"""Whether a definition of a type of case can work; what is wrong with it, fault by fault."""

import re
from collections.abc import Collection, Iterator

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.deadlines import RuleUnusable, check_rules
from citybrain.kernel.cases.form_rules import form_faults
from citybrain.kernel.cases.numbering import NUMBERING
from citybrain.kernel.privacy.field import PersonalField
from citybrain.kernel.records import Facts

ID = re.compile(r"[a-z][a-z0-9_]{0,49}")
ASSIGNEES = ("keep", "pool", "actor")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong: a code with facts."""

    code: str
    facts: Facts


def faults(
    type: CaseType, *, permissions: Collection[str] | None = None, roles: Collection[str] | None = None
) -> list[Fault]:
    """Everything wrong with a definition; empty when it can be published.

    `permissions` and `roles` are those that exist; where they are None, moves may name any.
    """
    found = [*_names(type), *_states(type), *_who(type, permissions, roles), *_form(type)]
    found = found or [*_form_rules(type), *_deadlines(type)]
    return found or [*_reachable(type), *_closable(type)]


def _names(type: CaseType) -> Iterator[Fault]:
    if not ID.fullmatch(type.id):
        yield Fault(code="kernel.case_type_id_unusable", facts={"type": type.id})
    if not NUMBERING.fullmatch(type.numbering):
        yield Fault(code="kernel.case_numbering_unusable", facts={"numbering": type.numbering})
    seen: set[tuple[str, str]] = set()
    for move in type.moves:
        for state in move.from_:
            if (state, move.name) in seen:
                yield Fault(code="kernel.case_move_twice", facts={"move": move.name, "state": state})
            seen.add((state, move.name))
        if move.assignee not in ASSIGNEES:
            yield Fault(code="kernel.case_move_assignee_unknown", facts={"move": move.name, "assignee": move.assignee})


def _states(type: CaseType) -> Iterator[Fault]:
    """States that are named and are not there."""
    named = [("initial", type.initial), *(("transfers", each) for each in type.transfers.states)]
    named += [("transfers", type.transfers.to_state or type.initial), ("merge", type.merges_into or type.initial)]
    named += [(move.name, state) for move in type.moves for state in (*move.from_, move.to)]
    for where, state in named:
        if state not in type.states:
            yield Fault(code="kernel.case_state_unknown", facts={"move": where, "state": state})
    target = type.states.get(type.merges_into or "")
    if target and target.phase is not Phase.CLOSED:
        yield Fault(code="kernel.case_merges_into_open", facts={"state": type.merges_into})


def _who(type: CaseType, permissions: Collection[str] | None, roles: Collection[str] | None) -> Iterator[Fault]:
    """Moves that nobody may make."""
    for move in type.moves:
        if move.automatic:
            continue
        known = permissions is None or move.permission in permissions
        held = roles is None or not move.roles or not set(move.roles).isdisjoint(roles)
        if not known or not held or not move.permission:
            facts = {"move": move.name, "permission": move.permission, "roles": ", ".join(move.roles)}
            yield Fault(code="kernel.case_move_for_nobody", facts=facts)


def _form(type: CaseType) -> Iterator[Fault]:
    """A form that is no JSON Schema, and fields that are named and not in it."""
    try:
        Draft202012Validator.check_schema(type.form)
    except SchemaError as problem:
        yield Fault(code="kernel.case_form_unusable", facts={"why": problem.message, "where": problem.json_path})
        return
    fields = type.form.get("properties", {}) if isinstance(type.form, dict) else {}
    named = [("search", name) for name in type.searched]
    named += [(move.name, name) for move in type.moves for name in move.fields]
    for where, name in named:
        if name not in fields:
            yield Fault(code="kernel.case_field_unknown", facts={"move": where, "field": name})


def _form_rules(type: CaseType) -> Iterator[Fault]:
    """A form that could do harm, or asks for personal data that nothing declares for its purpose."""
    try:
        declared = msgspec.convert([dict(each) for each in type.personal], list[PersonalField])
    except msgspec.ValidationError as problem:
        yield Fault(code="kernel.case_personal_unreadable", facts={"why": str(problem)})
        return
    for code, facts in form_faults(type.form, declared):
        yield Fault(code=code, facts=facts)


def _deadlines(type: CaseType) -> Iterator[Fault]:
    """A rule for time limits that cannot work."""
    try:
        check_rules(type)
    except RuleUnusable as problem:
        yield Fault(code=problem.code, facts=problem.facts)


def _reachable(type: CaseType) -> Iterator[Fault]:
    """States that no case ever comes to."""
    reached = _reach(type, {type.initial})
    if type.merges_into:
        reached |= {type.merges_into}
    if type.transfers.to_state:
        reached |= _reach(type, {type.transfers.to_state})
    for state in type.states:
        if state not in reached:
            yield Fault(code="kernel.case_state_unreachable", facts={"state": state})


def _reach(type: CaseType, states: set[str]) -> set[str]:
    """All states to which moves lead from some."""
    reached: set[str] = set()
    ahead = set(states)
    while ahead:
        reached |= ahead
        ahead = {move.to for move in type.moves if not reached.isdisjoint(move.from_)} - reached
    return reached


def _closable(type: CaseType) -> Iterator[Fault]:
    """States from which no way leads to an end."""
    for state in type.states:
        if not any(type.phase_of(each) is Phase.CLOSED for each in _reach(type, {state})):
            yield Fault(code="kernel.case_never_closed", facts={"state": state})
