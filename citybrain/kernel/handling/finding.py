# SPDX-License-Identifier: Apache-2.0
"""Lists of alarms: filters, orders, a place in them from which to go on, and counts by severity and handling."""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.errors import Invalid
from citybrain.kernel.handling.handling import State
from citybrain.kernel.handling.showing import Alarm, Row
from citybrain.kernel.records import Severity

LIMIT_MOST = 500


class Sql(msgspec.Struct, frozen=True):
    """The pieces of this module."""

    page: str
    counted: str
    tallied: str
    any_tally: str
    by_ids: str
    state_now: str
    not_merged: str
    only_open: str
    only_ended: str
    tally_open: str
    tally_ended: str
    kind: str
    kinds: str
    severity: str
    severities: str
    states: str
    taken_by: str
    entity_id: str
    in_group: str
    since: str
    until: str
    words: str
    worst_first: str
    newest_first: str
    oldest_first: str
    after_worst: str
    after_newest: str
    after_oldest: str


SQL = sql.load(Path(__file__).with_name("queries_finding.sql"), Sql)


class Sort(StrEnum):
    """The order of a list: the worst first and of those the newest, or by time."""

    SEVERITY = "severity"
    NEWEST = "-at"
    OLDEST = "at"


class Which(StrEnum):
    """Events that go on, that are over, or both."""

    OPEN = "open"
    ENDED = "ended"
    ALL = "all"


class PlaceUnusable(Invalid):
    """The place in a list is none that it gave."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is asked for; what is empty is not asked. Signs that were merged into another event are in no list.

    `words` is looked for in names, ids and notes; `kinds_meant` are kinds whose own words have it. `after` is the place
    that the page before gave as its `next`.
    """

    which: Which = Which.OPEN
    kinds: Sequence[str] = ()
    severities: Sequence[Severity] = ()
    states: Sequence[State] = ()
    taken_by: str | None = None
    entity_id: str | None = None
    group: str | None = None
    words: str = ""
    kinds_meant: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = Sort.SEVERITY
    after: str | None = None
    limit: int = 100


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are of each severity and state, as if the list asked for none of the same sort."""

    severity: Mapping[str, int]
    handling: Mapping[str, int]


class AlarmPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list; `total` are all that it asks for, `next` the place after the last row if there are more."""

    rows: Sequence[Alarm]
    total: int
    counts: Counts
    next: str | None


class Count(msgspec.Struct, frozen=True):
    """How many alarms there are of a severity and a state."""

    severity: Severity
    state: State
    number: int


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a row stands in a list."""

    severity: Severity
    at: datetime
    id: str


ORDERS = {Sort.SEVERITY: SQL.worst_first, Sort.NEWEST: SQL.newest_first, Sort.OLDEST: SQL.oldest_first}
AFTER = {Sort.SEVERITY: SQL.after_worst, Sort.NEWEST: SQL.after_newest, Sort.OLDEST: SQL.after_oldest}
TALLY = {Which.OPEN: SQL.tally_open, Which.ENDED: SQL.tally_ended}
STATE_NOW = SQL.state_now
STATES = SQL.states.format(state=STATE_NOW)

Question = tuple[str, dict[str, Any]]


def page_of(asked: Asked, now: datetime) -> Question:
    """The query for one page, and one row more to see whether there are more."""
    conditions, params = _conditions(asked, now)
    _add(conditions, params, "severity", SQL.severity, _alone(asked.severities))
    _add(conditions, params, "severities", SQL.severities, _several(asked.severities))
    _add(conditions, params, "states", STATES, list(asked.states) or None)
    if asked.after is not None:
        place = read_place(asked.after)
        conditions.append(AFTER[asked.sort])
        params |= {"after_severity": place.severity, "after_at": place.at, "after_id": place.id}
    params["limit"] = min(max(asked.limit, 1), LIMIT_MOST) + 1
    return _page(conditions, asked.sort), params


def these(ids: Sequence[str]) -> Question:
    """The query for alarms by their ids, merged ones too."""
    return _page([SQL.by_ids], Sort.OLDEST), {"ids": list(ids), "limit": len(ids)}


def counts_of(asked: Asked, now: datetime) -> Question:
    """The query for how many there are, whatever severity and state is asked for.

    What lists are asked most is counted as it changes (`event_tally`); for what that does not know rows are counted.
    """
    conditions, params = _conditions(asked, now)
    where = " AND ".join(conditions)
    if any(value is not None for _, value in _of_rows(asked).values()) or asked.words:
        return SQL.counted.format(where=where, state=STATE_NOW), params
    sorts: list[str] = [] if asked.which is Which.ALL else [TALLY[asked.which]]
    for name, (condition, value) in _of_sorts(asked).items():
        _add(sorts, params, name, condition, value)
    of_tally = " AND ".join(sorts or [SQL.any_tally])
    return SQL.tallied.format(of_tally=of_tally, where=where, state=STATE_NOW), params


def tallied(asked: Asked, counted: Collection[Count]) -> tuple[int, Counts]:
    """The total, and the counts by severity within the states asked for, and the other way round."""
    severity: dict[str, int] = {}
    handling: dict[str, int] = {}
    total = 0
    for each in counted:
        is_severity = not asked.severities or each.severity in asked.severities
        is_state = not asked.states or each.state in asked.states
        total += each.number if is_severity and is_state else 0
        if is_state:
            severity[each.severity] = severity.get(each.severity, 0) + each.number
        if is_severity:
            handling[each.state] = handling.get(each.state, 0) + each.number
    return total, Counts(severity=severity, handling=handling)


def place_of(row: Row) -> str:
    """The place after a row, as text that `Asked.after` takes."""
    return base64.urlsafe_b64encode(msgspec.json.encode(Place(row.severity, row.at, row.id))).decode()


def read_place(after: str) -> Place:
    """The place that was given; refuses text that is none."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(after), type=Place)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise PlaceUnusable("kernel.alarm_place_unusable", {"after": after[:60]}) from None


def _page(conditions: Sequence[str], sort: Sort) -> str:
    order = ORDERS[sort]
    return SQL.page.format(where=" AND ".join(conditions), order=order, order_of_page=order.replace("h.", "p."))


def _conditions(asked: Asked, now: datetime) -> tuple[list[str], dict[str, Any]]:
    """All that is asked for beside severity and state."""
    conditions = [SQL.not_merged]
    params: dict[str, Any] = {"now": now}
    if asked.which is not Which.ALL:
        conditions.append(SQL.only_open if asked.which is Which.OPEN else SQL.only_ended)
    for name, (condition, value) in {**_of_sorts(asked), **_of_rows(asked)}.items():
        _add(conditions, params, name, condition, value)
    if asked.words:
        conditions.append(SQL.words)
        params |= {"words": like(asked.words), "kinds_meant": list(asked.kinds_meant)}
    return conditions, params


def _of_sorts(asked: Asked) -> dict[str, tuple[str, Any]]:
    """What whole sorts of alarms have or have not."""
    return {
        "kind": (SQL.kind, _alone(asked.kinds)),
        "kinds": (SQL.kinds, _several(asked.kinds)),
        "taken_by": (SQL.taken_by, asked.taken_by),
    }


def _of_rows(asked: Asked) -> dict[str, tuple[str, Any]]:
    """What each alarm has or has not."""
    return {
        "entity_id": (SQL.entity_id, asked.entity_id),
        "group": (SQL.in_group, asked.group),
        "since": (SQL.since, asked.since),
        "until": (SQL.until, asked.until),
    }


def _add(conditions: list[str], params: dict[str, Any], name: str, condition: str, value: Any) -> None:
    """What is not asked for is no condition."""
    if value is not None:
        conditions.append(condition)
        params[name] = value


def _alone(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else None


def _several(values: Sequence[Any]) -> list[Any] | None:
    return list(values) if len(values) > 1 else None


def like(words: str) -> str:
    """A pattern that finds these words anywhere; its own signs mean themselves."""
    plain = words.strip().lower()
    for sign in ("\\", "%", "_"):
        plain = plain.replace(sign, f"\\{sign}")
    return f"%{plain}%"
