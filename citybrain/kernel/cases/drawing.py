# SPDX-License-Identifier: Apache-2.0
"""Which closed cases are reviewed and by whom: by chance, and yet the same again with the same seed. Pure."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from math import ceil

import msgspec

from citybrain.kernel.errors import Invalid


class Stratum(StrEnum):
    """What a sample is divided by, so that each part has its share."""

    NONE = "none"
    DEPARTMENT = "department"
    CATEGORY = "category"
    CHANNEL = "channel"
    TYPE = "type"


class PlanUnusable(Invalid):
    """A plan by which nothing can be drawn."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to draw from: cases closed from `since` until before `until`.

    Of each stratum a `share` (0.05 is five of a hundred), at least `least` and at most `most`; and all that are badly
    rated, late or reopened where that is asked for.
    """

    seed: str
    since: datetime
    until: datetime
    share: float = 0.05
    least: int = 1
    most: int = 1_000
    by: Stratum = Stratum.DEPARTMENT
    types: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    all_badly_rated: bool = False
    all_late: bool = False
    all_reopened: bool = False
    reviewers: tuple[str, ...] = ()


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A closed case with what a plan looks at; `people` did something with it."""

    id: int
    type: str = ""
    department: str = ""
    category: str = ""
    channel: str = ""
    badly_rated: bool = False
    late: bool | None = False
    reopened: bool = False
    people: tuple[str, ...] = ()


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A case that was drawn; without `reviewer` when all of them had a hand in it."""

    case_id: int
    stratum: str
    reviewer: str | None


def check_plan(plan: Plan) -> None:
    """Refuse `PlanUnusable`."""
    fits = 0 <= plan.share <= 1 and 0 <= plan.least <= plan.most and plan.since < plan.until and plan.seed
    if not fits:
        raise PlanUnusable("kernel.sample_plan_unusable", {})


def draw(plan: Plan, population: Sequence[Candidate]) -> list[Drawn]:
    """The sample, in order of id. It depends on seed and cases alone, not on the order they come in."""
    check_plan(plan)
    strata: dict[str, list[Candidate]] = {}
    for each in population:
        stratum = "" if plan.by is Stratum.NONE else str(getattr(each, plan.by))
        strata.setdefault(stratum, []).append(each)
    chosen: list[tuple[str, Candidate]] = []
    for stratum, members in strata.items():
        ranked = sorted(members, key=lambda each: _lot(plan.seed, f"case/{each.id}"))
        count = min(plan.most, max(plan.least, ceil(plan.share * len(members) - 1e-9)))
        chosen += [(stratum, each) for place, each in enumerate(ranked) if place < count or _is_asked_for(plan, each)]
    chosen.sort(key=lambda pair: pair[1].id)
    reviewers = assign(plan, [each for _, each in chosen])
    return [Drawn(case_id=each.id, stratum=stratum, reviewer=reviewers[each.id]) for stratum, each in chosen]


def _is_asked_for(plan: Plan, each: Candidate) -> bool:
    return bool(
        (plan.all_badly_rated and each.badly_rated)
        or (plan.all_late and each.late)
        or (plan.all_reopened and each.reopened)
    )


def assign(plan: Plan, cases: Sequence[Candidate]) -> Mapping[int, str | None]:
    """Who reviews which case: nobody one they had a hand in, each as few as can be, ties by lot.

    Cases for which few can be found come first.
    """
    load: Counter[str] = Counter()
    free = {each.id: [one for one in plan.reviewers if one not in each.people] for each in cases}
    found: dict[int, str | None] = {}
    for each in sorted(cases, key=lambda case: (len(free[case.id]), _lot(plan.seed, f"turn/{case.id}"))):
        lots = {one: _lot(plan.seed, f"{one}/{each.id}") for one in free[each.id]}
        reviewer = min(lots, key=lambda one: (load[one], lots[one]), default=None)
        if reviewer:
            load[reviewer] += 1
        found[each.id] = reviewer
    return found


def _lot(seed: str, what: str) -> bytes:
    """A lot that everybody draws again who knows the seed."""
    return hashlib.sha256(f"{seed}\0{what}".encode()).digest()
