# SPDX-License-Identifier: Apache-2.0
"""What may be done with an incident in which state, at which level, and by how many persons. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.emergency.model import Act, Incident, Level, Plan, Proposal, State
from citybrain.kernel.errors import Conflict, Forbidden, Invalid

NEXT: Mapping[State, Mapping[Act, State]] = {
    State.ACTIVE: {
        Act.RAISE: State.ACTIVE,
        Act.LOWER: State.ACTIVE,
        Act.STAND_DOWN: State.ENDED,
    },
    State.ENDED: {
        Act.RESUME: State.ACTIVE,
        Act.CLOSE: State.CLOSED,
    },
    State.CLOSED: {},
}
"""From state to state. What waits for a second person is the same act, done when it is confirmed."""

WORST_FIRST = tuple(Level)
TWO_PERSONS = frozenset({Level.I, Level.II})
"""At these levels two persons decide: they call out a whole city, and its ending sends everybody home."""
ALONE = Level.III
"""The worst level that one person may declare; a worse one begins there until the second person agrees."""
CONFIRM_WITHIN = timedelta(minutes=30)
"""Our convention: the level below is in force meanwhile, so nobody waits for the second person."""


class NotNow(Conflict):
    """The act does not fit the state or the level."""


class OtherPersonNeeded(Forbidden):
    """Two persons are two people: not one and whoever acts for them, nor one and a program."""


class SomethingMissing(Invalid):
    """An act without what it needs: a reason, a level."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to do with an incident; `for_whom` is whom they act for, if it is somebody else."""

    act: Act
    by: str
    at: datetime
    for_whom: str | None = None
    is_person: bool = True
    level: Level | None = None
    reason: str = ""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: the incident afterwards, and which act is written down; `second_by` confirmed it."""

    incident: Incident
    act: Act
    by: str
    second_by: str | None = None
    reason: str = ""


def is_worse(one: Level, than: Level) -> bool:
    """Whether a level is graver."""
    return WORST_FIRST.index(one) < WORST_FIRST.index(than)


def begins_at(level: Level) -> Level:
    """The level at which an incident begins that one person declares."""
    return ALONE if is_worse(level, ALONE) else level


def needs_two(incident: Incident, act: Act, level: Level | None) -> bool:
    """Whether an act takes a second person: to a level of two persons, from one, or out of one."""
    if act is Act.RAISE:
        return level in TWO_PERSONS
    return act in (Act.LOWER, Act.STAND_DOWN) and incident.level in TWO_PERSONS


def possible(incident: Incident, now: datetime) -> tuple[Act, ...]:
    """The acts that fit now, whoever does them."""
    if waits(incident, now):
        return (Act.CONFIRM, Act.WITHDRAW)
    acts = dict(NEXT[incident.state])
    if incident.level is Level.I:
        acts.pop(Act.RAISE, None)
    if incident.level is Level.IV:
        acts.pop(Act.LOWER, None)
    return tuple(acts)


def waits(incident: Incident, now: datetime) -> bool:
    """Whether something waits for a second person, who is not too late."""
    return incident.proposal is not None and now < incident.proposal.until


def apply(incident: Incident, wish: Wish) -> Made:
    """What an act makes of an incident. Refuses what does not fit."""
    if wish.act not in possible(incident, wish.at):
        raise NotNow("emergency.not_now", {"act": wish.act, "state": incident.state, "level": incident.level})
    if wish.act is Act.CONFIRM:
        return _confirmed(incident, wish)
    if wish.act is Act.WITHDRAW:
        return _withdrawn(incident, wish)
    _check(incident, wish)
    if needs_two(incident, wish.act, wish.level):
        require_person(wish)
        return propose(incident, wish)
    return Made(incident=_done(incident, wish.act, wish.level, wish.at), act=wish.act, by=wish.by, reason=wish.reason)


def require_person(wish: Wish) -> None:
    """Refuse a program as one of two persons."""
    if not wish.is_person:
        raise OtherPersonNeeded("emergency.persons_needed", {})


def propose(incident: Incident, wish: Wish) -> Made:
    """The same, waiting for a second person."""
    until = wish.at + CONFIRM_WITHIN
    proposal = Proposal(act=wish.act, level=wish.level, reason=wish.reason, by=wish.by, at=wish.at, until=until)
    return Made(
        incident=msgspec.structs.replace(incident, proposal=proposal), act=Act.PROPOSE, by=wish.by, reason=wish.reason
    )


def new_tasks(plan: Plan, before: Level | None, level: Level) -> list[tuple[Level, int]]:
    """Level and number of the tasks of a plan that a level adds to those of the levels below it, the mildest first.

    A response includes those of the milder levels: who raises from IV to II gets what III and II add.
    """
    added = [each for each in reversed(WORST_FIRST) if not is_worse(each, level)]
    if before is not None:
        added = [each for each in added if is_worse(each, before)]
    return [(each, task.number) for each in added if (response := plan.responses.get(each)) for task in response.tasks]


def wanted_roles(plan: Plan, level: Level) -> tuple[str, ...]:
    """The roles that must be filled at a level: its own and those of the milder ones."""
    wanted = [
        role
        for each in WORST_FIRST
        if not is_worse(each, level) and (response := plan.responses.get(each))
        for role in response.roles
    ]
    return tuple(dict.fromkeys(wanted))


def _check(incident: Incident, wish: Wish) -> None:
    if not wish.reason.strip():
        raise SomethingMissing("emergency.reason_missing", {"act": wish.act})
    if wish.act not in (Act.RAISE, Act.LOWER):
        return
    if wish.level is None:
        raise SomethingMissing("emergency.level_missing", {"act": wish.act})
    if is_worse(wish.level, incident.level) is not (wish.act is Act.RAISE) or wish.level is incident.level:
        raise NotNow("emergency.not_now", {"act": wish.act, "state": incident.state, "level": incident.level})


def _confirmed(incident: Incident, wish: Wish) -> Made:
    proposal = incident.proposal
    assert proposal is not None
    require_person(wish)
    if proposal.by in (wish.by, wish.for_whom):
        raise OtherPersonNeeded("emergency.other_person_needed", {"name": proposal.by})
    after = _done(incident, proposal.act, proposal.level, wish.at)
    return Made(incident=after, act=proposal.act, by=proposal.by, second_by=wish.by, reason=proposal.reason)


def _withdrawn(incident: Incident, wish: Wish) -> Made:
    after = msgspec.structs.replace(incident, proposal=None)
    return Made(incident=after, act=Act.WITHDRAW, by=wish.by, reason=wish.reason)


def _done(incident: Incident, act: Act, level: Level | None, at: datetime) -> Incident:
    state = NEXT[incident.state][act]
    return msgspec.structs.replace(
        incident,
        state=state,
        level=level or incident.level,
        level_at=at if level and level is not incident.level else incident.level_at,
        ended_at=None if state is State.ACTIVE else incident.ended_at or at,
        closed_at=at if state is State.CLOSED else None,
        proposal=None,
    )
