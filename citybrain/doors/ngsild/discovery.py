# SPDX-License-Identifier: Apache-2.0
"""Which types of entities there are and which attributes they have (CIM 009 clauses 5.7.5 to 5.7.10, 6.25 to 6.28)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import ResourceNotFound, json_answer
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import flag, read_params
from citybrain.doors.ngsild.served import Served, route
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.clock import new_id
from citybrain.kernel.entities.census import Group, census
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

LOCAL = frozenset({"local"})
KNOWN = LOCAL | {"details"}
LIST_ID = "urn:ngsi-ld:{kind}:{id}"


class Seen(msgspec.Struct):
    """What was seen of one type, or of one attribute: how often, and with what."""

    count: int = 0
    names: Counter[str] = msgspec.field(default_factory=Counter)
    kinds: dict[str, set[str]] = {}
    types: set[str] = set()


def routes(city: Served) -> Sequence[Route]:
    """`/types` and `/attributes`."""
    return [
        route(city, "GET", "/types", types),
        route(city, "GET", "/types/{type}", one_type),
        route(city, "GET", "/attributes", attributes),
        route(city, "GET", "/attributes/{attribute}", one_attribute),
    ]


async def types(city: Served, request: Request) -> Answer:
    """The types there are, with their attributes when details are asked for (clauses 5.7.5, 5.7.6)."""
    details = flag(read_params(request, KNOWN), "details")
    media = accepted(request)
    context = await city.context(request)
    tenant = city.tenant(request)
    if details:
        found = types_of(await census(city.documents, tenant))
        body: Any = [_type_with_names(context, name, seen) for name, seen in sorted(found.items())]
    else:
        names = [context.compact_type(name) for name in city.documents.counts(tenant)]
        body = _list_of("EntityTypeList", "typeList", names)
    return json_answer(body, context, media=media)


async def one_type(city: Served, request: Request) -> Answer:
    """One type, with what its entities have (clause 5.7.7)."""
    read_params(request, LOCAL)
    media = accepted(request)
    context = await city.context(request)
    name = context.expand_type(request.slots["type"])
    seen = types_of(await census(city.documents, city.tenant(request))).get(name)
    if seen is None:
        raise ResourceNotFound("ngsild.no_such_type", {"type": request.slots["type"]})
    return json_answer(_type_in_full(context, name, seen), context, media=media)


async def attributes(city: Served, request: Request) -> Answer:
    """The attributes there are, with the types that have them when details are asked for (5.7.8, 5.7.9)."""
    details = flag(read_params(request, KNOWN), "details")
    media = accepted(request)
    context = await city.context(request)
    found = attributes_of(await census(city.documents, city.tenant(request)))
    if details:
        body: Any = [_attribute_with_types(context, name, seen) for name, seen in sorted(found.items())]
    else:
        body = _list_of("AttributeList", "attributeList", [context.compact(name) for name in found])
    return json_answer(body, context, media=media)


async def one_attribute(city: Served, request: Request) -> Answer:
    """One attribute, with how many there are, of which kinds, on which types (clause 5.7.10)."""
    read_params(request, LOCAL)
    media = accepted(request)
    context = await city.context(request)
    name = context.expand(request.slots["attribute"])
    seen = attributes_of(await census(city.documents, city.tenant(request))).get(name)
    if seen is None:
        raise ResourceNotFound("ngsild.no_such_attribute", {"attribute": request.slots["attribute"]})
    body = {
        **_attribute_with_types(context, name, seen),
        "attributeCount": seen.count,
        "attributeTypes": sorted(seen.kinds[name]),
    }
    return json_answer(body, context, media=media)


def types_of(groups: Iterable[Group]) -> dict[str, Seen]:
    """What each type's entities have."""
    found: dict[str, Seen] = {}
    for group in groups:
        for type in group.types:
            seen = found.setdefault(type, Seen(kinds={}))
            seen.count += group.count
            for name, kinds in group.attributes.items():
                seen.names[name] += group.count
                seen.kinds.setdefault(name, set()).update(kind.value for kind in kinds)
    return found


def attributes_of(groups: Iterable[Group]) -> dict[str, Seen]:
    """What is known of each attribute."""
    found: dict[str, Seen] = {}
    for group in groups:
        for name, kinds in group.attributes.items():
            seen = found.setdefault(name, Seen(kinds={name: set()}, types=set()))
            seen.count += group.count
            seen.types.update(group.types)
            seen.kinds[name].update(kind.value for kind in kinds)
    return found


def _list_of(kind: str, member: str, names: Sequence[str]) -> dict[str, Json]:
    """A list has an identifier of its own, though nothing can be asked by it (clause 5.2.24)."""
    ordered = sorted(names)
    return {"id": LIST_ID.format(kind=kind, id=new_id()), "type": kind, member: ordered}


def _type_with_names(context: Context, name: str, seen: Seen) -> dict[str, Json]:
    return {
        "id": context.iri(name),
        "type": "EntityType",
        "typeName": context.compact_type(name),
        "attributeNames": sorted(context.compact(each) for each in seen.names),
    }


def _type_in_full(context: Context, name: str, seen: Seen) -> dict[str, Json]:
    return {
        "id": context.iri(name),
        "type": "EntityTypeInfo",
        "typeName": context.compact_type(name),
        "entityCount": seen.count,
        "attributeDetails": [
            {
                "id": context.iri(each),
                "type": "Attribute",
                "attributeName": context.compact(each),
                "attributeTypes": sorted(seen.kinds[each]),
            }
            for each in sorted(seen.names)
        ],
    }


def _attribute_with_types(context: Context, name: str, seen: Seen) -> dict[str, Json]:
    return {
        "id": context.iri(name),
        "type": "Attribute",
        "attributeName": context.compact(name),
        "typeNames": sorted(context.compact_type(each) for each in seen.types),
    }
