# SPDX-License-Identifier: Apache-2.0
"""The past of entities that several sources hold (CIM 009 clauses 5.7.3, 5.7.4, 4.5.19)."""

import asyncio
import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from citybrain.doors.ngsild import temporal_query
from citybrain.doors.ngsild.answers import json_answer
from citybrain.doors.ngsild.distributed import PAGE
from citybrain.doors.ngsild.distribution import Distribution, Filter, again, params_of
from citybrain.doors.ngsild.forwarding import Ask, Asker, segment
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import page_links, paging
from citybrain.doors.ngsild.remote_past import merged, read_evolution
from citybrain.doors.ngsild.temporal_body import params_of as params_of_body
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.entities.query import EntityQuery, Selector, read_query, read_query_body
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.pool.aggregates import Figures, Kind, kind_of, summed, told
from citybrain.kernel.pool.evolution import Evolution, Found, cut
from citybrain.kernel.pool.temporal import LOOKED_AT, NoSuchEvolution, Selection, Temporal
from citybrain.kernel.pool.temporal_figures import Periods, shown_figures
from citybrain.kernel.pool.temporal_form import members_of
from citybrain.kernel.pool.temporal_query import Aggregation, Form, TemporalQuery, read_temporal_query
from citybrain.kernel.pool.temporal_rows import SCOPE, Moment
from citybrain.kernel.registrations.asking import Outcome, Reply
from citybrain.kernel.registrations.discovery import Period, Timerel
from citybrain.kernel.registrations.index import Match, Wanted
from citybrain.kernel.registrations.wire import is_uri

RETRIEVES = ("retrieveTemporal", "queryTemporal")
QUERIES = ("queryTemporal",)
WINDOW = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN")
FILTERS = ("scopeQ", "georel", "geometry", "coordinates", "geoproperty", "idPattern")
MOST_PAGES = 10

By = dict[str, list[Evolution]]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the past: which entities, which time, and the parameters that say so."""

    query: EntityQuery
    temporal: TemporalQuery
    params: Mapping[str, str]


class Together:
    """The history with what sources tell of it; it has what endpoints use of `Temporal`."""

    def __init__(self, base: Temporal, remote: By) -> None:
        self._base = base
        self._remote = remote

    def __getattr__(self, name: str) -> Any:
        """Whatever is not told by sources is asked of the history itself."""
        return getattr(self._base, name)

    async def retrieve(self, tenant: str, id: str, selection: Selection) -> Found:
        """The evolution of one entity."""
        here: Sequence[Evolution] = ()
        try:
            here = (await self._base.retrieve(tenant, id, selection)).evolutions
        except NoSuchEvolution:
            if not self._remote.get(id):
                raise
        whole = self._merged(here, id, selection)
        return cut([whole] if whole else [], selection.temporal, page=self._base.page)

    async def query(self, tenant: str, selection: Selection, *, offset: int, limit: int, count: bool) -> Found:
        """The evolutions of those entities that match, in order of their ids."""
        # So many that whatever sources add, the page is decided; all of them where they are counted.
        wanted = LOOKED_AT if count else offset + limit + len(self._remote) + 1
        found = await self._base.query(tenant, selection, offset=0, limit=wanted, count=count)
        here = {each.id: each for each in found.evolutions}
        ids = sorted({*here, *self._remote}, reverse=selection.descending)
        page = [
            whole
            for id in ids[offset : offset + limit]
            if (whole := self._merged([here[id]] if id in here else [], id, selection)) is not None
        ]
        more = len(ids) > offset + limit or found.more
        return msgspec.structs.replace(
            cut(page, selection.temporal, page=self._base.page), total=len(ids) if count else None, more=more
        )

    def _merged(self, here: Sequence[Evolution], id: str, selection: Selection) -> Evolution | None:
        there = [_wanted_of(each, selection) for each in self._remote.get(id, ())]
        return merged([*here, *there], selection.temporal.last_n)


class Past:
    """Distributed reads of the past."""

    def __init__(self, distribution: Distribution) -> None:
        self._all = distribution

    async def retrieve(self, request: Request) -> Answer:
        """One entity over time (clause 5.7.3)."""
        id = request.slots["id"]
        if not self._all.concerns_others(request) or not is_uri(id):
            return await self._all.local(request)
        try:
            asker, question = await self._question(request, b"")
        except Refusal:
            return await self._all.local(request)
        narrowed = msgspec.structs.replace(question.query, selectors=(_only(question.query, id),))
        question = msgspec.structs.replace(question, query=narrowed)
        return await self._answer(request, asker, question, RETRIEVES, id)

    async def query(self, request: Request) -> Answer:
        """Entities over time (clause 5.7.4)."""
        if not self._all.concerns_others(request):
            return await self._all.local(request)
        body = await request.body() if request.method == "POST" else b""
        repeated = again(request, raw=body)
        try:
            asker, question = await self._question(request, body)
        except Refusal:
            return await self._all.local(repeated)
        return await self._answer(repeated, asker, question, QUERIES, "")

    async def _answer(
        self, request: Request, asker: Asker, question: Question, operations: Iterable[str], id: str
    ) -> Answer:
        matches = self._matches(asker, question, operations)
        if not matches:
            return await self._all.local(request)
        replies = await asyncio.gather(*(self._ask(asker, question, match, id) for match in matches))
        remote, warnings = self._read(asker, question, [each for several in replies for each in several])
        if question.temporal.aggregation is None:
            answer = await self._over(request, remote)
        else:
            answer = await self._figures(request, asker, question, remote, id)
        return self._all.with_warnings(answer, warnings)

    async def _over(self, request: Request, remote: By) -> Answer:
        """The endpoint's own answer, over the history with what sources told."""
        city = copy.copy(self._all.city)
        city.store = msgspec.structs.replace(city.store, temporal=Together(city.store.temporal, remote))
        return await self._all.answered_by(city, request)

    async def _figures(self, request: Request, asker: Asker, question: Question, remote: By, id: str) -> Answer:
        """Figures over all instances, of whoever has them: they cannot be had from figures of parts."""
        aggregation = question.temporal.aggregation
        city = self._all.city
        asked = temporal_query.asked_of(asker.tenant, asker.context, question.params, question.query, required=not id)
        plain = msgspec.structs.replace(question.temporal, aggregation=None, form=Form.NORMALIZED, last_n=None)
        selection = msgspec.structs.replace(asked.selection, temporal=plain)
        together = Together(Temporal(city.store.temporal.db, page=LOOKED_AT), remote)
        page = paging(params_of(request))
        try:
            if id:
                found = await together.retrieve(asker.tenant, id, selection)
            else:
                found = await together.query(
                    asker.tenant, selection, offset=page.offset, limit=page.limit, count=page.count
                )
        except Refusal:
            return await self._all.answered(again(request))
        shown = []
        for each in found.evolutions:
            if aggregation is not None:
                figures = figures_of(each, question.temporal, aggregation)
                shown.append(shown_figures(members_of(each, asker.context, asked.shape), figures, asker.context))
        headers = [] if id else page_links(request, page, more=found.more)
        return json_answer(shown[0] if id else shown, asker.context, media=accepted(request), headers=headers)

    def _matches(self, asker: Asker, question: Question, operations: Iterable[str]) -> list[Match]:
        if self._all.forwarding.has_seen(asker):
            return []
        also = Filter(geo=question.query.geo, period=_period(question.temporal), any_time=True)
        found: list[Match] = []
        for selector in question.query.selectors or (Selector(),):
            wanted = Wanted(
                ids=selector.ids,
                id_pattern=selector.id_pattern,
                types=tuple(selector.types.names) if selector.types else (),
                attributes=frozenset(question.query.attributes),
            )
            found += self._all.matching(asker, wanted, operations, also)
        return list({match.registration.id: match for match in found}.values())

    async def _question(self, request: Request, body: bytes) -> tuple[Asker, Question]:
        city = self._all.city
        params = params_of(request)
        if request.method == "POST":
            payload = await city.payload(again(request, raw=body))
            said = payload.json if isinstance(payload.json, dict) else {}
            context = payload.context
            query, params = read_query_body(said, context), {**params, **params_of_body(said)}
        else:
            context = await city.context(request)
            query = read_query(params, context)
        question = Question(query=query, temporal=read_temporal_query(params), params=params)
        return Asker(request=request, tenant=city.new_tenant(request), context=context), question

    async def _ask(self, asker: Asker, question: Question, match: Match, id: str) -> list[tuple[Match, Reply, Context]]:
        params = {name: question.params[name] for name in WINDOW if name in question.params}
        params["options"] = "sysAttrs"
        by_id = bool(id) and match.registration.supports("retrieveTemporal")
        if by_id:
            path = f"/temporal/entities/{segment(id)}"
            ask = Ask(match=match, method="GET", path=path, params=params, attributes=match.attributes)
            reply, context = await self._all.forwarding.send(asker, ask)
            return [(match, reply, context)]
        if question.temporal.aggregation is not None:
            params.pop("lastN", None)
        ids = match.ids or tuple(question.query.ids or ())
        if ids:
            params["id"] = ",".join(ids)
        params |= {name: question.params[name] for name in FILTERS if name in question.params}
        replies = []
        for page in range(MOST_PAGES):
            ask = Ask(
                match=match,
                method="GET",
                path="/temporal/entities",
                params={**params, "limit": str(PAGE), "offset": str(page * PAGE)},
                types=match.types,
                attributes=match.attributes,
                q=question.query.q,
            )
            reply, context = await self._all.forwarding.send(asker, ask)
            replies.append((match, reply, context))
            if not isinstance(reply.body, list) or len(reply.body) < PAGE:
                break
        return replies

    def _read(
        self, asker: Asker, question: Question, replies: Sequence[tuple[Match, Reply, Context]]
    ) -> tuple[By, list[str]]:
        remote: By = {}
        warnings: list[str] = []
        for match, reply, context in replies:
            outcome = reply.outcome
            if outcome is Outcome.ANSWERED:
                bodies = reply.body if isinstance(reply.body, list) else [reply.body]
                for body in bodies:
                    evolution = read_evolution(body, context, match, question.temporal.window.time)
                    if evolution is None:
                        outcome = Outcome.NOT_UNDERSTOOD
                    else:
                        remote.setdefault(evolution.id, []).append(evolution)
            warning = self._all.forwarding.warning(asker.tenant, outcome)
            if warning:
                warnings.append(warning)
        return remote, warnings


def figures_of(evolution: Evolution, query: TemporalQuery, aggregation: Aggregation) -> dict[str, list[dict[str, Any]]]:
    """The figures of each attribute and data set of one evolution (clause 4.5.19)."""
    whole = [moment.at for moments in evolution.attributes.values() for moment in moments]
    if not whole:
        return {}
    window = query.window
    periods = Periods(aggregation.period, window.since or min(whole), window.until or max(whole))
    shown: dict[str, list[dict[str, Any]]] = {}
    for name, moments in evolution.attributes.items():
        for dataset_id, held in _by_dataset(moments).items():
            kind = kind_of(held[-1].instance)
            figures = _summed(held, kind, periods)
            of = told(figures, aggregation.methods, kind, periods.end_of)
            if of and name != SCOPE:
                dataset = {"datasetId": dataset_id} if dataset_id else {}
                shown.setdefault(name, []).append({"type": held[-1].instance.type.value, **dataset, **of})
    return shown


def _summed(held: Sequence[Moment], kind: Kind, periods: Periods) -> list[Figures]:
    if kind is not Kind.NUMBER:
        return summed(((each.at, each.instance.value) for each in held), periods.start_of)
    by_period: dict[datetime, list[float]] = {}
    for each in held:
        if isinstance(each.instance.value, bool | int | float):
            by_period.setdefault(periods.start_of(each.at), []).append(float(each.instance.value))
    return [_of_numbers(start, numbers) for start, numbers in sorted(by_period.items())]


def _of_numbers(start: datetime, numbers: Sequence[float]) -> Figures:
    total = math.fsum(numbers)
    squares = math.fsum(number * number for number in numbers)
    mean = total / len(numbers)
    return Figures(
        start=start,
        total=len(numbers),
        distinct=len(set(numbers)),
        sum=total,
        sumsq=squares,
        low=min(numbers),
        high=max(numbers),
        stddev=math.sqrt(max(squares / len(numbers) - mean * mean, 0.0)),
    )


def _by_dataset(moments: Iterable[Moment]) -> dict[str, list[Moment]]:
    held: dict[str, list[Moment]] = {}
    for moment in moments:
        if not moment.is_gone:
            held.setdefault(moment.instance.dataset_id, []).append(moment)
    return held


def _wanted_of(evolution: Evolution, selection: Selection) -> Evolution:
    kept = {
        name: moments
        for name, moments in evolution.attributes.items()
        if name not in selection.omitted and (selection.names is None or name in selection.names)
    }
    return msgspec.structs.replace(evolution, attributes=kept)


def _only(query: EntityQuery, id: str) -> Selector:
    types = query.selectors[0].types if query.selectors else None
    return Selector(types=types, ids=(id,))


def _period(query: TemporalQuery) -> Period | None:
    window = query.window
    if window.relation is None or window.at is None:
        return None
    timerel = Timerel(window.relation.value)
    return Period(timerel=timerel, at=window.at, until=window.end, timeproperty=window.time.value)
