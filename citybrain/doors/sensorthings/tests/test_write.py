# SPDX-License-Identifier: Apache-2.0
"""Entities are made, changed and deleted with what hangs on them; the pool says the same."""

from typing import Any

import httpx
import pytest

from citybrain.doors.sensorthings.tests.conftest import STATION, Client
from citybrain.kernel.entities.document import Document
from citybrain.kernel.store import Store

PATCH = "application/json-patch+json"


async def streams_of(client: Client, thing: str) -> list[Any]:
    return await client.values(f"{thing}/Datastreams", orderby="name")


def document(store: Store, address: str) -> Document:
    """What the pool keeps of an entity."""
    number = int(address.rpartition("(")[2][:-1])
    return next(each for each in store.documents.scan("") if store.documents.number("", each.id) == number)


async def test_an_observation_is_the_present_of_its_datastream_unless_a_newer_one_is_there(
    client: Client, station: str, store: Store
) -> None:
    stream = (await streams_of(client, station))[0]["@iot.selfLink"]
    await client.make(f"{stream}/Observations", {"result": 99, "phenomenonTime": "2026-03-02T00:00:00Z"})
    late = await client.make(f"{stream}/Observations", {"result": 1, "phenomenonTime": "2026-01-01T00:00:00Z"})
    assert document(store, stream).attributes["result"][0].value == 99
    assert (await client.get(late))["result"] == 1
    assert (await client.get(stream))["phenomenonTime"] == "2026-01-01T00:00:00Z/2026-03-02T00:00:00Z"


RESULTS: list[Any] = [1, 1.5, True, "wet", {"wind": 3, "from": "west"}, [1, 2], None, "", 10**17]


@pytest.mark.parametrize("result", RESULTS, ids=str)
async def test_a_result_comes_back_as_it_was_sent_with_all_that_was_said_of_it(
    client: Client, station: str, result: Any
) -> None:
    stream = (await streams_of(client, station))[0]["@iot.selfLink"]
    sent = {
        "result": result,
        "phenomenonTime": "2026-03-05T00:00:00Z/2026-03-05T01:00:00Z",
        "resultTime": "2026-03-05T02:00:00Z",
        "validTime": "2026-03-05T00:00:00Z/2026-03-06T00:00:00Z",
        "resultQuality": {"good": True},
        "parameters": {"depth_m": 2},
    }
    address = await client.make(f"{stream}/Observations", sent)
    held = await client.get(address)
    assert {name: held[name] for name in sent} == sent
    assert (await client.get(f"{address}/FeatureOfInterest"))["name"] == "west hill"
    await client.send("DELETE", address)


async def test_an_observation_can_be_corrected_under_its_id(client: Client, station: str, store: Store) -> None:
    stream = (await streams_of(client, station))[1]["@iot.selfLink"]
    address = await client.make(f"{stream}/Observations", {"result": 5, "phenomenonTime": "2026-03-09T00:00:00Z"})
    assert (
        await client.send("PATCH", address, {"result": 6, "phenomenonTime": "2026-03-10T00:00:00Z"})
    ).status_code == 200
    held = await client.get(address)
    assert (held["result"], held["phenomenonTime"]) == (6, "2026-03-10T00:00:00Z")
    assert document(store, stream).attributes["result"][0].value == 6
    await client.send("DELETE", address)
    assert document(store, stream).attributes["result"][0].value == 13
    assert (await client.get(stream))["phenomenonTime"] == "2026-03-01T00:00:00Z/2026-03-01T03:00:00Z"


async def test_a_place_that_is_no_geometry_is_kept_as_it_is(client: Client) -> None:
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}
    places: list[Any] = [{"type": []}, feature, {"grid": "x7"}]
    for place in places:
        made = await client.make("Locations", {**STATION["Locations"][0], "location": place})
        assert (await client.get(made))["location"] == place
    near = "st_within(location,geography'POLYGON ((0 0,3 0,3 3,0 3,0 0))')"
    assert [each["location"]["type"] for each in await client.values("Locations", filter=near)] == ["Feature"]


async def test_where_a_thing_was_is_remembered(client: Client) -> None:
    thing = await client.make("Things", {**STATION, "Datastreams": []})
    place = {**STATION["Locations"][0], "name": "east hill"}
    await client.make(f"{thing}/Locations", place)
    assert [each["name"] for each in await client.values(f"{thing}/Locations")] == ["east hill"]
    past = await client.values(f"{thing}/HistoricalLocations", expand="Locations", orderby="@iot.id")
    assert [each["Locations"][0]["name"] for each in past] == ["west hill", "east hill"]
    west = past[0]["Locations"][0]["@iot.id"]
    for time, now in (("2001-01-01T00:00:00Z", "east hill"), ("2101-01-01T00:00:00Z", "west hill")):
        body = {
            "time": time,
            "Thing": {"@iot.id": int(thing.rpartition("(")[2][:-1])},
            "Locations": [{"@iot.id": west}],
        }
        await client.make("HistoricalLocations", body)
        assert [each["name"] for each in await client.values(f"{thing}/Locations")] == [now]


async def test_a_thing_goes_with_its_datastreams_observations_and_places_of_the_past(client: Client) -> None:
    thing = await client.make("Things", STATION)
    streams = [each["@iot.selfLink"] for each in await streams_of(client, thing)]
    inside = [each["@iot.selfLink"] for each in await client.values(f"{streams[0]}/Observations")]
    inside += [each["@iot.selfLink"] for each in await client.values(f"{thing}/HistoricalLocations")]
    stays = (await client.get(f"{streams[0]}/Sensor"))["@iot.selfLink"]
    assert (await client.send("DELETE", thing)).status_code == 200
    for each in (thing, *streams, *inside):
        assert (await client.http.get(each)).status_code == 404, each
    assert await client.values(f"{stays}/Datastreams") == []


async def test_observations_go_with_their_feature(client: Client) -> None:
    thing = await client.make("Things", STATION)
    stream = (await streams_of(client, thing))[0]["@iot.selfLink"]
    feature = {
        "name": "roof",
        "description": "a roof",
        "encodingType": "application/geo+json",
        "feature": {"type": "Point", "coordinates": [1, 2]},
    }
    seen = await client.make(f"{stream}/Observations", {"result": 7, "FeatureOfInterest": feature})
    roof = (await client.get(f"{seen}/FeatureOfInterest"))["@iot.selfLink"]
    assert [each["result"] for each in await client.values(f"{roof}/Observations", count="true")] == [7]
    await client.send("DELETE", roof)
    assert (await client.http.get(seen)).status_code == 404
    assert len(await client.values(f"{stream}/Observations")) == 4


async def test_properties_are_replaced_taken_away_and_patched(client: Client) -> None:
    thing = await client.make("Things", {**STATION, "Datastreams": [], "Locations": []})
    await client.send("PATCH", thing, {"properties": {"a": 1}})
    operations = [
        {"op": "test", "path": "/properties/a", "value": 1},
        {"op": "move", "from": "/properties/a", "path": "/properties/b"},
    ]
    assert (await client.send("PATCH", thing, operations, **{"content-type": PATCH})).status_code == 200
    assert (await client.get(thing))["properties"] == {"b": 1}
    assert (await client.send("PATCH", thing, operations, **{"content-type": PATCH})).status_code == 400
    await client.send("PUT", thing, {"name": "mast", "description": "new"})
    assert "properties" not in await client.get(thing)


async def test_many_observations_come_as_arrays(client: Client, station: str) -> None:
    stream = (await streams_of(client, station))[0]
    many = 500
    rows = [[f"2026-05-01T00:00:00.{i:06}Z", i] for i in range(many)]
    body = [
        {
            "Datastream": {"@iot.id": stream["@iot.id"]},
            "components": ["phenomenonTime", "result"],
            "dataArray": [*rows, ["never", 1]],
        }
    ]
    answer = await client.send("POST", "CreateObservations", body)
    told = answer.json()
    assert (answer.status_code, len(told), told[-1][:6]) == (201, many + 1, "error:")
    assert [(await client.get(each))["result"] for each in told[:3]] == [0, 1, 2]
    since = "phenomenonTime ge 2026-05-01T00:00:00Z"
    assert (await client.get("Observations", filter=since, count="true", top="0"))["@iot.count"] == many


OK = {"name": "x", "description": "y"}
# fmt: off
REFUSED: list[tuple[str, Any, str]] = [
    ("Things",       {"description": "no name"},                            "name"),
    ("Things",       {**OK, "colour": "red"},                               "colour"),
    ("Things",       {**OK, "name": 5},                                     "name"),
    ("Things",       {**OK, "properties": "none"},                          "properties"),
    ("Things",       {**OK, "Locations": [{"@iot.id": 10**9}]},             "1000000000"),
    ("Things",       {**OK, "Locations": ["here"]},                         "Location"),
    ("Things",       ["a", "list"],                                         "JSON"),
    ("Datastreams",  {**OK, "unitOfMeasurement": {}, "observationType": ""}, "Thing"),
    ("Observations", {"result": 1},                                         "Datastream"),
    ("Observations", {"phenomenonTime": "2026-03-01T00:00:00Z"},            "result"),
    ("Observations", {"result": 1, "phenomenonTime": "yesterday"},          "phenomenonTime"),
    ("HistoricalLocations", {"time": "2026-03-01T00:00:00Z"},               "Thing"),
    ("Locations",    {**OK, "encodingType": "", "location": {"type": "Point", "coordinates": ["a"]}}, "location"),
    ("CreateObservations", [{"Datastream": {"@iot.id": 1}, "components": [{}], "dataArray": []}], "CreateObservations"),
    ("CreateObservations", {"no": "list"},                                  "CreateObservations"),
]
# fmt: on


@pytest.mark.parametrize(("path", "body", "told"), REFUSED)
async def test_what_does_not_fit_the_model_is_refused_and_leaves_nothing(
    client: Client, path: str, body: Any, told: str
) -> None:
    before = (await client.get("Things", count="true", top="0"))["@iot.count"]
    answer = await client.send("POST", path, body)
    assert answer.status_code == 400 and told in answer.json()["message"]
    assert (await client.get("Things", count="true", top="0"))["@iot.count"] == before


async def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    answer = await client.http.post(client.url("Things"), content=b'{"name": ')
    assert answer.status_code == 400


async def test_a_part_that_is_refused_takes_the_whole_with_it(client: Client) -> None:
    broken = {
        **STATION,
        "name": "never",
        "Datastreams": [{**STATION["Datastreams"][0], "Observations": [{"result": 1, "parameters": 5}]}],
    }
    answer: httpx.Response = await client.send("POST", "Things", broken)
    assert answer.status_code == 400
    assert await client.values("Things", filter="name eq 'never'") == []
