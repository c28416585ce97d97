# SPDX-License-Identifier: Apache-2.0
"""The past of entities, written: added to, corrected, taken out (CIM 009 clauses 5.6.11 to 5.6.16, 6.18 to 6.21)."""

from collections.abc import Mapping, Sequence

from citybrain.doors.ngsild.answers import BadRequestData, created, no_content
from citybrain.doors.ngsild.params import flag, read_params
from citybrain.doors.ngsild.served import Served, route
from citybrain.doors.ngsild.writing import entity_id
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities.fragment import read_attribute_fragment, read_attribute_name
from citybrain.kernel.entities.names import check_uri
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.ld.context import Context
from citybrain.kernel.pool.temporal_reading import read_evolution
from citybrain.kernel.pool.temporal_rows import instance_number
from citybrain.kernel.pool.temporal_write import NoSuchInstance, TemporalWriting

LOCAL = frozenset({"local"})
DELETE = LOCAL | {"datasetId", "deleteAll"}
ENTITY = "/temporal/entities/{id}"
INSTANCE = ENTITY + "/attrs/{name}/{instance}"


def routes(city: Served) -> Sequence[Route]:
    """Everything under `/temporal/entities` that writes."""
    return [
        route(city, "POST", "/temporal/entities", create),
        route(city, "DELETE", ENTITY, delete),
        route(city, "POST", ENTITY + "/attrs", add),
        route(city, "DELETE", ENTITY + "/attrs/{name}", delete_attribute),
        route(city, "PATCH", INSTANCE, modify_instance),
        route(city, "DELETE", INSTANCE, delete_instance),
        route(city, "DELETE", ENTITY + "/attrs//{instance}", no_name),
    ]


async def create(city: Served, request: Request) -> Answer:
    """Create an evolution, or add to it (clause 5.6.11)."""
    read_params(request, LOCAL)
    payload = await city.payload(request)
    now = city.now()
    given = read_evolution(payload.json, payload.context, text_of(now), whole=True)
    is_new = await _writing(city).add(city.new_tenant(request), given, at=now)
    return created(f"{request.root}/temporal/entities/{given.id}") if is_new else no_content()


async def add(city: Served, request: Request) -> Answer:
    """Add instances of attributes to an evolution (clause 5.6.12)."""
    read_params(request, LOCAL)
    id = entity_id(request)
    payload = await city.payload(request)
    tenant, now = city.tenant(request), city.now()
    body = {**payload.json, "id": id} if isinstance(payload.json, dict) else payload.json
    given = read_evolution(body, payload.context, text_of(now), whole=False)
    await city.store.temporal.known(tenant, id)
    await _writing(city).add(tenant, given, at=now)
    return no_content()


async def delete(city: Served, request: Request) -> Answer:
    """Take a whole evolution out (clause 5.6.16)."""
    read_params(request, LOCAL)
    await _writing(city).forget(city.tenant(request), entity_id(request))
    return no_content()


async def delete_attribute(city: Served, request: Request) -> Answer:
    """Take an attribute out of an evolution (clause 5.6.13)."""
    params = read_params(request, DELETE)
    id = entity_id(request)
    name = read_attribute_name(request.slots["name"], await city.context(request))
    await _writing(city).delete_attribute(
        city.tenant(request), id, name, dataset_id=_dataset_id(params), all_of_them=flag(params, "deleteAll")
    )
    return no_content()


async def modify_instance(city: Served, request: Request) -> Answer:
    """Correct one instance (clause 5.6.14)."""
    read_params(request, LOCAL)
    id = entity_id(request)
    payload = await city.payload(request, patch=True)
    name, number = _instance(request, payload.context)
    tenant = city.tenant(request)
    part = read_attribute_fragment(name, _bare(payload.json, payload.context, name), payload.context)
    if part.is_empty:
        raise BadRequestData("kernel.member_missing", {"member": "value"})
    await _writing(city).modify_instance(tenant, id, name, number, part, at=city.now())
    return no_content()


async def delete_instance(city: Served, request: Request) -> Answer:
    """Take one instance out (clause 5.6.15)."""
    read_params(request, LOCAL)
    id = entity_id(request)
    name, number = _instance(request, await city.context(request))
    await _writing(city).delete_instance(city.tenant(request), id, name, number)
    return no_content()


async def no_name(city: Served, request: Request) -> Answer:
    """An instance of an attribute without a name."""
    raise BadRequestData("ngsild.no_id", {"path": request.path})


def _writing(city: Served) -> TemporalWriting:
    return TemporalWriting(city.store.temporal, city.store.documents)


def _dataset_id(params: Mapping[str, str]) -> str:
    said = params.get("datasetId", "")
    return "" if said in ("", "@none") else check_uri("datasetId", said)


def _instance(request: Request, context: Context) -> tuple[str, int]:
    """The attribute's name and the instance's number; an identifier that is none of ours is of no instance."""
    name = read_attribute_name(request.slots["name"], context)
    id = check_uri("instanceId", request.slots["instance"])
    number = instance_number(id)
    if number is None:
        raise NoSuchInstance("kernel.no_such_instance", {"id": request.slots["id"], "name": name})
    return name, number


def _bare(payload: object, context: Context, name: str) -> object:
    """The instance itself; it may come under the name of its attribute (clause 6.21.3.1)."""
    if isinstance(payload, dict) and len(payload) == 1:
        key, held = next(iter(payload.items()))
        if context.expand(key) == name:
            return held[0] if isinstance(held, list) and len(held) == 1 else held
    return payload
