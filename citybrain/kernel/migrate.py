# SPDX-License-Identifier: Apache-2.0
"""Migrations: plain SQL files per owner, applied in order, once, and never changed afterwards."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Unavailable

KERNEL = Path(__file__).parent / "migrations"


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    migration_lock: str
    migration_table: str
    migrations_applied: str
    migration_record: str


SQL = sql.load(Path(__file__).with_name("queries_migrate.sql"), Sql)


class Applied(msgspec.Struct, frozen=True):
    """A migration the database has."""

    owner: str
    name: str
    sha: str


async def migrate(db: Database, owners: Mapping[str, Path]) -> list[str]:
    """Bring the database up to date with the kernel's and the owners' folders; answers with what was applied.

    All of it is one transaction under a lock, so two processes cannot both migrate and a failure changes nothing.
    Refuses a database with migrations we do not have (a newer release used it) and a file that changed after use.
    """
    files = _files({"kernel": KERNEL, **owners})
    async with db.transaction() as transaction:
        await transaction.write(SQL.migration_lock)
        await transaction.script(SQL.migration_table)
        applied = await transaction.read(SQL.migrations_applied, as_=Applied)
        _check(applied, files, {"kernel", *owners})
        known = {(each.owner, each.name) for each in applied}
        new = [key for key in files if key not in known]
        for owner, name in new:
            text = files[owner, name]
            await transaction.script(text)
            await transaction.write(SQL.migration_record, {"owner": owner, "name": name, "sha": _sha(text)})
    return [f"{owner}/{name}" for owner, name in new]


def _files(owners: Mapping[str, Path]) -> dict[tuple[str, str], str]:
    return {
        (owner, path.name): path.read_text("utf-8")
        for owner, folder in owners.items()
        for path in sorted(folder.glob("*.sql"))
    }


def _check(applied: list[Applied], files: Mapping[tuple[str, str], str], owners: set[str]) -> None:
    """Owners that are gone keep their tables: a removed app is not a newer database."""
    for each in applied:
        facts = {"owner": each.owner, "name": each.name}
        text = files.get((each.owner, each.name))
        if text is None and each.owner in owners:
            raise Unavailable("kernel.database_newer", facts)
        if text is not None and _sha(text) != each.sha:
            raise Unavailable("kernel.migration_changed", facts)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
