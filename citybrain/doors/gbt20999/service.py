# SPDX-License-Identifier: Apache-2.0
"""Looks at every controller of the mapping as long as the city runs, and tells what it sees. It commands nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import msgspec
import numpy as np
import structlog

from citybrain.doors.gbt20999 import mapping
from citybrain.doors.gbt20999.capability import Capability
from citybrain.doors.gbt20999.client import Client
from citybrain.doors.gbt20999.controller import Controller
from citybrain.doors.gbt20999.mapping import Mapped, Plan
from citybrain.doors.gbt20999.watch import Found, Measurement, Watch
from citybrain.kernel.clock import utc_now
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.entities.times import to_us
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.records import Event
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store

log = structlog.get_logger()


class Outlets(msgspec.Struct, frozen=True, kw_only=True):
    """Where the results go: both are committed when they return."""

    observe: Callable[[Sequence[Measurement]], Awaitable[None]]
    tell: Callable[[Sequence[Event]], Awaitable[None]]


@asynccontextmanager
async def running(city: Store) -> AsyncIterator[None]:
    """Look at the controllers that the mapping file names; without such a file the door stays shut."""
    path = load_settings().gbt20999
    if path is None:
        yield
        return
    async with looking(mapping.load(path), outlets(city)):
        yield


def outlets(city: Store) -> Outlets:
    """Into the pool and the journal of this city."""

    async def observe(measurements: Sequence[Measurement]) -> None:
        for type in dict.fromkeys(each.type for each in measurements):
            of_type = [each for each in measurements if each.type == type]
            await observe_many(city.documents, DEFAULT_TENANT, _side_by_side(of_type), type=type, at=utc_now())

    return Outlets(observe=observe, tell=city.journal.tell)


@asynccontextmanager
async def looking(plan: Plan, outlets: Outlets) -> AsyncIterator[None]:
    """Look at each controller of a plan on its own, so that a silent one holds up no other."""
    eyes = [Eye(mapped, plan.look_s, outlets) for mapped in plan.controller]
    tasks = [asyncio.create_task(eye.look(), name="gbt20999") for eye in eyes]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for eye in eyes:
            await eye.end()


class Eye:
    """On one controller."""

    def __init__(self, mapped: Mapped, look_s: float, outlets: Outlets) -> None:
        self._look_s = look_s
        self._outlets = outlets
        self._reported = asyncio.Event()
        client = Client(mapped.line, lambda _frame: self._reported.set())
        self._controller = Controller(client, stages=mapped.stages, backup_s=mapped.backup_s)
        self._watch = Watch(mapped, utc_now())
        self._capability: Capability | None = None

    async def look(self) -> None:
        """Again and again, sooner when the controller reports something, until cancelled."""
        while True:
            self._reported.clear()
            await self._give(await self._once())
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._reported.wait()

    async def end(self) -> None:
        """Hang up, and end the events that are open."""
        self._controller.close()
        await self._give(self._watch.ended(utc_now()))

    async def _once(self) -> Found:
        counts = self._controller.client.counts
        try:
            if self._capability is None:
                self._capability = await self._controller.discover()
            seen = await self._controller.look()
        except Refusal as refusal:
            return self._watch.missed(refusal, counts, utc_now())
        return self._watch.saw(seen, self._capability, counts)

    async def _give(self, found: Found) -> None:
        """While the database is away what was seen is lost: the next look sees what is then."""
        try:
            if found.measurements:
                await self._outlets.observe(found.measurements)
            if found.events:
                await self._outlets.tell(found.events)
        except Unavailable as refusal:
            log.warning("gbt20999_not_kept", code=refusal.code)


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
