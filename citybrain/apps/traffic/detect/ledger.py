# SPDX-License-Identifier: Apache-2.0
"""Which events are open: made when something begins, told again when it changes, and closed when it is gone."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from citybrain.apps.traffic.detect.persistence import event_id
from citybrain.kernel.records import Batch, Because, Event, Facts, Json, Severity

WORST_FIRST = tuple(Severity)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What holds now at one place. `state` is what must differ for the event to be told again."""

    kind: str
    entity_id: str
    code: str
    over: str
    severity: Severity
    since: datetime
    facts: Facts
    entity_ids: tuple[str, ...]
    state: tuple[str, ...] = ()
    geometry: Json = None
    evidence: Facts = {}


class Ledger:
    """One event for each key while something is said of it. It keeps id, kind and begin; severity only gets worse."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Event, Said]] = {}

    def tell(self, now: Mapping[str, Said], batch: Batch) -> list[Event]:
        """What ended, changed or is new."""
        told = [self._ended(key, batch) for key in list(self._open) if key not in now]
        for key, said in now.items():
            before = self._open.get(key)
            worst = said.severity if before is None else min(said.severity, before[0].severity, key=WORST_FIRST.index)
            if before is None or before[0].severity != worst or before[1].state != said.state:
                event = _event(said, before[0] if before else None, worst, batch)
                self._open[key] = (event, said)
                told.append(event)
        return told

    def since(self, key: str) -> datetime | None:
        """Since when an open event's cause holds."""
        return datetime.fromisoformat(self._open[key][0].evidence["since"]) if key in self._open else None

    def _ended(self, key: str, batch: Batch) -> Event:
        event, said = self._open.pop(key)
        seconds = (batch.observed_at - datetime.fromisoformat(event.evidence["since"])).total_seconds()
        because = Because(
            code=said.over,
            facts={"minutes": round(seconds / 60)},
            batch_id=batch.id,
            entity_ids=event.because.entity_ids,
        )
        return msgspec.structs.replace(event, ended_at=batch.observed_at, because=because)


def _event(said: Said, before: Event | None, worst: Severity, batch: Batch) -> Event:
    since = said.since if before is None else datetime.fromisoformat(before.evidence["since"])
    seconds = round((batch.observed_at - since).total_seconds())
    return Event(
        id=before.id if before else event_id(said.kind, said.entity_id, batch),
        kind=before.kind if before else said.kind,
        severity=worst,
        at=before.at if before else batch.observed_at,
        entity_id=said.entity_id,
        because=Because(
            code=said.code,
            facts=said.facts,
            batch_id=batch.id,
            entity_ids=said.entity_ids,
        ),
        geometry=said.geometry,
        evidence={"since": since.isoformat(), "duration_s": seconds, **said.evidence},
    )
