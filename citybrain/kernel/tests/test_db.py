# SPDX-License-Identifier: Apache-2.0
import asyncio
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from citybrain.kernel import db as db_module
from citybrain.kernel import embedded
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.migrate import migrate
from citybrain.kernel.records import Because, Json
from citybrain.kernel.settings import Settings

OLDEST_PROGRAMS = Path("/usr/lib/postgresql/15/bin")


class Thing(msgspec.Struct, frozen=True):
    name: str
    because: Because
    at: datetime


async def test_rows_become_structs_and_structs_become_jsonb(db: Database) -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    thing = Thing(name="a", because=Because(code="x.y", facts={"n": 1}, entity_ids=("e",)), at=at)
    found = await db.read(
        "SELECT %(name)s::text AS name, %(because)s AS because, %(at)s::timestamptz AS at",
        msgspec.structs.asdict(thing),
        as_=Thing,
    )
    assert found == [thing]


async def test_what_numpy_hands_us_can_be_kept(db: Database) -> None:
    facts: Json = {"mean": np.float64(1.5), "n": np.int64(2), "all": np.array([1.0, 2.0]), "gone": float("nan")}
    assert await db.read_one("SELECT %(facts)s AS facts", {"facts": facts}, as_=object) == {
        "mean": 1.5, "n": 2, "all": [1.0, 2.0], "gone": None,
    }  # fmt: skip


async def test_a_transaction_counts_as_a_whole_or_not_at_all(db: Database) -> None:
    await db.write("CREATE TABLE whole (x int)")
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as transaction:
            await transaction.write("INSERT INTO whole VALUES (1)")
            raise ZeroDivisionError
    async with db.transaction() as transaction:
        await transaction.write_many("INSERT INTO whole VALUES (%(x)s)", [{"x": 2}, {"x": 3}])
    assert await db.read("SELECT x FROM whole ORDER BY x", as_=int) == [2, 3]


async def test_who_listens_hears_what_is_notified(db: Database) -> None:
    heard: list[str] = []

    async def listen() -> None:
        async for payload in db.listen("town"):
            heard.append(payload)
            return

    listener = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        while not listener.done():
            await db.write("SELECT pg_notify('town', 'market day')")
            await asyncio.sleep(0.05)
    assert heard == ["market day"]


async def test_a_connection_that_was_cut_is_replaced(db: Database) -> None:
    await cut_all_connections(db)
    assert await db.read("SELECT 1", as_=int) == [1]


async def cut_all_connections(db: Database) -> None:
    await db.write(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


async def test_a_server_nobody_can_reach_is_refused_without_saying_the_password() -> None:
    with pytest.raises(Unavailable) as refusal:
        await Database.connect("postgresql://clerk:topsecret@127.0.0.1:1/city")
    assert refusal.value.code == "kernel.database_unreachable"
    assert refusal.value.facts["port"] == "1"
    assert "topsecret" not in repr(refusal.value) + str(refusal.value.__cause__)


async def test_an_address_that_is_none_is_refused_without_saying_it() -> None:
    with pytest.raises(Unavailable) as refusal:
        await Database.connect("mysql://clerk:topsecret@host/city?=")
    assert refusal.value.code == "kernel.database_url_unusable"
    assert "topsecret" not in repr(refusal.value)


async def test_a_wrong_password_is_refused_as_such(server: embedded.Postgres, db: Database) -> None:
    access = server.cluster / "pg_hba.conf"
    access.write_text("local all guarded scram-sha-256\n" + access.read_text())
    await db.write("CREATE ROLE guarded LOGIN PASSWORD 'right'")
    await db.write("SELECT pg_reload_conf()")
    url = server.url.replace("postgres@", "guarded:wrong@")
    with pytest.raises(Unavailable) as refusal:
        await Database.connect(url)
    assert refusal.value.code == "kernel.database_refused_us"
    assert "wrong" not in str(refusal.value.facts)
    await (await Database.connect(url.replace("wrong", "right"))).close()


async def test_a_server_older_than_we_promise_is_refused(
    server: embedded.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_module, "OLDEST_SERVER", 99)
    with pytest.raises(Unavailable) as refusal:
        await Database.connect(server.url)
    assert refusal.value.code == "kernel.database_too_old"
    assert refusal.value.facts["found"] == 18


@pytest.mark.slow
@pytest.mark.skipif(not OLDEST_PROGRAMS.exists(), reason="PostgreSQL 15 is not installed here")
async def test_the_oldest_server_we_promise_takes_every_table(
    unused_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "VERSION", "15")
    monkeypatch.setattr(embedded, "_programs", lambda folder, account: OLDEST_PROGRAMS)
    db = await Database.open(unused_settings)
    assert await migrate(db, {})
    assert (await db.read("SHOW server_version", as_=str))[0].startswith("15")
    await db.close()
