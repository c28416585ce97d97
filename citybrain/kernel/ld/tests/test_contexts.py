# SPDX-License-Identifier: Apache-2.0
"""Contexts kept, fetched and resolved."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.ld.contexts import Contexts
from citybrain.kernel.ld.documents import Web

Answers = dict[str, Callable[[], httpx.Response]]


class Internet(httpx.AsyncBaseTransport):
    """The world outside, as far as a test tells it; counts who was asked how often."""

    def __init__(self) -> None:
        self.pages: dict[str, httpx.Response | Exception] = {}
        self.asked: list[str] = []
        self.waits_for: dict[str, asyncio.Event] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.asked.append(url)
        if url in self.waits_for:
            await self.waits_for[url].wait()
        page = self.pages.get(url, httpx.Response(404))
        if isinstance(page, Exception):
            raise page
        return httpx.Response(page.status_code, content=page.content, headers=page.headers)


@pytest.fixture
def internet() -> Internet:
    return Internet()


@pytest.fixture
async def contexts(db: Database, internet: Internet) -> AsyncIterator[Contexts]:
    opened = await Contexts.open(db, Web(internet, within_s=0.3), address="http://city:8000")
    yield opened
    await opened.close()


async def test_no_context_is_the_core_context(contexts: Contexts) -> None:
    assert await contexts.resolve(None) is CORE


async def test_x(contexts: Contexts, internet: Internet) -> None:
    internet.pages["http://a/b"] = httpx.Response(200, json={"@context": {"speed": "http://ex.org/speed"}})
    c = await contexts.resolve("http://a/b")
    assert c.expand("speed") == "http://ex.org/speed"
    assert await contexts.resolve(["http://a/b", CORE.url]) is not c
    d = await contexts.resolve(["http://a/b", {"x": "http://a/x"}])
    assert d.url in [contexts.url_of(k) for k in contexts.all()]
