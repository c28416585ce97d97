# SPDX-License-Identifier: Apache-2.0
"""A playbook: what is done about events of some kinds, line by line, and when a line cannot be used."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from citybrain.kernel.app import Means, Where
from citybrain.kernel.errors import Invalid, Refusal
from citybrain.kernel.records import Facts, Json, Severity, Text

Days = Literal["all", "workdays", "weekends"]
Approval = Literal["none", "officer", "two"]
Reached = Literal["executed", "failed", "helped", "missed", "skipped", "over"]
"""What an earlier line has come to: `failed` is also refused and never answered, `over` is any end."""

Plain = str | float | bool
"""What evidence can be held against."""
Minute = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

NEAREST = "nearest:"
ID = r"^[a-z0-9][a-z0-9_.-]{0,79}$"
LINES_AT_MOST = 40


class PlaybookUnusable(Invalid):
    """A playbook that can never apply, names a line twice, or waits for one that does not come before."""


class Places(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where: one of these entities, inside an area (GeoJSON Polygon or MultiPolygon, WGS-84), on things of a type."""

    entity_ids: tuple[str, ...] = ()
    area: Json = None
    types: tuple[str, ...] = ()


class Hours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When, in local time as `HH:MM`; `from` until `to` may pass midnight."""

    from_: Minute = msgspec.field(name="from")
    to: Minute
    days: Days = "all"


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events: everything that is named must fit. A kind may end with `*`, as in `traffic.*` or `*.silent`."""

    kinds: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    severities: tuple[Severity, ...] = ()
    places: Places | None = None
    hours: tuple[Hours, ...] = ()


class After(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wait until a line came to `state`, and `minutes` of city time more; without a line, from when the run began."""

    line: int | None = None
    state: Reached = "executed"
    minutes: Annotated[float, msgspec.Meta(ge=0, le=10_080)] = 0.0


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the pool says of the event's entity, or of the road or junction there."""

    attribute: str
    is_: Literal["above", "below", "equal"] = msgspec.field(name="is")
    value: float | str
    on: Where = "entity"


class Conditions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must all be so: a value of the pool; what the event's evidence says (of several words or numbers one); that
    the roads around have room; that the event has gone on for so many minutes of city time.
    """

    value: Value | None = None
    evidence: Mapping[str, Plain | tuple[Plain, ...]] = {}
    net: Literal["has_room"] | None = None
    minutes: Annotated[float, msgspec.Meta(ge=0, le=10_080)] = 0.0


class OnlyIf(Conditions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be so when the line's turn comes: else it waits until it is. `event_open` false waits for the end."""

    event_open: bool = True


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One use of a means. `undo`: what lasts is undone when the event is over; `undo_if_missed`: already when it was
    seen not to do what its means promises.

    `alone_if`, of a line that an officer is asked about: where this is so the city does it alone, as soon as it is so.

    An order that nobody answers within `answer_s`, and a proposal that nobody confirms within `approve_minutes`, are
    late (both by the clock).
    """

    number: Annotated[int, msgspec.Meta(ge=1, le=999)]
    means: str
    target: str = "event"
    parameters: Mapping[str, Json] = {}
    after: After | None = None
    only_if: OnlyIf | None = None
    approval: Approval = "none"
    alone_if: Conditions | None = None
    note: Text = {}
    undo: bool = False
    undo_if_missed: bool = False
    answer_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 60.0
    approve_minutes: Annotated[float, msgspec.Meta(gt=0, le=1_440)] = 10.0

    @property
    def wants_open(self) -> bool:
        """Whether it makes sense only while the event goes on."""
        return self.only_if is None or self.only_if.event_open


class Playbook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done about some events. `valid_from` until `valid_until` is city time."""

    id: Annotated[str, msgspec.Meta(pattern=ID)]
    name: Text
    when: When
    lines: Annotated[tuple[Line, ...], msgspec.Meta(max_length=LINES_AT_MOST)]
    note: Text = {}
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line cannot be used in this city."""

    line: int
    code: str
    facts: Facts = {}


def check(playbook: Playbook) -> None:
    """Refuse `PlaybookUnusable` for what is wrong whatever the city has."""
    seen: set[int] = set()
    for line in playbook.lines:
        facts = {"playbook": playbook.id, "line": line.number}
        if line.number in seen:
            raise PlaybookUnusable("operations.line_twice", facts)
        if line.after and line.after.line is not None and line.after.line not in seen:
            raise PlaybookUnusable("operations.line_after_unknown", {**facts, "after": line.after.line})
        if line.alone_if is not None and line.approval != "officer":
            raise PlaybookUnusable("operations.line_alone_needs_officer", facts)
        seen.add(line.number)
    for code, wrong in _WRONG.items():
        if wrong(playbook):
            raise PlaybookUnusable(code, {"playbook": playbook.id})


def _is_area(area: Json) -> bool:
    """Whether it is a GeoJSON Polygon or MultiPolygon whose rings are closed (at least four positions, RFC 7946)."""
    try:
        polygons = msgspec.convert(area, _Area).polygons()
    except msgspec.ValidationError:
        return False
    return bool(polygons) and all(polygon and all(len(ring) >= 4 for ring in polygon) for polygon in polygons)


_Ring = list[Annotated[list[float], msgspec.Meta(min_length=2)]]


class _Area(msgspec.Struct, frozen=True):
    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[Json]

    def polygons(self) -> list[list[_Ring]]:
        """The rings of each polygon."""
        found = [self.coordinates] if self.type == "Polygon" else self.coordinates
        return msgspec.convert(found, list[list[_Ring]])


def _never_valid(playbook: Playbook) -> bool:
    return bool(playbook.valid_from and playbook.valid_until and playbook.valid_until <= playbook.valid_from)


def _area_unusable(playbook: Playbook) -> bool:
    places = playbook.when.places
    return places is not None and places.area is not None and not _is_area(places.area)


_WRONG: dict[str, Callable[[Playbook], bool]] = {
    "operations.playbook_without_name": lambda playbook: not playbook.name,
    "operations.playbook_area_unusable": _area_unusable,
    "operations.playbook_without_zone": lambda playbook: any(
        at is not None and at.tzinfo is None for at in (playbook.valid_from, playbook.valid_until)
    ),
    "operations.playbook_never_valid": _never_valid,
}


Fits = Callable[[Means, Facts], object]
"""Checks parameters against a means; raises a `Refusal`."""


def problems(playbook: Playbook, means: Mapping[str, Means], executed: frozenset[str], fits: Fits) -> list[Problem]:
    """What hinders each line here: means that are unknown or nobody's, parameters that do not fit, no person asked."""
    found = []
    for line in playbook.lines:
        known = means.get(line.means)
        if known is None:
            found.append(Problem(line=line.number, code="operations.means_unknown", facts={"means": line.means}))
            continue
        if line.means not in executed:
            found.append(Problem(line=line.number, code="operations.means_of_nobody", facts={"means": line.means}))
        if known.two_person and line.approval == "none":
            found.append(Problem(line=line.number, code="operations.line_needs_person", facts={"means": line.means}))
        try:
            fits(known, line.parameters)
        except Refusal as refusal:
            # What a slot stands for is known only when an event is there.
            if not _is_slot(line.parameters.get(str(refusal.facts.get("field")))):
                found.append(Problem(line=line.number, code=refusal.code, facts=dict(refusal.facts)))
    return found


def _is_slot(value: Json) -> bool:
    return isinstance(value, str) and value.startswith("{") and value.endswith("}")


def is_marked(playbook: Playbook, means: Mapping[str, Means]) -> bool:
    """Whether it takes two persons to put it in force: any line that two must agree to."""
    return any(
        line.approval == "two" or (line.means in means and means[line.means].two_person) for line in playbook.lines
    )
