# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import signal
import sys

import pytest

from citybrain.kernel.db import Database
from citybrain.kernel.journal import Journal
from citybrain.kernel.outbox import Outbox
from citybrain.kernel.pool import Pool
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.tests.scene import ENTITIES, ROADS, TYPES, after, batch

INGEST = """
import asyncio, sys
from pathlib import Path
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store
from citybrain.kernel.tests.scene import ENTITIES, TYPES, after, batch, jam

async def main():
    async with open_store(Settings(data=Path(sys.argv[1])), types=TYPES) as store:
        await store.pool.register(ENTITIES)
        for at in range(1_000_000):
            seen = batch(after(at), [at, at], closed=(str(at), str(at)))
            committed = await store.journal.append(seen, events=[jam(seen.id, after(at))])
            committed.add_done_callback(lambda _, id=seen.id: print(id, flush=True))
            if at % 7 == 0:
                await committed

asyncio.run(main())
"""

ACKNOWLEDGED_BEFORE_THE_KILL = 300


@pytest.mark.slow
async def test_a_database_that_dies_is_started_again_and_what_waited_is_written(fresh_settings: Settings) -> None:
    async with open_store(fresh_settings, types=TYPES) as store:
        await store.pool.register(ENTITIES)
        await (await store.journal.append(batch(after(0), [1, 1])))
        os.kill(int((fresh_settings.data / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        async with asyncio.timeout(60):
            await asyncio.gather(
                *[await store.journal.append(batch(after(at), [at, at])) for at in range(30, 3000, 30)]
            )
        kept = await store.pool.history(ROADS[0], "averageVehicleSpeed", since=None, until=None, limit=1000)
        assert len(kept) == 100


@pytest.mark.slow
async def test_nothing_acknowledged_is_lost_by_kill_9(fresh_settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", INGEST, str(fresh_settings.data), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    acknowledged = [(await process.stdout.readline()).decode().strip() for _ in range(ACKNOWLEDGED_BEFORE_THE_KILL)]
    process.send_signal(signal.SIGKILL)
    acknowledged += (await process.stdout.read()).decode().split()
    assert await process.wait() == -signal.SIGKILL
    db = await Database.open(fresh_settings)
    kept = set(await db.read("SELECT id FROM observation_batch", as_=str))
    assert set(acknowledged) <= kept
    rows = await db.rows(
        "SELECT b.id, count(h.*) FROM observation_batch b LEFT JOIN history h"
        " ON h.batch_number = b.number AND h.word IS NOT NULL GROUP BY b.id"
    )
    assert {count for _, count in rows} == {2}, "a batch is there with all its rows or not at all"
    told = await Outbox(db).since(0, topic="event", limit=1_000_000)
    assert {row.payload.split('"id":"')[1].split('"')[0] for row in told} == kept, "and everybody will be told of it"
    pool = await Pool.open(db, TYPES)
    journal = await Journal.open(db, pool)
    assert await journal.append(batch(after(2_000_000))), "the journal goes on"
    await journal.close()
    await db.close()
