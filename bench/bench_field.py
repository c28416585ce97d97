# SPDX-License-Identifier: Apache-2.0
"""What it costs to watch a street: a field without a brain against bare libsumo that reads the same data.

`python bench/bench_field.py [NET ...] [--repeats 3]`: the least processor time of the repeats, one net after the other.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import libsumo

from citybrain.doors.sumo import configuration, scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.simulation import Simulation
from citybrain.kernel.app import Opening, Scenario

NETS = ("cologne1", "cologne8", "ingolstadt21")
BEGINS_AT = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Print `name value unit` for each net."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("nets", nargs="*", default=NETS)
    arguments.add_argument("--repeats", type=int, default=3)
    chosen = arguments.parse_args()
    for net in chosen.nets:
        found = scenario.find(net)
        bare_s = min(timed(bare, found) for _ in range(chosen.repeats))
        field_s = min(timed(field, found) for _ in range(chosen.repeats))
        seconds = found.end_s - found.begin_s
        print(f"field.{net}.bare {bare_s:.2f} s")
        print(f"field.{net}.field {field_s:.2f} s")
        print(f"field.{net}.ratio {field_s / bare_s:.2f}")
        print(f"field.{net}.speed {seconds / field_s:.0f} s/s")


def timed(run: Callable[[Scenario], None], found: Scenario) -> float:
    """Processor seconds of one run: SUMO has one thread, and a busy machine then does not count."""
    began_s = process_time()
    run(found)
    return process_time() - began_s


def bare(found: Scenario) -> None:
    """SUMO with the same options, and where each vehicle is, how fast, and what each signal shows, each second."""
    vehicle, light = libsumo.vehicle, libsumo.trafficlight
    with TemporaryDirectory() as folder:
        simulation = Simulation(configuration.read(Path(found.path)), Path(folder), seed=1)
        signals = light.getIDList()
        while simulation.now_s() < found.end_s:
            simulation.run_until(simulation.now_s() + 1.0)
            for one in simulation.vehicles:
                vehicle.getLaneID(one), vehicle.getLanePosition(one), vehicle.getSpeed(one)
            for one in signals:
                light.getRedYellowGreenState(one)
        simulation.close()


def field(found: Scenario) -> None:
    """The same run as the city sees it."""
    opened = SumoField(Opening(scenario=found, seed=1, begins_at=BEGINS_AT, obey=False))
    while not opened.step(()).finished:
        pass
    opened.summary()
    opened.close()


if __name__ == "__main__":
    main()
