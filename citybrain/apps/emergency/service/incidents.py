# SPDX-License-Identifier: Apache-2.0
"""Incidents: declared, raised, lowered, stood down; what is known, who commands, what was said. One act, one
transaction, with its entry in the audit log."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.emergency import control
from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.control import Made, NotNow, SomethingMissing, Wish
from citybrain.apps.emergency.model import (
    Act,
    Done,
    Fact,
    Incident,
    Level,
    Message,
    MessageKind,
    Plan,
    Post,
    Role,
    State,
    Task,
)
from citybrain.apps.emergency.service import tasks
from citybrain.apps.emergency.service.desk import EmergencyDesk
from citybrain.kernel.access import Actor, Kind
from citybrain.kernel.audit.recording import record
from citybrain.kernel.clock import new_id
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import Conflict, Invalid
from citybrain.kernel.records import Json

MOST_TEXT = 8_000


class EventHasIncident(Conflict):
    """An incident about this event is open already."""


class IncidentChanged(Conflict):
    """Somebody did something with the incident meanwhile."""


class NoSuchRole(Invalid):
    """The plan knows no such role."""


class LevelUnknown(Invalid):
    """The plan says nothing of this level."""


class Declaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an incident is declared with. With an event its place is that of the event."""

    plan: str
    level: Level
    reason: str
    title: str = ""
    event_id: str | None = None
    entity_id: str | None = None
    geometry: Json = None
    key: str | None = None


class IncidentAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done with an incident; `version` is the one that was looked at."""

    act: Act
    level: Level | None = None
    reason: str = ""
    version: int | None = None


class NewFact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody writes on the board."""

    subject: str
    text: str
    source: str
    at: datetime | None = None
    value: float | None = None
    unit: str = ""
    geometry: Json = None


class NewRole(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gets a role."""

    role: str
    name: str
    account: str | None = None


class NewPost(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command post that opens."""

    name: str
    address: str = ""
    geometry: Json = None


class NewMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message for the log."""

    kind: MessageKind
    from_: str = msgspec.field(name="from")
    to: str
    text: str
    at: datetime | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An incident with what belongs to it but its tasks."""

    incident: Incident
    plan: Plan
    acts: Sequence[Done]
    facts: Sequence[Fact]
    roles: Sequence[Role]
    posts: Sequence[Post]
    missing_roles: tuple[str, ...]
    may: tuple[Act, ...]
    next_report_at: datetime | None


class Whole(Known, frozen=True, kw_only=True):
    """An incident with everything that belongs to it."""

    tasks: Sequence[Task]


async def declare(desk: EmergencyDesk, actor: Actor, wanted: Declaration, *, now: datetime) -> Incident:
    """Begin an incident. A level that takes two persons begins at III and waits for the second; an equal key gives the
    incident that it made. The tasks of the level are given at once."""
    if not wanted.reason.strip():
        raise SomethingMissing("emergency.reason_missing", {"act": Act.DECLARE})
    plan = await kept.plan(desk.db, wanted.plan, at=now)
    if wanted.level not in plan.responses:
        raise LevelUnknown("emergency.level_unknown", {"plan": plan.id, "level": wanted.level})
    known = await kept.incident_by(desk.db, key=wanted.key, event_id=wanted.event_id)
    if known is not None:
        return _same(known, wanted)
    incident = await _new(desk, actor, plan, wanted, now)
    async with desk.db.transaction() as transaction:
        if await kept.add(transaction, incident):
            await _begin(transaction, actor, incident, wanted, now)
        else:
            known = await kept.incident_by(transaction, key=wanted.key, event_id=wanted.event_id)
    if known is not None:
        return _same(known, wanted)
    incident = await kept.incident(desk.db, incident.id)
    await tasks.follow_plan(desk, actor, incident, plan, None, now=now)
    return incident


async def act(desk: EmergencyDesk, actor: Actor, id: str, wanted: IncidentAct, *, now: datetime) -> Incident:
    """Do something with an incident. What takes two persons waits for the second, who confirms."""
    async with desk.db.transaction() as transaction:
        before = await kept.locked(transaction, id)
        if wanted.version is not None and wanted.version != before.version:
            raise IncidentChanged("emergency.incident_changed", {"incident": id, "version": before.version})
        wish = _wish(actor, wanted.act, wanted.level, wanted.reason, now)
        made = control.apply(before, wish)
        if made.act is Act.RESUME and before.event_id is not None:
            await _alone(transaction, before.event_id)
        await kept.change(transaction, before, made, at=now)
        facts = {"act": made.act, "level": made.incident.level, "reason": made.reason}
        what = f"emergency.{wanted.act}"
        await record(transaction, actor=actor, act=what, object=f"incident:{id}", facts=facts)
    after = await kept.incident(desk.db, id)
    if after.state is State.ACTIVE and control.is_worse(after.level, before.level):
        plan = await kept.plan(desk.db, after.plan, after.plan_version)
        await tasks.follow_plan(desk, actor, after, plan, before.level, now=now)
    return after


async def say(desk: EmergencyDesk, actor: Actor, id: str, new: NewFact, *, now: datetime) -> Fact:
    """Write a fact on the board, with its source and the time at which it was true."""
    _need(subject=new.subject, text=new.text, source=new.source)
    row = {
        "subject": new.subject.strip(),
        "text": new.text,
        "value": new.value,
        "unit": new.unit,
        "source": new.source,
        "geometry": new.geometry,
        "at": new.at or now,
        "by": actor.account,
        "said_at": now,
    }
    async with _open(desk, actor, id, "emergency.fact", subject=new.subject) as transaction:
        return await kept.add_fact(transaction, id, row)


async def assign(desk: EmergencyDesk, actor: Actor, id: str, new: NewRole, *, now: datetime) -> Role:
    """Give a role of the plan to somebody; who had it has it no more."""
    _need(name=new.name)
    incident = await kept.incident(desk.db, id)
    plan = await kept.plan(desk.db, incident.plan, incident.plan_version)
    if new.role not in {each.id for each in plan.roles}:
        raise NoSuchRole("emergency.no_such_role", {"role": new.role, "plan": plan.id})
    row = {"role": new.role, "name": new.name, "account": new.account, "by": actor.account, "at": now}
    async with _open(desk, actor, id, "emergency.role", role=new.role) as transaction:
        return await kept.put_role(transaction, id, row)


async def open_post(desk: EmergencyDesk, actor: Actor, id: str, new: NewPost, *, now: datetime) -> Post:
    """Open a command post."""
    _need(name=new.name)
    row = {"name": new.name, "address": new.address, "geometry": new.geometry, "by": actor.account, "at": now}
    async with _open(desk, actor, id, "emergency.post", name=new.name) as transaction:
        return await kept.add_post(transaction, id, row)


async def close_post(desk: EmergencyDesk, actor: Actor, id: str, number: int, *, now: datetime) -> Post:
    """Close a command post."""
    async with _open(desk, actor, id, "emergency.post_closed", number=number) as transaction:
        return await kept.end_post(transaction, id, number, at=now)


async def log(desk: EmergencyDesk, actor: Actor, id: str, new: NewMessage, *, now: datetime) -> Message:
    """Write a message into the log, where it stays as it is."""
    _need(text=new.text, to=new.to)
    row = {
        "kind": new.kind,
        "from": new.from_ or actor.name,
        "to": new.to,
        "text": new.text,
        "at": new.at or now,
        "by": actor.account,
        "said_at": now,
    }
    async with _open(desk, actor, id, "emergency.message", kind=new.kind) as transaction:
        return await kept.add_message(transaction, id, row)


async def whole(desk: EmergencyDesk, id: str, *, now: datetime) -> Whole:
    """An incident with all that is known of it."""
    incident = await kept.incident(desk.db, id)
    plan = await kept.plan(desk.db, incident.plan, incident.plan_version)
    roles = await kept.roles(desk.db, id)
    filled = {each.role for each in roles if each.until is None}
    wanted = control.wanted_roles(plan, incident.level)
    return Whole(
        incident=incident,
        plan=plan,
        acts=await kept.acts(desk.db, id),
        facts=await kept.facts(desk.db, id),
        roles=roles,
        posts=await kept.posts(desk.db, id),
        tasks=await tasks.stand(desk, id, now),
        missing_roles=tuple(role for role in wanted if role not in filled),
        may=control.possible(incident, now),
        next_report_at=await _next_report(desk, incident, plan),
    )


async def _next_report(desk: EmergencyDesk, incident: Incident, plan: Plan) -> datetime | None:
    """When the next report is due: so long after the last one as the level says."""
    response = plan.responses.get(incident.level)
    if incident.state is not State.ACTIVE or response is None:
        return None
    last = await kept.last_report(desk.db, incident.id)
    return (last or incident.declared_at) + timedelta(minutes=response.report_minutes)


async def _new(desk: EmergencyDesk, actor: Actor, plan: Plan, wanted: Declaration, now: datetime) -> Incident:
    geometry, entity_id = wanted.geometry, wanted.entity_id
    if wanted.event_id is not None:
        event = await desk.store.journal.event(wanted.event_id)
        geometry, entity_id = geometry or event.geometry, entity_id or event.entity_id
    elif not wanted.title.strip():
        raise SomethingMissing("emergency.text_missing", {"what": "title"})
    return Incident(
        id=new_id(),
        number=0,
        key=wanted.key,
        title=wanted.title.strip(),
        plan=plan.id,
        plan_version=plan.version,
        level=control.begins_at(wanted.level),
        state=State.ACTIVE,
        event_id=wanted.event_id,
        entity_id=entity_id,
        geometry=geometry,
        declared_by=actor.account,
        declared_at=now,
        level_at=now,
    )


def _wish(actor: Actor, act: Act, level: Level | None, reason: str, now: datetime) -> Wish:
    return Wish(
        act=act,
        by=actor.account,
        at=now,
        for_whom=actor.on_behalf_of,
        is_person=actor.kind is Kind.STAFF,
        level=level,
        reason=reason,
    )


async def _begin(
    transaction: Transaction, actor: Actor, incident: Incident, wanted: Declaration, now: datetime
) -> None:
    """The first act of an incident, and what waits for a second person."""
    made = Made(incident=incident, act=Act.DECLARE, by=actor.account, reason=wanted.reason)
    await kept.change(transaction, None, made, at=now)
    if incident.level is not wanted.level:
        wish = _wish(actor, Act.RAISE, wanted.level, wanted.reason, now)
        control.require_person(wish)
        await kept.change(transaction, incident, control.propose(incident, wish), at=now)
    facts = {"level": wanted.level, "plan": incident.plan, "event": wanted.event_id}
    about = f"incident:{incident.id}"
    await record(transaction, actor=actor, act="emergency.declare", object=about, facts=facts)


async def _alone(transaction: Transaction, event_id: str) -> None:
    """Refuse `EventHasIncident` where another incident about the event is open."""
    other = await kept.incident_by(transaction, key=None, event_id=event_id)
    if other is not None:
        raise EventHasIncident("emergency.event_has_incident", {"incident": other.id, "event": event_id})


def _same(known: Incident, wanted: Declaration) -> Incident:
    if wanted.key is not None and known.key == wanted.key:
        return known
    raise EventHasIncident("emergency.event_has_incident", {"incident": known.id, "event": wanted.event_id})


@asynccontextmanager
async def _open(desk: EmergencyDesk, actor: Actor, id: str, act: str, **facts: Json) -> AsyncIterator[Transaction]:
    """A transaction on an incident that is not closed, with the act in the audit log."""
    async with desk.db.transaction() as transaction:
        incident = await kept.locked(transaction, id)
        if incident.state is State.CLOSED:
            raise NotNow("emergency.not_now", {"act": act, "state": incident.state, "level": incident.level})
        yield transaction
        await record(transaction, actor=actor, act=act, object=f"incident:{id}", facts=facts)


def _need(**texts: str) -> None:
    for what, text in texts.items():
        if not text.strip() or len(text) > MOST_TEXT:
            raise SomethingMissing("emergency.text_missing", {"what": what})
