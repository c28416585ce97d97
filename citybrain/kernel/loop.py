# SPDX-License-Identifier: Apache-2.0
"""The loop: observations to events, events to orders, and everything to what it was worth."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.app import App, Frame, Meeting, Obeying, Telling
from citybrain.kernel.errors import Refusal
from citybrain.kernel.merging import Merging
from citybrain.kernel.records import Batch, Column, Entity, Event, Order, Outcome, OutcomeState, Reading


class Sensed(msgspec.Struct, frozen=True, kw_only=True):
    """What doors brought in since the last step: things that are new or known otherwise, the ids of those that are
    gone, and new values, of each attribute the newest."""

    entities: tuple[Entity, ...] = ()
    gone: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()

    def beside(self, batch: Batch) -> Batch:
        """A batch with the values beside its own."""
        return msgspec.structs.replace(batch, columns=(*batch.columns, *self.columns)) if self.columns else batch


NOTHING = Sensed()


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame led to.

    `outcomes` are those that came in with the frame, of orders given in the step before, and those of orders that
    deciders obeyed in this step. `orders` are all that deciders gave; `abroad` are those of them that no decider
    executes, to be carried to the field with the next step.
    """

    frame: Frame
    events: tuple[Event, ...]
    orders: tuple[Order, ...]
    readings: tuple[Reading, ...]
    outcomes: tuple[Outcome, ...] = ()
    abroad: tuple[Order, ...] = ()


class Loop:
    """One city's loop over the detectors, deciders and measures of its apps.

    It waits for nothing and stores nothing: a frame goes in, a step comes out, in the order the frames come.
    A twin under comparison has no deciders: `decide=False` watches and measures, and orders nothing.
    """

    def __init__(self, apps: Sequence[App], entities: Sequence[Entity], *, arm: str, decide: bool) -> None:
        self._arm = arm
        self._detectors = [begin(entities) for app in apps for begin in app.detectors]
        self.deciders = tuple(begin(entities) for app in apps for begin in app.deciders if decide)
        self._measures = [begin(entities) for app in apps for begin in app.measures]
        self._executors = {
            name: decider for decider in self.deciders if isinstance(decider, Obeying) for name in decider.means
        }
        self._meeting = [detector for detector in self._detectors if isinstance(detector, Meeting)]
        self._telling = [decider for decider in self.deciders if isinstance(decider, Telling)]
        self._merging = Merging(
            entities,
            merges=[rule for app in apps for rule in app.merges],
            damps=[rule for app in apps for rule in app.damps],
            storms=[rule for app in apps for rule in app.storms],
        )
        self._at_home: tuple[Order, ...] = ()

    def executes(self, means: str) -> bool:
        """Whether a decider executes orders of a means, so that they are given to `step` and not to the field."""
        return means in self._executors

    def step(self, frame: Frame, given: Sequence[Order] = (), sensed: Sensed = NOTHING) -> Step:
        """Obey, observe, detect, merge, decide, measure: in this order, each once.

        `given` are orders of people and programs whose means a decider executes; those that deciders gave each other
        in the step before come first. `sensed` is what doors brought in, for detectors alone.
        """
        if sensed.entities or sensed.gone:
            for detector in self._meeting:
                detector.meet(sensed.entities, sensed.gone)
            self._merging.meet(sensed.entities)
        batch = frame.batch
        obeyed = [self._obey(order, batch.observed_at) for order in (*self._at_home, *given)]
        outcomes = (*frame.outcomes, *obeyed)
        seen = sensed.beside(batch)
        found = [event for detect in self._detectors for event in detect(seen)]
        events = self._merging(found, batch.observed_at)
        orders = tuple(order for decide in self.deciders for order in decide(batch, events, outcomes))
        events += tuple(event for decider in self._telling for event in decider.tells())
        readings = tuple(reading for measure in self._measures for reading in measure(frame, self._arm))
        self._at_home, abroad = self.split(orders)
        return Step(frame=frame, events=events, orders=orders, readings=readings, outcomes=outcomes, abroad=abroad)

    def split(self, orders: Iterable[Order]) -> tuple[tuple[Order, ...], tuple[Order, ...]]:
        """Orders that deciders execute, and those that go abroad, each in their order."""
        at_home: list[Order] = []
        abroad: list[Order] = []
        for order in orders:
            (at_home if order.means in self._executors else abroad).append(order)
        return tuple(at_home), tuple(abroad)

    def _obey(self, order: Order, at: datetime) -> Outcome:
        executor = self._executors.get(order.means)
        if executor is None:
            refusal = Refusal("kernel.nobody_executes", {"means": order.means})
        else:
            try:
                return executor.obey(order, at)
            except Refusal as refused:
                refusal = refused
        return Outcome(order_id=order.id, state=OutcomeState.REFUSED, at=at, code=refusal.code, facts=refusal.facts)
