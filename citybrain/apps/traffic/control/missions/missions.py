# SPDX-License-Identifier: Apache-2.0
"""All missions: takes dispatches, follows the vehicles, opens signals ahead of them, lets others recover."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.apps.traffic.choice.worth import STANDING_MPS
from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.control.missions import view
from citybrain.apps.traffic.control.missions.ahead import Ahead, Scout, Street
from citybrain.apps.traffic.control.missions.corridor import (
    HELD_S,
    Crossings,
    Settled,
    recovery,
    settle,
)
from citybrain.apps.traffic.control.missions.dispatching import Dispatcher, rerouting, sending
from citybrain.apps.traffic.control.missions.model import (
    CANCEL_MISSION,
    DISPATCH,
    FLEET,
    Kind,
    Mission,
    NoSuchMission,
    Report,
    State,
    reports,
)
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState
from citybrain.kernel.routing import Roads, Times

RENEW_S = 5.0
"""Travel times of roads are looked at again so often."""

REROUTE_S = 15.0
"""A better way is looked for so often."""

BETTER = 0.85
LEAST_GAIN_S = 10.0
"""Another way must take at most this share of the time of the old one, and save so much (m)."""

TURN_OFF_M = 60.0
"""Nearer to the end of its road than this, a vehicle does not change where it turns."""

SILENT_S = 10.0
"""A vehicle that did not report for so long has lost contact."""

GIVEN_UP_S = 120.0
"""A mission without contact for so long is over."""

TELL_S = 2.0
"""Screens hear of a mission so often."""


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """Who waited at a signal while it was held open is served until `until_s`."""

    mission_id: str
    stage: int
    until_s: float


class Missions:
    """The claimant of rank MISSION. Without a mission it does nothing but remember the newest batch."""

    means = frozenset({DISPATCH, CANCEL_MISSION})

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._roads = Roads(entities)
        self._crossings = Crossings(entities)
        self._street = Street(self._crossings.signals)
        self._scout = Scout(self._roads, self._crossings, self._street)
        self._dispatcher = Dispatcher(self._roads)
        self._missions: dict[str, Mission] = {}
        self._ahead: dict[str, list[Ahead]] = {}
        self._settled: dict[str, Settled] = {}
        self._recovering: dict[str, Recovery] = {}
        self._orders: list[Order] = []
        self._asked: dict[str, str] = {}
        self._told_s: dict[str, tuple[State, float]] = {}
        self._batch: Batch | None = None
        self._renewed_s = 0.0

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Begin a mission, or call one off. Refuses NoSuchRoad, NoWay, NoSuchVehicle, VehicleIsBusy, NoSuchMission."""
        if order.means == CANCEL_MISSION:
            mission = self._missions.get(order.entity_id)
            if mission is None or not mission.go(State.CANCELLED, at):
                raise NoSuchMission("traffic.no_such_mission", {"mission": order.entity_id})
            mission.did(at, "traffic.mission_act.called_off", by=order.by)
            return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)
        mission = self._dispatcher.mission(order, at, self._batch, busy=self._busy())
        if mission.id not in self._missions:
            self._begin(mission, order, at)
        facts = {"mission": mission.id, "vehicle": mission.vehicle, "urgency": mission.urgency}
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at, code="traffic.mission_begun", facts=facts)

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """Follow the vehicles and look ahead of them."""
        self._batch = batch
        now_s, at = batch.observed_at.timestamp(), batch.observed_at
        heard = reports(batch) if self._missions or _anyone_reports(batch) else {}
        self._adopt(heard, at)
        if not self._missions and not self._recovering:
            return
        self._mind_outcomes(outcomes, at)
        self._street.watch(batch)
        if now_s - self._renewed_s >= RENEW_S:
            self._renewed_s = now_s
            self._scout.times = Times(self._roads, batch)
        self._forget()
        for mission in self._missions.values():
            self._follow(mission, heard.get(mission.vehicle), at)
            self._look(mission, batch)
        self._settle(at)

    def claims(self, now_s: float) -> Sequence[Claim]:
        """Stages that missions need now, and those of who waited for them."""
        self._recovering = {
            signal: one
            for signal, one in self._recovering.items()
            if one.until_s > now_s and signal not in self._settled
        }
        return [
            *(self._corridor(one) for one in self._settled.values()),
            *(self._recovery(signal, one) for signal, one in self._recovering.items()),
        ]

    def orders(self) -> Sequence[Order]:
        """Vehicles to send, and other ways for those that are under way."""
        orders, self._orders = self._orders, []
        return orders

    def tells(self) -> Sequence[Event]:
        """How missions stand: when that changed, and every two seconds."""
        if self._batch is None:
            return ()
        at, now_s = self._batch.observed_at, self._batch.observed_at.timestamp()
        found = []
        for mission in self._missions.values():
            state, told_s = self._told_s.get(mission.id, (None, 0.0))
            if state is not mission.state or now_s - told_s >= TELL_S:
                self._told_s[mission.id] = (mission.state, now_s)
                ahead = self._ahead.get(mission.id, [])
                found.append(view.event(mission, ahead, self._yields(mission.id), self._roads, at))
        return found

    def _busy(self) -> Mapping[str, str]:
        return {mission.vehicle: mission.id for mission in self._missions.values() if not mission.is_over}

    def _begin(self, mission: Mission, order: Order, at: datetime) -> None:
        self._missions[mission.id] = mission
        mission.heard_s = mission.routed_s = at.timestamp()
        mission.did(at, "traffic.mission_act.begun", roads=len(mission.route), ordinary_s=round(mission.ordinary_s))
        self._ask(sending(mission, at) if mission.report is None else rerouting(mission, order.because, at), mission)

    def _ask(self, order: Order, mission: Mission) -> None:
        self._orders.append(order)
        self._asked[order.id] = mission.id

    def _adopt(self, heard: Mapping[str, Report], at: datetime) -> None:
        """A vehicle that says it is on a mission we do not know: the brain began anew while it was under way."""
        for report in heard.values():
            known = not report.mission or report.mission in self._missions or report.mission in self._told_s
            if known or report.state != "driving" or report.kind not in set(Kind):
                continue
            mission = self._dispatcher.adopted(report, at, self._batch)
            self._missions[mission.id] = mission
            mission.did(at, "traffic.mission_act.taken_up")

    def _mind_outcomes(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        for outcome in outcomes:
            mission = self._missions.get(self._asked.pop(outcome.order_id, ""))
            if mission is None or outcome.state is OutcomeState.EXECUTED:
                continue
            mission.did(at, "traffic.mission_act.refused", why=outcome.code)
            if mission.state is State.ASSIGNED:
                mission.go(State.CANCELLED, at)

    def _forget(self) -> None:
        """Those that are over and were told so."""
        for mission in [one for one in self._missions.values() if one.is_over]:
            if self._told_s.get(mission.id, (None, 0.0))[0] is mission.state:
                del self._missions[mission.id]
                self._ahead.pop(mission.id, None)

    def _follow(self, mission: Mission, report: Report | None, at: datetime) -> None:
        """Take in what the vehicle says; a silent one loses contact, and is given up when it stays silent."""
        now_s = at.timestamp()
        if mission.is_over:
            return
        if report is None:
            _miss(mission, now_s - mission.heard_s, at)
            return
        mission.heard_s = now_s
        if report.state == "arrived":
            if mission.go(State.ARRIVED, at):
                mission.did(at, "traffic.mission_act.arrived", passed_s=round((at - mission.begun_at).total_seconds()))
        elif report.state == "driving":
            mission.report = report
            moves = report.speed_mps >= STANDING_MPS
            mission.stuck_s = None if moves else now_s if mission.stuck_s is None else mission.stuck_s
            if mission.go(State.UNDER_WAY, at):
                mission.did(at, "traffic.mission_act.under_way", road=report.road)

    def _look(self, mission: Mission, batch: Batch) -> None:
        """Signals ahead, those that now lie behind, and perhaps a better way."""
        now_s = batch.observed_at.timestamp()
        if mission.is_over or mission.state is State.LOST:
            self._ahead[mission.id] = []
            self._close(mission, list(mission.opened_s), now_s, passed=mission.state is State.ARRIVED)
            return
        if now_s - mission.routed_s >= REROUTE_S and mission.report is not None:
            mission.routed_s = now_s
            self._seek_better(mission, batch)
        ahead, mission.eta_s = self._scout.look(mission, now_s)
        self._ahead[mission.id] = ahead
        behind = set(mission.opened_s) - {one.movement.signal_id for one in ahead}
        self._close(mission, sorted(behind), now_s, passed=True)
        too_early = [one.movement.signal_id for one in ahead if not one.is_open]
        self._close(mission, [one for one in too_early if one in mission.opened_s], now_s, passed=False)

    def _seek_better(self, mission: Mission, batch: Batch) -> None:
        """Another way, if it is better by the stated margin from the next turn on."""
        report = mission.report
        if report is None or len(report.route) < 3 or report.inside_junction:
            return
        length_m = self._roads[report.route[0]].length_m
        kept = report.route[: 1 if length_m - report.position_m > TURN_OFF_M else 2]
        times = self._scout.times
        found = self._roads.fastest(kept[-1], mission.destination, times.emergency_s)
        if found is None or found == report.route[len(kept) - 1 :]:
            return
        new_s = self._roads.time_s(found, times.emergency_s)
        old_s = self._roads.time_s(report.route[len(kept) - 1 :], times.emergency_s)
        if new_s > BETTER * old_s or old_s - new_s < LEAST_GAIN_S:
            return
        mission.route = (*kept[:-1], *found)
        at = batch.observed_at
        mission.did(at, "traffic.mission_act.rerouted", saved_s=round(old_s - new_s))
        facts = {"vehicle": view.short(mission.vehicle), "saved_s": round(old_s - new_s)}
        self._ask(rerouting(mission, Because(code="traffic.mission_rerouted", facts=facts), at), mission)

    def _close(self, mission: Mission, signals: Sequence[str], now_s: float, *, passed: bool) -> None:
        """Give signals back; where the corridor held others up, those are served first."""
        for signal_id in signals:
            held_s = now_s - mission.opened_s.pop(signal_id)
            if passed:
                mission.passed.append(signal_id)
            signal = self._crossings.signals[signal_id]
            shown = self._street.stage(signal_id)
            if shown is None or held_s < HELD_S:
                continue
            waiting = recovery(signal, shown, self._street.queue_m)
            if waiting is not None and waiting[0] != shown:
                until_s = now_s + signal.change_s + waiting[1]
                self._recovering[signal_id] = Recovery(mission_id=mission.id, stage=waiting[0], until_s=until_s)

    def _settle(self, at: datetime) -> None:
        """One stage per signal that missions want now."""
        before = {signal: one.want.mission_id for signal, one in self._settled.items()}
        wants = [
            self._scout.want(self._missions[mission_id], one, at.timestamp(), is_next=number == 0)
            for mission_id, ahead in self._ahead.items()
            for number, one in enumerate(ahead)
            if one.is_open
        ]
        self._settled = settle(wants)
        for signal_id, settled in self._settled.items():
            want = settled.want
            mission = self._missions[want.mission_id]
            if signal_id not in mission.opened_s:
                mission.opened_s[signal_id] = at.timestamp()
                facts = {"signal": signal_id, "eta_s": round(want.eta_s), "queue": want.queue}
                mission.did(at, "traffic.mission_act.opens", **facts)
            for rival in settled.yields:
                if before.get(signal_id) != want.mission_id:
                    facts = {"signal": signal_id, "to": view.short(mission.vehicle)}
                    self._missions[rival].did(at, "traffic.mission_act.yields", **facts)

    def _yields(self, mission_id: str) -> set[str]:
        return {signal for signal, settled in self._settled.items() if mission_id in settled.yields}

    def _corridor(self, settled: Settled) -> Claim:
        want = settled.want
        mission = self._missions[want.mission_id]
        facts = {
            "vehicle": view.short(mission.vehicle),
            "urgency": mission.urgency,
            "eta_s": round(want.eta_s),
            "queue": want.queue,
        }
        because = Because(code="traffic.mission_corridor", facts=facts, event_id=mission.id)
        return Claim(signal_id=want.signal_id, stage=settled.stage, rank=Rank.MISSION, because=because)

    def _recovery(self, signal_id: str, one: Recovery) -> Claim:
        because = Because(code="traffic.mission_recovery", facts={}, event_id=one.mission_id)
        return Claim(signal_id=signal_id, stage=one.stage, rank=Rank.MISSION, because=because)


def _miss(mission: Mission, silent_s: float, at: datetime) -> None:
    if silent_s > GIVEN_UP_S and mission.go(State.CANCELLED, at):
        mission.did(at, "traffic.mission_act.given_up", silent_s=round(silent_s))
    elif silent_s > SILENT_S and mission.go(State.LOST, at):
        mission.did(at, "traffic.mission_act.lost_contact", silent_s=round(silent_s))


def _anyone_reports(batch: Batch) -> bool:
    """Whether somebody on a mission reports."""
    return any(report.get("mission") for said in batch.by_entity(FLEET).values() for report in said or ())
