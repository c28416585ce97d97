# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.geo import (
    Position,
    bd09_from_gcj02,
    bounds,
    centre,
    distance_m,
    gcj02_from_bd09,
    gcj02_from_wgs84,
    wgs84_from_gcj02,
)

IN_CHINA = st.tuples(st.floats(75, 134), st.floats(4, 53))
ANYWHERE = st.tuples(st.floats(-180, 180), st.floats(-90, 90))

# WGS-84 and GCJ-02 as the tests of googollee/eviltransform have them (Shanghai, Shenzhen, Beijing).
KNOWN = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]


@pytest.mark.parametrize(("wgs84", "gcj02"), KNOWN)
def test_the_shift_is_that_of_the_published_reconstruction(wgs84: Position, gcj02: Position) -> None:
    assert distance_m(gcj02_from_wgs84(wgs84), gcj02) < 0.1


@given(IN_CHINA)
def test_there_and_back_through_gcj02_is_within_a_centimetre(place: Position) -> None:
    assert distance_m(wgs84_from_gcj02(gcj02_from_wgs84(place)), place) < 0.01


@given(IN_CHINA)
def test_there_and_back_through_bd09_is_within_a_centimetre(place: Position) -> None:
    assert distance_m(gcj02_from_bd09(bd09_from_gcj02(place)), place) < 0.01


@given(IN_CHINA)
def test_the_shift_moves_a_place_by_at_most_a_kilometre_and_a_half(place: Position) -> None:
    assert 10 < distance_m(gcj02_from_wgs84(place), place) < 1_500


def test_outside_china_nothing_is_shifted() -> None:
    ingolstadt = (11.4258, 48.7665)
    assert gcj02_from_wgs84(ingolstadt) == wgs84_from_gcj02(ingolstadt) == ingolstadt


@given(ANYWHERE, ANYWHERE)
def test_distance_is_the_same_both_ways_and_at_most_half_round_the_earth(a: Position, b: Position) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a))
    assert 0 <= distance_m(a, b) <= 20_015_200


def test_a_degree_of_latitude_is_111_kilometres() -> None:
    assert distance_m((11, 48), (11, 49)) == pytest.approx(111_195, rel=1e-4)


def test_bounds_hold_every_position_of_points_lines_and_polygons() -> None:
    point = {"type": "Point", "coordinates": [11.5, 48.7]}
    line = {"type": "LineString", "coordinates": [[11.4, 48.8], [11.45, 48.75]]}
    polygon = {"type": "Polygon", "coordinates": [[[11.6, 48.6], [11.61, 48.6], [11.61, 48.61], [11.6, 48.6]]]}
    assert bounds([point, None, line, polygon]) == (11.4, 48.6, 11.61, 48.8)
    assert bounds([None]) is None


def test_the_centre_of_a_geometry_is_the_middle_of_its_bounds_and_nothing_has_none() -> None:
    assert centre({"type": "LineString", "coordinates": [[10.0, 50.0], [12.0, 50.0], [12.0, 54.0]]}) == (11.0, 52.0)
    assert centre({"type": "Point", "coordinates": [10.0, 50.0]}) == (10.0, 50.0)
    assert centre(None) is None
