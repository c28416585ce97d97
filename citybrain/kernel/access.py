# SPDX-License-Identifier: Apache-2.0
"""Who may: roles and permissions, accounts, sign-in and sessions. What is not granted is denied."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Forbidden, Invalid, NotFound

PUBLIC = "public"  # the role everybody has, signed in or not
OPERATOR = "operator"
OPERATOR_NAME = "operator"

# OWASP Authentication Cheat Sheet asks for a limit on failures; ours shuts out a guesser, not a person for a day.
FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=5)
# Sliding; one shift in a control room is at most 12 hours.
SESSION_LASTS = timedelta(hours=12)
# A session that was extended this recently is not written again.
EXTEND_EVERY = timedelta(minutes=5)
NAME_LIMIT = 200
PASSWORD_LIMIT = 1000
TOKEN_BYTES = 32
GENERATED_PASSWORD_BYTES = 15
SERVICES_KNOWN = 1_000  # tokens remembered, so that a device's every message costs no query
HASHING_AT_ONCE = 2  # each takes 64 MiB

# argon2-cffi's defaults: argon2id, RFC 9106 low-memory profile (64 MiB, 3 passes, 4 lanes).
_hasher = PasswordHasher()

KERNEL_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "city.view": (PUBLIC, OPERATOR),
    "session.open": (PUBLIC, OPERATOR),
    "city.acknowledge": (OPERATOR,),
    "city.control": (OPERATOR,),
    "city.services": (OPERATOR,),
}


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    account_count: str
    account_add: str
    account_find: str
    attempt: str
    attempt_forget: str
    attempts_prune: str
    session_add: str
    session_find: str
    session_extend: str
    session_remove: str
    sessions_prune: str
    service_add: str
    service_find: str
    services: str
    service_remove: str


SQL = sql.load(Path(__file__).with_name("queries_access.sql"), Sql)


class SignInRefused(Forbidden):
    """Name and password do not belong together; it is not said which is wrong."""


class SignInLocked(Forbidden):
    """Too many failures with this name; `until` says when it may be tried again."""


class UnknownPermission(Invalid):
    """No part of the city declares this permission, so it cannot be given."""


class NoSuchService(NotFound):
    """No service has this name."""


class PermissionTwice(Exception):
    """Two parts of the city claim one permission: a bug, seen at start."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, or a service that showed its token: `may` are permissions given to it by name."""

    name: str
    roles: tuple[str, ...]
    may: tuple[str, ...] = ()


class ServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """A service's token, without the token."""

    name: str
    may: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime


class _Account(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    password_hash: str
    roles: tuple[str, ...]


class _Attempt(msgspec.Struct, frozen=True, kw_only=True):
    failures: int
    locked_until: datetime | None


class _Session(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    roles: tuple[str, ...]
    expires_at: datetime


class Access:
    """Grants of one city: the kernel's and those that its doors and apps declare, permission by permission.

    `public_may` are permissions that the operator gives to everybody; refuses one that nobody declared.
    """

    def __init__(
        self,
        db: Database,
        declared: Iterable[Mapping[str, Sequence[str]]] = (),
        *,
        public_may: Sequence[str] = (),
    ) -> None:
        self._db = db
        self._hashing = asyncio.Semaphore(HASHING_AT_ONCE)
        self._services: dict[bytes, ServiceView] = {}
        self._roles: dict[str, frozenset[str]] = {}
        for grants in (KERNEL_PERMISSIONS, *declared):
            for permission, roles in grants.items():
                if permission in self._roles:
                    raise PermissionTwice(permission)
                self._roles[permission] = frozenset(roles)
        self._check_declared(public_may)
        for permission in public_may:
            self._roles[permission] |= {PUBLIC}

    def allowed(self, permission: str, roles: Iterable[str]) -> bool:
        """Whether one of the roles, or the public, has a permission. One that nobody declared is denied."""
        return not self._roles.get(permission, frozenset()).isdisjoint({*roles, PUBLIC})

    def may(self, permission: str, person: Person | None) -> bool:
        """Whether somebody has a permission: by a role, by name, or because everybody has it."""
        if person is not None and permission in person.may:
            return True
        return self.allowed(permission, person.roles if person else ())

    def permissions_of(self, roles: Iterable[str]) -> list[str]:
        """Every permission of somebody with these roles."""
        held = tuple(roles)
        return sorted(permission for permission in self._roles if self.allowed(permission, held))

    async def ensure_operator(self, *, now: datetime, renew: bool = False) -> str | None:
        """Make the first account when there is none; answers with its password, which is said this once.

        With `renew` an account that is there gets a new password, and its sessions end.
        """
        if await self._db.read_one(SQL.account_count, as_=int) and not renew:
            return None
        password = secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
        await self.add_account(OPERATOR_NAME, password, roles=(OPERATOR,), now=now)
        return password

    async def add_account(self, name: str, password: str, *, roles: Sequence[str], now: datetime) -> None:
        """Make an account, or give an existing one a new password and roles; its open sessions end."""
        _check_lengths(name, password)
        async with self._hashing:
            password_hash = await asyncio.to_thread(_hasher.hash, password)
        params = {"name": name, "password_hash": password_hash, "roles": list(roles), "now": now}
        await self._db.write(SQL.account_add, params)

    async def sign_in(self, name: str, password: str, *, now: datetime) -> tuple[Person, str]:
        """The person and the token of a new session. Refuses a wrong pair, and any pair while the name is locked.

        The attempt counts as failed before the password is looked at, so guessing in parallel gains nothing,
        and an unknown name costs the same time as a known one.
        """
        _check_lengths(name, password)
        params = {"name": name, "now": now, "allowed": FAILURES_ALLOWED, "until": now + LOCKED_FOR}
        attempt = (await self._db.read(SQL.attempt, params, as_=_Attempt))[0]
        if attempt.locked_until and attempt.locked_until > now and attempt.failures > FAILURES_ALLOWED:
            raise SignInLocked("kernel.sign_in_locked", {"until": attempt.locked_until})
        account = await self._db.read_one(SQL.account_find, {"name": name}, as_=_Account)
        matches = await self._matches(account.password_hash if account else _hash_of_nobody(), password)
        if account is None or not matches:
            raise SignInRefused("kernel.sign_in_refused", {})
        await self._db.write(SQL.attempt_forget, {"name": name})
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = {"token_hash": _hashed(token), "account": name, "now": now, "expires_at": now + SESSION_LASTS}
        await self._db.write(SQL.session_add, session)
        return Person(name=account.name, roles=account.roles), token

    async def session(self, token: str, now: datetime) -> Person | None:
        """Who holds this token; None when nobody does or the session is over. Use extends it."""
        found = await self._db.read_one(SQL.session_find, {"token_hash": _hashed(token), "now": now}, as_=_Session)
        if found is None:
            return None
        until = now + SESSION_LASTS
        if until - found.expires_at > EXTEND_EVERY:
            await self._db.write(SQL.session_extend, {"token_hash": _hashed(token), "expires_at": until})
        return Person(name=found.name, roles=found.roles)

    async def sign_out(self, token: str) -> None:
        """End a session; one that is over already may be ended again."""
        await self._db.write(SQL.session_remove, {"token_hash": _hashed(token)})

    async def add_service(self, name: str, *, may: Sequence[str], by: str, now: datetime, expires_at: datetime) -> str:
        """Give a service permissions until a time; answers with its token, which is said this once.

        A service of that name gets a new token, and its old one ends at once.
        """
        _check_lengths(name, name)
        self._check_declared(may)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        params = {"name": name, "token_hash": _hashed(token), "may": list(may), "by": by, "now": now}
        await self._db.write(SQL.service_add, {**params, "expires_at": expires_at})
        self._services.clear()
        return token

    async def service(self, token: str, now: datetime) -> Person | None:
        """The service that holds this token; None when none does or its time is over."""
        key = _hashed(token)
        found = self._services.get(key)
        if found is None:
            rows = await self._db.read(SQL.service_find, {"token_hash": key}, as_=ServiceView)
            if not rows:
                return None
            if len(self._services) >= SERVICES_KNOWN:
                self._services.clear()
            found = self._services[key] = rows[0]
        return Person(name=found.name, roles=(), may=found.may) if found.expires_at > now else None

    async def services(self) -> list[ServiceView]:
        """Every service that was given a token, by name."""
        return await self._db.read(SQL.services, as_=ServiceView)

    async def remove_service(self, name: str) -> None:
        """End a service's token at once."""
        removed = await self._db.write(SQL.service_remove, {"name": name})
        self._services.clear()
        if not removed:
            raise NoSuchService("kernel.no_such_service", {"name": name})

    def _check_declared(self, permissions: Sequence[str]) -> None:
        for permission in permissions:
            if permission not in self._roles:
                raise UnknownPermission("kernel.unknown_permission", {"permission": permission})

    async def prune(self, *, now: datetime) -> None:
        """Forget sessions that are over and attempts of yesterday."""
        await self._db.write(SQL.sessions_prune, {"now": now})
        await self._db.write(SQL.attempts_prune, {"before": now - timedelta(days=1)})

    async def _matches(self, password_hash: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(_hasher.verify, password_hash, password)
            except VerifyMismatchError:
                return False


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(secrets.token_hex())


def _check_lengths(name: str, password: str) -> None:
    if not 0 < len(name) <= NAME_LIMIT or not 0 < len(password) <= PASSWORD_LIMIT or "\0" in name:
        raise Invalid("kernel.sign_in_unusable", {})


def _hashed(token: str) -> bytes:
    """The token has 256 bits of chance, so one round of SHA-256 is enough, and finding a hash tells no timing of it."""
    return hashlib.sha256(token.encode()).digest()
