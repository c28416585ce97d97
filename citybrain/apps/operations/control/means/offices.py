# SPDX-License-Identifier: Apache-2.0
"""Evidence, inspection, and what one office asks of another; and the verbs on orders that were given. Pure."""

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from citybrain.apps.operations.control.means.acts import (
    ACCEPTED,
    ACT,
    DONE,
    ON_SITE,
    PROGRESS,
    RECALL,
    Act,
    Task,
    Verb,
    task,
)
from citybrain.apps.operations.control.means.parameters import Asked, Id, Minutes, Name, Note, OfOrder, Words
from citybrain.kernel.app import Effect, Means

EVIDENCE, OFFICES = "operations_evidence", "operations_offices"
REMIND = "administration.remind"


class Fly(msgspec.Struct, frozen=True, kw_only=True):
    """A drone looks at the place, in so many minutes at most, from not higher than so many metres."""

    minutes: Minutes = 30
    height_m: Annotated[int, msgspec.Meta(ge=10, le=120)] = 100
    unit: Id = ""
    task: Note = ""


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """The recordings around the place are kept, from so many minutes before to so many after."""

    minutes_before: Minutes = 30
    minutes_after: Minutes = 30
    task: Note = ""


class CaseFor(msgspec.Struct, frozen=True, kw_only=True):
    """Work for a department, whatever it is."""

    department: Name
    task: Words
    priority: Literal[1, 2, 3, 4, 5] = 3


class JointCase(msgspec.Struct, frozen=True, kw_only=True):
    """Work that one department leads and others help with."""

    department: Name
    helpers: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=10)]
    task: Words
    priority: Literal[1, 2, 3, 4, 5] = 2


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the press may be told: a draft for who speaks for the city; nothing goes out by this."""

    text: Note = ""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A written report, and of what."""

    task: Words


class Aid(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of others outside the city."""

    what: Words
    minutes: Minutes = 120


_ASKED: tuple[tuple[str, Task, type[msgspec.Struct], int, float], ...] = (
    ("evidence.fly_drone", Task(role="drones", type=EVIDENCE, priority=2), Fly, 20, ON_SITE),
    ("evidence.preserve_video", Task(role="video", type=EVIDENCE, priority=2), Video, 60, DONE),
    ("evidence.inspect", Task(role="grid", type=EVIDENCE, priority=3), Asked, 60, ON_SITE),
    ("evidence.ask_reporter", Task(role="hotline", type=EVIDENCE, priority=3), Asked, 30, DONE),
    ("administration.case", Task(role="", type=OFFICES), CaseFor, 120, ACCEPTED),
    ("administration.joint_case", Task(role="", type=OFFICES), JointCase, 60, ACCEPTED),
    ("administration.escalate", Task(role="emergency", type=OFFICES, priority=1), Asked, 10, ACCEPTED),
    ("administration.press_draft", Task(role="press", type=OFFICES, priority=2), Draft, 60, DONE),
    ("administration.request_report", Task(role="emergency", type=OFFICES, priority=3), Written, 240, DONE),
    ("administration.mutual_aid", Task(role="emergency", type=OFFICES, priority=1), Aid, 30, ACCEPTED),
)


def _verb(name: str, verb: str, within: timedelta, value: float) -> Act:
    return Act(
        means=Means(
            name=name,
            permission=ACT,
            parameters=OfOrder,
            undone_by="",
            group="administration",
            effect=Effect(attribute=PROGRESS, becomes="above" if value >= 0 else "below", value=value, within=within),
            precondition="operations.before_case",
        ),
        how=Verb(name=verb),
    )


ACTS: tuple[Act, ...] = (
    *(task(name, how, parameters, minutes, reaches=reaches) for name, how, parameters, minutes, reaches in _ASKED),
    _verb(REMIND, "remind", timedelta(minutes=10), ACCEPTED),
    _verb(RECALL, "recall", timedelta(minutes=1), -0.5),
)
