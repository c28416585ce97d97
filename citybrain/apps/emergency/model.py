# SPDX-License-Identifier: Apache-2.0
"""The words of the emergency desk: plans, incidents, and what is written down of them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from citybrain.kernel.records import Json, Severity, Text

Level = Severity
"""How grave an incident is, and which response answers it (国家突发公共事件总体应急预案 2006, 1.3): I … IV."""


class State(StrEnum):
    """Where an incident stands: commanded, stood down, closed with its report."""

    ACTIVE = "active"
    ENDED = "ended"
    CLOSED = "closed"


class Act(StrEnum):
    """What is done with an incident itself."""

    DECLARE = "declare"
    RAISE = "raise"
    LOWER = "lower"
    STAND_DOWN = "stand_down"
    RESUME = "resume"
    CLOSE = "close"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"


class MessageKind(StrEnum):
    """What a message is: an order of command, a report to it, or a notice."""

    ORDER = "order"
    REPORT = "report"
    NOTICE = "notice"


class PlanRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role in the command of an incident."""

    id: str
    name: Text


class PlanTask(msgspec.Struct, frozen=True, kw_only=True):
    """What a response has done at once, by which department and within how many minutes."""

    number: int
    title: Text
    department: str
    minutes: int
    details: Text = {}
    priority: int = 2


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What a level means: when it is declared, who must be there, what is done, how often it is reported."""

    condition: Text
    roles: tuple[str, ...] = ()
    tasks: tuple[PlanTask, ...] = ()
    report_minutes: int = 60


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A response plan (应急预案) in one version. `kinds` are those of events that it answers.

    In force is the newest version whose `valid_from` (by the clock) has come; without one it holds as soon as written.
    """

    id: str
    name: Text
    basis: str = ""
    kinds: tuple[str, ...] = ()
    roles: tuple[PlanRole, ...]
    responses: Mapping[str, Response]
    valid_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    version: int = 0


class PlanVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a version of a plan and when, and whether it is the one in force."""

    version: int
    made_by: str
    made_at: datetime
    valid_from: datetime | None
    in_force: bool


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """An act that waits for a second person."""

    act: Act
    level: Level | None
    reason: str
    by: str
    at: datetime
    until: datetime


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as it stands now. Times are the clock's."""

    id: str
    number: int
    key: str | None = None
    title: str
    plan: str
    plan_version: int
    level: Level
    state: State
    event_id: str | None = None
    entity_id: str | None = None
    geometry: Json = None
    declared_by: str
    declared_at: datetime
    level_at: datetime
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    proposal: Proposal | None = None
    version: int = 1


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """An act that was done; nothing of it is changed afterwards."""

    number: int
    act: Act
    by: str
    second_by: str | None
    at: datetime
    from_level: Level | None
    to_level: Level | None
    from_state: State | None
    to_state: State | None
    reason: str


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a subject: `at` is when it was true, `said_at` when it was written down."""

    number: int
    subject: str
    text: str
    value: float | None
    unit: str
    source: str
    geometry: Json
    at: datetime
    by: str
    said_at: datetime
    replaced_by: int | None = None


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """Who has a role, and from when until when."""

    number: int
    role: str
    name: str
    account: str | None
    by: str
    since: datetime
    until: datetime | None


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A command post."""

    number: int
    name: str
    address: str
    geometry: Json
    by: str
    since: datetime
    until: datetime | None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log: it can be added to, never changed."""

    number: int
    kind: MessageKind
    from_: str = msgspec.field(name="from")
    to: str
    text: str
    at: datetime
    by: str
    said_at: datetime


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A task that was given: the case that it is, and the line of the plan it came from."""

    number: int
    case_id: int
    title: str
    department: str
    role: str | None
    line: str | None
    by: str
    given_at: datetime
    due_at: datetime


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as it stands now. `late`: not done when it should have been."""

    number: int
    case_id: int
    case_number: str
    title: str
    department: str
    role: str | None
    line: str | None
    state: str
    phase: str
    given_by: str
    given_at: datetime
    due_at: datetime
    closed_at: datetime | None
    late: bool
