# SPDX-License-Identifier: Apache-2.0
"""Signals that people hold by hand: locks of two persons, and short holds of one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, TypeVar

import msgspec

from citybrain.apps.traffic.control.claims import Claim, Rank
from citybrain.apps.traffic.control.modes import NoSuchSignal, reason_of
from citybrain.apps.traffic.model import SIGNAL
from citybrain.kernel.errors import Conflict, Invalid
from citybrain.kernel.records import Batch, Because, Entity, Event, Order, Outcome, OutcomeState

LOCK = "traffic.lock"
HOLD = "traffic.hold"
UNLOCK = "traffic.unlock"
END_HOLD = "traffic.end_hold"

PLAN = "plan"

LOCK_MINUTES = 120
HOLD_MINUTES = 10


Wish = TypeVar("Wish", "Lock", "Hold")


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """Show one stage (its number), or the shipped plan, for so many minutes; all red or flashing where a cabinet can.

    It ends by itself.
    """

    show: Annotated[int, msgspec.Meta(ge=0)] | Literal["plan", "all_red", "flash"]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=LOCK_MINUTES)]


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Show one stage (its number), or the shipped plan, for a few minutes; it ends by itself."""

    show: Annotated[int, msgspec.Meta(ge=0)] | Literal["plan"]
    minutes: Annotated[int, msgspec.Meta(ge=1, le=HOLD_MINUTES)]


class Unlock(msgspec.Struct, frozen=True, kw_only=True):
    """End the lock of this signal, or only that of one order; where none is, nothing remains to be done."""

    only: str = ""


class EndHold(msgspec.Struct, frozen=True, kw_only=True):
    """End what one person holds at this signal, also somebody else's, or only what one order holds; where none holds,
    nothing remains to be done."""

    only: str = ""


class NotShown(Invalid):
    """The cabinet cannot show what is asked for."""


class HeldBySomebody(Conflict):
    """Another person holds this signal, or two persons locked it."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody holds at one signal; `stage` None is its plan."""

    order_id: str
    means: str
    signal_id: str
    stage: int | None
    by: str
    approved_by: str
    reason: str
    until: datetime

    @property
    def because(self) -> Because:
        """Who holds it, until when, why."""
        code = "traffic.locked" if self.means == LOCK else "traffic.held"
        facts = {
            "by": self.by,
            "approved_by": self.approved_by,
            "until": self.until.isoformat(),
            "reason": self.reason,
        }
        return Because(code=code, facts=facts, entity_ids=(self.signal_id,))


class Locks:
    """The claimant of highest rank. A lock goes before a hold; of one person's holds the newest counts."""

    means = frozenset({LOCK, HOLD, UNLOCK, END_HOLD})

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._stages = {one.id: len(one.attributes.get("stages", ())) for one in entities if one.type == SIGNAL}
        self.locks: dict[str, Held] = {}
        self.holds: dict[str, Held] = {}

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Lock, hold or end it. Given twice, an order does no more than once.

        Refuses one without a reason (`NoReason`), what is no signal (`NoSuchSignal`) or cannot be shown (`NotShown`),
        and a hold where somebody else holds or two persons locked (`HeldBySomebody`).
        """
        if order.entity_id not in self._stages:
            raise NoSuchSignal("traffic.no_such_signal", {"entity_id": order.entity_id})
        if order.means == UNLOCK:
            _free(self.locks, order)
        elif order.means == END_HOLD:
            _free(self.holds, order)
        elif order.means == LOCK:
            self._lock(order, _read(order, Lock), at)
        else:
            self._hold(order, _read(order, Hold), at)
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)

    def watch(self, batch: Batch, events: Sequence[Event], outcomes: Sequence[Outcome]) -> None:
        """What has lasted its time ends."""
        if self.locks or self.holds:
            self._end(batch.observed_at)

    def claims(self, now_s: float) -> Sequence[Claim]:
        """Locks before holds, so that among equals of rank a lock is heard."""
        held = (*self.locks.values(), *self.holds.values())
        return [Claim(signal_id=one.signal_id, stage=one.stage, rank=Rank.LOCK, because=one.because) for one in held]

    def orders(self) -> Sequence[Order]:
        """None: the claims are all it wants."""
        return ()

    def at(self, signal_id: str) -> Held | None:
        """What holds at a signal."""
        return self.locks.get(signal_id) or self.holds.get(signal_id)

    def _lock(self, order: Order, wish: Lock, at: datetime) -> None:
        known = self.locks.get(order.entity_id)
        if known is None or known.order_id != order.id:
            self._keep(self.locks, self._held(order, wish), at)

    def _hold(self, order: Order, wish: Hold, at: datetime) -> None:
        self._end(at)
        known = self.at(order.entity_id)
        if known is not None and (known.means == LOCK or known.by != order.by):
            facts = {"by": known.by, "until": known.until.isoformat(), "reason": known.reason}
            raise HeldBySomebody("traffic.held_by_somebody", facts)
        if known is None or known.order_id != order.id:
            self._keep(self.holds, self._held(order, wish), at)

    def _held(self, order: Order, wish: Lock | Hold) -> Held:
        """Its time runs from when the order was given: arriving late, or again after a restart, makes it no longer, and
        a city that goes on from an earlier state makes it no shorter."""
        stages = self._stages[order.entity_id]
        if wish.show != PLAN and (not isinstance(wish.show, int) or wish.show >= stages):
            raise NotShown("traffic.not_shown", {"show": wish.show, "stages": stages})
        return Held(
            order_id=order.id,
            means=order.means,
            signal_id=order.entity_id,
            stage=wish.show if isinstance(wish.show, int) else None,
            by=order.by,
            approved_by=str(order.because.facts.get("other", "")),
            reason=reason_of(order),
            until=order.at + timedelta(minutes=wish.minutes),
        )

    def _keep(self, held: dict[str, Held], one: Held, at: datetime) -> None:
        if one.until > at:
            held[one.signal_id] = one

    def _end(self, at: datetime) -> None:
        self.locks = {name: one for name, one in self.locks.items() if one.until > at}
        self.holds = {name: one for name, one in self.holds.items() if one.until > at}


def _free(held: dict[str, Held], order: Order) -> None:
    """What ends by itself must not end what somebody else took meanwhile."""
    known = held.get(order.entity_id)
    if known is not None and order.parameters.get("only", "") in ("", known.order_id):
        del held[order.entity_id]


def _read(order: Order, kind: type[Wish]) -> Wish:
    """What the order asks for; it was checked where it came in, but an older one may be given again."""
    try:
        return msgspec.convert(dict(order.parameters), kind)
    except msgspec.ValidationError as error:
        raise NotShown("traffic.order_unreadable", {"detail": str(error)}) from error
