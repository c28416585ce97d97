# SPDX-License-Identifier: Apache-2.0
"""One run: the city with its incidents, what its detectors told, and what really happened on the roads."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import libsumo
import msgspec

from bench.detection.baseline import SpeedThreshold
from bench.detection.plan import SENSORS, Case, incidents, local
from citybrain.doors.sumo import configuration, demand, scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.kernel.loop import Loop
from citybrain.kernel.records import Entity, Event
from citybrain.serve import catalog
from citybrain.serve.experiment import BRAIN, Task, opening_of

JAM_SHARE = 0.4
"""GB/T 33171-2016: at or below 40 % of the free speed a road is moderately congested."""

JAM_VEHICLES = 3
LOOK_EVERY_S = 5
QUEUE_STANDING = 3

HARM_STANDING, HARM_SLOWER = 3.0, 0.75
"""A surge does harm where, on a road that its vehicles drive on, three more vehicles stand in the mean of its life than
in that of as long before, or where the mean speed falls to three quarters and at most `JAM_SHARE` of the limit."""


class Alarm(msgspec.Struct, kw_only=True):
    """What was told once: an event from its opening to its end, in seconds since the scenario's begin.

    `joined` says when a detector was told of, each time that it came to the event anew.
    """

    kind: str
    entity_id: str
    at_s: float
    ended_s: float | None
    roads: list[str]
    detectors: list[str]
    joined: list[tuple[str, float]] = []
    now: set[str] = set()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file: truth, alarms of the city and of the plain baseline, and where it really was jammed.

    `jams` has for each road the seconds at which it was; `passed` the vehicles that drove on the road of an incident
    during its life. `onward` says which road leads to which.
    """

    case: Case
    truth: list[dict[str, Any]]
    alarms: list[Alarm]
    baseline: list[Alarm]
    jams: dict[str, list[int]]
    onward: dict[str, list[str]]
    links: int
    hours: float


def measure(case: Case, per_hour: Mapping[str, float], keep: Callable[[Any], None] = lambda _: None) -> Result:
    """Run it in this process, which must not have run one before. `keep` hears entities, frames and truth."""
    city = scenario.find(case.net)
    length_s = city.end_s - city.begin_s
    planned = incidents(case, _entities(case), per_hour, length_s)
    options: dict[str, Any] = {"demand": case.demand, **({"incidents": planned} if planned else {})}
    opening = opening_of(Task(door="sumo", scenario=city, arm=BRAIN, seed=case.seed, options=options))
    field = SumoField(opening)
    try:
        entities = field.entities()
        keep(entities)
        loop = Loop(catalog.apps(), entities, arm=BRAIN, decide=True)
        plain = SpeedThreshold(entities)
        told: dict[str, Alarm] = {}
        simple: dict[str, Alarm] = {}
        judge = Judge(entities)
        step = loop.step(field.step(()))
        while not step.frame.finished:
            batch = step.frame.batch
            passed_s = (batch.observed_at - opening.begins_at).total_seconds()
            keep(batch)
            hear(step.events, told, passed_s)
            hear(plain(batch), simple, passed_s)
            judge.look(round(passed_s))
            judge.sensors(field.truth())
            step = loop.step(field.step(step.abroad))
        truth = [dict(one) for one in field.summary().get("truth", ())]
        keep(truth)
    finally:
        field.close()
    for one in truth:
        one["passed"] = judge.passed(one)
        one["in_sight"] = in_sight(one, entities)
        if one["kind"] in SENSORS:
            one["reached"] = judge.reached(one)
        if one["kind"] == "surge" and one["begin_s"] is not None:
            one["feeds"] = judge.feeds(one)
            one["harms"] = judge.harms(one, one["feeds"])
    onward = {one.id: list(one.attributes["leadsTo"]) for one in entities if one.type == "RoadSegment"}
    return Result(
        case=case,
        truth=truth,
        alarms=list(told.values()),
        baseline=list(simple.values()),
        jams=judge.jams,
        onward=onward,
        links=len(watched_roads(entities)),
        hours=length_s / 3600.0,
    )


def hear(events: Sequence[Event], told: dict[str, Alarm], passed_s: float) -> None:
    """Note openings, growth and endings of what traffic tells."""
    for event in events:
        if not event.kind.startswith("traffic.") or event.kind in ("traffic.brain_worse", "traffic.mission"):
            continue
        alarm = told.setdefault(
            event.id,
            Alarm(kind=event.kind, entity_id=event.entity_id, at_s=passed_s, ended_s=None, roads=[], detectors=[]),
        )
        now = set(event.evidence.get("detectors", [])) if not event.ended_at else set()
        alarm.joined += [(name, passed_s) for name in sorted(now - alarm.now)]
        alarm.now = now
        alarm.ended_s = passed_s if event.ended_at else None
        alarm.roads = sorted({*alarm.roads, *event.evidence.get("roads", [])})
        alarm.detectors = sorted({*alarm.detectors, *event.evidence.get("detectors", [])})


class Judge:
    """Sees all vehicles, every few seconds: which roads are jammed, and who drives where incidents are."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._roads = {
            one.id: (local(one), float(one.attributes["maximumAllowedSpeed"]) / 3.6)
            for one in entities
            if one.type == "RoadSegment"
        }
        self.jams: dict[str, list[int]] = {}
        self._flow: dict[str, list[tuple[int, int, int, float]]] = {}
        self._seen: dict[str, list[tuple[int, frozenset[str]]]] = {}
        self._reach = {one.id: one.attributes for one in entities if one.type == "TrafficDetector"}
        self._in_reach: dict[str, set[str]] = {}

    def sensors(self, truth: Sequence[Mapping[str, Any]]) -> None:
        """Whoever is in reach of a detector while something is wrong with it."""
        for one in truth:
            if one["kind"] in SENSORS and one["begin_s"] is not None and one["end_s"] is None:
                seen = self._in_reach.setdefault(f"{one['entity_id']} {one['begin_s']}", set())
                for lane, metres, sign, _ in self._reach[one["entity_id"]]["watches"]:
                    for vehicle in libsumo.lane.getLastStepVehicleIDs(lane):
                        far_m = metres + sign * libsumo.vehicle.getLanePosition(vehicle)
                        if far_m <= self._reach[one["entity_id"]]["range_m"]:
                            seen.add(vehicle)

    def look(self, passed_s: int) -> None:
        if passed_s % LOOK_EVERY_S:
            return
        for road, (edge, limit_mps) in self._roads.items():
            count = libsumo.edge.getLastStepVehicleNumber(edge)
            if not count:
                continue
            mean_mps, standing = libsumo.edge.getLastStepMeanSpeed(edge), libsumo.edge.getLastStepHaltingNumber(edge)
            self._flow.setdefault(road, []).append((passed_s, count, standing, mean_mps))
            if (count >= JAM_VEHICLES and mean_mps <= JAM_SHARE * limit_mps) or standing >= QUEUE_STANDING:
                self.jams.setdefault(road, []).append(passed_s)
            self._seen.setdefault(road, []).append((passed_s, frozenset(libsumo.edge.getLastStepVehicleIDs(edge))))

    def passed(self, truth: Mapping[str, Any]) -> int:
        """The vehicles on the road of an incident during its life, those that stand included."""
        begin_s, end_s = truth["begin_s"], truth["end_s"]
        if begin_s is None:
            return 0
        rows = self._seen.get(truth["entity_id"], [])
        return len({one for at_s, ids in rows if begin_s <= at_s <= (end_s or 1e9) for one in ids})

    def reached(self, truth: Mapping[str, Any]) -> int:
        """The vehicles in the reach of a detector while something was wrong with it."""
        return len(self._in_reach.get(f"{truth['entity_id']} {truth['begin_s']}", ()))

    def feeds(self, truth: Mapping[str, Any]) -> list[str]:
        """The roads on which the vehicles of a surge were."""
        name = f"surge-{truth['number']}-"
        return sorted(
            road
            for road, rows in self._seen.items()
            if any(one.startswith(name) for at_s, ids in rows if at_s >= truth["begin_s"] for one in ids)
        )

    def harms(self, truth: Mapping[str, Any], roads: Sequence[str]) -> bool:
        """Whether a surge lengthens a queue or slows a road (`HARM_STANDING`, `HARM_SLOWER`)."""
        begin_s, end_s = truth["begin_s"], truth["end_s"] or truth["begin_s"] + truth["duration_s"]
        for road in roads:
            before = self._mean(road, 2 * begin_s - end_s, begin_s)
            during = self._mean(road, begin_s, end_s)
            slower = during[1] <= min(HARM_SLOWER * before[1], JAM_SHARE * self._roads[road][1])
            if during[0] >= before[0] + HARM_STANDING or slower:
                return True
        return False

    def _mean(self, road: str, from_s: float, until_s: float) -> tuple[float, float]:
        """How many stood, and how fast all were, in the mean."""
        rows = [row for row in self._flow.get(road, []) if from_s <= row[0] < until_s]
        looks, count = max((until_s - from_s) / LOOK_EVERY_S, 1.0), sum(row[1] for row in rows)
        speed_mps = sum(row[1] * row[3] for row in rows) / count if count else self._roads[road][1]
        return sum(row[2] for row in rows) / looks, speed_mps


def in_sight(truth: Mapping[str, Any], entities: Sequence[Entity]) -> bool:
    """Whether a detector watches the very place; always so for signals, detectors, and surges."""
    if not truth["lane"]:
        return True
    return any(
        lane == truth["lane"] and metres + sign * truth["offset_m"] <= one.attributes["coverage_m"]
        for one in entities
        if one.type == "TrafficDetector"
        for lane, metres, sign, _ in one.attributes["watches"]
    )


def watched_roads(entities: Sequence[Entity]) -> set[str]:
    """The roads that have a detector anywhere: the links of link-hours."""
    road_of = {one.attributes["lane"]: one.attributes["road"] for one in entities if one.type == "RoadLane"}
    return {
        road_of[one.attributes["lane"]]
        for one in entities
        if one.type == "TrafficDetector" and one.attributes["lane"] in road_of
    }


@cache
def _entities_of(net: str) -> tuple[Entity, ...]:
    city = scenario.find(net)
    field = SumoField(opening_of(Task(door="sumo", scenario=city, arm=BRAIN, seed=0)))
    try:
        return tuple(field.entities())
    finally:
        field.close()


def _entities(case: Case) -> tuple[Entity, ...]:
    return _entities_of(case.net)


def traffic(net: str) -> dict[str, float]:
    """Vehicles per hour of each road as built."""
    city = scenario.find(net)
    field = SumoField(opening_of(Task(door="sumo", scenario=city, arm=BRAIN, seed=0)))
    try:
        return demand.traffic(configuration.read(Path(city.path))).total
    finally:
        field.close()
