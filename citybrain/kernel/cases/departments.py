# SPDX-License-Identifier: Apache-2.0
"""What the case engine must know of departments and of who works there."""

from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Kind
from citybrain.kernel.access.acts import NoSuchAccount
from citybrain.kernel.access.departments import NoSuchDepartment
from citybrain.kernel.access.policy import Policy, reach
from citybrain.kernel.cases.refusals import AssigneeElsewhere
from citybrain.kernel.cases.rights import WORK
from citybrain.kernel.db import Transaction


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    staff_roles: str


SQL = sql.load(Path(__file__).with_name("queries_staff.sql"), Sql)


class _Staff(msgspec.Struct, frozen=True, kw_only=True):
    roles: tuple[str, ...]


class Departments(Protocol):
    """What the engine must know of departments."""

    def within(self, department: str) -> Collection[str]:
        """A department with all below it."""

    def successor(self, department: str) -> str:
        """Who does a department's work now: itself unless it was dissolved."""

    def living(self, department: str) -> str:
        """The same, for somebody who names one: refuses `NoSuchDepartment`."""

    async def check_works(self, transaction: Transaction, account: str, department: str, now: datetime) -> None:
        """Refuse to give a department's case to somebody who could not work on it."""


class Single:
    """Departments of a city without a tree: each stands alone and none was dissolved."""

    def within(self, department: str) -> Collection[str]:
        """The department alone."""
        return (department,)

    def successor(self, department: str) -> str:
        """The department itself."""
        return department

    def living(self, department: str) -> str:
        """The department itself."""
        return department

    async def check_works(self, transaction: Transaction, account: str, department: str, now: datetime) -> None:
        """Nobody knows who works where."""


class OfPolicy:
    """The departments that rights go by, as they are when it is asked: `policy` answers with the one in force.

    A city that has none yet takes every name for one.
    """

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy

    def within(self, department: str) -> Collection[str]:
        """A department with all below it, and those whose work they carry on."""
        return self._policy().within(department)

    def successor(self, department: str) -> str:
        """Who does a department's work now."""
        return self._policy().successor(department)

    def living(self, department: str) -> str:
        """Who does a department's work now; refuses `NoSuchDepartment`."""
        policy = self._policy()
        found = policy.successor(department)
        if policy.snapshot.departments and found not in policy.snapshot.departments:
            raise NoSuchDepartment("kernel.no_such_department", {"id": department})
        return found

    async def check_works(self, transaction: Transaction, account: str, department: str, now: datetime) -> None:
        """Refuse `NoSuchAccount` for who has no open staff account, `AssigneeElsewhere` for who may not work there."""
        policy = self._policy()
        staff = await transaction.read(SQL.staff_roles, {"name": account}, as_=_Staff)
        if not staff:
            raise NoSuchAccount("kernel.no_such_account", {"name": account})
        actor = policy.actor(account, Kind.STAFF, staff[0].roles, now)
        if policy.snapshot.departments and not reach(actor, WORK).covers(department):
            facts = {"account": account, "department": department}
            raise AssigneeElsewhere("kernel.case_assignee_elsewhere", facts)
