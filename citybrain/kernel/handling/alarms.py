# SPDX-License-Identifier: Apache-2.0
"""The desk of alarms: lists of them, the story of one, and acts, each one transaction with its audit entry."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog

from citybrain.kernel import sql
from citybrain.kernel.audit.recording import MACHINE, Acting, Deed, record_all
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.handling.filters import KeptFilters
from citybrain.kernel.handling.finding import (
    LIMIT_MOST,
    AlarmPage,
    Asked,
    Count,
    counts_of,
    page_of,
    place_of,
    tallied,
    these,
)
from citybrain.kernel.handling.handling import Act, Done, Handling, NoSuchAlarm, Wish, applied, facts_of
from citybrain.kernel.handling.showing import (
    ActDone,
    Alarm,
    AlarmStory,
    Refused,
    Row,
    Sign,
    Together,
    shown,
)
from citybrain.kernel.journal_records import OrderView
from citybrain.kernel.naming import Find
from citybrain.kernel.records import Severity

SIGNS_MOST = 500
ORDERS_MOST = 500
TOLD_AGAIN = timedelta(days=1)
"""Acts that are older than that no reader waits for."""
LOOK_AGAIN_S = 60.0
TRY_AGAIN_S = 1.0

log = structlog.get_logger()


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    lock: str
    write: str
    act_add: str
    acts: str
    signs: str
    orders: str
    group_sizes: str
    shelves_over: str
    next_shelf: str
    acted_since: str
    tally_fold: str


SQL = sql.load(Path(__file__).with_name("queries_handling.sql"), Sql)

Retell = Callable[[Sequence[str]], None]


class Locked(Handling, frozen=True, kw_only=True):
    """The row of an alarm, while nobody else may change it."""

    event_id: str
    severity: Severity
    ended_at: datetime | None


class Size(msgspec.Struct, frozen=True):
    """How many alarms are in a group."""

    id: str
    number: int


class Alarms:
    """The alarms of one city. `find` knows entities, `retell` tells screens of alarms that changed by an act.

    `filters` are what officers kept of how they look at them.
    """

    def __init__(self, db: Database, find: Find, retell: Retell) -> None:
        self.filters = KeptFilters(db)
        self._db = db
        self._find = find
        self._retell = retell
        self._shelved = asyncio.Event()

    async def find(self, asked: Asked, *, now: datetime) -> AlarmPage:
        """One page of a list with its counts."""
        counting, counted_by = counts_of(asked, now)
        (rows, following), counted = await asyncio.gather(
            self._page(asked, now), self._db.read(counting, counted_by, as_=Count)
        )
        total, counts = tallied(asked, counted)
        return AlarmPage(rows=rows, total=total, counts=counts, next=following)

    async def all(self, asked: Asked, *, most: int, now: datetime) -> list[Alarm]:
        """The first `most` alarms of a list, read page by page and not counted."""
        found: list[Alarm] = []
        after = asked.after
        while True:
            limit = min(LIMIT_MOST, most - len(found))
            rows, after = await self._page(msgspec.structs.replace(asked, after=after, limit=limit), now)
            found += rows
            if after is None or len(found) >= most:
                return found

    async def those(self, ids: Sequence[str], *, now: datetime) -> list[Alarm]:
        """Alarms by their ids, the oldest first; unknown ones are left out."""
        if not ids:
            return []
        text, params = these(ids)
        return await self._shown(await self._db.read(text, params, as_=Row), now)

    async def one(self, id: str, *, now: datetime) -> Alarm:
        """One alarm. Refuses `NoSuchAlarm`."""
        found = await self.those([id], now=now)
        if not found:
            raise NoSuchAlarm("kernel.no_such_event", {"id": id[:200]})
        return found[0]

    async def story(self, id: str, *, now: datetime) -> AlarmStory:
        """One alarm with its acts, signs and orders, each in order of time. Refuses `NoSuchAlarm`."""
        alarm = await self.one(id, now=now)
        acts, signs, orders = await asyncio.gather(
            self._db.read(SQL.acts, {"id": id}, as_=ActDone),
            self._db.read(SQL.signs, {"id": id, "limit": SIGNS_MOST}, as_=Sign),
            self._db.read(SQL.orders, {"id": id, "limit": ORDERS_MOST}, as_=OrderView),
        )
        parts: dict[str, Any] = {name: getattr(alarm, name) for name in Alarm.__struct_fields__}
        return AlarmStory(**parts, acts=acts, signs=_all_signs(alarm, signs), orders=orders)

    async def act(self, actor: Acting, id: str, wish: Wish, *, now: datetime) -> Alarm:
        """Do something with an alarm; committed on return, told to screens soon after.

        Refuses what another officer has, an alarm of a newer version, and what does not fit where it stands.
        """
        _, refused = await self._write(actor, [id], _done(actor, wish, now), version=wish.version)
        if refused:
            raise refused[id]
        return await self.one(id, now=now)

    async def act_together(self, actor: Acting, ids: Iterable[str], wish: Wish, *, now: datetime) -> Together:
        """Do the same with several alarms: each that it fits, in one transaction; the others are told with why not."""
        wanted = list(dict.fromkeys(ids))
        changed, refused = await self._write(actor, wanted, _done(actor, wish, now))
        return Together(
            done=[id for id in wanted if id in changed],
            refused=[Refused(id=id, code=refused[id].code, facts=refused[id].facts) for id in wanted if id in refused],
        )

    async def expire(self, now: datetime) -> int:
        """Take from the shelf what lay there for its time; answers with how many that were."""
        ids = await self._db.read(SQL.shelves_over, {"now": now}, as_=str)
        changed, _ = await self._write(MACHINE, ids, Done(act=Act.EXPIRE, by="", at=now))
        return len(changed)

    async def fold(self) -> None:
        """Put together what was counted since the last time, so that counts stay quick to read."""
        await self._db.write(SQL.tally_fold)

    async def tell_again(self, now: datetime) -> None:
        """Tell of acts that were committed when the city died before it told of them."""
        ids = await self._db.read(SQL.acted_since, {"since": now - TOLD_AGAIN}, as_=str)
        if ids:
            self._retell(ids)

    @asynccontextmanager
    async def watching(self, clock: Callable[[], datetime]) -> AsyncIterator[None]:
        """Shelves empty themselves, as long as the block lasts."""
        await self.tell_again(clock())
        watch = asyncio.create_task(self._watch(clock), name="shelves")
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.wait([watch])

    async def _watch(self, clock: Callable[[], datetime]) -> None:
        while True:
            self._shelved.clear()
            try:
                await self.expire(clock())
                await self.fold()
                following = await self._db.read_one(SQL.next_shelf, as_=datetime)
            except Unavailable as lost:
                log.warning("shelves_not_watched", code=lost.code, facts=lost.facts)
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            left_s = (following - clock()).total_seconds() if following else LOOK_AGAIN_S
            try:
                async with asyncio.timeout(min(max(left_s, 0.0), LOOK_AGAIN_S)):
                    await self._shelved.wait()
            except TimeoutError:
                continue

    async def _write(
        self, actor: Acting, ids: Sequence[str], done: Done, *, version: int | None = None
    ) -> tuple[set[str], dict[str, Refusal]]:
        """The one way in which an alarm's handling is written: rows, history, audit log, in one transaction."""
        if not ids:
            return set(), {}
        async with self._db.transaction() as transaction:
            locked = {row.event_id: row for row in await transaction.read(SQL.lock, {"ids": ids}, as_=Locked)}
            after, refused = _judged(ids, locked, done, version)
            await _store(transaction, actor, done, after, locked)
        if after:
            self._retell(list(after))
        if done.act is Act.SHELVE:
            self._shelved.set()
        return set(after), refused

    async def _page(self, asked: Asked, now: datetime) -> tuple[list[Alarm], str | None]:
        """One page, and the place after it if there are more."""
        text, params = page_of(asked, now)
        rows = await self._db.read(text, params, as_=Row)
        most = params["limit"] - 1
        following = place_of(rows[most - 1]) if len(rows) > most else None
        return await self._shown(rows[:most], now), following

    async def _shown(self, rows: Sequence[Row], now: datetime) -> list[Alarm]:
        groups = {row.group for row in rows if row.group}
        sizes: dict[str, int] = {}
        if groups:
            found = await self._db.read(SQL.group_sizes, {"groups": list(groups)}, as_=Size)
            sizes = {size.id: size.number for size in found}
        return [shown(row, sizes, self._find, now) for row in rows]


def _done(actor: Acting, wish: Wish, now: datetime) -> Done:
    return Done(act=wish.act, by=actor.account, at=now, note=wish.note, until=wish.until)


def _judged(
    ids: Sequence[str], locked: dict[str, Locked], done: Done, version: int | None
) -> tuple[dict[str, Handling], dict[str, Refusal]]:
    """What becomes of each alarm, and why nothing becomes of others."""
    after: dict[str, Handling] = {}
    refused: dict[str, Refusal] = {}
    for id in ids:
        try:
            if id not in locked:
                raise NoSuchAlarm("kernel.no_such_event", {"id": id[:200]})
            after[id] = applied(_handling(locked[id]), done, version=version)
        except Refusal as refusal:
            refused[id] = refusal
    return after, refused


def _handling(row: Locked) -> Handling:
    """Only how it is handled."""
    return Handling(**{name: getattr(row, name) for name in Handling.__struct_fields__})


async def _store(
    transaction: Transaction, actor: Acting, done: Done, after: dict[str, Handling], locked: dict[str, Locked]
) -> None:
    if not after:
        return
    facts = {id: facts_of(done, is_open=locked[id].ended_at is None, severity=locked[id].severity) for id in after}
    act = {"act": done.act, "by": done.by, "at": done.at, "note": done.note}
    await transaction.write_many(
        SQL.write, [{**msgspec.structs.asdict(handling), "event_id": id} for id, handling in after.items()]
    )
    await transaction.write_many(SQL.act_add, [{**act, "event_id": id, "facts": facts[id]} for id in after])
    deeds = [Deed(object=f"event:{id}", facts=facts[id]) for id in after]
    await record_all(transaction, actor=actor, act=f"event.{done.act}", deeds=deeds)


def _all_signs(alarm: Alarm, rows: Sequence[Sign]) -> list[Sign]:
    """Those that were events, and those that only the evidence has."""
    known = {sign.event_id for sign in rows}
    told = alarm.evidence.get("signs")
    kept = [msgspec.convert(each, Sign, strict=False) for each in told] if isinstance(told, list) else []
    return sorted([*rows, *(sign for sign in kept if sign.event_id not in known)], key=lambda sign: sign.at)
