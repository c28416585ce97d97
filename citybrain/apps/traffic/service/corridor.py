# SPDX-License-Identifier: Apache-2.0
"""A corridor in time and distance: when each signal on the way was green, and how fast the road between was."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import isfinite

import msgspec

from citybrain.apps.traffic.control.plans.network import Link, links, shortest, through
from citybrain.apps.traffic.model import RANK, SIGNAL, Way, singles
from citybrain.kernel.errors import NotFound
from citybrain.kernel.records import Json, Text
from citybrain.kernel.routing import KMH_PER_MPS, roads_of_lanes
from citybrain.kernel.store import Store

SAMPLES_MAX = 20_000


class NoCorridor(NotFound):
    """No road leads from one of these signals to the other."""


class Green(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when a movement had green."""

    begins_at: datetime
    ends_at: datetime


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A signal on the corridor: how far along it lies, and its greens on the way there and on the way back."""

    signal_id: str
    name: Text
    distance_m: float
    there: tuple[Green, ...]
    back: tuple[Green, ...]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A speed that floating cars had."""

    at: datetime
    kmh: float


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """The road between two signals of the corridor on the way there, with the speeds of the road before the second."""

    signal_id: str
    next_signal_id: str
    length_m: float
    limit_kmh: float
    road_id: str
    speeds: tuple[Sample, ...]


class Corridor(msgspec.Struct, frozen=True, kw_only=True):
    """A corridor over a span of time."""

    since: datetime
    until: datetime
    stops: tuple[Stop, ...]
    stretches: tuple[Stretch, ...]


async def corridor(store: Store, start: str, end: str, since: datetime, until: datetime) -> Corridor:
    """The shortest way from one signal to another with what the history knows of it; refuses where there is none."""
    entities = store.pool.entities()
    junctions = {one.signals[0]: one for one in singles(entities)}
    joined = links(tuple(junctions.values()), entities)
    way = shortest(joined, start, end) if start in junctions and end in junctions else None
    if way is None or len(way) < 2:
        raise NoCorridor("traffic.no_corridor", {"start": start, "end": end})
    shown = await store.pool.histories(way, "signalState", since=since, until=until)
    names = {one.id: one.name for one in entities if one.type == SIGNAL}
    hops = [nearest(joined, one, after) for one, after in pairwise(way)]
    hops_back = [nearest(joined, after, one) for one, after in pairwise(way)]
    at_m = [0.0]
    for hop in hops:
        at_m.append(at_m[-1] + hop[0].length_m)
    stops = []
    for number, signal in enumerate(way):
        arriving, leaving = _around(hops, number)
        arriving_back, leaving_back = _around(hops_back[::-1], len(way) - 1 - number)
        stops.append(
            Stop(
                signal_id=signal,
                name=names[signal],
                distance_m=round(at_m[number], 1),
                there=greens(shown[signal], through(junctions[signal], arriving, leaving), until),
                back=greens(shown[signal], through(junctions[signal], arriving_back, leaving_back), until)
                if arriving_back or leaving_back
                else (),
            )
        )
    roads = roads_of_lanes(entities)
    stretches = [await _stretch(store, hop, roads, since, until) for hop in hops]
    return Corridor(since=since, until=until, stops=tuple(stops), stretches=tuple(stretches))


def nearest(joined: Sequence[Link], one: str, after: str) -> tuple[Link, ...]:
    """The links from one signal to another, the shortest first; none where there is no direct way."""
    found = (link for link in joined if link.signal == one and link.next_signal == after)
    return tuple(sorted(found, key=lambda link: link.length_m))


def greens(states: Sequence[tuple[datetime, Json]], ways: Sequence[Way], until: datetime) -> tuple[Green, ...]:
    """The spans in which one of the ways had green; a state holds until the next one, the last until the end."""
    found: list[Green] = []
    begun: datetime | None = None
    for at, lamps in states:
        is_green = any(way.lamp < len(lamps) and lamps[way.lamp] in RANK for way in ways)
        if is_green and begun is None:
            begun = at
        elif not is_green and begun is not None:
            found.append(Green(begins_at=begun, ends_at=at))
            begun = None
    if begun is not None:
        found.append(Green(begins_at=begun, ends_at=until))
    return tuple(found)


def _around(hops: Sequence[tuple[Link, ...]], number: int) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    """What arrives at the signal of this number and what leaves it."""
    return (hops[number - 1] if number else ()), (hops[number] if number < len(hops) else ())


async def _stretch(
    store: Store, hop: Sequence[Link], roads: Mapping[str, str], since: datetime, until: datetime
) -> Stretch:
    link = hop[0]
    road = next((roads[lane] for lane in link.approaches if lane in roads), "")
    rows = await store.pool.history(road, "averageVehicleSpeed", since=since, until=until, limit=SAMPLES_MAX)
    return Stretch(
        signal_id=link.signal,
        next_signal_id=link.next_signal,
        length_m=round(link.length_m, 1),
        limit_kmh=round(link.speed_limit_mps * KMH_PER_MPS, 1),
        road_id=road,
        speeds=tuple(Sample(at=at, kmh=round(kmh, 1)) for at, kmh in rows if kmh is not None and isfinite(kmh)),
    )
