# SPDX-License-Identifier: Apache-2.0
"""The comparisons of brain and plan that are kept."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.apps.traffic.measure.shadow import Window
from citybrain.kernel import sql
from citybrain.kernel.db import Database


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    keep: str
    of_junction: str
    since: str
    forget: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


async def keep(db: Database, windows: Sequence[Window], *, forget_before: datetime) -> None:
    """Keep the windows, and forget what is too old."""
    async with db.transaction() as transaction:
        await transaction.write_many(SQL.keep, [_row(one) for one in windows])
        await transaction.write(SQL.forget, {"before": forget_before})


async def of_junction(db: Database, signal_id: str, *, since: datetime, limit: int) -> list[Window]:
    """The windows of one junction, by the first of its signals; newest first."""
    return await db.read(SQL.of_junction, {"signal_id": signal_id, "since": since, "limit": limit}, as_=Window)


async def since(db: Database, at: datetime) -> list[Window]:
    """The windows of all junctions that began since."""
    return await db.read(SQL.since, {"since": at}, as_=Window)


def _row(window: Window) -> dict[str, object]:
    return {
        **{name: getattr(window, name) for name in Window.__struct_fields__},
        "signals": list(window.signals),
        "signal_id": window.signals[0],
    }
