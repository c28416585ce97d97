# SPDX-License-Identifier: Apache-2.0
"""Reading entities that several sources hold: retrieve and query (CIM 009 clauses 4.3.6, 5.7.1, 5.7.2, 6.3.17)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import BadRequestData
from citybrain.doors.ngsild.distribution import WARNING, Distribution, Filter, again, params_of
from citybrain.doors.ngsild.forwarding import Ask, Asker, segment
from citybrain.doors.ngsild.gathering import Part, merge, read_remote
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.query import EntityQuery, Selector, read_query, read_query_body
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.view import View
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.asking import Outcome, Reply
from citybrain.kernel.registrations.index import Match, Wanted
from citybrain.kernel.registrations.wire import is_uri

RETRIEVES = ("retrieveEntity", "queryEntity", "queryBatch")
QUERIES = ("queryEntity", "queryBatch")
SYSTEM_TIMES = {"options": "sysAttrs"}
USUAL_LIMIT = 20
PAGE = 1000
# Ten thousand entities of one source in one answer: beyond it a query is too wide to be distributed.
MOST_PAGES = 10
# Filters that a source applies itself as long as no entity is split over several (clause 5.7.2.4).
FILTERS = ("scopeQ", "georel", "geometry", "coordinates", "geoproperty")


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What sources said: entities by id, by which registrations each is known, and what is to be told of failures."""

    parts: dict[str, list[Part]]
    warnings: tuple[str, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A query to be distributed; `is_whole` when all it finds matters, not just a page.

    `params` are those of the request, or what its body says under the same names.
    """

    query: EntityQuery
    params: Mapping[str, str]
    is_split: bool = False
    is_whole: bool = False
    needed: int = USUAL_LIMIT + 1
    by_post: bool = False


class Reading:
    """Distributed reads of current entities."""

    def __init__(self, distribution: Distribution) -> None:
        self._all = distribution

    async def retrieve(self, request: Request) -> Answer:
        """One entity, of what is here and what sources say (clause 5.7.1)."""
        params = params_of(request)
        id = request.slots["id"]
        if not self._all.concerns_others(request) or not is_uri(id):
            return await self._all.local(request)
        asker = await self._asker(request)
        gathered = await self.parts_of(asker, id, params)
        answer = await self._all.answered(request, self.view(asker, gathered))
        return self._all.with_warnings(answer, gathered.warnings)

    async def parts_of(self, asker: Asker, id: str, params: Mapping[str, str]) -> Gathered:
        """What sources say of one entity."""
        try:
            query = read_query({"type": params.get("type", ""), "attrs": params.get("attrs", "")}, asker.context)
        except Refusal:
            return Gathered(parts={})
        wanted = Wanted(ids=(id,), types=tuple(query.type_names or ()), attributes=frozenset(query.attributes))
        matches = self._all.matching(asker, wanted, RETRIEVES, Filter())
        if looped := self._looped(asker, matches):
            return looped
        replies = await asyncio.gather(*(self._retrieve(asker, match, id) for match in matches))
        return self._gathered(asker, replies, only=id)

    async def query(self, request: Request) -> Answer:
        """Entities of all sources that fit a query (clause 5.7.2)."""
        if not self._all.concerns_others(request):
            return await self._all.local(request)
        body = await request.body() if request.method == "POST" else b""
        repeated = again(request, raw=body)
        try:
            asker, question = await self.question(request, body)
        except Refusal:
            # What is wrong with a query is for the endpoint to say.
            return await self._all.local(repeated)
        gathered = await self.gather(asker, question)
        answer = await self._all.answered(repeated, self.view(asker, gathered))
        return self._all.with_warnings(answer, gathered.warnings)

    async def gather(self, asker: Asker, question: Question) -> Gathered:
        """What sources hold that fits; refuses to order what several sources hold (clause 5.7.2.4)."""
        asked = self._asked(asker, question)
        if asked and question.query.ordering is not None:
            raise BadRequestData("ngsild.order_over_sources", {})
        if looped := self._looped(asker, asked):
            return looped
        replies = await asyncio.gather(*(self._query(asker, question, match, each) for match, each in asked))
        return self._gathered(asker, [reply for several in replies for reply in several])

    def _asked(self, asker: Asker, question: Question) -> list[tuple[Match, Selector]]:
        """Whom to ask, and for which of the entities asked for."""
        query = question.query
        also = Filter(csf=_csf(question.params, asker.context), geo=query.geo)
        return [
            (match, selector)
            for selector in query.selectors or (Selector(),)
            for match in self._all.matching(asker, _wanted(query, selector), QUERIES, also)
        ]

    def view(self, asker: Asker, gathered: Gathered) -> View:
        """The documents with the gathered entities merged in."""
        documents = self._all.city.documents
        now = text_of(self._all.city.now())
        merged = {id: merge(documents.get(asker.tenant, id), parts, now) for id, parts in gathered.parts.items()}
        known: dict[str, Document] = {id: document for id, document in merged.items() if document is not None}
        return View(documents, asker.tenant, known)

    async def _asker(self, request: Request) -> Asker:
        city = self._all.city
        return Asker(request=request, tenant=city.new_tenant(request), context=await city.context(request))

    def _looped(self, asker: Asker, asked: Sequence[Any]) -> Gathered | None:
        """Whoever was asked before asks nobody again, and says so: the first one does (clause 6.3.18)."""
        if not asked or not self._all.forwarding.has_seen(asker):
            return None
        return Gathered(parts={}, warnings=(self._all.forwarding.loop_warning(asker.tenant),))

    async def question(self, request: Request, body: bytes = b"") -> tuple[Asker, Question]:
        """What is asked, and for whom: names of a body are in the context that came with it."""
        params: Mapping[str, str] = params_of(request)
        if request.method == "POST":
            payload = await self._all.city.payload(again(request, raw=body))
            said = payload.json if isinstance(payload.json, dict) else {}
            params = {**_as_params(said), **params}
            query, context = read_query_body(said, payload.context), payload.context
        else:
            context = await self._all.city.context(request)
            query = read_query(params, context)
        question = Question(
            query=query,
            params=params,
            is_split=params.get("splitEntities") == "true",
            needed=_needed(params),
            by_post=request.method == "POST",
        )
        return Asker(request=request, tenant=self._all.city.new_tenant(request), context=context), question

    async def _retrieve(self, asker: Asker, match: Match, id: str) -> tuple[Match, Reply, Context]:
        registration = match.registration
        if registration.supports("retrieveEntity"):
            ask = Ask(
                match=match,
                method="GET",
                path=f"/entities/{segment(id)}",
                params=SYSTEM_TIMES,
                attributes=match.attributes,
            )
        elif registration.supports("queryEntity"):
            types = match.types
            params = {**SYSTEM_TIMES, "id": id}
            ask = Ask(
                match=match, method="GET", path="/entities", params=params, types=types, attributes=match.attributes
            )
        else:
            ask = self._by_post(asker, match, {"id": id}, msgspec.UNSET)
        reply, context = await self._all.forwarding.send(asker, ask)
        return match, reply, context

    async def _query(
        self, asker: Asker, question: Question, match: Match, selector: Selector
    ) -> list[tuple[Match, Reply, Context]]:
        """All pages that are needed of one source."""
        replies: list[tuple[Match, Reply, Context]] = []
        everything = question.is_split or question.is_whole
        limit = PAGE if everything else min(question.needed, PAGE)
        for page in range(MOST_PAGES):
            ask = self._page(asker, question, match, selector, (limit, page * limit))
            reply, context = await self._all.forwarding.send(asker, ask)
            replies.append((match, reply, context))
            count = len(reply.body) if isinstance(reply.body, list) else 0
            if count < limit or (not everything and (page + 1) * limit >= question.needed):
                break
        return replies

    def _page(self, asker: Asker, question: Question, match: Match, selector: Selector, page: tuple[int, int]) -> Ask:
        params: dict[str, str] = {**SYSTEM_TIMES, "limit": str(page[0])}
        if page[1]:
            params["offset"] = str(page[1])
        ids = tuple(id for id in selector.ids if not match.ids or id in match.ids) or match.ids
        entity: dict[str, Json] = {"id": list(ids) if len(ids) > 1 else ids[0]} if ids else {}
        if not ids and selector.id_pattern:
            entity = {"idPattern": selector.id_pattern}
        kept = {} if question.is_split else {name: question.params[name] for name in FILTERS if name in question.params}
        registration = match.registration
        by_post = registration.supports("queryBatch") and (question.by_post or not registration.supports("queryEntity"))
        if by_post:
            return self._by_post(asker, match, entity, question, params)
        if ids:
            params["id"] = ",".join(ids)
        elif selector.id_pattern:
            params["idPattern"] = selector.id_pattern
        types = _types(match, selector)
        if not types and "type" in question.params:
            params["type"] = question.params["type"]
        return Ask(
            match=match,
            method="GET",
            path="/entities",
            params={**params, **kept},
            types=types,
            attributes=match.claimed if question.is_split else match.attributes,
            q=None if question.is_split else question.query.q,
        )

    def _by_post(
        self,
        asker: Asker,
        match: Match,
        entity: Mapping[str, Json],
        question: Any,
        params: Mapping[str, str] = SYSTEM_TIMES,
    ) -> Ask:
        context = asker.context
        types = [context.compact_type(name) for name in match.types]
        selectors = [{"type": each, **entity} for each in types] if types else [dict(entity)]
        body: dict[str, Json] = {"type": "Query", "entities": selectors}
        if match.attributes:
            body["attrs"] = sorted(context.compact(name) for name in match.attributes)
        if question is not msgspec.UNSET and not question.is_split:
            body |= {name: question.params[name] for name in ("q", "scopeQ") if name in question.params}
        return Ask(match=match, method="POST", path="/entityOperations/query", params=params, body=body)

    def _gathered(self, asker: Asker, replies: Sequence[tuple[Match, Reply, Context]], *, only: str = "") -> Gathered:
        parts: dict[str, list[Part]] = {}
        failed: list[str] = []
        for match, reply, context in replies:
            outcome = reply.outcome
            if outcome is Outcome.ANSWERED:
                read = [read_remote(each, context, match) for each in _entities(reply.body)]
                if any(document is None for document in read):
                    outcome = Outcome.NOT_UNDERSTOOD
                for document in read:
                    if document is not None and only in ("", document.id):
                        parts.setdefault(document.id, []).append(Part(match, document))
            warning = self._all.forwarding.warning(asker.tenant, outcome)
            if warning:
                failed.append(warning)
            if WARNING in reply.headers:
                failed.append(reply.headers[WARNING])
        return Gathered(parts=parts, warnings=tuple(failed))


def _entities(body: Json) -> Sequence[Json]:
    """The entities in a reply; JSON-LD lets a list of one stand as the one."""
    if isinstance(body, list):
        return body
    return [body] if body is not None else []


def _wanted(query: EntityQuery, selector: Selector) -> Wanted:
    return Wanted(
        ids=selector.ids,
        id_pattern=selector.id_pattern,
        types=tuple(selector.types.names) if selector.types else (),
        attributes=frozenset(query.attributes),
        dataset_ids=frozenset(query.dataset_ids),
    )


def _types(match: Match, selector: Selector) -> tuple[str, ...]:
    """The types to ask for; none when the request's own selection must go as it is."""
    if selector.types is not None and any(len(each) > 1 for each in selector.types.any_of):
        return ()
    return match.types


def _csf(params: Mapping[str, str], context: Context) -> EntityQuery | None:
    return read_query({"q": params["csf"]}, context) if params.get("csf") else None


def _needed(params: Mapping[str, str]) -> int:
    """How many entities of one source can matter for a page, and one more, which tells of a next page."""
    if params.get("count") == "true" or "count" in params.get("options", "").split(",") or "orderBy" in params:
        return PAGE * MOST_PAGES
    numbers = [params.get("offset", "0"), params.get("limit", str(USUAL_LIMIT))]
    return sum(int(number) if number.isdecimal() else 0 for number in numbers) + 1


def _as_params(body: Mapping[str, Json]) -> dict[str, str]:
    """What of a Query's body sources are told under the names of parameters."""
    params = {name: value for name in ("q", "scopeQ", "csf") if isinstance(value := body.get(name), str)}
    geo = body.get("geoQ")
    if isinstance(geo, Mapping):
        params |= {name: _text(geo[name]) for name in FILTERS if name in geo}
    for name in ("splitEntities", "entityMap"):
        if body.get(name) is True:
            params[name] = "true"
    return params


def _text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
