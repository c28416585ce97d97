# SPDX-License-Identifier: Apache-2.0
"""The past of entities, by parameters or by a body (CIM 009 clauses 5.7.3, 5.7.4, 6.18 to 6.24)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import BadRequestData, ResourceNotFound, header, json_answer
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import PAGING, Paging, flag, page_links, paging, read_params
from citybrain.doors.ngsild.query import ORDER, PLACE, SELECT
from citybrain.doors.ngsild.served import Served, route
from citybrain.doors.ngsild.temporal_body import params_of
from citybrain.doors.ngsild.writing import entity_id
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities.query import EntityQuery, read_query, read_query_body, require_join, require_narrow
from citybrain.kernel.entities.shape import Shape, read_shape
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.ld.context import Context
from citybrain.kernel.pool.evolution import Evolution, Found, Range
from citybrain.kernel.pool.temporal import Known, Selection
from citybrain.kernel.pool.temporal_figures import FiguresOf, shown_figures
from citybrain.kernel.pool.temporal_form import Telling, members_of, represent_evolution
from citybrain.kernel.pool.temporal_query import TemporalQuery, read_temporal_query

WINDOW = frozenset({"timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration"})
SHAPE = frozenset({"attrs", "pick", "omit", "options", "format", "lang", "datasetId", "expandValues", "jsonKeys"})
MAPS = frozenset({"entityMap", "entityMapLifetime", "splitEntities"})
RETRIEVE = WINDOW | SHAPE | MAPS | {"local", "type", "csf"}
QUERY = WINDOW | SHAPE | SELECT | PLACE | ORDER | PAGING | MAPS | {"local"}
BY_BODY = PAGING | MAPS | {"local", "options", "format"}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request about the past, read."""

    tenant: str
    context: Context
    temporal: TemporalQuery
    selection: Selection
    shape: Shape

    @property
    def telling(self) -> Telling:
        """In which form it is to be told."""
        return Telling(form=self.temporal.form, shape=self.shape, time=self.temporal.window.time)


def routes(city: Served) -> Sequence[Route]:
    """`/temporal/entities` and the query by body, as far as they read."""
    return [
        route(city, "GET", "/temporal/entities", query),
        route(city, "GET", "/temporal/entities/{id}", retrieve),
        route(city, "POST", "/temporal/entityOperations/query", query_by_body),
    ]


async def retrieve(city: Served, request: Request) -> Answer:
    """The evolution of one entity (clause 5.7.3)."""
    params = read_params(request, RETRIEVE)
    media = accepted(request)
    id = entity_id(request)
    context = await city.context(request)
    asked = asked_of(city.tenant(request), context, params, EntityQuery(), required=False)
    temporal = city.store.temporal
    if asked.temporal.aggregation is not None:
        known = await temporal.known(asked.tenant, id)
        shown = await _figures(city, [known], asked)
        headers: list[tuple[bytes, bytes]] = []
        status = 200
    else:
        found = await temporal.retrieve(asked.tenant, id, asked.selection)
        shown = _shown(found.evolutions, asked, also_empty=asked.temporal.window.relation is not None)
        status, headers = _partial(found.range)
    if not shown:
        raise ResourceNotFound("ngsild.nothing_left", {"id": id})
    return json_answer(shown[0], context, media=media, status=status, headers=headers)


async def query(city: Served, request: Request) -> Answer:
    """The evolutions of entities that parameters ask for (clause 5.7.4)."""
    params = read_params(request, QUERY)
    media = accepted(request)
    page = paging(params)
    context = await city.context(request)
    entities = read_query(params, context)
    asked = asked_of(city.tenant(request), context, params, entities, required=True)
    if not flag(params, "local"):
        _require_narrow(entities)
    return await _answer(city, request, asked, page, media)


async def query_by_body(city: Served, request: Request) -> Answer:
    """The evolutions of entities that a body of type Query asks for (clauses 5.7.4, 5.2.23)."""
    params = read_params(request, BY_BODY)
    media = accepted(request)
    payload = await city.payload(request)
    page = paging(params)
    body = payload.json
    if not isinstance(body, dict) or body.get("type") != "Query":
        raise BadRequestData("ngsild.not_a_query", {})
    entities = read_query_body(body, payload.context)
    given = {**params, **params_of(body)}
    asked = asked_of(city.tenant(request), payload.context, given, entities, required=True)
    if not flag(params, "local"):
        _require_narrow(entities)
    return await _answer(city, request, asked, page, media)


def asked_of(
    tenant: str, context: Context, params: Mapping[str, str], entities: EntityQuery, *, required: bool
) -> Asked:
    """What parameters ask of the past; refuses whatever needs linked entities (clauses 5.7.3.4, 5.7.4.4)."""
    temporal = read_temporal_query(params, required=required)
    shape_params = {name: held for name, held in params.items() if name not in ("format", "options")}
    shape = msgspec.structs.replace(read_shape(shape_params, context), sys_attrs=temporal.sys_attrs)
    if shape.needs_joining:
        raise BadRequestData("ngsild.past_of_linked", {})
    require_join(entities, 0)
    read_query({"q": params.get("csf", "")}, context)  # refuses a filter of sources that cannot be read
    selection = Selection(
        entities=entities,
        temporal=temporal,
        names=_names(shape),
        omitted=frozenset(shape.omit.inside) if shape.omit else frozenset(),
        dataset_ids=shape.dataset_ids or None,
        descending=_is_descending(entities),
    )
    return Asked(tenant=tenant, context=context, temporal=temporal, selection=selection, shape=shape)


def _names(shape: Shape) -> frozenset[str] | None:
    """The attributes that are asked for; None for all."""
    if shape.pick is not None:
        return frozenset(shape.pick.inside)
    return shape.attributes or None


def _is_descending(entities: EntityQuery) -> bool:
    """Only the id orders the past of entities (clause 5.7.4.4)."""
    if entities.ordering is None:
        return False
    if any(term.path.names != ("id",) or term.path.inside for term in entities.ordering.terms):
        raise BadRequestData("ngsild.temporal_order", {})
    return entities.ordering.terms[0].direction == "desc"


def _require_narrow(entities: EntityQuery) -> None:
    """A query must say more than ids (clause 5.7.4.4)."""
    selectors = tuple(msgspec.structs.replace(each, ids=()) for each in entities.selectors)
    require_narrow(msgspec.structs.replace(entities, selectors=selectors))


async def _answer(city: Served, request: Request, asked: Asked, page: Paging, media: Any) -> Answer:
    temporal = city.store.temporal
    count = page.count or asked.temporal.count
    where = {"offset": page.offset, "limit": page.limit, "count": count}
    if asked.temporal.aggregation is not None:
        chosen, seen = await temporal.choose(asked.tenant, asked.selection, **where)
        shown = await _figures(city, list(chosen), asked)
        found = Found(evolutions=(), total=seen if count else None, more=seen > page.offset + page.limit)
    else:
        found = await temporal.query(asked.tenant, asked.selection, **where)
        shown = _shown(found.evolutions, asked)
    status, headers = _partial(found.range)
    headers += page_links(request, page, more=found.more)
    if found.total is not None:
        headers.append(header("ngsild-results-count", str(found.total)))
    return json_answer(shown, asked.context, media=media, status=status, headers=headers)


def _shown(evolutions: Sequence[Evolution], asked: Asked, *, also_empty: bool = False) -> list[dict[str, Any]]:
    """Those of which something is left that was asked for; `also_empty` shows one that has nothing in the window."""
    shape = asked.shape
    may_lack = bool(
        (shape.pick is not None and {"id", "type"} & set(shape.pick.inside))
        or shape.omit is not None
        or (also_empty and shape.pick is None and not shape.attributes)
    )
    told = [
        represent_evolution(each, asked.context, asked.telling) for each in evolutions if each.attributes or may_lack
    ]
    return [each for each in told if each]


async def _figures(city: Served, entities: Sequence[Known], asked: Asked) -> list[dict[str, Any]]:
    aggregation = asked.temporal.aggregation
    if aggregation is None:
        return []
    figures = await FiguresOf(city.store.temporal).of(entities, asked.selection, aggregation)
    shown = []
    for each in entities:
        document = each.document
        evolution = Evolution(
            id=each.id, types=each.types, created_at=document.created_at, modified_at=document.modified_at
        )
        told = members_of(evolution, asked.context, asked.shape)
        shown.append(shown_figures(told, figures.get(each.number, {}), asked.context))
    return [each for each in shown if each]


def _partial(range: Range | None) -> tuple[int, list[tuple[bytes, bytes]]]:
    """206 with the span that is there when it is not the whole one (clause 6.3.10)."""
    if range is None:
        return 200, []
    size = "*" if range.size is None else str(range.size)
    return 206, [header("content-range", f"date-time {text_of(range.start)}-{text_of(range.end)}/{size}")]
