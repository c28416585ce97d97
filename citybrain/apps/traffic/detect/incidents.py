# SPDX-License-Identifier: Apache-2.0
"""What detectors at signals tell of incidents, from one look at each batch: doubts, stops, dark signals, closures."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from citybrain.apps.traffic.detect.at_signals import SPILLBACK, Doubted
from citybrain.apps.traffic.detect.closed import ROAD_CLOSED, SURGE, Closed
from citybrain.apps.traffic.detect.congestion import CONGESTION
from citybrain.apps.traffic.detect.dark import SIGNAL_DARK, DarkSignals
from citybrain.apps.traffic.detect.deserted import Deserted
from citybrain.apps.traffic.detect.flows import Flows
from citybrain.apps.traffic.detect.probes import StandingProbes
from citybrain.apps.traffic.detect.standing import Standing
from citybrain.apps.traffic.detect.stops import BLOCKED_LANE, ILLEGAL_PARKING, STOPPED_VEHICLE, Stops
from citybrain.apps.traffic.detect.streets import Streets
from citybrain.kernel.merging import Merge, Near
from citybrain.kernel.records import Batch, Entity, Event

STOPS = (BLOCKED_LANE, STOPPED_VEHICLE, ILLEGAL_PARKING)
QUEUES = (SPILLBACK, CONGESTION)


BLOCKS = (*STOPS, ROAD_CLOSED)


def _queue(cause: str, *others: str) -> Merge:
    """What is seen of it up to two junctions away within ten minutes of the last sign: a queue that is fed by 500
    vehicles an hour and lane grows by 7.5 m each, 600 m in ten minutes."""
    return Merge(cause=cause, signs=(*QUEUES, *others), within=timedelta(minutes=10), near=Near.ADJACENT, hops=2)


def _same_road(cause: str) -> Merge:
    """Whoever is sent to one finds the other."""
    return Merge(cause=cause, signs=BLOCKS, within=timedelta(minutes=10), near=Near.ROAD)


def _next_road(cause: str) -> Merge:
    """What may be a cause itself is one of its own, unless it begins at once where the queue would grow."""
    return Merge(cause=cause, signs=BLOCKS, within=timedelta(minutes=2), near=Near.UPSTREAM, of_cause=True)


# What holds traffic up, and what is seen of it. Our convention: a second vehicle that stands on another road needs a
# truck of its own.
MERGES = (
    *(_queue(cause) for cause in (SIGNAL_DARK, *BLOCKS)),
    _queue(SURGE, SURGE),
    *(rule(cause) for cause in (SIGNAL_DARK, *BLOCKS) for rule in (_same_road, _next_road)),
)


class Incidents:
    """Believes no detector that is doubted. Without places (loops) it still tells of doubts, signals and flows."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._doubted = Doubted(entities)
        self._streets = Streets(entities, self._doubted.trust.places)
        self._standing = Standing(self._streets)
        self._stops = Stops(self._streets)
        self._probes = StandingProbes(entities, self._streets)
        self._deserted = Deserted(self._streets)
        self._flows = Flows(self._streets)
        self._closed = Closed()
        self._dark = DarkSignals(entities, self._streets)

    def __call__(self, batch: Batch) -> list[Event]:
        """What ended, changed or is new since the last batch."""
        told = self._doubted(batch)
        trust = self._doubted.trust
        now_s = batch.observed_at.timestamp()
        told += self._dark.events(batch, trust.look, now_s)
        if trust.look is None or not np.any(trust.look.heard):
            return told
        self._streets.states(batch)
        if not trust.look.by_loops:
            self._standing.watch(trust.look, trust.blind, now_s)
            told += self._stops.events(self._standing.spots, batch)
            told += self._probes.events(batch, trust.look, trust.look.seconds)
            self._deserted.watch(trust.look, trust.blind)
            told += self._deserted.events(batch)
        self._flows.watch(trust.look, trust.blind, trust.flow, self._standing.stuck)
        return told + self._closed.events(self._flows, batch)
