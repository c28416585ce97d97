# SPDX-License-Identifier: Apache-2.0
"""The past, asked at length: figures over a million points, the newest value of a million devices, files in and out.

Beside the figures that the database alone bounds, in the same run, its bare scan of the same rows.
`python bench/bench_history.py [--points 1000000] [--devices 1000000] [--rows 200000]`
"""

import argparse
import asyncio
import resource
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.pool.duration import read_duration
from citybrain.kernel.pool.evolution import Found
from citybrain.kernel.pool.exports import What, export
from citybrain.kernel.pool.imports import read_in
from citybrain.kernel.pool.series import SeriesOf
from citybrain.kernel.pool.temporal import Selection, Temporal
from citybrain.kernel.pool.temporal_query import TemporalQuery, TimeRelation, Window
from citybrain.kernel.pool.temporal_reading import Given
from citybrain.kernel.pool.temporal_write import TemporalWriting
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
POINT = "urn:ngsi-ld:Sensor:point"
GOAL_FIGURES_S = 1.0
MIB = 1024

MONTHS = "SELECT history_add_month(d::date) FROM generate_series('2026-01-01'::date, '2026-12-01', '1 month') AS d"
NAME = "INSERT INTO attribute_name VALUES (1000, 'temperature', ''), (1001, 'level', '')"
POINT_ROW = "INSERT INTO document VALUES (1, '', %(id)s, '{Sensor}', %(body)s, false, now(), now(), NULL)"
HISTORY = (
    "INSERT INTO history (entity, attribute, observed_at, number, instance, recorded_at, modified_at, is_observed)"
)
POINT_ROWS = """
SELECT 1, 1000, %(begin)s + i * interval '30 s', 20 + 10 * random(), i, now(), now(), true
FROM generate_series(0, %(points)s - 1) AS i"""
DEVICE_ROWS = """INSERT INTO document
SELECT 10 + i, '', 'urn:ngsi-ld:Meter:' || i, '{Meter}', '{}', false, now(), now(), NULL
FROM generate_series(1, %(devices)s) AS i"""
# Each device spoke twice: one in a hundred in another month, the others on the last day.
DEVICE_HISTORY = """
SELECT 10 + i, 1001, %(begin)s + n * interval '1 hour'
    + CASE WHEN i %% 100 = 0 THEN (i / 100 %% 300) * interval '1 day' ELSE interval '350 days' END,
    i, 2 * i + n, now(), now(), true
FROM generate_series(1, %(devices)s) AS i, generate_series(0, 1) AS n"""
BARE_SCAN = "SELECT count(number), sum(number), max(number) FROM history WHERE entity = 1 AND attribute = 1000"


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--points", type=int, default=1_000_000)
    arguments.add_argument("--devices", type=int, default=1_000_000)
    arguments.add_argument("--rows", type=int, default=200_000)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder:
        Path(folder).chmod(0o755)
        asyncio.run(_measure(Path(folder), chosen))


async def _measure(folder: Path, chosen: argparse.Namespace) -> None:
    async with open_store(Settings(data=folder / "data", keep_days=36500)) as store:
        await _fill(store, chosen.points, chosen.devices)
        await _figures(store, chosen.points)
        await _last(store)
        await _newest(store, chosen.devices)
        await _export(store, folder, chosen.points)
        await _import(store, folder, chosen.rows)


async def _fill(store: Store, points: int, devices: int) -> None:
    body = msgspec.json.encode({"id": POINT, "types": ["Sensor"]})
    await store.db.rows(MONTHS)
    await store.db.write(NAME)
    await store.db.write(POINT_ROW, {"id": POINT, "body": body})
    await store.db.write(HISTORY + POINT_ROWS, {"begin": BEGIN, "points": points})
    await store.db.write(DEVICE_ROWS, {"devices": devices})
    await store.db.write(HISTORY + DEVICE_HISTORY, {"begin": BEGIN, "devices": devices})
    await store.db.write("ANALYZE history")
    await store.db.write("ANALYZE document")


async def _figures(store: Store, points: int) -> None:
    series = SeriesOf(Temporal(store.db))
    until = BEGIN + timedelta(seconds=30) * points
    for name, every in (("hour", "PT1H"), ("month", "P1M"), ("whole", "PT0S")):
        taken = []
        for _ in range(3):
            begin_s = monotonic_s()
            figures = await series.figures(POINT, "temperature", since=BEGIN, until=until, every=read_duration(every))
            taken.append(monotonic_s() - begin_s)
        if sum(each.total for each in figures) != points:
            raise SystemExit("figures do not count every point")
        _tell(f"figures_by_{name}", sorted(taken)[1], "s")
        _tell(f"figures_by_{name}_goal_share", sorted(taken)[1] / GOAL_FIGURES_S, "")
    begin_s = monotonic_s()
    await store.db.rows(BARE_SCAN)
    _tell("figures_bare_scan", monotonic_s() - begin_s, "s")


async def _last(store: Store) -> None:
    temporal = Temporal(store.db)
    series = SeriesOf(temporal)
    begin_s = monotonic_s()
    for _ in range(50):
        await series.last(POINT, "temperature", 10)
    _tell("last_ten", (monotonic_s() - begin_s) / 50 * 1000, "ms")
    begin_s = monotonic_s()
    window = Window(relation=TimeRelation.AFTER, at=BEGIN + timedelta(days=30))
    found: Found = await temporal.retrieve("", POINT, Selection(temporal=TemporalQuery(window=window)))
    if found.range is None:
        raise SystemExit("a page was to be cut")
    _tell("page_of_a_thousand", (monotonic_s() - begin_s) * 1000, "ms")


async def _newest(store: Store, devices: int) -> None:
    before = _peak_mib()
    begin_s, seen = monotonic_s(), 0
    async for rows in SeriesOf(Temporal(store.db)).newest(["Meter"], "level", at=BEGIN + timedelta(days=350, hours=3)):
        seen += len(rows)
    if seen != devices:
        raise SystemExit(f"{seen} of {devices} devices")
    _tell("newest_of_all_devices", monotonic_s() - begin_s, "s")
    _tell("newest_peak_memory", _peak_mib(), "MiB")
    _tell("newest_peak_memory_more_than_before", _peak_mib() - before, "MiB")


async def _export(store: Store, folder: Path, points: int) -> None:
    for ending in ("parquet", "csv"):
        begin_s = monotonic_s()
        rows = await export(store.db, What(types=("Sensor",)), folder / f"all.{ending}")
        if rows != points:
            raise SystemExit(f"{rows} of {points} rows")
        _tell(f"export_{ending}", rows / (monotonic_s() - begin_s), "rows/s")
    _tell("export_peak_memory", _peak_mib(), "MiB")


async def _import(store: Store, folder: Path, rows: int) -> None:
    """Rows of a thousand sensors, as a steward brings them."""
    path = folder / "rows.csv"
    with path.open("w") as file:
        file.write("id,type,attribute,observed_at,value,unit_code\n")
        for i in range(rows):
            at = (BEGIN + timedelta(seconds=i)).isoformat()
            file.write(f"urn:ngsi-ld:Probe:{i % 1000},Probe,reading,{at},{i % 50},CEL\n")
    writing = TemporalWriting(Temporal(store.db), store.documents)

    async def take(given: list[Given]) -> None:
        await writing.add_all("", given, at=utc_now())

    for name in ("import_csv", "import_csv_again"):
        begin_s = monotonic_s()
        done = [each async for each in read_in(path, take, at=utc_now())][-1]  # type: ignore[arg-type]
        if done.taken != rows:
            raise SystemExit(f"{done.taken} of {rows} rows")
        _tell(name, rows / (monotonic_s() - begin_s), "rows/s")
    begin_s = monotonic_s()
    checked = [each async for each in read_in(path, None, at=utc_now())][-1]
    _tell("import_dry_run", checked.taken / (monotonic_s() - begin_s), "rows/s")


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB


def _tell(name: str, value: float, unit: str) -> None:
    print(name, f"{value:.4g}", unit, flush=True)


if __name__ == "__main__":
    main()
