# SPDX-License-Identifier: Apache-2.0
"""What all distributed operations share: which sources are concerned, and how this broker's own part is carried out."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

import msgspec

from citybrain.doors.ngsild.answers import header, refused
from citybrain.doors.ngsild.forwarding import Asker, Forwarding, seen_sources
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Answer, Receive, Request, Route, Routes
from citybrain.kernel.entities.evaluate import is_there, matches
from citybrain.kernel.entities.geometry import GeoQuery, Relation
from citybrain.kernel.entities.query import EntityQuery
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.discovery import Period, as_document, is_in_period
from citybrain.kernel.registrations.index import Match, Wanted
from citybrain.kernel.registrations.model import Mode, Registration

Maker = Callable[[Served], Sequence[Route]]

WARNING = "ngsild-warning"


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What else a source must be like: csf, the place it covers, the time it covers; `any_time` asks for the past."""

    csf: EntityQuery | None = None
    geo: GeoQuery | None = None
    period: Period | None = None
    any_time: bool = False


class Forgetful:
    """Remembers no answer: what others hold may change at any time without this broker being told."""

    def answer(self, *_: Any) -> None:
        """Nothing was answered."""

    def keep_answer(self, *_: Any, **__: Any) -> None:
        """Keep nothing."""

    def shown(self, *_: Any) -> None:
        """Nothing was shown."""

    def keep_shown(self, *_: Any) -> None:
        """Keep nothing."""


class Distribution:
    """The city as endpoints see it, with the sources around it."""

    def __init__(self, city: Served, makers: Sequence[Maker]) -> None:
        self.city = city
        self.forwarding = Forwarding(city)
        self._makers = makers
        self._own = Routes(route for maker in makers for route in maker(city))

    @property
    def registrations(self) -> Any:
        """Who else holds what."""
        return self.city.store.registrations

    def concerns_others(self, request: Request) -> bool:
        """Whether other sources could be concerned at all; `local=true` and `type=*` say no (table 6.4.3.2-1)."""
        if not self.registrations.any(self.city.new_tenant(request)):
            return False
        params = params_of(request)
        return params.get("local") != "true" and params.get("type") != "*"

    def matching(self, asker: Asker, wanted: Wanted, operations: Iterable[str], also: Filter) -> list[Match]:
        """The registrations to ask: they could hold some of it, take one of the operations and were not asked yet."""
        seen = seen_sources(asker.request)
        found: list[Match] = self.registrations.find(asker.tenant, wanted, self.city.now())
        return [
            match
            for match in found
            if match.registration.alias not in seen
            and any(match.registration.supports(operation) for operation in operations)
            and _fits(match, also)
        ]

    def unvisited(self, asker: Asker, found: Iterable[Match]) -> list[Match]:
        """Those that may be written to: not auxiliary ones, nor any that the request came through (clause 6.3.18)."""
        seen = seen_sources(asker.request)
        return [
            match
            for match in found
            if match.registration.mode is not Mode.AUXILIARY and match.registration.alias not in seen
        ]

    async def local(self, request: Request, documents: Any = None) -> Answer:
        """This broker's own answer, from `documents` where they are given in place of what is here."""
        if documents is None:
            return await self._own.find(request)(request)
        city = copy.copy(self.city)
        city.documents = documents
        return await self._by(city, request)

    async def answered(self, request: Request, documents: Any = None) -> Answer:
        """The same, with a refusal as an answer."""
        try:
            return await self.local(request, documents)
        except Refusal as refusal:
            return refused(refusal, self.city.words, self.city.language(request))

    async def answered_by(self, city: Served, request: Request) -> Answer:
        """The answer of endpoints that are served another city, with a refusal as an answer."""
        try:
            return await self._by(city, request)
        except Refusal as refusal:
            return refused(refusal, self.city.words, self.city.language(request))

    async def _by(self, city: Served, request: Request) -> Answer:
        city.remembered = cast(Any, Forgetful())
        routes = Routes(route for maker in self._makers for route in maker(city))
        return await routes.find(request)(request)

    def with_warnings(self, answer: Answer, warnings: Iterable[str]) -> Answer:
        """An answer that says which parts of it are missing (clause 6.3.17)."""
        told = tuple(header(WARNING, warning) for warning in warnings)
        return Answer(answer.status, answer.body, (*answer.headers, *told)) if told else answer


def again(
    request: Request,
    *,
    body: Json = msgspec.UNSET,
    params: Mapping[str, str] | None = None,
    raw: bytes = b"",
    more: Mapping[str, str] | None = None,
) -> Request:
    """The same request with another body, other parameters, or headers set anew."""
    content = raw if body is msgspec.UNSET else msgspec.json.encode(body)
    query = request.raw_query if params is None else urlencode(params).encode()
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in {**request.headers, **(more or {})}.items()
        if name != "content-length"
    ]
    if request.method in {"POST", "PATCH", "PUT"}:
        headers.append((b"content-length", str(len(content)).encode()))
    scope = {
        "method": request.method,
        "root_path": request.root,
        "query_string": query,
        "scheme": request.scheme,
        "headers": headers,
        "state": {"who": request.who},
    }
    repeated = Request(scope, _once(content), request.path)
    repeated.slots = dict(request.slots)
    return repeated


def params_of(request: Request) -> dict[str, str]:
    """The parameters by name; what is wrong with them is for the endpoint to say."""
    return dict(parse_qsl(request.raw_query.decode("latin-1"), keep_blank_values=True))


def _once(content: bytes) -> Receive:
    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    return receive


def _fits(match: Match, also: Filter) -> bool:
    registration = match.registration
    if not _has_time(registration, also):
        return False
    if also.csf is not None and not matches(as_document(registration), also.csf):
        return False
    return (
        also.geo is None
        or "location" not in registration.members
        or is_there(as_document(registration), _could_meet(also.geo))
    )


def _has_time(registration: Registration, also: Filter) -> bool:
    """Whether a source holds something of the time; one that names no interval may hold all of the past."""
    if not also.any_time:
        return is_in_period(registration, also.period)
    names_none = is_in_period(registration, None)
    return names_none or also.period is None or is_in_period(registration, also.period)


def _could_meet(geo: GeoQuery) -> GeoQuery:
    """The question whether anything in the place a source covers could lie as asked."""
    if geo.relation is Relation.NEAR and geo.at_most_m is not None:
        return msgspec.structs.replace(geo, name="location")
    if geo.relation in {Relation.NEAR, Relation.DISJOINT}:
        return GeoQuery(relation=Relation.NEAR, geometry=geo.geometry, at_least_m=0)
    return GeoQuery(relation=Relation.INTERSECTS, geometry=geo.geometry)
