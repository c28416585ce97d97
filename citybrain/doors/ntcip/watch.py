# SPDX-License-Identifier: Apache-2.0
"""What looks at a controller mean for the city: observations of what it shows, and events of what is wrong. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.doors.ntcip.capability import Capability, Mode, Seen
from citybrain.doors.ntcip.link import Tally
from citybrain.doors.ntcip.mapping import Mapped
from citybrain.kernel.clock import new_id
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Because, Event, Severity

SILENT = "ntcip.controller_silent"
FLASHES = "ntcip.controller_flashes"
SILENT_AFTER = timedelta(seconds=10)
"""So long may a controller not answer before it counts as silent: a few lost questions are no event."""

AGAIN_AFTER = timedelta(seconds=30)
"""What does not change is observed again after so long, so that one sees that somebody still looks."""

# One junction is without the brain, but has its own plan (IV); one junction has no signals (III).
_SEVERITY = {SILENT: Severity.IV, FLASHES: Severity.III}


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one attribute at one time."""

    entity_id: str
    type: str
    attribute: str
    value: float | str
    at: datetime
    unit: str = ""


class Watch:
    """Remembers one controller: what was told of it, and which events are open."""

    def __init__(self, mapped: Mapped, begun: datetime) -> None:
        self.mapped = mapped
        self._answered_at = begun
        self._told: dict[tuple[str, str], tuple[float | str, datetime]] = {}
        self._open: dict[str, Event] = {}

    @property
    def device_id(self) -> str:
        """The entity of the controller as a device, beside the signal that it is in the street."""
        return f"urn:ngsi-ld:Device:ntcip:{self.mapped.name}"

    def saw(self, seen: Seen, capability: Capability, tally: Tally) -> tuple[list[Measurement], list[Event]]:
        """It answered."""
        self._answered_at = seen.at
        state = "flash" if seen.mode is Mode.FLASH else "ok"
        found = self._signal(letters(seen, capability), seen.at)
        found += self._signal_facts(seen)
        found += self._device(state, tally, seen.at)
        events = self._turn(SILENT, None, seen.at)
        flashes = Because(code=FLASHES, facts={"alarms": ", ".join(seen.alarms)}, entity_ids=(self.mapped.entity,))
        events += self._turn(FLASHES, flashes if seen.mode is Mode.FLASH else None, seen.at)
        return found, events

    def heard(self, lamps: str, at: datetime) -> list[Measurement]:
        """It broadcast its lamps."""
        return self._signal(lamps, at)

    def missed(self, refusal: Refusal, tally: Tally, at: datetime) -> tuple[list[Measurement], list[Event]]:
        """It did not answer, or said what cannot be."""
        if at - self._answered_at < SILENT_AFTER:
            return [], []
        because = Because(code=refusal.code, facts=refusal.facts, entity_ids=(self.mapped.entity,))
        return self._device("silent", tally, at), self._turn(SILENT, because, at)

    def ended(self, at: datetime) -> list[Event]:
        """Nobody looks any more: what was open is over."""
        return [event for kind in list(self._open) for event in self._turn(kind, None, at)]

    def _turn(self, kind: str, because: Because | None, at: datetime) -> list[Event]:
        """Open the event of this kind while there is a cause, end it when there is none."""
        was = self._open.get(kind)
        if because is None:
            if was is None:
                return []
            del self._open[kind]
            return [msgspec.structs.replace(was, ended_at=at)]
        if was is not None:
            return []
        event = Event(
            id=new_id(),
            kind=kind,
            severity=_SEVERITY[kind],
            at=at,
            entity_id=self.mapped.entity,
            because=because,
            evidence={"controller": self.mapped.name},
        )
        self._open[kind] = event
        return [event]

    def _signal(self, lamps: str, at: datetime) -> list[Measurement]:
        return self._changed(self.mapped.entity, "TrafficSignalController", {"signalState": lamps}, at)

    def _signal_facts(self, seen: Seen) -> list[Measurement]:
        facts: dict[str, float | str] = {
            "controllerMode": seen.mode.value,
            "pattern": float(seen.pattern),
            "alarms": ", ".join(seen.alarms) or "none",
        }
        if seen.stage is not None:
            facts["stage"] = float(seen.stage)
        return self._changed(self.mapped.entity, "TrafficSignalController", facts, seen.at)

    def _device(self, state: str, tally: Tally, at: datetime) -> list[Measurement]:
        facts: dict[str, float | str] = {"deviceState": state, "questionsLost": float(tally.lost)}
        return self._changed(self.device_id, "Device", facts, at)

    def _changed(self, entity_id: str, type: str, facts: dict[str, float | str], at: datetime) -> list[Measurement]:
        found = []
        for attribute, value in facts.items():
            told = self._told.get((entity_id, attribute))
            if told is not None and (told[1] >= at or (told[0] == value and at - told[1] < AGAIN_AFTER)):
                continue
            self._told[entity_id, attribute] = (value, at)
            found.append(Measurement(entity_id=entity_id, type=type, attribute=attribute, value=value, at=at))
        return found


def letters(seen: Seen, capability: Capability) -> str:
    """The lamps as one letter per phase from 1 to the highest: G, y, r; o when it flashes, - where there is none."""
    used = {phase.number for phase in capability.phases}
    if seen.mode is Mode.FLASH:
        return lamp_letters(used, flashing=used)
    return lamp_letters(used, green=seen.green, yellow=seen.yellow, red=seen.red)


def lamp_letters(
    used: set[int],
    *,
    green: Sequence[int] | frozenset[int] = (),
    yellow: Sequence[int] | frozenset[int] = (),
    red: Sequence[int] | frozenset[int] = (),
    flashing: Sequence[int] | set[int] = (),
) -> str:
    """One letter per phase from 1 to the highest that is used."""
    letter = (
        dict.fromkeys(used, "-")
        | dict.fromkeys(red, "r")
        | dict.fromkeys(yellow, "y")
        | dict.fromkeys(green, "G")
        | dict.fromkeys(flashing, "o")
    )
    return "".join(letter[phase] if phase in used else "-" for phase in range(1, max(used) + 1))
