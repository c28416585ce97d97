# SPDX-License-Identifier: Apache-2.0
"""Where what was seen of controllers goes: into the pool and the journal, whole, even while the database is away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import numpy as np
import structlog

from citybrain.kernel.clock import utc_now
from citybrain.kernel.controllers.watch import Found, Measurement
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.times import to_us
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.records import Event

log = structlog.get_logger()

Observe = Callable[[Sequence[Measurement]], Awaitable[None]]
Tell = Callable[[Sequence[Event]], Awaitable[None]]


class Outlets(msgspec.Struct, frozen=True, kw_only=True):
    """Where the results go: both are committed when they return."""

    observe: Observe
    tell: Tell


def outlets(documents: Documents, tell: Tell) -> Outlets:
    """Into the pool, and to whom events are told."""

    async def observe(measurements: Sequence[Measurement]) -> None:
        for type in dict.fromkeys(each.type for each in measurements):
            mine = [each for each in measurements if each.type == type]
            await observe_many(documents, DEFAULT_TENANT, _side_by_side(mine), type=type, at=utc_now())

    return Outlets(observe=observe, tell=tell)


class Giver:
    """Hands over what was found. While the database is away, what was seen is lost, since the next look sees what is
    then; events wait."""

    def __init__(self, outlets: Outlets) -> None:
        self._outlets = outlets
        self._untold: list[Event] = []
        self._giving: set[asyncio.Future[None]] = set()

    async def give(self, found: Found) -> None:
        """Hand over whole, also when the city stops meanwhile."""
        giving = asyncio.ensure_future(self._hand_over(found))
        self._giving.add(giving)
        giving.add_done_callback(self._giving.discard)
        await asyncio.shield(giving)

    async def end(self) -> None:
        """Wait for what is being handed over."""
        await asyncio.gather(*self._giving)

    async def _hand_over(self, found: Found) -> None:
        self._untold += found.events
        try:
            if self._untold:
                telling, self._untold = self._untold, []
                await self._tell(telling)
            if found.measurements:
                await self._outlets.observe(found.measurements)
        except Unavailable as refusal:
            log.warning("controllers_not_kept", code=refusal.code)

    async def _tell(self, events: list[Event]) -> None:
        try:
            await self._outlets.tell(events)
        except Unavailable:
            self._untold = events + self._untold
            raise


def _side_by_side(measurements: Sequence[Measurement]) -> Observations:
    words = [each.value if isinstance(each.value, str) else None for each in measurements]
    numbers = [np.nan if isinstance(each.value, str) else each.value for each in measurements]
    return Observations(
        entity_ids=[each.entity_id for each in measurements],
        attributes=[each.attribute for each in measurements],
        observed_us=np.array([to_us(each.at) for each in measurements], np.int64),
        numbers=np.array(numbers, np.float64),
        words=words if any(word is not None for word in words) else None,
    )
