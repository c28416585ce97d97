# SPDX-License-Identifier: Apache-2.0
"""What a controller can do and what it shows. Pure."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from citybrain.kernel.controllers.outstation import Mode


class PhaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One phase that a stage uses, with its least and greatest times, as the controller has them.

    `all_red_s` is the shortest time between its yellow and the green of a phase that it conflicts with.
    """

    number: int
    min_green_s: float
    max_green_s: float
    yellow_s: float
    all_red_s: float
    ped_clear_s: float
    lamp_groups: frozenset[int]


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """A controller as it describes itself.

    `stages` are the phases that it shows green together, empty where it has none; `numbers` what it calls each stage.
    `conflicts` are pairs of phases that never may be green together, both ways round; `intergreen_s` the time from the
    end of green of the first to the begin of green of the second. `transitions` are changes between stages that are
    not free: 255 never, else only by the stage that it calls so. `can` is what it accepts. Without a word from the
    centre for `backup_s` seconds it goes back to its own plan; no object tells it, so the operator does. A controller
    of this standard has no rings.
    """

    maker: str
    version: str
    phases: tuple[PhaseFacts, ...]
    stages: tuple[tuple[int, ...], ...]
    numbers: tuple[int, ...]
    conflicts: frozenset[tuple[int, int]]
    intergreen_s: Mapping[tuple[int, int], float]
    transitions: Mapping[tuple[int, int], int]
    rings: tuple[tuple[int, ...], ...] = ()
    can: frozenset[str] = frozenset({"stage", "plan"})
    backup_s: float
    lamp_state: int
    serial: str = ""

    def phase(self, number: int) -> PhaseFacts:
        """The facts of a phase that a stage uses."""
        return next(phase for phase in self.phases if phase.number == number)

    def place(self, number: int) -> int | None:
        """The place of the stage that the controller calls so, None when it is none of ours."""
        return self.numbers.index(number) if number in self.numbers else None

    def min_green_s(self, stage: int) -> float:
        """How long a stage must be green at least: as long as its slowest phase."""
        return max((self.phase(number).min_green_s for number in self.stages[stage]), default=0.0)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller showed at one time, phases by number.

    `stage` is the place in `Capability.stages` of the one that is green, None during a change. `is_manual` tells that
    somebody stands at the cabinet. `stage_age_s` is how long the stage has run. `backup_left_s` is how long the last
    command still counts. `run_mode` is the mode in the controller's own number. `groups` is what each lamp group shows,
    in its number (`values.Lamp`); one of which nothing was told is not in it.
    """

    at: datetime
    green: frozenset[int]
    yellow: frozenset[int]
    red: frozenset[int]
    stage: int | None
    stage_age_s: float
    mode: Mode
    run_mode: int
    is_manual: bool
    pattern: int
    alarms: tuple[str, ...]
    backup_left_s: float = 0.0
    groups: Mapping[int, int] = {}
