# SPDX-License-Identifier: Apache-2.0
"""A small city for the tests of the case engine: three departments, their people, one type of case."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from citybrain.kernel.access.actor import Actor, DepartmentGrant, Kind, Reach, Right
from citybrain.kernel.cases.case import Opening
from citybrain.kernel.cases.case_type import CaseType, Move, Need, Phase, State, TransferRule
from citybrain.kernel.cases.rights import PERMISSIONS
from citybrain.kernel.db import Transaction

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
DEPARTMENTS = ("roads", "water", "parks")

MOVES = (
    Move(name="accept", from_=("new",), to="working", assignee="actor"),
    Move(name="dispatch", from_=("new", "working"), to="new", needs=(Need.DEPARTMENT, Need.REASON)),
    Move(name="wait", from_=("working",), to="waiting", needs=(Need.REASON,)),
    Move(name="go_on", from_=("waiting",), to="working", helpers=True),
    Move(name="finish", from_=("working",), to="done", needs=(Need.ANSWER,), fields=("cause",)),
    Move(name="refuse", from_=("new",), to="refused", roles=("head",), needs=(Need.REASON,)),
    Move(name="reopen", from_=("done", "refused"), to="working", needs=(Need.REASON,), assignee="pool"),
)

TICKET = CaseType(
    id="ticket",
    name={"zh": "诉求工单", "en": "Ticket"},
    initial="new",
    states={
        "new": State(),
        "working": State(),
        "waiting": State(phase=Phase.SUSPENDED),
        "done": State(phase=Phase.CLOSED),
        "refused": State(phase=Phase.CLOSED),
    },
    moves=MOVES,
    form={
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 2000}, "cause": {"type": "string"}},
        "required": ["text"],
        "additionalProperties": False,
    },
    searched=("text",),
    numbering="HT{yyyymmdd}{seq:4}",
    transfers=TransferRule(at_most=2, returns_at_most=1, to_state="new"),
    merges_into="done",
)


class Clock:
    """A clock that goes on by a second each time it is read."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


class Tree:
    """Departments as a flat tree, some of them dissolved."""

    def __init__(self, successors: Mapping[str, str] | None = None) -> None:
        self.successors = dict(successors or {})

    def within(self, department: str) -> Collection[str]:
        return (department,)

    def successor(self, department: str) -> str:
        return self.successors.get(department, department)

    def living(self, department: str) -> str:
        return self.successor(department)

    async def check_works(self, transaction: Transaction, account: str, department: str, now: datetime) -> None:
        """Everybody works everywhere."""


def clerk(name: str, *departments: str, roles: tuple[str, ...] = ("clerk",), may: Collection[str] = ()) -> Actor:
    """Somebody of some departments with the permissions of roles there, and `may` besides."""
    given = {permission for permission, holders in PERMISSIONS.items() if not set(holders).isdisjoint(roles)}
    reached = Reach(departments=frozenset(departments))
    return Actor(
        name=name,
        account=name,
        kind=Kind.STAFF,
        departments=tuple(DepartmentGrant(department=each, role=role) for each in departments for role in roles),
        rights={permission: Right(reach=reached) for permission in {*given, *may}},
    )


def operator(name: str = "operator") -> Actor:
    """Somebody who may everything everywhere."""
    rights = {permission: Right(reach=Reach(all=True)) for permission in PERMISSIONS}
    return Actor(name=name, account=name, kind=Kind.STAFF, roles=("operator",), rights=rights)


ROADS = clerk("li", "roads")
ROADS_TOO = clerk("wang", "roads")
ROADS_HEAD = clerk("zhao", "roads", roles=("clerk", "head"))
WATER = clerk("chen", "water")
NOBODY = Actor(name="", account="", kind=Kind.ANONYMOUS)


def pothole(**changes: object) -> Opening:
    """A hole in a street, for the roads department."""
    given = {"type": "ticket", "title": "中关村大街路面破损", "department": "roads", "fields": {"text": "路上有个大坑"}}
    return Opening(**{**given, **changes})  # type: ignore[arg-type]
