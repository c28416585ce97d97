# SPDX-License-Identifier: Apache-2.0
"""How two geometries lie to each other (CIM 009 clause 4.10, GeoJSON RFC 7946).

Relations are those of OGC Simple Features in the plane of longitude and latitude, as RFC 7946 draws lines. Distances
are in metres on the ellipsoid of WGS-84: between points exact; between other geometries the two nearest points are
looked for in a plane that is true to scale at the middle latitude of both: the error is below 0.5 % up to 100 km apart
and below 80° of latitude.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from math import cos, radians

import msgspec
import shapely
from pyproj import Geod
from shapely.affinity import scale, translate
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.geo import Position
from citybrain.kernel.geo import distance_m as sphere_m
from citybrain.kernel.records import Json

WGS84 = Geod(ellps="WGS84")
GEOMETRIES = frozenset({"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})
"""All of RFC 7946 except GeometryCollection."""

_NO_SHAPE = (KeyError, TypeError, ValueError, IndexError, AttributeError, shapely.errors.ShapelyError)
_NARROWEST = 0.001  # cosine of a latitude next to a pole, so that nothing is divided by zero


class Relation(StrEnum):
    """How the geometry of an entity lies to the one that is asked with."""

    NEAR = "near"
    WITHIN = "within"
    CONTAINS = "contains"
    INTERSECTS = "intersects"
    EQUALS = "equals"
    DISJOINT = "disjoint"
    OVERLAPS = "overlaps"


class GeoQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A question about place. `geometry` is the GeoJSON asked with, as bytes; `name` that of the attribute.

    For `NEAR` either `at_most_m` or `at_least_m` is given.
    """

    relation: Relation
    geometry: bytes
    name: str = "location"
    at_most_m: float | None = None
    at_least_m: float | None = None


# The geometry asked with stands first where it can, since that is the prepared one.
_TOPOLOGY: Mapping[Relation, Callable[[BaseGeometry, BaseGeometry], bool]] = {
    Relation.WITHIN: lambda target, asked: bool(asked.contains(target)),
    Relation.CONTAINS: lambda target, asked: bool(target.contains(asked)),
    Relation.INTERSECTS: lambda target, asked: bool(asked.intersects(target)),
    Relation.EQUALS: lambda target, asked: bool(asked.equals(target)),
    Relation.DISJOINT: lambda target, asked: bool(asked.disjoint(target)),
    Relation.OVERLAPS: lambda target, asked: bool(asked.overlaps(target)),
}


def lies(target: Json, query: GeoQuery) -> bool:
    """A GeoJSON geometry lies to the one asked with as it should. What is no geometry never does."""
    try:
        place = _shape(target)
    except _NO_SHAPE:
        return False
    asked = asked_shape(query.geometry)
    if query.relation is not Relation.NEAR:
        return _TOPOLOGY[query.relation](place, asked)
    distance = distance_m(place, asked)
    return (query.at_most_m is None or distance <= query.at_most_m) and (
        query.at_least_m is None or distance > query.at_least_m
    )


@lru_cache(maxsize=4096)
def asked_shape(geometry: bytes) -> BaseGeometry:
    """The geometry asked with, prepared for being compared many times."""
    made = _shape(msgspec.json.decode(geometry))
    shapely.prepare(made)
    return made


def distance_m(a: BaseGeometry, b: BaseGeometry) -> float:
    """Metres between the nearest points of two geometries; 0 if they touch. See the head of this file for its error."""
    if a.geom_type == "Point" and b.geom_type == "Point":
        return float(WGS84.inv(a.x, a.y, b.x, b.y)[2])
    (ax, ay), (bx, by) = _nearest(a, b)
    return float(WGS84.inv(ax, ay, bx, by)[2])


def great_circle_m(geometry: Json, origin: BaseGeometry) -> float | None:
    """Metres on a sphere by the haversine formula, as clause 4.23.1 orders by; None for what is no geometry."""
    try:
        place = _shape(geometry)
    except _NO_SHAPE:
        return None
    if place.geom_type == "Point" and origin.geom_type == "Point":
        return sphere_m((place.x, place.y), (origin.x, origin.y))
    (ax, ay), (bx, by) = _nearest(place, origin)
    return sphere_m((ax, ay), (bx, by))


def read_geometry(kind: str, coordinates: Json, *, parameter: str = "coordinates") -> bytes:
    """A geometry to ask with, checked, as GeoJSON. Refuses `BadRequestData`."""
    if kind not in GEOMETRIES:
        raise BadRequestData("kernel.geometry_unknown", {"geometry": kind})
    if isinstance(coordinates, str):
        try:
            coordinates = msgspec.json.decode(coordinates)
        except msgspec.DecodeError:
            raise BadRequestData("kernel.coordinates_unreadable", {"parameter": parameter, "geometry": kind}) from None
    try:
        made = shape({"type": kind, "coordinates": coordinates})
        west, south, east, north = made.bounds
    except _NO_SHAPE:
        raise BadRequestData("kernel.coordinates_unreadable", {"parameter": parameter, "geometry": kind}) from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequestData("kernel.coordinates_off_earth", {"parameter": parameter, "geometry": kind})
    return msgspec.json.encode({"type": kind, "coordinates": coordinates})


def _shape(geometry: Json) -> BaseGeometry:
    """A shape of OGC Simple Features; one that crosses itself is taken as the area that its line encloses."""
    made = shape(geometry)
    if made.is_empty:
        raise ValueError(geometry)
    return made if made.geom_type == "Point" or made.is_valid else shapely.make_valid(made)


def _nearest(a: BaseGeometry, b: BaseGeometry) -> tuple[Position, Position]:
    b = _on_the_same_side(a, b)
    middle = max(_NARROWEST, cos(radians((a.centroid.y + b.centroid.y) / 2)))
    one, other = nearest_points(*(scale(each, xfact=middle, origin=(0, 0)) for each in (a, b)))
    return (one.x / middle, one.y), (other.x / middle, other.y)


def _on_the_same_side(a: BaseGeometry, b: BaseGeometry) -> BaseGeometry:
    """`b`, moved by a turn around the earth if it is nearer to `a` then: nothing ends at the 180th meridian."""
    apart = b.centroid.x - a.centroid.x
    if abs(apart) <= 180:
        return b
    return translate(b, xoff=-360 if apart > 0 else 360)
