# SPDX-License-Identifier: Apache-2.0
"""Where an alert is: as GeoJSON, and who of the pool is there: pure."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from math import cos, radians

import msgspec
import shapely
from shapely.geometry import MultiPolygon, Polygon, mapping, shape
from shapely.geometry.base import BaseGeometry

from citybrain.doors.cap.model import Alert, Area, Circle, Named, Ring
from citybrain.kernel.entities.document import AttributeType, Document
from citybrain.kernel.entities.geometry import WGS84, distance_m
from citybrain.kernel.records import Json

# A circle on a map: 64 corners are off by 0.12 % of the radius (1 − cos π/64).
CORNERS = 64
# Untangling 200 points takes up to 0.1 s (2026-11-25), so a message gets two seconds at most.
MOST_POINTS_UNTANGLED = 200
MOST_UNTANGLED = 20
# The attribute by which an entity says in which administrative units, postal codes, … it lies.
GEOCODE = "geocode"
_NO_SHAPE = (KeyError, TypeError, ValueError, IndexError, AttributeError, shapely.errors.ShapelyError)


class Zone:
    """All areas of an alert together: of every language, since they tell of the same event."""

    def __init__(self, alert: Alert) -> None:
        areas = [area for info in alert.infos for area in info.areas]
        self._rings = tuple(dict.fromkeys(ring for area in areas for ring in area.polygons))
        self._circles = tuple(dict.fromkeys(circle for area in areas for circle in area.circles))
        self._codes = frozenset((code.name, code.value) for area in areas for code in area.geocodes)

    @cached_property
    def _covered(self) -> BaseGeometry:
        made = shapely.union_all(_polygons(self._rings))
        shapely.prepare(made)
        return made

    @cached_property
    def _centres(self) -> Sequence[tuple[BaseGeometry, float, BaseGeometry]]:
        """Each circle: its centre, its radius in metres, and a box around it that is quickly asked."""
        return [(_centre(each), each.radius_km * 1000, _box(each)) for each in self._circles]

    def geometry(self) -> Json:
        """GeoJSON of all polygons and circles, or of the first point when there is nothing wider; None without both."""
        parts = _polygons(self._rings)
        parts += [_round(circle) for circle in self._circles if circle.radius_km > 0]
        points = [_centre(circle) for circle in self._circles if circle.radius_km == 0]
        if parts:
            return _plain(shapely.union_all(parts))
        return msgspec.to_builtins(mapping(points[0])) if points else None

    def holds(self, document: Document) -> bool:
        """Whether an entity touches the zone, or names one of its geocodes."""
        if self._codes and not self._codes.isdisjoint(_codes_of(document)):
            return True
        place = _place(document)
        if place is None:
            return False
        if self._rings and self._covered.intersects(place):
            return True
        return any(
            box.intersects(place) and distance_m(place, centre) <= radius_m for centre, radius_m, box in self._centres
        )


def descriptions(areas: Iterable[Area]) -> list[str]:
    """The words for places, each once."""
    return list(dict.fromkeys(area.description for area in areas if area.description))


def _plain(made: BaseGeometry) -> Json:
    """Areas alone: what collapsed to lines or points on the way is left out."""
    if isinstance(made, Polygon | MultiPolygon):
        return msgspec.to_builtins(mapping(made))
    polygons = [each for each in shapely.get_parts(made) if isinstance(each, Polygon)]
    return msgspec.to_builtins(mapping(MultiPolygon(polygons))) if polygons else None


def _polygons(rings: Iterable[Ring]) -> list[BaseGeometry]:
    """In longitude and latitude; one that crosses itself becomes the areas that it encloses.

    Many of these, or one of many points, could be millions of areas; then each becomes its hull: rather too wide than
    too late.
    """
    made = []
    untangled = 0
    for ring in rings:
        polygon: BaseGeometry = Polygon([(lon, lat) for lat, lon in ring])
        if not polygon.is_valid:
            untangled += 1
            is_small = len(ring) <= MOST_POINTS_UNTANGLED and untangled <= MOST_UNTANGLED
            polygon = _valid(polygon) if is_small else polygon.convex_hull
        made.append(polygon)
    return made


def _valid(made: BaseGeometry) -> BaseGeometry:
    """The areas that a tangle encloses, with what collapsed to lines."""
    return shapely.make_valid(made, method="structure", keep_collapsed=True)


def _centre(circle: Circle) -> BaseGeometry:
    lat, lon = circle.centre
    return shapely.Point(lon, lat)


def _round(circle: Circle) -> BaseGeometry:
    """A circle on the ellipsoid, as a polygon."""
    lat, lon = circle.centre
    corners = []
    for number in range(CORNERS):
        east, north, _ = WGS84.fwd(lon, lat, 360 * number / CORNERS, circle.radius_km * 1000)
        corners.append((float(east), float(north)))
    made = Polygon(corners)
    return made if made.is_valid else _valid(made)


def _box(circle: Circle) -> BaseGeometry:
    """A box that holds a circle, with room to spare; around a pole or the date line the whole earth."""
    lat, lon = circle.centre
    reach = circle.radius_km / 100 + 0.001  # a degree of latitude has more than 110 km
    shrunk = cos(radians(min(abs(lat) + reach, 90.0)))
    east = reach / shrunk if shrunk > 0.01 else 360.0
    if abs(lon) + east > 180:
        return shapely.box(-180, -90, 180, 90)
    return shapely.box(lon - east, lat - reach, lon + east, lat + reach)


def _place(document: Document) -> BaseGeometry | None:
    instances = document.attributes.get("location", ())
    if not instances or instances[0].type is not AttributeType.GEO_PROPERTY:
        return None
    try:
        return shape(instances[0].value)
    except _NO_SHAPE:
        return None


def _codes_of(document: Document) -> set[tuple[str, str]]:
    """`geocode` holds one or several of `{"valueName": …, "value": …}`."""
    found = set()
    for instance in document.attributes.get(GEOCODE, ()):
        for each in instance.value if isinstance(instance.value, list) else [instance.value]:
            if isinstance(each, dict):
                named = Named(str(each.get("valueName", "")), str(each.get("value", "")))
                found.add((named.name, named.value))
    return found
