# SPDX-License-Identifier: Apache-2.0
"""How fast are ambulances? The same trips as missions and as ordinary cars, under the brain and under shipped plans.

Trips go between random roads with at least four signals on the way (or as many as the net has), from a generator of a
stated seed; one sets out every four minutes, in runs of an even seed three at the same second. Three runs of one hour
per net and seed: `mission` (brain, the trips are missions), `brain` and `plans` (the trips are ordinary cars of SUMO's
default type, under the brain and under the shipped plans). Times are from the dispatch to the arrival, the wait for a
gap to enter the road included. `others` are all vehicles that were not sent; their delay is RESCO's.
`python bench/traffic/ambulances.py [NET:SEED ...] [--keep FOLDER]`; what lies in the folder is not run again.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import msgspec

from citybrain.apps.traffic.control.missions.corridor import Crossings
from citybrain.apps.traffic.control.missions.model import DISPATCH, MISSION, SEND_VEHICLE
from citybrain.kernel.loop import Loop
from citybrain.kernel.records import Because, Entity, Event, Facts, Order, OutcomeState
from citybrain.kernel.routing import Roads, Times
from citybrain.serve import catalog, scenarios
from citybrain.serve.experiment import BRAIN, Task, opening_of

RUNS = (
    *("cologne3:1", "cologne3:2", "cologne8:1", "cologne8:2", "grid4x4:1", "grid4x4:2"),
    *("ingolstadt7:1", "ingolstadt7:2", "ingolstadt21:1"),
)
MISSIONS, CARS, PLANS = "mission", "brain", "plans"
ARMS = (MISSIONS, CARS, PLANS)
TRIPS_SEED = 20_261_125
SIGNALS = 4
LEAST_ROAD_M = 20.0
FIRST_S = 150
EVERY_S = 240
LAST_S = 3400
AT_ONCE = 3
ORDINARY = "car"


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """One trip: when, from and to which road."""

    number: int
    second: int
    start: str
    end: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one run came to: seconds per trip (None: not arrived), delay of others, and what missions foretold."""

    arm: str
    times_s: dict[int, float | None]
    foretold_s: dict[int, float]
    others_delay_s: float
    violations: int
    wall_s: float


def main() -> int:
    """Print `name value unit` for each run, net and all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("runs", nargs="*", default=RUNS)
    arguments.add_argument("--keep", type=Path)
    chosen = arguments.parse_args()
    runs: dict[str, dict[str, Run]] = {}
    for name in chosen.runs:
        net, seed = name.split(":")
        runs[name] = {arm: run(net, int(seed), arm, chosen.keep) for arm in ARMS}
        tell(f"{net}.seed{seed}", [runs[name]])
    tell("all", list(runs.values()))
    together = [one for name, one in runs.items() if int(name.split(":")[1]) % 2 == 0]
    if together:
        tell("three_at_once", together)
    everyone = [one[MISSIONS] for one in runs.values()]
    return 0 if all(time_s is not None for run in everyone for time_s in run.times_s.values()) else 1


def run(net: str, seed: int, arm: str, keep: Path | None) -> Run:
    """One run in a process of its own, or what was kept of it."""
    kept = keep / f"{net}-{seed}-{arm}.json" if keep else None
    if kept and kept.exists():
        return msgspec.json.decode(kept.read_bytes(), type=Run)
    with get_context("spawn").Pool(1) as pool:
        found: Run = pool.apply(drive, (net, seed, arm))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(msgspec.json.encode(found))
    return found


def tell(name: str, runs: Sequence[dict[str, Run]]) -> None:
    """The figures of some runs together."""
    times = {arm: [time_s for run in runs for time_s in run[arm].times_s.values()] for arm in ARMS}
    means = {arm: statistics.fmean(one for one in times[arm] if one is not None) for arm in ARMS}
    delays = {arm: statistics.fmean(run[arm].others_delay_s for run in runs) for arm in ARMS}
    print(f"{name}.missions {len(times[MISSIONS])} trips")
    print(f"{name}.arrived {sum(one is not None for one in times[MISSIONS])} trips")
    for arm in ARMS:
        print(f"{name}.{arm}.time {means[arm]:.1f} s")
        print(f"{name}.{arm}.others_delay {delays[arm]:.2f} s/veh")
    print(f"{name}.ratio.plans {means[MISSIONS] / means[PLANS]:.3f} mission/plans")
    print(f"{name}.ratio.brain {means[MISSIONS] / means[CARS]:.3f} mission/brain")
    print(f"{name}.others {(delays[MISSIONS] / delays[CARS] - 1) * 100:+.2f} %")
    misses = [
        abs(run[MISSIONS].foretold_s[number] - time_s)
        for run in runs
        for number, time_s in run[MISSIONS].times_s.items()
        if time_s is not None and number in run[MISSIONS].foretold_s
    ]
    print(f"{name}.eta_error {statistics.fmean(misses) if misses else 0.0:.1f} s")
    print(f"{name}.violations {sum(run[MISSIONS].violations for run in runs)} states")
    print(f"{name}.wall {sum(one.wall_s for run in runs for one in run.values()):.0f} s", flush=True)


def trips(entities: Sequence[Entity], signals: int, seed: int) -> list[Trip]:
    """The trips of one run, the same for every arm."""
    roads, crossings = Roads(entities), Crossings(entities)
    times = Times(roads, None)
    generator = random.Random(f"{TRIPS_SEED} {seed}")
    long = [one.id for one in entities if one.type == "RoadSegment" and one.attributes["length"] > LEAST_ROAD_M]
    moments = range(FIRST_S, LAST_S, EVERY_S if seed % 2 else EVERY_S * AT_ONCE)
    seconds = [second for second in moments for _ in range(1 if seed % 2 else AT_ONCE)]
    found: list[Trip] = []
    while len(found) < len(seconds):
        start, end = generator.choice(long), generator.choice(long)
        route = roads.fastest(start, end, times.ordinary_s) if start != end else None
        passed = sum(len(crossings.between(one, other)) for one, other in pairwise(route or ()))
        if passed >= min(SIGNALS, signals):
            found.append(Trip(number=len(found), second=seconds[len(found)], start=start, end=end))
    return found


def drive(net: str, seed: int, arm: str) -> Run:
    """One arm of one run, in this process."""
    begun_s = time.perf_counter()
    known = scenarios.find(net)
    field_of = scenarios.door_of(known.door).open
    assert field_of is not None
    # Under shipped plans nobody decides, but the street still takes the orders that send cars.
    field = field_of(opening_of(Task(door=known.door, scenario=known.scenario, arm=BRAIN, seed=seed)))
    entities = field.entities()
    loop = Loop(catalog.apps(), entities, arm=arm, decide=arm != PLANS)
    due = {trip.number: trip for trip in trips(entities, known.scenario.signals or SIGNALS, seed)}
    step = loop.step(field.step(()))
    told: dict[str, Event] = {}
    second = 1
    while not step.frame.finished:
        now = [trip for trip in due.values() if trip.second == second]
        orders = [order(trip, arm, step.frame.batch.observed_at) for trip in now]
        home, abroad = loop.split(orders) if arm == MISSIONS else ((), orders)
        step = loop.step(field.step((*step.abroad, *abroad)), home)
        refused = [one for one in step.outcomes if one.code and one.state is not OutcomeState.EXECUTED]
        assert not any(one.order_id.startswith("trip-") for one in refused), refused
        for event in step.events:
            if event.kind == MISSION:
                told.setdefault(event.id, event)
        second += 1
    summary = field.summary()
    return Run(
        arm=arm,
        times_s=_times(summary, due),
        foretold_s={number_of(event.id): event.evidence["eta_s"] for event in told.values()},
        others_delay_s=summary["fleet"]["others_delay_s"],
        violations=summary.get("violations", 0),
        wall_s=time.perf_counter() - begun_s,
    )


def order(trip: Trip, arm: str, at: datetime) -> Order:
    """The dispatch of a mission, or the order that sends an ordinary car the same way."""
    parameters: dict[str, object] = {"kind": ORDINARY, "from_road": trip.start, "to_road": trip.end}
    if arm == MISSIONS:
        parameters |= {"kind": "ambulance", "urgency": 1}
    return Order(
        id=f"trip-{trip.number}",
        means=DISPATCH if arm == MISSIONS else SEND_VEHICLE,
        entity_id=trip.end if arm == MISSIONS else f"urn:ngsi-ld:Vehicle:trip-{trip.number}",
        at=at,
        because=Because(code="traffic.mission_begun", facts={"vehicle": f"trip-{trip.number}", "urgency": 1}),
        parameters=parameters,
    )


def number_of(name: str) -> int:
    """The number of the trip in an id."""
    return int(name.rsplit("-", 1)[1])


def _times(summary: Facts, due: dict[int, Trip]) -> dict[int, float | None]:
    found: dict[int, float | None] = dict.fromkeys(due)
    for vehicle, trip in summary["fleet"]["vehicles"].items():
        found[number_of(vehicle)] = trip["time_s"] if trip["arrived"] else None
    return found


if __name__ == "__main__":
    sys.exit(main())
