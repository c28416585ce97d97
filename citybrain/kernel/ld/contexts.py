# SPDX-License-Identifier: Apache-2.0
"""All contexts of the city by tenant: hosted, fetched or made of requests; resolved to compiled ones (clause 5.13)."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Self
from urllib.parse import urljoin

import msgspec

from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Invalid, NotFound
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.ld.documents import (
    SIZE_LIMIT,
    LdContextNotAvailable,
    Web,
    check_context,
    is_core,
    read_document,
)
from citybrain.kernel.ld.keeping import Keeping, Kept, Kind
from citybrain.kernel.ld.terms import CORE_OBJECT, InvalidContext
from citybrain.kernel.records import Json

PATH = "/ngsi-ld/v1/jsonldContexts/"
RESOLVE_WITHIN_S = 8.0
DEEPEST = 16
MOST_DOCUMENTS = 64
COMPILED_KEPT = 2_000
COMPILED_KEPT_BYTES = 32 * 2**20


class NoSuchContext(NotFound):
    """There is no context with this identifier."""


class CoreContextStays(Invalid):
    """The core context belongs to the program and cannot be deleted."""


class OnlyCachedReload(Invalid):
    """Only a context that was fetched from elsewhere can be fetched again."""


class _Compiled(msgspec.Struct, frozen=True):
    """A context ready for use, and the kept ones it is made of."""

    context: Context
    made_of: tuple[Kept, ...]


class Contexts:
    """The contexts of one city. Resolving is a look-up, but for what was never seen before."""

    def __init__(self, keeping: Keeping, web: Web, seeds: Mapping[str, bytes], address: str) -> None:
        self._keeping = keeping
        self._web = web
        self._seeds = seeds
        self._address = address
        self._compiled: dict[tuple[str, str | bytes], _Compiled] = {}
        self._compiled_bytes = 0

    @classmethod
    async def open(
        cls, db: Database, web: Web | None = None, *, seeds: Mapping[str, bytes] | None = None, address: str = ""
    ) -> Self:
        """Read all kept contexts. `seeds` are documents known by URL without their hosts, `address` our own scheme
        and host, with which the URLs of hosted contexts begin."""
        return cls(await Keeping.open(db), web or Web(), seeds or {}, address)

    async def close(self) -> None:
        """Write down what was used when, and close the connections."""
        await self._web.close()
        await self._keeping.close()

    async def resolve(self, given: Json, tenant: str = "") -> Context:
        """The compiled context of a URL, an object, or a list of those; None is the core context.

        Counts as a use of each kept context in it. Refuses `LdContextNotAvailable` in bounded time, and
        `InvalidContext` (clause 5.5.6).
        """
        if given is None:
            return CORE
        key = (tenant, given if isinstance(given, str) else msgspec.json.encode(given))
        compiled = self._compiled.get(key)
        if compiled is None:
            if len(key[1]) > SIZE_LIMIT:
                raise InvalidContext("kernel.context_invalid", {"where": "@context", "why": "too_large"})
            compiled = await self._compile(given, tenant)
            self._remember(key, compiled)
        if compiled.made_of:
            now = utc_now()
            for kept in compiled.made_of:
                kept.use(now)
        return compiled.context

    async def add(self, document: Json, tenant: str = "") -> str:
        """Host a context; answers with its identifier (clause 5.13.2). Refuses an `InvalidContext`."""
        body = msgspec.json.encode(document)
        if len(body) > SIZE_LIMIT:
            raise InvalidContext("kernel.context_invalid", {"where": "@context", "why": "too_large"})
        given = read_document(body, "@context")["@context"]
        for each in given if isinstance(given, list) else [given]:
            if isinstance(each, dict):
                Context(url="", json=None, objects=[each])
        kept = Kept(tenant=tenant, id=new_id(), kind=Kind.HOSTED, url="", body=body, created_at=utc_now())
        await self._keeping.keep(kept)
        return kept.id

    def all(self, tenant: str = "", kind: Kind | None = None) -> list[Kept]:
        """The kept contexts of a tenant, the oldest first (clause 5.13.3)."""
        return [kept for kept in self._keeping.all(tenant) if kind in (None, kept.kind)]

    def get(self, name: str, tenant: str = "") -> Kept:
        """A context by its identifier, or by its URL (clause 5.13.4). Counts as a use, after what is answered."""
        kept = self._core(name) if is_core(name) else self._find(name, tenant)
        if kept is None:
            raise NoSuchContext("kernel.no_such_context", {"id": name})
        told = msgspec.structs.replace(kept)
        kept.use(utc_now())
        return told

    async def delete(self, name: str, tenant: str = "") -> None:
        """Forget a context (clause 5.13.5). Refuses `NoSuchContext`, and `CoreContextStays`."""
        if is_core(name):
            raise CoreContextStays("kernel.core_context_stays", {"id": name})
        kept = self._find(name, tenant)
        if kept is None:
            raise NoSuchContext("kernel.no_such_context", {"id": name})
        await self._keeping.forget(kept)
        self._recompile()

    async def reload(self, name: str, tenant: str = "") -> None:
        """Fetch a cached context again (clause 5.13.5): the old one stays when that fails.

        Refuses `OnlyCachedReload`, and `LdContextNotAvailable` also for an answer that is no context.
        """
        if is_core(name):
            return
        kept = self._find(name, tenant)
        if kept is None or kept.kind is not Kind.CACHED:
            raise OnlyCachedReload("kernel.only_cached_reload", {"id": name})
        body = await self._fetch(kept.url, anew=True)
        try:
            read_document(body, kept.url)
        except InvalidContext as refusal:
            why = str(refusal.facts["why"])
            raise LdContextNotAvailable("kernel.context_not_available", {"url": kept.url, "why": why}) from None
        kept.body, kept.created_at = body, utc_now()
        await self._keeping.keep(kept)
        self._recompile()

    def url_of(self, kept: Kept) -> str:
        """Where a context is to be had: at its own host, or here."""
        return kept.url or f"{self._address}{PATH}{kept.id}"

    def _remember(self, key: tuple[str, str | bytes], compiled: _Compiled) -> None:
        """Keep what is compiled for the next request; the oldest make room."""
        if key not in self._compiled:
            self._compiled_bytes += len(key[1])
        self._compiled[key] = compiled
        while len(self._compiled) > COMPILED_KEPT or self._compiled_bytes > COMPILED_KEPT_BYTES:
            oldest = next(iter(self._compiled))
            del self._compiled[oldest]
            self._compiled_bytes -= len(oldest[1])

    def _recompile(self) -> None:
        """A document is gone or another: whatever was made of it is made again."""
        self._compiled.clear()
        self._compiled_bytes = 0

    def _core(self, name: str) -> Kept:
        body = msgspec.json.encode({"@context": CORE_OBJECT})
        made_at = datetime.fromisoformat("2025-07-01T00:00:00+00:00")
        return Kept(tenant="", id=name, kind=Kind.CACHED, url=name, body=body, created_at=made_at)

    def _find(self, name: str, tenant: str) -> Kept | None:
        return self._keeping.get(tenant, name) or self._keeping.get(tenant, _cached_id(name)) or self._own(name, tenant)

    def _own(self, url: str, tenant: str) -> Kept | None:
        """The kept context that one of our own URLs names, under whatever address we are reached."""
        _, found, name = url.partition(PATH) if _is_of_the_web(url) else ("", "", "")
        return self._keeping.get(tenant, name) if found else None

    async def _compile(self, given: Json, tenant: str) -> _Compiled:
        check_context(given, "@context")
        listed = given if isinstance(given, list) else [given]
        parts = [each for each in listed if not (isinstance(each, str) and is_core(each))]
        if not parts:
            return _Compiled(CORE, ())
        gathering = _Gathering(self, tenant)
        try:
            async with asyncio.timeout(RESOLVE_WITHIN_S):
                objects = await gathering.objects(parts, (), "")
        except TimeoutError:
            facts = {"url": ", ".join(each for each in parts if isinstance(each, str)), "why": "timeout"}
            raise LdContextNotAvailable("kernel.context_not_available", facts) from None
        # The core context goes without saying (clause 4.4); an answer names what the user brought.
        said = parts[0] if len(parts) == 1 else parts
        if isinstance(said, str):
            return _Compiled(Context(url=said, json=said, objects=objects), tuple(gathering.used))
        kept = self._implicit(said, tenant)
        told = Context(url=self.url_of(kept), json=said, objects=objects)
        told.when_named = lambda: self._keeping.want(kept)
        return _Compiled(told, tuple(gathering.used))

    def _implicit(self, said: Json, tenant: str) -> Kept:
        """What stands for a context that came inside a request. The same always has the same identifier."""
        body = msgspec.json.encode({"@context": said})
        name = sha256(body).hexdigest()[:32]
        known = self._keeping.get(tenant, name)
        return known or Kept(tenant=tenant, id=name, kind=Kind.IMPLICIT, url="", body=body, created_at=utc_now())

    async def document(self, url: str, tenant: str) -> Kept:
        """The kept context at a URL, fetched if it is not known yet."""
        kept = self._keeping.get(tenant, _cached_id(url)) or self._own(url, tenant)
        if kept is not None:
            return kept
        if not _is_of_the_web(url):
            raise InvalidContext("kernel.context_invalid", {"where": url, "why": "not_a_url"})
        try:
            body = await self._fetch(url)
        except LdContextNotAvailable:
            other = self._keeping.of_any_tenant(_cached_id(url))
            if other is None:
                raise
            body = other.body
        read_document(body, url)
        kept = Kept(tenant=tenant, id=_cached_id(url), kind=Kind.CACHED, url=url, body=body, created_at=utc_now())
        await self._keeping.keep(kept)
        return kept

    async def _fetch(self, url: str, *, anew: bool = False) -> bytes:
        seed = self._seeds.get(url)
        return seed if seed is not None else await self._web.fetch(url, anew=anew)


class _Gathering:
    """The context objects that one given context is made of, in their order, and the kept ones they came from."""

    def __init__(self, contexts: Contexts, tenant: str) -> None:
        self._contexts = contexts
        self._tenant = tenant
        self.used: list[Kept] = []

    async def objects(self, given: Json, chain: tuple[str, ...], base: str) -> list[Mapping[str, Any] | None]:
        """All objects; `chain` are the documents we stand in, `base` what relative URLs begin at."""
        if given is None:
            return [None]
        if isinstance(given, str):
            return await self._referred(_absolute(base, given), chain)
        if isinstance(given, dict):
            imported = given.get("@import")
            before = await self.objects(imported, chain, base) if isinstance(imported, str) else []
            return [*before, given]
        check_context(given, chain[-1] if chain else "@context")
        found = await asyncio.gather(*(self.objects(each, chain, base) for each in given))
        return [each for piece in found for each in piece]

    async def _referred(self, url: str, chain: tuple[str, ...]) -> list[Mapping[str, Any] | None]:
        if is_core(url):
            return []
        if url in chain:
            raise InvalidContext("kernel.context_invalid", {"where": url, "why": "circle"})
        if len(chain) >= DEEPEST or len(self.used) >= MOST_DOCUMENTS:
            raise InvalidContext("kernel.context_invalid", {"where": url, "why": "too_many"})
        kept = await self._contexts.document(url, self._tenant)
        self.used.append(kept)
        return await self.objects(read_document(kept.body, url)["@context"], (*chain, url), url)


def _is_of_the_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _absolute(base: str, url: str) -> str:
    """A URL as a document at `base` means it; outside any document it means itself."""
    try:
        return urljoin(base, url) if base else url
    except ValueError:
        raise InvalidContext("kernel.context_invalid", {"where": url, "why": "not_a_url"}) from None


def _cached_id(url: str) -> str:
    return sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]
