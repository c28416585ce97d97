# SPDX-License-Identifier: Apache-2.0
"""Requests and answers of OGC API - Features (OGC 17-069r4): pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from citybrain.doors.ogcfeatures import crs as systems
from citybrain.doors.ogcfeatures.crs import CRS84, SYSTEMS, Crs
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.found import Found
from citybrain.kernel.entities.query import EntityQuery, read_query
from citybrain.kernel.entities.represent import represent
from citybrain.kernel.entities.shape import Format, Shape
from citybrain.kernel.errors import Invalid
from citybrain.kernel.geo import bounds
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.records import Json

CONFORMS_TO = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
)
LIMIT_USUAL, LIMIT_MOST = 100, 10_000
SIMPLE = Shape(format=Format.SIMPLIFIED, geojson=True)
_KNOWN = frozenset({"bbox", "bbox-crs", "datetime", "limit", "offset", "crs", "f"})
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})")


class UnusableParameter(Invalid):
    """A parameter does not say what it should (requirement /req/core/query-param-invalid)."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an items request asks for. `given` are its parameters, for the links of the answer."""

    query: EntityQuery
    limit: int
    offset: int
    crs: Crs
    given: Mapping[str, str]


def read_items(params: Sequence[tuple[str, str]], collection: str, queryables: frozenset[str]) -> Asked:
    """Read the parameters of /items; every parameter that is neither the standard's nor a queryable is refused."""
    given = dict(params)
    unknown = next((name for name in given if name not in _KNOWN and name not in queryables), None)
    if unknown is not None:
        raise UnusableParameter("ogcfeatures.parameter_unknown", {"parameter": unknown})
    if given.get("f", "json") not in ("json", "geojson"):
        raise UnusableParameter("ogcfeatures.parameter_unusable", {"parameter": "f", "value": given["f"][:60]})
    asked = {"type": collection}
    conditions = [_condition(name, value) for name, value in given.items() if name in queryables]
    if "datetime" in given:
        conditions += _interval(given["datetime"])
    if conditions:
        asked["q"] = ";".join(conditions)
    if "bbox" in given:
        asked |= _box(given["bbox"], _crs(given, "bbox-crs"))
    return Asked(
        query=read_query(asked, CORE),
        limit=min(_whole(given, "limit", LIMIT_USUAL, least=1), LIMIT_MOST),
        offset=_whole(given, "offset", 0, least=0),
        crs=_crs(given, "crs"),
        given=given,
    )


def read_crs(params: Sequence[tuple[str, str]]) -> Crs:
    """The system a single feature is asked in."""
    return _crs(dict(params), "crs")


def _whole(given: Mapping[str, str], name: str, usual: int, *, least: int) -> int:
    text = given.get(name, str(usual))
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise UnusableParameter("ogcfeatures.parameter_unusable", {"parameter": name, "value": text[:60]})
    return int(text)


def _crs(given: Mapping[str, str], name: str) -> Crs:
    system = SYSTEMS.get(given.get(name, CRS84))
    if system is None:
        raise UnusableParameter("ogcfeatures.crs_unknown", {"parameter": name, "value": given[name][:100]})
    return system


def _condition(name: str, value: str) -> str:
    """Equality of a queryable as a term of the pool's language; what reads as a number or a truth is one."""
    if '"' in value or "\\" in value:
        raise UnusableParameter("ogcfeatures.parameter_unusable", {"parameter": name, "value": value[:60]})
    plain = value in ("true", "false") or re.fullmatch(r"-?\d+(?:\.\d+)?", value)
    return f"{name}=={value}" if plain else f'{name}=="{value}"'


def _interval(text: str) -> list[str]:
    """`datetime` asks for the time of the entity's last change: an instant, or an interval, open as `..` or empty."""
    ends = text.split("/")
    open_ends = ("", "..")
    usable = all((end in open_ends and len(ends) == 2) or _INSTANT.fullmatch(end) for end in ends)
    if not usable or len(ends) > 2 or all(end in open_ends for end in ends):
        raise UnusableParameter("ogcfeatures.parameter_unusable", {"parameter": "datetime", "value": text[:60]})
    if len(ends) == 1:
        return [f"modifiedAt=={_utc(ends[0])}"]
    begin, end = ends
    found = [] if begin in open_ends else [f"modifiedAt>={_utc(begin)}"]
    return found if end in open_ends else [*found, f"modifiedAt<={_utc(end)}"]


def _utc(text: str) -> str:
    try:
        at = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError as error:
        raise UnusableParameter("ogcfeatures.parameter_unusable", {"parameter": "datetime", "value": text}) from error
    offset = at.utcoffset()
    plain = at.replace(tzinfo=None) - offset if offset else at.replace(tzinfo=None)
    return plain.isoformat() + "Z"


def _box(text: str, crs: Crs) -> dict[str, str]:
    """A bbox of four or six numbers; heights are passed over. West of 180° may be its east end."""
    try:
        numbers = [float(each) for each in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6):
        raise UnusableParameter("ogcfeatures.parameter_unusable", {"parameter": "bbox", "value": text[:100]})
    half = len(numbers) // 2
    west, south = systems.corner_in(numbers[0], numbers[1], crs)
    east, north = systems.corner_in(numbers[half], numbers[half + 1], crs)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise UnusableParameter("ogcfeatures.parameter_unusable", {"parameter": "bbox", "value": text[:100]})
    parts = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    rings = [[[[w, south], [e, south], [e, north], [w, north], [w, south]]] for w, e in parts]
    coordinates: Json = rings[0] if len(rings) == 1 else rings
    kind = "Polygon" if len(rings) == 1 else "MultiPolygon"
    return {"georel": "intersects", "geometry": kind, "coordinates": msgspec.json.encode(coordinates).decode()}


def feature(document: Document, crs: Crs, links: Sequence[Json] = ()) -> dict[str, Any]:
    """An entity as a GeoJSON feature: its values as plain properties, its `location` as geometry."""
    shown = represent(document, CORE, SIMPLE)
    shown["geometry"] = systems.shown(shown["geometry"], crs)
    shown["properties"].pop("location", None)
    shown["properties"]["modifiedAt"] = document.modified_at
    return {**shown, "links": list(links)} if links else shown


def feature_collection(found: Found, asked: Asked, *, base: str, now: datetime) -> dict[str, Any]:
    """A page of features with the links to itself and to the next one."""
    items = f"{base}/items"
    links = [link(f"{items}?{urlencode(asked.given)}" if asked.given else items, "self", GEOJSON)]
    if found.has_more:
        following = {**asked.given, "offset": str(asked.offset + asked.limit), "limit": str(asked.limit)}
        links.append(link(f"{items}?{urlencode(following)}", "next", GEOJSON))
    links.append(link(base, "collection", JSON))
    return {
        "type": "FeatureCollection",
        "features": [feature(each, asked.crs) for each in found.documents],
        "links": links,
        "timeStamp": now.isoformat().replace("+00:00", "Z"),
        "numberMatched": found.total,
        "numberReturned": len(found.documents),
    }


JSON, GEOJSON, OPENAPI = "application/json", "application/geo+json", "application/vnd.oai.openapi+json;version=3.0"
SCHEMA = "application/schema+json"


def link(href: str, rel: str, type: str, title: str = "") -> dict[str, str]:
    """A link of an answer."""
    return {"href": href, "rel": rel, "type": type, **({"title": title} if title else {})}


def collection(name: str, count: int, extent: Sequence[Json] | None, *, root: str) -> dict[str, Any]:
    """A type of entities as a collection; `extent` are geometries by which its box is told, None when not known."""
    base = f"{root}/collections/{quote(name, safe='')}"
    box = bounds(extent) if extent else None
    return {
        "id": name,
        "title": name.rsplit("/", 1)[-1].rsplit("#", 1)[-1],
        "itemType": "feature",
        "itemCount": count,
        "crs": [*SYSTEMS],
        "storageCrs": CRS84,
        **({"extent": {"spatial": {"bbox": [list(box)], "crs": CRS84}}} if box else {}),
        "links": [
            link(base, "self", JSON),
            link(f"{base}/items", "items", GEOJSON, name),
            link(f"{base}/queryables", "http://www.opengis.net/def/rel/ogc/1.0/queryables", SCHEMA),
        ],
    }
