# SPDX-License-Identifier: Apache-2.0
"""The journal: everything that was seen, happened and was done, durable before it counts, and read back."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database, Session, Transaction, to_json
from citybrain.kernel.entities.document import EntityChange
from citybrain.kernel.entities.writing import HistoryRows, Notice, Writing, forget_rows, store_names, store_rows
from citybrain.kernel.errors import NotFound
from citybrain.kernel.journal_records import Entry, EventView, OrderView
from citybrain.kernel.merging import Storms
from citybrain.kernel.naming import place_name
from citybrain.kernel.pool import Pool
from citybrain.kernel.pool.instances import day_of
from citybrain.kernel.pool.rows import HEADER, TRAILER
from citybrain.kernel.records import (
    Batch,
    Event,
    Facts,
    Json,
    Order,
    Outcome,
    Reading,
)
from citybrain.kernel.writer import Writer


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    last_batch_number: str
    batch_insert: str
    history_copy: str
    history_add_day: str
    history_add_month: str
    last_instance: str
    instance_write: str
    event_upsert: str
    handling_lock: str
    handling_upsert: str
    handling_inherit: str
    handling_return: str
    order_insert: str
    outcome_insert: str
    reading_insert: str
    outbox_insert: str
    events_by_id: str
    events: str
    open_events: str
    recent_orders: str
    readings: str
    readings_at: str
    known_until: str


DAYS_OF_A_MONTH = 8  # so many days of one month at once are an import of the past: one partition holds them


SQL = sql.load(Path(__file__).with_name("queries_journal.sql"), Sql)


class NoSuchEvent(NotFound):
    """There is no event with this id."""


Committed = Callable[[Sequence[Event], Sequence[Outcome]], None]
"""Hears of events and outcomes that are committed. It must not raise and not wait."""

NoticeWriter = Callable[[Transaction, Sequence[Any]], Awaitable[None]]


class Journal:
    """Made by `Journal.open`. One per database: it is the only writer of what happens, and of the pool's documents.

    `notice_writers` store what watchers of documents want stored, by the type of the notice, in the transaction of
    the change; `told` are called with the notices of each writing once it is committed. `committed` are called, in the
    order of the commits, with events and outcomes once they are: a wake-up, for those that were open when it happened.
    Who may miss nothing reads the outbox, and begins again after a restart where it stopped.
    """

    def __init__(self, db: Database, pool: Pool, *, last_batch_number: int, last_instance: int) -> None:
        self._db = db
        self._pool = pool
        self._batch_number = last_batch_number
        self._instance = last_instance
        self._days: set[date] = set()
        self._writer = Writer(db, prepare=self._make_days, load=self._load, store=self._store)
        self.notice_writers: dict[type, NoticeWriter] = {}
        self.told: list[Callable[[Sequence[Notice]], None]] = []
        self.committed: list[Committed] = []
        self._storms = Storms()

    @classmethod
    async def open(cls, db: Database, pool: Pool) -> "Journal":
        """Begin to write. Refuses when another process writes to this database."""
        journal = cls(
            db,
            pool,
            last_batch_number=await db.read_one(SQL.last_batch_number, as_=int) or 0,
            last_instance=await db.read_one(SQL.last_instance, as_=int) or 0,
        )
        await journal._writer.open()
        pool.documents.write_by(journal)
        return journal

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        self._pool.documents.write_by(None)
        await self._writer.close()

    def check(self) -> None:
        """Refuse when nothing can be written any more."""
        self._writer.check()

    def history(self, changes: Sequence[tuple[int, EntityChange]]) -> HistoryRows:
        """The rows that the history gets for changes of entities, as the attributes' policies say."""
        kept = self._pool.keep_changes(changes, instance=self._instance)
        self._instance = max(self._instance, kept.instance)
        return kept

    def reserve(self, instances: int) -> int:
        """Set numbers of attribute instances aside; answers with the first of them."""
        first = self._instance + 1
        self._instance += instances
        return first

    def commit(self, writing: Writing) -> asyncio.Future[None]:
        """Take in changed entities with their history and notices; the future is done when they are committed."""
        kept = writing.history
        entry = Entry(
            names=self._pool.documents.names.take_new(),
            rows=kept.data,
            days=kept.days,
            today=max((day_of(row.modified_at) for row in writing.rows), default=None),
            writing=writing,
            instance=kept.instance,
        )
        size = len(kept.data) + sum(len(row.body) for row in writing.rows)
        committed = self._writer.put(entry, size=size)
        if writing.notices and self.told:
            committed.add_done_callback(lambda done: self._tell(done, writing.notices))
        return committed

    def _tell(self, committed: asyncio.Future[None], notices: Sequence[Notice]) -> None:
        if not committed.cancelled() and committed.exception() is None:
            for each in self.told:
                each(notices)

    @property
    def waiting(self) -> int:
        """How many entries are not yet committed."""
        return self._writer.waiting

    @property
    def trouble(self) -> Facts | None:
        """Why nothing can be written just now; None when all is well."""
        return self._writer.trouble

    async def append(
        self,
        batch: Batch,
        *,
        events: Sequence[Event] = (),
        orders: Sequence[Order] = (),
        outcomes: Sequence[Outcome] = (),
        readings: Sequence[Reading] = (),
    ) -> asyncio.Future[None]:
        """Hand in one step of the city. Returns when there is room for it; the future it returns, when it is committed.

        Of the batch the history keeps what the attributes' policies say, and all that is known of entities which an
        event or order names, so that a cause can be walked back to. Events, outcomes and readings are also told.
        """
        await self._writer.room()
        self._batch_number += 1
        causes = [(event.entity_id, event.because) for event in events]
        causes += [(order.entity_id, order.because) for order in orders]
        evidence = {each for entity_id, because in causes for each in (entity_id, *because.entity_ids)}
        rows = self._pool.keep(batch, self._batch_number, evidence=evidence)
        entry = Entry(
            batch=batch,
            batch_number=self._batch_number,
            names=self._pool.documents.names.take_new(),
            rows=rows,
            days=frozenset([day_of(batch.observed_at)]),
            today=day_of(batch.observed_at),
            events=events,
            orders=orders,
            outcomes=outcomes,
            readings=readings,
        )
        return self._put(entry, size=len(rows))

    def _put(self, entry: Entry, *, size: int) -> asyncio.Future[None]:
        """Queue what happened; those who follow hear of it when it is committed."""
        committed = self._writer.put(entry, size=size)
        if self.committed and (entry.events or entry.outcomes):
            committed.add_done_callback(lambda done: self._told_of(done, entry))
        return committed

    def _told_of(self, committed: asyncio.Future[None], entry: Entry) -> None:
        if not committed.cancelled() and committed.exception() is None:
            for each in self.committed:
                each(entry.events, entry.outcomes)

    def retell(self, event_ids: Sequence[str]) -> None:
        """Tell screens soon of events whose handling changed; that is committed already, so nothing is refused."""
        if self._writer.is_open:
            self._writer.put(Entry(retold=tuple(event_ids)), size=0)

    async def event(self, event_id: str) -> EventView:
        """One event. Refuses `NoSuchEvent`."""
        found = await self._db.read(SQL.events_by_id, {"ids": [event_id]}, as_=EventView)
        if not found:
            raise NoSuchEvent("kernel.no_such_event", {"id": event_id})
        return found[0]

    async def tell(self, events: Sequence[Event]) -> None:
        """Events that rest on no batch of a field: committed and told on return. Storms of them are grouped."""
        await self._writer.room()
        await self._put(Entry(events=self._storms(events)), size=0)

    async def end_open_events(self, *, at: datetime) -> int:
        """End every open event at a city time (not before it began); answers with how many that were."""
        found = await self._db.read(SQL.open_events, as_=Event)
        ended = tuple(msgspec.structs.replace(event, ended_at=max(at, event.at)) for event in found)
        await self._writer.room()
        await self._put(Entry(events=ended), size=0)
        return len(ended)

    async def events(
        self,
        *,
        open_only: bool = False,
        open_at: datetime | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        entity_id: str | None = None,
        limit: int = 500,
    ) -> Sequence[EventView]:
        """Events, the newest first: those open now, those that were open at a time, or all between two times."""
        params = {
            "open_only": open_only,
            "open_at": open_at,
            "since": since,
            "until": until if until else open_at,
            "entity_id": entity_id,
            "limit": limit,
        }
        return await self._db.read(SQL.events, params, as_=EventView)

    async def recent_orders(
        self, entity_id: str, *, until: datetime | None = None, limit: int = 50
    ) -> Sequence[OrderView]:
        """The newest orders to an entity, the newest first."""
        params = {"entity_id": entity_id, "until": until, "limit": limit}
        return await self._db.read(SQL.recent_orders, params, as_=OrderView)

    async def readings(self, indicator: str, *, since: datetime, until: datetime) -> list[Reading]:
        """The readings of an indicator between two city times, all arms, in order of time."""
        return await self._db.read(SQL.readings, {"indicator": indicator, "since": since, "until": until}, as_=Reading)

    async def readings_at(self, at: datetime, *, since: datetime) -> dict[str, dict[str, Reading]]:
        """The newest reading of each indicator and arm in `since` … `at`."""
        newest: dict[str, dict[str, Reading]] = {}
        for reading in await self._db.read(SQL.readings_at, {"at": at, "since": since}, as_=Reading):
            newest.setdefault(reading.indicator, {})[reading.arm] = reading
        return newest

    async def known_until(self, *, since: datetime) -> datetime | None:
        """The newest observed time of all batches from `since` on; None when there is none."""
        return await self._db.read_one(SQL.known_until, {"since": since}, as_=datetime)

    async def _make_days(self, session: Session, entries: Sequence[Entry]) -> None:
        """Make the history's partitions of days that are new to us. Old days may be dropped again, so ask each time.

        A day is old when it is before the newest on which something was seen or written; days to come are not.
        """
        days = {day for entry in entries for day in entry.days}
        months = Counter((day.year, day.month) for day in days - self._days)
        for day in sorted(days - self._days):
            async with session.begin() as transaction:
                if months[day.year, day.month] >= DAYS_OF_A_MONTH:
                    await transaction.write(SQL.history_add_month, {"day": day})
                # A month of which single days are there already is no whole any more: then each day has its own.
                await transaction.write(SQL.history_add_day, {"day": day})
        today = max((entry.today for entry in entries if entry.today), default=None)
        if today:
            self._days = {day for day in self._days | days if day >= today}

    async def _load(self, transaction: Transaction, entries: Sequence[Entry]) -> None:
        """Copy the history rows of a group."""
        rows = b"".join(entry.rows for entry in entries)
        if rows:
            await transaction.copy(SQL.history_copy, HEADER + rows + TRAILER)

    async def _store(self, transaction: Transaction, entries: Sequence[Entry]) -> None:
        """Write a group of entries, kind by kind, in few round trips."""
        events = [event for entry in entries for event in entry.events]
        retold = dict.fromkeys(event_id for entry in entries for event_id in entry.retold)
        outcomes = [outcome for entry in entries for outcome in entry.outcomes]
        readings = [reading for entry in entries for reading in entry.readings]
        await transaction.write_many(SQL.batch_insert, [_batch_row(entry) for entry in entries if entry.batch])
        await self._store_entities(transaction, entries)
        await transaction.write_many(SQL.event_upsert, _params(events))
        await self._store_handling(transaction, events)
        await transaction.write_many(SQL.order_insert, _params([order for entry in entries for order in entry.orders]))
        await transaction.write_many(SQL.outcome_insert, _params(outcomes))
        await transaction.write_many(SQL.reading_insert, _params(readings))
        changed = {event.id for event in events} | set(retold)
        views: list[EventView] = []
        if changed:
            views = await transaction.read(SQL.events_by_id, {"ids": list(changed)}, as_=EventView)
        acted = [{"id": event_id} for event_id in retold]
        told = (("event", views), ("outcome", outcomes), ("reading", readings), ("alarm", acted))
        await transaction.write_many(
            SQL.outbox_insert,
            [{"topic": topic, "payload": to_json(record).decode()} for topic, records in told for record in records],
        )

    async def _store_handling(self, transaction: Transaction, events: Sequence[Event]) -> None:
        """What lists of alarms are asked by, and what that means for how people handle them."""
        handled = self._handled(events)
        if not handled:
            return
        ids = [each["event_id"] for each in handled]
        causes = {each["merged_into"] for each in handled} - {None}
        await transaction.write(SQL.handling_lock, {"ids": [*ids, *causes]})
        await transaction.write_many(SQL.handling_upsert, handled)
        if causes:
            await transaction.write(SQL.handling_inherit, {"ids": ids})
        await transaction.write(SQL.handling_return, {"ids": ids})

    def _handled(self, events: Sequence[Event]) -> list[Mapping[str, Json]]:
        """What lists of alarms are asked by; in order of ids, as all do who change several."""
        newest = {event.id: event for event in events}
        return [
            {
                "event_id": event.id,
                "kind": event.kind,
                "severity": event.severity,
                "at": event.at,
                "ended_at": event.ended_at,
                "entity_id": event.entity_id,
                "group": event.group,
                "merged_into": event.evidence.get("merged_into"),
                "words": self._words_of(event),
            }
            for _, event in sorted(newest.items())
        ]

    def _words_of(self, event: Event) -> str:
        names = place_name(event.entity_id, event.evidence, self._pool.entity)
        return " ".join((event.kind, event.entity_id, event.id, *names.values())).lower()

    async def _store_entities(self, transaction: Transaction, entries: Sequence[Entry]) -> None:
        """Write what the group says of entities: rows, history, notices."""
        writings = [entry.writing for entry in entries if entry.writing]
        forgotten = [number for writing in writings for number in writing.forgotten]
        await store_names(transaction, [name for entry in entries for name in entry.names])
        await forget_rows(transaction, forgotten)
        await store_rows(transaction, writings)
        await self._pool.forget(transaction, forgotten)
        notices: dict[type, list[Notice]] = {}
        for notice in (notice for writing in writings for notice in writing.notices):
            notices.setdefault(type(notice), []).append(notice)
        for kind, each in notices.items():
            await self.notice_writers[kind](transaction, each)
        if writings:
            await transaction.write(SQL.instance_write, {"instance": max(entry.instance for entry in entries)})


def _batch_row(entry: Entry) -> Mapping[str, Json]:
    batch = cast(Batch, entry.batch)
    return {
        "number": entry.batch_number,
        "id": batch.id,
        "source": batch.source,
        "observed_at": batch.observed_at,
        "received_at": batch.received_at,
    }


def _params(records: Sequence[msgspec.Struct]) -> list[Mapping[str, Json]]:
    """Records as parameters by column name."""
    return [msgspec.structs.asdict(record) for record in records]
