# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI 3.0 document of the door (requirement class oas30)."""

from collections.abc import Iterable
from typing import Any

from citybrain import __version__
from citybrain.doors.ogcfeatures.crs import SYSTEMS


def describe(root: str, collections: Iterable[str]) -> dict[str, Any]:
    """Every path of the door, with its parameters; `collections` are the names there are now."""
    one = _parameter(
        "collection", "path", {"type": "string", "enum": sorted(collections)} if collections else {"type": "string"}
    )
    crs = _parameter("crs", "query", {"type": "string", "enum": [*SYSTEMS]})
    items = [
        one,
        _parameter("bbox", "query", {"type": "string"}, "west,south,east,north"),
        _parameter("bbox-crs", "query", {"type": "string", "enum": [*SYSTEMS]}),
        _parameter("datetime", "query", {"type": "string"}, "time of the last change: an instant, or an interval a/b"),
        _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100}),
        _parameter("offset", "query", {"type": "integer", "minimum": 0, "default": 0}),
        crs,
    ]
    feature = _parameter("feature", "path", {"type": "string"})
    return {
        "openapi": "3.0.3",
        "info": {"title": "citybrain: OGC API - Features", "version": __version__},
        "servers": [{"url": root}],
        "paths": {
            "/": _get("Landing page"),
            "/conformance": _get("What the door conforms to"),
            "/api": _get("This document"),
            "/collections": _get("Every type of entities as a collection"),
            "/collections/{collection}": _get("One collection", one),
            "/collections/{collection}/queryables": _get("By what a collection can be asked", one),
            "/collections/{collection}/items": _get("Features", *items, media="application/geo+json"),
            "/collections/{collection}/items/{feature}": _get(
                "One feature", one, feature, crs, media="application/geo+json"
            ),
        },
    }


def _parameter(name: str, place: str, schema: dict[str, Any], description: str = "") -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": description}


def _get(summary: str, *parameters: dict[str, Any], media: str = "application/json") -> dict[str, Any]:
    problem = {"description": "Refused", "content": {"application/problem+json": {"schema": {"type": "object"}}}}
    ok = {"description": "Found", "content": {media: {"schema": {"type": "object"}}}}
    answers = {"200": ok, "400": problem, "404": problem}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers}}
