# SPDX-License-Identifier: Apache-2.0
"""Rows behind the figures, and shifts that were handed over."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.apps.operations.measure.figures import Checked
from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.records import Json


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    checks_between: str
    handover_add: str
    handover_acknowledge: str
    handover: str
    handovers: str


SQL = sql.load(Path(__file__).with_name("queries_figures.sql"), Sql)


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A shift that one officer handed to another, without its report. `since` and `until` are city time, the others the
    clock's.
    """

    id: str
    since: datetime
    until: datetime
    comments: str
    from_by: str
    to_by: str
    handed_at: datetime
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None


class Handover(Handed, frozen=True, kw_only=True):
    """A shift that was handed over, with its report as it was."""

    report: Json


async def checks_between(db: Database, since: datetime, until: datetime) -> Sequence[Checked]:
    """What was checked of orders that were carried out between two times of the city."""
    return await db.read(SQL.checks_between, {"since": since, "until": until}, as_=Checked)


async def add(transaction: Transaction, handover: Handover) -> None:
    """Keep a shift that is handed over."""
    row = {**msgspec.structs.asdict(handover), "report": msgspec.json.encode(handover.report).decode()}
    await transaction.write(SQL.handover_add, row)


async def acknowledge(transaction: Transaction, id: str, *, by: str, at: datetime) -> int:
    """Note that the successor took it over; 0 when somebody had already."""
    return await transaction.write(SQL.handover_acknowledge, {"id": id, "by": by, "at": at})


async def handovers(db: Database, *, limit: int) -> Sequence[Handed]:
    """Shifts that were handed over, the newest first."""
    return await db.read(SQL.handovers, {"limit": limit}, as_=Handed)


async def handover(db: Database, id: str) -> Handover | None:
    """One of them with its report; None where there is none."""
    return await db.read_one(SQL.handover, {"id": id}, as_=Handover)
