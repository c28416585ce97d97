# SPDX-License-Identifier: Apache-2.0
"""Entities and fragments of them, as they come from the wire."""

from typing import Any

import pytest

from citybrain.kernel.entities.document import NULL, AttributeType, Document, Instance
from citybrain.kernel.entities.fragment import (
    Fragment,
    read_attribute,
    read_attribute_fragment,
    read_attribute_name,
    read_entity,
    read_fragment,
)
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.represent import represent
from citybrain.kernel.entities.shape import Format, Shape
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.ld.context import CORE, Context

AT = "2026-01-01T00:00:00Z"
BUS = {"id": "urn:ngsi-ld:Bus:1", "type": "Bus"}
OURS = Context(url="https://city.example/c", json="", objects=[{"Bus": "https://city.example/Bus"}])


def test_a_whole_entity_is_stamped_on_every_level() -> None:
    payload = {
        **BUS,
        "@context": "whatever",
        "scope": "/a",
        "expiresAt": "2027-01-01T00:00:00Z",
        "createdAt": "1999-01-01T00:00:00Z",
        "speed": {"type": "Property", "value": 5, "source": {"value": "gps"}},
    }
    stamps: dict[str, Any] = {"created_at": AT, "modified_at": AT}
    source = Instance(type=AttributeType.PROPERTY, value="gps", **stamps)
    assert read_entity(payload, CORE, AT) == Document(
        id="urn:ngsi-ld:Bus:1",
        types=("Bus",),
        scopes=("/a",),
        expires_at="2027-01-01T00:00:00Z",
        attributes={
            "speed": (Instance(type=AttributeType.PROPERTY, value=5, attributes={"source": (source,)}, **stamps),)
        },
        **stamps,
    )


def test_the_keywords_of_json_ld_mean_id_and_type() -> None:
    document = read_entity({"@id": "urn:a:b", "@type": ["Bus", "Tram", "Bus"]}, OURS, AT)
    assert (document.id, document.types) == ("urn:a:b", ("https://city.example/Bus", "Tram"))


def test_a_context_may_have_words_of_its_own_for_id_and_type() -> None:
    german = Context(url="https://city.example/de", json="", objects=[{"kennung": "@id", "art": "@type"}])
    document = read_entity({"kennung": "urn:a:b", "art": "Bus"}, german, AT)
    assert (document.id, document.types) == ("urn:a:b", ("Bus",))


# fmt: off
REFUSED: list[tuple[Any, str]] = [
    ([],                                          "not_an_object"),
    (None,                                        "not_an_object"),
    ({"type": "Bus"},                             "member_missing"),
    ({"id": "urn:a:b"},                           "member_missing"),
    ({"id": "urn:a:b", "type": []},               "member_missing"),
    ({"id": "bus", "type": "Bus"},                "not_a_uri"),
    ({"id": NULL, "type": "Bus"},                 "not_a_uri"),
    ({"id": 5, "type": "Bus"},                    "not_a_uri"),
    ({"id": "urn:a:\u202eb", "type": "Bus"},      "not_a_uri"),
    ({"id": "urn:a:b", "type": "type"},           "type_invalid"),
    ({"id": "urn:a:b", "type": "9Bus"},           "type_invalid"),
    ({"id": "urn:a:b", "type": ["Bus", 5]},       "type_invalid"),
    ({"id": "urn:a:b", "type": NULL},             "type_invalid"),
    ({**BUS, "scope": NULL},                      "null_not_allowed"),
    ({**BUS, "scope": "9"},                       "scope_invalid"),
    ({**BUS, "expiresAt": NULL},                  "null_not_allowed"),
    ({**BUS, "expiresAt": "soon"},                "time_invalid"),
    ({**BUS, "speed": NULL},                      "null_not_allowed"),
    ({**BUS, "my attr": 1},                       "name_invalid"),
    ({**BUS, "datasetId": {"value": 1}},          "member_not_allowed"),
    ({**BUS, "instanceId": {"value": 1}},         "member_not_allowed"),
    ({**BUS, "observedAt": {"value": 1}},         "member_not_allowed"),
    ({**BUS, "value": 1},                         "member_not_allowed"),
    ({**BUS, "unitCode": 1},                      "member_not_allowed"),
    ({**BUS, "ngsildproof": {"value": "text"}},   "proof_invalid"),
    ({**BUS, "speed": 1, "https://uri.etsi.org/ngsi-ld/default-context/speed": 2}, "attribute_twice"),
]
# fmt: on


@pytest.mark.parametrize(("payload", "code"), REFUSED)
def test_what_is_no_entity_is_refused_with_the_reason(payload: Any, code: str) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_entity(payload, CORE, AT)
    assert refusal.value.code == f"kernel.{code}"


def test_a_fragment_may_be_without_id_and_type() -> None:
    fragment = read_fragment({"scope": ["/a", "/b"], "speed": NULL}, CORE)
    assert (fragment.id, fragment.types, fragment.scopes) == ("", (), ("/a", "/b"))
    assert fragment.attributes["speed"][0].deletes


def test_a_merge_may_delete_scope_and_expiry() -> None:
    fragment = read_fragment({"scope": NULL, "expiresAt": NULL}, CORE, nulls=Nulls.MERGE)
    assert fragment == Fragment(scopes=(), expires_at=NULL)


def test_where_nothing_can_be_deleted_nulls_are_refused() -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_fragment({"speed": {"type": "Property", "value": NULL}}, CORE, nulls=Nulls.REFUSED)
    assert refusal.value.code == "kernel.null_not_allowed"


def test_an_attribute_may_have_the_name_of_a_value_when_its_type_is_said() -> None:
    document = read_entity({**BUS, "vocab": {"type": "VocabProperty", "vocab": "stopped"}}, CORE, AT)
    assert document.attributes["vocab"][0].value == "stopped"
    assert represent(document, CORE, Shape(format=Format.CONCISE))["vocab"] == {
        "type": "VocabProperty",
        "vocab": "stopped",
    }
    with pytest.raises(BadRequestData):
        read_fragment({"value": {"value": 5}}, CORE)


def test_an_attribute_alone_may_bring_its_context() -> None:
    (instance,) = read_attribute("speed", {"value": 5, "@context": "whatever"}, CORE, AT)
    assert (instance.value, instance.created_at) == (5, AT)
    part = read_attribute_fragment("speed", {"unitCode": "KMH", "@context": ["whatever"]}, CORE)
    assert part.members == {"unit_code": "KMH"}


def test_an_attribute_that_is_whole_has_a_value() -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_attribute("speed", {"type": "Property"}, CORE, AT)
    assert refusal.value.code == "kernel.attribute_without_value"


def test_instances_of_a_history_may_share_a_dataset() -> None:
    given = [{"value": 1, "observedAt": AT}, {"value": 2, "observedAt": "2026-01-02T00:00:00Z"}]
    assert [one.value for one in read_attribute("speed", given, CORE, AT, repeats=True)] == [1, 2]


def test_a_name_in_an_address_is_a_name() -> None:
    assert read_attribute_name("speed", CORE) == "speed"
    with pytest.raises(BadRequestData) as refusal:
        read_attribute_name("@invalid", CORE)
    assert refusal.value.code == "kernel.name_invalid"
