# SPDX-License-Identifier: Apache-2.0
"""From committed events to runs: which event is new, by which playbook it is handled, what was done already."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.operations.decide.conditions import asked_of
from citybrain.apps.operations.decide.lines import (
    SETTLES,
    Move,
    Run,
    RunLine,
    RunState,
    State,
    advance,
    moved,
)
from citybrain.apps.operations.decide.planning import Plan, Planned, plan
from citybrain.apps.operations.service import ordering
from citybrain.apps.operations.service.open_runs import OpenRuns, changed_lines
from citybrain.apps.operations.store import runs
from citybrain.apps.operations.store.runs import Done
from citybrain.kernel.clock import new_id
from citybrain.kernel.outbox import Told
from citybrain.kernel.records import Event

PAGE = 500
AT_ONCE = 4
AGAIN_WITHIN = timedelta(minutes=10)
"""What was ordered for an event of the same kind at the same place not longer ago (city time) is not ordered again:
an event that comes back after a restart, or flickers, is the same trouble."""

_events = msgspec.json.Decoder(Event)


async def take_events(under_way: OpenRuns, now: datetime) -> None:
    """Deal with all events that were committed since the last time, in their order, page by page."""
    while page := await under_way.store.outbox.since(under_way.position, topic="event", limit=PAGE):
        touched = [under_way.runs[id] for id in await _take(under_way, page, now) if id in under_way.runs]
        # The worst first, a few side by side: what they wait for is the database.
        touched.sort(key=lambda run: run.severity)
        for few in batched(touched, AT_ONCE):
            await _together(under_way, few, now)


async def _together(under_way: OpenRuns, few: Sequence[Run], now: datetime) -> None:
    """Turn some runs side by side; all have come to an end before a failure of one is told."""
    ended = await asyncio.gather(*(ordering.turn(under_way, run, now) for run in few), return_exceptions=True)
    for failure in ended:
        if isinstance(failure, BaseException):
            raise failure


def batched(runs_: Sequence[Run], size: int) -> Iterable[Sequence[Run]]:
    """The runs in portions."""
    return (runs_[at : at + size] for at in range(0, len(runs_), size))


async def _take(under_way: OpenRuns, page: Sequence[Told], now: datetime) -> list[str]:
    """Commit what a page means: new runs, what is new of open ones, and how far we came. Answers with those runs."""
    events = {event.id: event for told in page for event in [_events.decode(told.payload)]}
    new = await _new_runs(under_way, events, now)
    known = [(run, _told(run, events[run.event_id])) for id in events for run in under_way.of(id)]
    places = {(run.kind, run.entity_id) for run in new}
    gone = [run for run in under_way.runs.values() if run.event_ended_at and (run.kind, run.entity_id) in places]
    known += [(run, run) for run in gone if run.event_id not in events]
    known = [(was, _superseded(run, new, under_way, now)) for was, run in known]
    changed = [(was, run) for was, run in known if was != run]
    async with under_way.db.transaction() as transaction:
        await runs.add(transaction, new)
        await runs.write(transaction, [run for _, run in changed])
        await runs.write_lines(transaction, [line for was, run in changed for line in changed_lines(was, run)])
        await runs.move_on(transaction, page[-1].id)
    under_way.position = page[-1].id
    for run in (*(run for _, run in changed), *new):
        under_way.keep(run)
    return [run.id for run in (*(run for _, run in changed), *new)]


async def _new_runs(under_way: OpenRuns, events: dict[str, Event], now: datetime) -> list[Run]:
    city_now = under_way.around.city_now
    wanted = [event for event in events.values() if _is_ours(under_way, event, city_now)]
    if not wanted:
        return []
    storms = await runs.groups(under_way.db, {each.group for each in wanted if each.group})
    known = await runs.known(under_way.db, [each.id for each in wanted])
    with_run = {event for event, _ in known}
    context = under_way.around.context()
    found: list[tuple[Event, Plan]] = []
    for event in wanted:
        planned = plan(event, under_way.operations.active, context)
        under_way.remember(event.id, event.severity)
        if planned is None or (event.id, planned.choice.chosen.playbook.id) in known:
            continue
        if event.group in storms and event.id not in with_run:
            continue
        found.append((event, planned))
    if not found:
        return []
    since = min(event.at for event, _ in found) - AGAIN_WITHIN
    done = await runs.done_lately(under_way.db, {event.entity_id for event, _ in found}, since)
    return [_begun(under_way, event, planned, done, now) for event, planned in found]


def _is_ours(under_way: OpenRuns, event: Event, city_now: datetime) -> bool:
    """Not a sign of another event, nor one of a storm but its head, nor over, nor planned as bad as it is."""
    if event.evidence.get("merged_into") or event.group not in (None, event.id):
        return False
    if event.ended_at is not None and city_now >= event.ended_at + SETTLES:
        return False
    return under_way.planned.get(event.id) != event.severity


def _begun(under_way: OpenRuns, event: Event, planned: Plan, done: set[Done], now: datetime) -> Run:
    """A new run, with its first lines due or proposed already."""
    chosen = planned.choice.chosen
    city_now = under_way.around.city_now
    run = Run(
        id=new_id(),
        event_id=event.id,
        kind=event.kind,
        severity=event.severity,
        entity_id=event.entity_id,
        group=event.group,
        playbook=chosen.playbook.id,
        playbook_version=chosen.version,
        because=planned.choice.because,
        state=RunState.OPEN,
        started_at=now,
        city_at=city_now,
        event_at=event.at,
        event_ended_at=event.ended_at,
        evidence=asked_of(chosen.playbook.lines, event.evidence),
        lines=tuple(_line(under_way, event, each, done, now) for each in planned.lines),
    )
    return moved(run, advance(run, under_way.world(now)), now=now, city_now=city_now)


def _line(under_way: OpenRuns, event: Event, planned: Planned, done: set[Done], now: datetime) -> RunLine:
    means = under_way.store.orders.trade.means.get(planned.line.means)
    before = Done.of(event.kind, event.entity_id, planned.line.means, planned.entity_id, planned.parameters)
    again = before in done
    return RunLine(
        number=planned.line.number,
        part=planned.part,
        spec=planned.line,
        entity_id=planned.entity_id,
        parameters=planned.parameters,
        state=State.SKIPPED if again else State.WAITING,
        code="operations.line_done_before" if again else "",
        at=now,
        city_at=under_way.around.city_now,
        two_person=means is not None and means.two_person,
    )


def _told(run: Run, event: Event) -> Run:
    evidence = asked_of((line.spec for line in run.lines), event.evidence)
    return msgspec.structs.replace(run, event_ended_at=event.ended_at, severity=event.severity, evidence=evidence)


def _follows(newer: Run, run: Run) -> bool:
    return run.event_ended_at is not None and (newer.kind, newer.entity_id) == (run.kind, run.entity_id)


def _superseded(run: Run, new: Sequence[Run], under_way: OpenRuns, now: datetime) -> Run:
    """What an older run still waits for is left to the newer one: of the same event, which became worse, or of one like
    it at the same place, which came when it had ended."""
    newer = next((each for each in new if each.event_id == run.event_id or _follows(each, run)), None)
    if newer is None:
        return run
    moves = [
        Move(
            number=line.number,
            part=line.part,
            to=State.SKIPPED,
            code="operations.line_superseded",
            facts={"playbook": newer.playbook},
        )
        for line in run.lines
        if line.state in (State.WAITING, State.PROPOSED)
    ]
    return moved(run, moves, now=now, city_now=under_way.around.city_now)
