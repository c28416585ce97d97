# SPDX-License-Identifier: Apache-2.0
"""Staff accounts: opened and closed by the administration, given roles of the whole city by the security power."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.acts import Act, Acts, NoSuchAccount
from citybrain.kernel.access.grants import GrantToOneself
from citybrain.kernel.access.passwords import Passwords, check_lengths
from citybrain.kernel.access.policy import NotPermitted, require
from citybrain.kernel.access.powers import POWERS, SECURITY, PowerPermission, check_powers
from citybrain.kernel.access.roles import Roles, UnknownRole
from citybrain.kernel.access.sessions import Sessions
from citybrain.kernel.errors import Conflict

ACCOUNTS = "people.accounts"
GRANTS = "people.grants"
APPOINT = "people.appoint"
SESSIONS = "people.sessions"


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    account_insert: str
    accounts: str
    account_close: str
    account_open: str
    account_password: str
    account_lock: str
    account_roles: str
    power_holders: str


SQL = sql.load(Path(__file__).with_name("queries_accounts.sql"), Sql)


class AccountExists(Conflict):
    """An account of this name is or was there; names are not used twice, or records would mean two people."""


class PowerHeld(Conflict):
    """Somebody holds the power already, so only the security power may name another."""


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """A staff account as it is listed."""

    name: str
    shown_name: str
    roles: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    second_factor: bool


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    roles: tuple[str, ...]


class Accounts:
    """The staff accounts of one city."""

    def __init__(self, acts: Acts, passwords: Passwords, sessions: Sessions, roles: Roles) -> None:
        self._acts = acts
        self._passwords = passwords
        self._sessions = sessions
        self._roles = roles

    async def all(self) -> list[AccountView]:
        """Every staff account, closed ones too, by name."""
        return await self._acts.db.read(SQL.accounts, as_=AccountView)

    async def open(self, actor: Actor, name: str, password: str, *, shown_name: str = "", now: datetime) -> None:
        """Make an account that may nothing yet: rights are given by others than those who make accounts."""
        check_lengths(name, password)
        await self._passwords.check(password, name, shown_name)
        password_hash = await self._passwords.hash(password)
        params = {"name": name, "password_hash": password_hash, "shown_name": shown_name, "now": now}
        async with self._acts.begin(actor, ACCOUNTS) as act:
            if not await act.transaction.write(SQL.account_insert, params):
                raise AccountExists("kernel.account_exists", {"name": name})
            await act.record("people.account_opened", f"account:{name}", {})

    async def close(self, actor: Actor, name: str, *, now: datetime) -> None:
        """Close an account: its sessions end, its grants and delegations count for nothing. It can be opened again."""
        async with self._acts.begin(actor, ACCOUNTS) as act:
            _not_oneself(actor, name)
            await _changed(act, SQL.account_close, {"name": name, "now": now})
            await self._sessions.end_all(act.transaction, name)
            await act.record("people.account_closed", f"account:{name}", {})

    async def reopen(self, actor: Actor, name: str) -> None:
        """Open a closed account again."""
        async with self._acts.begin(actor, ACCOUNTS) as act:
            await _changed(act, SQL.account_open, {"name": name})
            await act.record("people.account_reopened", f"account:{name}", {})

    async def new_password(self, actor: Actor, name: str, password: str) -> None:
        """Give somebody who forgot it a new password; open sessions end. The second factor stays as it is."""
        check_lengths(name, password)
        await self._passwords.check(password, name)
        password_hash = await self._passwords.hash(password)
        async with self._acts.begin(actor, ACCOUNTS) as act:
            await _changed(act, SQL.account_password, {"name": name, "password_hash": password_hash})
            await self._sessions.end_all(act.transaction, name)
            await act.record("people.password_given", f"account:{name}", {})

    async def set_roles(self, actor: Actor, name: str, roles: Sequence[str]) -> None:
        """Say which roles somebody has in the whole city. A power that they hold stays; none is given here."""
        for role in roles:
            if role in POWERS:
                raise PowerPermission("kernel.power_by_appointment", {"role": role})
            await self._roles.check_exists(role)
        await self._change_roles(actor, GRANTS, name, lambda held: [*sorted(POWERS.intersection(held)), *roles])

    async def appoint(self, actor: Actor, name: str, power: str) -> None:
        """Give somebody one of the three powers. Refuses a second one, and oneself.

        Whoever is not the security power may only name the first holder of a power that nobody holds.
        """
        await self._check_vacant(actor, power)
        await self._change_roles(actor, APPOINT, name, lambda held: [*held, power])

    async def appoint_new(self, actor: Actor, name: str, password: str, power: str, *, now: datetime) -> None:
        """Name a first holder who has no account yet: how a new city comes by its three powers."""
        check_lengths(name, password)
        await self._passwords.check(password, name)
        await self._check_vacant(actor, power)
        password_hash = await self._passwords.hash(password)
        params = {"name": name, "password_hash": password_hash, "shown_name": "", "now": now}
        async with self._acts.begin(actor, APPOINT) as act:
            if not await act.transaction.write(SQL.account_insert, params):
                raise AccountExists("kernel.account_exists", {"name": name})
            await act.transaction.write(SQL.account_roles, {"name": name, "roles": [power]})
            await act.record("people.account_opened", f"account:{name}", {"roles": [power]})

    async def _check_vacant(self, actor: Actor, power: str) -> None:
        require(actor, APPOINT)
        if power not in POWERS:
            raise UnknownRole("kernel.no_such_role", {"name": power})
        if SECURITY not in actor.roles and await self._acts.db.read(SQL.power_holders, {"power": power}, as_=str):
            raise PowerHeld("kernel.power_held", {"power": power})

    async def dismiss(self, actor: Actor, name: str, power: str) -> None:
        """Take a power from somebody; only the security power may."""
        if SECURITY not in actor.roles:
            facts = {"permission": GRANTS, "name": actor.name, "department": None}
            raise NotPermitted("kernel.not_permitted", facts)
        await self._change_roles(actor, APPOINT, name, lambda held: [role for role in held if role != power])

    async def end_sessions(self, actor: Actor, name: str) -> int:
        """End every session of somebody."""
        async with self._acts.begin(actor, SESSIONS) as act:
            ended = await self._sessions.end_all(act.transaction, name)
            await act.record("people.sessions_ended", f"account:{name}", {"ended": ended})
        return ended

    async def _change_roles(
        self, actor: Actor, permission: str, name: str, change: Callable[[tuple[str, ...]], list[str]]
    ) -> None:
        async with self._acts.begin(actor, permission) as act:
            _not_oneself(actor, name)
            held = await act.transaction.read(SQL.account_lock, {"name": name}, as_=_Held)
            if not held:
                raise NoSuchAccount("kernel.no_such_account", {"name": name})
            roles = list(dict.fromkeys(change(held[0].roles)))
            check_powers(name, roles)
            await act.transaction.write(SQL.account_roles, {"name": name, "roles": roles})
            await act.record("people.roles_set", f"account:{name}", {"roles": roles, "were": list(held[0].roles)})


def _not_oneself(actor: Actor, name: str) -> None:
    if actor.account == name:
        raise GrantToOneself("kernel.grant_to_oneself", {"account": name})


async def _changed(act: Act, query: str, params: dict[str, object]) -> None:
    if not await act.transaction.write(query, params):
        raise NoSuchAccount("kernel.no_such_account", {"name": params["name"]})
