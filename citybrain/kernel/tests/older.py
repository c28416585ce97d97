# SPDX-License-Identifier: Apache-2.0
"""Databases as older releases left them."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from citybrain.kernel import embedded
from citybrain.kernel import migrate as migrating
from citybrain.kernel.db import Database
from citybrain.kernel.migrate import migrate


@asynccontextmanager
async def database_before(migration: str, server: embedded.Postgres, folder: Path) -> AsyncIterator[Database]:
    """A database to which the kernel's migrations before this one were done; it is gone afterwards."""
    files = [file for file in sorted(migrating.KERNEL.glob("*.sql")) if file.name < migration]
    for file in files:
        shutil.copy(file, folder)
    name = f"before_{migration}"
    admin = await Database.connect(server.url)
    await admin.write(f"CREATE DATABASE {name}")
    db = await Database.connect(server.url.replace("@/postgres?", f"@/{name}?"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrating, "KERNEL", folder)
        assert await migrate(db, {}) == [f"kernel/{file.name}" for file in files]
    try:
        yield db
    finally:
        await db.close()
        await admin.write(f"DROP DATABASE {name}")
        await admin.close()
