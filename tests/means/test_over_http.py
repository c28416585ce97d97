# SPDX-License-Identifier: Apache-2.0
"""A duty officer's view of the catalogue over HTTP, and a city that is killed while it tells somebody something."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.scenarios.city import RunningCity, free_port, running, start

STATION = {"role": "radio", "name": {"zh": "交通广播", "en": "Traffic radio"}, "channel": "webhook"}


class Station:
    """A radio station: an HTTP server that says when it got something, and answers when it is let."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        station = self

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                station.got.append((str(self.headers["idempotency-key"]), json.loads(body)))
                if station.may_answer.wait(30):
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/told"


@contextmanager
def on_air() -> Iterator[Station]:
    station = Station()
    thread = threading.Thread(target=station.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield station
    finally:
        station.may_answer.set()
        station.server.shutdown()
        station.server.server_close()


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with on_air() as found:
        yield found


@pytest.fixture(scope="module")
def city(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(new_folder(), scenario="none") as started:
        yield started


@pytest.fixture(scope="module")
def operator(city: RunningCity) -> Iterator[httpx.Client]:
    with signed_in(city.url, city.password) as client:
        yield client


@contextmanager
def signed_in(url: str, password: str | None) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=30, headers={"X-Citybrain": "1"}) as client:
        client.post("/api/session", json={"name": "operator", "password": password})
        yield client


def settled(client: httpx.Client, id: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        order: dict[str, Any] = client.get(f"/api/orders/{id}").json()["order"]
        if order["outcome"] and order["state"] != "standing":
            return order
        time.sleep(0.2)
    raise AssertionError("no outcome came")


def test_the_catalogue_says_of_each_means_what_a_duty_officer_must_know(operator: httpx.Client) -> None:
    catalogue = operator.get("/api/means").json()
    assert len({each["name"] for each in catalogue}) >= 96
    for each in catalogue:
        Draft202012Validator.check_schema(each["parameters"])
        assert each["executable"] is (each["lacks"] is None)
    by_name = {each["name"]: each for each in catalogue}
    tow, radio = by_name["people.send_tow"], by_name["information.radio"]
    assert (tow["group"], tow["executable"], tow["two_person"]) == ("people", True, False)
    assert tow["effect"]["attribute"] == "case.progress"
    assert tow["undone_by"] == "administration.recall"
    assert (radio["executable"], radio["lacks"]["code"]) == (False, "operations.no_contact")
    assert by_name["power.isolate"]["two_person"]
    assert by_name["traffic.hold"]["lacks"]["code"] == "serve.nothing_runs", "there are no streets here"


def test_a_contact_makes_a_means_executable_and_its_order_reaches_it(operator: httpx.Client, station: Station) -> None:
    put = operator.put("/api/operations/contacts/fm", json={**STATION, "address": station.url, "secret": "s"})
    assert put.status_code == 200, put.text
    told = put.json()
    assert (told["version"], told["works"], told["has_secret"]) == (1, True, True)
    assert "secret" not in told
    radio = next(each for each in operator.get("/api/means").json() if each["name"] == "information.radio")
    assert radio["executable"]
    wanted = {"means": "information.radio", "entity_id": "urn:x:road", "parameters": {"text": "绕行"}, "reason": "积水"}
    given = operator.post("/api/orders", json=wanted)
    assert given.status_code == 201, given.text
    order = settled(operator, given.json()["id"])
    assert (order["state"], order["outcome"]["code"]) == ("ended", "operations.told")
    assert station.got[-1][1]["parameters"]["text"] == "绕行"


def test_a_contact_is_kept_with_its_secret_and_another_version_is_refused(
    operator: httpx.Client, station: Station
) -> None:
    given = {**STATION, "role": "television", "address": station.url}
    assert operator.put("/api/operations/contacts/tv", json={**given, "secret": "s"}).json()["version"] == 1
    changed = operator.put("/api/operations/contacts/tv", json={**given, "version": 1}).json()
    assert (changed["version"], changed["has_secret"]) == (2, True)
    late = operator.put("/api/operations/contacts/tv", json={**given, "version": 1})
    assert (late.status_code, late.json()["code"]) == (409, "operations.contact_changed")
    wrong = operator.put("/api/operations/contacts/new", json={**given, "channel": "email"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "operations.contact_unusable")
    assert operator.delete("/api/operations/contacts/tv").status_code == 204
    found = operator.get("/api/operations/contacts").json()
    assert "tv" not in {each["id"] for each in found["contacts"]}
    assert {"radio", "police", "devices"} <= {each["id"] for each in found["roles"]}


def test_nobody_sees_contacts_without_the_right(city: RunningCity) -> None:
    assert httpx.get(f"{city.url}/api/operations/contacts").status_code in (401, 403)


@pytest.mark.slow
def test_a_city_killed_while_it_tells_tells_again_under_the_same_key(
    new_folder: Callable[[], Path], station: Station
) -> None:
    folder, port = new_folder(), free_port()
    first = start(folder, scenario="none", port=port)
    with signed_in(first.url, first.password) as client:
        client.put("/api/operations/contacts/fm", json={**STATION, "address": station.url})
        station.got.clear()
        station.may_answer.clear()
        wanted = {"means": "information.radio", "entity_id": "urn:x:road", "parameters": {"text": "绕行"}}
        radio = client.post("/api/orders", json=wanted).json()["id"]
        tow = client.post(
            "/api/orders", json={**wanted, "means": "people.send_tow", "parameters": {"task": "拖车"}}
        ).json()["id"]
        end = time.monotonic() + 30
        while not station.got and time.monotonic() < end:
            time.sleep(0.1)
        assert settled(client, tow)["outcome"]["state"] == "executed", "one that hangs holds up no other"
        assert client.get(f"/api/orders/{radio}").json()["order"]["outcome"] is None
    first.kill()
    station.may_answer.set()
    second = start(folder, scenario="none", port=port)
    try:
        with signed_in(second.url, first.password) as client:
            assert settled(client, radio)["outcome"]["code"] == "operations.told"
            assert {key for key, _ in station.got} == {f"operations-{radio}-fm"}
            cases = client.get("/api/cases", params={"category": "people.send_tow"}).json()["cases"]
            assert len(cases) == 1, "what was done is not done twice"
    finally:
        second.stop()
