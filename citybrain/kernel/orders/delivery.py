# SPDX-License-Identifier: Apache-2.0
"""Orders on their way to whoever carries them out: each is given once, and again when the city opens anew."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from citybrain.kernel.app import APPROVE_WITHIN
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.orders.order import Act, Ended, OrderState, Row, Undo, Why, undoing
from citybrain.kernel.orders.writing import SQL, Trade, end, note, rows
from citybrain.kernel.records import Order, OutcomeState

TRY_AGAIN = timedelta(minutes=1)
"""What failed, as a machine was out of reach, is given again so often while it should be in force."""
GIVE_UP = timedelta(days=1)
"""So long it is tried to undo what ended."""

log = structlog.get_logger()


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """An order whose outcome has come."""

    id: str
    means: str
    state: OutcomeState
    code: str


class Delivery:
    """Between the people's desk and the city's loop. The database is the truth, the queue here only what is new.

    What waits for its outcome when the city dies is given again when it opens, with the same id. `at` is the time of
    the city as its loop said last, None before; `under_way` are orders that it was given and that are not settled yet.
    """

    def __init__(self, db: Database, trade: Trade) -> None:
        self._db = db
        self._trade = trade
        self._new: list[tuple[str, bool]] = []
        self._next_expiry: datetime | None = None
        self._next_late: datetime | None = None
        self._tried_at: datetime | None = None
        self.at: datetime | None = None
        self.under_way: set[str] = set()

    def add(self, id: str, *, undo: bool = False) -> None:
        """An order came into force, or with `undo` is over and must be undone; committed before."""
        self._new.append((id, undo))

    def drop(self, id: str) -> None:
        """An order is over before it was given."""
        self._new = [(each, undo) for each, undo in self._new if each != id or undo]

    async def take(self, at: datetime) -> tuple[Order, ...]:
        """The orders that came up since the last time, in their order; `at` is the city's time."""
        if not self._new:
            return ()
        wanted, self._new = self._new, []
        self.under_way.update(id for id, undo in wanted if not undo)
        await self._limit([id for id, undo in wanted if not undo], at)
        return await self._orders(wanted, at)

    async def reopen(self, at: datetime, *, saved_at: datetime | None) -> tuple[Order, ...]:
        """Everything that must be known to a city that opens, and whose outcome is known.

        What waits for its outcome comes with the next `take`. `saved_at` is the city time of the state from which it
        goes on: what was undone later is still in force there.
        """
        self._new = []  # what comes in from here on is asked for below, or kept behind it
        undos = await self._db.read(SQL.undos_to_give, {"saved_at": saved_at}, as_=str)
        standing = await self._db.read(SQL.to_give, as_=str)
        wanted = [*((id, True) for id in undos), *((id, False) for id in standing)]
        known = {row.id: row for row in await rows(self._db, [*undos, *standing])}
        settled = {id for id, row in known.items() if (row.undo_outcome if id in undos else row.settled)}
        waiting = [each for each in wanted if each[0] not in settled]
        self._new = [*waiting, *(each for each in self._new if each not in wanted)]
        await self.refresh()
        return await self._orders([each for each in wanted if each[0] in settled], at)

    async def standing(self, at: datetime) -> tuple[Order, ...]:
        """What stands now, for a branch of the city that goes on apart from it; nothing is changed."""
        return await self._orders([(id, False) for id in await self._db.read(SQL.to_give, as_=str)], at)

    async def settle(self, *, now: datetime) -> None:
        """Write what the outcomes in the journal mean: which orders are done, refused, replaced, undone."""
        async with self._db.transaction() as transaction:
            done = await transaction.read(SQL.settle, {"at": now}, as_=Settled)
            self.under_way.difference_update(each.id for each in done)
            for each in await rows(transaction, [each.id for each in done]):
                outcome = next(found for found in done if found.id == each.id)
                facts = {"state": outcome.state, "code": outcome.code}
                await note(transaction, each, Act.OUTCOME, at=now, facts=facts)
                if outcome.state is OutcomeState.EXECUTED:
                    await self._replace(transaction, each, now)
            undone = await transaction.read(SQL.settle_undone, as_=Settled)
            for each in await rows(transaction, [each.id for each in undone]):
                outcome = next(found for found in undone if found.id == each.id)
                await note(transaction, each, Act.UNDO, at=now, facts={"state": outcome.state, "code": outcome.code})
        await self.refresh()

    async def tick(self, at: datetime, *, now: datetime) -> None:
        """End what expires at the city's time, refuse what nobody approved in time, try again what failed.

        It costs nothing when nothing is due.
        """
        self.at = at
        if self._next_expiry is not None and self._next_expiry <= at:
            await self._expire(at, now)
            await self.refresh()
        if self._next_late is not None and now - self._next_late > APPROVE_WITHIN:
            await self._refuse_late(now)
            await self.refresh()

        if self._tried_at is None or now - self._tried_at >= TRY_AGAIN:
            await self._try_again(now)

    async def refresh(self) -> None:
        """Look up when the next order expires, and the next proposal is late."""
        self._next_expiry = await self._db.read_one(SQL.next_expiry, as_=datetime)
        self._next_late = await self._db.read_one(SQL.next_late, as_=datetime)

    async def _limit(self, ids: Sequence[str], at: datetime) -> None:
        """From now on an order stands for as long as its means says; it never becomes longer."""
        for row in await rows(self._db, ids):
            means = self._trade.means.get(row.means)
            if means and means.lasts_for and row.lasts:
                until = (row.given_at or at) + means.lasts_for(row.parameters)
                await self._db.write(SQL.shorten, {"id": row.id, "until": until})
        await self.refresh()

    async def _try_again(self, now: datetime) -> None:
        self._tried_at = now
        undos = await self._db.read(SQL.failed_undos, {"since": now - GIVE_UP}, as_=str)
        failed = await self._db.read(SQL.failed, as_=str)
        again = [*((id, True) for id in undos), *((id, False) for id in failed)]
        self._new = [*(each for each in again if each not in self._new), *self._new]

    async def _expire(self, at: datetime, now: datetime) -> None:
        undone: list[str] = []
        async with self._db.transaction() as transaction:
            for row in await rows(transaction, await transaction.read(SQL.expired, {"city_at": at}, as_=str)):
                undo = self._trade.is_undone(row)
                await end(transaction, row, Ended(why=Why.EXPIRED, by="", at=now), undo=undo)
                await note(transaction, row, Act.EXPIRE, at=now)
                if undo:
                    undone.append(row.id)
                else:
                    self.drop(row.id)
        for id in undone:
            self.add(id, undo=True)

    async def _refuse_late(self, now: datetime) -> None:
        async with self._db.transaction() as transaction:
            late = await transaction.read(SQL.late, {"before": now - APPROVE_WITHIN}, as_=str)
            for row in await rows(transaction, late):
                await refuse_late(transaction, row, now)

    async def _replace(self, transaction: Transaction, newer: Row, now: datetime) -> None:
        params = {"id": newer.id, "means": self._trade.ended_by(newer.means), "at": now}
        replaced = await transaction.read(SQL.replace, params, as_=str)
        for each in await rows(transaction, replaced):
            await note(transaction, each, Act.REPLACE, at=now, facts={"by": newer.proposed_by, "order": newer.id})

    async def _orders(self, wanted: Sequence[tuple[str, bool]], at: datetime) -> tuple[Order, ...]:
        known = {row.id: row for row in await rows(self._db, [id for id, _ in wanted])}
        return tuple(self._made(((known[id], undo) for id, undo in wanted if id in known), at=at))

    def _made(self, wanted: Iterable[tuple[Row, bool]], *, at: datetime) -> Iterable[Order]:
        for row, undo in wanted:
            means = self._trade.means.get(row.means)
            if means is None:
                log.warning("order_of_unknown_means", order=row.id, means=row.means)
            elif undo and row.undo is not Undo.NONE:
                yield undoing(row, means.undone_by, self._trade.undo_parameters(means, row, at), at)
            elif not undo and row.state is OrderState.STANDING:
                yield row.order(at)


async def refuse_late(transaction: Transaction, row: Row, now: datetime) -> None:
    """Nobody else agreed in time."""
    await end(transaction, row, Ended(why=Why.LATE, by="", at=now))
    await note(transaction, row, Act.LATE, at=now)
