# SPDX-License-Identifier: Apache-2.0
"""Public reports as entities and as GeoReport v2: how long the first round takes, a list, and what it costs a move."""

import asyncio
import contextlib
import resource
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

from citybrain.apps.hotline.model import Channel, Intake
from citybrain.apps.hotline.service.hotline import MACHINE, SEED, Hotline, opened
from citybrain.apps.hotline.service.intake import take
from citybrain.apps.hotline.service.publishing import Publisher
from citybrain.doors.open311.app import PREFIX, make
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

REPORTS = 100_000
MOVES = 800
AT_ONCE = 16
ROWS = """INSERT INTO hotline_ticket (case_id, number, category, department, channel, urgency, state, phase, text,
    longitude, latitude, address, created_at, changed_at, public)
SELECT -n, 'B' || n, 'water.supply.outage', 'water', 'web', 'utilities', 'working', 'open', 'x', 116.2 + n %% 350 / 1e3,
    39.8 + n %% 270 / 1e3, '', now() - n * interval '5 minutes', now() - n * interval '5 minutes', true
FROM generate_series(1, %(count)s) n"""


@contextlib.asynccontextmanager
async def waiting() -> AsyncIterator[list[float]]:
    """How long everybody else had to wait at most, in ms, while the block ran."""
    worst = [0.0]

    async def tick() -> None:
        while True:
            begun = monotonic_s()
            await asyncio.sleep(0.001)
            worst[0] = max(worst[0], (monotonic_s() - begun) * 1000 - 1)

    task = asyncio.create_task(tick())
    try:
        yield worst
    finally:
        task.cancel()


async def rounds(hotline: Hotline, count: int) -> Publisher:
    """The first round over all public reports, one without news, and the first after a restart."""
    await hotline.db.write(ROWS, {"count": count})
    publisher = Publisher(hotline)
    for name, each in (("first", publisher), ("no news", publisher), ("after a restart", Publisher(hotline))):
        begun = monotonic_s()
        async with waiting() as worst:
            await each.round(utc_now())
        print(f"round, {name}: {monotonic_s() - begun:.2f} s; others waited {worst[0]:.0f} ms at most")
    return publisher


async def lists(store: Store) -> None:
    """A list of 1,000 of them in both formats, without the network."""
    door = make(store)
    for ending in ("json", "xml"):
        took = []
        for _ in range(21):
            begun = monotonic_s()
            await ask(door, f"/v2/requests.{ending}")
            took.append((monotonic_s() - begun) * 1000)
        print(f"list of 1,000, {ending}: first {took[0]:.0f} ms, then median {sorted(took[1:])[10]:.0f} ms")


async def ask(door: Any, path: str) -> bytes:
    """One request to the door; the body of the answer."""
    whole = f"{PREFIX}{path}"
    scope = {"type": "http", "method": "GET", "path": whole, "root_path": PREFIX, "query_string": b"", "headers": []}
    bodies: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: dict[str, Any]) -> None:
        bodies.append(message.get("body", b""))

    await door(scope, receive, send)
    return b"".join(bodies)


async def moves(hotline: Hotline, publisher: Publisher | None) -> None:
    """Moves by sixteen at once, with rounds every three seconds beside them or without."""
    intake = Intake(text="停水", channel=Channel.WEB, category="water.supply.outage", public=True)
    ids = [(await take(hotline, MACHINE, intake, now=utc_now())).case_id for _ in range(MOVES)]

    async def publish() -> None:
        while publisher is not None:
            await publisher.round(utc_now())
            await asyncio.sleep(3)

    task = asyncio.create_task(publish())
    begun, used = monotonic_s(), processor_s()
    took = [
        ms for some in await asyncio.gather(*(moved(hotline, ids[at::AT_ONCE]) for at in range(AT_ONCE))) for ms in some
    ]
    all_s, used_ms = monotonic_s() - begun, (processor_s() - used) * 1000 / len(ids)
    task.cancel()
    cuts = quantiles(took, n=100)
    named = "with rounds" if publisher else "without rounds"
    print(f"moves {named}: {len(took) / all_s:.0f} /s, median {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, ", end="")
    print(f"{used_ms:.2f} ms of this process for each")


def processor_s() -> float:
    """Processor time of this process, which says more than the clock when others work beside it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def moved(hotline: Hotline, ids: Sequence[int]) -> list[float]:
    """Move some cases, one after another; how long each took, in ms."""
    took = []
    for id in ids:
        begun = monotonic_s()
        await hotline.cases.move(MACHINE, id, "accept")
        took.append((monotonic_s() - begun) * 1000)
    return took


async def main(count: int, folder: Path) -> None:
    """Measure all."""
    settings = Settings(data=folder / "city")
    async with (
        open_store(settings, migrations={"hotline": SEED.parent / "migrations"}) as store,
        opened(store) as hotline,
    ):
        publisher = await rounds(hotline, count)
        await lists(store)
        for each in (None, publisher, None, publisher, None, publisher):
            await moves(hotline, each)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir="/dev/shm") as made:
        Path(made).chmod(0o755)
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else REPORTS, Path(made)))
