# SPDX-License-Identifier: Apache-2.0
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.entities.document import Attributes, AttributeType, Document, Instance
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.query import (
    EntityQuery,
    read_query,
    read_query_body,
    require_join,
    require_narrow,
)
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.ld.context import CORE

Kind = AttributeType


def instance(kind: Kind, value: Any, **more: Any) -> Instance:
    return Instance(type=kind, value=value, **more)


def entity(**attributes: Any) -> Document:
    several: Attributes = {
        name: value
        if isinstance(value, tuple)
        else (value if isinstance(value, Instance) else instance(Kind.PROPERTY, value),)
        for name, value in attributes.items()
    }
    return Document(
        id="urn:ngsi-ld:Vehicle:1",
        types=("Vehicle", "Bus"),
        scopes=("/Madrid/Gardens",),
        created_at="2020-01-01T00:00:00Z",
        modified_at="2021-06-01T12:00:00.5Z",
        attributes=several,
    )


LINKED = {
    "urn:d:1": Document(id="urn:d:1", types=("Device",), attributes=entity(humidity=40).attributes),
    "urn:d:2": Document(
        id="urn:d:2", types=("Thing",), attributes=entity(at=instance(Kind.RELATIONSHIP, "urn:d:1")).attributes
    ),
}
TEXTS = {"en": "red", "fr": "rouge", "de": ["rot", "rötlich"]}
ENTITY = entity(
    speed=instance(Kind.PROPERTY, 55, observed_at="2026-01-01T10:00:00Z", unit_code="KMH"),
    whole=instance(Kind.PROPERTY, 55.0),
    isOpen=False,
    brandName="Mercedes",
    colours=["blue", "red"],
    day="2026-03-01",
    at="08:30:00Z",
    when="2026-03-01T08:30:00Z",
    typed={"@type": "DateTime", "@value": "2026-03-01T08:30:00Z"},
    address={"city": "Berlin", "geo": {"floor": 3, "none": None}},
    name=instance(Kind.LANGUAGE_PROPERTY, TEXTS),
    gender=instance(Kind.VOCAB_PROPERTY, "Male"),
    words=instance(Kind.VOCAB_PROPERTY, ["Male", "https://x.org/Old"]),
    owner=instance(Kind.RELATIONSHIP, "urn:o:1"),
    sensor=instance(Kind.RELATIONSHIP, ["urn:d:1", "urn:d:2"]),
    stops=instance(Kind.LIST_RELATIONSHIP, [{"object": "urn:s:1"}, "urn:s:2"]),
    levels=instance(Kind.LIST_PROPERTY, [1, 2, 3]),
    raw=instance(Kind.JSON_PROPERTY, {"value": "Overstay", "id": "x"}),
    wheel=instance(Kind.PROPERTY, 1, attributes={"pressure": (instance(Kind.PROPERTY, 2.5),)}),
    twice=(instance(Kind.PROPERTY, 1), instance(Kind.PROPERTY, 9, dataset_id="urn:set:1")),
)
# fmt: off
# Clause 4.9: what each operator means for each kind of value.
TRUTHS = [
    ("speed", True), ("rpm", False), ("!rpm", True), ("!speed", False), ("speed.accuracy", False), ("!rpm.x", True),
    ("speed==55", True), ("speed==55.0", True), ("whole==55", True), ("speed!=55", False), ("speed==54,55", True),
    ("speed!=54,56", True), ("speed==50..60", True), ("speed!=50..60", False), ("speed==56..60", False),
    ("speed>54", True), ("speed>55", False), ("speed>=55", True), ("speed<55", False), ("speed<=55", True),
    # Unlike kinds are unequal, and in no order.
    ('speed=="55"', False), ('speed!="55"', True), ('speed>"1"', False), ("brandName>1", False), ("isOpen==0", False),
    ("isOpen==false", True), ("isOpen!=true", True), ("isOpen>false", False), ("speed==true", False),
    # What is not there is not unequal either.
    ("rpm!=5", False), ('rpm!~="x"', False), ("rpm==5", False),
    ('brandName=="Mercedes"', True), ('brandName!="Tesla"', True), ('brandName<"N"', True),
    ('brandName=="A".."Z"', True),
    ('brandName~="^Mer.*s$"', True), ('brandName~="erc"', True), ('brandName!~="^T"', True), ('brandName~="^T"', False),
    ('speed~="5"', False), ('speed!~="5"', False), ('owner~="urn"', False),
    ("brandName==Mercedes", True),
    # A list contains.
    ('colours=="red"', True), ('colours!="red"', False), ('colours=="green","blue"', True), ('colours!="green"', True),
    ("levels==2", True), ("levels!=2", False), ("levels==7..9", False), ("levels>0", False),
    # Times.
    ("day==2026-03-01", True), ("day>2026-02-28", True), ("when>2026-03-01T08:29:59.9Z", True), ("at<09:00:00Z", True),
    ("when==2026-03-01", False), ("typed>=2026-03-01T08:30:00Z", True), ("at==08:00:00Z..09:00:00Z", True),
    ("speed.observedAt>2025-12-31T00:00:00Z", True), ('speed.observedAt<"2025-12-31T00:00:00Z"', False),
    ("createdAt==2020-01-01T00:00:00Z", True), ('modifiedAt>"2021-06-01T12:00:00Z"', True),
    ('speed.unitCode=="KMH"', True), ("brandName.observedAt", False),
    # Members, attributes of attributes, languages.
    ('address[city]=="Berlin"', True), ("address[geo.floor]==3", True), ("address[geo.none]", False),
    ("address[zip]", False),
    ("!address[zip]", True), ("wheel.pressure==2.5", True), ("wheel.pressure>3", False),
    ('name[en]=="red"', True), ('name[en]!="red"', False), ('name[fr]=="red"', False), ('name[it]=="x"', False),
    ('name[*]=="rouge"', True), ('name=="rötlich"', True), ('name[*]!="red"', False), ('name[*]!="blue"', True),
    ('name[de]=="rot"', True), ('name[en]~="^r"', True),
    # Vocabularies, Relationships.
    ("gender==Male", False), ("gender==https://uri.etsi.org/ngsi-ld/default-context/Male", True),
    ("gender!=https://x.org/Female", True), ('words=="https://x.org/Old"', True), ("gender>5", False),
    ("owner==urn:o:1", True), ('owner=="urn:o:1"', True), ("owner!=urn:o:1", False), ("owner==urn:o:2,urn:o:1", True),
    ("owner>urn:o:0", False), ("stops==urn:s:2", True), ("stops!=urn:s:1", False), ("sensor==urn:d:2", True),
    ('raw[value]=="Overstay"', True),
    # Linked entities, and several instances.
    ("sensor{humidity}==40", True), ("sensor{humidity}>40", False), ("sensor{Device:humidity}==40", True),
    ("sensor{Thing:humidity}==40", False), ("sensor{at{humidity}}==40", True), ("owner{name}", False),
    ("twice==9", True), ("twice==5", False), ("twice!=1", True),
    # Logic.
    ("speed>100|speed<60", True), ("speed>100;speed<60", False), ("rpm|speed;owner", True), ("(rpm|speed);rpm", False),
]
# fmt: on


def asked(**params: str) -> EntityQuery:
    return read_query(params, CORE)


@pytest.mark.parametrize(("question", "is_true"), TRUTHS)
def test_a_question_means_what_clause_4_9_says(question: str, is_true: bool) -> None:
    assert matches(ENTITY, asked(q=question), look_up=LINKED.get) is is_true


def test_terms_of_a_vocabulary_are_expanded_where_it_is_asked_for() -> None:
    assert matches(ENTITY, asked(q="gender==Male", expandValues="gender"))
    assert not matches(ENTITY, asked(q="gender!=Male", expandValues="gender"))


# fmt: off
SELECTED = [
    ({"type": "Vehicle"},                                                  True,  "by type"),
    ({"type": "(Vehicle;Bus)"},                                            True,  "by both types"),
    ({"type": "Car"},                                                      False, "of another type"),
    ({"id": "urn:ngsi-ld:Vehicle:1,urn:x:2"},                              True,  "by id"),
    ({"id": "urn:x:2", "idPattern": ".*"},                                 False, "an id goes before a pattern"),
    ({"idPattern": "Vehicle:[0-9]+$"},                                     True,  "by pattern"),
    ({"idPattern": "^Vehicle"},                                            False, "a pattern that starts elsewhere"),
    ({"attrs": "rpm,speed"},                                               True,  "one of the attributes is enough"),
    ({"attrs": "rpm"},                                                     False, "without the attribute"),
    ({"pick": "rpm"},                                                      False, "nothing picked is there"),
    ({"pick": "id,rpm"},                                                   True,  "an id is always there"),
    ({"scopeQ": "/Madrid/#"},                                              True,  "by scope"),
    ({"scopeQ": "/Paris"},                                                 False, "in another scope"),
    ({"georel": "equals", "geometry": "Point", "coordinates": "[1,2]"},    False, "without a place"),
    ({"datasetId": "urn:other"},                                           True,  "instances go, not entities"),
    ({"type": "Vehicle", "q": "speed>50", "scopeQ": "/Paris"},             False, "all must hold"),
]
# fmt: on


@pytest.mark.parametrize(("params", "meant", "why"), SELECTED)
def test_an_entity_is_selected(params: dict[str, str], meant: bool, why: str) -> None:
    assert matches(ENTITY, asked(**params)) is meant, why


def test_a_body_asks_like_parameters() -> None:
    body = {
        "entities": [{"type": "Car"}, {"type": "Vehicle", "id": ["urn:ngsi-ld:Vehicle:1"], "idPattern": "never"}],
        "q": "speed>50",
        "scopeQ": "/Madrid/#",
        "attrs": ["speed"],
    }
    assert matches(ENTITY, read_query_body(body, CORE))
    assert not matches(ENTITY, read_query_body({**body, "entities": [{"type": "Car"}]}, CORE))


BAD_BODIES: list[dict[str, Any]] = [
    {"entities": []},
    {"entities": [{"id": "urn:x:1"}]},
    {"entities": [{"type": "T", "id": "not a uri"}]},
    {"entities": [{"type": "T", "id": ["urn:x:1", 5]}]},
    {"entities": {"type": "T"}},
    {"attrs": []},
    {"attrs": ["id"]},
    {"q": 42},
    {"geoQ": "near"},
    {"scopeQ": 1},
    {"ordering": {"orderBy": ["location;dist-asc"]}},
    {"ordering": {"orderBy": ["location;dist-asc"], "coordinates": "8,40"}},
    {"ordering": {"orderBy": ["id;asc"], "geometry": 5}},
    {"ordering": {"orderBy": ["id;asc"], "collation": "not a tag!!"}},
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_that_makes_no_sense_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequestData):
        read_query_body(body, CORE)


@pytest.mark.parametrize(
    "params",
    [{"id": "nouri"}, {"idPattern": "a**"}, {"attrs": "id"}, {"attrs": "a b"}, {"orderBy": "a;up"}, {"attrs": "a,,b"}],
)
def test_parameters_that_make_no_sense_are_refused(params: dict[str, str]) -> None:
    with pytest.raises(BadRequestData):
        read_query(params, CORE)


@pytest.mark.parametrize(
    "params",
    [{}, {"id": "urn:x:1"}, {"attrs": "createdAt"}, {"q": 'modifiedAt>"2020-01-01T00:00:00Z"'}, {"scopeQ": "/#"}],
)
def test_what_asks_for_everything_is_too_wide(params: dict[str, str]) -> None:
    with pytest.raises(BadRequestData):
        require_narrow(read_query(params, CORE))


@pytest.mark.parametrize(
    "params", [{"type": "T"}, {"attrs": "createdAt,speed"}, {"q": "speed|createdAt"}, {"type": "*"}]
)
def test_a_type_or_an_attribute_narrows_enough(params: dict[str, str]) -> None:
    require_narrow(read_query(params, CORE))


def test_a_question_may_look_as_far_as_entities_are_joined() -> None:
    far = asked(q="a{b{c}}==1|d")
    require_join(far, 2)
    with pytest.raises(BadRequestData):
        require_join(far, 1)


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
VALUES = st.none() | st.integers(-3, 3) | st.sampled_from(["a", "b", "ab"])


def naive(question: list[list[tuple[str, str, Any]]], held: dict[str, Any]) -> bool:
    """Alternatives of conditions, judged in the plainest way."""

    def judge(name: str, operator: str, value: Any) -> bool:
        there = held[name]
        if there is None:
            return False
        if isinstance(there, str) != isinstance(value, str):
            return operator == "!="
        return OPERATORS[operator](there, value)

    return any(all(judge(*term) for term in every) for every in question)


CONDITION = st.tuples(
    st.sampled_from("xyz"), st.sampled_from(sorted(OPERATORS)), st.integers(-3, 3) | st.sampled_from(["a", "b", "ab"])
)


@given(
    st.lists(st.lists(CONDITION, min_size=1, max_size=3), min_size=1, max_size=3),
    st.fixed_dictionaries({"x": VALUES, "y": VALUES, "z": VALUES}),
)
def test_questions_are_judged_as_in_the_plainest_way(
    question: list[list[tuple[str, str, Any]]], held: dict[str, Any]
) -> None:
    text = "|".join(";".join(f"{n}{o}{_literal(v)}" for n, o, v in every) for every in question)
    document = entity(**{name: value for name, value in held.items() if value is not None})
    assert matches(document, asked(q=text)) is naive(question, held)


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


@given(st.from_regex(r"[ab.]{1,4}\*?[ab]?", fullmatch=True), st.text(alphabet="ab", max_size=5))
def test_patterns_are_searched_for(pattern: str, value: str) -> None:
    expected = re.search(pattern, value) is not None
    assert matches(entity(x=value), asked(q=f'x~="{pattern}"')) is expected
