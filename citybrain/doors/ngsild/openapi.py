# SPDX-License-Identifier: Apache-2.0
"""The door described in OpenAPI 3.1, made of its routes and of what is said of them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from citybrain import __version__
from citybrain.doors.ngsild.answers import json_answer
from citybrain.doors.ngsild.described import OPERATIONS, Operation
from citybrain.doors.ngsild.params import HIGHEST_LIMIT
from citybrain.kernel.asgi import Answer, Request, Route

PATH = "/openapi.json"
Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
# A pattern in place of the format `uri`: whoever makes examples of the description can make these.
URI: Schema = {"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9:._\-]+$"}
TIME: Schema = {"type": "string", "format": "date-time"}
# Parameters that are more than a text.
PARAMETERS: Mapping[str, Schema] = {
    "limit": {**WHOLE, "maximum": HIGHEST_LIMIT},
    "offset": WHOLE,
    "lastN": WHOLE,
    "joinLevel": {"type": "integer", "minimum": 1},
    **dict.fromkeys(("count", "local", "details", "deleteAll", "reload", "sysAttrs", "entityMap"), FLAG),
    **dict.fromkeys(("timeAt", "endTimeAt", "observedAt"), TIME),
    "join": {"enum": ["none", "inline", "flat"]},
    "geometry": {"enum": ["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"]},
    "timerel": {"enum": ["before", "after", "between"]},
    "datasetId": TEXT,
}
SLOTS: Mapping[str, Schema] = {"id": URI, "instance": URI}

_ENTITY: Schema = {
    "type": "object",
    "required": ["id", "type"],
    "properties": {
        "id": URI,
        "type": {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1}]},
        "scope": {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
        "expiresAt": TIME,
    },
    "additionalProperties": True,
}
_SELECTOR: Schema = {
    "type": "object",
    "required": ["type"],
    "properties": {"id": URI, "idPattern": TEXT, "type": TEXT},
}
SCHEMAS: Mapping[str, Schema] = {
    "Any": {},
    "Object": {"type": "object"},
    "Entity": _ENTITY,
    "Fragment": {"type": "object"},
    "Attribute": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}, TEXT, FLAG]},
    "Batch": {"type": "array", "minItems": 1, "items": _ENTITY},
    "Ids": {"type": "array", "minItems": 1, "items": URI},
    "Entities": {"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]},
    "Shown": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]},
    "Context": {"type": "object", "required": ["@context"], "properties": {"@context": {}}},
    "Query": {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"const": "Query"},
            "entities": {"type": "array", "minItems": 1, "items": _SELECTOR},
            "attrs": {"type": "array", "minItems": 1, "items": TEXT},
            "pick": {"type": "array", "minItems": 1, "items": TEXT},
            "omit": {"type": "array", "minItems": 1, "items": TEXT},
            "q": TEXT,
            "scopeQ": TEXT,
            "geoQ": {"type": "object"},
            "temporalQ": {"type": "object"},
            "ordering": {"type": "object"},
            "lang": TEXT,
        },
    },
    "Subscription": {
        "type": "object",
        "required": ["type", "notification"],
        "properties": {
            "id": URI,
            "type": {"const": "Subscription"},
            "entities": {"type": "array", "minItems": 1, "items": _SELECTOR},
            "watchedAttributes": {"type": "array", "minItems": 1, "items": TEXT},
            "q": TEXT,
            "isActive": FLAG,
            "notification": {
                "type": "object",
                "required": ["endpoint"],
                "properties": {"endpoint": {"type": "object", "required": ["uri"], "properties": {"uri": URI}}},
            },
        },
    },
    "CSourceRegistration": {
        "type": "object",
        "required": ["type", "information", "endpoint"],
        "properties": {
            "id": URI,
            "type": {"const": "ContextSourceRegistration"},
            "information": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            "endpoint": URI,
        },
    },
    "Snapshot": {
        "type": "object",
        "properties": {"id": URI, "type": {"const": "Snapshot"}, "expiresAt": TIME, "query": {"type": "object"}},
    },
    "ProblemDetails": {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {"type": TEXT, "title": TEXT, "detail": TEXT, "status": {"type": "integer"}},
    },
}


def route(routes: Iterable[Route], prefix: str) -> Route:
    """Where the description is to be had; it is made when it is first asked for."""
    told: list[Answer] = []

    async def show(_request: Request) -> Answer:
        if not told:
            told.append(json_answer(document(routes, prefix)))
        return told[0]

    return Route("GET", PATH, show)


def document(routes: Iterable[Route], prefix: str) -> dict[str, Any]:
    """The description of these routes, as far as anything is said of them."""
    paths: dict[str, dict[str, Any]] = {}
    for each in routes:
        operation = OPERATIONS.get((each.method, each.path))
        if operation is not None:
            paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "NGSI-LD (ETSI GS CIM 009 V1.9.1)", "version": __version__},
        "servers": [{"url": prefix}],
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _operation(route: Route, operation: Operation) -> dict[str, Any]:
    slots = [_parameter(name, "path", SLOTS.get(name, TEXT)) for name in re.findall(r"\{(\w+)\}", route.path)]
    asked = [_parameter(name, "query", PARAMETERS.get(name, TEXT)) for name in sorted(operation.params)]
    headers = [_parameter(name, "header", TEXT) for name in ("NGSILD-Tenant", "Link")]
    said: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{re.sub(r'[^A-Za-z]+', '_', route.path)}".rstrip("_"),
        "summary": operation.summary,
        "parameters": [*slots, *asked, *headers],
        "responses": {
            **{str(status): _response(status, operation.gives) for status in operation.status},
            "default": {"description": "Refused", "content": _content("ProblemDetails", ("application/json",))},
        },
    }
    if operation.body:
        said["requestBody"] = {"required": True, "content": _content(operation.body, operation.media)}
    return said


def _parameter(name: str, place: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _response(status: int, gives: str) -> dict[str, Any]:
    said: dict[str, Any] = {"description": _DONE.get(status, "Done")}
    if gives:
        media = ("application/json", "application/ld+json", "application/geo+json")
        said["content"] = _content(gives, media)
    return said


_DONE: Mapping[int, str] = {201: "Created", 203: "Amended for an earlier version", 206: "In part", 207: "In part"}


def _content(schema: str, media: Iterable[str]) -> dict[str, Any]:
    return {each: {"schema": {"$ref": f"#/components/schemas/{schema}"}} for each in media}
