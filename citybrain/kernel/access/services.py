# SPDX-License-Identifier: Apache-2.0
"""Tokens of services: programs that act in their own name, with permissions given by name and until a time."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.passwords import check_lengths
from citybrain.kernel.access.sessions import TOKEN_BYTES, hashed
from citybrain.kernel.audit.recording import record
from citybrain.kernel.db import Database
from citybrain.kernel.errors import NotFound

SERVICES_KNOWN = 1_000  # tokens remembered, so that a device's every message costs no query
NOTED_EVERY = timedelta(minutes=5)  # use is written this seldom, so that a device's every message writes nothing more


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    service_add: str
    service_find: str
    services: str
    service_remove: str
    service_used: str


SQL = sql.load(Path(__file__).with_name("queries_services.sql"), Sql)


class NoSuchService(NotFound):
    """No service has this name."""


class ServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """A service's token, without the token; `old_until` is until when the token before this one is taken too.

    `used_at` is when it was last used, to within some minutes.
    """

    name: str
    may: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    old_until: datetime | None = None
    used_at: datetime | None = None


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    may: tuple[str, ...]
    until: datetime


class _By(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    kind: str = "staff"
    on_behalf_of: str | None = None


class Services:
    """The tokens of one city's services."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[bytes, _Held] = {}
        self._used: dict[str, datetime] = {}

    async def add(
        self,
        name: str,
        *,
        may: Sequence[str],
        by: str,
        now: datetime,
        expires_at: datetime,
        overlap: timedelta = timedelta(0),
    ) -> str:
        """Give a service permissions until a time; answers with its token, which is said this once.

        A service of that name gets a new token. Its old one ends at once, or is taken for the `overlap`, with the
        permissions of the new one, so that nothing stands still while the new one is put in place.
        """
        check_lengths(name, name)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        params = {"name": name, "token_hash": hashed(token), "may": list(may), "by": by, "now": now}
        until = now + overlap if overlap > timedelta(0) else None
        async with self._db.transaction() as transaction:
            await transaction.write(SQL.service_add, {**params, "expires_at": expires_at, "old_until": until})
            facts = {"may": list(may), "until": expires_at, "old_until": until}
            actor = _By(account=by)
            await record(transaction, actor=actor, act="access.token_given", object=f"service:{name}", facts=facts)
        self._known.clear()
        return token

    async def find(self, token: str, now: datetime) -> tuple[str, tuple[str, ...]] | None:
        """Name and permissions of the service that holds this token; None when none does or its time is over."""
        key = hashed(token)
        found = self._known.get(key)
        if found is None:
            rows = await self._db.read(SQL.service_find, {"token_hash": key}, as_=_Held)
            if not rows:
                return None
            if len(self._known) >= SERVICES_KNOWN:
                self._known.clear()
            found = self._known[key] = rows[0]
        if found.until <= now:
            return None
        await self._note_use(found.name, now)
        return found.name, found.may

    async def _note_use(self, name: str, now: datetime) -> None:
        """Write that a token was used, every few minutes alone, so that most requests only read."""
        noted = self._used.get(name)
        if noted is None or now - noted >= NOTED_EVERY:
            self._used[name] = now
            await self._db.write(SQL.service_used, {"name": name, "now": now, "before": now - NOTED_EVERY})

    async def all(self) -> list[ServiceView]:
        """Every service that was given a token, by name."""
        return await self._db.read(SQL.services, as_=ServiceView)

    async def remove(self, name: str, *, by: str = "") -> None:
        """End a service's tokens at once."""
        async with self._db.transaction() as transaction:
            removed = await transaction.write(SQL.service_remove, {"name": name})
            if removed:
                actor = _By(account=by)
                await record(transaction, actor=actor, act="access.token_ended", object=f"service:{name}")
        self._known.clear()
        if not removed:
            raise NoSuchService("kernel.no_such_service", {"name": name})
