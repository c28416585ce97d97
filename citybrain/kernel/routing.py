# SPDX-License-Identifier: Apache-2.0
"""The roads as a graph, how long they take now, the fastest way, and what lies around."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import atan2, cos, degrees, hypot, inf, isfinite, nan, radians

import msgspec

from citybrain.kernel.geo import METRES_PER_DEGREE
from citybrain.kernel.records import Batch, Entity, Facts, Json

ROAD = "RoadSegment"
LANE = "RoadLane"
SPEED = "averageVehicleSpeed"

ROAD_OF = ("road", "refRoadSegment", "roadSegment")
"""What things call the road that they are on."""

KMH_PER_MPS = 3.6

OVER_LIMIT = 1.5
"""Speed of a vehicle with special rights where it can overtake, as a share of the limit (as the field drives it)."""

BEHIND_OTHERS = 1.1
"""The same on a road with one lane, where it mostly follows somebody who keeps to the limit (m)."""

FREED = 0.5
"""So much of what traffic loses on a road a vehicle with special rights loses too; green ahead saves the rest (m)."""

BLOCKED = 0.03
"""Traffic is never taken for slower than this share of the limit: a road that stands is still a road."""

UNKNOWN = 0.7
"""Share of the limit at which ordinary traffic drives a road of which nothing is known."""

TURN_DEG = 45.0
TURN_S = 4.0
"""What braking into and accelerating out of a turn costs (m)."""

BACK_DEG = 150.0
BACK_S = 15.0
"""Turning back on a road."""

START_S = 4.0
"""Getting to speed at the beginning."""

Point = tuple[float, float]
"""Longitude and latitude."""

Costs = Callable[[str], float]


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """A road in one direction. `line` is in degrees."""

    id: str
    length_m: float
    limit_mps: float
    lanes: int
    onward: tuple[str, ...]
    line: tuple[Point, ...]


class Roads:
    """All roads of the city whose length and speed limit are known."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._roads = {one.id: _road(one) for one in entities if one.type == ROAD and _is_known(one)}
        self._inward: dict[str, tuple[str, ...]] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._roads)

    def __contains__(self, road: str) -> bool:
        return road in self._roads

    def __getitem__(self, road: str) -> Road:
        return self._roads[road]

    def nearest(self, point: Point) -> str | None:
        """The road whose line is nearest to a point; None in a city without roads."""
        return min(self._roads, key=lambda road: _distance_m(point, self._roads[road].line), default=None)

    def fastest(self, start: str, end: str, cost_s: Costs) -> tuple[str, ...] | None:
        """The roads from `start` to `end`, both included; None where there is no way (Dijkstra 1959)."""
        best = {start: 0.0}
        before: dict[str, str] = {}
        queue = [(0.0, start)]
        while queue:
            so_far_s, at = heapq.heappop(queue)
            if at == end:
                return _back(before, end)
            if so_far_s > best[at]:
                continue
            for after in self._roads[at].onward:
                if after not in self._roads:
                    continue
                through_s = so_far_s + self.turn_s(at, after) + cost_s(after)
                if through_s < best.get(after, inf):
                    best[after] = through_s
                    before[after] = at
                    heapq.heappush(queue, (through_s, after))
        return None

    def reached(self, end: str, cost_s: Costs, *, within_s: float = inf) -> dict[str, float]:
        """Every road from which `end` is reached in time, with the seconds from its beginning to the end of `end`."""
        best = {end: cost_s(end)}
        queue = [(best[end], end)]
        while queue:
            so_far_s, at = heapq.heappop(queue)
            if so_far_s > best[at]:
                continue
            for before in self._before(at):
                from_there_s = so_far_s + self.turn_s(before, at) + cost_s(before)
                if from_there_s <= within_s and from_there_s < best.get(before, inf):
                    best[before] = from_there_s
                    heapq.heappush(queue, (from_there_s, before))
        return best

    def around(self, roads: Iterable[str], *, upstream: int, downstream: int) -> frozenset[str]:
        """These roads with those that lead to them within so many junctions, and those that they lead to."""
        near = {road for road in roads if road in self._roads}
        behind, ahead = set(near), set(near)
        for _ in range(upstream):
            behind |= {before for road in behind for before in self._before(road)}
        for _ in range(downstream):
            ahead |= {after for road in ahead for after in self._roads[road].onward if after in self._roads}
        return frozenset(behind | ahead)

    def _before(self, road: str) -> tuple[str, ...]:
        """The roads that lead into a road; the index is made when it is first asked for."""
        if self._inward is None:
            inward: dict[str, list[str]] = {}
            for one in self._roads.values():
                for after in one.onward:
                    inward.setdefault(after, []).append(one.id)
            self._inward = {after: tuple(before) for after, before in inward.items()}
        return self._inward.get(road, ())

    def turn_s(self, one: str, other: str) -> float:
        """What the turn from one road into another costs."""
        turned = abs(_heading_deg(self._roads[one].line[-2:]) - _heading_deg(self._roads[other].line[:2])) % 360.0
        turned = min(turned, 360.0 - turned)
        return BACK_S if turned > BACK_DEG else TURN_S if turned > TURN_DEG else 0.0

    def time_s(self, route: Sequence[str], cost_s: Costs) -> float:
        """How long a whole route takes."""
        return sum(map(cost_s, route)) + sum(self.turn_s(one, other) for one, other in pairwise(route))

    def line(self, route: Sequence[str]) -> list[Point]:
        """The route as one line."""
        return [point for road in route for point in self._roads[road].line]


def roads_said(facts: Facts) -> Iterator[str]:
    """The roads that a thing names as its own."""
    return (road for name in ROAD_OF if isinstance(road := facts.get(name), str) and road)


class Whereabouts:
    """Which roads things are on, as they say of themselves or as their lanes do; where they lie is not looked at."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._into: dict[str, list[str]] = {}
        self._of_lane: dict[str, str] = {}
        for one in entities:
            if one.type == ROAD and "toJunction" in one.attributes:
                self._into.setdefault(str(one.attributes["toJunction"]), []).append(one.id)
            if one.type == LANE and "road" in one.attributes:
                names = {one.id, str(one.attributes.get("lane", one.id))}
                self._of_lane |= dict.fromkeys(names, str(one.attributes["road"]))

    def of_lane(self, lane: str) -> str | None:
        """The road of a lane, by its id or by the name that detectors and signals know it by."""
        return self._of_lane.get(lane)

    def roads(self, entity: Entity) -> tuple[str, ...]:
        """A road itself; else those that a thing names, those of its lanes, and of a junction those that lead to it."""
        if entity.type == ROAD:
            return (entity.id,)
        lanes = (self._of_lane[lane] for lane in _lanes_of(entity) if lane in self._of_lane)
        return tuple(dict.fromkeys((*roads_said(entity.attributes), *lanes, *self._into.get(entity.id, ()))))


def roads_of(entity_id: str, entities: Sequence[Entity]) -> tuple[str, ...]:
    """The roads on which something lies, as `Whereabouts` knows them, or else the one nearest to its place; none
    where nothing is known."""
    found = next((each for each in entities if each.id == entity_id), None)
    if found is None:
        return ()
    known = Whereabouts(entities).roads(found)
    if known or found.geometry is None or found.geometry["type"] != "Point":
        return known
    lon, lat, *_ = found.geometry["coordinates"]
    nearest = Roads(entities).nearest((lon, lat))
    return (nearest,) if nearest else ()


def _lanes_of(entity: Entity) -> Iterator[str]:
    """The lanes that an entity is, lies on, has stop lines of, or lets go."""
    facts = entity.attributes
    yield entity.id
    for one in (facts, *_parts(facts.get("heads"))):
        if isinstance(lane := one.get("lane"), str):
            yield lane
    for link in _parts(facts.get("links")):
        yield str(link.get("approach", ""))


def _parts(value: Json) -> Iterator[Facts]:
    return (each for each in value if isinstance(each, Mapping)) if isinstance(value, list | tuple) else iter(())


def roads_of_lanes(entities: Iterable[Entity]) -> dict[str, str]:
    """The road of each lane, by the name that detectors and signals know the lane by."""
    lanes = [one.attributes for one in entities if one.type == LANE and "lane" in one.attributes]
    return {str(facts["lane"]): str(facts["road"]) for facts in lanes}


class Times:
    """How long roads take now, from the speeds that floating cars report."""

    def __init__(self, roads: Roads, batch: Batch | Mapping[str, float] | None) -> None:
        """`batch`: what was observed, or speeds in km/h by road."""
        self._roads = roads
        self._kmh = batch.by_entity(SPEED) if isinstance(batch, Batch) else batch or {}

    def flow(self, road: str) -> float | None:
        """Speed of traffic as a share of the limit, at most 1; None where nothing is known."""
        kmh = float(self._kmh.get(road, nan))
        if not isfinite(kmh):
            return None
        return min(max(kmh / KMH_PER_MPS / self._roads[road].limit_mps, BLOCKED), 1.0)

    def ordinary_s(self, road: str) -> float:
        """For an ordinary vehicle, waiting at red lights included as floating cars meet them."""
        one = self._roads[road]
        return one.length_m / one.limit_mps / (self.flow(road) or UNKNOWN)

    def free_s(self, road: str) -> float:
        """For a vehicle with special rights that nothing holds up but others on the only lane."""
        one = self._roads[road]
        return one.length_m / one.limit_mps / (OVER_LIMIT if one.lanes > 1 else BEHIND_OTHERS)

    def emergency_s(self, road: str) -> float:
        """For a vehicle with special rights for which signals open."""
        one = self._roads[road]
        lost_s = one.length_m / one.limit_mps * (1.0 / (self.flow(road) or 1.0) - 1.0)
        return self.free_s(road) + FREED * lost_s


def _is_known(entity: Entity) -> bool:
    return all(isinstance(entity.attributes.get(name), int | float) for name in ("length", "maximumAllowedSpeed"))


def _road(entity: Entity) -> Road:
    facts = entity.attributes
    line = tuple((float(lon), float(lat)) for lon, lat, *_ in (entity.geometry or {}).get("coordinates", ()))
    return Road(
        id=entity.id,
        length_m=float(facts["length"]),
        lanes=int(facts.get("totalLaneNumber", 1)),
        limit_mps=max(float(facts["maximumAllowedSpeed"]) / KMH_PER_MPS, 1.0),
        onward=tuple(facts.get("leadsTo", ())),
        line=line if len(line) >= 2 else ((0.0, 0.0), (0.0, 1e-9)),
    )


def _back(before: Mapping[str, str], end: str) -> tuple[str, ...]:
    found = [end]
    while found[-1] in before:
        found.append(before[found[-1]])
    return tuple(reversed(found))


def _heading_deg(piece: Sequence[Point]) -> float:
    (lon, lat), (to_lon, to_lat) = piece
    return degrees(atan2((to_lon - lon) * cos(radians(lat)), to_lat - lat))


def _distance_m(point: Point, line: Sequence[Point]) -> float:
    return min(_to_piece_m(point, piece) for piece in pairwise(line))


def _to_piece_m(point: Point, piece: tuple[Point, Point]) -> float:
    """To a straight piece, on a plane that is true near the point."""
    (ax, ay), (bx, by) = (tuple(_metres(point, end)) for end in piece)
    length2 = (bx - ax) ** 2 + (by - ay) ** 2
    along = min(max(-(ax * (bx - ax) + ay * (by - ay)) / length2, 0.0), 1.0) if length2 else 0.0
    return hypot(ax + along * (bx - ax), ay + along * (by - ay))


def _metres(origin: Point, point: Point) -> Iterator[float]:
    yield (point[0] - origin[0]) * METRES_PER_DEGREE * cos(radians(origin[1]))
    yield (point[1] - origin[1]) * METRES_PER_DEGREE
