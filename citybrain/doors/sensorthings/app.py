# SPDX-License-Identifier: Apache-2.0
"""The routes of SensorThings: the service root, resource paths, CreateObservations."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from citybrain.doors.sensorthings import arrays
from citybrain.doors.sensorthings.changing import Changing
from citybrain.doors.sensorthings.codec import read_body, read_object
from citybrain.doors.sensorthings.conformance import service_root
from citybrain.doors.sensorthings.creating import Creating
from citybrain.doors.sensorthings.drafting import Draft
from citybrain.doors.sensorthings.finding import Finder
from citybrain.doors.sensorthings.links import Links, kind_of
from citybrain.doors.sensorthings.model import SCHEMAS, Holds, Kind
from citybrain.doors.sensorthings.nodes import Nodes
from citybrain.doors.sensorthings.options import read_options
from citybrain.doors.sensorthings.paths import Resource, resolve
from citybrain.doors.sensorthings.refusals import not_there, unusable
from citybrain.doors.sensorthings.rendering import Rendering, next_link, property_body
from citybrain.kernel.asgi import (
    Answer,
    AsgiApp,
    Gone,
    NoSuchRoute,
    Receive,
    Request,
    Scope,
    Send,
    WrongMethod,
    path_below,
    send_answer,
)
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unavailable
from citybrain.kernel.i18n import Words, load_words
from citybrain.kernel.pool.sensed import SensedHistory
from citybrain.kernel.records import Json
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store

PREFIX = "/sensorthings"
VERSION = "/v1.1"
STATUS: Sequence[tuple[type[Refusal], int]] = (
    (NotFound, 404),
    (WrongMethod, 405),
    (Invalid, 400),
    (Conflict, 409),
    (Forbidden, 403),
    (Unavailable, 503),
)
PATCH_TYPE = "application/json-patch+json"
_OBJECTS = (Holds.OBJECT, Holds.PLACE)
JSON = (b"content-type", b"application/json")

log = structlog.get_logger()


def make(store: Store) -> AsgiApp:
    """The application over an open city."""
    return Edge(store)


class Edge:
    """Where requests come in; every refusal leaves as an error object of the standard."""

    def __init__(self, store: Store) -> None:
        folder = Path(__file__).parent
        self._words = load_words([folder])
        self._lang = load_settings().lang
        self._links = Links(store.documents)
        self._nodes = Nodes(store.documents, self._links)
        self._finder = Finder(self._nodes, SensedHistory(store.db))
        self._changing = Changing(self._finder)
        self._methods: Mapping[str, Callable[[Request, str], Awaitable[Answer]]] = {
            "GET": self._get,
            "HEAD": self._get,
            "POST": self._post,
            "PATCH": self._change,
            "PUT": self._change,
            "DELETE": self._delete,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, path_below(scope))
        try:
            answer = await self.answer(request)
        except Gone:
            return
        await send_answer(send, answer, head=request.method == "HEAD")

    async def answer(self, request: Request) -> Answer:
        """The answer to a request; whatever is refused is answered too."""
        try:
            await self._links.ready()
            return await self._endpoint(request)(request, request.path[len(VERSION) :].strip("/"))
        except Refusal as refusal:
            return refused(refusal, self._words, self._lang)
        except Gone:
            raise
        except Exception:  # the edge: a bug is logged under a number that can be passed on
            number = new_id()
            log.exception("bug", number=number, path=request.path)
            return _error(500, self._words.sentence("sensorthings.bug", {"number": number}, self._lang))

    def _endpoint(self, request: Request) -> Callable[[Request, str], Awaitable[Answer]]:
        if not f"{request.path}/".startswith(f"{VERSION}/"):
            raise NoSuchRoute("sensorthings.no_such_path", {"path": request.path})
        endpoint = self._methods.get(request.method)
        if endpoint is None:
            raise WrongMethod("sensorthings.wrong_method", {"method": request.method})
        return endpoint

    async def _get(self, request: Request, path: str) -> Answer:
        root = root_of(request)
        if not path:
            return _json(service_root(root))
        resource = await resolve(self._finder, path)
        if resource.names and resource.node is not None:
            return _property(resource)
        options = read_options(request.query(), resource.kind)
        rendering = Rendering(finder=self._finder, root=root, now=utc_now())
        if resource.references:
            options = msgspec.structs.replace(options, references=True)
        if resource.node is None:
            page = await self._finder.page(resource.within, options, now=rendering.now)
            link = next_link(f"{root}/{path}", request.raw_query.decode("latin-1"), page, options)
            return _json(await rendering.collection(page, options, link))
        if options.references:
            return _json({"@iot.selfLink": rendering.link(resource.node)})
        return _json((await rendering.entities([resource.node], options))[0])

    async def _post(self, request: Request, path: str) -> Answer:
        body = read_body(await request.body())
        root = root_of(request)
        draft = Draft(self._nodes, utc_now())
        creating = Creating(draft)
        if path == "CreateObservations":
            return await self._arrays(creating, body, root)
        resource = await resolve(self._finder, path)
        if resource.node is not None or resource.references:
            raise WrongMethod("sensorthings.wrong_method", {"method": request.method})
        made = self._made(creating, resource, read_object(body))
        numbers = await draft.store()
        schema = SCHEMAS[resource.kind]
        number = numbers[made] if isinstance(made, int) else self._nodes.documents.number(DEFAULT_TENANT, made)
        return Answer(201, b"", ((b"location", f"{root}/{schema.set_name}({number})".encode()),))

    def _made(self, creating: Creating, resource: Resource, body: Mapping[str, Json]) -> str | int:
        """A new entity at the end of a path: in a set, or related to an entity."""
        parent = resource.within.parent
        if parent is None:
            if resource.kind is Kind.OBSERVATION:
                return creating.observation(body)
            return creating.entity(resource.kind, body)
        if parent.document is None or kind_of(parent.document) is None:
            raise unusable("derived_read_only", kind=parent.kind, id=str(parent.id))
        name, id = resource.within.relation, parent.document.id
        if not SCHEMAS[parent.kind].relations[name].attribute:
            return creating.attach(parent.kind, id, name, body)
        other = creating.related(resource.kind, body)
        if parent.kind is Kind.THING:
            creating.place(id, [other])
        else:
            kept = [each.document.id for each in self._nodes.related(parent, name) if each.document]
            creating.link(id, parent.kind, name, [*kept, other])
        return other

    async def _arrays(self, creating: Creating, body: Json, root: str) -> Answer:
        taken = list(arrays.take(creating, body))
        numbers = await creating.draft.store()
        told = [
            f"{root}/Observations({numbers[each]})" if isinstance(each, int) else f"error: {self._sentence(each)}"
            for each in taken
        ]
        return _json(told, 201)

    async def _change(self, request: Request, path: str) -> Answer:
        sent = await request.body()
        resource = await resolve(self._finder, path)
        node = resource.node
        if node is None or resource.names or resource.references:
            raise WrongMethod("sensorthings.wrong_method", {"method": request.method})
        body = read_body(sent)
        now = utc_now()
        if request.method == "PUT":
            await self._changing.put(node, body, at=now)
        elif request.headers.get("content-type", "").partition(";")[0].strip() == PATCH_TYPE:
            await self._changing.json_patch(node, body, at=now)
        else:
            await self._changing.patch(node, body, at=now)
        return Answer(200, b"", ())

    async def _delete(self, request: Request, path: str) -> Answer:
        resource = await resolve(self._finder, path)
        if resource.node is None or resource.names or resource.references:
            raise WrongMethod("sensorthings.wrong_method", {"method": request.method})
        await self._changing.delete(resource.node, at=utc_now())
        return Answer(200, b"", ())

    def _sentence(self, refusal: Refusal) -> str:
        return self._words.sentence(refusal.code, refusal.facts, self._lang)


def root_of(request: Request) -> str:
    """The service root as the client knows it."""
    return f"{request.scheme}://{request.headers.get('host', 'localhost')}{PREFIX}{VERSION}"


def _property(resource: Resource) -> Answer:
    node = resource.node
    has, value = property_body(node, resource.names) if node else (False, None)
    if not has:
        raise not_there("no_such_property", name="/".join(resource.names), kind=resource.kind)
    if value is None and resource.value and SCHEMAS[resource.kind].properties[resource.names[0]].holds in _OBJECTS:
        return Answer(204)
    if not resource.value:
        return _json({resource.names[-1]: value})
    text = value.encode() if isinstance(value, str) else msgspec.json.encode(value)
    return Answer(200, text, ((b"content-type", b"text/plain; charset=utf-8"),))


def _json(body: Json, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(body), (JSON,))


def refused(refusal: Refusal, words: Words, lang: str) -> Answer:
    """A refusal as an error object."""
    status = next((status for kind, status in STATUS if isinstance(refusal, kind)), 401)
    return _error(status, words.sentence(refusal.code, refusal.facts, lang))


def _error(status: int, message: str) -> Answer:
    return _json({"code": status, "type": "error", "message": message}, status)
