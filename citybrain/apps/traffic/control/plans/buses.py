# SPDX-License-Identifier: Apache-2.0
"""Priority for buses: green is held for one that is near, or comes early, within stated bounds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated

import msgspec

from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.control.missions.model import FLEET
from citybrain.apps.traffic.control.plans.plan import PlanBroken
from citybrain.apps.traffic.model import RANK, Junction, singles
from citybrain.kernel.records import Batch, Because, Entity, Event, Json, Order, Outcome, OutcomeState
from citybrain.kernel.routing import Roads, roads_of_lanes

BUS_PRIORITY = "traffic.bus_priority"
END_BUS_PRIORITY = "traffic.end_bus_priority"

BUS = "bus"

AHEAD_M = 250.0
"""How far ahead of a bus a signal is looked for."""

EARLY_S = 8.0
"""Beside the change, green may come so much before the bus does, for the queue in front of it to start."""

EXTEND_S = 15.0
"""A green that is shown is held for a bus that comes within so long."""

LONGEST_S = 25.0
"""One bus holds a signal no longer than that: a bus that stands at a stop loses its claim."""

RECOVER_S = 60.0
"""After a green that came early the cross streets are not interrupted again for so long."""


class GiveBusPriority(msgspec.Struct, frozen=True, kw_only=True):
    """Let buses have priority at these signals."""

    signals: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=200)]


class EndBusPriority(msgspec.Struct, frozen=True, kw_only=True):
    """End the priority that was ordered at the signal."""


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """A bus on its way to a signal: by which road, into which, and when it reaches the stop line."""

    vehicle: str
    signal_id: str
    road: str
    next_road: str
    eta_s: float


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a bus was given at a signal."""

    vehicle: str
    stage: int
    since_s: float


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Facts of one signal for its buses: the roads in and out of each of its ways."""

    junction: Junction
    ways: Sequence[tuple[str, str, int]]

    def stage(self, road: str, next_road: str) -> int | None:
        """The stage that lets most lanes of a movement go, protected ones counting double; None where none does."""
        lamps = [lamp for one, other, lamp in self.ways if (one, other) == (road, next_road)]
        marks = [sum(RANK.get(stage[lamp], 0) for lamp in lamps) for stage in self.junction.stages]
        best = max(marks)
        return marks.index(best) if best else None


class Buses:
    """The claimant for buses that report themselves."""

    means = frozenset({BUS_PRIORITY, END_BUS_PRIORITY})

    def __init__(self, entities: Sequence[Entity]) -> None:
        road_of = roads_of_lanes(entities)
        self._roads = Roads(entities)
        self._sites = {one.signals[0]: _site(one, road_of) for one in singles(entities)}
        self._signals_at: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name, site in self._sites.items():
            for road, next_road, _ in site.ways:
                if name not in self._signals_at[road, next_road]:
                    self._signals_at[road, next_road].append(name)
        self._ordered: dict[str, tuple[str, ...]] = {}
        self._active: frozenset[str] = frozenset()
        self._coming: list[Coming] = []
        self._shown: Mapping[str, str] = {}
        self._calls: dict[str, Call] = {}
        self._free_at_s: dict[str, float] = {}

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Begin or end priority; refuses unknown signals."""
        if order.means == END_BUS_PRIORITY:
            self._ordered.pop(order.entity_id, None)
        else:
            asked = msgspec.convert(order.parameters, GiveBusPriority)
            for name in asked.signals:
                if name not in self._sites:
                    raise PlanBroken("traffic.plan_signal_unknown", {"signal": name})
            self._ordered[order.entity_id] = asked.signals
        self._active = frozenset(name for names in self._ordered.values() for name in names)
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Note which buses come to which signals, and what these show."""
        if not self._active:
            return
        reports = [report for value in batch.by_entity(FLEET).values() for report in value if report["kind"] == BUS]
        self._coming = [one for report in reports for one in self._ahead(report) if one.signal_id in self._active]
        self._shown = batch.by_entity("signalState")

    def claims(self, now_s: float) -> Sequence[Claim]:
        """At each signal the bus that has it, until it is past or its time is over; then the next one."""
        found: list[Claim] = []
        nearest: dict[str, Coming] = {}
        for one in sorted(self._coming, key=lambda one: one.eta_s):
            nearest.setdefault(one.signal_id, one)
        for name in [name for name in self._calls if name not in nearest]:
            del self._calls[name]
        for name, bus in nearest.items():
            call = self._call(name, bus, now_s) if name in self._active else None
            if call is None:
                self._calls.pop(name, None)
                continue
            self._calls[name] = call
            facts = {"vehicle": bus.vehicle.rpartition(":")[2], "eta_s": round(bus.eta_s)}
            because = Because(code="traffic.claim_bus", facts=facts)
            found.append(Claim(signal_id=name, stage=call.stage, rank=Rank.WAVE, because=because))
        return found

    def orders(self) -> Sequence[Order]:
        """It orders nothing but stages."""
        return ()

    def _call(self, name: str, bus: Coming, now_s: float) -> Call | None:
        """What the nearest bus is given now: the going call, green held, green early, or nothing."""
        call = self._calls.get(name)
        if call is not None and call.vehicle == bus.vehicle:
            return call if now_s - call.since_s < LONGEST_S else None
        site = self._sites[name]
        stage = site.stage(bus.road, bus.next_road)
        if stage is None or now_s < self._free_at_s.get(name, 0.0):
            return None
        is_green = self._shown.get(name) == site.junction.stages[stage]
        if bus.eta_s > (EXTEND_S if is_green else site.junction.change_s + EARLY_S):
            return None
        self._free_at_s[name] = now_s + LONGEST_S + (0.0 if is_green else RECOVER_S)
        return Call(vehicle=bus.vehicle, stage=stage, since_s=now_s)

    def _ahead(self, report: Json) -> Iterator[Coming]:
        """The first signal on the way of a bus, when it is near."""
        if report.get("state") != "driving" or report["road"] not in self._roads:
            return
        distance_m = -float(report["position_m"])
        for road, next_road in pairwise(report["route"]):
            if road not in self._roads:
                return
            distance_m += self._roads[road].length_m
            if distance_m > AHEAD_M:
                return
            names = self._signals_at.get((road, next_road), ())
            speed_mps = max(float(report["speed_mps"]), self._roads[road].limit_mps / 2)
            for name in names:
                yield Coming(
                    vehicle=report["vehicle"],
                    signal_id=name,
                    road=road,
                    next_road=next_road,
                    eta_s=max(distance_m, 0.0) / speed_mps,
                )
            if names:
                return


def _site(junction: Junction, road_of: Mapping[str, str]) -> Site:
    lanes = [(junction.approaches[way.approach].lane, junction.exits[way.exit].lane, way.lamp) for way in junction.ways]
    ways = tuple(
        (road_of[one], road_of[other], lamp) for one, other, lamp in lanes if one in road_of and other in road_of
    )
    return Site(junction=junction, ways=ways)
