# SPDX-License-Identifier: Apache-2.0
"""The entrance: who asks and what they may. Everything about people is reached from here."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor, Person
from citybrain.kernel.access.attempts import Attempts
from citybrain.kernel.access.passwords import Passwords, check_lengths
from citybrain.kernel.access.policy import Policy, RoleRight, Snapshot
from citybrain.kernel.access.powers import KERNEL_PERMISSIONS, OPERATOR, PUBLIC, check_powers
from citybrain.kernel.access.services import Services, ServiceView
from citybrain.kernel.access.sessions import Sessions, Visit
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Forbidden, Invalid

OPERATOR_NAME = "operator"
GENERATED_PASSWORD_BYTES = 15


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    account_count: str
    account_add: str
    account_find: str


SQL = sql.load(Path(__file__).with_name("queries_access.sql"), Sql)


class SignInRefused(Forbidden):
    """Name and password do not belong together; it is not said which is wrong."""


class UnknownPermission(Invalid):
    """No part of the city declares this permission, so it cannot be given."""


class PermissionTwice(Exception):
    """Two parts of the city claim one permission: a bug, seen at start."""


class _Account(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    password_hash: str | None
    roles: tuple[str, ...]


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
        self._passwords = Passwords()
        self._attempts = Attempts(db)
        self._tokens = Services(db)
        self.sessions = Sessions(db)
        self._roles: dict[str, frozenset[str]] = {}
        for grants in (KERNEL_PERMISSIONS, *declared):
            for permission, roles in grants.items():
                if permission in self._roles:
                    raise PermissionTwice(permission)
                self._roles[permission] = frozenset(roles)
        self._check_declared(public_may)
        for permission in public_may:
            self._roles[permission] |= {PUBLIC}
        self.policy = Policy(Snapshot(roles=self.built_in))

    @property
    def built_in(self) -> dict[str, dict[str, RoleRight]]:
        """The roles that kernel, doors and apps declare, with what each gives."""
        found: dict[str, dict[str, RoleRight]] = {}
        for permission, roles in self._roles.items():
            for role in roles:
                found.setdefault(role, {})[permission] = RoleRight()
        return found

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

    def actor_of(self, visit: Visit | None, now: datetime) -> Actor:
        """Who acts in a session, with all rights in force; nobody in particular when there is none."""
        if visit is None:
            return self.policy.anonymous
        actor = self.policy.actor(visit.account, visit.kind, visit.roles, now, on_behalf_of=visit.acting_for)
        return msgspec.structs.replace(
            actor,
            name=visit.shown_name or visit.account,
            session=visit.id,
            proved_at=visit.proved_at,
            second_factor=visit.second_factor,
        )

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
        check_lengths(name, password)
        check_powers(name, roles)
        password_hash = await self._passwords.hash(password)
        params = {"name": name, "password_hash": password_hash, "roles": list(roles), "now": now}
        await self._db.write(SQL.account_add, params)

    async def sign_in(self, name: str, password: str, *, now: datetime) -> tuple[Person, str]:
        """The person and the token of a new session. Refuses a wrong pair, and any pair while the name is locked.

        The attempt counts as failed before the password is looked at, so guessing in parallel gains nothing,
        and an unknown name costs the same time as a known one.
        """
        check_lengths(name, password)
        await self._attempts.count(name, now)
        account = await self._db.read_one(SQL.account_find, {"name": name}, as_=_Account)
        matches = await self._passwords.match(account.password_hash if account else None, password)
        if account is None or not matches:
            raise SignInRefused("kernel.sign_in_refused", {})
        await self._attempts.forget(name)
        token = await self.sessions.open(name, method="password", now=now)
        return Person(name=account.name, roles=account.roles), token

    async def session(self, token: str, now: datetime) -> Person | None:
        """Who holds this token; None when nobody does or the session is over. Use extends it."""
        visit = await self.sessions.find(token, now)
        return Person(name=visit.account, roles=visit.roles) if visit else None

    async def sign_out(self, token: str) -> None:
        """End a session; one that is over already may be ended again."""
        await self.sessions.close(token)

    async def add_service(
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

        A service of that name gets a new token, and its old one ends at once or after the overlap.
        """
        self._check_declared(may)
        return await self._tokens.add(name, may=may, by=by, now=now, expires_at=expires_at, overlap=overlap)

    async def service(self, token: str, now: datetime) -> Person | None:
        """The service that holds this token; None when none does or its time is over."""
        found = await self._tokens.find(token, now)
        return Person(name=found[0], roles=(), may=found[1]) if found else None

    async def services(self) -> list[ServiceView]:
        """Every service that was given a token, by name."""
        return await self._tokens.all()

    async def remove_service(self, name: str) -> None:
        """End a service's tokens at once."""
        await self._tokens.remove(name)

    def _check_declared(self, permissions: Sequence[str]) -> None:
        for permission in permissions:
            if permission not in self._roles:
                raise UnknownPermission("kernel.unknown_permission", {"permission": permission})

    async def prune(self, *, now: datetime) -> None:
        """Forget sessions that are over and attempts of yesterday."""
        await self.sessions.prune(now)
        await self._attempts.prune(before=now - timedelta(days=1))
