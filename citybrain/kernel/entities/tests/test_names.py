# SPDX-License-Identifier: Apache-2.0
"""URIs, names, scopes, language tags and times, as the standard writes them."""

import pytest

from citybrain.kernel.entities.names import check_time, is_language, is_name, is_uri, read_scopes
from citybrain.kernel.entities.refusals import BadRequestData

URIS = ["urn:ngsi-ld:Bus:1", "https://city.example/a?b=c#d", "urn:ngsi-ld:公交:1", "a:b", "urn:x:%20"]
UNSEEN = ["\u202e", "\u200b", "\ufeff", "\u2028", "\u00a0", "\ufe0f", "\U000e0100", "\ufdd0", "\uffff"]
FILLERS = ["\u115f", "\u3164", "\uffa0", "\u2800"]
NO_URIS = ["", "bus", "urn:", ":a", "1a:b", "urn:a b", "urn:<a>", 'urn:"', "urn:a\nb", "urn:{a}", 7, None, ["urn:a:b"]]


@pytest.mark.parametrize("text", URIS)
def test_absolute_uris_and_iris_are_identifiers(text: str) -> None:
    assert is_uri(text)


@pytest.mark.parametrize("text", [*NO_URIS, *(f"urn:a:{char}b" for char in UNSEEN + FILLERS)])
def test_nothing_else_identifies_anything(text: object) -> None:
    assert not is_uri(text)


# fmt: off
NAMES = [
    ("speed", True), ("výška_1", True), ("速度", True), ("a:b", True), ("https://city.example/speed", True),
    ("my attr", False), ("9speed", False), ("_speed", False), ("a-b", False), ("", False), ("@x", False), ("a{", False),
]
# fmt: on


@pytest.mark.parametrize(("text", "is_one"), NAMES)
def test_a_name_begins_with_a_letter_and_has_letters_digits_and_underscores(text: str, is_one: bool) -> None:
    assert is_name(text) is is_one


def test_scopes_are_kept_in_order_and_once_each() -> None:
    assert read_scopes(["/Madrid/Gardens", "a_1/b2", "/Madrid/Gardens"]) == ("/Madrid/Gardens", "a_1/b2")
    assert read_scopes("/Madrid") == ("/Madrid",)


@pytest.mark.parametrize(
    "given", ["9bad", "/a//b", "a-b", "urn:ngsi-ld:null", "", "/", "a/", ["/ok", "9bad"], 5, [None]]
)
def test_a_scope_that_the_grammar_does_not_know_is_refused(given: object) -> None:
    with pytest.raises(BadRequestData) as refusal:
        read_scopes(given)
    assert refusal.value.code == "kernel.scope_invalid"


TIMES = ["2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000Z", "2026-01-31T08:00:00.123456Z", "2024-02-29T00:00:00Z"]
NO_TIMES = [
    "2026-01-31T08:00:00+02:00",
    "2026-01-31T08:00:00",
    "2026-02-30T08:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31",
    "2026-1-31T08:00:00Z",
    "yesterday",
    "",
    5,
    None,
    {"value": "2026-01-31T08:00:00Z"},
]


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_kept_as_it_was_written(text: str) -> None:
    assert check_time("observedAt", text) == text


def test_a_comma_before_the_fraction_becomes_a_point() -> None:
    assert check_time("observedAt", "2026-01-31T08:00:00,5Z") == "2026-01-31T08:00:00.5Z"


@pytest.mark.parametrize("given", NO_TIMES)
def test_a_time_is_in_utc_and_says_so(given: object) -> None:
    with pytest.raises(BadRequestData) as refusal:
        check_time("speed.observedAt", given)
    assert refusal.value.code == "kernel.time_invalid"
    assert refusal.value.facts["member"] == "speed.observedAt"


@pytest.mark.parametrize(
    ("tag", "is_one"), [("en", True), ("zh-Hans-CN", True), ("@none", True), ("", False), ("e n", False)]
)
def test_language_tags_are_those_of_rfc_5646(tag: str, is_one: bool) -> None:
    assert is_language(tag) is is_one
