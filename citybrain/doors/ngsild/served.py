# SPDX-License-Identifier: Apache-2.0
"""What every route of the door shares: the open city, its words, and how a request is read."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from citybrain.doors.ngsild import media
from citybrain.doors.ngsild.answers import BadRequestData, InvalidRequest, Media, language
from citybrain.doors.ngsild.remembered import Remembered
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.i18n import Words
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.records import Json

CONTEXT_REL = "http://www.w3.org/ns/json-ld#context"
_LINK = re.compile(r"<([^>]*)>\s*((?:;\s*[\w*-]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s;,]*))?\s*)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,]*))", re.IGNORECASE)
# A tenant's name becomes part of keys and of headers that are sent back.
_TENANT = re.compile(r"[\w.:-]{1,255}", re.ASCII)


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """A body as it came: its JSON without `@context`, the context that its names are in, and its media type.

    `given` is the body's own `@context`, None when the context came beside it.
    """

    json: Json
    context: Context
    given: Json
    media: str


class Served:
    """The open city behind the door. `documents` is what endpoints read and write, or a transient view of more."""

    def __init__(self, store: Any, words: Words, lang: str) -> None:
        self.store = store
        self.documents: Any = store.documents
        self.contexts: Any = store.contexts
        self.words = words
        self.remembered = Remembered(self.documents)
        self._pseudonym = store.registrations.alias
        self.lang = lang

    def now(self) -> datetime:
        """The time at which a request takes effect."""
        return utc_now()

    def language(self, request: Request) -> str:
        """The language in which a refusal is told."""
        return language(request.headers.get("accept-language", ""), self.lang)

    def new_tenant(self, request: Request) -> str:
        """The tenant of a request that may bring its tenant into being (clause 4.14)."""
        name = request.headers.get("ngsild-tenant", DEFAULT_TENANT).strip()
        if name and not _TENANT.fullmatch(name):
            raise InvalidRequest("ngsild.invalid_tenant", {"name": name})
        return name

    def tenant(self, request: Request) -> str:
        """The tenant of a request; refuses one for which nothing was ever kept (clause 5.5.10)."""
        name = self.new_tenant(request)
        self.documents.check_tenant(name)
        return name

    def alias(self, tenant: str) -> str:
        """The name of this broker for one tenant, by which others see in a Via header that it was asked already."""
        return f"{self._pseudonym}-{tenant}" if tenant else self._pseudonym

    async def context(self, request: Request) -> Context:
        """The context of a request without a body, or with one in plain JSON: its Link header (clause 6.3.5)."""
        said = request.headers.get("link")
        url = linked_context(said) if said else None
        return await self.contexts.resolve(url, self.new_tenant(request)) if url else CORE

    async def payload(self, request: Request, *, patch: bool = False, any_json: bool = False) -> Payload:
        """The body with its context (clauses 6.3.4, 6.3.5); `patch` takes a merge patch too.

        Refuses what is no object (unless `any_json`), other media types, what is not JSON, a context beside JSON-LD
        and a context in plain JSON.
        """
        kind = media.sent(request, patch=patch)
        body = await self.json(request)
        if not isinstance(body, dict):
            if not any_json:
                raise InvalidRequest("ngsild.not_an_object", {})
            return Payload(json=body, context=await self._beside(request, kind, required=False), given=None, media=kind)
        given = body.pop("@context", None)
        if given is None:
            context = await self._beside(request, kind, required=True)
            return Payload(json=body, context=context, given=None, media=kind)
        if kind == Media.JSON:
            raise BadRequestData("ngsild.context_in_json", {})
        self.refuse_link_beside(request)
        context = await self.contexts.resolve(given, self.new_tenant(request))
        return Payload(json=body, context=context, given=given, media=kind)

    async def json(self, request: Request) -> Json:
        """The body's JSON; what is none is an InvalidRequest."""
        try:
            body: Json = msgspec.json.decode(await request.body())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest("ngsild.not_json", {"why": str(error)}) from error
        return body

    async def _beside(self, request: Request, kind: str, *, required: bool) -> Context:
        """The context of a body that brings none; JSON-LD must bring its own."""
        if kind == Media.LD_JSON:
            self.refuse_link_beside(request)
            if required:
                raise BadRequestData("ngsild.no_context_in_ld_json", {})
        return await self.context(request)

    def refuse_link_beside(self, request: Request) -> None:
        """Refuse a context in a Link header: JSON-LD brings its own (clause 6.3.5)."""
        said = request.headers.get("link")
        if said and linked_context(said):
            raise BadRequestData("ngsild.link_beside_ld_json", {})


def route(city: Served, method: str, path: str, endpoint: Callable[[Served, Request], Awaitable[Answer]]) -> Route:
    """A route whose endpoint gets what is served beside its request."""
    return Route(method, path, partial(endpoint, city))


def linked_context(header: str) -> str | None:
    """The context's URL in a Link header, None when it links to something else."""
    for target, parameters in _LINK.findall(header):
        rel = _REL.search(";" + parameters.lstrip(";")) if parameters else None
        if rel and CONTEXT_REL in (rel[1] or rel[2] or "").split():
            return str(target)
    return None
