# SPDX-License-Identifier: Apache-2.0
"""What clients see of HTTP: representations, contexts, tenants, pages, outcomes and refusals (CIM 009 clause 6)."""

from typing import Any

import httpx
import pytest

from citybrain.kernel.ld.context import CORE_URL

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
JSON = {"content-type": "application/json"}
LD_JSON = {"content-type": "application/ld+json"}
LINK = f'<{CORE_URL}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'


def lamp(number: int, **members: Any) -> dict[str, Any]:
    return {
        "id": f"urn:ngsi-ld:Lamp:{number}",
        "type": "Lamp",
        "power": {"type": "Property", "value": number},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [120.0, 30.0]}},
        **members,
    }


@pytest.fixture(autouse=True)
async def empty(ngsild: httpx.AsyncClient) -> None:
    for tenant in ({}, {"ngsild-tenant": "east"}):
        await ngsild.delete("/entities", params={"local": "true"}, headers=tenant)


async def have(ngsild: httpx.AsyncClient, *lamps: dict[str, Any]) -> None:
    answer = await ngsild.post("/entityOperations/create", json=list(lamps))
    assert answer.status_code == 201, answer.text


def refused(answer: httpx.Response, status: int, type: str) -> str:
    """The sentence of a refusal, which is ProblemDetails."""
    told = answer.json()
    assert (answer.status_code, told["type"], told["status"]) == (status, ERRORS + type, status), answer.text
    assert told["title"]
    assert "ngsild." not in told["detail"]
    assert "kernel." not in told["detail"]
    return str(told["detail"])


async def test_what_was_created_is_retrieved_changed_and_deleted(ngsild: httpx.AsyncClient) -> None:
    created = await ngsild.post("/entities", json=lamp(1))
    assert (created.status_code, created.content) == (201, b"")
    where = "/entities/urn:ngsi-ld:Lamp:1"
    assert created.headers["location"] == f"/ngsi-ld/v1{where}"
    assert (await ngsild.get(where)).json()["power"] == {"type": "Property", "value": 1}
    assert (await ngsild.patch(f"{where}/attrs/power", json={"value": 2})).status_code == 204
    assert (await ngsild.get(f"{where}/attrs/power/value")).json() == 2
    assert (await ngsild.put(f"{where}/attrs/power/value", json=3)).status_code == 204
    assert (await ngsild.get(f"{where}/attrs/power")).json() == {"type": "Property", "value": 3}
    merged = {"power": {"type": "Property", "value": "urn:ngsi-ld:null"}, "name": {"type": "Property", "value": "x"}}
    assert (await ngsild.patch(where, json=merged)).status_code == 204
    assert set((await ngsild.get(where)).json()) == {"id", "type", "location", "name"}
    assert (await ngsild.delete(where)).status_code == 204
    refused(await ngsild.get(where), 404, "ResourceNotFound")


async def test_an_answer_that_is_remembered_is_never_old(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, lamp(1), lamp(2))
    for value in range(5):
        await ngsild.patch("/entities/urn:ngsi-ld:Lamp:1/attrs/power", json={"value": value})
        for _ in range(2):
            assert (await ngsild.get("/entities/urn:ngsi-ld:Lamp:1")).json()["power"]["value"] == value
            page = (await ngsild.get("/entities", params={"type": "Lamp"})).json()
            assert [each["power"]["value"] for each in page] == [value, 2]
            found = (await ngsild.get("/entities", params={"type": "Lamp", "q": f"power=={value}"})).json()
            assert "urn:ngsi-ld:Lamp:1" in {each["id"] for each in found}
    await ngsild.delete("/entities/urn:ngsi-ld:Lamp:1")
    assert len((await ngsild.get("/entities", params={"type": "Lamp"})).json()) == 1
    assert (await ngsild.get("/entities/urn:ngsi-ld:Lamp:1")).status_code == 404


# fmt: off
REPRESENTATIONS = [
    ("",                                                  "application/json",     "the first on offer"),
    ("*/*",                                               "application/json",     "anything is the first on offer"),
    ("application/ld+json",                               "application/ld+json",  "the only one named"),
    ("application/ld+json, application/json",             "application/json",     "equals go by the standard's order"),
    ("application/json;q=0.1, application/ld+json;q=0.9", "application/ld+json",  "weights go before order"),
    ("application/json;q=0, */*",                         "application/ld+json",  "a weight of 0 takes one away"),
    ("application/geo+json",                              "application/geo+json", "an entity is a feature too"),
]
# fmt: on


@pytest.mark.parametrize(("accept", "given", "why"), REPRESENTATIONS)
async def test_the_accept_header_chooses_the_representation(
    ngsild: httpx.AsyncClient, accept: str, given: str, why: str
) -> None:
    await have(ngsild, lamp(1))
    answer = await ngsild.get("/entities/urn:ngsi-ld:Lamp:1", headers={"accept": accept})
    assert answer.headers["content-type"] == given, why
    assert ("@context" in answer.json()) is (given != "application/json")
    assert ("link" in answer.headers) is (given == "application/json")


async def test_what_nobody_offers_is_not_acceptable(ngsild: httpx.AsyncClient) -> None:
    refused(await ngsild.get("/types", headers={"accept": "application/geo+json"}), 406, "InvalidRequest")
    refused(await ngsild.get("/entities/urn:a:b", headers={"accept": "text/html"}), 406, "InvalidRequest")


async def test_features_leave_their_context_out_when_it_is_preferred(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, lamp(1))
    headers = {"accept": "application/geo+json", "prefer": "body=json"}
    answer = await ngsild.get("/entities", params={"type": "Lamp"}, headers=headers)
    assert (answer.json()["type"], len(answer.json()["features"])) == ("FeatureCollection", 1)
    assert "@context" not in answer.json()
    assert answer.headers["link"] == LINK


WITH_CONTEXT = b'{"id":"urn:a:b","type":"T","@context":[]}'
# fmt: off
BODIES = [
    (JSON,                                b"{",                           400, "InvalidRequest", "no JSON"),
    (JSON,                                b"\xff\xfe",                    400, "InvalidRequest", "no UTF-8"),
    (JSON,                                b"[" * 100_000,                 400, "InvalidRequest", "far too deep"),
    (JSON,                                b"[]",                          400, "InvalidRequest", "no object"),
    (JSON,                                WITH_CONTEXT,                   400, "BadRequestData", "context in JSON"),
    (LD_JSON,                             b'{"id":"urn:a:b","type":"T"}', 400, "BadRequestData", "JSON-LD without one"),
    ({**LD_JSON, "link": LINK},           WITH_CONTEXT,                   400, "BadRequestData", "two contexts"),
    ({"content-type": "application/xml"}, b"<a/>",                        415, "InvalidRequest", "another media type"),
    (JSON,                                b'{"id":"a b","type":"T"}',     400, "BadRequestData", "the id is no URI"),
]
# fmt: on


@pytest.mark.parametrize(("headers", "body", "status", "type", "why"), BODIES)
async def test_a_body_that_makes_no_sense_is_refused(
    ngsild: httpx.AsyncClient, headers: dict[str, str], body: bytes, status: int, type: str, why: str
) -> None:
    assert refused(await ngsild.post("/entities", content=body, headers=headers), status, type), why


async def test_a_body_without_its_length_is_refused_without_a_word(ngsild: httpx.AsyncClient) -> None:
    async def pieces() -> Any:
        yield b"{}"

    answer = await ngsild.post("/entities", content=pieces(), headers=JSON)
    assert (answer.status_code, answer.content) == (411, b"")


async def test_a_body_of_a_hundred_megabytes_is_not_taken(ngsild: httpx.AsyncClient) -> None:
    answer = await ngsild.post("/entities", content=b" " * 100_000_000, headers=JSON, timeout=60)
    refused(answer, 413, "InvalidRequest")


# fmt: off
PARAMETERS = [
    ("/entities?colour=red",                     "InvalidRequest", "nobody knows it"),
    ("/entities?type=Lamp&q=a&q=b",              "InvalidRequest", "one value, twice"),
    ("/entities?type=Lamp&limit=0",              "BadRequestData", "nothing at all is asked for"),
    ("/entities?type=Lamp&limit=-1",             "BadRequestData", "below zero"),
    ("/entities?type=Lamp&limit=1001",           "BadRequestData", "more than a page can be"),
    ("/entities?type=Lamp&count=maybe",          "BadRequestData", "neither true nor false"),
    ("/entities?type=Lamp&options=pretty",       "InvalidRequest", "an unknown option"),
    ("/entities?type=Lamp&q=))",                 "BadRequestData", "no expression"),
    ("/entities?type=*&local=false",             "BadRequestData", "every type, but everywhere"),
    ("/entities",                                "BadRequestData", "everything there is"),
    ("/entities/urn:a:b?pick=a{b}",              "BadRequestData", "members of what is not joined"),
    ("/entities/urn:a:b?join=inline&joinLevel=0", "BadRequestData", "joined over no distance"),
    ("/entities//attrs/x/value",                 "BadRequestData", "no identifier between slashes"),
]
# fmt: on


@pytest.mark.parametrize(("path", "type", "why"), PARAMETERS)
async def test_a_parameter_that_makes_no_sense_is_refused(
    ngsild: httpx.AsyncClient, path: str, type: str, why: str
) -> None:
    assert refused(await ngsild.get(path), 400, type), why


async def test_a_path_and_a_method_that_are_not_there_say_so(ngsild: httpx.AsyncClient) -> None:
    refused(await ngsild.get("/nothing"), 404, "ResourceNotFound")
    answer = await ngsild.put("/types", json={})
    refused(answer, 405, "OperationNotSupported")
    assert answer.headers["allow"] == "GET"


async def test_options_say_which_methods_there_are(ngsild: httpx.AsyncClient) -> None:
    answer = await ngsild.options("/entities/urn:a:b")
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, PATCH, PUT, OPTIONS")


async def test_a_refusal_speaks_the_language_of_who_asks(ngsild: httpx.AsyncClient) -> None:
    english = await ngsild.get("/entities/urn:a:b")
    chinese = await ngsild.get("/entities/urn:a:b", headers={"accept-language": "zh-CN,zh;q=0.9"})
    assert english.json()["detail"].isascii()
    assert not chinese.json()["detail"].isascii()


async def test_tenants_are_strangers_to_each_other(ngsild: httpx.AsyncClient) -> None:
    east = {"ngsild-tenant": "east"}
    refused(await ngsild.get("/entities?type=Lamp", headers={"ngsild-tenant": "nobody"}), 404, "NonexistentTenant")
    created = await ngsild.post("/entities", json=lamp(1), headers=east)
    assert (created.status_code, created.headers["ngsild-tenant"]) == (201, "east")
    assert (await ngsild.get("/entities/urn:ngsi-ld:Lamp:1", headers=east)).status_code == 200
    assert (await ngsild.get("/entities/urn:ngsi-ld:Lamp:1")).status_code == 404
    assert refused(await ngsild.get("/types", headers={"ngsild-tenant": "a b"}), 400, "InvalidRequest")


async def test_pages_are_linked_forwards_and_backwards(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, *(lamp(number) for number in range(7)))
    seen: list[str] = []
    following: str | None = "/entities?type=Lamp&limit=3&count=true&options=keyValues"
    while following:
        answer = await ngsild.get(following)
        assert answer.headers["ngsild-results-count"] == "7"
        seen += [each["id"] for each in answer.json()]
        following = answer.links.get("next", {}).get("url", "").removeprefix("/ngsi-ld/v1") or None
    assert seen == [f"urn:ngsi-ld:Lamp:{number}" for number in range(7)]
    assert answer.links["prev"]["url"].endswith("limit=3&offset=3&options=keyValues&type=Lamp")
    nothing = await ngsild.get("/entities?type=Lamp&limit=0&count=true")
    assert (nothing.json(), nothing.headers["ngsild-results-count"]) == ([], "7")


async def test_what_goes_wrong_with_one_entity_of_a_batch_leaves_the_others_alone(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, lamp(1))
    answer = await ngsild.post("/entityOperations/create", json=[lamp(1), lamp(2), lamp(2), {"id": "urn:a:b"}])
    told = answer.json()
    assert answer.status_code == 207
    assert told["success"] == ["urn:ngsi-ld:Lamp:2"]
    assert [(each["entityId"], each["error"]["status"]) for each in told["errors"]] == [
        ("urn:ngsi-ld:Lamp:1", 409),
        ("urn:ngsi-ld:Lamp:2", 409),
        ("urn:a:b", 400),
    ]
    upserted = await ngsild.post("/entityOperations/upsert", json=[lamp(2), lamp(3)])
    assert (upserted.status_code, upserted.json()) == (201, ["urn:ngsi-ld:Lamp:3"])
    assert (await ngsild.post("/entityOperations/upsert", json=[lamp(2), lamp(3)])).status_code == 204
    gone = await ngsild.post("/entityOperations/delete", json=["urn:ngsi-ld:Lamp:3", "urn:ngsi-ld:Lamp:9"])
    assert (gone.status_code, gone.json()["success"]) == (207, ["urn:ngsi-ld:Lamp:3"])
    refused(await ngsild.post("/entityOperations/create", json=[]), 400, "BadRequestData")
    refused(await ngsild.post("/entityOperations/create", json=[lamp(5), None]), 400, "BadRequestData")
    assert (await ngsild.get("/entities/urn:ngsi-ld:Lamp:5")).status_code == 404


async def test_attributes_that_were_not_taken_are_told_with_the_reason(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, lamp(1))
    more = {"power": {"type": "Property", "value": 9}, "name": {"type": "Property", "value": "x"}}
    answer = await ngsild.post("/entities/urn:ngsi-ld:Lamp:1/attrs?options=noOverwrite", json=more)
    assert answer.status_code == 207
    assert answer.json()["updated"] == ["https://uri.etsi.org/ngsi-ld/default-context/name"]
    (refusal,) = answer.json()["notUpdated"]
    assert refusal["attributeName"] == "https://uri.etsi.org/ngsi-ld/default-context/power"
    assert refusal["reason"]


async def test_linked_entities_come_within_or_beside(ngsild: httpx.AsyncClient) -> None:
    room = {"type": "Relationship", "object": "urn:ngsi-ld:Room:1"}
    back = {"type": "Relationship", "object": "urn:ngsi-ld:Lamp:1"}
    await have(ngsild, lamp(1, within=room), {"id": "urn:ngsi-ld:Room:1", "type": "Room", "lamp": back})
    inline = (await ngsild.get("/entities/urn:ngsi-ld:Lamp:1?join=inline&joinLevel=3")).json()
    assert inline["within"]["entity"]["lamp"] == back, "nobody stands within itself"
    flat = (await ngsild.get("/entities?type=Lamp&join=flat")).json()
    assert [each["id"] for each in flat] == ["urn:ngsi-ld:Lamp:1", "urn:ngsi-ld:Room:1"]
    known = (await ngsild.get("/entities?type=Lamp&join=flat&containedBy=urn:ngsi-ld:Room:1")).json()
    assert len(known) == 1


async def test_an_earlier_client_reads_what_it_knows(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, lamp(1, state={"type": "VocabProperty", "vocab": "lit"}))
    path = "/entities/urn:ngsi-ld:Lamp:1"
    earlier = await ngsild.get(path, headers={"prefer": "ngsi-ld=1.5"})
    assert (earlier.status_code, earlier.json()["state"]) == (203, {"type": "Property", "value": "lit"})
    assert earlier.headers["preference-applied"] == "ngsi-ld=1.5"
    ours = await ngsild.get(path, headers={"prefer": "ngsi-ld=1.9"})
    assert (ours.status_code, ours.json()["state"]["type"]) == (200, "VocabProperty")


async def test_a_head_says_what_a_get_would_but_for_the_body(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, lamp(1))
    answer = await ngsild.head("/entities/urn:ngsi-ld:Lamp:1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_types_and_attributes_are_counted(ngsild: httpx.AsyncClient) -> None:
    await have(ngsild, lamp(1), lamp(2))
    assert (await ngsild.get("/types")).json()["typeList"] == ["Lamp"]
    assert (await ngsild.get("/types/Lamp")).json()["entityCount"] == 2
    assert (await ngsild.get("/attributes/power")).json()["attributeCount"] == 2
    refused(await ngsild.get("/types/Nothing"), 404, "ResourceNotFound")
