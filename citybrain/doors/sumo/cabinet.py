# SPDX-License-Identifier: Apache-2.0
"""What the cabinet of a signal knows for ever: its lamps, its shipped plan, the stages in it and the least times."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, permutations

import msgspec

from citybrain.kernel.records import Json

MIN_GREEN_S = 5.0
"""Least green where the shipped plan names none (RESCO, and SUMO's own actuated logic: 5 s)."""

YELLOW_S = 3.0
"""Least yellow: RESCO's 3 s, right for 50 km/h (RiLSA 2015, 2.7); a longer shipped yellow is kept."""

ALL_RED_MAX_S = 5.0
"""A longer gap between yellow and the next green is a stage of its own, not a clearance (RiLSA 2015: 0 to 5 s)."""

GREEN = frozenset("Gg")


class SignalLink(msgspec.Struct, frozen=True, kw_only=True):
    """One way over the junction: from an approach lane to an exit lane, under one lamp (`index`).

    `crosses` are the places in the list of links whose ways cross or meet this one inside the box.
    """

    index: int
    approach: str
    exit: str
    via: str
    crosses: tuple[int, ...] = ()


class PlanPhase(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of the shipped plan, one letter per lamp (SUMO's G g y r s), with its shortest time if it has one."""

    state: str
    duration_s: float
    shortest_s: float = 0.0


class SignalPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The static facts of one signal. `stages` are the distinct green phases; `min_green_s` belongs to them.

    `yellow_s` and `all_red_s` are the plan's usual ones; what is kept is finer: `lamp_yellow_s` is the yellow of each
    lamp, `clearances` the seconds from the end of one lamp's yellow to another one's green, as (ends, begins, seconds)
    for all whose ways cross and that may not be green together. `changes_s[a][b]` is the time from stage a to stage b.
    """

    links: tuple[SignalLink, ...]
    plan: tuple[PlanPhase, ...]
    stages: tuple[str, ...]
    min_green_s: tuple[float, ...]
    yellow_s: float
    all_red_s: float
    lamp_yellow_s: tuple[float, ...] = ()
    clearances: tuple[tuple[int, int, float], ...] = ()
    changes_s: tuple[tuple[float, ...], ...] = ()

    def as_attributes(self) -> dict[str, Json]:
        """The form that travels in the Entity of the signal; clearances of single lamps are the cabinet's own."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if name != "clearances"}


def signal_plan(links: Sequence[SignalLink], plan: Sequence[PlanPhase], *, longer_yellows: bool = True) -> SignalPlan:
    """All that follows from the links and the shipped plan; without `longer_yellows` every yellow is `YELLOW_S`."""
    stages = green_stages(plan)
    yellows_s = [phase.duration_s for phase in plan if is_change(phase.state)] if longer_yellows else []
    usual_s = max(YELLOW_S, min(yellows_s, default=0.0))
    lamp_yellows_s = [_lamp_yellow_s(plan, lamp) for lamp in range(len(plan[0].state))] if longer_yellows else []
    all_red_s = _all_red_s(plan)
    signal = SignalPlan(
        links=tuple(links),
        plan=tuple(plan),
        stages=stages,
        min_green_s=tuple(_min_green_s(stage, plan) for stage in stages),
        yellow_s=usual_s,
        all_red_s=all_red_s,
        lamp_yellow_s=tuple(max(YELLOW_S, one or usual_s) for one in lamp_yellows_s or [YELLOW_S] * len(plan[0].state)),
        clearances=tuple(_clearances(links, plan, all_red_s)),
    )
    changes_s = tuple(tuple(change(signal, was, to).lasts_s for to in stages) for was in stages)
    return msgspec.structs.replace(signal, changes_s=changes_s)


def green_stages(plan: Sequence[PlanPhase]) -> tuple[str, ...]:
    """The distinct phases without yellow in which a lamp turns green, in the order of the plan.

    A phase in which some lamps are merely still green belongs to a change: it is the shipped clearing of the others.
    """
    around = zip([plan[-1], *plan], plan, strict=False)
    return tuple(dict.fromkeys(now.state for was, now in around if _starts(was, now) and not is_change(now.state)))


def _starts(was: PlanPhase, now: PlanPhase) -> bool:
    """A lamp turns green, or from permissive to protected green."""
    return any(
        a in GREEN and (b not in GREEN or (a, b) == ("G", "g")) for b, a in zip(was.state, now.state, strict=True)
    )


def is_change(state: str) -> bool:
    """A phase that shows yellow."""
    return "y" in state.lower()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """From one state to a stage: how long until the stage is green, and when the yellow of each ending lamp begins.

    A lamp ends so late that its own yellow and clearances are just over when the stage begins, as the plan has it.
    """

    lasts_s: float
    ends_at_s: dict[int, float]


def change(signal: SignalPlan, was: str, stage: str) -> Change:
    """How a signal goes over to a stage: each lamp that begins is clear of each that ends and crosses it."""
    clearance_s = {(one, other): gap_s for one, other, gap_s in signal.clearances}
    begins = [lamp for lamp, letter in enumerate(stage) if letter in GREEN and was[lamp] not in GREEN]
    needs_s = {
        lamp: signal.lamp_yellow_s[lamp] + max((clearance_s.get((lamp, other), 0.0) for other in begins), default=0.0)
        for lamp in range(len(was))
        if _ends_in(was[lamp], stage[lamp])
    }
    lasts_s = max(needs_s.values(), default=0.0)
    return Change(lasts_s=lasts_s, ends_at_s={lamp: lasts_s - need_s for lamp, need_s in needs_s.items()})


def _ends_in(was: str, will: str) -> bool:
    """A green ends, or becomes one that gives way; a yellow goes on."""
    return was in "yY" or (was in GREEN and will not in GREEN) or (was, will) == ("G", "g")


def cycle(signal: SignalPlan) -> tuple[tuple[int, float], ...]:
    """The shipped plan as (stage, seconds of green) in its order; phases that follow each other unchanged are one."""
    found: list[tuple[int, float]] = []
    for phase in signal.plan:
        if phase.state not in signal.stages:
            continue
        stage = signal.stages.index(phase.state)
        if found and found[-1][0] == stage:
            found[-1] = (stage, found[-1][1] + phase.duration_s)
        else:
            found.append((stage, phase.duration_s))
    return tuple(found)


class Conflicts:
    """Which lamps may be green together: exactly those the shipped plan shows green together, in that priority."""

    def __init__(self, plan: Sequence[PlanPhase]) -> None:
        lamps = range(len(plan[0].state))
        self._letters = {
            (one, other): {(phase.state[one], phase.state[other]) for phase in plan} for one in lamps for other in lamps
        }

    def first(self, state: str) -> tuple[int, int] | None:
        """The first two lamps of `state` that may not show what they show at once; None when all may."""
        green = [lamp for lamp, letter in enumerate(state) if letter in GREEN]
        return next(((a, b) for a in green for b in green if a < b and not self.allows(state, a, b)), None)

    def allows(self, state: str, one: int, other: int) -> bool:
        """Both green was shipped with the same or higher priority for each: `g` yields, so it may replace a `G`."""
        shown = (state[one], state[other])
        return any(
            all(was == "G" or (was == "g" and now == "g") for now, was in zip(shown, shipped, strict=True))
            for shipped in self._letters[one, other]
        )


def _min_green_s(stage: str, plan: Sequence[PlanPhase]) -> float:
    """A shortest time that equals the duration is only SUMO's way of saying that none was given."""
    given = [p.shortest_s for p in plan if p.state == stage and 0 < p.shortest_s < p.duration_s]
    return max([MIN_GREEN_S, *given])


def _all_red_s(plan: Sequence[PlanPhase]) -> float:
    """The longest time of the plan from the end of a yellow to the next start of any green."""
    around = [plan[-1], *plan]
    ends = [at for at, (was, now) in enumerate(pairwise(around)) if is_change(was.state) and not is_change(now.state)]
    return max((_dead_s(plan, at) for at in ends), default=0.0)


def _dead_s(plan: Sequence[PlanPhase], at: int) -> float:
    waited_s = 0.0
    for step in range(len(plan)):
        now, before = plan[(at + step) % len(plan)], plan[(at + step - 1) % len(plan)]
        if any(a in GREEN and b not in GREEN for a, b in zip(now.state, before.state, strict=True)):
            return waited_s if waited_s <= ALL_RED_MAX_S else 0.0
        waited_s += now.duration_s
    return 0.0


def _lamp_yellow_s(plan: Sequence[PlanPhase], lamp: int) -> float | None:
    """The shortest yellow the plan gives this lamp; None where it gives none."""
    spells = _spells(plan, lamp, "yY")
    return min((lasts_s for _, lasts_s in spells), default=None)


def _crossing(links: Sequence[SignalLink], lamps: Iterable[int]) -> set[tuple[int, int]]:
    """Lamps over whose ways vehicles meet; one of which no way or no crossing is known may meet all."""
    known = {link.index for link in links if link.crosses}
    met = {(one.index, links[at].index) for one in links for at in one.crosses}
    return {(a, b) for a, b in permutations(lamps, 2) if {(a, b), (b, a)} & met or not {a, b} <= known}


def _clearances(
    links: Sequence[SignalLink], plan: Sequence[PlanPhase], usual_s: float
) -> Iterator[tuple[int, int, float]]:
    """For lamps that cross and are never green together: the time the plan leaves between them, or the usual one."""
    lamps = range(len(plan[0].state))
    cycle_s = sum(phase.duration_s for phase in plan)
    begins_s = [[at_s for at_s, _ in _spells(plan, lamp, "Gg")] for lamp in lamps]
    ends_s = [[at_s + lasts_s for at_s, lasts_s in _spells(plan, lamp, "GgyY")] for lamp in lamps]
    together = {(a, b) for a in lamps for b in lamps if any(p.state[a] in GREEN and p.state[b] in GREEN for p in plan)}
    found = {}
    for one, other in sorted(_crossing(links, lamps) - together):
        gaps_s = [(begin_s - end_s) % cycle_s for end_s in ends_s[one] for begin_s in begins_s[other]]
        found[one, other] = min((gap_s for gap_s in gaps_s if gap_s <= ALL_RED_MAX_S), default=None)
    for (one, other), gap_s in found.items():
        back_s = found[other, one]
        yield one, other, gap_s if gap_s is not None else back_s if back_s is not None else usual_s


def _spells(plan: Sequence[PlanPhase], lamp: int, letters: str) -> list[tuple[float, float]]:
    """When a lamp shows one of these letters, as (begins, lasts) in seconds of the cycle, which has no end."""
    found: list[tuple[float, float]] = []
    at_s = 0.0
    was = False
    for phase in plan:
        if phase.state[lamp] in letters:
            begins_s, lasts_s = found.pop() if was else (at_s, 0.0)
            found.append((begins_s, lasts_s + phase.duration_s))
        was = phase.state[lamp] in letters
        at_s += phase.duration_s
    if len(found) > 1 and was and plan[0].state[lamp] in letters:
        begins_s, lasts_s = found.pop()
        found[0] = (begins_s, lasts_s + found[0][1])
    return found
