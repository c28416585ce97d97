# SPDX-License-Identifier: Apache-2.0
"""Incidents by chance: where and when something will go wrong, drawn once, when a city with incidents is opened."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import libsumo
import msgspec
import numpy as np

from citybrain.doors.sumo.against import is_one_way
from citybrain.doors.sumo.demand import Traffic
from citybrain.doors.sumo.lanes import Lanes
from citybrain.doors.sumo.options import Draw, Incident, IncidentKind
from citybrain.doors.sumo.ways import Ways
from citybrain.kernel.errors import Invalid

LEAST_PER_HOUR = 60.0
"""On a road with less traffic nobody would come by within a few minutes."""

LEAST_M = 60.0
"""A shorter road has no room for a queue of its own."""

SURGE_WAYS = 12
"""So many destinations the vehicles of a surge have."""

MINUTES: Mapping[IncidentKind, tuple[float, float]] = {
    "crash": (15, 40),
    "breakdown": (10, 30),
    "stopped": (2, 5),
    "illegal_parking": (5, 20),
    "lane_closure": (20, 60),
    "closure": (20, 60),
    "dark_signal": (10, 30),
    "sensor_dark": (5, 30),
    "sensor_frozen": (5, 30),
    "sensor_jumping": (5, 30),
    "sensor_contradictory": (5, 30),
    "surge": (10, 20),
    "wrong_way": (1, 3),
}
"""How long each kind lasts when nobody comes, evenly drawn: assumptions of the simulation, not figures of a city."""

STANDING = ("crash", "breakdown", "stopped", "illegal_parking")
SENSORS = ("sensor_dark", "sensor_frozen", "sensor_jumping", "sensor_contradictory")

TRIES = 30


class IncidentUnusable(Invalid):
    """An incident names no place, or one that is not in the net."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that will happen, with the traffic of its road as built, and the ways of a surge's vehicles."""

    incident: Incident
    vehicles_per_hour: float = 0.0
    ways: tuple[tuple[str, ...], ...] = ()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What incidents can befall: the net, its traffic, signals and detectors, and how long the scenario lasts."""

    ways: Ways
    lanes: Lanes
    traffic: Traffic
    signals: Sequence[str]
    detectors: Sequence[str]
    length_s: float


def plan(wanted: Sequence[Incident] | Draw, site: Site, seed: int) -> tuple[Planned, ...]:
    """What will happen, by the seed of the run and that of the draw; refuses a place that there is not."""
    rng = np.random.default_rng([wanted.seed if isinstance(wanted, Draw) else 0, seed, 9])
    listed = list(_drawn(wanted, site, rng)) if isinstance(wanted, Draw) else list(wanted)
    for each in listed:
        _check(each, site)
    return tuple(
        Planned(
            incident=each,
            vehicles_per_hour=round(site.traffic.total.get(each.road, 0.0), 1),
            ways=_surge_ways(each, site, rng) if each.kind == "surge" else (),
        )
        for each in listed
    )


def _check(incident: Incident, site: Site) -> None:
    """An incident that is listed names a thing of the net, of the sort that its kind befalls."""
    place, known = incident.road, bool(site.lanes.for_cars(incident.road))
    if incident.kind == "dark_signal":
        place, known = incident.signal, incident.signal in site.signals
    elif incident.kind in SENSORS:
        place, known = incident.detector, incident.detector in site.detectors
    if not known:
        raise IncidentUnusable("sumo.incident_unusable", {"kind": incident.kind, "place": place})


def _drawn(wanted: Draw, site: Site, rng: np.random.Generator) -> Iterator[Incident]:
    """One after the other, with gaps of a Poisson process; never two at a time on one road or signal."""
    at_s = wanted.from_s
    busy: dict[str, float] = {}
    while (at_s := at_s + float(rng.exponential(3600.0 / wanted.per_hour))) < site.length_s:
        kind = wanted.kinds[int(rng.integers(len(wanted.kinds)))]
        low, high = sorted(wanted.minutes.get(kind, MINUTES[kind]))
        duration_s = round(float(rng.uniform(low, high)) * 60.0)
        taken = {place for place, until_s in busy.items() if until_s > at_s}
        incident = _placed(kind, site, rng, taken)
        if incident is None:
            continue
        busy[incident.road or incident.signal or incident.detector] = at_s + duration_s
        yield msgspec.structs.replace(incident, begin_s=float(round(at_s)), duration_s=float(duration_s))


def _placed(kind: IncidentKind, site: Site, rng: np.random.Generator, taken: set[str]) -> Incident | None:
    """Where it happens; None where the city has no place for it."""
    if kind == "dark_signal":
        signal = _one_of(site.signals, rng, taken)
        return Incident(kind=kind, signal=signal) if signal else None
    if kind in SENSORS:
        detector = _one_of(site.detectors, rng, taken)
        return Incident(kind=kind, detector=detector) if detector else None
    fits = _fitting(kind, site)
    counts = site.traffic.through if kind == "closure" else site.traffic.total
    roads = sorted(road for road, count in counts.items() if count >= LEAST_PER_HOUR and road not in taken)
    roads = [road for road in roads if site.lanes.for_cars(road)]
    for _ in range(TRIES):
        if not roads:
            return None
        weights = np.array([counts[road] for road in roads])
        road = roads.pop(int(rng.choice(len(roads), p=weights / weights.sum())))
        lane = int(rng.integers(len(site.lanes.for_cars(road))))
        if fits(road, lane):
            lane = 0 if kind == "illegal_parking" else lane
            at = round(float(rng.uniform(0.2, 0.9)), 3)
            return Incident(kind=kind, road=road, lane=lane, at=at, per_hour=_surge_size(road, counts, rng))
    return None


def _fitting(kind: IncidentKind, site: Site) -> Callable[[str, int], bool]:
    if kind == "closure":
        return lambda road, _: site.ways.can_do_without(road)
    if kind == "lane_closure":
        return lambda road, lane: site.lanes.can_close(road, [site.lanes.for_cars(road)[lane]], site.traffic.turns)
    if kind == "surge":
        return lambda road, _: bool(site.ways.onward.get(road))
    if kind == "wrong_way":
        return lambda road, _: is_one_way(road, site.ways) and _is_long(road, site)
    return lambda road, _: _is_long(road, site)


def _is_long(road: str, site: Site) -> bool:
    return bool(libsumo.lane.getLength(site.lanes.for_cars(road)[0]) >= LEAST_M)


def _surge_size(road: str, counts: Mapping[str, float], rng: np.random.Generator) -> float:
    """Half to one and a half times the usual traffic on top, at least 200 vehicles per hour."""
    return float(round(max(counts[road] * float(rng.uniform(0.5, 1.5)), 200.0)))


def _one_of(names: Sequence[str], rng: np.random.Generator, taken: set[str]) -> str:
    free = sorted(name for name in names if name not in taken)
    return free[int(rng.integers(len(free)))] if free else ""


def _surge_ways(incident: Incident, site: Site, rng: np.random.Generator) -> tuple[tuple[str, ...], ...]:
    """Ways from the road to where traffic goes anyway."""
    roads = sorted(road for road in site.traffic.total if road != incident.road and road in site.ways.onward)
    order = rng.permutation(len(roads)).tolist()
    found: list[tuple[str, ...]] = []
    for at in order:
        way = site.ways.fastest(incident.road, roads[at])
        if way and len(way) > 2:
            found.append(tuple(way))
        if len(found) == SURGE_WAYS:
            break
    return tuple(found)
