# SPDX-License-Identifier: Apache-2.0
"""The cabinets at the signals: they take orders, let their guard carry them out, and go back to the shipped plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import libsumo
import msgspec

from citybrain.doors.sumo import programs
from citybrain.doors.sumo.cabinet import SignalPlan
from citybrain.doors.sumo.figures import Watch
from citybrain.doors.sumo.guard import ConflictingStage, Guard
from citybrain.doors.sumo.network import entity_id
from citybrain.doors.sumo.outside import FLASH as FLASHING
from citybrain.doors.sumo.outside import Controller, Outside, OutsideUnusable
from citybrain.kernel.records import Facts, Order, Outcome, OutcomeState

SET_STAGE = "traffic.set_stage"
SET_CONTROL_MODE = "traffic.set_control_mode"
RELEASE = "traffic.release"

ALL_RED = "signals.all_red"
FLASH = "signals.flash"
RESUME = "signals.resume"
EXTEND = "signals.extend"

MEANS = (SET_STAGE, SET_CONTROL_MODE, RELEASE, ALL_RED, FLASH, RESUME, EXTEND)

HOLDS = {ALL_RED: "all_red", FLASH: "flash"}
"""What holds a signal, and the control mode that its cabinet reports meanwhile."""

LONGEST_EXTENSION_S = 60

BRAIN = "brain"
PLAN = "plan"
DARK = "dark"

OFF = "off"
"""SUMO's program of a signal without power: lamps `o` and `O`, by which the signs at the junction count."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What the cabinets show, which are held on their plan, and which at red or flashing; SUMO forgets it all."""

    shown: dict[str, str] = {}
    held: list[str] = []
    stopped: dict[str, str] = {}


class Cabinets:
    """All signals of the net. Without a first order a signal runs its shipped plan, and nobody touches it.

    Signals in `outside` take no orders here: their controllers do, and are asked each second what they show.
    """

    def __init__(self, plans: Mapping[str, SignalPlan], outside: Sequence[Outside] = ()) -> None:
        self._plans = plans
        self._signal_of = {entity_id("TrafficSignalController", signal): signal for signal in plans}
        self._guards: dict[str, Guard] = {}
        self._shown: dict[str, str] = {}
        self._held: set[str] = set()
        self._dark: dict[str, str] = {}
        self._stopped: dict[str, str] = {}
        for each in outside:
            if each.signal not in plans:
                raise OutsideUnusable("sumo.outside_unusable", {"signal": each.signal, "lamps": 0})
        self._outside = {each.signal: Controller(each, plans[each.signal]) for each in outside}

    def obey(self, order: Order, now_s: float, at: datetime) -> Outcome:
        """Take an order in; what came of it."""
        signal = self._signal_of.get(order.entity_id)
        if signal is None:
            return _refused(order, at, "sumo.no_such_signal", {"entity_id": order.entity_id})
        if signal in self._outside or (signal in self._dark and order.means != RESUME):
            deaf = "sumo.signal_is_outside" if signal in self._outside else "sumo.signal_is_dark"
            return _refused(order, at, deaf, {})
        act = {
            SET_CONTROL_MODE: self._set_mode,
            SET_STAGE: self._set_stage,
            RELEASE: self._release,
            ALL_RED: self._stop,
            FLASH: self._stop,
            RESUME: self._resume,
            EXTEND: self._extend,
        }.get(order.means)
        if act is None:
            return _refused(order, at, "sumo.no_such_means", {"means": order.means})
        if signal in self._stopped and order.means not in (ALL_RED, FLASH, RESUME):
            return _refused(order, at, "sumo.signal_is_stopped", {})
        try:
            return act(order, signal, now_s=now_s, at=at)
        except ConflictingStage as conflict:
            return _refused(order, at, "sumo.stages_conflict", {"stage": str(conflict)})

    def refuse(self, orders: Sequence[Order], at: datetime) -> tuple[Outcome, ...]:
        """Refuse all orders: this street runs under its shipped plans."""
        return tuple(_refused(order, at, "sumo.runs_shipped_plans", {}) for order in orders)

    def steer(self, now_s: float, watch: Watch) -> None:
        """Show at each signal that was ever ordered what its guard allows now; outside ones show what they show."""
        for signal, controller in self._outside.items():
            self._show(signal, controller.second())
        if not self._guards:
            return
        occupied, calling = watch.occupied(), watch.calling()
        nobody: frozenset[str] = frozenset()
        for signal, guard in self._guards.items():
            if signal in self._dark:
                continue
            state = guard.step(now_s, occupied=occupied.get(signal, nobody), calling=calling.get(signal, nobody))
            if guard.is_all_red and self._stopped.get(signal) == FLASH:
                state = FLASHING * len(state)
            self._show(signal, state)

    def is_stopped(self, signal: str) -> bool:
        """Somebody ordered that all its lamps be red, or flash."""
        return signal in self._stopped

    def close(self) -> None:
        """Let go of outside controllers."""
        for controller in self._outside.values():
            controller.close()

    def states(self) -> tuple[str, ...]:
        """What the lamps show now, in the order of the plans."""
        return tuple(self._lamps(signal) for signal in self._plans)

    def modes(self, now_s: float) -> tuple[str, ...]:
        """Who decides at each signal, in the order of the plans; a brain that fell silent does not."""
        return tuple(self._mode(signal, now_s) for signal in self._plans)

    def darken(self, signal: str) -> None:
        """The signal has no power from now on; its cabinet says so over its battery and takes no orders."""
        if signal in self._plans and signal not in self._outside and signal not in self._dark:
            self._dark[signal] = str(libsumo.trafficlight.getProgram(signal))
            libsumo.trafficlight.setProgram(signal, OFF)
            self._show(signal, str(libsumo.trafficlight.getRedYellowGreenState(signal)))

    def lighten(self, signal: str, now_s: float) -> None:
        """It has power again: all lamps red for a clearance, and then its plan, until somebody orders."""
        program = self._dark.pop(signal, None)
        if program in programs.TYPES:
            self._shown.pop(signal)
            libsumo.trafficlight.setProgram(signal, program)
            libsumo.trafficlight.setPhase(signal, 0)
        elif program is not None:
            self._watch_over(signal, now_s, self._shown[signal])

    def memory(self) -> Memory:
        """What to remember when the run is saved."""
        return Memory(shown=self._shown, held=sorted(self._held), stopped=self._stopped)

    def remember(self, memory: Memory, now_s: float) -> None:
        """Go on as before the save: show what was shown, under a guard that waits for orders."""
        self._held = set(memory.held)
        self._stopped = dict(memory.stopped)
        for signal, shown in memory.shown.items():
            if signal not in self._outside:
                self._watch_over(signal, now_s, shown)

    def _show(self, signal: str, state: str) -> None:
        if self._shown.get(signal) != state:
            libsumo.trafficlight.setRedYellowGreenState(signal, state)
            self._shown[signal] = state

    def _mode(self, signal: str, now_s: float) -> str:
        if signal in self._dark:
            return DARK
        if signal in self._stopped:
            return HOLDS[self._stopped[signal]]
        guard = self._guards.get(signal)
        return BRAIN if guard is not None and not guard.is_silent(now_s) else PLAN

    def _lamps(self, signal: str) -> str:
        return self._shown.get(signal) or str(libsumo.trafficlight.getRedYellowGreenState(signal))

    def _watch_over(self, signal: str, now_s: float, shown: str) -> Guard:
        stopped = signal in self._stopped
        guard = self._guards[signal] = Guard(self._plans[signal], now_s, shown, all_red=stopped)
        libsumo.trafficlight.setRedYellowGreenState(signal, shown)
        self._shown[signal] = shown
        return guard

    def _release(self, order: Order, signal: str, *, now_s: float, at: datetime) -> Outcome:
        self._run_plan(signal, now_s)
        return _executed(order, at)

    def _stop(self, order: Order, signal: str, *, now_s: float, at: datetime) -> Outcome:
        """All lamps red as soon as that is safe; then, where it was ordered, they flash."""
        guard = self._guards.get(signal) or self._watch_over(signal, now_s, self._lamps(signal))
        self._stopped[signal] = order.means
        guard.hold_all_red(True)
        return _executed(order, at)

    def _resume(self, order: Order, signal: str, *, now_s: float, at: datetime) -> Outcome:
        """Back to the plan, until somebody orders: from red after a clearance, from flashing through red."""
        stopped = self._stopped.pop(signal, None)
        if signal in self._dark:
            # It is its plan that comes back with the power.
            return _executed(order, at)
        if stopped == FLASH:
            self._watch_over(signal, now_s, self._shown[signal])
        elif signal in self._guards:
            self._guards[signal].hold_all_red(False)
        return _executed(order, at)

    def _extend(self, order: Order, signal: str, *, now_s: float, at: datetime) -> Outcome:
        seconds = order.parameters.get("seconds")
        if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_EXTENSION_S:
            return _refused(order, at, "sumo.extension_unfit", {"seconds": seconds, "most": LONGEST_EXTENSION_S})
        guard = self._guards.get(signal) or self._watch_over(signal, now_s, self._lamps(signal))
        guard.keep(float(seconds), now_s)
        return _executed(order, at)

    def _set_mode(self, order: Order, signal: str, *, now_s: float, at: datetime) -> Outcome:
        mode = order.parameters.get("mode")
        if mode not in (BRAIN, PLAN):
            return _refused(order, at, "sumo.no_such_mode", {"mode": mode})
        if mode == PLAN:
            self._held.add(signal)
            self._run_plan(signal, now_s)
        else:
            self._held.discard(signal)
        return _executed(order, at)

    def _run_plan(self, signal: str, now_s: float) -> None:
        """Back to the plan at once. A guard that nobody ordered runs it, from what is shown, every least time kept."""
        if signal in self._guards:
            self._watch_over(signal, now_s, self._shown[signal])

    def _set_stage(self, order: Order, signal: str, *, now_s: float, at: datetime) -> Outcome:
        stage = order.parameters.get("stage")
        if signal in self._held:
            return _refused(order, at, "sumo.signal_held_on_plan", {})
        if not isinstance(stage, int) or not 0 <= stage < len(self._plans[signal].stages):
            return _refused(order, at, "sumo.no_such_stage", {"stage": stage})
        guard = self._guards.get(signal) or self._watch_over(signal, now_s, self._lamps(signal))
        guard.order(stage, now_s)
        return _executed(order, at)


def _executed(order: Order, at: datetime) -> Outcome:
    return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)


def _refused(order: Order, at: datetime, code: str, facts: Facts) -> Outcome:
    return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code=code, facts=facts)
