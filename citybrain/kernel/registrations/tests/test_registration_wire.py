# SPDX-License-Identifier: Apache-2.0
"""What the wire may say of a registration, and what is refused (CIM 009 clauses 5.2.9, 5.9.2.4)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.ld.context import CORE
from citybrain.kernel.registrations.model import Mode, Registration
from citybrain.kernel.registrations.wire import InvalidRegistration, patched, read_registration, represent

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ID = "urn:ngsi-ld:ContextSourceRegistration:north"


def registration(**members: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": "Road"}]}],
        "endpoint": "http://north.example",
        **members,
    }


def read(**members: Any) -> Registration:
    return read_registration(registration(**members), CORE, NOON, id=ID)


def test_a_registration_without_mode_and_operations_is_inclusive_and_federates() -> None:
    north = read()
    assert north.mode is Mode.INCLUSIVE
    assert north.supports("queryEntity")
    assert not north.supports("createEntity")


def test_what_is_read_is_shown_as_it_came() -> None:
    wire = registration(
        information=[
            {
                "entities": [{"id": "urn:ngsi-ld:Road:1", "type": "Road"}, {"idPattern": "^urn:.*:2$", "type": "Lane"}],
                "propertyNames": ["speed"],
                "relationshipNames": ["partOf"],
            }
        ],
        mode="redirect",
        operations=["retrieveOps"],
        scope="/north",
        management={"timeout": 200, "cooldown": 1000, "cacheDuration": "PT5M", "localOnly": True},
        contextSourceInfo=[{"key": "Authorization", "value": "Bearer x"}],
        location={"type": "Point", "coordinates": [121.5, 31.2]},
        observationInterval={"startAt": "2026-01-01T00:00:00Z"},
        expiresAt="2027-01-01T00:00:00Z",
        refreshRate="PT1H",
        department="traffic",
    )
    shown = represent(read_registration(wire, CORE, NOON, id=ID), CORE)
    assert shown == wire


# fmt: off
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"type": "Registration"},                                    "another type"),
    ({"information": None},                                       "no information"),
    ({"information": []},                                         "an empty list of information"),
    ({"information": [{}]},                                       "information that informs of nothing"),
    ({"information": [{"entities": [{}]}]},                       "an entity without type, id and pattern"),
    ({"information": [{"entities": [{"idPattern": "["}]}]},       "a pattern that is none"),
    ({"endpoint": "north"},                                       "an endpoint that is no URI"),
    ({"mode": "shared"},                                          "an unknown mode"),
    ({"operations": ["fly"]},                                     "an unknown operation"),
    ({"mode": "auxiliary", "operations": ["updateEntity"]},       "an auxiliary source that is written to"),
    ({"mode": "exclusive"},                                       "an exclusive source of a whole type"),
    ({"expiresAt": "2020-01-01T00:00:00Z"},                       "an expiry in the past"),
    ({"expiresAt": "2030-01-01T00:00:00+01:00"},                  "a time that is not in UTC"),
    ({"management": "yes"},                                       "management that is no object"),
    ({"management": {"cooldown": 0}},                             "a cooldown of nothing"),
    ({"management": {"timeout": -5}},                             "a negative timeout"),
    ({"management": {"cacheDuration": "bogus"}},                  "a duration that is none"),
    ({"contextSourceInfo": [{"key": "X", "value": 1}]},           "a number where a text must stand"),
    ({"contextSourceInfo": [{"key": "X"}]},                       "a key without its value"),
    ({"localOnly": "yes"},                                        "a word where a boolean must stand"),
    ({"observationInterval": {"endAt": "2026-01-01T00:00:00Z"}},  "an interval without beginning"),
    ({"location": {"type": "Circle", "coordinates": []}},         "a geometry unknown to GeoJSON"),
]
# fmt: on


@pytest.mark.parametrize(("members", "why"), REFUSED)
def test_what_the_standard_forbids_is_refused(members: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRegistration):
        read(**members)


def test_an_exclusive_registration_names_single_entities_and_their_attributes() -> None:
    one = [{"entities": [{"id": "urn:ngsi-ld:Road:1", "type": "Road"}], "propertyNames": ["speed"]}]
    assert read(mode="exclusive", information=one).mode is Mode.EXCLUSIVE
    with pytest.raises(InvalidRegistration):
        read(mode="exclusive", information=[{"entities": [{"id": "urn:ngsi-ld:Road:1"}]}])
    pattern = [{"entities": [{"idPattern": "urn:.*"}], "propertyNames": ["speed"]}]
    with pytest.raises(InvalidRegistration):
        read(mode="exclusive", information=pattern)


def test_a_patch_replaces_members_and_a_null_takes_one_away() -> None:
    north = read(expiresAt="2027-01-01T00:00:00Z", description="north")
    moved = patched(north, {"endpoint": "http://south.example", "description": "urn:ngsi-ld:null"}, CORE, NOON)
    assert (moved.endpoint, moved.expires_at) == ("http://south.example", "2027-01-01T00:00:00Z")
    assert "description" not in moved.members
    assert patched(north, {"expiresAt": None}, CORE, NOON).expires_at == ""


def test_a_patch_that_would_leave_no_registration_is_refused() -> None:
    for fragment in ({"information": None}, {"type": "Building"}, {"id": "urn:other"}):
        with pytest.raises(InvalidRegistration):
            patched(read(), fragment, CORE, NOON)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
members = st.sampled_from(
    ["information", "endpoint", "mode", "operations", "scope", "contextSourceInfo", "management", "expiresAt",
     "location", "observationInterval", "datasetId", "refreshRate", "tenant", "localOnly", "type", "anything"]
)  # fmt: skip


@given(st.dictionaries(members, json_values, max_size=4))
def test_whatever_comes_is_read_or_refused(changes: dict[str, Any]) -> None:
    wire = registration() | changes
    try:
        once = read_registration(wire, CORE, NOON, id=ID)
    except InvalidRegistration:
        return
    assert read_registration(represent(once, CORE), CORE, NOON, id=ID) == once
