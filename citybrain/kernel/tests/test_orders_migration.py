# SPDX-License-Identifier: Apache-2.0
"""What people last wished of each signal, once a setting, is an order that stands."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from citybrain.kernel import embedded
from citybrain.kernel.app import Means
from citybrain.kernel.db import Database
from citybrain.kernel.migrate import migrate
from citybrain.kernel.orders import Orders, Trade
from citybrain.kernel.tests.older import database_before

CITY = datetime(2027, 1, 1, 7, tzinfo=UTC)
WISHES = '{"urn:ngsi-ld:Signal:1": ["plan", "ann"], "urn:ngsi-ld:Signal:2": ["brain", "bob"]}'


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    mode: str


MEANS = Means(name="traffic.set_control_mode", permission="traffic.control", parameters=Mode, undone_by="", lasts=True)


@pytest.fixture
async def older(server: embedded.Postgres, tmp_path: Path) -> AsyncIterator[Database]:
    """A database from before orders stood, with wishes in it, then brought up to date."""
    async with database_before("0020", server, tmp_path) as db:
        await db.write(
            "INSERT INTO setting VALUES ('control_wishes', %(wishes)s::jsonb), ('other', '1')", {"wishes": WISHES}
        )
        assert "kernel/0020_orders.sql" in await migrate(db, {})
        yield db


async def test_wishes_of_people_stand_as_orders_and_are_given_to_the_city_that_opens(older: Database) -> None:
    orders = Orders(older, Trade(means={MEANS.name: MEANS}), lambda _: None)
    given = await orders.delivery.reopen(CITY, saved_at=None)
    assert {(each.entity_id, each.parameters["mode"], each.by) for each in given} == {
        ("urn:ngsi-ld:Signal:1", "plan", "ann"),
        ("urn:ngsi-ld:Signal:2", "brain", "bob"),
    }
    assert await older.read("SELECT name FROM setting ORDER BY name", as_=str) == ["other"]
