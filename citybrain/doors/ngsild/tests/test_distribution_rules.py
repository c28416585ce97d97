# SPDX-License-Identifier: Apache-2.0
"""How a write is cut, how parts become one entity, and how a request to a source looks. All pure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.ngsild.forwarding import base_of, rewritten, seen_sources
from citybrain.doors.ngsild.gathering import Part, merge, read_remote
from citybrain.doors.ngsild.plans import plan, reduced
from citybrain.kernel.asgi import Request
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.registrations.index import Match
from citybrain.kernel.registrations.model import Mode, Registration

NOW = "2026-11-25T12:00:00Z"


def match(mode: Mode = Mode.INCLUSIVE, claimed: frozenset[str] | None = None, id: str = "urn:r:1") -> Match:
    return Match(registration=Registration(id=id, endpoint="http://x", information=(), mode=mode), claimed=claimed)


def anyone(_: Match) -> bool:
    return True


def test_exclusive_sources_take_theirs_redirect_ones_the_rest_and_inclusive_ones_a_copy_of_what_stays() -> None:
    terms = {"speed": "speed", "name": "name", "width": "width"}
    sources = [
        match(Mode.EXCLUSIVE, frozenset({"speed"}), "urn:e"),
        match(Mode.REDIRECT, frozenset({"speed", "name"}), "urn:r"),
        match(Mode.INCLUSIVE, None, "urn:i"),
        match(Mode.AUXILIARY, None, "urn:a"),
    ]
    cut = plan(sources, terms, anyone)
    assert {order.match.registration.id: order.terms for order in cut.orders} == {
        "urn:e": ("speed",),
        "urn:r": ("name",),
        "urn:i": ("width",),
    }
    assert cut.stays == ("width",)


def test_nothing_stays_here_of_an_entity_that_is_held_elsewhere_as_a_whole() -> None:
    assert plan([match(Mode.REDIRECT)], {"speed": "speed"}, anyone).stays is None
    assert plan([match(Mode.REDIRECT)], {}, anyone).stays is None


def test_who_holds_something_alone_and_does_not_take_the_operation_is_a_conflict_and_not_a_local_write() -> None:
    cut = plan([match(Mode.EXCLUSIVE, frozenset({"speed"}))], {"speed": "speed", "name": "name"}, lambda _: False)
    assert [order.terms for order in cut.refusing] == [("speed",)]
    assert (cut.orders, cut.stays) == ((), ("name",))
    assert plan([match(Mode.INCLUSIVE)], {"speed": "speed"}, lambda _: False).is_local


names = st.sampled_from(["a", "b", "c", "d"])
matches = st.builds(match, st.sampled_from(list(Mode)), st.none() | st.frozensets(names, max_size=3))


@given(st.lists(matches, max_size=5), st.dictionaries(names, st.just(""), max_size=4))
def test_every_attribute_goes_somewhere_and_none_that_is_held_elsewhere_stays(
    sources: list[Match], terms: dict[str, str]
) -> None:
    terms = {term: term for term in terms}
    cut = plan(sources, terms, anyone)
    stays = set(cut.stays or ())
    sent = {term for order in cut.orders for term in order.terms}
    assert stays | sent == set(terms)
    proxied = [each for each in sources if each.registration.mode.is_proxied]
    assert not any(each.covers(term) for each in proxied for term in stays)
    assert all(order.match.registration.mode is not Mode.AUXILIARY for order in cut.orders)


def test_who_holds_single_attributes_gets_them_with_id_and_type_alone() -> None:
    body = {"id": "urn:1", "type": "Road", "scope": "/north", "speed": 1, "name": 2}
    assert reduced(body, ("speed",), is_whole=False) == {"id": "urn:1", "type": "Road", "speed": 1}
    assert reduced(body, ("speed", "name"), is_whole=True) == body


def document(**values: tuple[Any, str]) -> Document:
    attributes: dict[str, tuple[Instance, ...]] = {
        name: (Instance(type=AttributeType.PROPERTY, value=value, modified_at=at),)
        for name, (value, at) in values.items()
    }
    return Document(id="urn:1", types=("Road",), attributes=attributes)


# fmt: off
NEWEST = [
    (Mode.INCLUSIVE, "2026-01-01T00:00:00Z",   "2026-01-02T00:00:00Z",    2, "the newer one counts"),
    (Mode.INCLUSIVE, "2026-01-02T00:00:00Z",   "2026-01-01T00:00:00Z",    1, "the older one does not"),
    (Mode.INCLUSIVE, "2026-01-01T00:00:00Z",   "2026-01-01T00:00:00.5Z",  2, "half a second is newer"),
    (Mode.EXCLUSIVE, "2026-01-02T00:00:00Z",   "2026-01-01T00:00:00Z",    2, "who has it alone is right"),
    (Mode.AUXILIARY, "2026-01-01T00:00:00Z",   "2026-01-02T00:00:00Z",    1, "who fills gaps never overrides"),
]
# fmt: on


@pytest.mark.parametrize(("mode", "here", "there", "value", "why"), NEWEST)
def test_of_two_values_one_counts(mode: Mode, here: str, there: str, value: int, why: str) -> None:
    merged = merge(document(speed=(1, here)), [Part(match(mode), document(speed=(2, there)))], NOW)
    assert merged is not None
    assert merged.attributes["speed"][0].value == value, why


def test_what_has_expired_never_counts() -> None:
    over = Instance(type=AttributeType.PROPERTY, value=2, modified_at=NOW, expires_at="2026-11-25T11:00:00Z")
    there = Document(id="urn:1", types=("Road",), attributes={"speed": (over,)})
    merged = merge(document(speed=(1, "2020-01-01T00:00:00Z")), [Part(match(), there)], NOW)
    assert merged is not None
    assert merged.attributes["speed"][0].value == 1


def test_a_source_has_no_say_in_what_it_did_not_register_and_its_times_are_its_own() -> None:
    wire = {
        "id": "urn:1",
        "type": "Road",
        "createdAt": "2020-01-01T00:00:00Z",
        "speed": {"type": "Property", "value": 1, "modifiedAt": "2021-01-01T00:00:00Z"},
        "name": {"type": "Property", "value": "x"},
    }
    read = read_remote(wire, CORE, match(claimed=frozenset({"speed"})))
    assert read is not None
    assert set(read.attributes) == {"speed"}
    assert (read.created_at, read.attributes["speed"][0].modified_at) == (wire["createdAt"], "2021-01-01T00:00:00Z")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_whatever_a_source_says_is_an_entity_or_none(said: Any) -> None:
    read = read_remote(said, CORE, match())
    assert read is None or (read.id and read.types)


def test_names_are_told_in_the_terms_of_the_source() -> None:
    theirs = Context(url="http://x", json={}, objects=[{"tempo": "https://uri.etsi.org/ngsi-ld/default-context/speed"}])
    body = {"id": "urn:1", "type": "Road", "speed": {"type": "Property", "value": {"speed": 1}, "speed": {"value": 2}}}
    told = rewritten(body, CORE, theirs)
    assert told["tempo"] == {"type": "Property", "value": {"speed": 1}, "tempo": {"value": 2}}
    assert rewritten(told, theirs, CORE) == body


@pytest.mark.parametrize(
    ("via", "seen"),
    [
        ("", set()),
        ("1.1 north", {"north"}),
        ("1.1 north, 2 south (proxy)", {"north", "south"}),
        ("north", {"north"}),
    ],
)
def test_a_via_header_names_who_was_asked(via: str, seen: set[str]) -> None:
    async def receive() -> dict[str, Any]:
        return {}

    request = Request({"method": "GET", "headers": [(b"via", via.encode())] if via else []}, receive, "/entities")
    assert seen_sources(request) == seen


def test_an_endpoint_may_name_the_server_or_the_api_itself() -> None:
    assert {base_of(each) for each in ("http://x", "http://x/", "http://x/ngsi-ld/v1", "http://x/ngsi-ld/v1/")} == {
        "http://x"
    }
