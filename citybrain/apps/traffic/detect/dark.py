# SPDX-License-Identifier: Apache-2.0
"""Signals that fail: dark, flashing, stuck on one picture, or not heard of.

Looks at `signalState`. A signal is dark whose lamps are off (`O`, and `o` where one must give way), flashing where all
blink (`o`); stuck is one that shows the same picture with a red for `STUCK_S` while somebody has waited for as long;
silent one of which the batch does not speak while it speaks of others. Thresholds are ours: a dark picture is wrong in
every plan, so it need last only as long as a controller that starts anew; 300 s are longer than any cycle (GB 14886:
180 s at most) and than a cabinet leaves anybody waiting. Evidence: the failure, the last picture, and since when.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

import msgspec
import numpy as np

from citybrain.apps.traffic.detect.ledger import Ledger, Said
from citybrain.apps.traffic.detect.streets import Streets
from citybrain.apps.traffic.detect.symptoms import Look
from citybrain.apps.traffic.model import SIGNAL
from citybrain.kernel.records import Batch, Entity, Event, Severity

SIGNAL_DARK = "traffic.signal_dark"
LIT = "traffic.signal_lit"

DARK_S = 5.0
SILENT_S = 30.0
STUCK_S = 300.0

OFF = frozenset("oO")

# A signal that is dark where much traffic crosses is worse (lanes that it has); our convention.
SEVERITIES = ((Severity.II, 8), (Severity.III, 0))


class Failure(StrEnum):
    """What is wrong with a signal."""

    DARK = "dark"
    FLASHING = "flashing"
    SILENT = "silent"
    STUCK = "stuck"


CODES = {
    Failure.DARK: "traffic.signal_is_dark",
    Failure.FLASHING: "traffic.signal_is_flashing",
    Failure.SILENT: "traffic.signal_is_silent",
    Failure.STUCK: "traffic.signal_is_stuck",
}

AFTER_S = {Failure.DARK: DARK_S, Failure.FLASHING: DARK_S, Failure.SILENT: SILENT_S, Failure.STUCK: 0.0}


class Lamp(msgspec.Struct, kw_only=True):
    """One signal: what it showed last, since when, and what has been wrong since when."""

    state: str = ""
    since_s: float = 0.0
    heard_s: float = 0.0
    failure: Failure | None = None
    well_since_s: float = 0.0
    is_told: bool = False


class DarkSignals:
    """One event per signal while it fails."""

    def __init__(self, entities: Sequence[Entity], streets: Streets) -> None:
        self._signals = {one.id: one for one in entities if one.type == SIGNAL}
        self._lamps: dict[str, Lamp] = {}
        self._approaches: dict[str, list[int]] = {}
        for place, one in enumerate(streets.places.entities):
            if one.attributes.get("role") == "approach":
                self._approaches.setdefault(str(one.attributes.get("controller")), []).append(place)
        self._ledger = Ledger()

    def events(self, batch: Batch, look: Look | None, now_s: float) -> list[Event]:
        """Signals that fail or are well again since the last batch."""
        if not self._hear(batch, now_s):
            return []
        waited_s = longest_waits(look) if look is not None else {}
        failing: dict[str, Said] = {}
        for name, lamp in self._lamps.items():
            failure = self._failure(name, lamp, waited_s, now_s)
            if failure is not None:
                lamp.failure = failure
                lamp.well_since_s = now_s
            since_s = lamp.heard_s if lamp.failure is Failure.SILENT else lamp.since_s
            if failure is None and now_s - lamp.well_since_s >= DARK_S:
                lamp.failure = None
            if lamp.failure is not None and (lamp.is_told or now_s - since_s >= AFTER_S[lamp.failure]):
                failing[name] = self._said(name, lamp, lamp.failure, batch, now_s - since_s)
            lamp.is_told = name in failing
        return self._ledger.tell(failing, batch)

    def _hear(self, batch: Batch, now_s: float) -> bool:
        """Whether the batch speaks of signals at all."""
        heard = False
        for column in batch.columns:
            if column.attribute != "signalState":
                continue
            for name, state in zip(column.entity_ids, column.values, strict=True):
                heard = True
                lamp = self._lamps.get(name)
                if lamp is None:
                    lamp = self._lamps[name] = Lamp(since_s=now_s)
                lamp.heard_s = now_s
                if state != lamp.state:
                    lamp.state, lamp.since_s = state, now_s
        return heard

    def _failure(self, name: str, lamp: Lamp, waited_s: Mapping[int, float], now_s: float) -> Failure | None:
        if lamp.heard_s < now_s:
            return Failure.SILENT
        kinds = set(lamp.state)
        if kinds and kinds <= OFF:
            return Failure.FLASHING if kinds == {"o"} else Failure.DARK
        if now_s - lamp.since_s < STUCK_S or "r" not in kinds:
            return None
        waits = max((waited_s.get(place, 0.0) for place in self._approaches.get(name, ())), default=0.0)
        return Failure.STUCK if waits >= STUCK_S else None

    def _said(self, name: str, lamp: Lamp, failure: Failure, batch: Batch, lasted_s: float) -> Said:
        signal = self._signals.get(name)
        lanes = len(self._approaches.get(name, ()))
        return Said(
            kind=SIGNAL_DARK,
            entity_id=name,
            code=CODES[failure],
            over=LIT,
            severity=next(row[0] for row in SEVERITIES if lanes >= row[1]),
            since=batch.observed_at - timedelta(seconds=lasted_s),
            facts={"lanes": lanes, "seconds": round(lasted_s)},
            entity_ids=(name,),
            geometry=signal.geometry if signal else None,
            evidence={"failure": str(failure), "state": lamp.state, "approach_lanes": lanes},
        )


def longest_waits(look: Look) -> dict[int, float]:
    """For each detector at which somebody has stood for long, how long."""
    long_ = look.table[:, 2] >= STUCK_S
    waits = np.zeros(look.size)
    np.maximum.at(waits, look.detector[long_], look.table[long_, 2])
    return {place: float(waits[place]) for place in waits.nonzero()[0].tolist()}
