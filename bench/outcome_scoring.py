# SPDX-License-Identifier: Apache-2.0
"""Which alarms of a city that ran tell of which incident that really happened, and how long incidents stood."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from citybrain.kernel.records import Entity
from citybrain.kernel.routing import Roads, roads_of, roads_of_lanes
from citybrain.serve import scenarios
from citybrain.serve.import_remote import entities_of

STANDING = ("crash", "breakdown", "stopped", "illegal_parking")
"""What stands in the way until somebody clears it or it goes by itself."""

CLEARABLE = ("crash", "breakdown", "illegal_parking", "lane_closure", "closure", "dark_signal")
"""What somebody who is sent can clear, before it goes by itself within minutes."""

STOPS = ("traffic.blocked_lane", "traffic.illegal_parking", "traffic.stopped_vehicle")
FINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(STANDING, STOPS),
    "lane_closure": ("traffic.road_closed", *STOPS),
    "closure": ("traffic.road_closed", *STOPS),
    "dark_signal": ("traffic.signal_dark",),
    "sensor_dark": ("traffic.sensor_doubted",),
    "sensor_frozen": ("traffic.sensor_doubted",),
    "sensor_jumping": ("traffic.sensor_doubted",),
    "sensor_contradictory": ("traffic.sensor_doubted",),
    "surge": ("traffic.surge", "traffic.congestion", "traffic.spillback"),
}
"""Which kinds of alarm find which kind of incident. Before a closed lane vehicles stand as before a blocked one."""

HOPS, SURGE_HOPS = 1, 2
"""So many junctions away a sign still is at the place of an incident; a surge shows where its traffic meets others."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, the alarms that tell of it, and after how many seconds the first sign of it did.

    `found_s` is None where nobody told of it, or an alarm that was open before took it in without saying when.
    """

    number: int
    kind: str
    found_s: float | None
    alarms: frozenset[str]


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """What tells of something at a place: an alarm itself, or a sign that was merged into it."""

    alarm: str
    kind: str
    entity_id: str
    roads: frozenset[str]
    detectors: frozenset[str]
    at: datetime
    ended_at: datetime | None


def found_of(truth: Sequence[Mapping[str, Any]], alarms: Sequence[Mapping[str, Any]], net: str) -> list[Found]:
    """Each incident that began, with the signs of its kind there while it lasted."""
    entities = entities_of(scenarios.find(net).door, net)
    roads = Roads(entities)
    lanes = roads_of_lanes(entities)
    signs = [sign for alarm in alarms for sign in signs_of(alarm, entities, lanes)]
    found = []
    for one in truth:
        if one["begin"] is None:
            continue
        hops = SURGE_HOPS if one["kind"] == "surge" else HOPS
        near = roads.around(roads_of(one["entity_id"], entities), upstream=hops, downstream=hops)
        ours = [sign for sign in signs if _tells(sign, one, near)]
        times = [seconds for sign in ours if (seconds := (sign.at - _at(one["begin"])).total_seconds()) >= 0]
        found.append(
            Found(
                number=one["number"],
                kind=one["kind"],
                found_s=min(times, default=None),
                alarms=frozenset(sign.alarm for sign in ours),
            )
        )
    return found


def signs_of(alarm: Mapping[str, Any], entities: Sequence[Entity], lanes: Mapping[str, str]) -> list[Sign]:
    """An alarm and the signs that were merged into it."""
    evidence, ended_at = alarm["evidence"], alarm["ended_at"] and _at(alarm["ended_at"])
    detectors = frozenset(map(str, evidence.get("detectors", ())))
    named = [str(alarm["place"].get("road") or ""), *map(str, evidence.get("roads", ()))]
    named += [lanes.get(detector.rpartition(":")[2], "") for detector in detectors]
    own = Sign(
        alarm=alarm["id"],
        kind=alarm["kind"],
        entity_id=alarm["entity_id"],
        roads=frozenset(named) | frozenset(roads_of(alarm["entity_id"], entities)),
        detectors=detectors,
        at=_at(alarm["at"]),
        ended_at=ended_at,
    )
    merged = [
        Sign(
            alarm=alarm["id"],
            kind=each["kind"],
            entity_id=each["entity_id"],
            roads=frozenset(roads_of(each["entity_id"], entities)),
            detectors=frozenset(),
            at=_at(each["at"]),
            ended_at=ended_at,
        )
        for each in evidence.get("signs", ())
    ]
    return [own, *merged]


def standing_s(truth: Sequence[Mapping[str, Any]], day_s: float) -> dict[int, float]:
    """How long each incident that somebody can clear stood; one that outlasted the day until its end. To leave those
    out would favour whoever clears nothing."""
    return {
        one["number"]: (day_s if one["end_s"] is None else one["end_s"]) - one["begin_s"]
        for one in truth
        if one["kind"] in CLEARABLE and one["begin_s"] is not None
    }


def kept_promises(checks: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Of each means, how many orders did what it promises, and of how many that is known."""
    known = [each for each in checks if each["state"] in ("helped", "missed")]
    return {
        means: (sum(each["state"] == "helped" for each in known if each["means"] == means), count)
        for means, count in sorted(Counter(str(each["means"]) for each in known).items())
    }


def _tells(sign: Sign, one: Mapping[str, Any], near: frozenset[str]) -> bool:
    """A sign of the right kind at the place. One that names the very detector may have been open before."""
    if sign.kind not in FINDS[one["kind"]]:
        return False
    begin, end = _at(one["begin"]), one["end"] and _at(one["end"])
    if end and sign.at > end:
        return False
    if one["kind"].startswith("sensor"):
        return one["entity_id"] in sign.detectors and (sign.ended_at is None or sign.ended_at >= begin)
    if sign.at < begin:
        return False
    return sign.entity_id == one["entity_id"] if one["kind"] == "dark_signal" else bool(near & sign.roads)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
