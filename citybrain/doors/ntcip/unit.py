# SPDX-License-Identifier: Apache-2.0
"""An emulated actuated controller: rings and barriers, its own plan, system control with a back-up timer. Pure.

It goes on by tenths of seconds. Whatever is commanded, greens last their least time, walkers finish, every change has
its yellow and red clearance, and conflicting phases are never green together; a monitor of its own looks on.
"""

from collections.abc import Sequence, Set
from enum import StrEnum

import msgspec

from citybrain.doors.ntcip import objects
from citybrain.doors.ntcip.cabinet import Cabinet, Phase
from citybrain.doors.ntcip.monitor import Monitor
from citybrain.doors.ntcip.ring import Interval, Ring, Walkers, tenths

RED_BEFORE_START = 60
"""Tenths of seconds of red after power-up and after a flash: our choice, so that nobody meets a green unprepared."""


class Running(StrEnum):
    """What the unit does."""

    STARTING = "starting"
    PHASES = "phases"
    TO_FLASH = "to_flash"
    FLASH = "flash"
    FAULT = "fault"


class Controls(msgspec.Struct):
    """The system controls, as sets of phases, the rings that rest in red, and the called pattern."""

    omit: frozenset[int] = frozenset()
    ped_omit: frozenset[int] = frozenset()
    hold: frozenset[int] = frozenset()
    force_off: frozenset[int] = frozenset()
    call: frozenset[int] = frozenset()
    ped_call: frozenset[int] = frozenset()
    red_rest: frozenset[int] = frozenset()
    pattern: int = objects.PATTERN_STANDBY

    def are_idle(self) -> bool:
        """Nothing is commanded."""
        return self == Controls()


class Unit:
    """One controller. `tick` makes it go on; `controls` are set from outside, followed by `commanded`."""

    def __init__(self, cabinet: Cabinet) -> None:
        self.cabinet = cabinet
        self.phases = {phase.number: phase for phase in cabinet.phases}
        self.rings = [Ring() for _ in cabinet.rings]
        self.controls = Controls()
        self.backup_s = cabinet.backup_s
        self.status = objects.CONTROL_TIMEBASE
        self.running = Running.STARTING
        self.now = 0
        self.called: set[int] = set()
        self.ped_called: set[int] = set()
        self.monitor = Monitor(cabinet)
        self.manual = False
        self._groups = _groups(cabinet)
        self._group = 0
        self._since = 0
        self._commanded = 0

    @property
    def pattern(self) -> int:
        """The pattern in force: what the system calls, if it is one that we have, else our own."""
        called = self.controls.pattern
        if called == objects.PATTERN_STANDBY:
            return self.cabinet.local_pattern
        is_known = called >= objects.PATTERN_FREE or str(called) in self.cabinet.patterns
        return called if is_known else objects.PATTERN_FREE

    @property
    def flash(self) -> int:
        """The word of unitFlashStatus."""
        return {Running.FLASH: objects.FLASH_AUTOMATIC, Running.FAULT: objects.FLASH_MMU}.get(
            self.running, objects.FLASH_NOT
        )

    def commanded(self) -> None:
        """A system control was set: the back-up timer begins anew."""
        self._commanded = self.now
        self.status = objects.CONTROL_STANDBY if self.controls.are_idle() else objects.CONTROL_SYSTEM

    def lamps(self) -> dict[int, str]:
        """What each phase shows: G, Y, R, or F when the unit flashes."""
        if self.flash != objects.FLASH_NOT:
            return dict.fromkeys(self.phases, "F")
        shown = dict.fromkeys(self.phases, "R")
        for ring in self.rings:
            if ring.active is not None and ring.interval in (Interval.GREEN, Interval.YELLOW):
                shown[ring.active] = "G" if ring.interval is Interval.GREEN else "Y"
        return shown

    def calls(self) -> frozenset[int]:
        """The phases that somebody waits for or that are served without a call, green ones left out."""
        asked = self.called | self.controls.call
        green = {ring.green for ring in self.rings}
        return frozenset(
            number
            for number, phase in self.phases.items()
            if number not in green and (number in asked or phase.recall != "none" or self._is_split(number))
        )

    def walkers(self, what: Walkers) -> frozenset[int]:
        """The phases whose pedestrians see this."""
        return frozenset(ring.green for ring in self.rings if ring.green is not None and ring.walkers is what)

    def tick(self) -> None:
        """A tenth of a second goes by."""
        self.now += 1
        if self._is_silent():
            self.controls, self.status = Controls(), objects.CONTROL_BACKUP
        for ring in self.rings:
            ring.tick()
        self._move()
        if self.running not in (Running.FLASH, Running.FAULT) and not self.monitor.agrees(self.lamps(), self.now):
            self._enter(Running.FAULT)

    def reset(self) -> None:
        """Somebody at the cabinet resets the monitor: red, then the startup phases."""
        self.monitor = Monitor(self.cabinet)
        self._enter(Running.STARTING)

    def force_conflict(self, phases: Sequence[int]) -> None:
        """A fault of the hardware: these phases turn green, whatever they are."""
        for at, number in enumerate(phases):
            self.rings[at % len(self.rings)].begin(self.phases[number], walk=False)

    def _is_silent(self) -> bool:
        """The system was in command, and has not been heard for the back-up time (NTCIP 1202 v02, 2.4.3)."""
        was_in_command = self.status in (objects.CONTROL_SYSTEM, objects.CONTROL_STANDBY)
        return was_in_command and self.backup_s > 0 and self.now - self._commanded >= tenths(self.backup_s)

    def _enter(self, running: Running) -> None:
        self.running, self._since = running, self.now
        if running is not Running.TO_FLASH:
            self.rings = [Ring() for _ in self.rings]

    def _move(self) -> None:
        wants_flash = self.pattern == objects.PATTERN_FLASH
        if self.running is Running.STARTING and self.now - self._since >= RED_BEFORE_START:
            self.running = Running.PHASES
            self._open(self.cabinet.startup)
        elif self.running is Running.PHASES:
            if wants_flash:
                self._enter(Running.TO_FLASH)
            else:
                self._move_phases()
        elif self.running is Running.TO_FLASH:
            self._clear_for_flash()
        elif self.running is Running.FLASH and not wants_flash:
            self._enter(Running.STARTING)

    def _clear_for_flash(self) -> None:
        for ring in self.rings:
            ring.next = None
            if ring.least_is_over():
                ring.end(None)
        if all(ring.active is None for ring in self.rings):
            self._enter(Running.FLASH)

    def _open(self, phases: Sequence[int]) -> None:
        for number in phases:
            self._begin(self.rings[self.cabinet.ring_of(number) - 1], number)

    def _begin(self, ring: Ring, number: int) -> None:
        phase = self.phases[number]
        asked = phase.ped_recall or number in self.ped_called or number in self.controls.ped_call
        ring.begin(phase, walk=asked and number not in self.controls.ped_omit)
        self.called.discard(number)
        self.ped_called.discard(number)
        self._group = next(at for at, group in enumerate(self._groups) if number in group)

    def _move_phases(self) -> None:
        for ring, order in zip(self.rings, self.cabinet.rings, strict=True):
            if self._may_end(ring) and (onward := self._onward(ring, order)) is not None:
                self._end(ring, onward)
        for at, ring in enumerate(self.rings, start=1):
            if at in self.controls.red_rest and self._may_rest(ring):
                self._end(ring, None)
        if all(self._may_cross(ring, order) for ring, order in zip(self.rings, self.cabinet.rings, strict=True)):
            self._cross()
        for ring in self.rings:
            if ring.interval is Interval.RED and ring.next is not None and self._is_free(ring, ring.next):
                self._begin(ring, ring.next)

    def _end(self, ring: Ring, onward: int | None) -> None:
        """The force-off of a phase is over when its green is (NTCIP 1202 v02, 2.2.5.5)."""
        if ring.green is not None:
            self.controls.force_off -= {ring.green}
        ring.end(onward)

    def _may_end(self, ring: Ring) -> bool:
        """Its least times are over, nobody holds it, and it has a reason to end."""
        if ring.phase is None or not ring.least_is_over() or ring.phase.number in self.controls.hold:
            return False
        number = ring.phase.number
        is_forced = number in self.controls.force_off
        is_out = ring.age >= tenths(self._max_green_s(ring.phase))
        has_gap = not self._is_max_recalled(ring.phase) and number not in self.called | self.controls.call
        return is_forced or is_out or has_gap

    def _may_cross(self, ring: Ring, order: Sequence[int]) -> bool:
        """The ring has ended, or may end and has nothing more to serve on this side of the barrier."""
        if ring.active is None:
            return ring.next is None
        return ring.interval is Interval.GREEN and self._may_end(ring) and self._onward(ring, order) is None

    def _may_rest(self, ring: Ring) -> bool:
        """It may end, and nobody who could be served calls anywhere."""
        return self._may_end(ring) and not any(self._calls(number) for number in self.phases)

    def _onward(self, ring: Ring, order: Sequence[int]) -> int | None:
        """The next phase of the ring on this side: one ahead, or one behind if nobody calls on another side."""
        side = [number for number in order if number in self._groups[self._group]]
        if ring.active not in side:
            return None
        at = side.index(ring.active)
        ahead, behind = side[at + 1 :], side[:at]
        elsewhere = any(self._calls(number) for number in self.phases if number not in self._groups[self._group])
        reachable = ahead if elsewhere or self.cabinet.backup_protect else ahead + behind
        return next((number for number in reachable if self._calls(number) and self._is_free(ring, number)), None)

    def _cross(self) -> None:
        """All rings end together; each begins beyond the barrier with its first call, or enters beside the others."""
        order = [(self._group + step) % len(self._groups) for step in range(1, len(self._groups) + 1)]
        for side in order:
            chosen = self._entries(self._groups[side])
            if not chosen or set(chosen.values()) == {ring.green for ring in self.rings if ring.green}:
                continue
            for at, ring in enumerate(self.rings):
                if ring.green is not None and ring.green != chosen.get(at):
                    self._end(ring, chosen.get(at))
                elif ring.active is None:
                    ring.next = chosen.get(at)
            return

    def _entries(self, group: Set[int]) -> dict[int, int]:
        """Ring by place → phase to begin with on this side; empty when nobody calls there."""
        chosen: dict[int, int] = {}
        for entering in (False, True):
            for at, order in enumerate(self.cabinet.rings):
                if at in chosen or (entering and not chosen):
                    continue
                fits = (n for n in order if n in group and all(_together(self.phases[n], c) for c in chosen.values()))
                wanted = [n for n in fits if (self._enters(n) if entering else self._calls(n))]
                if wanted:
                    chosen[at] = wanted[-1] if entering else wanted[0]
        return chosen

    def _enters(self, number: int) -> bool:
        return self.phases[number].dual_entry and number not in self.controls.omit

    def _calls(self, number: int) -> bool:
        """The phase is called, by anybody, and may be served."""
        if number in self.controls.omit or any(ring.green == number for ring in self.rings):
            return False
        return number in self.calls() | self.ped_called | self.controls.ped_call

    def _is_free(self, ring: Ring, number: int) -> bool:
        """No other ring shows, clears or is about to begin what conflicts with this phase."""
        others = [each for each in self.rings if each is not ring]
        around = {each.active for each in others} | {each.next for each in others if each.active is not None}
        return all(_together(self.phases[number], other) for other in around if other is not None)

    def _is_split(self, number: int) -> bool:
        return str(number) in self.cabinet.patterns.get(str(self.pattern), {})

    def _is_max_recalled(self, phase: Phase) -> bool:
        return phase.recall == "max" or self._is_split(phase.number)

    def _max_green_s(self, phase: Phase) -> float:
        split = self.cabinet.patterns.get(str(self.pattern), {}).get(str(phase.number))
        return phase.max_green_s if split is None else max(split - phase.yellow_s - phase.red_clear_s, 0)


def _together(phase: Phase, other: int) -> bool:
    return other in phase.concurrent


def _groups(cabinet: Cabinet) -> list[frozenset[int]]:
    """The sides of the barriers, in the order of the rings: phases that are concurrent, directly or by others."""
    found: list[frozenset[int]] = []
    around = {phase.number: {phase.number, *phase.concurrent} for phase in cabinet.phases}
    for start in (number for ring in cabinet.rings for number in ring):
        if any(start in group for group in found):
            continue
        group = {start}
        while grown := set().union(*(around[number] for number in group)) - group:
            group |= grown
        found.append(frozenset(group))
    return found
