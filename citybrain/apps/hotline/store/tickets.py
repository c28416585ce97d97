# SPDX-License-Identifier: Apache-2.0
"""Tickets as rows that follow their cases, and what hangs on them: callers, calls, follow-ups, supervision."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.apps.hotline.measure.promises import CallFigures
from citybrain.apps.hotline.model import TYPES, URGENCY, Caller, Ticket, Urgency
from citybrain.kernel import sql
from citybrain.kernel.access import Reach
from citybrain.kernel.cases.case import CaseChange, Verb
from citybrain.kernel.cases.ratings import Rating
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database, Transaction, to_json
from citybrain.kernel.privacy import Sort, normalise

LIMIT = 200_000
CALLER = "hotline_caller"


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    columns: str
    ticket_put: str
    link_put: str
    caller_put: str
    caller: str
    tickets_of_phone: str
    by_ids: str
    by_link: str
    changed_since: str
    between: str
    to_call: str
    follow_up_insert: str
    resolved: str
    rated: str
    any_ticket: str
    states_counted: str
    tickets_put: str
    callers_put: str
    supervise: str
    supervised: str
    supervision_end: str
    supervisions: str
    public_tickets: str
    call_put: str
    call_ticket: str
    call_figures: str


def _with_columns(found: Sql) -> Sql:
    filled = {name: text.replace("{columns}", found.columns) for name, text in msgspec.structs.asdict(found).items()}
    return Sql(**filled)


SQL = _with_columns(sql.load(Path(__file__).with_name("queries.sql"), Sql))


class Supervision(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that a supervisor wants finished by a time."""

    id: int
    case_id: int
    at: datetime
    by: str
    demand: str
    due_at: datetime
    ended_at: datetime | None = None
    number: str = ""
    text: str = ""
    department: str = ""


class _Sealed(msgspec.Struct, frozen=True, kw_only=True):
    name: bytes | None = None
    phone: bytes | None = None
    email: bytes | None = None


_ALIKE = (
    "number",
    "category",
    "department",
    "channel",
    "state",
    "phase",
    "longitude",
    "latitude",
    "address",
    "created_at",
    "due_at",
    "transfers",
    "reopened",
)
ACCEPTING = frozenset({"accept"})
ANSWERING = frozenset({"answer", "answer_now"})
SENDING_BACK = frozenset({"send_back"})


async def follow(transaction: Transaction, change: CaseChange) -> None:
    """Keep the row of a ticket as its case is: a watcher of cases, inside their transaction."""
    case, event = change.after, change.event
    if case.type not in TYPES:
        return
    await transaction.write(SQL.ticket_put, _row(change))
    if event.move in ANSWERING or case.closed_at:
        await transaction.write(SQL.supervision_end, {"case_id": case.id, "at": event.at})


async def follow_together(transaction: Transaction, changes: Sequence[CaseChange]) -> None:
    """The rows of many tickets that were just opened."""
    rows = [_row(change) for change in changes if change.after.type in TYPES]
    if rows:
        await transaction.write(SQL.tickets_put, {"tickets": to_json(rows).decode()})


async def rated(transaction: Transaction, ratings: Sequence[Rating]) -> None:
    """Keep the last rating of each ticket beside it, for figures: a watcher of ratings. Of other cases nothing."""
    columns = {
        "ids": [each.case_id for each in ratings],
        "satisfactions": [str(each.satisfaction) for each in ratings],
        "ats": [each.rated_at for each in ratings],
    }
    await transaction.write(SQL.rated, columns)


def _row(change: CaseChange) -> dict[str, Any]:
    case, event = change.after, change.event
    fields = case.fields
    answers = event.move in ANSWERING
    accepts = event.move in ACCEPTING
    old_answer, old_end = fields.get("answered_at"), fields.get("closed_at")
    return {
        **{name: getattr(case, name) for name in _ALIKE},
        "case_id": case.id,
        "first_department": case.department if accepts else None,
        "urgency": URGENCY.get(case.priority, Urgency.GENERAL),
        "text": str(fields.get("text", "")) or case.title,
        "changed_at": event.at,
        "accepted_at": event.at if accepts or answers else old_answer,
        "answered_at": event.at if answers else old_answer,
        "closed_at": old_end or case.closed_at,
        "sent_back": int(event.move in SENDING_BACK or event.verb is Verb.RETURN),
        "resolution": str(fields.get("resolution", "")),
        "answer": change.said if answers else str(fields.get("answer", "")),
        "public": False,
    }


async def put_link(transaction: Transaction, case_id: int, link_hash: bytes | None, *, public: bool) -> None:
    """Say by which secret a ticket is followed, and whether it is on the public map."""
    await transaction.write(SQL.link_put, {"case_id": case_id, "link_hash": link_hash, "public": public})


async def put_caller(transaction: Transaction, keys: KeyRing, case_id: int, caller: Caller) -> None:
    """Keep who told it, encrypted for its place. Of an anonymous caller nothing is kept."""
    if caller:
        await transaction.write(SQL.caller_put, _locked(keys, case_id, caller))


async def put_callers(transaction: Transaction, keys: KeyRing, callers: Mapping[int, Caller]) -> None:
    """Keep who told many new tickets, each encrypted for its place."""
    rows = [_locked(keys, case_id, caller) for case_id, caller in callers.items() if caller]
    if rows:
        await transaction.write(SQL.callers_put, {name: [row[name] for row in rows] for name in rows[0]})


def _locked(keys: KeyRing, case_id: int, caller: Caller) -> dict[str, Any]:
    def sealed(column: str, value: str) -> bytes | None:
        return keys.encrypt(value, Place(CALLER, column, case_id)) if value else None

    return {
        "case_id": case_id,
        "name": sealed("name", caller.name),
        "phone": sealed("phone", caller.phone),
        "phone_mark": mark(keys, Sort.PHONE, caller.phone),
        "email": sealed("email", caller.email),
        "email_mark": mark(keys, Sort.EMAIL, caller.email),
    }


def mark(keys: KeyRing, sort: Sort, value: str) -> bytes | None:
    """The keyed hash under which a number or address is found."""
    return keys.mark(sort, normalise(sort, value)) if value else None


async def caller_of(db: Database | Transaction, keys: KeyRing, case_id: int) -> Caller:
    """Who told it, in clear: for those who may see that, or to be masked."""
    rows = await db.read(SQL.caller, {"case_id": case_id}, as_=_Sealed)
    if not rows:
        return Caller()
    found = rows[0]

    def opened(column: str) -> str:
        value = getattr(found, column)
        return keys.decrypt(value, Place(CALLER, column, case_id)) if value else ""

    return Caller(name=opened("name"), phone=opened("phone"), email=opened("email"))


async def tickets_of_phone(db: Database, keys: KeyRing, phone: str) -> list[Ticket]:
    """The tickets of a caller's number, the newest first, at most twenty."""
    marks = keys.marks(Sort.PHONE, normalise(Sort.PHONE, phone))
    return await db.read(SQL.tickets_of_phone, {"marks": marks}, as_=Ticket)


async def by_ids(db: Database, ids: Sequence[int]) -> list[Ticket]:
    """Some tickets, the newest first."""
    return await db.read(SQL.by_ids, {"ids": list(ids)}, as_=Ticket)


async def by_link(db: Database, link_hash: bytes) -> Ticket | None:
    """The ticket that a secret follows."""
    return await db.read_one(SQL.by_link, {"link_hash": link_hash}, as_=Ticket)


async def changed_since(db: Database, at: datetime, case_id: int, *, limit: int) -> list[Ticket]:
    """Tickets that changed after one, in the order in which they did."""
    return await db.read(SQL.changed_since, {"at": at, "case_id": case_id, "limit": limit}, as_=Ticket)


async def between(
    db: Database, since: datetime, until: datetime, *, department: str | None = None, limit: int = LIMIT
) -> list[Ticket]:
    """Tickets that came in a time, the oldest first."""
    params = {"since": since, "until": until, "department": department, "limit": limit}
    return await db.read(SQL.between, params, as_=Ticket)


async def to_call(db: Database, now: datetime, *, limit: int) -> list[Ticket]:
    """Answered tickets whose callers were not yet reached, the longest waiting first; tried again after four hours."""
    return await db.read(SQL.to_call, {"now": now, "limit": limit}, as_=Ticket)


async def public_tickets(db: Database, before: tuple[datetime, int] | None, *, limit: int) -> list[Ticket]:
    """Tickets that everybody may know of, the newest first."""
    at, case_id = before or (None, None)
    return await db.read(SQL.public_tickets, {"before": at, "before_id": case_id, "limit": limit}, as_=Ticket)


async def supervisions(db: Database, reached: Reach) -> list[Supervision]:
    """What supervisors wait for in the departments of a reach, the soonest due first."""
    params = {"all": reached.all, "departments": sorted(reached.departments)}
    return await db.read(SQL.supervisions, params, as_=Supervision)


async def call_figures(db: Database, since: datetime, until: datetime, *, within_s: float) -> CallFigures:
    """How many calls of a time were answered, and in time."""
    params = {"since": since, "until": until, "within_s": within_s}
    return (await db.read(SQL.call_figures, params, as_=CallFigures))[0]


async def are_there(db: Database) -> bool:
    """Whether there is any ticket."""
    return bool(await db.read(SQL.any_ticket, as_=int))


async def by_state(db: Database) -> dict[str, int]:
    """How many tickets stand in each state."""
    return dict(await db.rows(SQL.states_counted))
