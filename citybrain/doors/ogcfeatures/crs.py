# SPDX-License-Identifier: Apache-2.0
"""Coordinate reference systems of requests and answers (OGC 18-058r1, Part 2). Inside all is WGS-84."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from pyproj import Transformer

from citybrain.kernel import geo
from citybrain.kernel.geo import Position
from citybrain.kernel.records import Json

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# Chinese maps have no code of their own; these names are ours.
GCJ02, BD09 = "urn:citybrain:crs:GCJ02", "urn:citybrain:crs:BD09"


class Crs(msgspec.Struct, frozen=True):
    """How positions go out and come in; `is_lat_first` says in which order the system writes its axes."""

    uri: str
    from_wgs84: Callable[[Position], Position]
    to_wgs84: Callable[[Position], Position]
    is_lat_first: bool = False


def _same(position: Position) -> Position:
    return position


def _by_code(code: int, *, is_lat_first: bool) -> Crs:
    """A system that pyproj knows; both ways by (longitude or east, latitude or north)."""

    @lru_cache
    def way(there: bool) -> Transformer:
        ends = (4326, code) if there else (code, 4326)
        return Transformer.from_crs(*ends, always_xy=True)

    def go(position: Position, there: bool) -> Position:
        x, y = way(there).transform(*position)
        return float(x), float(y)

    return Crs(f"{EPSG}{code}", lambda at: go(at, True), lambda at: go(at, False), is_lat_first)


SYSTEMS: Mapping[str, Crs] = {
    each.uri: each
    for each in (
        Crs(CRS84, _same, _same),
        Crs(f"{EPSG}4326", _same, _same, is_lat_first=True),
        # CGCS2000 and WGS-84 differ by less than the accuracy of any city's data (GB 22021-2008: centimetres).
        Crs(f"{EPSG}4490", _same, _same, is_lat_first=True),
        _by_code(3857, is_lat_first=False),
        Crs(GCJ02, geo.gcj02_from_wgs84, geo.wgs84_from_gcj02),
        Crs(
            BD09,
            lambda at: geo.bd09_from_gcj02(geo.gcj02_from_wgs84(at)),
            lambda at: geo.wgs84_from_gcj02(geo.gcj02_from_bd09(at)),
        ),
    )
}


def shown(geometry: Json, crs: Crs) -> Json:
    """A GeoJSON geometry in WGS-84, with its positions in another system and that system's order of axes."""
    if geometry is None or crs.uri == CRS84:
        return geometry
    return {**geometry, "coordinates": _each(geometry["coordinates"], lambda at: _out(at, crs))}


def _out(position: list[float], crs: Crs) -> list[float]:
    x, y = crs.from_wgs84((position[0], position[1]))
    return [y, x, *position[2:]] if crs.is_lat_first else [x, y, *position[2:]]


def _each(coordinates: Any, change: Callable[[list[float]], list[float]]) -> Any:
    if coordinates and isinstance(coordinates[0], int | float):
        return change(coordinates)
    return [_each(part, change) for part in coordinates]


def corner_in(x: float, y: float, crs: Crs) -> Position:
    """A corner of a box, as written in a system, in WGS-84."""
    return crs.to_wgs84((y, x) if crs.is_lat_first else (x, y))
