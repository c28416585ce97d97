# SPDX-License-Identifier: Apache-2.0
"""Anomalies as events: one while it lasts, with the values before it, the expected band and how far out it was."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2s

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.operations.detect.streams import Look, Streams
from citybrain.apps.operations.model import ANOMALY, HURTS, USUAL, WATCHED, Numbers, Sign, Thresholds, severity
from citybrain.kernel.records import Batch, Because, Column, Entity, Event, Facts, Json, Severity

FEWEST_ROOM = 16  # each further block of streams has twice the room of the one before
WINDOW_VALUES = 12  # so many values up to the one that opened an event are its evidence
LOST_AFTER = timedelta(hours=6)  # nothing came for so long: closed without having been seen to end. Our convention.
WORST_FIRST = tuple(Severity)
CODES = {
    Sign.HIGH: "operations.anomaly_high",
    Sign.LOW: "operations.anomaly_low",
    Sign.LASTING_HIGH: "operations.anomaly_lasting_high",
    Sign.LASTING_LOW: "operations.anomaly_lasting_low",
    Sign.STUCK: "operations.anomaly_stuck",
}


class Watched:
    """One attribute of many entities, `room` at most."""

    def __init__(self, attribute: str, room: int, thresholds: Thresholds = USUAL) -> None:
        self._attribute = attribute
        self._entities: list[Entity] = []
        self._lane_of: dict[str, int] = {}
        self._room = room
        self._streams = Streams(room, thresholds)
        self._recent = np.full((room, WINDOW_VALUES, 2), np.nan)
        self._heard_s = np.full(room, -np.inf)
        self._going: dict[int, Event] = {}
        self._places: dict[int, tuple[tuple[str, ...], NDArray[np.intp], NDArray[np.intp]]] = {}

    def knows(self, entity: Entity) -> bool:
        """Whether an entity is watched here."""
        return entity.id in self._lane_of

    def take(self, entity: Entity) -> bool:
        """Watch an entity too, or know it otherwise; whether there was room for it."""
        lane = self._lane_of.get(entity.id, len(self._entities))
        if lane == self._room:
            return False
        if lane == len(self._entities):
            self._entities.append(entity)
            self._lane_of[entity.id] = lane
            self._places.clear()
        self._entities[lane] = entity
        return True

    def events(self, batch: Batch) -> list[Event]:
        """What opened, grew worse or ended with this batch."""
        found = [
            event
            for column in batch.columns
            if column.attribute == self._attribute
            for event in self._of(column, batch)
        ]
        return found + self._lost(batch)

    def _of(self, column: Column, batch: Batch) -> list[Event]:
        at_s = batch.observed_at.timestamp()
        lanes, places = self._find(column.entity_ids)
        if not len(lanes):
            return []
        values = np.full(self._room, np.nan)
        values[lanes] = np.asarray(column.values, dtype=np.float64)[places]
        look = self._streams.look(at_s, values)
        if not len(look.lanes):
            return []
        self._recent[look.lanes] = np.roll(self._recent[look.lanes], -1, axis=1)
        self._recent[look.lanes, -1, 0] = at_s
        self._recent[look.lanes, -1, 1] = values[look.lanes]
        self._heard_s[look.lanes] = at_s
        told: list[Event] = []
        worth = look.opened | look.closed | (self._streams.going[look.lanes] & (look.sign != Sign.NONE))
        for index in worth.nonzero()[0].tolist():
            told += self._tell(look, index, values, batch)
        return told

    def _find(self, ids: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Our lanes and where the column has them; a feed passes the same tuple each time."""
        known = self._places.get(id(ids))
        if known is None or known[0] is not ids:
            pairs = [(self._lane_of[each], place) for place, each in enumerate(ids) if each in self._lane_of]
            lanes, places = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
            if len(self._places) > 16:
                self._places.clear()
            known = self._places[id(ids)] = (ids, lanes, places)
        return known[1], known[2]

    def _tell(self, look: Look, index: int, values: Numbers, batch: Batch) -> list[Event]:
        lane = int(look.lanes[index])
        told: list[Event] = []
        before = self._going.get(lane)
        if look.closed[index] and before is not None:
            code = "operations.anomaly_usual_now" if look.adapted[index] else "operations.anomaly_over"
            told.append(self._ended(lane, code, batch))
            before = None
        if look.opened[index]:
            self._going[lane] = self._opened(look, index, values, batch)
            told.append(self._going[lane])
        elif before is not None:
            told += self._grown(lane, before, float(look.distance[index]))
        return told

    def _opened(self, look: Look, index: int, values: Numbers, batch: Batch) -> Event:
        lane, distance = int(look.lanes[index]), float(look.distance[index])
        entity = self._entities[lane]
        said = {
            "attribute": self._attribute,
            "value": _short(values[lane]),
            "expected": _short(look.expected[index]),
            "low": _short(look.low[index]),
            "high": _short(look.high[index]),
            "distance": round(abs(distance), 1),
        }
        sign = Sign(int(look.sign[index]))
        digest = blake2s(f"{ANOMALY} {entity.id} {self._attribute} {batch.id}".encode(), digest_size=6).hexdigest()
        return Event(
            id=f"{batch.observed_at:%Y%m%dT%H%M%S}-{digest}",
            kind=ANOMALY,
            severity=severity(distance),
            at=batch.observed_at,
            entity_id=entity.id,
            because=Because(code=CODES[sign], facts=said, batch_id=batch.id, entity_ids=(entity.id,)),
            geometry=entity.geometry,
            evidence={
                **said,
                "sign": sign.name.lower(),
                "worst": round(abs(distance), 1),
                "window": self._window(lane),
            },
        )

    def _window(self, lane: int) -> list[list[Json]]:
        recent = self._recent[lane][np.isfinite(self._recent[lane, :, 0])]
        return [[datetime.fromtimestamp(at, UTC).isoformat(), value] for at, value in recent.tolist()]

    def _grown(self, lane: int, before: Event, distance: float) -> list[Event]:
        """Told again only when its severity rises; it stays at the worst it was."""
        worst = min(severity(distance), before.severity, key=WORST_FIRST.index)
        if worst == before.severity:
            return []
        evidence: Facts = {**before.evidence, "worst": round(abs(distance), 1)}
        self._going[lane] = msgspec.structs.replace(before, severity=worst, evidence=evidence)
        return [self._going[lane]]

    def _lost(self, batch: Batch) -> list[Event]:
        oldest_s = (batch.observed_at - LOST_AFTER).timestamp()
        lost = [lane for lane in self._going if self._heard_s[lane] < oldest_s]
        self._streams.going[lost] = False
        return [self._ended(lane, "operations.anomaly_lost", batch) for lane in lost]

    def _ended(self, lane: int, code: str, batch: Batch) -> Event:
        event = self._going.pop(lane)
        minutes = round((batch.observed_at - event.at).total_seconds() / 60)
        facts = {"attribute": self._attribute, "minutes": minutes}
        because = Because(code=code, facts=facts, batch_id=batch.id, entity_ids=event.because.entity_ids)
        return msgspec.structs.replace(event, ended_at=batch.observed_at, because=because)


class Anomalies:
    """The anomalies of the attributes that a table names; whatever else a batch holds is not looked at."""

    def __init__(self, entities: Sequence[Entity], watched: Sequence[tuple[str, str]] = WATCHED) -> None:
        self._watched: dict[tuple[str, str], list[Watched]] = {each: [] for each in watched}
        self.meet(entities, ())

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> None:
        """Watch what doors brought in. What is gone falls silent, which ends its events."""
        for (type, attribute), blocks in self._watched.items():
            ours = [entity for entity in entities if entity.type == type]
            for done, entity in enumerate(ours):
                block = next((each for each in blocks if each.knows(entity)), blocks[-1] if blocks else None)
                if block is None or not block.take(entity):
                    room = max(FEWEST_ROOM << len(blocks), len(ours) - done)
                    rules = msgspec.structs.replace(USUAL, hurts=HURTS.get((type, attribute), 0.0))
                    blocks.append(Watched(attribute, room, rules))
                    blocks[-1].take(entity)

    def __call__(self, batch: Batch) -> list[Event]:
        """What opened, grew worse or ended."""
        return [event for blocks in self._watched.values() for each in blocks for event in each.events(batch)]


def _short(value: float) -> float:
    return float(f"{value:.4g}")
