# SPDX-License-Identifier: Apache-2.0
"""Batches over entities that several sources hold (CIM 009 clauses 5.6.7 to 5.6.10, 5.6.20)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import Media, json_answer, no_content
from citybrain.doors.ngsild.distributed_writes import Writing
from citybrain.doors.ngsild.distribution import Distribution, again, params_of
from citybrain.doors.ngsild.forwarding import Ask, Asker, rewritten, segment
from citybrain.doors.ngsild.media import sent
from citybrain.doors.ngsild.outcomes import MULTI, Part, error_of
from citybrain.doors.ngsild.plans import Order, Plan, attribute_terms, plan, reduced
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.asking import Outcome, Reply
from citybrain.kernel.registrations.index import Match, Wanted
from citybrain.kernel.registrations.model import Registration
from citybrain.kernel.registrations.wire import is_uri


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of batch, by the last part of its path: its operation, and the one for single entities instead."""

    operation: str
    single: str
    creates: bool = False


KINDS: Mapping[str, Kind] = {
    "create": Kind(operation="createBatch", single="createEntity", creates=True),
    "upsert": Kind(operation="upsertBatch", single="createEntity", creates=True),
    "update": Kind(operation="updateBatch", single="appendAttrs"),
    "merge": Kind(operation="mergeBatch", single="mergeEntity"),
    "delete": Kind(operation="deleteBatch", single="deleteEntity"),
}
# How one entity of a batch is sent where the batch itself is not taken: method and path.
SINGLES: Mapping[str, tuple[str, str]] = {
    "createEntity": ("POST", "/entities"),
    "appendAttrs": ("POST", "/entities/{id}/attrs/"),
    "updateEntity": ("PATCH", "/entities/{id}/attrs/"),
    "replaceEntity": ("PUT", "/entities/{id}"),
    "mergeEntity": ("PATCH", "/entities/{id}"),
    "deleteEntity": ("DELETE", "/entities/{id}"),
}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One entity of a batch, what it says in which context, and how it is cut."""

    id: str
    body: Json
    context: Context
    cut: Plan


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one source gets of a batch."""

    match: Match
    items: tuple[tuple[Item, Order], ...]


class Result(msgspec.Struct, kw_only=True):
    """What became of a batch, gathered from all who had a part in it."""

    done: dict[str, None] = msgspec.field(default_factory=dict)
    created: dict[str, None] = msgspec.field(default_factory=dict)
    errors: list[Json] = msgspec.field(default_factory=list)

    def answer(self, kind: Kind) -> Answer:
        """201 with what is new, 204, or 207 with what went wrong; whatever failed in part is no success."""
        if self.errors:
            failed = {error.get("entityId") for error in self.errors}
            return json_answer(
                {"success": [id for id in self.done if id not in failed], "errors": self.errors}, status=MULTI
            )
        return json_answer(list(self.created), status=201) if kind.creates and self.created else no_content()


class Batching:
    """Distributed batches."""

    def __init__(self, distribution: Distribution, writing: Writing) -> None:
        self._all = distribution
        self._writing = writing

    def acting(self, name: str) -> Callable[[Request], Awaitable[Answer]]:
        """The endpoint that carries a batch out wherever its entities belong."""

        async def endpoint(request: Request) -> Answer:
            return await self._act(request, name)

        return endpoint

    async def _act(self, request: Request, name: str) -> Answer:
        if not self._all.concerns_others(request):
            return await self._all.local(request)
        raw = await request.body()
        local = again(request, raw=raw)
        kind = KINDS[name]
        try:
            media = sent(local)
            bodies = await self._all.city.json(again(request, raw=raw))
            asker = await self._writing.asker(request)
            items = [await self._item(asker, kind, body, media) for body in _list(bodies)]
        except Refusal:
            return await self._all.local(local)
        if all(item.cut.is_local for item in items):
            return await self._all.local(local)
        matches = [order.match for item in items for order in (*item.cut.orders, *item.cut.refusing)]
        if looped := self._writing.loop(asker, matches):
            return looped
        return (await self._carry_out(asker, kind, name, items)).answer(kind)

    async def _item(self, asker: Asker, kind: Kind, body: Json, media: str) -> Item:
        context = asker.context
        if isinstance(body, Mapping) and media == Media.LD_JSON and "@context" in body:
            context = await self._all.city.contexts.resolve(body["@context"])
        id = body if isinstance(body, str) else body.get("id", "") if isinstance(body, Mapping) else ""
        if not is_uri(id):
            return Item(id=str(id), body=body, context=context, cut=Plan(orders=(), refusing=(), stays=()))
        return Item(id=id, body=body, context=context, cut=self._cut(asker, kind, id, body, context))

    def _cut(self, asker: Asker, kind: Kind, id: str, body: Json, context: Context) -> Plan:
        terms = attribute_terms(body, context.expand) if isinstance(body, Mapping) else {}
        types = _types(body, context) or self._writing.types_of(asker, id, {})
        wanted = Wanted(ids=(id,), types=types, attributes=frozenset(terms.values()))
        matches = self._writing.matches(asker, wanted)
        if isinstance(body, str):
            orders = tuple(Order(match=match, terms=(), is_whole=True) for match in matches if _takes(match, kind))
            proxied = [match for match in matches if match.registration.mode.is_proxied]
            refusing = tuple(
                Order(match=match, terms=(), is_whole=True) for match in proxied if not _takes(match, kind)
            )
            is_here = self._all.city.documents.get(asker.tenant, id) is not None
            return Plan(orders=orders, refusing=refusing, stays=() if is_here or not proxied else None)
        return plan(matches, terms, lambda match: _takes(match, kind))

    async def _carry_out(self, asker: Asker, kind: Kind, name: str, items: Sequence[Item]) -> Result:
        result = Result()
        shares: dict[str, list[tuple[Item, Order]]] = {}
        matches: dict[str, Match] = {}
        for item in items:
            for order in item.cut.orders:
                matches[order.match.registration.id] = order.match
                shares.setdefault(order.match.registration.id, []).append((item, order))
            for order in item.cut.refusing:
                registration = order.match.registration
                part = self._writing.telling.refusing(asker.request, registration, kind.operation, order.terms)
                result.errors.append(error_of(item.id, part))
        seen = self._all.forwarding.has_seen(asker)
        works: list[Awaitable[None]] = (
            []
            if seen
            else [
                self._there(asker, kind, name, Share(match=matches[id], items=tuple(share)), result)
                for id, share in shares.items()
            ]
        )
        staying = [item for item in items if item.cut.stays is not None]
        if staying:
            works.append(self._here(asker, kind, staying, result))
        await asyncio.gather(*works)
        return result

    async def _here(self, asker: Asker, kind: Kind, staying: Sequence[Item], result: Result) -> None:
        bodies = [
            item.body if isinstance(item.body, str) or item.cut.is_local else _staying(item, item.cut.stays or ())
            for item in staying
        ]
        answer = await self._all.answered(again(asker.request, body=bodies))
        body = msgspec.json.decode(answer.body) if answer.body else None
        ids = [item.id for item in staying]
        if answer.status >= 400:
            part = self._writing.telling.here(answer, ())
            result.errors += [error_of(id, part) for id in ids]
        elif answer.status == MULTI:
            _take_result(body, result)
        else:
            result.done.update(dict.fromkeys(ids))
            result.created.update(dict.fromkeys(body if isinstance(body, list) else ()))

    async def _there(self, asker: Asker, kind: Kind, name: str, share: Share, result: Result) -> None:
        if not share.match.registration.supports(kind.operation):
            await asyncio.gather(*(self._single(asker, kind, name, item, order, result) for item, order in share.items))
            return
        first = share.items[0][0].context
        bodies = [
            item.body if isinstance(item.body, str) else rewritten(_cut_body(item, order), item.context, first)
            for item, order in share.items
        ]
        ask = Ask(
            match=share.match,
            method="POST",
            path=f"/entityOperations/{name}",
            params=_passed_on(asker.request),
            body=bodies,
        )
        reply, _ = await self._all.forwarding.send(msgspec.structs.replace(asker, context=first), ask)
        self._take_reply(asker, share, reply, result)

    def _take_reply(self, asker: Asker, share: Share, reply: Reply, result: Result) -> None:
        registration = share.match.registration
        ids = [item.id for item, _ in share.items]
        if reply.is_good:
            result.done.update(dict.fromkeys(ids))
            if reply.status == 201:
                result.created.update(dict.fromkeys(reply.body if isinstance(reply.body, list) else ids))
        elif reply.status == MULTI and isinstance(reply.body, dict) and "errors" in reply.body:
            _take_result(reply.body, result, registration.id)
        else:
            part = self._writing.telling.there(asker.request, registration, reply, ())
            result.errors += [error_of(id, part) for id in ids]

    async def _single(self, asker: Asker, kind: Kind, name: str, item: Item, order: Order, result: Result) -> None:
        """One entity of a batch on its own, for a source that takes no such batches."""
        registration = order.match.registration
        reply = await self._send_single(asker, kind.single, item, order)
        if name == "upsert" and reply.status == 409:
            is_update = "update" in params_of(asker.request).get("options", "").split(",")
            reply = await self._send_single(asker, _instead(registration, is_update=is_update), item, order)
        elif name == "upsert" and reply.is_good:
            result.created[item.id] = None
        part = self._part(asker, registration, reply)
        if not part.is_good:
            result.errors.append(error_of(item.id, part))
            return
        result.done[item.id] = None
        if name == "create":
            result.created[item.id] = None

    def _part(self, asker: Asker, registration: Registration, reply: Reply) -> Part:
        return self._writing.telling.there(asker.request, registration, reply, ())

    async def _send_single(self, asker: Asker, operation: str, item: Item, order: Order) -> Reply:
        if not operation:
            return Reply(outcome=Outcome.REFUSED, status=409)
        method, path = SINGLES[operation]
        body: Any = msgspec.UNSET if isinstance(item.body, str) else _cut_body(item, order)
        options = (
            _passed_on(asker.request)
            if operation == "appendAttrs" and "noOverwrite" in str(params_of(asker.request))
            else {}
        )
        ask = Ask(match=order.match, method=method, path=path.format(id=segment(item.id)), params=options, body=body)
        reply, _ = await self._all.forwarding.send(msgspec.structs.replace(asker, context=item.context), ask)
        return reply


def _takes(match: Match, kind: Kind) -> bool:
    registration = match.registration
    return registration.supports(kind.operation) or registration.supports(kind.single)


def _instead(registration: Registration, *, is_update: bool) -> str:
    """What an upsert of a known entity is for a source without batches (clause 5.6.8.4), "" when it takes neither."""
    order = ("updateEntity", "appendAttrs") if is_update else ("replaceEntity",)
    wanted = ("appendAttrs", "updateEntity") if is_update else order
    return next((operation for operation in wanted if registration.supports(operation)), "")


def _list(bodies: Json) -> Sequence[Json]:
    return bodies if isinstance(bodies, list) else []


def _types(body: Json, context: Context) -> tuple[str, ...]:
    types = body.get("type", ()) if isinstance(body, Mapping) else ()
    several = [types] if isinstance(types, str) else types if isinstance(types, list) else []
    return tuple(context.expand_type(each) for each in several if isinstance(each, str))


def _cut_body(item: Item, order: Order) -> dict[str, Json]:
    return reduced(item.body, order.terms, is_whole=order.is_whole)


def _staying(item: Item, terms: Sequence[str]) -> dict[str, Json]:
    body = reduced(item.body, terms, is_whole=True)
    return {**body, "@context": item.body["@context"]} if "@context" in item.body else body


def _passed_on(request: Request) -> dict[str, str]:
    return {name: value for name, value in params_of(request).items() if name != "local"}


def _take_result(body: Json, result: Result, registration_id: str = "") -> None:
    """Take a BatchOperationResult in."""
    result.done.update(dict.fromkeys(body.get("success", ())))
    for error in body.get("errors", ()):
        said = dict(error) if isinstance(error, Mapping) else {"error": error}
        result.errors.append({**said, "registrationId": registration_id} if registration_id else said)
