# SPDX-License-Identifier: Apache-2.0
"""The routes of OGC API - Features: landing page, conformance, collections, items."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import structlog

from citybrain.doors.ogcfeatures import codec
from citybrain.doors.ogcfeatures.codec import GEOJSON, JSON, OPENAPI, SCHEMA, link
from citybrain.doors.ogcfeatures.crs import SYSTEMS, Crs
from citybrain.doors.ogcfeatures.description import describe
from citybrain.kernel.asgi import (
    Answer,
    AsgiApp,
    Gone,
    NoSuchRoute,
    Receive,
    Request,
    Route,
    Routes,
    Scope,
    Send,
    WrongMethod,
    path_below,
    send_answer,
)
from citybrain.kernel.clock import new_id, utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeType, Document
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.search import find
from citybrain.kernel.errors import Forbidden, Invalid, NotFound, Refusal, Unavailable
from citybrain.kernel.i18n import Words, load_words
from citybrain.kernel.records import Json
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store

PREFIX = "/ogc/features"
# How many entities of a type are looked at to tell what a collection has: models of one type are alike.
SAMPLE = 200
STATUS: Sequence[tuple[type[Refusal], int]] = (
    (NoSuchRoute, 404),
    (NotFound, 404),
    (WrongMethod, 405),
    (Invalid, 400),
    (Forbidden, 403),
    (Unavailable, 503),
)

log = structlog.get_logger()


class NoSuchCollection(NotFound):
    """No entity has this type."""


class NoSuchFeature(NotFound):
    """No entity of this type has this id."""


def make(store: Store) -> AsgiApp:
    """The application over an open city."""
    return Edge(store.documents)


class Edge:
    """Where requests come in; every refusal leaves as a problem document (RFC 9457)."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._words, self._lang = load_words([Path(__file__).parent]), load_settings().lang
        self._routes = Routes(
            [
                Route("GET", "", self._landing),
                Route("GET", "/", self._landing),
                Route("GET", "/conformance", self._conformance),
                Route("GET", "/api", self._api),
                Route("GET", "/collections", self._collections),
                Route("GET", "/collections/{collection}", self._collection),
                Route("GET", "/collections/{collection}/queryables", self._queryables),
                Route("GET", "/collections/{collection}/items", self._items),
                Route("GET", "/collections/{collection}/items/{feature}", self._item),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, path_below(scope))
        try:
            answer = await self._routes.find(request)(request)
        except Refusal as refusal:
            answer = refused(refusal, self._words, self._lang)
        except Gone:
            return
        except Exception:  # the edge: a bug is logged under a number that can be passed on
            number = new_id()
            log.exception("bug", number=number, path=request.path)
            answer = _problem(500, "ogcfeatures.bug", {"number": number}, self._words, self._lang)
        await send_answer(send, answer, head=request.method == "HEAD")

    async def _landing(self, request: Request) -> Answer:
        root = _root(request)
        return _json(
            {
                "title": "citybrain",
                "links": [
                    link(root, "self", JSON),
                    link(f"{root}/api", "service-desc", OPENAPI),
                    link(f"{root}/conformance", "conformance", JSON),
                    link(f"{root}/collections", "data", JSON),
                ],
            }
        )

    async def _conformance(self, _request: Request) -> Answer:
        return _json({"conformsTo": list(codec.CONFORMS_TO)})

    async def _api(self, request: Request) -> Answer:
        return _json(describe(_root(request), self._documents.counts(DEFAULT_TENANT)), OPENAPI)

    async def _collections(self, request: Request) -> Answer:
        root = _root(request)
        found = [self._told(name, root) for name in sorted(self._documents.counts(DEFAULT_TENANT))]
        links = [link(f"{root}/collections", "self", JSON)]
        return _json({"collections": found, "links": links, "crs": [*SYSTEMS]})

    async def _collection(self, request: Request) -> Answer:
        return _json(self._told(self._known(request), _root(request)))

    async def _queryables(self, request: Request) -> Answer:
        name, root = self._known(request), _root(request)
        properties = self._properties(name)
        return _json(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": f"{root}/collections/{quote(name, safe='')}/queryables",
                "type": "object",
                "title": name,
                "properties": {each: {"type": kind} for each, kind in sorted(properties.items())},
                "additionalProperties": False,
            },
            SCHEMA,
        )

    async def _items(self, request: Request) -> Answer:
        name = self._known(request)
        params = request.query()
        asked = codec.read_items(params, name, frozenset(self._properties(name)))
        found = await find(
            self._documents, DEFAULT_TENANT, asked.query, offset=asked.offset, limit=asked.limit, count=True
        )
        base = f"{_root(request)}/collections/{quote(name, safe='')}"
        body = codec.feature_collection(found, asked, base=base, now=utc_now())
        return _json(body, GEOJSON, crs=asked.crs)

    async def _item(self, request: Request) -> Answer:
        name, crs = self._known(request), codec.read_crs(request.query())
        document = self._documents.get(DEFAULT_TENANT, request.slots["feature"])
        if document is None or name not in document.types:
            raise NoSuchFeature("ogcfeatures.no_such_feature", {"id": request.slots["feature"], "collection": name})
        base = f"{_root(request)}/collections/{quote(name, safe='')}"
        links = [link(f"{base}/items/{quote(document.id, safe='')}", "self", GEOJSON), link(base, "collection", JSON)]
        return _json(codec.feature(document, crs, links), GEOJSON, crs=crs)

    def _known(self, request: Request) -> str:
        name = request.slots["collection"]
        if not self._documents.count(DEFAULT_TENANT, name):
            raise NoSuchCollection("ogcfeatures.no_such_collection", {"collection": name})
        return name

    def _sample(self, name: str) -> list[Document]:
        return list(islice(self._documents.scan(DEFAULT_TENANT, name), SAMPLE))

    def _told(self, name: str, root: str) -> dict[str, Any]:
        """A collection; the box is that of all its entities when they are few, else it is not told."""
        count = self._documents.count(DEFAULT_TENANT, name)
        places: list[Json] | None = None
        if count <= SAMPLE:
            places = [place for each in self._sample(name) if (place := _place(each)) is not None]
        return codec.collection(name, count, places, root=root)

    def _properties(self, name: str) -> Mapping[str, str]:
        """The attributes by which a collection can be asked, with their JSON types, as a sample of it has them."""
        kinds: dict[str, Counter[str]] = {}
        for document in self._sample(name):
            for attribute, instances in document.attributes.items():
                kind = _kind(instances[0].value) if instances[0].type is AttributeType.PROPERTY else None
                if kind is not None and attribute.isidentifier():
                    kinds.setdefault(attribute, Counter())[kind] += 1
        return {attribute: counted.most_common(1)[0][0] for attribute, counted in kinds.items()}


def _kind(value: Json) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string" if isinstance(value, str) else None


def _place(document: Document) -> Json:
    instances = document.attributes.get("location", ())
    return instances[0].value if instances and instances[0].type is AttributeType.GEO_PROPERTY else None


def _root(request: Request) -> str:
    """The address of the landing page as the client knows it."""
    return f"{request.scheme}://{request.headers.get('host', 'localhost')}{PREFIX}"


def _json(body: Json, media: str = JSON, *, crs: Crs | None = None) -> Answer:
    headers = [(b"content-type", media.encode())]
    if crs is not None:
        headers.append((b"content-crs", f"<{crs.uri}>".encode()))
    return Answer(200, msgspec.json.encode(body), tuple(headers))


def refused(refusal: Refusal, words: Words, lang: str) -> Answer:
    """A refusal as a problem document."""
    status = next((status for kind, status in STATUS if isinstance(refusal, kind)), 401)
    return _problem(status, refusal.code, refusal.facts, words, lang)


def _problem(status: int, code: str, facts: Mapping[str, Json], words: Words, lang: str) -> Answer:
    body = {"type": "about:blank", "title": code, "status": status, "detail": words.sentence(code, facts, lang)}
    return Answer(status, msgspec.json.encode(body), ((b"content-type", b"application/problem+json"),))
