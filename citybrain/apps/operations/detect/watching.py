# SPDX-License-Identifier: Apache-2.0
"""Rules over many things as events: one while it lasts, told again when it grows worse, closed when it is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.apps.operations.detect.places import Places
from citybrain.apps.operations.detect.roster import Lanes, Numbers, grown
from citybrain.kernel.records import Batch, Because, Entity, Event, Facts, Severity

Levels = NDArray[np.int8]
Mask = NDArray[np.bool_]

LOST_AFTER = timedelta(hours=6)
"""Nothing came for so long: closed without having been seen to end. Our convention, as for anomalies."""

SEVERITY_OF = (Severity.IV, Severity.IV, Severity.III, Severity.II, Severity.I)
"""By level: 0 is nothing, 4 the worst."""


class Look(msgspec.Struct, frozen=True):
    """What a rule says of some lanes: how bad it is, 0 … 4, and whether what was found may not end yet."""

    level: Levels
    still: Mask


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of one thing, and the evidence for it."""

    code: str
    facts: Facts
    evidence: Facts = {}


class Rule(Protocol):
    """One rule. `ends_after_s` is how long it must have been calm; `lasts_silent` that silence does not end it."""

    kind: str
    ends_after_s: float
    lasts_silent: bool

    @property
    def entities(self) -> Sequence[Entity]:
        """The things by lane."""
        ...

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> Lanes:
        """Take things in; answers with the lanes of those that are gone."""
        ...

    def take(self, batch: Batch) -> Lanes:
        """Take a batch in; answers with the lanes to look at."""
        ...

    def look(self, lanes: Lanes, at: datetime) -> Look:
        """How bad it is there now."""
        ...

    def said(self, lane: int, level: int) -> Said:
        """What to say of one of them."""
        ...


class Watch:
    """A rule, and the events that are going. Each has a place on the network, if a road is near."""

    def __init__(self, rule: Rule, entities: Sequence[Entity]) -> None:
        self._rule = rule
        self._roads = Places(entities)
        self._level = np.zeros(0, np.int8)
        self._calm_s, self._heard_s = np.zeros((2, 0))
        self._going: dict[int, Event] = {}
        self._gone: list[int] = []
        self.meet(entities, ())

    def meet(self, entities: Sequence[Entity], gone: Sequence[str]) -> None:
        """Things that doors brought in, changed or took away."""
        self._gone += [lane for lane in self._rule.meet(entities, gone).tolist() if lane in self._going]
        size = len(self._rule.entities)
        self._level = grown(self._level, size, 0)  # type: ignore[arg-type, assignment]
        self._calm_s, self._heard_s = grown(self._calm_s, size, np.inf), grown(self._heard_s, size, -np.inf)

    def __call__(self, batch: Batch) -> list[Event]:
        """What opened, grew worse or ended."""
        lanes, at_s = self._rule.take(batch), batch.observed_at.timestamp()
        told = [self._ended(lane, "operations.thing_gone", batch) for lane in self._gone]
        self._gone = []
        if len(lanes):
            told += self._look(lanes, at_s, batch)
        if self._going:
            told += self._over(at_s, batch)
        return told

    def _look(self, lanes: Lanes, at_s: float, batch: Batch) -> list[Event]:
        look = self._rule.look(lanes, batch.observed_at)
        worse = look.level > self._level[lanes]
        calm_s: Numbers = self._calm_s[lanes]
        self._calm_s[lanes] = np.where(look.still | (look.level > 0), np.inf, np.minimum(calm_s, at_s))
        self._heard_s[lanes] = at_s
        self._level[lanes[worse]] = look.level[worse]
        return [self._told(lane, batch) for lane in lanes[worse].tolist()]

    def _told(self, lane: int, batch: Batch) -> Event:
        level, entity = int(self._level[lane]), self._rule.entities[lane]
        said = self._rule.said(lane, level)
        place = self._roads.of(entity)
        before = self._going.get(lane)
        known: Facts = before.evidence if before else {}
        because = Because(code=said.code, facts=said.facts, batch_id=batch.id, entity_ids=(entity.id,))
        event = Event(
            id=before.id if before else event_id(self._rule.kind, entity.id, batch),
            kind=self._rule.kind,
            severity=SEVERITY_OF[level],
            at=before.at if before else batch.observed_at,
            entity_id=entity.id,
            because=because,
            geometry=entity.geometry,
            evidence={**known, **said.evidence, **({"place": place} if place else {})},
        )
        self._going[lane] = event
        return event

    def _over(self, at_s: float, batch: Batch) -> list[Event]:
        lanes = np.array(sorted(self._going), np.intp)
        over = at_s - self._calm_s[lanes] >= self._rule.ends_after_s
        lost = at_s - self._heard_s[lanes] > LOST_AFTER.total_seconds()
        if self._rule.lasts_silent:
            lost[:] = False
        return [
            self._ended(lane, f"{self._rule.kind}_over" if is_over else "operations.thing_silent", batch)
            for lane, is_over, is_lost in zip(lanes.tolist(), over.tolist(), lost.tolist(), strict=True)
            if is_over or is_lost
        ]

    def _ended(self, lane: int, code: str, batch: Batch) -> Event:
        event = self._going.pop(lane)
        self._level[lane], self._calm_s[lane] = 0, np.inf
        minutes = round((batch.observed_at - event.at).total_seconds() / 60)
        because = Because(code=code, facts={"minutes": minutes}, batch_id=batch.id, entity_ids=(event.entity_id,))
        return msgspec.structs.replace(event, ended_at=batch.observed_at, because=because)


def levels(values: Numbers, limits: Sequence[float]) -> Levels:
    """How many of the rising limits each value has reached; one that is not known has reached none."""
    return np.where(np.isfinite(values), np.searchsorted(np.asarray(limits), values, side="right"), 0).astype(np.int8)


def event_id(kind: str, entity_id: str, batch: Batch) -> str:
    """An id that sorts by time and is the same whenever the same batch is watched again."""
    digest = blake2s(f"{kind} {entity_id} {batch.id}".encode(), digest_size=6).hexdigest()
    return f"{batch.observed_at:%Y%m%dT%H%M%S}-{digest}"


def short(value: float) -> float:
    """A number with the digits that a person reads."""
    return float(f"{value:.4g}")
