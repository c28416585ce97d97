# SPDX-License-Identifier: Apache-2.0
"""CityFlow's phases as the plan of a signal: who may go at once, who yields, and what clears the junction between."""

from collections.abc import Callable, Sequence

import msgspec

from citybrain.doors.sumo.importing.roadnet import Phase

YELLOW_S = 3.0
"""Of a clearance: RiLSA 2015, 2.7, at 50 km/h. The rest of it is red for all."""

CLEARANCE_S = 5.0
"""Where a file has none: 5 s between phases, as the CityFlow literature runs these signals (yellow 5 s)."""

LONGEST_CLEARANCE_S = 10.0
"""A longer phase in which only the always free turns go is one of the plan."""

Turns = frozenset[int]
Yields = Callable[[int, int], bool]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of the made plan: its lamps and its seconds."""

    state: str
    duration_s: float


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A green phase of the file, and the clearance that the file shows after it before the next one."""

    turns: Turns
    green_s: float
    clearance_s: float


def stages(phases: Sequence[Phase]) -> list[Stage]:
    """The green phases in their order.

    A phase of at most `LONGEST_CLEARANCE_S` in which nobody goes but turns that are free in all phases is a clearance.
    Files of this family have it once, as the first phase, and their controllers show it between any two; so does the
    plan: where the file has none between two phases that differ, there comes its own one, or `CLEARANCE_S`.
    """
    shown = [(frozenset(phase.available_road_links), phase.time) for phase in phases if phase.time > 0]
    if not shown:
        return []
    free = frozenset.intersection(*(turns for turns, _ in shown))
    clears = [turns <= free and time <= LONGEST_CLEARANCE_S for turns, time in shown]
    greens = [at for at, clearing in enumerate(clears) if not clearing]
    usual_s = next((time for (_, time), clearing in zip(shown, clears, strict=True) if clearing), CLEARANCE_S)
    found = []
    for number, at in enumerate(greens):
        until = greens[(number + 1) % len(greens)]
        between = range(at + 1, until if until > at else until + len(shown))
        cleared_s = sum(shown[step % len(shown)][1] for step in between)
        found.append(Stage(turns=shown[at][0], green_s=shown[at][1], clearance_s=cleared_s or usual_s))
    return found


def plan(cycle: Sequence[Stage], lamps: int, yields: Yields) -> list[Shown]:
    """The lamps of the whole cycle. `yields(a, b)` is whether turn a gives way to turn b when both may go."""
    shown: list[Shown] = []
    for at, stage in enumerate(cycle):
        following = cycle[(at + 1) % len(cycle)]
        shown.append(Shown(state=_letters(stage.turns, lamps, yields), duration_s=stage.green_s))
        ending = stage.turns - following.turns
        if not ending:
            continue
        yellow_s = min(YELLOW_S, stage.clearance_s)
        going = _letters(stage.turns & following.turns, lamps, yields)
        yellow = "".join("y" if lamp in ending else letter for lamp, letter in enumerate(going))
        shown.append(Shown(state=yellow, duration_s=yellow_s))
        if stage.clearance_s > yellow_s:
            shown.append(Shown(state=going, duration_s=stage.clearance_s - yellow_s))
    return shown


def _letters(turns: Turns, lamps: int, yields: Yields) -> str:
    return "".join(_letter(lamp, turns, yields) for lamp in range(lamps))


def _letter(lamp: int, turns: Turns, yields: Yields) -> str:
    if lamp not in turns:
        return "r"
    return "g" if any(yields(lamp, other) for other in turns if other != lamp) else "G"
