# SPDX-License-Identifier: Apache-2.0
"""Which incidents happen in a run: drawn by the seed and the traffic of the roads, one after another.

Nobody who detects knows the plan. All kinds of the injector but wrong-way drivers are drawn alike. Places: roads of at
least `LEAST_M` with `LEAST_PER_HOUR` vehicles and a detector anywhere on them, by their vehicles per hour; signals and
detectors alike.
"""

from collections.abc import Mapping, Sequence
from random import Random
from urllib.parse import unquote

import msgspec

from citybrain.kernel.records import Entity, Facts

NETS = ("cologne1", "cologne3", "cologne8", "ingolstadt1", "ingolstadt7", "grid4x4")
DEMANDS = (0.6, 0.8, 1.0, 1.2)
REPORTED = range(11, 14)

STANDING = ("crash", "breakdown", "stopped", "illegal_parking")
CLOSING = ("lane_closure", "closure")
SENSORS = ("sensor_dark", "sensor_frozen", "sensor_jumping", "sensor_contradictory")
KINDS = (*STANDING, *CLOSING, "dark_signal", *SENSORS, "surge")

LEAST_PER_HOUR = 60.0
LEAST_M = 60.0
FROM_S = 960.0
"""Detectors that learn have had a quarter of an hour by then."""

LAST_S = 600.0
"""None begins later than this before the end."""

LASTS_S = (360.0, 600.0)
EVERY_S = (120.0, 270.0)
AT_ONCE = 3


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    net: str
    seed: int
    demand: float
    quiet: bool = False

    @property
    def key(self) -> str:
        return f"{self.net} {self.seed} {self.demand:g}{' quiet' if self.quiet else ''}"


def cases(nets: Sequence[str], seeds: Sequence[int], demands: Sequence[float]) -> list[Case]:
    """All runs, seed by seed; and each seed once without any incident, for false alarms."""
    found = []
    for seed in seeds:
        found += [Case(net=net, seed=seed, demand=demand) for demand in demands for net in nets]
        found += [Case(net=net, seed=seed, demand=1.0, quiet=True) for net in nets]
    return found


def incidents(
    case: Case, entities: Sequence[Entity], per_hour: Mapping[str, float], length_s: float
) -> tuple[Facts, ...]:
    """The incidents of a run; `per_hour` are the vehicles of each road by the net's own names."""
    if case.quiet:
        return ()
    random = Random(f"{case.net} {case.seed} {case.demand}")
    places = Places(entities, per_hour)
    found: list[Facts] = []
    at_s = FROM_S
    while at_s < length_s - LAST_S:
        kind = random.choice(KINDS)
        lasts_s = random.uniform(*LASTS_S)
        busy = {one["place"] for one in found if one["begin_s"] + one["duration_s"] + 120.0 > at_s}
        made = places.draw(kind, random, busy) if len(busy) < AT_ONCE else None
        if made is not None:
            found.append({**made, "kind": kind, "begin_s": round(at_s), "duration_s": round(lasts_s)})
        at_s += random.uniform(*EVERY_S)
    return tuple({name: value for name, value in one.items() if name != "place"} for one in found)


def local(one: Entity) -> str:
    """The net's own name of a thing."""
    return unquote(one.id.split(":", 3)[3])


class Places:
    """Where things may happen in a net."""

    def __init__(self, entities: Sequence[Entity], per_hour: Mapping[str, float]) -> None:
        lanes = {one.attributes["lane"]: one for one in entities if one.type == "RoadLane"}
        self._detectors = [one for one in entities if one.type == "TrafficDetector"]
        self._signals = [local(one) for one in entities if one.type == "TrafficSignalController"]
        watched = {
            one.attributes["lane"].rpartition("_")[0] for one in self._detectors if one.attributes["lane"] in lanes
        }
        self._per_hour = {road: count for road, count in per_hour.items() if road in watched}
        self._length_m = {name.rpartition("_")[0]: float(one.attributes["length"]) for name, one in lanes.items()}
        self._lanes: dict[str, int] = {}
        for name in lanes:
            road = name.rpartition("_")[0]
            self._lanes[road] = self._lanes.get(road, 0) + 1

    def draw(self, kind: str, random: Random, busy: set[str]) -> dict[str, object] | None:
        """A place for this kind; None where there is none left."""
        if kind == "dark_signal":
            free = sorted(set(self._signals) - busy)
            signal = random.choice(free) if free else None
            return {"place": signal, "signal": signal} if signal else None
        if kind in SENSORS:
            one = random.choice(self._detectors)
            name = local(one)
            return None if name in busy else {"place": name, "detector": name}
        roads = sorted(
            road
            for road, count in self._per_hour.items()
            if count >= LEAST_PER_HOUR and self._length_m[road] >= LEAST_M and road not in busy
        )
        roads = [road for road in roads if self._lanes[road] > 1] if kind == "lane_closure" else roads
        if not roads:
            return None
        road = random.choices(roads, [self._per_hour[one] for one in roads])[0]
        lane = 0 if kind == "illegal_parking" else random.randrange(self._lanes[road])
        made: dict[str, object] = {"place": road, "road": road, "lane": lane, "at": round(random.uniform(0.2, 0.9), 3)}
        if kind == "surge":
            made["per_hour"] = round(max(self._per_hour[road] * random.uniform(0.5, 1.5), 200.0))
        return made
