# SPDX-License-Identifier: Apache-2.0
"""Rules by which many signs of one thing are one event, flapping is damped and storms are grouped.

Apps contribute rows of these tables; they are looked through in order of the apps, and the first that fits counts.
"""

from datetime import timedelta
from enum import StrEnum

import msgspec


class Near(StrEnum):
    """How near a sign must be to its cause: on the same thing, on the same road, some junctions away or some
    up the road only, in a radius."""

    ENTITY = "entity"
    ROAD = "road"
    ADJACENT = "adjacent"
    UPSTREAM = "upstream"
    RADIUS = "radius"


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Events of the kinds `signs` that begin within `within` of an event `cause` near it, or of its newest sign, are
    signs of it.

    The cause may be found later than its signs: those that are open then are closed as merged into it. `hops` is how
    many junctions `ADJACENT` reaches up and down the road, and `UPSTREAM` up it, where queues grow; `radius_m` how far
    `RADIUS` does. With `of_cause` its newest sign keeps nothing going. A kind may be a sign of its own: then the oldest
    is the cause. Signs still there when the cause ends are events of their own again after
    `within`.
    """

    cause: str
    signs: tuple[str, ...]
    within: timedelta
    near: Near = Near.ROAD
    hops: int = 1
    radius_m: float = 0.0
    of_cause: bool = False


class Damp(msgspec.Struct, frozen=True, kw_only=True):
    """How events of some kinds are damped; empty `kinds` are all.

    An event counts once it lasted for `on_delay`, and is over once it was gone for `off_delay` (OPC 10000-9, OnDelay
    and OffDelay). One that begins the `chatters`th time on one thing within `chatters_within` chatters: it stays open
    until it was quiet for that long. Three times in a minute is what EEMUA 191 and ANSI/ISA-18.2 practice call so.
    """

    kinds: tuple[str, ...] = ()
    on_delay: timedelta = timedelta(0)
    off_delay: timedelta = timedelta(0)
    chatters: int = 3
    chatters_within: timedelta = timedelta(seconds=60)


class Storm(msgspec.Struct, frozen=True, kw_only=True):
    """`number` events of one kind that begin within `within` are one group; so is what joins them until it is calm.

    With `radius_m` they must lie so near the first of them. Empty `kinds` are all. A group takes in nothing that
    begins `lasts` after its first event. Of several rules the first that fits counts, and takes over what is in a group
    by a later one.
    """

    number: int
    within: timedelta
    kinds: tuple[str, ...] = ()
    radius_m: float | None = None
    lasts: timedelta = timedelta(hours=1)


DAMP = Damp()
"""What counts for kinds of which no app says anything else: nothing waits, and what chatters is held."""

STORMS = (
    Storm(number=50, within=timedelta(minutes=1)),
    Storm(number=10, within=timedelta(minutes=10), radius_m=1_000.0),
)
"""For all kinds: a storm over the whole city; ten in ten minutes in one quarter, as ANSI/ISA-18.2 counts a flood."""


def fits(kinds: tuple[str, ...], kind: str) -> bool:
    """Whether a rule for these kinds is one for this kind."""
    return not kinds or kind in kinds
