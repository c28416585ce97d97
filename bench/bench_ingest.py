# SPDX-License-Identifier: Apache-2.0
"""How many observations a second become durable history? Every one is kept, indexed and committed, on this machine.

Beside it, in the same run, PostgreSQL's own bound: one bare COPY of the same rows, already encoded, without an index.
`python bench/bench_ingest.py [--roads 1500] [--batches 200]`
"""

import argparse
import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np

from citybrain.kernel.app import Attribute, EntityType
from citybrain.kernel.clock import monotonic_s, new_id, utc_now
from citybrain.kernel.pool import Pool
from citybrain.kernel.pool.rows import HEADER, TRAILER
from citybrain.kernel.records import Batch, Column, Entity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

ATTRIBUTES = ("averageVehicleSpeed", "vehicleCount", "occupancy", "queueLength")
TYPES = (EntityType(name="RoadSegment", attributes=tuple(Attribute(name=name) for name in ATTRIBUTES)),)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BARE = "CREATE TABLE bare (LIKE history)"
BARE_COPY = "COPY bare FROM STDIN (FORMAT binary)"


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--roads", type=int, default=1500)
    arguments.add_argument("--batches", type=int, default=200)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(_measure(Settings(data=Path(folder) / "data"), chosen.roads, chosen.batches))


async def _measure(settings: Settings, roads: int, batches: int) -> None:
    ids = tuple(f"urn:ngsi-ld:RoadSegment:{number}" for number in range(roads))
    made = [_batch(ids, second) for second in range(batches)]
    observations = roads * len(ATTRIBUTES) * batches
    async with open_store(settings, types=TYPES) as store:
        await store.pool.register(
            [Entity(id=each, type="RoadSegment", source="bench", observed_at=BEGIN) for each in ids]
        )
        bare_s = await _bare_copy(store, ids, made)
        observe_s, append_s, ingest_s, waited_s = await _ingest(store, made)
        (kept,) = await store.db.read("SELECT count(*) FROM history WHERE batch_number IS NOT NULL", as_=int)
    if kept != observations:
        raise SystemExit(f"{kept} of {observations} observations were kept")
    _tell("ingest_durable", observations / ingest_s, "observations/s")
    _tell("copy_bare", observations / bare_s, "rows/s")
    _tell("ingest_share_of_copy_bare", bare_s / ingest_s, "")
    _tell("ingest_goal_share", observations / ingest_s / 20_000, "")
    _tell("observe_mean", observe_s / batches * 1000, "ms/batch")
    _tell("append_mean", append_s / batches * 1000, "ms/batch")
    _tell("commit_p50", float(np.percentile(waited_s, 50)) * 1000, "ms")
    _tell("commit_p99", float(np.percentile(waited_s, 99)) * 1000, "ms")


async def _ingest(store: Store, batches: list[Batch]) -> tuple[float, float, float, list[float]]:
    """All batches as fast as they go, then a few one by one, to see how long a commit takes."""
    observe_s = append_s = 0.0
    committed = []
    begin_s = monotonic_s()
    for batch in batches:
        at_s = monotonic_s()
        store.pool.observe(batch)
        seen_s = monotonic_s()
        committed.append(await store.journal.append(batch))
        observe_s += seen_s - at_s
        append_s += monotonic_s() - seen_s
        await asyncio.sleep(0)
    await asyncio.gather(*committed)
    ingest_s = monotonic_s() - begin_s
    waited_s = []
    for number in range(100):
        at = BEGIN + timedelta(days=1, seconds=number)
        begin_s = monotonic_s()
        empty = Batch(id=new_id(), source="bench", observed_at=at, received_at=utc_now(), columns=())
        await (await store.journal.append(empty))
        waited_s.append(monotonic_s() - begin_s)
    return observe_s, append_s, ingest_s, waited_s


async def _bare_copy(store: Store, ids: tuple[str, ...], batches: list[Batch]) -> float:
    """The same rows into a table of its own: no index, no partitions, nothing decided."""
    beside = await Pool.open(store.db, TYPES)
    data = HEADER + b"".join(beside.keep(batch, number) for number, batch in enumerate(batches)) + TRAILER
    await store.db.write(BARE)
    begin_s = monotonic_s()
    async with store.db.transaction() as transaction:
        await transaction.copy(BARE_COPY, data)
    return monotonic_s() - begin_s


def _batch(ids: tuple[str, ...], second: int) -> Batch:
    chance = Random(second)
    columns = tuple(
        Column(attribute=name, entity_ids=ids, values=np.array([chance.uniform(0, 50) for _ in ids]))
        for name in ATTRIBUTES
    )
    at = BEGIN + timedelta(seconds=second)
    return Batch(id=new_id(), source="bench", observed_at=at, received_at=utc_now(), columns=columns)


def _tell(name: str, value: float, unit: str) -> None:
    print(f"{name} {round(value) if value >= 1000 else format(value, '.4g')} {unit}".rstrip())


if __name__ == "__main__":
    main()
