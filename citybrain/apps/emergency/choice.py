# SPDX-License-Identifier: Apache-2.0
"""Which resources and shelters are nearest and have room. Pure."""

from collections.abc import Iterable

import msgspec

from citybrain.kernel.geo import Position, centre, distance_m
from citybrain.kernel.records import Entity, Json, Text

SHELTER, RESOURCE = "EmergencyShelter", "EmergencyResource"
TYPES = (SHELTER, RESOURCE)
SAID = ("name", "location", "kind", "capacity", "used", "unit", "status", "contact")
"""What is read of what they say of themselves."""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A shelter or a store of something, as the pool knows it. `free` is what is left of its capacity."""

    id: str
    type: str
    kind: str
    name: Text
    capacity: float | None
    used: float
    free: float | None
    unit: str
    status: str
    contact: str
    geometry: Json
    distance_m: float | None


def nearest(entities: Iterable[Entity], *, at: Position | None, kind: str = "", free: float = 0) -> list[Resource]:
    """Those of a kind that have so much left, the nearest first; by name where no place is given."""
    found = [_resource(each, at) for each in entities if each.type in TYPES]
    fitting = [
        each
        for each in found
        if (not kind or kind in (each.kind, each.type)) and (free <= 0 or (each.free is not None and each.free >= free))
    ]
    return sorted(fitting, key=lambda each: (each.distance_m is None, each.distance_m or 0.0, each.id))


def _resource(entity: Entity, at: Position | None) -> Resource:
    facts = entity.attributes
    capacity, used = _number(facts.get("capacity")), _number(facts.get("used")) or 0.0
    place = centre(entity.geometry)
    plain = facts.get("name")
    return Resource(
        id=entity.id,
        type=entity.type,
        kind=str(facts.get("kind") or ""),
        name=entity.name or ({"zh": plain, "en": plain} if isinstance(plain, str) else {}),
        capacity=capacity,
        used=used,
        free=None if capacity is None else max(capacity - used, 0.0),
        unit=str(facts.get("unit") or ""),
        status=str(facts.get("status") or ""),
        contact=str(facts.get("contact") or ""),
        geometry=entity.geometry,
        distance_m=round(distance_m(at, place)) if at and place else None,
    )


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None
