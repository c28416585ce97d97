# SPDX-License-Identifier: Apache-2.0
"""The conflict monitor of an emulated controller: it looks at the lamps alone, and any fault makes the unit flash."""

from collections.abc import Mapping

from citybrain.doors.ntcip.cabinet import Cabinet

MIN_YELLOW = 27
"""Tenths of seconds of the least yellow that a monitor lets pass (NEMA TS 2: 2.7 s)."""


class Monitor:
    """Remembers since when each lamp shows what it shows; told the lamps each tenth of a second."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._concurrent = {phase.number: frozenset(phase.concurrent) for phase in cabinet.phases}
        self._shown: dict[int, str] = {}
        self._since: dict[int, int] = {}

    def agrees(self, lamps: Mapping[int, str], now: int) -> bool:
        """Whether these lamps may be shown after those before."""
        is_right = self._has_no_conflict(lamps) and all(self._may_follow(phase, lamps[phase], now) for phase in lamps)
        for phase, lamp in lamps.items():
            if self._shown.get(phase) != lamp:
                self._since[phase] = now
        self._shown = dict(lamps)
        return is_right

    def _has_no_conflict(self, lamps: Mapping[int, str]) -> bool:
        on = [phase for phase, lamp in lamps.items() if lamp in "GY"]
        return all(other in self._concurrent[one] for one in on for other in on if one < other)

    def _may_follow(self, phase: int, lamp: str, now: int) -> bool:
        """After green comes yellow, after a full yellow red."""
        before = self._shown.get(phase, "R")
        if before == lamp:
            return True
        if before == "Y" and now - self._since.get(phase, 0) < MIN_YELLOW:
            return False
        return (before, lamp) in {("G", "Y"), ("Y", "R"), ("R", "G")}
