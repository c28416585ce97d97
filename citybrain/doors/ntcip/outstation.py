# SPDX-License-Identifier: Apache-2.0
"""One mapped controller as the city knows all of them: an `Outstation`."""

from collections.abc import Mapping
from datetime import datetime

from citybrain.doors.ntcip import channels, objects
from citybrain.doors.ntcip.capability import Capability, Seen
from citybrain.doors.ntcip.controller import Controller
from citybrain.doors.ntcip.link import DeviceRefused, Link, Silent, open_link
from citybrain.doors.ntcip.mapping import Mapped
from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers import lamps
from citybrain.kernel.controllers.outstation import Answer, Looked, Mode, Tables


class NtcipOutstation:
    """A controller that is asked at its address; a name that nobody knows is asked for again."""

    def __init__(self, mapped: Mapped, *, clock: Clock = utc_now) -> None:
        self._mapped = mapped
        self._clock = clock
        self._link: Link | None = None
        self._controller: Controller | None = None
        self._capability: Capability | None = None
        self._phases_of: Mapping[int, frozenset[int]] = {}

    @property
    def host(self) -> str:
        """The network address, empty until the name was found."""
        return self._link.host if self._link is not None else ""

    @property
    def capability(self) -> Capability | None:
        """What the controller said of itself."""
        return self._capability

    async def discover(self) -> Tables:
        """Phases, rings and least times by stage; the channels of the mapping as lamps."""
        link, controller = await self._open()
        capability = await controller.discover()
        wanted = {channel for channel in self._mapped.lamps if channel}
        self._phases_of = await channels.phases_of(link, wanted) if wanted else {}
        self._capability = capability
        await _enable_spat(self._mapped, link)
        phases_of = self._lamps(capability)
        return Tables(
            stages=lamps.stage_letters(phases_of, capability.stages, self._mapped.yields),
            min_green_s=tuple(
                max(capability.phase(phase).min_green_s for phase in stage) for stage in capability.stages
            ),
            yellow_s=max(phase.yellow_s for phase in capability.phases),
            all_red_s=max(phase.all_red_s for phase in capability.phases),
            conflicts=lamps.conflicting(phases_of, capability.conflicts),
        )

    async def look(self) -> Looked:
        """What phases and channels show."""
        _, controller = await self._open()
        return await self._told(await controller.look())

    async def beat(self) -> Looked:
        """The same, with what is wished renewed."""
        _, controller = await self._open()
        return await self._told(await controller.beat())

    async def wish(self, stage: int, *, for_s: float, now: datetime) -> Answer:
        """Hold and force off until the stage is green."""
        _, controller = await self._open()
        return await controller.wish(stage, for_s=for_s, now=now)

    async def stop(self, mode: Mode, *, for_s: float, now: datetime) -> Answer:
        """Omit and force off until all is red, or call the flash."""
        _, controller = await self._open()
        return await controller.stop(mode, for_s=for_s, now=now)

    async def release(self) -> None:
        """Take all controls back."""
        _, controller = await self._open()
        await controller.release()

    def figures(self) -> Mapping[str, float]:
        """Questions without an answer."""
        return {"questionsLost": float(self._link.tally.lost if self._link is not None else 0)}

    def close(self) -> None:
        """Let go of the socket."""
        if self._controller is not None:
            self._controller.close()

    async def _open(self) -> tuple[Link, Controller]:
        if self._link is None or self._controller is None:
            try:
                self._link = await open_link(self._mapped.address)
            except OSError as error:
                raise Silent("ntcip.silent", {"host": self._mapped.host, "port": self._mapped.port}) from error
            self._controller = Controller(
                self._link, stages=self._mapped.stages, backs_up=self._mapped.backs_up, clock=self._clock
            )
        return self._link, self._controller

    def _lamps(self, capability: Capability) -> tuple[frozenset[int], ...]:
        """The phases of each lamp."""
        if self._mapped.lamps:
            return tuple(self._phases_of.get(channel, frozenset()) for channel in self._mapped.lamps)
        used = {phase.number for phase in capability.phases}
        return tuple(frozenset({n} & used) for n in range(1, max(used) + 1))

    async def _told(self, seen: Seen) -> Looked:
        assert self._capability is not None
        shown = letters(seen, self._capability)
        if self._mapped.lamps and self._link is not None:
            lit = "o" if seen.mode is Mode.FLASH else ""
            told = await channels.colours(self._link, self._phases_of)
            shown = "".join(lamps.NO_LAMP if not n else lit or told[n] for n in self._mapped.lamps)
        return Looked(
            at=seen.at,
            lamps=lamps.softened(shown, seen.stage, self._mapped.yields),
            mode=seen.mode,
            stage=seen.stage,
            pattern=seen.pattern,
            alarms=seen.alarms,
        )


def letters(seen: Seen, capability: Capability) -> str:
    """The lamps as one letter per phase from 1 to the highest: G, y, r; o when it flashes, - where there is none."""
    used = {phase.number for phase in capability.phases}
    lit = "o" if seen.mode is Mode.FLASH else ""
    return lamps.letters(max(used), used, green=seen.green, yellow=seen.yellow, lit=lit)


async def _enable_spat(mapped: Mapped, link: Link) -> None:
    """A maker's own switch; one that refuses it does not broadcast, and is looked at all the same."""
    if mapped.enable_spat != "econolite":
        return
    try:
        await link.set(((objects.ECONOLITE_SPAT, objects.ECONOLITE_SPAT_ON),))
    except DeviceRefused:
        return
