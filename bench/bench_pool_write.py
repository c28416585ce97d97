# SPDX-License-Identifier: Apache-2.0
"""How fast do entities change, durably and with history? In batches, in bulk observations, and one by one.

Beside each figure, in the same run, what PostgreSQL alone does with the same rows: the bare table without history, a
bare COPY, one transaction per row.
`python bench/bench_pool_write.py [--entities 5000] [--seconds 5]`
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import numpy as np

from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.entities import service
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of, to_us
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

BATCH, WRITERS = 500, 16
GOAL_BATCH, GOAL_BULK, GOAL_SINGLE = 20_000, 100_000, 3_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BARE = "CREATE TABLE bare (id text PRIMARY KEY, body bytea NOT NULL)"
BARE_UPSERT = """INSERT INTO bare SELECT * FROM unnest(%(ids)b::text[], %(bodies)b::bytea[])
ON CONFLICT (id) DO UPDATE SET body = excluded.body"""
BARE_HISTORY = "CREATE TABLE bare_history (entity integer, attribute integer, at timestamptz, number float8)"
BARE_COPY = "COPY bare_history FROM STDIN (FORMAT binary)"


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entities", type=int, default=5000)
    arguments.add_argument("--seconds", type=float, default=5.0)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(_measure(Settings(data=Path(folder) / "data"), chosen.entities, chosen.seconds))


async def _measure(settings: Settings, entities: int, seconds: float) -> None:
    ids = [f"urn:ngsi-ld:Sensor:bench-{number:07}" for number in range(entities)]
    async with open_store(settings) as store:
        await store.db.write(BARE)
        await store.db.write(BARE_HISTORY)
        for begin in range(0, entities, BATCH):
            outcome = await service.create_many(_desk(store), [_whole(id) for id in ids[begin : begin + BATCH]])
            if outcome.refused:
                raise SystemExit(outcome.refused[0])
        await _batches(store, ids, seconds)
        await _bulk(store, ids, seconds)
        await _singles(store, ids, seconds)


async def _batches(store: Store, ids: Sequence[str], seconds: float) -> None:
    """Upserts of 500 entities with two attributes each, two batches on the way."""
    begin_s = monotonic_s()
    updates = 0

    async def write(chance: Random) -> None:
        nonlocal updates
        while monotonic_s() - begin_s < seconds:
            at = chance.randrange(0, len(ids), BATCH)
            await service.upsert_many(_desk(store), [_fresh(id, chance) for id in ids[at : at + BATCH]])
            updates += 2 * len(ids[at : at + BATCH])

    await asyncio.gather(*(write(Random(number)) for number in range(2)))
    rate = updates / (monotonic_s() - begin_s)
    bare = await _bare_upserts(store, ids, seconds / 2)
    _tell("batch_upsert", rate, "attribute updates/s")
    _tell("batch_upsert_bare_rows", bare, "rows/s")
    _tell("batch_upsert_share_of_bare", rate / 2 / bare, "")
    _tell("batch_upsert_goal_share", rate / GOAL_BATCH, "")


async def _bare_upserts(store: Store, ids: Sequence[str], seconds: float) -> float:
    body = msgspec.json.encode(_whole(ids[0]))
    begin_s, rows = monotonic_s(), 0
    while monotonic_s() - begin_s < seconds:
        at = rows % len(ids) // BATCH * BATCH
        part = list(ids[at : at + BATCH])
        await store.db.write(BARE_UPSERT, {"ids": part, "bodies": [body] * len(part)})
        rows += len(part)
    return rows / (monotonic_s() - begin_s)


async def _bulk(store: Store, ids: Sequence[str], seconds: float) -> None:
    """Numbers of four attributes: ten in a row of each sensor, then one of each."""
    for name, times in (("bulk_ten_each", 10), ("bulk_one_each", 1)):
        chance = np.random.default_rng(1)
        begin_s, observed, second = monotonic_s(), 0, 0
        while monotonic_s() - begin_s < seconds:
            chosen = [id for id in ids[: max(1, 20_000 // 4 // times)] for _ in range(4 * times)]
            names = ["temperature", "humidity", "pm10", "pm25"] * (len(chosen) // 4)
            at = BEGIN + timedelta(seconds=second)
            observations = Observations(
                entity_ids=chosen,
                attributes=names,
                observed_us=to_us(at) + np.arange(len(chosen), dtype=np.int64),
                numbers=chance.uniform(0, 50, len(chosen)),
                units=["CEL"] * len(chosen),
            )
            await observe_many(store.documents, "", observations, type="Sensor", at=utc_now())
            observed += len(chosen)
            second += 1
        rate = observed / (monotonic_s() - begin_s)
        _tell(name, rate, "observations/s")
        _tell(f"{name}_goal_share", rate / GOAL_BULK, "")
        _tell(f"{name}_share_of_bare_copy", rate / await _bare_copy(store.db), "")


async def _bare_copy(db: Database) -> float:
    rows = np.zeros(
        200_000,
        [(f"f{n}", kind) for n, kind in enumerate((">i2", ">i4", ">i4", ">i4", ">i4", ">i4", ">i8", ">i4", ">f8"))],
    )
    rows["f0"], rows["f1"], rows["f3"], rows["f5"], rows["f7"] = 4, 4, 4, 8, 8
    data = b"PGCOPY\n\xff\r\n\x00" + bytes(8) + rows.tobytes() + b"\xff\xff"
    begin_s = monotonic_s()
    async with db.transaction() as transaction:
        await transaction.copy(BARE_COPY, data)
    return len(rows) / (monotonic_s() - begin_s)


async def _singles(store: Store, ids: Sequence[str], seconds: float) -> None:
    """Sixteen writers, each with one attribute of one entity at a time."""
    begin_s, updates = monotonic_s(), 0
    waited_s: list[float] = []

    async def write(chance: Random) -> None:
        nonlocal updates
        while monotonic_s() - begin_s < seconds:
            at_s = monotonic_s()
            await service.upsert(_desk(store), _one(chance.choice(ids), chance))
            waited_s.append(monotonic_s() - at_s)
            updates += 1

    await asyncio.gather(*(write(Random(number)) for number in range(WRITERS)))
    rate = updates / (monotonic_s() - begin_s)
    bare = await _bare_singles(store, ids, seconds / 2)
    _tell("single_updates_16_writers", rate, "updates/s")
    _tell("single_updates_p50", float(np.percentile(waited_s, 50)) * 1000, "ms")
    _tell("single_updates_p99", float(np.percentile(waited_s, 99)) * 1000, "ms")
    _tell("single_updates_bare_one_by_one", bare, "updates/s")
    _tell("single_updates_times_bare", rate / bare, "")
    _tell("single_updates_goal_share", rate / GOAL_SINGLE, "")


async def _bare_singles(store: Store, ids: Sequence[str], seconds: float) -> float:
    body = msgspec.json.encode(_whole(ids[0]))
    begin_s, updates = monotonic_s(), 0
    while monotonic_s() - begin_s < seconds:
        await store.db.write(BARE_UPSERT, {"ids": [ids[updates % len(ids)]], "bodies": [body]})
        updates += 1
    return updates / (monotonic_s() - begin_s)


def _desk(store: Store) -> Desk:
    return Desk(documents=store.documents, tenant="", at=utc_now())


def _whole(id: str) -> Document:
    """An entity of about 550 bytes."""
    at = text_of(BEGIN)
    return Document(
        id=id,
        types=("Sensor",),
        created_at=at,
        modified_at=at,
        attributes={
            "temperature": (_instance(21.5, at),),
            "humidity": (_instance(40.25, at),),
            "serial": (_instance("A-17", at),),
            "location": (
                Instance(type=AttributeType.GEO_PROPERTY, value={"type": "Point", "coordinates": [116.3975, 39.9087]}),
            ),
        },
    )


def _fresh(id: str, chance: Random) -> Document:
    at = text_of(utc_now())
    values = {"temperature": chance.uniform(-20, 40), "humidity": chance.uniform(0, 100)}
    return Document(
        id=id, types=("Sensor",), attributes={name: (_instance(value, at),) for name, value in values.items()}
    )


def _one(id: str, chance: Random) -> Document:
    return Document(
        id=id,
        types=("Sensor",),
        attributes={"temperature": (_instance(chance.uniform(-20, 40), text_of(utc_now())),)},
    )


def _instance(value: str | float, at: str) -> Instance:
    return Instance(
        type=AttributeType.PROPERTY, value=value, unit_code="CEL", observed_at=at, created_at=at, modified_at=at
    )


def _tell(name: str, value: float, unit: str) -> None:
    print(f"{name} {round(value) if value >= 1000 else format(value, '.4g')} {unit}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
