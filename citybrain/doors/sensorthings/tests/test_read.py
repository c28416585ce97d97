# SPDX-License-Identifier: Apache-2.0
"""What was written is found again: along relations, by conditions, page by page."""

import pytest

from citybrain.doors.sensorthings import narrowing
from citybrain.doors.sensorthings.tests.conftest import Client

AROUND = "geography'POLYGON ((120 30,121 30,121 31,120 31,120 30))'"
pytestmark = pytest.mark.usefixtures("station")


async def test_the_service_root_leads_to_every_set(client: Client) -> None:
    root = await client.get("")
    assert len(root["value"]) == 8
    for each in root["value"]:
        assert "value" in await client.get(each["url"])


async def test_a_thing_is_shown_with_what_hangs_on_it(client: Client, station: str) -> None:
    thing = await client.get(station, expand="Locations,Datastreams/Sensor,Datastreams/Observations($top=1)")
    assert thing["Locations"][0]["name"] == "west hill"
    assert {each["Sensor"]["name"] for each in thing["Datastreams"]} == {"temperature sensor", "humidity sensor"}
    assert [len(each["Observations"]) for each in thing["Datastreams"]] == [1, 1]


async def test_the_latest_observation_of_each_datastream_comes_with_its_thing(client: Client) -> None:
    newest = "Datastreams($orderby=name;$expand=Observations($top=1;$orderby=phenomenonTime desc))"
    things = await client.values("Things", expand=newest, filter="name eq 'station west'")
    results = [each["Observations"][0]["result"] for each in things[0]["Datastreams"]]
    assert results == [53, 13]
    assert all("Observations@iot.nextLink" in each for each in things[0]["Datastreams"])


# fmt: off
OBSERVATIONS = [
    ("result gt 52",                                                  [53]),
    ("result ge 52 and result lt 53",                                 [52]),
    ("phenomenonTime ge 2026-03-01T03:00:00Z",                        [13, 53]),
    ("phenomenonTime lt 2026-03-01T01:00:00Z",                        [10, 50]),
    ("phenomenonTime eq 2026-03-01T02:00:00Z and result lt 20",       [12]),
    ("Datastream/name eq 'humidity west' and hour(phenomenonTime) eq 1", [51]),
    ("Datastream/ObservedProperty/name eq 'temperature' and result mod 5 eq 0", [10]),
    ("startswith(Datastream/Thing/name,'station') and result eq 11",  [11]),
    (f"st_within(FeatureOfInterest/feature,{AROUND}) and result eq 50", [50]),
    ("not (result gt 10)",                                            [10]),
    ("result gt 1000",                                                []),
]
# fmt: on


@pytest.mark.parametrize(("condition", "results"), OBSERVATIONS)
async def test_observations_are_found_by_conditions_and_counted(
    client: Client, condition: str, results: list[int]
) -> None:
    found = await client.get("Observations", filter=condition, orderby="result", count="true")
    assert [each["result"] for each in found["value"]] == results
    assert found["@iot.count"] == len(results)


async def test_an_observation_that_is_named_by_its_id_must_fit_all_else(client: Client) -> None:
    low, high = await client.values("Observations", filter="result eq 10 or result eq 53", orderby="result")
    own = f"{high['Datastream@iot.navigationLink'].rpartition('/Observations(')[0]}/Observations({high['@iot.id']})"
    assert (await client.get(own))["result"] == 53
    other = (await client.get(low["Datastream@iot.navigationLink"]))["@iot.selfLink"]
    named = f"@iot.id eq {high['@iot.id']}"
    assert [each["result"] for each in await client.values("Observations", filter=f"{named} and result gt 52")] == [53]
    assert await client.values("Observations", filter=f"{named} and result gt 53") == []
    assert await client.values("Observations", filter=f"{named} and @iot.id eq {low['@iot.id']}") == []
    assert (await client.get(f"{other}/Observations", filter=named, count="true"))["@iot.count"] == 0


# fmt: off
ENTITIES = [
    ("Things",      "properties/owner eq 'city'",                      1),
    ("Things",      "properties/height_m gt 12",                       0),
    ("Things",      "Datastreams/Observations/result gt 52",           1),
    ("Things",      "Datastreams/Observations/result gt 53",           0),
    ("Datastreams", "Observations/result gt 52",                       1),
    ("Datastreams", "not (Observations/result gt 52)",                 1),
    ("Datastreams", "unitOfMeasurement/symbol eq '%'",                 1),
    ("Datastreams", "phenomenonTime ge 2026-03-01T00:00:00Z",          2),
    ("FeaturesOfInterest", "Observations/result eq 13",                1),
    ("Locations",   "geo.distance(location,geography'POINT (120.1 30.2)') lt 0.01", 1),
    ("Locations",   "Things/Datastreams/Sensor/name eq 'humidity sensor'", 1),
]
# fmt: on


@pytest.mark.parametrize(("name", "condition", "many"), ENTITIES)
async def test_entities_are_found_by_what_they_are_related_to(
    client: Client, name: str, condition: str, many: int
) -> None:
    assert len(await client.values(name, filter=condition)) == many


@pytest.mark.parametrize(
    "order", ["", "phenomenonTime", "phenomenonTime desc", "@iot.id desc", "result desc", "resultTime"]
)
@pytest.mark.parametrize("path", ["Observations", "{stream}/Observations"])
async def test_pages_are_linked_until_everything_was_seen_once(client: Client, path: str, order: str) -> None:
    stream = (await client.values("Datastreams", filter="name eq 'humidity west'"))[0]["@iot.selfLink"]
    options = {"top": "3", "count": "true"} | ({"orderby": order} if order else {})
    page = await client.get(path.format(stream=stream), **options)
    seen = [each["@iot.id"] for each in page["value"]]
    total = page["@iot.count"]
    while "@iot.nextLink" in page:
        page = await client.get(page["@iot.nextLink"])
        seen += [each["@iot.id"] for each in page["value"]]
    assert len(seen) == len(set(seen)) == total == (8 if path == "Observations" else 4)


async def test_entities_come_page_by_page_too(client: Client) -> None:
    first = await client.get("Sensors", top="1", count="true")
    second = await client.get(first["@iot.nextLink"])
    assert (first["@iot.count"], "@iot.nextLink" in second) == (2, False)
    assert first["value"][0]["@iot.id"] < second["value"][0]["@iot.id"]


async def test_only_what_is_selected_is_shown(client: Client) -> None:
    found = await client.values("Observations", select="result,Datastream", top="1")
    assert set(found[0]) == {"result", "Datastream@iot.navigationLink"}


async def test_observations_come_as_arrays_of_each_datastream(client: Client) -> None:
    groups = await client.values(
        "Observations", resultFormat="dataArray", orderby="phenomenonTime", select="@iot.id,result"
    )
    assert {tuple(each["components"]) for each in groups} == {("id", "result")}
    assert sorted(row[1] for each in groups for row in each["dataArray"]) == [10, 11, 12, 13, 50, 51, 52, 53]


async def test_a_path_leads_to_properties_values_and_references(client: Client, station: str) -> None:
    assert await client.get(f"{station}/properties/owner") == {"owner": "city"}
    assert (await client.http.get(f"{station}/name/$value")).text == "station west"
    references = await client.values(f"{station}/Datastreams/$ref")
    assert [set(each) for each in references] == [{"@iot.selfLink"}] * 2
    stream = references[0]["@iot.selfLink"]
    assert (await client.get(f"{stream}/Thing/Locations"))["value"][0]["name"] == "west hill"
    assert (await client.get(stream))["observedArea"] == {"type": "Point", "coordinates": [120.1, 30.2]}
    assert (await client.get(stream))["phenomenonTime"] == "2026-03-01T00:00:00Z/2026-03-01T03:00:00Z"


# fmt: off
REFUSED = [
    ("GET",   "Nothing",                          404, "no such set"),
    ("GET",   "Things(999999)",                   404, "no such entity"),
    ("GET",   "Things('a')",                      404, "an id that can be none"),
    ("GET",   "Things(1)/nothing",                404, "no such property"),
    ("GET",   "Things?$filter=name eq",           400, "an expression that ends early"),
    ("GET",   "Things?$filter=nothing eq 1",      400, "no such property in a filter"),
    ("GET",   "Things?$orderby=nothing",          400, "no such property in an order"),
    ("GET",   "Things?$select=nothing",           400, "no such property to be shown"),
    ("GET",   "Things?$expand=nothing",           400, "no such relation"),
    ("GET",   "Things?$expand=Datastreams(",      400, "a bracket without partner"),
    ("GET",   "Things?$filter=@iot.selfLink eq 'x'", 400, "a link is no property"),
    ("GET",   "Things?$top=-1",                   400, "fewer than none"),
    ("GET",   "Things?$count=perhaps",            400, "neither true nor false"),
    ("GET",   "Things?$nothing=1",                400, "no such option"),
    ("GET",   "Observations?$skiptoken=x",        400, "a mark that is none"),
    ("GET",   "Datastreams?$orderby=Observations/result", 400, "many values give no order"),
    ("POST",  "Things(1)",                        405, "an entity is not posted to itself"),
    ("PATCH", "Things",                           405, "a set cannot be changed as a whole"),
    ("PROPFIND", "Things",                        405, "no such method"),
]
# fmt: on


@pytest.mark.parametrize(("method", "path", "status", "why"), REFUSED)
async def test_a_refusal_is_an_error_object_that_says_what_to_do(
    client: Client, station: str, method: str, path: str, status: int, why: str
) -> None:
    answer = await client.send(method, path.replace("Things(1)", station), {})
    body = answer.json()
    assert (answer.status_code, body["code"], body["type"]) == (status, status, "error"), why
    assert body["message"] and not body["message"].startswith("sensorthings."), why


async def test_among_many_an_entity_is_found_by_a_text_whoever_wrote_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "FEW", 0)
    assert len(await client.values("Datastreams", filter="name eq 'humidity west' and description eq 'humidity'")) == 1
    assert await client.values("Datastreams", filter="name eq 'humidity west' and description eq 'heat'") == []
    assert len(await client.values("Things", filter="'station west' eq name")) == 1
    assert await client.values("Things", filter="name eq 'no \"such\" thing'") == []
