# SPDX-License-Identifier: Apache-2.0
"""The shift report: what happened, what is open, shelved and waiting, and the figures; and how it is handed over."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from citybrain.apps.operations.decide.lines import RunState
from citybrain.apps.operations.service.figures import Began, all_figures, began_between
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.service.running import RunView, listed
from citybrain.apps.operations.store import figures as stored
from citybrain.apps.operations.store.figures import Handed, Handover
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.audit.recording import record
from citybrain.kernel.clock import new_id
from citybrain.kernel.errors import Conflict, Forbidden, NotFound
from citybrain.kernel.handling import Alarm, AlarmPage, Asked, Sort, State, Which
from citybrain.kernel.orders import OrderState, StandingOrder
from citybrain.kernel.records import Facts, Json, Severity

MOST = 500
"""So many rows of each list are in a report; their number is always told."""


class NoSuchHandover(NotFound):
    """No shift was handed over under this id."""


class TakenOver(Conflict):
    """Somebody took this shift over already."""


class NotYourShift(Forbidden):
    """Whoever hands a shift over does not take it over too, nor does anybody but whom it was handed to."""


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of a kind there were, how bad the worst was, and how many go on."""

    kind: str
    number: int
    worst: Severity
    open: int


class FigureView(msgspec.Struct, frozen=True, kw_only=True):
    """A figure without its rows; words are `indicator.<name>` and `indicator.<name>.formula`."""

    name: str
    value: float | None
    unit: str
    target: float | None
    lower_is_better: bool
    meets_target: bool | None
    owner: str
    source: str
    formula: str
    parts: Facts
    rows_url: str


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """The newest words of anybody on an alarm."""

    event: str
    kind: str
    note: str
    at: datetime


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms of the report; `total` counts also those that are not listed."""

    rows: Sequence[Alarm]
    total: int


class ShiftReport(msgspec.Struct, frozen=True, kw_only=True):
    """A shift. `since`, `until` and the times of events are the city's, those of handling the clock's."""

    since: datetime
    until: datetime
    made_at: datetime
    made_by: str
    lang: str
    happened: Sequence[Happened]
    total: int
    open: Alarms
    shelved: Alarms
    waiting: Sequence[RunView]
    orders: Sequence[StandingOrder]
    indicators: Sequence[FigureView]
    comments: Sequence[Comment]
    before: Handed | None


async def figure_views(operations: Operations, began: Began, operators: int | None = None) -> list[FigureView]:
    """Every figure of alarms that began in a time, as people see it."""
    asked = f"since={_in_url(began.since)}&until={_in_url(began.until)}"
    asked += f"&operators={operators}" if operators else ""
    return [
        FigureView(
            name=each.spec.name,
            value=each.came.value,
            unit=each.spec.unit,
            target=each.spec.target,
            lower_is_better=each.spec.lower_is_better,
            meets_target=each.meets_target,
            owner="operations",
            source=each.spec.source,
            formula=f"indicator.{each.spec.name}.formula",
            parts=each.came.parts,
            rows_url=f"/api/operations/indicators/{each.spec.name}/rows?{asked}",
        )
        for each in await all_figures(operations.store, began, operators)
    ]


async def report(
    operations: Operations, actor: Actor, since: datetime, until: datetime, lang: str, *, now: datetime
) -> ShiftReport:
    """The report of a shift, of what whoever asks may see."""
    store = operations.store
    began = await began_between(store, since, until)
    alarms = began.alarms
    waiting = await listed(operations, state=RunState.OPEN, limit=MOST)
    shifts = await stored.handovers(store.db, limit=1)
    return ShiftReport(
        since=since,
        until=until,
        made_at=now,
        made_by=actor.account,
        lang=lang,
        happened=happened(alarms),
        total=len(alarms) + began.left_out,
        open=_listed(await store.alarms.find(Asked(which=Which.OPEN, limit=MOST), now=now)),
        shelved=_listed(
            await store.alarms.find(
                Asked(which=Which.ALL, states=(State.SHELVED,), sort=Sort.OLDEST, limit=MOST), now=now
            )
        ),
        waiting=[run for run in waiting if run.waits_for_person],
        orders=await store.orders.find(actor, state=OrderState.STANDING, limit=MOST),
        indicators=await figure_views(operations, began),
        comments=_comments(alarms),
        before=shifts[0] if shifts else None,
    )


def happened(alarms: Sequence[Alarm]) -> list[Happened]:
    """The events by kind, the most frequent first."""
    numbers = Counter(alarm.kind for alarm in alarms)
    worst_first = list(Severity)
    return [
        Happened(
            kind=kind,
            number=number,
            worst=min((each.severity for each in alarms if each.kind == kind), key=worst_first.index),
            open=sum(each.kind == kind and each.ended_at is None for each in alarms),
        )
        for kind, number in sorted(numbers.items(), key=lambda each: (-each[1], each[0]))
    ]


async def hand_over(operations: Operations, actor: Actor, made: ShiftReport, *, to: str, comments: str) -> Handover:
    """Keep a report as it is, with words for whom it is handed to; an empty `to` is whoever comes."""
    plain: Json = msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(made, before=None)))
    handover = Handover(
        id=new_id(),
        since=made.since,
        until=made.until,
        comments=comments,
        report=plain,
        from_by=actor.account,
        to_by=to,
        handed_at=made.made_at,
    )
    async with operations.db.transaction() as transaction:
        await stored.add(transaction, handover)
        facts = {"to": to, "since": made.since, "until": made.until}
        await record(transaction, actor=actor, act="shift.hand_over", object=f"shift:{handover.id}", facts=facts)
    return handover


async def look(operations: Operations, id: str) -> Handover:
    """One shift that was handed over."""
    found = await stored.handover(operations.db, id)
    if found is None:
        raise NoSuchHandover("operations.no_such_handover", {"id": id})
    return found


async def take_over(operations: Operations, actor: Actor, id: str, *, now: datetime) -> Handover:
    """Acknowledge a shift as its successor. Refuses whoever handed it over, and anybody else than it was handed to."""
    handover = await look(operations, id)
    if actor.account == handover.from_by or handover.to_by not in ("", actor.account):
        raise NotYourShift("operations.not_your_shift", {"from": handover.from_by, "to": handover.to_by or "–"})
    async with operations.db.transaction() as transaction:
        if not await stored.acknowledge(transaction, id, by=actor.account, at=now):
            facts = {"by": handover.acknowledged_by or "", "at": handover.acknowledged_at}
            raise TakenOver("operations.shift_taken_over", facts)
        await record(transaction, actor=actor, act="shift.take_over", object=f"shift:{id}")
    return await look(operations, id)


def _listed(page: AlarmPage) -> Alarms:
    return Alarms(rows=page.rows, total=page.total)


def _comments(alarms: Sequence[Alarm]) -> list[Comment]:
    return [
        Comment(event=each.id, kind=each.kind, note=each.handling.note, at=each.at)
        for each in alarms
        if each.handling.note.strip()
    ]


def _in_url(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z").replace("+", "%2B")
