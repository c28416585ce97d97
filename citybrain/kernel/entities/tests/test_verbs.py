# SPDX-License-Identifier: Apache-2.0
"""What becomes of an entity by each verb of the standard."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import NULL, Document, Done, EntityChange
from citybrain.kernel.entities.fragment import read_attribute, read_attribute_fragment, read_entity, read_fragment
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.represent import represent
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.ld.context import CORE

FIRST = "2026-01-01T00:00:00Z"
LATER = datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)
NOW = "2026-01-02T03:04:05.5Z"

D1 = "urn:d:1"
BUS: dict[str, Any] = {
    "id": "urn:ngsi-ld:Bus:1",
    "type": "Bus",
    "scope": "/a",
    "speed": [
        {
            "type": "Property",
            "value": 50,
            "unitCode": "KMH",
            "observedAt": FIRST,
            "source": {"type": "Property", "value": "gps"},
        },
        {"type": "Property", "value": 49, "datasetId": D1},
    ],
    "stop": {"type": "Relationship", "object": "urn:ngsi-ld:Stop:1"},
    "name": {"type": "LanguageProperty", "languageMap": {"en": "Bus", "fr": "Bus"}},
    "address": {"type": "Property", "value": {"street": "Main", "city": {"name": "B", "zip": 1}}},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}},
}
BEFORE = read_entity(BUS, CORE, FIRST)


def bus(**changed: Any) -> dict[str, Any]:
    """The bus on the wire, with these members changed; None takes one away."""
    return {name: held for name, held in {**BUS, **changed}.items() if held is not None}


def after(change: EntityChange | None) -> dict[str, Any]:
    assert change is not None
    assert change.after is not None
    return represent(change.after, CORE)


def became(change: EntityChange | None) -> set[tuple[str, str, str]]:
    """What became of which attribute instance."""
    return {(one.name, one.dataset_id, str(one.done)) for one in change.attributes} if change else set()


def update(fragment: dict[str, Any], before: Document = BEFORE) -> verbs.Applied:
    return verbs.update(before, read_fragment(fragment, CORE), tenant="", at=LATER)


def append(fragment: dict[str, Any], *, overwrite: bool = True, before: Document = BEFORE) -> verbs.Applied:
    read = read_fragment(fragment, CORE, nulls=Nulls.REFUSED)
    return verbs.append(before, read, overwrite=overwrite, tenant="", at=LATER)


def partial(name: str, fragment: dict[str, Any]) -> EntityChange:
    return verbs.partial_update(BEFORE, name, read_attribute_fragment(name, fragment, CORE), tenant="", at=LATER)


# --- create, replace, delete


def test_a_new_entity_has_nothing_before_it() -> None:
    change = verbs.create("t", BEFORE, LATER)
    assert (change.tenant, change.id, change.done, change.before) == ("t", BUS["id"], Done.CREATED, None)
    assert {done for _, _, done in became(change)} == {"created"}
    assert len(change.attributes) == 6


def test_a_replaced_entity_keeps_nothing_but_when_it_was_made() -> None:
    new = read_entity({"id": BUS["id"], "type": "Tram", "stop": {"object": "urn:ngsi-ld:Stop:2"}}, CORE, NOW)
    change = verbs.replace(BEFORE, new, tenant="", at=LATER)
    assert after(change) == {
        "id": BUS["id"],
        "type": "Tram",
        "stop": {"type": "Relationship", "object": "urn:ngsi-ld:Stop:2"},
    }
    assert change.after is not None
    assert (change.after.created_at, change.after.modified_at) == (FIRST, NOW)
    assert (change.after.attributes["stop"][0].created_at, change.after.attributes["stop"][0].modified_at) == (
        FIRST,
        NOW,
    )
    assert ("stop", "", "updated") in became(change)
    assert ("speed", D1, "deleted") in became(change)


def test_an_entity_is_not_replaced_by_another_one() -> None:
    other = read_entity({"id": "urn:ngsi-ld:Bus:2", "type": "Bus"}, CORE, NOW)
    with pytest.raises(BadRequestData) as refusal:
        verbs.replace(BEFORE, other, tenant="", at=LATER)
    assert refusal.value.code == "kernel.id_differs"


def test_a_deleted_entity_loses_every_attribute_instance() -> None:
    change = verbs.delete(BEFORE, tenant="", at=LATER)
    assert (change.done, change.after) == (Done.DELETED, None)
    assert became(change) >= {("speed", "", "deleted"), ("speed", D1, "deleted"), ("location", "", "deleted")}


# --- append


def test_appending_adds_what_is_new_and_replaces_what_is_there() -> None:
    applied = append({"colour": {"value": "red"}, "speed": {"value": 10}, "type": "Vehicle", "scope": "/b"})
    assert after(applied.change) == bus(
        type=["Bus", "Vehicle"],
        scope="/b",
        colour={"type": "Property", "value": "red"},
        speed=[{"type": "Property", "value": 10}, BUS["speed"][1]],
    )
    assert applied.updated == ("type", "scope", "colour", "speed")
    assert applied.not_updated == ()
    assert became(applied.change) == {("colour", "", "created"), ("speed", "", "updated")}


def test_appending_without_overwriting_leaves_what_is_there() -> None:
    fragment = {
        "speed": [{"value": 1}, {"value": 2, "datasetId": "urn:d:2"}],
        "stop": {"object": "urn:x:y"},
        "scope": "/b",
    }
    applied = append(fragment, overwrite=False)
    assert after(applied.change) == bus(
        scope=["/a", "/b"], speed=[*BUS["speed"], {"type": "Property", "value": 2, "datasetId": "urn:d:2"}]
    )
    assert applied.updated == ("scope", "speed")
    assert dict(applied.not_updated) == {"speed": "kernel.attribute_exists", "stop": "kernel.attribute_exists"}


def test_nothing_appended_is_no_change() -> None:
    assert append({"stop": {"object": "urn:x:y"}}, overwrite=False).change is None


# --- update


def test_an_update_replaces_whole_attributes_and_adds_new_ones() -> None:
    applied = update({"speed": {"value": 10}, "colour": "red"})
    assert after(applied.change) == bus(
        speed=[{"type": "Property", "value": 10}, BUS["speed"][1]], colour={"type": "Property", "value": "red"}
    )
    assert applied.updated == ("speed", "colour")


def test_an_update_may_change_the_type_of_an_attribute() -> None:
    assert after(update({"stop": 5}).change)["stop"] == {"type": "Property", "value": 5}


def test_an_update_with_a_new_dataset_adds_an_instance() -> None:
    applied = update({"stop": {"object": "urn:x:y", "datasetId": D1}})
    assert became(applied.change) == {("stop", D1, "created")}


@pytest.mark.parametrize("null", [NULL, {"type": "Relationship", "object": NULL}])
def test_an_update_with_null_deletes(null: Any) -> None:
    applied = update({"stop": null})
    assert after(applied.change) == bus(stop=None)
    assert (applied.updated, became(applied.change)) == (("stop",), {("stop", "", "deleted")})


def test_only_the_instance_of_the_dataset_is_deleted() -> None:
    applied = update({"speed": {"type": "Property", "value": NULL, "datasetId": D1}})
    assert after(applied.change)["speed"] == BUS["speed"][0]


def test_what_is_not_there_cannot_be_deleted_by_an_update() -> None:
    applied = update({"colour": NULL, "stop": NULL})
    assert applied.not_updated == (("colour", "kernel.no_such_attribute"),)
    assert applied.updated == ("stop",)


def test_an_update_changes_the_scope_only_of_who_has_one() -> None:
    assert after(update({"scope": ["/b", "/c"]}).change)["scope"] == ["/b", "/c"]
    without = msgspec.structs.replace(BEFORE, scopes=())
    applied = update({"scope": "/b"}, without)
    assert (applied.change, applied.not_updated) == (None, (("scope", "kernel.no_such_attribute"),))


def test_types_are_added_and_those_there_are_no_change() -> None:
    assert after(update({"type": ["Tram", "Bus"]}).change)["type"] == ["Bus", "Tram"]
    assert update({"type": "Bus"}).change is None
    assert update({"type": "Bus"}).updated == ("type",)


def test_an_updated_attribute_without_expiry_becomes_lasting() -> None:
    fading = read_entity({**BUS, "stop": {"object": "urn:x:y", "expiresAt": "2027-01-01T00:00:00Z"}}, CORE, FIRST)
    change = update({"stop": {"object": "urn:x:y"}}, fading).change
    assert change is not None
    assert change.after is not None
    assert change.after.attributes["stop"][0].expires_at == ""


# --- partial update


def test_a_partial_update_leaves_what_it_does_not_mention() -> None:
    change = partial("speed", {"type": "Property", "value": 100, "observedAt": "2026-01-03T00:00:00.000Z"})
    shown = {**BUS["speed"][0], "value": 100, "observedAt": "2026-01-03T00:00:00.000Z"}
    assert after(change)["speed"] == [shown, BUS["speed"][1]]
    assert became(change) == {("speed", "", "updated")}
    (touched,) = change.attributes
    assert touched.after is not None
    assert (touched.after.created_at, touched.after.modified_at) == (FIRST, NOW)
    assert touched.after.attributes["source"][0].modified_at == FIRST


def test_a_partial_update_replaces_a_language_map_as_a_whole() -> None:
    change = partial("name", {"languageMap": {"es": "Autobús"}, "by": {"object": "urn:x:y"}})
    assert after(change)["name"]["languageMap"] == {"es": "Autobús"}
    assert after(change)["name"]["by"] == {"type": "Relationship", "object": "urn:x:y"}


def test_null_deletes_members_attributes_of_attributes_and_instances() -> None:
    shown = after(partial("speed", {"unitCode": NULL, "source": NULL}))["speed"][0]
    assert shown == {"type": "Property", "value": 50, "observedAt": FIRST}
    assert "stop" not in after(partial("stop", {"object": NULL}))
    assert after(partial("speed", {"value": NULL, "datasetId": D1}))["speed"] == BUS["speed"][0]
    assert "name" not in after(partial("name", {"languageMap": {"@none": NULL}}))


def test_a_bare_geometry_is_taken_where_a_geometry_is() -> None:
    there = {"type": "Point", "coordinates": [3, 4]}
    assert after(partial("location", {"value": there}))["location"]["value"] == there
    assert after(partial("address", {"value": there}))["address"] == {"type": "Property", "value": there}


# fmt: off
PARTIAL_REFUSED: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("speed",  {"type": "Relationship", "object": "urn:x:y"},  BadRequestData,         "kernel.attribute_type_differs"),
    ("speed",  {"object": "urn:x:y"},                          BadRequestData,         "kernel.attribute_type_differs"),
    ("location", {"value": "nowhere"},                         BadRequestData,         "kernel.attribute_type_fixed"),
    ("stop",   {"unitCode": "KMH"},                            BadRequestData,         "kernel.member_not_allowed"),
    ("speed",  {"objectType": "Bus"},                          BadRequestData,         "kernel.member_not_allowed"),
    ("speed",  {},                                             BadRequestData,         "kernel.fragment_empty"),
    ("speed",  {"datasetId": D1},                              BadRequestData,         "kernel.fragment_empty"),
    ("scope",  {"value": "/b"},                                BadRequestData,         "kernel.scope_no_attribute"),
    ("speed",  {"value": 1, "datasetId": "urn:d:9"},           verbs.NoSuchAttribute,  "kernel.no_such_dataset"),
    ("colour", {"value": 1},                                   verbs.NoSuchAttribute,  "kernel.no_such_attribute"),
]
# fmt: on


@pytest.mark.parametrize(("name", "fragment", "kind", "code"), PARTIAL_REFUSED)
def test_a_partial_update_that_does_not_fit_is_refused(
    name: str, fragment: dict[str, Any], kind: type[Exception], code: str
) -> None:
    with pytest.raises(kind) as refusal:
        partial(name, fragment)
    assert getattr(refusal.value, "code", "") == code


# --- replace and delete an attribute


def test_a_replaced_attribute_keeps_when_it_was_made() -> None:
    new = read_attribute("stop", {"type": "Property", "value": True}, CORE, NOW)
    change = verbs.replace_attribute(BEFORE, "stop", new, tenant="", at=LATER)
    assert after(change) == bus(stop={"type": "Property", "value": True})
    (touched,) = change.attributes
    assert touched.after is not None
    assert (touched.after.created_at, touched.after.modified_at) == (FIRST, NOW)


def test_one_dataset_of_an_attribute_is_replaced() -> None:
    new = read_attribute("speed", {"value": 1, "datasetId": D1}, CORE, NOW)
    change = verbs.replace_attribute(BEFORE, "speed", new, tenant="", at=LATER)
    assert after(change)["speed"] == [BUS["speed"][0], {"type": "Property", "value": 1, "datasetId": D1}]


@pytest.mark.parametrize(("name", "dataset_id"), [("colour", ""), ("stop", D1)])
def test_what_is_not_there_is_neither_replaced_nor_deleted(name: str, dataset_id: str) -> None:
    given = {"value": 1, "datasetId": dataset_id or "@none"}
    with pytest.raises(verbs.NoSuchAttribute):
        verbs.replace_attribute(BEFORE, name, read_attribute(name, given, CORE, NOW), tenant="", at=LATER)
    with pytest.raises(verbs.NoSuchAttribute):
        verbs.delete_attribute(BEFORE, name, dataset_id=dataset_id, tenant="", at=LATER)


def test_the_scope_is_deleted_but_not_replaced() -> None:
    change = verbs.delete_attribute(BEFORE, "scope", tenant="", at=LATER)
    assert after(change) == bus(scope=None)
    assert change.after is not None
    with pytest.raises(verbs.NoSuchAttribute):
        verbs.delete_attribute(change.after, "scope", tenant="", at=LATER)
    with pytest.raises(BadRequestData):
        verbs.replace_attribute(BEFORE, "scope", (), tenant="", at=LATER)


# fmt: off
DELETED = [
    ({},                    BUS["speed"][1]),
    ({"dataset_id": D1},    BUS["speed"][0]),
    ({"delete_all": True},  None),
]
# fmt: on


@pytest.mark.parametrize(("which", "left"), DELETED)
def test_one_instance_or_all_of_them_are_deleted(which: dict[str, Any], left: Any) -> None:
    assert after(verbs.delete_attribute(BEFORE, "speed", **which, tenant="", at=LATER)) == bus(speed=left)


def test_deleting_all_of_nothing_is_refused() -> None:
    with pytest.raises(verbs.NoSuchAttribute):
        verbs.delete_attribute(BEFORE, "colour", delete_all=True, tenant="", at=LATER)


# --- purge

# fmt: off
PURGED: list[tuple[dict[str, Any], set[str]]] = [
    ({"drop": {"speed", "nothing"}},  {"stop", "name", "address", "location"}),
    ({"keep": {"speed", "nothing"}},  {"speed"}),
]
# fmt: on


@pytest.mark.parametrize(("which", "left"), PURGED)
def test_purging_drops_some_attributes_or_keeps_some(which: dict[str, Any], left: set[str]) -> None:
    change = verbs.purge(BEFORE, **which, tenant="", at=LATER)
    assert change is not None
    assert change.after is not None
    assert set(change.after.attributes) == left


def test_purging_without_a_choice_deletes_the_entity() -> None:
    change = verbs.purge(BEFORE, tenant="", at=LATER)
    assert change is not None
    assert change.done is Done.DELETED
    assert verbs.purge(BEFORE, drop={"nothing"}, tenant="", at=LATER) is None


numbers = st.dictionaries(st.sampled_from(["speed", "colour", "weight"]), st.integers(), max_size=3)


@given(first=numbers, second=numbers)
def test_updates_of_different_attributes_may_come_in_any_order(first: dict[str, int], second: dict[str, int]) -> None:
    second = {name: value for name, value in second.items() if name not in first}

    def both(one: dict[str, int], two: dict[str, int]) -> dict[str, Any]:
        document = BEFORE
        for fragment in (one, two):
            change = update(fragment, document).change
            document = change.after if change and change.after else document
        return represent(document, CORE)

    assert both(first, second) == both(second, first)
