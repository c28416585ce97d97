# SPDX-License-Identifier: Apache-2.0
"""Which geometries are taken, and what is said of those that are not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities.geojson_reading import looks_like_geometry, read_geometry
from citybrain.kernel.entities.refusals import BadRequestData

RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
VALID: list[dict[str, Any]] = [
    {"type": "Point", "coordinates": [13.4, 52.5]},
    {"type": "Point", "coordinates": [-180, 90, 8848.9]},
    {"type": "MultiPoint", "coordinates": [[0, 0]]},
    {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
    {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]]]},
    {"type": "Polygon", "coordinates": [RING, RING]},
    {"type": "MultiPolygon", "coordinates": [[RING]]},
    {"type": "Point", "coordinates": [0, 0], "bbox": [0, 0, 0, 0], "note": "foreign members are allowed"},
]


@pytest.mark.parametrize("geometry", VALID)
def test_every_kind_of_geometry_is_taken_as_it_is(geometry: dict[str, Any]) -> None:
    assert read_geometry("location", geometry) == geometry
    assert looks_like_geometry(geometry)


def test_a_geometry_may_be_written_in_a_text() -> None:
    geometry = read_geometry("location", '{"type": "Point", "coordinates": [17.1, 48.7]}')
    assert geometry == {"type": "Point", "coordinates": [17.1, 48.7]}


# fmt: off
INVALID: list[tuple[Any, str]] = [
    ({"type": "GeometryCollection", "geometries": []},                "type"),
    ({"type": "Circle", "coordinates": [0, 0]},                       "type"),
    ({"coordinates": [0, 0]},                                         "type"),
    ({"type": ["Point"], "coordinates": [0, 0]},                      "type"),
    ({"type": "Point", "coordinates": [0, 0], "properties": {}},      "member"),
    ({"type": "Point"},                                               "position"),
    ({"type": "Point", "coordinates": []},                            "position"),
    ({"type": "Point", "coordinates": [0]},                           "position"),
    ({"type": "Point", "coordinates": [0, 0, 0, 0]},                  "position"),
    ({"type": "Point", "coordinates": ["0", 0]},                      "position"),
    ({"type": "Point", "coordinates": [True, 0]},                     "position"),
    ({"type": "Point", "coordinates": [[0, 0]]},                      "position"),
    ({"type": "Point", "coordinates": [181, 0]},                      "outside"),
    ({"type": "Point", "coordinates": [0, 90.1]},                     "outside"),
    ({"type": "LineString", "coordinates": [[0, 0]]},                 "coordinates"),
    ({"type": "LineString", "coordinates": {}},                       "coordinates"),
    ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]},  "coordinates"),
    ({"type": "Polygon", "coordinates": [[*RING, [5, 5]]]},           "open_ring"),
    ({"type": "Polygon", "coordinates": RING},                        "coordinates"),
    ({"type": "MultiPolygon", "coordinates": [RING]},                 "coordinates"),
    ("not a geometry",                                                "text"),
    ('"a text in a text"',                                            "not_an_object"),
    ("[" * 100_000,                                                   "text"),
    (7,                                                               "not_an_object"),
    (None,                                                            "not_an_object"),
    ([1, 2],                                                          "not_an_object"),
]
# fmt: on


@pytest.mark.parametrize(("given_value", "why"), INVALID)
def test_what_is_no_geometry_is_refused_with_the_reason(given_value: Any, why: str) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_geometry("location", given_value)
    assert refusal.value.code == f"kernel.geometry_{why}"
    assert refusal.value.facts["member"] == "location"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["type", "coordinates"]), inner),
    max_leaves=20,
)


@given(kind=st.sampled_from([one["type"] for one in VALID]), coordinates=anything)
def test_no_coordinates_whatsoever_break_the_reading(kind: str, coordinates: Any) -> None:
    geometry = {"type": kind, "coordinates": coordinates}
    try:
        assert read_geometry("location", geometry) is geometry
    except BadRequestData as refusal:
        assert refusal.code.startswith("kernel.geometry_")
