# SPDX-License-Identifier: Apache-2.0
"""Geometries as they are sent: GeoJSON (RFC 7946) without GeometryCollection (CIM 009 clauses 4.6.3 and 4.7)."""

from collections.abc import Callable, Mapping
from typing import TypeGuard

import msgspec

from citybrain.kernel.entities.names import shown
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.records import Json

_OF_OTHER_OBJECTS = frozenset({"geometries", "geometry", "properties", "features"})
"""RFC 7946 section 7.1: a geometry may have members of others, but none of these."""


def read_geometry(where: str, given: Json) -> Json:
    """The geometry, also out of a text that holds one (clause 4.7.2). Refuses any other value, saying what is wrong.

    Longitudes are within 180 degrees, latitudes within 90; rings are closed and have four positions or more.
    """
    if isinstance(given, str):
        given = _decoded(where, given)
    if not isinstance(given, dict):
        raise _refuse(where, "kernel.geometry_not_an_object", given)
    kind = given.get("type")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise _refuse(where, "kernel.geometry_type", kind)
    foreign = next((name for name in given if name in _OF_OTHER_OBJECTS), None)
    if foreign is not None:
        raise _refuse(where, "kernel.geometry_member", foreign)
    check(where, given.get("coordinates"))
    return given


def looks_like_geometry(given: Json) -> TypeGuard[dict[str, Json]]:
    """An object that says it is a geometry of a kind we know and has coordinates: then it must be a valid one."""
    if not isinstance(given, dict) or "coordinates" not in given:
        return False
    kind = given.get("type")
    return isinstance(kind, str) and kind in GEOMETRY_TYPES


def _decoded(where: str, text: str) -> Json:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise _refuse(where, "kernel.geometry_text", text) from None


def _position(where: str, given: Json) -> None:
    if not isinstance(given, list) or not 2 <= len(given) <= 3:
        raise _refuse(where, "kernel.geometry_position", given)
    for number in given:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise _refuse(where, "kernel.geometry_position", given)
    if not (-180 <= given[0] <= 180 and -90 <= given[1] <= 90):
        raise _refuse(where, "kernel.geometry_outside", given)


def _line(where: str, given: Json) -> None:
    _each(where, given, _position, least=2)


def _ring(where: str, given: Json) -> None:
    _each(where, given, _position, least=4)
    if given[0] != given[-1]:
        raise _refuse(where, "kernel.geometry_open_ring", given[0])


def _points(where: str, given: Json) -> None:
    _each(where, given, _position, least=1)


def _polygon(where: str, given: Json) -> None:
    _each(where, given, _ring, least=1)


def _lines(where: str, given: Json) -> None:
    _each(where, given, _line, least=1)


def _polygons(where: str, given: Json) -> None:
    _each(where, given, _polygon, least=1)


def _each(where: str, given: Json, check: Callable[[str, Json], None], *, least: int) -> None:
    if not isinstance(given, list) or len(given) < least:
        raise _refuse(where, "kernel.geometry_coordinates", given)
    for part in given:
        check(where, part)


def _refuse(where: str, code: str, given: Json) -> BadRequestData:
    return BadRequestData(code, {"member": where, "value": shown(given)})


_CHECKS: Mapping[str, Callable[[str, Json], None]] = {
    "Point": _position,
    "MultiPoint": _points,
    "LineString": _line,
    "MultiLineString": _lines,
    "Polygon": _polygon,
    "MultiPolygon": _polygons,
}
GEOMETRY_TYPES = frozenset(_CHECKS)
