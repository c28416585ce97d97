# SPDX-License-Identifier: Apache-2.0
"""What was read and shown is read back as the same, whatever it is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities.document import NULL
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.entities.represent import represent
from citybrain.kernel.entities.shape import Format, Shape
from citybrain.kernel.ld.context import CORE, Context

AT = "2026-01-01T00:00:00Z"
OURS = Context(
    url="https://city.example/ours.jsonld",
    json="https://city.example/ours.jsonld",
    objects=[
        {"speed": "https://city.example/speed", "Bus": "https://city.example/Bus", "e": "https://city.example/e/"}
    ],
)

words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda text: text != NULL)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
ids = st.from_regex(r"urn:[a-z]{1,4}:[A-Za-z0-9]{1,6}", fullmatch=True).filter(lambda text: text != NULL)
names = st.from_regex(r"[a-z]{3,6}_[0-9a-z]{1,3}", fullmatch=True) | st.just("speed")
times = st.datetimes().map(lambda at: at.isoformat() + "Z")
positions = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list)
geometries = st.one_of(
    positions.map(lambda at: {"type": "Point", "coordinates": at}),
    st.lists(positions, min_size=2, max_size=4).map(lambda line: {"type": "LineString", "coordinates": line}),
    st.lists(positions, min_size=3, max_size=4).map(lambda r: {"type": "Polygon", "coordinates": [[*r, r[0]]]}),
)
tags = st.sampled_from(["en", "zh-Hans", "fr", "@none"])
VALUES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "Property": ("value", plain.filter(lambda value: value is not None)),
    "Relationship": ("object", ids | st.lists(ids, min_size=1, max_size=3)),
    "GeoProperty": ("value", geometries),
    "LanguageProperty": ("languageMap", st.dictionaries(tags, words | st.lists(words, min_size=1), max_size=3)),
    "VocabProperty": ("vocab", names | st.lists(names, min_size=1, max_size=3)),
    "ListProperty": ("valueList", st.lists(plain, max_size=3)),
    "ListRelationship": ("objectList", st.lists(ids.map(lambda id: {"object": id}), max_size=3)),
    "JsonProperty": ("json", st.dictionaries(words, plain, max_size=3) | st.lists(st.just({"a": 1}), max_size=2)),
}


@st.composite
def instances(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(VALUES)))
    key, values = VALUES[kind]
    made: dict[str, Any] = {"type": kind, key: draw(values)}
    if draw(st.booleans()):
        made["observedAt"] = draw(times)
    if kind in ("Property", "ListProperty") and draw(st.booleans()):
        made["unitCode"] = "MTR"
    if kind == "Relationship" and draw(st.booleans()):
        made["objectType"] = "Bus"
    if depth and draw(st.booleans()):
        made[draw(names)] = draw(instances(depth - 1))
    return made


@st.composite
def attributes(draw: st.DrawFn) -> Any:
    several = draw(st.lists(instances(), min_size=1, max_size=3))
    for number, one in enumerate(several[1:]):
        one["datasetId"] = f"urn:dataset:{number}"
    return several[0] if len(several) == 1 else several


@st.composite
def entities(draw: st.DrawFn) -> dict[str, Any]:
    made: dict[str, Any] = {"id": draw(ids), "type": draw(st.sampled_from(["Bus", ["Bus", "Tram"]]))}
    if draw(st.booleans()):
        made["scope"] = draw(st.sampled_from(["/a/b", ["/a", "/b_1"]]))
    return {**made, **draw(st.dictionaries(names, attributes(), max_size=4))}


@given(entity=entities())
def test_a_normalized_entity_is_shown_as_it_came(entity: dict[str, Any]) -> None:
    for context in (CORE, OURS):
        assert represent(read_entity(entity, context, AT), context) == entity


@pytest.mark.parametrize("format", [Format.NORMALIZED, Format.CONCISE])
@given(entity=entities())
def test_every_lossless_representation_is_read_back_as_the_same_document(
    format: Format, entity: dict[str, Any]
) -> None:
    document = read_entity(entity, OURS, AT)
    for context in (CORE, OURS):
        shown = represent(document, context, Shape(format=format))
        assert read_entity(shown, context, AT) == document
