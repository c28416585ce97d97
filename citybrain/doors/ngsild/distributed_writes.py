# SPDX-License-Identifier: Apache-2.0
"""Writing to an entity that several sources hold (CIM 009 clauses 5.6.1 to 5.6.6, 5.6.17 to 5.6.19, 5.6.21)."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import created, no_content
from citybrain.doors.ngsild.distribution import Distribution, Filter, again, params_of
from citybrain.doors.ngsild.forwarding import Ask, Asker, segment
from citybrain.doors.ngsild.outcomes import Part, Telling
from citybrain.doors.ngsild.plans import Order, Plan, attribute_terms, plan, reduced
from citybrain.doors.ngsild.served import Payload
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.entities.fragment import read_entity, read_fragment
from citybrain.kernel.entities.names import check_uri
from citybrain.kernel.entities.query import read_query
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.errors import Refusal
from citybrain.kernel.registrations.index import Match, Wanted
from citybrain.kernel.registrations.wire import is_uri

EVERYWHERE = Filter(any_time=True)
NOT_FORWARDED = frozenset({"local", "type"})


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One operation on one entity: its name in clause 4.20, and how its outcome is told."""

    operation: str
    path: str
    has_body: bool = True
    is_creation: bool = False
    on_attributes: bool = False


CREATE = Act(operation="createEntity", path="/entities", is_creation=True)
REPLACE = Act(operation="replaceEntity", path="/entities/{id}")
MERGE = Act(operation="mergeEntity", path="/entities/{id}", on_attributes=True)
APPEND = Act(operation="appendAttrs", path="/entities/{id}/attrs/", on_attributes=True)
UPDATE = Act(operation="updateEntity", path="/entities/{id}/attrs/", on_attributes=True)
ONE_ATTRIBUTE: Mapping[str, str] = {"PATCH": "updateAttrs", "PUT": "replaceAttrs", "DELETE": "deleteAttrs"}


class Writing:
    """Distributed writes of one entity."""

    def __init__(self, distribution: Distribution) -> None:
        self._all = distribution
        self.telling = Telling(distribution.city)

    def acting(self, act: Act) -> Callable[[Request], Any]:
        """The endpoint that carries an act out wherever it belongs."""

        async def endpoint(request: Request) -> Answer:
            return await self._act(request, act)

        return endpoint

    async def delete(self, request: Request) -> Answer:
        """Delete an entity wherever it is (clause 5.6.6)."""
        params, id = params_of(request), request.slots["id"]
        if not self._all.concerns_others(request) or not is_uri(id):
            return await self._all.local(request)
        asker = await self.asker(request)
        wanted = Wanted(ids=(id,), types=self.types_of(asker, id, params))
        matches = self.matches(asker, wanted)
        cut = _of_whole_entities(matches, "deleteEntity")
        if cut.is_local:
            return await self._all.local(request)
        if looped := self.loop(asker, matches):
            return looped
        is_here = self._all.city.documents.get(asker.tenant, id) is not None
        # What sources hold alone need not be here too; otherwise its absence is told (clause 5.6.6.4).
        goes_local = is_here or not any(_is_proxied(match) for match in matches)
        ask = _asks(request, f"/entities/{segment(id)}", _passed_on(params))
        parts = await self.carried_out(asker, cut, "deleteEntity", ask, again(request) if goes_local else None)
        return self.telling.of_entity(id, parts, no_content())

    async def attribute(self, request: Request) -> Answer:
        """Change, replace or delete one attribute wherever it is (clauses 5.6.4, 5.6.5, 5.6.19)."""
        params, id, term = params_of(request), request.slots["id"], request.slots["name"]
        if not self._all.concerns_others(request) or not is_uri(id):
            return await self._all.local(request)
        raw = await request.body() if request.method != "DELETE" else b""
        local = again(request, raw=raw)
        try:
            payload = await self._payload(request, raw) if raw else None
        except Refusal:
            return await self._all.local(local)
        asker = await self.asker(request, payload)
        name = asker.context.expand(term)
        wanted = Wanted(ids=(id,), types=self.types_of(asker, id, params), attributes=frozenset({name}))
        operation = ONE_ATTRIBUTE[request.method]
        matches = self.matches(asker, wanted)
        cut = plan(matches, {term: name}, lambda match: match.registration.supports(operation))
        if cut.is_local:
            return await self._all.local(local)
        if looped := self.loop(asker, matches):
            return looped
        body = payload.json if payload else msgspec.UNSET
        ask = _asks(request, f"/entities/{segment(id)}/attrs/{segment(term)}", _passed_on(params), body)
        goes_local = local if cut.stays is not None else None
        parts = await self.carried_out(asker, cut, operation, ask, goes_local)
        return self.telling.of_attributes(parts, no_content())

    async def purge(self, request: Request) -> Answer:
        """Delete all entities that fit wherever they are (clause 5.6.21)."""
        params = params_of(request)
        if not self._all.concerns_others(request):
            return await self._all.local(request)
        asker = await self.asker(request)
        try:
            query = read_query(params, asker.context)
        except Refusal:
            return await self._all.local(request)
        wanted = Wanted(
            ids=tuple(query.ids or ()), types=tuple(query.type_names or ()), attributes=frozenset(query.attributes)
        )
        matches = self.matches(asker, wanted)
        cut = _of_whole_entities(matches, "purgeEntity")
        if cut.is_local:
            return await self._all.local(request)
        if looped := self.loop(asker, matches):
            return looped
        kept = {name: value for name, value in params.items() if name != "local"}
        parts = await self.carried_out(asker, cut, "purgeEntity", _asks(request, "/entities", kept), again(request))
        return self.telling.of_entity("", parts, no_content())

    async def asker(self, request: Request, payload: Payload | None = None) -> Asker:
        """On whose behalf a write is distributed."""
        city = self._all.city
        context = payload.context if payload else await city.context(request)
        return Asker(request=request, tenant=city.new_tenant(request), context=context)

    def matches(self, asker: Asker, wanted: Wanted) -> list[Match]:
        """Whoever could hold some of it, whether it takes the operation or not; auxiliary sources never are."""
        found: list[Match] = self._all.registrations.find(asker.tenant, wanted, self._all.city.now())
        return self._all.unvisited(asker, found)

    def types_of(self, asker: Asker, id: str, params: Mapping[str, str]) -> tuple[str, ...]:
        """The types of an entity as far as they are known: said in the request, or of what is here."""
        if params.get("type"):
            return tuple(asker.context.expand_type(each) for each in params["type"].replace("|", ",").split(","))
        document = self._all.city.documents.get(asker.tenant, id)
        return document.types if document is not None else ()

    def loop(self, asker: Asker, matches: Sequence[Match]) -> Answer | None:
        """508 when the request was here already and part of it is held elsewhere alone (clause 6.3.17)."""
        if self._all.forwarding.has_seen(asker) and any(_is_proxied(match) for match in matches):
            return self.telling.loop(asker.request)
        return None

    async def carried_out(
        self, asker: Asker, cut: Plan, operation: str, ask: Callable[[Order], Ask], local: Request | None
    ) -> list[Part]:
        """Do all parts at once: this broker's own, if it has one, and those of the sources."""
        request = asker.request
        refusing = [
            self.telling.refusing(request, order.match.registration, operation, order.terms) for order in cut.refusing
        ]
        # Whoever was here before is not sent around again: what is here is done, once.
        orders = () if self._all.forwarding.has_seen(asker) else cut.orders
        here = [self._here(local, cut)] if local is not None else []
        done = await asyncio.gather(*here, *(self._there(asker, order, ask(order)) for order in orders))
        return [*done, *refusing]

    async def _act(self, request: Request, act: Act) -> Answer:
        if not self._all.concerns_others(request):
            return await self._all.local(request)
        raw = await request.body()
        params = params_of(request)
        local = again(request, raw=raw)
        try:
            payload = await self._payload(request, raw)
            id, types = _checked(act, request, payload)
        except Refusal:
            # Nothing is sent on that this broker would not take itself.
            return await self._all.local(local)
        asker = await self.asker(request, payload)
        terms = attribute_terms(payload.json, payload.context.expand)
        types = types if act.is_creation else self.types_of(asker, id, params)
        matches = self.matches(asker, Wanted(ids=(id,), types=types, attributes=frozenset(terms.values())))
        cut = plan(matches, terms, lambda match: match.registration.supports(act.operation))
        if cut.is_local:
            return await self._all.local(local)
        if looped := self.loop(asker, matches):
            return looped
        return await self._carry_out(asker, act, payload, cut, id)

    async def _carry_out(self, asker: Asker, act: Act, payload: Payload, cut: Plan, id: str) -> Answer:
        request = asker.request
        local = None
        if cut.stays is not None:
            body = reduced(payload.json, cut.stays, is_whole=True)
            local = again(request, body=body if payload.given is None else {**body, "@context": payload.given})
        path, passed_on = act.path.format(id=segment(id)), _passed_on(params_of(request))

        def ask(order: Order) -> Ask:
            body = reduced(payload.json, order.terms, is_whole=order.is_whole)
            return Ask(match=order.match, method=request.method, path=path, params=passed_on, body=body)

        parts = await self.carried_out(asker, cut, act.operation, ask, local)
        good = created(f"{request.root}/entities/{id}") if act.is_creation else no_content()
        return self.telling.of_attributes(parts, good) if act.on_attributes else self.telling.of_entity(id, parts, good)

    async def _here(self, local: Request, cut: Plan) -> Part:
        return self.telling.here(await self._all.answered(local), cut.stays or ())

    async def _there(self, asker: Asker, order: Order, ask: Ask) -> Part:
        reply, _ = await self._all.forwarding.send(asker, ask)
        return self.telling.there(asker.request, order.match.registration, reply, order.terms)

    async def _payload(self, request: Request, raw: bytes) -> Payload:
        return await self._all.city.payload(again(request, raw=raw), patch=request.method == "PATCH")


def _checked(act: Act, request: Request, payload: Payload) -> tuple[str, tuple[str, ...]]:
    """Id and types of an entity that this broker would take itself; refuses it like the endpoint."""
    if act.is_creation:
        document = read_entity(payload.json, payload.context, "")
        return document.id, document.types
    fragment = read_fragment(payload.json, payload.context, nulls=Nulls.MERGE)
    id = request.slots["id"]
    check_uri("id", id)
    return id, fragment.types


def _of_whole_entities(matches: Sequence[Match], operation: str) -> Plan:
    """Every source does it as far as it is concerned, and so does this broker."""
    concerned = [Order(match=match, terms=(), is_whole=True) for match in matches]
    orders = tuple(order for order in concerned if order.match.registration.supports(operation))
    refusing = tuple(order for order in concerned if order not in orders and _is_proxied(order.match))
    return Plan(orders=orders, refusing=refusing, stays=())


def _is_proxied(match: Match) -> bool:
    return match.registration.mode.is_proxied


def _passed_on(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in NOT_FORWARDED}


def _asks(request: Request, path: str, params: Mapping[str, str], body: Any = msgspec.UNSET) -> Callable[[Order], Ask]:
    def ask(order: Order) -> Ask:
        return Ask(match=order.match, method=request.method, path=path, params=params, body=body)

    return ask
