# SPDX-License-Identifier: Apache-2.0
"""Entities as they are fetched from the database at the start: whole blocks, many times as fast as row by row."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from citybrain.kernel.db import Database, Params
from citybrain.kernel.entities.writing import SQL

Rows = list[tuple[Any, ...]]


async def fetched(db: Database, blocks: Sequence[Params]) -> AsyncIterator[tuple[Rows, Rows]]:
    """Blocks of entities and of past ones, each asked for before the one in front of it is handed out."""

    async def fetch(block: Params) -> tuple[Rows, Rows]:
        return (
            await db.rows(SQL.document_block, block, binary=True),
            await db.rows(SQL.past_block, block, binary=True),
        )

    coming = [asyncio.create_task(fetch(block)) for block in blocks[:1]]
    for following in (*blocks[1:], None):
        if coming:
            found = await coming.pop()
            if following:
                coming.append(asyncio.create_task(fetch(following)))
            yield found
