# SPDX-License-Identifier: Apache-2.0
"""How long a what-if takes, and what the live city feels of it: `python -m bench.bench_whatif`.

A city runs at ten times real time. Its pace is measured without a study and while one runs (ten minutes ahead, two
arms), and the longest time between two steps.
"""

import asyncio
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from citybrain.kernel.clock import utc_now
from citybrain.kernel.records import Because, Event, Severity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.serve import contributions
from tests.scenarios.city import RunningCity, start

SCENARIOS = ("cologne8", "ingolstadt21")
SPEED = 10.0
WARM_S = 45.0
ALONE_S = 20.0
MINUTES = 10
EVENT = "urn:ngsi-ld:Event:bench"
MAY = {"CITYBRAIN_PUBLIC_MAY": "city.order,traffic.control"}


class Watch(msgspec.Struct, kw_only=True):
    """What was seen of a city for a while: its pace in city seconds per second, and the longest gap between steps."""

    pace: float
    longest_gap_s: float


def main() -> None:
    """Measure each scenario and print `name value unit` lines."""
    for scenario in SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="citybrain-whatif-") as top:
            Path(top).chmod(0o755)
            folder = Path(top) / "data"
            asyncio.run(_told(folder))
            city = start(folder, scenario=scenario, speed=str(SPEED), variables=MAY)
            try:
                _measure(city, scenario)
            finally:
                city.stop()


def _measure(city: RunningCity, scenario: str) -> None:
    signal = city.get("/api/network")["signals"][0]["id"]
    time.sleep(WARM_S)
    alone = _watch(city, until_s=time.monotonic() + ALONE_S)
    means = [{"means": "traffic.set_control_mode", "entity_id": signal, "parameters": {"mode": "plan"}}]
    question = {"event_id": EVENT, "means": means, "minutes": MINUTES}
    with httpx.Client(base_url=city.url, headers={"X-Citybrain": "1"}, timeout=30) as client:
        id = client.post("/api/whatif", json=question).raise_for_status().json()["id"]
        during = _watch(city, study=id)
        study = client.get(f"/api/whatif/{id}").json()
    assert study["state"] == "done", study
    print(f"whatif_{scenario}_wall {study['wall_s']:.1f} s")
    print(f"whatif_{scenario}_save_held_up {1000 * study['held_up_s']:.0f} ms")
    print(f"whatif_{scenario}_pace_alone {alone.pace:.2f} s/s")
    print(f"whatif_{scenario}_pace_during {during.pace:.2f} s/s")
    print(f"whatif_{scenario}_longest_gap_alone {1000 * alone.longest_gap_s:.0f} ms")
    print(f"whatif_{scenario}_longest_gap_during {1000 * during.longest_gap_s:.0f} ms")


def _watch(city: RunningCity, *, until_s: float = float("inf"), study: str = "") -> Watch:
    """Look at the city's time again and again, until a time or while a study runs."""
    began_s = changed_s = time.monotonic()
    first = last = city.get("/api/status")["city_time"]
    longest_s, asked_s = 0.0, began_s
    while time.monotonic() < until_s:
        now: Any = city.get("/api/status")["city_time"]
        now_s = time.monotonic()
        if now != last:
            longest_s, last, changed_s = max(longest_s, now_s - changed_s), now, now_s
        if study and now_s - asked_s > 1.0:
            asked_s = now_s
            if city.get(f"/api/whatif/{study}")["state"] not in ("waiting", "running"):
                break
        time.sleep(0.02)
    passed = (_at(last) - _at(first)).total_seconds()
    return Watch(pace=passed / (changed_s - began_s), longest_gap_s=longest_s)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def _told(folder: Path) -> None:
    given: Any = {"types": contributions.entity_types(), "migrations": contributions.migrations()}
    event = Event(
        id=EVENT,
        kind="traffic.congestion",
        severity=Severity.III,
        at=utc_now(),
        entity_id="urn:ngsi-ld:RoadSegment:bench",
        because=Because(code="traffic.congested"),
    )
    async with open_store(Settings(data=folder), permissions=contributions.permissions(), **given) as store:
        await store.journal.tell([event])


if __name__ == "__main__":
    main()
