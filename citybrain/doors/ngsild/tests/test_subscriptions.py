# SPDX-License-Identifier: Apache-2.0
"""`/subscriptions` and `/csourceSubscriptions`, asked over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.tests.scene import Receiver, wanted

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
URL = "http://127.0.0.1:9/notify"
BOTH = pytest.mark.parametrize("path", ["/subscriptions", "/csourceSubscriptions"])


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix(ERRORS)


async def make(ngsild: httpx.AsyncClient, path: str, **members: Json) -> str:
    made = await ngsild.post(path, json=wanted(URL, **members))
    assert (made.status_code, made.content) == (201, b"")
    return str(made.headers["location"].rsplit("/", 1)[1])


@BOTH
async def test_a_subscription_is_made_shown_changed_and_deleted(ngsild: httpx.AsyncClient, path: str) -> None:
    id = await make(ngsild, path, throttling=5, description="lamps")
    shown = (await ngsild.get(f"{path}/{id}")).json()
    assert shown["throttling"] == 5 and shown["status"] == "active" and shown["entities"] == [{"type": "Lamp"}]
    changed = await ngsild.patch(f"{path}/{id}", json={"throttling": None, "isActive": False})
    assert (changed.status_code, changed.content) == (204, b"")
    shown = (await ngsild.get(f"{path}/{id}", params={"options": "sysAttrs"})).json()
    assert "throttling" not in shown and shown["status"] == "paused" and shown["modifiedAt"] >= shown["createdAt"]
    assert (await ngsild.delete(f"{path}/{id}")).status_code == 204
    assert told(await ngsild.get(f"{path}/{id}")) == (404, "ResourceNotFound")


@BOTH
async def test_pages_follow_each_other_and_the_number_of_all_is_told(ngsild: httpx.AsyncClient, path: str) -> None:
    ids = [await make(ngsild, path) for _ in range(3)]
    page = await ngsild.get(path, params={"limit": 1, "offset": 1, "count": "true"})
    assert [each["id"] for each in page.json()] == ids[1:2]
    assert page.headers["ngsild-results-count"] == "3"
    assert 'rel="prev"' in page.headers["link"] and 'rel="next"' in page.headers["link"]
    assert 'rel="next"' not in (await ngsild.get(path, params={"limit": 3})).headers["link"]
    for id in ids:
        await ngsild.delete(f"{path}/{id}")


@BOTH
async def test_what_is_refused_is_told_as_the_standard_names_it(ngsild: httpx.AsyncClient, path: str) -> None:
    assert told(await ngsild.post(path, json={})) == (400, "BadRequestData")
    assert told(await ngsild.post(path, json=wanted(URL, q="(("))) == (400, "BadRequestData")
    assert told(await ngsild.post(path, json=wanted(URL, csf="(("))) == (400, "BadRequestData")
    assert told(await ngsild.post(path, json=wanted(URL, id="one"))) == (400, "BadRequestData")
    assert told(await ngsild.post(path, json=wanted(URL, expiresAt="2000-01-01T00:00:00Z"))) == (400, "BadRequestData")
    broken = await ngsild.post(path, content=b"{,}", headers={"content-type": "application/json"})
    assert told(broken) == (400, "InvalidRequest")
    assert told(await ngsild.get(f"{path}/one")) == (400, "BadRequestData")
    assert told(await ngsild.patch(f"{path}/urn:s:none", json={"isActive": True})) == (404, "ResourceNotFound")
    id = await make(ngsild, path)
    assert told(await ngsild.post(path, json=wanted(URL, id=id))) == (409, "AlreadyExists")
    assert (await ngsild.patch(path, json={})).status_code == 405
    await ngsild.delete(f"{path}/{id}")


async def test_tenants_have_subscriptions_of_their_own(ngsild: httpx.AsyncClient) -> None:
    north = {"ngsild-tenant": "north-subscribes"}
    assert told(await ngsild.get("/subscriptions", headers=north)) == (404, "NonexistentTenant")
    await ngsild.post("/subscriptions", json=wanted(URL, id="urn:s:north"), headers=north)
    assert len((await ngsild.get("/subscriptions", headers=north)).json()) == 1
    assert told(await ngsild.get("/subscriptions/urn:s:north")) == (404, "ResourceNotFound")
    await ngsild.delete("/subscriptions/urn:s:north", headers=north)


# fmt: off
PREFERENCES = [
    ("ngsi-ld=1.0",                "ngsi-ld=1.0"),
    ('NGSI-LD="1.5";q=0.1',        "ngsi-ld=1.5"),
    ("respond-async, ngsi-ld=1.8", "ngsi-ld=1.8"),
    ("respond-async",              None),
]
# fmt: on


@pytest.mark.parametrize(("said", "applied"), PREFERENCES)
async def test_an_earlier_version_changes_nothing_of_a_subscription(
    ngsild: httpx.AsyncClient, said: str, applied: str | None
) -> None:
    id = await make(ngsild, "/subscriptions", watchedAttributes=["power"])
    answer = await ngsild.get(f"/subscriptions/{id}", headers={"prefer": said})
    assert answer.headers.get("preference-applied") == applied
    assert (answer.status_code, answer.json()["watchedAttributes"]) == (200, ["power"])
    await ngsild.delete(f"/subscriptions/{id}")


async def test_what_happens_over_http_is_told_over_http(ngsild: httpx.AsyncClient, receiver: Receiver) -> None:
    made = await ngsild.post("/subscriptions", json=wanted(receiver.url, id="urn:s:told", q="power>10"))
    assert made.status_code == 201
    for power in (5, 15):
        entity = {"id": f"urn:lamp:{power}", "type": "Lamp", "power": {"type": "Property", "value": power}}
        assert (await ngsild.post("/entities", json=entity)).status_code == 201
    await receiver.until(bool)
    assert receiver.seen("urn:s:told") == [("urn:lamp:15", 15)]
    notification = (await ngsild.get("/subscriptions/urn:s:told")).json()["notification"]
    assert notification["timesSent"] == 1 and notification["status"] == "ok"
    await ngsild.delete("/subscriptions/urn:s:told")
