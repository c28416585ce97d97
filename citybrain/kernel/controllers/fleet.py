# SPDX-License-Identifier: Apache-2.0
"""All controllers of one door: an `Executor` of the signals that they are."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Protocol

from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers.driver import BRAIN, PLAN, STOPS, Driver
from citybrain.kernel.controllers.outlets import Giver, Outlets
from citybrain.kernel.controllers.outstation import Mode, Outstation
from citybrain.kernel.controllers.watch import Watch, Watched
from citybrain.kernel.ending import end_all
from citybrain.kernel.records import Because, Column, Facts, Order, Outcome

CONTROL_MODES = {Mode.CENTRE: BRAIN, **{mode: mode.value for mode in STOPS.values()}}
"""What is said of who decides: the brain, the plan (all other modes), or that nobody does."""

PATIENCE_S = 0.2
"""So long the loop waits for answers of controllers; one that comes later is told with a later step."""


class Mapped(Protocol):
    """What the mapping of any door says of a controller: its name, the signal that it is, whether it is commanded."""

    @property
    def name(self) -> str: ...

    @property
    def entity(self) -> str: ...

    @property
    def commands(self) -> bool: ...


class Fleet:
    """The controllers of one door. `patience_s` is how long `obey` waits before it goes on without an answer."""

    def __init__(self, drivers: Sequence[Driver], *, patience_s: float = PATIENCE_S) -> None:
        self.drivers = {driver.entity: driver for driver in drivers}
        self._patience_s = patience_s
        self._carrying_out: set[asyncio.Task[Outcome]] = set()
        self._columns: dict[tuple[str, ...], tuple[str, ...]] = {}

    @property
    def claims(self) -> frozenset[str]:
        """The signals that nobody else may command."""
        return frozenset(self.drivers)

    @property
    def means(self) -> frozenset[str]:
        """None on anything else."""
        return frozenset()

    def lacks(self, means: str) -> Because | None:
        """Nothing: which signals there are is in `claims`."""
        return None

    async def obey(self, orders: Sequence[Order], at: datetime) -> Sequence[Outcome]:
        """Hand over; answers with the outcomes that are there, those of earlier orders too."""
        for order in orders:
            self._carrying_out.add(asyncio.create_task(self.drivers[order.entity_id].obey(order, at)))
        if not self._carrying_out:
            return ()
        done, self._carrying_out = await asyncio.wait(self._carrying_out, timeout=self._patience_s)
        return tuple(task.result() for task in done)

    def facts(self) -> Mapping[str, Facts]:
        """What controllers said of themselves, as attributes of their signals."""
        return {
            entity: driver.tables.as_attributes()
            for entity, driver in self.drivers.items()
            if driver.tables is not None
        }

    def columns(self) -> Sequence[Column]:
        """What is shown now, and who decides; signals that nobody sees are left out."""
        seen = [(entity, driver.looked) for entity, driver in self.drivers.items()]
        shown = [(entity, looked) for entity, looked in seen if looked is not None]
        ids = tuple(entity for entity, _ in shown)
        ids = self._columns.setdefault(ids, ids)
        if not ids:
            return ()
        modes = tuple(CONTROL_MODES.get(looked.mode, PLAN) for _, looked in shown)
        return (
            Column(attribute="signalState", entity_ids=ids, values=tuple(looked.lamps for _, looked in shown)),
            Column(attribute="controlMode", entity_ids=ids, values=modes),
        )

    async def second(self) -> None:
        """Look at all once, for whoever keeps step with a clock of his own."""
        await asyncio.gather(*(driver.second() for driver in self.drivers.values()))

    async def end(self) -> None:
        """Let go of all lines; orders that are under way are given up."""
        await end_all(self._carrying_out)
        for driver in self.drivers.values():
            driver.outstation.close()


def fleet_of(
    door: str,
    controllers: Sequence[Mapped],
    outstations: Mapping[str, Outstation],
    *,
    clock: Clock = utc_now,
    patience_s: float = PATIENCE_S,
) -> Fleet:
    """The executor of the controllers that the mapping of a door names; `outstations` by the signals that they are."""
    drivers = [
        Driver(
            outstations[each.entity],
            Watch(Watched(door=door, name=each.name, entity=each.entity), clock()),
            commands=each.commands,
            clock=clock,
        )
        for each in controllers
    ]
    return Fleet(drivers, patience_s=patience_s)


@asynccontextmanager
async def living(
    fleet: Fleet, outlets: Outlets, look_s: float, reported: Mapping[str, asyncio.Event] | None = None
) -> AsyncIterator[Giver]:
    """Look at each controller on its own, so that a silent one holds up no other, for as long as the block runs.

    `reported`, by entity: set when a controller says something unasked, so that it is looked at sooner.
    """
    giver = Giver(outlets)
    events = reported or {}
    tasks = [
        asyncio.create_task(_live(driver, giver, look_s, events.get(driver.entity) or asyncio.Event()))
        for driver in fleet.drivers.values()
    ]
    try:
        yield giver
    finally:
        await end_all(tasks)
        await fleet.end()
        await giver.end()
        for driver in fleet.drivers.values():
            await giver.give(driver.watch.ended(utc_now()))


async def _live(driver: Driver, giver: Giver, look_s: float, reported: asyncio.Event) -> None:
    while True:
        reported.clear()
        await giver.give(await driver.second())
        with suppress(TimeoutError):
            async with asyncio.timeout(look_s):
                await reported.wait()
