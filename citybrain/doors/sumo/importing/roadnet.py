# SPDX-License-Identifier: Apache-2.0
"""CityFlow's two files as records: the road net and the flows, whole or refused with the place of what is wrong."""

from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from citybrain.kernel.errors import Invalid, NotFound

FARTHEST_M = 1e7
"""No city is wider; larger numbers are no metres."""

Metres = Annotated[float, msgspec.Meta(ge=-FARTHEST_M, le=FARTHEST_M)]
Width = Annotated[float, msgspec.Meta(gt=0, le=100)]
Speed = Annotated[float, msgspec.Meta(gt=0, le=1000)]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Index = Annotated[int, msgspec.Meta(ge=0)]
Id = Annotated[str, msgspec.Meta(min_length=1)]


class FileMissing(NotFound):
    """There is no file at this path."""


class FileBroken(Invalid):
    """A file that is not what it should be; the facts say where."""


class Point(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A place, in metres from the file's origin."""

    x: Metres
    y: Metres


class Lane(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A lane of a road; lane 0 is the one at the middle of the street. Metres, metres per second."""

    width: Width
    max_speed: Speed


class Road(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One direction of a street. Its points are the middle of the street, its lanes lie to the right of them."""

    id: Id
    points: Annotated[list[Point], msgspec.Meta(min_length=2)]
    lanes: Annotated[list[Lane], msgspec.Meta(min_length=1)]
    start_intersection: Id
    end_intersection: Id


class LaneLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A way over a junction from lane to lane."""

    start_lane_index: Index
    end_lane_index: Index
    points: list[Point] = []


class RoadLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A turn: all ways from one road to another. One lamp shows for all of them."""

    type: Literal["go_straight", "turn_left", "turn_right"]
    start_road: Id
    end_road: Id
    lane_links: list[LaneLink] = []


class Phase(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How long which turns may go."""

    time: Seconds
    available_road_links: list[Index] = []


class TrafficLight(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The plan of a signal."""

    lightphases: list[Phase] = []


class Intersection(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A junction; a virtual one is where the net ends. `width` is the distance from its middle to the stop lines."""

    id: Id
    point: Point
    virtual: bool = False
    width: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    road_links: list[RoadLink] = []
    traffic_light: TrafficLight | None = None


class Roadnet(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole net."""

    intersections: list[Intersection]
    roads: list[Road]


class Vehicle(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What drives. Defaults are CityFlow's own (src/vehicle/vehicle.h, struct VehicleInfo). Metres and seconds."""

    length: Positive = 5.0
    width: Positive = 2.0
    max_pos_acc: Positive = 4.5
    max_neg_acc: Positive = 4.5
    usual_pos_acc: Positive = 2.5
    usual_neg_acc: Positive = 2.5
    min_gap: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 2.0
    max_speed: Speed = 16.66667
    headway_time: Positive = 1.0
    turn_speed: Speed = 8.3333


class Flow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Vehicles of one kind on one route: one at `start_time`, then every `interval` until `end_time`; -1 is no end."""

    vehicle: Vehicle
    route: Annotated[list[Id], msgspec.Meta(min_length=1)]
    interval: Positive = 1.0
    start_time: Seconds = 0.0
    end_time: Annotated[float, msgspec.Meta(ge=-1, le=1e9)] = -1.0

    def departures(self, horizon_s: float) -> list[float]:
        """When its vehicles depart, before the horizon."""
        last_s = horizon_s if self.end_time < 0 else min(self.end_time, horizon_s)
        count = int((last_s - self.start_time) // self.interval) + 1 if last_s >= self.start_time else 0
        times = (self.start_time + number * self.interval for number in range(count))
        return [time for time in times if time < horizon_s or time == self.end_time]


Whole = TypeVar("Whole")


def read_roadnet(path: Path) -> Roadnet:
    """The net of a roadnet.json; refuses with the place what is not one."""
    return _read(path, Roadnet)


def read_flows(path: Path) -> list[Flow]:
    """The flows of a flow.json; refuses with the place what is not one."""
    return _read(path, list[Flow])


def _read(path: Path, kind: type[Whole]) -> Whole:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise FileMissing("sumo.import_file_missing", {"path": str(path)}) from error
    except msgspec.ValidationError as error:
        detail, _, place = str(error).partition(" - at ")
        facts = {"path": path.name, "place": place.strip("`") or "$", "detail": detail}
        raise FileBroken("sumo.import_json_unfit", facts) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileBroken("sumo.import_json_broken", {"path": path.name, "detail": str(error)}) from error
