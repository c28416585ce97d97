# SPDX-License-Identifier: Apache-2.0
"""People who order in a running city: over HTTP, two at once, with kills between an order and its outcome."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.serve import contributions
from tests.scenarios.city import RunningCity, eventually, running, start
from tests.scenarios.test_a_city_that_runs import OWN_PAGE

PASSWORD = "correct horse battery"
OFFICERS = ("ann", "bob", "eve")


@pytest.fixture(scope="module")
def officers(new_folder: Callable[[], Path]) -> Callable[[], Path]:
    """Makes data folders of cities that know three officers."""

    async def fill(folder: Path) -> None:
        given = {"types": contributions.entity_types(), "migrations": contributions.migrations()}
        permissions = contributions.permissions()
        async with open_store(Settings(data=folder), permissions=permissions, **given) as store:  # type: ignore[arg-type]
            for name in OFFICERS:
                await store.access.add_account(name, PASSWORD, roles=("operator",), now=utc_now())

    def made() -> Path:
        folder = new_folder()
        folder.parent.chmod(0o755)
        asyncio.run(fill(folder))
        return folder

    return made


@pytest.fixture(scope="module")
def city(officers: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(officers(), speed="20") as one:
        yield one


@contextmanager
def signed_in(city: RunningCity, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, headers=OWN_PAGE, timeout=30) as client:
        answer = client.post("/api/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        yield client


def signal_of(city: RunningCity) -> str:
    signal: str = city.get("/api/network")["signals"][0]["id"]
    return signal


def order(who: httpx.Client, signal: str, means: str = "set_control_mode", **parameters: Any) -> Any:
    body = {"means": f"traffic.{means}", "entity_id": signal, "parameters": parameters, "reason": "a burst pipe"}
    answer = who.post("/api/orders", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def look(who: httpx.Client, id: str) -> Any:
    return who.get(f"/api/orders/{id}").raise_for_status().json()["order"]


def code_of(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()["code"]


def executed(who: httpx.Client, id: str) -> Any:
    """The order once its outcome is known."""
    return eventually(lambda: (found := look(who, id)) and found["outcome"] and found, within_s=60)


def test_two_officers_who_fight_for_a_junction_both_see_who_did_it_and_when(city: RunningCity) -> None:
    signal = signal_of(city)
    with signed_in(city, "ann") as ann, signed_in(city, "bob") as bob:
        older = order(ann, signal, mode="plan")
        assert executed(ann, older["id"])["state"] == "standing"
        newer = order(bob, signal, mode="brain")
        replaced = eventually(lambda: (found := look(ann, older["id"])) and found["replaced_by"] and found)
        assert (replaced["replaced_by"]["id"], replaced["replaced_by"]["by"]) == (newer["id"], "bob")
        assert datetime.fromisoformat(replaced["replaced_by"]["at"])
        assert replaced == look(bob, older["id"]), "both see the same"
        assert look(bob, newer["id"])["state"] == "standing"
        story = ann.get(f"/api/orders/{older['id']}").json()["acts"]
        assert [(act["act"], act["by"]) for act in story] == [("give", "ann"), ("outcome", ""), ("replace", "")]
        ended = bob.post(f"/api/orders/{newer['id']}/end", json={"reason": "the pipe is mended"}).json()
        assert (ended["state"], ended["ended"]["by"], ended["ended"]["reason"]) == (
            "ended",
            "bob",
            "the pipe is mended",
        )
        eventually(lambda: look(bob, newer["id"])["undo"]["state"] == "done")


def test_a_lock_of_two_officers_is_not_undone_by_one(city: RunningCity) -> None:
    signal = signal_of(city)
    with signed_in(city, "ann") as ann, signed_in(city, "bob") as bob, signed_in(city, "eve") as eve:
        lock = order(ann, signal, "lock", show=0, minutes=30)
        assert (lock["state"], lock["proposed_by"]) == ("proposed", "ann")
        assert code_of(ann.post(f"/api/orders/{lock['id']}/approve"), 403) == "kernel.order_needs_other_person"
        approved = bob.post(f"/api/orders/{lock['id']}/approve").json()
        assert (approved["state"], approved["approved_by"]) == ("standing", "bob")
        stands = executed(ann, lock["id"])
        assert (stands["state"], stands["outcome"]["state"]) == ("standing", "executed")
        given_at, expires_at = (datetime.fromisoformat(stands[name]) for name in ("given_at", "expires_at"))
        assert expires_at - given_at == timedelta(minutes=30)
        assert order(eve, signal, "unlock")["state"] == "proposed"
        assert order(eve, signal, "lock", show=1, minutes=5)["state"] == "proposed"
        assert eve.post(f"/api/orders/{lock['id']}/end", json={}).json()["ending"]["by"] == "eve"
        assert look(ann, lock["id"])["state"] == "standing"
        ended = ann.post(f"/api/orders/{lock['id']}/approve").json()
        assert (ended["state"], ended["ended"]["by"]) == ("ended", "ann")
        undone = eventually(lambda: (found := look(ann, lock["id"])["undo"])["outcome"] and found)
        assert undone["outcome"]["state"] == "executed"


def test_an_order_that_is_sent_many_times_is_executed_once(city: RunningCity) -> None:
    signal = signal_of(city)
    body = {"means": "traffic.set_stage", "entity_id": signal, "parameters": {"stage": 0}, "reason": "a double click"}
    with signed_in(city, "ann") as ann, ThreadPoolExecutor(8) as many:
        headers = {"Idempotency-Key": "one-click"}
        sent = [many.submit(ann.post, "/api/orders", json=body, headers=headers) for _ in range(8)]
        sent += [many.submit(ann.post, "/api/orders", json={**body, "id": "one-click"})]
        ids = {each.result().json()["id"] for each in sent}
        assert len(ids) == 1
        id = ids.pop()
        executed(ann, id)
        done = eventually(lambda: (found := look(ann, id)) and found["ended"] and found)
        assert (done["state"], done["ended"]["why"]) == ("ended", "done")
        other = {**body, "parameters": {"stage": 1}, "id": "one-click"}
        assert code_of(ann.post("/api/orders", json=other), 409) == "kernel.order_key_used"
    orders = city.get(f"/api/entities/{signal}")["orders"]
    assert sum(each["because"]["facts"].get("reason") == "a double click" for each in orders) == 1


# fmt: off
WRONG = [
    (400, "kernel.order_field_wrong_kind", {"parameters": {"stage": "two"}}),
    (400, "kernel.order_field_missing",    {"parameters": {}}),
    (400, "kernel.order_for_nothing",      {"entity_id": "urn:ngsi-ld:RoadSegment:none", "means": "traffic.lock",
                                            "parameters": {"show": 0, "minutes": 5}}),
    (404, "kernel.no_such_means",          {"means": "traffic.fly"}),
    (400, "kernel.order_expires_in_the_past", {"expires_at": "2001-01-01T00:00:00Z"}),
    (400, "serve.invalid_request",         {"means": None}),
    (400, "serve.invalid_request",         {"by": "bob"}),
]
# fmt: on


@pytest.mark.parametrize(("status", "code", "change"), WRONG)
def test_what_makes_no_sense_is_refused_with_a_sentence(
    city: RunningCity, status: int, code: str, change: dict[str, Any]
) -> None:
    body = {"means": "traffic.set_stage", "entity_id": signal_of(city), "parameters": {"stage": 0}, **change}
    with signed_in(city, "ann") as ann:
        assert code_of(ann.post("/api/orders", json=body), status) == code
    assert code in city.get("/api/words/en")


def test_nobody_orders_looks_or_ends_without_signing_in(city: RunningCity) -> None:
    with httpx.Client(base_url=city.url, headers=OWN_PAGE, timeout=30) as anybody:
        body = {"means": "traffic.set_stage", "entity_id": signal_of(city), "parameters": {"stage": 0}}
        assert code_of(anybody.post("/api/orders", json=body), 401) == "serve.not_signed_in"
        for path in ("/api/orders", "/api/means", "/api/orders/1"):
            assert code_of(anybody.get(path), 401) == "serve.not_signed_in"
        for path in ("/api/orders/1/end", "/api/orders/1/approve"):
            assert code_of(anybody.post(path, json={}), 401) == "serve.not_signed_in"


def test_what_can_be_ordered_is_told_with_the_schema_of_its_parameters(city: RunningCity) -> None:
    with signed_in(city, "ann") as ann:
        told = {each["name"]: each for each in ann.get("/api/means?entity_type=TrafficSignalController").json()}
    assert told["traffic.lock"]["two_person"]
    assert "minutes" in str(told["traffic.lock"]["parameters"])
    words = city.get("/api/words/zh")
    assert {f"means.{name}" for name in told} <= set(words)


def test_orders_are_neither_lost_nor_done_twice_when_the_city_is_killed_between_order_and_outcome(
    officers: Callable[[], Path],
) -> None:
    folder = officers()
    first = start(folder, speed="20")
    signal = signal_of(first)
    with signed_in(first, "ann") as ann, signed_in(first, "bob") as bob:
        lock = order(ann, signal, "lock", show=0, minutes=60)["id"]
        bob.post(f"/api/orders/{lock}/approve").raise_for_status()
        executed(ann, lock)
        proposed = order(ann, signal, "lock", show=1, minutes=60)["id"]
        late = [order(ann, signal, "set_stage", stage=0)["id"], order(ann, signal, mode="plan")["id"]]
    first.kill()
    with running(folder, speed="20") as second, signed_in(second, "bob") as bob:
        for id in late:
            found = executed(bob, id)
            assert found["outcome"]["state"] in ("executed", "refused"), "a locked signal may refuse a stage"
        assert look(bob, lock)["state"] == "standing"
        assert look(bob, proposed)["state"] == "proposed", "what waits for a second person waits on"
        locked = eventually(lambda: locked_at(second, signal), within_s=60)
        assert locked["facts"]["by"] == "ann"
        bob.post(f"/api/orders/{proposed}/approve").raise_for_status()
        assert executed(bob, proposed)["outcome"]["state"] == "executed"
        eventually(lambda: look(bob, lock)["state"] == "ended")
        for id in (lock, proposed, *late):
            acts = [act["act"] for act in bob.get(f"/api/orders/{id}").json()["acts"]]
            assert acts.count("outcome") == 1
        kept = [each["id"] for each in second.get(f"/api/entities/{signal}")["orders"] if each["by"] in OFFICERS]
        assert len(kept) == len(set(kept))


def locked_at(city: RunningCity, signal: str) -> Any:
    """The cause of the newest order to a signal, if that is a lock."""
    orders = city.get(f"/api/entities/{signal}")["orders"]
    return next((each["because"] for each in orders if each["because"]["code"] == "traffic.locked"), None)
