# SPDX-License-Identifier: Apache-2.0
"""The entrance: who asks and what they may. Everything about people is reached from here."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.accounts import Accounts
from citybrain.kernel.access.actor import Actor, Person
from citybrain.kernel.access.acts import Acts
from citybrain.kernel.access.attempts import Attempts
from citybrain.kernel.access.citizens import Citizens, Way
from citybrain.kernel.access.departments import Departments
from citybrain.kernel.access.factors import Factors
from citybrain.kernel.access.foreign import Foreign
from citybrain.kernel.access.grants import Grants
from citybrain.kernel.access.limits import SIGN_IN_BY_ADDRESS, Limits
from citybrain.kernel.access.passwords import Passwords, check_lengths
from citybrain.kernel.access.policy import Policy, RoleRight, Snapshot
from citybrain.kernel.access.powers import KERNEL_PERMISSIONS, OPERATOR, PUBLIC, check_powers, of_powers_only
from citybrain.kernel.access.providers import read_providers
from citybrain.kernel.access.roles import Roles, UnknownPermission
from citybrain.kernel.access.sending import Sender, Smtp, Webhook
from citybrain.kernel.access.services import Services, ServiceView
from citybrain.kernel.access.sessions import NoSuchSession, Origin, Sessions, Visit
from citybrain.kernel.access.witness import Witness
from citybrain.kernel.audit.recording import MACHINE, record
from citybrain.kernel.clock import utc_now
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Forbidden
from citybrain.kernel.settings import Settings

OPERATOR_NAME = "operator"
GENERATED_PASSWORD_BYTES = 15


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    account_known: str
    account_add: str
    account_find: str
    account_password_own: str


SQL = sql.load(Path(__file__).with_name("queries_access.sql"), Sql)


class SignInRefused(Forbidden):
    """Name and password do not belong together; it is not said which is wrong."""


class NotDelegated(Forbidden):
    """Nobody of this name delegated anything to the actor, or it is over."""


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
        keys: KeyRing | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._db = db
        self._clock = clock
        self._loading = asyncio.Lock()
        self._passwords = Passwords()
        self._attempts = Attempts(db)
        self._tokens = Services(db)
        self._roles: dict[str, frozenset[str]] = {}
        for grants in (KERNEL_PERMISSIONS, *declared):
            for permission, roles in grants.items():
                if permission in self._roles:
                    raise PermissionTwice(permission)
                self._roles[permission] = frozenset(roles)
        self._check_declared(public_may)
        for permission in public_may:
            self._roles[permission] |= {PUBLIC}
        keys = keys or KeyRing.new(now=clock())
        self.acts = Acts(db, self.refresh)
        self.limits = Limits()
        self.witness = Witness(db)
        self.sessions = Sessions(db)
        self.roles = Roles(self.acts, lambda: self._roles)
        self.departments = Departments(self.acts)
        self.grants = Grants(self.acts, self.roles)
        self.accounts = Accounts(self.acts, self._passwords, self.sessions, self.roles)
        self.factors = Factors(db, self.acts, keys=keys, attempts=self._attempts, sessions=self.sessions)
        self.citizens = Citizens(db, keys=keys, sessions=self.sessions, limits=self.limits, witness=self.witness)
        self.foreign = Foreign(db, keys=keys, sessions=self.sessions, citizens=self.citizens, witness=self.witness)
        self.policy = Policy(Snapshot(roles=self.roles.built_in()))

    @classmethod
    async def open(
        cls,
        db: Database,
        settings: Settings,
        declared: Iterable[Mapping[str, Sequence[str]]],
        *,
        keys: KeyRing,
        now: datetime,
    ) -> Self:
        """The entrance of a city with its keys, its ways to reach people, its providers, and all rights loaded."""
        access = cls(db, declared, public_may=settings.public_may, keys=keys)
        senders: dict[Way, Sender] = {}
        if settings.smtp:
            senders[Way.EMAIL] = Smtp(settings.smtp)
        if settings.sms:
            senders[Way.PHONE] = Webhook(settings.sms)
        access.citizens.senders = senders
        access.foreign.providers = read_providers(settings.oidc)
        await access.load(now)
        return access

    async def load(self, now: datetime) -> None:
        """Load all that rights rest on. One at a time, so that an older state never replaces a newer one."""
        async with self._loading:
            roles = {role.name: role.permissions for role in await self.roles.own()}
            snapshot = Snapshot(
                roles={**self.roles.built_in(), **{name: self._still_declared(each) for name, each in roles.items()}},
                departments={each.id: each for each in await self.departments.all()},
                posts={each.id: each.roles for each in await self.departments.posts()},
                memberships=tuple(await self.grants.memberships(now)),
                delegations=tuple(await self.grants.delegations(now)),
            )
            self.policy = Policy(snapshot)

    async def refresh(self) -> None:
        """Rights have changed: from the next request on the new ones hold."""
        await self.load(self._clock())

    def _still_declared(self, permissions: Mapping[str, RoleRight]) -> dict[str, RoleRight]:
        """What a role gives without what no part of the city knows any more, or what became a power's since."""
        return {
            permission: given
            for permission, given in permissions.items()
            if permission in self._roles and not of_powers_only(self._roles[permission])
        }

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
        """Make the operator's account when there is none; answers with its password, which is said this once.

        With `renew` an account that is there gets a new password, and its sessions end.
        """
        if await self._db.read_one(SQL.account_known, {"name": OPERATOR_NAME}, as_=int) and not renew:
            return None
        password = secrets.token_urlsafe(GENERATED_PASSWORD_BYTES)
        await self.add_account(OPERATOR_NAME, password, roles=(OPERATOR,), now=now)
        await self.factors.forget(OPERATOR_NAME)
        async with self._db.transaction() as transaction:
            told = f"account:{OPERATOR_NAME}"
            await record(transaction, actor=MACHINE, act="people.operator_given_password", object=told)
        return password

    async def add_account(self, name: str, password: str, *, roles: Sequence[str], now: datetime) -> None:
        """Make an account, or give an existing one a new password and roles; its open sessions end."""
        check_lengths(name, password)
        check_powers(name, roles)
        password_hash = await self._passwords.hash(password)
        params = {"name": name, "password_hash": password_hash, "roles": list(roles), "now": now}
        await self._db.write(SQL.account_add, params)

    async def sign_in(
        self, name: str, password: str, *, now: datetime, code: str | None = None, origin: Origin | None = None
    ) -> tuple[Person, str]:
        """The person and the token of a new session. Refuses a wrong pair, and any pair while the name is locked.

        The attempt counts as failed before the password is looked at, so guessing in parallel gains nothing,
        and an unknown name costs the same time as a known one. An account with a second factor needs a code too.
        """
        check_lengths(name, password)
        async with self.witness.sign_in(name, origin=origin, now=now):
            if origin and origin.address:
                self.limits.count(f"sign in {origin.address}", SIGN_IN_BY_ADDRESS, now)
            account = await self._by_password(name, password, now)
            second = await self.factors.check(name, code, now=now)
            await self._attempts.forget(name)
        token = await self.sessions.open(name, method="password", now=now, second_factor=second, origin=origin)
        return Person(name=account.name, roles=account.roles), token

    async def prove(self, actor: Actor, *, password: str = "", code: str = "", now: datetime) -> str:
        """Somebody who is signed in proves again to be who they are: by a code, or without a second factor by password.

        Answers with the session's new token; the old one ends at once.
        """
        if actor.session is None:
            raise NoSuchSession("kernel.no_such_session", {"id": None})
        async with self.witness.sign_in(actor.account, act="access.proof_refused", actor=actor, now=now):
            second = await self.factors.check(actor.account, code, now=now)
            if not second:
                await self._by_password(actor.account, password, now)
                await self._attempts.forget(actor.account)
        token = await self.sessions.rotate(actor.session, now=now, second_factor=second)
        async with self._db.transaction() as transaction:
            told, facts = f"account:{actor.account}", {"session": actor.session, "second_factor": second}
            await record(transaction, actor=actor, act="access.proved", object=told, facts=facts)
        return token

    async def change_password(self, actor: Actor, old: str, new: str, *, now: datetime) -> None:
        """Give oneself another password; all other sessions end. Refuses one that is short."""
        check_lengths(actor.account, new)
        await self._passwords.check(new, actor.account, actor.name)
        async with self.witness.sign_in(actor.account, act="access.password_refused", actor=actor, now=now):
            await self._by_password(actor.account, old, now)
            await self._attempts.forget(actor.account)
        password_hash = await self._passwords.hash(new)
        async with self._db.transaction() as transaction:
            params = {"name": actor.account, "password_hash": password_hash}
            await transaction.write(SQL.account_password_own, params)
            await self.sessions.end_all(transaction, actor.account, but=actor.session)
            await record(transaction, actor=actor, act="people.password_changed", object=f"account:{actor.account}")

    async def act_for(self, actor: Actor, account: str | None, *, now: datetime) -> None:
        """From now on this session acts for somebody who delegated to its person, or with None for themselves."""
        if actor.session is None:
            raise NoSuchSession("kernel.no_such_session", {"id": None})
        lent = [each for each in self.policy.snapshot.delegations if each.to_account == actor.account]
        if account is not None and not any(each.of_account == account and each.holds(now) for each in lent):
            raise NotDelegated("kernel.not_delegated", {"account": account})
        await self.sessions.act_for(actor.session, account)

    async def _by_password(self, name: str, password: str, now: datetime) -> _Account:
        check_lengths(name, password)
        await self._attempts.count(name, now)
        account = await self._db.read_one(SQL.account_find, {"name": name}, as_=_Account)
        matches = await self._passwords.match(account.password_hash if account else None, password)
        if account is None or not matches:
            raise SignInRefused("kernel.sign_in_refused", {})
        return account

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

    async def remove_service(self, name: str, *, by: str = "") -> None:
        """End a service's tokens at once."""
        await self._tokens.remove(name, by=by)

    def _check_declared(self, permissions: Sequence[str]) -> None:
        for permission in permissions:
            if permission not in self._roles:
                raise UnknownPermission("kernel.unknown_permission", {"permission": permission})

    async def prune(self, *, now: datetime) -> None:
        """Forget sessions that are over and attempts of yesterday."""
        await self.sessions.prune(now)
        await self._attempts.prune(before=now - timedelta(days=1))
        await self.witness.add_up(now)
        await self.citizens.prune(now)
        await self.foreign.prune(now)
