# SPDX-License-Identifier: Apache-2.0
"""Who is where a warning is: polygons, circles on the ellipsoid, geocodes, and shapes that are not what they seem."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from citybrain.doors.cap.places import Zone
from citybrain.doors.cap.reading import read
from citybrain.doors.cap.tests.sample import plain
from citybrain.kernel.entities.document import AttributeType, Document, Instance

GEOD = Geod(ellps="WGS84")


def zone(area: str) -> Zone:
    return Zone(read(plain(info=f"<area><areaDesc>x</areaDesc>{area}</area>")).alert)


def at(lon: float, lat: float) -> Document:
    return placed({"type": "Point", "coordinates": [lon, lat]})


def placed(geometry: Any, **codes: Any) -> Document:
    attributes = {"location": (Instance(type=AttributeType.GEO_PROPERTY, value=geometry),)}
    coded = {name: (Instance(type=AttributeType.PROPERTY, value=value),) for name, value in codes.items()}
    return Document(id="urn:x", types=("T",), attributes={**attributes, **coded})


SQUARE = "<polygon>30,120 30,121 31,121 31,120 30,120</polygon>"


def test_a_polygon_holds_what_touches_it() -> None:
    square = zone(SQUARE)
    assert square.holds(at(120.5, 30.5))
    assert square.holds(at(120, 30))
    assert not square.holds(at(30.5, 120.5 - 90))
    assert not square.holds(at(121.01, 30.5))
    assert square.holds(placed({"type": "LineString", "coordinates": [[119, 30.5], [122, 30.5]]}))


def test_a_circle_is_measured_on_the_ellipsoid() -> None:
    circle = zone("<circle>60,10 100</circle>")
    for bearing in range(0, 360, 30):
        for km, is_in in ((99.9, True), (100.1, False)):
            lon, lat, _ = GEOD.fwd(10, 60, bearing, km * 1000)
            assert circle.holds(at(lon, lat)) is is_in


@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(0.01, 3000), st.floats(0, 359), st.floats(0, 0.99))
def test_what_is_nearer_than_the_radius_is_inside_everywhere_on_earth(
    lat: float, lon: float, radius: float, bearing: float, part: float
) -> None:
    x, y, _ = GEOD.fwd(lon, lat, bearing, radius * 1000 * part)
    assert zone(f"<circle>{lat:.6f},{lon:.6f} {radius + 0.01:.6f}</circle>").holds(at(x, y))


def test_a_circle_without_extent_is_a_point() -> None:
    point = zone("<circle>30,120 0</circle>")
    assert point.geometry() == {"type": "Point", "coordinates": (120.0, 30.0)}
    assert point.holds(at(120, 30))
    assert not point.holds(at(120.001, 30))


def test_a_geocode_holds_whoever_names_it() -> None:
    code = zone("<geocode><valueName>GB/T 2260</valueName><value>330108</value></geocode>")
    nowhere = {"type": "Point", "coordinates": [0, 0]}
    same, other = {"valueName": "GB/T 2260", "value": "330108"}, {"valueName": "GB/T 2260", "value": "330102"}
    assert code.holds(placed(nowhere, geocode=same))
    assert code.holds(placed(nowhere, geocode=[other, same]))
    assert not code.holds(placed(nowhere, geocode=other))
    assert not code.holds(placed(nowhere, geocode="330108"))
    assert not code.holds(placed(nowhere))
    assert code.geometry() is None


def test_all_areas_of_all_languages_count_and_are_drawn_once() -> None:
    both = zone(SQUARE + SQUARE + "<circle>30.5,120.5 1</circle><circle>40,120 1</circle>")
    geometry = both.geometry()
    assert geometry["type"] == "MultiPolygon"
    assert len(geometry["coordinates"]) == 2
    assert both.holds(at(120, 40))


def test_a_polygon_that_crosses_itself_is_the_areas_that_it_encloses() -> None:
    bow = zone("<polygon>0,0 1,1 1,0 0,1 0,0</polygon>")
    assert bow.holds(at(0.5, 0.9))
    assert not bow.holds(at(0.9, 0.5))
    assert bow.geometry()["type"] == "MultiPolygon"


def test_a_tangle_of_many_points_is_its_hull() -> None:
    points = [(number * 7919 % 1000 / 1000, number * 104729 % 997 / 997) for number in range(5_000)]
    ring = " ".join(f"{lat},{lon}" for lat, lon in [*points, points[0]])
    tangle = zone(f"<polygon>{ring}</polygon>")
    assert tangle.geometry()["type"] == "Polygon"
    assert tangle.holds(at(0.5, 0.5))
    assert not tangle.holds(at(1.5, 0.5))


@pytest.mark.parametrize("area", ["<polygon>1,1 1,1 1,1 1,1</polygon>", "<polygon>1,1 2,2 3,3 1,1</polygon>"])
def test_a_polygon_without_extent_draws_nothing_and_breaks_nothing(area: str) -> None:
    flat = zone(area)
    assert flat.geometry() is None
    assert flat.holds(at(1, 1))


@pytest.mark.parametrize("geometry", [None, {}, {"type": "Point"}, {"type": "Point", "coordinates": "x"}, [1], "x"])
def test_what_has_no_place_is_nowhere(geometry: Any) -> None:
    assert not zone(SQUARE).holds(placed(geometry))


def test_an_alert_without_areas_holds_nobody() -> None:
    alert = read(plain()).alert
    assert not Zone(alert).holds(at(0, 0))
    assert Zone(alert).geometry() is None
