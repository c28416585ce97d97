# SPDX-License-Identifier: Apache-2.0
"""Drivers on the wrong way: moved against a road by hand, for no model of the simulator drives so.

A driver goes against the road where he is put, then against one that leads into it, and so on, as if he had not seen
it, until his time or the way is over. He is not in the simulator (SUMO 1.28 dies when vehicles are moved off their
lanes for long): others neither see him nor brake for him, so no crash comes of it and nobody else's trip changes. But
he reports where he is, and screens draw him.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import atan2, degrees, hypot

import libsumo
import msgspec

from citybrain.doors.sumo.lanes import Lanes
from citybrain.doors.sumo.ways import Ways

SPEED_MPS = 9.0
"""32 km/h, as somebody who looks for his way: an assumption of the simulation."""

Point = tuple[float, float]


class Driver(msgspec.Struct, frozen=True):
    """Somebody on the wrong way now, in the net's metres."""

    name: str
    at: Point
    heading_deg: float


def name_of(number: int) -> str:
    """Of the driver of an incident. Whoever else drives, he reports where he is: only such are looked for."""
    return f"wrong-way-{number}"


def is_one_way(road: str, ways: Ways) -> bool:
    """No road leads back between the same junctions: there one is on the wrong way, and not only on the wrong side."""
    return not ways.opposite(road)


def roads_against(road: str, ways: Ways, lanes: Lanes, length_m: float) -> list[str]:
    """The roads that a driver goes against one after another, one-way ones each, until `length_m` are over."""
    found, left_m = [road], length_m - _length_m(road, lanes)
    while left_m > 0.0:
        before = sorted(
            one
            for one in ways.behind.get(found[-1], ())
            if one not in found and is_one_way(one, ways) and lanes.for_cars(one)
        )
        if not before:
            break
        found.append(min(before, key=lambda one: abs(_turn_deg(found[-1], one, lanes))))
        left_m -= _length_m(found[-1], lanes)
    return found


def line_against(roads: Sequence[str], at: float, lanes: Lanes) -> list[Point]:
    """Where he drives: the shapes of lanes, turned round, the first from a share of its length on."""
    shapes = [_against(road, lanes) for road in roads]
    return [*_cut(shapes[0], (1.0 - at) * _length(shapes[0])), *(point for shape in shapes[1:] for point in shape)]


def where(line: Sequence[Point], metres: float) -> tuple[Point, float] | None:
    """Where a driver is after so many metres, and his heading in degrees from the net's north; None beyond the end."""
    left = _cut(line, metres)
    if len(left) < 2:
        return None
    (x, y), (onward_x, onward_y) = left[:2]
    return (x, y), degrees(atan2(onward_x - x, onward_y - y)) % 360.0


def _against(road: str, lanes: Lanes) -> list[Point]:
    return [(float(x), float(y)) for x, y in reversed(libsumo.lane.getShape(lanes.for_cars(road)[-1]))]


def _turn_deg(road: str, before: str, lanes: Lanes) -> float:
    """How far he turns from the begin of a road into the end of another."""
    (x0, y0), (x1, y1) = _against(road, lanes)[-2:]
    (u0, v0), (u1, v1) = _against(before, lanes)[:2]
    turned = degrees(atan2(v1 - v0, u1 - u0) - atan2(y1 - y0, x1 - x0))
    return (turned + 180.0) % 360.0 - 180.0


def _length_m(road: str, lanes: Lanes) -> float:
    return float(libsumo.lane.getLength(lanes.for_cars(road)[0]))


def _length(line: Sequence[Point]) -> float:
    return sum(hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(line))


def _cut(line: Sequence[Point], metres: float) -> list[Point]:
    """What is left of a line after so many metres; nothing beyond its end."""
    for at, ((x0, y0), (x1, y1)) in enumerate(pairwise(line)):
        length_m = hypot(x1 - x0, y1 - y0)
        if metres < length_m:
            share = metres / length_m
            return [(x0 + share * (x1 - x0), y0 + share * (y1 - y0)), *line[at + 1 :]]
        metres -= length_m
    return []
