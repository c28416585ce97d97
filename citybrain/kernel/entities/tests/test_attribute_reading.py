# SPDX-License-Identifier: Apache-2.0
"""How attributes of every kind are read, and what of them is refused."""

from typing import Any

import pytest
from msgspec import UNSET

from citybrain.kernel.entities.attribute_reading import DEEPEST, Part, read_part, read_parts
from citybrain.kernel.entities.document import NULL, AttributeType
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.values import Nulls, Reading
from citybrain.kernel.ld.context import CORE, Context

WHOLE = Reading(context=CORE)
DELETE = Reading(context=CORE, nulls=Nulls.DELETE)
MERGE = Reading(context=CORE, nulls=Nulls.MERGE)
SIMPLE = Reading(context=CORE, nulls=Nulls.MERGE, simplified=True)
OURS = Context(
    url="https://city.example/c",
    json="",
    objects=[{"Bus": "https://city.example/Bus", "seen": "https://uri.etsi.org/ngsi-ld/observedAt"}],
)

POINT = {"type": "Point", "coordinates": [1, 2]}
A = AttributeType

# fmt: off
READ: list[tuple[Any, AttributeType, Any, bool]] = [
    (5,                                                       A.PROPERTY, 5, True),
    ("text",                                                  A.PROPERTY, "text", True),
    (False,                                                   A.PROPERTY, False, True),
    ([1, 2],                                                  A.PROPERTY, [1, 2], True),
    ([],                                                      A.PROPERTY, [], True),
    ([{"a": 1}, {"type": "Point"}],                           A.PROPERTY, [{"a": 1}, {"type": "Point"}], True),
    ({"street": "Main", "number": 5},                         A.PROPERTY, {"street": "Main", "number": 5}, True),
    ({"type": "PostalAddress", "street": "Main"},             A.PROPERTY,
     {"type": "PostalAddress", "street": "Main"}, True),
    ({},                                                      A.PROPERTY, {}, True),
    (POINT,                                                   A.GEO_PROPERTY, POINT, True),
    ({"value": POINT},                                        A.GEO_PROPERTY, POINT, True),
    ({"type": "Property", "value": POINT},                    A.PROPERTY, POINT, False),
    ({"type": "GeoProperty", "value": POINT},                 A.GEO_PROPERTY, POINT, False),
    ({"@type": "Property", "value": 1},                       A.PROPERTY, 1, False),
    ({"type": "Property", "value": {"@type": "DateTime", "@value": "2026-01-01T00:00:00Z"}},
     A.PROPERTY, {"@type": "DateTime", "@value": "2026-01-01T00:00:00Z"}, False),
    ({"value": 5},                                            A.PROPERTY, 5, True),
    ({"object": "urn:a:b"},                                   A.RELATIONSHIP, "urn:a:b", True),
    ({"type": "Relationship", "object": ["urn:a:b", "urn:a:c"]}, A.RELATIONSHIP, ["urn:a:b", "urn:a:c"], False),
    ({"languageMap": {"en": "x", "sk": ["a", "b"], "@none": "y"}},
     A.LANGUAGE_PROPERTY, {"en": "x", "sk": ["a", "b"], "@none": "y"}, True),
    ({"vocab": "word"},                                       A.VOCAB_PROPERTY, "word", True),
    ({"type": "VocabProperty", "vocab": ["a", "b"]},          A.VOCAB_PROPERTY, ["a", "b"], False),
    ({"valueList": [1, {"a": 2}]},                            A.LIST_PROPERTY, [1, {"a": 2}], True),
    ({"objectList": ["urn:a:b", {"object": "urn:a:c"}]},      A.LIST_RELATIONSHIP, ["urn:a:b", "urn:a:c"], True),
    ({"json": {"id": 1, "type": "x", "null": None}},
     A.JSON_PROPERTY, {"id": 1, "type": "x", "null": None}, True),
    ({"type": "JsonProperty", "json": [{"a": 1}]},            A.JSON_PROPERTY, [{"a": 1}], False),
]
# fmt: on


@pytest.mark.parametrize(("given", "kind", "value", "is_inferred"), READ)
def test_the_kind_of_an_attribute_is_said_or_follows_from_its_value(
    given: Any, kind: AttributeType, value: Any, is_inferred: bool
) -> None:
    assert read_parts("here", given, WHOLE) == (Part(type=kind, value=value, is_inferred=is_inferred),)


def test_members_are_sorted_into_their_fields() -> None:
    given = {
        "type": "Property",
        "value": 5,
        "observedAt": "2026-01-01T00:00:00.000Z",
        "unitCode": "KMH",
        "datasetId": "urn:d:1",
        "expiresAt": "2027-01-01T00:00:00Z",
        "valueType": "xsd:double",
        "createdAt": "what clients say of this does not count",
        "modifiedAt": 5,
        "instanceId": "urn:ngsi-ld:instance:7",
        "accuracy": 0.5,
        "by": {"object": "urn:a:b", "since": {"value": 1}},
    }
    (part,) = read_parts("speed", given, WHOLE)
    assert part.dataset_id == "urn:d:1"
    assert part.members == {
        "observed_at": "2026-01-01T00:00:00.000Z",
        "unit_code": "KMH",
        "expires_at": "2027-01-01T00:00:00Z",
    }
    assert part.extra == {"valueType": "xsd:double"}
    assert part.instance_id == "urn:ngsi-ld:instance:7"
    assert part.attributes["accuracy"] == (Part(type=A.PROPERTY, value=0.5, is_inferred=True),)
    assert part.attributes["by"][0].attributes["since"][0].value == 1


def test_names_types_and_words_become_internal() -> None:
    reading = Reading(context=OURS)
    (part,) = read_parts(
        "near", {"object": "urn:a:b", "objectType": ["Bus", "Tram"], "seen": "2026-01-01T00:00:00Z"}, reading
    )
    assert part.members == {
        "object_type": ("https://city.example/Bus", "Tram"),
        "observed_at": "2026-01-01T00:00:00Z",
    }
    assert read_parts("kind", {"vocab": ["Bus", "x"]}, reading)[0].value == ["https://city.example/Bus", "x"]


def test_an_array_of_instances_has_one_for_each_dataset() -> None:
    given = [{"value": 1, "datasetId": "@none"}, {"type": "Property", "value": 2, "datasetId": "urn:d:1"}]
    assert [(part.dataset_id, part.value) for part in read_parts("speed", given, WHOLE)] == [("", 1), ("urn:d:1", 2)]


def test_in_a_history_a_dataset_may_come_again() -> None:
    given = [{"value": 1}, {"value": 2}]
    assert len(read_parts("speed", given, Reading(context=CORE, repeats=True))) == 2


def test_the_proof_of_a_seal_is_kept_with_what_was_sealed() -> None:
    given = {"type": "Property", "value": {"p": 1}, "entityIdSealed": "urn:a:b", "entityTypeSealed": "Bus"}
    (part,) = read_parts("ngsildproof", given, Reading(context=OURS))
    assert part.extra == {"entityIdSealed": "urn:a:b", "entityTypeSealed": "https://city.example/Bus"}


def deep(levels: int) -> Any:
    given: dict[str, Any] = {"value": 1}
    for _ in range(levels - 1):
        given = {"value": 1, "sub": given}
    return given


def test_attributes_may_stand_in_each_other_only_so_deep() -> None:
    read_parts("speed", deep(DEEPEST), WHOLE)
    with pytest.raises(BadRequestData) as refusal:
        read_parts("speed", deep(DEEPEST + 1), WHOLE)
    assert refusal.value.code == "kernel.too_deep"


def prop(**members: Any) -> dict[str, Any]:
    return {"type": "Property", "value": 1, **members}


def rel(**members: Any) -> dict[str, Any]:
    return {"type": "Relationship", "object": "urn:a:b", **members}


# fmt: off
REFUSED: list[tuple[Any, str, str]] = [
    (None,                                              "value_invalid", "speed"),
    (NULL,                                              "null_not_allowed", "speed"),
    ({"type": "Property"},                              "attribute_without_value", "speed"),
    ({"type": "Property", "object": "urn:a:b"},         "attribute_without_value", "speed"),
    ({"type": "Relationship"},                          "attribute_without_value", "speed"),
    ({"type": "LanguageProperty"},                      "attribute_without_value", "speed"),
    ({"observedAt": "2026-01-01T00:00:00Z"},            "attribute_without_value", "speed"),
    ({"unitCode": "KMH", "x": 1},                       "attribute_without_value", "speed"),
    ({"type": "Property", "value": None},               "value_invalid", "speed"),
    (prop(value=NULL),                                     "null_not_allowed", "speed"),
    (prop(value={"a": {"b": NULL}}),                       "null_not_allowed", "speed"),
    (prop(value=["x", [NULL]]),                            "null_not_allowed", "speed"),
    (rel(object=NULL),                                    "null_not_allowed", "speed"),
    (prop(sub=prop(value=NULL)),                              "null_not_allowed", "speed.sub"),
    (prop(observedAt=NULL),                                "null_not_allowed", "speed.observedAt"),
    (prop(unitCode=NULL),                                  "null_not_allowed", "speed.unitCode"),
    (prop(datasetId=NULL),                                 "null_not_allowed", "speed.datasetId"),
    ({"languageMap": {"@none": NULL}},                  "null_not_allowed", "speed"),
    ({"languageMap": {"en": NULL}},                     "null_not_allowed", "speed"),
    ({"json": {"a": [NULL]}},                           "null_not_allowed", "speed"),
    ({"valueList": [NULL]},                             "null_not_allowed", "speed"),
    ({"type": "Thing", "value": 1},                     "attribute_type_unknown", "speed"),
    ({"type": ["Property"], "value": 1},                "attribute_type_unknown", "speed"),
    ({"type": 5, "value": 1},                           "attribute_type_unknown", "speed"),
    (prop(object="urn:a:b"),                               "member_not_allowed", "speed.object"),
    (prop(languageMap={"en": "a"}),                        "member_not_allowed", "speed.languageMap"),
    (prop(valueList=[1]),                                  "member_not_allowed", "speed.valueList"),
    (prop(previousValue=0),                                "member_not_allowed", "speed.previousValue"),
    (prop(entityIdSealed="urn:a:b"),                       "member_not_allowed", "speed.entityIdSealed"),
    (prop(entity={}),                                      "member_not_allowed", "speed.entity"),
    (prop(**{"@context": {}}),                             "member_not_allowed", "speed.@context"),
    ({"street": "Main", "@context": {}},                "member_not_allowed", "speed.@context"),
    (prop(objectType="Bus"),                               "member_not_allowed", "speed.objectType"),
    (prop(unitCode=5),                                     "member_not_allowed", "speed.unitCode"),
    (prop(unitCode=""),                                    "member_not_allowed", "speed.unitCode"),
    (prop(valueType=5),                                    "member_not_allowed", "speed.valueType"),
    (prop(lang=5),                                         "member_not_allowed", "speed.lang"),
    (rel(unitCode="KMH"),                                 "member_not_allowed", "speed.unitCode"),
    (rel(value=1),                                        "member_not_allowed", "speed.value"),
    (rel(previousObject="urn:a:c"),                       "member_not_allowed", "speed.previousObject"),
    (rel(objectType="9x"),                                "type_invalid", "speed.objectType"),
    ({"json": {}, "unitCode": "KMH"},                   "member_not_allowed", "speed.unitCode"),
    ({"json": {}, "value": 1},                          "member_not_allowed", "speed.value"),
    ({"languageMap": {"en": "x"}, "valueType": "xsd:string"}, "member_not_allowed", "speed.valueType"),
    (rel(object="here"),                                  "not_a_uri", "speed"),
    (rel(object=["urn:a:b", 5]),                          "not_a_uri", "speed"),
    (rel(object=[]),                                      "value_invalid", "speed"),
    (rel(object={"a": 1}),                                "not_a_uri", "speed"),
    ({"objectList": ["not a uri"]},                     "not_a_uri", "speed"),
    ({"objectList": [{"object": "urn:a:b", "x": 1}]},   "not_a_uri", "speed"),
    ({"objectList": "urn:a:b"},                         "value_invalid", "speed"),
    ({"valueList": 5},                                  "value_invalid", "speed"),
    ({"json": 5},                                       "value_invalid", "speed"),
    ({"vocab": 5},                                      "value_invalid", "speed"),
    ({"vocab": []},                                     "value_invalid", "speed"),
    ({"vocab": ["a", ""]},                              "value_invalid", "speed"),
    ({"languageMap": "x"},                              "value_invalid", "speed"),
    ({"languageMap": {"en": 5}},                        "value_invalid", "speed"),
    ({"languageMap": {"en": ["a", 5]}},                 "value_invalid", "speed"),
    ({"languageMap": {"": "x"}},                        "language_invalid", "speed"),
    ({"type": "GeoProperty", "value": 5},               "geometry_not_an_object", "speed"),
    ({"value": {"type": "Point", "coordinates": []}},   "geometry_position", "speed"),
    (prop(observedAt="2026-01-01T00:00:00+01:00"),         "time_invalid", "speed.observedAt"),
    (prop(observedAt=prop(value="2026-01-01T00:00:00Z")),     "time_invalid", "speed.observedAt"),
    (prop(expiresAt="soon"),                               "time_invalid", "speed.expiresAt"),
    (prop(datasetId="gps"),                                "not_a_uri", "speed.datasetId"),
    (prop(**{"my sub": 1}),                                "name_invalid", "speed.my sub"),
    (prop(**{"@sub": 1}),                                  "name_invalid", "speed.@sub"),
    ([prop(), prop(datasetId="@none")],                       "dataset_twice", "speed"),
    ([prop(datasetId="urn:d:1"), prop(datasetId="urn:d:1")],  "dataset_twice", "speed"),
]
# fmt: on


@pytest.mark.parametrize(("given", "code", "where"), REFUSED)
def test_what_the_standard_does_not_allow_is_refused_where_it_stands(given: Any, code: str, where: str) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_parts("speed", given, WHOLE)
    assert refusal.value.code == f"kernel.{code}"
    assert refusal.value.facts["member"] == where


@pytest.mark.parametrize("name", ["location", "observationSpace", "operationSpace"])
@pytest.mark.parametrize("given", [7, prop(), rel(), {"value": "x"}])
def test_what_is_a_place_by_definition_cannot_be_anything_else(name: str, given: Any) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_parts(name, given, WHOLE)
    assert refusal.value.code == "kernel.attribute_type_fixed"


def test_the_same_attribute_under_two_names_is_refused() -> None:
    iri = "https://uri.etsi.org/ngsi-ld/default-context/sub"
    with pytest.raises(BadRequestData) as refusal:
        read_parts("speed", prop(sub=1, **{iri: 2}), WHOLE)
    assert refusal.value.code == "kernel.attribute_twice"


def test_a_value_that_no_one_else_may_have_needs_an_object() -> None:
    with pytest.raises(BadRequestData):
        read_part("speed", 5, WHOLE)


# fmt: off
PARTIAL: list[tuple[Any, Reading, Part]] = [
    (NULL,                                DELETE, Part(value=NULL)),
    (prop(value=NULL),                       DELETE, Part(type=A.PROPERTY, value=NULL)),
    (rel(object=NULL),                      DELETE, Part(type=A.RELATIONSHIP, value=NULL)),
    ({"languageMap": {"@none": NULL}},    DELETE, Part(type=A.LANGUAGE_PROPERTY, value=NULL, is_inferred=True)),
    ({"languageMap": NULL},               DELETE, Part(type=A.LANGUAGE_PROPERTY, value=NULL, is_inferred=True)),
    ({"observedAt": NULL},                DELETE, Part(members={"observed_at": NULL}, is_inferred=True)),
    ({"unitCode": "KMH"},                 DELETE, Part(members={"unit_code": "KMH"}, is_inferred=True)),
    ({"sub": {"value": NULL}},            MERGE,
     Part(attributes={"sub": (Part(type=A.PROPERTY, value=NULL, is_inferred=True),)}, is_inferred=True)),
    ({"sub": {"value": 1}},               DELETE,
     Part(attributes={"sub": (Part(type=A.PROPERTY, value=1, is_inferred=True),)}, is_inferred=True)),
    ({"street": "Main"},                  MERGE,  Part(type=A.PROPERTY, value={"street": "Main"}, is_inferred=True)),
    ({"street": NULL},                    MERGE,  Part(type=A.PROPERTY, value={"street": NULL}, is_inferred=True)),
    (prop(value={"a": NULL}),                MERGE,  Part(type=A.PROPERTY, value={"a": NULL})),
    ({"languageMap": {"en": NULL}},       MERGE,  Part(type=A.LANGUAGE_PROPERTY, value={"en": NULL}, is_inferred=True)),
    (5,                                   SIMPLE, Part(type=A.PROPERTY, value=5, is_inferred=True)),
    ({"value": 5},                        SIMPLE, Part(type=A.PROPERTY, value={"value": 5}, is_inferred=True)),
    (POINT,                               SIMPLE, Part(type=A.GEO_PROPERTY, value=POINT, is_inferred=True)),
    ({"vocab": "x"},                      SIMPLE, Part(type=A.VOCAB_PROPERTY, value="x")),
    ({"json": {"a": 1}},                  SIMPLE, Part(type=A.JSON_PROPERTY, value={"a": 1})),
    ({"languageMap": {"en": "x"}},        SIMPLE, Part(type=A.LANGUAGE_PROPERTY, value={"en": "x"})),
    (NULL,                                SIMPLE, Part(value=NULL)),
]
# fmt: on


@pytest.mark.parametrize(("given", "reading", "part"), PARTIAL)
def test_a_fragment_may_speak_of_less_than_a_whole_attribute(given: Any, reading: Reading, part: Part) -> None:
    assert read_parts("here", given, reading) == (part,)


def test_a_simplified_attribute_with_several_instances_is_a_map_of_datasets() -> None:
    parts = read_parts("here", {"dataset": {"@none": 1, "urn:d:1": 2}}, SIMPLE)
    assert [(part.dataset_id, part.value) for part in parts] == [("", 1), ("urn:d:1", 2)]


def test_only_merging_goes_into_values() -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_parts("here", prop(value={"a": NULL}), DELETE)
    assert refusal.value.code == "kernel.null_not_allowed"


@pytest.mark.parametrize(
    "given", [prop(value=[NULL]), prop(value={"a": [{"b": NULL}]}), {"languageMap": {"en": [NULL]}}]
)
def test_a_null_within_a_list_deletes_nothing_and_is_refused(given: Any) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_parts("here", given, MERGE)
    assert refusal.value.code == "kernel.null_not_allowed"


def test_what_only_looks_like_a_geometry_is_a_value() -> None:
    given: dict[str, Any] = {"type": [], "coordinates": None}
    assert read_parts("here", given, WHOLE) == (Part(type=A.PROPERTY, value=given, is_inferred=True),)


def test_a_part_knows_whether_it_says_anything() -> None:
    assert read_part("here", {"datasetId": "urn:d:1"}, DELETE).is_empty
    assert not read_part("here", {"unitCode": "X"}, DELETE).is_empty
    assert read_part("here", {}, DELETE).value is UNSET
