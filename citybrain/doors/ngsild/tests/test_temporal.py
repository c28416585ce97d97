# SPDX-License-Identifier: Apache-2.0
"""The temporal API over HTTP: what is answered, and what is refused."""

from typing import Any

import httpx
import pytest

BUS = "urn:ngsi-ld:Bus:t1"
AFTER = {"timerel": "after", "timeAt": "2026-05-01T00:00:00Z"}
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


def bus(*speeds: float, id: str = BUS, **more: Any) -> dict[str, Any]:
    instances = [
        {"type": "Property", "value": value, "observedAt": f"2026-05-01T12:{i:02}:00Z"}
        for i, value in enumerate(speeds)
    ]
    return {"id": id, "type": "Bus", "speed": instances, **more}


@pytest.fixture
async def past(ngsild: httpx.AsyncClient) -> httpx.AsyncClient:
    for id in (BUS, f"{BUS}b"):
        await ngsild.delete(f"/temporal/entities/{id}")
    added = await ngsild.post("/temporal/entities", json=bus(30, 32, 34))
    assert (added.status_code, added.content) == (201, b"")
    assert added.headers["location"] == f"/ngsi-ld/v1/temporal/entities/{BUS}"
    return ngsild


async def test_adding_again_is_no_creation(past: httpx.AsyncClient) -> None:
    assert (await past.post("/temporal/entities", json=bus(30, 33))).status_code == 204
    more = {"speed": [{"type": "Property", "value": 40, "observedAt": "2026-05-01T13:00:00Z"}]}
    assert (await past.post(f"/temporal/entities/{BUS}/attrs", json=more)).status_code == 204
    told = (await past.get(f"/temporal/entities/{BUS}")).json()
    assert [each["value"] for each in told["speed"]] == [30, 33, 34, 40]


async def test_all_forms_of_one_evolution(past: httpx.AsyncClient) -> None:
    path = f"/temporal/entities/{BUS}"
    pairs = (await past.get(path, params={"format": "temporalValues", "lastN": 2})).json()
    assert pairs["speed"] == {
        "type": "Property",
        "values": [[32, "2026-05-01T12:01:00Z"], [34, "2026-05-01T12:02:00Z"]],
    }
    figures = (await past.get(path, params={"aggrMethods": "avg,totalCount", "aggrPeriodDuration": "PT1H"})).json()
    end = ["2026-05-01T12:00:00Z", "2026-05-01T13:00:00Z"]
    assert figures["speed"] == {"type": "Property", "avg": [[32, *end]], "totalCount": [[3, *end]]}
    with_times = (await past.get(path, params={"options": "sysAttrs"})).json()
    assert {"createdAt", "modifiedAt", "instanceId"} <= set(with_times["speed"][0])
    picked = (await past.get(path, params={"pick": "id"})).json()
    assert picked == {"id": BUS}


async def test_a_query_answers_in_pages_with_their_number(past: httpx.AsyncClient) -> None:
    await past.post("/temporal/entities", json=bus(90, id=f"{BUS}b"))
    params = {"type": "Bus", **AFTER, "limit": "1", "count": "true"}
    first = await past.get("/temporal/entities", params=params)
    assert ([each["id"] for each in first.json()], first.headers["ngsild-results-count"]) == ([BUS], "2")
    assert 'rel="next"' in first.headers["link"]
    down = await past.get("/temporal/entities", params={"type": "Bus", **AFTER, "orderBy": "id;desc"})
    assert [each["id"] for each in down.json()] == [f"{BUS}b", BUS]
    fast = await past.get("/temporal/entities", params={"type": "Bus", "q": "speed>50", **AFTER})
    assert [each["id"] for each in fast.json()] == [f"{BUS}b"]


async def test_a_body_asks_the_same_as_parameters(past: httpx.AsyncClient) -> None:
    body = {"type": "Query", "entities": [{"type": "Bus"}], "temporalQ": {**AFTER, "lastN": 1}}
    told = await past.post("/temporal/entityOperations/query", json=body)
    assert [each["value"] for each in told.json()[0]["speed"]] == [34]
    summed = {**body, "temporalQ": AFTER, "aggrParams": {"aggrMethods": ["max"]}}
    told = await past.post("/temporal/entityOperations/query", json=summed)
    assert told.json()[0]["speed"]["max"][0][0] == 34


async def test_what_does_not_fit_is_partial_and_names_its_span(past: httpx.AsyncClient) -> None:
    many = [
        {"type": "Property", "value": i, "observedAt": f"2026-05-02T00:00:{i % 60:02}.{i:04}Z"} for i in range(1200)
    ]
    await past.post("/temporal/entities", json={"id": f"{BUS}b", "type": "Bus", "x": many})
    path = f"/temporal/entities/{BUS}b"
    part = await past.get(path, params={"timerel": "after", "timeAt": "2026-05-01T00:00:00Z"})
    assert (part.status_code, len(part.json()["x"])) == (206, 1000)
    kind, span = part.headers["content-range"].split(" ")
    assert (kind, span.startswith("2026-05-01T00:00:00Z-2026-05-02T00:00:"), span.endswith("/*")) == (
        "date-time",
        True,
        True,
    )
    end = span.removeprefix("2026-05-01T00:00:00Z-").removesuffix("/*")
    rest = await past.get(path, params={"timerel": "after", "timeAt": end})
    assert (rest.status_code, len(rest.json()["x"])) == (200, 201), "the last instance told comes again"


async def test_instances_are_corrected_and_taken_out_by_their_identifier(past: httpx.AsyncClient) -> None:
    path = f"/temporal/entities/{BUS}"
    first = (await past.get(path)).json()["speed"][0]["instanceId"]
    assert (await past.patch(f"{path}/attrs/speed/{first}", json={"value": 31})).status_code == 204
    told = (await past.get(path)).json()["speed"]
    assert (told[0]["value"], told[0]["instanceId"]) == (31, first)
    assert (await past.delete(f"{path}/attrs/speed/{first}")).status_code == 204
    assert (await past.delete(f"{path}/attrs/speed/{first}")).status_code == 404
    assert (await past.delete(f"{path}/attrs/speed")).status_code == 204
    assert (await past.delete(path)).status_code == 204
    assert (await past.get(path)).status_code == 404


async def test_what_happens_to_an_entity_of_now_stays_after_it(past: httpx.AsyncClient) -> None:
    id = "urn:ngsi-ld:Tram:t1"
    await past.delete(f"/temporal/entities/{id}")
    await past.post("/entities", json={"id": id, "type": "Tram", "line": {"type": "Property", "value": 5}})
    await past.patch(f"/entities/{id}/attrs", json={"line": {"type": "Property", "value": 6}})
    await past.delete(f"/entities/{id}")
    told = (await past.get(f"/temporal/entities/{id}")).json()
    assert [each["value"] for each in told["line"]] == [5, 6, "urn:ngsi-ld:null"]
    assert "deletedAt" in told["line"][2]


async def test_an_attribute_of_what_is_only_past_can_be_ended(past: httpx.AsyncClient) -> None:
    assert (await past.delete(f"/entities/{BUS}/attrs/speed")).status_code == 204
    assert (await past.delete(f"/entities/{BUS}/attrs/speed")).status_code == 404
    gone = (await past.get(f"/temporal/entities/{BUS}", params={"timeproperty": "deletedAt"})).json()
    assert [each["value"] for each in gone["speed"]] == ["urn:ngsi-ld:null"]


async def test_a_map_fixes_which_entities_a_query_is_about(past: httpx.AsyncClient) -> None:
    made = await past.get("/temporal/entities", params={"type": "Bus", **AFTER, "entityMap": "true"})
    assert made.status_code == 201
    await past.post("/temporal/entities", json=bus(1, id=f"{BUS}b"))
    named = {"ngsild-entitymap": made.headers["ngsild-entitymap"]}
    again = await past.get("/temporal/entities", params={"type": "Bus", **AFTER}, headers=named)
    assert ([each["id"] for each in again.json()], again.status_code) == ([BUS], 200)


WHEN = "timerel=after&timeAt=2026-05-01T00:00:00Z"
# fmt: off
REFUSED = [
    ("GET",    "/temporal/entities?type=Bus",                         400, "BadRequestData"),
    ("GET",    f"/temporal/entities?{WHEN}",                          400, "BadRequestData"),
    ("GET",    f"/temporal/entities?id={BUS}&{WHEN}",                 400, "BadRequestData"),
    ("GET",    f"/temporal/entities?type=Bus&{WHEN}&orderBy=speed",   400, "BadRequestData"),
    ("GET",    f"/temporal/entities?type=Bus&{WHEN}&csf=((",          400, "BadRequestData"),
    ("GET",    f"/temporal/entities/{BUS}?format=pretty",             400, "InvalidRequest"),
    ("GET",    f"/temporal/entities/{BUS}?attrs=nothing",             404, "ResourceNotFound"),
    ("GET",    f"/temporal/entities/{BUS}?pick=stop{{name}}",         400, "BadRequestData"),
    ("GET",    "/temporal/entities/bus",                              400, "BadRequestData"),
    ("GET",    "/temporal/entities/urn:ngsi-ld:Bus:none",             404, "ResourceNotFound"),
    ("DELETE", "/temporal/entities/urn:ngsi-ld:Bus:none",             404, "ResourceNotFound"),
    ("DELETE", f"/temporal/entities/{BUS}/attrs/spe(ed",              400, "BadRequestData"),
    ("DELETE", f"/temporal/entities/{BUS}/attrs/nothing",             404, "ResourceNotFound"),
    ("DELETE", f"/temporal/entities/{BUS}/attrs/speed/one",           400, "BadRequestData"),
    ("DELETE", f"/temporal/entities/{BUS}/attrs//urn:x:1",            400, "BadRequestData"),
    ("PATCH",  f"/temporal/entities/{BUS}/attrs//urn:x:1",            405, "OperationNotSupported"),
]
# fmt: on


@pytest.mark.parametrize(("method", "path", "status", "type"), REFUSED)
async def test_what_cannot_be_is_refused(
    past: httpx.AsyncClient, method: str, path: str, status: int, type: str
) -> None:
    body = {"value": 1} if method == "PATCH" else None
    answer = await past.request(method, path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, ERRORS + type)
