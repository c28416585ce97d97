# SPDX-License-Identifier: Apache-2.0
"""Anomalies of real road sensors: the benchmark's standard raw score, false alarms, and how many series a core does.

`python bench/bench_nab.py FOLDER [--labels FILE] [--group realTraffic] [--leave-one-out]`,
FOLDER with the benchmark's CSV files.
`--both-sides` does not tell the detector which side of a quantity is news.
`--leave-one-out` chooses the constants from a grid by all files but one, for each file.
"""

import argparse
import itertools
import time
from pathlib import Path

import msgspec
import numpy as np

from bench.nab.corpus import File, NoData, opened, read
from bench.nab.score import Scored, score
from citybrain.apps.operations.detect.streams import Streams
from citybrain.apps.operations.model import DAY_S, HOUR_S, USUAL, Numbers

GRID = {
    "far": (6.0, 8.0, 10.0, 12.0),
    "further": (3.5, 4.0, 5.0, 6.0),
    "record": (1.2, 1.3, 1.5, 1.8),
    "again": (0.9, 1.1, 1.3),
    "forgets_s": (2 * DAY_S, 4 * DAY_S),
    "gap_s": (HOUR_S, 3 * HOUR_S, 12 * HOUR_S),
}
FALSE_WANTED = 3
SERIES = 10_000
NOISE_SERIES, NOISE_DAYS, STEP_S = 500, 14, 300.0


def main() -> int:
    """Print `name value unit` for each figure; 1 when there is no data."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--labels", type=Path)
    arguments.add_argument("--group", default="realTraffic")
    arguments.add_argument("--leave-one-out", action="store_true")
    arguments.add_argument("--both-sides", action="store_true")
    chosen = arguments.parse_args()
    try:
        files = read(chosen.folder, chosen.labels or chosen.folder / "combined_windows.json", chosen.group)
    except NoData as reason:
        print(reason)
        return 1
    sides = not chosen.both_sides
    scores = scored(files, opened(files, sides=sides))
    for file, each in zip(files, scores, strict=True):
        print(f"{file.name} {each.score:.2f} of {len(file.windows)}, false alarms {len(each.false)}")
    print(f"score {sum(each.score for each in scores):.2f} of {sum(len(file.windows) for file in files)}")
    print(f"windows_found {sum(value >= 0 for each in scores for value in each.windows)} windows")
    print(f"false_alarms {sum(len(each.false) for each in scores)} detections")
    if chosen.leave_one_out:
        leave_one_out(files, sides=sides)
    print(f"values_per_s {throughput():.0f} values/s of {SERIES} series on one core")
    print(f"on_noise {on_noise():.2f} openings per 1000 series-days of normal noise each five minutes")
    return 0


def scored(files: list[File], found: list[list[int]]) -> list[Scored]:
    """Each file by the rows that were found in it."""
    return [score(rows, len(file.values), file.windows) for file, rows in zip(files, found, strict=True)]


def leave_one_out(files: list[File], *, sides: bool) -> None:
    """The constants that the other files would have chosen, tried on the one left out."""
    trials = list(itertools.product(*GRID.values()))
    columns = {name: np.repeat([trial[place] for trial in trials], len(files)) for place, name in enumerate(GRID)}
    found = opened(files, msgspec.structs.replace(USUAL, **columns), len(trials), sides=sides)
    each = [scored(files, found[start : start + len(files)]) for start in range(0, len(found), len(files))]
    points = np.array([[one.score for one in trial] for trial in each])
    false = np.array([[len(one.false) for one in trial] for trial in each])
    total, wrong = 0.0, 0
    for place, file in enumerate(files):
        rest = points.sum(axis=1) - points[:, place]
        best = int(rest.argmax())
        total, wrong = total + points[best, place], wrong + int(false[best, place])
        print(f"left_out {file.name} {points[best, place]:.2f} with {dict(zip(GRID, trials[best], strict=True))}")
    print(f"left_out_score {total:.2f}, false alarms {wrong}")
    sums, few = points.sum(axis=1), false.sum(axis=1) <= FALSE_WANTED
    print(f"grid {len(trials)} trials, median {np.median(sums):.2f}, best {sums.max():.2f}")
    if few.any():
        print(f"best_with_{FALSE_WANTED}_false {sums[few].max():.2f}")


def throughput() -> float:
    """Values a second, one value of each series at a time."""
    streams, looks = Streams(SERIES), 50
    values = np.random.default_rng(1).normal(size=(looks, SERIES))
    begin = time.perf_counter()
    for row in range(looks):
        streams.look(row * 60.0, values[row])
    return SERIES * looks / (time.perf_counter() - begin)


def on_noise() -> float:
    """How often an event opens where there is nothing."""
    streams, random, count = Streams(NOISE_SERIES), np.random.default_rng(1), 0
    for row in range(int(NOISE_DAYS * DAY_S / STEP_S)):
        values: Numbers = random.normal(size=NOISE_SERIES)
        count += int(streams.look(row * STEP_S, values).opened.sum())
    return count / (NOISE_SERIES * NOISE_DAYS) * 1000


if __name__ == "__main__":
    raise SystemExit(main())
