# SPDX-License-Identifier: Apache-2.0
"""`citybrain audit` says whether the log is whole, and whether or not a city works on it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from citybrain.kernel import embedded
from citybrain.kernel.audit import MACHINE, extend, record, seal
from citybrain.kernel.crypto import AES, KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.migrate import migrate
from citybrain.kernel.settings import Settings
from citybrain.serve.cli import commands_for

COMMANDS = commands_for(["audit"])

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(COMMANDS, ["audit", *map(str, words)])


async def _write_log(url: str, settings: Settings) -> None:
    db = await Database.connect(url)
    await migrate(db, {})
    for number in range(1, 4):
        async with db.transaction() as transaction:
            await record(transaction, actor=MACHINE, act="case.open", object=f"case:{number}")
    await seal(db, KeyRing.open(settings.key_file, now=NOW), now=NOW, beside=settings.data / "seals.jsonl")
    async with db.transaction() as transaction:
        await record(transaction, actor=MACHINE, act="case.open", object="case:4")
    await extend(db, AES)
    await db.close()


async def _tamper(url: str) -> None:
    db = await Database.connect(url)
    async with db.transaction() as transaction:
        await transaction.write("SET LOCAL session_replication_role = replica")
        await transaction.write("UPDATE audit_entry SET object = 'case:9' WHERE id = 2")
    await db.close()


@pytest.fixture
def city(fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[embedded.Postgres]:
    """A data folder with a log, on whose database somebody works."""
    monkeypatch.setenv("CITYBRAIN_DATA", str(fresh_settings.data))
    monkeypatch.setenv("CITYBRAIN_LANG", "en")
    server = embedded.start(fresh_settings.data)
    asyncio.run(_write_log(server.url, fresh_settings))
    yield server
    server.stop()


def test_a_log_is_verified_taken_out_and_found_broken(city: embedded.Postgres, tmp_path: Path) -> None:
    found = call("verify", "--json")
    report = msgspec.json.decode(found.stdout)
    assert (found.exit_code, report["whole"], report["entries"], report["sealed"]) == (0, True, 4, 3)
    assert "is whole: 4 entries" in call("verify").stdout
    assert call("export", tmp_path / "log.jsonl").exit_code == 0
    assert len((tmp_path / "log.jsonl").read_bytes().splitlines()) == 4
    assert len(call("public-key").stdout.strip()) == 64

    asyncio.run(_tamper(city.url))
    city.stop()
    broken = call("verify")
    assert broken.exit_code == 1
    assert "position 2 (number 2) was changed" in broken.stderr
    assert "Repair and delete nothing" in broken.stderr


def test_without_its_keys_a_log_is_not_called_sealed(
    city: embedded.Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CITYBRAIN_KEYS", str(tmp_path / "none.json"))
    report = msgspec.json.decode(call("verify", "--json").stdout)
    assert [finding["flaw"] for finding in report["findings"]] == ["seal_key_lost"]
    assert not (tmp_path / "none.json").exists(), "looking makes no keys"
