# SPDX-License-Identifier: Apache-2.0
"""Several brokers, each a server with a database of its own, that hold parts of one city."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from citybrain.doors.ngsild.app import PREFIX, make
from citybrain.doors.ngsild.tests.conftest import mounted
from citybrain.kernel import embedded
from citybrain.kernel.db import Database
from citybrain.kernel.registrations.asking import ANSWER_WITHIN_S
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from conftest import Serving, url_of

NORTH, SOUTH, WEST = range(3)
Brokers = list[httpx.AsyncClient]
_numbers = count(1)


@pytest.fixture(scope="module")
async def brokers(
    server: embedded.Postgres, template: str, open_folder: Path, serving: Serving
) -> AsyncIterator[Brokers]:
    """Three brokers, by clients of their doors."""
    async with AsyncExitStack() as opened:
        clients: Brokers = []
        for _ in range(3):
            name = f"broker_{next(_numbers)}"
            admin = await Database.connect(server.url)
            await admin.write(f"CREATE DATABASE {name} TEMPLATE {template}")
            await admin.close()
            settings = Settings(data=open_folder / name, database_url=url_of(server, name))
            store = await opened.enter_async_context(open_store(settings))
            address = await opened.enter_async_context(serving(mounted(make(store))))
            client = httpx.AsyncClient(base_url=address + PREFIX, headers={"accept-language": "en"}, timeout=20)
            clients.append(await opened.enter_async_context(client))
        yield clients


@asynccontextmanager
async def registered(at: httpx.AsyncClient, endpoint: str, **members: Any) -> AsyncIterator[str]:
    """A source registered at a broker for as long as the block lasts; its id."""
    body = {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{next(_numbers)}",
        "type": "ContextSourceRegistration",
        "endpoint": endpoint.removesuffix(PREFIX),
        "information": [{"entities": [{"type": "Road"}]}],
        **members,
    }
    answer = await at.post("/csourceRegistrations", json=body)
    assert answer.status_code == 201, answer.text
    try:
        yield str(body["id"])
    finally:
        await at.delete(f"/csourceRegistrations/{body['id']}")


def address(broker: httpx.AsyncClient) -> str:
    return str(broker.base_url).rstrip("/")


def road(**attributes: Any) -> dict[str, Any]:
    values = {name: {"type": "Property", "value": value} for name, value in attributes.items() if name != "id"}
    return {"id": attributes.get("id", f"urn:ngsi-ld:Road:{next(_numbers)}"), "type": "Road", **values}


async def put(broker: httpx.AsyncClient, entity: dict[str, Any]) -> str:
    answer = await broker.post("/entities?local=true", json=entity)
    assert answer.status_code == 201, answer.text
    return str(entity["id"])


async def ids_at(broker: httpx.AsyncClient, **params: str) -> set[str]:
    answer = await broker.get("/entities", params={"type": "Road", "limit": "1000", **params})
    assert answer.status_code == 200, answer.text
    return {entity["id"] for entity in answer.json()}


class Silent:
    """A source that takes every request and never answers."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self._waiting: list[asyncio.StreamWriter] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a request."""
        self.asked += 1
        self._waiting.append(writer)
        await reader.read(-1)

    async def close(self) -> None:
        """Hang up."""
        for writer in self._waiting:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def silent() -> AsyncIterator[Silent]:
    """Such a source, listening."""
    source = Silent()
    listening = await asyncio.start_server(source.take, "127.0.0.1", 0)
    source.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield source
    await source.close()
    listening.close()


async def ready(broker: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """A snapshot once it is no longer being made."""
    for _ in range(200):
        about: dict[str, Any] = (await broker.get(path)).json()
        if about["snapshotStatus"] != "preparing":
            break
        await asyncio.sleep(0.02)
    return about


async def test_an_entity_of_two_brokers_is_one_and_the_newest_value_counts(brokers: Brokers) -> None:
    north, south, _ = brokers
    older = {"type": "Property", "value": 30, "observedAt": "2026-01-01T00:00:00Z"}
    newer = {"type": "Property", "value": 50, "observedAt": "2026-01-01T00:00:00.5Z"}
    id = await put(north, {**road(lanes=2), "speed": older})
    await put(south, {**road(id=id, name="Ring"), "speed": newer})
    async with registered(north, address(south)):
        whole = (await north.get(f"/entities/{id}")).json()
        assert (whole["speed"]["value"], whole["lanes"]["value"], whole["name"]["value"]) == (50, 2, "Ring")
        [found] = [each for each in (await north.get("/entities?type=Road")).json() if each["id"] == id]
        assert found == whole
        here = (await north.get(f"/entities/{id}?local=true")).json()
        assert here["speed"]["value"] == 30
    assert (await north.get(f"/entities/{id}")).json()["speed"]["value"] == 30


async def test_auxiliary_sources_fill_gaps_and_never_override(brokers: Brokers) -> None:
    north, south, _ = brokers
    id = await put(north, road(speed=30))
    await put(south, road(id=id, speed=99, name="Ring"))
    async with registered(north, address(south), mode="auxiliary", operations=["retrieveOps"]):
        whole = (await north.get(f"/entities/{id}")).json()
    assert (whole["speed"]["value"], whole["name"]["value"]) == (30, "Ring")


async def test_what_is_redirected_is_held_elsewhere_alone(brokers: Brokers) -> None:
    north, south, _ = brokers
    entity = {**road(speed=30), "type": "Lane"}
    lanes = [{"entities": [{"type": "Lane"}]}]
    async with registered(north, address(south), mode="redirect", operations=["redirectionOps"], information=lanes):
        assert (await north.post("/entities", json=entity)).status_code == 201
        path = f"/entities/{entity['id']}"
        assert (await north.get(path, params={"local": "true"})).status_code == 404
        assert (await south.get(path)).json()["speed"]["value"] == 30
        fragment = {"speed": {"type": "Property", "value": 40}}
        assert (await north.patch(f"{path}/attrs", json=fragment)).status_code == 204
        assert (await north.get(path)).json()["speed"]["value"] == 40
        assert (await north.delete(path)).status_code == 204
        assert (await south.get(path)).status_code == 404


async def test_a_write_is_cut_between_an_exclusive_source_and_here_and_partial_success_is_told(
    brokers: Brokers,
) -> None:
    north, south, _ = brokers
    id = await put(south, road(speed=30))
    await put(north, road(id=id, name="Ring"))
    speed = [{"entities": [{"id": id, "type": "Road"}], "propertyNames": ["speed"]}]
    both = {"speed": {"type": "Property", "value": 70}, "name": {"type": "Property", "value": "Belt"}}
    exclusive = {"mode": "exclusive", "operations": ["redirectionOps"], "information": speed}
    async with registered(north, address(south), **exclusive):
        assert (await north.patch(f"/entities/{id}/attrs", json=both)).status_code == 204
        assert (await south.get(f"/entities/{id}")).json()["speed"]["value"] == 70
        assert "speed" not in (await north.get(f"/entities/{id}?local=true")).json()
    async with registered(north, "http://127.0.0.1:9", **exclusive) as registration:
        answer = await north.patch(f"/entities/{id}/attrs", json=both)
        assert answer.status_code == 207
        result = answer.json()
        assert result["updated"] == ["name"]
        [failed] = result["notUpdated"]
        assert (failed["attributeName"], failed["registrationId"]) == ("speed", registration)


async def test_nobody_else_can_claim_what_an_exclusive_source_has(brokers: Brokers) -> None:
    north, south, _ = brokers
    one = [{"entities": [{"id": "urn:ngsi-ld:Road:claimed", "type": "Road"}], "propertyNames": ["speed"]}]
    async with registered(north, address(south), mode="exclusive", information=one):
        body = {
            "type": "ContextSourceRegistration",
            "endpoint": "http://elsewhere.example",
            "mode": "redirect",
            "information": one,
        }
        answer = await north.post("/csourceRegistrations", json=body)
        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/Conflict")
        held = await put(north, road(width=3))
        body["information"] = [{"entities": [{"id": held, "type": "Road"}]}]
        assert (await north.post("/csourceRegistrations", json=body)).status_code == 409


async def test_a_source_that_never_answers_costs_bounded_time_and_a_warning(brokers: Brokers) -> None:
    north, south, _ = brokers
    here, there = await put(north, road(speed=1)), await put(south, road(speed=2))
    patience = {"timeout": 300, "cooldown": 60_000}
    async with (
        silent() as mute,
        registered(north, address(south)),
        registered(north, mute.url, management=patience),
    ):
        # Twice: while it rests after its failure nobody waits for it, and everybody is told.
        for _ in range(2):
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await north.get("/entities?type=Road&limit=1000")
            assert answer.status_code == 200
            assert {here, there} <= {entity["id"] for entity in answer.json()}
            assert answer.headers["ngsild-warning"].startswith("199 ")
    assert mute.asked == 1


async def test_what_a_source_says_nonsense_of_is_left_out_and_told(brokers: Brokers, serving: Serving) -> None:
    async def nonsense(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'[{"id": 5}, "not an entity"]'})

    north = brokers[NORTH]
    here = await put(north, road(speed=1))
    async with serving(nonsense) as url, registered(north, url):
        answer = await north.get("/entities?type=Road&limit=1000")
    assert here in {entity["id"] for entity in answer.json()}
    assert answer.headers["ngsild-warning"].startswith("111 ")


async def test_brokers_in_a_circle_answer_once_and_say_so(brokers: Brokers) -> None:
    north, south, west = brokers
    parts = {await put(broker, road(speed=1)) for broker in brokers}
    async with (
        registered(north, address(south)),
        registered(south, address(west)),
        registered(west, address(north)),
    ):
        answer = await north.get("/entities?type=Road&limit=1000")
        ids = [entity["id"] for entity in answer.json()]
        assert parts <= set(ids)
        assert len(ids) == len(set(ids))
        assert "loop" in answer.headers["ngsild-warning"]
    ring = [{"entities": [{"type": "Ring"}]}]
    async with registered(north, address(north), mode="redirect", operations=["redirectionOps"], information=ring):
        answer = await north.post("/entities", json={"id": "urn:ngsi-ld:Ring:1", "type": "Ring"})
        assert answer.status_code == 508


async def test_sources_are_asked_only_for_what_they_registered(brokers: Brokers) -> None:
    north, south, _ = brokers
    id = await put(south, road(speed=1, secret=2))
    narrow = [{"entities": [{"type": "Road", "idPattern": f"^{id}$"}], "propertyNames": ["speed"]}]
    other = await put(south, road(speed=1))
    async with registered(north, address(south), information=narrow):
        assert "secret" not in (await north.get(f"/entities/{id}")).json()
        assert (await north.get(f"/entities/{other}")).status_code == 404
        assert id not in await ids_at(north, attrs="secret")
        assert id in await ids_at(north, attrs="speed")
    async with registered(north, address(south), operations=["createEntity"]):
        assert (await north.get(f"/entities/{other}")).status_code == 404


async def test_a_batch_goes_where_its_entities_belong(brokers: Brokers) -> None:
    north, south, west = brokers
    far = [{"entities": [{"type": "Tram"}]}]
    lost = [{"entities": [{"type": "Ferry"}]}]
    rules = {"mode": "redirect", "operations": ["redirectionOps"]}
    batch = [{**road(speed=1), "type": type} for type in ("Tram", "Ferry", "Bus")]
    async with (
        registered(north, address(west), information=far, **rules),
        registered(north, "http://127.0.0.1:9", information=lost, **rules),
    ):
        answer = await north.post("/entityOperations/create", json=batch)
        assert answer.status_code == 207
        assert set(answer.json()["success"]) == {batch[0]["id"], batch[2]["id"]}
        assert [error["entityId"] for error in answer.json()["errors"]] == [batch[1]["id"]]
        assert (await west.get(f"/entities/{batch[0]['id']}")).status_code == 200
        assert (await north.get(f"/entities/{batch[2]['id']}?local=true")).status_code == 200
        assert (await south.get(f"/entities/{batch[2]['id']}")).status_code == 404


async def test_pages_over_a_map_stand_still(brokers: Brokers) -> None:
    north, south, _ = brokers
    mine, theirs = (
        await put(north, {**road(speed=1), "type": "Quay"}),
        await put(south, {**road(speed=2), "type": "Quay"}),
    )
    quays = [{"entities": [{"type": "Quay"}]}]
    async with registered(north, address(south), information=quays) as registration:
        first = await north.get("/entities?type=Quay&entityMap=true&limit=1")
        assert first.status_code == 201
        location = first.headers["ngsild-entitymap"]
        sources = (await north.get("/entityMaps/" + location.rsplit("/", 1)[-1])).json()["entityMap"]
        assert sources == {mine: ["@none"], theirs: [registration]}
        await put(south, {**road(speed=3), "type": "Quay"})
        pages = [
            await north.get(
                "/entities",
                params={"type": "Quay", "limit": "1", "offset": offset},
                headers={"ngsild-entitymap": location},
            )
            for offset in ("0", "1", "2")
        ]
        assert [[entity["id"] for entity in page.json()] for page in pages] == [[mine], [theirs], []]


async def test_a_snapshot_stays_as_it_was(brokers: Brokers) -> None:
    north, south, _ = brokers
    mine, theirs = (
        await put(north, {**road(speed=1), "type": "Pier"}),
        await put(south, {**road(speed=2), "type": "Pier"}),
    )
    piers = [{"entities": [{"type": "Pier"}]}]
    async with registered(north, address(south), information=piers):
        body = {"type": "Snapshot", "snapshotQueries": [{"type": "Query", "entities": [{"type": "Pier"}]}]}
        made = await north.post("/snapshots", json=body)
        path = made.headers["location"].removeprefix(PREFIX)
        about = await ready(north, path)
    assert about["snapshotStatus"] == "success"
    await north.patch(f"/entities/{mine}/attrs", json={"speed": {"type": "Property", "value": 9}})
    within = await north.get("/entities?type=Pier", headers={"ngsild-snapshot": about["id"]})
    assert {entity["id"]: entity["speed"]["value"] for entity in within.json()} == {mine: 1, theirs: 2}
    await north.delete(path)


async def test_the_past_of_an_entity_is_told_by_all_who_hold_it(brokers: Brokers) -> None:
    north, south, _ = brokers
    id = f"urn:ngsi-ld:Road:{next(_numbers)}"
    for broker, values in ((north, {"01": 10}), (south, {"02": 20, "03": 60})):
        speeds = [
            {"type": "Property", "value": value, "observedAt": f"2026-05-{day}T00:00:00Z"}
            for day, value in values.items()
        ]
        made = await broker.post("/temporal/entities", json={"id": id, "type": "Road", "speed": speeds})
        assert made.status_code == 201
    since = {"timerel": "after", "timeAt": "2026-01-01T00:00:00Z"}
    async with registered(north, address(south), operations=["retrieveTemporal", "queryTemporal"]):
        whole = (await north.get(f"/temporal/entities/{id}", params=since)).json()
        assert [each["value"] for each in whole["speed"]] == [10, 20, 60]
        last = (await north.get(f"/temporal/entities/{id}", params={**since, "lastN": "1"})).json()
        assert [each["value"] for each in last["speed"]] == [60]
        figures = {**since, "format": "aggregatedValues", "aggrMethods": "avg"}
        mean = (await north.get(f"/temporal/entities/{id}", params=figures)).json()
        assert mean["speed"]["avg"][0][0] == 30


async def test_types_and_attributes_of_all_sources_are_told_once(brokers: Brokers) -> None:
    north, south, _ = brokers
    await put(south, {**road(gauge=1), "type": "Rail"})
    async with registered(north, address(south)):
        types = (await north.get("/types")).json()["typeList"]
        assert "Rail" in types
        assert len(types) == len(set(types))
        assert "gauge" in (await north.get("/attributes")).json()["attributeList"]
    assert "Rail" not in (await north.get("/types")).json()["typeList"]
