# SPDX-License-Identifier: Apache-2.0
"""Everything the city keeps, opened in order and closed in the opposite one."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel.access import Access
from citybrain.kernel.app import EntityType
from citybrain.kernel.audit import SEAL_CRON, Audit, chaining
from citybrain.kernel.cases.auditing import audited, audited_together
from citybrain.kernel.cases.case_types import CaseTypes
from citybrain.kernel.cases.casework import Casework, Needs, open_casework
from citybrain.kernel.cases.departments import OfPolicy
from citybrain.kernel.cases.intake import Intakes
from citybrain.kernel.cases.rights import PERMISSIONS as CASE_PERMISSIONS
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.clock import TIMEZONE, monotonic_s, utc_now
from citybrain.kernel.collecting import collect_seldom
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.sweep import sweeping
from citybrain.kernel.handling import Alarms
from citybrain.kernel.http import keep_to
from citybrain.kernel.i18n import Words, load_words
from citybrain.kernel.jobs import Chore, Jobs
from citybrain.kernel.journal import Journal
from citybrain.kernel.ld.contexts import Contexts
from citybrain.kernel.ld.documents import read_seeds
from citybrain.kernel.migrate import migrate
from citybrain.kernel.models.policies import Marks, Policies, store_marks
from citybrain.kernel.orders import Orders, Trade
from citybrain.kernel.outbound import outbound_of
from citybrain.kernel.outbox import Outbox
from citybrain.kernel.pool import Pool
from citybrain.kernel.pool.temporal import Temporal
from citybrain.kernel.privacy import FORGET_CRON, People, Renewal, agree_on_keys
from citybrain.kernel.registrations.asking import Sources
from citybrain.kernel.registrations.chains import Chains
from citybrain.kernel.registrations.registrations import Registrations
from citybrain.kernel.runs import Runs
from citybrain.kernel.settings import Settings
from citybrain.kernel.snapshots.snapshots import Snapshots
from citybrain.kernel.subscriptions.service import Parts, Subscriptions


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of one open city. `of_apps` holds what each app keeps open, by its name;
    `timezone` is where its hours of the day are told."""

    db: Database
    documents: Documents
    pool: Pool
    temporal: Temporal
    journal: Journal
    outbox: Outbox
    runs: Runs
    access: Access
    contexts: Contexts
    registrations: Registrations
    subscriptions: Subscriptions
    policies: Policies
    snapshots: Snapshots
    chains: Chains
    sources: Sources
    cases: Cases
    casework: Casework
    orders: Orders
    alarms: Alarms
    keys: KeyRing
    audit: Audit
    people: People
    renewal: Renewal
    folder: Path
    timezone: str = TIMEZONE
    of_apps: dict[str, Any] = msgspec.field(default_factory=dict)
    intakes: Intakes = msgspec.field(default_factory=Intakes)

    async def clock_at(self, at: datetime) -> datetime:
        """What the clock said at a city time; they differ only on the days of a simulated city."""
        run = await self.runs.at(at)
        if run is None or at > run.ends_at:
            return at
        return await self.pool.past.clock_at(at, since=run.begins_at)


class _Shield(msgspec.Struct, frozen=True, kw_only=True):
    keys: KeyRing
    audit: Audit
    people: People
    renewal: Renewal
    chores: Sequence[Chore]


@asynccontextmanager
async def _shielded(db: Database, settings: Settings) -> AsyncIterator[_Shield]:
    """The keys, that they fit the database, and the chain of acts: opened before anything acts, closed after all."""
    keep_to(outbound_of(settings))
    keys = KeyRing.open(settings.key_file, now=utc_now(), family=settings.cipher)
    await agree_on_keys(db, keys)
    async with chaining(db, keys) as chain:
        audit = Audit(db=db, keys=keys, chain=chain, beside=settings.data / "seals.jsonl")
        people, renewal = People(db, keys), Renewal(db, keys)
        chores = [
            Chore(name="kernel.audit_seal", cron=SEAL_CRON, do=audit.seal),
            Chore(name="kernel.privacy_forget_due", cron=FORGET_CRON, do=people.forget_due),
            Chore(name="kernel.privacy_renew", cron=FORGET_CRON, do=renewal.renew),
        ]
        yield _Shield(keys=keys, audit=audit, people=people, renewal=renewal, chores=chores)


@asynccontextmanager
async def open_store(
    settings: Settings,
    *,
    types: Sequence[EntityType] = (),
    migrations: Mapping[str, Path] | None = None,
    permissions: Iterable[Mapping[str, Sequence[str]]] = (),
    words: Words | None = None,
    trade: Trade | None = None,
) -> AsyncIterator[Store]:
    """Claim the data folder, start or reach PostgreSQL, migrate, rebuild the pool, begin the journal and the jobs.

    `migrations` are the folders of doors and apps by owner, `words` theirs and the kernel's, `trade` all their means.
    What cannot be opened is `Unavailable`, and all that was opened before it is closed again.
    """
    async with AsyncExitStack() as opened:
        db = await Database.open(settings)
        opened.push_async_callback(db.close)
        await migrate(db, migrations or {})
        shield = await opened.enter_async_context(_shielded(db, settings))
        access = await Access.open(db, settings, (CASE_PERMISSIONS, *permissions), keys=shield.keys, now=utc_now())
        pool = await Pool.open(db, types, documents := await Documents.open(db))
        journal = await Journal.open(db, pool)
        opened.push_async_callback(journal.close)
        cases, casework = _cases(_needs(db, settings, shield.keys, access, words or load_words()), journal)
        await opened.enter_async_context(_working(db, access, settings, shield, casework))
        contexts = await Contexts.open(db, seeds=read_seeds(settings.contexts), address=address_of(settings))
        opened.push_async_callback(contexts.close)
        registrations = await Registrations.open(db)
        parts = Parts(db=db, documents=documents, journal=journal, contexts=contexts, registrations=registrations)
        subscriptions = await Subscriptions.open(parts)
        opened.push_async_callback(subscriptions.close)
        policies = await _policies(db, documents, journal)
        # Last, so that everybody who watches is told of what expires.
        await opened.enter_async_context(sweeping(documents, utc_now))
        yield Store(
            db=db,
            documents=documents,
            pool=pool,
            temporal=Temporal(db, page=settings.history_page),
            journal=journal,
            outbox=Outbox(db),
            runs=Runs(db),
            access=access,
            contexts=contexts,
            registrations=registrations,
            subscriptions=subscriptions,
            policies=policies,
            snapshots=await Snapshots.open(db),
            chains=await Chains.open(db),
            sources=await opened.enter_async_context(_sources()),
            cases=cases,
            casework=casework,
            orders=Orders(db, trade or Trade(), pool.entity),
            alarms=await opened.enter_async_context(_alarms(db, pool, journal)),
            keys=shield.keys,
            audit=shield.audit,
            people=shield.people,
            renewal=shield.renewal,
            folder=settings.data,
        )


@asynccontextmanager
async def _working(
    db: Database, access: Access, settings: Settings, shield: _Shield, casework: Casework
) -> AsyncIterator[None]:
    """Scheduled work and notices on their way, as long as the city is open."""
    collect_seldom()
    _guarded(shield, access, casework)
    of_cases = [Chore(name=name, cron=cron, do=do) for name, cron, do in casework.chores]
    jobs = await Jobs.open(db, access, keep_days=settings.keep_days, chores=[*shield.chores, *of_cases])
    try:
        yield
    finally:
        await jobs.close()
        await casework.postman.close()


@asynccontextmanager
async def _alarms(db: Database, pool: Pool, journal: Journal) -> AsyncIterator[Alarms]:
    """The desk of alarms, with shelves that empty themselves."""
    alarms = Alarms(db, pool.entity, journal.retell)
    async with alarms.watching(utc_now):
        yield alarms


@asynccontextmanager
async def _sources() -> AsyncIterator[Sources]:
    """Connections to context sources, as long as the city is open."""
    sources = Sources(monotonic_s)
    try:
        yield sources
    finally:
        await sources.close()


async def _policies(db: Database, documents: Documents, journal: Journal) -> Policies:
    """How long things are kept, asked by whoever writes them."""
    policies = await Policies.open(db)
    documents.guards.append(policies.guard)
    documents.watchers.append(policies.watch)
    journal.notice_writers[Marks] = store_marks
    return policies


def _cases(needs: Needs, journal: Journal) -> tuple[Cases, Casework]:
    """The verbs of cases, each in the audit log, and all that comes with them."""
    cases = Cases(needs.db, CaseTypes(needs.db), needs.clock, OfPolicy(needs.policy))
    cases.hooks.watchers.append(audited)
    cases.hooks.together[audited] = audited_together
    return cases, open_casework(cases, needs, journal.tell)


def _guarded(shield: _Shield, access: Access, casework: Casework) -> None:
    """What holds personal data is asked for it, and what is encrypted follows the newest key."""
    shield.people.holders.append(casework.personal.holder())
    shield.renewal.parts.extend((access.factors.kept(), *casework.kept))


def _needs(db: Database, settings: Settings, keys: KeyRing, access: Access, words: Words) -> Needs:
    """What cases need of the rest of the city."""
    return Needs(
        db=db,
        keys=keys,
        settings=settings,
        address=address_of(settings),
        words=words,
        policy=lambda: access.policy,
        clock=utc_now,
    )


def address_of(settings: Settings) -> str:
    """Scheme, host and port under which this city is reached, for URLs that leave it."""
    return settings.address or f"http://{settings.host}:{settings.port}"
