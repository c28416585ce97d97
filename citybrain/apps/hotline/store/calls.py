# SPDX-License-Identifier: Apache-2.0
"""Calls as the seats of the desk need them: what rings, who takes it, what became of it."""

from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    waiting: str
    by_id: str
    answer: str
    close: str
    belongs: str


SQL = sql.load(Path(__file__).with_name("queries_calls.sql"), Sql)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it lies in the table; the number is sealed."""

    id: int
    key: str
    phone: bytes | None = None
    phone_mark: bytes | None = None
    rang_at: datetime
    answered_after_s: float | None = None
    ended_at: datetime | None = None
    agent: str = ""
    case_id: int | None = None
