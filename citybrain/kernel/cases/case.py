# SPDX-License-Identifier: Apache-2.0
"""A case and what is told of it: records alone."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.records import Facts, Json


class Verb(StrEnum):
    """What can be done with a case."""

    OPEN = "open"
    MOVE = "move"
    ASSIGN = "assign"
    TAKE = "take"
    TO_POOL = "to_pool"
    TRANSFER = "transfer"
    RETURN = "return"
    SUSPEND = "suspend"
    RESUME = "resume"
    REOPEN = "reopen"
    EDIT = "edit"
    JOIN = "join"
    LEAVE = "leave"
    COMMENT = "comment"
    LINK = "link"
    MERGE = "merge"
    SPLIT = "split"
    CONVERT = "convert"
    PLAN = "plan"
    TASK = "task"


class CommentKind(StrEnum):
    """Who reads a comment: clerks, everybody, or who asked, as the answer."""

    INTERNAL = "internal"
    PUBLIC = "public"
    ANSWER = "answer"


class LinkKind(StrEnum):
    """What one case has to do with another."""

    DUPLICATE_OF = "duplicate_of"
    FOLLOWS = "follows"
    PARENT = "parent"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it is now. `department` holds (leads) it, `assignee` None means it lies in the department's pool.

    `priority` 1 is the most urgent. `due_at` is the end of its time limit, `warned_at` when its warning was given.
    `clocks` is what the time limits are counted from, for those who keep them.
    Coordinates are WGS-84. `came_from` is the department a return goes to. `key` is its name at whoever sent it.
    """

    id: int
    number: str
    type: str
    type_version: int
    state: str
    phase: Phase
    title: str
    department: str
    came_from: str | None = None
    assignee: str | None = None
    opened_by: str
    priority: int = 5
    channel: str = ""
    category: str = ""
    longitude: float | None = None
    latitude: float | None = None
    address: str = ""
    fields: Facts = {}
    created_at: datetime
    changed_at: datetime
    due_at: datetime | None = None
    warned_at: datetime | None = None
    suspended_at: datetime | None = None
    closed_at: datetime | None = None
    transfers: int = 0
    returns: int = 0
    reopened: int = 0
    version: int = 1
    key: str | None = None
    clocks: Facts = {}


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is opened with. With a `key` it is opened once, however often it is sent.

    `created_at` and `number` are for cases that began elsewhere; else both are given here.
    """

    type: str
    title: str
    department: str
    fields: Facts = {}
    assignee: str | None = None
    priority: int = 5
    channel: str = ""
    category: str = ""
    longitude: float | None = None
    latitude: float | None = None
    address: str = ""
    key: str | None = None
    created_at: datetime | None = None
    number: str | None = None


class MoveFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with a move; `fields` are put over those the case has."""

    reason: str = ""
    answer: str = ""
    department: str | None = None
    assignee: str | None = None
    fields: Facts = {}


class CaseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One act in the history of a case: `changes` are the new values of what it changed, `version` the case's after it.

    `by` is an account, `on_behalf_of` whom it acted for.
    """

    case_id: int
    version: int
    at: datetime
    verb: Verb
    move: str | None = None
    by: str
    on_behalf_of: str | None = None
    reason: str = ""
    changes: Facts = {}
    facts: Facts = {}


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """Something said about a case."""

    id: int = 0
    case_id: int
    at: datetime
    by: str
    department: str
    kind: CommentKind
    text: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """`from_id` is a duplicate of, follows, or has as parent `to_id`."""

    from_id: int
    to_id: int
    kind: LinkKind
    at: datetime
    by: str


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A department that helps with a case: what it was asked, and its answer once it has done its part."""

    case_id: int
    department: str
    task: str
    asked_by: str
    asked_at: datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A case with its history, what was said of it, what it has to do with others, and who helps."""

    case: Case
    events: tuple[CaseEvent, ...]
    comments: tuple[Comment, ...]
    links: tuple[Link, ...]
    shares: tuple[Share, ...]


class CaseChange(msgspec.Struct, frozen=True, kw_only=True):
    """What watchers are told inside the transaction; `before` is None for a case that was just opened.

    `said` is the comment or answer that came with the act.
    """

    type: CaseType
    before: Case | None
    after: Case
    event: CaseEvent
    actor: Actor
    said: str = ""


# What history keeps of a case. The rest never changes (id, number, key) or is told by the event itself.
KEPT = tuple(name for name in Case.__struct_fields__ if name not in {"id", "version", "changed_at"})


def changes_between(before: Case | None, after: Case) -> Mapping[str, Json]:
    """The new values of all that history keeps and that changed; all of them for a case just opened."""
    return {
        name: getattr(after, name) for name in KEPT if before is None or getattr(before, name) != getattr(after, name)
    }


def replay(events: list[CaseEvent]) -> Case:
    """The case that its whole history, in order, makes."""
    values: dict[str, Json] = {}
    for event in events:
        values.update(event.changes)
    last = events[-1]
    return msgspec.convert({**values, "id": last.case_id, "version": last.version, "changed_at": last.at}, Case)
