# SPDX-License-Identifier: Apache-2.0
"""What devices report by a public door becomes an event: in a city without a simulator, and beside a simulated one."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from citybrain.kernel.clock import utc_now
from tests.scenarios.city import RunningCity, running

MAY = {"CITYBRAIN_PUBLIC_MAY": "ngsild.write,sensorthings.write"}
WITHIN_S = 30.0
HERE = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [120.1551, 30.2741]}}


@pytest.fixture(scope="module")
def street(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(new_folder(), scenario="none", variables=MAY) as started:
        yield started


@pytest.fixture(scope="module")
def simulated(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(new_folder(), variables=MAY) as started:
        yield started


def make(city: RunningCity, type: str, name: str, place: Any = HERE, **facts: Any) -> str:
    """A thing in the pool, by NGSI-LD."""
    id = f"urn:ngsi-ld:{type}:{name}"
    attributes = {key: {"type": "Property", "value": value} for key, value in facts.items()}
    body = {"id": id, "type": type, "location": place, **attributes}
    answer = httpx.post(f"{city.url}/ngsi-ld/v1/entities", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return id


def patch(city: RunningCity, id: str, **values: float) -> None:
    """What a device reports."""
    at = utc_now().isoformat().replace("+00:00", "Z")
    body = {name: {"type": "Property", "value": value, "observedAt": at} for name, value in values.items()}
    answer = httpx.patch(f"{city.url}/ngsi-ld/v1/entities/{id}/attrs", json=body, timeout=30)
    assert answer.status_code == 204, answer.text


def event(city: RunningCity, kind: str, entity_id: str) -> dict[str, Any]:
    """The event of a kind on a thing, as soon as it is there."""
    until = time.monotonic() + WITHIN_S
    while True:
        told: list[dict[str, Any]] = city.get("/api/events")
        found = [each for each in told if (each["kind"], each["entity_id"]) == (kind, entity_id)]
        if found:
            return found[0]
        assert time.monotonic() < until, told
        time.sleep(0.2)


REPORTED = [
    ("operations.flood", "FloodMonitoring", {}, {"currentLevel": 0.31}, "III"),
    ("operations.crowd", "CrowdFlowObserved", {"measuredArea": 500}, {"peopleCount": 2400}, "II"),
    ("operations.air_limit", "AirQualityObserved", {"averagedOver_s": 3600}, {"o3": 260}, "IV"),
    (
        "operations.noise_limit",
        "NoiseLevelObserved",
        {"averagedOver_s": 600, "noiseZone": "1"},
        {"LAeq": 90},
        "II",
    ),
]


@pytest.mark.parametrize(("kind", "type", "facts", "values", "severity"), REPORTED)
def test_a_patch_becomes_an_event_in_a_real_street(
    street: RunningCity, kind: str, type: str, facts: dict[str, Any], values: dict[str, float], severity: str
) -> None:
    id = make(street, type, "street", **facts)
    patch(street, id, **values)
    found = event(street, kind, id)
    assert (found["severity"], found["geometry"]) == (severity, HERE["value"])


@pytest.mark.parametrize(("kind", "type", "facts", "values", "severity"), REPORTED)
def test_a_patch_becomes_an_event_beside_a_simulated_city(
    simulated: RunningCity, kind: str, type: str, facts: dict[str, Any], values: dict[str, float], severity: str
) -> None:
    id = make(simulated, type, "simulated", **facts)
    patch(simulated, id, **values)
    assert event(simulated, kind, id)["severity"] == severity


def test_a_device_that_falls_silent_is_told_in_the_city_s_time(simulated: RunningCity) -> None:
    id = make(simulated, "WaterLevelObserved", "silent")
    for _ in range(6):
        patch(simulated, id, waterLevel=0.01)
        time.sleep(0.3)
    found = event(simulated, "operations.device_offline", id)
    assert found["because"]["code"] == "operations.device_offline_silent"


def test_reports_that_cluster_become_an_event(street: RunningCity) -> None:
    now = utc_now()

    def report(number: int, at: datetime, longitude: float, latitude: float) -> str:
        place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [longitude, latitude]}}
        facts = {"requested_datetime": at.isoformat(), "service_code": "water.leak"}
        body = {key: {"type": "Property", "value": value} for key, value in facts.items()}
        id = f"urn:ngsi-ld:Open311ServiceRequest:{number}"
        whole = {"id": id, "type": "Open311ServiceRequest", "location": place, **body}
        answer = httpx.post(f"{street.url}/ngsi-ld/v1/entities", json=whole, timeout=30)
        assert answer.status_code == 201, answer.text
        return id

    for number in range(60):
        report(number, now - timedelta(days=1 + number % 20), 120.0 + number / 300, 30.1 + number % 7 / 50)
    first = report(100, now - timedelta(minutes=10), 120.5, 30.5)
    for number in range(101, 110):
        report(number, now - timedelta(minutes=110 - number), 120.5, 30.5)
    found = event(street, "operations.reports_cluster", first)
    assert found["evidence"]["categories"] == {"water.leak": found["because"]["facts"]["count"]}


def test_a_datastream_that_says_what_it_is_becomes_an_event(street: RunningCity) -> None:
    root = f"{street.url}/sensorthings/v1.1"
    place = {"type": "Point", "coordinates": [120.2, 30.3]}
    named = {"name": "underpass", "description": ""}
    stream = {
        **named,
        "properties": {"type": "FloodMonitoring", "attribute": "currentLevel", "road": "urn:ngsi-ld:RoadSegment:1"},
        "unitOfMeasurement": {"name": "metre", "symbol": "m", "definition": "http://qudt.org/vocab/unit/M"},
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "Sensor": {**named, "encodingType": "application/pdf", "metadata": "radar"},
        "ObservedProperty": {**named, "definition": "depth"},
    }
    location = {**named, "encodingType": "application/geo+json", "location": place}
    made = httpx.post(f"{root}/Things", json={**named, "Locations": [location], "Datastreams": [stream]}, timeout=30)
    assert made.status_code == 201, made.text
    thing = httpx.get(f"{made.headers['location']}/Datastreams", timeout=30).json()["value"][0]
    told = httpx.post(f"{root}/Datastreams({thing['@iot.id']})/Observations", json={"result": 0.55}, timeout=30)
    assert told.status_code == 201, told.text
    (id,) = [each["id"] for each in street.get("/ngsi-ld/v1/entities", type="StaDatastream")]
    found = event(street, "operations.flood", id)
    assert (found["severity"], found["geometry"]) == ("I", place)
    assert found["evidence"]["place"] == {"road": "urn:ngsi-ld:RoadSegment:1"}


def test_a_street_that_begins_anew_closes_what_was_open_and_finds_it_again(street: RunningCity) -> None:
    gauge = make(street, "FloodMonitoring", "anew")
    patch(street, gauge, currentLevel=0.2)
    first = event(street, "operations.flood", gauge)
    wrong = make(street, "RoadSegment", "point", length=100, maximumAllowedSpeed=50)
    patch(street, wrong, averageVehicleSpeed=40.0)
    line = {"type": "GeoProperty", "value": {"type": "LineString", "coordinates": [[120.1, 30.2], [120.2, 30.2]]}}
    road = make(street, "RoadSegment", "line", line, length=100, maximumAllowedSpeed=50)
    patch(street, road, averageVehicleSpeed=40.0)
    until = time.monotonic() + WITHIN_S
    while True:
        told = [each for each in street.get("/api/events") if each["entity_id"] == gauge]
        if len(told) == 2:
            break
        assert time.monotonic() < until, told
        time.sleep(0.2)
    assert [each["id"] for each in told if each["ended_at"] is not None] == [first["id"]]
