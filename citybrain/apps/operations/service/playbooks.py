# SPDX-License-Identifier: Apache-2.0
"""What people do with playbooks: make a version, put it in force by one or two persons, take it out, try it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.operations.decide.matching import Choice, Version, choose, conditions
from citybrain.apps.operations.decide.planning import Planned, plan_by
from citybrain.apps.operations.decide.playbook import Playbook, Problem, check, is_marked
from citybrain.apps.operations.decide.trial import Trial, TrialRow, added_up, tried_on
from citybrain.apps.operations.service.operations import Operations, in_state
from citybrain.apps.operations.service.spans import check_span
from citybrain.apps.operations.store import playbooks, runs
from citybrain.apps.operations.store.playbooks import VersionRow, VersionState, VersionView
from citybrain.kernel.access.actor import Actor, Kind
from citybrain.kernel.audit.recording import record
from citybrain.kernel.db import Transaction
from citybrain.kernel.errors import Conflict, Forbidden, NotFound
from citybrain.kernel.records import Because, Event, Facts, Text

SECOND_WITHIN = timedelta(hours=24)
"""So long the second person has to read a playbook."""
EVENTS_AT_MOST = 20_000
YIELD_EVERY = 50
"""After so many events of a trial the city has its turn: all of them take seconds."""
PROPOSE, ACTIVATE = "operations.playbook_propose", "operations.playbook_activate"


class NoSuchPlaybook(NotFound):
    """There is no playbook with this id, or not in this version."""


class NotInForce(Conflict):
    """Nothing of the playbook is in force, so nothing can be taken out of it."""


class AnotherPlaybook(Conflict):
    """The body is of another playbook than the address."""


class AlreadyActive(Conflict):
    """This version is in force already."""


class OtherPersonNeeded(Forbidden):
    """Two persons must put this in force, and this is the same one again, or no person."""


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody wants a version in force; another one must agree until `until`."""

    version: int
    by: str
    at: datetime
    until: datetime


class PlaybookView(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook as people see it: `body` is that of `version`, `active` the version in force.

    `problems` says which lines cannot be used in this city; `usable` that none is so. `two_person`: it takes two to
    put it in force.
    """

    id: str
    name: Text
    shipped: bool
    version: int
    state: VersionState
    active: int | None
    body: Playbook
    conditions: str
    two_person: bool
    usable: bool
    problems: tuple[Problem, ...]
    activation: Activation | None
    versions: tuple[VersionView, ...]
    runs_open: int = 0
    runs: int = 0


class SuggestedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a line would order now, and why it could not."""

    number: int
    part: int
    means: str
    entity_id: str
    parameters: Facts
    approval: str
    waits: bool
    note: Text
    code: str
    facts: Facts


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What a playbook would do about an event now. `wins`: of those in force it is the one that counts."""

    playbook: str
    name: Text
    version: int
    state: VersionState
    wins: bool
    because: Because
    lines: tuple[SuggestedLine, ...]


async def listed(operations: Operations, now: datetime) -> list[PlaybookView]:
    """All playbooks, each in the version in force, or in its newest."""
    counted = await runs.counts(operations.db)
    found: list[PlaybookView] = []
    for id in dict.fromkeys(row.playbook for row in operations.versions):
        view = _view(operations, _rows(operations, id), None, now)
        count = counted.get(id)
        found.append(msgspec.structs.replace(view, runs_open=count.open, runs=count.all) if count else view)
    return found


def look(operations: Operations, id: str, version: int | None, now: datetime) -> PlaybookView:
    """One playbook in one version; without one as it is listed."""
    return _view(operations, _rows(operations, id), version, now)


async def put(operations: Operations, actor: Actor, id: str, playbook: Playbook, *, now: datetime) -> PlaybookView:
    """Make a new version, as a draft. What is in force stays so."""
    if playbook.id != id:
        raise AnotherPlaybook("operations.another_playbook", {"playbook": id, "found": playbook.id})
    check(playbook)
    async with operations.changing:
        async with operations.db.transaction() as transaction:
            version = await playbooks.add(transaction, playbook, by=actor.account, at=now)
            await _note(transaction, actor, "operations.playbook_put", id, version)
        await operations.load()
    return look(operations, id, version, now)


async def activate(
    operations: Operations, actor: Actor, id: str, *, version: int | None = None, now: datetime
) -> PlaybookView:
    """Put a version in force, the newest draft by default; a marked one takes a second person within a day."""
    async with operations.changing:
        row = _wanted(_rows(operations, id), version)
        if row.state is VersionState.ACTIVE:
            raise AlreadyActive("operations.playbook_active", {"playbook": id, "version": row.version})
        second = is_marked(row.body, operations.store.orders.trade.means) and _second(row, actor, now)
        async with operations.db.transaction() as transaction:
            await playbooks.lock(transaction, id)
            if second == "propose":
                await playbooks.propose(transaction, id, row.version, by=actor.account, at=now)
            else:
                await playbooks.activate(transaction, id, row.version, by=actor.account, at=now)
            await _note(transaction, actor, PROPOSE if second == "propose" else ACTIVATE, id, row.version)
        await operations.load()
    return look(operations, id, row.version, now)


async def retire(operations: Operations, actor: Actor, id: str, *, now: datetime) -> PlaybookView:
    """Take a playbook out of force; runs that are open go on."""
    _rows(operations, id)
    async with operations.changing:
        async with operations.db.transaction() as transaction:
            await playbooks.lock(transaction, id)
            if not await playbooks.retire(transaction, id, by=actor.account, at=now):
                raise NotInForce("operations.playbook_not_active", {"playbook": id})
            await _note(transaction, actor, "operations.playbook_retire", id, None)
        await operations.load()
    return look(operations, id, None, now)


async def dry_run(operations: Operations, playbook: Playbook, *, since: datetime, until: datetime) -> Trial:
    """What a playbook would have done about the events of a time. Nothing is ordered. Refuses times that are none."""
    check(playbook)
    check_span(since, until)
    found = await operations.store.journal.events(since=since, until=until, limit=EVENTS_AT_MOST)
    others = [each for each in operations.active if each.playbook.id != playbook.id]
    tried, context = Version(playbook=playbook, version=0), operations.around.context()
    rows: list[TrialRow] = []
    for number, each in enumerate(found, start=1):
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)
        row = tried_on(tried, others, msgspec.convert(each, Event, from_attributes=True), context)
        if row is not None:
            rows.append(row)
    return added_up(len(found), rows)


async def suggestions(operations: Operations, event_id: str) -> list[Suggestion]:
    """What playbooks in force, and the newest drafts, would do about an event now; the one that counts first."""
    event = await _event(operations, event_id)
    context = operations.around.context()
    types = context.types(event.entity_id)
    best = choose(operations.active, event, types, context.zone)
    drafts = {each.playbook.id: each for each in in_state(operations.versions, VersionState.DRAFT)}
    found: list[Suggestion] = []
    for state, versions in ((VersionState.ACTIVE, operations.active), (VersionState.DRAFT, tuple(drafts.values()))):
        for version in versions:
            alone = choose([version], event, types, context.zone)
            wins = best is not None and state is VersionState.ACTIVE and best.chosen == version
            if alone is not None:
                choice: Choice = best if wins and best else alone
                lines = tuple(_suggested(each) for each in plan_by(choice, event, context).lines)
                found.append(_suggestion(choice, state, lines, wins=wins))
    return sorted(found, key=lambda each: not each.wins)


async def _event(operations: Operations, event_id: str) -> Event:
    return msgspec.convert(await operations.store.journal.event(event_id), Event, from_attributes=True)


def _suggestion(choice: Choice, state: VersionState, lines: tuple[SuggestedLine, ...], *, wins: bool) -> Suggestion:
    chosen = choice.chosen
    return Suggestion(
        playbook=chosen.playbook.id,
        name=chosen.playbook.name,
        version=chosen.version,
        state=state,
        wins=wins,
        because=choice.because,
        lines=lines,
    )


def _suggested(planned: Planned) -> SuggestedLine:
    line = planned.line
    return SuggestedLine(
        number=line.number,
        part=planned.part,
        means=line.means,
        entity_id=planned.entity_id,
        parameters=planned.parameters,
        approval=line.approval,
        waits=line.after is not None or line.only_if is not None,
        note=line.note,
        code=planned.code,
        facts=planned.facts,
    )


def _rows(operations: Operations, id: str) -> list[VersionRow]:
    rows = [row for row in operations.versions if row.playbook == id]
    if not rows:
        raise NoSuchPlaybook("operations.no_such_playbook", {"playbook": id})
    return rows


def _wanted(rows: Sequence[VersionRow], version: int | None) -> VersionRow:
    """The version that is named; else the newest draft, else the newest of all."""
    if version is None:
        return next((row for row in reversed(rows) if row.state is VersionState.DRAFT), rows[-1])
    found = next((row for row in rows if row.version == version), None)
    if found is None:
        facts = {"playbook": rows[0].playbook, "version": version}
        raise NoSuchPlaybook("operations.no_such_version", facts)
    return found


def _second(row: VersionRow, actor: Actor, now: datetime) -> str:
    """Whether this is the first or the second person; refuses the same one again, and who is no person."""
    if actor.kind is not Kind.STAFF:
        raise OtherPersonNeeded("operations.playbook_needs_persons", {"playbook": row.playbook})
    waiting = row.proposed_by is not None and row.proposed_at is not None and now - row.proposed_at <= SECOND_WITHIN
    if not waiting:
        return "propose"
    if row.proposed_by in (actor.account, actor.on_behalf_of):
        facts = {"playbook": row.playbook, "name": row.proposed_by, "hours": int(SECOND_WITHIN.total_seconds() // 3600)}
        raise OtherPersonNeeded("operations.playbook_needs_other_person", facts)
    return "activate"


def _view(operations: Operations, rows: Sequence[VersionRow], version: int | None, now: datetime) -> PlaybookView:
    active = next((row for row in rows if row.state is VersionState.ACTIVE), None)
    row = _wanted(rows, version) if version is not None else active or rows[-1]
    hindered = tuple(operations.problems(row.body))
    return PlaybookView(
        id=row.playbook,
        name=row.body.name,
        shipped=row.playbook in operations.shipped,
        version=row.version,
        state=row.state,
        active=active.version if active else None,
        body=row.body,
        conditions=conditions(row.body),
        two_person=is_marked(row.body, operations.store.orders.trade.means),
        usable=not hindered,
        problems=hindered,
        activation=next((found for each in rows if (found := _activation(each, now))), None),
        versions=tuple(msgspec.convert(each, VersionView, from_attributes=True) for each in rows),
    )


def _activation(row: VersionRow, now: datetime) -> Activation | None:
    if row.state is not VersionState.DRAFT or row.proposed_by is None or row.proposed_at is None:
        return None
    until = row.proposed_at + SECOND_WITHIN
    if now > until:
        return None
    return Activation(version=row.version, by=row.proposed_by, at=row.proposed_at, until=until)


async def _note(transaction: Transaction, actor: Actor, act: str, id: str, version: int | None) -> None:
    facts = {"version": version}
    await record(transaction, actor=actor, act=act, object=f"playbook:{id}", facts=facts)
