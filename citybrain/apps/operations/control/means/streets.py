# SPDX-License-Identifier: Apache-2.0
"""Means on lanes, roads, signals and buses that the street itself carries out: the simulated one does. Pure.

What lasts stands until it is ended or its minutes are over; `street.reopen` and `signals.resume` end it exactly.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import msgspec

from citybrain.apps.operations.control.means.acts import DONE, PROGRESS, Act, group_of
from citybrain.apps.operations.control.means.parameters import Id, Minutes, Name
from citybrain.kernel.app import Becomes, Effect, Means, Where
from citybrain.kernel.records import Facts, Order

STREET = "operations.street"
"""To change what may drive where, and what signals do beyond their plans."""
REOPEN, RESUME, DIVERT = "street.reopen", "signals.resume", "street.divert"
ROAD, SIGNAL = ("RoadSegment",), ("TrafficSignalController",)
BUS: tuple[str, ...] = ()
"""Vehicles that report themselves need not be entities of the pool."""
SPEED, COUNT = "averageVehicleSpeed", "vehicleCount"
MEAN = timedelta(minutes=3)
"""What is promised of a road is judged by means over so long: about two cycles of a signal. Our convention."""
A_TENTH = "10%"
"""Less than that changes by itself from one three minutes to the next."""

Share = Annotated[float, msgspec.Meta(ge=0.05, le=1.0)]
Few = Annotated[int, msgspec.Meta(ge=1, le=10)]


class CloseLane(msgspec.Struct, frozen=True, kw_only=True):
    """Lanes counted from the right, 0 being the rightmost: so many from there on to the left."""

    lane_index: Annotated[int, msgspec.Meta(ge=0, le=15)]
    lanes: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1
    minutes: Minutes = 60


class For(msgspec.Struct, frozen=True, kw_only=True):
    """For how long."""

    minutes: Minutes = 60


class Reopen(msgspec.Struct, frozen=True, kw_only=True):
    """Which means is ended on the road; without one all are."""

    what: Id = ""


class SpeedLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody drives faster than that."""

    kmh: Annotated[float, msgspec.Meta(ge=5.0, le=130.0)]
    minutes: Minutes = 60


class TurnBan(msgspec.Struct, frozen=True, kw_only=True):
    """Into which road nobody turns from here."""

    to: Name
    minutes: Minutes = 60


class Divert(msgspec.Struct, frozen=True, kw_only=True):
    """Which share of drivers takes another way."""

    share: Share = 0.3
    minutes: Minutes = 60


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """Which share of what a lane can carry is let in."""

    share: Share
    minutes: Minutes = 60


class Clear(msgspec.Struct, frozen=True, kw_only=True):
    """Whose crew comes, and from where; nobody knows better than the nearest there is."""

    crew: Annotated[str, msgspec.Meta(pattern="^(tow|police)$")] = "tow"
    from_road: Id = ""
    vehicle: Id = ""


class ForFew(msgspec.Struct, frozen=True, kw_only=True):
    """For a few minutes: all traffic stands."""

    minutes: Few = 3


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing more to say."""


class Extend(msgspec.Struct, frozen=True, kw_only=True):
    """So much longer is the green that is shown or comes next."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=60)]


class GuideParking(msgspec.Struct, frozen=True, kw_only=True):
    """Where a share of those who want to park here goes instead."""

    to_road: Name
    share: Share = 0.5
    minutes: Minutes = 60


class HoldBus(msgspec.Struct, frozen=True, kw_only=True):
    """How long a bus waits at its next stop."""

    seconds: Annotated[int, msgspec.Meta(ge=5, le=600)]


class RerouteBus(msgspec.Struct, frozen=True, kw_only=True):
    """The road that a bus drives around."""

    avoid: Name


class InsertBus(msgspec.Struct, frozen=True, kw_only=True):
    """A bus more, from one road to another, or along a route."""

    from_road: Id = ""
    to_road: Id = ""
    route: Annotated[tuple[Name, ...], msgspec.Meta(max_length=200)] = ()


def _after(
    attribute: str, becomes: Becomes, minutes: float, *, value: float | str | None = None, on: Where = "road"
) -> Effect:
    # A road's figures are of the few cars that report themselves: from one moment to the next they say nothing.
    mean = MEAN if attribute in (SPEED, COUNT) else None
    within = timedelta(minutes=minutes)
    return Effect(attribute=attribute, becomes=becomes, within=within, value=value, on=on, mean=mean)


def _reopen(name: str) -> Callable[[Order], Facts]:
    return lambda _: {"what": name}


def _for(parameters: Facts) -> timedelta:
    return timedelta(minutes=parameters["minutes"])


def _road(name: str, parameters: type[msgspec.Struct], effect: Effect) -> Act:
    """On a road, until it is over."""
    means = Means(
        name=name,
        permission=STREET,
        parameters=parameters,
        undone_by=REOPEN,
        undo=_reopen(name),
        lasts=True,
        lasts_for=_for,
        entity_types=ROAD,
        group=group_of(name),
        effect=effect,
        precondition="operations.before_street",
    )
    return Act(means=means)


def _signal(name: str, parameters: type[msgspec.Struct], mode: str) -> Act:
    """On a signal, until it is over."""
    means = Means(
        name=name,
        permission=STREET,
        parameters=parameters,
        undone_by=RESUME,
        undo=lambda _: {},
        lasts=True,
        lasts_for=_for,
        entity_types=SIGNAL,
        group="signals",
        effect=_after("controlMode", "is", 1, value=mode, on="entity"),
        precondition="operations.before_street",
    )
    return Act(means=means)


def _once(
    name: str, parameters: type[msgspec.Struct], types: tuple[str, ...], effect: Effect, *, undone_by: str = ""
) -> Act:
    """Done once, and over."""
    means = Means(
        name=name,
        permission=STREET,
        parameters=parameters,
        undone_by=undone_by,
        undo=(lambda _: {}) if undone_by else None,
        entity_types=types,
        group=group_of(name),
        effect=effect,
        precondition="operations.before_street",
    )
    return Act(means=means)


ACTS: tuple[Act, ...] = (
    _road("street.close_lane", CloseLane, _after(COUNT, "falls", 10, value=A_TENTH)),
    _road("street.close_road", For, _after(COUNT, "below", 10, value=5.0)),
    _road("street.speed_limit", SpeedLimit, _after(SPEED, "below", 5, value="{kmh}")),
    _road("street.turn_ban", TurnBan, _after(COUNT, "ordered", 5)),
    _road("street.reverse_lane", For, _after(SPEED, "rises", 10)),
    _road("street.open_bus_lane", For, _after(SPEED, "rises", 10)),
    _road(DIVERT, Divert, _after(COUNT, "falls", 10, value=A_TENTH)),
    _road("street.gate", Gate, _after(COUNT, "falls", 10, value=A_TENTH)),
    _road("parking.guide", GuideParking, _after(COUNT, "falls", 15, value=A_TENTH)),
    _once("street.clear_obstacle", Clear, ROAD, _after(PROGRESS, "above", 20, value=DONE, on="entity")),
    _once(REOPEN, Reopen, ROAD, _after(SPEED, "ordered", 5)),
    _signal("signals.all_red", ForFew, "all_red"),
    _signal("signals.flash", For, "flash"),
    _once(RESUME, Nothing, SIGNAL, _after("controlMode", "changes", 1, on="entity")),
    _once("signals.extend", Extend, SIGNAL, _after("signalState", "ordered", 2, on="entity")),
    _once("transit.hold_bus", HoldBus, BUS, _after("speed", "ordered", 10, on="entity")),
    _once("transit.reroute_bus", RerouteBus, BUS, _after("location", "ordered", 10, on="entity")),
    _once("transit.insert_bus", InsertBus, BUS, _after("location", "ordered", 5, on="entity")),
)
