# SPDX-License-Identifier: Apache-2.0
from collections.abc import AsyncIterator

import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.orders import Orders
from citybrain.kernel.orders.tests.desk import ENTITIES, TRADE


@pytest.fixture
async def orders(db: Database) -> AsyncIterator[Orders]:
    yield Orders(db, TRADE, ENTITIES.get)
    await db.write("TRUNCATE standing_order, standing_order_act, outcome, city_order")
