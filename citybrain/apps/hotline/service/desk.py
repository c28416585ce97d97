# SPDX-License-Identifier: Apache-2.0
"""What clerks and supervisors do besides moving cases: calls, callers, follow-ups, supervision, routing tries."""

from datetime import datetime, timedelta

import msgspec

from citybrain.apps.hotline import choice
from citybrain.apps.hotline.choice import Diff, Rule
from citybrain.apps.hotline.measure.promises import Calls, Promises, kept, promises_of
from citybrain.apps.hotline.model import DESK, TYPE, TYPES, Caller, Ticket
from citybrain.apps.hotline.service import callers
from citybrain.apps.hotline.service.hotline import EVERYTHING, Hotline
from citybrain.apps.hotline.store import tickets
from citybrain.kernel.access import Actor, NotPermitted, reach
from citybrain.kernel.audit import record
from citybrain.kernel.cases.case import Case
from citybrain.kernel.cases.ratings import Given, Rated
from citybrain.kernel.cases.satisfaction import RatingChannel, Satisfaction
from citybrain.kernel.crypto import Place
from citybrain.kernel.errors import Invalid, NotFound
from citybrain.kernel.privacy import Sort, mask

SHORTEST_REASON = 4


class NotATicket(NotFound):
    """The case is none of the hotline's."""


class ReasonMissing(Invalid):
    """Who demands something of others says what, and until when."""


class Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call as the telephone system tells it, once or again when more is known. `recording` is where it lies there."""

    key: str
    phone: str = ""
    rang_at: datetime
    answered_after_s: float | None = None
    ended_at: datetime | None = None
    agent: str = ""
    recording: str = ""
    case_id: int | None = None


class PopUp(msgspec.Struct, frozen=True, kw_only=True):
    """What a clerk sees when the telephone rings: the masked number and its tickets."""

    call_id: int
    phone: str
    tickets: tuple[Ticket, ...]


async def ring(hotline: Hotline, call: Call) -> PopUp:
    """Note a call, and find what its number told before."""
    row = {
        **msgspec.structs.asdict(call),
        "phone": hotline.keys.encrypt(call.phone, Place("hotline_call", "phone", call.key)) if call.phone else None,
        "phone_mark": tickets.mark(hotline.keys, Sort.PHONE, call.phone),
    }
    call_id = (await hotline.db.read(tickets.SQL.call_put, row, as_=int))[0]
    known = await tickets.tickets_of_phone(hotline.db, hotline.keys, call.phone) if call.phone else []
    return PopUp(call_id=call_id, phone=mask(Sort.PHONE, call.phone), tickets=tuple(known))


async def ticket(hotline: Hotline, actor: Actor, case_id: int, *, to_review: bool = False) -> Case:
    """A ticket that the actor sees, or has `to_review`."""
    case = await hotline.cases.get(actor, case_id, to_review=to_review)
    if case.type not in TYPES:
        raise NotATicket("hotline.not_a_ticket", {"id": case_id})
    return case


def calling_back(actor: Actor) -> Actor:
    """Whoever works at the hotline's own desk took the tickets in, and calls their callers back whichever department
    has them now; everybody else as they are."""
    if not reach(actor, "hotline.desk").covers(DESK):
        return actor
    wide = {name: EVERYTHING for name in ("case.view", callers.SEE) if name in actor.rights}
    return msgspec.structs.replace(actor, rights={**actor.rights, **wide})


async def caller(hotline: Hotline, actor: Actor, case_id: int) -> Caller:
    """Who told it, as much of it as everybody who sees the ticket may see: masked."""
    await ticket(hotline, calling_back(actor), case_id, to_review=True)
    found = await tickets.caller_of(hotline.db, hotline.keys, case_id)
    return Caller(
        name=mask(Sort.NAME, found.name), phone=mask(Sort.PHONE, found.phone), email=mask(Sort.EMAIL, found.email)
    )


async def reveal(hotline: Hotline, actor: Actor, case_id: int, reason: str) -> Caller:
    """Who told it, in clear, for a reason."""
    actor = calling_back(actor)
    case = await ticket(hotline, actor, case_id)
    return await callers.reveal(hotline.db, hotline.store.people, actor, case, reason)


async def follow_up_list(hotline: Hotline, actor: Actor, now: datetime, *, limit: int = 200) -> list[Ticket]:
    """Whom to call: answered tickets whose callers have not said whether it helped."""
    reached = reach(calling_back(actor), "case.view")
    found = await tickets.to_call(hotline.db, now, limit=limit)
    return [each for each in found if reached.covers(each.department)]


class FollowUp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller said when asked: `reached` false when nobody answered."""

    reached: bool
    resolved: bool | None = None
    satisfaction: Satisfaction | None = None
    note: str = ""


async def follow_up(hotline: Hotline, actor: Actor, case_id: int, said: FollowUp, *, now: datetime) -> None:
    """Write down what a caller said."""
    actor = calling_back(actor)
    case = await ticket(hotline, actor, case_id)
    rated = await to_rate(hotline, case) if said.reached and said.satisfaction else None
    params = {
        "case_id": case_id,
        "at": now,
        "by": actor.account,
        "reached": said.reached,
        "resolved": said.resolved,
        "satisfaction": said.satisfaction or "",
        "note": said.note[:2_000],
    }
    async with hotline.db.transaction() as transaction:
        await transaction.write(tickets.SQL.follow_up_insert, params)
        if said.reached:
            await transaction.write(tickets.SQL.resolved, params)
        if rated and said.satisfaction:
            given = Given(satisfaction=said.satisfaction, channel=RatingChannel.PHONE, remark=said.note[:2_000])
            ratings = hotline.store.casework.ratings
            await ratings.rate_within(transaction, rated, given, by=actor, now=now)


async def to_rate(hotline: Hotline, case: Case) -> Rated:
    """A ticket as what is rated: from its answer on, before the department has closed it too."""
    type = await hotline.cases.types.get(case.type, case.type_version)
    rows = await tickets.by_ids(hotline.db, [case.id])
    answered_at = rows[0].answered_at if rows and case.state == "answered" else None
    return Rated(case=case, type=type, answered_at=answered_at)


async def supervise(
    hotline: Hotline, actor: Actor, case_id: int, demand: str, due_at: datetime, *, now: datetime
) -> None:
    """Demand that a ticket is finished by a time (督办): shown in red everywhere until it is."""
    case = await ticket(hotline, actor, case_id)
    if len(demand.strip()) < SHORTEST_REASON or due_at <= now:
        raise ReasonMissing("hotline.reason_missing", {})
    params = {"case_id": case_id, "at": now, "by": actor.account, "demand": demand.strip()[:2_000], "due_at": due_at}
    async with hotline.db.transaction() as transaction:
        await transaction.write(tickets.SQL.supervise, params)
        await transaction.write(tickets.SQL.supervised, params)
        facts = {"number": case.number, "due_at": due_at}
        where = f"case:{case_id}"
        await record(
            transaction, actor=actor, act="hotline.supervise", object=where, facts=facts, department=case.department
        )


async def promises(hotline: Hotline, now: datetime) -> Promises:
    """What callers are promised now."""
    return promises_of((await hotline.cases.types.current(TYPE, now)).extras)


async def calls(hotline: Hotline, since: datetime, until: datetime, promised: Promises) -> Calls:
    """The calls of a time against what is promised."""
    return kept(await tickets.call_figures(hotline.db, since, until, within_s=promised.answer_within_s), promised)


async def rows(
    hotline: Hotline, actor: Actor, since: datetime, until: datetime, *, department: str | None = None
) -> list[Ticket]:
    """Tickets of a time that the actor sees: what figures are made of."""
    reached = reach(actor, "case.view")
    if not reached.all and department is not None and not reached.covers(department):
        facts = {"permission": "case.view", "name": actor.name, "department": department}
        raise NotPermitted("kernel.not_permitted", facts)
    found = await tickets.between(hotline.db, since, until, department=department)
    return found if reached.all else [each for each in found if reached.covers(each.department)]


async def try_rules(hotline: Hotline, actor: Actor, rules: list[Rule], *, now: datetime, days: int = 31) -> Diff:
    """What would have gone elsewhere in the last month under other rules. Nothing is changed."""
    choice.check(rules, hotline.departments)
    found = await rows(hotline, actor, now - timedelta(days=days), now)
    return choice.dry_run(hotline.rules, rules, hotline.tree, found)
