# SPDX-License-Identifier: Apache-2.0
"""Drives one controller: looks at it every second, and brings about what was ordered last."""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec.structs import replace

from citybrain.kernel.clock import Clock, utc_now
from citybrain.kernel.controllers.outstation import ACCEPTED, Answer, Looked, Mode, Outstation, Tables
from citybrain.kernel.controllers.watch import Found, Watch
from citybrain.kernel.errors import Conflict, Refusal, Unavailable
from citybrain.kernel.records import Facts, Order, Outcome, OutcomeState

SET_STAGE = "traffic.set_stage"
SET_CONTROL_MODE = "traffic.set_control_mode"
RELEASE = "traffic.release"
ALL_RED, FLASH, RESUME = "signals.all_red", "signals.flash", "signals.resume"
BRAIN, PLAN = "brain", "plan"

STOPS = {ALL_RED: Mode.ALL_RED, FLASH: Mode.FLASH}
"""What is shown when somebody stops a signal."""

WISH_S = 60.0
"""Each wish expires after so long: longer than the brain is silent while a long least green runs."""

LATE = timedelta(seconds=10)
"""An order that was given so long ago was about another traffic: nobody wants it any more."""

FRESH = timedelta(seconds=5)
"""What was seen longer ago says nothing about now."""

REMEMBERED = 256
"""Orders whose numbers are kept to know one that comes twice."""


class Driver:
    """One controller. Orders and looks take turns at it; of orders that wait for their turn the newest counts.

    One that is not there to be commanded is only looked at. `tables` are what it last said of itself.
    """

    def __init__(self, outstation: Outstation, watch: Watch, *, commands: bool, clock: Clock = utc_now) -> None:
        self.outstation = outstation
        self.watch = watch
        self.tables: Tables | None = None
        self._commands = commands
        self._clock = clock
        self._looked: Looked | None = None
        self._turn = asyncio.Lock()
        self._is_known = False
        self._is_driven = False
        self._is_held = False
        self._stopped_until: datetime | None = None
        self._is_back = True
        self._newest = ""
        self._taken: deque[str] = deque(maxlen=REMEMBERED)

    @property
    def entity(self) -> str:
        """The signal that it is in the street."""
        return self.watch.watched.entity

    @property
    def looked(self) -> Looked | None:
        """What it shows; None when nobody saw it for a while."""
        if self._looked is None or self._clock() - self._looked.at > FRESH:
            return None
        return self._looked

    async def second(self) -> Found:
        """Look, renew what is wished, and say what was found. Whoever comes back after silence is asked again what it
        can do: it may be another one, or set up anew."""
        async with self._turn:
            try:
                await self._know()
                looked = await self._look()
            except (Refusal, OSError) as trouble:
                self._is_known = False
                return self.watch.missed(_refusal(trouble), self.outstation.figures(), self._clock())
        self._looked = looked
        return self.watch.saw(looked, self.outstation.figures())

    async def _look(self) -> Looked:
        """One that answers, but refuses what is renewed, is seen all the same."""
        looked = None
        if self._is_driven:
            with suppress(Conflict):
                looked = await self.outstation.beat()
        if looked is None:
            looked = await self.outstation.look()
        if not self._is_stopped and looked.mode not in STOPS.values():
            self._is_back = True
        return replace(looked, is_stopped=not self._is_back)

    async def _know(self) -> None:
        if not self._is_known:
            self.tables = await self.outstation.discover()
            self._is_known = True

    @property
    def _is_stopped(self) -> bool:
        return self._stopped_until is not None and self._clock() < self._stopped_until

    async def obey(self, order: Order, at: datetime) -> Outcome:
        """Carry out an order, when its turn comes. Refused by code: late, twice, overtaken, or what it cannot do.

        An order about who decides stands until the next one, however old it is and however often it is given.
        """
        if not self._commands:
            return _outcome(order, at, "kernel.controller_only_looked_at")
        if order.means == SET_STAGE and (refused := self._missed(order, at)):
            return refused
        self._newest = order.id
        async with self._turn:
            if self._newest != order.id and order.means not in {*STOPS, RESUME}:
                return _outcome(order, at, "kernel.order_overtaken")
            try:
                answer = await self._carry_out(order, at)
            except (Refusal, OSError) as trouble:
                refusal = _refusal(trouble)
                return _outcome(order, at, refusal.code, refusal.facts, state=OutcomeState.FAILED)
        state = OutcomeState.EXECUTED if answer.accepted else OutcomeState.REFUSED
        return _outcome(order, at, answer.code, answer.facts, state=state)

    def _missed(self, order: Order, at: datetime) -> Outcome | None:
        """A stage that was ordered already, or for another traffic than now."""
        if order.id in self._taken:
            return _outcome(order, at, "kernel.order_twice")
        self._taken.append(order.id)
        if at - order.at > LATE:
            return _outcome(order, at, "kernel.order_late", {"age_s": round((at - order.at).total_seconds())})
        return None

    async def _carry_out(self, order: Order, at: datetime) -> Answer:
        if order.means in STOPS:
            return await self._stop(order, at)
        if order.means == RESUME:
            return await self._resume()
        if self._is_stopped:
            return Answer(accepted=False, code="kernel.signal_stopped")
        if order.means == SET_CONTROL_MODE:
            return await self._set_mode(order.parameters.get("mode"))
        if order.means == RELEASE:
            return await self._release()
        return await self._show(order)

    async def _show(self, order: Order) -> Answer:
        stage = order.parameters.get("stage")
        if order.means != SET_STAGE or not isinstance(stage, int):
            return Answer(accepted=False, code="kernel.no_such_order", facts={"means": order.means})
        if self._is_held:
            return Answer(accepted=False, code="kernel.signal_held_on_plan")
        if not self._is_known or self.tables is None:
            return Answer(accepted=False, code="kernel.controller_silent")
        least_s = max(self.tables.min_green_s, default=0.0)
        answer = await self.outstation.wish(stage, for_s=max(WISH_S, least_s), now=self._clock())
        self._is_driven = self._is_driven or answer.accepted
        return answer

    async def _stop(self, order: Order, at: datetime) -> Answer:
        """Until its minutes are over, however late it comes or however often it is given. It asks a controller that
        nobody knows yet what it is, as orders that stand come before the first look of a city that opens."""
        minutes = order.parameters.get("minutes")
        if not isinstance(minutes, int | float) or minutes <= 0:
            return Answer(accepted=False, code="kernel.no_such_order", facts={"means": order.means})
        age_s = (at - order.at).total_seconds()
        left_s = 60.0 * minutes - age_s
        if left_s <= 0:
            return Answer(accepted=False, code="kernel.order_late", facts={"age_s": round(age_s)})
        await self._know()
        now = self._clock()
        answer = await self.outstation.stop(STOPS[order.means], for_s=left_s, now=now)
        if answer.accepted:
            self._stopped_until = now + timedelta(seconds=left_s)
            self._is_driven, self._is_back = True, False
        return answer

    async def _resume(self) -> Answer:
        """Also where nobody knows of a stop: it may have been ordered by a city that died since."""
        self._stopped_until = None
        await self.outstation.release()
        return ACCEPTED

    async def _set_mode(self, mode: object) -> Answer:
        if mode not in (BRAIN, PLAN):
            return Answer(accepted=False, code="kernel.no_such_order", facts={"means": SET_CONTROL_MODE})
        self._is_held = mode == PLAN
        return await self._release() if self._is_held else ACCEPTED

    async def _release(self) -> Answer:
        """What nobody has commanded since it was found is on its own plan already."""
        if self._is_driven:
            await self.outstation.release()
        return ACCEPTED


def _refusal(trouble: Refusal | OSError) -> Refusal:
    """A line that the machine itself says is broken is a silence too."""
    return trouble if isinstance(trouble, Refusal) else Unavailable("kernel.controller_silent", {"why": str(trouble)})


def _outcome(
    order: Order,
    at: datetime,
    code: str = "",
    facts: Facts | None = None,
    *,
    state: OutcomeState = OutcomeState.REFUSED,
) -> Outcome:
    return Outcome(order_id=order.id, state=state, at=at, code=code, facts=facts or {})
