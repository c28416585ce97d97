# SPDX-License-Identifier: Apache-2.0
"""Reading: services, definitions, requests by number, time, code and status, and what is said when nothing fits."""

from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from citybrain.doors.open311.app import make
from citybrain.doors.open311.tests.conftest import SCRIPT, errors_of, mounted, publish, request, service
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.service import Desk, delete
from citybrain.kernel.store import Store
from conftest import Serving


def numbers(answer: httpx.Response) -> list[str]:
    return [each["service_request_id"] for each in answer.json()]


def ago(days: float) -> str:
    return (utc_now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_services_are_told_in_the_language_that_is_asked_for(client: httpx.AsyncClient) -> None:
    english = (await client.get("/services.json")).json()
    chinese = (await client.get("/services.json", headers={"accept-language": "zh-CN,en;q=0.5"})).json()
    assert (english[0]["service_name"], chinese[0]["service_name"]) == ("Service 001", "服务001")
    assert english[0]["keywords"] == "lamp, dark"
    assert [(each["metadata"], each["type"]) for each in english] == [(False, "realtime"), (True, "realtime")]


async def test_a_definition_tells_each_question_with_its_order_and_its_options(client: httpx.AsyncClient) -> None:
    asked = (await client.get("/services/002.json")).json()["attributes"]
    assert [(each["code"], each["order"], each["required"]) for each in asked] == [
        ("SINCE", 1, True),
        ("SIDES", 2, False),
        ("DEPTH", 3, False),
    ]
    assert asked[1]["values"] == [{"key": "n", "name": "North"}, {"key": "s", "name": "South"}]
    tree = fromstring((await client.get("/services/002.xml")).content)
    assert tree.findtext("service_code") == "002"
    assert [each.text for each in tree.findall("attributes/attribute/values/value/key")] == ["n", "s"]


async def test_a_service_without_questions_has_a_definition_without_attributes(client: httpx.AsyncClient) -> None:
    assert (await client.get("/services/001.json")).json() == {"service_code": "001", "attributes": []}


async def test_without_times_the_last_ninety_days_are_told_the_newest_first(client: httpx.AsyncClient) -> None:
    assert numbers(await client.get("/requests.json")) == ["R1", "R2", "R3"]


# fmt: off
QUERIES: list[tuple[dict[str, str], list[str], str]] = [
    ({"service_request_id": "R4"},                          ["R4"],       "a number overrides times"),
    ({"service_request_id": "R4, R1", "status": "open"},    ["R4", "R1"], "several numbers, and all else overridden"),
    ({"service_request_id": "R9"},                          [],           "nobody has it"),
    ({"service_code": "002"},                               ["R2", "R3"], "by code"),
    ({"service_code": "001,002"},                           ["R1", "R2", "R3"], "by several codes"),
    ({"service_code": "999"},                               [],           "a code that nobody used"),
    ({"status": "open"},                                    ["R1", "R3"], "by status"),
    ({"status": "open,closed"},                             ["R1", "R2", "R3"], "by both"),
    ({"status": "closed", "service_code": "001"},           [],           "code and status"),
    ({"start_date": ago(129)},                              ["R3", "R4"], "ninety days from a time on"),
    ({"end_date": ago(29)},                                 ["R3"],       "ninety days up to a time"),
    ({"end_date": ago(100)},                                ["R4"],       "up to an older one"),
    ({"start_date": ago(50), "end_date": ago(1.5)},         ["R2", "R3"], "between two times"),
    ({"start_date": "", "status": "", "jurisdiction_id": ""}, ["R1", "R2", "R3"], "empty is not given"),
    ({"jurisdiction_id": "127.0.0.1"},                      ["R1", "R2", "R3"], "this city's name"),
]
# fmt: on


@pytest.mark.parametrize(("query", "found", "why"), QUERIES)
async def test_requests_are_found_by_what_is_asked(
    client: httpx.AsyncClient, query: dict[str, str], found: list[str], why: str
) -> None:
    answer = await client.get("/requests.json", params=query)
    assert numbers(answer) == found, why
    tree = fromstring((await client.get("/requests.xml", params=query)).content)
    assert [each.findtext("service_request_id") for each in tree.findall("request")] == found, why


async def test_a_status_may_be_said_several_times(client: httpx.AsyncClient) -> None:
    assert numbers(await client.get("/requests.json?status=open&status=closed")) == ["R1", "R2", "R3"]


async def test_a_request_has_all_members_of_the_standard_in_both_formats(client: httpx.AsyncClient) -> None:
    told = (await client.get("/requests/R1.json")).json()
    assert len(told) == 1
    assert (told[0]["status"], told[0]["lat"], told[0]["long"]) == ("open", 39.9835, 116.3165)
    assert told[0]["address"] == "Main St & 1st"
    element = fromstring((await client.get("/requests/R1.xml")).content)[0]
    assert [each.tag for each in element] == list(told[0]) and len(told[0]) == 17
    assert element.findtext("lat") == "39.9835"


async def test_a_script_in_a_description_is_a_text_that_is_shown_escaped(client: httpx.AsyncClient) -> None:
    answer = await client.get("/requests/R1.xml")
    assert b"<script" not in answer.content
    assert fromstring(answer.content).findtext("request/description") == f"Dark {SCRIPT}"
    assert (await client.get("/requests/R1.json")).json()[0]["description"].startswith(f"Dark {SCRIPT}")
    services = await client.get("/services.xml")
    assert b"<script" not in services.content
    assert fromstring(services.content).findtext("service/description") == f"Lamps {SCRIPT}"


@pytest.mark.parametrize("ending", ["", ".xml", ".json"])
async def test_answers_say_type_and_encoding(client: httpx.AsyncClient, ending: str) -> None:
    answer = await client.get(f"/services{ending}")
    assert answer.headers["content-type"] == (
        "application/json; charset=utf-8" if ending == ".json" else "text/xml; charset=utf-8"
    )


async def test_a_number_in_the_place_of_a_token_stands_for_itself(client: httpx.AsyncClient) -> None:
    assert (await client.get("/tokens/R1.json")).json() == [{"service_request_id": "R1", "token": "R1"}]


# fmt: off
REFUSED = [
    ("GET",  "/services/999",                                             404, "a service that is not there"),
    ("GET",  "/requests/R9",                                              404, "a request that is not there"),
    ("GET",  "/tokens/R9",                                                404, "a token that is not there"),
    ("GET",  "/services?jurisdiction_id=elsewhere.gov",                   404, "another city"),
    ("GET",  "/requests?jurisdiction_id=elsewhere.gov",                   404, "another city"),
    ("GET",  "/requests/R1?jurisdiction_id=elsewhere.gov",                404, "another city"),
    ("GET",  "/requests?status=lost",                                     400, "a status there is not"),
    ("GET",  "/requests?start_date=yesterday",                            400, "no time"),
    ("GET",  "/requests?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z", 400, "more than ninety days"),
    ("GET",  "/requests?start_date=2026-06-01T00:00:00Z&end_date=2026-05-01T00:00:00Z", 400, "the wrong way round"),
    ("GET",  "/requests?end_date=0001-01-01T00:00:00Z",                   400, "ninety days before there were days"),
    ("GET",  "/elsewhere",                                                404, "no such path"),
    ("PUT",  "/requests",                                                 405, "nobody may write over all"),
    ("DELETE", "/requests/R1",                                            405, "nobody may take away"),
]
# fmt: on


@pytest.mark.parametrize(("method", "path", "status", "why"), REFUSED)
async def test_a_refusal_is_the_standards_list_in_the_format_of_the_path(
    client: httpx.AsyncClient, method: str, path: str, status: int, why: str
) -> None:
    stem, _, query = path.partition("?")
    as_json = await client.request(method, f"{stem}.json?{query}")
    assert as_json.status_code == status, why
    assert [each["code"] for each in errors_of(as_json)] == [status], why
    assert all(len(each["description"]) > 10 for each in errors_of(as_json)), why
    as_xml = await client.request(method, f"{stem}.xml?{query}")
    assert as_xml.headers["content-type"] == "text/xml; charset=utf-8"
    tree = fromstring(as_xml.content)
    assert (tree.tag, tree.findtext("error/code")) == ("errors", str(status)), why
    assert tree.findtext("error/description") == errors_of(as_json)[0]["description"], why


async def test_all_that_is_wrong_is_told_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.get("/requests.json?status=lost&start_date=never")
    assert len(errors_of(answer)) == 2


@pytest.mark.parametrize("path", ["/services.html", "/requests.pdf", "/requests/R1.csv"])
async def test_a_format_that_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert fromstring(answer.content).findtext("error/code") == "404"


async def test_a_head_tells_of_the_answer_without_it(client: httpx.AsyncClient) -> None:
    answer = await client.head("/requests.xml")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_what_is_published_half_is_shown_as_far_as_it_goes(store: Store, client: httpx.AsyncClient) -> None:
    odd: dict[str, Any] = {
        "attributes": [{"nothing": 1}, "words", {"code": "Q", "datatype": "colour", "values": "none"}],
        "keywords": 7,
    }
    await publish(store, service("odd", **odd))
    shown = (await client.get("/services/odd.json")).json()["attributes"]
    assert [(each["code"], each["datatype"]) for each in shown] == [("Q", "string")]
    nameless = {"id": "urn:ngsi-ld:Open311ServiceType:x", "type": "Open311ServiceType"}
    timeless = {"id": "urn:ngsi-ld:Open311ServiceRequest:x", "type": "Open311ServiceRequest"}
    await publish(store, nameless, timeless, request("R0", utc_now(), requested_datetime="some day"))
    assert "" not in [each["service_code"] for each in (await client.get("/services.json")).json()]
    assert numbers(await client.get("/requests.json")) == ["R1", "R2", "R3"]
    await delete(Desk(documents=store.documents, tenant="", at=utc_now()), "urn:ngsi-ld:Open311ServiceType:odd")


async def test_a_request_that_is_taken_away_or_changed_is_so_at_once(store: Store, client: httpx.AsyncClient) -> None:
    await publish(store, request("R5", utc_now()))
    assert numbers(await client.get("/requests.json?status=open"))[0] == "R5"
    await publish(store, request("R5", utc_now(), status="closed"))
    assert "R5" not in numbers(await client.get("/requests.json?status=open"))
    await delete(Desk(documents=store.documents, tenant="", at=utc_now()), "urn:ngsi-ld:Open311ServiceRequest:R5")
    assert (await client.get("/requests/R5.json")).status_code == 404
    assert "R5" not in numbers(await client.get("/requests.json"))


async def test_of_many_requests_the_newest_thousand_are_listed(store: Store, serving: Serving) -> None:
    now = utc_now()
    many = [request(f"M{number}", now + timedelta(seconds=number), "many") for number in range(1_200)]
    await publish(store, *many)
    async with serving(mounted(make(store))) as address, httpx.AsyncClient(timeout=30) as client:
        end = (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"end_date": end, "service_code": "many"}
        found = numbers(await client.get(f"{address}/open311/v2/requests.json", params=query))
        assert found == [f"M{number}" for number in range(1_199, 199, -1)]
        tree = fromstring((await client.get(f"{address}/open311/v2/requests.xml", params=query)).content)
        assert len(tree) == 1_000
    desk = Desk(documents=store.documents, tenant="", at=utc_now())
    for each in many:
        await delete(desk, each["id"])
