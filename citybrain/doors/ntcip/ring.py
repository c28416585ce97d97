# SPDX-License-Identifier: Apache-2.0
"""One ring of an emulated controller: the phase it times, its interval and its walkers. In tenths of seconds."""

from enum import StrEnum

import msgspec

from citybrain.doors.ntcip.cabinet import Phase


class Interval(StrEnum):
    """Where a ring is in its phase. In RED nothing is timed: it waits for its next phase."""

    GREEN = "green"
    YELLOW = "yellow"
    CLEARING = "clearing"
    RED = "red"


class Walkers(StrEnum):
    """What pedestrians of the phase see."""

    NONE = "none"
    WALK = "walk"
    CLEAR = "clear"


class Ring(msgspec.Struct):
    """The state of one ring; `next` is committed once the green before has ended."""

    phase: Phase | None = None
    interval: Interval = Interval.RED
    age: int = 0
    walkers: Walkers = Walkers.NONE
    walked: int = 0
    next: int | None = None

    @property
    def active(self) -> int | None:
        """The phase that is not yet cleared."""
        return self.phase.number if self.phase is not None and self.interval is not Interval.RED else None

    @property
    def green(self) -> int | None:
        """The phase that is green."""
        return self.active if self.interval is Interval.GREEN else None

    def begin(self, phase: Phase, *, walk: bool) -> None:
        """Turn green."""
        self.phase, self.interval, self.age, self.next = phase, Interval.GREEN, 0, None
        self.walkers = Walkers.WALK if walk and phase.walk_s else Walkers.NONE
        self.walked = 0

    def end(self, next: int | None) -> None:
        """Turn yellow; the next phase is decided now."""
        self.interval, self.age, self.next, self.walkers = Interval.YELLOW, 0, next, Walkers.NONE

    def tick(self) -> None:
        """A tenth of a second goes by: yellow and clearance end by themselves, green does not."""
        self.age += 1
        if self.phase is None:
            return
        self._walk(self.phase)
        if self.interval is Interval.YELLOW and self.age >= tenths(self.phase.yellow_s):
            self.interval, self.age = Interval.CLEARING, 0
        if self.interval is Interval.CLEARING and self.age >= tenths(self.phase.red_clear_s):
            self.interval, self.age = Interval.RED, 0

    def least_is_over(self) -> bool:
        """The least green has been shown and nobody walks."""
        return (
            self.phase is not None
            and self.interval is Interval.GREEN
            and self.age >= tenths(self.phase.min_green_s)
            and self.walkers is Walkers.NONE
        )

    def _walk(self, phase: Phase) -> None:
        if self.walkers is Walkers.NONE:
            return
        self.walked += 1
        if self.walkers is Walkers.WALK and self.walked >= tenths(phase.walk_s):
            self.walkers = Walkers.CLEAR
        if self.walkers is Walkers.CLEAR and self.walked >= tenths(phase.walk_s + phase.ped_clear_s):
            self.walkers = Walkers.NONE


def tenths(seconds: float) -> int:
    """Whole tenths of seconds."""
    return round(seconds * 10)
