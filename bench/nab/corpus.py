# SPDX-License-Identifier: Apache-2.0
"""The files of the benchmark: values with times, and the labelled windows as rows. Not part of the project."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from bench.nab.score import Window
from citybrain.apps.operations.detect.streams import Streams
from citybrain.apps.operations.model import USUAL, Numbers, Thresholds


class NoData(Exception):
    """The folder has no file of the benchmark."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One stream: seconds, values, and the windows in which something was wrong. `hurts` is the side that is news, by
    what is measured: a road that is slower, fuller or takes longer."""

    name: str
    at_s: Numbers
    values: Numbers
    windows: tuple[Window, ...]
    hurts: float = 0.0


HURTS = {"speed": -1.0, "occupancy": 1.0, "TravelTime": 1.0}


def read(folder: Path, labels: Path, group: str) -> list[File]:
    """All files of a folder; `labels` is the benchmark's file of windows. Raises `NoData` when there is none."""
    paths = sorted(folder.glob("*.csv")) if labels.exists() else []
    if not paths:
        raise NoData(f"{folder} has no data of the benchmark (CSV files, with {labels})")
    windows = json.loads(labels.read_text(encoding="utf-8"))
    return [_read(path, windows[f"{group}/{path.name}"]) for path in paths]


def _read(path: Path, windows: list[tuple[str, str]]) -> File:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [(_seconds(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines)]
    at_s, values = np.array(rows).T
    inside = [((at_s >= _seconds(begin)) & (at_s <= _seconds(end))).nonzero()[0] for begin, end in windows]
    return File(
        name=path.stem,
        at_s=at_s,
        values=values,
        windows=tuple((int(rows[0]), int(rows[-1])) for rows in inside),
        hurts=HURTS.get(path.stem.partition("_")[0], 0.0),
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def opened(files: list[File], thresholds: Thresholds = USUAL, times: int = 1, *, sides: bool = True) -> list[list[int]]:
    """The rows at which the detector opens an event, value by value; `times` copies of the files stand side by side,
    for trials in which each copy has thresholds of its own. Without `sides` both sides of all are news."""
    hurts = np.tile([file.hurts if sides else 0.0 for file in files], times)
    thresholds = msgspec.structs.replace(thresholds, hurts=hurts)
    rows = max(len(file.values) for file in files)
    at_s, values = np.full((2, rows, len(files)), np.nan)
    for number, file in enumerate(files):
        at_s[: len(file.values), number], values[: len(file.values), number] = file.at_s, file.values
    streams = Streams(len(files) * times, thresholds)
    found: list[list[int]] = [[] for _ in range(len(files) * times)]
    for row in range(rows):
        look = streams.look(np.tile(at_s[row], times), np.tile(values[row], times))
        for lane in look.lanes[look.opened].tolist():
            found[lane].append(row)
    return found
