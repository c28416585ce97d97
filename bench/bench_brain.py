# SPDX-License-Identifier: Apache-2.0
"""Does the brain help? Every RESCO network under the brain and under its shipped plans, same SUMO, same seeds.

Delay is RESCO's: mean over due trips of timeLoss + departDelay, unfinished and never-departed ones counted.
`python bench/bench_brain.py [NET ...] [--seeds 3]`
"""

import argparse
import sys

from citybrain.serve import scenarios
from citybrain.serve.experiment import BRAIN, FIXED, Died, Finished, Task, run_all
from citybrain.serve.report import figure, ratio

NETS = ("cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21", "grid4x4", "arterial4x4")
FIGURES = (("delay_s", "s"), ("travel_time_s", "s"), ("arrived", "veh"), ("delay_index", ""))


def main() -> int:
    """Print `name value unit` for each net, arm and figure, and the ratios."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("nets", nargs="*", default=NETS)
    arguments.add_argument("--seeds", type=int, default=3)
    chosen = arguments.parse_args()
    died = 0
    for net in chosen.nets:
        found = scenarios.find(net)
        tasks = [
            Task(door=found.door, scenario=found.scenario, arm=arm, seed=seed)
            for seed in range(1, chosen.seeds + 1)
            for arm in (FIXED, BRAIN)
        ]
        results = run_all(tasks, at_once=2, progress=lambda _index, _share: None)
        finished = [result for result in results if isinstance(result, Finished)]
        died += sum(isinstance(result, Died) for result in results)
        tell(net, finished)
    return 1 if died else 0


def tell(net: str, finished: list[Finished]) -> None:
    """One line per figure."""
    for key, unit in FIGURES:
        fixed, brain = figure(finished, FIXED, key), figure(finished, BRAIN, key)
        print(f"{net}.fixed.{key} {fixed:.3f} {unit}")
        print(f"{net}.brain.{key} {brain:.3f} {unit}")
        print(f"{net}.ratio.{key} {ratio(brain, fixed):.3f} brain/fixed", flush=True)
    for result in sorted(finished, key=lambda each: (each.arm, each.seed)):
        print(f"{net}.{result.arm}.seed{result.seed}.delay_s {result.summary['delay_s']:.3f} s")
        print(f"{net}.{result.arm}.seed{result.seed}.arrived {result.summary['arrived']} veh")
        print(f"{net}.{result.arm}.seed{result.seed}.wall {result.wall_s:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
