# SPDX-License-Identifier: Apache-2.0
"""A day in the city as its users meet it: over HTTP, with a real database, real simulators and real kills."""

import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.scenarios.city import RunningCity, citybrain, eventually, free_port, running, start

OWN_PAGE = {"X-Citybrain": "1"}


@pytest.fixture(scope="module")
def city(new_folder: Callable[[], Path]) -> Iterator[RunningCity]:
    with running(new_folder(), speed="20") as one:
        yield one


@contextmanager
def signed_in(city: RunningCity) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=city.url, headers=OWN_PAGE, timeout=30) as client:
        answer = client.post("/api/session", json={"name": "operator", "password": city.password})
        assert answer.status_code == 200, answer.text
        yield client


def test_anybody_may_see_the_city_without_an_account(city: RunningCity) -> None:
    facts = city.get("/api/city")
    assert facts["scenario"] == "cologne1"
    assert facts["me"]["name"] is None
    west, south, east, north = facts["bounds"]
    assert west < east
    assert south < north


def test_the_map_and_the_state_have_one_order(city: RunningCity) -> None:
    network, state = city.get("/api/network"), city.get("/api/state")
    assert len(network["roads"]) == len(state["road_speeds"]) == len(state["road_levels"]) > 0
    assert len(network["signals"]) == len(state["signals"]) == 1
    links = {link for head in network["signals"][0]["heads"] for link in head["links"]}
    assert max(links) < len(state["signals"][0])
    assert set(state["signals"][0]) <= set("GgyrsuoO")


def test_the_brain_gives_orders_and_each_knows_its_cause(city: RunningCity) -> None:
    signal_id = city.get("/api/network")["signals"][0]["id"]
    order = eventually(
        lambda: next((o for o in city.get(f"/api/entities/{signal_id}")["orders"] if o["outcome"]), None)
    )
    assert order["means"] == "traffic.set_stage"
    assert order["outcome"]["state"] == "executed"
    words = city.get("/api/words/en")
    assert order["because"]["code"] in words
    batch = city.get(f"/api/batches/{order['because']['batch_id']}")
    assert datetime.fromisoformat(batch["observed_at"]) <= datetime.fromisoformat(order["at"])


def orders_of(city: RunningCity, entity_id: str) -> list[Any]:
    orders: list[Any] = city.get(f"/api/entities/{entity_id}")["orders"]
    return orders


def test_both_arms_are_measured_and_each_number_has_its_rows(city: RunningCity) -> None:
    def measured() -> Any:
        views = {view["name"]: view for view in city.get("/api/indicators")}
        arms = views["traffic.delay"]["arms"]
        return arms if set(arms) == {"brain", "fixed"} else None

    eventually(measured)
    table = city.get("/api/indicators/traffic.delay/rows", arm="brain")
    row = dict(zip(table["columns"], table["rows"][-1], strict=True))
    parts = row["delay_arrived_s"] + row["delay_running_s"] + row["delay_waiting_s"]
    assert row["value"] == pytest.approx(parts / row["due"], abs=0.01), "parts are rounded to a tenth of a second"
    series = city.get("/api/indicators/traffic.delay/series")
    assert len(series["arms"]["brain"]) == len(series["arms"]["fixed"]) > 0


def test_a_write_from_another_page_is_refused(city: RunningCity) -> None:
    answer = httpx.post(f"{city.url}/api/session", json={"name": "operator", "password": city.password}, timeout=30)
    assert answer.status_code == 403
    assert answer.json()["code"] == "serve.from_another_page"


def test_an_act_needs_somebody_who_signed_in(city: RunningCity) -> None:
    answer = httpx.post(f"{city.url}/api/city/speed", json={"speed": 5}, headers=OWN_PAGE, timeout=30)
    assert answer.status_code == 401
    assert answer.json()["code"] == "serve.not_signed_in"


def test_an_operator_changes_the_speed_and_gives_a_signal_back_to_its_plan(city: RunningCity) -> None:
    signal_id = city.get("/api/network")["signals"][0]["id"]
    with signed_in(city) as operator:
        assert operator.post("/api/city/speed", json={"speed": 30}).json() == {"speed": 30}
        assert operator.post("/api/city/speed", json={"speed": -1}).json()["code"] == "serve.speed_out_of_range"
        operator.post(f"/api/signals/{signal_id}/control", json={"mode": "plan"}).raise_for_status()
        eventually(lambda: mode(city, signal_id) == "plan")
        operator.post(f"/api/signals/{signal_id}/control", json={"mode": "brain"}).raise_for_status()
        eventually(lambda: mode(city, signal_id) == "brain")


def mode(city: RunningCity, signal_id: str) -> str | None:
    now = {each["attribute"]: each["value"] for each in city.get(f"/api/entities/{signal_id}")["now"]}
    return now.get("controlMode")


def test_the_stream_tells_the_state_twice_a_second(city: RunningCity) -> None:
    told: list[tuple[str, Any]] = []
    with httpx.stream("GET", f"{city.url}/api/stream", timeout=30) as stream:
        name = ""
        for line in stream.iter_lines():
            if line.startswith("event:"):
                name = line.removeprefix("event:").strip()
            elif line.startswith("data:"):
                told.append((name, json.loads(line.removeprefix("data:"))))
            if sum(kind == "state" for kind, _ in told) >= 3:
                break
    times = [data["at"] for kind, data in told if kind == "state"]
    assert times == sorted(set(times))
    assert all(data["received_at"] <= data["sent_at"] for kind, data in told if kind == "state")
    assert {"indicators", "ping"} <= {kind for kind, _ in told}


def test_the_past_can_be_looked_at_again(city: RunningCity) -> None:
    extent = eventually(lambda: city.get("/api/replay/extent") if city.get("/api/replay/extent")["to"] else None)
    past = city.get("/api/replay", at=extent["to"])
    assert past["mode"] == "replay"
    assert any(past["signals"])
    signal_id = city.get("/api/network")["signals"][0]["id"]
    then = city.get(f"/api/entities/{signal_id}", at=extent["to"])
    assert all(order["at"] <= extent["to"] for order in then["orders"])
    assert {each["attribute"]: each["value"] for each in then["now"]}["signalState"] == past["signals"][0]
    before = city.get("/api/replay", at="2001-01-01T00:00:00Z")
    assert set(before["signals"]) == {""}, "nothing was kept so long ago"


def test_a_taken_port_is_told_with_what_to_do(city: RunningCity, tmp_path: Path) -> None:
    port = city.url.rsplit(":", 1)[1]
    found = citybrain("up", "--scenario", "cologne1", "--port", port, data=tmp_path)
    assert found.returncode == 1
    assert f"Port {port}" in found.stderr
    assert "--port" in found.stderr


def test_a_second_city_on_the_same_data_is_refused(city: RunningCity) -> None:
    folder = Path(str(city.log).removesuffix(f".{city.url.rsplit(':', 1)[1]}.log"))
    found = citybrain("up", "--scenario", "cologne1", "--port", str(free_port()), data=folder)
    assert found.returncode == 1
    assert str(city.process.pid) in found.stderr


def test_nothing_acknowledged_is_lost_when_the_whole_city_is_killed(
    new_folder: Callable[[], Path],
) -> None:
    folder = new_folder()
    first = start(folder, speed="max")
    eventually(lambda: len(first.get("/api/indicators/traffic.delay/series")["arms"]["brain"]) >= 4, within_s=60)
    before = first.get("/api/indicators/traffic.delay/series")["arms"]["brain"]
    at = first.get("/api/status")["city_time"]
    first.kill()
    with running(folder, speed="max") as second:
        assert second.password is None, "the account is still there"
        after = second.get("/api/indicators/traffic.delay/series")["arms"]["brain"]
        assert after[: len(before)] == before
        eventually(lambda: second.get("/api/status")["city_time"] > at, within_s=60)
        assert second.get("/api/status")["run"] == 1


def test_a_simulator_that_dies_is_restarted_where_it_was(city: RunningCity) -> None:
    simulators = [
        child for child in psutil.Process(city.process.pid).children() if "spawn_main" in " ".join(child.cmdline())
    ]
    assert len(simulators) == 2
    at = city.get("/api/status")["city_time"]
    simulators[0].kill()
    eventually(lambda: city.get("/api/status")["condition"] == "recovering")
    eventually(lambda: city.get("/api/status")["condition"] == "running")
    eventually(lambda: city.get("/api/status")["city_time"] > at, within_s=60)


def test_a_signal_that_a_person_put_on_its_plan_stays_there_after_a_kill(new_folder: Callable[[], Path]) -> None:
    folder = new_folder()
    first = start(folder, speed="20")
    signal_id = first.get("/api/network")["signals"][0]["id"]
    eventually(lambda: mode(first, signal_id) == "brain")
    with signed_in(first) as operator:
        operator.post(f"/api/signals/{signal_id}/control", json={"mode": "plan"}).raise_for_status()
    first.kill()
    with running(folder, speed="20") as second:
        held = eventually(
            lambda: next((one for one in orders_of(second, signal_id) if is_hold(one)), None), within_s=60
        )
        assert held["by"] == "operator", "the record still says whose wish it is"
        assert mode(second, signal_id) == "plan"


def is_hold(order: Any) -> bool:
    executed = order["outcome"] is not None and order["outcome"]["state"] == "executed"
    return executed and order["parameters"] == {"mode": "plan"}


def test_vehicles_come_as_binary_pictures(city: RunningCity) -> None:
    picture = first_picture(city)
    city_ms, lon, lat = struct.unpack_from("<ddd", picture)
    assert city_ms > 0
    west, south, east, north = city.get("/api/city")["bounds"]
    assert west - 0.1 < lon < east + 0.1
    assert south - 0.1 < lat < north + 0.1
    assert (len(picture) - 24) % 16 == 0


def first_picture(city: RunningCity) -> bytes:
    """One binary message of the WebSocket, by the bytes of RFC 6455."""
    host, port = city.url.removeprefix("http://").split(":")
    with ExitStack() as stack, socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(
            b"GET /api/vehicles HTTP/1.1\r\nHost: city\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        reader = stack.enter_context(wire.makefile("rb"))
        assert b"101" in reader.readline()
        while reader.readline() not in (b"\r\n", b""):
            pass
        _, length = reader.read(2)
        if length == 126:
            length = struct.unpack(">H", reader.read(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", reader.read(8))[0]
        return reader.read(length)
