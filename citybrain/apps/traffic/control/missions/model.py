# SPDX-License-Identifier: Apache-2.0
"""The words of missions: kinds, urgencies, states, who goes first, and what a vehicle reports of itself."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from citybrain.kernel.errors import Invalid, NotFound
from citybrain.kernel.records import Batch, Facts

DISPATCH = "traffic.dispatch"
CANCEL_MISSION = "traffic.cancel_mission"
SEND_VEHICLE = "traffic.send_vehicle"
REROUTE_VEHICLE = "traffic.reroute_vehicle"
MISSION = "traffic.mission"
"""The kind of the event that lasts as long as a mission does."""

FLEET = "fleet"

ACTS_KEPT = 100

Point = tuple[float, float]
"""Longitude and latitude."""

Urgency = Annotated[int, msgspec.Meta(ge=1, le=3)]


class Kind(StrEnum):
    """Who is on the way."""

    AMBULANCE = "ambulance"
    FIRE = "fire"
    POLICE = "police"


class State(StrEnum):
    """Where a mission stands."""

    ASSIGNED = "assigned"
    UNDER_WAY = "under_way"
    LOST = "lost_contact"
    ARRIVED = "arrived"
    CANCELLED = "cancelled"


OVER = frozenset({State.ARRIVED, State.CANCELLED})

NEXT: Mapping[State, frozenset[State]] = {
    State.ASSIGNED: frozenset({State.UNDER_WAY, State.LOST, State.ARRIVED, State.CANCELLED}),
    State.UNDER_WAY: frozenset({State.LOST, State.ARRIVED, State.CANCELLED}),
    State.LOST: frozenset({State.ASSIGNED, State.UNDER_WAY, State.ARRIVED, State.CANCELLED}),
    State.ARRIVED: frozenset(),
    State.CANCELLED: frozenset(),
}

# Who goes first where two want different stages of one signal at the same time: a life in danger before anything else,
# and within one urgency whoever carries or reaches a patient. No standard ranks them; a city may want it otherwise.
# fmt: off
PRIORITY: Mapping[tuple[Kind, int], int] = {
    (Kind.AMBULANCE, 1): 9, (Kind.FIRE, 1): 8, (Kind.POLICE, 1): 7,
    (Kind.AMBULANCE, 2): 6, (Kind.FIRE, 2): 5, (Kind.POLICE, 2): 4,
    (Kind.AMBULANCE, 3): 3, (Kind.FIRE, 3): 2, (Kind.POLICE, 3): 1,
}
# fmt: on


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """Send somebody somewhere: from and to a road, or the one nearest to a point; urgency 1 is a life in danger.

    With `vehicle` one that already reports goes there from where it is; else a new one sets out.
    """

    kind: Kind
    urgency: Urgency = 1
    from_road: str | None = None
    from_point: Point | None = None
    to_road: str | None = None
    to_point: Point | None = None
    vehicle: str | None = None


class CancelMission(msgspec.Struct, frozen=True, kw_only=True):
    """Call a mission off: nothing opens for it any more. Where the vehicle then goes is its crew's business."""


class SendVehicle(msgspec.Struct, frozen=True, kw_only=True):
    """Put a vehicle on the road: `kind`, and its roads in order or the first and the last of them."""

    kind: str
    from_road: str | None = None
    to_road: str | None = None
    route: tuple[str, ...] | None = None
    mission: str = ""
    urgency: int = 0


class RerouteVehicle(msgspec.Struct, frozen=True, kw_only=True):
    """Give a vehicle that is under way another way: its roads, from the one it is on."""

    route: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a vehicle says of itself. `road` is the next one while it is inside a junction."""

    vehicle: str
    state: str
    kind: str = ""
    mission: str = ""
    urgency: int = 0
    destination: str = ""
    road: str = ""
    lane: str = ""
    inside_junction: bool = False
    position_m: float = 0.0
    speed_mps: float = 0.0
    lon: float = 0.0
    lat: float = 0.0
    route: tuple[str, ...] = ()


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done for a mission, and why: a code with facts."""

    at: datetime
    code: str
    facts: Facts = {}


class Mission(msgspec.Struct, kw_only=True):
    """One mission. `passed` are signals that lie behind; `opened_s` says since when each signal ahead is held open,
    `stuck_s` since when the vehicle stands."""

    id: str
    vehicle: str
    kind: Kind
    urgency: int
    origin: str
    destination: str
    begun_at: datetime
    route: tuple[str, ...]
    ordinary_s: float
    state: State = State.ASSIGNED
    ended_at: datetime | None = None
    heard_s: float = 0.0
    eta_s: float = 0.0
    routed_s: float = 0.0
    stuck_s: float | None = None
    report: Report | None = None
    acts: list[Act] = msgspec.field(default_factory=list)
    passed: list[str] = msgspec.field(default_factory=list)
    opened_s: dict[str, float] = msgspec.field(default_factory=dict)

    @property
    def priority(self) -> int:
        """Higher goes first."""
        return PRIORITY[self.kind, self.urgency]

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    def go(self, state: State, at: datetime) -> bool:
        """Go over to a state if that is possible from where it stands."""
        if state not in NEXT[self.state]:
            return False
        self.state = state
        if self.is_over:
            self.ended_at = at
        return True

    def did(self, at: datetime, code: str, **facts: object) -> None:
        """Note an act; of very many the oldest are forgotten."""
        self.acts.append(Act(at=at, code=code, facts=facts))
        del self.acts[:-ACTS_KEPT]


class NoSuchRoad(NotFound):
    """No such road, or none named and no point given."""


class NoWay(Invalid):
    """One cannot drive from there to there."""


class NoSuchVehicle(NotFound):
    """No vehicle of this id reports itself."""


class VehicleIsBusy(Invalid):
    """The vehicle has a mission already."""


class NoSuchMission(NotFound):
    """There is no mission of this id that could be called off."""


def reports(batch: Batch) -> dict[str, Report]:
    """What vehicles say of themselves, by vehicle."""
    return {
        report.vehicle: report
        for said in batch.by_entity(FLEET).values()
        for report in msgspec.convert(list(said or ()), list[Report])
    }
