# SPDX-License-Identifier: Apache-2.0
"""Wrong-way drivers among floating cars: how many are found, how soon, and how often one is told who drives right.

Whole hours of several networks under their shipped plans. Drivers are set against one-way roads by the injector
(`doors/sumo/against.py`), every one of them reports; one vehicle in five of all others does, each every 5 s, with
errors of `--accuracy` (standard deviation, east and north alike). Found: an event on a road that he drives against, or
within 50 m of one, while he does. False: any other. `told_apart` is the share of all roads' length where no other road
explains a move against it; `fair` are drivers who drove for 20 s and had 120 m of such roads on their way.
`python bench/bench_wrong_way.py [--nets cologne1 cologne3 …] [--seeds 21 22] [--accuracy 5] [--per-hour 40]`
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from citybrain.apps.traffic.detect.carriageways import ALONG, Carriageways, Piece
from citybrain.apps.traffic.detect.wrong_way import FLOATING_CARS, WrongWay
from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.doors.sumo.floating import ACCURACY_M, REPORT_EVERY_S
from citybrain.doors.sumo.network import entity_id
from citybrain.kernel.geo import distance_m
from citybrain.kernel.records import Batch, Entity, Event
from citybrain.serve.experiment import FIXED, Task, opening_of

NETS = ("cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "ingolstadt21")
LATE_S = 15.0
"""An event that opens so soon after he was taken away is still of him: reports come every 5 s."""
NEAR_M = 50.0
STEP_M = 5.0
FAIR_S, FAIR_M = 20.0, 120.0


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one: when he was found (None: not), how long he drove, and on how much of it he could be told."""

    found_s: float | None
    drove_s: float
    tellable_m: float

    @property
    def is_fair(self) -> bool:
        """He could be told on long enough a way."""
        return self.drove_s >= FAIR_S and self.tellable_m >= FAIR_M


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Of one run."""

    drivers: list[Driver]
    false: list[str]
    link_hours: float
    car_hours: float
    told_apart: float


def main() -> None:
    """Print `name value unit` lines, for each network and all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nets", nargs="+", default=NETS)
    arguments.add_argument("--seeds", nargs="+", type=int, default=[21])
    arguments.add_argument("--demand", type=float, default=1.0)
    arguments.add_argument("--accuracy", type=float, default=ACCURACY_M)
    arguments.add_argument("--per-hour", type=float, default=40.0)
    chosen = arguments.parse_args()
    whole: list[Result] = []
    for net in chosen.nets:
        results = [one_run(net, seed, chosen) for seed in chosen.seeds]
        told(net, results)
        whole += results
    told("all", whole)


def one_run(net: str, seed: int, chosen: argparse.Namespace) -> Result:
    """In a process of its own: SUMO forgets little of an earlier run, but something."""
    with get_context("spawn").Pool(1) as pool:
        return msgspec.convert(pool.apply(run, (net, seed, chosen.demand, chosen.per_hour, chosen.accuracy)), Result)


def run(net: str, seed: int, demand: float, per_hour: float, accuracy_m: float) -> Mapping[str, Any]:
    """One whole scenario."""
    city = scenario.find(net)
    draw = {"kinds": ["wrong_way"], "per_hour": per_hour, "seed": seed, "from_s": 120.0}
    options = {"demand": demand, "incidents": draw, "floating_m": accuracy_m}
    field = SumoField(opening_of(Task(door="sumo", scenario=city, arm=FIXED, seed=seed, options=options)))
    batches: list[Batch] = []
    try:
        entities = field.entities()
        while True:
            frame = field.step(())
            batches.append(frame.batch)
            if frame.finished:
                break
        truth = field.truth()
    finally:
        field.close()
    found = looked_at(entities, batches, truth, city.end_s - city.begin_s, accuracy_m)
    result: Mapping[str, Any] = msgspec.to_builtins(found)
    return result


def looked_at(
    entities: Sequence[Entity],
    batches: Iterable[Batch],
    truth: Sequence[Mapping[str, Any]],
    length_s: float,
    accuracy_m: float,
) -> Result:
    """What the detector makes of a run."""
    detector, events, reports = WrongWay(entities), dict[str, list[Event]](), 0
    for batch in batches:
        for event in detector(batch):
            events.setdefault(event.id, []).append(event)
        tables = [column.values[0] for column in batch.columns if column.attribute == FLOATING_CARS]
        reports += sum(len(table) for table in tables)
    roads = {one.id: one for one in entities if one.type == "RoadSegment"}
    apart = told_apart(Carriageways(list(roads.values())), accuracy_m)
    lengths_m = {id: float(one.attributes["length"]) for id, one in roads.items()}
    drivers, false = judged(truth, events, roads, apart, length_s)
    return Result(
        drivers=drivers,
        false=false,
        link_hours=len(roads) * length_s / 3600.0,
        car_hours=reports * REPORT_EVERY_S / 3600.0,
        told_apart=sum(apart[one] * lengths_m[one] for one in apart) / sum(lengths_m.values()),
    )


def told_apart(roads: Carriageways, accuracy_m: float) -> dict[str, float]:
    """Of each road, on which share of its length no other one explains a move against it."""
    alone: dict[str, list[bool]] = {}
    for at, road in enumerate(roads.roads):
        for piece in roads.pieces(at):
            steps = max(1, round(piece.length_m / STEP_M))
            shares = ((step + 0.5) / steps for step in range(steps))
            alone.setdefault(road.id, []).extend(_is_alone(roads, piece, share, accuracy_m) for share in shares)
    return {road: sum(each) / len(each) for road, each in alone.items()}


def _is_alone(roads: Carriageways, piece: Piece, share: float, accuracy_m: float) -> bool:
    (x0, y0), (x1, y1) = piece.begin, piece.end
    back = ((x0 - x1) / piece.length_m, (y0 - y1) / piece.length_m)
    return not any(each.along(back) > ALONG for each, _ in roads.near(piece.point(share), accuracy_m))


def judged(
    truth: Sequence[Mapping[str, Any]],
    events: Mapping[str, Sequence[Event]],
    roads: Mapping[str, Entity],
    apart: Mapping[str, float],
    length_s: float,
) -> tuple[list[Driver], list[str]]:
    """The drivers that there were, and the events that are of nobody."""
    drivers: list[Driver] = []
    matched: set[str] = set()
    for one in truth:
        if one["begin_s"] is None:
            continue
        his = [entity_id("RoadSegment", road) for road in one["roads"]]
        begin = datetime.fromisoformat(one["begin"])
        drove_s = (length_s if one["end_s"] is None else one["end_s"]) - one["begin_s"]
        until = begin + timedelta(seconds=drove_s + LATE_S)
        mine = [story[0] for story in events.values() if begin <= story[0].at <= until and _is_at(story[0], his, roads)]
        matched |= {event.id for event in mine}
        first_s = min(((event.at - begin).total_seconds() for event in mine), default=None)
        tellable_m = sum(apart.get(road, 0.0) * float(roads[road].attributes["length"]) for road in his)
        drivers.append(Driver(found_s=first_s, drove_s=drove_s, tellable_m=tellable_m))
    false = [story[0] for id, story in events.items() if id not in matched]
    return drivers, [f"{each.entity_id} {each.at:%H:%M:%S} {each.evidence}" for each in false]


def _is_at(event: Event, his: Sequence[str], roads: Mapping[str, Entity]) -> bool:
    """On a road that he drives against, or so near to one that it is he."""
    if event.entity_id in his:
        return True
    points = [point for road in his for point in roads[road].geometry["coordinates"]]
    here = tuple(event.geometry["coordinates"])
    return any(distance_m((here[0], here[1]), (point[0], point[1])) <= NEAR_M for point in points)


def told(name: str, results: Sequence[Result]) -> None:
    """The lines of one network, or of all."""
    drivers = [each for result in results for each in result.drivers]
    for which, some in (("", drivers), (".fair", [each for each in drivers if each.is_fair])):
        waits = [each.found_s for each in some if each.found_s is not None]
        p50, p95 = np.percentile(waits, (50, 95)) if waits else (np.nan, np.nan)
        share = 100 * len(waits) / max(len(some), 1)
        print(f"{name}{which}.found {len(waits)} of {len(some)} {share:.1f} % p50 {p50:.0f} s p95 {p95:.0f} s")
    links, cars = (sum(getattr(result, field) for result in results) for field in ("link_hours", "car_hours"))
    false = [each for result in results for each in result.false]
    print(f"{name}.false {len(false)} in {links:.0f} link-hours and {cars:.0f} hours of floating cars")
    apart = 100 * np.mean([result.told_apart for result in results])
    print(f"{name}.told_apart {apart:.0f} % drove {np.median([each.drove_s for each in drivers]):.0f} s", flush=True)
    for each in false:
        print(f"  {each}", flush=True)


if __name__ == "__main__":
    main()
