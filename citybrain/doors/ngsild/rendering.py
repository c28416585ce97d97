# SPDX-License-Identifier: Apache-2.0
"""Entities as answers: form, projection, joins, GeoJSON, and where the context stands (CIM 009 clauses 4.5, 6.3)."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import (
    BadRequestData,
    InvalidRequest,
    Media,
    ResourceNotFound,
    context_link,
    header,
    json_answer,
    with_context,
)
from citybrain.doors.ngsild.joining import Joining, read_joining, show_all, show_one
from citybrain.doors.ngsild.params import options
from citybrain.doors.ngsild.served import Served
from citybrain.doors.ngsild.versions import amended, preferred
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.projection import Projection
from citybrain.kernel.entities.represent import feature_collection, represent, shows
from citybrain.kernel.entities.shape import Shape, read_shape
from citybrain.kernel.ld.context import Context

FORMATS = frozenset({"normalized", "concise", "simplified", "keyValues"})
SHAPE_PARAMS = ("attrs", "pick", "omit", "options", "format", "lang", "datasetId", "jsonKeys", "expandValues")
OPTIONS = FORMATS | {"sysAttrs", "count"}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """In which form entities are asked for: everything but which entities.

    `key` tells forms apart; None for one in which an entity is not shown by itself alone.
    """

    shape: Shape
    joining: Joining
    media: Media
    context: Context
    key: Hashable = None


def read_form(params: Mapping[str, str], context: Context, media: Media) -> Form:
    """The form a request asks for (clauses 5.7.1.4, 5.7.2.4, 6.3.7); refuses what contradicts itself."""
    check_format(params)
    geo = media is Media.GEO_JSON
    if "geometryProperty" in params and not geo:
        raise BadRequestData("ngsild.geometry_without_geojson", {})
    joining = read_joining(params)
    shape = msgspec.structs.replace(read_shape(params, context), geojson=geo)
    deepest = max(_depth(part) for part in (shape.pick, shape.omit))
    if deepest > joining.reach:
        raise BadRequestData("ngsild.linked_without_join", {"depth": deepest, "reach": joining.reach})
    key = None
    if not (joining.reach or geo):
        key = (context, media, *((name, params[name]) for name in SHAPE_PARAMS if name in params))
    return Form(shape=shape, joining=joining, media=media, context=context, key=key)


def check_format(params: Mapping[str, str]) -> None:
    """Refuse words in `options` and `format` that the operation does not know (clause 6.3.20)."""
    unknown = sorted(options(params) - OPTIONS)
    named = params.get("format")
    if named is not None and named not in FORMATS:
        unknown.append(named)
    if unknown:
        known = ", ".join(sorted(OPTIONS))
        raise InvalidRequest("ngsild.unknown_option", {"option": unknown[0][:100], "known": known})


def entity_answer(city: Served, request: Request, document: Document, form: Form) -> Answer:
    """One entity; refuses one of which nothing is left that was asked for (clause 5.7.1.4)."""
    tenant, shape = city.tenant(request), form.shape
    asked_in_vain = shape.attributes and not any(name in document.attributes for name in shape.attributes)
    if asked_in_vain or not shows(document, shape):
        raise ResourceNotFound("ngsild.nothing_left", {"id": document.id})

    def look_up(id: str) -> Document | None:
        found: Document | None = city.documents.get(tenant, id)
        return found

    shown = show_one(document, form.context, shape, form.joining, look_up)
    if not shown:
        raise ResourceNotFound("ngsild.nothing_left", {"id": document.id})
    return form_answer(request, shown, form)


def entities_answer(
    city: Served,
    request: Request,
    documents: Sequence[Document],
    form: Form,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> Answer:
    """Several entities: a list, or a FeatureCollection."""
    tenant = city.tenant(request)
    documents = [document for document in documents if shows(document, form.shape)]
    if form.key is not None and "prefer" not in request.headers:
        return _joined(city, tenant, documents, form, headers)

    def look_up(id: str) -> Document | None:
        found: Document | None = city.documents.get(tenant, id)
        return found

    shown: Any = show_all(documents, form.context, form.shape, form.joining, look_up)
    if form.media is Media.GEO_JSON:
        shown = feature_collection(shown)
    return form_answer(request, shown, form, headers)


def _joined(
    city: Served, tenant: str, documents: Sequence[Document], form: Form, headers: Iterable[tuple[bytes, bytes]]
) -> Answer:
    """A list put together of entities that are shown as they were shown before, where they are still the same."""
    remembered, raw_of = city.remembered, city.documents.raw
    pieces: list[bytes] = []
    for document in documents:
        raw = raw_of(tenant, document.id)
        key = (form.key, tenant, document.id)
        shown = remembered.shown(key, raw)
        if shown is None:
            body: Any = represent(document, form.context, form.shape)
            if form.media is Media.LD_JSON:
                body = with_context(body, form.context.json)
            shown = msgspec.json.encode(body)
            if raw is not None:
                remembered.keep_shown(key, raw, shown)
        pieces.append(shown)
    said = [header("content-type", form.media.value), *headers]
    if form.media is not Media.LD_JSON:
        said.append(context_link(form.context))
    return Answer(200, b"[" + b",".join(pieces) + b"]", tuple(said))


def form_answer(request: Request, shown: Any, form: Form, headers: Iterable[tuple[bytes, bytes]] = ()) -> Answer:
    """What is shown in its media type. GeoJSON holds its context unless `body=json` is preferred (clause 6.3.6)."""
    status = 200
    version = preferred(request)
    if version is not None:
        told = amended(shown, version)
        # 203: what is told is not quite what is kept (clause 6.3.2).
        status, shown = (200 if told is shown else 203), told
        headers = (*headers, header("preference-applied", f"ngsi-ld={version[0]}.{version[1]}"))
    if form.media is not Media.GEO_JSON:
        return json_answer(shown, form.context, media=form.media, status=status, headers=headers)
    if "body=json" in request.headers.get("prefer", "").replace(" ", "").split(";"):
        more = (context_link(form.context), header("preference-applied", "body=json"), *headers)
        return json_answer(shown, media=form.media, status=status, headers=more)
    body = {**shown, "@context": form.context.json}
    return json_answer(body, media=form.media, status=status, headers=headers)


def _depth(part: Projection | None) -> int:
    """How many Relationships away the farthest member is that is picked or omitted."""
    if part is None:
        return 0
    return max((1 + _depth(below) for below in part.inside.values() if below.inside), default=0)


def request_key(request: Request, context: Context) -> Hashable:
    """What a GET asks: two requests with the same key are answered alike, as long as the entities are the same."""
    headers = request.headers
    asked = (request.path, request.raw_query, headers.get("accept"), headers.get("prefer"))
    return (*asked, headers.get("ngsild-tenant"), context)
