# SPDX-License-Identifier: Apache-2.0
"""Places on the earth: distance, bounds, and the coordinate systems used in China. Inside the city all is WGS-84.

GCJ-02 is a shifted WGS-84 that Chinese maps must use; its formula was never published. The one here is the commonly
used reconstruction (googollee/eviltransform, MIT), good to a few metres; BD-09 is Baidu's shift of GCJ-02.
All pairs are (longitude, latitude) in degrees.
"""

from collections.abc import Callable, Iterable, Iterator
from math import asin, atan2, cos, hypot, pi, radians, sin, sqrt
from typing import Any

from citybrain.kernel.records import Json

Position = tuple[float, float]
Bounds = tuple[float, float, float, float]

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG 1980
METRES_PER_DEGREE = EARTH_RADIUS_M * pi / 180  # of latitude; of longitude times the cosine of the latitude
# The ellipsoid of the shift: Krasovsky 1940, as in the reconstruction.
_SEMI_MAJOR_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
_BAIDU = pi * 3000 / 180
_SHIFTED: Bounds = (72.004, 0.8293, 137.8347, 55.8271)  # outside, GCJ-02 is WGS-84
_CLOSE_ENOUGH_DEG = 1e-9  # a tenth of a millimetre
_ROUNDS = 20


def distance_m(a: Position, b: Position) -> float:
    """Great-circle distance in metres on a sphere: off by up to 0.5 % from the ellipsoid (haversine formula)."""
    lat_a, lat_b = radians(a[1]), radians(b[1])
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin(radians(b[0] - a[0]) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))


def bounds(geometries: Iterable[Json]) -> Bounds | None:
    """West, south, east, north of GeoJSON geometries; None when they hold no position."""
    positions = [position for geometry in geometries if geometry for position in _positions(geometry["coordinates"])]
    if not positions:
        return None
    lons, lats = zip(*positions, strict=True)
    return (min(lons), min(lats), max(lons), max(lats))


def centre(geometry: Json) -> Position | None:
    """The middle of a geometry's bounds; None when it holds no position."""
    box = bounds([geometry])
    return None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def gcj02_from_wgs84(position: Position) -> Position:
    """GPS to what a Chinese map shows. Outside China nothing is shifted."""
    lon, lat = position
    if not (_SHIFTED[0] <= lon <= _SHIFTED[2] and _SHIFTED[1] <= lat <= _SHIFTED[3]):
        return position
    east_m, north_m = _shift_m(lon - 105.0, lat - 35.0)
    curve = 1 - _ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
    meridian_m = _SEMI_MAJOR_M * (1 - _ECCENTRICITY_SQUARED) / (curve * sqrt(curve))
    parallel_m = _SEMI_MAJOR_M / sqrt(curve) * cos(radians(lat))
    return (lon + east_m * 180 / (parallel_m * pi), lat + north_m * 180 / (meridian_m * pi))


def wgs84_from_gcj02(position: Position) -> Position:
    """A Chinese map to GPS."""
    return _undone(gcj02_from_wgs84, position, guess=position)


def bd09_from_gcj02(position: Position) -> Position:
    """A Chinese map to Baidu's."""
    lon, lat = position
    radius = hypot(lon, lat) + 0.00002 * sin(lat * _BAIDU)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _BAIDU)
    return (radius * cos(angle) + 0.0065, radius * sin(angle) + 0.006)


def gcj02_from_bd09(position: Position) -> Position:
    """Baidu's map to a Chinese map."""
    return _undone(bd09_from_gcj02, position, guess=(position[0] - 0.0065, position[1] - 0.006))


def _undone(shift: Callable[[Position], Position], position: Position, *, guess: Position) -> Position:
    """Where a shift that has no inverse formula came from: followed back until it fits."""
    lon, lat = guess
    for _ in range(_ROUNDS):
        shifted = shift((lon, lat))
        off_lon, off_lat = shifted[0] - position[0], shifted[1] - position[1]
        lon, lat = lon - off_lon, lat - off_lat
        if abs(off_lon) < _CLOSE_ENOUGH_DEG and abs(off_lat) < _CLOSE_ENOUGH_DEG:
            break
    return (lon, lat)


def _shift_m(x: float, y: float) -> tuple[float, float]:
    """The shift east and north, in metres, at degrees from 105° E 35° N."""
    waves = 20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east += (waves + 20 * sin(x * pi) + 40 * sin(x / 3 * pi) + 150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north += (waves + 20 * sin(y * pi) + 40 * sin(y / 3 * pi) + 160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    return east, north


def _positions(coordinates: Any) -> Iterator[Position]:
    """Every position in the nested lists of a GeoJSON geometry."""
    if coordinates and isinstance(coordinates[0], (int, float)):
        yield (coordinates[0], coordinates[1])
        return
    for part in coordinates:
        yield from _positions(part)
