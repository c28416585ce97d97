# SPDX-License-Identifier: Apache-2.0
"""One entity: create, retrieve, replace, merge, delete (CIM 009 clauses 5.6, 5.7.1, 6.4, 6.5)."""

from collections.abc import Sequence

from citybrain.doors.ngsild.answers import BadRequestData, created, no_content
from citybrain.doors.ngsild.batch import merge_options
from citybrain.doors.ngsild.media import GEO, accepted
from citybrain.doors.ngsild.params import read_params
from citybrain.doors.ngsild.rendering import entity_answer, read_form, request_key
from citybrain.doors.ngsild.served import Served, route
from citybrain.doors.ngsild.writing import check_type, desk, entity_id, existing, is_simplified
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities import service
from citybrain.kernel.entities.fragment import read_entity, read_fragment
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.values import Nulls

CREATE = frozenset({"local"})
CHANGE = frozenset({"local", "type"})
MERGE = CHANGE | {"options", "format", "observedAt", "lang"}
SHAPE = frozenset(
    {"attrs", "pick", "omit", "options", "format", "lang", "datasetId", "geometryProperty", "jsonKeys", "expandValues"}
)
JOIN = frozenset({"join", "joinLevel", "containedBy"})
RETRIEVE = SHAPE | JOIN | CHANGE | {"entityMap"}


def routes(city: Served) -> Sequence[Route]:
    """`/entities` and `/entities/{id}`, but for queries."""
    return [
        route(city, "POST", "/entities", create),
        route(city, "PUT", "/entities", without_id),
        route(city, "PATCH", "/entities", without_id),
        route(city, "GET", "/entities/{id}", retrieve),
        route(city, "PUT", "/entities/{id}", replace),
        route(city, "PATCH", "/entities/{id}", merge),
        route(city, "DELETE", "/entities/{id}", delete),
    ]


async def create(city: Served, request: Request) -> Answer:
    """Create an entity (clause 5.6.1)."""
    read_params(request, CREATE)
    payload = await city.payload(request)
    at = desk(city, request, city.new_tenant(request))
    document = read_entity(payload.json, payload.context, text_of(at.at))
    await service.create(at, document)
    return created(f"{request.root}/entities/{document.id}")


async def without_id(_city: Served, request: Request) -> Answer:
    """What can only be done to one entity says which."""
    raise BadRequestData("ngsild.no_id", {"path": request.path})


async def retrieve(city: Served, request: Request) -> Answer:
    """An entity as it is now (clause 5.7.1)."""
    context = await city.context(request)
    tenant, key = city.tenant(request), request_key(request, context)
    remembered = city.remembered.answer(key, tenant, city.documents)
    if remembered is not None:
        return remembered
    params = read_params(request, RETRIEVE)
    media = accepted(request, GEO)
    form = read_form(params, context, media)
    document = existing(city, request, params, context)
    answer = entity_answer(city, request, document, form)
    if form.key is not None:
        city.remembered.keep_answer(key, tenant, [document.id], answer, alone=True)
    return answer


async def replace(city: Served, request: Request) -> Answer:
    """Replace an entity as a whole (clause 5.6.18)."""
    params = read_params(request, CHANGE)
    id = entity_id(request)
    payload = await city.payload(request)
    at = desk(city, request)
    body = {"id": id, **payload.json} if isinstance(payload.json, dict) else payload.json
    document = read_entity(body, payload.context, text_of(at.at))
    if document.id != id:
        raise BadRequestData("ngsild.other_id", {"id": document.id, "path_id": id})
    check_type(city, request, params, payload.context)
    await service.replace(at, document)
    return no_content()


async def merge(city: Served, request: Request) -> Answer:
    """Merge a fragment into an entity (clause 5.6.17)."""
    params = read_params(request, MERGE)
    payload = await city.payload(request, patch=True)
    how = merge_options(params)
    at, simplified = desk(city, request), is_simplified(params)
    fragment = read_fragment(payload.json, payload.context, nulls=Nulls.MERGE, simplified=simplified)
    check_type(city, request, params, payload.context)
    await service.merge(at, entity_id(request), fragment, options=how)
    return no_content()


async def delete(city: Served, request: Request) -> Answer:
    """Delete an entity (clause 5.6.6)."""
    params = read_params(request, CHANGE)
    context = await city.context(request)
    check_type(city, request, params, context)
    await service.delete(desk(city, request), entity_id(request))
    return no_content()
