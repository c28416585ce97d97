# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions import line as lines
from citybrain.kernel.subscriptions.reading import InvalidSubscription
from citybrain.kernel.subscriptions.service import AlreadyExists, NoSuchSubscription
from citybrain.kernel.subscriptions.subscription import Status, SubscriptionView
from citybrain.kernel.subscriptions.tests.scene import Receiver, Town, lamp, open_town, wanted

WAITING = "SELECT count(*) FROM notification"
UNREADABLE = """
INSERT INTO notification (number, at, about, subscriptions, body)
SELECT max(told_until) + 1, now(), 'urn:x', %(to)s, '{}' FROM subscription
"""


def view(town: Town, id: str) -> SubscriptionView:
    return next(each for each in town.subscriptions.views(utc_now()) if each.id == id)


async def eventually(question: Callable[[], Awaitable[bool]]) -> None:
    """Ask again until it is so."""
    for _ in range(400):
        if await question():
            return
        await asyncio.sleep(0.025)
    raise TimeoutError


async def settled(db: Database, query: str = WAITING, expected: int = 0) -> None:
    """Wait until the database knows what was told."""

    async def known() -> bool:
        return await db.read_one(query, as_=int) == expected

    await eventually(known)


async def test_changes_are_told_in_order_and_then_forgotten(db: Database, town: Town, receiver: Receiver) -> None:
    id = await town.subscribe(receiver.url)
    await town.create(lamp("urn:lamp:1", power=0))
    for power in range(1, 40):
        await town.change("urn:lamp:1", power=power)
    await receiver.until(lambda _: len(receiver.seen(id)) >= 40)
    assert receiver.seen(id) == [("urn:lamp:1", power) for power in range(40)]
    await settled(db)
    assert view(town, id).waiting == 0 and view(town, id).times_failed == 0


async def test_a_notification_is_what_the_standard_says(town: Town, receiver: Receiver) -> None:
    info = [{"key": "X-Town", "value": "Sevilla"}]
    await town.subscribe(receiver.url, id="urn:s:form", endpoint={"receiverInfo": info}, tenant="north")
    await town.create(lamp("urn:lamp:1", power=3), tenant="north")
    await receiver.until(bool)
    body, headers = receiver.got[0], receiver.headers[0]
    assert body["type"] == "Notification" and body["subscriptionId"] == "urn:s:form"
    assert body["id"].startswith("urn:ngsi-ld:Notification:") and body["notifiedAt"].endswith("Z")
    assert body["data"] == [{"id": "urn:lamp:1", "type": "Lamp", "power": {"type": "Property", "value": 3}}]
    assert headers["content-type"] == "application/json" and headers["ngsild-tenant"] == "north"
    assert "ngsi-ld-core-context" in headers["link"] and headers["x-town"] == "sevilla"


async def test_json_ld_carries_its_context_and_no_link(town: Town, receiver: Receiver) -> None:
    await town.subscribe(receiver.url, endpoint={"accept": "application/ld+json"})
    await town.create(lamp("urn:lamp:1", power=3))
    await receiver.until(bool)
    assert "link" not in receiver.headers[0] and receiver.got[0]["data"][0]["@context"].startswith("https://")


async def test_geojson_is_a_feature_collection(town: Town, receiver: Receiver) -> None:
    await town.subscribe(receiver.url, endpoint={"accept": "application/geo+json"})
    await town.create(lamp("urn:lamp:1", power=3))
    await receiver.until(bool)
    data = receiver.got[0]["data"]
    assert data["type"] == "FeatureCollection" and data["features"][0]["properties"]["power"]["value"] == 3


async def test_what_was_deleted_and_what_was_before_is_told(town: Town, receiver: Receiver) -> None:
    await town.create(lamp("urn:lamp:1", power=40))
    triggers = ["attributeUpdated", "entityDeleted"]
    await town.subscribe(receiver.url, notificationTrigger=triggers, notification={"showChanges": True})
    await town.change("urn:lamp:1", power=20)
    await receiver.until(bool)
    assert receiver.got[0]["data"][0]["power"] == {"type": "Property", "value": 20, "previousValue": 40}
    await town.delete("urn:lamp:1")
    await receiver.until(lambda got: len(got) == 2)
    (gone,) = receiver.got[1]["data"]
    assert gone["power"] == {"type": "Property", "value": "urn:ngsi-ld:null", "previousValue": 20}
    assert gone["deletedAt"].endswith("Z")


async def test_an_endpoint_that_was_away_gets_everything_when_it_is_back(
    town: Town, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PAUSE_FIRST_S", 0.05)
    monkeypatch.setattr(lines, "PAUSE_LAST_S", 0.2)
    id = await town.subscribe(receiver.url)
    await receiver.stop()
    await town.create(lamp("urn:lamp:1", power=0))
    for power in range(1, 10):
        await town.change("urn:lamp:1", power=power)

    async def has_failed() -> bool:
        return view(town, id).times_failed > 0

    await eventually(has_failed)
    failing = view(town, id)
    assert failing.waiting == 10 and failing.lag_s > 0 and failing.why is not None
    assert failing.why.code == "kernel.notify_unreachable"
    await receiver.start()
    await receiver.until(lambda _: len(receiver.seen(id)) >= 10)
    assert receiver.seen(id) == [("urn:lamp:1", power) for power in range(10)]
    assert view(town, id).times_failed == 1


async def test_a_slow_subscriber_does_not_slow_the_others(town: Town, receiver: Receiver) -> None:
    slow = Receiver()
    slow.pause_s = 30
    await slow.start()
    for _ in range(300):  # more than may be under way at once
        await town.subscribe(slow.url, endpoint={"timeout": 500})
    id = await town.subscribe(receiver.url)
    await town.create(lamp("urn:lamp:1", power=0))
    for power in range(1, 20):
        await town.change("urn:lamp:1", power=power)
    await receiver.until(lambda _: len(receiver.seen(id)) >= 20, within_s=10)
    assert receiver.seen(id) == [("urn:lamp:1", power) for power in range(20)]
    assert not slow.got
    await slow.stop()


async def test_what_is_tried_often_enough_dies_and_can_be_told_again(
    db: Database, town: Town, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PAUSE_FIRST_S", 0.01)
    receiver.status = lambda body: 400 if body["data"][0]["power"]["value"] == 1 else 200
    id = await town.subscribe(receiver.url)
    await town.create(lamp("urn:lamp:1", power=0))
    for power in range(1, 4):
        await town.change("urn:lamp:1", power=power)
    await receiver.until(lambda _: len(receiver.seen(id)) >= 3)
    assert receiver.seen(id) == [("urn:lamp:1", 0), ("urn:lamp:1", 2), ("urn:lamp:1", 3)]
    (letter,) = await town.subscriptions.dead("", id)
    assert letter.tries == lines.TRIES_REFUSED and "400" in letter.why and view(town, id).dead == 1
    receiver.status = 200
    assert await town.subscriptions.replay("", id) == 1
    await receiver.until(lambda _: len(receiver.seen(id)) >= 4)
    assert receiver.seen(id)[-1] == ("urn:lamp:1", 1)
    assert await town.subscriptions.dead("", id) == [] and view(town, id).dead == 0
    await settled(db)


async def test_a_notice_that_cannot_be_read_dies_and_holds_up_nobody(
    db: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PAUSE_FIRST_S", 0.01)
    async with open_town(db) as town:
        id = await town.subscribe(receiver.url)
        number = town.subscriptions.line("", id).one.subscription.number
    await db.write(UNREADABLE, {"to": [number]})
    async with open_town(db) as town:
        await town.create(lamp("urn:lamp:1", power=1))
        await receiver.until(bool)
        assert receiver.seen(id) == [("urn:lamp:1", 1)]
        assert [letter.about for letter in await town.subscriptions.dead("", id)] == ["urn:x"]
        await town.subscriptions.delete("", id)
        await town.delete("urn:lamp:1")


async def test_an_endpoint_that_stays_away_fills_the_dead_letters_and_not_the_memory(
    db: Database, town: Town, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PAUSE_FIRST_S", 0.001)
    monkeypatch.setattr(lines, "PAUSE_LAST_S", 0.001)
    await receiver.stop()
    id = await town.subscribe(receiver.url)
    await town.create(lamp("urn:lamp:1", power=0))
    await settled(db, "SELECT count(*) FROM notification_dead", 1)
    await settled(db)
    await town.subscriptions.delete("", id)
    await settled(db, "SELECT count(*) FROM notification_dead", 0)


async def test_throttling_keeps_what_is_due(town: Town, receiver: Receiver) -> None:
    id = await town.subscribe(receiver.url, throttling=1)
    await town.create(lamp("urn:lamp:1", power=0))
    await receiver.until(bool)
    began = asyncio.get_running_loop().time()
    for power in range(1, 6):
        await town.change("urn:lamp:1", power=power)
    await town.create(lamp("urn:lamp:2", power=7))
    await receiver.until(lambda got: len(got) == 2)
    assert asyncio.get_running_loop().time() - began > 0.8
    assert receiver.seen(id) == [("urn:lamp:1", 0), ("urn:lamp:1", 5), ("urn:lamp:2", 7)]


async def test_a_paused_subscription_hears_nothing_and_goes_on_when_it_is_resumed(
    town: Town, receiver: Receiver
) -> None:
    id = await town.subscribe(receiver.url, isActive=False)
    await town.create(lamp("urn:lamp:1", power=0))
    await town.subscriptions.update("", id, {"isActive": True}, CORE, now=utc_now())
    await town.change("urn:lamp:1", power=1)
    await receiver.until(bool)
    assert receiver.seen(id) == [("urn:lamp:1", 1)]


async def test_an_expired_subscription_hears_nothing_until_it_gets_more_time(town: Town, receiver: Receiver) -> None:
    soon = (utc_now() + timedelta(seconds=0.3)).isoformat().replace("+00:00", "Z")
    id = await town.subscribe(receiver.url, expiresAt=soon)
    await asyncio.sleep(0.4)
    assert view(town, id).status is Status.EXPIRED
    await town.create(lamp("urn:lamp:1", power=0))
    with pytest.raises(InvalidSubscription):
        await town.subscriptions.update("", id, {"expiresAt": soon}, CORE, now=utc_now())
    await town.subscriptions.update("", id, {"expiresAt": "2999-01-01T00:00:00Z"}, CORE, now=utc_now())
    await town.change("urn:lamp:1", power=1)
    await receiver.until(bool)
    assert receiver.seen(id) == [("urn:lamp:1", 1)]


async def test_those_who_ask_by_interval_are_told_what_there_is_whatever_changed(
    town: Town, receiver: Receiver
) -> None:
    await town.create(lamp("urn:lamp:1", power=1), lamp("urn:lamp:2", power=2), lamp("urn:lamp:3", power=9))
    id = await town.subscribe(receiver.url, timeInterval=0.2, q="power<5")
    await receiver.until(lambda got: len(got) == 3)
    assert receiver.seen(id)[:4] == [("urn:lamp:1", 1), ("urn:lamp:2", 2)] * 2
    await town.subscriptions.update("", id, {"isActive": False}, CORE, now=utc_now())
    await asyncio.sleep(0.3)
    stopped = len(receiver.got)
    await asyncio.sleep(0.5)
    assert len(receiver.got) == stopped


async def test_linked_entities_come_inside_or_beside(town: Town, receiver: Receiver) -> None:
    link: dict[str, Json] = {"type": "Relationship", "value": "urn:post:1"}
    fixed = msgspec.convert({"id": "urn:lamp:1", "types": ["Lamp"], "attributes": {"fixedTo": [link]}}, type(lamp("x")))
    post = msgspec.structs.replace(lamp("urn:post:1", height=6), types=("Post",))
    await town.create(post)
    inside = await town.subscribe(receiver.url, notification={"join": "inline"})
    beside = await town.subscribe(receiver.url, notification={"join": "flat", "format": "simplified"})
    await town.create(fixed)
    await receiver.until(lambda got: len(got) == 2)
    by_id = {body["subscriptionId"]: body["data"] for body in receiver.got}
    assert by_id[inside][0]["fixedTo"]["entity"]["height"] == {"type": "Property", "value": 6}
    assert by_id[beside] == [
        {"id": "urn:lamp:1", "type": "Lamp", "fixedTo": "urn:post:1"},
        {"id": "urn:post:1", "type": "Post", "height": 6},
    ]


async def test_what_was_not_told_before_a_restart_is_told_after_it_and_nothing_twice(
    db: Database, receiver: Receiver
) -> None:
    await receiver.stop()
    async with open_town(db) as town:
        id = await town.subscribe(receiver.url)
        await town.create(lamp("urn:lamp:1", power=0))
        await town.change("urn:lamp:1", power=1)
    await receiver.start()
    async with open_town(db) as town:
        await town.change("urn:lamp:1", power=2)
        await receiver.until(lambda _: len(receiver.seen(id)) >= 3)
        await settled(db)
    async with open_town(db) as town:
        await town.change("urn:lamp:1", power=3)
        await receiver.until(lambda _: len(receiver.seen(id)) >= 4)
        assert view(town, id).times_sent >= 3
        await town.subscriptions.delete("", id)
        await town.delete("urn:lamp:1")
    assert receiver.seen(id) == [("urn:lamp:1", power) for power in range(4)]


async def test_ids_are_refused_when_taken_and_when_unknown(town: Town, receiver: Receiver) -> None:
    await town.subscribe(receiver.url, id="urn:s:1")
    with pytest.raises(AlreadyExists):
        await town.subscribe(receiver.url, id="urn:s:1")
    await town.subscribe(receiver.url, id="urn:s:1", tenant="north")
    await town.subscriptions.delete("", "urn:s:1")
    with pytest.raises(NoSuchSubscription):
        town.subscriptions.line("", "urn:s:1")
    with pytest.raises(InvalidSubscription):
        town.subscriptions.line("", "one")
    with pytest.raises(InvalidSubscription):
        await town.subscriptions.create(wanted(receiver.url, id="one"), CORE, tenant="", now=utc_now())
    assert len(town.subscriptions.all("north")) == 1
