# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an alert, and what could be better."""

from collections.abc import Sequence

import msgspec

from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Facts

# A file that is wrong from end to end is told once, not ten thousand times.
MOST_TOLD = 100


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A rule and where it is broken: a path like `/alert/info[2]/area[1]/polygon[1]`."""

    code: str
    path: str
    facts: Facts = {}


class RulesBroken(Invalid):
    """An alert that breaks rules of its version; `problems` are all that were seen, in the order of the document."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__("cap.rules_broken", {"count": len(problems), "path": first.path, "first": first.code})
        self.problems = tuple(problems)
