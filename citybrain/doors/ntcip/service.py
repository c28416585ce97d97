# SPDX-License-Identifier: Apache-2.0
"""The controllers of the mapping as long as the city runs: looked at, listened to, and commanded where that is said."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from citybrain.doors.ntcip import mapping, objects, spat
from citybrain.doors.ntcip.codec import UnreadableFrame
from citybrain.doors.ntcip.mapping import DOOR, Plan
from citybrain.doors.ntcip.outstation import NtcipOutstation
from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers import lamps
from citybrain.kernel.controllers.fleet import Fleet, fleet_of, living
from citybrain.kernel.controllers.outlets import Giver, Outlets, outlets
from citybrain.kernel.executing import Executor
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store


@asynccontextmanager
async def running(city: Store) -> AsyncIterator[Sequence[Executor]]:
    """Drive the controllers that the mapping file names; without such a file the door stays shut."""
    path = load_settings().ntcip
    if path is None:
        yield ()
        return
    async with looking(mapping.load(path), outlets(city.documents, city.journal.tell)) as fleet:
        yield (fleet,)


@asynccontextmanager
async def looking(plan: Plan, outlets: Outlets) -> AsyncIterator[Fleet]:
    """Look at all controllers of a plan, and listen to those that broadcast, for as long as the block runs."""
    outstations = outstations_of(plan)
    fleet = fleet_of(DOOR, plan.controller, outstations)
    async with living(fleet, outlets, plan.look_s) as giver:
        ears = Ears(plan, outstations, fleet, giver)
        listening = asyncio.create_task(ears.listen(), name="ntcip spat")
        try:
            async with ears.open():
                yield fleet
        finally:
            listening.cancel()
            await asyncio.wait([listening])


def outstations_of(plan: Plan, clock: Clock = utc_now) -> dict[str, NtcipOutstation]:
    """The controllers of a plan by the signals that they are; nobody is asked anything yet."""
    return {each.entity: NtcipOutstation(each, clock=clock) for each in plan.controller}


class Ears(asyncio.DatagramProtocol):
    """Hears SPaT from all controllers at one port, each known by its network address."""

    def __init__(self, plan: Plan, outstations: Mapping[str, NtcipOutstation], fleet: Fleet, giver: Giver) -> None:
        self._plan = plan
        self._outstations = outstations
        self._fleet = fleet
        self._giver = giver
        # Channels of a mapping are not what SPaT tells, so those are only looked at.
        self._by_phase = [each.entity for each in plan.controller if not each.lamps]
        self._broadcasts: asyncio.Queue[tuple[str, spat.Spat, datetime]] = asyncio.Queue(maxsize=1_000)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Listen at the port of the plan, if it has one."""
        if self._plan.spat_port is None:
            yield
            return
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(self._plan.spat_host, self._plan.spat_port)
        )
        try:
            yield
        finally:
            transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A broadcast came; what cannot be read, is of nobody, or is too much is left out."""
        entity = next((each for each in self._by_phase if self._outstations[each].host == addr[0]), None)
        if entity is None or self._broadcasts.full():
            return
        with suppress(UnreadableFrame):
            self._broadcasts.put_nowait((entity, spat.decode(data), utc_now()))

    async def listen(self) -> None:
        """Take broadcasts in, until cancelled."""
        while True:
            entity, said, now = await self._broadcasts.get()
            capability = self._outstations[entity].capability
            if capability is not None:
                shown = _lamps(said, {phase.number for phase in capability.phases})
                await self._giver.give(self._fleet.drivers[entity].watch.heard(shown, spat.said_at(said, now)))


def _lamps(said: spat.Spat, used: set[int]) -> str:
    masks = (said.greens, said.yellows, said.flashing)
    green, yellow, flashing = (objects.numbers([mask & 0xFF, mask >> 8]) & used for mask in masks)
    shown = lamps.letters(max(used), used, green=green, yellow=yellow)
    return "".join("o" if n in flashing else letter for n, letter in enumerate(shown, start=1))
