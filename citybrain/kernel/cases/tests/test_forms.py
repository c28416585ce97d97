# SPDX-License-Identifier: Apache-2.0
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citybrain.kernel.cases.definition import faults
from citybrain.kernel.cases.form_formats import is_credit_code, is_mail_address, is_phone, is_resident_number
from citybrain.kernel.cases.form_rules import FormExceeds, check_purpose, explodes, form_faults
from citybrain.kernel.cases.forms import VALUES_COUNT, judge, read_form
from citybrain.kernel.cases.refusals import FieldsRefused
from citybrain.kernel.cases.tests.city import TICKET
from citybrain.kernel.i18n import load_words
from citybrain.kernel.privacy import Basis, PersonalField, Retention

WORDS = load_words()

LAMP: dict[str, Any] = {
    "type": "object",
    "x-purpose": "report",
    "properties": {
        "what": {"enum": ["dark", "broken", "other"], "x-title": {"zh": "问题", "en": "Problem"}},
        "text": {"type": "string", "maxLength": 20, "x-title": {"zh": "说明", "en": "Description"}},
        "reply": {"type": "boolean"},
    },
    "required": ["what"],
    "allOf": [
        {
            "if": {"properties": {"what": {"const": "broken"}}, "required": ["what"]},
            "then": {
                "properties": {
                    "danger": {"type": "boolean", "x-title": {"zh": "有危险", "en": "Dangerous"}},
                },
                "required": ["danger"],
                "if": {"properties": {"danger": {"const": True}}, "required": ["danger"]},
                "then": {"properties": {"since": {"type": "string", "format": "date"}}},
            },
        },
        {
            "if": {"properties": {"reply": {"const": True}}, "required": ["reply"]},
            "then": {
                "properties": {"phone": {"type": "string", "format": "mobile-cn", "title": "Phone"}},
                "required": ["phone"],
            },
        },
    ],
    "dependentSchemas": {"text": {"properties": {"text_lang": {"type": "string"}}}},
}


def codes(form: Any, values: Any) -> list[tuple[str, str]]:
    return [(each.code, each.facts["field"]) for each in judge(form, values).problems]


# fmt: off
FILLED = [
    ({"what": "dark"},                                        [],                       "what applies is there"),
    ({},                                                      [("kernel.form_missing", "what")], "the field is named"),
    ({"what": "broken"},                        [("kernel.form_missing", "danger")], "a branch asks for more"),
    ({"what": "broken", "danger": True, "since": "2026-02-30"}, [("kernel.form_format", "since")], "no such day"),
    ({"what": "x"},                                           [("kernel.form_not_among", "what")], "not a choice"),
    ({"what": "dark", "text": "x" * 21},                      [("kernel.form_too_long", "text")], "too long"),
    ({"what": "dark", "reply": True},                         [("kernel.form_missing", "phone")], "who wants a reply"),
    ({"what": "dark", "reply": True, "phone": "12"},          [("kernel.form_format", "phone")], "no number"),
    ({"what": "dark", "colour": "red"},                 [("kernel.form_field_unknown", "colour")], "nobody asked"),
    ({"what": "dark", "reply": "yes"},                        [("kernel.form_wrong_kind", "reply")], "no text"),
]
# fmt: on


@pytest.mark.parametrize(("values", "found", "why"), FILLED)
def test_a_form_is_evaluated_with_its_conditions(values: Any, found: list[Any], why: str) -> None:
    assert codes(LAMP, values) == found, why


def test_values_of_hidden_parts_are_dropped_and_told_even_those_hidden_by_what_was_dropped() -> None:
    judged = judge(LAMP, {"what": "dark", "danger": True, "since": "2026-02-01", "phone": "12", "text_lang": "zh"})
    assert judged.values == {"what": "dark"}
    assert sorted(judged.dropped) == ["danger", "phone", "since", "text_lang"]
    assert not judged.problems


def test_a_part_inside_a_list_has_conditions_of_its_own() -> None:
    form = {
        "properties": {
            "people": {
                "type": "array",
                "items": {
                    "properties": {"adult": {"type": "boolean"}},
                    "if": {"properties": {"adult": {"const": False}}, "required": ["adult"]},
                    "then": {"properties": {"guardian": {"type": "string"}}, "required": ["guardian"]},
                },
            }
        }
    }
    judged = judge(form, {"people": [{"adult": True, "guardian": "x"}, {"adult": False}]})
    assert judged.values == {"people": [{"adult": True}, {"adult": False}]}
    assert judged.dropped == ("people.0.guardian",)
    assert [each.facts["field"] for each in judged.problems] == ["people.1.guardian"]


def test_parts_named_once_and_used_twice_apply_where_they_are_used() -> None:
    form = {
        "$defs": {"place": {"type": "object", "properties": {"street": {"type": "string"}}, "required": ["street"]}},
        "properties": {"home": {"$ref": "#/$defs/place"}, "work": {"$ref": "#/$defs/place"}},
    }
    assert codes(form, {"home": {"street": "x"}, "work": {}}) == [("kernel.form_missing", "work.street")]


def test_a_refusal_names_the_field_in_both_languages() -> None:
    with pytest.raises(FieldsRefused) as refused:
        read_form(LAMP, {"text": "x" * 21})
    assert refused.value.facts["fields"] == {"zh": "说明、问题", "en": "Description, Problem"}
    facts = refused.value.facts["problems"]
    said = {lang: [WORDS.sentence(each["code"], each["facts"], lang) for each in facts] for lang in ("zh", "en")}
    assert all("说明" in zh or "问题" in zh for zh in said["zh"])
    assert all("Description" in en or "Problem" in en for en in said["en"])


def test_a_draft_may_lack_what_is_not_filled_in_yet() -> None:
    assert not judge(LAMP, {"reply": True}, partial=True).problems
    assert judge(LAMP, {"what": "x"}, partial=True).problems


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


# fmt: off
TOO_MUCH = [
    (deep(100_000),                               "kernel.form_too_deep"),
    ({"a": list(range(VALUES_COUNT + 1))},        "kernel.form_too_many_values"),
    ({"a": "字" * 100_000},                       "kernel.form_too_large"),
    (["a"],                                       "kernel.form_not_an_object"),
]
# fmt: on


@pytest.mark.parametrize(("values", "code"), TOO_MUCH, ids=[code for _, code in TOO_MUCH])
def test_what_is_too_much_is_not_looked_into(values: Any, code: str) -> None:
    assert [each.code for each in judge({"properties": {"a": {}}}, values).problems] == [code]


PHONE = PersonalField(
    name="phone", purpose="report", legal_basis=Basis.CONSENT, retention=Retention(keep=timedelta(days=365))
)


def test_a_form_that_asks_for_more_than_its_purpose_needs_is_refused_with_the_name_of_the_field() -> None:
    check_purpose(LAMP, [PHONE])
    with pytest.raises(FormExceeds) as refused:
        check_purpose({**LAMP, "x-purpose": "survey"}, [PHONE])
    assert refused.value.facts == {"field": "phone", "purpose": "survey"}
    without = {name: each for name, each in LAMP.items() if name != "x-purpose"}
    assert [code for code, _ in form_faults(without, [PHONE])] == ["kernel.form_without_purpose"]


# fmt: off
FAULTY = [
    ({"properties": {"a": {"$ref": "https://x/y"}}},          "kernel.form_ref_elsewhere"),
    ({"properties": {"a": {"$ref": "#/$defs/none"}}},         "kernel.form_ref_elsewhere"),
    ({"properties": {"a": {"pattern": "^(a+)+$"}}},           "kernel.form_pattern_unsafe"),
    ({"properties": {"a": {"pattern": "x" * 201}}},           "kernel.form_pattern_unsafe"),
    ({"properties": {"a": {"description": "x" * 300_000}}},   "kernel.form_definition_too_large"),
    (deep(60),                                                "kernel.form_definition_too_deep"),
]
# fmt: on


@pytest.mark.parametrize(("form", "code"), FAULTY, ids=[code for _, code in FAULTY])
def test_a_form_that_could_do_harm_is_not_published(form: Any, code: str) -> None:
    assert [each for each, _ in form_faults(form)] == [code]


# fmt: off
PATTERNS = [
    (r"^(a+)+$",           True,  "a repeat in a repeat"),
    (r"^(a|aa)+$",         True,  "a choice in a repeat"),
    (r"^((ab)*c){2,}$",    True,  "deeper down"),
    (r"^[0-9]{17}[0-9X]$", False, "digits"),
    (r"^(?:ab|cd)$",       False, "a choice once"),
    (r"^(ab)+$",           False, "a plain group"),
    (r"^[(+)*]+\(a+\)+$",  False, "signs that stand for themselves"),
    (r"^[]+*]([^])]+)$",   False, "a bracket in a set"),
]
# fmt: on


@pytest.mark.parametrize(("pattern", "trap", "why"), PATTERNS)
def test_patterns_that_could_hold_up_the_city_are_found(pattern: str, trap: bool, why: str) -> None:
    assert explodes(pattern) is trap, why


def test_numbers_of_people_and_firms_carry_their_check() -> None:
    assert is_resident_number("11010519491231002X")  # the example of GB 11643-1999
    assert not is_resident_number("110105194912310021")
    assert not is_resident_number("11010519491331002X")
    assert is_credit_code("91350100M000100Y43")  # the example of GB 32100-2015
    assert not is_credit_code("91350100M000100Y44")


def test_addresses_and_numbers_of_phones() -> None:
    assert all(is_phone(each) for each in ("13800138000", "+8613800138000", "0571-12345678", "12345", "010 12345678"))
    assert not any(is_phone(each) for each in ("", "abc", "123", "<script>"))
    assert is_mail_address("a.b@example.cn")
    assert not any(is_mail_address(each) for each in ("a@b", "a@b.c\nBcc: x@y.cn", "a b@example.cn", "@example.cn"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=10), below, max_size=4),
    max_leaves=30,
)
NAMES = st.sampled_from(["what", "text", "reply", "danger", "since", "phone", "text_lang", "other"])


@given(st.dictionaries(NAMES, JSON, max_size=8))
def test_no_values_break_it_and_what_was_kept_is_kept_again(values: dict[str, Any]) -> None:
    judged = judge(LAMP, values)
    again = judge(LAMP, judged.values)
    assert again.values == judged.values
    assert not again.dropped
    assert again.problems == judged.problems


@given(JSON, st.text(max_size=60))
def test_no_form_breaks_the_check_of_forms(value: Any, pattern: str) -> None:
    form = {"properties": {"a": {"const": value}, "b": {"pattern": pattern}}, "x-purpose": "report"}
    assert {code for code, _ in form_faults(form)} <= {"kernel.form_pattern_unsafe", "kernel.form_ref_elsewhere"}


# fmt: off
UNPUBLISHED: list[tuple[dict[str, Any], str]] = [
    ({"form": {**LAMP, "x-purpose": "survey"}},                              "kernel.form_exceeds_purpose"),
    ({"form": {"properties": {"text": {"pattern": "(a+)+"}}}},               "kernel.form_pattern_unsafe"),
    ({"deadlines": ({"name": "a", "within": "soon"},)},                      "kernel.deadline_length"),
    ({"deadlines": ({"name": "a", "within": "1h", "ends": ["state:no"]},)},  "kernel.deadline_event"),
    ({"personal": ({"name": "phone"},)},                                     "kernel.case_personal_unreadable"),
]
# fmt: on


@pytest.mark.parametrize(("change", "code"), UNPUBLISHED, ids=[code for _, code in UNPUBLISHED])
def test_a_type_is_published_only_with_a_form_and_time_limits_that_can_work(change: dict[str, Any], code: str) -> None:
    moves = TICKET.moves if "form" not in change else tuple(replace(move, fields=()) for move in TICKET.moves)
    searched = TICKET.searched if "form" not in change else ()
    assert faults(TICKET) == []
    found = [each.code for each in faults(replace(TICKET, moves=moves, searched=searched, **change))]
    assert code in found
