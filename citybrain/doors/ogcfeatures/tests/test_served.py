# SPDX-License-Identifier: Apache-2.0
"""The door as geographic programs use it: a real server, and owslib, which nobody here wrote, as the client."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest
from owslib.ogcapi.features import Features

from citybrain.doors.ogcfeatures.app import PREFIX, make
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.store import Store
from conftest import Serving

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAMPS = 25


def lamp(number: int) -> dict[str, Any]:
    return {
        "id": f"urn:ngsi-ld:Streetlight:{number}",
        "type": "Streetlight",
        "powerState": {"type": "Property", "value": "on" if number % 5 else "off"},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [120 + number / 100, 30.0]}},
    }


@pytest.fixture(scope="module")
async def url(store: Store, serving: Serving) -> AsyncIterator[str]:
    documents = [read_entity(lamp(number), CORE, "2026-03-01T12:00:00Z") for number in range(LAMPS)]
    await store.documents.apply([verbs.create("", document, NOON) for document in documents])
    async with serving(_mounted(make(store))) as address:
        yield address + PREFIX


def _mounted(app: Any) -> Any:
    async def mounted(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await app({**scope, "root_path": PREFIX}, receive, send)

    return mounted


async def test_a_foreign_client_reads_collections_and_features(url: str) -> None:
    client: Any = await asyncio.to_thread(partial(Features, url))
    assert "Streetlight" in await asyncio.to_thread(client.feature_collections)
    page = await asyncio.to_thread(partial(client.collection_items, "Streetlight", limit=10))
    assert (len(page["features"]), page["numberMatched"]) == (10, LAMPS)
    box = [120.005, 29, 120.045, 31]
    near = await asyncio.to_thread(partial(client.collection_items, "Streetlight", bbox=box))
    assert {each["id"] for each in near["features"]} == {f"urn:ngsi-ld:Streetlight:{n}" for n in (1, 2, 3, 4)}
    one = await asyncio.to_thread(partial(client.collection_item, "Streetlight", "urn:ngsi-ld:Streetlight:7"))
    assert one["geometry"]["coordinates"] == [120.07, 30.0]


async def test_pages_are_linked_until_everything_was_seen(url: str) -> None:
    seen: list[str] = []
    following: str | None = f"{url}/collections/Streetlight/items?limit=10"
    async with httpx.AsyncClient() as client:
        while following:
            page = (await client.get(following)).json()
            seen += [each["id"] for each in page["features"]]
            following = next((each["href"] for each in page["links"] if each["rel"] == "next"), None)
    assert len(seen) == len(set(seen)) == LAMPS


async def test_a_collection_tells_its_box_and_by_what_it_can_be_asked(url: str) -> None:
    async with httpx.AsyncClient() as client:
        told = (await client.get(f"{url}/collections/Streetlight")).json()
        assert told["extent"]["spatial"]["bbox"] == [[120.0, 30.0, 120.24, 30.0]]
        queryables = (await client.get(f"{url}/collections/Streetlight/queryables")).json()
        assert queryables["properties"] == {"powerState": {"type": "string"}}
        off = (await client.get(f"{url}/collections/Streetlight/items", params={"powerState": "off"})).json()
        assert off["numberMatched"] == LAMPS // 5


# fmt: off
REFUSED = [
    ("GET",  "/collections/Nothing",                    404, "no such type"),
    ("GET",  "/collections/Streetlight/items/urn:x:1",  404, "no such entity"),
    ("GET",  "/collections/Streetlight/items?limit=0",  400, "an unusable parameter"),
    ("GET",  "/elsewhere",                              404, "no such path"),
    ("POST", "/collections/Streetlight/items",          405, "the door only reads"),
]
# fmt: on


@pytest.mark.parametrize(("method", "path", "status", "why"), REFUSED)
async def test_a_refusal_is_a_problem_document_that_says_what_to_do(
    url: str, method: str, path: str, status: int, why: str
) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, url + path)
    assert answer.status_code == status, why
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_everything_the_landing_page_links_to_is_there(url: str) -> None:
    async with httpx.AsyncClient() as client:
        for each in (await client.get(url)).json()["links"]:
            assert (await client.get(each["href"])).status_code == 200, each["href"]
