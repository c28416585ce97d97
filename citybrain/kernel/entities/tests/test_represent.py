# SPDX-License-Identifier: Apache-2.0
"""What entities look like in each shape."""

from typing import Any

import pytest

from citybrain.kernel.entities.document import NULL, AttributeType, Instance
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.entities.projection import Projection
from citybrain.kernel.entities.represent import (
    feature_collection,
    represent,
    show_instance,
    show_instances,
    show_types,
    shows,
)
from citybrain.kernel.entities.shape import Format, Shape, read_shape
from citybrain.kernel.ld.context import CORE, Context

AT = "2026-01-01T00:00:00Z"
OURS = Context(
    url="https://city.example/c",
    json="",
    objects=[{"Bus": "https://city.example/Bus", "speed": "https://city.example/speed"}],
)
D1 = "urn:d:1"
POINT = {"type": "Point", "coordinates": [1, 2]}
OTHER_POINT = {"type": "Point", "coordinates": [3, 4]}

BUS: dict[str, Any] = {
    "id": "urn:ngsi-ld:Bus:1",
    "type": "Bus",
    "scope": ["/a", "/b"],
    "speed": {
        "type": "Property",
        "value": 50,
        "unitCode": "KMH",
        "observedAt": AT,
        "by": {"type": "Property", "value": "gps"},
    },
    "colour": {"type": "Property", "value": "red"},
    "axles": [
        {"type": "Property", "value": 2},
        {"type": "Property", "value": 3, "datasetId": D1},
    ],
    "location": [
        {"type": "GeoProperty", "value": POINT},
        {"type": "GeoProperty", "value": OTHER_POINT, "datasetId": D1},
    ],
    "stop": {"type": "Relationship", "object": "urn:ngsi-ld:Stop:1"},
    "name": {"type": "LanguageProperty", "languageMap": {"en": "Bus", "fr": "Autocar"}},
    "kind": {"type": "VocabProperty", "vocab": ["city", "express"]},
    "route": {"type": "ListRelationship", "objectList": [{"object": "urn:ngsi-ld:Road:1"}]},
    "doors": {"type": "ListProperty", "valueList": [1, 2]},
    "raw": {"type": "JsonProperty", "json": {"a": None}},
    "address": {"type": "Property", "value": {"street": "Main"}},
}
DOCUMENT = read_entity(BUS, OURS, AT)


def shown(document: Any = DOCUMENT, **params: str) -> dict[str, Any]:
    return represent(document, OURS, read_shape(params, OURS))


def test_a_normalized_entity_says_everything() -> None:
    assert shown() == BUS
    assert list(shown())[:3] == ["id", "type", "scope"]


def test_without_a_context_names_are_whole() -> None:
    whole = represent(DOCUMENT, CORE)
    assert whole["type"] == "https://city.example/Bus"
    assert "https://city.example/speed" in whole
    assert "colour" in whole


def test_a_concise_entity_leaves_out_what_can_be_told() -> None:
    assert shown(options="concise") == {
        "id": "urn:ngsi-ld:Bus:1",
        "type": "Bus",
        "scope": ["/a", "/b"],
        "speed": {"value": 50, "unitCode": "KMH", "observedAt": AT, "by": "gps"},
        "colour": "red",
        "axles": [{"value": 2}, {"value": 3, "datasetId": D1}],
        "location": [{"value": POINT}, {"value": OTHER_POINT, "datasetId": D1}],
        "stop": {"object": "urn:ngsi-ld:Stop:1"},
        "name": {"languageMap": {"en": "Bus", "fr": "Autocar"}},
        "kind": {"vocab": ["city", "express"]},
        "route": {"objectList": [{"object": "urn:ngsi-ld:Road:1"}]},
        "doors": {"valueList": [1, 2]},
        "raw": {"json": {"a": None}},
        "address": {"value": {"street": "Main"}},
    }


def test_a_simplified_entity_has_bare_values() -> None:
    assert shown(options="keyValues") == {
        "id": "urn:ngsi-ld:Bus:1",
        "type": "Bus",
        "scope": ["/a", "/b"],
        "speed": 50,
        "colour": "red",
        "axles": {"dataset": {"@none": 2, D1: 3}},
        "location": {"dataset": {"@none": POINT, D1: OTHER_POINT}},
        "stop": "urn:ngsi-ld:Stop:1",
        "name": {"languageMap": {"en": "Bus", "fr": "Autocar"}},
        "kind": {"vocab": ["city", "express"]},
        "route": ["urn:ngsi-ld:Road:1"],
        "doors": [1, 2],
        "raw": {"json": {"a": None}},
        "address": {"street": "Main"},
    }


def test_a_property_that_holds_a_geometry_says_that_it_is_one() -> None:
    document = read_entity({"id": "urn:a:b", "type": "Bus", "x": {"type": "Property", "value": POINT}}, CORE, AT)
    assert shown(document, options="concise")["x"] == {"type": "Property", "value": POINT}


def test_the_times_of_the_broker_are_shown_when_asked_for() -> None:
    document = read_entity({**BUS, "expiresAt": "2027-01-01T00:00:00Z"}, OURS, AT)
    assert "expiresAt" not in shown(document)
    asked = shown(document, options="sysAttrs")
    assert (asked["createdAt"], asked["modifiedAt"], asked["expiresAt"]) == (AT, AT, "2027-01-01T00:00:00Z")
    assert asked["speed"]["createdAt"] == AT
    assert asked["speed"]["by"]["modifiedAt"] == AT
    assert shown(document, options="sysAttrs,keyValues")["createdAt"] == AT


# fmt: off
PROJECTIONS: list[tuple[dict[str, str], set[str]]] = [
    ({"pick": "id"},                              {"id"}),
    ({"pick": "speed"},                           {"speed"}),
    ({"pick": "type,speed,nothing"},              {"type", "speed"}),
    ({"pick": "scope"},                           {"scope"}),
    ({"pick": "speed,createdAt", "options": "sysAttrs"}, {"speed", "createdAt"}),
    ({"attrs": "speed,nothing"},                  {"id", "type", "scope", "speed"}),
    ({"omit": "id,type,scope,speed"},             set(BUS) - {"id", "type", "scope", "speed"}),
    ({"pick": "id,speed,stop", "omit": "colour"}, {"id", "speed", "stop"}),
    ({"omit": "stop{name}"},                      set(BUS)),
    ({"datasetId": D1},                           {"id", "type", "scope", "axles", "location"}),
]
# fmt: on


@pytest.mark.parametrize(("params", "members"), PROJECTIONS)
def test_only_what_is_asked_for_is_shown(params: dict[str, str], members: set[str]) -> None:
    assert set(shown(**params)) == members


def test_one_dataset_leaves_its_instance_alone() -> None:
    assert shown(datasetId=D1)["axles"] == {"type": "Property", "value": 3, "datasetId": D1}
    assert shown(datasetId="@none")["axles"] == {"type": "Property", "value": 2}
    assert shown(datasetId=f"@none,{D1}")["axles"] == BUS["axles"]


# fmt: off
SHOWN = [("id", True), ("speed", True), ("scope", True), ("nothing", False), ("nothing,type", True)]
# fmt: on


@pytest.mark.parametrize(("pick", "is_shown"), SHOWN)
def test_an_entity_of_which_nothing_is_picked_is_passed_by(pick: str, is_shown: bool) -> None:
    assert shows(DOCUMENT, read_shape({"pick": pick}, OURS)) is is_shown
    assert shows(DOCUMENT, Shape())


def test_a_language_filter_makes_a_text_of_a_language_map() -> None:
    assert shown(lang="fr")["name"] == {"type": "Property", "value": "Autocar", "lang": "fr"}
    assert shown(lang="fr", options="concise")["name"] == {"value": "Autocar", "lang": "fr"}
    assert shown(lang="fr", options="keyValues")["name"] == "Autocar"


def test_a_feature_has_the_geometry_that_was_chosen() -> None:
    shape = Shape(geojson=True)
    feature = represent(DOCUMENT, OURS, shape)
    assert (feature["id"], feature["type"], feature["geometry"]) == (BUS["id"], "Feature", POINT)
    assert feature["properties"] == {name: held for name, held in BUS.items() if name != "id"}
    assert represent(DOCUMENT, OURS, Shape(geojson=True, geometry_property="speed"))["geometry"] is None
    assert represent(DOCUMENT, OURS, Shape(geojson=True, geometry_property="area"))["geometry"] is None
    assert represent(DOCUMENT, OURS, Shape(geojson=True, dataset_ids=frozenset({D1})))["geometry"] == OTHER_POINT


def test_a_simplified_feature_has_simplified_properties() -> None:
    feature = represent(DOCUMENT, OURS, Shape(geojson=True, format=Format.SIMPLIFIED))
    assert feature["properties"]["speed"] == 50
    assert feature["properties"]["location"] == {"dataset": {"@none": POINT, D1: OTHER_POINT}}


def test_features_are_collected() -> None:
    assert feature_collection([]) == {"type": "FeatureCollection", "features": []}


STOP = {"id": "urn:ngsi-ld:Stop:1", "type": "Stop"}


def stop_only(id: str, pick: Projection | None, omit: Projection | None) -> Any:
    return {**STOP, **({"picked": sorted(pick.inside)} if pick else {})} if id == STOP["id"] else None


def test_linked_entities_are_shown_where_the_relationship_is() -> None:
    assert represent(DOCUMENT, OURS, Shape(), stop_only)["stop"] == {**BUS["stop"], "entity": STOP}
    simple = represent(DOCUMENT, OURS, Shape(format=Format.SIMPLIFIED), stop_only)
    assert simple["stop"] == STOP
    picked = represent(DOCUMENT, OURS, read_shape({"pick": "stop{name}"}, OURS), stop_only)
    assert picked == {"stop": {**BUS["stop"], "entity": {**STOP, "picked": ["name"]}}}


def test_a_list_of_objects_has_a_list_of_entities() -> None:
    payload = {"id": "urn:a:b", "type": "Bus", "stop": {"object": ["urn:ngsi-ld:Stop:1", "urn:ngsi-ld:Stop:9"]}}
    document = read_entity(payload, CORE, AT)
    assert represent(document, CORE, Shape(), stop_only)["stop"]["entityList"] == [STOP]
    simple = represent(document, CORE, Shape(format=Format.SIMPLIFIED), stop_only)["stop"]
    assert simple == [STOP, "urn:ngsi-ld:Stop:9"]


def test_what_was_deleted_is_shown_as_null() -> None:
    gone = Instance(type=AttributeType.VOCAB_PROPERTY, value=NULL)
    assert show_instance(gone, OURS) == {"type": "VocabProperty", "vocab": NULL}
    gone = Instance(type=AttributeType.PROPERTY, value=NULL)
    assert show_instance(gone, OURS, Shape(format=Format.SIMPLIFIED)) == NULL
    assert show_instance(gone, OURS, Shape(format=Format.CONCISE)) == {"value": NULL}


def test_an_attribute_can_be_shown_alone() -> None:
    assert show_instances("axles", DOCUMENT.attributes["axles"], OURS) == BUS["axles"]
    assert show_types(("https://city.example/Bus", "Tram"), OURS) == ["Bus", "Tram"]


def test_a_sealed_type_is_written_in_the_context_of_who_asks() -> None:
    proof = {"type": "Property", "value": {"p": 1}, "entityIdSealed": "urn:a:b", "entityTypeSealed": "Bus"}
    document = read_entity({"id": "urn:a:b", "type": "Bus", "ngsildproof": proof}, OURS, AT)
    assert represent(document, OURS)["ngsildproof"] == proof
    assert represent(document, CORE)["ngsildproof"]["entityTypeSealed"] == "https://city.example/Bus"
