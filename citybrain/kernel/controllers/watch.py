# SPDX-License-Identifier: Apache-2.0
"""What looks at a controller mean for the city: observations of what it shows, events of what is wrong. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from citybrain.kernel.clock import new_id
from citybrain.kernel.controllers.outstation import Looked, Mode
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Because, Event, Severity

SIGNAL = "TrafficSignalController"
DEVICE = "Device"

SILENT_AFTER = timedelta(seconds=10)
"""So long may a controller not answer before it counts as silent: a few lost questions are no event."""

AGAIN_AFTER = timedelta(seconds=30)
"""What does not change is observed again after so long, so that one sees that somebody still looks."""

Value = float | str


def silent(door: str) -> str:
    """The kind of event of a controller that does not answer."""
    return f"{door}.controller_silent"


def flashes(door: str) -> str:
    """The kind of event of signals that flash or are dark."""
    return f"{door}.controller_flashes"


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


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """A controller of a door under its name, and the TrafficSignalController that it is."""

    door: str
    name: str
    entity: str

    @property
    def device_id(self) -> str:
        """The controller as a device, beside the signal that it is in the street."""
        return f"urn:ngsi-ld:Device:{self.door}:{self.name}"


class Watch:
    """Remembers one controller: what was told of it, and which events are open."""

    def __init__(self, watched: Watched, begun: datetime) -> None:
        self.watched = watched
        self._answered_at = begun
        self._told: dict[tuple[str, str], tuple[Value, datetime]] = {}
        self._open: dict[str, Event] = {}

    def saw(self, looked: Looked, figures: Mapping[str, float]) -> Found:
        """It answered."""
        self._answered_at = looked.at
        signal: dict[str, Value] = {
            "signalState": looked.lamps,
            "controllerMode": looked.mode.value,
            "pattern": float(looked.pattern),
            "alarms": ", ".join(looked.alarms) or "none",
        }
        if looked.stage is not None:
            signal["stage"] = float(looked.stage)
        is_lit = looked.mode not in (Mode.FLASH, Mode.OFF)
        facts = {"mode": looked.mode.value, "alarms": signal["alarms"]}
        flashing = None if is_lit or looked.is_stopped else self._because(flashes(self.watched.door), facts)
        return Found(
            (
                *self._new(self.watched.entity, SIGNAL, signal, looked.at),
                *self._device("ok" if is_lit else "flash", figures, looked.at),
            ),
            (
                *self._turn(silent(self.watched.door), Severity.IV, None, looked.at),
                *self._turn(flashes(self.watched.door), Severity.III, flashing, looked.at),
            ),
        )

    def heard(self, lamps: str, at: datetime) -> Found:
        """It broadcast its lamps."""
        return Found(tuple(self._new(self.watched.entity, SIGNAL, {"signalState": lamps}, at)))

    def missed(self, refusal: Refusal, figures: Mapping[str, float], at: datetime) -> Found:
        """It did not answer, or said what cannot be. One junction is without the brain, but has its own plan (IV)."""
        if at - self._answered_at < SILENT_AFTER:
            return Found()
        because = self._because(refusal.code, refusal.facts)
        events = self._turn(silent(self.watched.door), Severity.IV, because, at)
        return Found(tuple(self._device("silent", figures, at)), tuple(events))

    def ended(self, at: datetime) -> Found:
        """Nobody looks any more: what was open is over."""
        return Found(
            events=tuple(event for kind in list(self._open) for event in self._turn(kind, Severity.IV, None, at))
        )

    def _because(self, code: str, facts: Mapping[str, object]) -> Because:
        return Because(code=code, facts=facts, entity_ids=(self.watched.entity,))

    def _device(self, state: str, figures: Mapping[str, float], at: datetime) -> list[Measurement]:
        return self._new(self.watched.device_id, DEVICE, {"deviceState": state, **figures}, at)

    def _turn(self, kind: str, severity: Severity, because: Because | None, at: datetime) -> list[Event]:
        """Open the event of this kind while there is a cause, end it when there is none."""
        was = self._open.pop(kind, None)
        if because is None:
            return [] if was is None else [msgspec.structs.replace(was, ended_at=at)]
        self._open[kind] = was or Event(
            id=new_id(),
            kind=kind,
            severity=severity,
            at=at,
            entity_id=self.watched.entity,
            because=because,
            evidence={"controller": self.watched.name},
        )
        return [] if was else [self._open[kind]]

    def _new(self, entity_id: str, type: str, values: Mapping[str, Value], at: datetime) -> list[Measurement]:
        """What changed, or was not told for long; what is older than what was told is left out."""
        found = []
        for attribute, value in values.items():
            was = self._told.get((entity_id, attribute))
            if was is not None and (at <= was[1] or (was[0] == value and at - was[1] < AGAIN_AFTER)):
                continue
            self._told[entity_id, attribute] = (value, at)
            found.append(Measurement(entity_id=entity_id, type=type, attribute=attribute, value=value, at=at))
        return found
