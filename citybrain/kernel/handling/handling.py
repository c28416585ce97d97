# SPDX-License-Identifier: Apache-2.0
"""What people may do with an alarm, as a table, and what it makes of it. Pure.

The states follow the alarm state model of ANSI/ISA-18.2-2016: unacknowledged, acknowledged, shelved; `taken` and
`cleared` are whose it is and that the work is done. Whether the event itself goes on is another matter: its `ended_at`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.records import Facts, Severity

SHELF_MOST = timedelta(hours=24)
"""Nothing lies on the shelf for longer: what nobody looks at again must come back by itself."""

HOLD_LASTS = timedelta(hours=12)
"""So long nobody else gets what somebody took: the longest shift. Whoever went home holds nothing up for ever."""

LONGEST_NOTE = 2_000


class State(StrEnum):
    """How far people are with an alarm."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    TAKEN = "taken"
    SHELVED = "shelved"
    CLEARED = "cleared"


class Act(StrEnum):
    """What was done with an alarm. The last three the city does itself: a shelf's time is over, what was
    put away is worse now, and who had taken a sign has the event of which it is one."""

    ACKNOWLEDGE = "acknowledge"
    TAKE = "take"
    RELEASE = "release"
    COMMENT = "comment"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    CLEAR = "clear"
    EXPIRE = "expire"
    RETURN = "return"
    INHERIT = "inherit"


OF_THE_CITY = frozenset({Act.EXPIRE, Act.RETURN, Act.INHERIT})


BENEATH = None
"""The state that lay beneath the shelf."""

NEXT: Mapping[tuple[State, Act], State | None] = {
    (State.NEW, Act.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.NEW, Act.TAKE): State.TAKEN,
    (State.NEW, Act.SHELVE): State.SHELVED,
    (State.NEW, Act.CLEAR): State.CLEARED,
    (State.ACKNOWLEDGED, Act.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Act.TAKE): State.TAKEN,
    (State.ACKNOWLEDGED, Act.SHELVE): State.SHELVED,
    (State.ACKNOWLEDGED, Act.CLEAR): State.CLEARED,
    (State.TAKEN, Act.ACKNOWLEDGE): State.TAKEN,
    (State.TAKEN, Act.TAKE): State.TAKEN,
    (State.TAKEN, Act.RELEASE): State.ACKNOWLEDGED,
    (State.TAKEN, Act.SHELVE): State.SHELVED,
    (State.TAKEN, Act.CLEAR): State.CLEARED,
    (State.SHELVED, Act.TAKE): State.TAKEN,
    (State.SHELVED, Act.SHELVE): State.SHELVED,
    (State.SHELVED, Act.UNSHELVE): BENEATH,
    (State.SHELVED, Act.CLEAR): State.CLEARED,
    **{(state, Act.COMMENT): state for state in State},
}


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alarm stands. `under` is the state beneath the shelf, `note` the newest words of anybody."""

    state: State = State.NEW
    under: State | None = None
    version: int = 0
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    shelved_by: str | None = None
    shelved_until: datetime | None = None
    cleared_by: str | None = None
    cleared_at: datetime | None = None
    comments: int = 0
    note: str = ""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to do. `version` is that of the alarm they saw: a newer one is refused."""

    act: Act
    note: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE)] = ""
    until: datetime | None = None
    version: int | None = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody does something with an alarm."""

    act: Act
    by: str
    at: datetime
    note: str = ""
    until: datetime | None = None


class NoSuchAlarm(NotFound):
    """There is no event with this id."""


class AlarmTaken(Conflict):
    """Another officer has it."""


class AlarmChanged(Conflict):
    """Somebody did something with it since it was read."""


class NotNow(Conflict):
    """The act does not fit where the alarm stands."""


class CommentEmpty(Invalid):
    """A comment says something."""


class ShelfTime(Invalid):
    """The time until which to shelve is missing, over, or too far away."""


def now_is(handling: Handling, now: datetime) -> Handling:
    """As it stands now: a shelf whose time is over holds nothing, whether or not that was written yet."""
    if handling.state is State.SHELVED and handling.shelved_until is not None and handling.shelved_until <= now:
        return _off_the_shelf(handling)
    return handling


def applied(before: Handling, done: Done, *, version: int | None = None) -> Handling:
    """What an act makes of an alarm. Refuses what another officer has, an old version, and what does not fit."""
    if done.act is Act.EXPIRE:
        return _expired(before, done)
    before = now_is(before, done.at)
    _check_holder(before, done)
    if version is not None and version != before.version:
        raise AlarmChanged("kernel.alarm_changed", {"version": before.version})
    if (before.state, done.act) not in NEXT:
        raise NotNow("kernel.alarm_not_now", {"act": done.act, "state": before.state})
    if done.act is Act.COMMENT and not done.note.strip():
        raise CommentEmpty("kernel.alarm_comment_empty", {})
    after = _CHANGES[done.act](before, done) if done.act in _CHANGES else before
    state = NEXT[before.state, done.act]
    if state is not BENEATH:
        after = msgspec.structs.replace(after, state=state)
    said = {"note": done.note, "comments": before.comments + 1} if done.note.strip() else {}
    return msgspec.structs.replace(after, version=before.version + 1, **said)


def facts_of(done: Done, *, is_open: bool, severity: Severity) -> Facts:
    """What the history keeps of an act beside who, when and the words.

    Clearing says whether the event went on; what is put away, how bad it was: when it is worse it comes back.
    """
    if done.act is Act.CLEAR:
        return {"open": is_open, "severity": severity}
    return {"until": done.until, "severity": severity} if done.act is Act.SHELVE else {}


def holder(handling: Handling, at: datetime) -> str | None:
    """Who has it, if that still counts."""
    if handling.taken_by is None or handling.taken_at is None or at - handling.taken_at > HOLD_LASTS:
        return None
    return handling.taken_by


def _check_holder(before: Handling, done: Done) -> None:
    has = holder(before, done.at)
    if done.act is not Act.COMMENT and has not in (None, done.by):
        raise AlarmTaken("kernel.alarm_taken", {"by": has, "at": before.taken_at})


def _acknowledged(before: Handling, done: Done) -> Handling:
    """Who was first stays."""
    if before.acknowledged_at is not None:
        return before
    return msgspec.structs.replace(before, acknowledged_by=done.by, acknowledged_at=done.at)


def _taken(before: Handling, done: Done) -> Handling:
    seen = _acknowledged(_off_the_shelf(before), done)
    if before.state is State.TAKEN and before.taken_by == done.by:
        return seen
    return msgspec.structs.replace(seen, taken_by=done.by, taken_at=done.at)


def _released(before: Handling, done: Done) -> Handling:
    return msgspec.structs.replace(before, taken_by=None, taken_at=None)


def _shelved(before: Handling, done: Done) -> Handling:
    until = done.until
    if until is None or until.tzinfo is None or not done.at < until <= done.at + SHELF_MOST:
        raise ShelfTime("kernel.alarm_shelf_time", {"hours": SHELF_MOST // timedelta(hours=1)})
    under = before.under if before.state is State.SHELVED else before.state
    return msgspec.structs.replace(before, under=under, shelved_by=done.by, shelved_until=until)


def _off_the_shelf(before: Handling, done: Done | None = None) -> Handling:
    if before.state is not State.SHELVED:
        return before
    under = before.under or State.NEW
    return msgspec.structs.replace(before, state=under, under=None, shelved_by=None, shelved_until=None)


def _expired(before: Handling, done: Done) -> Handling:
    """Somebody may have put it there again, for longer, since it was looked for."""
    after = now_is(before, done.at)
    if after is before:
        raise NotNow("kernel.alarm_not_now", {"act": done.act, "state": before.state})
    return msgspec.structs.replace(after, version=before.version + 1)


def _cleared(before: Handling, done: Done) -> Handling:
    seen = _acknowledged(_off_the_shelf(before), done)
    return msgspec.structs.replace(seen, taken_by=None, taken_at=None, cleared_by=done.by, cleared_at=done.at)


_CHANGES = {
    Act.ACKNOWLEDGE: _acknowledged,
    Act.TAKE: _taken,
    Act.RELEASE: _released,
    Act.SHELVE: _shelved,
    Act.UNSHELVE: _off_the_shelf,
    Act.CLEAR: _cleared,
}
