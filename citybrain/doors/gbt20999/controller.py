# SPDX-License-Identifier: Apache-2.0
"""Drives one controller: reads what it can and shows, and brings wished stages about within its own limits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.doors.gbt20999 import discovery, guard
from citybrain.doors.gbt20999.capability import Capability, Seen
from citybrain.doors.gbt20999.client import Client
from citybrain.doors.gbt20999.codec import Address, Status
from citybrain.doors.gbt20999.link import Silent
from citybrain.doors.gbt20999.values import RunMode
from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers.outstation import ACCEPTED, Answer, Mode, refused
from citybrain.kernel.errors import Conflict

BACKUP_S = 20.0
"""What one controller in public has as its longest communication timeout; no object of the standard tells it."""

_CENTRE = {"stage": 2, "plan": 3, "mode": 4}
"""Columns of the table of central control, or its objects (`Dialect.centre`)."""


class NotDiscovered(Conflict):
    """Nobody has asked this controller yet what it can do."""


STOPS = {Mode.ALL_RED: int(RunMode.ALL_RED), Mode.FLASH: int(RunMode.FLASH)}
"""The special modes that are set when somebody stops a junction."""


class _Wish(msgspec.Struct, frozen=True):
    """A stage, or that all be red or flash."""

    wanted: int | Mode
    expires_at: datetime


class Controller:
    """One junction of one controller. A wish lasts until it expires, is taken back, or the controller hears no more.

    `stages` are the stages that count, by the controller's own numbers, in the order of whoever wishes; without them
    all that it has. With `stops` it leaves all red and flashing by itself when the centre falls silent.
    """

    def __init__(
        self,
        client: Client,
        *,
        stages: Sequence[int] = (),
        backup_s: float = BACKUP_S,
        stops: bool = False,
        clock: Clock = utc_now,
    ) -> None:
        self.client = client
        self._stages = tuple(stages)
        self._backup_s = backup_s
        self._stops = stops
        self._was_stopped = False
        self._clock = clock
        self._capability: Capability | None = None
        self._wish: _Wish | None = None
        self._heard_at: datetime | None = None
        self._local_mode = int(RunMode.LOCAL_FIXED)
        self._stage: tuple[int | None, datetime] = (None, clock())

    async def discover(self) -> Capability:
        """Read stages, phases, conflicts, intergreens and times from the controller itself.

        Refuses a controller that is silent or whose tables contradict each other.
        """
        self._capability = await discovery.discover(self.client, self._stages, backup_s=self._backup_s)
        return self._capability

    async def look(self) -> Seen:
        """What it shows now. The age of a stage is what the controller tells, but never more than we saw of it."""
        seen = await discovery.look(self.client, self._known(), self._clock())
        if seen.mode is Mode.LOCAL and not seen.is_manual:
            self._local_mode = seen.run_mode
        if seen.stage != self._stage[0]:
            self._stage = (seen.stage, seen.at)
        age_s = min(seen.stage_age_s, (seen.at - self._stage[1]).total_seconds())
        return msgspec.structs.replace(seen, stage_age_s=age_s, backup_left_s=self._backup_left_s(seen))

    async def wish(self, stage: int, *, for_s: float, now: datetime) -> Answer:
        """Wish for a stage for so many seconds; whoever wants it longer wishes again before.

        Acts at once, or with a later `beat` when the least green of what is shown is over. Refused with a code: what
        the controller has not, would not show, must not change to, or is not to be touched now.
        """
        answer = guard.judge(self._known(), stage, for_s)
        if not answer.accepted:
            return answer
        try:
            seen = await self.look()
            answer = guard.in_other_hands(seen) or guard.no_way(self._known(), seen, stage) or ACCEPTED
            if not answer.accepted:
                return answer
            self._wish = _Wish(stage, now + timedelta(seconds=for_s))
            answer = await self._steer(seen, stage)
        except Silent as silent:
            answer = Answer(accepted=False, code=silent.code, facts=silent.facts)
        if not answer.accepted:
            self._wish = None
        return answer

    async def stop(self, mode: Mode, *, for_s: float, now: datetime) -> Answer:
        """Wish that all be red, or flash, for so many seconds. Flashing is set once red was shown to everybody, as a
        controller may begin it amid a green. Refused with a code where the operator has not allowed it, where somebody
        stands at the cabinet, and by the controller."""
        if not self._stops:
            return refused("gbt20999.stop_not_allowed")
        try:
            seen = await self.look()
            answer = guard.at_the_panel(seen) or await self._bring_about(seen, mode)
        except Silent as silent:
            answer = Answer(accepted=False, code=silent.code, facts=silent.facts)
        if answer.accepted:
            self._wish, self._was_stopped = _Wish(mode, now + timedelta(seconds=for_s)), True
        return answer

    async def beat(self) -> Seen:
        """A heartbeat, a look, and what is wished renewed; to be called every second or two.

        An expired wish is taken back. A junction in the centre's mode that nobody wishes anything of was left behind
        by a lost answer or an earlier run: it is given back too. One in other hands is left alone.
        """
        await self.client.beat()
        self._heard_at = self._clock()
        seen = await self.look()
        if self._wish is not None and self._clock() >= self._wish.expires_at:
            self._wish = None
        if self._wish is None:
            self._was_stopped = self._was_stopped and seen.mode in STOPS
            if self._was_stopped or seen.run_mode == self.client.line.dialect.centre_mode:
                await self.release()
        elif isinstance(self._wish.wanted, Mode):
            if guard.at_the_panel(seen) is None:
                await self._bring_about(seen, self._wish.wanted)
        elif guard.in_other_hands(seen) is None and guard.no_way(self._known(), seen, self._wish.wanted) is None:
            await self._steer(seen, self._wish.wanted)
        return seen

    async def release(self) -> None:
        """Give the junction back: the controller's own plan goes on from what is shown, in the mode it had."""
        self._wish = None
        await self.client.set([(self._address("mode"), bytes([self._local_mode]))])

    def close(self) -> None:
        """Hang up; the controller goes back to its own plan within its back-up time."""
        self.client.close()

    def _known(self) -> Capability:
        if self._capability is None:
            raise NotDiscovered("gbt20999.not_discovered", {})
        return self._capability

    def _backup_left_s(self, seen: Seen) -> float:
        if self._heard_at is None or seen.mode is not Mode.CENTRE:
            return 0.0
        silent_s = max(0.0, (seen.at - self._heard_at).total_seconds())
        return max(0.0, self._backup_s - silent_s)

    async def _bring_about(self, seen: Seen, mode: Mode) -> Answer:
        """Set the mode where it is not yet so; on the way to flashing all must be red first."""
        is_cleared = seen.mode in STOPS and not seen.green | seen.yellow
        number = STOPS[mode if is_cleared else Mode.ALL_RED]
        if seen.run_mode == number:
            return ACCEPTED
        return await self._set([(self._address("mode"), bytes([number]))])

    async def _steer(self, seen: Seen, stage: int) -> Answer:
        """Say the stage again, with the mode where it is not ours; wait while what is shown may not end yet."""
        if seen.stage != stage and not guard.may_change(self._known(), seen):
            return ACCEPTED
        mode = self.client.line.dialect.centre_mode
        values = [] if seen.run_mode == mode else [(self._address("mode"), bytes([mode]))]
        return await self._set([*values, (self._address("stage"), bytes([self._known().numbers[stage]]))])

    async def _set(self, values: Sequence[tuple[Address, bytes]]) -> Answer:
        reply = await self.client.set(values)
        self._heard_at = self._clock()
        if reply.refused:
            return refused("gbt20999.refused", status=_status(next(iter(reply.refused.values()))))
        return ACCEPTED

    def _address(self, name: str) -> Address:
        number, junction = _CENTRE[name], self.client.line.junction
        if self.client.line.dialect.centre == "table":
            return Address(0x11, 1, number, junction)
        return Address(0x11, number, 0, junction)


def _status(number: int) -> str:
    return Status(number).name.lower() if number in set(Status) else f"0x{number:02X}"
