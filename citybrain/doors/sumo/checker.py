# SPDX-License-Identifier: Apache-2.0
"""The independent checker: every lamp state of a run against the shipped program and SUMO's own conflicts.

It shares nothing with the cabinet and its guard but the reading of the net, so that neither hides the other's faults.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby

import msgspec

from citybrain.doors.sumo.cabinet import PlanPhase, SignalLink
from citybrain.kernel.records import Facts

LEAST_GREEN_S = 5.0
"""Least green where the plan states none (SUMO's and RESCO's 5 s), or the plan's own shortest where it is shorter."""

RESCO_YELLOW_S = 3.0

DIRECT_S = 5.0
"""Dark times of the plan up to so long are clearances, longer ones stages of their own (RiLSA 2015: 0 to 5 s)."""

STUCK_RED_S = 300.0
"""A lamp that stays red for so long, or for two shipped cycles, while someone stands at its stop line, is stuck."""

LOOK_EVERY_S = 10.0
LOOK_AFTER_S = 60.0
"""Stop lines are looked at every 10 s, under lamps that are red for a minute."""

FACTS_KEPT = 5

GREEN, YELLOW, RED = "G", "y", "r"
FLASHING = "o"
KIND = {"G": GREEN, "g": GREEN, "y": YELLOW, "Y": YELLOW, "o": FLASHING, "O": FLASHING}
"""Lamps that flash or are dark, as of a cabinet whose controller is gone, are under no rule of this file."""
RANK = {"g": 1, "G": 2}
TURN_ON_RED = "s"

Pair = tuple[int, int]


class Rule(StrEnum):
    """What may never happen."""

    CONFLICT = "conflicting_greens"
    YELLOW = "yellow_too_short"
    CLEARANCE = "clearance_too_short"
    GREEN = "green_too_short"
    STUCK = "red_is_stuck"


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One breach of a rule: what lasted `lasted_s` where `needed_s` is needed. A conflict has neither."""

    rule: Rule
    signal: str
    at_s: float
    lamps: tuple[int, ...]
    lasted_s: float = 0.0
    needed_s: float = 0.0


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """One colour of one lamp in the shipped cycle."""

    kind: str
    begins_s: float
    lasts_s: float


class Rules:
    """What follows for one signal from its shipped phases and the ways that SUMO calls foes."""

    def __init__(self, phases: Sequence[PlanPhase], links: Sequence[SignalLink], *, longer_yellows: bool) -> None:
        self.cycle_s = sum(phase.duration_s for phase in phases)
        spells = [_spells(lamp, phases) for lamp in range(len(phases[0].state))]
        self.foes = _foes(links)
        self._shown = {pair: {(phase.state[pair[0]], phase.state[pair[1]]) for phase in phases} for pair in self.foes}
        self.yellow_s = [_yellow_s(each, longer_yellows) for each in spells]
        self.green_s = [min([LEAST_GREEN_S, *(one.lasts_s for one in each if one.kind == GREEN)]) for each in spells]
        self.stage_s = _stage_s(phases)
        self.clearance_s = self._clearances(spells)
        self.lanes = _lanes(links, spells)

    def may_be_green(self, one: str, other: str, pair: Pair) -> bool:
        """The plan shows the two together, each in the same or a higher priority; a yellow counts where it shows it."""
        return any(_at_most(one, a) and _at_most(other, b) for a, b in self._shown[pair])

    def exclude(self, pair: Pair) -> bool:
        """The plan never shows both green."""
        return not any(a in RANK and b in RANK for a, b in self._shown[pair])

    def _clearances(self, spells: Sequence[Sequence[Spell]]) -> dict[Pair, float]:
        """From the end of one lamp's yellow to its foe's green, as the plan does it when one follows the other.

        Where it never does, what it does the other way round; else the least of all its clearances.
        """
        direct = {}
        for one, other in [way for a, b in self.foes if self.exclude((a, b)) for way in ((a, b), (b, a))]:
            gaps_s = [
                (after.begins_s - before.begins_s - before.lasts_s) % self.cycle_s
                for before in _ends(spells[one])
                for after in spells[other]
                if after.kind == GREEN
            ]
            short_s = [gap_s for gap_s in gaps_s if gap_s <= DIRECT_S]
            if short_s:
                direct[one, other] = min(short_s)
        least_s = min(direct.values(), default=0.0)
        excluded = [way for a, b in self.foes if self.exclude((a, b)) for way in ((a, b), (b, a))]
        return {(a, b): direct.get((a, b), direct.get((b, a), least_s)) for a, b in excluded}


class Lamps:
    """What one signal showed so far."""

    def __init__(self, signal: str, rules: Rules) -> None:
        self.signal = signal
        self.rules = rules
        self.state = ""
        self._since_s: float | None = None
        self._changed_s: list[float | None] = []
        self._letter: list[str] = []
        self._ended_s: list[float | None] = []
        self._fine: set[tuple[str, ...]] = set()
        self._foes_of: dict[int, list[int]] = defaultdict(list)
        for one, other in rules.clearance_s:
            self._foes_of[other].append(one)

    def see(self, state: str, now_s: float) -> list[Violation]:
        """A new state: what it breaks."""
        found: list[Violation] = []
        if not self.state:
            self._changed_s = [None] * len(state)
            self._ended_s = [None] * len(state)
            self._letter = [letter if letter in RANK else "" for letter in state]
        else:
            changed = [lamp for lamp in range(len(state)) if _kind(state[lamp]) != _kind(self.state[lamp])]
            found += self._stage_left(state, now_s)
            found += [each for lamp in changed for each in self._lamp_changed(lamp, state, now_s)]
            for lamp in changed:
                self._changed_s[lamp] = now_s
                if _kind(state[lamp]) == RED:
                    self._ended_s[lamp] = now_s
            found += [each for lamp in changed if state[lamp] in RANK for each in self._too_early(lamp, state, now_s)]
            self._since_s = now_s
        self._letter = [new if new in RANK else was for new, was in zip(state, self._letter, strict=True)]
        self.state = state
        return found + self._conflicts(state, now_s)

    def red_s(self, lamp: int, now_s: float) -> float:
        """How long a lamp has been red, at least; 0 where it is not, or where one may turn on red."""
        if _kind(self.state[lamp]) != RED or self.state[lamp] == TURN_ON_RED:
            return 0.0
        return now_s - (self._changed_s[lamp] or 0.0)

    def _stage_left(self, state: str, now_s: float) -> list[Violation]:
        needed_s = self.rules.stage_s.get(self.state, 0.0)
        lost = tuple(
            lamp
            for lamp, (was, now) in enumerate(zip(self.state, state, strict=True))
            if was in RANK and now not in RANK and _kind(now) != FLASHING
        )
        if self._since_s is None or not lost or now_s - self._since_s >= int(needed_s):
            return []
        return [self._broken(Rule.GREEN, now_s, lost, now_s - self._since_s, needed_s)]

    def _lamp_changed(self, lamp: int, state: str, now_s: float) -> list[Violation]:
        """The end of a green or of a yellow."""
        was, now = _kind(self.state[lamp]), _kind(state[lamp])
        if now == FLASHING:
            return []
        since_s = self._changed_s[lamp]
        lasted_s = now_s - since_s if since_s is not None else None
        yellow_s, green_s = self.rules.yellow_s[lamp], self.rules.green_s[lamp]
        found = []
        if was == GREEN and lasted_s is not None and lasted_s < int(green_s):
            found.append(self._broken(Rule.GREEN, now_s, (lamp,), lasted_s, green_s))
        if was == GREEN and now == RED and yellow_s > 0.0:
            found.append(self._broken(Rule.YELLOW, now_s, (lamp,), 0.0, yellow_s))
        if was == YELLOW and now == RED and lasted_s is not None and lasted_s < int(yellow_s):
            found.append(self._broken(Rule.YELLOW, now_s, (lamp,), lasted_s, yellow_s))
        return found

    def _too_early(self, lamp: int, state: str, now_s: float) -> list[Violation]:
        """A lamp turned green although a foe ended less than the clearance before."""
        found = []
        for foe in self._foes_of[lamp]:
            ended_s = self._ended_s[foe]
            needed_s = self.rules.clearance_s[foe, lamp]
            if _kind(state[foe]) == RED and ended_s is not None and now_s - ended_s < int(needed_s):
                found.append(self._broken(Rule.CLEARANCE, now_s, (foe, lamp), now_s - ended_s, needed_s))
        return found

    def _conflicts(self, state: str, now_s: float) -> list[Violation]:
        """Foes that go together, a yellow one as the green it was, though the plan never shows that."""
        going = tuple(was if _kind(now) == YELLOW else now for now, was in zip(state, self._letter, strict=True))
        if (state, *going) in self._fine:
            return []
        bad = [
            pair
            for pair in self.rules.foes
            if going[pair[0]] in RANK
            and going[pair[1]] in RANK
            and (state[pair[0]] in RANK or state[pair[1]] in RANK)
            and not self.rules.may_be_green(going[pair[0]], going[pair[1]], pair)
            and not self.rules.may_be_green(state[pair[0]], state[pair[1]], pair)
        ]
        if not bad:
            self._fine.add((state, *going))
        return [self._broken(Rule.CONFLICT, now_s, pair, 0.0, 0.0) for pair in bad]

    def _broken(self, rule: Rule, at_s: float, lamps: tuple[int, ...], lasted_s: float, needed_s: float) -> Violation:
        return Violation(rule=rule, signal=self.signal, at_s=at_s, lamps=lamps, lasted_s=lasted_s, needed_s=needed_s)


class Checker:
    """All signals of a run. `at_line(lane, lamp)` tells whether somebody stands at a stop line and wants this lamp.

    A signal that somebody ordered to be stopped (`is_stopped`) may be red for longer; all other rules hold for it.
    """

    def __init__(
        self,
        rules: Mapping[str, Rules],
        shows: Callable[[str], str],
        at_line: Callable[[str, str, int], bool],
        is_stopped: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._lamps = [Lamps(signal, each) for signal, each in rules.items()]
        self._shows = shows
        self._at_line = at_line
        self._is_stopped = is_stopped
        self._waiting_since_s: dict[tuple[str, int], float] = {}
        self._looked_s = 0.0
        self.count = 0
        self.first: list[Violation] = []

    def look(self, now_s: float) -> None:
        """Once per second: only signals that changed cost more than a comparison."""
        for lamps in self._lamps:
            state = self._shows(lamps.signal)
            if state != lamps.state:
                self._note(lamps.see(state, now_s))
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            for lamps in self._lamps:
                self._look_at_lines(lamps, now_s)

    def figures(self) -> Facts:
        """How many violations, and the first few."""
        return {"violations": self.count, "first_violations": msgspec.to_builtins(self.first)}

    def _note(self, found: Sequence[Violation]) -> None:
        self.count += len(found)
        self.first += found[: FACTS_KEPT - len(self.first)]

    def _look_at_lines(self, lamps: Lamps, now_s: float) -> None:
        limit_s = max(STUCK_RED_S, 2 * lamps.rules.cycle_s)
        stopped = self._is_stopped(lamps.signal)
        for lamp, lanes in lamps.rules.lanes.items():
            key = (lamps.signal, lamp)
            red_s = lamps.red_s(lamp, now_s)
            if red_s < LOOK_AFTER_S or stopped or not any(self._at_line(lane, lamps.signal, lamp) for lane in lanes):
                self._waiting_since_s.pop(key, None)
                continue
            stuck_s = now_s - self._waiting_since_s.setdefault(key, now_s)
            # One violation when the limit is passed, not one each time it is looked at.
            if limit_s <= stuck_s < limit_s + LOOK_EVERY_S:
                found = Violation(
                    rule=Rule.STUCK, signal=lamps.signal, at_s=now_s, lamps=(lamp,), lasted_s=stuck_s, needed_s=limit_s
                )
                self._note([found])


def _kind(letter: str) -> str:
    return KIND.get(letter, RED)


def _at_most(letter: str, shipped: str) -> bool:
    """Shown as shipped, or as a green that yields where the plan has one that need not."""
    return letter == shipped or 0 < RANK.get(letter, 0) <= RANK.get(shipped, 0)


def _spells(lamp: int, phases: Sequence[PlanPhase]) -> list[Spell]:
    """The colours of one lamp around the cycle; what goes on over its end is one spell."""
    found: list[Spell] = []
    at_s = 0.0
    for kind, same in groupby(phases, key=lambda phase: _kind(phase.state[lamp])):
        lasts_s = sum(phase.duration_s for phase in same)
        found.append(Spell(kind=kind, begins_s=at_s, lasts_s=lasts_s))
        at_s += lasts_s
    if len(found) > 1 and found[0].kind == found[-1].kind:
        first, last = found[0], found.pop()
        found[0] = Spell(kind=last.kind, begins_s=last.begins_s, lasts_s=last.lasts_s + first.lasts_s)
    return found


def _ends(spells: Sequence[Spell]) -> list[Spell]:
    """The spells after which the lamp is red."""
    return [
        one
        for at, one in enumerate(spells)
        if one.kind != RED and len(spells) > 1 and spells[(at + 1) % len(spells)].kind == RED
    ]


def _yellow_s(spells: Sequence[Spell], longer_yellows: bool) -> float:
    """The plan's shortest yellow of a lamp; none where the plan itself ends a green without one."""
    ends = _ends(spells)
    if not ends or any(one.kind == GREEN for one in ends):
        return 0.0
    least_s = min(one.lasts_s for one in ends)
    return least_s if longer_yellows else min(least_s, RESCO_YELLOW_S)


def _stage_s(phases: Sequence[PlanPhase]) -> dict[str, float]:
    """Least times that the plan states for a green phase; one that equals the duration states nothing in SUMO."""
    found: dict[str, float] = {}
    for phase in phases:
        stated = 0.0 < phase.shortest_s < phase.duration_s and not any(_kind(each) == YELLOW for each in phase.state)
        if stated:
            found[phase.state] = max(found.get(phase.state, 0.0), phase.shortest_s)
    return found


def _foes(links: Sequence[SignalLink]) -> tuple[Pair, ...]:
    """Pairs of lamps over whose ways vehicles would meet."""
    pairs = {
        (min(one.index, links[at].index), max(one.index, links[at].index))
        for one in links
        for at in one.crosses
        if one.index != links[at].index
    }
    return tuple(sorted(pairs))


def _lanes(links: Sequence[SignalLink], spells: Sequence[Sequence[Spell]]) -> dict[int, tuple[str, ...]]:
    """The approach lanes of the lamps that the plan ever turns green."""
    found: dict[int, list[str]] = defaultdict(list)
    for link in links:
        if any(one.kind == GREEN for one in spells[link.index]) and link.approach not in found[link.index]:
            found[link.index].append(link.approach)
    return {lamp: tuple(lanes) for lamp, lanes in found.items()}
