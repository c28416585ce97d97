# SPDX-License-Identifier: Apache-2.0
"""What the NGSI-LD door serves per core: a whole city in a process of its own, asked over HTTP.

Figures are requests per second of the server process' CPU time (`ticks` of all its threads), so that what else the
machine does counts little; PostgreSQL's own processes are not counted in. Needs `wrk`; says so when it is missing.
`python bench/bench_ngsild_http.py [--entities 10000] [--seconds 5] [--port 9199]`
"""

import argparse
import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

PATH = "/ngsi-ld/v1"
# What a client asks for: the same entity again and again, any entity, a page, a page by value.
RANDOM_ENTITY = """
request = function()
  return wrk.format("GET", "{path}/entities/urn:ngsi-ld:Vehicle:" .. math.random(0, {last}))
end
"""
CREATE_ENTITY = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local thread_number = 0
function setup(thread) thread:set("number", thread_number) thread_number = thread_number + 1 end
local count = 0
request = function()
  count = count + 1
  local id = "urn:ngsi-ld:Vehicle:new-" .. number .. "-" .. count
  local body = '{{"id":"' .. id .. '","type":"Vehicle","speed":{{"type":"Property","value":50}}}}'
  return wrk.format(nil, "{path}/entities", nil, body)
end
"""
UPDATE_ATTRIBUTE = """
wrk.method = "PATCH"
wrk.headers["Content-Type"] = "application/json"
request = function()
  local body = '{{"type":"Property","value":' .. math.random(0, 120) .. '}}'
  return wrk.format(nil, "{path}/entities/urn:ngsi-ld:Vehicle:" .. math.random(0, {last}) .. "/attrs/speed", nil, body)
end
"""


def main() -> int:
    """Print `name value unit` for each figure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--entities", type=int, default=10_000)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--port", type=int, default=9199)
    chosen = arguments.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed: nothing was measured")
        return 0
    with city(chosen.port) as process:
        address = f"http://127.0.0.1:{chosen.port}"
        asyncio.run(fill(address, chosen.entities))
        measure(process, address, entities=chosen.entities, seconds=chosen.seconds)
    return 0


@contextmanager
def city(port: int) -> Iterator[psutil.Process]:
    """A city without streets, in which everybody may write; its data is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="citybrain-bench-"))
    folder.chmod(0o755)
    settings = {
        "CITYBRAIN_DATA": str(folder / "data"),
        "CITYBRAIN_PORT": str(port),
        "CITYBRAIN_SCENARIO": "none",
        "CITYBRAIN_PUBLIC_MAY": "ngsild.write",
    }
    told = [f"{name}={value}" for name, value in settings.items()]
    command = ["env", *told, str(Path(sys.executable).with_name("citybrain")), "up"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}{PATH}/types", process)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the city answers, at most a minute."""
    for _ in range(600):
        if process.poll() is not None:
            sys.exit("the city did not start: the front end may not be built (make web)")
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the city did not answer within a minute")


async def fill(address: str, entities: int) -> None:
    """Create the entities in batches: 355 bytes each when it is shown."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        for begin in range(0, entities, 500):
            batch = [vehicle(number) for number in range(begin, min(begin + 500, entities))]
            (await client.post(f"{PATH}/entityOperations/create", json=batch)).raise_for_status()


def vehicle(number: int) -> dict[str, object]:
    """One entity."""
    place = {"type": "Point", "coordinates": [116.3 + number % 1000 / 1000, 39.9]}
    speed = {"type": "Property", "value": number % 120, "unitCode": "KMH", "observedAt": "2026-01-01T00:00:00Z"}
    return {
        "id": f"urn:ngsi-ld:Vehicle:{number}",
        "type": "Vehicle",
        "speed": speed,
        "location": {"type": "GeoProperty", "value": place},
        "name": {"type": "Property", "value": f"vehicle {number}"},
        "isParked": {"type": "Relationship", "object": "urn:ngsi-ld:OffStreetParking:1"},
    }


def measure(process: psutil.Process, address: str, *, entities: int, seconds: int) -> None:
    """One line per question."""
    last = entities - 1
    asked = {
        "retrieve.one": (f"{PATH}/entities/urn:ngsi-ld:Vehicle:5", ""),
        "retrieve.any": (PATH, RANDOM_ENTITY.format(path=PATH, last=last)),
        "query.page_of_20": (f"{PATH}/entities?type=Vehicle", ""),
        "query.page_by_value": (f"{PATH}/entities?type=Vehicle&q=speed%3E60", ""),
        "create": (PATH, CREATE_ENTITY.format(path=PATH)),
        "update": (PATH, UPDATE_ATTRIBUTE.format(path=PATH, last=last)),
    }
    for name, (path, script) in asked.items():
        tell(name, process, address + path, script, seconds)
    with_writes(process, address, seconds=seconds, last=last)


def with_writes(process: psutil.Process, address: str, *, seconds: int, last: int) -> None:
    """A page while somebody updates entities all the time, so that what is remembered hardly ever holds."""
    script = UPDATE_ATTRIBUTE.format(path=PATH, last=last)
    with script_file(script) as file:
        command = ["wrk", "-t1", "-c4", f"-d{seconds + 2}s", "-s", file, address]
        writing = subprocess.Popen(command, stdout=subprocess.PIPE)
        tell("query.page_of_20.under_writes", process, f"{address}{PATH}/entities?type=Vehicle", "", seconds)
        said, _ = writing.communicate()
    print(f"ngsild.update.meanwhile {requests_in(said.decode()) / (seconds + 2):.0f} requests/s", flush=True)


def tell(name: str, process: psutil.Process, url: str, script: str, seconds: int) -> None:
    """Ask for some seconds and print how many answers a core gives in one."""
    before = process.cpu_times()
    with script_file(script) as file:
        more = ["-s", file] if script else []
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", *more, url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = process.cpu_times()
    spent_s = after.user + after.system - before.user - before.system
    requests = requests_in(said)
    print(f"ngsild.{name} {requests / spent_s:.0f} requests/core-s")
    print(f"ngsild.{name}.wall {requests / seconds:.0f} requests/s")
    p99 = re.search(r"99%\s+(\S+)", said)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    print(f"ngsild.{name}.p99 {p99[1] if p99 else '?'}")
    print(f"ngsild.{name}.refused {refused[1] if refused else 0}", flush=True)


def requests_in(said: str) -> int:
    """How many requests wrk counted."""
    found = re.search(r"(\d+) requests in", said)
    return int(found[1]) if found else 0


@contextmanager
def script_file(script: str) -> Iterator[str]:
    """A file with wrk's script."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        yield file.name


if __name__ == "__main__":
    sys.exit(main())
