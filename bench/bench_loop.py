# SPDX-License-Identifier: Apache-2.0
"""What the brain costs: time from an observation batch to its orders, and a whole run beside the bare simulator.

The baseline is the same field (SUMO stepped by libsumo, the same sensors read each second) with nobody listening.
`python bench/bench_loop.py [NET ...]`
"""

import argparse
import gc
import sys
from collections.abc import Callable
from multiprocessing import get_context
from time import perf_counter

import numpy as np

from citybrain.kernel.app import Field
from citybrain.kernel.loop import Loop
from citybrain.serve import catalog, scenarios
from citybrain.serve.experiment import BRAIN, Task, opening_of

NETS = ("cologne8", "ingolstadt21")


def opened(net: str) -> tuple[Field, Task]:
    """The net's field under the brain, seed 1, in this process."""
    found = scenarios.find(net)
    task = Task(door=found.door, scenario=found.scenario, arm=BRAIN, seed=1)
    begin = scenarios.door_of(found.door).open
    assert begin is not None
    return begin(opening_of(task)), task


def bare(net: str) -> dict[str, float]:
    """The field alone: it obeys nobody, so its signals run the shipped plans."""
    field, _ = opened(net)
    field.entities()
    began_s = perf_counter()
    steps = 1
    while not field.step(()).finished:
        steps += 1
    wall_s = perf_counter() - began_s
    field.close()
    return {"wall_s": wall_s, "steps": steps}


def with_brain(net: str) -> dict[str, float]:
    """The field and the loop; each loop step is timed."""
    field, task = opened(net)
    loop = Loop(catalog.apps(), field.entities(), arm=task.arm, decide=True)
    took_s: list[float] = []
    frame = field.step(())
    gc.collect()
    began_s = perf_counter()
    while True:
        seen_s = perf_counter()
        step = loop.step(frame)
        took_s.append(perf_counter() - seen_s)
        if frame.finished:
            break
        frame = field.step(step.abroad)
    wall_s = perf_counter() - began_s
    field.close()
    p50_ms, p99_ms, most_ms = (float(each) * 1000 for each in np.percentile(took_s, [50, 99, 100]))
    field_s = wall_s - sum(took_s)
    return {"wall_s": wall_s, "field_s": field_s, "p50_ms": p50_ms, "p99_ms": p99_ms, "max_ms": most_ms}


def apart(measure: Callable[[str], dict[str, float]], net: str) -> dict[str, float]:
    """Measure in a process of its own: SUMO is once per process, and caches of one run do not help the next."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (net,))


def main() -> int:
    """Print `name value unit` lines; bare and brain run one after the other, each with the machine to itself."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("nets", nargs="*", default=NETS)
    for net in arguments.parse_args().nets:
        alone, brain = apart(bare, net), apart(with_brain, net)
        print(f"{net}.bare.wall {alone['wall_s']:.2f} s")
        print(f"{net}.brain.wall {brain['wall_s']:.2f} s")
        print(f"{net}.ratio.wall {brain['wall_s'] / alone['wall_s']:.3f} brain/bare")
        print(f"{net}.ratio.same_run {brain['wall_s'] / brain['field_s']:.3f} (field+loop)/field")
        for name in ("p50_ms", "p99_ms", "max_ms"):
            print(f"{net}.batch_to_orders.{name.removesuffix('_ms')} {brain[name]:.3f} ms", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
