# SPDX-License-Identifier: Apache-2.0
"""A day on which much goes wrong at one junction: what the sensors see of it is told, soon, and where it is."""

from datetime import UTC, datetime

import msgspec

from citybrain.apps.traffic.detect.incidents import Incidents
from citybrain.doors.sumo import scenario
from citybrain.doors.sumo.field import SumoField
from citybrain.kernel.app import Opening
from citybrain.kernel.records import Event

SIGNAL = "GS_cluster_357187_359543"
STOPS = {"traffic.blocked_lane", "traffic.illegal_parking", "traffic.stopped_vehicle"}
FOUND_WITHIN_S = 120.0

INCIDENTS = (
    {"kind": "breakdown", "road": "-32038056#3", "lane": 1, "at": 0.7, "begin_s": 200.0, "duration_s": 150.0},
    {"kind": "crash", "road": "23429231#1", "lane": 0, "at": 0.5, "begin_s": 300.0, "duration_s": 150.0},
    {"kind": "illegal_parking", "road": "32324544#0", "lane": 0, "at": 0.4, "begin_s": 400.0, "duration_s": 150.0},
    {"kind": "stopped", "road": "32038051#0", "lane": 0, "at": 0.4, "begin_s": 600.0, "duration_s": 120.0},
    {"kind": "sensor_jumping", "detector": f"{SIGNAL}:approach:27115123#3_0", "begin_s": 700.0, "duration_s": 120.0},
    {"kind": "sensor_dark", "detector": f"{SIGNAL}:approach:27115123#3_1", "begin_s": 870.0, "duration_s": 60.0},
    {"kind": "dark_signal", "signal": SIGNAL, "begin_s": 950.0, "duration_s": 100.0},
)


def test_each_incident_is_found_within_two_minutes_where_it_is() -> None:
    city = msgspec.structs.replace(scenario.find("cologne1"), trusted=True)
    begins_at = datetime(2026, 5, 4, 7, tzinfo=UTC)
    opening = Opening(
        scenario=city, seed=3, begins_at=begins_at, obey=False, options={"incidents": [dict(one) for one in INCIDENTS]}
    )
    field = SumoField(opening)
    try:
        detect = Incidents(field.entities())
        told = [event for _ in range(1100) for event in detect(field.step(()).batch)]
        truth = field.summary()["truth"]
    finally:
        field.close()
    assert len(truth) == len(INCIDENTS)
    late = []
    for one in truth:
        began_s = one["begin_s"]
        found_s = [
            (event.at - begins_at).total_seconds() - began_s
            for event in told
            if event.kind in _kinds(one["kind"]) and one["entity_id"] in _places(event)
        ]
        if not any(0.0 <= passed_s <= FOUND_WITHIN_S for passed_s in found_s):
            late.append((one["kind"], one["entity_id"], found_s))
    assert not late
    assert {event.id for event in told if event.ended_at} >= {event.id for event in told if event.kind in STOPS}


def _kinds(kind: str) -> set[str]:
    if kind.startswith("sensor_"):
        return {"traffic.sensor_doubted"}
    return {"traffic.signal_dark"} if kind == "dark_signal" else STOPS


def _places(event: Event) -> set[str]:
    return {event.entity_id, *event.evidence.get("detectors", ())}
