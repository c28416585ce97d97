# SPDX-License-Identifier: Apache-2.0
"""Merging a fragment into an entity, and the laws of merging values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import NULL, EntityChange
from citybrain.kernel.entities.fragment import read_fragment
from citybrain.kernel.entities.merging import MergeOptions, merge_value
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.tests.test_verbs import BEFORE, BUS, D1, LATER, NOW, after, bus
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.ld.context import CORE


def merge(fragment: dict[str, Any], *, simplified: bool = False, **options: str) -> EntityChange | None:
    read = read_fragment(fragment, CORE, nulls=Nulls.MERGE, simplified=simplified)
    return verbs.merge(BEFORE, read, tenant="", at=LATER, options=MergeOptions(**options))


def speed_without(*members: str) -> dict[str, Any]:
    return {key: held for key, held in BUS["speed"][0].items() if key not in members}


def prop(value: Any, **members: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, **members}


# fmt: off
MERGED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"colour": "red"}, {"colour": {"type": "Property", "value": "red"}}, "what is new is added"),
    ({"speed": {"value": 1}}, {"speed": [{**BUS["speed"][0], "value": 1}, BUS["speed"][1]]}, "members stay"),
    ({"speed": {"unitCode": NULL}},
     {"speed": [speed_without("unitCode"), BUS["speed"][1]]}, "null deletes a member"),
    ({"speed": {"source": {"value": NULL}}},
     {"speed": [speed_without("source"), BUS["speed"][1]]}, "and an inner attribute"),
    ({"speed": {"source": {"precision": {"value": 1}}}},
     {"speed": [{**BUS["speed"][0], "source": prop("gps", precision=prop(1))}, BUS["speed"][1]]},
     "one inside the other"),
    ({"address": {"value": {"city": {"zip": NULL, "name": "C"}}}},
     {"address": {"type": "Property", "value": {"street": "Main", "city": {"name": "C"}}}}, "values are merged inside"),
    ({"address": {"street": NULL}},
     {"address": {"type": "Property", "value": {"city": {"name": "B", "zip": 1}}}}, "concise values too"),
    ({"address": {"value": "Main 1"}}, {"address": {"type": "Property", "value": "Main 1"}}, "another kind replaces"),
    ({"name": {"languageMap": {"fr": NULL, "es": "Autobús"}}},
     {"name": {"type": "LanguageProperty", "languageMap": {"en": "Bus", "es": "Autobús"}}}, "languages one by one"),
    ({"location": {"value": {"type": "Point", "coordinates": [3, 4]}}},
     {"location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [3, 4]}}}, "geometries as a whole"),
    ({"stop": {"type": "Property", "value": 5}}, {"stop": {"type": "Property", "value": 5}},
     "a type that is said counts"),
    ({"stop": NULL}, {"stop": None}, "null deletes an attribute"),
    ({"speed": {"value": NULL, "datasetId": D1}}, {"speed": BUS["speed"][0]}, "or one instance"),
    ({"name": {"languageMap": {"@none": NULL}}}, {"name": None}, "also of languages"),
    ({"scope": NULL}, {"scope": None}, "and the scope"),
    ({"scope": "/z"}, {"scope": "/z"}, "scopes are replaced"),
    ({"type": "Tram"}, {"type": ["Bus", "Tram"]}, "types are added"),
    ({"colour": {"value": {"a": NULL, "b": {"c": NULL}}}}, {"colour": {"type": "Property", "value": {"b": {}}}},
     "what is new keeps no null"),
]
# fmt: on


@pytest.mark.parametrize(("fragment", "changed", "why"), MERGED)
def test_a_merge_goes_into_the_entity_on_every_level(
    fragment: dict[str, Any], changed: dict[str, Any], why: str
) -> None:
    assert after(merge(fragment)) == bus(**changed), why


# fmt: off
SIMPLE: list[tuple[dict[str, Any], str, Any]] = [
    ({"speed": 7},                     "speed",    [{**BUS["speed"][0], "value": 7}, BUS["speed"][1]]),
    ({"stop": "urn:ngsi-ld:Stop:9"},   "stop",     {"type": "Relationship", "object": "urn:ngsi-ld:Stop:9"}),
    ({"address": {"street": "Side"}},  "address",
     {"type": "Property", "value": {"street": "Side", "city": {"name": "B", "zip": 1}}}),
    ({"colour": "red"},                "colour",   {"type": "Property", "value": "red"}),
    ({"name": {"languageMap": {"es": "Autobús"}}}, "name",
     {"type": "LanguageProperty", "languageMap": {"en": "Bus", "fr": "Bus", "es": "Autobús"}}),
]
# fmt: on


@pytest.mark.parametrize(("fragment", "name", "shown"), SIMPLE)
def test_a_bare_value_takes_the_type_that_is_there(fragment: dict[str, Any], name: str, shown: Any) -> None:
    assert after(merge(fragment, simplified=True))[name] == shown


def test_an_attribute_that_becomes_another_kind_loses_what_only_the_old_kind_has() -> None:
    shown = after(merge({"speed": {"type": "Relationship", "object": "urn:x:y"}}))["speed"][0]
    assert shown == {"type": "Relationship", "object": "urn:x:y", **speed_without("unitCode", "type", "value")}


def test_a_bare_text_is_the_text_in_the_language_asked_for() -> None:
    assert after(merge({"name": "Autocar"}, simplified=True, lang="fr"))["name"]["languageMap"] == {
        "en": "Bus",
        "fr": "Autocar",
    }


def test_a_bare_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadRequestData) as refusal:
        merge({"stop": "nowhere"}, simplified=True)
    assert refusal.value.code == "kernel.not_a_uri"


def test_observed_at_of_the_request_counts_where_there_was_one_and_none_is_said() -> None:
    shown = after(merge({"speed": 7, "stop": "urn:x:y"}, simplified=True, observed_at=NOW))
    assert shown["speed"][0]["observedAt"] == NOW
    assert "observedAt" not in shown["stop"]
    said = merge({"speed": {"value": 1, "observedAt": "2026-05-05T00:00:00Z"}}, observed_at=NOW)
    assert after(said)["speed"][0]["observedAt"] == "2026-05-05T00:00:00Z"


def test_a_merge_that_changes_nothing_is_none() -> None:
    assert merge({"id": BUS["id"], "type": "Bus"}) is None
    assert merge({"colour": NULL}) is None


def test_a_merge_may_give_an_expiry_and_take_it_away() -> None:
    change = merge({"expiresAt": "2027-01-01T00:00:00Z"})
    assert change is not None
    assert change.after is not None
    assert (change.after.expires_at, change.attributes) == ("2027-01-01T00:00:00Z", ())
    read = read_fragment({"expiresAt": NULL}, CORE, nulls=Nulls.MERGE)
    undone = verbs.merge(change.after, read, tenant="", at=LATER)
    assert undone is not None
    assert undone.after is not None
    assert undone.after.expires_at == ""


def test_a_merge_of_another_entity_is_refused() -> None:
    with pytest.raises(BadRequestData) as refusal:
        merge({"id": "urn:x:y"})
    assert refusal.value.code == "kernel.id_differs"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
patches = st.recursive(
    plain | st.just(NULL), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
)


@given(value=plain)
def test_an_empty_patch_changes_no_object(value: Any) -> None:
    if isinstance(value, dict):
        assert merge_value(value, {}) == value


@given(value=plain, patch=patches)
def test_the_same_patch_twice_is_the_same_as_once(value: Any, patch: Any) -> None:
    once = merge_value(value, patch)
    assert merge_value(once, patch) == once


@given(value=plain, patch=patches)
def test_no_null_is_ever_kept_inside(value: Any, patch: Any) -> None:
    if isinstance(patch, dict):
        assert NULL not in str(merge_value(value, patch))


@given(value=plain, other=plain)
def test_a_patch_of_all_members_makes_the_other_value(value: Any, other: Any) -> None:
    if isinstance(value, dict) and isinstance(other, dict):
        patch = {**{key: NULL for key in value}, **other}
        if not any(isinstance(held, dict) for held in other.values()):
            assert merge_value(value, patch) == other
