# SPDX-License-Identifier: Apache-2.0
"""What would happen if: a running city is asked, answers, and goes on as if nobody had asked."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Because, Event, Severity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.serve import contributions
from tests.scenarios.city import RunningCity, citybrain, eventually, running, start
from tests.scenarios.test_a_city_that_runs import OWN_PAGE

EVENT = "urn:ngsi-ld:Event:asked-about"
SIGNAL = "urn:ngsi-ld:TrafficSignalController:GS_cluster_357187_359543"
MAY = {"CITYBRAIN_PUBLIC_MAY": "city.order,traffic.control"}


async def told(folder: Path) -> None:
    """A folder of a city in which something happened at the signal."""
    given: Any = {"types": contributions.entity_types(), "migrations": contributions.migrations()}
    event = Event(
        id=EVENT,
        kind="traffic.congestion",
        severity=Severity.III,
        at=utc_now(),
        entity_id=SIGNAL,
        because=Because(code="traffic.congested"),
    )
    async with open_store(Settings(data=folder), permissions=contributions.permissions(), **given) as store:
        await store.journal.tell([event])


@pytest.fixture(scope="module")
def folder(new_folder: Callable[[], Path]) -> Path:
    made = new_folder()
    made.parent.chmod(0o755)
    asyncio.run(told(made))
    return made


@pytest.fixture(scope="module")
def city(folder: Path) -> Iterator[RunningCity]:
    # Slow enough that its day does not end while it is asked.
    one = start(folder, speed="5", variables=MAY)
    try:
        yield one
    finally:
        one.stop()


@pytest.fixture
def client(city: RunningCity) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, headers=OWN_PAGE, timeout=30) as client:
        yield client


def ask(client: httpx.Client, **question: Any) -> str:
    answer = client.post("/api/whatif", json={"event_id": EVENT, **question})
    assert answer.status_code == 202, answer.text
    id: str = answer.json()["id"]
    return id


def means(mode: str = "plan") -> dict[str, Any]:
    return {"means": "traffic.set_control_mode", "entity_id": SIGNAL, "parameters": {"mode": mode}}


def over(client: httpx.Client, id: str) -> Any:
    def ended() -> Any:
        found = client.get(f"/api/whatif/{id}").json()
        return found["state"] not in ("waiting", "running") and found

    return eventually(ended, within_s=300)


def test_a_question_is_answered_by_two_branches_of_the_city(city: RunningCity, client: httpx.Client) -> None:
    before = datetime.fromisoformat(city.get("/api/status")["city_time"])
    study = over(client, ask(client, means=[means()], minutes=3))
    assert study["state"] == "done", study
    none, with_means = study["arms"]
    assert (none["name"], with_means["name"]) == ("none", "means")
    assert none["minutes"] == with_means["minutes"] == 3
    assert none["refused"] == with_means["refused"] == []
    assert none["around"] != with_means["around"], "the means made a difference"
    assert none["net"]["delay_s"] > 0
    assert study["verdict"]["code"].startswith("serve.whatif_")
    assert study["verdict"]["facts"]["minutes"] == 3
    assert study["caveat"]["code"] == "serve.whatif_one_draw"
    assert datetime.fromisoformat(study["from_at"]) >= before
    now = datetime.fromisoformat(city.get("/api/status")["city_time"])
    assert now > datetime.fromisoformat(study["from_at"]), "the live city went on meanwhile"
    assert city.get("/api/entities/" + SIGNAL)["orders"] == [] or all(
        not each["id"].startswith("whatif") for each in city.get("/api/entities/" + SIGNAL)["orders"]
    ), "nothing was ordered in the live city"


def test_the_same_branch_twice_is_the_same_and_other_dice_are_not(client: httpx.Client) -> None:
    """What a mode that is in force already changes is nothing, so both arms go the same way."""
    study = over(client, ask(client, means=[means("brain")], minutes=1, seeds=2))
    assert study["state"] == "done", study
    assert [arm["draws"] for arm in study["arms"]] == [2, 2]
    assert study["arms"][0]["net"] == study["arms"][1]["net"]
    assert study["verdict"]["code"] == "serve.whatif_no_difference"
    assert study["caveat"]["code"] == "serve.whatif_draws"


def test_what_the_playbook_would_do_is_tried_beside_it_and_what_nobody_simulates_is_named(client: httpx.Client) -> None:
    study = over(client, ask(client, means=[means()], playbook=True, minutes=1))
    assert study["state"] == "done", study
    tried = [arm["name"] for arm in study["arms"]]
    assert tried == ["none", "means", "playbook"]
    assert set(study["left_out"]) >= {"information.navigation_notice", "evidence.inspect"}
    assert all(not name.startswith(("traffic.", "street.", "signals.")) for name in study["left_out"])


def test_what_cannot_be_compared_is_refused(client: httpx.Client) -> None:
    def code(**question: Any) -> Any:
        answer = client.post("/api/whatif", json={"event_id": EVENT, **question})
        assert answer.status_code in (400, 404, 409), answer.text
        return answer.json()["code"]

    assert code() == "serve.whatif_nothing_asked"
    assert code(event_id="urn:unknown", means=[means()]) == "kernel.no_such_event"
    assert code(means=[{**means(), "means": "traffic.fly"}]) == "kernel.no_such_means"
    assert code(means=[{**means(), "parameters": {"mode": "dream"}}]) == "kernel.order_field_no_choice"
    assert client.get("/api/whatif/unknown").json()["code"] == "serve.whatif_unknown"


def test_a_study_that_is_cancelled_ends_and_lets_the_next_one_run(client: httpx.Client) -> None:
    long, short = ask(client, means=[means()], minutes=60, seeds=10), ask(client, means=[means()], minutes=1)
    assert client.delete(f"/api/whatif/{long}").json()["state"] == "cancelled"
    assert over(client, short)["state"] == "done"
    assert over(client, long)["state"] == "cancelled"
    assert [each["id"] for each in client.get("/api/whatif", params={"event_id": EVENT}).json()][:2] == [short, long]


def test_the_command_asks_the_running_city_and_says_one_sentence(city: RunningCity, folder: Path) -> None:
    port = city.url.rpartition(":")[2]
    given = f'traffic.set_control_mode:{SIGNAL}:{{"mode":"plan"}}'
    asked = citybrain("whatif", EVENT, "--means", given, "--minutes", "1", data=folder, CITYBRAIN_PORT=port)
    assert asked.returncode == 0, asked.stderr
    assert "within 1 minutes the means changes the time lost around the event" in asked.stdout
    assert "One draw of chance" in asked.stdout
    unknown = citybrain("whatif", "nothing", "--means", given, data=folder, CITYBRAIN_PORT=port)
    assert unknown.returncode == 1
    assert "nothing" in unknown.stderr


def test_a_city_without_a_simulator_says_so(new_folder: Callable[[], Path]) -> None:
    with (
        running(new_folder(), scenario="none", variables=MAY) as city,
        httpx.Client(base_url=city.url, headers=OWN_PAGE, timeout=30) as client,
    ):
        answer = client.post("/api/whatif", json={"event_id": EVENT, "means": [means()]})
    assert (answer.status_code, answer.json()["code"]) == (409, "serve.whatif_nothing_simulated")
