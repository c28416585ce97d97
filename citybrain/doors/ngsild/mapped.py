# SPDX-License-Identifier: Apache-2.0
"""Queries whose set of entities is fixed by an entity map (CIM 009 clauses 5.5.9.3, 5.7.2.4, 5.14.4)."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from citybrain.doors.ngsild.answers import header, json_answer
from citybrain.doors.ngsild.distributed import Gathered, Question, Reading
from citybrain.doors.ngsild.distribution import Distribution, again, params_of
from citybrain.doors.ngsild.forwarding import Asker
from citybrain.doors.ngsild.maps import HERE, EntityMap, Maps, life_of, map_id
from citybrain.doors.ngsild.media import accepted
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.clock import new_id
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.query import EntityQuery, Selector, require_narrow
from citybrain.kernel.entities.search import find_ids
from citybrain.kernel.entities.view import View

MAP = "ngsild-entitymap"
NOT_ASKED = frozenset({"entityMap", "entityMapLifetime"})


class Mapped:
    """Queries with entity maps, over distributed queries without."""

    def __init__(self, distribution: Distribution, reading: Reading, maps: Maps) -> None:
        self._all = distribution
        self._reading = reading
        self._maps = maps

    async def query(self, request: Request) -> Answer:
        """A query: over a map that it names, making one when it asks for that, or without any."""
        named = request.headers.get(MAP)
        if named is None and b"entityMap=true" not in request.raw_query:
            return await self._reading.query(request)
        body = await request.body() if request.method == "POST" else b""
        asker, question = await self._reading.question(request, body)
        kept = {name: value for name, value in params_of(request).items() if name not in NOT_ASKED}
        repeated = again(request, raw=body, params=kept)
        now = self._all.city.now()
        found = self._maps.find(asker.tenant, map_id(request), now) if named else None
        if found is not None:
            return await self._over(repeated, asker, question, found)
        made, gathered = await self._make(request, asker, question)
        answer = await self._all.local(repeated, self._reading.view(asker, gathered))
        return self._all.with_warnings(self._named(request, answer, made, status=201), gathered.warnings)

    async def retrieve(self, request: Request) -> Answer:
        """One entity, with the map that it names or else, when it asks for that, a new one (clause 5.7.1.4)."""
        named = request.headers.get(MAP)
        if named is None and b"entityMap=true" not in request.raw_query:
            return await self._reading.retrieve(request)
        city = self._all.city
        params = params_of(request)
        kept = {name: value for name, value in params.items() if name not in NOT_ASKED}
        answer = await self._reading.retrieve(again(request, params=kept))
        if answer.status >= 400:
            return answer
        tenant, id = city.new_tenant(request), request.slots["id"]
        found = self._maps.find(tenant, map_id(request), city.now()) if named else None
        if found is None:
            asker = Asker(request=request, tenant=tenant, context=await city.context(request))
            gathered = Gathered(parts={})
            if self._all.concerns_others(request):
                gathered = await self._reading.parts_of(asker, id, kept)
            by = [part.match.registration.id for part in gathered.parts.get(id, [])]
            here = [HERE] if city.documents.get(tenant, id) is not None else []
            found = self._add(tenant, life_of(params), {id: [*here, *dict.fromkeys(by)]})
        return self._named(request, answer, found)

    async def create(self, request: Request) -> Answer:
        """A map of what a query finds (clause 5.14.4)."""
        media = accepted(request)
        asker, question = await self._reading.question(request)
        if question.params.get("local") != "true":
            require_narrow(question.query)
        made, gathered = await self._make(request, asker, question)
        answer = json_answer(made.shown(), asker.context, media=media)
        return self._all.with_warnings(self._named(request, answer, made, status=201), gathered.warnings)

    async def _make(self, request: Request, asker: Asker, question: Question) -> tuple[EntityMap, Gathered]:
        """A map of all that a query finds here and elsewhere."""
        city = self._all.city
        life = life_of(params_of(request))
        gathered = Gathered(parts={})
        if self._all.concerns_others(request):
            gathered = await self._reading.gather(asker, msgspec.structs.replace(question, is_whole=True))
        view = self._reading.view(asker, gathered)
        query = question.query
        sources: dict[str, list[str]] = {}
        for id in await find_ids(city.documents, asker.tenant, query):
            if id not in view.gathered:
                sources[id] = [HERE]
        for document in view.found(query):
            by = [part.match.registration.id for part in gathered.parts[document.id]]
            here = [HERE] if city.documents.get(asker.tenant, document.id) is not None else []
            sources[document.id] = [*here, *dict.fromkeys(by)]
        return self._add(asker.tenant, life, sources), gathered

    def _add(self, tenant: str, life: timedelta, sources: dict[str, list[str]]) -> EntityMap:
        """Keep a new map."""
        id = f"urn:ngsi-ld:entitymap:{new_id().lower()}"
        made = EntityMap(id=id, tenant=tenant, expires_at=self._all.city.now() + life, sources=sources)
        self._maps.add(made)
        return made

    async def _over(self, request: Request, asker: Asker, question: Question, found: EntityMap) -> Answer:
        """A query over the entities of a map alone; those that no longer fit leave it (clause 5.5.9.3)."""
        gathered = Gathered(parts={})
        elsewhere = [id for id, sources in found.sources.items() if sources != [HERE]]
        if elsewhere and self._all.concerns_others(request):
            gathered = await self._gather(asker, question, elsewhere)
        together = self._reading.view(asker, gathered)
        known = {id: together.get(asker.tenant, id) for id in found.sources}
        there: dict[str, Document] = {id: document for id, document in known.items() if document is not None}
        view = View(self._all.city.documents, asker.tenant, there, alone=True)
        fitting = {document.id for document in view.found(question.query)}
        found.sources = {id: sources for id, sources in found.sources.items() if id in fitting}
        answer = await self._all.local(request, view)
        return self._all.with_warnings(self._named(request, answer, found), gathered.warnings)

    async def _gather(self, asker: Asker, question: Question, ids: Iterable[str]) -> Gathered:
        """What sources now say of the entities of a map."""
        query = question.query
        selectors = tuple(
            msgspec.structs.replace(each, ids=tuple(ids), id_pattern="") for each in query.selectors or (Selector(),)
        )
        narrowed: EntityQuery = msgspec.structs.replace(query, selectors=selectors)
        return await self._reading.gather(
            asker, msgspec.structs.replace(question, query=narrowed, is_whole=True, needed=len(tuple(ids)) + 1)
        )

    def _named(self, request: Request, answer: Answer, made: EntityMap, *, status: int = 200) -> Answer:
        """An answer that says over which map it is."""
        location = header(MAP, f"{request.root}/entityMaps/{made.id}")
        return Answer(status if answer.status == 200 else answer.status, answer.body, (*answer.headers, location))
