# SPDX-License-Identifier: Apache-2.0
"""What all acts on orders write: the row, the order's own history, the audit log, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.app import Means
from citybrain.kernel.audit.recording import MACHINE, Acting, record
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.orders.order import Act, Ended, OrderState, Row, Undo, Why
from citybrain.kernel.records import Facts


class Sql(msgspec.Struct, frozen=True):
    """The queries of orders."""

    add: str
    by_key: str
    held: str
    lock: str
    orders: str
    in_force: str
    acts: str
    act_add: str
    approve: str
    shorten: str
    ending: str
    end: str
    expired: str
    late: str
    next_expiry: str
    next_late: str
    settle: str
    settle_undone: str
    replace: str
    undos_to_give: str
    to_give: str
    failed: str
    failed_undos: str


SQL = sql.load(Path(__file__).with_name("queries_orders.sql"), Sql)

ALL = 1_000_000
NOT_IN_FORCE = {Why.LATE: OrderState.REFUSED, Why.REFUSED: OrderState.REFUSED}


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """What can be done in this city: every means by its name, and those that somebody carries out."""

    means: Mapping[str, Means] = {}
    executed: frozenset[str] = frozenset()

    def undo_parameters(self, means: Means, row: Row, at: datetime) -> Facts:
        """The parameters of the order that undoes one."""
        return means.undo(row.order(at)) if means.undo else {}

    def ended_by(self, means: str) -> list[str]:
        """The means whose orders an order of this one puts an end to: its own, and those that it undoes."""
        return [means, *(each.name for each in self.means.values() if each.undone_by == means and each.name != means)]

    def is_undone(self, row: Row) -> bool:
        """Whether somebody must be told when an order is over: one that lasts, and could be in force."""
        means = self.means.get(row.means)
        in_force = row.lasts and row.state is OrderState.STANDING
        return bool(in_force and means and means.undone_by)


async def rows(where: Database | Transaction, ids: Sequence[str]) -> list[Row]:
    """The orders with these ids, in this order; unknown ones are left out."""
    found = await where.read(SQL.orders, selection(ids=list(ids)), as_=Row)
    by_id = {row.id: row for row in found}
    return [by_id[id] for id in ids if id in by_id]


def selection(
    *,
    ids: Collection[str] | None = None,
    entity_id: str | None = None,
    means: Collection[str] | None = None,
    state: OrderState | None = None,
    limit: int = ALL,
) -> dict[str, Any]:
    """Which orders to read; what is None is not asked for."""
    return {"ids": ids, "entity_id": entity_id, "means": means, "state": state, "limit": limit}


async def note(
    transaction: Transaction, row: Row, act: Act, *, by: Acting = MACHINE, at: datetime, facts: Facts | None = None
) -> None:
    """Write an act into the order's history and the audit log. Acts of the city itself have nobody's name."""
    told = dict(facts or {})
    name = "" if by is MACHINE else by.account
    params = {"id": row.id, "act": act, "by": name, "at": at, "facts": told}
    await transaction.write(SQL.act_add, params)
    about = {"means": row.means, "entity_id": row.entity_id, **told}
    await record(transaction, actor=by, act=f"order.{act}", object=f"order:{row.id}", facts=about)


async def end(transaction: Transaction, row: Row, ended: Ended, *, undo: bool = False) -> None:
    """Write that an order is over, and with `undo` that its executor must be told."""
    params = {
        "id": row.id,
        "state": NOT_IN_FORCE.get(ended.why, OrderState.ENDED),
        "undo": Undo.DUE if undo else Undo.NONE,
        **msgspec.structs.asdict(ended),
    }
    await transaction.write(SQL.end, params)
