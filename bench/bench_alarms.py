# SPDX-License-Identifier: Apache-2.0
"""Many alarms: lists with counts as officers ask for them, acts of one and of many, and a storm of 10,000 in a minute.

Lists are read by `--users` officers of one process, one page after another without a pause; a time is what an officer
waits, until the page is JSON. Nine of ten events are over, one of a hundred is a sign of another.
With `--rows` each list that does not name a time is read once more so that its rows are counted each time.
`python bench/bench_alarms.py [--alarms 20000 200000] [--data DIR] [--seconds 10] [--users 4] [--rows] [--explain]`
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.handling import Act, Asked, Sort, State, Which, Wish
from citybrain.kernel.handling.finding import counts_of, page_of
from citybrain.kernel.merging import Merge, Merging, Near
from citybrain.kernel.records import Because, Entity, Event, Severity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

KINDS = ("traffic.congestion", "traffic.spillback", "traffic.blocked_lane", "operations.flood", "operations.crowd")
ROADS = 5_000
PAGE = 100
STORM = 10_000
EVER = timedelta(days=36_500)
LIN = Actor(name="lin", account="lin", kind=Kind.STAFF)

FILL = """
INSERT INTO event (id, kind, severity, at, ended_at, entity_id, because, geometry, evidence)
SELECT 'alarm-' || lpad(n::text, 8, '0'), (%(kinds)s::text[])[1 + n %% 5],
    (ARRAY['I', 'II', 'II', 'III', 'III', 'III', 'IV', 'IV', 'IV', 'IV'])[1 + (n * 7) %% 10],
    %(now)s::timestamptz - n * %(gap)s::interval,
    CASE WHEN n %% 10 > 0 THEN %(now)s::timestamptz - n * %(gap)s::interval + interval '5 minutes' END,
    'urn:ngsi-ld:RoadSegment:' || (n * 31) %% %(roads)s,
    jsonb_build_object('code', 'traffic.slow', 'facts', jsonb_build_object('speed_kmh', n %% 50),
        'batch_id', 'batch-' || n, 'event_id', NULL, 'entity_ids', jsonb_build_array()),
    jsonb_build_object('type', 'LineString', 'coordinates', (SELECT jsonb_agg(jsonb_build_array(
        120.1 + (n %% 1000) * 0.0001 + i * 0.00013, 30.2 + i * 0.00017)) FROM generate_series(1, 12) i)),
    jsonb_build_object('level', n %% 4, 'length_m', n %% 900, 'speed_kmh', n %% 50, 'roads', (SELECT
        jsonb_agg('urn:ngsi-ld:RoadSegment:' || (n + i) %% %(roads)s) FROM generate_series(1, 5) i))
        || CASE WHEN n %% 100 = 7 THEN jsonb_build_object('merged_into', 'alarm-' || lpad((n - 1)::text, 8, '0'))
            ELSE '{}' END
FROM generate_series(%(from)s::int, %(to)s::int) n
"""
FILL_HANDLING = """
INSERT INTO event_handling (event_id, kind, severity, at, ended_at, entity_id, merged_into, words, state, version,
    acknowledged_by, acknowledged_at, taken_by, taken_at, comments, note)
SELECT id, kind, severity, at, ended_at, entity_id, evidence ->> 'merged_into',
    lower(kind || ' ' || entity_id || ' ' || id || ' 文三路 wensan road ' || substr(id, 10)),
    (ARRAY['new', 'acknowledged', 'taken'])[1 + n %% 3], n %% 3,
    CASE WHEN n %% 3 > 0 THEN 'wu' END, CASE WHEN n %% 3 > 0 THEN at END,
    CASE WHEN n %% 3 = 2 THEN (ARRAY['lin', 'wu', 'zhao'])[1 + (n / 3) %% 3] END, CASE WHEN n %% 3 = 2 THEN at END,
    0, ''
FROM (SELECT *, substr(id, 7)::int AS n FROM event WHERE id LIKE 'alarm-%%') e
WHERE n BETWEEN %(from)s AND %(to)s
"""

Question = Callable[[Random, datetime], Asked]
LISTS: dict[str, Question] = {
    "open": lambda r, now: Asked(),
    "all": lambda r, now: Asked(which=Which.ALL),
    "all.newest": lambda r, now: Asked(which=Which.ALL, sort=Sort.NEWEST),
    "all.kind": lambda r, now: Asked(which=Which.ALL, kinds=(r.choice(KINDS),), severities=(Severity.II,)),
    "all.handling": lambda r, now: Asked(which=Which.ALL, states=(State.NEW, State.ACKNOWLEDGED), sort=Sort.NEWEST),
    "mine": lambda r, now: Asked(which=Which.ALL, taken_by="lin"),
    "last_8_hours": lambda r, now: Asked(which=Which.ALL, since=now - timedelta(hours=8), sort=Sort.NEWEST),
    "entity": lambda r, now: Asked(which=Which.ALL, entity_id=f"urn:ngsi-ld:RoadSegment:{r.randrange(ROADS)}"),
    "words": lambda r, now: Asked(which=Which.ALL, words=f"文三路 wensan road {r.randrange(1000)}"),
}


def by_rows(ask: Question) -> Question:
    """The same question with a time before all alarms: what is kept of their number does not know times."""
    return lambda random, now: msgspec.structs.replace(ask(random, now), since=now - EVER)


def told(name: str, waited_s: Sequence[float]) -> None:
    """One line of figures."""
    p50, p95, p99 = np.percentile(waited_s, (50, 95, 99)) * 1000
    print(f"{name} n {len(waited_s)} p50 {p50:.1f} ms p95 {p95:.1f} ms p99 {p99:.1f} ms", flush=True)


async def fill(store: Store, have: int, want: int, now: datetime) -> None:
    """As many alarms as are wanted, one in 40 s of the time before now, with counts put together."""
    db = store.db
    params = {"kinds": list(KINDS), "now": now, "gap": timedelta(seconds=40), "roads": ROADS}
    await db.write(FILL, {**params, "from": have + 1, "to": want})
    await db.write(FILL_HANDLING, {"from": have + 1, "to": want})
    await db.write("VACUUM ANALYZE event")
    await db.write("VACUUM ANALYZE event_handling")
    await store.alarms.fold()
    await db.write("VACUUM ANALYZE event_tally")


async def bench_list(store: Store, name: str, ask: Question, users: int, seconds: float) -> None:
    """Officers read pages: the first, and from each the one after."""
    waited: list[float] = []
    until_s = time.perf_counter() + seconds

    async def officer(number: int) -> None:
        random, after = Random(number), None
        while time.perf_counter() < until_s:
            now = utc_now()
            asked = msgspec.structs.replace(ask(random, now), limit=PAGE, after=after)
            start_s = time.perf_counter()
            page = await store.alarms.find(asked, now=now)
            msgspec.json.encode(page)
            waited.append(time.perf_counter() - start_s)
            after = page.next if after is None else None

    await asyncio.gather(*(officer(number) for number in range(users)))
    told(name, waited)


async def bench_acts(store: Store, seconds: float) -> None:
    """One officer acts on one alarm after the other, then on 500 at once."""
    page = await store.alarms.find(Asked(states=(State.NEW,), limit=500), now=utc_now())
    ids = [alarm.id for alarm in page.rows]
    waited: list[float] = []
    until_s = time.perf_counter() + seconds
    for number in range(1_000_000):
        if time.perf_counter() > until_s:
            break
        wish = Wish(act=Act.COMMENT, note=f"note {number}")
        start_s = time.perf_counter()
        await store.alarms.act(LIN, ids[number % len(ids)], wish, now=utc_now())
        waited.append(time.perf_counter() - start_s)
    told("act.one", waited)
    start_s = time.perf_counter()
    done = await store.alarms.act_together(LIN, ids, Wish(act=Act.ACKNOWLEDGE), now=utc_now())
    print(f"act.together {len(done.done)} in {(time.perf_counter() - start_s) * 1000:.0f} ms", flush=True)


def _event(number: int, at: datetime) -> Event:
    """The storm hits everywhere, with many things on one street."""
    point = [120.1 + number % 97 * 0.001, 30.2 + number % 89 * 0.001]
    return Event(
        id=f"storm-{number:06}-{at:%H%M%S}",
        kind=KINDS[number % 5],
        severity=Severity.III,
        at=at,
        entity_id=f"urn:ngsi-ld:RoadSegment:{number}",
        because=Because(code="traffic.slow", facts={"speed_kmh": 4.5}),
        geometry={"type": "Point", "coordinates": point},
        evidence={"level": 3, "length_m": 420, "speed_kmh": 4.5},
    )


async def bench_storm(store: Store) -> None:
    """10,000 events in a minute of city time, as fast as it goes: merged, committed, told; lists are read meanwhile."""
    rules = [Merge(cause=KINDS[2], signs=KINDS[:2], within=timedelta(minutes=5), near=Near.RADIUS, radius_m=200.0)]
    entities: Sequence[Entity] = ()
    merging = Merging(entities, rules)
    begun, steps, lists = utc_now(), [], []
    done = asyncio.Event()

    async def officer() -> None:
        while not done.is_set():
            start_s = time.perf_counter()
            msgspec.json.encode(await store.alarms.find(Asked(limit=PAGE), now=utc_now()))
            lists.append(time.perf_counter() - start_s)
            await asyncio.sleep(0.2)

    reading = asyncio.create_task(officer())
    start_s = time.perf_counter()
    last = await store.outbox.last_id()
    for second in range(60):
        at = begun + timedelta(seconds=second)
        found = [_event(number, at) for number in range(second * STORM // 60, (second + 1) * STORM // 60)]
        step_s = time.perf_counter()
        events = merging(found, at)
        steps.append(time.perf_counter() - step_s)
        await store.journal.tell(events)
    took_s = time.perf_counter() - start_s
    done.set()
    await reading
    told("storm.merging_step", steps)
    told("storm.list_meanwhile", lists)
    rows = await store.outbox.since(last, topics=("event",), limit=1_000_000)
    print(f"storm.events {STORM} committed in {took_s:.1f} s, {STORM / took_s:.0f} per s, told {len(rows)}", flush=True)
    page = await store.alarms.find(Asked(which=Which.OPEN, since=begun, limit=500), now=utc_now())
    groups = {alarm.group for alarm in page.rows}
    print(f"storm.open {page.total}, groups on the first page {len(groups)}", flush=True)


async def explain(db: Database) -> None:
    """How PostgreSQL answers each question."""
    for name, ask in LISTS.items():
        for text, params in (
            page_of(ask(Random(5), utc_now()), utc_now()),
            counts_of(ask(Random(5), utc_now()), utc_now()),
        ):
            print(f"--- {name}")
            for (line,) in await db.rows(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {text}", params):
                print(line)


async def main() -> None:
    """Fill up to each number, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--data", type=Path, default=Path("/dev/shm/bench-alarms"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--explain", action="store_true")
    given = parser.parse_args()
    async with open_store(Settings(data=given.data)) as store:
        for alarms in given.alarms:
            have = (await store.db.read("SELECT count(*) FROM event WHERE id LIKE 'alarm-%'", as_=int))[0]
            if have < alarms:
                await fill(store, have, alarms, utc_now())
            print(f"# {alarms} alarms", flush=True)
            if given.explain:
                await explain(store.db)
                continue
            for name, ask in LISTS.items():
                await bench_list(store, f"list.{name}.{alarms}", ask, given.users, given.seconds)
                if given.rows and ask(Random(0), utc_now()).since is None:
                    await bench_list(store, f"rows.{name}.{alarms}", by_rows(ask), given.users, given.seconds)
        if not given.explain:
            await bench_acts(store, given.seconds)
            await bench_storm(store)


if __name__ == "__main__":
    asyncio.run(main())
