# SPDX-License-Identifier: Apache-2.0
"""A citizen's app reports by Open311, a clerk acts on it, and everybody sees that, and nothing of the citizen."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from tests.scenarios.city import RunningCity, running

PERSONAL = ("13800138000", "zhang@example.org", "张三", "幸福里", "device-77", "<script>")
REPORT = {
    "service_code": "water.supply.outage",
    "lat": "39.95432",
    "long": "116.35678",
    "address_string": "幸福里小区 3 号楼",
    "first_name": "三",
    "last_name": "张",
    "phone": "13800138000",
    "email": "zhang@example.org",
    "device_id": "device-77",
    "description": "<script>alert(1)</script> 我是张三，家里停水 13800138000",
}


@pytest.fixture(scope="module")
def city(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(new_folder(), scenario="none") as started:
        yield started


def test_a_report_is_made_followed_and_closed_and_tells_nobody_who_made_it(city: RunningCity) -> None:
    with httpx.Client(base_url=f"{city.url}/open311/v2", timeout=30) as client:
        made = client.post("/requests.json", data=REPORT, headers={"idempotency-key": "k1"})
        assert made.status_code == 201, made.text
        number = made.json()[0]["service_request_id"]
        again = client.post("/requests.json", data=REPORT, headers={"idempotency-key": "k1"})
        assert again.json()[0]["service_request_id"] == number
        told = client.get(f"/requests/{number}.json").json()[0]
        assert (told["status"], told["service_code"], told["lat"]) == ("open", "water.supply.outage", 39.9545)
        answers = [client.get(path).text for path in (f"/requests/{number}.xml", "/requests.json", "/services.json")]
        assert fromstring(answers[0]).findtext("request/service_request_id") == number
    pool = httpx.get(f"{city.url}/ngsi-ld/v1/entities", params={"type": "Open311ServiceRequest"}).text
    history = httpx.get(f"{city.url}/ngsi-ld/v1/temporal/entities", params={"type": "Open311ServiceRequest"}).text
    assert number in pool
    for text in (*answers, made.text, pool, history):
        assert not [each for each in PERSONAL if each in text]


def test_what_a_department_does_shows_within_seconds(city: RunningCity) -> None:
    with httpx.Client(base_url=city.url, timeout=30, headers={"X-Citybrain": "1"}) as client:
        number = client.post("/open311/v2/requests.json", data=REPORT).json()[0]["service_request_id"]
        client.post("/api/session", json={"name": "operator", "password": city.password})
        before = client.get(f"/open311/v2/requests/{number}.json").json()[0]["status_notes"]
        id = client.get(f"/api/cases/by-number/{number}").json()["id"]
        moved = client.post(f"/api/cases/{id}/acts", json={"verb": "move", "move": "accept"})
        assert moved.is_success, moved.text
        until = time.monotonic() + 20
        while client.get(f"/open311/v2/requests/{number}.json").json()[0]["status_notes"] == before:
            assert time.monotonic() < until
            time.sleep(0.2)
