# SPDX-License-Identifier: Apache-2.0
"""One act on cases in one transaction: the row, its history, its counts and what is told, all or nothing."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.acts import Step
from citybrain.kernel.cases.case import Case, CaseChange, CaseEvent, CommentKind, LinkKind, Verb, changes_between
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.refusals import CaseChanged, LinkRefused, NoSuchCase
from citybrain.kernel.cases.rights import Seen, seen
from citybrain.kernel.cases.sealing import Opened, Sealing, Secret, has_words, keep
from citybrain.kernel.cases.words import words_of
from citybrain.kernel.db import Transaction, to_json
from citybrain.kernel.records import Facts

Planner = Callable[[CaseType, Case | None, Case, datetime], Case]
"""Sets times of a case (due_at, warned_at) after an act: type, before, after, now -> after. Pure."""

Watcher = Callable[[Transaction, CaseChange], Awaitable[None]]
"""Told of every act inside its transaction; what it refuses undoes the act."""

Together = Callable[[Transaction, Sequence[CaseChange]], Awaitable[None]]
"""What a watcher does for many acts at once, in few round trips."""

Key = tuple[str, str, str, str, str]  # department, type, state, assignee, phase
NO_FACTS: Facts = {}
NOTHING = Opened(stored=NO_FACTS, clear=NO_FACTS)
WORDED = ("title", "address", "fields", "department")  # what the words of search are made of


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module and of service."""

    columns: str
    event_of: str
    history: str
    number_next: str
    id_next: str
    case_insert: str
    case_change: str
    case_begun: str
    count_add: str
    words_write: str
    comment_insert: str
    comments: str
    link_insert: str
    links: str
    leads_back: str
    share_upsert: str
    share_answer: str
    share_live: str
    shares: str
    held_by: str
    open_of_version: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


def one_case(condition: str) -> str:
    """The query for one case by id, if a condition lets it be seen."""
    return f"SELECT {SQL.columns} FROM city_case c WHERE c.id = %(id)s AND {condition}"  # noqa: S608 our own pieces


CASE_BY_KEY = f"SELECT {SQL.columns} FROM city_case c WHERE c.key = %(key)s"  # noqa: S608 our own pieces


class Hooks(msgspec.Struct, frozen=True):
    """What others have put into every act, in order. `together`: what a watcher does instead when many are opened.

    `sealing` keeps personal fields apart, encrypted.
    """

    planners: list[Planner] = []
    watchers: list[Watcher] = []
    together: dict[Watcher, Together] = {}
    sealing: Sealing = Sealing(None)


class Work:
    """What one act does, to one case or, if so said, to many.

    `by` is whose case it is when somebody takes one: the account, or whom it acts for.
    """

    def __init__(
        self, transaction: Transaction, actor: Actor, now: datetime, hooks: Hooks, *, many: bool = False
    ) -> None:
        self.transaction = transaction
        self.actor = actor
        self.now = now
        self.by = actor.on_behalf_of or actor.account
        self._hooks = hooks
        self._many = many
        self._counts: Counter[Key] = Counter()
        self._opened: dict[int, Opened] = {}

    async def open(self, case: Case) -> Case:
        """A case that is locked with its personal fields in clear, as rules of forms and moves need them."""
        if not has_words(case.fields):
            return case
        opened = self._opened[case.id] = await self._hooks.sealing.open(self.transaction, case)
        return replace(case, fields=opened.clear)

    async def lock(self, id: int, *, expected_version: int | None = None, sight: Seen | None = None) -> Case:
        """A case that the actor sees, ours until the end. Refuses `NoSuchCase`, and `CaseChanged` when it is newer."""
        sight = sight or seen(self.actor)
        query = f"{one_case(sight.condition)} FOR UPDATE OF c"
        rows = await self.transaction.read(query, {"id": id, **sight.params}, as_=Case)
        if not rows:
            raise NoSuchCase("kernel.no_such_case", {"id": id})
        case = rows[0]
        if expected_version not in (None, case.version):
            raise CaseChanged("kernel.case_changed", await self._newer(case))
        return case

    async def _newer(self, case: Case) -> Facts:
        events = await self.transaction.read(SQL.event_of, {"id": case.id, "version": case.version}, as_=CaseEvent)
        told = {name: value for name, value in msgspec.to_builtins(case).items() if name != "fields"}
        last = {"by": events[0].by, "verb": events[0].verb, "at": events[0].at}
        return {"number": case.number, "state": case.state, "case": told, **last}

    async def begin(
        self, case: Case, type: CaseType, *, verb: Verb = Verb.OPEN, facts: Facts = NO_FACTS
    ) -> Case | None:
        """Write a case that is opened; None, and nothing is written, when its key or number is taken."""
        case, secrets = self._sealed(self._planned(type, None, replace(case, changed_at=self.now)), type, NOTHING)
        if not await self.transaction.write(SQL.case_insert, asdict(case)):
            return None
        await keep(self.transaction, secrets)
        await self._write(None, Step(verb=verb, after=case, facts=facts), type)
        return case

    async def record(self, before: Case, step: Step, type: CaseType) -> Case:
        """Write what an act made of a case that is locked; answers with the case as it is now."""
        after = replace(step.after, version=before.version + 1, changed_at=self.now)
        opened = self._opened.get(before.id) or Opened(stored=before.fields, clear=before.fields)
        after, secrets = self._sealed(self._planned(type, before, after), type, opened)
        await keep(self.transaction, secrets)
        before = replace(before, fields=opened.stored)
        await self._write(before, msgspec.structs.replace(step, after=after), type)
        return after

    def _sealed(self, case: Case, type: CaseType, opened: Opened) -> tuple[Case, list[Secret]]:
        """A case as it is stored, and what of it is to be kept apart."""
        sealing = self._hooks.sealing
        if opened.clear is opened.stored and not sealing.sorts(type):
            return case, []
        fields, secrets = sealing.seal(case, type, opened)
        return replace(case, fields=fields), secrets

    def _planned(self, type: CaseType, before: Case | None, after: Case) -> Case:
        for planner in self._hooks.planners:
            after = planner(type, before, after, self.now)
        return after

    async def _write(self, before: Case | None, step: Step, type: CaseType) -> None:
        after = step.after
        changes = changes_between(before, after)
        event = CaseEvent(
            case_id=after.id,
            version=after.version,
            at=self.now,
            verb=step.verb,
            move=step.move,
            by=self.actor.account,
            on_behalf_of=self.actor.on_behalf_of,
            reason=step.reason,
            changes=changes,
            facts=step.facts,
        )
        await self._write_around(before, step, type)
        told = {"payload": to_json(told_of(before, event, after)).decode(), **count_params(self._count(before, after))}
        if before is None:
            await self.transaction.write(SQL.case_begun, {**asdict(event), **told})
        else:
            new_fields = dict(after.fields) if "fields" in changes else None
            params = {**asdict(after), **asdict(event), **told, "new_fields": new_fields}
            await self.transaction.write(SQL.case_change, params)
        said = step.comment[1] if step.comment else ""
        change = CaseChange(type=type, before=before, after=after, event=event, actor=self.actor, said=said)
        for watcher in self._hooks.watchers:
            await watcher(self.transaction, change)

    async def _write_around(self, before: Case | None, step: Step, type: CaseType) -> None:
        """What lies in other tables, where an act changed it."""
        after = step.after
        live = after.phase is not Phase.CLOSED
        crossed = before is not None and live is (before.phase is Phase.CLOSED)
        if before is None or crossed or any(getattr(before, name) != getattr(after, name) for name in WORDED):
            await self.transaction.write(SQL.words_write, {"id": after.id, "words": words_of(after, type)})
        if crossed:
            await self.transaction.write(SQL.share_live, {"id": after.id, "live": live})
        if step.comment:
            await self.comment(after, *step.comment)

    async def comment(self, case: Case, kind: CommentKind, text: str) -> None:
        """Write down what was said about a case."""
        params = {"case_id": case.id, "at": self.now, "by": self.actor.account, "kind": kind, "text": text}
        await self.transaction.write(SQL.comment_insert, {**params, "department": case.department})

    def _count(self, before: Case | None, after: Case) -> Mapping[Key, int]:
        """What an act adds to counts; nothing yet when several cases change, whose counts then come at the end."""
        changed: Counter[Key] = Counter()
        if before is None or counted_as(before) != counted_as(after):
            changed[counted_as(after)] += 1
            if before is not None:
                changed[counted_as(before)] -= 1
        if self._many:
            self._counts.update(changed)
            return {}
        return changed

    async def finish(self) -> None:
        """Add up the counts of several cases, all in one order."""
        changed = {key: n for key, n in self._counts.items() if n}
        if changed:
            await self.transaction.write(SQL.count_add, count_params(changed))


async def put_link(work: Work, from_id: int, to_id: int, kind: LinkKind) -> None:
    """Link two cases; refuses a ring."""
    ring = {"from_id": to_id, "to_id": from_id, "kind": kind}
    if (await work.transaction.read(SQL.leads_back, ring, as_=bool))[0]:
        raise LinkRefused("kernel.case_link_ring", {"from": from_id, "to": to_id, "kind": kind})
    params = {"from_id": from_id, "to_id": to_id, "kind": kind, "at": work.now, "by": work.actor.account}
    await work.transaction.write(SQL.link_insert, params)


def counted_as(case: Case) -> Key:
    """The count that a case is in; those that are closed are nobody's any more."""
    assignee = "" if case.phase is Phase.CLOSED else case.assignee or ""
    return case.department, case.type, case.state, assignee, case.phase


def count_params(changed: Mapping[Key, int]) -> Mapping[str, Sequence[Any]]:
    """Counts as columns."""
    names = ("departments", "types", "states", "assignees", "phases")
    columns = {name: [key[at] for key in changed] for at, name in enumerate(names)}
    return {**columns, "ns": list(changed.values())}


def told_of(before: Case | None, event: CaseEvent, after: Case) -> Facts:
    """What every reader may be told of an act: where the case is, not what it is about."""
    return {
        "id": after.id,
        "number": after.number,
        "type": after.type,
        "version": after.version,
        "verb": event.verb,
        "move": event.move,
        "by": event.by,
        "at": event.at,
        "state": after.state,
        "phase": after.phase,
        "department": after.department,
        "assignee": after.assignee,
        "due_at": after.due_at,
        "was": None
        if before is None
        else {"state": before.state, "department": before.department, "assignee": before.assignee},
    }
