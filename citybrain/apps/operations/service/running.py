# SPDX-License-Identifier: Apache-2.0
"""What people see of runs, and what officers do with their lines: confirm, skip, try again."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from citybrain.apps.operations.decide.lines import (
    BROKEN,
    Move,
    Run,
    RunHead,
    RunLine,
    RunState,
    State,
    Undo,
    Verdict,
    moved,
)
from citybrain.apps.operations.decide.playbook import After, Conditions, OnlyIf
from citybrain.apps.operations.service import ordering
from citybrain.apps.operations.service.engine import Engine
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.store import runs
from citybrain.apps.operations.store.runs import Checked
from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.access.policy import require
from citybrain.kernel.audit.recording import record
from citybrain.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from citybrain.kernel.orders import StandingOrder
from citybrain.kernel.records import Facts, Text

TOLD = {
    "confirm": "operations.line_confirm",
    "skip": "operations.line_skip",
    "retry": "operations.line_retry",
}
SKIPPABLE = (State.WAITING, State.PROPOSED)


class NoSuchRun(NotFound):
    """There is no run with this id, or no such line in it."""


class NotProposed(Conflict):
    """The line waits for nobody."""


class ConfirmedLate(Conflict):
    """The officer came after the time was over."""


class LineChanged(Conflict):
    """The line is not any more as it was looked at."""


class NotSkippable(Conflict):
    """The line was ordered already, or is over."""


class NotBroken(Conflict):
    """The line did not fail, so there is nothing to try again."""


class SamePerson(Forbidden):
    """Two persons must confirm, and this is the same one again, or no person."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an officer wants of a line: confirm, skip or retry; `version` is the one that was looked at."""

    act: str
    note: str = ""
    version: int | None = None


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a run on one entity. `code` and `facts` say why it is in its state; `confirm_until` by the clock.

    `order` and `check` are there when one run is looked at.
    """

    number: int
    part: int
    means: str
    target: str
    entity_id: str
    parameters: Facts
    approval: str
    note: Text
    after: After | None
    only_if: OnlyIf | None
    alone_if: Conditions | None
    undoes: bool
    undoes_if_missed: bool
    state: State
    at: datetime
    city_at: datetime
    code: str
    facts: Facts
    order_id: str | None
    tries: int
    two_person: bool
    confirmed_by: str | None
    second_by: str | None
    confirm_until: datetime | None
    ordered_at: datetime | None
    executed_at: datetime | None
    verdict: Verdict | None
    undo: Undo
    version: int
    order: StandingOrder | None = None
    check: Checked | None = None


class RunView(RunHead, frozen=True, kw_only=True):
    """A run as people see it. `waits_for_person`: a line is proposed. `name` is the playbook's."""

    name: Text
    version: int
    waits_for_person: bool
    event_ended_at: datetime | None
    ended_at: datetime | None
    lines: tuple[LineView, ...]


async def listed(
    operations: Operations,
    *,
    event_id: str | None = None,
    state: RunState | None = None,
    playbook: str | None = None,
    limit: int = 100,
) -> list[RunView]:
    """Runs with their lines, the newest first."""
    found = await runs.find(operations.db, event_id=event_id, state=state, playbook=playbook, limit=limit)
    return [view(run) for run in found]


async def look(operations: Operations, id: str) -> RunView:
    """One run with its orders, and whether they helped."""
    run = await _run(operations, id)
    given = await operations.store.orders.of_ids([line.order_id for line in run.lines if line.order_id])
    checks = {check.order_id: check for check in await runs.checks_of(operations.db, id)}
    return view(run, {order.id: order for order in given}, checks)


async def act(engine: Engine, actor: Actor, id: str, number: int, wish: Wish, *, now: datetime) -> RunView:
    """Do what an officer wants of a line, on all its entities; what follows from it is done on return."""
    # Who goes away half-way leaves no run behind of which memory and table say different things.
    await asyncio.shield(asyncio.create_task(_act(engine, actor, id, number, wish, now)))
    return await look(engine.under_way.operations, id)


async def _act(engine: Engine, actor: Actor, id: str, number: int, wish: Wish, now: datetime) -> None:
    under_way = engine.under_way
    async with engine.lock:
        run = under_way.runs.get(id) or await _run(under_way.operations, id)
        lines = [line for line in run.lines if line.number == number]
        _check(under_way.operations, actor, run, lines, number, wish)
        after, refusal = _ACTS[wish.act](engine, run, lines, actor, wish, now)
        if refusal is None:
            async with under_way.db.transaction() as transaction:
                facts = {"event": run.event_id, "playbook": run.playbook, "line": number, "note": wish.note}
                what, about = TOLD[wish.act], f"run:{id}"
                await record(transaction, actor=actor, act=what, object=about, facts=facts)
        run = await under_way.commit(run, after, now)
        if refusal is not None:
            raise refusal
        under_way.actors[actor.account] = actor
        try:
            await ordering.turn(under_way, run, now)
        finally:
            under_way.actors.pop(actor.account, None)


def _check(operations: Operations, actor: Actor, run: Run, lines: Sequence[RunLine], number: int, wish: Wish) -> None:
    """There is such a line, it is as it was looked at, and the officer may use its means."""
    if not lines:
        raise NoSuchRun("operations.no_such_line", {"run": run.id, "line": number})
    if wish.version is not None and wish.version != max(line.version for line in lines):
        raise LineChanged("operations.line_changed", {"line": number})
    known = operations.store.orders.trade.means.get(lines[0].spec.means)
    if known is not None:
        require(actor, known.permission)


Acted = tuple[Run, Refusal | None]


def _confirm(engine: Engine, run: Run, lines: Sequence[RunLine], actor: Actor, wish: Wish, now: datetime) -> Acted:
    """The refusal of one that came too late is answered, not raised: that the line is late must be kept."""
    proposed = [line for line in lines if line.state is State.PROPOSED]
    facts: dict[str, object] = {"line": lines[0].number, "minutes": lines[0].spec.approve_minutes}
    if not proposed:
        late = any(line.state is State.LATE and line.order_id is None for line in lines)
        if late:
            raise ConfirmedLate("operations.line_confirmed_late", facts)
        raise NotProposed("operations.line_not_proposed", {**facts, "state": lines[0].state})
    city_now = engine.under_way.around.city_now
    if any(now - line.at > timedelta(minutes=line.spec.approve_minutes) for line in proposed):
        moves = [
            Move(number=line.number, part=line.part, to=State.LATE, code="operations.line_not_confirmed", facts=facts)
            for line in proposed
        ]
        return moved(run, moves, now=now, city_now=city_now), ConfirmedLate("operations.line_confirmed_late", facts)
    for line in proposed:
        run = _confirmed(run, line, actor, now, city_now)
    return run, None


def _confirmed(run: Run, line: RunLine, actor: Actor, now: datetime, city_now: datetime) -> Run:
    """One confirmed line: due, or with two on the line waiting for the other one."""
    two = line.spec.approval == "two" and not line.two_person
    if two or line.two_person:
        if actor.kind is not Kind.STAFF:
            raise SamePerson("operations.line_needs_persons", {"line": line.number})
        if line.confirmed_by and line.confirmed_by in (actor.account, actor.on_behalf_of):
            raise SamePerson("operations.line_needs_other_person", {"line": line.number, "name": line.confirmed_by})
    if two and line.confirmed_by is None:
        return ordering.with_line(run, line.key, confirmed_by=actor.account, version=line.version + 1)
    run = moved(run, [Move(number=line.number, part=line.part, to=State.DUE)], now=now, city_now=city_now)
    who = {"second_by": actor.account} if two else {"confirmed_by": actor.account}
    return ordering.with_line(run, line.key, **who)


def _skip(engine: Engine, run: Run, lines: Sequence[RunLine], actor: Actor, wish: Wish, now: datetime) -> Acted:
    left = [line for line in lines if line.state in SKIPPABLE]
    if not left:
        facts = {"line": lines[0].number, "state": lines[0].state}
        raise NotSkippable("operations.line_not_skippable", facts)
    facts = {"name": actor.account, "note": wish.note}
    moves = [
        Move(number=line.number, part=line.part, to=State.SKIPPED, code="operations.line_skipped_by", facts=facts)
        for line in left
    ]
    return moved(run, moves, now=now, city_now=engine.under_way.around.city_now), None


def _retry(engine: Engine, run: Run, lines: Sequence[RunLine], actor: Actor, wish: Wish, now: datetime) -> Acted:
    """Again, under another key: what failed before stays as it was."""
    broken = [line for line in lines if line.state in BROKEN]
    if not broken:
        raise NotBroken("operations.line_not_broken", {"line": lines[0].number, "state": lines[0].state})
    moves = [Move(number=line.number, part=line.part, to=State.DUE) for line in broken]
    after = moved(run, moves, now=now, city_now=engine.under_way.around.city_now)
    for line in broken:
        who = {} if line.spec.approval == "none" else {"confirmed_by": actor.account}
        after = ordering.with_line(after, line.key, tries=line.tries + 1, **who)
    return replace(after, state=RunState.OPEN, ended_at=None), None


_ACTS = {"confirm": _confirm, "skip": _skip, "retry": _retry}


async def _run(operations: Operations, id: str) -> Run:
    found = await runs.find(operations.db, id=id, limit=1)
    if not found:
        raise NoSuchRun("operations.no_such_run", {"run": id})
    return found[0]


def view(
    run: Run, orders: Mapping[str, StandingOrder] | None = None, checks: Mapping[str, Checked] | None = None
) -> RunView:
    """A run as people see it."""
    lines = tuple(_line(line, (orders or {}), (checks or {})) for line in run.lines)
    name = run.because.facts.get("name")
    return RunView(
        id=run.id,
        event_id=run.event_id,
        kind=run.kind,
        severity=run.severity,
        entity_id=run.entity_id,
        group=run.group,
        playbook=run.playbook,
        name=name if isinstance(name, dict) else {},
        version=run.playbook_version,
        because=run.because,
        state=run.state,
        waits_for_person=any(line.state is State.PROPOSED for line in run.lines),
        started_at=run.started_at,
        city_at=run.city_at,
        event_at=run.event_at,
        event_ended_at=run.event_ended_at,
        ended_at=run.ended_at,
        lines=lines,
    )


def _line(line: RunLine, orders: Mapping[str, StandingOrder], checks: Mapping[str, Checked]) -> LineView:
    spec, waits = line.spec, line.state is State.PROPOSED
    return LineView(
        number=line.number,
        part=line.part,
        means=spec.means,
        target=spec.target,
        entity_id=line.entity_id,
        parameters=line.parameters,
        approval=spec.approval,
        note=spec.note,
        after=spec.after,
        only_if=spec.only_if,
        alone_if=spec.alone_if,
        undoes=spec.undo,
        undoes_if_missed=spec.undo_if_missed,
        state=line.state,
        at=line.at,
        city_at=line.city_at,
        code=line.code,
        facts=line.facts,
        order_id=line.order_id,
        tries=line.tries,
        two_person=line.two_person,
        confirmed_by=line.confirmed_by,
        second_by=line.second_by,
        confirm_until=line.at + timedelta(minutes=spec.approve_minutes) if waits else None,
        ordered_at=line.ordered_at,
        executed_at=line.executed_at,
        verdict=line.verdict,
        undo=line.undo,
        version=line.version,
        order=orders.get(line.order_id or ""),
        check=checks.get(line.order_id or ""),
    )
