# SPDX-License-Identifier: Apache-2.0
"""The past of entities over entity maps (CIM 009 clauses 5.7.3.4, 5.7.4.4, 5.5.14)."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import header, json_answer
from citybrain.doors.ngsild.distributed_past import Past
from citybrain.doors.ngsild.distribution import Distribution, again, params_of
from citybrain.doors.ngsild.mapped import MAP, NOT_ASKED
from citybrain.doors.ngsild.maps import HERE, EntityMap, Maps, life_of, map_id
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import HIGHEST_LIMIT
from citybrain.doors.ngsild.temporal_body import params_of as params_of_body
from citybrain.doors.ngsild.temporal_query import asked_of
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.clock import new_id
from citybrain.kernel.entities.query import read_query, read_query_body
from citybrain.kernel.records import Json

QUERIES = "/temporal/entities"
MOST_MAPPED = 100_000
"""So many entities a map of the past holds."""


class MappedPast:
    """Reads of the past with entity maps, over those without. A map holds what is here and what sources told when it
    was made; who else knows of an entity is found anew each time."""

    def __init__(self, distribution: Distribution, past: Past, maps: Maps) -> None:
        self._all = distribution
        self._past = past
        self._maps = maps

    async def retrieve(self, request: Request) -> Answer:
        """One entity over time; a map that is asked for holds it alone."""
        if not _asks(request):
            return await self._past.retrieve(request)
        bare = again(request, params=_kept(request))
        bare.slots = request.slots
        answer = await self._past.retrieve(bare)
        if answer.status >= 300:
            return answer
        return _named(request, answer, self._made(request, [request.slots["id"]]))

    async def query(self, request: Request) -> Answer:
        """Entities over time: those of a map that is named, or of one that is made."""
        named = request.headers.get(MAP)
        if named is None and not _asks(request):
            return await self._past.query(request)
        body: Json = await self._all.city.json(request) if request.method == "POST" else None
        found = self._maps.find(self._tenant(request), map_id(request), self._all.city.now()) if named else None
        if found is None:
            ids = await self._matching(request, body)
            answer = await self._past.query(_repeated(request, _kept(request), body))
            return _named(request, answer, self._made(request, dict.fromkeys([*ids, *_told(answer)])), status=201)
        ids = [id for id in found.sources if _may_be(id, request, body)]
        if not ids:
            context = await self._all.city.context(request)
            return _named(request, json_answer([], context, media=accepted(request)), found)
        answer = await self._past.query(_narrowed(request, body, ids))
        return _named(request, answer, found)

    async def create(self, request: Request) -> Answer:
        """A map of what a query of the past finds, and nothing of them (clause 5.14.5)."""
        media = accepted(request)
        context = await self._all.city.context(request)
        ids = await self._matching(request, None)
        asked = again(request, params={**_kept(request), "limit": str(HIGHEST_LIMIT)})
        asked.path = QUERIES
        found = dict.fromkeys([*ids, *_told(await self._past.query(asked))])
        made = self._made(request, found)
        return _named(request, json_answer(made.shown(), context, media=media), made, status=201)

    def _tenant(self, request: Request) -> str:
        return self._all.city.new_tenant(request)

    def _made(self, request: Request, ids: Iterable[str]) -> EntityMap:
        expires_at = self._all.city.now() + life_of(params_of(request))
        id = f"urn:ngsi-ld:entitymap:{new_id().lower()}"
        sources = {each: [HERE] for each in ids}
        made = EntityMap(id=id, tenant=self._tenant(request), expires_at=expires_at, sources=sources)
        self._maps.add(made)
        return made

    async def _matching(self, request: Request, body: Json) -> list[str]:
        """The ids of all entities that a query finds here."""
        city = self._all.city
        params = _kept(request)
        if isinstance(body, dict):
            payload = await city.payload(again(request, body=body))
            context, said = payload.context, payload.json
            query, params = read_query_body(said, context), {**params, **params_of_body(said)}
        else:
            context = await city.context(request)
            query = read_query(params, context)
        asked = asked_of(self._tenant(request), context, params, query, required=True)
        chosen, _ = await city.store.temporal.choose(
            asked.tenant, asked.selection, offset=0, limit=MOST_MAPPED, count=False
        )
        return [known.id for known in chosen]


def _told(answer: Answer) -> list[str]:
    """The ids of the entities that an answer tells of, of whoever holds them."""
    told = msgspec.json.decode(answer.body) if answer.status < 300 and answer.body else []
    return [each["id"] for each in told if isinstance(each, dict) and "id" in each]


def _asks(request: Request) -> bool:
    return params_of(request).get("entityMap") == "true"


def _kept(request: Request) -> dict[str, str]:
    return {name: value for name, value in params_of(request).items() if name not in NOT_ASKED}


def _may_be(id: str, request: Request, body: Json) -> bool:
    """A query that names ids itself asks for no others."""
    named = params_of(request).get("id")
    return body is not None or not named or id in named.split(",")


def _repeated(request: Request, params: Mapping[str, str], body: Json) -> Request:
    return again(request, params=params) if body is None else again(request, params=params, body=body)


def _narrowed(request: Request, body: Json, ids: list[str]) -> Request:
    """The same query, of these entities alone."""
    params = _kept(request)
    if not isinstance(body, dict):
        return again(request, params={**params, "id": ",".join(ids)})
    selectors: Any = body.get("entities") or [{"type": "*"}]
    return again(request, params=params, body={**body, "entities": [{**each, "id": ids} for each in selectors]})


def _named(request: Request, answer: Answer, made: EntityMap, *, status: int = 200) -> Answer:
    """An answer that says over which map it is."""
    location = header(MAP, f"{request.root}/entityMaps/{made.id}")
    return Answer(status if answer.status == 200 else answer.status, answer.body, (*answer.headers, location))
