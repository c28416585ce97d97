# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import mapping, shape

from citybrain.kernel.entities.geometry import (
    WGS84,
    GeoQuery,
    Relation,
    distance_m,
    great_circle_m,
    lies,
    read_geometry,
)
from citybrain.kernel.entities.query import read_geo
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.geo import distance_m as sphere_m
from citybrain.kernel.ld.context import CORE

SQUARE = [[[10, 50], [11, 50], [11, 51], [10, 51], [10, 50]]]
POINTS = st.tuples(st.floats(-170, 170), st.floats(-80, 80))
OFFSETS = st.floats(0.01, 3)


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def box(lon: float, lat: float, width: float, height: float) -> dict[str, Any]:
    return dict(mapping(shapely.box(lon, lat, lon + width, lat + height)))


def line(a: tuple[float, float], b: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(a), list(b)]}


BOXES = st.builds(box, st.floats(-100, 100), st.floats(-60, 60), OFFSETS, OFFSETS)
# Whole degrees, so that geometries often touch, cover or equal each other.
COARSE = st.tuples(st.integers(0, 4), st.integers(0, 4))
GEOMETRIES = (
    st.builds(lambda at: point(*at), COARSE)
    | st.builds(line, COARSE, COARSE).filter(lambda made: made["coordinates"][0] != made["coordinates"][1])
    | st.builds(lambda at, wide, tall: box(at[0], at[1], wide, tall), COARSE, st.integers(1, 3), st.integers(1, 3))
    | st.builds(
        lambda some: {"type": "MultiPoint", "coordinates": [list(at) for at in some]}, st.lists(COARSE, min_size=1)
    )
)


def asked(relation: Relation, geometry: dict[str, Any], **metres: Any) -> GeoQuery:
    return GeoQuery(relation=relation, geometry=read_geometry(geometry["type"], geometry["coordinates"]), **metres)


@given(GEOMETRIES, GEOMETRIES, st.sampled_from([each for each in Relation if each is not Relation.NEAR]))
def test_relations_are_those_of_simple_features(
    target: dict[str, Any], other: dict[str, Any], relation: Relation
) -> None:
    expected = getattr(shape(target), str(relation))(shape(other))
    assert lies(target, asked(relation, other)) is bool(expected)


@given(POINTS, POINTS)
def test_the_distance_between_points_is_that_on_the_ellipsoid(a: tuple[float, float], b: tuple[float, float]) -> None:
    expected = WGS84.inv(*a, *b)[2]
    assert distance_m(shape(point(*a)), shape(point(*b))) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert great_circle_m(point(*a), shape(point(*b))) == pytest.approx(sphere_m(a, b))


@given(st.floats(-170, 170), st.floats(-75, 75), st.floats(0.001, 0.5), st.floats(0.01, 0.5))
def test_a_box_is_as_far_as_its_nearest_side(lon: float, lat: float, gap: float, height: float) -> None:
    side = shape(box(lon + gap, lat - height, 1.0, 2 * height))
    nearest = min(WGS84.inv(lon, lat, lon + gap, lat + up / 200 * height)[2] for up in range(-200, 201))
    assert distance_m(shape(point(lon, lat)), side) == pytest.approx(nearest, rel=0.005)


NEAR = [
    (point(13.3986, 52.5547), {"at_most_m": 15_000.0}, True),
    (point(13.3986, 52.5547), {"at_least_m": 15_000.0}, False),
    (point(13.1, 52.3), {"at_least_m": 15_000.0}, True),
    (box(13.38, 52.5, 1, 1), {"at_most_m": 1.0}, True),
    (box(13.5, 52.5, 1, 1), {"at_most_m": 7_000.0}, False),
]


@pytest.mark.parametrize(("target", "metres", "meant"), NEAR)
def test_near_means_within_or_outside_of_a_distance(
    target: dict[str, Any], metres: dict[str, float], meant: bool
) -> None:
    assert lies(target, asked(Relation.NEAR, point(13.38893, 52.534473), **metres)) is meant


def test_nothing_ends_at_the_180th_meridian() -> None:
    near = asked(Relation.NEAR, point(179.999, 10), at_most_m=1_000.0)
    assert lies(point(-179.999, 10), near)
    assert lies(line((-179.999, 9.9), (-179.999, 10.1)), near)


def test_what_is_no_geometry_lies_nowhere() -> None:
    for broken in (None, "Point", {}, {"type": "Point"}, {"type": "Point", "coordinates": []}, {"type": "Star"}):
        assert not lies(broken, asked(Relation.DISJOINT, point(1, 1)))


REFUSED = [
    {"georel": "near"},
    {"georel": "near;maxDistance==1"},
    {"georel": "near;maxDistance==0", "geometry": "Point", "coordinates": "[1,2]"},
    {"georel": "near;maxDistance==1e400", "geometry": "Point", "coordinates": "[1,2]"},
    {"georel": "near;distance==5", "geometry": "Point", "coordinates": "[1,2]"},
    {"georel": "near", "geometry": "Point", "coordinates": "[1,2]"},
    {"georel": "within;maxDistance==5", "geometry": "Point", "coordinates": "[1,2]"},
    {"georel": "invalid", "geometry": "Point", "coordinates": "[1,2]"},
    {"georel": "equals", "geometry": "GeometryCollection", "coordinates": "[1,2]"},
    {"georel": "equals", "geometry": "Point", "coordinates": "[1,"},
    {"georel": "equals", "geometry": "Point", "coordinates": "[181,2]"},
    {"georel": "equals", "geometry": "Polygon", "coordinates": "[1,2]"},
    {"georel": "equals", "geometry": "Point", "coordinates": "[1,2]", "geoproperty": "id"},
]


@pytest.mark.parametrize("params", REFUSED)
def test_a_question_about_place_that_makes_no_sense_is_refused(params: dict[str, str]) -> None:
    with pytest.raises(BadRequestData):
        read_geo(params, CORE)


def test_a_question_about_place_is_read() -> None:
    geo = read_geo(
        {"georel": "near;maxDistance==2000", "geometry": "Polygon", "coordinates": SQUARE, "geoproperty": "area"}, CORE
    )
    assert geo is not None
    assert (geo.relation, geo.at_most_m, geo.at_least_m, geo.name) == (Relation.NEAR, 2000.0, None, "area")
