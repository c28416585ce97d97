# SPDX-License-Identifier: Apache-2.0
"""What `citybrain run` and `status` show: progress, a table for people, facts for machines."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from citybrain.kernel.app import Scenario
from citybrain.kernel.records import Facts, Json
from citybrain.serve.experiment import BRAIN, FIXED, Died, Finished, Task

# (label, key of the summary or the mean index, decimals); all but `arrived` are better when lower.
FIGURES = [
    ("delay (s/vehicle)", "delay_s", 1),
    ("travel time (s)", "travel_time_s", 1),
    ("arrived", "arrived", 0),
    ("congestion index (T/Tf)", "delay_index", 2),
    ("TPI (0–10)", "traffic.tpi", 2),
]


@contextmanager
def progress(console: Console, tasks: Sequence[Task]) -> Iterator[Callable[[int, float], None]]:
    """A bar per run on a terminal; elsewhere one line each time a run passes another tenth."""
    labels = [f"{task.scenario.id} {task.arm} seed {task.seed}" for task in tasks]
    if not console.is_terminal:
        yield _lines(console, labels)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bars:
        ids = [bars.add_task(label, total=1.0) for label in labels]
        yield lambda index, share: bars.update(ids[index], completed=share)


def _lines(console: Console, labels: Sequence[str]) -> Callable[[int, float], None]:
    told: dict[int, int] = {}

    def tell(index: int, share: float) -> None:
        tenth = int(share * 10)
        if tenth > told.get(index, -1):
            told[index] = tenth
            console.print(f"{labels[index]}: {tenth * 10} %", highlight=False)

    return tell


def figure(results: Sequence[Finished], arm: str, key: str) -> float | None:
    """The mean over seeds of one figure of one arm; None when no run has it."""
    values = [
        float(value)
        for result in results
        if result.arm == arm
        if (value := {**result.indices, **result.summary}.get(key)) is not None
    ]
    return statistics.fmean(values) if values else None


def ratio(brain: float | None, fixed: float | None) -> float | None:
    """Brain over fixed; None without both or when fixed is zero."""
    return brain / fixed if brain is not None and fixed else None


def table(scenario: Scenario, results: Sequence[Finished]) -> Table:
    """Fixed, brain and ratio for each figure, means over the seeds."""
    seeds = sorted({result.seed for result in results})
    shown = Table(title=f"{scenario.id}, seeds {', '.join(map(str, seeds)) or 'none'}")
    for column in ("figure", FIXED, BRAIN, "ratio"):
        shown.add_column(column, justify="left" if column == "figure" else "right")
    for label, key, decimals in FIGURES:
        fixed, brain = figure(results, FIXED, key), figure(results, BRAIN, key)
        shown.add_row(label, _number(fixed, decimals), _number(brain, decimals), _number(ratio(brain, fixed), 2))
    wall = [_number(_wall(results, arm), 1) for arm in (FIXED, BRAIN)]
    shown.add_row("wall time (s)", *wall, _number(ratio(_wall(results, BRAIN), _wall(results, FIXED)), 2))
    return shown


def as_facts(scenario: Scenario, results: Sequence[Finished], died: Sequence[Died]) -> Mapping[str, Json]:
    """All of it for machines: the means and every run."""
    figures = {}
    for _, key, _ in FIGURES:
        fixed, brain = figure(results, FIXED, key), figure(results, BRAIN, key)
        figures[key] = {FIXED: fixed, BRAIN: brain, "ratio": ratio(brain, fixed)}
    return {"scenario": scenario.id, "figures": figures, "runs": results, "died": died}


def status_table(facts: Facts) -> Table:
    """The running city in a few lines."""
    shown = Table("what", "value")
    for name, value in facts.items():
        if name != "indicators":
            shown.add_row(name, "–" if value is None else str(value))
    for name, arms in facts.get("indicators", {}).items():
        shown.add_row(name, ", ".join(f"{arm} {reading['value']:,.2f}" for arm, reading in arms.items()) or "–")
    return shown


def _wall(results: Sequence[Finished], arm: str) -> float | None:
    walls = [result.wall_s for result in results if result.arm == arm]
    return statistics.fmean(walls) if walls else None


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:,.{decimals}f}"
