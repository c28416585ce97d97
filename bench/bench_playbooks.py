# SPDX-License-Identifier: Apache-2.0
"""How soon a playbook orders: from an event that is committed to its orders on their way to whoever carries them out.

A city of the shipped playbooks and all means on a PostgreSQL of its own; 2,000 roads with signals. Events come one by
one, and in bursts at one moment. What carries orders out is not part of it: they count when the loop would take them.
`python bench/bench_playbooks.py [--events 300] [--burst 100] [--folder DIR]`
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from citybrain.apps.operations.decide.matching import Version
from citybrain.apps.operations.decide.planning import plan
from citybrain.apps.operations.service.opened import Opened, opened
from citybrain.kernel.clock import monotonic_s, new_id, utc_now
from citybrain.kernel.records import Because, Entity, Event, Severity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from citybrain.serve import contributions

ROADS = 2_000
PAUSE_S = 0.05
PATIENCE_S = 60.0
"""An event that nothing is ordered for by then ends the measurement: its figure would be none."""
PLANS = 2_000
# Of one kind alone fifty in a minute would be a storm, of which only the first is handled.
KINDS = (
    "blocked_lane",
    "stopped_vehicle",
    "illegal_parking",
    "spillback",
    "congestion",
    "signal_dark",
    "wrong_way",
    "road_closed",
    "surge",
    "sensor_doubted",
)


def road(number: int) -> str:
    """The id of a road."""
    return f"urn:ngsi-ld:RoadSegment:bench:{number}"


def streets(now: datetime) -> list[Entity]:
    """Roads in a ring, each with a lane and a signal at its end."""
    found: list[Entity] = []
    for number in range(ROADS):
        lane, signal = f"urn:ngsi-ld:RoadLane:bench:{number}", f"urn:ngsi-ld:TrafficSignalController:bench:{number}"
        facts: list[tuple[str, str, dict[str, object]]] = [
            (road(number), "RoadSegment", {"leadsTo": [road((number + 1) % ROADS)]}),
            (lane, "RoadLane", {"road": road(number)}),
            (signal, "TrafficSignalController", {"heads": [{"lane": lane}]}),
        ]
        found += [
            Entity(id=id, type=type, source="bench", observed_at=now, attributes=attributes)
            for id, type, attributes in facts
        ]
    return found


def jam(number: int) -> Event:
    """Some trouble on some road."""
    return Event(
        id=new_id(),
        kind=f"traffic.{KINDS[number % len(KINDS)]}",
        severity=Severity.III,
        at=utc_now(),
        entity_id=road(number % ROADS),
        because=Because(code="bench"),
    )


async def until_ordered(store: Store, events: Sequence[Event]) -> list[float]:
    """Commit events together; milliseconds from then until the first order of each is on its way."""
    waiting = {event.id for event in events}
    await store.journal.tell(events)
    committed_s = monotonic_s()
    took: list[float] = []
    async with asyncio.timeout(PATIENCE_S):
        while waiting:
            for order in await store.orders.delivery.take(utc_now()):
                if order.because.event_id in waiting:
                    waiting.remove(order.because.event_id)
                    took.append((monotonic_s() - committed_s) * 1000)
            await asyncio.sleep(0.001)
    return took


def say(name: str, took: Sequence[float]) -> None:
    """Median, 95th percentile and worst."""
    median, high = np.percentile(took, [50, 95])
    print(f"{name}: {median:.0f} ms, p95 {high:.0f} ms, worst {max(took):.0f} ms (n = {len(took)})")


def planning(app: Opened, more: int) -> float:
    """Microseconds of processor to plan for one event, with so many more playbooks in force."""
    active = list(app.operations.active)
    versions = [*active, *(Version(playbook=active[at % len(active)].playbook, version=at) for at in range(more))]
    context = app.operations.around.context()
    events = [jam(number) for number in range(PLANS)]
    began = time.process_time()
    for event in events:
        plan(event, versions, context)
    return (time.process_time() - began) / PLANS * 1e6


async def measure(folder: Path, *, events: int, burst: int) -> None:
    """Measure and say it."""
    given = {"types": contributions.entity_types(), "migrations": contributions.migrations()}
    async with open_store(
        Settings(data=folder / "data"),
        trade=contributions.trade(),
        words=contributions.words(),
        **given,  # type: ignore[arg-type]
    ) as store:
        await store.pool.register(streets(utc_now()))
        async with opened(store) as app:
            single: list[float] = []
            for number in range(events):
                single += await until_ordered(store, [jam(number)])
                await asyncio.sleep(PAUSE_S)
            say("one event, committed to its first order", single)
            many_at_once = await until_ordered(store, [jam(events + each) for each in range(burst)])
            say(f"{burst} events at one moment", many_at_once)
            few, many = planning(app, 0), planning(app, 500)
            print(f"planning: {few:.0f} µs with {len(app.operations.active)} playbooks, {many:.0f} µs with 500 more")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--burst", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-", dir=asked.folder) as made:
        Path(made).chmod(0o755)
        asyncio.run(measure(Path(made) / "data", events=asked.events, burst=asked.burst))
