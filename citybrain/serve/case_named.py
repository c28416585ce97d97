# SPDX-License-Identifier: Apache-2.0
"""Whom a request names: departments and accounts must be there, and to give a case to others is a right of its own."""

from collections.abc import Iterable, Iterator

from citybrain.kernel.access import Access, Actor, require
from citybrain.kernel.access.acts import NoSuchAccount
from citybrain.kernel.access.departments import NoSuchDepartment
from citybrain.kernel.cases.rights import ASSIGN
from citybrain.serve.case_act import Act, NewCase, Split


async def check_named(access: Access, actor: Actor, *given: Act | NewCase) -> None:
    """Refuse `NoSuchDepartment` and `NoSuchAccount`: a case sent to nowhere is seen by nobody. A dissolved department
    will do, its successor has its work. Whoever opens a case for somebody else must be one who assigns: `NotPermitted`.
    """
    for opening in _openings(given):
        if opening.assignee not in (None, actor.account, actor.on_behalf_of):
            require(actor, ASSIGN, department=opening.department)
    for department in _named("department", given):
        if department not in access.policy.snapshot.departments:
            raise NoSuchDepartment("kernel.no_such_department", {"id": department})
    wanted = set(_named("assignee", given))
    if wanted:
        known = {each.name for each in await access.accounts.all() if each.disabled_at is None}
        for account in sorted(wanted - known):
            raise NoSuchAccount("kernel.no_such_account", {"name": account})


def _openings(given: Iterable[Act | NewCase]) -> Iterator[NewCase]:
    for each in given:
        if isinstance(each, NewCase):
            yield each
        elif isinstance(each, Split):
            yield from each.openings


def _named(what: str, given: Iterable[Act | NewCase]) -> Iterator[str]:
    for each in (*given, *_openings(given)):
        named = getattr(each, what, None)
        if named is not None:
            yield named
