# SPDX-License-Identifier: Apache-2.0
"""Did it help? What an order promises is written down when it was carried out, and looked at when it is due."""

from datetime import datetime

import msgspec

from citybrain.apps.operations.decide.effects import holds, wanted
from citybrain.apps.operations.decide.lines import Move, Run, RunLine, State, Verdict, moved
from citybrain.apps.operations.service.open_runs import OpenRuns, changed_lines
from citybrain.apps.operations.store import runs
from citybrain.apps.operations.store.runs import Check
from citybrain.kernel.app import Effect
from citybrain.kernel.orders import StandingOrder
from citybrain.kernel.records import Json

VERDICTS = {True: Verdict.HELPED, False: Verdict.MISSED, None: Verdict.UNKNOWN}


def value_before(under_way: OpenRuns, order: StandingOrder) -> Json:
    """The value that the order's means promises to change, as it is now; None where it promises nothing."""
    effect = _effect(under_way, order.means)
    if effect is None:
        return None
    around = under_way.around
    return around.seen(around.entity_of(order.entity_id, effect.on), effect.attribute)[0]


async def expected(under_way: OpenRuns, order: StandingOrder, run: Run | None, line: RunLine | None) -> list[Check]:
    """What an order that was carried out promises; nothing where its means promises nothing."""
    effect = _effect(under_way, order.means)
    if effect is None or order.outcome is None:
        return []
    of_entity = under_way.around.entity_of(order.entity_id, effect.on) or ""
    before = await _mean(under_way, effect, of_entity, order.outcome.at)
    if before is None:
        before = under_way.before.get(order.id)
    check = Check(
        order_id=order.id,
        means=order.means,
        entity_id=order.entity_id,
        event_id=order.because.event_id if order.because else None,
        run_id=run.id if run else None,
        line=line.number if line else None,
        part=line.part if line else None,
        attribute=effect.attribute,
        of_entity=of_entity,
        becomes=effect.becomes,
        value=wanted(effect, order.parameters),
        parameters=dict(order.parameters),
        before=value_before(under_way, order) if before is None else before,
        executed_at=order.outcome.at,
        due_at=order.outcome.at if effect.becomes == "ordered" else order.outcome.at + effect.within,
    )
    return [check]


async def note(under_way: OpenRuns, order: StandingOrder) -> None:
    """Write down what an order of a person promises, which no line waits for."""
    checks = await expected(under_way, order, None, None)
    if checks:
        async with under_way.db.transaction() as transaction:
            await runs.add_checks(transaction, checks)
        under_way.expect(checks)


async def hasten(under_way: OpenRuns, line: RunLine) -> None:
    """Look at what a line promises with the next round, though it is not due yet."""
    at = under_way.around.city_now
    if line.order_id is not None and line.checks and await runs.check_now(under_way.db, line.order_id, at=at):
        under_way.next_check = min(under_way.next_check or at, at)


async def look(under_way: OpenRuns, now: datetime) -> None:
    """Hold the values against what is due, and tell the lines."""
    city_now = under_way.around.city_now
    if under_way.next_check is None or under_way.next_check > city_now:
        return
    for check in await runs.due(under_way.db, city_now):
        await _look_at(under_way, check, now, city_now)
    under_way.next_check = await runs.next_due(under_way.db)


async def _look_at(under_way: OpenRuns, check: Check, now: datetime, city_now: datetime) -> None:
    effect = _effect(under_way, check.means)
    after, seen_at = await under_way.around.promised(check.order_id, check.of_entity, check.attribute)
    mean = await _mean(under_way, effect, check.of_entity, city_now) if effect else None
    after = after if mean is None else mean
    anew = seen_at is not None and seen_at > check.executed_at
    kept = holds(effect, check.before, after, check.parameters, anew=anew) if effect else None
    verdict = VERDICTS[kept]
    run = under_way.runs.get(check.run_id or "")
    told = run and _told(run, check, verdict, now, city_now)
    async with under_way.db.transaction() as transaction:
        await runs.write_check(transaction, check.order_id, state=verdict, after=after, at=city_now)
        if run and told:
            await runs.write_lines(transaction, changed_lines(run, told))
    if told:
        under_way.keep(told)


async def _mean(under_way: OpenRuns, effect: Effect, entity_id: str, until: datetime) -> float | None:
    """The mean of what is promised until a time; None where no mean is asked for, or nothing was kept."""
    if effect.mean is None or not entity_id:
        return None
    return await under_way.around.mean(entity_id, effect.attribute, since=until - effect.mean, until=until)


def _told(run: Run, check: Check, verdict: Verdict, now: datetime, city_now: datetime) -> Run:
    line = next((each for each in run.lines if each.order_id == check.order_id), None)
    if line is None or line.state is not State.EXECUTED:
        return run
    after = moved(run, [Move(number=line.number, part=line.part, to=State.CHECKED)], now=now, city_now=city_now)
    lines = tuple(
        msgspec.structs.replace(each, verdict=verdict) if each.key == line.key else each for each in after.lines
    )
    return msgspec.structs.replace(after, lines=lines)


def _effect(under_way: OpenRuns, name: str) -> Effect | None:
    means = under_way.store.orders.trade.means.get(name)
    return means.effect if means else None
