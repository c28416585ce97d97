# SPDX-License-Identifier: Apache-2.0
from citybrain.kernel.clock import utc_now
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.wire import read_registration
from citybrain.kernel.subscriptions.subscription import Kind
from citybrain.kernel.subscriptions.tests.scene import Receiver, Town


async def register(town: Town, id: str, *types: str, new: bool = True, **members: Json) -> None:
    information = [{"entities": [{"type": type} for type in types]}]
    payload = {"type": "ContextSourceRegistration", "endpoint": "http://there", "information": information, **members}
    now = utc_now()
    registration = read_registration(payload, CORE, now, id=id)
    registrations = town.parts.registrations
    write = registrations.create if new else registrations.update
    await write("", registration, lambda *_: (), now)


async def test_a_subscriber_to_sources_is_told_which_match_change_and_match_no_longer(
    town: Town, receiver: Receiver
) -> None:
    await register(town, "urn:r:1", "Lamp")
    await register(town, "urn:r:2", "Road")
    id = await town.subscribe(receiver.url, kind=Kind.SOURCES)
    await receiver.until(lambda got: len(got) == 1)
    await register(town, "urn:r:3", "Lamp", "Road")
    await register(town, "urn:r:1", "Lamp", "Post", new=False)
    await register(town, "urn:r:1", "Post", new=False)
    await town.parts.registrations.delete("", "urn:r:2", utc_now())
    await town.parts.registrations.delete("", "urn:r:3", utc_now())
    await receiver.until(lambda got: len(got) == 5)
    told = [(body["triggerReason"], [each["id"] for each in body["data"]]) for body in receiver.got]
    assert told == [
        ("newlyMatching", ["urn:r:1"]),
        ("newlyMatching", ["urn:r:3"]),
        ("updated", ["urn:r:1"]),
        ("noLongerMatching", ["urn:r:1"]),
        ("noLongerMatching", ["urn:r:3"]),
    ]
    assert {body["type"] for body in receiver.got} == {"ContextSourceNotification"}
    assert receiver.got[1]["data"][0]["information"] == [{"entities": [{"type": "Lamp"}]}], "only what was asked for"
    await town.parts.registrations.delete("", "urn:r:1", utc_now())
    assert town.subscriptions.line("", id, Kind.SOURCES).health.times_sent == 5


async def test_both_kinds_of_subscriptions_have_ids_of_their_own(town: Town, receiver: Receiver) -> None:
    await town.subscribe(receiver.url, id="urn:s:1")
    await town.subscribe(receiver.url, id="urn:s:1", kind=Kind.SOURCES)
    assert len(town.subscriptions.all("")) == len(town.subscriptions.all("", Kind.SOURCES)) == 1
