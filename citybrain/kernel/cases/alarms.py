# SPDX-License-Identifier: Apache-2.0
"""Warns of time limits and tells of those that are over: each once, also when the city was killed in between."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import structlog

from citybrain.kernel import sql
from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.cases import acts
from citybrain.kernel.cases.case import Case, CaseChange
from citybrain.kernel.cases.case_type import CaseType, Phase
from citybrain.kernel.cases.deadlines import AlarmKind, alarms, read_clocks, rules_of
from citybrain.kernel.cases.notice import Tell
from citybrain.kernel.cases.notices import Notices
from citybrain.kernel.cases.refusals import NoSuchCase
from citybrain.kernel.cases.rights import VIEW
from citybrain.kernel.cases.roster import Roster, recipients
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.work import Work
from citybrain.kernel.clock import TIMEZONE
from citybrain.kernel.db import Database, Transaction

BATCH = 200
AGAIN = timedelta(minutes=10)
BRAIN = Actor(name="brain", account="brain", kind=Kind.SERVICE, rights={VIEW: Right(reach=EVERYTHING)})
TOPICS = {AlarmKind.WARN: "case.warning", AlarmKind.ESCALATE: "case.late"}
log = structlog.get_logger()


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    alarms_clear: str
    alarm_set: str
    alarms_due: str
    alarm_take: str
    alarm_failed: str
    alarms_of: str


SQL = sql.load(Path(__file__).with_name("queries_alarms.sql"), Sql)


class Set(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that is set. Its kind is `warn`, `escalate`, or `timer` of a process."""

    case_id: int
    clock: str
    kind: str
    step: int
    due_at: datetime
    at: datetime
    to: tuple[str, ...]
    rung_at: datetime | None = None


Timer = Callable[[Work, Case, Set], Awaitable[None]]
"""Lets a process go on whose timer is over, inside the transaction."""


class Alarms:
    """The alarms of one city. `timer` is who processes go on with."""

    def __init__(self, db: Database, cases: Cases, notices: Notices, roster: Roster) -> None:
        self._db = db
        self._cases = cases
        self._notices = notices
        self._roster = roster
        self.timer: Timer | None = None

    async def watch(self, transaction: Transaction, change: CaseChange) -> None:
        """Set the alarms of a case anew when its clocks changed, in the transaction of the act."""
        before, after = change.before, change.after
        if before and before.clocks == after.clocks and before.phase is after.phase:
            return
        await transaction.write(SQL.alarms_clear, {"case_id": after.id})
        rows = [
            {**msgspec.structs.asdict(each), "case_id": after.id, "to": list(each.to)}
            for each in alarms(change.type, after)
        ]
        await transaction.write_many(SQL.alarm_set, rows)

    async def watch_together(self, transaction: Transaction, changes: Sequence[CaseChange]) -> None:
        """Set the alarms of many cases that were just opened; most old ones have none."""
        rows = [
            {**msgspec.structs.asdict(each), "case_id": change.after.id, "to": list(each.to)}
            for change in changes
            for each in alarms(change.type, change.after)
        ]
        await transaction.write_many(SQL.alarm_set, rows)

    async def ring(self, *, now: datetime) -> int:
        """Ring all that is due; answers with how many rang. One that cannot is a bug: it is logged and tried later."""
        count = 0
        while due := await self._db.read(SQL.alarms_due, {"now": now, "limit": BATCH}, as_=Set):
            for each in due:
                count += await self._ring_or_put_off(each, now)
            if len(due) < BATCH:
                break
        return count

    async def _ring_or_put_off(self, alarm: Set, now: datetime) -> bool:
        try:
            return await self._ring(alarm, now)
        except Exception:
            log.exception("bug", case=alarm.case_id, clock=alarm.clock, kind=alarm.kind)
            await self._db.write(SQL.alarm_failed, {**_key(alarm), "at": now + AGAIN})
            return False

    async def _ring(self, alarm: Set, now: datetime) -> bool:
        """Take the alarm, and do all it is for in the same transaction."""
        async with self._db.transaction() as transaction:
            work = Work(transaction, BRAIN, now, self._cases.hooks)
            try:
                case = await work.lock(alarm.case_id)
            except NoSuchCase:
                return False
            if not await transaction.write(SQL.alarm_take, {**_key(alarm), "now": now}):
                return False
            if alarm.kind == "timer":
                await self._go_on(work, case, alarm)
            else:
                await self._tell(work, case, alarm)
            await work.finish()
        return True

    async def _go_on(self, work: Work, case: Case, alarm: Set) -> None:
        if self.timer:
            await self.timer(work, case, alarm)

    async def _tell(self, work: Work, case: Case, alarm: Set) -> None:
        clock = read_clocks(case).running.get(alarm.clock)
        if case.phase is not Phase.OPEN or clock is None or clock.ended_at or clock.due_at != alarm.due_at:
            return
        kind = AlarmKind(alarm.kind)
        type = await self._cases.types.get(case.type, case.type_version, within=work.transaction)
        told = recipients(case, alarm.to, self._roster, work.now)
        time = acts.Time(warned_at=work.now) if kind is AlarmKind.WARN else acts.Time()
        facts = {"alarm": kind, "clock": alarm.clock, "step": alarm.step, "due_at": alarm.due_at, "told": told}
        step = msgspec.structs.replace(acts.plan(case, time, ""), facts=facts)
        await work.record(case, step, type)
        for person in told:
            key = f"alarm/{case.id}/{alarm.clock}/{kind}/{alarm.step}/{alarm.due_at.isoformat()}/{person}"
            said = {"number": case.number, "title": case.title, "clock": alarm.clock}
            said["due_at"] = _local(type, clock.rule, alarm.due_at)
            tell = Tell(topic=TOPICS[kind], facts=said, person=person, case_id=case.id, key=key)
            await self._notices.queue(work.transaction, tell, now=work.now)

    async def of_case(self, case_id: int) -> Sequence[Set]:
        """The alarms of a case, those that rang too, in order of time."""
        return await self._db.read(SQL.alarms_of, {"case_id": case_id}, as_=Set)


def _local(type: CaseType, rule: int, at: datetime) -> str:
    """A time as a clock on the wall shows it."""
    rules = rules_of(type)
    zone = rules[rule].hours.timezone if rule < len(rules) else TIMEZONE
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def _key(alarm: Set) -> dict[str, object]:
    return {"case_id": alarm.case_id, "clock": alarm.clock, "kind": alarm.kind, "step": alarm.step} | {
        "due_at": alarm.due_at
    }
