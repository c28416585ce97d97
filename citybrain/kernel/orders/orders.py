# SPDX-License-Identifier: Apache-2.0
"""The desk of orders: what people and programs may do with them, each act one transaction with its audit entry."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from msgspec.structs import asdict, replace

from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.access.policy import reach, require
from citybrain.kernel.app import APPROVE_WITHIN, Means
from citybrain.kernel.audit.recording import MACHINE, Acting
from citybrain.kernel.clock import new_id
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Refusal
from citybrain.kernel.orders.delivery import Delivery, refuse_late
from citybrain.kernel.orders.order import (
    Act,
    ApprovedLate,
    Ended,
    ExpiresInThePast,
    KeyUsed,
    NoSuchMeans,
    NoSuchOrder,
    NotOnThis,
    NotProposed,
    NotYours,
    OrderAct,
    OrderOver,
    OrderState,
    OtherPersonNeeded,
    Row,
    StandingOrder,
    Wanted,
    Why,
)
from citybrain.kernel.orders.parameters import checked
from citybrain.kernel.orders.writing import SQL, Trade, end, note, rows, selection
from citybrain.kernel.records import Entity, Facts

MINUTES = int(APPROVE_WITHIN.total_seconds() // 60)
MOST = 500
OPEN = (OrderState.PROPOSED, OrderState.STANDING)

Find = Callable[[str], Entity | None]


class Orders:
    """The orders of one city. `entity` finds what an order is for; `delivery` is where the city takes them from.

    Every verb needs the permission of the order's means. Without an actor the city itself acts, as its apps do.
    """

    def __init__(self, db: Database, trade: Trade, entity: Find) -> None:
        self._db = db
        self._trade = trade
        self._entity = entity
        self.delivery = Delivery(db, trade)

    async def give(
        self, actor: Actor | None, wanted: Wanted, *, now: datetime, city_now: datetime | None = None
    ) -> StandingOrder:
        """Order something; committed on return. What needs two persons waits for the second one.

        The same person with the same key gets the order that was given under it. Whoever orders what would replace
        or undo the will of two persons needs a second one too.
        """
        means = self._means(wanted.means)
        if actor is not None:
            require(actor, means.permission)
        parameters = checked(means, wanted.parameters)
        wanted = replace(wanted, parameters=parameters)
        by: Acting = actor or MACHINE
        known = await self._known(by, wanted)
        if known is None:
            self._check(means, wanted, city_now)
            known = await self._add(actor, means, wanted, now)
            await self.delivery.refresh()
        return known.view()

    def would_give(self, wanted: Wanted) -> tuple[Means, Facts]:
        """The means and all parameters of an order that is only thought of. Refuses what `give` would."""
        means = self._means(wanted.means)
        parameters = checked(means, wanted.parameters)
        self._check(means, wanted, None)
        return means, parameters

    async def _add(self, actor: Actor | None, means: Means, wanted: Wanted, now: datetime) -> Row:
        by: Acting = actor or MACHINE
        async with self._db.transaction() as transaction:
            two = means.two_person or await self._is_held_by_two(transaction, wanted)
            if two:
                _require_person(actor)
            row = {
                **asdict(wanted),
                "id": new_id(),
                "state": OrderState.PROPOSED if two else OrderState.STANDING,
                "two_person": two,
                "lasts": means.lasts,
                "proposed_by": by.account,
                "proposed_at": now,
            }
            added = await transaction.write(SQL.add, row)
            if added:
                found = await self._row(transaction, str(row["id"]))
                await note(transaction, found, Act.PROPOSE if two else Act.GIVE, by=by, at=now)
        if not added:
            # Somebody sent it twice at once, and the other one was first.
            return cast(Row, await self._known(by, wanted))
        if not two:
            self.delivery.add(found.id)
        return found

    async def _known(self, by: Acting, wanted: Wanted) -> Row | None:
        """The order that this person gave under this key; another one than is wanted now is refused."""
        if wanted.key is None:
            return None
        id = await self._db.read_one(SQL.by_key, {"proposed_by": by.account, "key": wanted.key}, as_=str)
        if id is None:
            return None
        row = await self._row(self._db, id)
        if (row.means, row.entity_id, row.parameters) != (wanted.means, wanted.entity_id, wanted.parameters):
            raise KeyUsed("kernel.order_key_used", {"key": wanted.key, "id": row.id})
        return row

    @property
    def trade(self) -> Trade:
        """What can be done in this city."""
        return self._trade

    async def of_ids(self, ids: Sequence[str]) -> list[StandingOrder]:
        """The orders with these ids, for the city's own apps; unknown ones are left out."""
        return [row.view() for row in await rows(self._db, ids)]

    async def approve(self, actor: Actor, id: str, *, now: datetime) -> StandingOrder:
        """Agree as the second person: to an order that is proposed, or to the end of one that two persons gave."""
        row = await self._seen(actor, id)
        if row.state is OrderState.STANDING and row.is_ending(now):
            return await self.end(actor, id, reason="", now=now)
        async with self._db.transaction() as transaction:
            row = await self._locked(transaction, id)
            refusal = await self._approve(transaction, actor, row, now)
        await self.delivery.refresh()
        if refusal is not None:
            raise refusal
        self.delivery.add(id)
        return (await self._row(self._db, id)).view()

    async def end(self, actor: Actor | None, id: str, *, reason: str, now: datetime) -> StandingOrder:
        """End an order that stands, or withdraw one that is proposed. What two persons gave, two must end."""
        await self._seen(actor, id)
        async with self._db.transaction() as transaction:
            row = await self._locked(transaction, id)
            undo = await self._end(transaction, actor, row, reason=reason, now=now)
        if undo is not None:
            self.delivery.drop(id)
            if undo:
                self.delivery.add(id, undo=True)
        await self.delivery.refresh()
        return (await self._row(self._db, id)).view()

    async def get(self, actor: Actor, id: str) -> tuple[StandingOrder, Sequence[OrderAct]]:
        """An order with all that was done with it."""
        row = await self._seen(actor, id)
        return row.view(), await self._db.read(SQL.acts, {"id": id}, as_=OrderAct)

    async def find(
        self,
        actor: Actor,
        *,
        entity_id: str | None = None,
        means: str | None = None,
        state: OrderState | None = None,
        limit: int = 100,
    ) -> list[StandingOrder]:
        """Orders, the newest first; only of means that whoever asks may use."""
        may = {each.name for each in self._trade.means.values() if reach(actor, each.permission)}
        asked = may if means is None else may & {means}
        which = selection(entity_id=entity_id, means=sorted(asked), state=state, limit=min(max(limit, 1), MOST))
        return [row.view() for row in await self._db.read(SQL.orders, which, as_=Row)]

    async def in_force(
        self, actor: Actor, *, group: str, at: datetime | None = None, clock_at: datetime | None = None
    ) -> list[StandingOrder]:
        """Orders that stand, the newest first, of the means of a group that whoever asks may use; those that stood at
        a city time where one is named, when the clock said `clock_at`. What happened to them later is not told."""
        may = [
            each.name
            for each in self._trade.means.values()
            if each.name.partition(".")[0] == group and reach(actor, each.permission)
        ]
        which = {"means": may, "at": at, "clock_at": clock_at, "limit": MOST}
        return [
            row.view() if at is None else row.stood(at) for row in await self._db.read(SQL.in_force, which, as_=Row)
        ]

    def _means(self, name: str) -> Means:
        means = self._trade.means.get(name)
        if means is None:
            raise NoSuchMeans("kernel.no_such_means", {"means": name})
        if name not in self._trade.executed:
            raise NoSuchMeans("kernel.nobody_executes", {"means": name})
        return means

    def _check(self, means: Means, wanted: Wanted, city_now: datetime | None) -> None:
        entity = self._entity(wanted.entity_id)
        if means.entity_types and entity is None:
            raise NotOnThis("kernel.order_for_nothing", {"id": wanted.entity_id})
        if means.entity_types and entity and entity.type not in means.entity_types:
            facts = {"id": entity.id, "type": entity.type, "types": ", ".join(means.entity_types), "means": means.name}
            raise NotOnThis("kernel.order_not_on_this", facts)
        if wanted.expires_at is None:
            return
        if wanted.expires_at.tzinfo is None:
            raise ExpiresInThePast("kernel.order_expires_without_zone", {})
        if city_now is not None and wanted.expires_at <= city_now:
            raise ExpiresInThePast("kernel.order_expires_in_the_past", {"at": wanted.expires_at, "now": city_now})

    async def _is_held_by_two(self, transaction: Transaction, wanted: Wanted) -> bool:
        means = self._trade.ended_by(wanted.means)
        return bool(await transaction.read(SQL.held, {"entity_id": wanted.entity_id, "means": means}, as_=str))

    async def _row(self, where: Database | Transaction, id: str) -> Row:
        found = await rows(where, [id])
        if not found:
            raise NoSuchOrder("kernel.order_unknown", {"id": id})
        return found[0]

    async def _seen(self, actor: Actor | None, id: str) -> Row:
        """An order of a means that the actor may use; others are none of theirs."""
        row = await self._row(self._db, id)
        means = self._trade.means.get(row.means)
        if means is None or (actor is not None and not reach(actor, means.permission)):
            raise NoSuchOrder("kernel.order_unknown", {"id": id})
        return row

    async def _locked(self, transaction: Transaction, id: str) -> Row:
        await transaction.read(SQL.lock, {"id": id}, as_=str)
        return await self._row(transaction, id)

    async def _approve(self, transaction: Transaction, actor: Actor, row: Row, now: datetime) -> Refusal | None:
        """The refusal of one that came too late is answered, not raised: that it is refused must be kept."""
        if row.state is not OrderState.PROPOSED:
            code = "kernel.order_not_proposed" if row.ended_why is not Why.LATE else "kernel.order_approved_late"
            facts = {"id": row.id, "state": row.state, "minutes": MINUTES, "name": row.proposed_by}
            return (ApprovedLate if row.ended_why is Why.LATE else NotProposed)(code, facts)
        _require_other(actor, row.proposed_by)
        if now - row.proposed_at > APPROVE_WITHIN:
            await refuse_late(transaction, row, now)
            return ApprovedLate("kernel.order_approved_late", {"minutes": MINUTES, "name": row.proposed_by})
        await transaction.write(SQL.approve, {"id": row.id, "by": actor.account, "at": now})
        await note(transaction, row, Act.APPROVE, by=actor, at=now)
        return None

    async def _end(
        self, transaction: Transaction, actor: Actor | None, row: Row, *, reason: str, now: datetime
    ) -> bool | None:
        """Whether the order that ended must be undone; None when a second person has yet to agree."""
        by: Acting = actor or MACHINE
        if row.state not in OPEN:
            raise OrderOver("kernel.order_over", {"id": row.id, "name": row.ended_by or "", "at": row.ended_at})
        if row.state is OrderState.PROPOSED:
            if by.account != row.proposed_by:
                raise NotYours("kernel.order_not_yours", {"name": row.proposed_by})
            await end(transaction, row, Ended(why=Why.WITHDRAWN, by=by.account, at=now, reason=reason))
            await note(transaction, row, Act.WITHDRAW, by=by, at=now)
            return False
        if row.two_person and row.lasts and not row.is_ending(now):
            _require_person(actor)
            await transaction.write(SQL.ending, {"id": row.id, "by": by.account, "at": now})
            await note(transaction, row, Act.PROPOSE_END, by=by, at=now)
            return None
        if row.two_person and row.lasts:
            _require_other(actor, row.ending_by or "")
        undo = self._trade.is_undone(row)
        await end(transaction, row, Ended(why=Why.ENDED, by=by.account, at=now, reason=reason), undo=undo)
        await note(transaction, row, Act.END, by=by, at=now)
        return undo


def _require_person(actor: Actor | None) -> Actor:
    """Two persons are two people: neither a program nor the city itself is one."""
    if actor is None or actor.kind is not Kind.STAFF:
        raise OtherPersonNeeded("kernel.order_needs_person", {})
    return actor


def _require_other(actor: Actor | None, first: str) -> None:
    person = _require_person(actor)
    if first in (person.account, person.on_behalf_of):
        raise OtherPersonNeeded("kernel.order_needs_other_person", {"name": first, "minutes": MINUTES})
