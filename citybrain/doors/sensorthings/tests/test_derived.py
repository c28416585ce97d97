# SPDX-License-Identifier: Apache-2.0
"""What came by NGSI-LD is seen as Things and Datastreams, and what is written here is seen there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from citybrain.doors.sensorthings.tests.conftest import Client
from citybrain.kernel.entities import service
from citybrain.kernel.entities.fragment import read_entity, read_fragment
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.pool.temporal_query import Window
from citybrain.kernel.store import Store

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AIR: dict[str, Any] = {
    "id": "urn:ngsi-ld:AirQualityObserved:1",
    "type": "AirQualityObserved",
    "name": {"type": "Property", "value": "air at the gate"},
    "pm25": {"type": "Property", "value": 31, "unitCode": "GQ", "observedAt": "2026-03-01T11:00:00Z"},
    "no2": {"type": "Property", "value": 12.5, "observedAt": "2026-03-01T11:00:00Z"},
    "mood": {"type": "Property", "value": "fair"},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [120.5, 30.5]}},
}


@pytest.fixture(scope="module")
async def desk(store: Store) -> Desk:
    desk = Desk(documents=store.documents, tenant="", at=NOON)
    await service.create(desk, read_entity(AIR, CORE, "2026-03-01T12:00:00Z"))
    later = {"pm25": {"type": "Property", "value": 40, "unitCode": "GQ", "observedAt": "2026-03-01T12:00:00Z"}}
    await service.update(desk, AIR["id"], read_fragment(later, CORE, "2026-03-01T12:00:00Z"))
    return desk


async def test_an_entity_is_a_thing_with_a_datastream_for_each_number(client: Client, desk: Desk) -> None:
    thing = (await client.values("Things", filter="name eq 'air at the gate'", expand="Locations,Datastreams"))[0]
    assert (thing["properties"]["id"], thing["properties"]["mood"]) == (AIR["id"], "fair")
    assert thing["Locations"][0]["location"]["coordinates"] == [120.5, 30.5]
    assert {each["name"] for each in thing["Datastreams"]} == {"air at the gate: pm25", "air at the gate: no2"}
    units = {each["name"]: each["unitOfMeasurement"]["symbol"] for each in thing["Datastreams"]}
    assert units["air at the gate: pm25"] == "GQ"


async def test_its_history_is_observations_under_ids_that_lead_back(client: Client, desk: Desk) -> None:
    stream = (await client.values("Datastreams", filter="ObservedProperty/name eq 'pm25'"))[0]
    found = await client.get(f"{stream['@iot.selfLink']}/Observations", count="true")
    assert ([each["result"] for each in found["value"]], found["@iot.count"]) == ([31, 40], 2)
    one = await client.get(
        found["value"][0]["@iot.selfLink"], expand="Datastream/Thing,FeatureOfInterest,Datastream/Sensor"
    )
    assert one["Datastream"]["@iot.id"] == stream["@iot.id"]
    assert one["Datastream"]["Thing"]["name"] == "air at the gate"
    assert one["FeatureOfInterest"]["feature"]["coordinates"] == [120.5, 30.5]
    assert one["Datastream"]["Sensor"]["name"] == "unknown"
    assert [each["result"] for each in await client.values("Observations", filter="result ge 40")] == [40]
    for path in ("Things", "Datastreams", "Sensors", "ObservedProperties", "Locations", "FeaturesOfInterest"):
        for each in await client.values(path):
            assert (await client.get(each["@iot.selfLink"]))["@iot.id"] == each["@iot.id"]


async def test_what_others_wrote_is_not_changed_here(client: Client, desk: Desk) -> None:
    thing = (await client.values("Things", filter="name eq 'air at the gate'"))[0]["@iot.selfLink"]
    for method, path, body in (
        ("PATCH", thing, {"name": "mine"}),
        ("DELETE", thing, None),
        ("POST", f"{thing}/Locations", {}),
    ):
        answer = await client.send(method, path, body)
        assert answer.status_code == 400 and "NGSI-LD" in answer.json()["message"]


async def test_an_entity_that_goes_or_loses_a_number_is_not_seen_any_more(client: Client, desk: Desk) -> None:
    await service.delete_attribute(desk, AIR["id"], "no2")
    names = {each["name"] for each in await client.values("Datastreams")}
    assert "air at the gate: no2" not in names and "air at the gate: pm25" in names
    await service.delete(desk, AIR["id"])
    for path in ("Things", "Datastreams", "Observations", "ObservedProperties", "Sensors", "FeaturesOfInterest"):
        assert await client.values(path) == [], path


async def test_a_datastream_is_an_entity_of_the_pool_with_its_history(
    client: Client, station: str, store: Store
) -> None:
    entity = next(
        each
        for each in store.documents.scan("", "StaDatastream")
        if each.attributes["name"][0].value == "humidity west"
    )
    assert entity.attributes["result"][0].value == 53
    assert entity.attributes["thing"][0].value == next(store.documents.ids_of_type("", "StaThing"))
    known = await store.temporal.known("", entity.id)
    series = [each for each in await store.temporal.series([known.number]) if each.name == "result"]
    moments = (await store.temporal.moments(series, Window(), limit=10))[series[0]]
    assert [each.instance.value for each in moments] == [50, 51, 52, 53]
