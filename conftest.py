# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: one PostgreSQL per run, and in it a database of its own per module."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server
from hypothesis import settings as property_settings
from xdist.remote import Producer

from citybrain.kernel import embedded
from citybrain.kernel.asgi import AsgiApp
from citybrain.kernel.db import Database
from citybrain.kernel.migrate import migrate
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from tests.scheduling import LongFilesFirst

HOUSE = Path(__file__).parent / "citybrain"
MEMORY = Path("/dev/shm")
NEEDED_BYTES = 2**31
_numbers = count(1)

# A busy machine is no error of what is tested.
property_settings.register_profile("city", deadline=None)
property_settings.load_profile("city")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LongFilesFirst | None:
    """Says which of several workers gets which file."""
    return LongFilesFirst(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A temporary folder that PostgreSQL's account may enter too; pytest's own are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="citybrain-tests-", dir=MEMORY if _has_room(MEMORY) else None))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_cluster(open_folder: Path) -> Path:
    """A cluster as it is when it was just made, stopped. Copying it is ten times as fast as making one."""
    (open_folder / "empty").mkdir()
    embedded.start(open_folder / "empty").stop()
    return open_folder / "empty" / "postgres"


@pytest.fixture(scope="session")
def server(open_folder: Path, empty_cluster: Path) -> Iterator[embedded.Postgres]:
    """One PostgreSQL for the whole run."""
    claim = embedded.Claim(open_folder / "cluster")
    _copy(empty_cluster, open_folder / "cluster")
    # Tests kill processes, they do not cut the power: nothing need reach the disk.
    postgres = embedded.start(open_folder / "cluster", {**embedded.CONFIGURATION, "fsync": "off"})
    yield postgres
    postgres.stop()
    claim.release()


@pytest.fixture(scope="session")
def template(server: embedded.Postgres) -> str:
    """The name of a database with the tables of the kernel and of every door and app."""
    folders = [*HOUSE.glob("doors/*/migrations"), *HOUSE.glob("apps/*/migrations")]

    async def make() -> None:
        admin = await Database.connect(server.url)
        await admin.write("CREATE DATABASE template_city")
        await admin.close()
        city = await Database.connect(url_of(server, "template_city"))
        await migrate(city, {folder.parent.name: folder for folder in folders})
        await city.close()

    asyncio.run(make())
    return "template_city"


@pytest.fixture(scope="module")
async def database_url(server: embedded.Postgres, template: str) -> str:
    """The address of a fresh database with all tables, for this module alone."""
    name = f"city_{next(_numbers)}"
    admin = await Database.connect(server.url)
    await admin.write(f"CREATE DATABASE {name} TEMPLATE {template}")
    await admin.close()
    return url_of(server, name)


@pytest.fixture(scope="module")
async def db(database_url: str) -> AsyncIterator[Database]:
    """This module's database, connected."""
    database = await Database.connect(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def store(database_url: str, open_folder: Path) -> AsyncIterator[Store]:
    """An open city of the kernel alone, on this module's database."""
    settings = Settings(data=open_folder / f"store-{next(_numbers)}", database_url=database_url)
    async with open_store(settings) as opened:
        yield opened


Serving = Callable[[AsgiApp], AbstractAsyncContextManager[str]]


@pytest.fixture(scope="session")
def serving() -> Serving:
    """Serves an ASGI application as the city does, as long as the block lasts: `async with serving(app) as url`."""

    @asynccontextmanager
    async def served(app: AsgiApp) -> AsyncIterator[str]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_level=LogLevels.error)
        running = asyncio.create_task(server.serve())
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop()  # type: ignore[no-untyped-call]
            await asyncio.wait([running], timeout=5)

    return served


@pytest.fixture
def unused_settings(open_folder: Path) -> Settings:
    """Settings with a data folder that does not exist yet."""
    return Settings(data=open_folder / f"data-{next(_numbers)}")


@pytest.fixture
def fresh_settings(unused_settings: Settings, empty_cluster: Path) -> Settings:
    """Settings with a data folder in which nothing was kept yet."""
    unused_settings.data.mkdir()
    _copy(empty_cluster, unused_settings.data)
    return unused_settings


def _has_room(folder: Path) -> bool:
    """Whether tests may use it. In memory, clusters are made and removed in no time."""
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > NEEDED_BYTES


def _copy(cluster: Path, folder: Path) -> None:
    """Copy a cluster into a folder, with its owner and rights."""
    subprocess.run(["cp", "-a", str(cluster), str(folder)], check=True)


def url_of(server: embedded.Postgres, name: str) -> str:
    """The address of another database on the same server."""
    return server.url.replace("@/postgres?", f"@/{name}?")
