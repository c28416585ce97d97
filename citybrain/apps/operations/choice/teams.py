# SPDX-License-Identifier: Apache-2.0
"""Teams and vehicles that can be sent, as the pool's entities tell of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from citybrain.kernel.records import Entity, Json
from citybrain.kernel.routing import Point, Roads, roads_said

TYPES = ("Vehicle", "Team", "Person")
"""Types of entities that can be sent."""

FREE, BUSY, OFF = "free", "busy", "off"

STATUS: Mapping[str, str] = {
    "free": FREE,
    "available": FREE,
    "parked": FREE,
    "onroute": FREE,
    "busy": BUSY,
    "ondelivery": BUSY,
    "off": OFF,
    "broken": OFF,
    "outofservice": OFF,
}
"""What `status` or, of smart data models' Vehicle, `serviceStatus` may say; anything else is not to be relied on: off.
Without either a team is free."""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can be sent. `load` is how many tasks they have, `capacity` how many they can have; `road` is where
    they are now."""

    id: str
    skills: frozenset[str]
    status: str = FREE
    load: int = 0
    capacity: int = 1
    road: str | None = None
    point: Point | None = None

    @property
    def can_go(self) -> bool:
        """On duty, and with room for one more task."""
        return self.status != OFF and self.load < self.capacity


def teams(entities: Iterable[Entity], now: Mapping[str, Mapping[str, Json]], roads: Roads) -> list[Team]:
    """The teams among entities; `now` are newer values by entity and attribute, as vehicles report them."""
    return [_team(one, {**one.attributes, **now.get(one.id, {})}, roads) for one in entities if one.type in TYPES]


def _team(entity: Entity, facts: Mapping[str, Json], roads: Roads) -> Team:
    point = _point(facts.get("location")) or _point(entity.geometry)
    road = next(roads_said(facts), "")
    said = str(facts.get("status") or facts.get("serviceStatus") or FREE).replace(" ", "").casefold()
    return Team(
        id=entity.id,
        skills=_words(facts.get("skill")) | _words(facts.get("skills")) | _words(facts.get("vehicleType")),
        status=STATUS.get(said, OFF),
        load=_whole(facts.get("load"), 0),
        capacity=_whole(facts.get("capacity"), 1),
        road=road if road in roads else roads.nearest(point) if point else None,
        point=point,
    )


def _words(value: Json) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(map(str, value)) if isinstance(value, Sequence) else frozenset()


def _whole(value: Json, otherwise: int) -> int:
    return max(int(value), 0) if isinstance(value, int | float) else otherwise


def _point(geometry: Json) -> Point | None:
    if not isinstance(geometry, Mapping) or geometry.get("type") != "Point":
        return None
    lon, lat, *_ = geometry["coordinates"]
    return float(lon), float(lat)
