# SPDX-License-Identifier: Apache-2.0
"""Open cases of departments that were dissolved go to those who carry on their work."""

from collections.abc import Callable
from datetime import datetime

from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.access.policy import Policy
from citybrain.kernel.cases.rights import ASSIGN, VIEW
from citybrain.kernel.cases.service import Cases

REASON = "撤并 / dissolved"
CITY = Actor(
    name="brain",
    account="brain",
    kind=Kind.SERVICE,
    rights={each: Right(reach=EVERYTHING) for each in (VIEW, ASSIGN)},
)


class Heirs:
    """Hands cases over, minute by minute: until then the heir sees them and works on them all the same."""

    def __init__(self, cases: Cases, policy: Callable[[], Policy]) -> None:
        self._cases = cases
        self._policy = policy
        self._done: set[str] = set()

    async def hand_over(self, _now: datetime) -> int:
        """Hand over what is left; answers with how many cases that were.

        Nothing new comes to a department that is gone, so one that has nothing open is looked at once.
        """
        gone = {each.id for each in self._policy().snapshot.departments.values() if each.dissolved_at is not None}
        self._done &= gone
        count = 0
        for department in sorted(gone - self._done):
            count += await self._cases.hand_over(CITY, department, REASON)
            self._done.add(department)
        return count
