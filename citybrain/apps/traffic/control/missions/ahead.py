# SPDX-License-Identifier: Apache-2.0
"""What lies ahead of a mission: when it reaches which signal, what stands there, and when the signal must open."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec

from citybrain.apps.traffic.choice.worth import START_WAVE_MPS
from citybrain.apps.traffic.control.missions.corridor import (
    AHEAD_S,
    Crossings,
    Movement,
    Signal,
    Want,
    needed_s,
    vehicles,
)
from citybrain.apps.traffic.control.missions.model import Mission
from citybrain.kernel.records import Batch
from citybrain.kernel.routing import START_S, Roads, Times

SLOW_MPS = 3.0

TOO_EARLY_S = 30.0
"""A signal that was opened this much too early is given back: the vehicle was held up, or goes another way."""

STUCK_S = 12.0
"""A vehicle that stands so long before a signal that is open for it, and as long again as a queue takes to start up to
where it stands, stands behind somebody who has red (m)."""

NEAR_M = 200.0


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """One signal ahead, `away_m` from here. `eta_s` counts from now; `is_open`: the mission wants it now."""

    movement: Movement
    away_m: float
    eta_s: float
    needed_s: float
    queue: int
    is_open: bool


class Street:
    """What is seen at the signals now: lamps since when, and how long queues are."""

    def __init__(self, signals: Mapping[str, Signal]) -> None:
        self._signals = signals
        self._lamps: dict[str, tuple[str, float]] = {}
        self.queue_m: Mapping[str, float] = {}

    def watch(self, batch: Batch) -> None:
        """Take in one second."""
        now_s = batch.observed_at.timestamp()
        for column in batch.columns:
            if column.attribute == "signalState":
                for signal, lamps in zip(column.entity_ids, column.values, strict=True):
                    if self._lamps.get(signal, ("", 0.0))[0] != lamps:
                        self._lamps[signal] = (lamps, now_s)
            elif column.attribute == "queueLength":
                self.queue_m = dict(zip(column.entity_ids, column.values, strict=True))

    def stage(self, signal_id: str) -> int | None:
        """The stage that is shown; None in a change."""
        lamps = self._lamps.get(signal_id, ("", 0.0))[0]
        stages = self._signals[signal_id].stages
        return stages.index(lamps) if lamps in stages else None

    def least_green_left_s(self, signal_id: str, now_s: float) -> float:
        """How long the stage that is shown must still last."""
        stage = self.stage(signal_id)
        if stage is None:
            return 0.0
        return max(self._signals[signal_id].min_green_s[stage] - (now_s - self._lamps[signal_id][1]), 0.0)

    def waiting_m(self, movement: Movement) -> float:
        """The longest queue on the lanes of a movement."""
        return max((float(self.queue_m.get(one, 0.0)) for one in movement.detectors), default=0.0)


class Scout:
    """Looks ahead of missions. `times` are renewed by whoever owns it."""

    def __init__(self, roads: Roads, crossings: Crossings, street: Street) -> None:
        self._roads = roads
        self._crossings = crossings
        self._street = street
        self.times = Times(roads, None)

    def look(self, mission: Mission, now_s: float) -> tuple[list[Ahead], float]:
        """The signals ahead in their order, and the seconds to the end of the route."""
        route, left_m, time_s = self._start(mission)
        found: list[Ahead] = []
        away_m = left_m
        for road, after in pairwise(route):
            for movement in self._crossings.between(road, after):
                one = self._at(mission, movement, time_s, now_s, away_m=away_m)
                found.append(one)
                time_s = one.eta_s
            away_m += self._roads[after].length_m
            time_s += self._roads.turn_s(road, after) + self.times.emergency_s(after)
        return found, time_s

    def want(self, mission: Mission, one: Ahead, now_s: float, *, is_next: bool) -> Want:
        """What the mission wants of a signal that it needs open.

        Where the vehicle stands before the next signal behind somebody who has red in its stage, the stages that let
        those go have their turn.
        """
        movement = one.movement
        turns = [movement.stages, *((other,) for other in movement.otherwise)]
        stood_s = 0.0
        if mission.stuck_s is not None and is_next and one.away_m < NEAR_M:
            stood_s = now_s - max(mission.stuck_s, mission.opened_s.get(movement.signal_id, now_s))
        turn_s = STUCK_S + one.away_m / START_WAVE_MPS
        return Want(
            mission_id=mission.id,
            signal_id=movement.signal_id,
            stages=turns[int(stood_s / turn_s) % len(turns)],
            priority=mission.priority,
            eta_s=one.eta_s,
            queue=one.queue,
        )

    def _start(self, mission: Mission) -> tuple[Sequence[str], float, float]:
        """The roads from here on, metres left on the first of them, and the time these take."""
        report = mission.report
        if report is None or not report.route:
            first = mission.route[0]
            return mission.route, self._roads[first].length_m, START_S + self.times.emergency_s(first)
        first = report.route[0]
        length_m = max(self._roads[first].length_m, 1.0)
        left_m = max(length_m - report.position_m, 0.0)
        start_s = START_S if report.speed_mps < SLOW_MPS else 0.0
        return report.route, left_m, start_s + self.times.emergency_s(first) * left_m / length_m

    def _at(self, mission: Mission, movement: Movement, time_s: float, now_s: float, *, away_m: float) -> Ahead:
        """Only who stands nearer to the stop line than the vehicle itself is in its way."""
        signal = self._crossings.signals[movement.signal_id]
        queue_m = min(self._street.waiting_m(movement), away_m)
        is_shown = self._street.stage(signal.id) in movement.stages
        need_s = needed_s(
            queue_m,
            change_s=0.0 if is_shown else signal.change_s,
            least_green_left_s=0.0 if is_shown else self._street.least_green_left_s(signal.id, now_s),
        )
        # One whose stage is shown now must be held from when a change away and back would come too late.
        early_s = need_s if not is_shown else need_s + 2 * signal.change_s + max(signal.min_green_s)
        was_open = signal.id in mission.opened_s
        return Ahead(
            movement=movement,
            away_m=away_m,
            eta_s=max(time_s, need_s - AHEAD_S),
            needed_s=early_s,
            queue=vehicles(queue_m),
            is_open=time_s <= early_s + (TOO_EARLY_S if was_open else 0.0),
        )
