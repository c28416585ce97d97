# SPDX-License-Identifier: Apache-2.0
"""A mission as screens see it: the evidence of its event."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.traffic.control.missions.ahead import Ahead
from citybrain.apps.traffic.control.missions.model import MISSION, Mission, State
from citybrain.kernel.records import Because, Event, Facts, Json, Severity
from citybrain.kernel.routing import Roads

# A mission is no incident: the event that tells of it ranks low, so that it hides none.
SEVERITY = Severity.IV

SAYS = {
    State.ASSIGNED: "traffic.mission_assigned",
    State.UNDER_WAY: "traffic.mission_under_way",
    State.LOST: "traffic.mission_lost_contact",
    State.ARRIVED: "traffic.mission_arrived",
    State.CANCELLED: "traffic.mission_cancelled",
}


def event(mission: Mission, ahead: Sequence[Ahead], yields: Collection[str], roads: Roads, at: datetime) -> Event:
    """The event of a mission as it stands now; the same id from its beginning to its end."""
    return Event(
        id=mission.id,
        kind=MISSION,
        severity=SEVERITY,
        at=mission.begun_at,
        entity_id=mission.id,
        because=because(mission),
        geometry={"type": "LineString", "coordinates": [list(point) for point in roads.line(mission.route)]},
        evidence=evidence(mission, ahead, yields, at),
        ended_at=mission.ended_at,
    )


def because(mission: Mission) -> Because:
    """One sentence on where it stands."""
    facts = {"vehicle": short(mission.vehicle), "urgency": mission.urgency, "eta_s": round(mission.eta_s)}
    return Because(code=SAYS[mission.state], facts=facts, entity_ids=(mission.destination,))


def evidence(mission: Mission, ahead: Sequence[Ahead], yields: Collection[str], at: datetime) -> Facts:
    """All that a screen shows of it, but its line."""
    passed_s = ((mission.ended_at or at) - mission.begun_at).total_seconds()
    eta_s = 0.0 if mission.is_over else mission.eta_s
    return {
        "id": mission.id,
        "vehicle": mission.vehicle,
        "kind": mission.kind.value,
        "urgency": mission.urgency,
        "priority": mission.priority,
        "state": mission.state.value,
        "from_road": mission.origin,
        "to_road": mission.destination,
        "route": list(mission.route),
        "position": _position(mission),
        "passed_s": round(passed_s, 1),
        "eta_s": round(eta_s, 1),
        "arrives_at": None if mission.is_over else (at + timedelta(seconds=eta_s)).isoformat(),
        "ordinary_s": round(mission.ordinary_s, 1),
        "saved_s": round(mission.ordinary_s - passed_s - eta_s, 1) if mission.state is not State.CANCELLED else None,
        "junctions": [*_passed(mission), *(_junction(one, yields) for one in ahead)],
        "acts": msgspec.to_builtins(mission.acts),
    }


def short(vehicle: str) -> str:
    """A vehicle's id without its prefix."""
    return vehicle.rsplit(":", 1)[-1]


def _position(mission: Mission) -> Json:
    report = mission.report
    if report is None or not report.road:
        return None
    return {"lon": report.lon, "lat": report.lat, "road": report.road, "speed_kmh": round(report.speed_mps * 3.6, 1)}


def _passed(mission: Mission) -> list[Json]:
    return [{"signal": signal, "state": "passed", "eta_s": None, "queue": None} for signal in mission.passed]


def _junction(one: Ahead, yields: Collection[str]) -> Json:
    signal = one.movement.signal_id
    state = "yields" if signal in yields else "open" if one.is_open else "ahead"
    return {"signal": signal, "state": state, "eta_s": round(one.eta_s, 1), "queue": one.queue}
