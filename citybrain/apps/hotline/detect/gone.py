# SPDX-License-Identifier: Apache-2.0
"""Categories and rules that name a department which was dissolved since, or is not there. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.apps.hotline.choice import Rule
from citybrain.apps.hotline.model import Tree
from citybrain.kernel.access.policy import Department
from citybrain.kernel.records import Because, Event, Severity


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A department that no longer takes anything; `successor` gets what is sent to it, empty when nobody does."""

    department: str
    successor: str
    categories: tuple[str, ...]
    rules: tuple[int, ...]


def living(known: Mapping[str, Department]) -> frozenset[str]:
    """The departments that take work."""
    return frozenset(id for id, each in known.items() if each.dissolved_at is None)


def gone(tree: Tree, rules: Sequence[Rule], known: Mapping[str, Department]) -> list[Gone]:
    """Each department that is named and not there, by its id."""
    there = living(known)
    categories: dict[str, list[str]] = defaultdict(list)
    numbers: dict[str, list[int]] = defaultdict(list)
    for category in tree.categories.values():
        if category.department and category.department not in there:
            categories[category.department].append(category.id)
    for rule in rules:
        if rule.active and rule.department not in there:
            numbers[rule.department].append(rule.number)
    return [
        Gone(
            department=id,
            successor=(known[id].successor or "") if id in known else "",
            categories=tuple(categories[id]),
            rules=tuple(numbers[id]),
        )
        for id in sorted({*categories, *numbers})
    ]


def event(found: Gone, now: datetime) -> Event:
    """The warning; it goes on under one id until it is mended."""
    facts = {
        "department": found.department,
        "successor": found.successor or "—",
        "categories": ", ".join(found.categories) or "—",
        "rules": ", ".join(str(each) for each in found.rules) or "—",
    }
    return Event(
        id=f"hotline-department-{found.department}",
        kind="hotline.department_gone",
        severity=Severity.III,
        at=now,
        entity_id=f"urn:ngsi-ld:Department:{found.department}",
        because=Because(code="hotline.because_department_gone", facts=facts),
    )
