# SPDX-License-Identifier: Apache-2.0
"""Queries of entities by parameters or by a body, and their purge (CIM 009 clauses 5.7.2, 5.6.21, 6.4.3, 6.23)."""

from collections.abc import Mapping, Sequence

from citybrain.doors.ngsild.answers import BadRequestData, header, no_content
from citybrain.doors.ngsild.entities import JOIN, SHAPE
from citybrain.doors.ngsild.media import GEO, accepted
from citybrain.doors.ngsild.params import PAGING, Paging, flag, page_links, paging, read_params
from citybrain.doors.ngsild.rendering import Form, entities_answer, read_form, request_key
from citybrain.doors.ngsild.served import Served, route
from citybrain.doors.ngsild.writing import desk
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.entities.found import Found
from citybrain.kernel.entities.parsing import read_expression
from citybrain.kernel.entities.query import (
    EntityQuery,
    read_attributes,
    read_query,
    read_query_body,
    require_join,
    require_narrow,
)
from citybrain.kernel.entities.search import find
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

SELECT = frozenset({"id", "idPattern", "type", "attrs", "q", "scopeQ", "csf", "datasetId"})
PLACE = frozenset({"georel", "geometry", "coordinates", "geoproperty"})
ORDER = frozenset({"orderBy", "orderFrom", "orderGeometry", "collation"})
MAPS = frozenset({"entityMap", "entityMapLifetime", "splitEntities"})
QUERY = SELECT | PLACE | ORDER | SHAPE | JOIN | PAGING | MAPS | {"local"}
PURGE = SELECT | PLACE | {"keep", "drop", "local", "expandValues", "jsonKeys"}
BY_BODY = PAGING | MAPS | {"local", "options", "format"}
EVERY_TYPE = "*"
# Members of a Query that say in which form, as parameters of the same meaning (clause 5.2.23).
FORM_MEMBERS = ("pick", "omit", "attrs", "lang", "datasetId", "geometryProperty", "jsonKeys", "expandValues")
JOIN_MEMBERS = ("join", "joinLevel", "containedBy")


def routes(city: Served) -> Sequence[Route]:
    """Queries of entities, and their purge."""
    return [
        route(city, "GET", "/entities", query),
        route(city, "POST", "/entityOperations/query", query_by_body),
        route(city, "DELETE", "/entities", purge),
    ]


async def query(city: Served, request: Request) -> Answer:
    """Entities that parameters ask for (clause 5.7.2)."""
    context = await city.context(request)
    tenant, key = city.tenant(request), request_key(request, context)
    remembered = city.remembered.answer(key, tenant, city.documents)
    if remembered is not None:
        return remembered
    params = read_params(request, QUERY)
    media = accepted(request, GEO)
    page = paging(params)
    asked = read_query(params, context)
    if params.get("csf"):
        # Which sources are asked is for others to say; that it is an expression holds everywhere (clause 4.9).
        read_expression(params["csf"], context)
    form = read_form(params, context, media)
    if not _is_local(params):
        require_narrow(asked)
    found = await _found(city, tenant, asked, form, page)
    answer = _answer(city, request, found, form, page)
    if form.key is not None and _stands(city, tenant, asked):
        city.remembered.keep_answer(key, tenant, [each.id for each in found.documents], answer, alone=False)
    return answer


async def query_by_body(city: Served, request: Request) -> Answer:
    """Entities that a body of type Query asks for (clauses 5.7.2, 5.2.23)."""
    params = read_params(request, BY_BODY)
    media = accepted(request, GEO)
    payload = await city.payload(request)
    page = paging(params)
    is_local = flag(params, "local")
    city.tenant(request)
    body = payload.json
    if not isinstance(body, dict) or body.get("type") != "Query":
        raise BadRequestData("ngsild.not_a_query", {})
    if "temporalQ" in body:
        raise BadRequestData("ngsild.temporal_query_here", {})
    asked = read_query_body(body, payload.context)
    form = read_form({**params, **_form_of(body)}, payload.context, media)
    if not is_local:
        require_narrow(asked)
    found = await _found(city, city.tenant(request), asked, form, page)
    return _answer(city, request, found, form, page)


async def purge(city: Served, request: Request) -> Answer:
    """Delete the entities that parameters ask for, or some of their attributes (clause 5.6.21)."""
    params = read_params(request, PURGE)
    if "keep" in params and "drop" in params:
        raise BadRequestData("ngsild.keep_and_drop", {})
    is_local = flag(params, "local")
    context = await city.context(request)
    tenant = city.tenant(request)
    asked = read_query(params, context)
    require_join(asked, 0)
    if not is_local:
        require_narrow(asked)
    keep, drop = _names(params, "keep", context), _names(params, "drop", context)
    found = await find(city.documents, tenant, asked, limit=city.documents.count(tenant))
    await service.purge(desk(city, request), [each.id for each in found.documents], drop=drop, keep=keep)
    return no_content()


async def _found(city: Served, tenant: str, asked: EntityQuery, form: Form, page: Paging) -> Found:
    require_join(asked, form.joining.reach)
    return await find(city.documents, tenant, asked, offset=page.offset, limit=page.limit, count=page.count)


def _answer(city: Served, request: Request, found: Found, form: Form, page: Paging) -> Answer:
    headers = page_links(request, page, more=found.has_more)
    if page.count:
        headers.append(header("ngsild-results-count", str(found.total)))
    return entities_answer(city, request, found.documents, form, headers)


def _is_local(params: Mapping[str, str]) -> bool:
    """Only what is here is asked for, as `type=*` does too (table 6.4.3.2-1)."""
    local = flag(params, "local")
    if params.get("type") != EVERY_TYPE:
        return local
    if "local" in params and not local:
        raise BadRequestData("ngsild.every_type_is_local", {})
    return True


def _stands(city: Served, tenant: str, asked: EntityQuery) -> bool:
    """Whether what a query finds changes by writes alone, not by values that arrive in columns beside them."""
    observed = city.documents.observed
    if observed is None or tenant != DEFAULT_TENANT:
        return True
    if asked.q is None and asked.geo is None and not asked.attributes and asked.ordering is None:
        return True
    names = asked.type_names
    return names is not None and not any(observed.names((name,)) for name in names)


def _names(params: Mapping[str, str], name: str, context: Context) -> tuple[str, ...]:
    text = params.get(name, "")
    return read_attributes([each.strip() for each in text.split(",")], context, parameter=name) if text else ()


def _form_of(body: Mapping[str, Json]) -> dict[str, str]:
    """The form that a body asks for, as parameters."""
    params: dict[str, str] = {}
    for name in (*FORM_MEMBERS, *JOIN_MEMBERS):
        given = body.get(name)
        if given is None:
            continue
        if isinstance(given, list) and given and all(isinstance(each, str) for each in given):
            params[name] = ",".join(str(each) for each in given)
        elif isinstance(given, str) or (name == "joinLevel" and type(given) is int):
            params[name] = str(given)
        else:
            raise BadRequestData("ngsild.member_unusable", {"name": name, "value": str(given)[:100]})
    return params
