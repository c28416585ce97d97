# SPDX-License-Identifier: Apache-2.0
"""The verbs of cases: each one transaction, with rights, rules, history, counts and what is told."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec.structs import replace

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import NotPermitted, fields, require
from citybrain.kernel.cases import acts, permitted
from citybrain.kernel.cases.acts import Edit, How, Step, Time
from citybrain.kernel.cases.case import (
    Case,
    CaseEvent,
    Comment,
    CommentKind,
    Link,
    LinkKind,
    MoveFacts,
    Opening,
    Share,
    Story,
    Verb,
)
from citybrain.kernel.cases.case_type import CaseType, Move, Phase
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.departments import Departments, Single
from citybrain.kernel.cases.finding import Finding
from citybrain.kernel.cases.form import check_form
from citybrain.kernel.cases.numbering import fixed_part, number_of
from citybrain.kernel.cases.permitted import NEEDED, NEEDED_ANYWHERE
from citybrain.kernel.cases.query import CaseQuery, Page
from citybrain.kernel.cases.refusals import (
    LinkRefused,
    MoveNotYours,
    NoSuchCase,
    NotShared,
    SomethingMissing,
    TransferRefused,
)
from citybrain.kernel.cases.rights import ASSIGN, OPEN, VIEW, Seen, seen, seen_to_review, works_on
from citybrain.kernel.cases.work import CASE_BY_KEY, SQL, Hooks, Watcher, Work, one_case, put_link
from citybrain.kernel.db import Database

HAND_OVER_AT_ONCE = 200
NO_FACTS = MoveFacts()


class Cases:
    """The cases of one city. `clock` says what time it is; `departments` answers afresh each time it is asked.

    Every verb needs `case.view` to see the case and its own permission to work on it. With `expected_version` a case
    that somebody changed meanwhile is refused as `CaseChanged`, which says what it is now and who did it.
    Others put themselves into `hooks`: planners set times, watchers are told inside the transaction. Personal fields
    are masked in what is read here, and in answers of verbs and for watchers a word stands for each.
    """

    def __init__(
        self, db: Database, types: CaseTypes, clock: Callable[[], datetime], departments: Departments | None = None
    ) -> None:
        self._db = db
        self._clock = clock
        self.departments = departments or Single()
        self.types = types
        self.hooks = Hooks(planners=[], watchers=[])
        self.check_form = check_form
        self.finding = Finding(db, clock)

    async def open(self, actor: Actor, opening: Opening, *, also: Watcher | None = None) -> Case:
        """Begin a case in its type's first state. With a key that is known it is the case which has that key.

        `also` is told inside the transaction, as watchers are: for what must be written together with the case.
        """
        require(actor, OPEN, department=opening.department)
        known = await self._by_key(opening.key)
        if known:
            return known
        now = self._clock()
        case, type = await self._numbered(actor, opening, now)
        async with self._working(actor, now, also) as work:
            opened = await work.begin(case, type)
        if opened is not None:
            return opened
        known = await self._by_key(opening.key)
        if known is None:
            raise LinkRefused("kernel.case_number_taken", {"number": case.number})
        return known

    async def _numbered(self, actor: Actor, opening: Opening, now: datetime) -> tuple[Case, CaseType]:
        """The case of an opening with its id and number, which nobody else gets, whether it is written or not."""
        type = await self.types.current(opening.type, now)
        fields = self.check_form(type, opening.fields)
        department = self.departments.successor(opening.department)
        opening = replace(opening, fields=fields, department=department)
        case = acts.begin(opening, type, actor.on_behalf_of or actor.account, now)
        id = (await self._db.read(SQL.id_next, as_=int))[0]
        number = case.number or await self._number(type, case.created_at)
        return replace(case, id=id, number=number), type

    async def _number(self, type: CaseType, at: datetime) -> str:
        fixed = fixed_part(type.numbering, type.id, at)
        running = (await self._db.read(SQL.number_next, {"scope": fixed, "count": 1}, as_=int))[0]
        return number_of(type.numbering, fixed, running)

    async def _by_key(self, key: str | None) -> Case | None:
        """The case that was opened with a key, whoever asks: its opener sends it again."""
        return None if key is None else await self._db.read_one(CASE_BY_KEY, {"key": key}, as_=Case)

    async def get(self, actor: Actor, id: int, *, to_review: bool = False) -> Case:
        """A case that the actor sees, or has `to_review`; refuses `NoSuchCase`, none or another's alike."""
        sight = seen_to_review(actor) if to_review else seen(actor)
        return (await self.covered(actor, await self._stored(sight, id)))[0]

    async def _stored(self, sight: Seen, id: int) -> Case:
        found = await self._db.read_one(one_case(sight.condition), {"id": id, **sight.params}, as_=Case)
        if found is None:
            raise NoSuchCase("kernel.no_such_case", {"id": id})
        return found

    async def covered(self, actor: Actor, *cases: Case) -> tuple[Case, ...]:
        """Cases with their sealed fields masked, or hidden, as a verb's answer is before anybody sees it."""
        return await self.hooks.sealing.cover(self._db, cases, fields(actor, VIEW))

    async def find(self, actor: Actor, query: CaseQuery) -> Page:
        """Cases that the actor sees, page by page."""
        page = await self.finding.find(actor, query, self.hooks.sealing.marks(query.identifier))
        return replace(page, cases=await self.covered(actor, *page.cases))

    async def history(self, actor: Actor, id: int) -> list[CaseEvent]:
        """Everything that was done with a case, in order, sealed fields as they are stored."""
        await self.get(actor, id)
        return await self._db.read(SQL.history, {"id": id}, as_=CaseEvent)

    async def story(self, actor: Actor, id: int) -> Story:
        """A case with all that is told of it, for its reviewer too. Linked cases may be out of the actor's sight."""
        events = await self._db.read(SQL.history, {"id": id}, as_=CaseEvent)
        return Story(
            case=await self.get(actor, id, to_review=True),
            events=await self.hooks.sealing.cover_events(self._db, events, fields(actor, VIEW)),
            comments=tuple(await self._db.read(SQL.comments, {"id": id}, as_=Comment)),
            links=tuple(await self._db.read(SQL.links, {"id": id}, as_=Link)),
            shares=tuple(await self._db.read(SQL.shares, {"id": id}, as_=Share)),
        )

    async def moves(self, actor: Actor, case: Case) -> list[Move]:
        """The moves that this actor may make with a case as it stands."""
        type = await self.types.get(case.type, case.type_version)
        shares = await self._db.read(SQL.shares, {"id": case.id}, as_=Share)
        helpers = [share.department for share in shares if share.answered_at is None]
        within = self.departments.within
        return [row for row in type.moves_from(case.state) if permitted.may_move(actor, row, case, helpers, within)]

    async def move(
        self, actor: Actor, id: int, move: str, facts: MoveFacts = NO_FACTS, *, expected_version: int | None = None
    ) -> Case:
        """Make a move of the table. Refuses one that is not in it, not the actor's, or comes without what it needs."""
        async with self._on(actor, id, None, expected_version) as (work, case, type):
            row = acts.find_move(case, type, move)
            return await self._along(work, case, type, row, facts)

    async def suspend(
        self, actor: Actor, id: int, reason: str, *, move: str | None = None, expected_version: int | None = None
    ) -> Case:
        """Let a case rest, by the one move to a suspended state (or the named one); its time limits stand still."""
        how = How(Verb.SUSPEND, Phase.SUSPENDED, move, expected_version)
        return await self._to_phase(actor, id, MoveFacts(reason=reason), how)

    async def resume(
        self, actor: Actor, id: int, reason: str = "", *, move: str | None = None, expected_version: int | None = None
    ) -> Case:
        """Go on with a case that rested."""
        how = How(Verb.RESUME, Phase.OPEN, move, expected_version)
        return await self._to_phase(actor, id, MoveFacts(reason=reason), how)

    async def reopen(
        self, actor: Actor, id: int, reason: str, *, move: str | None = None, expected_version: int | None = None
    ) -> Case:
        """Take up again a case that was closed."""
        how = How(Verb.REOPEN, Phase.OPEN, move, expected_version)
        return await self._to_phase(actor, id, MoveFacts(reason=reason), how)

    async def _to_phase(self, actor: Actor, id: int, facts: MoveFacts, how: How) -> Case:
        async with self._on(actor, id, None, how.expected_version) as (work, case, type):
            fits = (case.phase is Phase.CLOSED) is (how.verb is Verb.REOPEN)
            row = acts.find_move_to(case, type, how.phase if fits else case.phase, how.move)
            return await self._along(work, case, type, row, facts, how.verb)

    async def _along(
        self, work: Work, case: Case, type: CaseType, move: Move, facts: MoveFacts, verb: Verb = Verb.MOVE
    ) -> Case:
        helpers: list[str] = []
        if move.helpers:
            shares = await work.transaction.read(SQL.shares, {"id": case.id}, as_=Share)
            helpers = [share.department for share in shares if share.answered_at is None]
        if not permitted.may_move(work.actor, move, case, helpers, self.departments.within):
            raise MoveNotYours("kernel.case_move_not_yours", {"number": case.number, "move": move.name})
        if facts.department:
            facts = replace(facts, department=self.departments.living(facts.department))
        step = acts.make_move(case, type, move, facts, work.by, work.now)
        if facts.assignee and step.after.assignee == facts.assignee:
            await self.departments.check_works(work.transaction, facts.assignee, step.after.department, work.now)
        if facts.fields:
            fields = self.check_form(type, step.after.fields)
            step = replace(step, after=replace(step.after, fields=fields))
        return await work.record(case, replace(step, verb=verb), type)

    async def assign(
        self, actor: Actor, id: int, assignee: str, *, reason: str = "", expected_version: int | None = None
    ) -> Case:
        """Give a case to somebody."""
        async with self._on(actor, id, Verb.ASSIGN, expected_version) as (work, case, type):
            await self.departments.check_works(work.transaction, assignee, case.department, work.now)
            return await work.record(case, acts.assign(case, assignee, reason), type)

    async def take(self, actor: Actor, id: int, *, expected_version: int | None = None) -> Case:
        """Take a case out of the pool."""
        async with self._on(actor, id, Verb.TAKE, expected_version) as (work, case, type):
            return await work.record(case, acts.take(case, work.by), type)

    async def to_pool(self, actor: Actor, id: int, reason: str = "", *, expected_version: int | None = None) -> Case:
        """Put a case back for others; another's case needs `case.assign`."""
        async with self._on(actor, id, Verb.TO_POOL, expected_version) as (work, case, type):
            if not permitted.may_put_back(actor, case):
                raise MoveNotYours("kernel.case_move_not_yours", {"number": case.number, "move": Verb.TO_POOL})
            return await work.record(case, acts.to_pool(case, reason), type)

    async def transfer(
        self, actor: Actor, id: int, department: str, reason: str, *, expected_version: int | None = None
    ) -> Case:
        """Hand a case on to another department, as often as its type lets; a dissolved one's successor gets it."""
        async with self._on(actor, id, Verb.TRANSFER, expected_version) as (work, case, type):
            to = self.departments.living(department)
            return await work.record(case, acts.transfer(case, type, to, reason, work.now), type)

    async def give_back(self, actor: Actor, id: int, reason: str, *, expected_version: int | None = None) -> Case:
        """Return a case to the department it came from, if its type lets this actor."""
        async with self._on(actor, id, Verb.RETURN, expected_version) as (work, case, type):
            if not permitted.may_give_back(actor, case, type, self.departments.within):
                raise TransferRefused("kernel.case_return_not_yours", {"number": case.number})
            if case.came_from:
                case = replace(case, came_from=self.departments.successor(case.came_from))
            return await work.record(case, acts.give_back(case, type, reason, work.now), type)

    async def edit(self, actor: Actor, id: int, edits: Edit, *, expected_version: int | None = None) -> Case:
        """Correct what is known of a case."""
        async with self._on(actor, id, Verb.EDIT, expected_version) as (work, case, type):
            step = acts.edit(case, edits)
            if edits.fields:
                fields = self.check_form(type, step.after.fields)
                step = replace(step, after=replace(step.after, fields=fields))
            return await work.record(case, step, type)

    async def plan(
        self, actor: Actor, id: int, time: Time, reason: str = "", *, expected_version: int | None = None
    ) -> Case:
        """Set the times of a case: an extension that was granted, a warning that was given."""
        async with self._on(actor, id, Verb.PLAN, expected_version) as (work, case, type):
            return await work.record(case, acts.plan(case, time, reason), type)

    async def comment(self, actor: Actor, id: int, kind: CommentKind, text: str) -> Case:
        """Say something about a case; departments that help may too."""
        async with self._on(actor, id, Verb.COMMENT, None) as (work, case, type):
            if not text.strip():
                raise SomethingMissing("kernel.case_something_missing", {"move": Verb.COMMENT, "missing": ["text"]})
            step = Step(verb=Verb.COMMENT, after=case, facts={"kind": kind}, comment=(kind, text))
            return await work.record(case, step, type)

    async def join(
        self, actor: Actor, id: int, department: str, task: str, *, expected_version: int | None = None
    ) -> Case:
        """Ask another department to help; it then sees the case. The one that holds the case leads."""
        async with self._on(actor, id, Verb.JOIN, expected_version) as (work, case, type):
            department = self.departments.living(department)
            if department == case.department:
                facts = {"number": case.number, "department": department}
                raise TransferRefused("kernel.case_already_there", facts)
            asked = {"case_id": id, "department": department, "task": task}
            live = case.phase is not Phase.CLOSED
            params = {**asked, "asked_by": actor.account, "asked_at": work.now, "live": live}
            await work.transaction.write(SQL.share_upsert, params)
            step = Step(verb=Verb.JOIN, after=case, reason=task, facts={"department": department})
            return await work.record(case, step, type)

    async def leave(
        self, actor: Actor, id: int, department: str, answer: str, *, expected_version: int | None = None
    ) -> Case:
        """Say that a helping department has done its part; it still sees the case."""
        async with self._on(actor, id, Verb.LEAVE, expected_version) as (work, case, type):
            if not permitted.may_answer_for(actor, case, department):
                raise MoveNotYours("kernel.case_move_not_yours", {"number": case.number, "move": Verb.LEAVE})
            params = {"case_id": id, "department": department, "answer": answer}
            if not await work.transaction.write(SQL.share_answer, {**params, "by": actor.account, "at": work.now}):
                raise NotShared("kernel.case_not_shared", {"number": case.number, "department": department})
            step = Step(verb=Verb.LEAVE, after=case, reason=answer, facts={"department": department})
            return await work.record(case, step, type)

    async def link(self, actor: Actor, from_id: int, to_id: int, kind: LinkKind) -> Case:
        """Say what a case has to do with another one that the actor sees; refuses a ring."""
        await self.get(actor, to_id)
        async with self._on(actor, from_id, Verb.LINK, None) as (work, case, type):
            await put_link(work, from_id, to_id, kind)
            step = Step(verb=Verb.LINK, after=case, facts={"to": to_id, "kind": kind})
            return await work.record(case, step, type)

    async def merge(self, actor: Actor, into: int, ids: Sequence[int], reason: str) -> Case:
        """Close cases as duplicates of another one, all or none; answers with the one that goes on."""
        now = self._clock()
        async with self._working(actor, now, many=True) as work:
            locked = {id: await work.lock(id) for id in sorted({into, *ids})}
            main = locked.pop(into)
            for id, case in locked.items():
                self._check_works(actor, NEEDED[Verb.MERGE], case)
                type = await self.types.get(case.type, case.type_version, within=work.transaction)
                await put_link(work, id, into, LinkKind.DUPLICATE_OF)
                await work.record(case, acts.merge(case, main, type, reason, now), type)
            self._check_works(actor, NEEDED[Verb.MERGE], main)
            numbers = [case.number for case in locked.values()]
            step = Step(verb=Verb.MERGE, after=main, reason=reason, facts={"merged": list(locked), "numbers": numbers})
            type = await self.types.get(main.type, main.type_version, within=work.transaction)
            return await work.record(main, step, type)

    async def split(self, actor: Actor, id: int, openings: Sequence[Opening]) -> list[Case]:
        """Begin a case for each part of one, all or none, with it as their parent; it stays as it is."""
        for opening in openings:
            require(actor, OPEN, department=opening.department)
        whole, sealing = await self._stored(seen(actor), id), self.hooks.sealing
        openings = [await sealing.of_part(self._db, whole, each) for each in openings]
        parts = [await self._numbered(actor, opening, self._clock()) for opening in openings]
        async with self._on(actor, id, Verb.SPLIT, None, many=True) as (work, parent, type):
            facts = {"parent": id, "number": parent.number}
            begun = [await work.begin(part, its, verb=Verb.SPLIT, facts=facts) for part, its in parts]
            opened = [part for part in begun if part is not None]
            if len(opened) < len(parts):
                raise LinkRefused("kernel.case_number_taken", {"number": parent.number})
            for part in opened:
                await put_link(work, part.id, id, LinkKind.PARENT)
            told = {"parts": [part.id for part in opened], "numbers": [part.number for part in opened]}
            await work.record(parent, Step(verb=Verb.SPLIT, after=parent, facts=told), type)
        return opened

    async def hand_over(self, actor: Actor, department: str, reason: str) -> int:
        """Give all open cases of a dissolved department to its successor; answers with how many that were.

        Each is an act of its own, so it may be stopped and begun again.
        """
        require(actor, ASSIGN, department=department)
        to = self.departments.successor(department)
        count = 0
        while to != department:
            params = {"department": department, "after": 0, "limit": HAND_OVER_AT_ONCE}
            ids = await self._db.read(SQL.held_by, params, as_=int)
            if not ids:
                break
            for id in ids:
                async with self._on(actor, id, Verb.ASSIGN, None) as (work, case, type):
                    after = replace(acts.pass_to(case, to), came_from=None)
                    await work.record(case, Step(verb=Verb.TRANSFER, after=after, reason=reason), type)
            count += len(ids)
        return count

    async def convert(self, actor: Actor, id: int, version: int, *, expected_version: int | None = None) -> Case:
        """Let an open case go on under another version of its type; refuses one that does not know its state."""
        async with self._on(actor, id, Verb.CONVERT, expected_version) as (work, case, _):
            newer = await self.types.get(case.type, version, within=work.transaction)
            self.check_form(newer, case.fields)
            return await work.record(case, acts.convert(case, newer), newer)

    @asynccontextmanager
    async def _working(
        self, actor: Actor, now: datetime, also: Watcher | None = None, *, many: bool = False
    ) -> AsyncIterator[Work]:
        """One transaction in which all is written or nothing."""
        hooks = replace(self.hooks, watchers=[*self.hooks.watchers, *([also] if also else [])])
        async with self._db.transaction() as transaction:
            work = Work(transaction, actor, now, hooks, many=many)
            yield work
            await work.finish()

    @asynccontextmanager
    async def _on(
        self, actor: Actor, id: int, verb: Verb | None, expected_version: int | None, *, many: bool = False
    ) -> AsyncIterator[tuple[Work, Case, CaseType]]:
        """One case, locked and seen, on which the actor may do what the verb needs, if one is named."""
        async with self._working(actor, self._clock(), many=many) as work:
            case = await work.lock(id, expected_version=expected_version)
            if verb and verb in NEEDED:
                self._check_works(actor, NEEDED[verb], case)
            if verb and verb in NEEDED_ANYWHERE:
                require(actor, NEEDED_ANYWHERE[verb])
            type = await self.types.get(case.type, case.type_version, within=work.transaction)
            yield work, await work.open(case), type

    def _check_works(self, actor: Actor, permission: str, case: Case) -> None:
        if not works_on(actor, permission, case):
            facts = {"permission": permission, "name": actor.name, "department": case.department}
            raise NotPermitted("kernel.not_permitted", facts)
