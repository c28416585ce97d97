# SPDX-License-Identifier: Apache-2.0
"""Alarms over HTTP: who may, what lists are asked by, refusals that say why, and the stream."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Because, Event, Severity
from citybrain.kernel.store import Store
from citybrain.serve import contributions
from citybrain.serve.front import Front
from citybrain.serve.gate import OWN_PAGE_HEADER
from citybrain.serve.tests.conftest import PASSWORD, Clerk
from citybrain.serve.web import create
from conftest import Serving

Signs = Callable[[str], Awaitable[Clerk]]


def event(id: str, severity: Severity = Severity.III, kind: str = "traffic.congestion") -> Event:
    return Event(id=id, kind=kind, severity=severity, at=utc_now(), entity_id=f"urn:{id}", because=Because(code="x"))


@pytest.fixture(scope="module")
async def url(
    store: Store, serving: Serving, cheap_hashes_all_the_while: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Where a city with two officers listens, of which only the events are there."""
    for account, roles in (("lin", ("operator",)), ("wu", ("operator",)), ("guest", ())):
        await store.access.add_account(account, PASSWORD, roles=roles, now=utc_now())
    desk: Any = SimpleNamespace(
        city=SimpleNamespace(store=store, condition="running", simulated=True, heard=0),
        words=contributions.words(),
        outbox=store.outbox,
        closing=asyncio.Event(),
        has_picture=False,
        indicators=list,
        next_picture=lambda _: asyncio.sleep(0.02),
    )
    pages: Path = tmp_path_factory.mktemp("pages")
    front = Front(create(desk, store.access, pages, address=""), store.access, [], address="")
    async with serving(front) as found:  # type: ignore[arg-type]
        yield found
        desk.closing.set()


@pytest.fixture(scope="module")
async def at_desk(url: str) -> AsyncIterator[Signs]:
    """Signs somebody in, once each."""
    known: dict[str, Clerk] = {}

    async def signs(name: str) -> Clerk:
        if name not in known:
            known[name] = Clerk(httpx.AsyncClient(base_url=url, headers={OWN_PAGE_HEADER: "1"}, timeout=60), name)
            await known[name].sign_in()
        return known[name]

    yield signs
    for each in known.values():
        await each.http.aclose()


async def test_everybody_sees_alarms_and_only_officers_act(store: Store, url: str, at_desk: Signs) -> None:
    await store.journal.tell([event("a1")])
    async with httpx.AsyncClient(base_url=url, headers={OWN_PAGE_HEADER: "1"}) as nobody:
        page = (await nobody.get("/api/alarms")).json()
        assert [row["id"] for row in page["rows"]] == ["a1"]
        assert (page["total"], page["next"], page["counts"]["handling"]) == (1, None, {"new": 1})
        assert (await nobody.post("/api/alarms/a1/acts", json={"act": "take"})).status_code in (401, 403)
        assert (await nobody.post("/api/alarms/acts", json={"ids": ["a1"], "act": "take"})).status_code in (401, 403)
    guest = await at_desk("guest")
    await guest.ask("POST", "/api/alarms/a1/acts", {"act": "take"}, status=403)
    taken = await (await at_desk("lin")).ask("POST", "/api/alarms/a1/acts", {"act": "take", "version": 0})
    assert (taken["handling"]["state"], taken["handling"]["taken_by"], taken["place"]) == ("taken", "lin", {"name": {}})


async def test_the_second_officer_is_told_who_has_it_and_who_was_late_that_it_changed(
    store: Store, at_desk: Signs
) -> None:
    await store.journal.tell([event("b1"), event("b2")])
    lin, wu = await at_desk("lin"), await at_desk("wu")
    await lin.ask("POST", "/api/alarms/b1/acts", {"act": "take"})
    refused = await wu.ask("POST", "/api/alarms/b1/acts", {"act": "clear"}, status=409)
    assert (refused["code"], refused["facts"]["by"]) == ("kernel.alarm_taken", "lin")
    await lin.ask("POST", "/api/alarms/b2/acts", {"act": "acknowledge", "note": "seen", "version": 0})
    assert await wu.refused("POST", "/api/alarms/b2/acts", {"act": "clear", "version": 0}, status=409) == (
        "kernel.alarm_changed"
    )
    assert await wu.refused("POST", "/api/alarms/gone/acts", {"act": "clear"}, status=404) == "kernel.no_such_event"
    both = await wu.ask("POST", "/api/alarms/acts", {"ids": ["b1", "b2"], "act": "comment", "note": "rain"})
    assert both == {"done": ["b1", "b2"], "refused": []}
    story = await wu.ask("GET", "/api/alarms/b1")
    assert [(act["act"], act["by"]) for act in story["acts"]] == [("take", "lin"), ("comment", "wu")]
    assert (story["signs"], story["orders"]) == ([], [])


async def test_acknowledging_an_event_as_before_is_the_same_act(store: Store, at_desk: Signs) -> None:
    await store.journal.tell([event("c1")])
    lin = await at_desk("lin")
    view = await lin.ask("POST", "/api/events/c1/acknowledge", {"note": "patrol sent"})
    assert (view["acknowledged_by"], view["note"], view["group"]) == ("lin", "patrol sent", None)
    assert (await lin.ask("GET", "/api/alarms/c1"))["handling"]["state"] == "acknowledged"


async def test_a_list_is_asked_by_what_stands_in_the_address(store: Store, at_desk: Signs) -> None:
    kinds = ("hotline.burst", "traffic.spillback")
    await store.journal.tell([event(f"d{n}", list(Severity)[n % 4], kinds[n % 2]) for n in range(8)])
    lin = await at_desk("lin")
    until = (utc_now() + timedelta(hours=1)).isoformat()
    await lin.ask("POST", "/api/alarms/acts", {"ids": ["d0", "d4"], "act": "shelve", "until": until})

    async def found(question: str) -> list[str]:
        page = await lin.ask("GET", f"/api/alarms?q=urn:d&{question}")
        return [row["id"] for row in page["rows"]]

    assert await found("kind=hotline.burst&severity=I,II&sort=at") == ["d0", "d4"]
    assert await found("handling=shelved&sort=-at") == ["d4", "d0"]
    assert await found("limit=3") == ["d4", "d0", "d5"]
    assert await found("mine=1") == []
    assert await found("entity_id=urn:d3") == ["d3"]
    assert await found("state=ended") == []
    spilt = await lin.ask(
        "GET",
        "/api/alarms?q=溢流"
        if "溢流" in contributions.words().of("zh")["kind.traffic.spillback"]
        else "/api/alarms?q=spillback",
    )
    assert {row["kind"] for row in spilt["rows"]} == {"traffic.spillback"}
    page = await lin.ask("GET", "/api/alarms?q=urn:d&limit=5")
    rest = await lin.ask("GET", f"/api/alarms?q=urn:d&limit=5&cursor={page['next']}")
    assert (len(page["rows"]), len(rest["rows"]), rest["next"]) == (5, 3, None)


@pytest.mark.parametrize(
    "question",
    [
        "state=gone",
        "severity=V",
        "handling=lost",
        "sort=up",
        "since=yesterday",
        "since=2026-01-01T00:00",
        "colour=red",
        "limit=x",
    ],
)
async def test_what_a_list_cannot_be_asked_by_is_refused(question: str, at_desk: Signs) -> None:
    code = await (await at_desk("lin")).refused("GET", f"/api/alarms?{question}", status=400)
    assert code == "serve.alarm_filter_unusable"


async def test_a_time_without_its_zone_is_refused_with_how_it_is_written(at_desk: Signs) -> None:
    code = await (await at_desk("lin")).refused("GET", "/api/alarms?since=2026-01-01T00:00:00", status=400)
    assert code == "serve.alarm_time_without_zone"


@pytest.mark.parametrize("act", ["expire", "burn"])
async def test_nobody_does_what_only_the_city_does(act: str, store: Store, at_desk: Signs) -> None:
    await store.journal.tell([event(f"only-{act}")])
    lin = await at_desk("lin")
    await lin.ask("POST", f"/api/alarms/only-{act}/acts", {"act": act}, status=400)
    assert (await lin.ask("GET", f"/api/alarms/only-{act}"))["acts"] == []


async def test_the_stream_carries_events_and_alarms_and_goes_on_where_it_stopped(
    store: Store, url: str, at_desk: Signs
) -> None:
    lin = await at_desk("lin")
    before = await store.outbox.last_id()
    await store.journal.tell([event("s1"), event("s2")])
    await lin.ask("POST", "/api/alarms/s1/acts", {"act": "take"})
    heard: list[tuple[str, Any]] = []
    last = kind = ""
    async with (
        asyncio.timeout(20),
        httpx.AsyncClient(base_url=url, timeout=20) as client,
        client.stream("GET", "/api/stream", headers={"Last-Event-ID": str(before)}) as answer,
    ):
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            kind = value if name == "event" else kind
            last = value if name == "id" else last
            if name == "data" and kind in ("event", "alarm"):
                heard.append((kind, json.loads(value)))
            taken = [told for kind, told in heard if kind == "alarm" and told["handling"]["state"] == "taken"]
            if taken and last:
                break
    assert [told["id"] for kind, told in heard if kind == "event"][:2] == ["s1", "s2"]
    assert {told["id"] for kind, told in heard if kind == "alarm"} >= {"s1"}
    assert int(last) > before


async def test_filters_are_kept_by_whoever_is_signed_in_and_by_nobody_else(url: str, at_desk: Signs) -> None:
    lin, guest = await at_desk("lin"), await at_desk("guest")
    filter = {"name": "the worst", "query": {"severity": "I,II"}}
    kept = await lin.ask("POST", "/api/alarm-filters", filter, status=201)
    assert (await lin.ask("GET", "/api/alarm-filters"))["filters"][0]["query"] == {"severity": "I,II"}
    assert await guest.ask("GET", "/api/alarm-filters") == {"filters": [], "departments": []}
    path = f"/api/alarm-filters/{kept['id']}"
    assert await guest.refused("DELETE", path, status=404) == "kernel.no_such_alarm_filter"
    shared = {**filter, "department": "elsewhere"}
    assert await lin.refused("PUT", path, shared, status=403) == "kernel.alarm_filter_department"
    async with httpx.AsyncClient(base_url=url, headers={OWN_PAGE_HEADER: "1"}) as nobody:
        assert (await nobody.get("/api/alarm-filters")).status_code == 401
    await lin.ask("DELETE", path, status=204)
    assert (await lin.ask("GET", "/api/alarm-filters"))["filters"] == []
