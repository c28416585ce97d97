# SPDX-License-Identifier: Apache-2.0
"""The end of what runs beside: nothing of it is left when it is over."""

import asyncio
from collections.abc import Iterable
from typing import Any


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until each has ended. What one of them raised is left for the loop to tell."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending)
