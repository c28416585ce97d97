# SPDX-License-Identifier: Apache-2.0
"""Attributes of one entity: append, update, replace, delete, and one alone (CIM 009 clauses 5.6, 6.6, 6.7)."""

from collections.abc import Sequence

from citybrain.doors.ngsild.answers import BadRequestData, Media, json_answer, no_content
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import flag, options, read_params
from citybrain.doors.ngsild.rendering import check_format
from citybrain.doors.ngsild.served import Served, route
from citybrain.doors.ngsild.writing import check_type, desk, entity_id, existing, update_result
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities import service, verbs
from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType, Document, Instance
from citybrain.kernel.entities.fragment import (
    read_attribute,
    read_attribute_fragment,
    read_attribute_name,
    read_fragment,
)
from citybrain.kernel.entities.names import check_uri
from citybrain.kernel.entities.represent import show_instances
from citybrain.kernel.entities.shape import read_shape
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.pool.temporal_write import TemporalWriting
from citybrain.kernel.records import Json

CHANGE = frozenset({"local", "type"})
APPEND = CHANGE | {"options"}
DELETE = CHANGE | {"datasetId", "deleteAll"}
ONE = CHANGE | {"datasetId", "lang", "options", "format"}


def routes(city: Served) -> Sequence[Route]:
    """`/entities/{id}/attrs` and below."""
    return [
        route(city, "POST", "/entities/{id}/attrs", append),
        route(city, "PATCH", "/entities/{id}/attrs", update),
        route(city, "GET", "/entities/{id}/attrs/{name}", retrieve),
        route(city, "PATCH", "/entities/{id}/attrs/{name}", partial_update),
        route(city, "PUT", "/entities/{id}/attrs/{name}", replace),
        route(city, "DELETE", "/entities/{id}/attrs/{name}", delete),
        route(city, "GET", "/entities/{id}/attrs/{name}/value", value),
        route(city, "PUT", "/entities/{id}/attrs/{name}/value", set_value),
    ]


async def append(city: Served, request: Request) -> Answer:
    """Append attributes (clause 5.6.3); with `noOverwrite` those that are there stay."""
    params = read_params(request, APPEND)
    payload = await city.payload(request)
    fragment = read_fragment(payload.json, payload.context, nulls=Nulls.REFUSED)
    overwrite = "noOverwrite" not in options(params)
    check_type(city, request, params, payload.context)
    applied = await service.append(desk(city, request), entity_id(request), fragment, overwrite=overwrite)
    return update_result(city, request, applied, payload.context)


async def update(city: Served, request: Request) -> Answer:
    """Update attributes (clause 5.6.2)."""
    params = read_params(request, CHANGE)
    payload = await city.payload(request, patch=True)
    fragment = read_fragment(payload.json, payload.context, nulls=Nulls.DELETE)
    check_type(city, request, params, payload.context)
    applied = await service.update(desk(city, request), entity_id(request), fragment)
    return update_result(city, request, applied, payload.context)


async def partial_update(city: Served, request: Request) -> Answer:
    """Update some members of one attribute instance (clause 5.6.4)."""
    params = read_params(request, CHANGE)
    payload = await city.payload(request, patch=True)
    name = read_attribute_name(request.slots["name"], payload.context)
    part = read_attribute_fragment(name, payload.json, payload.context)
    check_type(city, request, params, payload.context)
    await service.partial_update(desk(city, request), entity_id(request), name, part)
    return no_content()


async def replace(city: Served, request: Request) -> Answer:
    """Replace one attribute (clause 5.6.19)."""
    params = read_params(request, CHANGE)
    payload = await city.payload(request, any_json=True)
    name = read_attribute_name(request.slots["name"], payload.context)
    at = desk(city, request)
    instances = read_attribute(name, payload.json, payload.context, text_of(at.at))
    check_type(city, request, params, payload.context)
    await service.replace_attribute(at, entity_id(request), name, instances)
    return no_content()


async def delete(city: Served, request: Request) -> Answer:
    """Delete one attribute: its default instance, one by datasetId, or all (clause 5.6.5)."""
    params = read_params(request, DELETE)
    delete_all = flag(params, "deleteAll")
    dataset_id = _dataset_id(params)
    context = await city.context(request)
    name = read_attribute_name(request.slots["name"], context)
    check_type(city, request, params, context)
    at, id = desk(city, request), entity_id(request)
    past = TemporalWriting(city.store.temporal, city.store.documents)
    if not await past.end_attribute(at.tenant, id, name, dataset_id=dataset_id, all_of_them=delete_all, at=at.at):
        await service.delete_attribute(at, id, name, dataset_id=dataset_id, delete_all=delete_all)
    return no_content()


async def retrieve(city: Served, request: Request) -> Answer:
    """One attribute alone (TS 104 176 clause 7.6)."""
    params = read_params(request, ONE)
    media = accepted(request)
    context = await city.context(request)
    name = read_attribute_name(request.slots["name"], context)
    document = existing(city, request, params, context)
    kept = _instances(document, name, params)
    check_format(params)
    shape = read_shape({key: said for key, said in params.items() if key != "datasetId"}, context)
    shown = show_instances(name, kept, context, shape)
    if media is Media.LD_JSON and not isinstance(shown, dict):
        # A list of instances or a bare value has no place for a context.
        media = Media.JSON
    return json_answer(shown, context, media=media)


async def value(city: Served, request: Request) -> Answer:
    """The bare value of one attribute instance: plain JSON without a context (TS 104 176 clause 7.6)."""
    params = read_params(request, CHANGE | {"datasetId"})
    accepted(request)
    context = await city.context(request)
    name = read_attribute_name(request.slots["name"], context)
    document = existing(city, request, params, context)
    return json_answer(_instances(document, name, params)[0].value)


async def set_value(city: Served, request: Request) -> Answer:
    """Set the bare value of one attribute instance; all else of it stays (TS 104 176 clause 7.6)."""
    params = read_params(request, CHANGE | {"datasetId"})
    payload = await city.payload(request, any_json=True)
    name = read_attribute_name(request.slots["name"], payload.context)
    document = existing(city, request, params, payload.context)
    kept = _instances(document, name, params)[0]
    if payload.json == NULL or (payload.json is None and kept.type is not AttributeType.JSON_PROPERTY):
        raise BadRequestData("ngsild.null_value", {"name": request.slots["name"]})
    dataset: dict[str, Json] = {"datasetId": kept.dataset_id} if kept.dataset_id else {}
    body: dict[str, Json] = {"type": kept.type.value, VALUE_KEY[kept.type]: payload.json, **dataset}
    part = read_attribute_fragment(name, body, payload.context)
    await service.partial_update(desk(city, request), document.id, name, part)
    return no_content()


def _dataset_id(params: dict[str, str]) -> str:
    given = params.get("datasetId", "")
    return "" if given in ("", "@none") else check_uri("datasetId", given)


def _instances(document: Document, name: str, params: dict[str, str]) -> tuple[Instance, ...]:
    """The instances meant: all, or the one with a datasetId; refuses when there is none."""
    kept = document.attributes.get(name, ())
    if "datasetId" in params:
        wanted = _dataset_id(params)
        kept = tuple(each for each in kept if each.dataset_id == wanted)
    if not kept:
        raise verbs.NoSuchAttribute("kernel.no_such_attribute", {"member": name})
    return kept
