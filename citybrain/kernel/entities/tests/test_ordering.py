# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from citybrain.kernel.entities.collation import read_collation, sort_key
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, Instance
from citybrain.kernel.entities.evaluate import nobody
from citybrain.kernel.entities.ordering import ordered
from citybrain.kernel.entities.query import read_query
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.ld.context import CORE


def entity(id: str, **values: Any) -> Document:
    attributes: Attributes = {
        name: (
            Instance(
                type=AttributeType.GEO_PROPERTY if name == "location" else AttributeType.PROPERTY,
                value=value,
                observed_at=f"2026-01-01T00:00:0{len(id)}Z",
            ),
        )
        for name, value in values.items()
    }
    return Document(id=id, types=("T",), created_at=f"2026-01-0{9 - len(id)}T00:00:00Z", attributes=attributes)


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def order(documents: list[Document], **params: str) -> list[str]:
    ordering = read_query(params, CORE).ordering
    assert ordering is not None
    return [each.id for each in ordered(documents, ordering, look_up=nobody)]


PEOPLE = [
    entity("a", name="Bo", age=3),
    entity("bb", name="Al", age=3),
    entity("ccc", age=9),
    entity("dddd", name="Al", age=1),
]
# fmt: off
ORDERS = [
    ("name",             ["bb", "dddd", "a", "ccc"],   "what has no value is last"),
    ("name;desc",        ["a", "bb", "dddd", "ccc"],   "also downwards, and equal ones stay"),
    ("name,age",         ["dddd", "bb", "a", "ccc"],   "only among equals the next one counts"),
    ("age;desc,name",    ["ccc", "bb", "a", "dddd"],   "each with its own direction"),
    ("id;desc",          ["dddd", "ccc", "bb", "a"],   "by id"),
    ("createdAt",        ["dddd", "ccc", "bb", "a"],   "by a time of the system"),
    ("name.observedAt",  ["a", "bb", "dddd", "ccc"],   "by a time of an attribute"),
    ("type,age",         ["dddd", "a", "bb", "ccc"],   "by type"),
]
# fmt: on


@pytest.mark.parametrize(("by", "expected", "why"), ORDERS)
def test_entities_stand_in_the_order_asked_for(by: str, expected: list[str], why: str) -> None:
    assert order(PEOPLE, orderBy=by) == expected, why


def test_kinds_of_values_stand_in_the_order_of_clause_4_23_2() -> None:
    at = {"@type": "DateTime", "@value": "2026-01-01T00:00:00Z"}
    day = {"@type": "Date", "@value": "2026-01-01"}
    values = [5, "text", {"a": 1}, [1, 2], True, day, at, None]
    documents = [entity(str(rank), x=value) for rank, value in enumerate(values)] + [entity("8")]
    assert order(documents[::-1], orderBy="x") == ["0", "1", "2", "3", "4", "5", "6", "8", "7"]


def test_a_member_of_a_value_orders() -> None:
    documents = [entity("a", address={"city": "Bonn"}), entity("b", address={"city": "Aachen"}), entity("c", address=1)]
    assert order(documents, orderBy="address[city]") == ["b", "a", "c"]


def test_distance_orders_by_the_great_circle() -> None:
    places = [entity("far", location=point(9, 40)), entity("near", location=point(8, 40.1)), entity("none", x=1)]
    assert order(places, orderBy="location;dist-asc", orderFrom="[8,40]") == ["near", "far", "none"]
    assert order(places, orderBy="location;dist-desc", orderFrom="[8,40]") == ["far", "near", "none"]
    line = {"orderFrom": "[[9,39],[9,41]]", "orderGeometry": "LineString"}
    assert order(places, orderBy="location;dist-asc", **line) == ["far", "near", "none"]


def test_distance_needs_somewhere_to_measure_from() -> None:
    with pytest.raises(BadRequestData):
        read_query({"orderBy": "location;dist-asc"}, CORE)


# fmt: off
COLLATIONS = [
    ("",                      ["_x", "10", "2", "a", "A", "á", "b", "Z"],   "the root order"),
    ("und",                   ["a", "A", "á", "b"],                         "named"),
    ("und-u-kn",              ["2", "10", "a"],                             "numbers as numbers"),
    ("und-u-kf-upper",        ["A", "a", "b"],                              "capitals first"),
    ("de-u-co-phonebk",       ["Ad", "Ähre", "Af", "Zebra"],                "the German telephone book"),
    ("de",                    ["Ahre", "Ähre", "Ai"],                       "the German dictionary"),
    ("sv",                    ["a", "z", "å", "ä", "ö"],                    "Swedish letters after z"),
    ("zh",                    ["abc", "安", "北京", "上海", "重庆"],          "Chinese by pinyin, but 重 as zhòng"),
]
# fmt: on


@pytest.mark.parametrize(("tag", "expected", "why"), COLLATIONS)
def test_texts_stand_in_the_order_of_a_language(tag: str, expected: list[str], why: str) -> None:
    assert sorted(expected[::-1], key=lambda text: sort_key(text, tag)) == expected, why


def test_case_counts_only_as_much_as_is_asked_for() -> None:
    assert sort_key("Abc", "und-u-ks-level2") == sort_key("aBC", "und-u-ks-level2")
    assert sort_key("é", "und-u-ks-level1") == sort_key("E", "und-u-ks-level1")
    assert sort_key("é", "und-u-ks-level2") != sort_key("e", "und-u-ks-level2")


@pytest.mark.parametrize("tag", ["!!nope", "not a bcp47 tag!!", "xx-yy-zz-u", "de-u-co-emoji", "th", "en-u-co-phonebk"])
def test_an_order_that_is_not_kept_is_refused_and_not_replaced_by_another(tag: str) -> None:
    with pytest.raises(BadRequestData):
        read_collation(tag)
