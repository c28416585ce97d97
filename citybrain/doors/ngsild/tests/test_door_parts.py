# SPDX-License-Identifier: Apache-2.0
"""The door's parts without HTTP: weights of media types, links, parameters, what is remembered, earlier versions."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.doors.ngsild import params, versions
from citybrain.doors.ngsild.answers import BadRequestData, InvalidRequest, NotAcceptable, kind_of, language
from citybrain.doors.ngsild.media import GEO, accepted
from citybrain.doors.ngsild.remembered import Remembered
from citybrain.doors.ngsild.served import linked_context
from citybrain.kernel.asgi import Answer, Request
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.errors import Refusal

REL = 'rel="http://www.w3.org/ns/json-ld#context"'


def asked(query: str = "", **headers: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    sent = [(name.replace("_", "-").encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    scope = {"method": "GET", "headers": sent, "query_string": query.encode(), "root_path": "/ngsi-ld/v1"}
    return Request(scope, receive, "/entities")


@given(st.text(alphabet="abcdjgeoslnpi+/*;,=q.0123456789 ", max_size=60))
def test_any_accept_header_is_understood_or_refused(text: str) -> None:
    try:
        assert accepted(asked(accept=text), GEO) in GEO
    except NotAcceptable:
        assert text.strip()


# fmt: off
LINKS = [
    (f"<http://a.example/c>; {REL}",                                     "http://a.example/c", "the usual form"),
    (f'<http://a.example/c>; type="application/ld+json"; {REL}',         "http://a.example/c", "in another order"),
    (f'<http://b.example>; rel="next", <http://a.example/c>; {REL}',     "http://a.example/c", "after another link"),
    (f"<http://a.example/c,d;e>; {REL}",                                 "http://a.example/c,d;e", "commas in the URL"),
    ('<http://a.example/c>; rel="next"',                                 None, "another relation"),
    ("http://a.example/c",                                               None, "no link at all"),
    ("",                                                                 None, "nothing"),
]
# fmt: on


@pytest.mark.parametrize(("header", "url", "why"), LINKS)
def test_the_context_is_found_in_a_link_header(header: str, url: str | None, why: str) -> None:
    assert linked_context(header) == url, why


@given(st.text(max_size=200))
def test_any_link_header_is_read(text: str) -> None:
    assert linked_context(text) is None or "<" in text


@given(st.dictionaries(st.sampled_from(["limit", "offset", "count", "options"]), st.text(max_size=20)))
def test_any_paging_is_sound_or_refused(given: dict[str, str]) -> None:
    try:
        page = params.paging(given)
    except BadRequestData:
        return
    assert 0 <= page.limit <= params.HIGHEST_LIMIT
    assert page.offset >= 0
    assert page.limit or page.count


def test_lists_that_come_twice_are_one_and_values_are_refused() -> None:
    known = {"type", "q"}
    assert params.read_params(asked("type=A&type=B"), known) == {"type": "A,B"}
    with pytest.raises(InvalidRequest):
        params.read_params(asked("q=a&q=b"), known)


def test_a_page_link_asks_the_same_question_of_the_next_page() -> None:
    page = params.Paging(limit=2, offset=2)
    links = params.page_links(asked("type=T&q=a%3E1&limit=2&offset=2"), page, more=True)
    assert [value.decode() for _, value in links] == [
        '</ngsi-ld/v1/entities?limit=2&offset=4&q=a%3E1&type=T>; rel="next";type="application/json"',
        '</ngsi-ld/v1/entities?limit=2&offset=0&q=a%3E1&type=T>; rel="prev";type="application/json"',
    ]


@pytest.mark.parametrize(("said", "spoken"), [("zh-CN", "zh"), ("fr, en;q=0.5", "en"), ("fr", "zh"), ("", "zh")])
def test_sentences_are_in_the_first_language_that_is_spoken(said: str, spoken: str) -> None:
    assert language(said, "zh") == spoken


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "value", "a"]), inner),
    max_leaves=10,
)


@given(JSON)
def test_for_a_client_of_our_version_nothing_is_amended(shown: Any) -> None:
    assert versions.amended(shown, versions.OURS) is shown


def test_what_looks_like_an_attribute_within_a_value_is_left_alone() -> None:
    inner = {"type": "VocabProperty", "vocab": "x"}
    shown = {"id": "urn:a:b", "type": "T", "a": {"type": "Property", "value": inner, "b": inner}}
    told = versions.amended(shown, (1, 5))
    assert told["a"] == {"type": "Property", "value": inner, "b": {"type": "Property", "value": "x"}}


def body(id: str, value: int) -> bytes:
    return msgspec.json.encode(Document(id=id, types=("T",), created_at=f"2026-01-0{value}T00:00:00Z"))


def test_an_answer_holds_as_long_as_its_entities_are_the_same_bytes() -> None:
    documents = Documents()
    documents.add_tenant("")
    shelf = documents.shelf("")
    for number, id in enumerate("ab"):
        shelf.add(id, number, ("T",), body(id, 1))
    remembered = Remembered(documents)
    answer = Answer(200, b"[]")
    remembered.keep_answer("key", "", ["a", "b"], answer, alone=True)
    assert remembered.answer("key", "", documents) is answer
    assert remembered.answer("key", "", Documents()) is None, "another view of entities may hold others"
    shelf.change("b", ("T",), body("b", 2))
    assert remembered.answer("key", "", documents) is None


def test_what_cannot_be_proved_the_same_is_not_remembered() -> None:
    documents = Documents()
    remembered = Remembered(documents)
    remembered.keep_answer("key", "", ["gone"], Answer(200, b"[]"), alone=True)
    assert remembered.answer("key", "", documents) is None


def test_refusals_are_found_by_the_nearest_class() -> None:
    class Unheard(Refusal):
        pass

    assert kind_of(BadRequestData("ngsild.bug")).status == 400
    assert kind_of(Unheard("ngsild.bug")).status == 500


def test_a_tenant_that_is_not_there_shares_nothing_with_one_of_another_city() -> None:
    one, other = Documents(), Documents()
    one.shelf("").add("a", 1, ("T",), body("a", 1))
    assert list(other.ids("")) == []
