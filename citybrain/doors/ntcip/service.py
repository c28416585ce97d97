# SPDX-License-Identifier: Apache-2.0
"""Looks at every controller of the mapping as long as the city runs, and tells what it sees. It commands nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import structlog

from citybrain.doors.ntcip import mapping, objects, spat
from citybrain.doors.ntcip.capability import Capability
from citybrain.doors.ntcip.codec import UnreadableFrame
from citybrain.doors.ntcip.controller import Controller
from citybrain.doors.ntcip.link import DeviceRefused, Link, Silent, Tally, open_link
from citybrain.doors.ntcip.mapping import Mapped, Plan
from citybrain.doors.ntcip.watch import Measurement, Watch, lamp_letters
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
    path = load_settings().ntcip
    if path is None:
        yield
        return
    async with looking(load(path), outlets(city)):
        yield


def load(path: Path) -> Plan:
    """The mapping file."""
    return mapping.load(path)


def outlets(city: Store) -> Outlets:
    """Into the pool and the journal of this city."""

    async def observe(measurements: Sequence[Measurement]) -> None:
        for type in dict.fromkeys(each.type for each in measurements):
            mine = [each for each in measurements if each.type == type]
            await observe_many(city.documents, DEFAULT_TENANT, _side_by_side(mine), type=type, at=utc_now())

    return Outlets(observe=observe, tell=city.journal.tell)


@asynccontextmanager
async def looking(plan: Plan, outlets: Outlets) -> AsyncIterator["Eyes"]:
    """Eyes on all controllers of a plan, for as long as the block runs."""
    eyes = Eyes(plan, outlets)
    ears: asyncio.DatagramTransport | None = None
    if plan.spat_port is not None:
        ears, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Ears(eyes), local_addr=(plan.spat_host, plan.spat_port)
        )
    tasks = [asyncio.create_task(eyes.look_at(each), name=f"ntcip {each.name}") for each in plan.controller]
    tasks.append(asyncio.create_task(eyes.listen(), name="ntcip spat"))
    try:
        yield eyes
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if ears is not None:
            ears.close()
        await eyes.end()


class Eyes:
    """Looks at each controller on its own, so that a silent one holds up no other."""

    def __init__(self, plan: Plan, outlets: Outlets) -> None:
        self._plan = plan
        self._outlets = outlets
        self._watches = {each.name: Watch(each, utc_now()) for each in plan.controller}
        self._by_host: dict[str, str] = {}
        self._capabilities: dict[str, Capability] = {}
        self._untold: list[Event] = []
        self._giving: set[asyncio.Future[None]] = set()
        self._broadcasts: asyncio.Queue[tuple[str, spat.Spat, datetime]] = asyncio.Queue(maxsize=1_000)

    async def look_at(self, mapped: Mapped) -> None:
        """Look again and again, until cancelled."""
        watch = self._watches[mapped.name]
        link = await self._open(mapped, watch)
        self._by_host.setdefault(link.host, mapped.name)
        controller = Controller(link, stages=mapped.stages, backs_up=mapped.backs_up)
        try:
            while True:
                await self._give(*await self._look(mapped, controller, link, watch))
                await asyncio.sleep(self._plan.look_s)
        finally:
            controller.close()

    async def _open(self, mapped: Mapped, watch: Watch) -> Link:
        """A name that nobody knows is asked for again, as a controller that does not answer."""
        while True:
            try:
                return await open_link(mapped.address)
            except OSError:
                unknown = Silent("ntcip.silent", {"host": mapped.host, "port": mapped.port})
                await self._give(*watch.missed(unknown, Tally(), utc_now()))
                await asyncio.sleep(self._plan.look_s)

    async def listen(self) -> None:
        """Take broadcasts in, until cancelled."""
        while True:
            host, said, now = await self._broadcasts.get()
            name = self._by_host.get(host, "")
            capability = self._capabilities.get(name)
            if capability is not None:
                await self._give(self._watches[name].heard(_lamps(said, capability), spat.said_at(said, now)), [])

    def hear(self, host: str, frame: bytes) -> None:
        """A broadcast came; what cannot be read or is too much is left out."""
        if host not in self._by_host or self._broadcasts.full():
            return
        try:
            said = spat.decode(frame)
        except UnreadableFrame:
            return
        self._broadcasts.put_nowait((host, said, utc_now()))

    async def end(self) -> None:
        """Wait for what is being handed over, and end the events that are open."""
        await asyncio.gather(*self._giving)
        await self._give([], [event for watch in self._watches.values() for event in watch.ended(utc_now())])

    async def _look(
        self, mapped: Mapped, controller: Controller, link: Link, watch: Watch
    ) -> tuple[list[Measurement], list[Event]]:
        try:
            if mapped.name not in self._capabilities:
                self._capabilities[mapped.name] = await controller.discover()
                await _enable_spat(mapped, link)
            seen = await controller.look()
        except Refusal as refusal:
            # Whoever comes back may be another one, or set up anew: it is asked again what it can do.
            self._capabilities.pop(mapped.name, None)
            return watch.missed(refusal, link.tally, utc_now())
        return watch.saw(seen, self._capabilities[mapped.name], link.tally)

    async def _give(self, measurements: Sequence[Measurement], events: Sequence[Event]) -> None:
        """Hand over whole, also when the city stops meanwhile.

        While the database is away, what was seen is lost, since the next look sees what is then; events wait.
        """
        giving = asyncio.ensure_future(self._hand_over(measurements, events))
        self._giving.add(giving)
        giving.add_done_callback(self._giving.discard)
        await asyncio.shield(giving)

    async def _hand_over(self, measurements: Sequence[Measurement], events: Sequence[Event]) -> None:
        self._untold += events
        try:
            if self._untold:
                telling, self._untold = self._untold, []
                await self._tell(telling)
            if measurements:
                await self._outlets.observe(measurements)
        except Unavailable as refusal:
            log.warning("ntcip_not_kept", code=refusal.code)

    async def _tell(self, events: list[Event]) -> None:
        try:
            await self._outlets.tell(events)
        except Unavailable:
            self._untold = events + self._untold
            raise


async def _enable_spat(mapped: Mapped, link: Link) -> None:
    if mapped.enable_spat != "econolite":
        return
    try:
        await link.set(((objects.ECONOLITE_SPAT, objects.ECONOLITE_SPAT_ON),))
    except DeviceRefused as refusal:
        log.warning("ntcip_spat_refused", controller=mapped.name, **refusal.facts)


def _lamps(said: spat.Spat, capability: Capability) -> str:
    used = {phase.number for phase in capability.phases}
    masks = (said.greens, said.yellows, said.reds, said.flashing)
    green, yellow, red, flashing = (objects.numbers([mask & 0xFF, mask >> 8]) & used for mask in masks)
    return lamp_letters(used, green=green, yellow=yellow, red=red, flashing=set(flashing))


def _side_by_side(measurements: Sequence[Measurement]) -> Observations:
    words = [each.value if isinstance(each.value, str) else None for each in measurements]
    return Observations(
        entity_ids=[each.entity_id for each in measurements],
        attributes=[each.attribute for each in measurements],
        observed_us=np.array([to_us(each.at) for each in measurements], np.int64),
        numbers=np.array([np.nan if isinstance(each.value, str) else each.value for each in measurements], np.float64),
        words=words if any(word is not None for word in words) else None,
        units=[each.unit for each in measurements],
    )


class _Ears(asyncio.DatagramProtocol):
    """Hears SPaT from all controllers at one port."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._eyes.hear(addr[0], data)
