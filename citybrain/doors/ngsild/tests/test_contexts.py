# SPDX-License-Identifier: Apache-2.0
"""`/jsonldContexts`, asked over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import httpx
import pytest

from citybrain.doors.ngsild import contexts as route_file
from citybrain.doors.ngsild.app import PREFIX, Edge
from citybrain.doors.ngsild.served import Served
from citybrain.kernel.asgi import Routes
from citybrain.kernel.db import Database
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.i18n import load_words
from citybrain.kernel.ld.context import CORE_URL
from citybrain.kernel.ld.contexts import Contexts

ADDRESS = "http://city:8000"
REMOTE = "https://buses.example/context.jsonld"
SPEED = {"@context": {"speed": "urn:speed"}}
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


@pytest.fixture
async def contexts(db: Database) -> AsyncIterator[Contexts]:
    await db.write("DELETE FROM context")
    opened = await Contexts.open(db, seeds={REMOTE: b'{"@context": {"stop": "urn:stop"}}'}, address=ADDRESS)
    yield opened
    await opened.close()


@pytest.fixture
async def client(contexts: Contexts) -> AsyncIterator[httpx.AsyncClient]:
    words = load_words([Path(route_file.__file__).parent])
    parts = SimpleNamespace(contexts=contexts, documents=Documents(), registrations=SimpleNamespace(alias="city"))
    served = Served(parts, words, "en")
    transport = httpx.ASGITransport(Edge(served, Routes(route_file.routes(served))))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS + PREFIX) as client:
        yield client


async def add(client: httpx.AsyncClient, tenant: str = "") -> str:
    added = await client.post("/jsonldContexts", json=SPEED, headers={"ngsild-tenant": tenant} if tenant else {})
    assert (added.status_code, added.content) == (201, b"")
    location = added.headers["location"]
    assert location.startswith("/ngsi-ld/v1/jsonldContexts/")
    return str(location.rsplit("/", 1)[1])


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(ERRORS)


async def test_a_hosted_context_is_served_as_it_came(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/jsonldContexts/{await add(client)}")
    assert answer.json() == SPEED
    assert answer.headers["content-type"] == "application/json"
    assert "link" not in answer.headers


async def test_details_say_where_it_is_and_how_it_is_used(client: httpx.AsyncClient) -> None:
    name = await add(client)
    details = (await client.get(f"/jsonldContexts/{name}", params={"details": "true"})).json()
    assert details.pop("createdAt").endswith("Z")
    assert details == {
        "URL": f"{ADDRESS}{PREFIX}/jsonldContexts/{name}",
        "localId": name,
        "kind": "Hosted",
        "numberOfHits": 0,
    }
    again = (await client.get(f"/jsonldContexts/{name}", params={"details": "true"})).json()
    assert again["numberOfHits"] == 1
    assert again["lastUsage"].endswith("Z")


async def test_the_list_holds_urls_or_details_of_a_kind(client: httpx.AsyncClient, contexts: Contexts) -> None:
    name = await add(client)
    await contexts.resolve(REMOTE)
    inside = (await contexts.resolve({"a": "urn:a"})).url
    hosted = f"{ADDRESS}{PREFIX}/jsonldContexts/{name}"
    assert (await client.get("/jsonldContexts")).json() == [hosted, REMOTE, inside]
    for kind, url in (("Hosted", hosted), ("Cached", REMOTE), ("ImplicitlyCreated", inside)):
        [details] = (await client.get("/jsonldContexts", params={"kind": kind, "details": "true"})).json()
        assert (details["URL"], details["kind"]) == (url, kind)
        assert (await client.get("/jsonldContexts", params={"kind": kind, "details": "false"})).json() == [url]


async def test_a_cached_context_has_details_under_its_url_but_is_served_by_its_host(
    client: httpx.AsyncClient, contexts: Contexts
) -> None:
    await contexts.resolve(REMOTE)
    path = f"/jsonldContexts/{quote(REMOTE, safe='')}"
    assert (await client.get(path, params={"details": "true"})).json()["kind"] == "Cached"
    assert told(await client.get(path)) == (422, "OperationNotSupported")


async def test_the_core_context_is_served_and_stays(client: httpx.AsyncClient) -> None:
    path = f"/jsonldContexts/{quote(CORE_URL, safe='')}"
    assert (await client.get(path)).json()["@context"]["value"] == "ngsi-ld:hasValue"
    assert (await client.get(path, params={"details": "true"})).json()["URL"] == CORE_URL
    assert told(await client.delete(path)) == (400, "BadRequestData")
    assert (await client.delete(path, params={"reload": "true"})).status_code == 204


async def test_a_deleted_context_is_not_found(client: httpx.AsyncClient) -> None:
    path = f"/jsonldContexts/{await add(client)}"
    deleted = await client.delete(path)
    assert (deleted.status_code, deleted.content, "content-length" in deleted.headers) == (204, b"", False)
    assert told(await client.delete(path)) == (404, "ResourceNotFound")
    assert told(await client.get(path)) == (404, "ResourceNotFound")


async def test_only_a_cached_context_reloads(client: httpx.AsyncClient, contexts: Contexts) -> None:
    await contexts.resolve(REMOTE)
    cached = f"/jsonldContexts/{quote(REMOTE, safe='')}"
    assert (await client.delete(cached, params={"reload": "true"})).status_code == 204
    for path in (f"/jsonldContexts/{await add(client)}", "/jsonldContexts/unknown"):
        assert told(await client.delete(path, params={"reload": "true"})) == (400, "BadRequestData")


async def test_another_tenant_sees_nothing(client: httpx.AsyncClient) -> None:
    name = await add(client, "a")
    other = {"ngsild-tenant": "b"}
    assert (await client.get("/jsonldContexts", headers=other)).json() == []
    assert told(await client.get(f"/jsonldContexts/{name}", headers=other)) == (404, "ResourceNotFound")
    assert told(await client.delete(f"/jsonldContexts/{name}", headers=other)) == (404, "ResourceNotFound")
    assert (await client.get(f"/jsonldContexts/{name}", headers={"ngsild-tenant": "a"})).json() == SPEED


# fmt: off
REFUSED_BODIES = [
    (b'{"a": "urn:a"}',                              "InvalidRequest", "no @context"),
    (b'["https://a.example/"]',                      "InvalidRequest", "a list"),
    (b'{"a": "urn:a" "b": "urn:b"}',                 "InvalidRequest", "not JSON"),
    (b'{"@context": 42}',                            "BadRequestData", "a number for a context"),
    (b'{"@context": true}',                          "BadRequestData", "a boolean for a context"),
    (b'{"@context": ["https://a.example/", 7]}',     "BadRequestData", "a number among contexts"),
    (b'{"@context": {"a": "b:c", "b": "a:c"}}',      "BadRequestData", "terms in a circle"),
]
# fmt: on


@pytest.mark.parametrize(("body", "kind", "why"), REFUSED_BODIES)
async def test_what_is_no_context_is_not_hosted(client: httpx.AsyncClient, body: bytes, kind: str, why: str) -> None:
    answer = await client.post("/jsonldContexts", content=body, headers={"content-type": "application/json"})
    assert told(answer) == (400, kind), why
    assert "location" not in answer.headers
    assert (await client.get("/jsonldContexts")).json() == []


@pytest.mark.parametrize("params", [{"kind": "other"}, {"details": "other"}, {"details": "true", "kind": "hosted"}])
async def test_unknown_kinds_and_flags_are_refused(client: httpx.AsyncClient, params: dict[str, str]) -> None:
    assert told(await client.get("/jsonldContexts", params=params)) == (400, "BadRequestData")


async def test_an_unknown_reload_flag_deletes_nothing(client: httpx.AsyncClient) -> None:
    path = f"/jsonldContexts/{await add(client)}"
    assert told(await client.delete(path, params={"reload": "xxx"})) == (400, "BadRequestData")
    assert (await client.get(path)).status_code == 200
