# SPDX-License-Identifier: Apache-2.0
"""Calls at the seats of the desk: which ring, who answers, which ticket one belongs to."""

from datetime import datetime, timedelta

import msgspec

from citybrain.apps.hotline.model import Caller, Ticket
from citybrain.apps.hotline.service import callers, desk
from citybrain.apps.hotline.service.hotline import EVERYTHING, Hotline
from citybrain.apps.hotline.store import tickets
from citybrain.apps.hotline.store.calls import SQL, Row
from citybrain.kernel.access import Actor
from citybrain.kernel.cases.case import Case, CommentKind
from citybrain.kernel.crypto import Place
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.privacy import Sort, mask

# A call that nobody took for so long is one that the telephone system forgot to end.
RINGS_AT_MOST = timedelta(hours=2)


class NoSuchCall(NotFound):
    """There is no such call."""


class CallTaken(Conflict):
    """Somebody else has the call."""


class Ringing(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a seat: the number is masked. Without `answered_after_s` it still rings."""

    id: int
    phone: str
    rang_at: datetime
    answered_after_s: float | None = None
    ended_at: datetime | None = None
    agent: str = ""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A call with what its number told before, the newest first, and by which name (masked)."""

    call: Ringing
    name: str
    tickets: tuple[Ticket, ...]


async def waiting(hotline: Hotline, seat: str, now: datetime) -> list[Ringing]:
    """What rings at a seat and what it has not put away yet, the oldest first."""
    rows = await hotline.db.read(SQL.waiting, {"since": now - RINGS_AT_MOST, "seat": seat}, as_=Row)
    return [_shown(row, _phone(hotline, row)) for row in rows]


async def known(hotline: Hotline, call_id: int) -> Known:
    """A call with what its number told before."""
    row = await _row(hotline, call_id)
    phone = _phone(hotline, row)
    told = await tickets.tickets_of_phone(hotline.db, hotline.keys, phone) if phone else []
    name = (await tickets.caller_of(hotline.db, hotline.keys, told[0].case_id)).name if told else ""
    return Known(call=_shown(row, phone), name=mask(Sort.NAME, name) if name else "", tickets=tuple(told))


async def answer(hotline: Hotline, call_id: int, seat: str, *, now: datetime) -> Known:
    """Take a call to a seat. Refuses `CallTaken` when another seat was quicker."""
    row = await _row(hotline, call_id)
    after_s = max(0.0, (now - row.rang_at).total_seconds())
    if not await hotline.db.write(SQL.answer, {"id": call_id, "seat": seat, "after_s": after_s}):
        raise CallTaken("hotline.call_taken", {"agent": (await _row(hotline, call_id)).agent})
    return await known(hotline, call_id)


async def reveal(hotline: Hotline, actor: Actor, call_id: int, reason: str) -> Caller:
    """The number of a call in clear, for a reason."""
    row = await _row(hotline, call_id)
    return await callers.reveal_number(hotline.db, hotline.store.people, actor, row, reason)


async def close(hotline: Hotline, call_id: int, seat: str, *, now: datetime) -> None:
    """Put a call away that becomes no ticket."""
    await _row(hotline, call_id)
    if not await hotline.db.write(SQL.close, {"id": call_id, "seat": seat, "at": now}):
        raise CallTaken("hotline.call_taken", {"agent": (await _row(hotline, call_id)).agent})


async def add_to(hotline: Hotline, actor: Actor, case_id: int, text: str, *, call_id: int | None = None) -> Case:
    """Add what somebody told to a ticket that is there, instead of opening it anew.

    Whoever takes calls may do that to every open ticket, also of departments whose tickets they do not see.
    """
    rights = {**actor.rights, "case.view": EVERYTHING, "case.work": EVERYTHING}
    clerk = msgspec.structs.replace(actor, rights=rights)
    await desk.ticket(hotline, clerk, case_id)
    case = await hotline.cases.comment(clerk, case_id, CommentKind.INTERNAL, text)
    if call_id is not None:
        await hotline.db.write(SQL.belongs, {"case_id": case_id, "id": call_id})
    return case


async def caller_with_number(hotline: Hotline, caller: Caller, call_id: int) -> Caller:
    """A caller with the number of the call, which the clerk need not see for that."""
    phone = _phone(hotline, await _row(hotline, call_id))
    return msgspec.structs.replace(caller, phone=phone) if phone and not caller.phone else caller


async def _row(hotline: Hotline, call_id: int) -> Row:
    found = await hotline.db.read_one(SQL.by_id, {"id": call_id}, as_=Row)
    if found is None:
        raise NoSuchCall("hotline.no_such_call", {"id": call_id})
    return found


def _phone(hotline: Hotline, row: Row) -> str:
    return hotline.keys.decrypt(row.phone, Place("hotline_call", "phone", row.key)) if row.phone else ""


def _shown(row: Row, phone: str) -> Ringing:
    return Ringing(
        id=row.id,
        phone=mask(Sort.PHONE, phone) if phone else "",
        rang_at=row.rang_at,
        answered_after_s=row.answered_after_s,
        ended_at=row.ended_at,
        agent=row.agent,
    )
