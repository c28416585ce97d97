# SPDX-License-Identifier: Apache-2.0
"""Whether the conditions of a line are so: values, the event's evidence, room on the roads around, time. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

import msgspec

from citybrain.apps.operations.decide.playbook import Conditions, Line, Plain, Value
from citybrain.kernel.app import Where
from citybrain.kernel.records import Facts, Json

CONGESTED = 0.4
"""A road is congested on which nobody drives faster than this share of its limit (GB/T 33171: moderately and worse)."""
ROOM = 0.25
"""The roads around have room while fewer than this share of those that are known are congested. Our convention."""
KNOWN = 4
"""Of so few roads nobody can say whether they have room."""
HOPS = 4
"""So many roads away from the event's is around it."""
UNMET = frozenset(
    {
        "operations.unmet_value",
        "operations.unmet_evidence",
        "operations.unmet_minutes",
        "operations.unmet_net",
        "operations.unmet_net_unknown",
    }
)
"""The codes of conditions that are not so."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """How many of the roads around are congested, of those whose speed is known."""

    known: int
    congested: int

    @property
    def is_there(self) -> bool:
        """Whether so much more traffic may be led there; not where too little is known."""
        return self.known >= KNOWN and self.congested < ROOM * self.known


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """The first condition that is not so, as words with facts."""

    code: str
    facts: Facts = {}


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What conditions are held against; `lasted` is for how long the event has gone on."""

    evidence: Facts
    lasted: timedelta
    value: Callable[[str, Where], Json]
    room: Callable[[], Room | None]


def room_of(roads: Iterable[tuple[float | None, float | None]]) -> Room:
    """The room on roads, from the speed on each and its limit (km/h); None is not known."""
    shares = [speed / limit for speed, limit in roads if speed is not None and limit]
    return Room(known=len(shares), congested=sum(share <= CONGESTED for share in shares))


def unmet(wanted: Conditions, now: Now) -> Unmet | None:
    """What is not so of all that is wanted; None when everything is."""
    value = wanted.value
    if value is not None and not is_so(value, now.value(value.attribute, value.on)):
        return Unmet(code="operations.unmet_value", facts={"attribute": value.attribute})
    name = next((name for name, one in wanted.evidence.items() if not _says(now.evidence.get(name), one)), None)
    if name is not None:
        return Unmet(code="operations.unmet_evidence", facts={"name": name})
    if now.lasted < timedelta(minutes=wanted.minutes):
        return Unmet(code="operations.unmet_minutes", facts={"minutes": wanted.minutes})
    return _no_room(now.room()) if wanted.net == "has_room" else None


def _no_room(room: Room | None) -> Unmet | None:
    if room is None or room.known < KNOWN:
        return Unmet(code="operations.unmet_net_unknown")
    return (
        None
        if room.is_there
        else Unmet(code="operations.unmet_net", facts={"congested": room.congested, "of": room.known})
    )


def _says(evidence: Json, wanted: Plain | tuple[Plain, ...]) -> bool:
    return evidence in wanted if isinstance(wanted, tuple) else bool(evidence == wanted)


def is_so(wanted: Value, value: Json) -> bool:
    """Whether a value is as wanted; one that is not known is not."""
    if value is None:
        return False
    if wanted.is_ == "equal":
        return bool(value == wanted.value)
    if isinstance(value, str) or isinstance(wanted.value, str):
        return False
    return bool(value > wanted.value if wanted.is_ == "above" else value < wanted.value)


def asked_of(lines: Iterable[Line], evidence: Mapping[str, Json]) -> Facts:
    """The part of the evidence that conditions of lines ask for."""
    asked = {name for line in lines for each in (line.only_if, line.alone_if) if each for name in each.evidence}
    return {name: evidence[name] for name in sorted(asked) if name in evidence}
