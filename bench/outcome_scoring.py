# SPDX-License-Identifier: Apache-2.0
"""Which alarms of a city that ran tell of which incident that really happened, and how long incidents stood."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from citybrain.kernel.routing import Roads, roads_of
from citybrain.serve import scenarios
from citybrain.serve.import_remote import entities_of

STANDING = ("crash", "breakdown", "stopped", "illegal_parking")
"""What stands in the way until somebody clears it or it goes by itself."""

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

HOPS = 1


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, when it was found (None: not), and the alarms that tell of it."""

    number: int
    kind: str
    found_s: float | None
    alarms: frozenset[str]


def found_of(truth: Sequence[Mapping[str, Any]], alarms: Sequence[Mapping[str, Any]], net: str) -> list[Found]:
    """Each incident that began with the alarms of its kind, there, while it lasted."""
    entities = entities_of(scenarios.find(net).door, net)
    roads = Roads(entities)
    places = {alarm["id"]: _roads_of(alarm, entities) for alarm in alarms}
    found = []
    for one in truth:
        if one["begin"] is None:
            continue
        near = roads.around(roads_of(one["entity_id"], entities), upstream=HOPS, downstream=HOPS)
        ours = [alarm for alarm in alarms if _finds(alarm, one, near & places[alarm["id"]])]
        times = [(_at(alarm["at"]) - _at(one["begin"])).total_seconds() for alarm in ours]
        found.append(
            Found(
                number=one["number"],
                kind=one["kind"],
                found_s=min(times, default=None),
                alarms=frozenset(alarm["id"] for alarm in ours),
            )
        )
    return found


def standing_s(truth: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """How long each incident that somebody can clear stood; those that outlasted the scenario are left out."""
    return {
        one["number"]: one["end_s"] - one["begin_s"]
        for one in truth
        if one["kind"] in STANDING and one["begin_s"] is not None and one["end_s"] is not None
    }


def _finds(alarm: Mapping[str, Any], one: Mapping[str, Any], near: frozenset[str]) -> bool:
    if alarm["kind"] not in FINDS[one["kind"]] or not _meanwhile(alarm, one):
        return False
    if one["kind"].startswith("sensor"):
        return one["entity_id"] in (alarm["entity_id"], *alarm["evidence"].get("detectors", ()))
    if one["kind"] == "dark_signal":
        return bool(alarm["entity_id"] == one["entity_id"])
    return bool(near)


def _meanwhile(alarm: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    at = _at(alarm["at"])
    return _at(one["begin"]) <= at and (one["end"] is None or at <= _at(one["end"]))


def _roads_of(alarm: Mapping[str, Any], entities: Sequence[Any]) -> frozenset[str]:
    place = str(alarm["place"].get("road", ""))
    return frozenset((place, *alarm["evidence"].get("roads", ()), *roads_of(alarm["entity_id"], entities)))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
