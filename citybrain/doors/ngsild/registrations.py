# SPDX-License-Identifier: Apache-2.0
"""Context source registrations over HTTP (CIM 009 clauses 5.9, 5.10, 6.8, 6.9)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from citybrain.doors.ngsild.answers import BadRequestData, created, header, json_answer, no_content
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import PAGING, options, page_links, paging, read_params
from citybrain.doors.ngsild.served import Served, route
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.clock import new_id
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.names import check_uri
from citybrain.kernel.entities.query import EntityQuery, read_query
from citybrain.kernel.ld.context import Context
from citybrain.kernel.registrations.conflicts import Known
from citybrain.kernel.registrations.discovery import Period, as_document, is_in_period, read_period
from citybrain.kernel.registrations.index import Match, Wanted
from citybrain.kernel.registrations.model import EntityInfo, Registration
from citybrain.kernel.registrations.wire import patched, read_registration, represent

PATH = "/csourceRegistrations"
SYSTEM = frozenset({"options", "sysAttrs"})
SELECT = frozenset({"id", "idPattern", "type", "attrs", "q", "csf", "scopeQ", "datasetId"})
PLACE = frozenset({"georel", "geometry", "coordinates", "geoproperty"})
TIME = frozenset({"timerel", "timeAt", "endTimeAt", "timeproperty"})
QUERY = SELECT | PLACE | TIME | PAGING | SYSTEM
# One of these must say which registrations are meant (clause 5.10.2.4); an id or a place narrows as well as a type.
NARROWING = ("type", "attrs", "id", "idPattern", "q", "csf", "georel")


def routes(city: Served) -> Sequence[Route]:
    """`/csourceRegistrations` and `/csourceRegistrations/{id}`."""
    return [
        route(city, "POST", PATH, register),
        route(city, "GET", PATH, query),
        route(city, "GET", f"{PATH}/{{id}}", retrieve),
        route(city, "PATCH", f"{PATH}/{{id}}", update),
        route(city, "DELETE", f"{PATH}/{{id}}", delete),
    ]


async def register(city: Served, request: Request) -> Answer:
    """Register a context source (clause 5.9.2)."""
    read_params(request, ())
    payload = await city.payload(request)
    now, tenant = city.now(), city.new_tenant(request)
    given = payload.json.get("id") if isinstance(payload.json, dict) else None
    id = check_uri("id", given) if given is not None else f"urn:ngsi-ld:ContextSourceRegistration:{new_id()}"
    registration = read_registration(payload.json, payload.context, now, id=id)
    await city.store.registrations.create(tenant, registration, held_here(city, tenant), now)
    city.documents.add_tenant(tenant)
    return created(f"{request.root}{PATH}/{id}")


async def update(city: Served, request: Request) -> Answer:
    """Change members of a registration (clause 5.9.3)."""
    read_params(request, ())
    id = _id(request)
    payload = await city.payload(request, patch=True)
    now, tenant = city.now(), city.tenant(request)
    before = city.store.registrations.get(tenant, id, now)
    after = patched(before, payload.json, payload.context, now)
    await city.store.registrations.update(tenant, after, held_here(city, tenant), now)
    return no_content()


async def delete(city: Served, request: Request) -> Answer:
    """Forget a registration (clause 5.9.4)."""
    read_params(request, ())
    id = _id(request)
    await city.store.registrations.delete(city.tenant(request), id, city.now())
    return no_content()


async def retrieve(city: Served, request: Request) -> Answer:
    """One registration (clause 5.10.1)."""
    params = read_params(request, SYSTEM)
    id = _id(request)
    media = accepted(request)
    context = await city.context(request)
    now = city.now()
    found = city.store.registrations.get(city.tenant(request), id, now)
    return json_answer(_shown(found, context, params), context, media=media)


async def query(city: Served, request: Request) -> Answer:
    """The registrations of sources that could hold what is asked for (clause 5.10.2)."""
    params = read_params(request, QUERY)
    media = accepted(request)
    page = paging(params)
    context = await city.context(request)
    if not any(params.get(name) for name in NARROWING):
        raise BadRequestData("ngsild.too_wide", {})
    found = discovered(city, city.tenant(request), params, context, city.now())
    shown = [_shown(each, context, params) for each in found[page.offset : page.offset + page.limit]]
    more = len(found) > page.offset + page.limit
    headers = page_links(request, page, more=more, media="application/ld+json", by_name=False)
    if page.count:
        headers.append(header("ngsild-results-count", str(len(found))))
    return json_answer(shown, context, media=media, headers=headers)


def discovered(
    city: Served, tenant: str, params: Mapping[str, str], context: Context, now: datetime
) -> list[Registration]:
    """The registrations that query parameters ask for."""
    about = {name: value for name, value in params.items() if name in SELECT - {"q", "csf", "scopeQ"}}
    asked = read_query(about, context)
    themselves = [read_query({"q": params[name]}, context) for name in ("q", "csf") if params.get(name)]
    rest = {name: value for name, value in params.items() if (name in PLACE or name == "scopeQ") and value}
    themselves += [read_query(rest, context)] if rest else []
    period = read_period(params)
    wanted = Wanted(
        ids=tuple(asked.ids or ()),
        id_pattern=params.get("idPattern", ""),
        types=tuple(asked.type_names or ()),
        attributes=frozenset(asked.attributes),
        dataset_ids=frozenset(asked.dataset_ids),
    )
    found: list[Match] = city.store.registrations.find(tenant, wanted, now)
    return [match.registration for match in found if _describes(match.registration, themselves, period)]


def held_here(city: Served, tenant: str) -> Known:
    """The entities here that a registration could take over."""

    def known(info: EntityInfo) -> Iterable[Document]:
        if info.id:
            document = city.documents.get(tenant, info.id)
            return [document] if document is not None else []
        if not info.types:
            found: Iterable[Document] = city.documents.scan(tenant)
            return found
        return (document for type in info.types for document in city.documents.scan(tenant, type))

    return known


def _describes(registration: Registration, asked: Sequence[EntityQuery], period: Period | None) -> bool:
    if not is_in_period(registration, period):
        return False
    return all(matches(as_document(registration), each) for each in asked)


def _shown(registration: Registration, context: Context, params: Mapping[str, str]) -> dict[str, object]:
    return represent(registration, context, sys_attrs="sysAttrs" in options(params) or "sysAttrs" in params)


def _id(request: Request) -> str:
    return check_uri("id", request.slots["id"])
