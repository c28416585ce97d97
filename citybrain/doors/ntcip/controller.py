# SPDX-License-Identifier: Apache-2.0
"""Drives one controller: reads what it can and shows, and brings wished stages about within its own limits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.doors.ntcip import discovery, objects, phasing
from citybrain.doors.ntcip.capability import Capability, Seen
from citybrain.doors.ntcip.codec import Bindings
from citybrain.doors.ntcip.link import DeviceRefused, Link, Silent
from citybrain.doors.ntcip.phasing import NOTHING, Command
from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers.outstation import ACCEPTED, Answer, Mode, refused
from citybrain.kernel.errors import Conflict

LONGEST_WISH_S = 300.0
"""A wish is renewed long before; one that would stand for longer is a mistake of whoever wishes."""


MAX_RED_S = 180.0
"""A phase that is called and red for so long is served by the controller's own plan before any further wish.

RiLSA 2015 asks for cycles of at most 120 s; the brain may stretch that once over, not without end.
"""


class NotDiscovered(Conflict):
    """Nobody has asked this controller yet what it can do."""


class _Wish(msgspec.Struct, frozen=True):
    """A stage, or that all be red or flash."""

    wanted: int | Mode
    expires_at: datetime


class Controller:
    """One controller behind one link. A wish lasts until it expires, is taken back, or the controller hears no more.

    `stages` are the stages that count, as sets of phases; without them all that the controller allows. `backs_up`: a
    ring may go from a phase back to one before it while the other ring stays green, which no object tells.
    """

    def __init__(
        self,
        link: Link,
        *,
        stages: Sequence[Sequence[int]] = (),
        backs_up: bool = False,
        clock: Clock = utc_now,
    ) -> None:
        self._link = link
        self._stages = tuple(tuple(sorted(stage)) for stage in stages)
        self._backs_up = backs_up
        self._clock = clock
        self._capability: Capability | None = None
        self._green_since: dict[int, datetime] = {}
        self._red_since: dict[int, datetime] = {}
        self._set_at: datetime | None = None
        self._wish: _Wish | None = None

    async def discover(self) -> Capability:
        """Read phases, rings, concurrency and least times from the controller itself.

        Refuses a controller whose tables contradict themselves, and stages that it does not allow.
        """
        found = await discovery.discover(self._link, self._stages)
        can = found.can | {"back_up"} if self._backs_up else found.can
        self._capability = msgspec.structs.replace(found, can=can)
        return self._capability

    async def look(self) -> Seen:
        """What it shows now."""
        capability = self._known()
        at = self._clock()
        read = await discovery.look(self._link, capability)
        left_s = 0.0
        mode = self._all_red_or(read)
        if self._set_at is not None and read.mode is Mode.CENTRE:
            left_s = max(0.0, capability.backup_s - (at - self._set_at).total_seconds())
        self._green_since = {phase: self._green_since.get(phase, at) for phase in read.green}
        red = frozenset() if read.mode is Mode.FLASH else read.red
        self._red_since = {phase: self._red_since.get(phase, at) for phase in red}
        return msgspec.structs.replace(read, at=at, mode=mode, backup_left_s=left_s)

    async def wish(self, stage: int, *, for_s: float, now: datetime) -> Answer:
        """Wish for a stage for so many seconds; whoever wants it longer wishes again before. Acts at once.

        Refused with a code: what the controller has not, would not show, or could not leave by itself.
        """
        answer = self._judge(stage, for_s)
        if not answer.accepted:
            return answer
        try:
            seen = await self.look()
            if no := _out_of_hand(seen) or self._starving(seen):
                return no
            self._wish = _Wish(stage, now + timedelta(seconds=for_s))
            await self._steer(seen, stage)
        except (Silent, DeviceRefused) as refusal:
            return Answer(accepted=False, code=refusal.code, facts=refusal.facts)
        return ACCEPTED

    async def stop(self, mode: Mode, *, for_s: float, now: datetime) -> Answer:
        """Wish that all be red, or that the unit flash (as it is set up to, once its phases have cleared), for so many
        seconds. Refused with a code where the controller could not, or would not go on by itself."""
        answer = self._could_stop(mode)
        if not answer.accepted:
            return answer
        try:
            seen = await self.look()
            if (no := _out_of_hand(seen)) and (seen.is_manual or not self._is_stop):
                return no
            self._wish = _Wish(mode, now + timedelta(seconds=for_s))
            await self._bring_about(seen, mode)
        except (Silent, DeviceRefused) as refusal:
            return Answer(accepted=False, code=refusal.code, facts=refusal.facts)
        return ACCEPTED

    async def beat(self) -> Seen:
        """Look, and renew what is wished; to be called every second or two. An expired wish is taken back.

        When the controller flashes or somebody stands at it, nothing is commanded until it is free again. When a called
        phase was red for `MAX_RED_S`, the controller's own plan goes on until it has been served, unless somebody
        wished that all be red.
        """
        seen = await self.look()
        if self._wish is None:
            return seen
        if self._clock() >= self._wish.expires_at:
            await self.release()
        elif isinstance(self._wish.wanted, Mode):
            if not seen.is_manual:
                await self._bring_about(seen, self._wish.wanted)
        elif self._starving(seen):
            await self._command(NOTHING)
        elif _out_of_hand(seen) is None:
            await self._steer(seen, self._wish.wanted)
        return seen

    async def release(self) -> None:
        """Take every control back: the controller's own plan goes on from what is shown."""
        self._wish = None
        await self._command(NOTHING)

    def close(self) -> None:
        """Let go of the link; the controller goes back to its own plan within its back-up time."""
        self._link.close()

    def _known(self) -> Capability:
        if self._capability is None:
            raise NotDiscovered("ntcip.not_discovered", {})
        return self._capability

    @property
    def _is_stop(self) -> bool:
        return self._wish is not None and isinstance(self._wish.wanted, Mode)

    def _all_red_or(self, seen: Seen) -> Mode:
        """All red is a mode of ours alone: the controller only knows that it is commanded."""
        is_wished = self._wish is not None and self._wish.wanted is Mode.ALL_RED
        return Mode.ALL_RED if is_wished and seen.mode is Mode.CENTRE and not seen.green | seen.yellow else seen.mode

    def _could_stop(self, mode: Mode) -> Answer:
        """Whether the controller, as it described itself, could do this, and would go on by itself."""
        can = self._known().can
        if mode is Mode.FLASH and "plan" not in can:
            return refused("ntcip.cannot_flash")
        if mode is Mode.ALL_RED and not {"omit", "force_off", "red_rest"} <= can:
            return refused("ntcip.cannot_all_red")
        return ACCEPTED if self._known().backup_s else refused("ntcip.no_backup_timer")

    def _judge(self, stage: int, for_s: float) -> Answer:
        """Whether the controller, as it described itself, could show this at all."""
        capability = self._known()
        if not 0 <= stage < len(capability.stages):
            return refused("ntcip.no_such_stage", stage=stage, stages=len(capability.stages))
        phases = capability.stages[stage]
        if not {"hold", "force_off"} <= capability.can:
            return refused("ntcip.cannot_hold")
        if not capability.backup_s:
            return refused("ntcip.no_backup_timer")
        if pair := phasing.first_conflict(phases, capability.conflicts):
            return refused("ntcip.stage_conflicts", one=pair[0], other=pair[1])
        least_s = max(capability.phase(phase).min_green_s for phase in phases)
        if not least_s <= for_s <= LONGEST_WISH_S:
            return refused("ntcip.wish_out_of_range", for_s=for_s, least_s=least_s, longest_s=LONGEST_WISH_S)
        return ACCEPTED

    def _starving(self, seen: Seen) -> Answer | None:
        """A phase that is called and was red too long."""
        waited_s = {
            phase: (seen.at - self._red_since[phase]).total_seconds() for phase in seen.calls & self._red_since.keys()
        }
        starving = [phase for phase, red_s in waited_s.items() if red_s > MAX_RED_S]
        return refused("ntcip.phase_starves", phases=sorted(starving), red_s=MAX_RED_S) if starving else None

    async def _bring_about(self, seen: Seen, mode: Mode) -> None:
        if mode is Mode.FLASH:
            await self._command(Command(flash=True))
            return
        ready = frozenset(phase for phase in seen.green if self._is_ready(seen, phase))
        await self._command(phasing.all_red(self._known(), seen.green, ready))

    async def _steer(self, seen: Seen, stage: int) -> None:
        capability = self._known()
        ready = frozenset(phase for phase in seen.green if self._is_ready(seen, phase))
        await self._command(phasing.steer(capability, capability.stages[stage], seen.green, ready))

    def _is_ready(self, seen: Seen, phase: int) -> bool:
        """The least green since we first saw it is over, and nobody is walking."""
        green_s = (seen.at - self._green_since[phase]).total_seconds()
        return green_s >= self._known().phase(phase).min_green_s and phase not in seen.walk | seen.ped_clear

    async def _command(self, command: Command) -> None:
        """All masks in one message, which the controller takes whole or not at all; it restarts the back-up timer."""
        await self._link.set(bindings(command, self._known()))
        self._set_at = self._clock()


def bindings(command: Command, capability: Capability) -> Bindings:
    """The objects that put a command into force, for each group of eight phases."""
    columns = (
        ("omit", objects.CONTROL_OMIT, command.omit),
        ("hold", objects.CONTROL_HOLD, command.hold),
        ("force_off", objects.CONTROL_FORCE_OFF, command.force_off),
        ("call", objects.CONTROL_CALL, command.call),
    )
    highest = max(phase.number for phase in capability.phases)
    masks = tuple(
        ((*oid, group), objects.mask(phases, group))
        for group in objects.groups(highest)
        for word, oid, phases in columns
        if word in capability.can
    )
    if "red_rest" in capability.can:
        rings = {phase.ring for phase in capability.phases}
        resting = rings if command.red_rest else set()
        masks += tuple(
            ((*objects.RING_RED_REST, group), objects.mask(resting, group)) for group in objects.groups(max(rings))
        )
    if "plan" not in capability.can:
        return masks
    pattern = objects.PATTERN_FREE if command.free else objects.PATTERN_STANDBY
    return (*masks, (objects.PATTERN_CONTROL, objects.PATTERN_FLASH if command.flash else pattern))


def _out_of_hand(seen: Seen) -> Answer | None:
    if seen.mode in (Mode.FLASH, Mode.OFF):
        return refused("ntcip.controller_flashes", alarms=", ".join(seen.alarms))
    return refused("ntcip.under_manual_control") if seen.is_manual else None
