# SPDX-License-Identifier: Apache-2.0
"""The directed roads of a city on a plane, and on which of them one may be who reports a place that is not exact."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import cos, floor, hypot, radians

import msgspec

from citybrain.kernel.geo import METRES_PER_DEGREE
from citybrain.kernel.records import Entity

SURE = 3.0
"""A place is taken to be wrong by three standard deviations at most."""

LANE_M = 3.5
SLACK_M = 3.0
"""Of the map: so far a street may lie from where it is drawn."""

ALONG = cos(radians(75.0))
"""A road that goes within 75 degrees of a move explains it."""

CELL_M = 60.0

Point = tuple[float, float]


class Piece(msgspec.Struct, frozen=True):
    """A straight piece of a road, in metres; `before_m` of the road lie before it."""

    road: int
    begin: Point
    end: Point
    length_m: float
    before_m: float
    half_m: float

    def point(self, share: float) -> Point:
        """The point at a share of it."""
        return (
            self.begin[0] + share * (self.end[0] - self.begin[0]),
            self.begin[1] + share * (self.end[1] - self.begin[1]),
        )

    def along(self, move: Point) -> float:
        """The cosine between a move of length 1 and the direction of the road."""
        ahead = ((self.end[0] - self.begin[0]) / self.length_m, (self.end[1] - self.begin[1]) / self.length_m)
        return ahead[0] * move[0] + ahead[1] * move[1]

    def nearest(self, point: Point) -> tuple[float, float]:
        """How far away it is, and how far along the road its nearest point lies."""
        east, north = self.end[0] - self.begin[0], self.end[1] - self.begin[1]
        passed = (point[0] - self.begin[0]) * east + (point[1] - self.begin[1]) * north
        share = min(max(passed / self.length_m**2, 0.0), 1.0)
        away_m = hypot(point[0] - self.begin[0] - share * east, point[1] - self.begin[1] - share * north)
        return away_m, self.before_m + share * self.length_m


class Carriageways:
    """The directed roads on a plane around their middle, found by place."""

    def __init__(self, roads: Sequence[Entity]) -> None:
        self.roads = [one for one in roads if (one.geometry or {}).get("type") == "LineString"]
        number = {one.id: at for at, one in enumerate(self.roads)}
        self._after = [{number[id] for id in one.attributes.get("leadsTo") or () if id in number} for one in self.roads]
        points = [point for one in self.roads for point in one.geometry["coordinates"]]
        self._middle = (
            (sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)) if points else (0.0, 0.0)
        )
        self._east_m = METRES_PER_DEGREE * cos(radians(self._middle[1]))
        self._length_m = [0.0] * len(self.roads)
        self._cells: dict[tuple[int, int], list[Piece]] = defaultdict(list)
        for at in range(len(self.roads)):
            for piece in self.pieces(at):
                self._length_m[at] += piece.length_m
                for cell in _cells_of(piece):
                    self._cells[cell].append(piece)

    def plane(self, lon: float, lat: float) -> Point:
        """Metres east and north of the middle."""
        return (lon - self._middle[0]) * self._east_m, (lat - self._middle[1]) * METRES_PER_DEGREE

    def near(self, at: Point, accuracy_m: float) -> list[tuple[Piece, float]]:
        """The pieces on which a car that reported this place may be, nearest first, and how far along their roads."""
        found: dict[int, tuple[float, Piece, float]] = {}
        reach_m = SURE * accuracy_m + SLACK_M
        for piece in self._around(at, reach_m):
            away_m, offset_m = piece.nearest(at)
            if away_m <= reach_m + piece.half_m:
                found[id(piece)] = (away_m, piece, offset_m)
        return [(piece, offset_m) for _, piece, offset_m in sorted(found.values(), key=lambda each: each[0])]

    def pieces(self, at: int) -> Iterator[Piece]:
        """The straight pieces of a road, by its place in `roads`."""
        road = self.roads[at]
        line = [self.plane(*point[:2]) for point in road.geometry["coordinates"]]
        half_m = LANE_M * float(road.attributes.get("totalLaneNumber") or 1) / 2.0
        before_m = 0.0
        for begin, end in pairwise(line):
            length_m = hypot(end[0] - begin[0], end[1] - begin[1])
            if length_m > 0.0:
                yield Piece(at, begin, end, length_m, before_m, half_m)
                before_m += length_m

    def share(self, road: int, offset_m: float) -> float:
        """Which share of a road lies before a place on it."""
        return offset_m / max(self._length_m[road], 1.0)

    def leads(self, road: int, to: int) -> bool:
        """Whether one road leads into another."""
        return to in self._after[road]

    def _around(self, at: Point, reach_m: float) -> Iterator[Piece]:
        rings = 1 + floor(reach_m / CELL_M)
        east, north = floor(at[0] / CELL_M), floor(at[1] / CELL_M)
        for x in range(east - rings, east + rings + 1):
            for y in range(north - rings, north + rings + 1):
                yield from self._cells.get((x, y), ())


def _cells_of(piece: Piece) -> set[tuple[int, int]]:
    steps = 1 + floor(piece.length_m / (CELL_M / 2.0))
    points = (piece.point(step / steps) for step in range(steps + 1))
    return {(floor(east / CELL_M), floor(north / CELL_M)) for east, north in points}
