# SPDX-License-Identifier: Apache-2.0
"""Subscriptions of all tenants: made, changed, deleted, told. Whatever is committed is told, also after a crash."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Self

import msgspec
import structlog

from citybrain.kernel.clock import new_id
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.ending import end_all
from citybrain.kernel.entities.document import EntityChange
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.errors import Conflict, NotFound, Refusal
from citybrain.kernel.journal import Journal
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.ld.contexts import Contexts
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.registrations import RegistrationChange, Registrations
from citybrain.kernel.subscriptions import sources, store
from citybrain.kernel.subscriptions.carriers import Carriers
from citybrain.kernel.subscriptions.compiled import Compiled, compiled
from citybrain.kernel.subscriptions.composing import Composer
from citybrain.kernel.subscriptions.delivery import Delivery
from citybrain.kernel.subscriptions.interval import tell_for_ever
from citybrain.kernel.subscriptions.line import Line
from citybrain.kernel.subscriptions.matching import Matcher
from citybrain.kernel.subscriptions.notice import Notice, encoded
from citybrain.kernel.subscriptions.reading import is_uri, patched, read_subscription, refuse, refuse_past
from citybrain.kernel.subscriptions.showing import text_of
from citybrain.kernel.subscriptions.store import Dead
from citybrain.kernel.subscriptions.subscription import (
    Health,
    Kind,
    Status,
    Subscription,
    SubscriptionView,
    Why,
)
from citybrain.kernel.subscriptions.viewing import view

log = structlog.get_logger()

MOST_REPLAYED = 1_000
CONTEXT_RETRY_S = 30.0


class AlreadyExists(Conflict):
    """There is a subscription with this id."""


class NoSuchSubscription(NotFound):
    """There is no subscription with this id."""


class Parts(NamedTuple):
    """What subscriptions stand on."""

    db: Database
    documents: Documents
    journal: Journal
    contexts: Contexts
    registrations: Registrations


class Subscriptions:
    """Made by `Subscriptions.open`. It watches documents and registrations itself."""

    def __init__(self, parts: Parts, carriers: Carriers, last_number: int) -> None:
        self._parts = parts
        self._carriers = carriers
        self._composer = Composer(parts.documents, parts.registrations)
        self._delivery = Delivery(parts.db, carriers, self._composer.of_notices)
        self._matcher = Matcher()
        self._by_id: dict[tuple[str, Kind, str], Line] = {}
        self._tickers: dict[int, asyncio.Task[None]] = {}
        self._number = last_number
        self._uncommitted: list[Notice] = []

    @classmethod
    async def open(cls, parts: Parts, carriers: Carriers | None = None) -> Self:
        """All subscriptions that the database holds; what waited is told again from where it stopped."""
        opened = cls(parts, carriers or Carriers(), await store.last_number(parts.db))
        for known in await store.load(parts.db):
            opened._take(await opened._line_of(known))
        await opened._load_waiting()
        parts.documents.watchers.append(opened._watch)
        parts.journal.notice_writers[Notice] = store.add_notices
        parts.journal.told.append(opened._tell)
        parts.registrations.watchers.append(opened._watch_sources)
        parts.registrations.told.append(opened._tell_sources)
        opened._delivery.open()
        for line in opened._delivery.lines.values():
            opened._delivery.stir(line)
            opened._tick(line)
        return opened

    async def close(self) -> None:
        """Stop telling. What waits stays in the database."""
        await end_all(self._tickers.values())
        await self._delivery.close()
        await self._carriers.close()

    # -- what subscribers do

    async def create(
        self, payload: Json, context: Context, *, tenant: str, now: datetime, kind: Kind = Kind.ENTITIES
    ) -> Subscription:
        """A new subscription, committed (clauses 5.8.1, 5.11.2).

        Refuses one that makes no sense (`InvalidSubscription`, `BadRequestData`), contexts that are not to be had,
        and an id that is taken (`AlreadyExists`).
        """
        id = payload.get("id") if isinstance(payload, dict) else None
        id = f"urn:ngsi-ld:Subscription:{new_id()}" if id is None else id
        if not is_uri(id):
            refuse("id", "URI")
        read = read_subscription(payload, context, tenant=tenant, kind=kind, id=id)
        refuse_past(read, now)
        at = text_of(now)
        read = msgspec.structs.replace(read, created_at=at, modified_at=at)
        one = await self._ready(await self._named(read, context, tenant))
        number = await store.insert(self._parts.db, one.subscription, told_until=self._number)
        if number is None:
            raise AlreadyExists("kernel.subscription_exists", {"id": id})
        one = msgspec.structs.replace(one, subscription=msgspec.structs.replace(one.subscription, number=number))
        line = Line(one, Health(), self._number)
        self._take(line)
        self._tick(line)
        await self._tell_matching_sources(line, now)
        return one.subscription

    async def update(
        self, tenant: str, id: str, fragment: Json, context: Context, *, now: datetime, kind: Kind = Kind.ENTITIES
    ) -> Subscription:
        """Change a subscription, committed (clauses 5.8.2, 5.11.3). Refuses like `create`, and an unknown id."""
        line = self.line(tenant, id, kind)
        async with line.changing:
            changed = patched(line.one.subscription, fragment, context)
            if isinstance(fragment, dict) and fragment.get("expiresAt"):
                refuse_past(changed, now)
            changed = msgspec.structs.replace(changed, modified_at=text_of(now))
            one = await self._ready(await self._named(changed, context, tenant))
            await store.update(self._parts.db, one.subscription)
            line.one = one
        if kind is Kind.ENTITIES and not line.is_gone:
            self._matcher.put(one)
        self._tick(line)
        self._delivery.stir(line)
        await self._tell_matching_sources(line, now)
        return one.subscription

    async def delete(self, tenant: str, id: str, *, kind: Kind = Kind.ENTITIES) -> None:
        """End a subscription; what waits for it is not told any more (clauses 5.8.5, 5.11.6)."""
        line = self.line(tenant, id, kind)
        number = line.one.subscription.number
        await store.delete(self._parts.db, number)
        self._by_id.pop((tenant, kind, id), None)
        self._matcher.drop(number)
        self._delivery.lines.pop(number, None)
        self._delivery.drop(line)
        ticker = self._tickers.pop(number, None)
        if ticker:
            ticker.cancel()

    def line(self, tenant: str, id: str, kind: Kind = Kind.ENTITIES) -> Line:
        """A subscription with its health (clause 5.8.3). Refuses an id that is no URI or not known."""
        if not is_uri(id):
            refuse("id", "URI")
        line = self._by_id.get((tenant, kind, id))
        if line is None:
            raise NoSuchSubscription("kernel.no_such_subscription", {"id": id})
        return line

    def all(self, tenant: str, kind: Kind = Kind.ENTITIES) -> list[Line]:
        """The subscriptions of a tenant in the order they were made (clause 5.8.4)."""
        return [line for (whose, what, _), line in self._by_id.items() if whose == tenant and what is kind]

    # -- what the screen shows and operators do

    def views(self, now: datetime) -> list[SubscriptionView]:
        """Every subscription of every tenant with its health: what waits, since when, and why the last try failed."""
        return [view(line, now) for line in self._delivery.lines.values()]

    async def dead(self, tenant: str, id: str, *, kind: Kind = Kind.ENTITIES) -> list[Dead]:
        """The oldest dead letters of a subscription."""
        return await store.dead(
            self._parts.db, self.line(tenant, id, kind).one.subscription.number, limit=MOST_REPLAYED
        )

    async def replay(self, tenant: str, id: str, *, kind: Kind = Kind.ENTITIES) -> int:
        """Tell dead letters again, behind what waits; answers with how many. Not more than 1,000 at once."""
        line = self.line(tenant, id, kind)
        number = line.one.subscription.number
        line.is_held = True
        try:
            letters = await store.dead(self._parts.db, number, limit=MOST_REPLAYED)
            notices = [
                Notice(number=self._next(), at=each.at, about=each.about, subscriptions=[number], body=each.body)
                for each in letters
            ]
            async with self._parts.db.transaction() as transaction:
                await store.revive(transaction, number, letters, notices)
            line.health.dead -= len(letters)
            self._delivery.put(notices)
            # What was committed meanwhile has higher numbers and goes behind.
            line.waiting = type(line.waiting)(sorted(line.waiting, key=lambda each: each.number))
        finally:
            line.is_held = False
            line.retry_at_s = 0.0
            self._delivery.stir(line)
        return len(letters)

    async def relay(self, tenant: str, id: str, changes: Sequence[EntityChange]) -> None:
        """Tell a subscriber what another source noticed; committed on return, and told like what happens here.

        Nothing is told while the subscription is not at work. Refuses an unknown id.
        """
        subscription = self.line(tenant, id).one.subscription
        if not changes or subscription.status(changes[0].at) is not Status.ACTIVE:
            return
        notices = [
            Notice(number=self._next(), at=one.at, about=one.id, subscriptions=[subscription.number], body=encoded(one))
            for one in changes
        ]
        async with self._parts.db.transaction() as transaction:
            await store.add_notices(transaction, notices)
        self._delivery.put(notices)

    # -- what happens

    def _watch(self, changes: Sequence[EntityChange]) -> list[Notice]:
        """The notices of changes, to be stored with them."""
        notices: list[Notice] = []
        if not len(self._matcher):
            return notices
        for change in changes:
            found = self._match(change)
            if found:
                numbers = [each.subscription.number for each in found]
                notices.append(
                    Notice(
                        number=self._next(),
                        at=change.at,
                        about=change.id,
                        subscriptions=numbers,
                        body=encoded(change),
                    )
                )
        return notices

    def _match(self, change: EntityChange) -> list[Compiled]:
        """Whom a change concerns. It counts in memory already, so a bug in here must not keep it from being written."""
        try:
            return self._matcher.match(change, self._composer.look_up(change.tenant))
        except Exception:
            log.exception("bug", entity=change.id)
            return []

    def _tell(self, notices: Sequence[object]) -> None:
        """Notices are committed."""
        self._delivery.put([each for each in notices if isinstance(each, Notice)])

    async def _watch_sources(self, change: RegistrationChange, transaction: Transaction) -> None:
        """The notices of a change of a registration, stored with it."""
        change_of = change.after or change.before
        notices: list[Notice] = []
        for line in self.all(change.tenant, Kind.SOURCES):
            subscription = line.one.subscription
            if subscription.time_interval_s or subscription.status(change.at) is not Status.ACTIVE or not change_of:
                continue
            reason = sources.reason_for(line.one, change.before, change.after)
            if reason is not None:
                told = sources.SourcesTold(reason=reason, registrations=(change_of,))
                notices.append(self._source_notice(line, told, change.at, about=change_of.id))
        await store.add_notices(transaction, notices)
        self._uncommitted = notices

    def _tell_sources(self, _change: RegistrationChange) -> None:
        """A change of a registration is committed with its notices."""
        notices, self._uncommitted = self._uncommitted, []
        self._delivery.put(notices)

    async def _tell_matching_sources(self, line: Line, now: datetime) -> None:
        """A new or changed subscription to registrations is told which match (clauses 5.11.2, 5.11.3)."""
        subscription = line.one.subscription
        if subscription.kind is not Kind.SOURCES or subscription.status(now) is not Status.ACTIVE:
            return
        told = self._composer.matching_sources(line.one, now)
        if told.registrations:
            notice = self._source_notice(line, told, now, about="")
            async with self._parts.db.transaction() as transaction:
                await store.add_notices(transaction, [notice])
            self._delivery.put([notice])

    def _source_notice(self, line: Line, told: sources.SourcesTold, at: datetime, *, about: str) -> Notice:
        numbers = [line.one.subscription.number]
        return Notice(number=self._next(), at=at, about=about, subscriptions=numbers, body=sources.encoded(told))

    # -- within

    def _next(self) -> int:
        self._number += 1
        return self._number

    async def _named(self, subscription: Subscription, context: Context, tenant: str) -> Subscription:
        """With the context of its notifications: the one it names, else the one it came with (clause 5.8.1.4)."""
        if isinstance(subscription.context, str):
            told = await self._parts.contexts.resolve(subscription.context, tenant)
            return msgspec.structs.replace(subscription, context=told.json, context_url=told.url)
        if subscription.context is None:
            return msgspec.structs.replace(subscription, context=context.json, context_url=context.url)
        return subscription

    async def _line_of(self, known: store.Known) -> Line:
        """A subscription as it was kept. One whose context is not to be had just now is held, and told too much rather
        than too little: without its condition."""
        try:
            return Line(await self._compile(known.subscription), known.health, known.told_until)
        except Refusal as refusal:
            bare = msgspec.structs.replace(known.subscription, q="", geo_q={})
            line = Line(compiled(bare, CORE, CORE), known.health, known.told_until)
            line.one = msgspec.structs.replace(line.one, subscription=known.subscription)
            line.is_held = True
            line.health.why = msgspec.json.encode(Why(refusal.code, refusal.facts)).decode()
            self._tickers[-known.subscription.number] = asyncio.create_task(self._compile_later(line))
            return line

    async def _compile_later(self, line: Line) -> None:
        """Try again until the contexts of a held subscription are there."""
        while not line.is_gone:
            await asyncio.sleep(CONTEXT_RETRY_S)
            try:
                line.one = await self._compile(line.one.subscription)
            except Refusal:
                continue
            self._take(line)
            line.is_held = False
            self._delivery.stir(line)
            return

    async def _ready(self, subscription: Subscription) -> Compiled:
        one = await self._compile(subscription)
        sources.check(subscription, one.query_context)
        return one

    async def _compile(self, subscription: Subscription) -> Compiled:
        resolve = self._parts.contexts.resolve
        context = await resolve(subscription.context, subscription.tenant)
        return compiled(subscription, context, await resolve(subscription.query_context, subscription.tenant))

    def _take(self, line: Line) -> None:
        subscription = line.one.subscription
        self._by_id[subscription.tenant, subscription.kind, subscription.id] = line
        self._delivery.lines[subscription.number] = line
        if subscription.kind is Kind.ENTITIES:
            self._matcher.put(line.one)

    def _tick(self, line: Line) -> None:
        """Begin to tell by interval, anew after a change."""
        number = line.one.subscription.number
        old = self._tickers.pop(number, None)
        if old:
            old.cancel()
        if line.one.subscription.time_interval_s:
            telling = tell_for_ever(line, self._delivery, self._composer.of_the_present)
            self._tickers[number] = asyncio.create_task(telling)

    async def _load_waiting(self) -> None:
        after = 0
        while page := await store.waiting(self._parts.db, after):
            after = page[-1].number
            lines = self._delivery.lines
            for notice in page:
                notice.subscriptions = tuple(
                    number
                    for number in notice.subscriptions
                    if number in lines and lines[number].told_until < notice.number
                )
            self._delivery.put(page)
