# SPDX-License-Identifier: Apache-2.0
"""The open app: playbooks in memory and the engine at work on them, until the city stops."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from citybrain.apps.operations.service.engine import Engine, working
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.service.shipping import ship
from citybrain.apps.operations.service.suggesting import suggested
from citybrain.kernel.branches import Thought
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What the app keeps open; routes find it as `store.of_apps["operations"]`."""

    operations: Operations
    engine: Engine

    async def suggested(self, event_id: str) -> Sequence[Thought]:
        """What the playbook that counts would order about an event (`kernel.branches.Suggesting`)."""
        return await suggested(self.operations, event_id)


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Opened]:
    """Put the shipped playbooks in, and begin."""
    operations = Operations(store)
    await ship(operations, now=utc_now())
    async with working(operations) as engine:
        yield Opened(operations=operations, engine=engine)
