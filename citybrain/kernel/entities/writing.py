# SPDX-License-Identifier: Apache-2.0
"""What a change of entities hands to the one who writes, and how its rows are stored and read again."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Transaction
from citybrain.kernel.entities.attribute_names import AttributeName
from citybrain.kernel.entities.document import Document, EntityChange
from citybrain.kernel.entities.times import text_of

Notice = Any
"""What a watcher wants stored with a change. Its type says who stores it."""

BETWEEN_TYPES = "\x1f"


class Sql(msgspec.Struct, frozen=True):
    """The queries of this folder."""

    names: str
    newest_number: str
    document_block: str
    name_insert: str
    document_upsert: str
    document_delete: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The row of one entity; `live` is false for one that only the history knows."""

    number: int
    tenant: str
    id: str
    types: tuple[str, ...]
    body: bytes
    live: bool
    created_at: datetime
    modified_at: datetime
    expires_at: datetime | None


class Block(msgspec.Struct, frozen=True):
    """Entities of one tenant as they are fetched at the start: columns, and all bodies in one piece."""

    tenant: str
    live: bool
    numbers: list[int]
    ids: list[str]
    types: list[str]
    lengths: list[int]
    bodies: bytes
    due_ids: list[str] | None
    due: list[datetime] | None


class HistoryRows(msgspec.Struct, frozen=True):
    """Rows of the history in COPY form, the days they fall on, and the newest instance number among them."""

    data: bytes = b""
    days: frozenset[date] = frozenset()
    instance: int = 0


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """What is committed together: rows of entities, rows of the history, notices.

    `forgotten` are numbers of entities that leave with their whole history.
    """

    rows: Sequence[Row] = ()
    history: HistoryRows = HistoryRows()
    notices: Sequence[Notice] = ()
    forgotten: Sequence[int] = ()


class Committer(Protocol):
    """Who writes: in order, all of a writing or nothing."""

    def check(self) -> None:
        """Refuse when nothing can be written any more."""

    def reserve(self, instances: int) -> int:
        """Set numbers of attribute instances aside; answers with the first of them."""

    def history(self, changes: Sequence[tuple[int, EntityChange]]) -> HistoryRows:
        """The rows that the history gets for changes of entities, which come with their numbers."""

    def commit(self, writing: Writing) -> asyncio.Future[None]:
        """Take a writing in; the future is done when it is committed."""


async def store_names(transaction: Transaction, names: Sequence[AttributeName]) -> None:
    """Write the names of attributes that are new."""
    if names:
        params = {
            "numbers": [each.number for each in names],
            "names": [each.name for each in names],
            "dataset_ids": [each.dataset_id for each in names],
        }
        await transaction.write(SQL.name_insert, params)


async def store_rows(transaction: Transaction, writings: Iterable[Writing]) -> None:
    """Write the rows of entities; of several rows of one entity the last counts."""
    newest: dict[int, Row] = {}
    for writing in writings:
        newest.update((row.number, row) for row in writing.rows)
        for number in writing.forgotten:
            if number in newest and not newest[number].live:
                del newest[number]
    rows = list(newest.values())
    if rows:
        params = {
            "numbers": [row.number for row in rows],
            "tenants": [row.tenant for row in rows],
            "ids": [row.id for row in rows],
            "types": [BETWEEN_TYPES.join(row.types) for row in rows],
            "bodies": [row.body for row in rows],
            "lives": [row.live for row in rows],
            "created": [row.created_at for row in rows],
            "modified": [row.modified_at for row in rows],
            "expires": [row.expires_at for row in rows],
        }
        await transaction.write(SQL.document_upsert, params)


async def forget_rows(transaction: Transaction, numbers: Sequence[int]) -> None:
    """Delete the rows of entities that only the history knew; the history goes too."""
    if numbers:
        await transaction.write(SQL.document_delete, {"numbers": list(numbers)})


def time_of(text: str, otherwise: datetime) -> datetime:
    """The time that a document's text says, or another when it says none."""
    return datetime.fromisoformat(text) if text else otherwise


def past_row(tenant: str, document: Document, number: int, at: datetime) -> Row:
    """The row of an entity that only the history knows: its types and scopes, and when it began."""
    kept = Document(
        id=document.id,
        types=document.types,
        scopes=document.scopes,
        created_at=document.created_at,
        modified_at=text_of(at),
    )
    return Row(
        number=number,
        tenant=tenant,
        id=document.id,
        types=document.types,
        body=msgspec.json.encode(kept),
        live=False,
        created_at=time_of(document.created_at, at),
        modified_at=at,
        expires_at=None,
    )
