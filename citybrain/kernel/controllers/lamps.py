# SPDX-License-Identifier: Apache-2.0
"""From the phases of a controller to the lamps of its signal. Pure."""

from collections.abc import Collection, Iterable, Sequence, Set

Yields = Collection[tuple[int, int]]
"""(lamp, stage): the lamp is green there and gives way, which no controller's table tells."""

NO_LAMP = "-"

GREENS = frozenset("Gg")


def stage_letters(phases_of: Sequence[Set[int]], stages: Iterable[Iterable[int]], yields: Yields) -> tuple[str, ...]:
    """Each stage with one letter per lamp; `phases_of[lamp]` are the phases that make it green, empty where none is."""
    return tuple(
        "".join(
            NO_LAMP if not phases else "r" if not phases & shown else "g" if (lamp, number) in yields else "G"
            for lamp, phases in enumerate(phases_of)
        )
        for number, shown in enumerate(frozenset(stage) for stage in stages)
    )


def softened(letters: str, stage: int | None, yields: Yields) -> str:
    """What is shown, with g where a green gives way; during a change wherever it does in any stage."""
    soft = {lamp for lamp, number in yields if stage is None or number == stage}
    return "".join("g" if letter == "G" and lamp in soft else letter for lamp, letter in enumerate(letters))


def conflicting(phases_of: Sequence[Set[int]], pairs: Collection[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Pairs of lamps no phases of which may be green together; `pairs` of phases are both ways round."""
    lamps = [(lamp, phases) for lamp, phases in enumerate(phases_of) if phases]
    return tuple(
        (one, other)
        for one, mine in lamps
        for other, theirs in lamps
        if one < other and all(a != b and (a, b) in pairs for a in mine for b in theirs)
    )


def letters(
    highest: int, used: Set[int], *, green: Set[int] = frozenset(), yellow: Set[int] = frozenset(), lit: str = ""
) -> str:
    """One letter per number from 1 to `highest`: G, y, r, - where there is none; all `lit` where that is said."""
    return "".join(
        NO_LAMP if n not in used else lit or ("G" if n in green else "y" if n in yellow else "r")
        for n in range(1, highest + 1)
    )


def groups_of(stages: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Lamps that show the same in every stage are driven as one: the group of each lamp from 1 (0: never green), and
    the letters of each group by stage."""
    shown = ["".join(stage[lamp] for stage in stages) for lamp in range(len(stages[0]))]
    groups = tuple(dict.fromkeys(each for each in shown if set(each) & GREENS))
    return tuple(groups.index(each) + 1 if each in groups else 0 for each in shown), groups


def yields_of(stages: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """(lamp, stage) of every green that gives way."""
    return tuple((lamp, at) for at, stage in enumerate(stages) for lamp, letter in enumerate(stage) if letter == "g")
