# SPDX-License-Identifier: Apache-2.0
"""The loop: observations to events, events to orders, and everything to what it was worth."""

from collections.abc import Sequence

import msgspec

from citybrain.kernel.app import App, Frame
from citybrain.kernel.records import Entity, Event, Order, Outcome, Reading


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame led to. `outcomes` are those of the orders given in the step before."""

    frame: Frame
    events: tuple[Event, ...]
    orders: tuple[Order, ...]
    readings: tuple[Reading, ...]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes that came in with the frame."""
        return self.frame.outcomes


class Loop:
    """One city's loop over the detectors, deciders and measures of its apps.

    It waits for nothing and stores nothing: a frame goes in, a step comes out, in the order the frames come.
    A twin under comparison has no deciders: `decide=False` watches and measures, and orders nothing.
    """

    def __init__(self, apps: Sequence[App], entities: Sequence[Entity], *, arm: str, decide: bool) -> None:
        self._arm = arm
        self._detectors = [begin(entities) for app in apps for begin in app.detectors]
        self._deciders = [begin(entities) for app in apps for begin in app.deciders if decide]
        self._measures = [begin(entities) for app in apps for begin in app.measures]

    def step(self, frame: Frame) -> Step:
        """Observe, detect, decide, measure: in this order, each once."""
        batch = frame.batch
        events = tuple(event for detect in self._detectors for event in detect(batch))
        orders = tuple(order for decide in self._deciders for order in decide(batch, events, frame.outcomes))
        readings = tuple(reading for measure in self._measures for reading in measure(frame, self._arm))
        return Step(frame=frame, events=events, orders=orders, readings=readings)
