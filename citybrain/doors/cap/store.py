# SPDX-License-Identifier: Apache-2.0
"""What the door keeps: every message as it was written, what it closed, and what the journal knows of it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.doors.cap.model import MsgType, Reference, Scope, Status
from citybrain.kernel import sql
from citybrain.kernel.audit.recording import Acting, record
from citybrain.kernel.db import Database, Transaction

CLOSING = frozenset({MsgType.UPDATE, MsgType.CANCEL})
EVERY_SCOPE = tuple(Scope)


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    lock: str
    alert_add: str
    reference_add: str
    alert_of: str
    alerts_named: str
    alerts_open: str
    alerts_over: str
    alerts_chain: str
    open_numbers: str
    referred_open: str
    closed_before: str
    signature_set: str
    alerts_close: str
    event_inherit: str
    told_set: str
    expired_close: str
    to_tell: str
    told_open: str
    prune: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


class Told(StrEnum):
    """What the journal knows of a message's event."""

    NOTHING = "nothing"
    OPEN = "open"
    OVER = "over"


class New(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is about to be kept. `event_id` is that of its event, unless it goes on with an older one."""

    sender: str
    identifier: str
    sent: datetime
    version: str
    status: Status
    msg_type: MsgType
    scope: Scope
    is_ours: bool
    signature: str
    signed_by: str
    posted_by: str
    received_at: datetime
    expires_at: datetime
    event_id: str
    body: bytes


class Kept(New, frozen=True, kw_only=True):
    """A message that is kept. `closed_because`: the type of the message that closed it, or `expired`."""

    number: int
    closed_at: datetime | None
    closed_because: str
    told: Told


class _Referred(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    event_id: str
    told: Told


Also = Callable[[Transaction], Awaitable[None]]


async def keep(
    db: Database, new: New, references: Sequence[Reference], *, officer: Acting | None = None, also: Also | None = None
) -> tuple[Kept, bool, int]:
    """Keep a message, close what it replaces or cancels, and itself when that came before; committed on return.

    A message that an officer lets out is in the audit in the same transaction, and so is what is `also` to be done.

    Answers with the message as it is kept, whether it is new here, and how many it closed.
    """
    row = {name: getattr(new, name) for name in new.__struct_fields__}
    closed = 0
    async with db.transaction() as transaction:
        await transaction.write(SQL.lock)
        if also is not None:
            await also(transaction)
        added = await transaction.read(SQL.alert_add, row, as_=int)
        if added:
            rows = [{"number": added[0], **msgspec.structs.asdict(each)} for each in references]
            await transaction.write_many(SQL.reference_add, rows)
            closed = await _close_referred(transaction, new, added[0])
            await _close_late(transaction, new, added[0])
            if officer is not None:
                facts = {"type": new.msg_type, "status": new.status, "closed": closed}
                about = f"alert:{new.identifier}"
                await record(transaction, actor=officer, act="cap.issue", object=about, facts=facts)
        named = {name: row[name] for name in ("sender", "identifier", "sent")}
        kept = (await transaction.read(SQL.alert_of, named, as_=Kept))[0]
    return kept, bool(added), closed


async def _close_referred(transaction: Transaction, new: New, number: int) -> int:
    if new.msg_type not in CLOSING:
        return 0
    found = await transaction.read(SQL.referred_open, {"number": number}, as_=_Referred)
    numbers = [each.number for each in found]
    if not numbers:
        return 0
    closing = {"numbers": numbers, "at": new.received_at, "because": new.msg_type}
    await transaction.write(SQL.alerts_close, closing)
    if new.msg_type is MsgType.UPDATE:
        inherited = found[0].event_id
        await transaction.write(SQL.event_inherit, {"number": number, "event_id": inherited})
        same = [each.number for each in found if each.event_id == inherited]
        await transaction.write(SQL.told_set, {"numbers": same, "told": Told.OVER})
    return len(numbers)


async def _close_late(transaction: Transaction, new: New, number: int) -> None:
    """A message that ran out on its way, or whose successor was faster, is kept closed."""
    before = await transaction.read(SQL.closed_before, {"number": number}, as_=str)
    because = before[0] if before else "expired" if new.expires_at <= new.received_at else ""
    if because:
        closing = {"numbers": [number], "at": new.received_at, "because": because}
        await transaction.write(SQL.alerts_close, closing)


async def find(
    db: Database, identifier: str, *, sender: str | None, scopes: Sequence[Scope], sent: datetime | None = None
) -> Kept | None:
    """The newest message of an identifier, of one sender or of any, of one time or of any, among those of these
    scopes."""
    params = {"identifier": identifier, "sender": sender, "sent": sent, "scopes": list(scopes)}
    return await db.read_one(SQL.alerts_named, params, as_=Kept)


async def open_at(db: Database, at: datetime, *, status: Status, scopes: Sequence[Scope], limit: int) -> list[Kept]:
    """Alerts and updates that are in force now, the newest first."""
    params = {"at": at, "status": status, "scopes": list(scopes), "limit": limit}
    return await db.read(SQL.alerts_open, params, as_=Kept)


async def over_at(db: Database, at: datetime, *, status: Status, scopes: Sequence[Scope], limit: int) -> list[Kept]:
    """Alerts and updates that are no longer in force, those first that ended last."""
    params = {"at": at, "status": status, "scopes": list(scopes), "limit": limit}
    return await db.read(SQL.alerts_over, params, as_=Kept)


async def chain(db: Database, number: int, *, scopes: Sequence[Scope], limit: int = 100) -> list[Kept]:
    """A message with those that it refers to, those that refer to it, and so on; the oldest first."""
    return await db.read(SQL.alerts_chain, {"number": number, "scopes": list(scopes), "limit": limit}, as_=Kept)


async def open_numbers(
    db: Database, at: datetime, *, status: Status, scopes: Sequence[Scope], limit: int
) -> tuple[int, ...]:
    """The numbers of the same."""
    params = {"at": at, "status": status, "scopes": list(scopes), "limit": limit}
    return tuple(await db.read(SQL.open_numbers, params, as_=int))


async def set_signature(db: Database, number: int, new: New) -> None:
    """Keep the signed form of a message that was here without a valid signature."""
    told = {"number": number, "body": new.body, "signature": new.signature, "signed_by": new.signed_by}
    await db.write(SQL.signature_set, told)


async def close_expired(db: Database, at: datetime) -> int:
    """Close what has run out; how many."""
    return await db.write(SQL.expired_close, {"at": at})


async def to_tell(db: Database) -> list[Kept]:
    """Messages whose event the journal must still be told of, or of its end; some at once, the oldest first."""
    return await db.read(SQL.to_tell, as_=Kept)


async def told_open(db: Database, open_ids: Sequence[str]) -> list[Kept]:
    """Messages in force whose event the journal was told of and that is not among its open ones."""
    return await db.read(SQL.told_open, {"open": list(open_ids)}, as_=Kept)


async def set_told(db: Database, numbers: Sequence[int], told: Told) -> None:
    """Remember what the journal knows."""
    await db.write(SQL.told_set, {"numbers": list(numbers), "told": told})


async def prune(db: Database, before: datetime) -> int:
    """Forget messages that were closed long ago; how many."""
    return await db.write(SQL.prune, {"before": before})
