# SPDX-License-Identifier: Apache-2.0
"""What is written is what a parser reads that nobody here wrote."""

from typing import Any
from xml.etree.ElementTree import fromstring

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.open311.asking import moment_of, number_of, read_form
from citybrain.doors.open311.codec import Format, accepted, encode, form_of
from citybrain.kernel.errors import Invalid

words = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.fixed_dictionaries({"service_code": words, "description": words})))
def test_whatever_is_said_comes_back_from_xml_but_for_what_xml_cannot_hold(members: list[dict[str, Any]]) -> None:
    tree = fromstring(encode("services", members, Format.XML))
    assert [each.tag for each in tree] == ["service"] * len(members)
    for element, member in zip(tree, members, strict=True):
        for name, text in member.items():
            kept = "".join(sign for sign in text.replace("\r\n", "\n").replace("\r", "\n") if _is_writable(sign))
            assert (element.findtext(name) or "") == kept


def _is_writable(sign: str) -> bool:
    """Production 2 of XML 1.0."""
    at = ord(sign)
    return at in (0x9, 0xA, 0xD) or 0x20 <= at <= 0xD7FF or 0xE000 <= at <= 0xFFFD or at >= 0x10000


@given(st.lists(st.fixed_dictionaries({"service_code": words, "description": words})))
def test_json_has_the_same_members_as_xml(members: list[dict[str, Any]]) -> None:
    assert msgspec.json.decode(encode("services", members, Format.JSON)) == members


def test_a_script_is_a_text_in_xml() -> None:
    wire = encode("services", [{"description": "<script>alert(1)</script> & ]]>"}], Format.XML)
    assert b"<script" not in wire
    assert fromstring(wire).findtext("service/description") == "<script>alert(1)</script> & ]]>"


def test_the_document_says_its_encoding_and_has_neither_namespace_nor_doctype() -> None:
    wire = encode("services", [{"service_name": "停水"}], Format.XML)
    assert wire.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    assert "停水".encode() in wire
    assert b"xmlns" not in wire
    assert b"<!" not in wire


def test_truths_numbers_and_nothing_are_written_as_the_standard_does() -> None:
    wire = encode("service_requests", [{"metadata": True, "lat": 39.9835, "media_url": None}], Format.XML)
    assert b"<metadata>true</metadata><lat>39.9835</lat><media_url/>" in wire


# fmt: off
PATHS = [
    ("/v2/services.xml",               "/v2/services",               Format.XML),
    ("/v2/services.JSON",              "/v2/services",               Format.JSON),
    ("/v2/services/water.supply.json", "/v2/services/water.supply",  Format.JSON),
    ("/v2/services/water.supply",      "/v2/services/water.supply",  None),
    ("/v2/services.html",              "/v2/services.html",          None),
    ("/v2/requests",                   "/v2/requests",               None),
]
ACCEPTED = [
    ("",                                        Format.XML,  "XML is the form that every server has"),
    ("*/*",                                     Format.XML,  "whatever"),
    ("application/json",                        Format.JSON, "asked for"),
    ("text/html, application/json;q=0.9",       Format.JSON, "no pages here"),
    ("application/xml, application/json",       Format.XML,  "the first that we have"),
]
MOMENTS = [
    ("2010-05-24T00:00:00Z",      True,  "the standard's example"),
    ("1994-11-05T08:15:30-05:00", True,  "the other one"),
    ("2010-05-24T00:00:00 08:00", True,  "a plus sign that nobody encoded"),
    ("2010-05-24T00:00Z",         True,  "without seconds"),
    ("2010-05-24T00:00:00.25Z",   True,  "with a part of one"),
    ("2010-05-24T00:00:00",       False, "without a zone"),
    ("2010-05-24",                False, "a day has no zone"),
    ("2010-02-30T00:00:00Z",      False, "no such day"),
    ("2010-05-24T00:00:00+99:00", False, "no such zone"),
    ("٢٠١٠-05-24T00:00:00Z",      False, "digits of another script"),
    ("yesterday",                 False, "a word"),
]
# fmt: on


@pytest.mark.parametrize(("path", "stem", "format"), PATHS)
def test_a_path_ends_in_its_format(path: str, stem: str, format: Format | None) -> None:
    assert form_of(path) == (stem, format)


@pytest.mark.parametrize(("header", "format", "why"), ACCEPTED)
def test_a_path_without_format_is_answered_as_the_client_prefers(header: str, format: Format, why: str) -> None:
    assert accepted(header) is format, why


@pytest.mark.parametrize(("text", "is_one", "why"), MOMENTS)
def test_times_are_those_of_the_w3c_with_their_zone(text: str, is_one: bool, why: str) -> None:
    assert (moment_of(text) is not None) is is_one, why


@given(st.text())
def test_no_text_is_more_than_no_time_and_no_number(text: str) -> None:
    moment_of(text)
    number_of(text)


@given(st.binary(max_size=300))
def test_whatever_comes_as_a_form_is_read_or_refused(body: bytes) -> None:
    try:
        fields = read_form(body, "application/x-www-form-urlencoded; charset=utf-8")
    except Invalid:
        return
    assert all(value for values in fields.values() for value in values)
