# SPDX-License-Identifier: Apache-2.0
"""Is every notification told, at least once and in order, with 10,000 subscriptions and 1,000 updates a second?

First what matching costs, in this process. Then a city of its own with 10,000 entities and a subscription to each: a
writer updates entities over HTTP in batches and counts what was acknowledged; a receiver, a process of its own, writes
down what it is told before it answers. In the middle the receiver is killed (kill -9) and started again, then the
city. At the end every acknowledged update must stand in the receiver's book, those of one entity in order.
`python bench/bench_subscriptions.py [--subscriptions 10000] [--rate 1000] [--seconds 30]`
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec

from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import AttributeType, Document, EntityChange, Instance
from citybrain.kernel.http import Call, Http, NoAnswer
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.subscriptions.compiled import Compiled, compiled
from citybrain.kernel.subscriptions.matching import Matcher
from citybrain.kernel.subscriptions.reading import read_subscription
from citybrain.kernel.subscriptions.subscription import Kind

TOGETHER = 50  # updates in one request
AT_ONCE = 16
CHANGES = 2_000
DRAIN_WITHIN_S = 120.0
JSON = {"Content-Type": "application/json"}

RECEIVE = """
import asyncio, os, sys, time, msgspec
book = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
decode = msgspec.json.decode

async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            length = int(head.lower().split(b"content-length: ", 1)[1].split(b"\\r\\n", 1)[0])
            for entity in decode(await reader.readexactly(length))["data"]:
                os.write(book, b"%s %d %f\\n" % (entity["id"].encode(), entity["level"]["value"], time.time()))
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    await server.serve_forever()

asyncio.run(main())
"""


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--subscriptions", type=int, default=10_000)
    arguments.add_argument("--rate", type=int, default=1_000)
    arguments.add_argument("--seconds", type=float, default=30.0)
    chosen = arguments.parse_args()
    _match(chosen.subscriptions)
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder:
        Path(folder).chmod(0o755)
        bench = _Bench(Path(folder), chosen.subscriptions, chosen.rate)
        asyncio.run(bench.run(chosen.seconds))


# -- matching


def _match(count: int) -> None:
    """What one change costs when each subscription is about its own entity, its own attribute, or has its own query."""
    shapes: dict[str, list[dict[str, object]]] = {
        "by_id": [{"entities": [{"type": "Meter", "id": _id(number)}]} for number in range(count)],
        "by_attribute": [
            {"entities": [{"type": "Meter"}], "watchedAttributes": [f"level{number}"]} for number in range(count)
        ],
        "by_value": [{"entities": [{"type": "Meter"}], "q": f"level=={number}"} for number in range(count)],
        # Nothing to look up: each of them has to be asked.
        "by_comparison": [{"entities": [{"type": "Meter"}], "q": f"level>{count + number}"} for number in range(count)],
    }
    for name, several in shapes.items():
        matcher = Matcher()
        for number, members in enumerate(several):
            matcher.put(_compiled(number, members))
        changes = [_change(number % count, name) for number in range(20 if name == "by_comparison" else CHANGES)]
        begun_s = monotonic_s()
        found = sum(len(matcher.match(change, lambda _: None)) for change in changes)
        taken_s = monotonic_s() - begun_s
        if found != (0 if name == "by_comparison" else len(changes)):
            raise AssertionError(name, found)
        print(f"match.{name} {taken_s / len(changes) * 1e6:.1f} microseconds/change")


def _compiled(number: int, members: dict[str, object]) -> Compiled:
    payload = {"type": "Subscription", "notification": {"endpoint": {"uri": "http://there/n"}}, **members}
    read = read_subscription(payload, CORE, tenant="", kind=Kind.ENTITIES, id=f"urn:s:{number}")
    return compiled(msgspec.structs.replace(read, number=number), CORE, CORE)


def _change(number: int, shape: str) -> EntityChange:
    name = f"level{number}" if shape == "by_attribute" else "level"
    before, after = (
        Document(
            id=_id(number),
            types=("Meter",),
            attributes={name: (Instance(type=AttributeType.PROPERTY, value=value),)},
        )
        for value in (-1, number)
    )
    return verbs.replace(before, after, tenant="", at=utc_now())


def _id(number: int) -> str:
    return f"urn:ngsi-ld:Meter:{number}"


# -- telling


class _Bench:
    """A city, a receiver and a writer."""

    def __init__(self, folder: Path, count: int, rate: int) -> None:
        self._folder, self._count, self._rate = folder, count, rate
        self._book = folder / "book"
        self._city_port, self._receiver_port = _free_port(), _free_port()
        self._api = f"http://127.0.0.1:{self._city_port}/ngsi-ld/v1"
        self._http = Http()
        self._acknowledged: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._refused = 0

    async def run(self, seconds: float) -> None:
        """One run with both kills, and its account."""
        receiver, city = await self._start_receiver(), await self._start_city()
        try:
            await self._prepare()
            writing = asyncio.create_task(self._write(seconds))
            await asyncio.sleep(seconds * 0.4)
            quiet_until = utc_now().timestamp()
            await _kill(receiver)
            await asyncio.sleep(2)
            receiver = await self._start_receiver()
            await asyncio.sleep(seconds * 0.3 - 2)
            await _kill(city)
            begun_s = monotonic_s()
            city = await self._start_city()
            print(f"notify.city_is_back {monotonic_s() - begun_s:.1f} s")
            await writing
            drained_s = await self._drain()
        finally:
            for process in (receiver, city):
                await _end(process)
            await self._http.close()
        self._account(drained_s, quiet_until)

    async def _prepare(self) -> None:
        for first in range(0, self._count, 500):
            entities = [_entity(number, 0) for number in range(first, min(first + 500, self._count))]
            await self._post("/entityOperations/create", entities, 201)
        begun_s = monotonic_s()
        url = f"http://127.0.0.1:{self._receiver_port}/n"
        gate = asyncio.Semaphore(AT_ONCE)

        async def subscribe(number: int) -> None:
            async with gate:
                payload = {
                    "id": f"urn:ngsi-ld:Subscription:{number}",
                    "type": "Subscription",
                    "entities": [{"type": "Meter", "id": _id(number)}],
                    "notification": {"endpoint": {"uri": url}},
                }
                await self._post("/subscriptions", payload, 201)

        await asyncio.gather(*(subscribe(number) for number in range(self._count)))
        print(f"notify.subscriptions_made {self._count / (monotonic_s() - begun_s):.0f} subscriptions/s")

    async def _write(self, seconds: float) -> None:
        """Update entities in turn at the rate; a batch that is not answered is written again until it is."""
        begun_s = monotonic_s()
        number = 0
        gate = asyncio.Semaphore(AT_ONCE)
        while (now_s := monotonic_s() - begun_s) < seconds:
            due = int(now_s * self._rate)
            while number + TOGETHER <= due:
                await gate.acquire()
                batch = [((number + each) % self._count, number + each + 1) for each in range(TOGETHER)]
                task = asyncio.create_task(self._write_batch(batch))
                # Batches that share entities must not overtake each other; they are far apart in turn.
                task.add_done_callback(lambda _: gate.release())
                number += TOGETHER
            await asyncio.sleep(TOGETHER / self._rate / 4)
        for _ in range(AT_ONCE):
            await gate.acquire()
        print(f"notify.written {number / (monotonic_s() - begun_s):.0f} updates/s")

    async def _write_batch(self, batch: Sequence[tuple[int, int]]) -> None:
        await self._post("/entityOperations/update", [_entity(number, level) for number, level in batch], 204)
        at = utc_now().timestamp()
        for number, level in batch:
            self._acknowledged[_id(number)].append((level, at))

    async def _post(self, path: str, payload: object, expected: int) -> None:
        body = msgspec.json.encode(payload)
        while True:
            try:
                async with asyncio.timeout(30):
                    call = Call(method="POST", url=self._api + path, headers=JSON, content=body)
                    status = (await self._http.send(call)).status
            except (NoAnswer, TimeoutError):
                status = 0
            if status == expected:
                return
            if status and status < 500:
                raise AssertionError(path, status)
            self._refused += 1
            await asyncio.sleep(0.2)

    async def _drain(self) -> float:
        """Wait until as much was told as was acknowledged, or nothing comes any more."""
        wanted = sum(len(several) for several in self._acknowledged.values())
        begun_s = monotonic_s()
        while monotonic_s() - begun_s < DRAIN_WITHIN_S:
            told = {tuple(line.split()[:2]) for line in self._book.read_text().splitlines()}
            if len(told) >= wanted:
                break
            await asyncio.sleep(0.5)
        return monotonic_s() - begun_s

    def _account(self, drained_s: float, quiet_until: float) -> None:
        """What was told, lost, repeated, out of order; the delay is that of the time before anything was killed."""
        told: dict[str, list[int]] = defaultdict(list)
        first: dict[tuple[str, int], float] = {}
        for line in self._book.read_text().splitlines():
            entity, level, at = line.split()
            told[entity].append(int(level))
            first.setdefault((entity, int(level)), float(at))
        acknowledged = {(entity, level): at for entity, several in self._acknowledged.items() for level, at in several}
        lost = [key for key in acknowledged if key not in first]
        disorder = sum(before > after for levels in told.values() for before, after in pairwise(dict.fromkeys(levels)))
        delays = sorted(
            max(0.0, first[key] - at) for key, at in acknowledged.items() if key in first and at < quiet_until
        )
        print(f"notify.acknowledged {len(acknowledged)} updates")
        print(f"notify.lost {len(lost)} notifications")
        print(f"notify.out_of_order {disorder} notifications")
        print(f"notify.repeated {sum(map(len, told.values())) - len(first)} notifications")
        print(f"notify.drained_after {drained_s:.1f} s")
        if delays:
            print(f"notify.delay_p50 {delays[len(delays) // 2] * 1000:.0f} ms")
            print(f"notify.delay_p99 {delays[len(delays) * 99 // 100] * 1000:.0f} ms")

    async def _start_receiver(self) -> asyncio.subprocess.Process:
        command = [sys.executable, "-c", RECEIVE, str(self._receiver_port), str(self._book)]
        process = await asyncio.create_subprocess_exec(*command)
        await _until_open(self._receiver_port)
        return process

    async def _start_city(self) -> asyncio.subprocess.Process:
        settings = {
            "CITYBRAIN_SCENARIO": "none",
            "CITYBRAIN_PUBLIC_MAY": "ngsild.write",
            "CITYBRAIN_PORT": str(self._city_port),
            "CITYBRAIN_DATA": str(self._folder / "data"),
        }
        command = [
            "env",
            *(f"{name}={value}" for name, value in settings.items()),
            sys.executable,
            "-m",
            "citybrain",
            "up",
        ]
        log = (self._folder / "log").open("ab")
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, start_new_session=True)
        await _until_open(self._city_port)
        return process


def _entity(number: int, level: int) -> dict[str, object]:
    return {"id": _id(number), "type": "Meter", "level": {"type": "Property", "value": level}}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def _until_open(port: int) -> None:
    for _ in range(2_400):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError(port)


async def _kill(process: asyncio.subprocess.Process) -> None:
    """kill -9 of this process; what it started must cope by itself."""
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    main()
