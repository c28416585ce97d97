# SPDX-License-Identifier: Apache-2.0
"""What people last wished of each signal, once a setting, is an order that stands."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from citybrain.kernel import embedded
from citybrain.kernel import migrate as migrating
from citybrain.kernel.app import Means
from citybrain.kernel.db import Database
from citybrain.kernel.migrate import migrate
from citybrain.kernel.orders import Orders, Trade

CITY = datetime(2027, 1, 1, 7, tzinfo=UTC)
WISHES = '{"urn:ngsi-ld:Signal:1": ["plan", "ann"], "urn:ngsi-ld:Signal:2": ["brain", "bob"]}'


class Mode(msgspec.Struct, frozen=True, kw_only=True):
    mode: str


MEANS = Means(name="traffic.set_control_mode", permission="traffic.control", parameters=Mode, undone_by="", lasts=True)


@pytest.fixture
async def older(server: embedded.Postgres, tmp_path: Path) -> AsyncIterator[Database]:
    """A database from before orders stood, with wishes in it, then brought up to date."""
    for file in migrating.KERNEL.glob("*.sql"):
        if file.name < "0020":
            shutil.copy(file, tmp_path)
    admin = await Database.connect(server.url)
    await admin.write("CREATE DATABASE before_orders")
    db = await Database.connect(server.url.replace("@/postgres?", "@/before_orders?"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrating, "KERNEL", tmp_path)
        await migrate(db, {})
    await db.write(
        "INSERT INTO setting VALUES ('control_wishes', %(wishes)s::jsonb), ('other', '1')", {"wishes": WISHES}
    )
    assert "kernel/0020_orders.sql" in await migrate(db, {})
    yield db
    await db.close()
    await admin.write("DROP DATABASE before_orders")
    await admin.close()


async def test_wishes_of_people_stand_as_orders_and_are_given_to_the_city_that_opens(older: Database) -> None:
    orders = Orders(older, Trade(means={MEANS.name: MEANS}), lambda _: None)
    given = await orders.delivery.reopen(CITY, saved_at=None)
    assert {(each.entity_id, each.parameters["mode"], each.by) for each in given} == {
        ("urn:ngsi-ld:Signal:1", "plan", "ann"),
        ("urn:ngsi-ld:Signal:2", "brain", "bob"),
    }
    assert await older.read("SELECT name FROM setting ORDER BY name", as_=str) == ["other"]
