# SPDX-License-Identifier: Apache-2.0
"""The door as one ASGI application: its routes, and the edge where requests come in and refusals go out."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from citybrain.doors.ngsild import (
    attributes,
    batch,
    contexts,
    csource_subscriptions,
    discovery,
    entities,
    info,
    openapi,
    query,
    subscriptions,
    temporal_provision,
    temporal_query,
)
from citybrain.doors.ngsild.answers import ERRORS, BadRequestData, LengthRequired, no_content, refused
from citybrain.doors.ngsild.federation import Maker, federated
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import (
    Answer,
    AsgiApp,
    Endpoint,
    Gone,
    NoSuchRoute,
    Receive,
    Request,
    Routes,
    Scope,
    Send,
    WrongMethod,
    path_below,
    send_answer,
)
from citybrain.kernel.clock import new_id
from citybrain.kernel.errors import Refusal
from citybrain.kernel.i18n import load_words
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store

PREFIX = "/ngsi-ld/v1"
TOO_LARGE = 413
MOST_DRAINED = 2**30
BODY_METHODS = frozenset({"POST", "PATCH", "PUT"})

# Every file of routes adds its function here; each gets what is served and gives its routes.
ROUTE_FILES: Sequence[Maker] = (
    contexts.routes,
    query.routes,
    entities.routes,
    attributes.routes,
    batch.routes,
    discovery.routes,
    info.routes,
    subscriptions.routes,
    csource_subscriptions.routes,
    temporal_query.routes,
    temporal_provision.routes,
)

log = structlog.get_logger()


def make(store: Store) -> AsgiApp:
    """The application over an open city."""
    words = load_words([Path(__file__).parent])
    served = Served(store, words, load_settings().lang)
    routes = federated(served, ROUTE_FILES)
    return Edge(served, Routes([*routes, openapi.route(routes, PREFIX)]))


class Edge:
    """Where requests come in: every refusal leaves as ProblemDetails, a bug as InternalError under a number."""

    def __init__(self, served: Served, routes: Routes) -> None:
        self._served = served
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, below(path_below(scope)))
        try:
            answer = await self._answer(request)
            if answer.status == TOO_LARGE:
                await drain(receive)
        except Gone:
            return
        await send_answer(send, self._with_tenant(request, answer), head=request.method == "HEAD")

    async def _answer(self, request: Request) -> Answer:
        try:
            endpoint = self._find(request)
            refuse_without_length(request)
            return await endpoint(request)
        except WrongMethod as refusal:
            if request.method == "OPTIONS":
                return no_content((b"allow", f"{refusal.facts['allow']}, OPTIONS".encode()))
            return refused(refusal, self._served.words, self._served.language(request))
        except Refusal as refusal:
            return refused(refusal, self._served.words, self._served.language(request))
        except Gone:
            raise
        except Exception as error:  # noqa: BLE001  the edge: whatever else happens is a bug, told and logged
            return self._bug(request, error)

    def _find(self, request: Request) -> Endpoint:
        try:
            return self._routes.find(request)
        except NoSuchRoute:
            refuse_empty_segment(request)
            raise

    def _bug(self, request: Request, error: Exception) -> Answer:
        number = new_id()
        log.error("bug", number=number, path=request.path, exc_info=error)
        sentence = self._served.words.sentence("ngsild.bug", {"number": number}, self._served.language(request))
        title = self._served.words.sentence("ngsild.title.InternalError", {}, self._served.language(request))
        told = {"type": f"{ERRORS}InternalError", "title": title, "detail": sentence, "status": 500}
        return Answer(500, msgspec.json.encode(told), ((b"content-type", b"application/json"),))

    def _with_tenant(self, request: Request, answer: Answer) -> Answer:
        """The tenant's header comes back with every answer (clause 6.3.14)."""
        tenant = request.headers.get("ngsild-tenant")
        if not tenant:
            return answer
        said = (b"ngsild-tenant", tenant.encode("latin-1"))
        return Answer(answer.status, answer.body, (*answer.headers, said))


async def drain(receive: Receive) -> None:
    """Let a client finish sending what was refused, or it would not read why; one that sends for ever is cut off."""
    size = 0
    while size < MOST_DRAINED:
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


def refuse_empty_segment(request: Request) -> None:
    """A path with nothing between two slashes misses an identifier."""
    if "//" in request.path:
        raise BadRequestData("ngsild.no_id", {"path": request.path})


def refuse_without_length(request: Request) -> None:
    """A body needs its length beforehand, also one that comes in pieces: clause 6.3.4 makes no exception."""
    if request.method in BODY_METHODS and "content-length" not in request.headers:
        raise LengthRequired("ngsild.length_required", {})


def below(path: str) -> str:
    """The path below the mount, without a slash at its end: the API's own examples end with and without one."""
    rest = path.removeprefix(PREFIX)
    return rest.rstrip("/") if len(rest) > 1 else rest
