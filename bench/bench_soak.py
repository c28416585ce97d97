# SPDX-License-Identifier: Apache-2.0
"""A long time at half of what the city can: does memory grow, does anything fail, does it become slower?

`python bench/bench_soak.py [MINUTES]` starts a city of the pool alone on a folder of its own and drives it over HTTP:
batches of 500 entities, single updates, reads, questions by place and value, with subscriptions that are told of a
part of it. First the peak of each kind is measured for ten seconds, then half of all of them runs together. Printed
are figures of the first and the last tenth of the time; the whole run is one row a minute on standard error.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import psutil

ENTITIES, BATCH, SUBSCRIPTIONS = 20_000, 500, 100
PEAK_S, READY_S = 10.0, 60.0
CONNECTIONS = {"batch": 2, "patch": 16, "get": 4, "query": 2}


class Http:
    """One kept connection of HTTP/1.1, as lean as a load generator must be."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> int:
        """Send a request; answers with the status, the body is read and thrown away."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        assert self._reader is not None
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lower = answer.lower()
        start = lower.find(b"content-length:")
        if start >= 0:
            await self._reader.readexactly(int(lower[start + 15 : lower.find(b"\r\n", start)]))
        return int(answer[9:12])


class Tally(msgspec.Struct):
    """What was done of one kind since it was last looked at."""

    waited_s: list[float] = []
    errors: int = 0
    late: int = 0


def p99(waited: list[float]) -> float:
    """The 99th percentile in milliseconds; 0 of nothing."""
    return sorted(waited)[int(len(waited) * 0.99)] * 1000 if waited else 0.0


def entity(number: int, chance: random.Random) -> dict[str, object]:
    """An air station with two values and a place."""
    return {
        "id": f"urn:ngsi-ld:AirQualityObserved:{number}",
        "type": "AirQualityObserved",
        "pm25": {"type": "Property", "value": chance.randrange(300), "unitCode": "GQ"},
        "no2": {"type": "Property", "value": chance.randrange(200), "unitCode": "GQ"},
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [120 + number % 200 / 500, 30 + number // 200 / 500]},
        },
    }


async def batch(http: Http, chance: random.Random) -> int:
    """Upsert 500 entities."""
    first = chance.randrange(ENTITIES - BATCH)
    body = json.dumps([entity(first + n, chance) for n in range(BATCH)]).encode()
    return await http.ask("POST", "/ngsi-ld/v1/entityOperations/upsert?options=update", body)


async def patch(http: Http, chance: random.Random) -> int:
    """Update one attribute."""
    body = json.dumps({"pm25": {"type": "Property", "value": chance.randrange(300), "unitCode": "GQ"}}).encode()
    id = f"urn:ngsi-ld:AirQualityObserved:{chance.randrange(ENTITIES)}"
    return await http.ask("PATCH", f"/ngsi-ld/v1/entities/{id}/attrs", body)


async def get(http: Http, chance: random.Random) -> int:
    """Read one entity."""
    return await http.ask("GET", f"/ngsi-ld/v1/entities/urn:ngsi-ld:AirQualityObserved:{chance.randrange(ENTITIES)}")


async def query(http: Http, chance: random.Random) -> int:
    """Ask by value and place."""
    place = f"%5B{120 + chance.random() * 0.4:.4f},{30 + chance.random() * 0.2:.4f}%5D"
    q = f"type=AirQualityObserved&q=pm25%3E{chance.randrange(300)}&georel=near;maxDistance==2000"
    return await http.ask("GET", f"/ngsi-ld/v1/entities?{q}&geometry=Point&coordinates={place}&limit=20")


ACTS: dict[str, Callable[[Http, random.Random], Awaitable[int]]] = {
    "batch": batch,
    "patch": patch,
    "get": get,
    "query": query,
}


async def drive(name: str, port: int, tally: Tally, per_s: float | None, until_s: float) -> None:
    """One connection: as fast as it goes, or at a rate; what is late is not caught up."""
    http, chance = Http(port), random.Random(f"{name}{id(tally)}")
    due = time.perf_counter()
    while (began := time.perf_counter()) < until_s:
        if per_s is not None:
            due += 1 / per_s
            if due < began - 1:
                tally.late += 1
                due = began
            await asyncio.sleep(max(0.0, due - began))
            began = time.perf_counter()
        status = await ACTS[name](http, chance)
        tally.waited_s.append(time.perf_counter() - began)
        tally.errors += status >= 400


async def phase(port: int, rates: dict[str, float | None], seconds: float) -> dict[str, Tally]:
    """Run kinds side by side for some seconds."""
    tallies = {name: Tally(waited_s=[]) for name in rates}
    until_s = time.perf_counter() + seconds
    await asyncio.gather(
        *(
            drive(name, port, tallies[name], None if rate is None else rate / CONNECTIONS[name], until_s)
            for name, rate in rates.items()
            for _ in range(CONNECTIONS[name])
        )
    )
    return tallies


async def receiver(counted: list[int]) -> int:
    """A receiver of notifications that only counts; answers with its port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                start = head.find(b"content-length:")
                await reader.readexactly(int(head[start + 15 : head.find(b"\r\n", start)]))
                counted[0] += 1
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def prepare(port: int, told: int) -> None:
    """All entities, and subscriptions to some of them."""
    http, chance = Http(port), random.Random(1)
    for first in range(0, ENTITIES, BATCH):
        body = json.dumps([entity(first + n, chance) for n in range(BATCH)]).encode()
        await http.ask("POST", "/ngsi-ld/v1/entityOperations/upsert", body)
    for number in range(SUBSCRIPTIONS):
        subscription = {
            "type": "Subscription",
            "entities": [{"type": "AirQualityObserved", "id": f"urn:ngsi-ld:AirQualityObserved:{number * 97}"}],
            "notification": {"endpoint": {"uri": f"http://127.0.0.1:{told}/"}},
        }
        await http.ask("POST", "/ngsi-ld/v1/subscriptions", json.dumps(subscription).encode())


async def soak(port: int, process: psutil.Process, minutes: float) -> None:
    """Measure the peaks, run half of them, print the figures."""
    counted = [0]
    await prepare(port, await receiver(counted))
    peaks = {}
    for name in ACTS:
        tally = (await phase(port, {name: None}, PEAK_S))[name]
        peaks[name] = len(tally.waited_s) / PEAK_S
        print(f"soak_peak_{name} {peaks[name]:.0f} requests/s")
    # Each alone takes the whole machine: half of all together is an eighth of each.
    rates: dict[str, float | None] = {name: peak / 2 / len(peaks) for name, peak in peaks.items()}
    rows: list[tuple[float, dict[str, Tally]]] = []
    for minute in range(round(minutes)):
        tallies = await phase(port, rates, 60.0)
        rss_mib = process.memory_info().rss / 2**20
        rows.append((rss_mib, tallies))
        told = " ".join(
            f"{name} {len(t.waited_s)} p99 {p99(t.waited_s):.1f} ms errors {t.errors}" for name, t in tallies.items()
        )
        print(f"minute {minute + 1}: {rss_mib:.0f} MiB, {told}, told {counted[0]}", file=sys.stderr, flush=True)
    report(rows, counted[0])


def report(rows: list[tuple[float, dict[str, Tally]]], told: int) -> None:
    """The figures of the first and the last tenth."""
    tenth = max(1, len(rows) // 10)
    for when, part in (("first", rows[:tenth]), ("last", rows[-tenth:])):
        print(f"soak_memory_{when}_tenth {sum(rss for rss, _ in part) / len(part):.0f} MiB")
        for name in ACTS:
            print(f"soak_p99_{name}_{when}_tenth {p99([w for _, t in part for w in t[name].waited_s]):.1f} ms")
    print(f"soak_memory_growth {rows[-1][0] / rows[tenth - 1][0]:.2f} ratio")
    print(f"soak_requests {sum(len(t.waited_s) for _, each in rows for t in each.values())} requests")
    print(f"soak_errors {sum(t.errors for _, each in rows for t in each.values())} requests")
    print(f"soak_notifications {told} notifications")


def main() -> None:
    """Start a city, soak it, stop it."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="citybrain-soak-") as folder:
        Path(folder).chmod(0o755)
        environ = {
            "PATH": os.defpath,
            "CITYBRAIN_DATA": f"{folder}/data",
            "CITYBRAIN_SCENARIO": "none",
            "CITYBRAIN_PORT": str(port),
            "CITYBRAIN_PUBLIC_MAY": "ngsild.write",
        }
        city = subprocess.Popen([sys.executable, "-m", "citybrain", "up"], env=environ, stderr=subprocess.DEVNULL)
        try:
            until_s = time.monotonic() + READY_S
            while time.monotonic() < until_s:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            asyncio.run(soak(port, psutil.Process(city.pid), minutes))
        finally:
            city.send_signal(signal.SIGTERM)
            city.wait(60)


if __name__ == "__main__":
    main()
