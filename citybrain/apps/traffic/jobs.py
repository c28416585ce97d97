# SPDX-License-Identifier: Apache-2.0
"""What the app does while the city runs: it keeps what the comparisons came to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import structlog

from citybrain.apps.traffic.service.traffic import Traffic
from citybrain.kernel.errors import Refusal
from citybrain.kernel.store import Store

KEEP_EVERY = timedelta(seconds=10)

log = structlog.get_logger()


@asynccontextmanager
async def running(store: Store) -> AsyncIterator[Traffic]:
    """The open app, until the city stops; what ended by then is kept."""
    traffic = Traffic(store.db)
    round_ = asyncio.create_task(_keep_on(traffic))
    try:
        yield traffic
    finally:
        round_.cancel()
        with suppress(asyncio.CancelledError):
            await round_
        await traffic.keep()


async def _keep_on(traffic: Traffic) -> None:
    """The edge of a job: what is refused now is tried in the next round, and told in the log."""
    while True:
        await asyncio.sleep(KEEP_EVERY.total_seconds())
        try:
            await traffic.keep()
        except Refusal as refusal:
            log.warning("comparisons not kept", code=refusal.code, facts=dict(refusal.facts))
