# SPDX-License-Identifier: Apache-2.0
"""What a kind of case is, as data: states, moves between them, the form, rules of transfer and of numbering."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.records import Facts, Json, Text

INITIAL = "*new"  # where a case comes from that is just being opened


class Phase(StrEnum):
    """Whether work goes on. In a suspended state no time limit runs."""

    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Need(StrEnum):
    """What a move cannot do without."""

    REASON = "reason"
    ANSWER = "answer"
    DEPARTMENT = "department"
    ASSIGNEE = "assignee"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case can stand."""

    phase: Phase = Phase.OPEN
    words: Text = {}


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of moves.

    Somebody may make it who has `permission` where the case is and, if `roles` are named, one of them there.
    `helpers`: departments that help may make it too. `needs` must come with it, `fields` of the form must be filled in
    by then. With `department` among the needs the case passes to that one. `assignee` says who has it afterwards.
    `automatic`: made by the city itself, never offered to people.
    """

    name: str
    from_: tuple[str, ...] = msgspec.field(name="from")
    to: str
    permission: str = "case.work"
    roles: tuple[str, ...] = ()
    helpers: bool = False
    automatic: bool = False
    needs: tuple[Need, ...] = ()
    fields: tuple[str, ...] = ()
    assignee: str = "keep"  # keep | pool | actor
    priority: int | None = None
    words: Text = {}


class TransferRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a case passes from department to department.

    `at_most` transfers in all and `returns_at_most` returns; who may give one back needs one of `return_roles`, anyone
    of the department if there are none. `states` in which it may pass, every open one if none is named; it then stands
    in `to_state`, or stays where it stood.
    """

    at_most: int = 3
    returns_at_most: int = 2
    return_roles: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    to_state: str | None = None


class CaseType(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a kind of case.

    `form` is a JSON Schema of the fields, `searched` are those whose words are found by search. `deadlines` and
    `personal` are told apart by those who keep time limits and personal data. `numbering` is text with `{type}`,
    `{yyyymmdd}`, `{yyyymm}`, `{yyyy}` and `{seq:N}`, N digits counted anew for each text before it.
    `merges_into` is the closed state of a case that went into another.
    """

    id: str
    name: Text
    version: int = 0  # given when it is published
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    initial: str
    states: Mapping[str, State]
    moves: tuple[Move, ...]
    form: Json = {}
    searched: tuple[str, ...] = ()
    deadlines: tuple[Facts, ...] = ()
    personal: tuple[Facts, ...] = ()
    numbering: str = "{type}{yyyymmdd}{seq:4}"
    rating: bool = False
    transfers: TransferRule = TransferRule()
    merges_into: str | None = None
    extras: Facts = {}

    def phase_of(self, state: str) -> Phase:
        """Whether work goes on in a state of this type."""
        return self.states[state].phase

    def moves_from(self, state: str) -> tuple[Move, ...]:
        """The moves that begin in a state, in the order of the table."""
        return tuple(move for move in self.moves if state in move.from_)
