# SPDX-License-Identifier: Apache-2.0
"""How fast is SensorThings over the pool? Observations in arrays and one by one, the latest of all, first pages.

Everything goes through the door's application, without a network in between.
`python bench/bench_sensorthings.py [--streams 100000] [--observations 1000000]`
"""

import argparse
import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np

from citybrain.doors.sensorthings.app import PREFIX, VERSION, make
from citybrain.kernel.asgi import AsgiApp
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store

STREAMS_PER_THING = 10
ROWS = 20_000
REPEATS = 20
WRITERS = 16
LATEST = (
    "Things?$top=100&$select=@iot.id&$expand=Datastreams($select=@iot.id;"
    "$expand=Observations($top=1;$orderby=phenomenonTime desc;$select=result))"
)
POINT = {"type": "Point", "coordinates": [120.1, 30.2]}
UNIT = {"name": "C", "symbol": "C", "definition": "urn:unit:C"}


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--streams", type=int, default=100_000)
    arguments.add_argument("--observations", type=int, default=1_000_000)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(_measure(Settings(data=Path(folder) / "data"), chosen.streams, chosen.observations))


class Door:
    """Asks the application as a server would."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[Mapping[str, str], Any]:
        """Headers and body of an answer; anything but success ends the run."""
        name, _, query = path.partition("?")
        sent: list[Mapping[str, Any]] = []
        data = b"" if body is None else msgspec.json.encode(body)

        async def receive() -> Mapping[str, Any]:
            return {"type": "http.request", "body": data}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        below = f"{PREFIX}{VERSION}/{name.removeprefix(f'http://localhost{PREFIX}{VERSION}/')}"
        scope = {
            "type": "http",
            "method": method,
            "path": below,
            "raw_path": below.encode(),
            "root_path": PREFIX,
            "query_string": quote(query, safe="$&=%").encode(),
            "headers": [(b"host", b"localhost")],
        }
        await self.app(scope, receive, send)
        if sent[0]["status"] >= 300:
            raise SystemExit(sent[1]["body"])
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return headers, msgspec.json.decode(sent[1]["body"]) if sent[1]["body"] else None


async def _measure(settings: Settings, streams: int, observations: int) -> None:
    async with open_store(settings) as store:
        door = Door(make(store))
        await _fill(door, streams)
        stream = (await door.ask("GET", "Datastreams?$top=1"))[1]["value"][0]
        await _arrays(door, stream["@iot.id"], observations)
        await _spread(door, streams)
        await _singles(door, stream["@iot.id"])
        await store.db.write("VACUUM ANALYZE")
        await _latest(door, streams)
        await _pages(door, stream["@iot.id"])


async def _fill(door: Door, streams: int) -> None:
    """Things with ten Datastreams each, and one Observation in every Datastream."""
    sensor, _ = await door.ask(
        "POST", "Sensors", {"name": "s", "description": "s", "encodingType": "text/plain", "metadata": ""}
    )
    kind, _ = await door.ask("POST", "ObservedProperties", {"name": "t", "description": "t", "definition": "urn:t"})
    ids = [{"@iot.id": int(each["location"].rpartition("(")[2][:-1])} for each in (sensor, kind)]
    begin_s = monotonic_s()
    for number in range(streams // STREAMS_PER_THING):
        await door.ask("POST", "Things", _thing(number, ids))
    _tell("things_with_10_datastreams_deep_insert", streams / STREAMS_PER_THING / (monotonic_s() - begin_s), "things/s")


def _thing(number: int, ids: list[dict[str, int]]) -> Mapping[str, Any]:
    stream = {
        "description": "temperature",
        "unitOfMeasurement": UNIT,
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "Sensor": ids[0],
        "ObservedProperty": ids[1],
        "Observations": [{"result": number, "phenomenonTime": "2026-03-01T00:00:00Z"}],
    }
    place = {"name": "p", "description": "p", "encodingType": "application/geo+json", "location": POINT}
    return {
        "name": f"thing {number}",
        "description": "bench",
        "Locations": [place],
        "Datastreams": [{**stream, "name": f"stream {number}-{each}"} for each in range(STREAMS_PER_THING)],
    }


def _group(id: int, first: int, many: int) -> Mapping[str, Any]:
    part = f"{first % 1_000_000:06}"
    rows = [[f"2026-04-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}.{part}Z", n * 0.5] for n in range(many)]
    return {"Datastream": {"@iot.id": id}, "components": ["phenomenonTime", "result"], "dataArray": rows}


async def _arrays(door: Door, id: int, observations: int) -> None:
    """Many Observations of one Datastream, so many to a request."""
    groups = [_group(id, first, ROWS) for first in range(observations // ROWS)]
    begin_s = monotonic_s()
    for each in groups:
        await door.ask("POST", "CreateObservations", [each])
    _tell("data_array_one_stream", len(groups) * ROWS / (monotonic_s() - begin_s), "observations/s")


async def _spread(door: Door, streams: int) -> None:
    """One Observation of each of many Datastreams."""
    ids: list[int] = []
    path = f"Datastreams?$top={min(streams, 10_000)}&$select=@iot.id"
    ids = [each["@iot.id"] for each in (await door.ask("GET", path))[1]["value"]]
    body = [_group(id, number, 1) for number, id in enumerate(ids)]
    begin_s = monotonic_s()
    for _ in range(3):
        await door.ask("POST", "CreateObservations", body)
    _tell("data_array_one_each", 3 * len(ids) / (monotonic_s() - begin_s), "observations/s")


async def _singles(door: Door, id: int) -> None:
    """Writers that each post one Observation after another."""

    async def write(number: int) -> None:
        for each in range(100):
            body = {"result": each, "phenomenonTime": f"2026-05-01T00:{number:02}:00.{each:06}Z"}
            await door.ask("POST", f"Datastreams({id})/Observations", body)

    begin_s = monotonic_s()
    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    _tell("single_observations_16_writers", WRITERS * 100 / (monotonic_s() - begin_s), "observations/s")


async def _latest(door: Door, streams: int) -> None:
    """The newest Observation of every Datastream, page by page."""
    begin_s, seen, path = monotonic_s(), 0, LATEST
    first_s = 0.0
    while path:
        page = (await door.ask("GET", path))[1]
        seen += sum(len(each["Observations"]) for thing in page["value"] for each in thing["Datastreams"])
        first_s = first_s or monotonic_s() - begin_s
        path = page.get("@iot.nextLink", "")
    took_s = monotonic_s() - begin_s
    if seen != streams:
        raise SystemExit(f"saw {seen} of {streams}")
    _tell("latest_first_page_of_1000_datastreams", first_s * 1000, "ms")
    _tell("latest_of_all_datastreams", took_s, "s")
    _tell("latest_datastreams_per_second", seen / took_s, "datastreams/s")


async def _pages(door: Door, id: int) -> None:
    own = f"Datastreams({id})/Observations"
    for name, path in (
        ("first_page_of_a_datastream", f"{own}?$top=100"),
        ("newest_page_of_a_datastream", f"{own}?$top=100&$orderby=phenomenonTime desc"),
        ("first_page_of_all_observations", "Observations?$top=100"),
        ("first_page_of_a_day_of_a_datastream", f"{own}?$top=100&$filter=phenomenonTime ge 2026-04-01T12:00:00Z"),
        ("count_of_a_datastream", f"{own}?$top=0&$count=true"),
        ("count_of_all_observations", "Observations?$top=0&$count=true"),
        ("count_of_a_result_above", f"{own}?$top=0&$count=true&$filter=result gt 9000"),
        ("count_of_datastreams", "Datastreams?$top=0&$count=true"),
        ("thing_by_id_filter", "Things?$filter=@iot.id eq 3"),
        ("datastream_by_name", "Datastreams?$filter=name eq 'stream 77-7'"),
    ):
        spent_ms: list[float] = []
        for _ in range(REPEATS if "name" not in name else 1):
            begin_s = monotonic_s()
            await door.ask("GET", path)
            spent_ms.append((monotonic_s() - begin_s) * 1000)
        _tell(f"{name}_p50", float(np.percentile(spent_ms, 50)), "ms")


def _tell(name: str, value: float, unit: str) -> None:
    print(f"{name} {value:.4g} {unit}", flush=True)


if __name__ == "__main__":
    main()
