# SPDX-License-Identifier: Apache-2.0
"""The guard in the signal cabinet: whatever is ordered, it shows only safe states for safe times."""

from collections.abc import Set
from enum import StrEnum

import msgspec

from citybrain.doors.sumo.cabinet import GREEN, Conflicts, SignalPlan, change, cycle

SILENCE_S = 60.0
"""Without an order for so long the shipped plan runs: longer than the longest least green, so that a brain that
merely waits is not taken for dead. The back-up timer of a controller (NTCIP 1202, unitBackupTime)."""

CLEARANCE_MAX_S = 8.0
"""Longest red extension while a vehicle stands in the box; then green regardless, or the junction locks itself."""

MAX_RED_S = 180.0
"""A lane that waits under a red lamp for so long gets the stage that serves it, once. RiLSA 2015 asks for cycles of
at most 120 s; the brain may stretch that once over, not without end."""


class Mode(StrEnum):
    """What the lamps are doing."""

    GREEN = "green"
    CHANGE = "change"


class ConflictingStage(ValueError):
    """A stage of the shipped plan contradicts the plan itself: the facts are broken, and nothing may be shown."""


class Guard:
    """One signal. `order` takes wishes, `step` is called once per second and answers with what to show.

    While it is held at `all_red`, that is a stage of its own, after all least times, yellows and clearances; then no
    wish counts, nor does a lane that waits.
    """

    def __init__(self, plan: SignalPlan, now_s: float, shown: str | None = None, *, all_red: bool = False) -> None:
        """Begin with the first stage; from another `shown` state (a resumed run) by a change with yellow."""
        conflicts = Conflicts(plan.plan)
        for stage in plan.stages:
            if conflicts.first(stage):
                raise ConflictingStage(stage)
        self._red = len(plan.stages)
        red = "r" * len(plan.plan[0].state)
        self._plan = msgspec.structs.replace(
            plan, stages=(*plan.stages, red), min_green_s=(*plan.min_green_s, 0.0), changes_s=()
        )
        self._all_red = all_red
        self._kept_until_s = now_s
        self._kept_s = 0.0
        self._cycle = cycle(plan)
        self._at = 0
        self._lanes = _lanes_of(plan)
        self._from = shown or plan.stages[0]
        self._target = plan.stages.index(self._from) if self._from in plan.stages else 0
        self.mode = Mode.GREEN if self._from in plan.stages else Mode.CHANGE
        self._since_s = now_s
        if all_red and self.mode is Mode.CHANGE:
            self._target = self._red
        self._change = change(plan, self._from, self._plan.stages[self._target])
        # What a change that was begun by somebody else still needs is unknown: all of it is waited for again.
        self._at_least_s = 0.0 if self.mode is Mode.GREEN else plan.yellow_s + plan.all_red_s
        self._ordered: int | None = None
        self._ordered_at_s = now_s
        self._red_since_s = [now_s] * len(self._from)

    @property
    def stage(self) -> int | None:
        """The stage that is green now; None during a change."""
        return self._target if self.mode is Mode.GREEN else None

    def age_s(self, now_s: float) -> float:
        """How long the mode has lasted."""
        return now_s - self._since_s

    def order(self, stage: int, now_s: float) -> None:
        """Wish for a stage of the plan; the newest counts, as soon as the least times allow."""
        self._ordered = stage
        self._ordered_at_s = now_s

    def hold_all_red(self, on: bool) -> None:
        """Hold all lamps at red from as soon as that is safe, or let the plan or the wishes count again."""
        self._all_red = on

    @property
    def is_all_red(self) -> bool:
        """All lamps are red because they are held so."""
        return self.mode is Mode.GREEN and self._target == self._red

    def keep(self, seconds: float, now_s: float) -> None:
        """Keep the green that is shown, or the one that comes, for so long from now or from its beginning."""
        self._kept_until_s = now_s + seconds
        self._kept_s = 0.0 if self.mode is Mode.GREEN else seconds

    def step(self, now_s: float, *, occupied: Set[str] = frozenset(), calling: Set[str] = frozenset()) -> str:
        """What to show for the coming second.

        `occupied`: approach lanes with a slow vehicle inside the box. `calling`: approach lanes with one that waits.
        """
        if self.mode is Mode.GREEN:
            self._leave_green(now_s, calling)
        if self.mode is Mode.CHANGE and self._is_clear(now_s, occupied):
            self._from = self._plan.stages[self._target]
            self._at_least_s = 0.0
            self._enter(Mode.GREEN, now_s)
            self._kept_until_s, self._kept_s = max(self._kept_until_s, now_s + self._kept_s), 0.0
        state = self._state(now_s)
        for lamp, letter in enumerate(state):
            if letter in GREEN:
                self._red_since_s[lamp] = now_s
        return state

    def is_silent(self, now_s: float) -> bool:
        """Nobody has ordered for long: the shipped plan runs."""
        return self._ordered is None or now_s - self._ordered_at_s > SILENCE_S

    def _leave_green(self, now_s: float, calling: Set[str]) -> None:
        age_s = self.age_s(now_s)
        if age_s < self._plan.min_green_s[self._target]:
            return
        wanted = self._red if self._all_red else self._wanted(now_s, age_s, calling)
        if wanted is not None and wanted != self._target:
            # Whoever was in the box when all became red has left it, but lamps that turn green come as from dark.
            self._at_least_s = self._plan.yellow_s + self._plan.all_red_s if self._target == self._red else 0.0
            self._target = wanted
            self._change = change(self._plan, self._from, self._plan.stages[wanted])
            self._enter(Mode.CHANGE, now_s)

    def _wanted(self, now_s: float, age_s: float, calling: Set[str]) -> int | None:
        starved = self._starved_stage(now_s, calling)
        if starved is not None:
            return starved
        if now_s < self._kept_until_s:
            return None
        return self._planned(age_s) if self.is_silent(now_s) else self._ordered

    def _planned(self, age_s: float) -> int:
        """The shipped plan: the green that runs until its time is over, then the next one."""
        if self._target == self._red:
            return self._cycle[self._at][0]
        if self._cycle[self._at][0] != self._target:
            self._at = next(at for at, (stage, _) in enumerate(self._cycle) if stage == self._target)
        if age_s >= self._cycle[self._at][1]:
            self._at = (self._at + 1) % len(self._cycle)
        return self._cycle[self._at][0]

    def _starved_stage(self, now_s: float, calling: Set[str]) -> int | None:
        """A stage for the lamp that is red the longest, when that is too long and someone waits under it."""
        starved = [
            (self._red_since_s[lamp], lamp)
            for lamp, lanes in self._lanes.items()
            if now_s - self._red_since_s[lamp] > MAX_RED_S and lanes & calling
        ]
        if not starved:
            return None
        lamp = min(starved)[1]
        serving = [(stage[lamp] != "G", at) for at, stage in enumerate(self._plan.stages) if stage[lamp] in GREEN]
        return min(serving)[1] if serving else None

    def _is_clear(self, now_s: float, occupied: Set[str]) -> bool:
        """The clearances have lasted, and whoever is still in the box has green next or had time enough."""
        over_s = self.age_s(now_s) - max(self._change.lasts_s, self._at_least_s)
        if over_s < 0.0:
            return False
        stage = self._plan.stages[self._target]
        served = {lane for lamp, lanes in self._lanes.items() if stage[lamp] in GREEN for lane in lanes}
        return not (occupied - served) or over_s >= CLEARANCE_MAX_S

    def _enter(self, mode: Mode, now_s: float) -> None:
        self.mode = mode
        self._since_s = now_s

    def _state(self, now_s: float) -> str:
        """Green as shipped; in a change only what is green before and after stays so, in its lower priority."""
        to = self._plan.stages[self._target]
        if self.mode is Mode.GREEN:
            return to
        age_s = self.age_s(now_s)
        return "".join(
            self._between(lamp, was, will, age_s) for lamp, (was, will) in enumerate(zip(self._from, to, strict=True))
        )

    def _between(self, lamp: int, was: str, will: str, age_s: float) -> str:
        if was in GREEN and will in GREEN:
            return "G" if was == will == "G" else "g"
        if was not in GREEN and was not in "yY":
            return "s" if was == will == "s" else "r"
        over_s = age_s - self._change.ends_at_s[lamp]
        if was in GREEN and over_s < 0.0:
            return was
        return "y" if over_s < self._plan.lamp_yellow_s[lamp] else "r"


def _lanes_of(plan: SignalPlan) -> dict[int, frozenset[str]]:
    """The approach lanes under each lamp; lamps that no stage turns green are left out."""
    served = {lamp for stage in plan.stages for lamp, letter in enumerate(stage) if letter in GREEN}
    return {
        lamp: frozenset(link.approach for link in plan.links if link.index == lamp)
        for lamp in sorted({link.index for link in plan.links} & served)
    }
