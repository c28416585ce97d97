# SPDX-License-Identifier: Apache-2.0
"""Processes of cases with branches that go on at the same time: stored with every step, so a kill loses nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import reach, require
from citybrain.kernel.cases.acts import Step
from citybrain.kernel.cases.alarms import BRAIN, Set
from citybrain.kernel.cases.bpmn import Model, read_model
from citybrain.kernel.cases.case import Case, Verb
from citybrain.kernel.cases.lengths import after, read_length
from citybrain.kernel.cases.refusals import MoveNotYours
from citybrain.kernel.cases.rights import TYPES, WORK, seen, works_on
from citybrain.kernel.cases.running import Running, Task
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.work import Work
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.records import Facts, Json


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    model_put: str
    model_get: str
    process_insert: str
    process_get: str
    process_lock: str
    process_update: str
    tasks_clear: str
    task_insert: str
    tasks_of_lanes: str
    timers_clear: str
    timer_set: str


SQL = sql.load(Path(__file__).with_name("queries_processes.sql"), Sql)


class NoSuchProcess(NotFound):
    """The version of the type has no process, or none was started for the case."""


class ProcessThere(Conflict):
    """The version has a process already, or the case has one: neither is put in place of the other."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where the process of a case stands; `version` counts its steps."""

    case_id: int
    version: int
    is_over: bool
    tasks: tuple[Task, ...]


class TaskRow(Task, frozen=True, kw_only=True):
    """A task in a list, with its case."""

    case_id: int
    number: str
    title: str
    due_at: datetime | None


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    case_id: int
    type: str
    type_version: int
    state: str
    version: int
    is_over: bool
    changed_at: datetime


class Processes:
    """The processes of one city."""

    def __init__(self, db: Database, cases: Cases, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._cases = cases
        self._clock = clock

    async def put(self, actor: Actor, type: str, version: int, xml: str) -> None:
        """Store the process of a version of a type: a BPMN file that can be run. Once: versions do not change.

        Refuses `ModelUnusable` with the elements that are wrong.
        """
        require(actor, TYPES)
        await self._cases.types.get(type, version)
        read_model(xml)
        params = {"type": type, "version": version, "xml": xml, "by": actor.account, "at": self._clock()}
        if not await self._db.write(SQL.model_put, params):
            raise ProcessThere("kernel.process_there", {"type": type, "version": version})

    async def xml(self, type: str, version: int) -> str:
        """The BPMN file of a version of a type; refuses `NoSuchProcess`."""
        found = await self._db.read_one(SQL.model_get, {"type": type, "version": version}, as_=str)
        if found is None:
            raise NoSuchProcess("kernel.no_such_process", {"case": f"{type} {version}"})
        return found

    async def start(self, actor: Actor, case_id: int) -> Standing:
        """Begin the process of a case. Conditions see the case as it is now, as `case`, with its form in `fields`."""
        case = await self._cases.get(actor, case_id)
        model = _model(await self.xml(case.type, case.type_version))
        async with self._db.transaction() as transaction:
            work = Work(transaction, actor, self._clock(), self._cases.hooks)
            case = await self._locked(work, actor, case_id, "")
            running = Running.start(model, {"case": _known(case)})
            params = {"case_id": case_id, "type": case.type, "type_version": case.type_version}
            stored = {"state": running.store(), "is_over": running.is_over, "now": work.now}
            if not await transaction.write(SQL.process_insert, {**params, **stored}):
                raise ProcessThere("kernel.process_there", {"type": case.number, "version": ""})
            await self._show(work, case_id, running)
            await self._tell(work, case, {"started": True, "over": running.is_over})
            await work.finish()
        return _standing(case_id, 1, running)

    async def standing(self, actor: Actor, case_id: int) -> Standing:
        """What is to be done now, for those who see the case or review it; refuses `NoSuchProcess`."""
        await self._cases.get(actor, case_id, to_review=True)
        row = await self._db.read_one(SQL.process_get, {"case_id": case_id}, as_=_Row)
        if row is None:
            raise NoSuchProcess("kernel.no_such_process", {"case": case_id})
        return _standing(case_id, row.version, Running.restore(row.state))

    async def complete(self, actor: Actor, case_id: int, task: str, data: Mapping[str, Json]) -> Standing:
        """Somebody has done a task: those who work on the case, and the department whose lane it is in.

        What they say is known to the conditions that follow. Refuses `NoSuchTask` when it was done already.
        """
        async with self._db.transaction() as transaction:
            work = Work(transaction, actor, self._clock(), self._cases.hooks)
            rows = await transaction.read(SQL.process_get, {"case_id": case_id}, as_=_Row)
            lanes = {each.task: each.lane for each in Running.restore(rows[0].state).tasks()} if rows else {}
            case = await self._locked(work, actor, case_id, lanes.get(task, ""))
            row = await self._row(work, case_id)
            running = Running.restore(row.state)
            done = next((each.element for each in running.tasks() if each.task == task), "")
            running.complete(task, data)
            await self._store(work, case_id, running)
            await self._tell(work, case, {"task": done, "over": running.is_over})
            await work.finish()
        return _standing(case_id, row.version + 1, running)

    async def tasks(self, actor: Actor, *, limit: int = 200) -> list[TaskRow]:
        """What departments have to do in processes whose work the actor does, the soonest due first."""
        require(actor, WORK)
        found = reach(actor, WORK)
        lanes = None if found.all else sorted(found.departments)
        return await self._db.read(SQL.tasks_of_lanes, {"lanes": lanes, "limit": limit}, as_=TaskRow)

    async def ring(self, work: Work, case: Case, alarm: Set) -> None:
        """A timer of a process is over: go on, inside the transaction that takes the alarm."""
        row = await self._row(work, case.id)
        running = Running.restore(row.state)
        if running.ring(alarm.clock):
            await self._store(work, case.id, running)
            await self._tell(work, case, {"timer": alarm.clock, "over": running.is_over})

    async def _locked(self, work: Work, actor: Actor, case_id: int, lane: str) -> Case:
        """The case, locked: for a task also by the department in whose lane it is, though it may not see the case."""
        in_lane = bool(lane) and reach(actor, WORK).covers(lane)
        case = await work.lock(case_id, sight=seen(BRAIN) if in_lane else None)
        if not in_lane and not works_on(actor, WORK, case):
            raise MoveNotYours("kernel.case_move_not_yours", {"number": case.number, "move": "process"})
        return case

    async def _row(self, work: Work, case_id: int) -> _Row:
        rows = await work.transaction.read(SQL.process_lock, {"case_id": case_id}, as_=_Row)
        if not rows:
            raise NoSuchProcess("kernel.no_such_process", {"case": case_id})
        return rows[0]

    async def _store(self, work: Work, case_id: int, running: Running) -> None:
        params = {"case_id": case_id, "state": running.store(), "is_over": running.is_over, "now": work.now}
        await work.transaction.write(SQL.process_update, params)
        await self._show(work, case_id, running)

    async def _show(self, work: Work, case_id: int, running: Running) -> None:
        """The lists beside the process: tasks for people, timers among the alarms."""
        transaction = work.transaction
        await transaction.write(SQL.tasks_clear, {"case_id": case_id})
        tasks = [{**msgspec.structs.asdict(each), "case_id": case_id} for each in running.tasks()]
        await transaction.write_many(SQL.task_insert, tasks)
        timers = running.timers()
        await transaction.write(SQL.timers_clear, {"case_id": case_id, "waiting": [each.task for each in timers]})
        rows = [
            {"case_id": case_id, "clock": each.task, "at": after(work.now, read_length(each.length))} for each in timers
        ]
        await transaction.write_many(SQL.timer_set, rows)

    async def _tell(self, work: Work, case: Case, facts: Facts) -> None:
        type = await self._cases.types.get(case.type, case.type_version, within=work.transaction)
        await work.record(case, Step(verb=Verb.TASK, after=case, facts={"process": dict(facts)}), type)


@lru_cache(maxsize=200)
def _model(xml: str) -> Model:
    return read_model(xml)


def _known(case: Case) -> Facts:
    """What conditions may know of a case."""
    names = ("number", "type", "state", "department", "priority", "channel", "category")
    return {**{name: getattr(case, name) for name in names}, "fields": dict(case.fields)}


def _standing(case_id: int, version: int, running: Running) -> Standing:
    return Standing(case_id=case_id, version=version, is_over=running.is_over, tasks=tuple(running.tasks()))
