# SPDX-License-Identifier: Apache-2.0
"""Subscriptions over HTTP: made, listed, shown, changed and deleted (CIM 009 clauses 5.8, 5.11, 6.10, 6.11)."""

from collections.abc import Sequence

from citybrain.doors.ngsild.answers import (
    BadRequestData,
    InvalidRequest,
    Media,
    created,
    header,
    json_answer,
    no_content,
)
from citybrain.doors.ngsild.media import accepted
from citybrain.doors.ngsild.params import PAGING, flag, options, page_links, paging, read_params
from citybrain.doors.ngsild.preferences import version_applied
from citybrain.doors.ngsild.served import Payload, Served
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.subscriptions.service import Subscriptions
from citybrain.kernel.subscriptions.showing import show
from citybrain.kernel.subscriptions.subscription import Kind

FORM = frozenset({"options", "sysAttrs"})
LOCALITY = frozenset({"local", "via"})


def routes(city: Served) -> Sequence[Route]:
    """`/subscriptions`."""
    return routes_of(city, "/subscriptions", Kind.ENTITIES)


def routes_of(city: Served, path: str, kind: Kind) -> Sequence[Route]:
    """The five operations on subscriptions of one kind."""

    async def create(request: Request) -> Answer:
        """Clauses 5.8.1, 5.11.2. A subscription may be the first thing that its tenant has."""
        read_params(request, LOCALITY)
        payload = await _payload(city, request)
        tenant = city.new_tenant(request)
        made = await _subscriptions(city).create(
            payload.json, payload.context, tenant=tenant, now=city.now(), kind=kind
        )
        city.store.documents.add_tenant(tenant)
        return created(f"{request.root}{path}/{made.id}")

    async def listed(request: Request) -> Answer:
        """Clauses 5.8.4, 5.11.5."""
        params = read_params(request, PAGING | FORM | LOCALITY)
        media = accepted(request)
        page = paging(params)
        context = await city.context(request)
        lines = _subscriptions(city).all(city.tenant(request), kind)
        part = lines[page.offset : page.offset + page.limit]
        sys_attrs = _sys_attrs(params)
        shown = [
            show(line.one.subscription, line.health, context, now=city.now(), sys_attrs=sys_attrs) for line in part
        ]
        headers = page_links(request, page, more=page.offset + page.limit < len(lines), media=Media.LD_JSON)
        if page.count:
            headers.append(header("ngsild-results-count", str(len(lines))))
        return json_answer(shown, context, media=media, headers=[*headers, *version_applied(request)])

    async def one(request: Request) -> Answer:
        """Clauses 5.8.3, 5.11.4."""
        params = read_params(request, FORM | LOCALITY)
        media = accepted(request)
        context = await city.context(request)
        line = _subscriptions(city).line(city.tenant(request), request.slots["id"], kind)
        shown = show(line.one.subscription, line.health, context, now=city.now(), sys_attrs=_sys_attrs(params))
        return json_answer(shown, context, media=media, headers=version_applied(request))

    async def change(request: Request) -> Answer:
        """Clauses 5.8.2, 5.11.3."""
        read_params(request, LOCALITY)
        tenant = city.tenant(request)
        subscriptions = _subscriptions(city)
        subscriptions.line(tenant, request.slots["id"], kind)
        payload = await _payload(city, request, patch=True)
        await subscriptions.update(
            tenant, request.slots["id"], payload.json, payload.context, now=city.now(), kind=kind
        )
        return no_content()

    async def delete(request: Request) -> Answer:
        """Clauses 5.8.5, 5.11.6."""
        read_params(request, LOCALITY)
        await _subscriptions(city).delete(city.tenant(request), request.slots["id"], kind=kind)
        return no_content()

    return (
        Route("POST", path, create),
        Route("GET", path, listed),
        Route("GET", path + "/{id}", one),
        Route("PATCH", path + "/{id}", change),
        Route("DELETE", path + "/{id}", delete),
    )


def _subscriptions(city: Served) -> Subscriptions:
    subscriptions: Subscriptions = city.store.subscriptions
    return subscriptions


async def _payload(city: Served, request: Request, *, patch: bool = False) -> Payload:
    """The body with its context. An empty object is no subscription; a change need not say that it is JSON."""
    if patch and "content-type" not in request.headers:
        json = await city.json(request)
        return Payload(json=json, context=await city.context(request), given=None, media=Media.JSON)
    try:
        return await city.payload(request, patch=patch)
    except InvalidRequest as refusal:
        if refusal.code == "ngsild.empty_body":
            raise BadRequestData(refusal.code, refusal.facts) from refusal
        raise


def _sys_attrs(params: dict[str, str]) -> bool:
    return "sysAttrs" in options(params) or flag(params, "sysAttrs")
