# SPDX-License-Identifier: Apache-2.0
"""Who has which role where and until when, and who acts for whom while that one is away."""

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.acts import Act, Acts, NoSuchAccount
from citybrain.kernel.access.departments import NoSuchDepartment
from citybrain.kernel.access.policy import Delegation, Membership, NotPermitted, reach
from citybrain.kernel.access.powers import POWERS, PowerPermission
from citybrain.kernel.access.roles import Roles
from citybrain.kernel.errors import Conflict, Invalid, NotFound

GRANT = "people.grants"
DELEGATE = "people.delegate"
# A leave that lasts longer is a change of post, which the security power grants.
LONGEST_DELEGATION = timedelta(days=180)


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    membership_add: str
    membership_end: str
    memberships: str
    delegation_add: str
    delegation_revoke: str
    delegations: str
    delegation_find: str
    staff_is_there: str
    department_is_there: str
    post_place: str


SQL = sql.load(Path(__file__).with_name("queries_grants.sql"), Sql)


class GrantToOneself(Conflict):
    """Nobody gives rights to themselves."""


class NoSuchGrant(NotFound):
    """There is no such membership or delegation, or it is over."""


class BadPeriod(Invalid):
    """A grant must end after it begins, and a delegation within its longest time."""


class Reason(StrEnum):
    """Why somebody acts for somebody else."""

    LEAVE = "leave"
    SHIFT = "shift"
    DUTY = "duty"
    OTHER = "other"


class NewMembership(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role or a post for somebody, in a department; for a post that is the post's own."""

    account: str
    department: str
    role: str | None = None
    post: str | None = None
    below: bool = False
    begins_at: datetime | None = None
    ends_at: datetime | None = None


class NewDelegation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to act for whom, where, until when and why."""

    of_account: str
    to_account: str
    ends_at: datetime
    reason: Reason
    begins_at: datetime | None = None
    department: str | None = None
    note: str = ""


class Grants:
    """Memberships and delegations of one city."""

    def __init__(self, acts: Acts, roles: Roles) -> None:
        self._acts = acts
        self._roles = roles

    async def memberships(self, now: datetime) -> list[Membership]:
        """Those in force or to come."""
        return await self._acts.db.read(SQL.memberships, {"now": now}, as_=Membership)

    async def delegations(self, now: datetime) -> list[Delegation]:
        """Those in force or to come."""
        return await self._acts.db.read(SQL.delegations, {"now": now}, as_=Delegation)

    async def give(self, actor: Actor, new: NewMembership, *, now: datetime) -> int:
        """Give somebody a role or a post in a department; answers with the number of the membership.

        Refuses to give it to oneself, and powers: those are held in the whole city, by appointment.
        """
        begins_at = new.begins_at or now
        if new.ends_at is not None and new.ends_at <= begins_at:
            raise BadPeriod("kernel.grant_period", {"begins_at": begins_at, "ends_at": new.ends_at})
        if (new.role is None) == (new.post is None):
            raise BadPeriod("kernel.grant_role_or_post", {})
        if new.role in POWERS:
            raise PowerPermission("kernel.power_by_appointment", {"role": new.role})
        if new.role is not None:
            await self._roles.check_exists(new.role)
        async with self._acts.begin(actor, GRANT) as act:
            _not_oneself(actor, new.account)
            await _check_staff(act, new.account)
            await _check_department(act, new.department)
            if new.post is not None:
                await _check_post(act, new.post, new.department)
            params = {**msgspec.structs.asdict(new), "begins_at": begins_at, "by": actor.account}
            (number,) = await act.transaction.read(SQL.membership_add, params, as_=int)
            await act.record(
                "people.membership_given", f"account:{new.account}", {**msgspec.to_builtins(new), "id": number}
            )
        return number

    async def take(self, actor: Actor, membership: int, *, now: datetime) -> None:
        """End a membership now."""
        async with self._acts.begin(actor, GRANT) as act:
            ended = await act.transaction.read(SQL.membership_end, {"id": membership, "now": now}, as_=str)
            if not ended:
                raise NoSuchGrant("kernel.no_such_grant", {"id": membership})
            await act.record("people.membership_taken", f"account:{ended[0]}", {"id": membership})

    async def delegate(self, actor: Actor, new: NewDelegation, *, now: datetime) -> int:
        """Let somebody act for the actor, or for whoever the security power names; answers with its number.

        What was delegated to somebody is not theirs to delegate, and powers never are.
        """
        begins_at = new.begins_at or now
        if not begins_at < new.ends_at <= begins_at + LONGEST_DELEGATION:
            facts = {"begins_at": begins_at, "ends_at": new.ends_at, "longest_days": LONGEST_DELEGATION.days}
            raise BadPeriod("kernel.delegation_period", facts)
        self._check_whose(actor, new.of_account)
        async with self._acts.begin(actor, DELEGATE) as act:
            _not_oneself(actor, new.to_account)
            if new.of_account == new.to_account:
                raise GrantToOneself("kernel.grant_to_oneself", {"account": new.to_account})
            for account in (new.of_account, new.to_account):
                await _check_staff(act, account)
            if new.department is not None:
                await _check_department(act, new.department)
            params = {**msgspec.structs.asdict(new), "begins_at": begins_at, "by": actor.account}
            params["reason"] = new.reason.value
            (number,) = await act.transaction.read(SQL.delegation_add, params, as_=int)
            await act.record(
                "people.delegated", f"account:{new.to_account}", {**msgspec.to_builtins(new), "id": number}
            )
        return number

    async def revoke(self, actor: Actor, delegation: int, *, now: datetime) -> None:
        """End a delegation now: whose rights they are, who got them, or the security power may."""
        found = await self._acts.db.read_one(SQL.delegation_find, {"id": delegation, "now": now}, as_=Delegation)
        if found is None:
            raise NoSuchGrant("kernel.no_such_grant", {"id": delegation})
        if actor.account != found.to_account:
            self._check_whose(actor, found.of_account)
        async with self._acts.begin(actor, DELEGATE) as act:
            await act.transaction.write(SQL.delegation_revoke, {"id": delegation, "now": now})
            await act.record("people.delegation_revoked", f"account:{found.to_account}", {"id": delegation})

    def _check_whose(self, actor: Actor, account: str) -> None:
        if actor.account != account and not reach(actor, GRANT):
            raise NotPermitted("kernel.not_permitted", {"permission": GRANT, "name": actor.name, "department": None})


def _not_oneself(actor: Actor, account: str) -> None:
    if actor.account == account:
        raise GrantToOneself("kernel.grant_to_oneself", {"account": account})


async def _check_staff(act: Act, account: str) -> None:
    if not await act.transaction.read(SQL.staff_is_there, {"name": account}, as_=int):
        raise NoSuchAccount("kernel.no_such_account", {"name": account})


async def _check_department(act: Act, id: str) -> None:
    if not await act.transaction.read(SQL.department_is_there, {"id": id}, as_=int):
        raise NoSuchDepartment("kernel.no_such_department", {"id": id})


async def _check_post(act: Act, id: str, department: str) -> None:
    if await act.transaction.read(SQL.post_place, {"id": id}, as_=str) != [department]:
        raise NoSuchDepartment("kernel.no_such_post", {"id": id})
