# SPDX-License-Identifier: Apache-2.0
"""Reporting: what is handed over, what is refused with everything that is wrong, and how often one may."""

from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from citybrain.doors.open311.app import REPORTS_BY_ADDRESS
from citybrain.doors.open311.door import is_read, refuse
from citybrain.doors.open311.tests.conftest import WHOLE, errors_of
from citybrain.kernel.cases.intake import Telling
from citybrain.kernel.clock import new_id
from citybrain.kernel.errors import Refusal


@pytest.fixture
def sender() -> dict[str, str]:
    """Headers from an address of one's own, so that no test counts for another."""
    return {"x-from": new_id()}


async def test_a_report_is_handed_over_whole_with_who_tells_it_apart(
    client: httpx.AsyncClient, told: list[Telling], sender: dict[str, str]
) -> None:
    answer = await client.post("/requests.json", data=WHOLE, headers=sender)
    assert answer.status_code == 201
    telling = told[-1]
    assert (telling.text, telling.category, telling.channel) == (WHOLE["description"], "001", "open311")
    assert (telling.longitude, telling.latitude) == (116.3165, 39.9835)
    assert telling.media == ("https://pictures.example.org/1.jpg",)
    assert (telling.teller.name, telling.teller.phone, telling.teller.email) == (
        "张三",
        "13800138000",
        "zhang@example.org",
    )
    matter = repr((telling.text, telling.address, telling.answers, telling.key))
    assert not [
        each for each in ("13800138000", "zhang", "张", "tt222111", "123456") if each in matter + repr(telling.media)
    ]


async def test_the_answer_is_the_number_by_when_there_is_an_answer_and_where_to_follow_it(
    client: httpx.AsyncClient, door: str, told: list[Telling], sender: dict[str, str]
) -> None:
    made = (await client.post("/requests.json", data=WHOLE, headers=sender)).json()[0]
    notice = made["service_notice"]
    assert (made["service_request_id"], made["account_id"]) == (f"N{len(told)}", None)
    assert notice.startswith("Your report was taken in. An answer is due by 2030-05-24 08:00 UTC.")
    assert notice.endswith(f" {door.removesuffix('/open311')}/page/secret")
    tree = fromstring((await client.post("/requests.xml", data=WHOLE, headers=sender)).content)
    assert (tree.tag, tree[0].tag, tree.findtext("request/service_request_id")) == (
        "service_requests",
        "request",
        f"N{len(told)}",
    )


async def test_a_name_is_written_as_its_language_does(
    client: httpx.AsyncClient, told: list[Telling], sender: dict[str, str]
) -> None:
    await client.post("/requests.json", data={**WHOLE, "first_name": "John", "last_name": "Smith"}, headers=sender)
    assert told[-1].teller.name == "John Smith"


async def test_nobody_need_say_who_they_are_nor_use_words(
    client: httpx.AsyncClient, told: list[Telling], sender: dict[str, str]
) -> None:
    least = {"service_code": "001", "address_id": "545483"}
    assert (await client.post("/requests.xml", data=least, headers=sender)).status_code == 201
    assert (told[-1].address, told[-1].text, told[-1].teller.name) == ("545483", "", "")


# fmt: off
ANSWERED: list[tuple[dict[str, Any], list[str], str]] = [
    ({"attribute[SINCE]": "2026-05-01"},                                   [], "the one that is needed"),
    ({"attribute[SINCE]": "2026-05-01T10:00Z", "attribute[SIDES][]": ["n", "s"]}, [], "several of a list"),
    ({"attribute[SINCE]": "2026-05-01", "attribute[DEPTH]": "12.5"},       [], "a number"),
    ({},                                                       ["attribute[SINCE]"], "the needed one is missing"),
    ({"attribute[SINCE]": "lately"},                           ["attribute[SINCE]"], "no time"),
    ({"attribute[SINCE]": "2026-05-01", "attribute[DEPTH]": "deep"}, ["attribute[DEPTH]"], "no number"),
    ({"attribute[SINCE]": "2026-05-01", "attribute[SIDES]": "east"}, ["attribute[SIDES]"], "not in the list"),
    ({"attribute[SINCE]": ["2026-05-01", "2026-05-02"]},       ["attribute[SINCE]"], "twice where once is asked"),
    ({"attribute[SINCE]": "2026-05-01", "attribute[WHO]": "me"}, ["attribute[WHO]"], "nobody asked"),
]
# fmt: on


@pytest.mark.parametrize(("given", "wrong", "why"), ANSWERED)
async def test_answers_fit_the_questions_of_the_service(
    client: httpx.AsyncClient, sender: dict[str, str], given: dict[str, Any], wrong: list[str], why: str
) -> None:
    form = {"service_code": "002", "lat": "39.9", "long": "116.3", **given}
    answer = await client.post("/requests.json", data=form, headers=sender)
    assert answer.status_code == (400 if wrong else 201), why
    if wrong:
        assert [field for field in wrong if field in errors_of(answer)[0]["description"]] == wrong, why


async def test_answers_are_handed_over_by_their_codes(
    client: httpx.AsyncClient, told: list[Telling], sender: dict[str, str]
) -> None:
    form = {
        "service_code": "002",
        "address_string": "x",
        "attribute[SINCE]": "2026-05-01",
        "attribute[SIDES][]": ["n", "s"],
    }
    await client.post("/requests.json", data=form, headers=sender)
    assert told[-1].answers == {"SINCE": ("2026-05-01",), "SIDES": ("n", "s")}


# fmt: off
REFUSED: list[tuple[dict[str, str], int, str, str]] = [
    ({"service_code": ""},                   400, "service_code",    "no service"),
    ({"service_code": "999"},                404, "999",             "a service there is not"),
    ({"jurisdiction_id": "elsewhere.gov"},   404, "jurisdiction_id", "another city"),
    ({"lat": "", "long": "", "address_string": ""}, 400, "lat and long", "no place at all"),
    ({"lat": ""},                            400, "lat",             "half a place"),
    ({"lat": "91"},                          400, "lat",             "beyond the pole"),
    ({"long": "nan"},                        400, "long",            "no number"),
    ({"description": "x" * 4_001},           400, "description",     "longer than the standard has it"),
    ({"email": "x" * 101},                   400, "email",           "no address is so long"),
    ({"media_url": "javascript:alert(1)"},   400, "media_url",       "no address of a picture"),
    ({"media_url": "file:///etc/passwd"},    400, "media_url",       "neither"),
    ({"api_key": "wrong"},                   403, "api_key",         "a key there is not"),
    ({"description": "unsagbar"},            400, "phone",           "what the app refuses, in words of the door"),
]
# fmt: on


@pytest.mark.parametrize(("changed", "status", "named", "why"), REFUSED)
async def test_a_report_that_cannot_be_taken_in_says_what_is_wrong(  # noqa: PLR0913  a row of the table each
    client: httpx.AsyncClient,
    told: list[Telling],
    sender: dict[str, str],
    changed: dict[str, str],
    status: int,
    named: str,
    why: str,
) -> None:
    before = len(told)
    answer = await client.post("/requests.json", data={**WHOLE, **changed}, headers=sender)
    assert (answer.status_code, len(told)) == (status, before), why
    assert errors_of(answer)[0]["code"] == status
    assert named in errors_of(answer)[0]["description"], why


# fmt: off
BODIES = [
    (b"service_code=%ff&lat=1&long=1",  "application/x-www-form-urlencoded", "not UTF-8"),
    (b"service_code=001%00&lat=1&long=1", "application/x-www-form-urlencoded", "a sign that no table keeps"),
    (b"a=1&" * 500,                     "application/x-www-form-urlencoded", "far too many fields"),
    (b'{"service_code": "001"}',        "application/json",                  "no form"),
    (b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "text/xml", "no XML comes in"),
    (b"description=" + b"x" * 300_000,  "application/x-www-form-urlencoded", "larger than any report"),
]
# fmt: on


@pytest.mark.parametrize(("body", "media", "why"), BODIES)
async def test_what_is_no_form_is_refused(
    client: httpx.AsyncClient, sender: dict[str, str], body: bytes, media: str, why: str
) -> None:
    answer = await client.post("/requests.json", content=body, headers={**sender, "content-type": media})
    assert (answer.status_code, errors_of(answer)[0]["code"]) == (400, 400), why


async def test_the_same_report_with_the_same_key_is_one(
    client: httpx.AsyncClient, told: list[Telling], sender: dict[str, str]
) -> None:
    headers = {**sender, "idempotency-key": "b6f1"}
    first = (await client.post("/requests.json", data=WHOLE, headers=headers)).json()
    again = (await client.post("/requests.json", data=WHOLE, headers=headers)).json()
    assert first == again
    other = (await client.post("/requests.json", data={**WHOLE, "phone": "13900139000"}, headers=headers)).json()
    assert other[0]["service_request_id"] != first[0]["service_request_id"]
    assert "b6f1" not in str(told[-1].key)
    assert (
        await client.post("/requests.json", data=WHOLE, headers={**sender, "idempotency-key": "x" * 256})
    ).status_code == 400


async def test_the_test_endpoint_checks_a_report_and_keeps_nothing(
    door: str, told: list[Telling], sender: dict[str, str]
) -> None:
    before = len(told)
    async with httpx.AsyncClient(base_url=f"{door}/test/v2", headers=sender) as client:
        good = await client.post("/requests.json", data=WHOLE)
        bad = await client.post("/requests.json", data={**WHOLE, "lat": "91"})
    assert (good.status_code, good.json()[0]["service_request_id"], bad.status_code) == (200, "TEST", 400)
    assert len(told) == before


async def test_one_address_may_not_flood_the_city(client: httpx.AsyncClient, sender: dict[str, str]) -> None:
    for _ in range(REPORTS_BY_ADDRESS.times):
        assert (await client.post("/requests.xml", data=WHOLE, headers=sender)).status_code == 201
    answer = await client.post("/requests.xml", data=WHOLE, headers=sender)
    assert (answer.status_code, fromstring(answer.content).findtext("error/code")) == (429, "429")
    elsewhere = {"x-from": new_id()}
    assert (await client.post("/requests.xml", data=WHOLE, headers=elsewhere)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "reads"),
    [
        ("GET", "/v2/requests.xml", True),
        ("POST", "/v2/requests.xml", True),
        ("POST", "/test/v2/requests", True),
        ("POST", "/v2/services.xml", False),
        ("DELETE", "/v2/requests.xml", False),
    ],
)
def test_only_reports_are_left_to_the_door_to_permit(method: str, path: str, reads: bool) -> None:
    assert is_read(method, path) is reads


def test_what_the_gate_refuses_is_a_list_of_errors_in_the_format_that_all_know() -> None:
    answer = refuse(Refusal("serve.not_signed_in", {"permission": "open311.view"}))
    assert (answer.status, fromstring(answer.body).findtext("error/code")) == (401, "401")
