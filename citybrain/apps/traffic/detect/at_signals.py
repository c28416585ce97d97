# SPDX-License-Identifier: Apache-2.0
"""What goes wrong at a signal: an exit fills back onto the junction, or its sensors are not believed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import numpy as np

from citybrain.apps.traffic.detect.persistence import Mask, Persistence, Steps, event_id
from citybrain.apps.traffic.detect.trust import TROUBLES, Trouble, Trust
from citybrain.apps.traffic.index import Places
from citybrain.kernel.records import Batch, Because, Entity, Event, Facts, Severity

SPILLBACK = "traffic.spillback"
SENSOR_DOUBTED = "traffic.sensor_doubted"

# Our conventions. Room for one vehicle: 7.5 m from tail to tail in a queue, and its own 5 m.
NO_ROOM_M = 12.5
CREEPING_MPS = 5.0 / 3.6
SPILLBACK_AFTER_S = 60.0
SPILLBACK_OVER_S = 30.0
DOUBT_TOLD_AFTER_S = 10.0
NOBODY_TOLD_AFTER_S = 100.0
"""A lane beside a blocked one may look as if its detector saw nobody, for a minute or so."""

# The worst row whose time is reached. A junction that is blocked for longer blocks the next one.
SPILLBACK_SEVERITIES = (
    (Severity.II, timedelta(minutes=10)),
    (Severity.III, timedelta(minutes=3)),
    (Severity.IV, timedelta(0)),
)
DOUBT_SEVERITIES = ((Severity.III, timedelta(minutes=15)), (Severity.IV, timedelta(0)))

Says = Callable[[Sequence[int]], Facts]
"""More facts of an event, by the places at which the condition holds."""

Condition = Callable[[Batch], tuple[Mask, Mask]]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of trouble: what it is called, what is said at its end, its limits, its severity by time."""

    kind: str
    over: str
    severities: tuple[tuple[Severity, timedelta], ...]
    opens_after_s: float
    closes_after_s: float


class AtSignals:
    """One event per signal while the condition holds at any of its detectors; told again when those or severity change.

    `condition` says of each detector in `places` whether the batch shows it on, off, or (neither) nothing.
    """

    def __init__(self, rule: Rule, places: Places, condition: Condition, says: Says = lambda _: {}) -> None:
        self._says = says
        self._rule = rule
        self._places = places
        self._condition = condition
        count = len(places.entities)
        self._memory = Persistence(count, opens_after_s=rule.opens_after_s, closes_after_s=rule.closes_after_s)
        self._steps = Steps()
        self._open: dict[str, Event] = {}

    def __call__(self, batch: Batch) -> list[Event]:
        """Trouble that ended, changed or is new since the last batch."""
        if not self._steps.is_due(batch.observed_at):
            return []
        on, off = self._condition(batch)
        self._memory.update(on, off, self._steps.since_last(batch.observed_at))
        holding = self._holding()
        ended = [self._ended(self._open[signal], batch) for signal in self._open if signal not in holding]
        going = {signal: self._going(signal, places, batch) for signal, places in holding.items()}
        changed = [event for signal, event in going.items() if self._open.get(signal) is not event]
        self._open = going
        return ended + changed

    def _holding(self) -> dict[str, list[int]]:
        """The detectors at which the condition holds, by signal."""
        found: dict[str, list[int]] = {}
        for place in self._memory.holds.nonzero()[0].tolist():
            found.setdefault(self._places.entities[place].attributes["controller"], []).append(place)
        return found

    def _going(self, controller: str, places: Sequence[int], batch: Batch) -> Event:
        before = self._open.get(controller)
        since = self._since(places, batch) if before is None else datetime.fromisoformat(before.evidence["since"])
        lasted = batch.observed_at - since
        severity = next(row[0] for row in self._rule.severities if lasted >= row[1])
        ids = tuple(self._places.entities[place].id for place in places)
        says = self._says(places)
        if before and before.severity == severity and tuple(before.evidence["detectors"]) == ids:
            return before
        return Event(
            id=before.id if before else event_id(self._rule.kind, controller, batch),
            kind=self._rule.kind,
            severity=severity,
            at=before.at if before else batch.observed_at,
            entity_id=controller,
            because=Because(
                code=self._rule.kind,
                facts={"detectors": len(ids), "seconds": round(lasted.total_seconds()), **says},
                batch_id=batch.id,
                entity_ids=(controller, *ids),
            ),
            geometry=self._geometry(places),
            evidence={
                "since": since.isoformat(),
                "duration_s": round(lasted.total_seconds()),
                "detectors": list(ids),
                "lanes": [self._places.entities[place].attributes["lane"] for place in places],
                **({"troubles": says} if says else {}),
            },
        )

    def _since(self, places: Sequence[int], batch: Batch) -> datetime:
        return batch.observed_at - timedelta(seconds=float(self._memory.lasted_s[list(places)].max()))

    def _geometry(self, places: Sequence[int]) -> Mapping[str, object] | None:
        drawn = [
            one.geometry["coordinates"] for one in (self._places.entities[place] for place in places) if one.geometry
        ]
        return {"type": "MultiLineString", "coordinates": drawn} if drawn else None

    def _ended(self, event: Event, batch: Batch) -> Event:
        seconds = (batch.observed_at - datetime.fromisoformat(event.evidence["since"])).total_seconds()
        because = Because(
            code=self._rule.over,
            facts={"minutes": round(seconds / 60)},
            batch_id=batch.id,
            entity_ids=event.because.entity_ids,
        )
        return msgspec.structs.replace(event, ended_at=batch.observed_at, because=because)


def spillback(entities: Sequence[Entity]) -> AtSignals:
    """An exit is full when a vehicle stands or creeps so close behind the junction that no other one fits."""
    exits = Places([one for one in entities if one.attributes.get("role") == "exit"], "TrafficDetector")
    rule = Rule(
        kind=SPILLBACK,
        over="traffic.spillback_over",
        severities=SPILLBACK_SEVERITIES,
        opens_after_s=SPILLBACK_AFTER_S,
        closes_after_s=SPILLBACK_OVER_S,
    )
    return AtSignals(rule, exits, lambda batch: full_exits(exits, batch))


class Doubted:
    """Detectors that are not believed, one event per signal; all silent at once is the feed's own trouble."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.trust = Trust(entities)
        rule = Rule(
            kind=SENSOR_DOUBTED,
            over="traffic.sensor_believed",
            severities=DOUBT_SEVERITIES,
            opens_after_s=DOUBT_TOLD_AFTER_S,
            closes_after_s=0.0,
        )
        self._at_signals = AtSignals(rule, self.trust.places, self._condition, self._troubles)
        self._nobody_s = np.zeros(len(self.trust.places.entities))

    def __call__(self, batch: Batch) -> list[Event]:
        """Every batch is looked at, events are told as often as those of other troubles."""
        self.trust.watch(batch)
        seconds = self.trust.look.seconds if self.trust.look is not None else 0.0
        nobody = self.trust.trouble == TROUBLES.index(Trouble.SEES_NOBODY)
        self._nobody_s = np.where(nobody, self._nobody_s + seconds, 0.0)
        return self._at_signals(batch)

    def _condition(self, batch: Batch) -> tuple[Mask, Mask]:
        blind = self.trust.blind & (
            (self._nobody_s == 0.0) | (self._nobody_s >= NOBODY_TOLD_AFTER_S) | self.trust.denied
        )
        is_feed = self.trust.look is None or not self.trust.look.heard.any()
        nowhere = np.zeros(len(blind), dtype=np.bool_)
        return (nowhere, nowhere) if is_feed else (blind, ~blind)

    def _troubles(self, places: Sequence[int]) -> Facts:
        """How many detectors have which trouble."""
        found = [TROUBLES[number] for number in self.trust.trouble[list(places)].tolist()]
        return {str(trouble): found.count(trouble) for trouble in TROUBLES if trouble is not Trouble.NONE}


def full_exits(exits: Places, batch: Batch) -> tuple[Mask, Mask]:
    """Which exits have a standing or creeping vehicle with no room behind it, and which were seen without one."""
    tracks, seen = exits.tracks(batch)
    counts = np.array([len(each) for each in tracks], dtype=np.int64)
    if not counts.sum():
        return np.zeros(len(seen), dtype=np.bool_), seen
    table = np.concatenate([each for each in tracks if len(each)])
    distance_m, speed_mps = table[:, 0], table[:, 1]
    blocks = (distance_m >= 0) & (distance_m <= NO_ROOM_M) & (speed_mps < CREEPING_MPS)
    full = np.bincount(np.repeat(np.arange(len(counts)), counts)[blocks], minlength=len(counts)) > 0
    return full & seen, seen & ~full
