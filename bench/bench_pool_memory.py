# SPDX-License-Identifier: Apache-2.0
"""What do a million entities cost: memory of the process, and seconds until they are served again after a restart?

Beside it, in the same run, the bytes of the documents themselves, and how long PostgreSQL alone takes to read them.
`python bench/bench_pool_memory.py [--entities 1000000]`
"""

import argparse
import asyncio
import gc
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import psutil

from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.migrate import migrate
from citybrain.kernel.settings import Settings

GOAL_MB, GOAL_S = 2000, 10
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TOGETHER = 20_000
KINDS = ("Streetlight", "ParkingSpot", "WasteContainer", "AirQualityObserved", "WaterMeter")
INSERT = """INSERT INTO document (number, tenant, id, types, body, live, created_at, modified_at)
SELECT number, '', id, ARRAY[type], body, true, %(at)s, %(at)s
FROM unnest(%(numbers)b::integer[], %(ids)b::text[], %(types)b::text[], %(bodies)b::bytea[]) 
    AS new (number, id, type, body)"""
READ = "SELECT sum(octet_length(body)) FROM document"


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entities", type=int, default=1_000_000)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(_measure(Settings(data=Path(folder) / "data"), chosen.entities))


async def _measure(settings: Settings, entities: int) -> None:
    db = await Database.open(settings)
    await migrate(db, {})
    await _fill(db, entities)
    begin_s = monotonic_s()
    (size,) = await db.read(READ, as_=int)
    read_s = monotonic_s() - begin_s
    gc.collect()
    before = psutil.Process().memory_info().rss
    begin_s = monotonic_s()
    documents = await Documents.open(db)
    load_s = monotonic_s() - begin_s
    resident = psutil.Process().memory_info().rss
    if documents.count("") != entities or documents.count("", KINDS[0]) != -(-entities // len(KINDS)):
        raise SystemExit("not all entities are there")
    begin_s = monotonic_s()
    for number in range(0, entities, max(1, entities // 100_000)):
        if documents.get("", _id(number)) is None:
            raise SystemExit(f"{_id(number)} is not there")
    got = len(range(0, entities, max(1, entities // 100_000)))
    get_s = monotonic_s() - begin_s
    await db.close()
    _tell("resident", resident / 2**20, "MB")
    _tell("resident_goal_share", resident / 2**20 / GOAL_MB, "")
    _tell("documents_bytes_mean", size / entities, "bytes")
    _tell("resident_times_documents", (resident - before) / size, "")
    _tell("restart", load_s, "s")
    _tell("restart_goal_share", load_s / GOAL_S, "")
    _tell("restart_times_bare_read", load_s / read_s, "")
    _tell("get_decoded", got / get_s, "documents/s")


async def _fill(db: Database, entities: int) -> None:
    chance = Random(1)
    for begin in range(0, entities, TOGETHER):
        numbers = range(begin, min(begin + TOGETHER, entities))
        params = {
            "numbers": [number + 1 for number in numbers],
            "ids": [_id(number) for number in numbers],
            "types": [KINDS[number % len(KINDS)] for number in numbers],
            "bodies": [_body(number, chance) for number in numbers],
            "at": BEGIN,
        }
        await db.write(INSERT, params)
    await db.write("VACUUM ANALYZE document")


def _id(number: int) -> str:
    return f"urn:ngsi-ld:{KINDS[number % len(KINDS)]}:city-{number:08}"


def _body(number: int, chance: Random) -> bytes:
    """About 550 bytes, as msgspec writes them."""
    at = text_of(BEGIN)
    place = {"type": "Point", "coordinates": [round(116 + chance.random(), 6), round(39 + chance.random(), 6)]}
    return msgspec.json.encode(
        Document(
            id=_id(number),
            types=(KINDS[number % len(KINDS)],),
            created_at=at,
            modified_at=at,
            attributes={
                "location": (Instance(type=AttributeType.GEO_PROPERTY, value=place),),
                "level": (_instance(round(chance.uniform(0, 100), 2), at, "P1"),),
                "status": (_instance(chance.choice(("on", "off", "broken")), at, ""),),
            },
        )
    )


def _instance(value: str | float, at: str, unit: str) -> Instance:
    return Instance(
        type=AttributeType.PROPERTY, value=value, unit_code=unit, observed_at=at, created_at=at, modified_at=at
    )


def _tell(name: str, value: float, unit: str) -> None:
    print(f"{name} {round(value) if value >= 1000 else format(value, '.4g')} {unit}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
