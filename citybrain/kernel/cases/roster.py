# SPDX-License-Identifier: Apache-2.0
"""Who is to be told of a case: accounts by their part in it, by role and by department."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from citybrain.kernel.access.policy import Policy
from citybrain.kernel.cases.case import Case

LEADING = "head"


class Roster(Protocol):
    """Who holds which role where."""

    def holders(self, department: str, role: str | None, now: datetime) -> Sequence[str]:
        """The accounts with a role in a department, in order; with None everybody who belongs to it."""
        ...


class OfMemberships:
    """The people that rights go by: `policy` answers with the one in force."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy

    def holders(self, department: str, role: str | None, now: datetime) -> Sequence[str]:
        """Members of the department, or of one above with rights below it, that hold the role at the time."""
        policy = self._policy()
        found: set[str] = set()
        for member in policy.snapshot.memberships:
            place = policy.successor(member.department)
            there = place == department or (member.below and department in policy.within(place))
            roles = policy.snapshot.posts.get(member.post, ()) if member.post else (member.role or "",)
            if there and member.holds(now) and (role in roles if role else place == department):
                found.add(member.account)
        return sorted(found)


def recipients(case: Case, to: Sequence[str], roster: Roster, now: datetime) -> list[str]:
    """The accounts behind the words of a rule, each once.

    A case that nobody has is told to its department: its heads, or everybody where it has none.
    """
    found: list[str] = []
    for each in to:
        kind, _, name = each.partition(":")
        if kind == "account":
            found.append(name)
        elif kind == "role":
            found += roster.holders(case.department, name, now)
        elif kind == "opener":
            found.append(case.opened_by)
        elif kind == "assignee" and case.assignee:
            found.append(case.assignee)
        else:
            place = name or case.department
            found += roster.holders(place, LEADING, now) or roster.holders(place, None, now)
    return list(dict.fromkeys(found))
