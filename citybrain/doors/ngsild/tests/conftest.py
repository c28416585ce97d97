# SPDX-License-Identifier: Apache-2.0
"""The door behind a real server, over a real database."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from citybrain.doors.ngsild.app import PREFIX, make
from citybrain.kernel.asgi import AsgiApp
from citybrain.kernel.store import Store
from conftest import Serving


def mounted(app: AsgiApp) -> AsgiApp:
    """The door as the front of the city enters it."""

    async def enter(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await app({**scope, "root_path": PREFIX}, receive, send)

    return enter


@pytest.fixture(scope="module")
async def url(store: Store, serving: Serving) -> AsyncIterator[str]:
    """Where the door is served."""
    async with serving(mounted(make(store))) as address:
        yield address + PREFIX


@pytest.fixture
async def ngsild(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the door."""
    async with httpx.AsyncClient(base_url=url, headers={"accept-language": "en"}) as client:
        yield client
