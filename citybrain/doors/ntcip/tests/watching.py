# SPDX-License-Identifier: Apache-2.0
"""An independent look at what lamps showed: it knows the cabinet's facts and nothing of how the unit decides."""

from collections.abc import Iterator, Mapping, Sequence

from citybrain.doors.ntcip.cabinet import Cabinet

Shown = tuple[int, Mapping[int, str]]
"""Tenths of seconds since the start, and the lamp of each phase."""

ORDER = {("G", "Y"), ("Y", "R"), ("R", "G")}


class Watcher:
    """Told every change in turn. Flashing is safe."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._facts = {phase.number: phase for phase in cabinet.phases}
        self._since: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        self._last: dict[int, str] = {}

    def look(self, t: int, lamps: Mapping[int, str]) -> Iterator[str]:
        """What is wrong with these lamps after those before."""
        on = [phase for phase, lamp in lamps.items() if lamp in "GY"]
        for one in on:
            yield from (f"{t}: {one} and {two} together" for two in on if one < two and not self._fits(one, two))
        for phase, lamp in lamps.items():
            if lamp != self._last.get(phase, "R"):
                yield from self._change(t, phase, self._last.get(phase, "R"), lamp)
                self._since[phase] = t
        self._last = dict(lamps)

    def _change(self, t: int, phase: int, was: str, lamp: str) -> Iterator[str]:
        facts, lasted = self._facts[phase], t - self._since.get(phase, 0)
        if (was, lamp) not in ORDER and "F" not in (was, lamp):
            yield f"{t}: {phase} from {was} to {lamp}"
        if (was, lamp) == ("G", "Y") and lasted < round(facts.min_green_s * 10):
            yield f"{t}: {phase} green for {lasted}"
        if (was, lamp) == ("Y", "R") and lasted < round(facts.yellow_s * 10):
            yield f"{t}: {phase} yellow for {lasted}"
        if was in "GY" and lamp == "R":
            self._ended[phase] = t
        if lamp == "G":
            yield from self._early(t, phase)

    def _early(self, t: int, phase: int) -> Iterator[str]:
        """Conflicting phases whose red clearance is not over."""
        for other, ended in self._ended.items():
            if not self._fits(phase, other) and t - ended < round(self._facts[other].red_clear_s * 10):
                yield f"{t}: {phase} green {t - ended} after {other}"

    def _fits(self, one: int, two: int) -> bool:
        return two in self._facts[one].concurrent


def faults(cabinet: Cabinet, shown: Sequence[Shown]) -> list[str]:
    """Every conflict, short green, short yellow and missing clearance in a record of all changes."""
    watcher = Watcher(cabinet)
    return [fault for t, lamps in shown for fault in watcher.look(t, lamps)]
