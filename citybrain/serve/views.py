# SPDX-License-Identifier: Apache-2.0
"""What screens are told: records turned into the shapes of the API, without waiting for anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec

from citybrain.kernel.app import App, Indicator, Show, Values
from citybrain.kernel.records import Entity, Facts, Json, Reading, Text

ROAD = "RoadSegment"
JUNCTION = "RoadJunction"
SIGNAL = "TrafficSignalController"

Position = Sequence[float]


class Road(msgspec.Struct, frozen=True, kw_only=True):
    """A road as the map draws it."""

    id: str
    name: Text
    line: Sequence[Position]
    lanes: int
    free_kmh: float
    length_m: float


class Junction(msgspec.Struct, frozen=True, kw_only=True):
    """The paved area of a junction."""

    id: str
    polygon: Sequence[Position]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A signal controller; each head is a stop line with the links it governs."""

    id: str
    name: Text
    point: Position
    heads: Sequence[Facts]


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """The whole map. The order of `roads` and `signals` is the order of the lists in the state."""

    roads: Sequence[Road]
    junctions: Sequence[Junction]
    signals: Sequence[Signal]

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of all roads; None without roads."""
        points = [point for road in self.roads for point in road.line]
        if not points:
            return None
        lons, lats = [point[0] for point in points], [point[1] for point in points]
        return (min(lons), min(lats), max(lons), max(lats))


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator's newest value for one arm."""

    value: float
    at: datetime


class IndicatorView(msgspec.Struct, frozen=True, kw_only=True):
    """An indicator with its arms; `ratio` is brain / fixed where both are known."""

    name: str
    unit: str
    owner: str
    source: str
    lower_is_better: bool
    arms: Mapping[str, Arm]
    ratio: float | None


def network(entities: Sequence[Entity]) -> Network:
    """The map of these entities."""
    by_type: dict[str, list[Entity]] = {}
    for entity in entities:
        by_type.setdefault(entity.type, []).append(entity)
    return Network(
        roads=[_road(entity) for entity in by_type.get(ROAD, [])],
        junctions=[
            Junction(id=entity.id, polygon=entity.geometry["coordinates"][0]) for entity in by_type.get(JUNCTION, [])
        ],
        signals=[_signal(entity) for entity in by_type.get(SIGNAL, [])],
    )


def _road(entity: Entity) -> Road:
    facts = entity.attributes
    return Road(
        id=entity.id,
        name=entity.name,
        line=entity.geometry["coordinates"],
        lanes=facts["totalLaneNumber"],
        free_kmh=facts["maximumAllowedSpeed"],
        length_m=facts["length"],
    )


def _signal(entity: Entity) -> Signal:
    return Signal(
        id=entity.id,
        name=entity.name,
        point=entity.geometry["coordinates"],
        heads=entity.attributes.get("heads", ()),
    )


class Screen:
    """Draws one city's state from any values, live or replayed."""

    def __init__(self, apps: Sequence[App], entities: Sequence[Entity]) -> None:
        self.network = network(entities)
        self._roads = tuple(road.id for road in self.network.roads)
        self._signals = tuple(signal.id for signal in self.network.signals)
        self._shows: list[Show] = [begin(entities) for app in apps for begin in app.shows]

    def draw(self, values: Values) -> dict[str, Json]:
        """Speeds and signal states in the order of the network, and what the apps add."""
        drawn: dict[str, Json] = {
            "road_speeds": values("averageVehicleSpeed", self._roads),
            "signals": [word or "" for word in values("signalState", self._signals)],
            "road_levels": [0] * len(self._roads),
        }
        for show in self._shows:
            drawn.update(show(values))
        return drawn


def indicator_views(
    indicators: Sequence[Indicator], readings: Mapping[str, Mapping[str, Reading]]
) -> list[IndicatorView]:
    """Each indicator with the newest reading of each arm."""
    return [_indicator(indicator, readings.get(indicator.name, {})) for indicator in indicators]


def _indicator(indicator: Indicator, arms: Mapping[str, Reading]) -> IndicatorView:
    brain, fixed = arms.get("brain"), arms.get("fixed")
    return IndicatorView(
        name=indicator.name,
        unit=indicator.unit,
        owner=indicator.owner,
        source=indicator.source,
        lower_is_better=indicator.lower_is_better,
        arms={arm: Arm(value=reading.value, at=reading.at) for arm, reading in arms.items()},
        ratio=brain.value / fixed.value if brain and fixed and fixed.value else None,
    )


def parts_table(readings: Sequence[Reading]) -> dict[str, Json]:
    """The rows behind an indicator: one per reading, its time, value and parts as columns."""
    names: dict[str, None] = {}
    for reading in readings:
        names.update(dict.fromkeys(reading.parts))
    rows = [
        [reading.at, reading.arm, reading.value, *(reading.parts.get(name) for name in names)] for reading in readings
    ]
    return {"columns": ["at", "arm", "value", *names], "rows": rows}


def place_of(entity: Entity) -> Position | None:
    """A point to fly to: the entity's own, or the middle of its line or ring."""
    geometry: Any = entity.geometry
    if geometry is None:
        return None
    points = geometry["coordinates"]
    match geometry["type"]:
        case "Point":
            return list(points)
        case "LineString":
            return _middle(points)
        case "Polygon":
            return _middle(points[0])
        case _:
            return None


def _middle(points: Sequence[Position]) -> Position:
    """The point half-way along a line."""
    lengths = [abs(b[0] - a[0]) + abs(b[1] - a[1]) for a, b in pairwise(points)]
    half = sum(lengths) / 2
    for (a, b), length in zip(pairwise(points), lengths, strict=True):
        if half <= length and length > 0:
            share = half / length
            return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
        half -= length
    return list(points[0])
