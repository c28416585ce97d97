# SPDX-License-Identifier: Apache-2.0
"""Notices over HTTP: everybody reads their own, chooses what comes how, and what was not delivered is seen."""

from citybrain.kernel.cases.notice import Channel, Tell
from citybrain.kernel.cases.notices import Address
from citybrain.kernel.clock import utc_now
from citybrain.kernel.store import Store
from citybrain.serve.tests.conftest import Signs

FACTS = {"number": "T1", "title": "路灯", "clock": "handle", "due_at": "2026-01-01 00:00"}


async def tell(store: Store, person: str) -> None:
    async with store.db.transaction() as transaction:
        told = Tell(topic="case.late", facts=FACTS, person=person)
        await store.casework.notices.queue(transaction, told, now=utc_now())


async def test_notices_are_read_by_whom_they_are_for(at_desk: Signs, staffed: Store) -> None:
    li, wang = await at_desk("li"), await at_desk("wang")
    for _ in range(2):
        await tell(staffed, "li")
    assert await li.ask("GET", "/api/notices/unread") == {"count": 2}
    newest, older = await li.ask("GET", "/api/notices")
    assert "T1" in newest["subject"]
    assert [each["id"] for each in await li.ask("GET", f"/api/notices?before={newest['id']}")] == [older["id"]]
    await wang.ask("POST", "/api/notices/read", {"ids": [newest["id"]]}, status=204)
    assert await li.ask("GET", "/api/notices/unread") == {"count": 2}, "nobody reads for another"
    await li.ask("POST", "/api/notices/read", {"ids": [newest["id"]]}, status=204)
    assert await li.ask("GET", "/api/notices/unread") == {"count": 1}
    assert await wang.ask("GET", "/api/notices") == []


async def test_somebody_chooses_what_comes_how(at_desk: Signs, staffed: Store) -> None:
    wang = await at_desk("wang")
    before = await wang.ask("GET", "/api/notices/choices")
    assert (before["choices"], before["addresses"]) == ([], [])
    assert {"case.late", "case.warning"} <= set(before["topics"])
    address = {"channel": "email", "address": "wang@example.cn", "lang": "en"}
    assert (await wang.ask("PUT", "/api/notices/address", address))["addresses"] == [address]
    wrong = {"channel": "email", "address": "wang"}
    assert await wang.refused("PUT", "/api/notices/address", wrong, status=400) == "kernel.address_unusable"
    choice = {"topic": "case.late", "channel": "desk", "wanted": False}
    assert (await wang.ask("PUT", "/api/notices/choices", {"choices": [choice]}))["choices"] == [choice]
    await tell(staffed, "wang")
    assert await wang.ask("GET", "/api/notices/unread") == {"count": 0}


async def test_what_waits_or_was_given_up_is_seen_and_sent_again_by_operators(at_desk: Signs, staffed: Store) -> None:
    op, zhao = await at_desk("op"), await at_desk("zhao")
    address = Address(channel=Channel.EMAIL, address="zhao@example.cn", lang="zh")
    await staffed.casework.notices.set_address("zhao", address)
    await tell(staffed, "zhao")
    waiting = (await op.ask("GET", "/api/notices/delivery"))["waiting"]
    assert ("email", "waiting") in {(each["channel"], each["state"]) for each in waiting}
    await staffed.db.write("UPDATE notice SET state = 'dead', problem = 'no such box' WHERE person = 'zhao'")
    dead = (await op.ask("GET", "/api/notices/delivery"))["dead"]
    ids = [each["id"] for each in dead if each["person"] == "zhao"]
    assert ids
    assert await op.ask("POST", "/api/notices/again", {"ids": ids}, status=200) == {"count": len(ids)}
    assert await zhao.refused("GET", "/api/notices/delivery", status=403) == "serve.not_permitted"
