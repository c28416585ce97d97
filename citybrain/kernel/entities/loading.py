# SPDX-License-Identifier: Apache-2.0
"""Entities as they are fetched from the database at the start: whole blocks, many times as fast as row by row."""

import asyncio
from collections.abc import AsyncIterator
from itertools import accumulate, pairwise

from citybrain.kernel.db import Database
from citybrain.kernel.entities.shelf import Shelf
from citybrain.kernel.entities.writing import BETWEEN_TYPES, SQL, Block

TOGETHER = 10_000

Types = tuple[str, ...]


async def blocks(db: Database, last: int) -> AsyncIterator[Block]:
    """All entities up to a number; each block is asked for before the one in front of it is handed out."""

    async def fetch(after: int) -> list[Block]:
        params = {"after": after, "until": after + TOGETHER}
        return [Block(*row) for row in await db.rows(SQL.document_block, params, binary=True)]

    coming = asyncio.create_task(fetch(0))
    for following in range(TOGETHER, last + TOGETHER, TOGETHER):
        found = await coming
        coming = asyncio.create_task(fetch(following))
        for block in found:
            yield block
    await coming  # it is beyond the last one, so there is nothing in it


def take_in(shelf: Shelf, block: Block, same: dict[Types, Types]) -> None:
    """Put a block on the shelf; `same` holds each list of types once."""
    if not block.live:
        shelf.past.update(zip(block.ids, block.numbers, strict=True))
        return
    split = {joined: tuple(joined.split(BETWEEN_TYPES)) if joined else () for joined in set(block.types)}
    for joined, types in split.items():
        split[joined] = same.setdefault(types, types)
    ends = accumulate(block.lengths, initial=0)
    shelf.add_many(
        block.ids,
        block.numbers,
        [split[joined] for joined in block.types],
        [block.bodies[begin:end] for begin, end in pairwise(ends)],
    )
