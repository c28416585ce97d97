# SPDX-License-Identifier: Apache-2.0
"""Who decides at a signal: the brain, its shipped plan, or the plan while the brain only compares."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from citybrain.apps.traffic.control.claims import Rank
from citybrain.apps.traffic.model import SIGNAL
from citybrain.kernel.errors import Invalid, NotFound
from citybrain.kernel.records import Entity, Order, Outcome, OutcomeState

SET_MODE = "traffic.set_mode"

CONTROL_DEFAULT = "controlDefault"
"""Attribute of a signal that says in which mode it begins; without it a new signal begins in shadow."""


DEFAULT = "default"


class NoSuchSignal(NotFound):
    """The order is for something that is no signal of this city."""


class NoSuchMode(Invalid):
    """The order asks for a mode that is none."""


class NoReason(Invalid):
    """Whoever changes who has the say at a junction must say why."""


class Mode(StrEnum):
    """`shadow`: decide and compare, give no order. `brain`: decide and act. `plan`: the shipped plan, on purpose."""

    SHADOW = "shadow"
    BRAIN = "brain"
    PLAN = "plan"


# In shadow nothing but what people hold by hand reaches the street: an ambulance's corridor, too, is made by a machine
# that nobody has trusted with this junction yet. Under a plan on purpose what people asked for still goes.
HEARD: Mapping[Mode, frozenset[Rank]] = {
    Mode.SHADOW: frozenset({Rank.LOCK}),
    Mode.PLAN: frozenset({Rank.LOCK, Rank.MISSION, Rank.PLAN, Rank.WAVE}),
    Mode.BRAIN: frozenset(Rank),
}


class Modes:
    """The mode of every signal: as it began, or as a person set it since."""

    means = frozenset({SET_MODE})

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._began = {one.id: begins_in(one) for one in entities if one.type == SIGNAL}
        self._mode = dict(self._began)
        self.changed: set[str] = set()

    def of(self, signal_id: str) -> Mode:
        """The mode of a signal."""
        return self._mode[signal_id]

    def began(self, signal_id: str) -> Mode:
        """The mode a signal began in."""
        return self._began[signal_id]

    def joint(self, signals: Sequence[str]) -> Mode:
        """The mode of signals that act as one: the brain acts only where it may at all of them."""
        if len(signals) == 1:
            return self._mode[signals[0]]
        modes = {self._mode[signal] for signal in signals}
        return next(mode for mode in (Mode.PLAN, Mode.SHADOW, Mode.BRAIN) if mode in modes)

    def obey(self, order: Order, at: datetime) -> Outcome:
        """Set the mode that a person ordered, `default` is the one it began in.

        One that is no mode (`NoSuchMode`), of no signal of ours (`NoSuchSignal`) or without a reason (`NoReason`) is
        refused.
        """
        if order.entity_id not in self._mode:
            raise NoSuchSignal("traffic.no_such_signal", {"entity_id": order.entity_id})
        word = str(order.parameters.get("mode"))
        if word != DEFAULT and word not in set(Mode):
            raise NoSuchMode("traffic.no_such_mode", {"mode": word})
        if word == DEFAULT:
            return self._set(order, self._began[order.entity_id], at)
        reason_of(order)
        return self._set(order, Mode(word), at)

    def _set(self, order: Order, mode: Mode, at: datetime) -> Outcome:
        if mode is not self._mode[order.entity_id]:
            self.changed.add(order.entity_id)
        self._mode[order.entity_id] = mode
        return Outcome(order_id=order.id, state=OutcomeState.EXECUTED, at=at)


def begins_in(signal: Entity) -> Mode:
    """The mode a signal begins in: shadow, unless its source says otherwise."""
    word = str(signal.attributes.get(CONTROL_DEFAULT, Mode.SHADOW))
    return Mode(word) if word in set(Mode) else Mode.SHADOW


def reason_of(order: Order) -> str:
    """Why a person wants it; refuses `NoReason` where nothing is said."""
    reason = str(order.because.facts.get("reason", "")).strip()
    if not reason:
        raise NoReason("traffic.no_reason", {"means": order.means})
    return reason
