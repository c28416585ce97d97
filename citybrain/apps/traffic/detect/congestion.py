# SPDX-License-Identifier: Apache-2.0
"""Congestion: connected roads on which nobody gets on, as events."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from citybrain.apps.traffic.detect.persistence import Mask, Persistence, Steps, event_id
from citybrain.apps.traffic.index import MODERATE, SEVERE, SLOWEST_KMH, Numbers, Places, levels
from citybrain.kernel.records import Batch, Because, Entity, Event, Facts, Json, Severity

CONGESTION = "traffic.congestion"

# Where a road begins and ends, as ids of junctions.
FROM, TO = "fromJunction", "toJunction"

# Our conventions; the README says what was measured before they were chosen.
CONGESTED_AFTER_S = 120.0
CLEAR_AFTER_S = 120.0
OPENS_FROM_M = 150.0
ENDS_BELOW_M = 75.0
JUDGED_EVERY = timedelta(seconds=30)
SIGHT_LOST_AFTER = timedelta(minutes=15)

# Severity of congestion: the first row whose three limits are all reached. Our convention (level × length × duration).
# fmt: off
SEVERITIES = (
    (Severity.I,   SEVERE,   2000.0, timedelta(minutes=30)),
    (Severity.II,  SEVERE,   1000.0, timedelta(minutes=15)),
    (Severity.II,  MODERATE, 2000.0, timedelta(minutes=30)),
    (Severity.III, SEVERE,    300.0, timedelta(minutes=5)),
    (Severity.III, MODERATE, 1000.0, timedelta(minutes=15)),
    (Severity.IV,  MODERATE,    0.0, timedelta(0)),
)
# fmt: on
WORST_FIRST = tuple(Severity)

Group = tuple[int, ...]


def severity(level: int, length_m: float, lasted: timedelta) -> Severity:
    """Severity of congestion of this level on so many metres for so long; below every row it is IV."""
    rows = (row[0] for row in SEVERITIES if level >= row[1] and length_m >= row[2] and lasted >= row[3])
    return next(rows, Severity.IV)


class Jam(msgspec.Struct, frozen=True, kw_only=True):
    """One going congestion: the event as last told, its roads, and since when the first of them was slow."""

    event: Event
    group: Group
    since: datetime
    judged_at: datetime


class Congestion:
    """Connected roads of level 4 or worse are one event, which keeps its id while it grows, splits and shrinks."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._roads = Places(entities, "RoadSegment")
        self._length_m = self._roads.facts("length")
        self._free_kmh = self._roads.facts("maximumAllowedSpeed")
        self._neighbours = neighbours(self._roads.entities)
        count = len(self._roads.entities)
        self._slow = Persistence(count, opens_after_s=CONGESTED_AFTER_S, closes_after_s=CLEAR_AFTER_S)
        self._speed_kmh = np.full(count, np.nan)
        self._seen_at = np.full(count, -np.inf)
        self._steps = Steps()
        self._jams: tuple[Jam, ...] = ()

    def __call__(self, batch: Batch) -> list[Event]:
        """Congestion that ended, changed or is new since the last batch."""
        if not self._steps.is_due(batch.observed_at):
            return []
        before = self._slow.holds
        lost = self._take(batch)
        told = {jam.event.id: jam.event for jam in self._jams}
        if np.array_equal(before, self._slow.holds):
            ended: list[Event] = []
            self._jams = tuple(self._gone_on(jam, jam.group, batch) for jam in self._jams)
        else:
            ended, self._jams = self._regrouped(lost, batch)
        return ended + [jam.event for jam in self._jams if told.get(jam.event.id) is not jam.event]

    def _regrouped(self, lost: Mask, batch: Batch) -> tuple[list[Event], tuple[Jam, ...]]:
        """What ended and what goes on or is new, now that other roads are congested than before."""
        groups = self._groups(ENDS_BELOW_M)
        heirs = inherit(self._jams, groups, self._length_m)
        going = {jam.event.id for jam in heirs.values()}
        ended = [self._ended(jam, heirs, lost, batch) for jam in self._jams if jam.event.id not in going]
        kept = [self._gone_on(heirs[group], group, batch) for group in groups if group in heirs]
        new = [
            self._opened(group, batch) for group in groups if group not in heirs and self._is_long(group, OPENS_FROM_M)
        ]
        return ended, (*kept, *new)

    def _take(self, batch: Batch) -> Mask:
        """Add what the batch says to the memory; return the congested roads that nobody has seen for too long."""
        speed_kmh = self._roads.observed(batch, "averageVehicleSpeed")
        level = levels(speed_kmh, self._free_kmh)
        seen = level > 0
        self._speed_kmh = np.where(seen, speed_kmh, self._speed_kmh)
        self._seen_at = np.where(seen, batch.observed_at.timestamp(), self._seen_at)
        self._slow.update(level >= MODERATE, seen & (level < MODERATE), self._steps.since_last(batch.observed_at))
        unseen_s = batch.observed_at.timestamp() - self._seen_at
        lost = self._slow.holds & (unseen_s > SIGHT_LOST_AFTER.total_seconds())
        self._slow.drop(lost)
        return lost

    def _groups(self, from_m: float) -> list[Group]:
        holding = self._slow.holds.nonzero()[0].tolist()
        return [group for group in connected(holding, self._neighbours) if self._is_long(group, from_m)]

    def _is_long(self, group: Group, from_m: float) -> bool:
        return float(self._length_m[list(group)].sum()) >= from_m

    def _opened(self, group: Group, batch: Batch) -> Jam:
        entity_id = self._main_road(group)
        since = batch.observed_at - timedelta(seconds=float(self._slow.lasted_s[list(group)].max()))
        parts = [jam.event.id for jam in self._jams if set(jam.group) & set(group)]
        evidence = self._evidence(group, since, batch)
        event = Event(
            id=event_id(CONGESTION, entity_id, batch),
            kind=CONGESTION,
            severity=severity(evidence["level"], evidence["length_m"], batch.observed_at - since),
            at=batch.observed_at,
            entity_id=entity_id,
            because=self._because(group, evidence, batch, parts[0] if parts else None),
            geometry=lines(self._roads.entities[road] for road in group),
            evidence=evidence,
        )
        return Jam(event=event, group=group, since=since, judged_at=batch.observed_at)

    def _gone_on(self, jam: Jam, group: Group, batch: Batch) -> Jam:
        """The jam goes on: told again when its roads or its severity changed. Severity stays at the worst it was."""
        if group == jam.group and batch.observed_at - jam.judged_at < JUDGED_EVERY:
            return jam
        evidence = self._evidence(group, jam.since, batch)
        now = severity(evidence["level"], evidence["length_m"], batch.observed_at - jam.since)
        worst = min(now, jam.event.severity, key=WORST_FIRST.index)
        if group == jam.group and worst == jam.event.severity:
            return msgspec.structs.replace(jam, judged_at=batch.observed_at)
        still_there = any(self._roads.entities[road].id == jam.event.entity_id for road in group)
        event = msgspec.structs.replace(
            jam.event,
            severity=worst,
            entity_id=jam.event.entity_id if still_there else self._main_road(group),
            because=self._because(group, evidence, batch, jam.event.because.event_id),
            geometry=lines(self._roads.entities[road] for road in group),
            evidence=evidence,
        )
        return Jam(event=event, group=group, since=jam.since, judged_at=batch.observed_at)

    def _ended(self, jam: Jam, heirs: Mapping[Group, Jam], lost: Mask, batch: Batch) -> Event:
        """The event closed: taken up by an older one, lost sight of, or seen to clear."""
        into = [heir.event.id for group, heir in heirs.items() if set(group) & set(jam.group)]
        code = "traffic.congestion_clear"
        if into:
            code = "traffic.congestion_merged"
        elif lost[list(jam.group)].any():
            code = "traffic.congestion_lost"
        because = Because(
            code=code,
            facts={"minutes": round((batch.observed_at - jam.since).total_seconds() / 60)},
            batch_id=batch.id,
            event_id=into[0] if into else None,
            entity_ids=tuple(self._roads.entities[road].id for road in jam.group),
        )
        return msgspec.structs.replace(jam.event, ended_at=batch.observed_at, because=because)

    def _main_road(self, group: Group) -> str:
        """The longest road names the event, the first of equals."""
        return self._roads.entities[max(group, key=lambda road: (self._length_m[road], -road))].id

    def _evidence(self, group: Group, since: datetime, batch: Batch) -> dict[str, Json]:
        """What was seen on the roads. Speed of the group is its length over its travel time, each road as last seen."""
        places = list(group)
        length_m, free_kmh = self._length_m[places], self._free_kmh[places]
        speed_kmh = self._speed_kmh[places]
        group_kmh = float(length_m.sum() / (length_m / np.maximum(speed_kmh, SLOWEST_KMH)).sum())
        group_free_kmh = float(length_m.sum() / (length_m / free_kmh).sum())
        return {
            "since": since.isoformat(),
            "duration_s": round((batch.observed_at - since).total_seconds()),
            "length_m": round(float(length_m.sum())),
            "speed_kmh": round(group_kmh, 1),
            "free_kmh": round(group_free_kmh, 1),
            "level": int(levels([group_kmh], [group_free_kmh])[0]),
            "roads": [self._roads.entities[road].id for road in group],
            "road_speeds_kmh": speed_kmh.round(1).tolist(),
            "road_lengths_m": length_m.round(1).tolist(),
        }

    def _because(self, group: Group, evidence: Facts, batch: Batch, event_id: str | None) -> Because:
        return Because(
            code="traffic.congestion_slow",
            facts={
                "roads": len(group),
                "length_m": evidence["length_m"],
                "speed_kmh": evidence["speed_kmh"],
                "percent": round(100 * evidence["speed_kmh"] / evidence["free_kmh"]),
                "minutes": round(evidence["duration_s"] / 60),
            },
            batch_id=batch.id,
            event_id=event_id,
            entity_ids=tuple(self._roads.entities[road].id for road in group),
        )


def neighbours(roads: Sequence[Entity]) -> tuple[Group, ...]:
    """For each road those that lead into it or out of it over a junction. Turning back is not going on."""
    ends = [(road.attributes.get(FROM), road.attributes.get(TO)) for road in roads]
    leaving: dict[str, list[int]] = {}
    for place, (begin, _) in enumerate(ends):
        if begin is not None:
            leaving.setdefault(begin, []).append(place)
    found: list[set[int]] = [set() for _ in roads]
    for place, (begin, end) in enumerate(ends):
        for after in leaving.get(end, []) if end is not None else []:
            if ends[after][1] != begin:
                found[place].add(after)
                found[after].add(place)
    return tuple(tuple(sorted(one)) for one in found)


def connected(places: Sequence[int], beside: Sequence[Group]) -> list[Group]:
    """The places in groups that hang together, each sorted, the group with the lowest place first."""
    left = set(places)
    groups: list[Group] = []
    for place in sorted(places):
        if place in left:
            group, reached = [], [place]
            left.discard(place)
            while reached:
                here = reached.pop()
                group.append(here)
                onward = left.intersection(beside[here])
                left -= onward
                reached.extend(onward)
            groups.append(tuple(sorted(group)))
    return groups


def inherit(jams: Sequence[Jam], groups: Sequence[Group], length_m: Numbers) -> dict[Group, Jam]:
    """Which group goes on which jam: the older jam chooses first, and takes the most metres of what it was."""
    heirs: dict[Group, Jam] = {}
    for jam in sorted(jams, key=lambda one: (one.event.at, one.event.id)):
        free = [group for group in groups if group not in heirs and not set(group).isdisjoint(jam.group)]
        shared = {group: float(length_m[[road for road in group if road in jam.group]].sum()) for group in free}
        if free:
            heirs[max(free, key=lambda group: (shared[group], -group[0]))] = jam
    return heirs


def lines(roads: Iterable[Entity]) -> Json:
    """The lines of the roads as one GeoJSON geometry; None where none is known."""
    drawn = [road.geometry["coordinates"] for road in roads if road.geometry]
    if len(drawn) == 1:
        return {"type": "LineString", "coordinates": drawn[0]}
    return {"type": "MultiLineString", "coordinates": drawn} if drawn else None
