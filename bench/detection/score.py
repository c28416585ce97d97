# SPDX-License-Identifier: Apache-2.0
"""Which alarms found which incidents, which are signs of one, which tell of a real jam, and which are false."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bench.detection.baseline import SLOW
from bench.detection.plan import CLOSING, SENSORS, STANDING
from bench.detection.runs import Alarm, Result

STOPS = ("traffic.blocked_lane", "traffic.illegal_parking", "traffic.stopped_vehicle")
FINDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(STANDING, (*STOPS, SLOW)),
    **dict.fromkeys(CLOSING, ("traffic.road_closed", *STOPS, SLOW)),
    "dark_signal": ("traffic.signal_dark",),
    **dict.fromkeys(SENSORS, ("traffic.sensor_doubted",)),
    "surge": ("traffic.surge", "traffic.congestion", "traffic.spillback", SLOW),
}
"""Which kinds of alarm find which kind of incident; the plain threshold has but one kind.

Before a closed lane vehicles stand as before a blocked one. Of a surge it matters that the jam which it makes is told.
"""

JAMS = ("traffic.congestion", "traffic.spillback", "traffic.surge", SLOW)

AFTERMATH_S = 300.0
"""A queue goes on after its cause; an alarm within this is a sign of it."""

SIGN_HOPS = 2
"""Signs of an incident are on its road and those within two junctions."""

JAM_WITHIN_S = 120.0


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an incident: found after so many seconds (None: not), by its own kind and by any sign."""

    net: str
    kind: str
    in_sight: bool
    passed: int
    found_s: float | None
    any_s: float | None


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """The alarms of one run by what they are, and those that are false by kind."""

    found: int
    signs: int
    jams: int
    false: dict[str, int]
    examples: list[str]


class Map:
    """How far roads are from each other, in junctions; a signal is at the roads of its detectors."""

    def __init__(self, onward: Mapping[str, Sequence[str]]) -> None:
        self._beside: dict[str, set[str]] = {road: set() for road in onward}
        for road, after in onward.items():
            for one in after:
                self._beside[road].add(one)
                self._beside.setdefault(one, set()).add(road)

    def within(self, roads: Iterable[str], hops: int) -> set[str]:
        """All roads that are at most so many junctions away."""
        reached = set(roads)
        for _ in range(hops):
            reached |= {one for road in reached for one in self._beside.get(road, ())}
        return reached


def roads_of(alarm: Alarm) -> set[str]:
    """The roads an alarm is about: its own, those of its evidence, and those of its detectors' lanes."""
    lanes = {detector.split(":", 3)[3].rpartition(":")[2].rpartition("_")[0] for detector in alarm.detectors}
    return {alarm.entity_id, *alarm.roads, *(f"urn:ngsi-ld:RoadSegment:{lane}" for lane in lanes)}


def happened(result: Result, *, harmless: bool = False) -> list[Mapping[str, Any]]:
    """The incidents that there were: they began, and where traffic is concerned somebody drove there meanwhile; a surge
    made a queue longer or a road slower, and what a frozen detector said was not true all the time."""
    return [
        one
        for one in result.truth
        if one["begin_s"] is not None
        and (one["kind"] not in (*STANDING, *CLOSING) or one["passed"] or _is_gone(one))
        and (harmless or (one.get("harms", True) and not was_true(one)))
    ]


def was_true(one: Mapping[str, Any]) -> bool:
    """A detector that froze and nobody came into its reach meanwhile: it told nothing that was false."""
    return bool(one["kind"] == "sensor_frozen" and one.get("reached", 1) == 0)


def _is_gone(one: Mapping[str, Any]) -> bool:
    """A closed road has nobody on it, which is no reason to leave it out: others wanted to."""
    return bool(one["kind"] == "closure")


def verdicts(result: Result, alarms: Sequence[Alarm]) -> list[Verdict]:
    """Of each incident of a run when it was found."""
    streets = Map(result.onward)
    found = []
    for one in happened(result):
        own = [at_s for alarm in alarms for at_s in finds(alarm, one, streets)]
        signs = own + [alarm.at_s for alarm in alarms if is_sign(alarm, one, streets)]
        found.append(
            Verdict(
                net=result.case.net,
                kind=one["kind"],
                in_sight=bool(one["in_sight"]),
                passed=int(one["passed"]),
                found_s=min((at_s - one["begin_s"] for at_s in own), default=None),
                any_s=min((at_s - one["begin_s"] for at_s in signs), default=None),
            )
        )
    return found


def finds(alarm: Alarm, one: Mapping[str, Any], streets: Map) -> list[float]:
    """When an alarm of the right kind came at the place: the road or one beside it, the signal, or the detector."""
    if alarm.kind not in FINDS[one["kind"]]:
        return []
    if one["kind"] in SENSORS:
        return [at_s for name, at_s in alarm.joined if name == one["entity_id"] and is_meanwhile(at_s, one, 0.0)]
    if not is_meanwhile(alarm.at_s, one, 0.0):
        return []
    if one["kind"] == "dark_signal":
        return [alarm.at_s] if alarm.entity_id == one["entity_id"] else []
    roads = set(one.get("feeds", ())) if one["kind"] == "surge" else streets.within([one["entity_id"]], 1)
    return [alarm.at_s] if roads_of(alarm) & roads else []


def is_sign(alarm: Alarm, one: Mapping[str, Any], streets: Map) -> bool:
    """Any alarm that tells of traffic near an incident while it lasts or its queue does."""
    if not is_meanwhile(alarm.at_s, one, AFTERMATH_S):
        return False
    name = one["entity_id"]
    if one["kind"] in SENSORS:
        return name in alarm.detectors
    if one["kind"] == "dark_signal":
        signal = name.split(":", 3)[3]
        near = {detector.split(":", 3)[3].split(":")[0] for detector in alarm.detectors}
        return alarm.entity_id == name or signal in near
    return bool(roads_of(alarm) & streets.within([name], SIGN_HOPS))


def is_meanwhile(at_s: float, one: Mapping[str, Any], after_s: float) -> bool:
    """Whether it was while an incident lasted, or so long after."""
    return bool(one["begin_s"] <= at_s <= (one["end_s"] or 1e9) + after_s)


def count(result: Result, alarms: Sequence[Alarm]) -> Count:
    """Every alarm is one of four: it finds an incident, is a sign of one, tells of a real jam, or is false."""
    streets = Map(result.onward)
    truth = happened(result, harmless=True)
    found = signs = jams = 0
    false: dict[str, int] = {}
    examples = []
    for alarm in alarms:
        if any(finds(alarm, one, streets) for one in truth):
            found += 1
        elif any(is_sign(alarm, one, streets) for one in truth):
            signs += 1
        elif alarm.kind in JAMS and is_jammed(alarm, result):
            jams += 1
        else:
            false[alarm.kind] = false.get(alarm.kind, 0) + 1
            place = ",".join(one.split(":", 3)[3] for one in (alarm.detectors or alarm.roads)[:2])
            examples.append(f"{alarm.kind} {alarm.entity_id.split(':', 3)[3]} {alarm.at_s:.0f} {place}")
    return Count(found=found, signs=signs, jams=jams, false=false, examples=examples)


def is_jammed(alarm: Alarm, result: Result) -> bool:
    """Whether any of its roads really was jammed about when the alarm came."""
    return any(abs(at_s - alarm.at_s) <= JAM_WITHIN_S for road in roads_of(alarm) for at_s in result.jams.get(road, ()))
