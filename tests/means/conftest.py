# SPDX-License-Identifier: Apache-2.0
"""A town of its own for each module of tests, with everything that listens."""

import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from conftest import Serving
from tests.means.town import Receiver, Town, running


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
async def bare(database_url: str, open_folder: Path, serving: Serving) -> AsyncIterator[Town]:
    """A town in which nobody wrote contacts yet, and there are no devices."""
    web = Receiver()
    async with serving(web) as url:
        folder = open_folder / f"means-{free_port()}"
        async with running(database_url, folder, url=url, web=web, smtp_port=free_port()) as opened:
            yield opened


@pytest.fixture(scope="session")
def new_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders that PostgreSQL's own account can reach, which pytest's (mode 0700) are not."""
    with tempfile.TemporaryDirectory(prefix="citybrain-") as top:
        Path(top).chmod(0o755)
        yield lambda: Path(tempfile.mkdtemp(dir=top)) / "data"
