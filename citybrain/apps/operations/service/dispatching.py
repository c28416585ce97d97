# SPDX-License-Identifier: Apache-2.0
"""Who is sent, of the teams that the pool knows and on the roads as they are now; where they are by now."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite

import msgspec

from citybrain.apps.operations.choice import sending
from citybrain.apps.operations.choice.sending import WITH_RIGHTS, Candidate, Costs, Task
from citybrain.apps.operations.choice.teams import TYPES, Team, teams
from citybrain.kernel.clock import monotonic_s
from citybrain.kernel.errors import NotFound, Refusal
from citybrain.kernel.geo import distance_m
from citybrain.kernel.records import Entity, Event, Json, Text
from citybrain.kernel.routing import LANE, ROAD, SPEED, Roads, Times, roads_of
from citybrain.kernel.store import Store

READ_AGAIN_S = 60.0
"""Streets change seldom; when they do, so much later is soon enough."""

LATE_BY = timedelta(minutes=2)
"""So much after the time that was told a team is late."""


class NoPlace(NotFound):
    """Nobody knows where this is, so nobody can be near it."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A team that was sent somewhere; `due_at` is when it was expected there (city time)."""

    team: str
    what: str
    entity_id: str
    due_at: datetime | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """So many teams with a skill at an entity."""

    what: str
    entity_id: str
    number: int = 1


class Standing(StrEnum):
    """Where somebody who was sent stands."""

    UNDER_WAY = "under_way"
    ARRIVED = "arrived"
    LATE = "late"
    LOST = "lost"


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """A team that could go, or goes, with the time it needs and when it would be there (city time)."""

    team: str
    name: Text
    what: str
    entity_id: str
    eta_s: float
    eta_at: datetime
    load: int
    score_s: float


class Replacing(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else who would be there sooner by more than the margins."""

    team: str
    eta_s: float
    sooner_s: float


class Whereabouts(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody who was sent is, and who had better go instead."""

    team: str
    state: Standing
    eta_s: float | None
    distance_m: float | None
    instead: Replacing | None = None


class Dispatching:
    """The teams and roads of one city. Reads the pool only; orders are given by whoever asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_s = -READ_AGAIN_S
        self._streets: Sequence[Entity] = ()
        self._roads = Roads(())

    def ranked(self, what: str, entity_id: str) -> list[Candidate]:
        """Who could do something at an entity, the best first. Refuses when there is nobody, or no place."""
        task = self._task(Wanted(what=what, entity_id=entity_id))
        return sending.candidates(task, self._teams(), self._roads, self._cost(what))

    def together(self, wanted: Sequence[Wanted]) -> list[Candidate]:
        """Who does what, when several are needed at once; what nobody can do is left out. One that nobody at all can
        do is refused."""
        everybody = self._teams()
        tasks = [msgspec.structs.replace(self._task(each), id=str(at)) for at, each in enumerate(wanted)]
        found: dict[str, list[Candidate]] = {}
        refused: Refusal | None = None
        for task in tasks:
            try:
                found[task.id] = sending.candidates(task, everybody, self._roads, self._cost(task.what))
            except Refusal as refusal:
                refused = refusal
        if refused is not None and not found:
            raise refused
        return sending.assign(tasks, found)

    def nearest(self, what: str, event: Event) -> str | None:
        """Who is best sent to an event; None when nobody is known."""
        try:
            return self.ranked(what, event.entity_id)[0].team
        except Refusal:
            return None

    def whereabouts(self, sent: Sequence[Sent], now: datetime) -> list[Whereabouts]:
        """Where those who were sent are, and who had better go instead, by the margins of `sending`."""
        everybody = {team.id: team for team in self._teams()}
        tasks = {each.team: self._task(Wanted(what=each.what, entity_id=each.entity_id), id=each.team) for each in sent}
        under_way = {each.team: self._now(everybody.get(each.team), tasks[each.team]) for each in sent}
        busy = {each.team for each in sent}
        free = [team for team in everybody.values() if team.can_go and team.id not in busy]
        others = {
            task.id: sending.scored(
                task, [team for team in free if task.what in team.skills], self._roads, self._cost(task.what)
            )
            for task in tasks.values()
        }
        gone = [each for each in under_way.values() if each is not None]
        changes = {change.before: change for change in sending.better(gone, others)}
        found = []
        for each in sent:
            where = self._where(each, everybody.get(each.team), tasks[each.team], under_way[each.team], now)
            change = changes.get(each.team)
            if change is not None and where.state is not Standing.ARRIVED:
                other = change.after
                instead = Replacing(team=other.team, eta_s=other.eta_s, sooner_s=change.sooner_s)
                where = msgspec.structs.replace(where, instead=instead)
            found.append(where)
        return found

    def view(self, candidate: Candidate, wanted: Wanted, now: datetime) -> CandidateView:
        """A candidate as people see it."""
        entity = self._store.pool.entity(candidate.team)
        return CandidateView(
            team=candidate.team,
            name=entity.name if entity else {},
            what=wanted.what,
            entity_id=wanted.entity_id,
            eta_s=candidate.eta_s,
            eta_at=now + timedelta(seconds=candidate.eta_s),
            load=candidate.load,
            score_s=candidate.score_s,
        )

    def _where(self, sent: Sent, team: Team | None, task: Task, on_way: Candidate | None, now: datetime) -> Whereabouts:
        distance_m = self._distance_m(team, sent.entity_id)
        eta_s = on_way.eta_s if on_way is not None and isfinite(on_way.eta_s) else None
        if team is None:
            state = Standing.LOST
        elif sending.has_arrived(team, task, distance_m):
            state = Standing.ARRIVED
        elif sent.due_at is not None and now > sent.due_at + LATE_BY:
            state = Standing.LATE
        else:
            state = Standing.UNDER_WAY
        return Whereabouts(team=sent.team, state=state, eta_s=eta_s, distance_m=distance_m)

    def _now(self, team: Team | None, task: Task) -> Candidate | None:
        """A team that is under way, from where it is now; its task is no load for itself."""
        if team is None:
            return None
        self_ = msgspec.structs.replace(team, load=max(team.load - 1, 0))
        return sending.scored(task, [self_], self._roads, self._cost(task.what))[0]

    def _distance_m(self, team: Team | None, entity_id: str) -> float | None:
        """As the crow flies, where both have a point."""
        entity = self._store.pool.entity(entity_id)
        geometry: Json = entity.geometry if entity else None
        if team is None or team.point is None or not geometry or geometry["type"] != "Point":
            return None
        return distance_m(team.point, (geometry["coordinates"][0], geometry["coordinates"][1]))

    def _task(self, wanted: Wanted, id: str = "") -> Task:
        streets = self._read_streets()
        entity = self._store.pool.entity(wanted.entity_id)
        on = roads_of(wanted.entity_id, [*streets, entity] if entity else streets)
        if not on:
            raise NoPlace("operations.no_place", {"id": wanted.entity_id})
        return Task(id=id or wanted.entity_id, what=wanted.what, roads=on, number=wanted.number)

    def _teams(self) -> list[Team]:
        pool = self._store.pool
        entities = [entity for type in TYPES for entity in pool.entities(type)]
        newest: Mapping[str, Mapping[str, Json]] = {
            entity.id: {name: now.value for name, now in pool.now(entity.id).items()} for entity in entities
        }
        self._read_streets()
        return teams(entities, newest, self._roads)

    def _cost(self, what: str) -> Costs:
        """Seconds on a road now, for those with special rights or for all others."""
        ids = tuple(self._roads)
        speeds = self._store.pool.values(SPEED, ids) if ids else ()
        known = {road: float(kmh) for road, kmh in zip(ids, speeds, strict=True) if isinstance(kmh, int | float)}
        times = Times(self._roads, known)
        return times.emergency_s if what in WITH_RIGHTS else times.ordinary_s

    def _read_streets(self) -> Sequence[Entity]:
        if monotonic_s() - self._read_s >= READ_AGAIN_S:
            self._read_s = monotonic_s()
            pool = self._store.pool
            self._streets = [each for type in (ROAD, LANE) for each in pool.entities(type)]
            self._roads = Roads(self._streets)
        return self._streets
