# SPDX-License-Identifier: Apache-2.0
"""Who acts, and what the rights of somebody are: the words in which permissions are asked and answered."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What sort of somebody acts."""

    STAFF = "staff"
    CITIZEN = "citizen"
    SERVICE = "service"
    ANONYMOUS = "anonymous"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, or a service that showed its token: `may` are permissions given to it by name."""

    name: str
    roles: tuple[str, ...]
    may: tuple[str, ...] = ()


class DepartmentGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A role in a department, with `below` also in those under it; `delegated_by` somebody whose grant it really is."""

    department: str
    role: str
    below: bool = False
    post: str | None = None
    delegated_by: str | None = None


class Shown(StrEnum):
    """How a personal field is shown."""

    HIDDEN = "hidden"
    MASKED = "masked"
    CLEAR = "clear"


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """How personal fields are shown with one permission: each by its name, all others as `otherwise`."""

    named: Mapping[str, Shown] = {}
    otherwise: Shown = Shown.HIDDEN

    def of(self, field: str) -> Shown:
        """How one field is shown."""
        return self.named.get(field, self.otherwise)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a permission reaches.

    `all`: every row. `departments`: the rows that one of these holds, dissolved ones they carry on included.
    `own_only`: only rows of the actor's own. None of these: no row at all.
    """

    all: bool = False
    departments: frozenset[str] = frozenset()
    own_only: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything it reaches."""
        return self.all or self.own_only or bool(self.departments)

    def covers(self, department: str | None) -> bool:
        """Whether it reaches rows that a department holds, whoever's own they are; None is a row nobody holds yet."""
        return self.all or department in self.departments


NOTHING = Reach()
EVERYTHING = Reach(all=True)
OWN = Reach(own_only=True)


class Right(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has with one permission: the rows and how their personal fields are shown."""

    reach: Reach
    fields: Fields = Fields(otherwise=Shown.MASKED)


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts in one request, with all rights as they were when it came.

    `account` is the name rights and records go by, `name` what people read. `departments` are the grants in force,
    delegated ones included. `on_behalf_of` is the account this actor chose to act for: then only what that one
    delegated counts. `proved_at` is when the person last proved to be who they are.
    """

    name: str
    account: str
    kind: Kind
    roles: tuple[str, ...] = ()
    departments: tuple[DepartmentGrant, ...] = ()
    on_behalf_of: str | None = None
    rights: Mapping[str, Right] = {}
    session: int | None = None
    proved_at: datetime | None = None
    second_factor: bool = False

    @property
    def signed_in(self) -> bool:
        """Whether it is known who acts."""
        return self.kind is not Kind.ANONYMOUS
