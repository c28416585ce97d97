# SPDX-License-Identifier: Apache-2.0
"""Messages that were not believed: kept aside with the reason until a person lets them in or throws them away."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec

from citybrain.doors.cap.model import Alert
from citybrain.doors.cap.trust import CODES
from citybrain.kernel import sql
from citybrain.kernel.audit.recording import Acting, record
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.records import Json

MOST_OF_ONE = 1_000
"""So many wait of one account at most: further ones are refused and not kept."""

KEPT = timedelta(days=90)


class State(StrEnum):
    """What became of a message that was kept aside."""

    WAITING = "waiting"
    RELEASED = "released"
    DISCARDED = "discarded"


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was kept aside. `verdict` is that on its signature, `times` how often it came."""

    number: int
    sender: str
    identifier: str
    sent: datetime
    status: str
    msg_type: str
    verdict: str
    posted_by: str
    received_at: datetime
    times: int
    body: bytes
    state: State
    decided_by: str
    decided_at: datetime | None
    note: str


class NotKeptAside(NotFound):
    """No such message was kept aside."""


class Decided(Conflict):
    """Somebody has decided already."""


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    aside: str
    waiting: str
    one: str
    decide: str
    prune: str


SQL = sql.load(Path(__file__).with_name("queries_quarantine.sql"), Sql)


async def keep_aside(db: Database, alert: Alert, body: bytes, *, verdict: str, by: str, at: datetime) -> bool:
    """Keep a message aside; committed on return. False where too many of this account wait: then it is not kept."""
    row = {
        "sender": alert.sender,
        "identifier": alert.identifier,
        "sent": alert.sent,
        "status": alert.status,
        "msg_type": alert.msg_type,
        "verdict": verdict,
        "posted_by": by,
        "received_at": at,
        "hash": sha256(body).digest(),
        "body": body,
        "most": MOST_OF_ONE,
    }
    return await db.write(SQL.aside, row) > 0


async def listed(db: Database, states: Sequence[State], *, limit: int = 200) -> list[Aside]:
    """Messages in these states, the newest first."""
    return await db.read(SQL.waiting, {"states": list(states), "limit": limit}, as_=Aside)


async def find(db: Database, number: int) -> Aside:
    """One of them. Refuses `NotKeptAside`."""
    found = await db.read_one(SQL.one, {"number": number}, as_=Aside)
    if found is None:
        raise NotKeptAside("cap.not_kept_aside", {"number": number})
    return found


async def decide(transaction: Transaction, aside: Aside, state: State, *, by: Acting, note: str, at: datetime) -> None:
    """Write down what a person decided, with its audit entry. Refuses what somebody decided already."""
    params = {"number": aside.number, "state": state, "by": by.account, "at": at, "note": note}
    if not await transaction.read(SQL.decide, params, as_=int):
        raise Decided("cap.decided_already", {"number": aside.number})
    facts = {"sender": aside.sender, "verdict": aside.verdict, "number": aside.number, "note": note}
    act = "cap.release" if state is State.RELEASED else "cap.discard"
    await record(transaction, actor=by, act=act, object=f"alert:{aside.identifier}", facts=facts)


async def prune(db: Database, before: datetime) -> int:
    """Forget what came long ago; how many."""
    return await db.write(SQL.prune, {"before": before})


def shown(aside: Aside) -> dict[str, Json]:
    """What officers are told of it, with the code of the reason."""
    row: dict[str, Json] = msgspec.structs.asdict(aside)
    del row["body"]
    return {**row, "type": row.pop("msg_type"), "code": CODES[aside.verdict]}
