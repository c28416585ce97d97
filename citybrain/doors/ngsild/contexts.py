# SPDX-License-Identifier: Apache-2.0
"""Contexts that clients add, list, look at and delete (CIM 009 clauses 5.13, 6.29, 6.30)."""

from collections.abc import Sequence

import msgspec

from citybrain.doors.ngsild.answers import (
    BadRequestData,
    InvalidRequest,
    OperationNotSupported,
    created,
    json_answer,
    no_content,
)
from citybrain.doors.ngsild.media import sent
from citybrain.doors.ngsild.params import flag, read_params
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Answer, Request, Route
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.ld.contexts import Contexts
from citybrain.kernel.ld.documents import is_core
from citybrain.kernel.ld.keeping import Kept, Kind
from citybrain.kernel.records import Json

PATH = "/ngsi-ld/v1/jsonldContexts/"


def routes(city: Served) -> Sequence[Route]:
    """`/jsonldContexts`. A tenant sees its own contexts only; one of which nothing is kept sees none."""
    contexts: Contexts = city.contexts

    async def add(request: Request) -> Answer:
        """Host a context (clause 5.13.2)."""
        read_params(request, ())
        sent(request)
        body = await city.json(request)
        if not isinstance(body, dict) or "@context" not in body:
            raise InvalidRequest("ngsild.no_context_member", {})
        return created(PATH + await contexts.add(body, city.new_tenant(request)))

    async def listed(request: Request) -> Answer:
        """The URLs of contexts, or all that is known of them (clause 5.13.3)."""
        params = read_params(request, {"details", "kind"})
        details = flag(params, "details")
        found = contexts.all(city.new_tenant(request), _kind(params.get("kind")))
        return json_answer([_details(contexts, each) if details else contexts.url_of(each) for each in found])

    async def one(request: Request) -> Answer:
        """A context's document, or what is known of it (clause 5.13.4). A cached one is to be had at its own URL."""
        details = flag(read_params(request, {"details"}), "details")
        kept = contexts.get(request.slots["id"], city.new_tenant(request))
        if details:
            return json_answer(_details(contexts, kept))
        if kept.kind is Kind.CACHED and not is_core(kept.url):
            raise OperationNotSupported("ngsild.cached_context_not_served", {"url": kept.url})
        return json_answer(msgspec.Raw(kept.body))

    async def delete(request: Request) -> Answer:
        """Forget a context, or fetch a cached one again (clause 5.13.5)."""
        reload = flag(read_params(request, {"reload"}), "reload")
        act = contexts.reload if reload else contexts.delete
        await act(request.slots["id"], city.new_tenant(request))
        return no_content()

    return [
        Route("POST", "/jsonldContexts", add),
        Route("GET", "/jsonldContexts", listed),
        Route("GET", "/jsonldContexts/{id}", one),
        Route("DELETE", "/jsonldContexts/{id}", delete),
    ]


def _kind(said: str | None) -> Kind | None:
    if said is None:
        return None
    try:
        return Kind(said)
    except ValueError:
        raise BadRequestData("ngsild.no_such_kind", {"kind": said, "kinds": ", ".join(Kind)}) from None


def _details(contexts: Contexts, kept: Kept) -> Json:
    """What is known of a context (clause 5.13.3.5)."""
    told: dict[str, Json] = {
        "URL": contexts.url_of(kept),
        "localId": kept.id,
        "kind": kept.kind.value,
        "createdAt": text_of(kept.created_at),
        "numberOfHits": kept.hits,
    }
    if kept.used_at is not None:
        told["lastUsage"] = text_of(kept.used_at)
    return told
