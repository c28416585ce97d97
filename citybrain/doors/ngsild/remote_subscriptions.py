# SPDX-License-Identifier: Apache-2.0
"""Subscriptions that reach other sources: reduced copies there, told on here (CIM 009 clauses 5.8.1, 5.8.6).

Beside each subscription that is not local stands one to registrations of context sources, told to this broker itself.
Whatever it tells makes the copies at the sources what they should be; so a change that comes while a source is away
is made up for when the next registration or subscription changes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import ResourceNotFound
from citybrain.doors.ngsild.distributed import Gathered, Reading
from citybrain.doors.ngsild.distribution import Distribution, again
from citybrain.doors.ngsild.forwarding import API, Ask, Asker
from citybrain.doors.ngsild.gathering import Part, merge, read_remote
from citybrain.kernel.asgi import Answer, Endpoint, Request, Route
from citybrain.kernel.clock import new_id
from citybrain.kernel.entities.document import AttributeChange, Document, Done, EntityChange
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.chains import Chain, Chains
from citybrain.kernel.registrations.index import Match, Wanted, match_of
from citybrain.kernel.registrations.model import Mode
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import address_of
from citybrain.kernel.subscriptions.compiled import Compiled, entity_query
from citybrain.kernel.subscriptions.service import Subscriptions
from citybrain.kernel.subscriptions.showing import show
from citybrain.kernel.subscriptions.subscription import Health, Kind, Subscription

PATH = "/remote-notify"
COPY = "urn:ngsi-ld:Subscription:distsub-{id}"
SOURCES_OF = "urn:ngsi-ld:Subscription:sources-of-"
KEPT = (
    "timeInterval",
    "throttling",
    "lang",
    "datasetId",
    "expiresAt",
    "splitEntities",
    "isActive",
    "notificationTrigger",
)
# Conditions that a source can decide alone only when no entity is split over several (clause 5.8.1.4).
CONDITIONS = ("q", "geoQ", "scopeQ", "jsonKeys", "expandValues")


class Remote:
    """Keeps copies of subscriptions at sources, and tells on what comes from them."""

    def __init__(self, distribution: Distribution, reading: Reading) -> None:
        self._all = distribution
        self._reading = reading
        self._one_at_a_time: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._working: set[asyncio.Task[None]] = set()

    @property
    def _subscriptions(self) -> Subscriptions:
        kept: Subscriptions = self._all.city.store.subscriptions
        return kept

    @property
    def _chains(self) -> Chains:
        kept: Chains = self._all.city.store.chains
        return kept

    def routes(self) -> Sequence[Route]:
        """Where sources notify this broker."""
        return [Route("POST", PATH, self._told)]

    def after_creation(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint that makes a subscription, and then the copies."""

        async def create(request: Request) -> Answer:
            answer = await endpoint(request)
            location = dict(answer.headers).get(b"location", b"").decode()
            if answer.status == 201:
                await self._watch_sources(self._all.city.new_tenant(request), location.rsplit("/", 1)[-1])
            return answer

        return create

    def after_change(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint that changes or ends a subscription, and then the copies."""

        async def change(request: Request) -> Answer:
            answer = await endpoint(request)
            tenant, id = self._all.city.new_tenant(request), request.slots["id"]
            if request.method == "DELETE":
                await self._unwatch(tenant, id)
            self._begin(tenant, id)
            return answer

        return change

    def after_registration(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint that registers a source: with the first one, subscriptions begin to watch for sources."""

        async def register(request: Request) -> Answer:
            answer = await endpoint(request)
            tenant = self._all.city.new_tenant(request)
            for line in self._subscriptions.all(tenant, Kind.ENTITIES):
                await self._watch_sources(tenant, line.one.subscription.id)
            return answer

        return register

    async def _watch_sources(self, tenant: str, id: str) -> None:
        """The subscription to registrations that stands beside one to entities (clause 5.8.1.4)."""
        subscription = self._subscription(tenant, id)
        known = {line.one.subscription.id for line in self._subscriptions.all(tenant, Kind.SOURCES)}
        if subscription is None or subscription.local_only or SOURCES_OF + id in known:
            return
        if not self._all.registrations.any(tenant):
            return
        context = self._subscriptions.line(tenant, id).one.query_context
        shown = show(subscription, Health(), context, now=self._all.city.now())
        payload: dict[str, Json] = {
            "id": SOURCES_OF + id,
            "type": "Subscription",
            "notification": {"endpoint": {"uri": self._address, "accept": "application/json"}},
            **{name: shown[name] for name in ("entities", "watchedAttributes", "csf") if name in shown},
        }
        await self._subscriptions.create(payload, context, tenant=tenant, now=self._all.city.now(), kind=Kind.SOURCES)

    async def _unwatch(self, tenant: str, id: str) -> None:
        known = {line.one.subscription.id for line in self._subscriptions.all(tenant, Kind.SOURCES)}
        if SOURCES_OF + id in known:
            await self._subscriptions.delete(tenant, SOURCES_OF + id, kind=Kind.SOURCES)

    @property
    def _address(self) -> str:
        return f"{address_of(load_settings())}{API}{PATH}"

    def _begin(self, tenant: str, id: str) -> None:
        """Bring the copies in line, beside everything else."""
        task = asyncio.create_task(self._settle(tenant, id))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _settle(self, tenant: str, id: str) -> None:
        """Make the copies at the sources what they should be."""
        async with self._one_at_a_time[tenant, id]:
            subscription = self._subscription(tenant, id)
            wanted = self._copies(tenant, id) if subscription is not None and not subscription.local_only else {}
            for chain in self._chains.of(tenant, id):
                match, said = wanted.pop(chain.registration.id, (None, {}))
                if match is None:
                    await self._send(chain, "DELETE", f"/subscriptions/{chain.remote_id}", msgspec.UNSET)
                    await self._chains.remove(chain)
                elif said != chain.said:
                    await self._send(chain, "PATCH", f"/subscriptions/{chain.remote_id}", said)
                    await self._chains.put(msgspec.structs.replace(chain, said=said, registration=match.registration))
            for match, said in wanted.values():
                await self._make(tenant, id, match, said)

    async def _make(self, tenant: str, id: str, match: Match, said: dict[str, Json]) -> None:
        remote_id = COPY.format(id=new_id().lower())
        chain = Chain(
            tenant=tenant, subscription_id=id, registration=match.registration, remote_id=remote_id, said=said
        )
        # Kept first: what the source tells at once must find its way.
        await self._chains.put(chain)
        if not await self._send(chain, "POST", "/subscriptions", {"id": remote_id, **said}):
            await self._chains.remove(chain)

    def _copies(self, tenant: str, id: str) -> dict[str, tuple[Match, dict[str, Json]]]:
        """What each source should be told, by registration."""
        one = self._subscriptions.line(tenant, id).one
        query = entity_query(one.subscription, one.query_context)
        found: dict[str, tuple[Match, dict[str, Json]]] = {}
        selectors: Sequence[Any] = query.selectors or (None,)
        wanted = [_wanted(selector, query.attributes) for selector in selectors]
        for registration in self._all.registrations.all(tenant, self._all.city.now()):
            if registration.mode is Mode.AUXILIARY or not registration.supports("createSubscription"):
                continue
            matches = [match_of(registration, each) for each in wanted]
            match = next((each for each in matches if each is not None), None)
            if match is not None:
                kept = [place for place, each in enumerate(matches) if each is not None]
                found[registration.id] = (match, self._reduced(one, match, kept))
        return found

    def _reduced(self, one: Compiled, match: Match, kept: Sequence[int]) -> dict[str, Json]:
        """A subscription reduced to what a source can tell of (clause 5.8.1.4)."""
        context = one.query_context
        shown = show(one.subscription, Health(), context, now=self._all.city.now())
        said: dict[str, Json] = {"type": "Subscription"}
        names = (*KEPT, *(() if one.subscription.split_entities else CONDITIONS))
        said |= {name: shown[name] for name in names if name in shown}
        said.setdefault("isActive", True)
        entities = shown.get("entities")
        if entities:
            said["entities"] = [entities[place] for place in kept]
        elif match.types:
            said["entities"] = [{"type": context.compact_type(name)} for name in match.types]
        watched = match.attributes if match.attributes is not None else frozenset(one.subscription.watched)
        if watched:
            said["watchedAttributes"] = sorted(context.compact(name) for name in watched)
        told: dict[str, Json] = {"endpoint": {"uri": self._address, "accept": "application/json"}}
        if match.claimed is not None:
            told["attributes"] = sorted(context.compact(name) for name in match.claimed)
        return {**said, "notification": told}

    async def _send(self, chain: Chain, method: str, path: str, body: Any) -> bool:
        line = self._subscription_line(chain)
        context = line.query_context if line is not None else CORE
        asker = Asker(request=_nobody(), tenant=chain.tenant, context=context)
        ask = Ask(match=Match(registration=chain.registration), method=method, path=path, body=body)
        reply, _ = await self._all.forwarding.send(asker, ask)
        return reply.is_good

    def _subscription(self, tenant: str, id: str) -> Subscription | None:
        try:
            return self._subscriptions.line(tenant, id).one.subscription
        except Refusal:
            return None

    def _subscription_line(self, chain: Chain) -> Compiled | None:
        try:
            return self._subscriptions.line(chain.tenant, chain.subscription_id).one
        except Refusal:
            return None

    async def _told(self, request: Request) -> Answer:
        """A notification from a source, or of one (clause 5.8.6). One that nobody here asked for is not known."""
        raw = await request.body()
        payload = await self._all.city.payload(again(request, raw=raw))
        body = payload.json if isinstance(payload.json, dict) else {}
        id = str(body.get("subscriptionId", ""))
        if id.startswith(SOURCES_OF):
            self._begin(self._all.city.new_tenant(request), id.removeprefix(SOURCES_OF))
            return Answer(200)
        chain = self._chains.find(id)
        one = self._subscription_line(chain) if chain is not None else None
        if chain is None or one is None:
            raise ResourceNotFound("ngsild.no_such_remote_subscription", {"id": id})
        await self._tell_on(request, chain, one, _entities(body, payload.context))
        return Answer(200)

    async def _tell_on(
        self, request: Request, chain: Chain, one: Compiled, entities: Sequence[tuple[Json, Context]]
    ) -> None:
        changes: list[EntityChange] = []
        now = self._all.city.now()
        for body, context in entities:
            document = read_remote(body, context, Match(registration=chain.registration))
            if document is None:
                continue
            if isinstance(body, Mapping) and "deletedAt" in body:
                changes.append(EntityChange(tenant=chain.tenant, id=document.id, at=now, before=document, after=None))
                continue
            names = tuple(document.attributes)
            if one.subscription.split_entities:
                merged = await self._whole(request, chain, one, document)
                if merged is None:
                    continue
                document = merged
            changes.append(_change(chain, document, names, now))
        if changes:
            await self._subscriptions.relay(chain.tenant, chain.subscription_id, changes)

    async def _whole(self, request: Request, chain: Chain, one: Compiled, document: Document) -> Document | None:
        """A split entity with what is here and what the other sources have; None when it does not fit as a whole."""
        city = self._all.city
        asker = Asker(request=request, tenant=chain.tenant, context=one.query_context)
        gathered: Gathered = await self._reading.parts_of(asker, document.id, {})
        parts = [
            part for part in gathered.parts.get(document.id, []) if part.match.registration.id != chain.registration.id
        ]
        now = text_of(city.now())
        newest = {
            name: tuple(msgspec.structs.replace(each, modified_at=now) for each in instances)
            for name, instances in document.attributes.items()
        }
        told = Part(Match(registration=chain.registration), msgspec.structs.replace(document, attributes=newest))
        merged = merge(city.documents.get(chain.tenant, document.id), [*parts, told], now)

        def look_up(id: str) -> Document | None:
            found: Document | None = city.documents.get(chain.tenant, id)
            return found

        return merged if merged is not None and one.holds(merged, look_up) else None


def _change(chain: Chain, document: Document, names: Sequence[str], now: Any) -> EntityChange:
    attributes = tuple(
        AttributeChange(name=name, done=Done.UPDATED, before=None, after=instance)
        for name in names
        for instance in document.attributes.get(name, ())
    )
    return EntityChange(
        tenant=chain.tenant, id=document.id, at=now, before=document, after=document, attributes=attributes
    )


def _entities(body: Mapping[str, Json], context: Context) -> list[tuple[Json, Context]]:
    data = body.get("data", [])
    return [(each, context) for each in (data if isinstance(data, list) else [data])]


def _wanted(selector: Any, attributes: Sequence[str]) -> Wanted:
    if selector is None:
        return Wanted(attributes=frozenset(attributes))
    return Wanted(
        ids=selector.ids,
        id_pattern=selector.id_pattern,
        types=tuple(selector.types.names) if selector.types else (),
        attributes=frozenset(attributes),
    )


def _nobody() -> Request:
    """Requests that nobody asked for from outside: this broker's own."""

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.disconnect"}

    return Request({"method": "POST", "headers": []}, receive, PATH)
