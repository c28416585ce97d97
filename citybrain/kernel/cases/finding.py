# SPDX-License-Identifier: Apache-2.0
"""Questions about many cases: lists by page, counts, search; only over what the actor sees."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.cases.case import Case
from citybrain.kernel.db import Database


class Order(StrEnum):
    """What comes first: due soonest, newest, oldest, most urgent and of these the oldest."""

    DUE = "due"
    NEWEST = "newest"
    OLDEST = "oldest"
    PRIORITY = "priority"


class Scope(StrEnum):
    """Whose cases: all that are seen, those that departments of the reach hold, help with, have nobody for, or mine."""

    SEEN = "seen"
    HELD = "held"
    HELPED = "helped"
    POOL = "pool"
    MINE = "mine"


class CaseQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: every part that is given must fit. `box` is west, south, east, north in WGS-84.

    `departments` and `types` … fit when the case has one of them. `after` is the `next` of the page before.
    """

    scope: Scope = Scope.SEEN
    states: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    assignee: str | None = None
    channels: tuple[str, ...] = ()
    due_before: datetime | None = None
    overdue: bool = False
    created_from: datetime | None = None
    created_before: datetime | None = None
    box: tuple[float, float, float, float] | None = None
    words: str = ""
    order: Order = Order.DUE
    limit: int = 50
    after: str | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page: `next` asks for the following one, None at the end; `total` is known when counts can say it."""

    cases: tuple[Case, ...]
    next: str | None = None
    total: int | None = None


class Finding:
    """Finds cases. `clock` says what is overdue."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    async def find(self, actor: Actor, query: CaseQuery) -> Page:
        """One page of what the actor sees."""
        raise NotImplementedError
