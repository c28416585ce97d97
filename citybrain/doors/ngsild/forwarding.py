# SPDX-License-Identifier: Apache-2.0
"""What a request to a context source looks like: address, terms, headers (CIM 009 clauses 4.3.6, 6.3.5, 6.3.18)."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from citybrain.doors.ngsild.answers import CONTEXT_LINK
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Request
from citybrain.kernel.entities.document import VALUE_KEY
from citybrain.kernel.entities.expressions import Expression, written
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.asking import WARNINGS, Outcome, Reply, Sending, Sources
from citybrain.kernel.registrations.index import Match
from citybrain.kernel.registrations.model import Registration

API = "/ngsi-ld/v1"
FROM_REQUEST = "urn:ngsi-ld:request"
# What a registrant cannot set: what belongs to the connection or the tenant, or is told another way (4.3.6.5, 4.3.6.6).
NOT_CONVEYED = frozenset(
    {
        "ngsild-tenant",
        "via",
        "link",
        "host",
        "connection",
        "transfer-encoding",
        "content-length",
        "content-type",
        "accept",
        "contenttype",
        "jsonldcontext",
        "ngsildconformance",
    }
)
VALUES = frozenset(VALUE_KEY.values())


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf sources are asked: the request that came in, its tenant and the context its names are in."""

    request: Request
    tenant: str
    context: Context


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One question or order for one source. `types`, `attributes` and `q` have internal names, `body` the asker's."""

    match: Match
    method: str
    path: str
    params: Mapping[str, str] = {}
    types: tuple[str, ...] = ()
    attributes: frozenset[str] | None = None
    q: Expression | None = None
    body: Any = msgspec.UNSET


class Forwarding:
    """Sends asks to sources, and says what to tell of those that failed."""

    def __init__(self, city: Served) -> None:
        self._city = city

    @property
    def _sources(self) -> Sources:
        known: Sources = self._city.store.sources
        return known

    async def send(self, asker: Asker, ask: Ask) -> tuple[Reply, Context]:
        """The reply to an ask, and the context in which its names are."""
        registration = ask.match.registration
        context = await self._context_for(registration, asker.context)
        reply = await self._sources.ask(registration, self._sending(asker, ask, context))
        return reply, await self._context_of(reply, context)

    def warning(self, tenant: str, outcome: Outcome) -> str | None:
        """The NGSILD-Warning that a failed part deserves (table 6.3.17-1)."""
        told = WARNINGS.get(outcome)
        return None if told is None else f'{told[0]} {self._city.alias(tenant)} "{told[1]}"'

    def loop_warning(self, tenant: str) -> str:
        """What a reader is told when the request came back to this broker (table 6.3.17-1)."""
        return f'199 {self._city.alias(tenant)} "a registration loop has been detected"'

    def has_seen(self, asker: Asker) -> bool:
        """Whether the request was here before (clause 6.3.18)."""
        return self._city.alias(asker.tenant) in seen_sources(asker.request)

    async def _context_for(self, registration: Registration, usual: Context) -> Context:
        """The context that the source wants names in; the asker's where it wants none or its own is not to be had."""
        wanted = source_info(registration, "jsonldContext")
        if not wanted:
            return usual
        try:
            resolved: Context = await self._city.contexts.resolve(wanted)
        except Refusal:
            return usual
        return resolved

    async def _context_of(self, reply: Reply, sent: Context) -> Context:
        """Names in a reply are in the context it brings with it, else in the one that was sent."""
        first = reply.body[0] if isinstance(reply.body, list) and reply.body else reply.body
        if not isinstance(first, Mapping) or "@context" not in first:
            return sent
        try:
            resolved: Context = await self._city.contexts.resolve(first["@context"])
        except Refusal:
            return sent
        return resolved

    def _sending(self, asker: Asker, ask: Ask, context: Context) -> Sending:
        registration = ask.match.registration
        headers = {
            "Accept": source_info(registration, "accept") or "application/json",
            "Via": _via(asker.request, self._city.alias(asker.tenant)),
            **_conveyed(registration, asker.request),
        }
        # Clause 4.14: a registration without a tenant aims at the default tenant of its source, whoever asks here.
        if registration.tenant:
            headers["NGSILD-Tenant"] = registration.tenant
        content = None
        if ask.body is not msgspec.UNSET:
            body = rewritten(ask.body, asker.context, context)
            inline = source_info(registration, "contentType") == "application/ld+json" and context is asker.context
            headers["Content-Type"] = "application/ld+json" if inline else "application/json"
            content = msgspec.json.encode(_with_context(body, context) if inline else body)
        if headers.get("Content-Type") != "application/ld+json":
            headers["Link"] = CONTEXT_LINK.format(url=context.url)
        return Sending(
            method=ask.method,
            url=base_of(registration.endpoint) + API + ask.path,
            params=tuple(_params(ask, context).items()),
            headers=headers,
            content=content,
        )


def base_of(endpoint: str) -> str:
    """Where the API of a source begins; some register the API itself."""
    return endpoint.rstrip("/").removesuffix(API)


def segment(text: str) -> str:
    """A text as one segment of a path; ids may hold anything that a URI may."""
    return quote(text, safe=":@!$&'()*+,;=~")


def source_info(registration: Registration, key: str) -> str:
    """A value of contextSourceInfo, "" when there is none; keys are the registrant's, so their case does not matter."""
    return next((value for name, value in registration.source_info if name.lower() == key.lower()), "")


def seen_sources(request: Request) -> frozenset[str]:
    """The pseudonyms in a Via header: the second word of each element (RFC 9110, section 7.6.3)."""
    words = [element.split() for element in request.headers.get("via", "").split(",")]
    return frozenset(element[min(1, len(element) - 1)] for element in words if element)


def rewritten(body: Json, old: Context, new: Context) -> Json:
    """A body with its names in the terms of another context: of entities, of fragments, of lists of them."""
    if old is new:
        return body
    if isinstance(body, list):
        return [rewritten(each, old, new) for each in body]
    if not isinstance(body, Mapping):
        return body
    return {
        name if name in {"id", "@id"} else _renamed(name, old, new): _rewritten_member(name, value, old, new)
        for name, value in body.items()
    }


def _renamed(name: str, old: Context, new: Context) -> str:
    return new.compact(old.expand(name))


def _rewritten_member(name: str, value: Json, old: Context, new: Context) -> Json:
    if name in {"type", "@type"}:
        types = [new.compact_type(old.expand_type(each)) for each in ([value] if isinstance(value, str) else value)]
        return types[0] if isinstance(value, str) else types
    if name in {"id", "@id", "scope", "entities"} or not isinstance(value, Mapping | list):
        return value
    if isinstance(value, list):
        return [_rewritten_member(name, each, old, new) for each in value]
    return {
        key: member if key in VALUES or key == "type" else _rewritten_member(key, member, old, new)
        for key, member in ((_renamed(each, old, new), held) for each, held in value.items())
    }


def _with_context(body: Json, context: Context) -> Json:
    if isinstance(body, list):
        return [_with_context(each, context) for each in body]
    return {**body, "@context": context.json} if isinstance(body, Mapping) else body


def _via(request: Request, alias: str) -> str:
    before = request.headers.get("via")
    return f"{before}, 1.1 {alias}" if before else f"1.1 {alias}"


def _conveyed(registration: Registration, request: Request) -> dict[str, str]:
    """What the registrant wants every request to carry (clause 4.3.6.5); what is to be copied and missing is not."""
    conveyed: dict[str, str] = {}
    for key, value in registration.source_info:
        name = key.lower()
        if name in NOT_CONVEYED:
            continue
        copied = request.headers.get(name) if value == FROM_REQUEST else value
        if copied is not None:
            conveyed[key] = copied
    return conveyed


def _params(ask: Ask, context: Context) -> dict[str, str]:
    params = dict(ask.params)
    if ask.types:
        params["type"] = _names(context.compact_type(name) for name in ask.types)
    if ask.attributes:
        params["attrs"] = _names(context.compact(name) for name in ask.attributes)
    if ask.q is not None:
        params["q"] = written(ask.q, context.compact)
    if ask.match.registration.stays_local:
        params["local"] = "true"
    return params


def _names(names: Iterable[str]) -> str:
    return ",".join(sorted(names))
