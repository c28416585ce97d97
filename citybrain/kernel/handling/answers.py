# SPDX-License-Identifier: Apache-2.0
"""What was ordered because of many events at once: whatever and whoever gave the orders."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.records import OutcomeState


class Sql(msgspec.Struct, frozen=True):
    """The query of this module."""

    answers: str


SQL = sql.load(Path(__file__).with_name("queries_answers.sql"), Sql)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was given because of an event. Times are the city's; without a state nobody has answered yet."""

    event_id: str
    order_id: str
    means: str
    entity_id: str
    by: str
    at: datetime
    state: OutcomeState | None
    settled_at: datetime | None


async def answers_to(db: Database, event_ids: Sequence[str]) -> dict[str, list[Answer]]:
    """The orders by event, the oldest first; events without orders are left out."""
    found: dict[str, list[Answer]] = {}
    if event_ids:
        for each in await db.read(SQL.answers, {"ids": list(event_ids)}, as_=Answer):
            found.setdefault(each.event_id, []).append(each)
    return found
