# SPDX-License-Identifier: Apache-2.0
"""The lamps of an emulated controller, second by second: its plan, the centre's orders, and what it never shows. Pure.

A stage is left when the least green of every phase that ends is over. Its phases lose green by their own colours; a
phase gets green when each phase it conflicts with has been without green for the intergreen. A monitor looks at the
lamps, not at the intentions: two conflicting greens, however they came about, make the junction flash.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from citybrain.doors.gbt20999.codec import Status
from citybrain.doors.gbt20999.facts import Fault, Phase, Shade
from citybrain.doors.gbt20999.site import Site
from citybrain.doors.gbt20999.values import (
    GREENS,
    SPECIAL_MODES,
    YELLOWS,
    Command,
    FaultAction,
    FaultType,
    Lamp,
    LampGroupType,
    RunMode,
    StageState,
    mode_of,
)
from citybrain.kernel.controllers.outstation import Mode

START_S = 5.0
"""All red before the first stage, after a start, flashing or darkness."""

LEAST_FLASH_S = 3.0
"""Flashing and darkness are left no sooner: who had green a moment ago must not meet a red without a yellow."""

LONGEST_HOLD_S = 180.0
"""A centre that holds one stage for longer is not believed: the junction goes back to its own plan."""


_RANK = dict.fromkeys(GREENS, 2) | dict.fromkeys(YELLOWS, 1)
"""Of what several phases say of one lamp group, green counts before yellow, and both before the rest."""


class Turn(StrEnum):
    """Where a phase is on its way round."""

    RED = "red"
    GAINING = "gaining"
    GREEN = "green"
    LOSING = "losing"


class _Head(msgspec.Struct):
    """One phase. `since_s`: of the turn; `green_at_s`: when it will get green; `ended_s`: when it last lost it."""

    phase: Phase
    turn: Turn = Turn.RED
    since_s: float = 0.0
    green_at_s: float = 0.0
    ended_s: float = 0.0


class Street:
    """One junction. `step` moves it on; between steps it takes orders and refuses them with a `Status`."""

    def __init__(self, site: Site, now_s: float, *, backup_s: float) -> None:
        self.site = site
        self.mode: int = RunMode.LOCAL_FIXED
        self.stage = site.plans[0].steps[0].stage
        self.plan = site.plans[0].number
        self.faults: list[tuple[FaultType, FaultAction]] = []
        self.crossed: dict[int, Lamp] = {}
        self._backup_s = backup_s
        self._heads = {phase.number: _Head(phase) for phase in site.phases}
        self._heard_s = now_s
        self._is_at_panel = False
        self._is_stopped = False
        self._crossing = _crossing(site)
        self._step = 0
        self._step_since_s = now_s
        self._wanted: int | None = None
        self._green_since_s: float | None = None
        self._special_since_s = now_s
        self._start(now_s)

    def step(self, now_s: float) -> Mapping[int, Lamp]:
        """What each lamp group shows from now on."""
        self._mind_the_centre(now_s)
        if self.mode in (RunMode.FLASH, RunMode.OFF):
            return self._lamps(now_s)
        self._move_heads(now_s)
        self._decide(now_s)
        lamps = {**self._lamps(now_s), **self.crossed}
        if self._conflicts(lamps):
            self.faults.append((FaultType.GREEN_CONFLICT, FaultAction.FLASH))
            self._special(RunMode.FLASH, now_s)
            lamps = self._lamps(now_s)
        return lamps

    def hear(self, now_s: float) -> None:
        """The centre said something: it lives."""
        self._heard_s = now_s

    def order_mode(self, mode: int, now_s: float) -> Status | None:
        """Change how the junction is run; from special modes and from the panel only a person brings it back."""
        if mode not in set(RunMode):
            return Status.OUT_OF_RANGE
        if self._is_at_panel or (self.faults and self.mode == RunMode.FLASH):
            return Status.CONTROL_FAILED
        if not self._may_leave_special(now_s):
            return Status.CONTROL_FAILED
        self._is_stopped = mode in SPECIAL_MODES
        if self._is_stopped:
            if mode != self.mode:
                self._special(RunMode(mode), now_s)
            return None
        self._leave_special(now_s)
        if mode_of(mode) is Mode.LOCAL:
            self._go_local()
        self.mode = mode
        self._wanted = None
        return None

    def order_stage(self, number: int) -> Status | None:
        """Go to a stage as soon as least greens and intergreens allow, and stay there."""
        stage = self.site.stage(number)
        if stage is None:
            return Status.OUT_OF_RANGE
        held = any((one, other) == (self.stage, number) for one, other, _ in self.site.transitions)
        if mode_of(self.mode) is not Mode.CENTRE or held:
            return Status.CONTROL_FAILED
        self._wanted = number
        return None

    def order_plan(self, number: int) -> Status | None:
        """Run another of the plans."""
        if self.site.plan(number) is None:
            return Status.OUT_OF_RANGE
        if mode_of(self.mode) is not Mode.CENTRE:
            return Status.CONTROL_FAILED
        self.plan, self._step = number, 0
        self._wanted = None
        return None

    def command(self, command: int, now_s: float) -> Status | None:
        """The command pipe: special modes, and back to the own plan from any of them."""
        special = {Command.FLASH: RunMode.FLASH, Command.ALL_RED: RunMode.ALL_RED, Command.OFF: RunMode.OFF}
        if command not in set(Command):
            return Status.OUT_OF_RANGE
        if not self._may_leave_special(now_s):
            return Status.CONTROL_FAILED
        self._is_stopped = False
        if command in special:
            self._special(special[Command(command)], now_s)
            return None
        self._leave_special(now_s)
        self.faults.clear()
        self._go_local()
        return None

    def stand_at_panel(self, now_s: float, *, is_there: bool) -> None:
        """A person takes the junction into his hand, or leaves it; not while it has just begun to flash."""
        if not self._may_leave_special(now_s):
            return
        self._leave_special(now_s)
        self._is_at_panel = is_there
        self._go_local()
        if is_there:
            self.mode = RunMode.LOCAL_MANUAL

    def stage_state(self, number: int) -> StageState:
        """What a stage does."""
        if number != self.stage or self.mode in SPECIAL_MODES:
            return StageState.WAITING
        return StageState.GREEN if self._green_since_s is not None else StageState.CHANGING

    def stage_age_s(self, now_s: float) -> float:
        """How long all phases of the stage have been green; 0 during a change."""
        return 0.0 if self._green_since_s is None else now_s - self._green_since_s

    def last_faults(self, at: str) -> list[Fault]:
        """The faults since the start, the newest first."""
        return [
            Fault(number=number, type=type, at=at, action=action)
            for number, (type, action) in reversed(list(enumerate(self.faults, start=1)))
        ]

    def _mind_the_centre(self, now_s: float) -> None:
        is_silent = now_s - self._heard_s > self._backup_s
        if self.mode in SPECIAL_MODES and self._is_stopped and is_silent and self._may_leave_special(now_s):
            # The centre set it so and is silent: it goes on as it would from any of its orders.
            self._is_stopped = False
            self._leave_special(now_s)
            self._go_local()
            return
        if mode_of(self.mode) is not Mode.CENTRE:
            return
        if is_silent:
            self._go_local()
        elif self.stage_age_s(now_s) > LONGEST_HOLD_S:
            self.faults.append((FaultType.RESPONSE, FaultAction.LOCAL_FIXED))
            self._go_local()

    def _go_local(self) -> None:
        self.mode = RunMode.LOCAL_FIXED
        self.plan = self.site.plans[0].number
        self._wanted = None

    def _may_leave_special(self, now_s: float) -> bool:
        return self.mode not in (RunMode.FLASH, RunMode.OFF) or now_s - self._special_since_s >= LEAST_FLASH_S

    def _leave_special(self, now_s: float) -> None:
        if self.mode in (RunMode.FLASH, RunMode.OFF):
            self._start(now_s)

    def _special(self, mode: RunMode, now_s: float) -> None:
        """Flashing and darkness at once; all red by the colours that lead to it."""
        if mode is RunMode.ALL_RED:
            self._leave_special(now_s)
        elif self.mode not in (RunMode.FLASH, RunMode.OFF):
            self._special_since_s = now_s
        self.mode = mode
        self._wanted = None
        self._green_since_s = None
        if mode is not RunMode.ALL_RED:
            self._start(now_s)
            return
        for head in self._heads.values():
            if head.turn is Turn.GAINING:
                head.turn, head.since_s = Turn.RED, now_s

    def _start(self, now_s: float) -> None:
        """All phases are red, and stay so for a while."""
        for head in self._heads.values():
            head.turn, head.since_s, head.ended_s = Turn.RED, now_s, now_s
        self._green_since_s = None
        self._enter(self.stage, now_s, not_before_s=now_s + START_S)

    def _move_heads(self, now_s: float) -> None:
        for head in self._heads.values():
            if head.turn is Turn.LOSING and now_s - head.since_s >= head.phase.lose_s:
                head.turn, head.since_s = Turn.RED, now_s
            elif head.turn is Turn.GAINING and now_s >= head.green_at_s:
                head.turn, head.since_s = Turn.GREEN, now_s
        stage = self.site.stage(self.stage)
        assert stage is not None
        rest = [head for number, head in self._heads.items() if number not in stage.phases]
        if all(self._heads[number].turn is Turn.GREEN for number in stage.phases) and all(
            head.turn is Turn.RED for head in rest
        ):
            self._green_since_s = now_s if self._green_since_s is None else self._green_since_s

    def _decide(self, now_s: float) -> None:
        if self.mode == RunMode.ALL_RED:
            self._leave(frozenset(), now_s)
            self._green_since_s = None
            return
        if any(head.turn in (Turn.LOSING, Turn.GAINING) for head in self._heads.values()):
            return
        if self._green_since_s is None:  # an all red broke it off
            self._enter(self.stage, now_s, not_before_s=now_s)
            return
        wanted, step = self._next(now_s)
        stage = self.site.stage(wanted)
        assert stage is not None
        if wanted != self.stage:
            if not self._leave(stage.phases, now_s):
                return
            self.stage = wanted
            self._green_since_s = None
            self._enter(wanted, now_s, not_before_s=now_s)
        elif step == self._step:
            return
        self._step, self._step_since_s = step, now_s

    def _next(self, now_s: float) -> tuple[int, int]:
        """The stage that should be shown, and the step of the plan: ordered, held by hand, or the plan's."""
        if self._wanted is not None:
            return self._wanted, self._step
        if self.mode in (RunMode.CENTRE_MANUAL, RunMode.LOCAL_MANUAL):
            return self.stage, self._step
        plan = self.site.plan(self.plan)
        assert plan is not None
        stages = [step.stage for step in plan.steps]
        step = self._step % len(stages)
        if stages[step] != self.stage:
            if self.stage not in stages:
                return stages[step], step
            step = stages.index(self.stage)
        if now_s - self._step_since_s >= plan.steps[step].seconds:
            step = (step + 1) % len(stages)
        return stages[step], step

    def _leave(self, stay: frozenset[int], now_s: float) -> bool:
        """Begin to take green from all but these phases, if all may lose it; whether it began."""
        green = [head for head in self._heads.values() if head.turn is Turn.GREEN]
        leaving = [head for head in green if head.phase.number not in stay]
        if any(now_s - head.since_s < head.phase.min_green_s for head in leaving):
            return False
        for head in leaving:
            head.turn, head.since_s = Turn.LOSING, now_s
            head.ended_s = now_s + head.phase.green_end_s
        return True

    def _enter(self, number: int, now_s: float, *, not_before_s: float) -> None:
        """Work out when each phase of a stage gets its green."""
        stage = self.site.stage(number)
        assert stage is not None
        for phase in stage.phases:
            head = self._heads[phase]
            if head.turn is Turn.GREEN:
                continue
            clear_s = [
                max(other.ended_s + self.site.between_s(other.phase.number, phase), other.since_s + _losing_s(other))
                for other in self._heads.values()
                if self.site.conflict(other.phase.number, phase)
            ]
            begin_s = max(not_before_s, *clear_s, now_s + head.phase.gain_s) if clear_s else not_before_s
            head.green_at_s = max(begin_s, now_s + head.phase.gain_s) + stage.late_start_s.get(phase, 0)
            head.turn, head.since_s = Turn.GAINING, now_s

    def _lamps(self, now_s: float) -> dict[int, Lamp]:
        if self.mode == RunMode.OFF:
            return {group.number: Lamp.OFF for group in self.site.lamp_groups}
        if self.mode == RunMode.FLASH:
            walkers = LampGroupType.PEDESTRIANS
            return {
                group.number: Lamp.OFF if group.type == walkers else Lamp.YELLOW_FLASH
                for group in self.site.lamp_groups
            }
        lamps = {group.number: Lamp.RED for group in self.site.lamp_groups}
        for head in self._heads.values():
            lamp = _lamp(head, now_s)
            lamps |= {
                group: lamp for group in head.phase.lamp_groups if _RANK.get(lamp, 0) >= _RANK.get(lamps[group], 0)
            }
        return lamps

    def _conflicts(self, lamps: Mapping[int, Lamp]) -> bool:
        green = [group for group, lamp in lamps.items() if lamp in GREENS]
        return any((one, other) in self._crossing for one in green for other in green if one < other)


def _crossing(site: Site) -> frozenset[tuple[int, int]]:
    """Lamp groups, the smaller number first, all phases of which conflict: a monitor sees lamps, not phases."""
    drives = {
        group.number: [phase.number for phase in site.phases if group.number in phase.lamp_groups]
        for group in site.lamp_groups
    }
    return frozenset(
        (a, b)
        for a, mine in drives.items()
        for b, theirs in drives.items()
        if a < b and mine and theirs and all(site.conflict(one, other) for one in mine for other in theirs)
    )


def _losing_s(head: _Head) -> float:
    return float(head.phase.lose_s) if head.turn is Turn.LOSING else 0.0


def _lamp(head: _Head, now_s: float) -> Lamp:
    if head.turn is Turn.GREEN:
        return Lamp.GREEN
    if head.turn is Turn.LOSING:
        return _shade(head.phase.lose, now_s - head.since_s)
    if head.turn is Turn.GAINING:
        return _shade(head.phase.gain, now_s - (head.green_at_s - head.phase.gain_s))
    return Lamp.RED


def _shade(shades: tuple[Shade, ...], passed_s: float) -> Lamp:
    """The colour so many seconds into a row of them; before and after it is red."""
    for lamp, seconds in shades:
        if 0 <= passed_s < seconds:
            return Lamp(lamp)
        passed_s -= seconds
    return Lamp.RED
