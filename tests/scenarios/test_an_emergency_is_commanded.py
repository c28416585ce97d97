# SPDX-License-Identifier: Apache-2.0
"""A gauge reports a flood by a public door, an officer declares an incident of it, two persons raise it, and the report
tells how it went."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.serve import contributions
from tests.scenarios.city import RunningCity, start

HERE = {"type": "Point", "coordinates": [120.1551, 30.2741]}
WITHIN_S = 30.0


PASSWORD = "correct horse battery"


async def fill(folder: Path) -> None:
    """A city that knows two officers."""
    given: Any = {"types": contributions.entity_types(), "migrations": contributions.migrations()}
    async with open_store(Settings(data=folder), permissions=contributions.permissions(), **given) as store:
        for name in ("ann", "bob"):
            await store.access.add_account(name, PASSWORD, roles=("operator",), now=utc_now())


@pytest.fixture(scope="module")
def city(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    folder = new_folder()
    folder.parent.chmod(0o755)
    asyncio.run(fill(folder))
    started = start(folder, scenario="none", variables={"CITYBRAIN_PUBLIC_MAY": "ngsild.write"})
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def ann(city: RunningCity) -> Iterator[httpx.Client]:
    yield from signed_in(city, "ann")


@pytest.fixture(scope="module")
def bob(city: RunningCity) -> Iterator[httpx.Client]:
    yield from signed_in(city, "bob")


def signed_in(city: RunningCity, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, timeout=30, headers={"X-Citybrain": "1"}) as found:
        signed = found.post("/api/session", json={"name": name, "password": PASSWORD})
        assert signed.is_success, signed.text
        yield found


def posted(client: httpx.Client, path: str, body: Any, status: int = 201) -> Any:
    answer = client.post(f"/api/emergency/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def thing(city: RunningCity, type: str, name: str, place: Any = HERE, **facts: Any) -> str:
    id = f"urn:ngsi-ld:{type}:{name}"
    attributes = {key: {"type": "Property", "value": value} for key, value in facts.items()}
    body = {"id": id, "type": type, "location": {"type": "GeoProperty", "value": place}, **attributes}
    answer = httpx.post(f"{city.url}/ngsi-ld/v1/entities", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return id


def flood_of(city: RunningCity, gauge: str) -> Any:
    until = time.monotonic() + WITHIN_S
    while True:
        found = [each for each in city.get("/api/events") if each["entity_id"] == gauge]
        if found:
            return found[0]
        assert time.monotonic() < until
        time.sleep(0.2)


def test_from_a_gauge_to_the_report(city: RunningCity, ann: httpx.Client, bob: httpx.Client) -> None:
    event = flood_of(city, thing(city, "FloodMonitoring", "underpass", currentLevel=0.45))
    declared = posted(ann, "incidents", {"plan": "flood", "level": "II", "reason": "deep", "event_id": event["id"]})
    id, head = declared["incident"]["id"], declared["incident"]
    assert (head["level"], head["proposal"]["level"], head["geometry"]) == ("III", "II", HERE)
    assert {each["department"] for each in declared["tasks_list"]} >= {"roads", "water"}
    refused = ann.post(f"/api/emergency/incidents/{id}/acts", json={"act": "confirm"})
    assert (refused.status_code, refused.json()["code"]) == (403, "emergency.other_person_needed")
    assert posted(bob, f"incidents/{id}/acts", {"act": "confirm"}, 200)["incident"]["level"] == "II"
    posted(bob, f"incidents/{id}/facts", {"subject": "depth", "text": "0.45 m", "source": "gauge"})
    posted(bob, f"incidents/{id}/roles", {"role": "commander", "name": "Wang"})
    posted(bob, f"incidents/{id}/messages", {"kind": "order", "from": "command", "to": "water", "text": "pump"})
    posted(bob, f"incidents/{id}/posts", {"name": "school"})
    task = posted(bob, f"incidents/{id}/tasks", {"title": "sandbags", "department": "water", "minutes": 30})
    case = ann.get(f"/api/cases/{task['case_id']}")
    assert case.is_success, case.text
    assert [each["incident"]["id"] for each in ann.get("/api/emergency/incidents").json()] == [id]
    report = ann.get(f"/api/emergency/incidents/{id}/report", params={"lang": "zh"}).json()
    assert report["levels"][-1]["second_by"] == "bob"
    assert {line["kind"] for line in report["timeline"]} >= {"act", "fact", "message", "task"}


def test_the_nearest_shelter_with_room(city: RunningCity, ann: httpx.Client) -> None:
    far = {"type": "Point", "coordinates": [120.3, 30.2741]}
    thing(city, "EmergencyShelter", "far", far, kind="school", capacity=500, used=0)
    near = thing(city, "EmergencyShelter", "near", kind="school", capacity=200, used=50)
    asked = "lon=120.15&lat=30.27&kind=school&free=100"
    found = ann.get(f"/api/emergency/resources?{asked}").json()
    assert (found[0]["id"], found[0]["free"], len(found)) == (near, 150, 2)


def test_everybody_else_sees_nothing_of_it(city: RunningCity) -> None:
    for path in ("plans", "incidents", "resources"):
        assert httpx.get(f"{city.url}/api/emergency/{path}", timeout=30).status_code in (401, 403)
