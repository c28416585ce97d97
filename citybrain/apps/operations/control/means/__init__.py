# SPDX-License-Identifier: Apache-2.0
"""The catalogue: every means of disposal that this app declares, with how it is carried out."""

from collections.abc import Mapping

from citybrain.apps.operations.control.means import devices, messages, offices, people, streets, transit, works
from citybrain.apps.operations.control.means.acts import Act, Message, Task

CATALOGUE: tuple[Act, ...] = (
    *messages.ACTS,
    *people.ACTS,
    *transit.ACTS,
    *works.ACTS,
    *devices.ACTS,
    *offices.ACTS,
    *streets.ACTS,
)

BY_NAME: Mapping[str, Act] = {act.means.name: act for act in CATALOGUE}

MEANS = tuple(act.means for act in CATALOGUE)

SUBJECTS = tuple(sorted({means.group for means in MEANS}))

OF_STREET = tuple(act.means.name for act in streets.ACTS)
"""What the field carries out, or machines in the street."""

CARRIED = tuple(act.means.name for act in CATALOGUE if act.how is not None)
"""What this app carries out itself; the rest is a door's."""


def _roles() -> Mapping[str, tuple[str, ...]]:
    """Every role that somebody must have, with the means that need it."""
    found: dict[str, tuple[str, ...]] = {}
    for act in CATALOGUE:
        match act.how:
            case Task(role=role) | Message(role=role) if role:
                found[role] = (*found.get(role, ()), act.means.name)
    return dict(sorted(found.items()))


ROLES = _roles()
