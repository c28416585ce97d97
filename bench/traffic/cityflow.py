# SPDX-License-Identifier: Apache-2.0
"""Hangzhou 4x4 and Jinan 3x4, CityFlow's own files, converted and run in SUMO, under the metrics of the literature.

`published`: per vehicle the seconds it is on roads that lead to a signal, from when it is first seen on the first of
them; mean over all seen; who is still on one at the end counts until then. Waiting to enter, the inside of junctions
and the last road do not count. So compute Advanced_XLight, LLMTSCS (utils/oneline.py) and CoordLight (Tester.py); in
CityFlow's own engine, built from its source, the plan of arm `four` gives 492.7 s and 427.7 s; quoted: 495 and 428.
`engine`: from the due departure to the arrival, or to the end of the hour; mean over all that were due. So computes
CityFlow itself (src/engine/engine.cpp, Engine::getAverageTravelTime).

Arms. `fixed`: the plan of the file, eight phases of 30 s, its clearance (5 s) at every change. `four`: the plan of the
literature's FixedTime, the first four phases, 30 s green and 5 s clearance. `max_pressure`, `greedy`: rules of this
bench, a decision every 10 s. `brain`: ours. `quick`: ours on a net with the 2 s clearance of the 5-s literature; our
guard shows no yellow under 3 s.
`python -m bench.traffic.cityflow FOLDER [--nets hangzhou_4x4 jinan_3x4] [--arms fixed four greedy brain] [--seeds 1]`
where FOLDER has `<net>/roadnet.json` and `<net>/flow_1.json`.
"""

import argparse
import math
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import libsumo
import msgspec

from bench.traffic import baselines
from citybrain.apps.traffic.app import APP
from citybrain.doors.sumo.importing import demand, folder, plain, programs
from citybrain.doors.sumo.importing.findings import Findings
from citybrain.doors.sumo.importing.roadnet import Flow, Phase, Point, Roadnet, read_flows, read_roadnet
from citybrain.kernel.loop import Loop
from citybrain.serve import catalog, scenarios
from citybrain.serve.experiment import BRAIN, FIXED, Task, opening_of

HOUR_S = 3600
NETS = ("hangzhou_4x4", "jinan_3x4")
FREE_FLOW_S = 900


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    published_s: float
    engine_s: float
    arrived: int
    waiting: int
    seconds: float


class Watch:
    """Sees each second which vehicles are on a road that leads to a signal, as the literature's environments do."""

    def __init__(self, due: dict[str, float]) -> None:
        lanes = {
            lane
            for light in libsumo.trafficlight.getIDList()
            for lane in libsumo.trafficlight.getControlledLanes(light)
        }
        self._roads = sorted({lane.rpartition("_")[0] for lane in lanes})
        self._since: dict[str, dict[str, float]] = {road: {} for road in self._roads}
        self._spent: dict[str, float] = {}
        self._due = due
        self.arrived: dict[str, float] = {}

    def look(self) -> None:
        """After each second."""
        now_s = libsumo.simulation.getTime()
        for vehicle in libsumo.simulation.getArrivedIDList():
            self.arrived[vehicle] = now_s
        for road in self._roads:
            here, since = set(libsumo.edge.getLastStepVehicleIDs(road)), self._since[road]
            for vehicle in here - since.keys():
                since[vehicle] = now_s
                self._spent.setdefault(vehicle, 0.0)
            for vehicle in since.keys() - here:
                self._spent[vehicle] += now_s - since.pop(vehicle)

    def result(self, seconds: float) -> Result:
        """Both metrics at the end of the hour."""
        for since in self._since.values():
            for vehicle, start_s in since.items():
                self._spent[vehicle] += HOUR_S - start_s
        trips = [self.arrived.get(vehicle, HOUR_S) - due_s for vehicle, due_s in self._due.items() if due_s < HOUR_S]
        return Result(
            published_s=statistics.fmean(self._spent.values()),
            engine_s=statistics.fmean(trips),
            arrived=len(self.arrived),
            waiting=len(libsumo.simulation.getPendingVehicles()),
            seconds=seconds,
        )


def replanned(net: Roadnet, change: Callable[[Sequence[Phase]], list[Phase]]) -> Roadnet:
    """The net with other phases at each signal."""
    junctions = []
    for junction in net.intersections:
        light = junction.traffic_light
        if light is not None and light.lightphases:
            light = msgspec.structs.replace(light, lightphases=change(light.lightphases))
        junctions.append(msgspec.structs.replace(junction, traffic_light=light))
    return msgspec.structs.replace(net, intersections=junctions)


def timed(phase: Phase, seconds: float) -> Phase:
    """The phase with another time."""
    return msgspec.structs.replace(phase, time=seconds)


RIVALS = {"max_pressure": baselines.max_pressure, "greedy": baselines.greedy}
PLANS: dict[str, Callable[[Sequence[Phase]], list[Phase]]] = {
    "fixed": list,
    "max_pressure": list,
    "greedy": list,
    "four": lambda phases: [timed(phases[0], 5), *(timed(phase, 30) for phase in phases[1:5])],
    "brain": list,
    "quick": lambda phases: [timed(phases[0], 2), *phases[1:]],
}


def convert(source: Path, arm: str, target: Path) -> tuple[Roadnet, list[Flow]]:
    """Write the city of one arm as the importer writes it."""
    net = replanned(read_roadnet(source / "roadnet.json"), PLANS[arm])
    flows = read_flows(source / "flow_1.json")
    demand.write(net, flows, target, Findings())
    plain.build(net, target)
    folder.configuration(target, routes=demand.ROUTES, end_s=HOUR_S)
    return net, flows


def run(source: Path, arm: str, seed: int) -> Result:
    """One hour of one net under one arm."""
    with TemporaryDirectory(prefix="citybrain-cityflow-") as text:
        target = Path(text)
        convert(source, arm, target)
        due = {
            one.get("id", ""): float(one.get("depart", "0"))
            for _, one in ET.iterparse(target / demand.ROUTES)
            if one.tag == "vehicle"
        }
        found = scenarios.find(str(target))
        steered = FIXED if arm in ("fixed", "four") else BRAIN
        task = Task(door=found.door, scenario=found.scenario, arm=steered, seed=seed)
        rival = [msgspec.structs.replace(APP, deciders=(RIVALS[arm],), detectors=())] if arm in RIVALS else None
        begin = scenarios.door_of(task.door).open
        assert begin is not None
        started_s = perf_counter()
        field = begin(opening_of(task))
        try:
            watch = Watch(due)
            loop = Loop(rival or catalog.apps(), field.entities(), arm=task.arm, decide=task.arm == BRAIN)
            step = loop.step(field.step(()))
            watch.look()
            while not step.frame.finished:
                step = loop.step(field.step(step.abroad))
                watch.look()
            return watch.result(perf_counter() - started_s)
        finally:
            field.close()


def free_flow(source: Path) -> tuple[float, float, int]:
    """Mean seconds of a trip that nothing holds up: as SUMO drove it, and by CityFlow's formula; over how many trips.

    SUMO's is duration less time loss. CityFlow's: lanes at their speed, turns at `turnSpeed`, from standing.
    """
    with TemporaryDirectory(prefix="citybrain-cityflow-") as text:
        target = Path(text)
        net, _ = convert(source, "fixed", target)
        arguments = ["-c", folder.CONFIGURATION, "--end", str(FREE_FLOW_S), "--tripinfo-output", "trips.xml"]
        programs.run("sumo", [*arguments, "--no-step-log", "true", "--no-warnings", "true"], target)
        routes = {
            one.get("id", ""): one[0].get("edges", "").split()
            for one in ET.parse(target / demand.ROUTES).getroot()
            if one.tag == "vehicle"
        }
        names = plain.Names(net).roads
        formula = Formula(net)
        back = {fit: name for name, fit in names.items()}
        drove, said = [], []
        for trip in ET.parse(target / "trips.xml").getroot():
            drove.append(float(trip.get("duration", "0")) - float(trip.get("timeLoss", "0")))
            said.append(formula.seconds([back[road] for road in routes[trip.get("id", "")]]))
        return statistics.fmean(drove), statistics.fmean(said), len(drove)


class Formula:
    """How long CityFlow's vehicles take when nothing holds them up."""

    def __init__(self, net: Roadnet) -> None:
        self._roads = {road.id: road for road in net.roads}
        self._junctions = {junction.id: junction for junction in net.intersections}

    def seconds(self, route: Sequence[str]) -> float:
        """Along whole roads cut at the stop lines, and the ways between; plus half the time to reach full speed."""
        total_s = sum(self._road_m(road) / self._roads[road].lanes[0].max_speed for road in route)
        total_s += sum(self._turn_s(here, there) for here, there in pairwise(route))
        full_mps = self._roads[route[0]].lanes[0].max_speed
        return total_s + full_mps / 2.0 / 2.0

    def _road_m(self, name: str) -> float:
        road = self._roads[name]
        ends = (self._junctions[road.start_intersection], self._junctions[road.end_intersection])
        return length_m(road.points) - sum(0.0 if end.virtual else end.width for end in ends)

    def _turn_s(self, here: str, there: str) -> float:
        links = self._junctions[self._roads[here].end_intersection].road_links
        link = next(one for one in links if (one.start_road, one.end_road) == (here, there))
        mps = self._roads[here].lanes[0].max_speed if link.type == "go_straight" else plain.TURN_MPS
        return statistics.fmean(length_m(way.points) for way in link.lane_links) / mps


def length_m(points: Sequence[Point]) -> float:
    """The length of a line."""
    return sum(math.hypot(a.x - b.x, a.y - b.y) for a, b in pairwise(points))


def main() -> None:
    """Print `name value unit` for each net, arm and metric."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--nets", nargs="*", default=NETS)
    arguments.add_argument("--arms", nargs="*", default=list(PLANS))
    arguments.add_argument("--seeds", type=int, default=1)
    chosen = arguments.parse_args()
    for net in chosen.nets:
        drove_s, said_s, count = free_flow(chosen.folder / net)
        print(f"{net}.free_flow.sumo {drove_s:.1f} s ({count} trips)")
        print(f"{net}.free_flow.cityflow_formula {said_s:.1f} s", flush=True)
        for arm in chosen.arms:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
                results = list(
                    pool.map(run, *zip(*((chosen.folder / net, arm, s + 1) for s in range(chosen.seeds)), strict=True))
                )
            for name, unit in (
                ("published_s", "s"),
                ("engine_s", "s"),
                ("arrived", "veh"),
                ("waiting", "veh"),
                ("seconds", "s"),
            ):
                values = [float(getattr(result, name)) for result in results]
                print(
                    f"{net}.{arm}.{name} {statistics.fmean(values):.2f} {unit} {[round(v, 2) for v in values]}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
