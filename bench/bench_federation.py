# SPDX-License-Identifier: Apache-2.0
"""What a query over many sources costs: a broker that knows 10,000 of them, each query concerning 34.

The sources are small servers that answer at once with five entities each; they run in a process of their own, the
broker in another. Queries come at a steady rate, whether or not earlier ones are answered, so that what waits counts.
`python bench/bench_federation.py [--registrations 10000] [--sources 34] [--rates 5 10 20] [--seconds 20]`
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

API = "/ngsi-ld/v1"
ENTITIES = 5
SERVERS = 4


def main() -> int:
    """Print `name value unit` for each figure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--registrations", type=int, default=10_000)
    arguments.add_argument("--sources", type=int, default=34)
    arguments.add_argument("--rates", type=float, nargs="+", default=[5, 10, 20])
    arguments.add_argument("--seconds", type=float, default=20)
    arguments.add_argument("--port", type=int, default=9197)
    arguments.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve))
        return 0
    ports = [chosen.port + 100 + number for number in range(SERVERS)]
    with sources(ports), city(chosen.port) as process:
        asyncio.run(measure(chosen, process, ports))
    return 0


async def measure(chosen: argparse.Namespace, process: psutil.Process, ports: list[int]) -> None:
    """Register everybody, then ask at each rate."""
    base = f"http://127.0.0.1:{chosen.port}{API}"
    limits = httpx.Limits(max_connections=500)
    async with httpx.AsyncClient(base_url=base, timeout=60, limits=limits, trust_env=False) as client:
        began_s = time.perf_counter()
        for number in range(chosen.registrations):
            answer = await client.post("/csourceRegistrations", json=registration(number, chosen.sources, ports))
            answer.raise_for_status()
        each_ms = (time.perf_counter() - began_s) * 1000 / chosen.registrations
        print(f"registration.each {each_ms:.2f} ms")
        kinds = chosen.registrations // chosen.sources
        for rate in chosen.rates:
            cpu_s = sum(process.cpu_times()[:2])
            took_ms, whole = await ask(client, rate, chosen.seconds, kinds, chosen.sources)
            cpu_s = sum(process.cpu_times()[:2]) - cpu_s
            name = f"query.{chosen.sources}_sources.{rate:g}_per_s"
            print(f"{name}.p50 {at(took_ms, 0.5):.1f} ms")
            print(f"{name}.p99 {at(took_ms, 0.99):.1f} ms")
            print(f"{name}.whole {sum(whole) / len(whole) * 100:.1f} %")
            print(f"{name}.cpu {cpu_s * 1000 / len(took_ms):.1f} ms/query", flush=True)


async def ask(
    client: httpx.AsyncClient, rate: float, seconds: float, kinds: int, sources: int
) -> tuple[list[float], list[bool]]:
    """How long each query took, of those sent at a steady rate, and whether each answer was whole."""
    took_ms: list[float] = []
    whole: list[bool] = []

    async def one(number: int) -> None:
        began_s = time.perf_counter()
        answer = await client.get("/entities", params={"type": f"Kind{number % kinds}", "limit": 1000})
        took_ms.append((time.perf_counter() - began_s) * 1000)
        found = len(answer.json())
        whole.append(found == sources * ENTITIES and "ngsild-warning" not in answer.headers)

    began_s = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began_s + number / rate - time.perf_counter()))
            tasks.create_task(one(number))
    return took_ms, whole


def registration(number: int, sources: int, ports: list[int]) -> dict[str, object]:
    """The registration of one source: the sources of one kind of entity stand together."""
    return {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{number}",
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": f"Kind{number // sources}"}]}],
        "endpoint": f"http://127.0.0.1:{ports[number % len(ports)]}/source{number}",
    }


def at(took_ms: list[float], share: float) -> float:
    """The value below which that share lies."""
    ordered = sorted(took_ms)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@contextmanager
def sources(ports: list[int]) -> Iterator[None]:
    """The servers that stand for all sources."""
    processes = [subprocess.Popen([sys.executable, __file__, "--serve", str(port)]) for port in ports]
    try:
        yield
    finally:
        for process in processes:
            process.kill()


async def serve(port: int) -> None:
    """Answer every GET below `/source<n>/` with the entities of that source."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                number = target.split("/", 2)[1].removeprefix("source")
                kind = target.partition("type=")[2].split("&")[0]
                body = json.dumps([entity(number, each, kind) for each in range(ENTITIES)]).encode()
                head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                writer.write(head + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", port) as server:
        await server.serve_forever()


def entity(source: str, number: int, kind: str) -> dict[str, object]:
    """What a source holds."""
    at = "2026-11-25T12:00:00Z"
    speed = {"type": "Property", "value": number, "observedAt": at, "createdAt": at, "modifiedAt": at}
    return {
        "id": f"urn:ngsi-ld:Thing:{source}:{number}",
        "type": kind,
        "speed": speed,
        "createdAt": at,
        "modifiedAt": at,
    }


@contextmanager
def city(port: int) -> Iterator[psutil.Process]:
    """A city without streets, in which everybody may write; its data is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        settings = {
            "CITYBRAIN_DATA": f"{folder}/data",
            "CITYBRAIN_PORT": str(port),
            "CITYBRAIN_SCENARIO": "none",
            "CITYBRAIN_PUBLIC_MAY": "ngsild.write",
        }
        environment = {**psutil.Process().environ(), **settings}
        command = [str(Path(sys.executable).with_name("citybrain")), "up"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait(port)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def wait(port: int) -> None:
    """Until the city answers."""
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}{API}/types", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the city did not come up")


if __name__ == "__main__":
    sys.exit(main())
