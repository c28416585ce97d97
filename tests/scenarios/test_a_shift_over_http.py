# SPDX-License-Identifier: Apache-2.0
"""A duty officer over HTTP: who could be sent, the figures with their rows, the report, and handing the shift over."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.scenarios.city import RunningCity, running
from tests.scenarios.test_a_city_that_runs import OWN_PAGE

MAY = {"CITYBRAIN_PUBLIC_MAY": "operations.view,operations.confirm,ngsild.write"}
ROAD = "urn:ngsi-ld:RoadSegment:{}"
UPSERT = "/ngsi-ld/v1/entityOperations/upsert"


@pytest.fixture(scope="module")
def city(new_folder: Callable[[], Any]) -> Iterator[RunningCity]:
    with running(new_folder(), scenario="none", variables=MAY) as one:
        yield one


@pytest.fixture
def client(city: RunningCity) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, headers=OWN_PAGE, timeout=30) as client:
        yield client


def road(number: int) -> dict[str, Any]:
    line = [[10.0 + number * 0.01, 50.0], [10.01 + number * 0.01, 50.0]]
    return {
        "id": ROAD.format(number),
        "type": "RoadSegment",
        "location": {"type": "GeoProperty", "value": {"type": "LineString", "coordinates": line}},
        "length": {"type": "Property", "value": 700.0},
        "maximumAllowedSpeed": {"type": "Property", "value": 50.0},
        "leadsTo": {"type": "Property", "value": [ROAD.format(number + 1)] if number < 3 else []},
    }


def truck(name: str, lon: float, **said: Any) -> dict[str, Any]:
    values = {"skill": "tow", "status": "free", **said}
    return {
        "id": f"urn:ngsi-ld:Vehicle:{name}",
        "type": "Vehicle",
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, 50.0]}},
        **{key: {"type": "Property", "value": value} for key, value in values.items()},
    }


def test_teams_that_a_service_writes_into_the_pool_can_be_sent(client: httpx.Client) -> None:
    trucks = [truck("near", 10.025), truck("far", 10.005), truck("off", 10.035, status="off")]
    told = [*(road(number) for number in range(4)), *trucks]
    assert client.post(UPSERT, json=told).status_code in (201, 204)

    def ranked(**asked: Any) -> Any:
        return client.post("/api/operations/dispatch", json={"what": "tow", "entity_id": ROAD.format(3), **asked})

    found = ranked().json()
    assert [each["team"].rpartition(":")[2] for each in found["candidates"]] == ["near", "far"]
    assert found["chosen"] == [found["candidates"][0]["team"]]
    assert len(ranked(number=2).json()["chosen"]) == 2
    assert ranked(what="crane").json()["code"] == "operations.nobody_has_skill"
    assert ranked(entity_id="urn:ngsi-ld:Nowhere:1").json()["code"] == "operations.no_place"


def test_figures_open_their_rows_and_a_shift_is_handed_over(client: httpx.Client) -> None:
    figures = client.get("/api/operations/indicators").raise_for_status().json()
    assert {each["name"] for each in figures} >= {"operations.found_by_machine", "operations.handled_at_once"}
    for each in figures:
        rows = client.get(each["rows_url"]).raise_for_status().json()
        assert rows["value"] == each["value"]
        assert rows["parts"] == each["parts"]
    unknown = client.get("/api/operations/indicators/operations.luck/rows")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "operations.no_such_figure")
    backwards = {"since": "2026-03-02T08:00:00Z", "until": "2026-03-02T07:00:00Z"}
    assert client.get("/api/operations/shift-report", params=backwards).json()["code"] == "operations.times_reversed"
    report = client.get("/api/operations/shift-report", params={"lang": "en"}).raise_for_status().json()
    assert report["lang"] == "en"
    assert report["before"] is None
    span = {"since": report["since"], "until": report["until"], "comments": "all quiet", "lang": "en"}
    handed = client.post("/api/operations/handovers", json=span)
    assert handed.status_code == 201, handed.text
    kept = client.get(f"/api/operations/handovers/{handed.json()['id']}").raise_for_status().json()
    assert (kept["comments"], kept["report"]["lang"], kept["acknowledged_by"]) == ("all quiet", "en", None)
    own = client.post(f"/api/operations/handovers/{kept['id']}/acknowledge")
    assert (own.status_code, own.json()["code"]) == (403, "operations.not_your_shift")
    assert [each["id"] for each in client.get("/api/operations/handovers").json()] == [kept["id"]]
