# SPDX-License-Identifier: Apache-2.0
"""Which cases somebody sees and may work on: the one place that turns a reach into rows."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.access.actor import Actor, Reach
from citybrain.kernel.access.policy import reach
from citybrain.kernel.access.powers import PUBLIC
from citybrain.kernel.cases.case import Case

VIEW = "case.view"
OPEN = "case.open"
WORK = "case.work"
ASSIGN = "case.assign"
TRANSFER = "case.transfer"
TYPES = "case.types"
EXPORT = "case.export"
REVEAL = "case.reveal"
DELIVERY = "case.delivery"
STOP = "case.notice_stop"

STAFF_ROLES = ("operator", "clerk", "head")
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    VIEW: STAFF_ROLES,
    OPEN: STAFF_ROLES,
    WORK: STAFF_ROLES,
    ASSIGN: ("operator", "head"),
    TRANSFER: STAFF_ROLES,
    TYPES: ("operator",),
    EXPORT: ("operator", "head"),
    REVEAL: STAFF_ROLES,
    DELIVERY: ("operator",),
    STOP: (PUBLIC,),
}
"""The permissions of the case engine, each with the roles that have it unless a city says otherwise."""

Within = Callable[[str], Collection[str]]
"""All departments in which a grant for one department and those below it holds."""


class Sql(msgspec.Struct, frozen=True):
    """The conditions of this module, each about a case `c`."""

    seen_nothing: str
    seen_all: str
    seen_own: str
    seen_departments: str
    seen_to_review: str


SQL = sql.load(Path(__file__).with_name("queries_rights.sql"), Sql)


class Seen(msgspec.Struct, frozen=True):
    """The condition under which a row is seen, with its parameters."""

    condition: str
    params: Mapping[str, Any]
    reach: Reach
    account: str


def seen(actor: Actor, permission: str = VIEW) -> Seen:
    """Rows of a reach: the departments' own, those they help with, and those that are the actor's to do."""
    found = reach(actor, permission)
    account = actor.on_behalf_of or actor.account
    params = {"seen_account": account, "seen_departments": sorted(found.departments)}
    if found.all:
        condition = SQL.seen_all
    elif found.departments:
        condition = SQL.seen_departments
    elif found.own_only and account:
        condition = SQL.seen_own
    else:
        condition = SQL.seen_nothing
    return Seen(condition, params, found, account)


def seen_to_review(actor: Actor) -> Seen:
    """The same, and what the actor has a review of to do: to read one case by its id, for no list and for no act."""
    sight = seen(actor)
    if not sight.reach or sight.reach.all:
        return sight
    params = {**sight.params, "seen_reviewer": actor.account}
    return Seen(f"({sight.condition} OR {SQL.seen_to_review})", params, sight.reach, sight.account)


def works_on(actor: Actor, permission: str, case: Case) -> bool:
    """Whether a permission reaches a case to work on: its department holds it, or it is the actor's to do."""
    found = reach(actor, permission)
    return found.covers(case.department) or (bool(found) and case.assignee == (actor.on_behalf_of or actor.account))


def has_role(actor: Actor, roles: Collection[str], department: str, within: Within) -> bool:
    """Whether the actor has one of some roles in a department or in the whole city."""
    if not set(roles).isdisjoint(actor.roles):
        return True
    return any(
        grant.role in roles
        and (grant.department == department or department in (within(grant.department) if grant.below else ()))
        for grant in actor.departments
    )
