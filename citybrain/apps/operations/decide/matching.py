# SPDX-License-Identifier: Apache-2.0
"""Which playbook counts for an event: the most specific one that fits, and why."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase

import msgspec

from citybrain.apps.operations.decide.playbook import Hours, Places, Playbook
from citybrain.kernel.records import Because, Event, Json

WORKDAYS = 5
DAYS = {"all": range(7), "workdays": range(WORKDAYS), "weekends": range(WORKDAYS, 7)}

Point = tuple[float, float]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook in one of its versions."""

    playbook: Playbook
    version: int


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The version that counts, why, and which others would have fitted."""

    chosen: Version
    because: Because
    others: tuple[str, ...] = ()


def choose(versions: Iterable[Version], event: Event, types: Sequence[str] = (), zone: tzinfo = UTC) -> Choice | None:
    """The most specific playbook that fits; of equals the one whose id comes first. `types` are those of the entity,
    `zone` is the one in which hours are told.
    """
    fitting = [each for each in versions if fits(each.playbook, event, types, zone)]
    if not fitting:
        return None
    fitting.sort(key=lambda each: (tuple(-part for part in specificity(each.playbook)), each.playbook.id))
    best, *others = fitting
    names = tuple(each.playbook.id for each in others)
    code = "operations.because_most_specific" if names else "operations.because_only_one"
    facts = {
        "playbook": best.playbook.id,
        "name": best.playbook.name,
        "version": best.version,
        "conditions": conditions(best.playbook),
        "others": ", ".join(names),
    }
    return Choice(chosen=best, because=Because(code=code, facts=facts, event_id=event.id), others=names)


def fits(playbook: Playbook, event: Event, types: Sequence[str] = (), zone: tzinfo = UTC) -> bool:
    """Whether all that a playbook names fits the event."""
    when = playbook.when
    return (
        any(fnmatchcase(event.kind, kind) for kind in when.kinds)
        and (not when.severities or event.severity in when.severities)
        and (when.places is None or _at(when.places, event, types))
        and (not when.hours or any(_in(hours, event.at.astimezone(zone)) for hours in when.hours))
        and (playbook.valid_from is None or playbook.valid_from <= event.at)
        and (playbook.valid_until is None or event.at < playbook.valid_until)
    )


def specificity(playbook: Playbook) -> tuple[int, int, int]:
    """How narrow: how much it names, then how narrow its place is, then whether it names its kinds in full."""
    when, places = playbook.when, playbook.when.places or Places()
    place = 3 if places.entity_ids else 2 if places.area else 1 if places.types else 0
    exact = not any("*" in kind for kind in when.kinds)
    named = sum(map(bool, (when.severities, place, when.hours, exact)))
    return (named, place, int(exact))


def conditions(playbook: Playbook) -> str:
    """What a playbook names, in one line."""
    when, places = playbook.when, playbook.when.places or Places()
    hours = ", ".join(f"{each.from_}–{each.to} {each.days}" for each in when.hours)
    parts = (
        ("kind", ", ".join(when.kinds)),
        ("severity", ", ".join(when.severities)),
        ("entity", ", ".join(places.entity_ids)),
        ("area", "*" if places.area else ""),
        ("type", ", ".join(places.types)),
        ("hours", hours),
    )
    return "; ".join(f"{name} {value}" for name, value in parts if value)


def _at(places: Places, event: Event, types: Sequence[str]) -> bool:
    return (
        (not places.entity_ids or event.entity_id in places.entity_ids)
        and (not places.types or any(type in places.types for type in types))
        and (not places.area or inside(places.area, point_of(event.geometry)))
    )


def _in(hours: Hours, local: datetime) -> bool:
    moment = f"{local:%H:%M}"
    passes_midnight = hours.to <= hours.from_
    # What began yesterday evening belongs to yesterday.
    day = local.weekday() if not passes_midnight or moment >= hours.from_ else (local.weekday() - 1) % 7
    if day not in DAYS[hours.days]:
        return False
    if passes_midnight:
        return moment >= hours.from_ or moment < hours.to
    return hours.from_ <= moment < hours.to


def point_of(geometry: Json) -> Point | None:
    """A point of a GeoJSON geometry: the middle one of a line, the first one of a ring."""
    found = geometry.get("coordinates") if isinstance(geometry, dict) else None
    while isinstance(found, list) and found and isinstance(found[0], list):
        found = found[len(found) // 2] if not isinstance(found[0][0], list) else found[0]
    if isinstance(found, list | tuple) and len(found) >= 2:
        return float(found[0]), float(found[1])
    return None


def inside(area: Json, point: Point | None) -> bool:
    """Whether a point lies in a Polygon or MultiPolygon: a ray to the east crosses its rings an odd number of times."""
    if point is None or not isinstance(area, dict):
        return False
    polygons = area["coordinates"] if area.get("type") == "MultiPolygon" else [area.get("coordinates", [])]
    return any(sum(_crosses(ring, point) for ring in polygon) % 2 for polygon in polygons)


def _crosses(ring: Sequence[Sequence[float]], point: Point) -> int:
    x, y = point
    crossed = 0
    for (x1, y1, *_), (x2, y2, *_) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 > y) is not (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            crossed += 1
    return crossed
