# SPDX-License-Identifier: Apache-2.0
"""Who is sent where: one task by rank, several together so that all arrive soonest, and when to send another. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf, isfinite

import msgspec

from citybrain.apps.operations.choice.teams import Team
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.routing import START_S, Roads

LOAD_S = 300.0
"""A task that a team has already counts as so many seconds on the road: an assumption, about half of what a tow or a
patrol needs on site, so that nobody gets everything because they stand in the middle. A city may measure its own."""

BETTER_SHARE = 0.2
BETTER_S = 120.0
"""Who is under way is only replaced by somebody who is there by a fifth and by two minutes sooner: times of roads
change by less than that from minute to minute, and a crew that is called off and sent again trusts nobody. An
assumption."""

WITHIN_S = 7_200.0
"""Nobody farther than two hours is near."""

ARRIVED_M = 60.0
"""A team on the road of its task, or so near to it, has arrived."""

WITH_RIGHTS = frozenset({"police", "traffic_police", "ambulance", "fire", "hazmat", "water_rescue"})
"""Who may drive with special rights: their time is that of an emergency vehicle."""

Costs = Callable[[str], float]


class NobodyHasSkill(NotFound):
    """The pool knows nobody for such work."""


class NobodyFree(Conflict):
    """All who could do it are off duty or have as much as they can."""


class NobodyReaches(Conflict):
    """No way leads from those who could do it to the place."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Work at a place: `what` skill, on which roads, and how many teams."""

    id: str
    what: str
    roads: tuple[str, ...]
    number: int = 1


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A team for a task: `eta_s` on the road as it is now, `score_s` what it is ranked by (less is better)."""

    team: str
    task: str
    eta_s: float
    load: int
    score_s: float


def candidates(task: Task, teams: Iterable[Team], roads: Roads, cost_s: Costs) -> list[Candidate]:
    """Who could do a task, the best first. Refuses when there is nobody, nobody free, or nobody who gets there."""
    skilled = [team for team in teams if task.what in team.skills]
    if not skilled:
        raise NobodyHasSkill("operations.nobody_has_skill", {"what": task.what})
    free = [team for team in skilled if team.can_go]
    if not free:
        raise NobodyFree("operations.nobody_free", {"what": task.what, "all": len(skilled)})
    found = [each for each in scored(task, free, roads, cost_s) if isfinite(each.eta_s)]
    if not found:
        raise NobodyReaches("operations.nobody_reaches", {"what": task.what, "free": len(free)})
    return sorted(found, key=lambda each: (each.score_s, each.team))


def scored(task: Task, teams: Sequence[Team], roads: Roads, cost_s: Costs) -> list[Candidate]:
    """Each team with its time to the task; infinite where no way leads there. One search for all teams."""
    reached: dict[str, float] = {}
    for road in task.roads:
        for start, time_s in roads.reached(road, cost_s, within_s=WITHIN_S).items() if road in roads else ():
            reached[start] = min(time_s, reached.get(start, inf))
    times = {team.id: reached.get(team.road or "", inf) + START_S for team in teams}
    return [
        Candidate(
            team=team.id,
            task=task.id,
            eta_s=times[team.id],
            load=team.load,
            score_s=times[team.id] + LOAD_S * team.load,
        )
        for team in teams
    ]


def assign(tasks: Sequence[Task], found: Mapping[str, Sequence[Candidate]]) -> list[Candidate]:
    """As many tasks as possible, each team at most once, so that the sum of the scores is least.

    `found` are the candidates by task. The assignment problem, solved exactly (Kuhn 1955; scipy's shortest augmenting
    paths). A task that needs several teams stands there several times.
    """
    # Loading it takes half a second, which a city without a dispatch need not wait.
    from scipy.optimize import linear_sum_assignment

    rows = [task.id for task in tasks for _ in range(task.number)]
    by_pair = {(each.task, each.team): each for some in found.values() for each in some if isfinite(each.score_s)}
    columns = sorted({team for _, team in by_pair})
    if not rows or not columns:
        return []
    # A pair that cannot be costs more than all others together, so that as few of them as possible are chosen.
    never = 1.0 + sum(each.score_s for each in by_pair.values())
    costs = [[by_pair[row, team].score_s if (row, team) in by_pair else never for team in columns] for row in rows]
    chosen = zip(*linear_sum_assignment(costs), strict=True)
    pairs = [(rows[row], columns[column]) for row, column in chosen]
    return [by_pair[pair] for pair in pairs if pair in by_pair]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A task is given to somebody else: `sooner_s` earlier."""

    task: str
    before: str
    after: Candidate
    sooner_s: float


def better(under_way: Sequence[Candidate], free: Mapping[str, Sequence[Candidate]]) -> list[Change]:
    """Whom to replace: `under_way` as they stand now, `free` others by task. The greatest gain goes first, each team is
    taken once, and only gains by both margins count."""
    gains = [
        Change(task=now.task, before=now.team, after=other, sooner_s=now.eta_s - other.eta_s)
        for now in under_way
        for other in free.get(now.task, ())
        if other.team != now.team and _is_better(now, other)
    ]
    taken: set[str] = {now.team for now in under_way}
    changed: dict[str, Change] = {}
    for gain in sorted(gains, key=lambda each: (-each.sooner_s, each.task, each.after.team)):
        key = f"{gain.task} {gain.before}"
        if gain.after.team not in taken and key not in changed:
            changed[key] = gain
            taken.add(gain.after.team)
    return list(changed.values())


def _is_better(now: Candidate, other: Candidate) -> bool:
    least_s = max(BETTER_S, BETTER_SHARE * now.score_s if isfinite(now.score_s) else BETTER_S)
    return now.score_s - other.score_s >= least_s and now.eta_s - other.eta_s >= BETTER_S


def has_arrived(team: Team, task: Task, distance_m: float | None) -> bool:
    """Whether a team is where it was sent: on the road of its task, or near the place where both places are known."""
    if distance_m is not None:
        return distance_m <= ARRIVED_M
    return team.road is not None and team.road in task.roads
