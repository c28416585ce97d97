# SPDX-License-Identifier: Apache-2.0
"""The one place that answers who may see and do what. What is not granted is denied.

Rights are worked out once per account and moment from a loaded snapshot; asking is a look into a table.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

import msgspec

from citybrain.kernel.access.actor import (
    EVERYTHING,
    NOTHING,
    OWN,
    Actor,
    DepartmentGrant,
    Fields,
    Kind,
    Reach,
    Right,
    Shown,
)
from citybrain.kernel.access.powers import CITIZEN, POWERS, PUBLIC, STAFF
from citybrain.kernel.errors import Forbidden

Row = TypeVar("Row")

NO_FIELDS = Fields(otherwise=Shown.HIDDEN)
OWN_FIELDS = Fields(otherwise=Shown.CLEAR)
_ORDER = {Shown.HIDDEN: 0, Shown.MASKED: 1, Shown.CLEAR: 2}


class NotPermitted(Forbidden):
    """Nothing gives the actor this permission, or not in this department."""


class RoleRight(msgspec.Struct, frozen=True, kw_only=True):
    """What a role gives with one permission: with `own` rows of one's own alone, and how personal fields are shown."""

    own: bool = False
    fields: Mapping[str, Shown] = {}
    otherwise: Shown = Shown.MASKED


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's role or post in a department, from a time until another."""

    account: str
    department: str
    begins_at: datetime
    ends_at: datetime | None = None
    role: str | None = None
    post: str | None = None
    below: bool = False
    id: int = 0
    granted_by: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is in force; at its end it is not any more."""
        return self.begins_at <= now and (self.ends_at is None or now < self.ends_at)


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """`to_account` may what `of_account` may by its memberships, in one department or, with None, in all of theirs."""

    of_account: str
    to_account: str
    begins_at: datetime
    ends_at: datetime
    department: str | None = None
    reason: str = "leave"
    note: str = ""
    id: int = 0
    made_by: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is in force; at its end it is not any more."""
        return self.begins_at <= now < self.ends_at


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """A department: the one above it, and once dissolved the one that carries on its work."""

    id: str
    parent: str | None = None
    name: Mapping[str, str] = {}
    dissolved_at: datetime | None = None
    successor: str | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that rights rest on, as it stood when it was loaded."""

    roles: Mapping[str, Mapping[str, RoleRight]] = {}
    departments: Mapping[str, Department] = {}
    posts: Mapping[str, tuple[str, ...]] = {}
    memberships: tuple[Membership, ...] = ()
    delegations: tuple[Delegation, ...] = ()


class Rights(NamedTuple):
    """What an account may from its memberships at one moment, and until when that stays so."""

    grants: tuple[DepartmentGrant, ...]
    rights: Mapping[str, Right]
    until: datetime | None


def reach(actor: Actor, permission: str) -> Reach:
    """Which rows a permission reaches; none when nothing gives it to the actor."""
    right = actor.rights.get(permission)
    return right.reach if right else NOTHING


def fields(actor: Actor, permission: str) -> Fields:
    """How personal fields are shown with a permission: hidden when nothing gives it, masked when nothing says more."""
    right = actor.rights.get(permission)
    return right.fields if right else NO_FIELDS


def require(actor: Actor, permission: str, *, department: str | None = None) -> None:
    """Refuse `NotPermitted` unless the actor has a permission, and where a department is named, in that one.

    Whether a row is the actor's own is for the caller to say, who knows it: `reach(…).own_only`.
    """
    reached = reach(actor, permission)
    if not reached or (department is not None and not (reached.own_only or reached.covers(department))):
        facts = {"permission": permission, "name": actor.name, "department": department}
        raise NotPermitted("kernel.not_permitted", facts)


class Policy:
    """Makes actors out of a snapshot. Pure: it reads neither clock nor database."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._below = _closure(snapshot.departments)
        self._carried_on = _carried_on(snapshot.departments)
        self._memberships = _by(snapshot.memberships, lambda each: each.account)
        self._delegations = _by(snapshot.delegations, lambda each: each.to_account)
        self._known: dict[tuple[str, tuple[str, ...], str | None], tuple[datetime, Rights]] = {}
        self.anonymous = Actor(name="", account="", kind=Kind.ANONYMOUS, rights=self._wide((PUBLIC,)))

    def actor(
        self, account: str, kind: Kind, roles: tuple[str, ...], now: datetime, *, on_behalf_of: str | None = None
    ) -> Actor:
        """Somebody with an account, and every right that is in force now.

        `roles` are held in the whole city. Acting on behalf of somebody, only what that one delegated counts.
        """
        everybody = CITIZEN if kind is Kind.CITIZEN else STAFF
        found = self._rights_of(account, (*roles, everybody, PUBLIC), now, on_behalf_of)
        return Actor(
            name=account,
            account=account,
            kind=kind,
            roles=roles,
            departments=found.grants,
            on_behalf_of=on_behalf_of,
            rights=found.rights,
        )

    def service(self, name: str, may: Iterable[str]) -> Actor:
        """A service with the permissions that its token has by name; they reach every row."""
        named = {permission: Right(reach=EVERYTHING) for permission in may}
        return Actor(name=name, account=name, kind=Kind.SERVICE, rights={**self._wide((PUBLIC,)), **named})

    def within(self, department: str) -> frozenset[str]:
        """A department with all below it, and the dissolved ones whose work they carry on."""
        return self._with_predecessors(self._below.get(department, frozenset()))

    def successor(self, department: str) -> str:
        """Who does a department's work now: itself, or whoever it was handed on to, over any number of steps."""
        seen: set[str] = set()
        found = self.snapshot.departments.get(department)
        while found is not None and found.successor is not None and found.id not in seen:
            seen.add(found.id)
            department = found.successor
            found = self.snapshot.departments.get(department)
        return department

    def _rights_of(self, account: str, roles: tuple[str, ...], now: datetime, behalf: str | None) -> Rights:
        key = (account, roles, behalf)
        known = self._known.get(key)
        if known and known[0] <= now and (known[1].until is None or now < known[1].until):
            return known[1]
        found = self._work_out(account, roles, now, behalf)
        self._known[key] = (now, found)
        return found

    def _work_out(self, account: str, roles: tuple[str, ...], now: datetime, behalf: str | None) -> Rights:
        own = self._memberships.get(account, ())
        delegations = [each for each in self._delegations.get(account, ()) if behalf in (None, each.of_account)]
        lent = [(each, member) for each in delegations for member in self._memberships.get(each.of_account, ())]
        grants: list[DepartmentGrant] = []
        if behalf is None:
            grants += [grant for member in own if member.holds(now) for grant in self._grants(member)]
        for delegation, member in lent:
            if delegation.holds(now) and member.holds(now) and self._lends(delegation, member):
                grants += self._grants(member, delegation)
        city_wide = roles if behalf is None else tuple(role for role in roles if role in (STAFF, PUBLIC))
        rights = self._wide(city_wide)
        for grant in grants:
            self._add_department(rights, grant)
        timed: list[Membership | Delegation] = [*own, *delegations, *(member for _, member in lent)]
        moments = [moment for each in timed for moment in _moments(each)]
        return Rights(tuple(grants), rights, min((each for each in moments if each > now), default=None))

    def _lends(self, delegation: Delegation, member: Membership) -> bool:
        return delegation.department is None or self.successor(delegation.department) in self._places(member)

    def _places(self, member: Membership) -> frozenset[str]:
        place = self.successor(member.department)
        return self._below.get(place, frozenset()) if member.below else frozenset({place})

    def _grants(self, member: Membership, lent: Delegation | None = None) -> Iterable[DepartmentGrant]:
        """The grants of a membership; lent for one department alone it reaches no further than that."""
        only = lent.department if lent else None
        place = self.successor(only or member.department)
        for role in self.snapshot.posts.get(member.post, ()) if member.post else (member.role or "",):
            if role not in POWERS:
                yield DepartmentGrant(
                    department=place,
                    role=role,
                    below=member.below and only is None,
                    post=member.post,
                    delegated_by=lent.of_account if lent else None,
                )

    def _add_department(self, rights: dict[str, Right], grant: DepartmentGrant) -> None:
        places = self._below.get(grant.department, frozenset()) if grant.below else frozenset({grant.department})
        for permission, given in self.snapshot.roles.get(grant.role, {}).items():
            rows = OWN if given.own else Reach(departments=self._with_predecessors(places))
            _join(rights, permission, Right(reach=rows, fields=_fields_of(given)))

    def _with_predecessors(self, places: frozenset[str]) -> frozenset[str]:
        return places.union(*(self._carried_on.get(place, ()) for place in places))

    def _wide(self, roles: Iterable[str]) -> dict[str, Right]:
        """What roles give in the whole city; a citizen's reach what is their own."""
        rights: dict[str, Right] = {}
        for role in roles:
            for permission, given in self.snapshot.roles.get(role, {}).items():
                own = given.own or role == CITIZEN
                shown = OWN_FIELDS if role == CITIZEN else _fields_of(given)
                _join(rights, permission, Right(reach=OWN if own else EVERYTHING, fields=shown))
        return rights


def _join(rights: dict[str, Right], permission: str, more: Right) -> None:
    """Two grants of one permission reach what either does. What they show is never more than each row's own grant."""
    known = rights.get(permission)
    if known is None:
        rights[permission] = more
        return
    everything = known.reach.all or more.reach.all
    places = frozenset[str]() if everything else known.reach.departments | more.reach.departments
    joined = Reach(all=everything, departments=places, own_only=not everything and not places)
    rights[permission] = Right(reach=joined, fields=_joined_fields(known, more, joined))


def _joined_fields(first: Right, second: Right, joined: Reach) -> Fields:
    """Of equal reach the wider view; a grant that reaches all of it decides alone; of different rows the narrower."""
    if first.reach == second.reach:
        return _each_field(first.fields, second.fields, max)
    for right in (first, second):
        if right.reach == joined:
            return right.fields
    return _each_field(first.fields, second.fields, min)


def _each_field(first: Fields, second: Fields, choose: Callable[..., Shown]) -> Fields:
    def chosen(*shown: Shown) -> Shown:
        return choose(shown, key=_ORDER.__getitem__)

    names = {*first.named, *second.named}
    named = {name: chosen(first.of(name), second.of(name)) for name in names}
    return Fields(named=named, otherwise=chosen(first.otherwise, second.otherwise))


def _fields_of(given: RoleRight) -> Fields:
    return Fields(named=given.fields, otherwise=given.otherwise)


def _moments(each: Membership | Delegation) -> Iterable[datetime]:
    yield each.begins_at
    if each.ends_at is not None:
        yield each.ends_at


def _by(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, tuple[Row, ...]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return {name: tuple(each) for name, each in found.items()}


def _closure(departments: Mapping[str, Department]) -> dict[str, frozenset[str]]:
    """Each living department with all living ones below it."""
    below: dict[str, set[str]] = {name: {name} for name, each in departments.items() if each.dissolved_at is None}
    for name in below:
        seen = {name}
        above = departments[name].parent
        while above in below and above not in seen:
            below[above].add(name)
            seen.add(above)
            above = departments[above].parent
    return {name: frozenset(each) for name, each in below.items()}


def _carried_on(departments: Mapping[str, Department]) -> dict[str, frozenset[str]]:
    """Whose work each living department carries on."""
    carried: dict[str, set[str]] = {}
    for name in departments:
        seen = {name}
        heir = departments[name].successor
        while heir is not None and heir in departments and heir not in seen:
            carried.setdefault(heir, set()).add(name)
            seen.add(heir)
            heir = departments[heir].successor
    return {name: frozenset(each) for name, each in carried.items()}
