# SPDX-License-Identifier: Apache-2.0
"""Many cases that began elsewhere, opened in one transaction by the rules of `open`, a thousand in few round trips."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
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
from citybrain.kernel.cases.refusals import LinkRefused, MoveNotYours, NoSuchCaseType
from citybrain.kernel.cases.rights import OPEN
from citybrain.kernel.cases.sealing import Secret, keep
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.words import words_of
from citybrain.kernel.cases.work import NOTHING, Key, Work, count_params, counted_as, told_of
from citybrain.kernel.cases.work import SQL as WORK_SQL
from citybrain.kernel.db import Database, Transaction, to_json
from citybrain.kernel.errors import Refusal


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


class Begun(msgspec.Struct, frozen=True):
    """A case that is ready to be written: by which place of those that came, as it is kept, and all around it."""

    place: int
    case: Case
    type: CaseType
    secrets: Sequence[Secret] = ()
    words: Sequence[str] = ()


class Prepared(msgspec.Struct, frozen=True):
    """What is to be written, and what became already of the others."""

    actor: Actor
    now: datetime
    olds: Sequence[Old]
    begun: Sequence[Begun]
    outcomes: list[Outcome]


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
        return await self.write(await self.prepare(actor, olds), also=also)

    async def prepare(self, actor: Actor, olds: Sequence[Old]) -> Prepared:
        """All that can be done before anything is written, so that it can be done while others are."""
        now = self._clock()
        outcomes: list[Outcome] = [None] * len(olds)
        known = await self._known(self._db, [old.opening.key for old in olds])
        types = await self._types({old.opening.type for old in olds}, now)
        prepared = Prepared(actor, now, olds, [], outcomes)
        begun = await asyncio.to_thread(self._begin, prepared, known, types)
        numbered = await self._numbered(begun)
        return msgspec.structs.replace(prepared, begun=await asyncio.to_thread(self._around, prepared, numbered))

    async def write(self, prepared: Prepared, *, also: Also | None = None) -> list[Outcome]:
        """Write what was prepared, in one transaction."""
        outcomes = list(prepared.outcomes)
        async with self._db.transaction() as transaction:
            work = Work(transaction, prepared.actor, prepared.now, self._cases.hooks, many=True)
            written = await self._write(work, prepared.begun, outcomes)
            for each in written:
                outcomes[each.place] = await self._go_on(work, each, prepared.olds[each.place])
            await work.finish()
            if also:
                await also(transaction, outcomes)
        return outcomes

    async def _known(self, db: Database | Transaction, keys: Sequence[str | None]) -> set[str]:
        asked = [key for key in keys if key is not None]
        return set(await db.read(SQL.known, {"keys": asked}, as_=str)) if asked else set()

    async def _types(self, ids: Iterable[str], now: datetime) -> dict[str, CaseType | Refusal]:
        found: dict[str, CaseType | Refusal] = {}
        for id in ids:
            try:
                found[id] = await self._cases.types.current(id, now)
            except NoSuchCaseType as refusal:
                found[id] = refusal
        return found

    def _begin(self, prepared: Prepared, known: set[str], types: Mapping[str, CaseType | Refusal]) -> list[Begun]:
        """The cases of those that can be opened and are not known."""
        begun: list[Begun] = []
        for place, old in enumerate(prepared.olds):
            if old.opening.key in known:
                continue
            try:
                case, type = self._opened(prepared, old, types[old.opening.type])
            except Refusal as refusal:
                prepared.outcomes[place] = refusal
                continue
            if case.key is not None:
                known.add(case.key)
            begun.append(Begun(place, case, type))
        return begun

    def _opened(self, prepared: Prepared, old: Old, type: CaseType | Refusal) -> tuple[Case, CaseType]:
        actor, now, opening = prepared.actor, prepared.now, old.opening
        require(actor, OPEN, department=opening.department)
        if isinstance(type, Refusal):
            raise type
        fields = self._cases.check_form(type, opening.fields)
        department = self._departments.successor(opening.department)
        opening = msgspec.structs.replace(opening, fields=fields, department=department)
        case = acts.begin(opening, type, actor.on_behalf_of or actor.account, now)
        for planner in self._cases.hooks.planners:
            case = planner(type, None, case, now)
        if old.move:
            step = self._step(actor, case, type, old, now)
            self._cases.check_form(type, step.after.fields)
        return case, type

    def _around(self, prepared: Prepared, begun: Sequence[Begun]) -> list[Begun]:
        """Personal fields apart from their cases, and the words by which these are found."""
        sealing, found = self._cases.hooks.sealing, list[Begun]()
        for each in begun:
            case, secrets = each.case, list[Secret]()
            if sealing and sealing.sorts(each.type):
                fields, secrets = sealing.seal(case, each.type, NOTHING)
                case = msgspec.structs.replace(case, fields=fields)
            found.append(Begun(each.place, case, each.type, secrets, words_of(case, each.type)))
        return found

    async def _numbered(self, begun: Sequence[Begun]) -> list[Begun]:
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
            numbered.append(Begun(each.place, msgspec.structs.replace(each.case, id=id, number=number), each.type))
        return numbered

    async def _write(self, work: Work, begun: Sequence[Begun], outcomes: list[Outcome]) -> list[Begun]:
        """Write cases with their history, words and counts, and tell watchers; answers with those that were written."""
        if not begun:
            return []
        transaction = work.transaction
        cases = to_json([each.case for each in begun]).decode()
        there = set(await transaction.read(SQL.cases_insert, {"cases": cases}, as_=int))
        written = [each for each in begun if each.case.id in there]
        if len(written) < len(begun):
            await self._not_written(transaction, [each for each in begun if each.case.id not in there], outcomes)
        await keep(transaction, [secret for each in written for secret in each.secrets])
        changes = [_change(work, each) for each in written]
        events = to_json([change.event for change in changes]).decode()
        await transaction.write(SQL.events_insert, {"events": events})
        words = [{"id": each.case.id, "words": each.words} for each in written]
        await transaction.write(SQL.words_insert, {"words": to_json(words).decode()})
        counted: Counter[Key] = Counter(counted_as(each.case) for each in written)
        if counted:
            await transaction.write(WORK_SQL.count_add, count_params(counted))
        live = [change for change in changes if change.after.phase is not Phase.CLOSED]
        if live:
            told = [to_json(told_of(None, change.event, change.after)).decode() for change in live]
            await transaction.write(SQL.tell, {"payloads": told, "at": work.now})
        await self._watched(transaction, changes)
        return written

    async def _not_written(self, transaction: Transaction, left: Sequence[Begun], outcomes: list[Outcome]) -> None:
        """Those whose key came to be known since they were prepared are as they were; of others the number is taken."""
        known = await self._known(transaction, [each.case.key for each in left])
        for each in left:
            if each.case.key not in known:
                outcomes[each.place] = LinkRefused("kernel.case_number_taken", {"number": each.case.number})

    async def _watched(self, transaction: Transaction, changes: Sequence[CaseChange]) -> None:
        for watcher in self._cases.hooks.watchers:
            together = self._cases.hooks.together.get(watcher)
            if together:
                await together(transaction, changes)
                continue
            for change in changes:
                await watcher(transaction, change)

    async def _go_on(self, work: Work, begun: Begun, old: Old) -> Case:
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
            facts = msgspec.structs.replace(facts, department=self._departments.living(facts.department))
        return acts.make_move(case, type, row, facts, actor.on_behalf_of or actor.account, now)


def _scope(begun: Begun) -> str:
    return fixed_part(begun.type.numbering, begun.type.id, begun.case.created_at)


def _change(work: Work, begun: Begun) -> CaseChange:
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
