# SPDX-License-Identifier: Apache-2.0
"""The registrations of all tenants: in memory for look-up, in the database as the truth (CIM 009 clauses 5.9, 5.10)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.clock import new_id
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.registrations.conflicts import Known, check_entities, check_registrations
from citybrain.kernel.registrations.index import Index, Match, Wanted
from citybrain.kernel.registrations.model import Registration


class AlreadyExists(Conflict):
    """There is a registration with this id."""


class ResourceNotFound(NotFound):
    """There is no registration with this id."""


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    all: str
    put: str
    remove: str
    keep_alias: str
    alias: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


class RegistrationChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change: `before` is None when it is new, `after` when it is gone."""

    tenant: str
    at: datetime
    before: Registration | None
    after: Registration | None


Watcher = Callable[[RegistrationChange, Transaction], Awaitable[None]]
"""Told of a change inside the transaction that writes it, so that what it writes is kept or lost with the change."""

Teller = Callable[[RegistrationChange], None]
"""Told of a change once it is committed."""


class Registrations:
    """All registrations. `watchers` and `told` are told of every change; whoever wants to know adds itself.

    `alias` is what other brokers know this one by; it outlives restarts.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self.alias = ""
        self._by_tenant: dict[str, Index] = {}
        self._one_at_a_time = asyncio.Lock()
        self.watchers: list[Watcher] = []
        self.told: list[Teller] = []

    @classmethod
    async def open(cls, db: Database) -> Self:
        """All registrations that the database holds."""
        registrations = cls(db)
        await db.write(SQL.keep_alias, {"alias": f"citybrain-{new_id().lower()}"})
        registrations.alias = (await db.read(SQL.alias, as_=str))[0]
        for tenant, body in await db.rows(SQL.all):
            index = registrations._by_tenant.setdefault(tenant, Index())
            index.add(msgspec.json.decode(bytes(body), type=Registration))
        return registrations

    def tenants(self) -> Collection[str]:
        """Who has registrations."""
        return [tenant for tenant, index in self._by_tenant.items() if len(index)]

    def get(self, tenant: str, id: str, now: datetime) -> Registration:
        """One by its id; refuses an unknown one. One that has expired counts as deleted (clause 5.2.9)."""
        registration = self._index(tenant).get(id)
        if registration is None or has_expired(registration, now):
            raise ResourceNotFound("kernel.no_such_registration", {"id": id})
        return registration

    def all(self, tenant: str, now: datetime) -> list[Registration]:
        """Those of a tenant that have not expired, in the order in which they came."""
        return [one for one in self._index(tenant).all() if not has_expired(one, now)]

    def any(self, tenant: str) -> bool:
        """Whether a tenant has any at all."""
        index = self._by_tenant.get(tenant)
        return index is not None and len(index) > 0

    def find(self, tenant: str, wanted: Wanted, now: datetime) -> list[Match]:
        """Those that could hold some of what is wanted, each with the part it is asked for (clause 5.12)."""
        index = self._by_tenant.get(tenant)
        found = index.find(wanted) if index else []
        return [match for match in found if not has_expired(match.registration, now)]

    async def create(self, tenant: str, registration: Registration, known: Known, now: datetime) -> None:
        """Take a new one in; refuses an id that is taken and what conflicts with it (clause 5.9.2)."""
        async with self._one_at_a_time:
            before = self._index(tenant).get(registration.id)
            if before is not None and not has_expired(before, now):
                raise AlreadyExists("kernel.registration_exists", {"id": registration.id})
            self._check(tenant, registration, known)
            await self._write(RegistrationChange(tenant=tenant, at=now, before=None, after=registration))

    async def update(self, tenant: str, registration: Registration, known: Known, now: datetime) -> None:
        """Put one in the place of the one with its id; refuses like `create` (clause 5.9.3)."""
        async with self._one_at_a_time:
            before = self.get(tenant, registration.id, now)
            self._check(tenant, registration, known)
            await self._write(RegistrationChange(tenant=tenant, at=now, before=before, after=registration))

    async def delete(self, tenant: str, id: str, now: datetime) -> None:
        """Forget one; refuses an unknown one (clause 5.9.4)."""
        async with self._one_at_a_time:
            before = self.get(tenant, id, now)
            await self._write(RegistrationChange(tenant=tenant, at=now, before=before, after=None))

    def _index(self, tenant: str) -> Index:
        return self._by_tenant.setdefault(tenant, Index())

    def _check(self, tenant: str, registration: Registration, known: Known) -> None:
        check_registrations(registration, self._index(tenant))
        check_entities(registration, known)

    async def _write(self, change: RegistrationChange) -> None:
        """Commit, then count: what is answered is kept."""
        async with self._db.transaction() as transaction:
            if change.after is not None:
                body = msgspec.json.encode(change.after)
                await transaction.write(SQL.put, {"tenant": change.tenant, "id": change.after.id, "body": body})
            elif change.before is not None:
                await transaction.write(SQL.remove, {"tenant": change.tenant, "id": change.before.id})
            for watcher in self.watchers:
                await watcher(change, transaction)
        if change.after is not None:
            self._index(change.tenant).add(change.after)
        elif change.before is not None:
            self._index(change.tenant).remove(change.before.id)
        for teller in self.told:
            teller(change)


def has_expired(registration: Registration, now: datetime) -> bool:
    """Whether its time is over: from then on it counts as deleted (clause 5.2.9)."""
    return bool(registration.expires_at) and datetime.fromisoformat(registration.expires_at) <= now
