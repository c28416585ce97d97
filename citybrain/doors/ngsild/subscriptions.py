# SPDX-License-Identifier: Apache-2.0
"""Subscriptions over HTTP: made, listed, shown, changed and deleted (CIM 009 clauses 5.8, 5.11, 6.10, 6.11)."""

from collections.abc import Mapping, Sequence

from citybrain.doors.ngsild.answers import (
    BadRequestData,
    InvalidRequest,
    Media,
    created,
    header,
    json_answer,
    no_content,
)
from citybrain.doors.ngsild.media import accepted, sent
from citybrain.doors.ngsild.params import PAGING, flag, options, page_links, paging, read_params
from citybrain.doors.ngsild.preferences import version_applied
from citybrain.doors.ngsild.served import Payload, Served
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.line import Line
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
    operations = _Operations(city, path, kind)
    return (
        Route("POST", path, operations.create),
        Route("GET", path, operations.listed),
        Route("GET", path + "/{id}", operations.one),
        Route("PATCH", path + "/{id}", operations.change),
        Route("DELETE", path + "/{id}", operations.delete),
    )


class _Operations:
    """What may be done with subscriptions of one kind."""

    def __init__(self, city: Served, path: str, kind: Kind) -> None:
        self._city, self._path, self._kind = city, path, kind
        self._subscriptions: Subscriptions = city.store.subscriptions

    async def create(self, request: Request) -> Answer:
        """Clauses 5.8.1, 5.11.2. A subscription may be the first thing that its tenant has."""
        read_params(request, LOCALITY)
        city = self._city
        payload = await _payload(city, request)
        tenant = city.new_tenant(request)
        made = await self._subscriptions.create(
            payload.json, payload.context, tenant=tenant, now=city.now(), kind=self._kind
        )
        city.store.documents.add_tenant(tenant)
        return created(f"{request.root}{self._path}/{made.id}")

    async def listed(self, request: Request) -> Answer:
        """Clauses 5.8.4, 5.11.5."""
        params = read_params(request, PAGING | FORM | LOCALITY)
        media = accepted(request)
        page = paging(params)
        context = await self._city.context(request)
        lines = self._subscriptions.all(self._city.tenant(request), self._kind)
        shown = [self._shown(line, context, params) for line in lines[page.offset : page.offset + page.limit]]
        headers = page_links(request, page, more=page.offset + page.limit < len(lines), media=Media.LD_JSON)
        if page.count:
            headers.append(header("ngsild-results-count", str(len(lines))))
        return json_answer(shown, context, media=media, headers=[*headers, *version_applied(request)])

    async def one(self, request: Request) -> Answer:
        """Clauses 5.8.3, 5.11.4."""
        params = read_params(request, FORM | LOCALITY)
        media = accepted(request)
        context = await self._city.context(request)
        line = self._subscriptions.line(self._city.tenant(request), request.slots["id"], self._kind)
        return json_answer(self._shown(line, context, params), context, media=media, headers=version_applied(request))

    async def change(self, request: Request) -> Answer:
        """Clauses 5.8.2, 5.11.3."""
        read_params(request, LOCALITY)
        city, id = self._city, request.slots["id"]
        tenant = city.tenant(request)
        if "content-type" in request.headers:
            sent(request, patch=True)
        self._subscriptions.line(tenant, id, self._kind)
        payload = await _payload(city, request, patch=True)
        await self._subscriptions.update(tenant, id, payload.json, payload.context, now=city.now(), kind=self._kind)
        return no_content()

    async def delete(self, request: Request) -> Answer:
        """Clauses 5.8.5, 5.11.6."""
        read_params(request, LOCALITY)
        await self._subscriptions.delete(self._city.tenant(request), request.slots["id"], kind=self._kind)
        return no_content()

    def _shown(self, line: Line, context: Context, params: Mapping[str, str]) -> dict[str, Json]:
        sys_attrs = "sysAttrs" in options(params) or flag(params, "sysAttrs")
        return show(line.one.subscription, line.health, context, now=self._city.now(), sys_attrs=sys_attrs)


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
