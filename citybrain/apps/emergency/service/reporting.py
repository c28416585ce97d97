# SPDX-License-Identifier: Apache-2.0
"""The after-action report: how an incident went, in one language, from what was written down."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from citybrain.apps.emergency import store as kept
from citybrain.apps.emergency.control import WORST_FIRST
from citybrain.apps.emergency.model import Act, Done, Incident, Level, Message, State, Task
from citybrain.apps.emergency.service.desk import EmergencyDesk
from citybrain.apps.emergency.service.incidents import Whole, whole
from citybrain.kernel.access import Actor
from citybrain.kernel.orders.order import StandingOrder
from citybrain.kernel.records import Facts

ORDERS_AT_MOST = 500
ACT_SAYS = {
    Act.DECLARE: "emergency.act_declare",
    Act.RAISE: "emergency.act_raise",
    Act.LOWER: "emergency.act_lower",
    Act.STAND_DOWN: "emergency.act_stand_down",
    Act.RESUME: "emergency.act_resume",
    Act.CLOSE: "emergency.act_close",
    Act.PROPOSE: "emergency.act_propose",
    Act.WITHDRAW: "emergency.act_withdraw",
}


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """How long a level was in force, and who put it so."""

    level: Level
    from_: datetime = msgspec.field(name="from")
    until: datetime | None
    minutes: int
    by: str
    second_by: str | None
    reason: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    at: datetime
    kind: str
    text: str
    by: str


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """A task, and how long it took so far or in all."""

    task: Task
    minutes_taken: int


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """An order that was given about the event of the incident."""

    id: str
    means: str
    entity_id: str
    at: datetime
    by: str
    state: str


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """What was late, and by how much."""

    what: str
    minutes: int
    text: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The report. `missing` says what the plan asked for and nobody did."""

    incident: Incident
    title: str
    lang: str
    generated_at: datetime
    summary: Facts
    levels: Sequence[Stretch]
    timeline: Sequence[Line]
    tasks: Sequence[TaskLine]
    orders: Sequence[OrderLine]
    late: Sequence[Late]
    missing: Sequence[str]


async def report(desk: EmergencyDesk, actor: Actor, id: str, *, lang: str, now: datetime) -> Report:
    """The report of an incident, whether it is over or not; orders are those that the reader may see."""
    found = await whole(desk, id, now=now)
    messages = await kept.messages(desk.db, id)
    orders = await _orders(desk, actor, found.incident)
    until = found.incident.ended_at or now
    levels = stretches(found.acts, until)
    late = [each for each in found.tasks if each.late]
    say = desk.words.sentence
    return Report(
        incident=found.incident,
        title=say("emergency.report_title", {"title": found.incident.title or found.plan.name.get(lang, "")}, lang),
        lang=lang,
        generated_at=now,
        summary={
            "minutes": _minutes(found.incident.declared_at, until),
            "worst_level": min((each.level for each in levels), key=WORST_FIRST.index),
            "levels": len(levels),
            "facts": len(found.facts),
            "messages": len(messages),
            "tasks": len(found.tasks),
            "tasks_late": len(late),
            "tasks_open": sum(each.phase != "closed" for each in found.tasks),
            "orders": len(orders),
        },
        levels=levels,
        timeline=_timeline(desk, found, messages, orders, lang),
        tasks=[
            TaskLine(task=each, minutes_taken=_minutes(each.given_at, each.closed_at or now)) for each in found.tasks
        ],
        orders=orders,
        late=[_late(desk, each, lang, now) for each in late],
        missing=_missing(desk, found, lang),
    )


def stretches(acts: Sequence[Done], until: datetime) -> list[Stretch]:
    """The levels one after the other, each until the next began or the incident ended."""
    starts = [each for each in acts if each.act in (Act.DECLARE, Act.RAISE, Act.LOWER) and each.to_level]
    ends = [*(each.at for each in starts[1:]), until]
    return [
        Stretch(
            level=each.to_level or Level.IV,
            from_=each.at,
            until=end,
            minutes=_minutes(each.at, end),
            by=each.by,
            second_by=each.second_by,
            reason=each.reason,
        )
        for each, end in zip(starts, ends, strict=True)
    ]


def _timeline(
    desk: EmergencyDesk, found: Whole, messages: Sequence[Message], orders: Sequence[OrderLine], lang: str
) -> list[Line]:
    say = desk.words.sentence
    lines = [
        Line(
            at=each.at,
            kind="act",
            text=say(ACT_SAYS[each.act], {"level": each.to_level, "reason": each.reason}, lang),
            by=" + ".join(name for name in (each.by, each.second_by) if name),
        )
        for each in found.acts
    ]
    lines += [
        Line(
            at=each.at,
            kind="fact",
            text=say("emergency.line_fact", {"subject": each.subject, "text": each.text, "source": each.source}, lang),
            by=each.by,
        )
        for each in found.facts
    ]
    lines += [
        Line(
            at=each.at,
            kind="message",
            text=say("emergency.line_message", {"from": each.from_, "to": each.to, "text": each.text}, lang),
            by=each.by,
        )
        for each in messages
    ]
    for task in found.tasks:
        facts = {"title": task.title, "department": task.department, "number": task.case_number}
        lines.append(
            Line(at=task.given_at, kind="task", text=say("emergency.line_task", facts, lang), by=task.given_by)
        )
        if task.closed_at:
            text = say("emergency.line_task_closed", facts, lang)
            lines.append(Line(at=task.closed_at, kind="task", text=text, by=task.department))
    lines += [
        Line(
            at=each.at,
            kind="order",
            text=say("emergency.line_order", {"means": each.means, "entity": each.entity_id}, lang),
            by=each.by,
        )
        for each in orders
    ]
    return sorted(lines, key=lambda line: line.at)


async def _orders(desk: EmergencyDesk, actor: Actor, incident: Incident) -> list[OrderLine]:
    """Orders because of the event of the incident."""
    if incident.event_id is None:
        return []
    found = await desk.store.orders.find(actor, limit=ORDERS_AT_MOST)
    return [_order(each) for each in found if each.because is not None and each.because.event_id == incident.event_id]


def _order(order: StandingOrder) -> OrderLine:
    return OrderLine(
        id=order.id,
        means=order.means,
        entity_id=order.entity_id,
        at=order.proposed_at,
        by=order.proposed_by,
        state=order.state,
    )


def _late(desk: EmergencyDesk, task: Task, lang: str, now: datetime) -> Late:
    minutes = _minutes(task.due_at, task.closed_at or now)
    facts = {"title": task.title, "department": task.department, "minutes": minutes}
    return Late(what=task.case_number, minutes=minutes, text=desk.words.sentence("emergency.late_task", facts, lang))


def _missing(desk: EmergencyDesk, found: Whole, lang: str) -> list[str]:
    names = {each.id: each.name.get(lang, each.id) for each in found.plan.roles}
    missing = [
        desk.words.sentence("emergency.missing_role", {"role": names.get(role, role)}, lang)
        for role in found.missing_roles
    ]
    if found.incident.state is not State.CLOSED:
        missing += [
            desk.words.sentence("emergency.open_task", {"title": each.title, "department": each.department}, lang)
            for each in found.tasks
            if each.phase != "closed"
        ]
    return missing


def _minutes(since: datetime, until: datetime) -> int:
    return round((until - since).total_seconds() / 60)
