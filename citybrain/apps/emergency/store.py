# SPDX-License-Identifier: Apache-2.0
"""What the emergency desk keeps: one function per question."""

from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.apps.emergency.control import Made
from citybrain.apps.emergency.model import (
    Act,
    Done,
    Fact,
    Given,
    Incident,
    Message,
    Plan,
    PlanVersion,
    Post,
    Role,
    State,
)
from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import NotFound
from citybrain.kernel.records import Json


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    plans: str
    plan: str
    plan_versions: str
    plan_add: str
    incident_add: str
    incident_put: str
    incident: str
    incident_locked: str
    incident_by: str
    incidents: str
    incidents_at: str
    act_add: str
    acts: str
    fact_add: str
    facts: str
    role_end: str
    role_add: str
    roles: str
    post_add: str
    post_end: str
    posts: str
    message_add: str
    messages: str
    last_report: str
    task_add: str
    tasks: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)

Where = Database | Transaction


class NoSuchPlan(NotFound):
    """There is no such plan, or not in this version."""


class NoSuchIncident(NotFound):
    """There is no such incident."""


class NoSuchPost(NotFound):
    """There is no such command post, or it is closed."""


class _PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    body: Plan
    version: int


async def plans(where: Where, *, at: datetime | None = None) -> list[Plan]:
    """All plans, each as it is in force at a time; without one the newest version of each."""
    return [_of(row) for row in await where.read(SQL.plans, {"at": at}, as_=_PlanRow)]


async def plan(where: Where, id: str, version: int | None = None, *, at: datetime | None = None) -> Plan:
    """A plan in one version, as it is in force at a time, or the newest version of it. Refuses `NoSuchPlan`."""
    found = await where.read(SQL.plan, {"id": id, "version": version, "at": at}, as_=_PlanRow)
    if not found:
        raise NoSuchPlan("emergency.no_such_plan", {"id": id})
    return _of(found[0])


async def plan_versions(where: Where, id: str, *, at: datetime) -> list[PlanVersion]:
    """The versions of a plan, the newest first. Refuses `NoSuchPlan`."""
    found = await where.read(SQL.plan_versions, {"id": id, "at": at}, as_=PlanVersion)
    if not found:
        raise NoSuchPlan("emergency.no_such_plan", {"id": id})
    return found


async def add_plan(transaction: Transaction, plan: Plan, *, by: str, at: datetime) -> bool:
    """Write a version of a plan; whether nobody had written it before."""
    row = {"id": plan.id, "version": plan.version, "body": plan, "by": by, "at": at}
    return bool(await transaction.write(SQL.plan_add, row))


async def add(transaction: Transaction, incident: Incident) -> bool:
    """Write a new incident; whether there was none of its key or event."""
    return bool(await transaction.write(SQL.incident_add, msgspec.structs.asdict(incident)))


async def change(transaction: Transaction, before: Incident | None, made: Made, *, at: datetime) -> None:
    """Write what an act made of an incident, and the act."""
    after = made.incident
    if before is not None:
        await transaction.write(SQL.incident_put, msgspec.structs.asdict(after))
    act = {
        "incident": after.id,
        "act": made.act,
        "by": made.by,
        "second_by": made.second_by,
        "at": at,
        "from_level": before.level if before else None,
        "to_level": _to_level(made),
        "from_state": before.state if before else None,
        "to_state": after.state,
        "reason": made.reason,
    }
    await transaction.write(SQL.act_add, act)


async def incident(where: Where, id: str) -> Incident:
    """An incident. Refuses `NoSuchIncident`."""
    found = await where.read(SQL.incident, {"id": id}, as_=Incident)
    if not found:
        raise NoSuchIncident("emergency.no_such_incident", {"id": id})
    return found[0]


async def locked(transaction: Transaction, id: str) -> Incident:
    """An incident that nobody else changes until the transaction is over."""
    found = await transaction.read(SQL.incident_locked, {"id": id}, as_=Incident)
    if not found:
        raise NoSuchIncident("emergency.no_such_incident", {"id": id})
    return found[0]


async def incident_by(where: Where, *, key: str | None, event_id: str | None) -> Incident | None:
    """The incident of a key, or the one that is open about an event."""
    found = await where.read(SQL.incident_by, {"key": key, "event_id": event_id}, as_=Incident)
    return found[0] if found else None


async def incidents(where: Where, state: State | None, limit: int) -> list[Incident]:
    """Incidents, the newest first."""
    return list(await where.read(SQL.incidents, {"state": state, "limit": limit}, as_=Incident))


async def incidents_at(where: Where, at: datetime, limit: int) -> list[Incident]:
    """Incidents that were commanded when the clock said `at`, with their level of then, the newest first."""
    return list(await where.read(SQL.incidents_at, {"at": at, "limit": limit}, as_=Incident))


async def acts(where: Where, incident: str) -> list[Done]:
    """All that was done with an incident, in order."""
    return list(await where.read(SQL.acts, {"incident": incident}, as_=Done))


async def add_fact(transaction: Transaction, incident: str, row: Json) -> Fact:
    """Write a fact down."""
    return (await transaction.read(SQL.fact_add, {"incident": incident, **row}, as_=Fact))[0]


async def facts(where: Where, incident: str) -> list[Fact]:
    """All facts; each says which newer one replaced it."""
    return list(await where.read(SQL.facts, {"incident": incident}, as_=Fact))


async def put_role(transaction: Transaction, incident: str, row: Json) -> Role:
    """Give a role to somebody; who had it has it no more."""
    params = {"incident": incident, **row}
    await transaction.write(SQL.role_end, params)
    return (await transaction.read(SQL.role_add, params, as_=Role))[0]


async def roles(where: Where, incident: str) -> list[Role]:
    """All roles, ended ones too."""
    return list(await where.read(SQL.roles, {"incident": incident}, as_=Role))


async def add_post(transaction: Transaction, incident: str, row: Json) -> Post:
    """Open a command post."""
    return (await transaction.read(SQL.post_add, {"incident": incident, **row}, as_=Post))[0]


async def end_post(transaction: Transaction, incident: str, number: int, *, at: datetime) -> Post:
    """Close a command post. Refuses `NoSuchPost`."""
    found = await transaction.read(SQL.post_end, {"incident": incident, "number": number, "at": at}, as_=Post)
    if not found:
        raise NoSuchPost("emergency.no_such_post", {"number": number})
    return found[0]


async def posts(where: Where, incident: str) -> list[Post]:
    """All command posts, closed ones too."""
    return list(await where.read(SQL.posts, {"incident": incident}, as_=Post))


async def add_message(transaction: Transaction, incident: str, row: Json) -> Message:
    """Write a message down. It stays as it is."""
    return (await transaction.read(SQL.message_add, {"incident": incident, **row}, as_=Message))[0]


async def messages(where: Where, incident: str, *, after: int = 0, limit: int = 10_000) -> list[Message]:
    """Messages, the oldest first."""
    params = {"incident": incident, "after": after, "limit": limit}
    return list(await where.read(SQL.messages, params, as_=Message))


async def last_report(where: Where, incident: str) -> datetime | None:
    """When it was reported last; None when never."""
    found = await where.read(SQL.last_report, {"incident": incident}, as_=datetime)
    return found[0] if found else None


async def add_task(transaction: Transaction, incident: str, row: Json) -> None:
    """Write down which case a task is."""
    await transaction.write(SQL.task_add, {"incident": incident, **row})


async def tasks(where: Where, incident: str) -> list[Given]:
    """All tasks that were given."""
    return list(await where.read(SQL.tasks, {"incident": incident}, as_=Given))


def _of(row: _PlanRow) -> Plan:
    return msgspec.structs.replace(row.body, version=row.version)


def _to_level(made: Made) -> str:
    if made.act is Act.PROPOSE and made.incident.proposal and made.incident.proposal.level:
        return made.incident.proposal.level
    return made.incident.level
