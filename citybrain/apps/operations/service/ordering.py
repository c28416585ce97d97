# SPDX-License-Identifier: Apache-2.0
"""From lines to orders and back: lines that are due are ordered once, outcomes are taken in, what lasts is undone."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from citybrain.apps.operations.decide.lines import (
    Move,
    Run,
    RunLine,
    RunState,
    State,
    Undo,
    advance,
    moved,
)
from citybrain.apps.operations.service import checking
from citybrain.apps.operations.service.open_runs import OpenRuns
from citybrain.apps.operations.store import runs
from citybrain.apps.operations.store.runs import Check
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.app import APPROVE_WITHIN
from citybrain.kernel.errors import Invalid, Refusal, Unavailable
from citybrain.kernel.orders import OrderState, StandingOrder, Wanted
from citybrain.kernel.orders.order import OrderOver, Why
from citybrain.kernel.records import Because, Facts, Order, OutcomeState

TURNS_AT_MOST = 50
LOOK_AFTER = timedelta(seconds=2)
"""An order that was not answered by then is looked at itself: it may have ended without an outcome."""
BECAUSE, CONFIRMED = "operations.because_playbook", "operations.because_playbook_confirmed"
NEEDS_PERSON = "kernel.order_needs_person"
OUTCOMES = {
    OutcomeState.EXECUTED: State.EXECUTED,
    OutcomeState.REFUSED: State.REFUSED,
    OutcomeState.FAILED: State.FAILED,
}


async def turn(under_way: OpenRuns, run: Run, now: datetime) -> Run:
    """Move the lines of a run until all wait: first it is committed that they move, then it is done."""
    for _ in range(TURNS_AT_MOST):
        world = under_way.world(now)
        after = moved(run, advance(run, world), now=now, city_now=world.city_now)
        run = await under_way.commit(run, after, now)
        done = await _carry_out(under_way, run, now)
        if done is run:
            break
        run = done
    return run


async def settle(under_way: OpenRuns, answered: Collection[str], now: datetime) -> None:
    """Take in what became of orders: those that were answered, and those of which nothing was heard for a while."""
    asked = {*answered, *_unheard(under_way, now)}
    if not asked:
        return
    for order in await under_way.store.orders.of_ids(sorted(asked)):
        run = await _run_of(under_way, order)
        line = next((each for each in run.lines if each.order_id == order.id), None) if run else None
        if run is not None and line is not None:
            await _settled(under_way, run, line, order, now)
        elif not _is_of_line(order) and order.outcome and order.outcome.state is OutcomeState.EXECUTED:
            await checking.note(under_way, order)


async def _run_of(under_way: OpenRuns, order: StandingOrder) -> Run | None:
    """The run whose line ordered it, also one that is done: an answer may come when nobody waits any more."""
    run = under_way.runs.get(under_way.of_order.get(order.id, ""))
    if run is None and _is_of_line(order):
        return await runs.of_order(under_way.db, order.id)
    return run


def _is_of_line(order: StandingOrder) -> bool:
    return order.because is not None and order.because.code in (BECAUSE, CONFIRMED)


def _unheard(under_way: OpenRuns, now: datetime) -> Iterable[str]:
    return [
        line.order_id
        for run in under_way.runs.values()
        for line in run.lines
        if line.state is State.ORDERED and line.order_id is not None and now - line.at > LOOK_AFTER
    ]


async def _settled(under_way: OpenRuns, run: Run, line: RunLine, order: StandingOrder, now: datetime) -> Run:
    """What became of an order is what becomes of its line; an effect that is promised is looked at later."""
    move = _outcome(line, order)
    if move is None:
        return run
    city_now = under_way.around.city_now
    after = moved(run, [move], now=now, city_now=order.outcome.at if order.outcome else city_now)
    checks: list[Check] = []
    if move.to is State.EXECUTED and order.outcome:
        checks = await checking.expected(under_way, order, run, line)
        after = with_line(after, line.key, checks=bool(checks), executed_at=order.outcome.at)
    # Of a run that was done it is decided anew whether it is: what comes late may have to be undone.
    return await under_way.commit(run, replace(after, state=RunState.OPEN, ended_at=None), now, checks=checks)


def _outcome(line: RunLine, order: StandingOrder) -> Move | None:
    if order.outcome is not None:
        to, code, facts = OUTCOMES[order.outcome.state], order.outcome.code, order.outcome.facts
    elif order.state is OrderState.REFUSED and order.ended and order.ended.why is Why.LATE:
        minutes = int(APPROVE_WITHIN.total_seconds() // 60)
        to, code, facts = State.LATE, "kernel.order_approved_late", {"minutes": minutes, "name": order.proposed_by}
    elif order.state in (OrderState.REFUSED, OrderState.ENDED):
        name = order.ended.by if order.ended else ""
        to, code, facts = State.REFUSED, "operations.line_order_ended", {"name": name}
    else:
        return None
    if to is line.state or (line.state is not State.ORDERED and line.state not in (State.LATE, State.FAILED)):
        return None
    return Move(number=line.number, part=line.part, to=to, code=code, facts=dict(facts))


async def _carry_out(under_way: OpenRuns, run: Run, now: datetime) -> Run:
    """Give the orders of lines that are due, and undo what is to be undone; the very same run when there is none."""
    for line in run.lines:
        if line.state is State.DUE:
            run = await _order(under_way, run, line, now)
        elif line.undo is Undo.DUE:
            run = await _undo(under_way, run, line, now)
    return run


async def _order(under_way: OpenRuns, run: Run, line: RunLine, now: datetime) -> Run:
    city_now = under_way.around.city_now
    actor = await _who(under_way, line, now)
    try:
        _require_target(line)
        order = await under_way.store.orders.give(actor, _wanted(run, line), now=now, city_now=city_now)
    except Unavailable:
        raise
    except Refusal as refusal:
        # What two persons hold, the city alone does not touch: then an officer is asked.
        to = State.PROPOSED if refusal.code == NEEDS_PERSON and line.confirmed_by is None else State.REFUSED
        move = Move(number=line.number, part=line.part, to=to, code=refusal.code, facts=dict(refusal.facts))
        return await under_way.commit(run, moved(run, [move], now=now, city_now=city_now), now)
    under_way.before[order.id] = checking.value_before(under_way, order)
    ordered = moved(run, [Move(number=line.number, part=line.part, to=State.ORDERED)], now=now, city_now=city_now)
    ordered = with_line(ordered, line.key, order_id=order.id, ordered_at=now)
    run = await under_way.commit(run, ordered, now)
    # After a kill it may be an order that was given, and even answered, before.
    given = next(each for each in run.lines if each.key == line.key)
    return await _settled(under_way, run, given, order, now)


class NoTarget(Invalid):
    """The network does not say on what the line is to be carried out."""


def _require_target(line: RunLine) -> None:
    if not line.entity_id:
        raise NoTarget("operations.line_without_target", {"target": line.spec.target})


async def _who(under_way: OpenRuns, line: RunLine, now: datetime) -> Actor | None:
    """In whose name: the officer's who confirmed the line, else the city's own."""
    account = line.confirmed_by
    return None if account is None else await under_way.actor(account, now)


def _wanted(run: Run, line: RunLine) -> Wanted:
    title = run.because.facts.get("name", run.playbook)
    facts: Facts = {
        "playbook": run.playbook,
        "title": title,
        "version": run.playbook_version,
        "line": line.number,
        "reason": f"{run.playbook}/{run.playbook_version}:{line.number}",
    }
    code = BECAUSE if line.confirmed_by is None else CONFIRMED
    because = Because(code=code, facts=facts, event_id=run.event_id, entity_ids=(run.entity_id,))
    return Wanted(
        means=line.spec.means,
        entity_id=line.entity_id,
        parameters=line.parameters,
        key=key_of(run, line),
        because=because,
    )


def key_of(run: Run, line: RunLine) -> str:
    """Under which key the order of a line is given: `run:line`, with the part and the try where there are several."""
    part = f".{line.part}" if line.part else ""
    again = f"~{line.tries}" if line.tries else ""
    return f"{run.id}:{line.number}{part}{again}"


async def _undo(under_way: OpenRuns, run: Run, line: RunLine, now: datetime) -> Run:
    """End the order of a line that lasts, or order what undoes its means.

    Whether it helped is looked at now: what is seen when it has been undone says nothing of it.
    """
    await checking.hasten(under_way, line)
    means = under_way.store.orders.trade.means.get(line.spec.means)
    undo = Undo.DONE
    try:
        if line.order_id is not None and means is not None and means.lasts:
            await under_way.store.orders.end(None, line.order_id, reason=run.playbook, now=now)
        elif line.order_id is not None and means is not None and means.undone_by:
            await _order_undoing(under_way, run, line, now)
    except OrderOver:
        pass
    except Unavailable:
        raise
    except Refusal:
        undo = Undo.REFUSED
    move = Move(number=line.number, part=line.part, undo=undo)
    after = moved(run, [move], now=now, city_now=under_way.around.city_now)
    return await under_way.commit(run, after, now)


async def _order_undoing(under_way: OpenRuns, run: Run, line: RunLine, now: datetime) -> None:
    means = under_way.store.orders.trade.means[line.spec.means]
    given = await under_way.store.orders.of_ids([line.order_id or ""])
    wanted = _wanted(run, line)
    order = given and Order(
        id=given[0].id,
        means=given[0].means,
        entity_id=given[0].entity_id,
        at=given[0].given_at or now,
        because=wanted.because or run.because,
        parameters=given[0].parameters,
    )
    undoing = replace(
        wanted,
        means=means.undone_by,
        parameters=means.undo(order) if means.undo and order else {},
        key=f"{wanted.key}:undo",
    )
    await under_way.store.orders.give(None, undoing, now=now, city_now=under_way.around.city_now)


def with_line(run: Run, key: tuple[int, int], **changes: object) -> Run:
    """The run with one line changed."""
    lines = tuple(replace(line, **changes) if line.key == key else line for line in run.lines)
    return replace(run, lines=lines)
