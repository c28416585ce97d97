# SPDX-License-Identifier: Apache-2.0
"""Many cases that began elsewhere, opened in one transaction by the rules of `open`, a thousand in few round trips."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import require
from citybrain.kernel.cases import acts, permitted
from citybrain.kernel.cases.case import Case, CaseChange, CaseEvent, MoveFacts, Opening, Verb, changes_between
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.numbering import fixed_part, number_of
from citybrain.kernel.cases.refusals import LinkRefused, MoveNotYours
from citybrain.kernel.cases.rights import OPEN
from citybrain.kernel.cases.sealing import keep
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.words import words_of
from citybrain.kernel.cases.work import NOTHING, Key, Work, count_params, counted_as, told_of
from citybrain.kernel.cases.work import SQL as WORK_SQL
from citybrain.kernel.db import Database, Transaction, to_json
from citybrain.kernel.errors import Refusal, Unavailable


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    known: str
    ids_next: str
    cases_insert: str
    events_insert: str
    words_insert: str
    tell: str


SQL = sql.load(Path(__file__).with_name("queries_importing.sql"), Sql)


class Old(msgspec.Struct, frozen=True, kw_only=True):
    """A case that began elsewhere, and the move that it makes at once, if any."""

    opening: Opening
    move: str = ""
    facts: MoveFacts = MoveFacts()


Outcome = Case | Refusal | None
"""The case that was written, why it was not, or None when its key was known: then all is as it was."""

Also = Callable[[Transaction, Sequence[Outcome]], Awaitable[None]]
"""Told inside the transaction what became of each: for what must be written together with the cases."""


class _Begun(msgspec.Struct, frozen=True):
    place: int
    case: Case
    type: CaseType


class Importing:
    """Opens many cases at once. What is refused for one leaves the others as they are; the rest is all or nothing.

    A case that is closed from the beginning has no alarms and is told to nobody: nothing of it is still to be done.
    """

    def __init__(self, db: Database, cases: Cases, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._cases = cases
        self._departments = cases.departments
        self._clock = clock

    async def take(self, actor: Actor, olds: Sequence[Old], *, also: Also | None = None) -> list[Outcome]:
        """Open each case once, however often it is sent. Answers with what became of each, in order."""
        now = self._clock()
        outcomes: list[Outcome] = [None] * len(olds)
        begun = await self._begin(actor, olds, outcomes, now)
        async with self._db.transaction() as transaction:
            work = Work(transaction, actor, now, self._cases.hooks, many=True)
            written = await self._write(work, begun, outcomes)
            for each in written:
                outcomes[each.place] = await self._go_on(work, each, olds[each.place])
            await work.finish()
            if also:
                await also(transaction, outcomes)
        return outcomes

    async def _begin(self, actor: Actor, olds: Sequence[Old], outcomes: list[Outcome], now: datetime) -> list[_Begun]:
        """The cases of those that can be opened and are not known, with ids and numbers that nobody else gets."""
        keys = [old.opening.key for old in olds if old.opening.key is not None]
        seen = set(await self._db.read(SQL.known, {"keys": keys}, as_=str)) if keys else set()
        begun: list[_Begun] = []
        by = actor.on_behalf_of or actor.account
        for place, old in enumerate(olds):
            if old.opening.key in seen:
                continue
            try:
                case, type = await self._opened(actor, old.opening, by, now)
                if old.move:
                    step = self._step(actor, case, type, old, now)
                    self._cases.check_form(type, step.after.fields)
            except Unavailable:
                raise
            except Refusal as refusal:
                outcomes[place] = refusal
                continue
            if case.key is not None:
                seen.add(case.key)
            begun.append(_Begun(place, case, type))
        return await self._numbered(begun)

    async def _opened(self, actor: Actor, opening: Opening, by: str, now: datetime) -> tuple[Case, CaseType]:
        require(actor, OPEN, department=opening.department)
        type = await self._cases.types.current(opening.type, now)
        fields = self._cases.check_form(type, opening.fields)
        department = self._departments.successor(opening.department)
        opening = msgspec.structs.replace(opening, fields=fields, department=department)
        case = acts.begin(opening, type, by, now)
        for planner in self._cases.hooks.planners:
            case = planner(type, None, case, now)
        return case, type

    async def _numbered(self, begun: Sequence[_Begun]) -> list[_Begun]:
        if not begun:
            return []
        ids = await self._db.read(SQL.ids_next, {"count": len(begun)}, as_=int)
        scopes: Counter[str] = Counter(_scope(each) for each in begun if not each.case.number)
        running: dict[str, int] = {}
        for scope, count in scopes.items():
            last = await self._db.read(WORK_SQL.number_next, {"scope": scope, "count": count}, as_=int)
            running[scope] = last[0] - count
        numbered = []
        for id, each in zip(ids, begun, strict=True):
            number = each.case.number
            if not number:
                scope = _scope(each)
                running[scope] += 1
                number = number_of(each.type.numbering, scope, running[scope])
            numbered.append(_Begun(each.place, msgspec.structs.replace(each.case, id=id, number=number), each.type))
        return numbered

    async def _write(self, work: Work, begun: Sequence[_Begun], outcomes: list[Outcome]) -> list[_Begun]:
        """Write cases with their history, words and counts, and tell watchers; answers with those that were written."""
        if not begun:
            return []
        transaction = work.transaction
        sealed = [work.sealed(each.case, each.type, NOTHING) for each in begun]
        begun = [_Begun(each.place, case, each.type) for each, (case, _) in zip(begun, sealed, strict=True)]
        cases = to_json([each.case for each in begun]).decode()
        there = set(await transaction.read(SQL.cases_insert, {"cases": cases}, as_=int))
        written = [each for each in begun if each.case.id in there]
        for each in begun:
            if each.case.id not in there:
                outcomes[each.place] = LinkRefused("kernel.case_number_taken", {"number": each.case.number})
        await keep(transaction, [each for case, secrets in sealed if case.id in there for each in secrets])
        changes = [_change(work, each) for each in written]
        events = to_json([change.event for change in changes]).decode()
        await transaction.write(SQL.events_insert, {"events": events})
        words = [{"id": each.case.id, "words": words_of(each.case, each.type)} for each in written]
        await transaction.write(SQL.words_insert, {"words": to_json(words).decode()})
        counted: Counter[Key] = Counter(counted_as(each.case) for each in written)
        if counted:
            await transaction.write(WORK_SQL.count_add, count_params(counted))
        told = [
            told_of(None, change.event, change.after) for change in changes if change.after.phase is not Phase.CLOSED
        ]
        if told:
            await transaction.write(SQL.tell, {"payloads": [to_json(each).decode() for each in told], "at": work.now})
        await self._watched(transaction, changes)
        return written

    async def _watched(self, transaction: Transaction, changes: Sequence[CaseChange]) -> None:
        for watcher in self._cases.hooks.watchers:
            together = self._cases.hooks.together.get(watcher)
            if together:
                await together(transaction, changes)
                continue
            for change in changes:
                await watcher(transaction, change)

    async def _go_on(self, work: Work, begun: _Begun, old: Old) -> Case:
        if not old.move:
            return begun.case
        step = self._step(work.actor, begun.case, begun.type, old, work.now)  # refused before, if at all
        return await work.record(begun.case, step, begun.type)

    def _step(self, actor: Actor, case: Case, type: CaseType, old: Old, now: datetime) -> acts.Step:
        """The move that a case makes at once, by the rules of moves."""
        row = acts.find_move(case, type, old.move)
        if not permitted.may_move(actor, row, case, (), self._departments.within):
            raise MoveNotYours("kernel.case_move_not_yours", {"number": case.number, "move": row.name})
        facts = old.facts
        if facts.department:
            facts = msgspec.structs.replace(facts, department=self._departments.successor(facts.department))
        return acts.make_move(case, type, row, facts, actor.on_behalf_of or actor.account, now)


def _scope(begun: _Begun) -> str:
    return fixed_part(begun.type.numbering, begun.type.id, begun.case.created_at)


def _change(work: Work, begun: _Begun) -> CaseChange:
    case = begun.case
    event = CaseEvent(
        case_id=case.id,
        version=case.version,
        at=work.now,
        verb=Verb.OPEN,
        by=work.actor.account,
        on_behalf_of=work.actor.on_behalf_of,
        changes=changes_between(None, case),
    )
    return CaseChange(type=begun.type, before=None, after=case, event=event, actor=work.actor)
