# SPDX-License-Identifier: Apache-2.0
"""An import of old tickets with three in a hundred rows bad: how fast, how large, and the same file again.

`python bench/bench_hotline_import.py [rows] [--data DIR]`, on a new city; prints `name value unit`.
"""

import argparse
import asyncio
import csv
import random
import resource
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from citybrain.apps.hotline.service import importing
from citybrain.apps.hotline.service.example_lives import Script
from citybrain.apps.hotline.service.hotline import MACHINE, SEED, opened
from citybrain.apps.hotline.store import kept
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import open_store

MIGRATIONS = Path(importing.__file__).parents[1] / "migrations"
COLUMNS = (
    "number,text,category,created_at,closed_at,answered_at,answer,satisfaction,longitude,latitude,address,name,phone"
)
SIGNS = "福春华兴隆源和顺达丰永泰安康宁平祥瑞嘉美佳乐欢喜明光星辰海江河湖山林田园金银玉珍宝鼎盛昌荣茂发利通运宏伟"
BAD = 0.03
OPEN = 0.02


def write(path: Path, rows: int, chance: random.Random) -> None:
    """A file as another system would give it."""
    script = msgspec.json.decode((SEED / "example.json").read_bytes(), type=Script)
    leaves, answers = list(script.texts), [each for some in script.answers.values() for each in some]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS.split(","))
        for number in range(rows):
            category, place = chance.choice(leaves), f"{chance.choice(script.places)}{chance.randrange(1, 300)}号"
            at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * number)
            end = "" if chance.random() < OPEN else (at + timedelta(hours=chance.randrange(1, 200))).isoformat()
            shop = "".join(chance.choices(SIGNS, k=3))  # so that no two texts are alike
            text = f"{place}{shop}店旁{chance.choice(script.texts[category])}，{chance.choice(script.wishes)}"
            rated = chance.choice(("", "satisfied", "very_satisfied", "dissatisfied")) if end else ""
            row = [
                f"OLD{number:07}", text, category, at.isoformat(), end, end, chance.choice(answers) if end else "",
                rated, 116.3 + chance.random() / 5, 39.85 + chance.random() / 5, place,
                f"{chance.choice(script.surnames)}{chance.choice(script.givens)}", f"19900{chance.randrange(10**6):06}",
            ]  # fmt: skip
            if chance.random() < BAD:
                row[chance.choice((1, 3, 7))] = "" if chance.random() < 0.5 else "?"
                row[2] = "no.such" if row[1] and row[3] not in ("", "?") else row[2]
            table.writerow(row)


def cpu_s() -> float:
    """What this process used of processors; PostgreSQL is another one."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main() -> None:
    """The import, and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="citybrain-bench-", ignore_cleanup_errors=True) as top:
        await asyncio.to_thread(Path(top).chmod, 0o755)
        path = Path(top) / "old.csv"
        write(path, given.rows, random.Random(1))
        settings = Settings(data=given.data or Path(top) / "data")
        async with open_store(settings, migrations={"hotline": MIGRATIONS}) as store, opened(store) as hotline:
            for name in ("import", "import_again"):
                begun, worked_s = monotonic_s(), cpu_s()
                sha, progress = await importing.import_file(hotline, MACHINE, path, tell=lambda _: None)
                took_s = monotonic_s() - begun
                print(f"hotline.{name} {took_s:.1f} s")
                if name == "import":
                    print(f"hotline.import.cpu_of_python {cpu_s() - worked_s:.1f} s")
                    print(f"hotline.import.rate {progress.done / took_s:.0f} rows/s")
                    print(f"hotline.import.taken {progress.taken} rows")
                    print(f"hotline.import.refused {progress.refused} rows")
            refused = await kept.refusals(hotline.db, sha)
            begun = monotonic_s()
            size = len(importing.report(refused))
            print(f"hotline.import.report {monotonic_s() - begun:.2f} s")
            print(f"hotline.import.report_size {size} bytes")
    print(f"hotline.import.peak_memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    asyncio.run(main())
