# SPDX-License-Identifier: Apache-2.0
"""What may be done with a case, as it is sent: one record for each verb."""

from datetime import datetime
from typing import Annotated

import msgspec

from citybrain.kernel.cases.case import CommentKind, LinkKind, Opening, Verb
from citybrain.kernel.records import Facts

Unset = msgspec.UnsetType
UNSET = msgspec.UNSET
PARTS_AT_MOST = 100
YEARS = range(2000, 2200)


Word = Annotated[str, msgspec.Meta(max_length=200)]
Line = Annotated[str, msgspec.Meta(max_length=300)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=300, pattern=r"\S")]
Words = Annotated[str, msgspec.Meta(max_length=20_000)]
Priority = Annotated[int, msgspec.Meta(ge=1, le=9)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class NewCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody opens a case with; `attachments` are uploads of theirs. Its number and time are the city's."""

    type: Word
    title: Title
    department: Word
    fields: Facts = {}
    assignee: Word | None = None
    priority: Priority = 5
    channel: Word = ""
    category: Word = ""
    longitude: Longitude | None = None
    latitude: Latitude | None = None
    address: Line = ""
    key: Word | None = None
    attachments: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """A place has both coordinates."""
        if (self.longitude is None) is not (self.latitude is None):
            raise ValueError("longitude, latitude")

    def opening(self) -> Opening:
        """The same in the words of the engine."""
        given = msgspec.structs.asdict(self)
        del given["attachments"]
        return Opening(**given)


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="verb"):
    """An act: with `expected_version` it is refused when somebody changed the case since.

    What only adds something (to say, to merge, a task of a process) goes through all the same.
    """

    expected_version: int | None = None


class MoveOn(Act, frozen=True, kw_only=True, tag=Verb.MOVE.value):
    """Go along a row of the table of moves."""

    move: Word
    reason: Words = ""
    answer: Words = ""
    department: Word | None = None
    assignee: Word | None = None
    fields: Facts = {}


class Take(Act, frozen=True, kw_only=True, tag=Verb.TAKE.value):
    """Take a case out of the pool."""


class ToPool(Act, frozen=True, kw_only=True, tag=Verb.TO_POOL.value):
    """Put a case back for others."""

    reason: Words = ""


class Assign(Act, frozen=True, kw_only=True, tag=Verb.ASSIGN.value):
    """Give a case to somebody."""

    assignee: Word
    reason: Words = ""


class Transfer(Act, frozen=True, kw_only=True, tag=Verb.TRANSFER.value):
    """Hand a case on to another department."""

    department: Word
    reason: Words


class GiveBack(Act, frozen=True, kw_only=True, tag=Verb.RETURN.value):
    """Return a case to the department it came from."""

    reason: Words


class Suspend(Act, frozen=True, kw_only=True, tag=Verb.SUSPEND.value):
    """Let a case rest."""

    reason: Words
    move: Word | None = None


class Resume(Act, frozen=True, kw_only=True, tag=Verb.RESUME.value):
    """Go on with a case that rested."""

    reason: Words = ""
    move: Word | None = None


class Reopen(Act, frozen=True, kw_only=True, tag=Verb.REOPEN.value):
    """Take up again a case that was closed."""

    reason: Words
    move: Word | None = None


class Correct(Act, frozen=True, kw_only=True, tag=Verb.EDIT.value):
    """Correct what is known of a case; what is not named stays."""

    title: Title | Unset = UNSET
    priority: Priority | Unset = UNSET
    category: Word | Unset = UNSET
    address: Line | Unset = UNSET
    longitude: Longitude | Unset | None = UNSET
    latitude: Latitude | Unset | None = UNSET
    fields: Facts = {}


class Extend(Act, frozen=True, kw_only=True, tag=Verb.PLAN.value):
    """Set the end of the time limit."""

    due_at: Moment
    reason: Words

    def __post_init__(self) -> None:
        """A year that was typed wrongly is no time limit."""
        if self.due_at.year not in YEARS:
            raise ValueError("due_at")


class Say(Act, frozen=True, kw_only=True, tag=Verb.COMMENT.value):
    """Say something about a case."""

    kind: CommentKind
    text: Words


class Join(Act, frozen=True, kw_only=True, tag=Verb.JOIN.value):
    """Ask another department to help."""

    department: Word
    task: Words


class Leave(Act, frozen=True, kw_only=True, tag=Verb.LEAVE.value):
    """Say that a helping department has done its part."""

    department: Word
    answer: Words


class Connect(Act, frozen=True, kw_only=True, tag=Verb.LINK.value):
    """Say what a case has to do with another one."""

    to: int
    kind: LinkKind


class Merge(Act, frozen=True, kw_only=True, tag=Verb.MERGE.value):
    """Close other cases as duplicates of this one."""

    ids: Annotated[tuple[int, ...], msgspec.Meta(min_length=1, max_length=PARTS_AT_MOST)]
    reason: Words


class Split(Act, frozen=True, kw_only=True, tag=Verb.SPLIT.value):
    """Begin a case for each part of this one."""

    openings: Annotated[tuple[NewCase, ...], msgspec.Meta(min_length=1, max_length=PARTS_AT_MOST)]


class Convert(Act, frozen=True, kw_only=True, tag=Verb.CONVERT.value):
    """Let a case go on under another version of its type, the newest if none is named."""

    version: int | None = None


class DoTask(Act, frozen=True, kw_only=True, tag=Verb.TASK.value):
    """Do a task of the process of a case."""

    task: Word
    data: Facts = {}


AnyAct = (
    MoveOn
    | Take
    | ToPool
    | Assign
    | Transfer
    | GiveBack
    | Suspend
    | Resume
    | Reopen
    | Correct
    | Extend
    | Say
    | Join
    | Leave
    | Connect
    | Merge
    | Split
    | Convert
    | DoTask
)
