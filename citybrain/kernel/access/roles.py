# SPDX-License-Identifier: Apache-2.0
"""Roles of this city's own: data beside the roles that kernel, doors and apps declare."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.acts import Acts
from citybrain.kernel.access.departments import check_id
from citybrain.kernel.access.policy import RoleRight
from citybrain.kernel.access.powers import PowerPermission, of_powers_only
from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.records import Text

PERMISSION = "people.roles"


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    roles: str
    role_insert: str
    role_update: str
    role_remove: str
    role_used: str


SQL = sql.load(Path(__file__).with_name("queries_roles.sql"), Sql)


class UnknownPermission(Invalid):
    """No part of the city declares this permission, so it cannot be given."""


class UnknownRole(NotFound):
    """There is no such role."""


class RoleTaken(Conflict):
    """A role of this name is declared by a part of the city, so it is not this city's to change."""


class RoleInUse(Conflict):
    """Somebody has the role, or a post brings it."""


class RoleChanged(Conflict):
    """Somebody else changed the role in the meantime."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role: permissions, each with what of personal data it shows. `version` counts its changes; 0 is declared."""

    name: str
    shown_name: Text
    permissions: Mapping[str, RoleRight]
    version: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None


Declared = Callable[[], Mapping[str, frozenset[str]]]
"""Which roles each declared permission belongs to."""


class Roles:
    """The roles of one city."""

    def __init__(self, acts: Acts, declared: Declared) -> None:
        self._acts = acts
        self._declared = declared

    async def own(self) -> list[Role]:
        """The roles of this city's own, by name."""
        return await self._acts.db.read(SQL.roles, as_=Role)

    def built_in(self) -> dict[str, dict[str, RoleRight]]:
        """The roles that parts of the city declare, with what each gives."""
        found: dict[str, dict[str, RoleRight]] = {}
        for permission, roles in self._declared().items():
            for role in roles:
                found.setdefault(role, {})[permission] = RoleRight()
        return found

    async def save(
        self,
        actor: Actor,
        name: str,
        *,
        shown_name: Text,
        permissions: Mapping[str, RoleRight],
        expected_version: int,
        now: datetime,
    ) -> int:
        """Make a role (version 0 is expected then) or change it; answers with its new version.

        Refuses a permission that nobody declares or that belongs to a power, and a change of what has changed.
        """
        check_id(name)
        self._check(name, permissions)
        async with self._acts.begin(actor, PERMISSION) as act:
            params = {
                "name": name,
                "shown_name": msgspec.json.encode(shown_name).decode(),
                "permissions": msgspec.json.encode(permissions).decode(),
                "version": expected_version,
                "by": actor.account,
                "now": now,
            }
            query = SQL.role_update if expected_version else SQL.role_insert
            if not await act.transaction.write(query, params):
                raise RoleChanged("kernel.role_changed", {"name": name, "version": expected_version})
            facts = {"version": expected_version + 1, "permissions": msgspec.to_builtins(permissions)}
            await act.record("people.role_saved", f"role:{name}", facts)
        return expected_version + 1

    async def remove(self, actor: Actor, name: str) -> None:
        """Remove a role that nobody has."""
        async with self._acts.begin(actor, PERMISSION) as act:
            if await act.transaction.read(SQL.role_used, {"name": name}, as_=int):
                raise RoleInUse("kernel.role_in_use", {"name": name})
            if not await act.transaction.write(SQL.role_remove, {"name": name}):
                raise UnknownRole("kernel.no_such_role", {"name": name})
            await act.record("people.role_removed", f"role:{name}", {})

    def to_give(self) -> list[str]:
        """Every permission that a role of this city's own may hold."""
        return sorted(name for name, roles in self._declared().items() if not of_powers_only(roles))

    async def names(self) -> list[str]:
        """Every role there is."""
        return [*self.built_in(), *(role.name for role in await self.own())]

    async def check_exists(self, name: str) -> None:
        """Refuse a role that nobody declares and this city has not made."""
        if name not in self.built_in() and name not in {each.name for each in await self.own()}:
            raise UnknownRole("kernel.no_such_role", {"name": name})

    def _check(self, name: str, permissions: Mapping[str, RoleRight]) -> None:
        declared = self._declared()
        if name in self.built_in():
            raise RoleTaken("kernel.role_taken", {"name": name})
        for permission in permissions:
            if permission not in declared:
                raise UnknownPermission("kernel.unknown_permission", {"permission": permission})
            if of_powers_only(declared[permission]):
                raise PowerPermission("kernel.power_permission", {"permission": permission})
