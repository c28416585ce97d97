# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.migrate import migrate


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "0001_copy.sql").write_text("CREATE TABLE library_copy (id text PRIMARY KEY);")
    return folder


async def test_an_owners_files_are_applied_once_and_in_order(db: Database, library: Path) -> None:
    assert await migrate(db, {"library": library}) == ["library/0001_copy.sql"]
    assert await migrate(db, {"library": library}) == []
    (library / "0003_title.sql").write_text("ALTER TABLE library_copy ADD COLUMN title text;")
    (library / "0002_shelf.sql").write_text("ALTER TABLE library_copy ADD COLUMN shelf text;")
    assert await migrate(db, {"library": library}) == ["library/0002_shelf.sql", "library/0003_title.sql"]


async def test_a_file_that_changed_after_use_is_refused(db: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_permit.sql").write_text("CREATE TABLE permits_permit (id text);")
    await migrate(db, {"permits": tmp_path})
    (tmp_path / "0001_permit.sql").write_text("CREATE TABLE permits_permit (id integer);")
    with pytest.raises(Unavailable) as refusal:
        await migrate(db, {"permits": tmp_path})
    assert refusal.value.code == "kernel.migration_changed"
    assert refusal.value.facts == {"owner": "permits", "name": "0001_permit.sql"}


async def test_a_database_that_a_newer_release_used_is_refused(db: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_tram.sql").write_text("CREATE TABLE trams_tram (id text);")
    (tmp_path / "0002_line.sql").write_text("ALTER TABLE trams_tram ADD COLUMN line text;")
    await migrate(db, {"trams": tmp_path})
    (tmp_path / "0002_line.sql").unlink()
    with pytest.raises(Unavailable) as refusal:
        await migrate(db, {"trams": tmp_path})
    assert refusal.value.code == "kernel.database_newer"
    assert refusal.value.facts["name"] == "0002_line.sql"


async def test_an_app_that_was_removed_leaves_a_database_that_opens(db: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_pool.sql").write_text("CREATE TABLE pools_pool (id text);")
    await migrate(db, {"pools": tmp_path})
    assert await migrate(db, {}) == []


async def test_a_migration_that_fails_changes_nothing(db: Database, tmp_path: Path) -> None:
    (tmp_path / "0001_good.sql").write_text("CREATE TABLE parks_good (id text);")
    (tmp_path / "0002_bad.sql").write_text("CREATE TABLE parks_good (id text);")
    with pytest.raises(Exception, match="already exists"):
        await migrate(db, {"parks": tmp_path})
    assert await db.read("SELECT to_regclass('parks_good') IS NULL", as_=bool) == [True]
    (tmp_path / "0002_bad.sql").unlink()
    assert await migrate(db, {"parks": tmp_path}) == ["parks/0001_good.sql"]


async def test_every_table_says_what_it_is(db: Database) -> None:
    silent = """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND obj_description(c.oid, 'pg_class') IS NULL AND c.relname ~ '^(?!.*(_copy|_permit|_tram|_pool|_good)$)'
    """
    assert await db.read(silent, as_=str) == []
