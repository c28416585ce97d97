# SPDX-License-Identifier: Apache-2.0
"""What the audit is told of sign-ins and of acts that were refused; a flood of them is counted, not written out."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.access.sessions import Origin
from citybrain.kernel.audit.recording import MACHINE, Acting, record
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid, Refusal, Unavailable
from citybrain.kernel.records import Json

# Of refusals that are alike the first of each minute is written, and how many came between it and the one before.
ONE_EACH = timedelta(minutes=1)
# Whoever comes from ten thousand addresses fills no disk: beyond this all are counted together.
WRITTEN_A_MINUTE = 300
REMEMBERED = 10_000
SIGN_IN = "access.sign_in_refused"
NOBODY = Actor(name="", account="", kind=Kind.ANONYMOUS)


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    account_there: str


SQL = sql.load(Path(__file__).with_name("queries_witness.sql"), Sql)


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal as it is written down: `act` like `access.sign_in_refused`, `why` the code, `route` of an act."""

    act: str
    object: str
    why: str
    address: str = ""
    route: str = ""
    permission: str = ""


class _Alike(msgspec.Struct):
    written_at: datetime
    unwritten: int = 0


class Witness:
    """Writes refusals into the audit, of those that are alike one a minute with the number of the others."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._alike: OrderedDict[tuple[str, Refused], _Alike] = OrderedDict()
        self._minute: tuple[datetime | None, int] = (None, 0)
        self._uncounted = 0

    async def refused(self, refused: Refused, *, actor: Acting = NOBODY, now: datetime) -> None:
        """Keep that something was refused. When the database is away it is not kept: there nothing was done either."""
        before = self._due((actor.account, refused), now)
        if before is None:
            return
        told = {"why": refused.why, "address": refused.address, "route": refused.route}
        facts: dict[str, Json] = {name: value for name, value in told.items() if value}
        if refused.permission:
            facts["permission"] = refused.permission
        if before:
            facts["alike_before"] = before
        with suppress(Unavailable):
            async with self._db.transaction() as transaction:
                await record(transaction, actor=actor, act=refused.act, object=refused.object, facts=facts)

    @asynccontextmanager
    async def sign_in(
        self, name: str, *, act: str = SIGN_IN, actor: Acting = NOBODY, origin: Origin | None = None, now: datetime
    ) -> AsyncIterator[None]:
        """What is refused inside is kept as a refused sign-in of the account, if there is one of this name.

        A name that is nobody's is not kept: people type passwords there.
        """
        try:
            yield
        except Refusal as refusal:
            if not isinstance(refusal, Invalid | Unavailable):
                known = bool(name) and await self._db.read_one(SQL.account_there, {"name": name}, as_=bool)
                told = Refused(
                    act=act,
                    object=f"account:{name}" if known else "account:",
                    why=refusal.code,
                    address=origin.address if origin else "",
                )
                await self.refused(told, actor=actor, now=now)
            raise

    async def add_up(self, now: datetime) -> None:
        """Write what was only counted and whose minute is over: for the last ones of a flood."""
        over = [(key, each) for key, each in self._alike.items() if now - each.written_at >= ONE_EACH]
        counted: dict[str, int] = {}
        for (_, refused), each in over:
            counted[refused.act] = counted.get(refused.act, 0) + each.unwritten
        if self._uncounted:
            counted["others"] = self._uncounted
        counted = {act: n for act, n in counted.items() if n}
        if counted:
            async with self._db.transaction() as transaction:
                await record(transaction, actor=MACHINE, act="access.flood", object="access", facts=counted)
        self._uncounted = 0
        for key, _ in over:
            del self._alike[key]

    def _due(self, key: tuple[str, Refused], now: datetime) -> int | None:
        """How many alike were only counted before this one, which is to be written; None when it is only counted."""
        alike = self._alike.get(key)
        began_at, written = self._minute
        if began_at is None or now - began_at >= ONE_EACH:
            began_at, written = now, 0
        full = written >= WRITTEN_A_MINUTE
        if full or (alike is not None and now - alike.written_at < ONE_EACH):
            self._count(key, now)
            return None
        self._minute = (began_at, written + 1)
        self._put(key, _Alike(now))
        return alike.unwritten if alike else 0

    def _count(self, key: tuple[str, Refused], now: datetime) -> None:
        alike = self._alike.get(key)
        if alike is None:
            self._uncounted += 1
        else:
            alike.unwritten += 1
            self._alike.move_to_end(key)

    def _put(self, key: tuple[str, Refused], alike: _Alike) -> None:
        self._alike[key] = alike
        self._alike.move_to_end(key)
        if len(self._alike) > REMEMBERED:
            _, forgotten = self._alike.popitem(last=False)
            self._uncounted += forgotten.unwritten
