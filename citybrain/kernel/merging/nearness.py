# SPDX-License-Identifier: Apache-2.0
"""Where events are, on the network and on the earth, as keys: two that share one are near each other."""

from collections.abc import Iterable, Sequence
from math import cos, floor, radians
from typing import Any

from citybrain.kernel.geo import METRES_PER_DEGREE, distance_m
from citybrain.kernel.merging.rules import Merge, Near
from citybrain.kernel.records import Entity, Event, Json
from citybrain.kernel.routing import ROAD, Roads, Whereabouts

JUNCTION = "RoadJunction"
ENDS = ("fromJunction", "toJunction")

Point = tuple[float, float]
Key = tuple[Any, ...]


class Nearness:
    """Knows the things of a city; those that doors bring in later are met as they come."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.grid = Grid()
        self._things = {entity.id: entity for entity in entities}
        self._whereabouts = Whereabouts(entities)
        self._at_junction: dict[str, list[str]] = {}
        for entity in entities:
            if entity.type == ROAD:
                for end in ENDS:
                    self._at_junction.setdefault(entity.attributes.get(end, ""), []).append(entity.id)
        self._network: Roads | None = None
        self._known: dict[str, tuple[str, ...]] = {}
        self._reached: dict[tuple[tuple[str, ...], int, int], frozenset[str]] = {}

    def meet(self, entities: Iterable[Entity]) -> None:
        """Things that are new, or known otherwise now."""
        for entity in entities:
            self._things[entity.id] = entity
            self._known.pop(entity.id, None)

    def keys_of_cause(self, rule: Merge, event: Event) -> Iterable[Key]:
        """The keys under which signs of an event are looked for."""
        match rule.near:
            case Near.ENTITY:
                return ((event.entity_id,),)
            case Near.ROAD:
                return _keys(event, self.roads(event))
            case Near.ADJACENT:
                return _keys(event, self._around(self.roads(event), rule.hops, rule.hops))
            case Near.UPSTREAM:
                return _keys(event, self._around(self.roads(event), rule.hops, 0))
            case Near.RADIUS:
                return ((event.entity_id,), *self._cells(event, rule.radius_m))

    def keys_of_sign(self, rule: Merge, event: Event) -> Iterable[Key]:
        """The keys under which an event is a sign, if it is one."""
        match rule.near:
            case Near.ENTITY:
                return ((event.entity_id,),)
            case Near.ROAD | Near.ADJACENT | Near.UPSTREAM:
                return _keys(event, self.roads(event))
            case Near.RADIUS:
                return ((event.entity_id,), *around(self._cells(event, rule.radius_m)))

    def is_near(self, rule: Merge, cause: Event, sign: Event) -> bool:
        """Of two that share a key, whether they are really near: cells of a map are coarser than a radius."""
        if rule.near is not Near.RADIUS or cause.entity_id == sign.entity_id:
            return True
        one, other = self.point(cause), self.point(sign)
        return one is not None and other is not None and distance_m(one, other) <= rule.radius_m

    def point(self, event: Event) -> Point | None:
        """The middle of the event's geometry, or else of its entity's; None where neither has one."""
        entity = self._things.get(event.entity_id)
        return middle(event.geometry) or middle(entity.geometry if entity else None)

    def roads(self, event: Event) -> tuple[str, ...]:
        """The roads an event is on: the one that it names, those of its entity. A signal is on all that lead to it."""
        place = event.evidence.get("place")
        named = place.get("road") if isinstance(place, dict) else None
        own = self._roads_of(event.entity_id)
        return (named, *own) if isinstance(named, str) and named not in own else own

    def _roads_of(self, entity_id: str) -> tuple[str, ...]:
        known = self._known.get(entity_id)
        if known is None:
            entity = self._things.get(entity_id)
            known = self._known[entity_id] = self._found(entity) if entity else ()
        return known

    def _found(self, entity: Entity) -> tuple[str, ...]:
        if entity.type == JUNCTION:  # what happens in a box is felt on the roads behind it too
            return tuple(dict.fromkeys(self._at_junction.get(entity.id, ())))
        return self._whereabouts.roads(entity)

    def _around(self, roads: tuple[str, ...], up: int, down: int) -> frozenset[str]:
        found = self._reached.get((roads, up, down))
        if found is None:
            if self._network is None:
                self._network = Roads(tuple(each for each in self._things.values() if each.type == ROAD))
            found = frozenset(roads) | self._network.around(roads, upstream=up, downstream=down)
            self._reached[roads, up, down] = found
        return found

    def _cells(self, event: Event, size_m: float) -> tuple[Key, ...]:
        point = self.point(event)
        return () if point is None else (self.grid.cell(point, size_m),)


class Grid:
    """A map of squares that are at least so large as asked: what is that near lies in the same or in the next one.

    They are as wide in degrees everywhere, as two degrees nearer to the pole than the first point that it was asked.
    """

    def __init__(self) -> None:
        self._narrow = 0.0

    def cell(self, point: Point, size_m: float) -> Key:
        """The square in which a point lies."""
        lon, lat = point
        self._narrow = self._narrow or cos(radians(min(abs(lat) + 2.0, 89.0)))
        return floor(lon * METRES_PER_DEGREE * self._narrow / size_m), floor(lat * METRES_PER_DEGREE / size_m)


def around(cells: Iterable[Key]) -> list[Key]:
    """Squares with those next to them."""
    return [(column + east, row + north) for column, row in cells for east in (-1, 0, 1) for north in (-1, 0, 1)]


def middle(geometry: Json) -> Point | None:
    """The mean of the positions of a GeoJSON geometry; None where there are none."""
    if not isinstance(geometry, dict):
        return None
    points = list(_positions(geometry.get("coordinates")))
    if not points:
        return None
    return sum(lon for lon, _ in points) / len(points), sum(lat for _, lat in points) / len(points)


def _positions(coordinates: Json) -> Iterable[Point]:
    if not isinstance(coordinates, list | tuple) or not coordinates:
        return
    if isinstance(coordinates[0], int | float):
        if len(coordinates) > 1:
            yield float(coordinates[0]), float(coordinates[1])
        return
    for each in coordinates:
        yield from _positions(each)


def _keys(event: Event, roads: Iterable[str]) -> list[Key]:
    return [(event.entity_id,), *((road,) for road in roads if road != event.entity_id)]
