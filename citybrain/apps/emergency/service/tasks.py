# SPDX-License-Identifier: Apache-2.0
"""Tasks of an incident: each is a case, of which everything that cases can do is true."""

from datetime import datetime, timedelta

import msgspec

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.control import NotNow, SomethingMissing, new_tasks
from citybrain.apps.emergency.model import Given, Incident, Level, MessageKind, Plan, PlanTask, State, Task
from citybrain.apps.emergency.service.desk import MACHINE, TASK, EmergencyDesk
from citybrain.kernel.access import Actor
from citybrain.kernel.audit.recording import record
from citybrain.kernel.cases.acts import Time
from citybrain.kernel.cases.case import Case, CaseChange, Opening
from citybrain.kernel.cases.case_type import Phase
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import NotFound
from citybrain.kernel.geo import centre

CHANNEL = "emergency"
LANG = "zh"  # cases are read by departments of the city


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task that somebody asks for: by which department, within how many minutes."""

    title: str
    department: str
    minutes: int
    details: str = ""
    priority: int = 2
    role: str | None = None


class Wanted(Asked, frozen=True, kw_only=True):
    """A task that is given; `line` is level:number where it is one of the plan."""

    line: str | None = None


async def ask(desk: EmergencyDesk, actor: Actor, incident: Incident, asked: Asked, *, now: datetime) -> Task:
    """Give a task that is not in the plan."""
    if not asked.title.strip():
        raise SomethingMissing("emergency.text_missing", {"what": "title"})
    if asked.minutes < 1:
        raise SomethingMissing("emergency.text_missing", {"what": "minutes"})
    desk.store.cases.departments.living(asked.department)
    return await give(desk, actor, incident, msgspec.convert(asked, Wanted, from_attributes=True), now=now)


async def give(desk: EmergencyDesk, actor: Actor, incident: Incident, wanted: Wanted, *, now: datetime) -> Task:
    """Give a task of an incident that is active: a case of the department, due in so many minutes."""
    if incident.state is not State.ACTIVE:
        raise NotNow("emergency.not_now", {"act": "task", "state": incident.state, "level": incident.level})
    due_at = now + timedelta(minutes=wanted.minutes)

    async def write(transaction: Transaction, change: CaseChange) -> None:
        case = change.after
        row = {
            "case_id": case.id,
            "title": wanted.title,
            "department": case.department,
            "role": wanted.role,
            "line": wanted.line,
            "by": actor.account,
            "given_at": now,
            "due_at": due_at,
        }
        await kept.add_task(transaction, incident.id, row)
        facts = {"case": case.number, "department": case.department}
        about = f"incident:{incident.id}"
        await record(transaction, actor=actor, act="emergency.task", object=about, facts=facts)

    case = await desk.store.cases.open(MACHINE, _opening(incident, wanted), also=write)
    case = await desk.store.cases.plan(MACHINE, case.id, Time(due_at=due_at))
    given = next(each for each in await kept.tasks(desk.db, incident.id) if each.case_id == case.id)
    return _task(given, case, now)


async def follow_plan(
    desk: EmergencyDesk, actor: Actor, incident: Incident, plan: Plan, before: Level | None, *, now: datetime
) -> list[Task]:
    """Give the tasks that the level adds. What was given already is not given again; what no department
    of the city can take is said in the log, once."""
    given: list[Task] = []
    known = {each.line for each in await kept.tasks(desk.db, incident.id)}
    for level, number in new_tasks(plan, before, incident.level):
        task = next(each for each in plan.responses[level].tasks if each.number == number)
        wanted = _of_plan(task, f"{level}:{number}")
        if wanted.line in known:
            continue
        try:
            desk.store.cases.departments.living(wanted.department)
        except NotFound:
            await _say_missing(desk, incident, wanted, now)
            continue
        given.append(await give(desk, actor, incident, wanted, now=now))
    return given


async def stand(desk: EmergencyDesk, incident: str, now: datetime) -> list[Task]:
    """All tasks of an incident as they stand now."""
    given = await kept.tasks(desk.db, incident)
    return [_task(each, await desk.store.cases.get(MACHINE, each.case_id), now) for each in given]


def _opening(incident: Incident, wanted: Wanted) -> Opening:
    longitude, latitude = centre(incident.geometry) or (None, None)
    fields = {"task": wanted.details or wanted.title, "incident": incident.title, "minutes": wanted.minutes}
    return Opening(
        type=TASK,
        title=wanted.title,
        department=wanted.department,
        fields=fields,
        priority=wanted.priority,
        channel=CHANNEL,
        longitude=longitude,
        latitude=latitude,
        key=f"emergency:{incident.id}:{wanted.line}" if wanted.line else None,
    )


def _of_plan(task: PlanTask, line: str) -> Wanted:
    return Wanted(
        title=task.title.get(LANG) or next(iter(task.title.values())),
        details=task.details.get(LANG, ""),
        department=task.department,
        minutes=task.minutes,
        priority=task.priority,
        line=line,
    )


async def _say_missing(desk: EmergencyDesk, incident: Incident, wanted: Wanted, now: datetime) -> None:
    facts = {"title": wanted.title, "department": wanted.department}
    text = desk.words.sentence("emergency.task_without_department", facts, LANG)
    row = {
        "kind": MessageKind.NOTICE,
        "from": MACHINE.account,
        "to": "",
        "text": text,
        "at": now,
        "by": MACHINE.account,
        "said_at": now,
    }
    if any(each.text == text for each in await kept.messages(desk.db, incident.id)):
        return
    async with desk.db.transaction() as transaction:
        await kept.add_message(transaction, incident.id, row)


def _task(given: Given, case: Case, now: datetime) -> Task:
    is_closed = case.phase is Phase.CLOSED
    over_at = case.closed_at if is_closed and case.closed_at else now
    return Task(
        number=given.number,
        case_id=case.id,
        case_number=case.number,
        title=given.title,
        department=case.department,
        role=given.role,
        line=given.line,
        state=case.state,
        phase=case.phase,
        given_by=given.by,
        given_at=given.given_at,
        due_at=given.due_at,
        closed_at=case.closed_at,
        late=over_at > given.due_at,
    )
