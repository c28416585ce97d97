# SPDX-License-Identifier: Apache-2.0
"""What a controller can do and what it shows."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from citybrain.kernel.controllers.outstation import Mode


class PhaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One enabled phase with its least and greatest times, as the controller has them.

    `concurrent` are the phases that may be green together with it.
    """

    number: int
    min_green_s: float
    max_green_s: float
    yellow_s: float
    all_red_s: float
    walk_s: float
    ped_clear_s: float
    ring: int
    concurrent: frozenset[int]


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """A controller as it describes itself.

    `stages` are sets of phases that may be green together; `conflicts` pairs that never may, both ways round;
    `intergreen_s` the time from the end of green of the first to the begin of green of the second. `rings` hold the
    phases in their order. `can` is what it accepts: hold, force_off, omit, call, plan, red_rest, stage; and back_up
    where the operator says so. Without a command for `backup_s` seconds it goes back to its own plan; 0: it never does.
    """

    maker: str
    version: str
    phases: tuple[PhaseFacts, ...]
    stages: tuple[tuple[int, ...], ...]
    conflicts: frozenset[tuple[int, int]]
    intergreen_s: Mapping[tuple[int, int], float]
    rings: tuple[tuple[int, ...], ...]
    can: frozenset[str]
    backup_s: float
    max_phases: int
    channels: int

    def phase(self, number: int) -> PhaseFacts:
        """The facts of an enabled phase."""
        return next(phase for phase in self.phases if phase.number == number)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller showed at one time, phases by number.

    `calls` are phases that somebody waits for, or that are served without a call. `stage` is the first stage whose
    phases are all green, None during a change. `is_manual` tells that somebody stands at the cabinet. `backup_left_s`
    is how long the last command still counts.
    """

    at: datetime
    green: frozenset[int]
    yellow: frozenset[int]
    red: frozenset[int]
    walk: frozenset[int]
    ped_clear: frozenset[int]
    calls: frozenset[int]
    stage: int | None
    mode: Mode
    is_manual: bool
    pattern: int
    alarms: tuple[str, ...]
    backup_left_s: float
