# SPDX-License-Identifier: Apache-2.0
"""How many observations a second become durable while the loop runs? One process, as `citybrain up` is.

The city's own steps (field in its child process, loop, pool, journal) go on as fast as they can; beside them a foreign
feed hands in batches of which every observation is kept, never more than a few uncommitted. The figure counts only
what was committed. The baseline is the same feed with no city beside it.
`python bench/bench_city.py [NET] [--seconds 20]`
"""

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from citybrain.kernel.app import Attribute, EntityType
from citybrain.kernel.clock import monotonic_s, new_id, utc_now
from citybrain.kernel.loop import Loop
from citybrain.kernel.records import Batch, Column, Entity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store
from citybrain.serve import catalog, contributions, scenarios
from citybrain.serve.experiment import BRAIN, Task, opening_of

METERS = 5_000
UNCOMMITTED = 8
FOREIGN = EntityType(name="Meter", attributes=(Attribute(name="level"),))
# Far from the simulated city's own time, so that the two never share a partition's tail.
FOREIGN_DAY = datetime(2030, 1, 1, tzinfo=UTC)


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("net", nargs="?", default="ingolstadt21")
    arguments.add_argument("--seconds", type=float, default=20.0)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(_measure(Settings(data=Path(folder) / "data"), chosen.net, chosen.seconds))


async def _measure(settings: Settings, net: str, seconds: float) -> None:
    types = (*contributions.entity_types(), FOREIGN)
    async with open_store(settings, types=types, migrations=contributions.migrations()) as store:
        meters = tuple(f"urn:ngsi-ld:Meter:{number}" for number in range(METERS))
        await store.pool.register(
            [Entity(id=each, type="Meter", source="bench", observed_at=FOREIGN_DAY) for each in meters]
        )
        alone = await _feed(store, meters, FOREIGN_DAY, seconds)
        city = _City(store, net)
        await city.start()
        running = asyncio.create_task(city.run())
        beside = await _feed(store, meters, FOREIGN_DAY + timedelta(days=1), seconds)
        running.cancel()
        await asyncio.wait([running])
        await city.close()
    print(f"durable.alone {alone:.0f} observations/s")
    print(f"durable.beside_the_loop {beside:.0f} observations/s")
    print(f"durable.ratio {beside / alone:.3f} beside/alone")
    p50_ms, p99_ms = (float(each) * 1000 for each in np.percentile(city.loop_s, [50, 99]))
    print(f"loop.steps {len(city.loop_s)} in {seconds:.0f} s")
    print(f"loop.batch_to_orders.p50 {p50_ms:.2f} ms")
    print(f"loop.batch_to_orders.p99 {p99_ms:.2f} ms")


class _City:
    """The loop of a running city, without pace and pages."""

    def __init__(self, store: Store, net: str) -> None:
        found = scenarios.find(net)
        host = scenarios.door_of(found.door).host
        assert host is not None
        self._store = store
        self._field = host(opening_of(Task(door=found.door, scenario=found.scenario, arm=BRAIN, seed=1)))
        self.loop_s: list[float] = []

    async def start(self) -> None:
        entities = await self._field.start()
        await self._store.pool.register(entities)
        self._loop = Loop(catalog.apps(), entities, arm=BRAIN, decide=True)

    async def run(self) -> None:
        step = self._loop.step(await self._field.step(()))
        while not step.frame.finished:
            frame = await self._field.step(step.abroad)
            began_s = monotonic_s()
            step = self._loop.step(frame)
            self.loop_s.append(monotonic_s() - began_s)
            self._store.pool.observe(frame.batch)
            await self._store.journal.append(
                frame.batch, events=step.events, orders=step.orders, outcomes=step.outcomes, readings=step.readings
            )

    async def close(self) -> None:
        await self._field.close()


async def _feed(store: Store, meters: tuple[str, ...], day: datetime, seconds: float) -> float:
    """Observations committed per second of a feed that keeps a few batches under way."""
    under_way: set[asyncio.Future[None]] = set()
    began_s = monotonic_s()
    committed = number = 0
    while monotonic_s() - began_s < seconds:
        at = day + timedelta(seconds=number)
        column = Column(attribute="level", entity_ids=meters, values=np.full(METERS, float(number)))
        batch = Batch(id=new_id(), source="bench", observed_at=at, received_at=utc_now(), columns=(column,))
        store.pool.observe(batch)
        under_way.add(await store.journal.append(batch))
        number += 1
        if len(under_way) >= UNCOMMITTED:
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            committed += len(done)
    await asyncio.gather(*under_way)
    return (committed + len(under_way)) * METERS / (monotonic_s() - began_s)


if __name__ == "__main__":
    main()
