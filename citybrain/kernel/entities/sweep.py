# SPDX-License-Identifier: Apache-2.0
"""Deletes what has expired, for as long as the city is open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from citybrain.kernel.entities.documents import Documents

EVERY_S = 1.0  # until it is swept away, what has expired is left out when it is read


@asynccontextmanager
async def sweeping(documents: Documents, now: Callable[[], datetime]) -> AsyncIterator[None]:
    """Sweep until the end of the block."""

    async def sweep() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await documents.expire(now())

    task = asyncio.create_task(sweep(), name="sweep")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
