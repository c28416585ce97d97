# SPDX-License-Identifier: Apache-2.0
"""City scale: what one control cycle costs on one core as a city grows from 100 to 1,600 signals.

`python -m bench.traffic.scale [--sides 10 20 30 40] [--svg FILE]`. A grid of side x side signals, streets of two lanes,
150 m apart, made by netgenerate; random trips of our own, up to six blocks each way, one per signal every 12 s, so that
the streets are equally full in every size. The 100 cycles after the first 100 s are timed in processor time: detection
(the tracks of all detectors out of raw positions), control (the loop: events, decisions, readings) and the cabinets'
guards. The simulation itself is not counted. Each size runs in a process of its own; memory is what a loop holds after
five cycles at full traffic.
"""

import argparse
import subprocess
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import msgspec
import numpy as np
import sumo

from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.kernel.app import Frame
from citybrain.kernel.loop import Loop, Step
from citybrain.serve import catalog
from citybrain.serve.experiment import BRAIN, Task, opening_of

BLOCK_M = 150
TRIPS_PER_SIGNAL_S = 1 / 12
BLOCKS_MOST = 6
COMING_S = 100
CYCLES = 100
HELD_AFTER = 5
SIDES = (10, 20, 30, 40)
NETGENERATE = Path(sumo.SUMO_HOME) / "bin" / "netgenerate"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of one core per cycle, and megabytes."""

    signals: int
    vehicles: int
    cycle_p50_ms: float
    cycle_p99_ms: float
    detection_p50_ms: float
    control_p50_ms: float
    guards_p50_ms: float
    memory_mb: float
    violations: int


def main() -> None:
    """Print `name value unit` for each size, the straight line through them, and write the picture."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sides", nargs="*", type=int, default=SIDES)
    words.add_argument("--svg", type=Path, default=None)
    chosen = words.parse_args()
    costs = []
    for side in chosen.sides:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
            costs.append(pool.submit(measure, side).result())
        for name, value in msgspec.structs.asdict(costs[-1]).items():
            print(f"scale.{costs[-1].signals}.{name} {value:.2f}", flush=True)
    if len(costs) > 1:
        per_signal_ms, base_ms, r2 = line(costs)
        print(f"scale.per_signal {per_signal_ms:.4f} ms")
        print(f"scale.base {base_ms:.2f} ms")
        print(f"scale.r2 {r2:.4f}")
        if chosen.svg:
            chosen.svg.write_text(picture(costs, per_signal_ms, base_ms, r2), encoding="utf-8")


def measure(side: int) -> Cost:
    """One size, in this process."""
    with TemporaryDirectory() as folder:
        write_city(Path(folder), side, Random(side))
        found = scenario.find(folder)
        field = SumoField(opening_of(Task(door="sumo", scenario=found, arm=BRAIN, seed=1)))
        try:
            return _timed(field, side * side)
        finally:
            field.close()


def write_city(folder: Path, side: int, random: Random) -> None:
    """A grid and random trips over it, vehicles spread over the first seconds."""
    grid = ("--grid", "--grid.number", str(side), "--grid.length", str(BLOCK_M), "--grid.attach-length", str(BLOCK_M))
    signals = ("--default-junction-type", "traffic_light", "--default.lanenumber", "2", "--no-turnarounds")
    command = [str(NETGENERATE), *grid, *signals, "-o", str(folder / "grid.net.xml")]
    subprocess.run(command, check=True, capture_output=True)
    length_s = COMING_S + CYCLES
    departs = sorted(random.uniform(0, length_s) for _ in range(int(TRIPS_PER_SIGNAL_S * side * side * length_s)))
    trips = "".join(_trip(number, at_s, side, random) for number, at_s in enumerate(departs))
    (folder / "grid.rou.xml").write_text(f"<routes>{trips}</routes>", encoding="utf-8")
    (folder / "grid.sumocfg").write_text(
        '<configuration><input><net-file value="grid.net.xml"/><route-files value="grid.rou.xml"/></input>'
        f'<time><begin value="0"/><end value="{COMING_S + CYCLES + 10}"/></time></configuration>',
        encoding="utf-8",
    )


def _trip(number: int, at_s: float, side: int, random: Random) -> str:
    x, y = random.randrange(side), random.randrange(side)
    far_x, far_y = (min(max(at + random.randint(-BLOCKS_MOST, BLOCKS_MOST), 0), side - 1) for at in (x, y))
    ends = f'from="{_street(x, y, side, random)}" to="{_street(far_x, far_y, side, random)}"'
    where = 'departLane="best" departPos="random_free" departSpeed="avg"'
    return f'<trip id="{number}" depart="{at_s:.2f}" {ends} {where}/>\n'


def _street(x: int, y: int, side: int, random: Random) -> str:
    """A street that leaves a junction, by netgenerate's names: columns A, B, … or AA, AB, …, rows 0, 1, …"""
    across, up = random.choice(((1, 0), (-1, 0), (0, 1), (0, -1)))
    if not (0 <= x + across < side and 0 <= y + up < side):
        across, up = -across, -up
    return f"{_column(x, side)}{y}{_column(x + across, side)}{y + up}"


def _column(number: int, side: int) -> str:
    """Letters of one width: A to Z, or AA to ZZ where there are more than 26 columns."""
    letters = chr(ord("A") + number % 26)
    return letters if side <= 26 else chr(ord("A") + number // 26) + letters


def _timed(field: SumoField, signals: int) -> Cost:
    parts: dict[str, list[float]] = {"detection": [], "guards": [], "control": []}
    inside: Any = field
    inside._eyes.look = _clocked(inside._eyes.look, parts["detection"])
    inside._cabinets.steer = _clocked(inside._cabinets.steer, parts["guards"])
    entities = field.entities()
    loop = Loop(catalog.apps(), entities, arm=BRAIN, decide=True)
    control = _clocked(loop.step, parts["control"])
    step: Step = control(field.step(()))
    frames: list[Frame] = []
    for _ in range(COMING_S + CYCLES - 1):
        step = control(field.step(step.abroad))
        frames = [*frames[1 - HELD_AFTER :], step.frame]
    vehicles = len(inside._simulation.vehicles)
    seconds = [np.array(part[-CYCLES:]) * 1000 for part in parts.values()]
    cycle = np.sum(seconds, axis=0)
    return Cost(
        signals=signals,
        vehicles=vehicles,
        cycle_p50_ms=float(np.percentile(cycle, 50)),
        cycle_p99_ms=float(np.percentile(cycle, 99)),
        detection_p50_ms=float(np.percentile(seconds[0], 50)),
        guards_p50_ms=float(np.percentile(seconds[1], 50)),
        control_p50_ms=float(np.percentile(seconds[2], 50)),
        memory_mb=_held_mb(entities, frames),
        violations=int(field.checked()["violations"]),
    )


def _clocked(call: Callable[..., Any], into: list[float]) -> Callable[..., Any]:
    def clocked(*given: Any, **named: Any) -> Any:
        began_s = process_time()
        result = call(*given, **named)
        into.append(process_time() - began_s)
        return result

    return clocked


def _held_mb(entities: Any, frames: list[Frame]) -> float:
    """Megabytes that a loop holds."""
    tracemalloc.start()
    loop = Loop(catalog.apps(), entities, arm=BRAIN, decide=True)
    for frame in frames:
        loop.step(frame)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1e6


def line(costs: list[Cost]) -> tuple[float, float, float]:
    """Slope, base and R² of the median cycle over the number of signals."""
    x = np.array([cost.signals for cost in costs], dtype=float)
    y = np.array([cost.cycle_p50_ms for cost in costs])
    slope, base = np.polyfit(x, y, 1)
    rest = float(((y - slope * x - base) ** 2).sum())
    return float(slope), float(base), 1.0 - rest / float(((y - y.mean()) ** 2).sum())


def picture(costs: list[Cost], per_signal_ms: float, base_ms: float, r2: float) -> str:
    """A small SVG: medians and 99th percentiles over signals, and the straight line."""
    wide, high, left, low = 560, 300, 60, 40
    most_x = max(cost.signals for cost in costs) * 1.05
    most_y = max(cost.cycle_p99_ms for cost in costs) * 1.1

    def at(signals: float, ms: float) -> tuple[float, float]:
        return left + signals / most_x * (wide - left - 20), high - low - ms / most_y * (high - low - 20)

    dots = "".join(
        f'<circle cx="{at(c.signals, ms)[0]:.1f}" cy="{at(c.signals, ms)[1]:.1f}" r="4" fill="{colour}"/>'
        for c in costs
        for ms, colour in ((c.cycle_p50_ms, "#1565c0"), (c.cycle_p99_ms, "#c62828"))
    )
    (x1, y1), (x2, y2) = at(0, base_ms), at(most_x, base_ms + per_signal_ms * most_x)
    marks = "".join(
        f'<text x="{at(c.signals, 0)[0]:.1f}" y="{high - low + 16}" text-anchor="middle">{c.signals}</text>'
        for c in costs
    )
    steps = "".join(
        f'<text x="{left - 6}" y="{at(0, ms)[1] + 4:.1f}" text-anchor="end">{ms:.0f}</text>'
        for ms in np.linspace(0, most_y, 5)
    )
    said = (
        f"median (blue) and 99th percentile (red); line: {base_ms:.1f} + {per_signal_ms:.3f} ms per signal, R² {r2:.3f}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="12">'
        f'<rect width="{wide}" height="{high}" fill="white"/>'
        f'<path d="M{left} 20V{high - low}H{wide - 20}" fill="none" stroke="#555"/>'
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#1565c0" stroke-dasharray="4 3"/>'
        f"{dots}{marks}{steps}"
        f'<text x="{wide / 2}" y="14" text-anchor="middle">Control cycle, ms of one core: {said}</text>'
        f'<text x="{wide / 2}" y="{high - 6}" text-anchor="middle">signals</text></svg>\n'
    )


if __name__ == "__main__":
    main()
