# SPDX-License-Identifier: Apache-2.0
"""What looks at a controller mean for the city: observations of what it shows, events of what is wrong. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from citybrain.doors.gbt20999.capability import Capability, Seen
from citybrain.doors.gbt20999.client import Counts
from citybrain.doors.gbt20999.mapping import Mapped
from citybrain.doors.gbt20999.values import Mode
from citybrain.kernel.clock import new_id
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Because, Event, Severity

SIGNAL = "TrafficSignalController"
DEVICE = "Device"

SILENT = "gbt20999.controller_silent"
FLASHES = "gbt20999.controller_flashes"

SILENT_AFTER = timedelta(seconds=10)
"""So long may a controller not answer before it counts as silent: a few lost questions are no event."""

AGAIN_AFTER = timedelta(seconds=30)
"""What does not change is observed again after so long, so that one sees that somebody still looks."""

# One junction without the brain has its own plan (IV); one without signals has none (III).
SEVERITY = {SILENT: Severity.IV, FLASHES: Severity.III}

Value = float | str


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one attribute at one time."""

    entity_id: str
    type: str
    attribute: str
    value: Value
    at: datetime


class Found(msgspec.Struct, frozen=True):
    """What one look brought."""

    measurements: tuple[Measurement, ...] = ()
    events: tuple[Event, ...] = ()


class Watch:
    """Remembers one controller: what was told of it, and which events are open."""

    def __init__(self, mapped: Mapped, begun: datetime) -> None:
        self._mapped = mapped
        self._answered_at = begun
        self._told: dict[tuple[str, str], tuple[Value, datetime]] = {}
        self._open: dict[str, Event] = {}

    def saw(self, seen: Seen, capability: Capability, counts: Counts) -> Found:
        """It answered."""
        self._answered_at = seen.at
        signal: dict[str, Value] = {
            "signalState": letters(seen, capability),
            "controllerMode": seen.mode.value,
            "pattern": float(seen.pattern),
            "alarms": ", ".join(seen.alarms) or "none",
        }
        if seen.stage is not None:
            signal["stage"] = float(seen.stage)
        lit = seen.mode not in (Mode.FLASH, Mode.OFF)
        because = None if lit else Because(code=FLASHES, facts={"mode": seen.mode.value}, entity_ids=self._entities)
        return Found(
            (*self._new(self._mapped.entity, SIGNAL, signal, seen.at), *self._device("ok", counts, seen.at)),
            (*self._turn(SILENT, None, seen.at), *self._turn(FLASHES, because, seen.at)),
        )

    def missed(self, refusal: Refusal, counts: Counts, at: datetime) -> Found:
        """It did not answer, or said what cannot be."""
        if at - self._answered_at < SILENT_AFTER:
            return Found()
        because = Because(code=refusal.code, facts=refusal.facts, entity_ids=self._entities)
        return Found(tuple(self._device("silent", counts, at)), tuple(self._turn(SILENT, because, at)))

    def ended(self, at: datetime) -> Found:
        """Nobody looks any more: what was open is over."""
        return Found(events=tuple(event for kind in list(self._open) for event in self._turn(kind, None, at)))

    @property
    def _entities(self) -> tuple[str, ...]:
        return (self._mapped.entity,)

    def _device(self, state: str, counts: Counts, at: datetime) -> list[Measurement]:
        """The controller as a device, beside the signal that it is in the street."""
        figures: dict[str, Value] = {
            "deviceState": state,
            "questionsLost": float(counts.unanswered),
            "framesUnreadable": float(counts.unreadable),
        }
        return self._new(f"urn:ngsi-ld:Device:gbt20999:{self._mapped.name}", DEVICE, figures, at)

    def _turn(self, kind: str, because: Because | None, at: datetime) -> list[Event]:
        """Open the event of this kind while there is a cause, end it when there is none."""
        was = self._open.pop(kind, None)
        if because is None:
            return [] if was is None else [msgspec.structs.replace(was, ended_at=at)]
        event = was or Event(
            id=new_id(),
            kind=kind,
            severity=SEVERITY[kind],
            at=at,
            entity_id=self._mapped.entity,
            because=because,
            evidence={"controller": self._mapped.name},
        )
        self._open[kind] = event
        return [] if was else [event]

    def _new(self, entity_id: str, type: str, values: Mapping[str, Value], at: datetime) -> list[Measurement]:
        """What changed, or was not told for long."""
        found = []
        for attribute, value in values.items():
            was = self._told.get((entity_id, attribute))
            if was is None or was[0] != value or at - was[1] >= AGAIN_AFTER:
                self._told[entity_id, attribute] = (value, at)
                found.append(Measurement(entity_id=entity_id, type=type, attribute=attribute, value=value, at=at))
        return found


def letters(seen: Seen, capability: Capability) -> str:
    """The lamps as one letter for each phase from 1 on: G, y, r; o when the junction flashes, - where there is none."""
    last = max((phase.number for phase in capability.phases), default=0)
    used = {phase.number for phase in capability.phases}
    if seen.mode is Mode.FLASH:
        return "".join("o" if number in used else "-" for number in range(1, last + 1))
    shown = dict.fromkeys(seen.green, "G") | dict.fromkeys(seen.yellow, "y") | dict.fromkeys(seen.red, "r")
    return "".join(shown.get(number, "-") for number in range(1, last + 1))
