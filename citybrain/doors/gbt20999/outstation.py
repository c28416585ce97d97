# SPDX-License-Identifier: Apache-2.0
"""One mapped junction as the city knows all of them: an `Outstation`."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from citybrain.doors.gbt20999.capability import Capability, Seen
from citybrain.doors.gbt20999.client import Client
from citybrain.doors.gbt20999.codec import Frame
from citybrain.doors.gbt20999.controller import Controller
from citybrain.doors.gbt20999.mapping import Mapped
from citybrain.doors.gbt20999.values import GREENS, YELLOWS
from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers import lamps
from citybrain.kernel.controllers.outstation import Answer, Looked, Mode, Tables
from citybrain.kernel.errors import Conflict


class UnusableGroup(Conflict):
    """A lamp group of the mapping that no phase of the stages drives."""


class GbtOutstation:
    """A junction of one controller. `reported` is set whenever it says something unasked."""

    def __init__(self, mapped: Mapped, *, clock: Clock = utc_now) -> None:
        self._mapped = mapped
        self.reported = asyncio.Event()
        self._client = Client(mapped.line, self._told)
        self._controller = Controller(
            self._client, stages=mapped.stages, backup_s=mapped.backup_s, stops=mapped.stops, clock=clock
        )
        self._capability: Capability | None = None

    async def discover(self) -> Tables:
        """Stages, phases, conflicts and least times; the lamp groups of the mapping as lamps."""
        capability = self._capability = await self._controller.discover()
        phases_of = self._lamps(capability)
        return Tables(
            stages=lamps.stage_letters(phases_of, capability.stages, self._mapped.yields),
            min_green_s=tuple(capability.min_green_s(stage) for stage in range(len(capability.stages))),
            yellow_s=max((phase.yellow_s for phase in capability.phases), default=0.0),
            all_red_s=max((phase.all_red_s for phase in capability.phases), default=0.0),
            conflicts=lamps.conflicting(phases_of, capability.conflicts),
        )

    async def look(self) -> Looked:
        """What lamp groups show."""
        return self._seen(await self._controller.look())

    async def beat(self) -> Looked:
        """The same, with a heartbeat and what is wished renewed."""
        return self._seen(await self._controller.beat())

    async def wish(self, stage: int, *, for_s: float, now: datetime) -> Answer:
        """Order the stage as soon as what is shown may end."""
        return await self._controller.wish(stage, for_s=for_s, now=now)

    async def stop(self, mode: Mode, *, for_s: float, now: datetime) -> Answer:
        """Set the special mode, where the mapping allows it."""
        return await self._controller.stop(mode, for_s=for_s, now=now)

    async def release(self) -> None:
        """Give the junction back to its own plan."""
        await self._controller.release()

    def figures(self) -> Mapping[str, float]:
        """Questions without an answer, and frames that could not be read."""
        counts = self._client.counts
        return {"questionsLost": float(counts.unanswered), "framesUnreadable": float(counts.unreadable)}

    def close(self) -> None:
        """Hang up."""
        self._controller.close()

    def _told(self, _frame: Frame) -> None:
        self.reported.set()

    def _lamps(self, capability: Capability) -> tuple[frozenset[int], ...]:
        """The phases of each lamp."""
        if not self._mapped.lamps:
            used = {phase.number for phase in capability.phases}
            return tuple(frozenset({n} & used) for n in range(1, max(used, default=0) + 1))
        of = {
            group: frozenset(phase.number for phase in capability.phases if group in phase.lamp_groups)
            for group in self._mapped.lamps
        }
        for group, phases in of.items():
            if group and not phases:
                raise UnusableGroup("gbt20999.group_unusable", {"group": group})
        return tuple(of[group] for group in self._mapped.lamps)

    def _seen(self, seen: Seen) -> Looked:
        assert self._capability is not None
        shown = letters(seen, self._capability)
        if self._mapped.lamps:
            shown = "".join(_letter(seen, group) for group in self._mapped.lamps)
        return Looked(
            at=seen.at,
            lamps=lamps.softened(shown, seen.stage, self._mapped.yields),
            mode=seen.mode,
            stage=seen.stage,
            pattern=seen.pattern,
            alarms=seen.alarms,
        )


def letters(seen: Seen, capability: Capability) -> str:
    """The lamps as one letter for each phase from 1 on: G, y, r; o when the junction flashes, - where there is none."""
    used = {phase.number for phase in capability.phases}
    told = used if seen.mode is Mode.FLASH else used & (seen.green | seen.yellow | seen.red)
    lit = "o" if seen.mode is Mode.FLASH else ""
    return lamps.letters(max(used, default=0), told, green=seen.green, yellow=seen.yellow, lit=lit)


def _letter(seen: Seen, group: int) -> str:
    lamp = seen.groups.get(group)
    if not group or lamp is None:
        return lamps.NO_LAMP
    if seen.mode is Mode.FLASH:
        return "o"
    return "G" if lamp in GREENS else "y" if lamp in YELLOWS else "r"
