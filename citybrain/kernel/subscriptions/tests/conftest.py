# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator

import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.subscriptions.tests.scene import Receiver, Town, open_town


@pytest.fixture
async def town(db: Database) -> AsyncIterator[Town]:
    async with open_town(db) as town:
        yield town
        for view in town.subscriptions.views(utc_now()):
            await town.subscriptions.delete(view.tenant, view.id, kind=view.kind)
        for id in list(town.documents.ids("")):
            await town.delete(id)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()
