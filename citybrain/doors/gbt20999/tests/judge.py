# SPDX-License-Identifier: Apache-2.0
"""An independent look at what lamps showed: it knows the junction's file and the lines, and nothing of the program."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GREEN, YELLOW = {0x20, 0x21, 0x22}, {0x30, 0x31, 0x32}
SPECIAL = {0x31, 0x33}
LONGEST_RED_S = 260.0
"""The longest hold of the emulator and a cycle."""


def colour(lamps: Iterable[int]) -> str:
    shown = set(lamps)
    return "green" if shown & GREEN else "yellow" if shown & YELLOW else "red"


def complaints(junction: dict[str, Any], lines: list[dict[str, Any]]) -> list[str]:
    """Conflicting greens, missing clearances, yellows and least greens, and reds that never end."""
    judge = Judge(junction)
    for line in lines:
        judge.look(line)
    return judge.found


class Judge:
    """Remembers since when each phase shows what."""

    def __init__(self, junction: dict[str, Any]) -> None:
        self.found: list[str] = []
        self.phases = {phase["number"]: phase for phase in junction["phases"]}
        self.conflicts = {frozenset(pair) for pair in junction["conflicts"]}
        self.between = {(a, b): s for a, b, s in junction["intergreen_s"]}
        self.was = dict.fromkeys(self.phases, "red")
        self.since = dict.fromkeys(self.phases, 0.0)
        self.ended = dict.fromkeys(self.phases, -100.0)
        self.yellow_s = dict.fromkeys(self.phases, 0.0)
        self.special_s = -100.0

    def look(self, line: dict[str, Any]) -> None:
        s, flashes = line["s"], line["mode"] in SPECIAL
        if flashes:
            self.special_s = s
        lamps = {int(group): lamp for group, lamp in line["lamps"].items()}
        now = {
            n: "red" if flashes else colour(lamps[g] for g in phase["lamp_groups"]) for n, phase in self.phases.items()
        }
        green = [n for n in now if now[n] == "green"]
        self.found += [
            f"{s}: {a} and {b} green" for a in green for b in green if a < b and frozenset((a, b)) in self.conflicts
        ]
        for n in self.phases:
            if self.was[n] != now[n]:
                self._changed(n, now[n], s)
                self.was[n], self.since[n] = now[n], s
            elif now[n] == "red" and s - max(self.since[n], self.special_s) > LONGEST_RED_S:
                self.found.append(f"{s}: {n} red for ever")

    def _changed(self, n: int, now: str, s: float) -> None:
        phase, lasted, is_special = self.phases[n], s - self.since[n], s == self.special_s
        if self.was[n] == "green":
            self.ended[n], self.yellow_s[n] = s, 0.0
            if not is_special and lasted < phase["min_green_s"]:
                self.found.append(f"{s}: {n} green for only {lasted} s")
        elif self.was[n] == "yellow":
            self.yellow_s[n] = lasted
        if now == "green":
            self.found += [
                f"{s}: {n} green {s - self.ended[m]} s after {m}"
                for m in self.phases
                if frozenset((m, n)) in self.conflicts and s - self.ended[m] < self.between.get((m, n), 0.0)
            ]
        least_s = sum(seconds for lamp, seconds in phase["lose"] if lamp in YELLOW)
        if now == "red" and not is_special and self.yellow_s[n] < least_s and self.ended[n] > self.special_s:
            self.found.append(f"{s}: {n} yellow for only {self.yellow_s[n]} s")


def read(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a log; the last may be torn by the end of its process."""
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
