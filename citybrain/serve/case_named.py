# SPDX-License-Identifier: Apache-2.0
"""Departments and accounts that a request names must be there: a case sent to nowhere is seen by nobody."""

from collections.abc import Iterable, Iterator

from citybrain.kernel.access import Access
from citybrain.kernel.access.acts import NoSuchAccount
from citybrain.kernel.access.departments import NoSuchDepartment
from citybrain.serve.case_act import Act, NewCase, Split


async def check_named(access: Access, *given: Act | NewCase) -> None:
    """Refuse `NoSuchDepartment` and `NoSuchAccount`. A dissolved department will do: its successor has its work."""
    for department in _named("department", given):
        if department not in access.policy.snapshot.departments:
            raise NoSuchDepartment("kernel.no_such_department", {"id": department})
    wanted = set(_named("assignee", given))
    if wanted:
        known = {each.name for each in await access.accounts.all() if each.disabled_at is None}
        for account in sorted(wanted - known):
            raise NoSuchAccount("kernel.no_such_account", {"name": account})


def _named(what: str, given: Iterable[Act | NewCase]) -> Iterator[str]:
    for each in given:
        named = getattr(each, what, None)
        if named is not None:
            yield named
        if isinstance(each, Split):
            yield from _named(what, each.openings)
