# SPDX-License-Identifier: Apache-2.0
"""Documents that hold a context: how one is read, fetched from its host, or found in a folder of known ones."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.http import Call, Http, NoAnswer
from citybrain.kernel.ld.terms import InvalidContext

Fetch = Callable[[str], Awaitable[bytes]]
"""Gives the document at a URL; refuses `LdContextNotAvailable`."""

FETCH_WITHIN_S = 5.0
FAILURE_COUNTS_S = 5.0
AT_ONCE = 64
AT_ONCE_PER_HOST = 4
REDIRECTS = 3
SIZE_LIMIT = 4 * 2**20
FAILURES_REMEMBERED = 10_000

_CORE = re.compile(r"https?://uri\.etsi\.org/ngsi-ld/v1/ngsi-ld-core-context(-v1(\.\d+){1,2})?(\.jsonld)?")
_ACCEPT = {"accept": "application/ld+json, application/json;q=0.9"}


class LdContextNotAvailable(Unavailable):
    """A context that a request needs cannot be had from its host (CIM 009 clause 5.5.6)."""


def is_core(url: str) -> bool:
    """Whether a URL names the core context, of whatever version: ours answers for all of them."""
    return _CORE.fullmatch(url) is not None


def read_document(body: bytes, where: str) -> dict[str, Any]:
    """The JSON of a document that holds a context; refuses an `InvalidContext` that is none."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidContext("kernel.context_invalid", {"where": where, "why": "not_json"}) from None
    if not isinstance(document, dict) or "@context" not in document:
        raise InvalidContext("kernel.context_invalid", {"where": where, "why": "no_context"})
    check_context(document["@context"], where)
    return document


def check_context(given: Any, where: str) -> None:
    """Refuse what JSON-LD does not take for a context: anything but a URL, an object, null, or a list of those."""
    for each in given if isinstance(given, list) else [given]:
        if each is not None and not isinstance(each, str | dict):
            raise InvalidContext("kernel.context_invalid", {"where": where, "why": "not_a_context"})


def read_seeds(folder: Path | None) -> Mapping[str, bytes]:
    """The contexts of a folder by URL: its index.json maps each URL to the name of a file in the folder."""
    if folder is None:
        return {}
    try:
        index = msgspec.json.decode((folder / "index.json").read_bytes(), type=dict[str, str])
        return {url: (folder / name).read_bytes() for url, name in index.items()}
    except (OSError, msgspec.DecodeError) as problem:
        raise Unavailable("kernel.contexts_unreadable", {"folder": str(folder), "why": str(problem)}) from None


class Web:
    """Fetches documents: one fetch for all who wait for it, a few at once, and a failure counts for a while."""

    def __init__(self, http: Http | None = None, within_s: float = FETCH_WITHIN_S) -> None:
        self._http = http or Http()
        self._within_s = within_s
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._by_host: dict[str, asyncio.Semaphore] = {}
        self._under_way: dict[str, asyncio.Task[bytes]] = {}
        self._failed: dict[str, tuple[float, Refusal]] = {}

    async def fetch(self, url: str, *, anew: bool = False) -> bytes:
        """The document at a URL, within seconds. `anew` asks the host even if it just failed.

        Refuses `LdContextNotAvailable`.
        """
        failed = None if anew else self._failed.get(url)
        if failed and monotonic_s() - failed[0] < FAILURE_COUNTS_S:
            raise type(failed[1])(failed[1].code, failed[1].facts)
        task = self._under_way.get(url)
        if task is None:
            task = self._under_way[url] = asyncio.create_task(self._bounded(url))
            task.add_done_callback(lambda done: self._finished(url, done, remember=not anew))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is under way and close the connections."""
        for task in list(self._under_way.values()):
            task.cancel()
        await self._http.close()

    def _finished(self, url: str, task: asyncio.Task[bytes], *, remember: bool) -> None:
        self._under_way.pop(url, None)
        if task.cancelled():
            return
        problem = task.exception()
        if problem is None:
            self._failed.pop(url, None)
        elif remember and isinstance(problem, Refusal):
            if len(self._failed) >= FAILURES_REMEMBERED:
                self._failed.clear()
            self._failed[url] = (monotonic_s(), problem)

    async def _bounded(self, url: str) -> bytes:
        with _unavailable(url):
            async with asyncio.timeout(self._within_s):
                host = urlsplit(url).netloc
                slots = self._by_host.setdefault(host, asyncio.Semaphore(AT_ONCE_PER_HOST))
                try:
                    # First the host's own place: hosts that never answer must not take the places of all others.
                    async with slots, self._slots:
                        return await self._get(url)
                finally:
                    if not slots.locked():
                        self._by_host.pop(host, None)

    async def _get(self, url: str) -> bytes:
        answer = await self._http.send(Call(url=url, headers=_ACCEPT, largest=SIZE_LIMIT, redirects=REDIRECTS))
        if answer.status != 200:
            raise _not_available(url, f"HTTP {answer.status}")
        if answer.body is None:
            raise _not_available(url, f"> {SIZE_LIMIT // 2**20} MiB")
        return answer.body


@contextmanager
def _unavailable(url: str) -> Iterator[None]:
    """Whatever goes wrong on the way to a host is one refusal."""
    try:
        yield
    except TimeoutError:
        raise _not_available(url, "timeout") from None
    except (NoAnswer, ValueError) as problem:
        raise _not_available(url, str(problem)) from None


def _not_available(url: str, why: str) -> LdContextNotAvailable:
    return LdContextNotAvailable("kernel.context_not_available", {"url": url, "why": why})
