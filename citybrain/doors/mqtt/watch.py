# SPDX-License-Identifier: Apache-2.0
"""Watches each device: too many messages, values that flap, values that cannot be true. Pure: time is told."""

from collections import deque
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from citybrain.doors.mqtt.codec import Measurement
from citybrain.doors.mqtt.mapping import Source

MINUTE_S = 60.0


class Verdict(StrEnum):
    """What becomes of a message."""

    TAKEN = "taken"
    TOO_MANY = "too_many"
    QUARANTINED = "quarantined"


class Turn(StrEnum):
    """What a message changed about its device."""

    NONE = "none"
    SHUT = "shut"
    FREED = "freed"


class Judged(msgspec.Struct, frozen=True):
    """The verdict on one message; `why` is the code of the reason."""

    verdict: Verdict
    turn: Turn = Turn.NONE
    why: str = ""


class _Device(msgspec.Struct):
    tokens: float
    refilled_s: float
    lies: int = 0
    shut_until_s: float = 0.0
    why: str = ""
    last: dict[str, tuple[float | str | bool, int]] = {}
    turns: deque[float] = deque()


class Watch:
    """Remembers every device of a feed. All times are seconds of one steady clock."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {}

    def shut(self, entity_id: str, *, until_s: float, why: str, source: Source) -> None:
        """Take up a quarantine that was in force before a restart."""
        device = self._device(entity_id, source, until_s)
        device.shut_until_s, device.why = until_s, why

    def free(self, entity_id: str) -> bool:
        """End a quarantine by hand; whether there was one."""
        device = self._devices.get(entity_id)
        if device is None or not device.shut_until_s:
            return False
        device.shut_until_s, device.lies = 0.0, 0
        device.turns.clear()
        return True

    def judge(self, entity_id: str, source: Source, measurements: Iterable[Measurement], now_s: float) -> Judged:
        """What becomes of a message that says these measurements.

        A device in quarantine stays there until `calm_s` passed without a lie or a flap; then a message frees it.
        """
        device = self._device(entity_id, source, now_s)
        if not self._within_rate(device, source, now_s):
            return Judged(Verdict.TOO_MANY, why="mqtt.too_many")
        fault = self._fault(device, source, list(measurements), now_s)
        if device.shut_until_s:
            if fault:
                device.shut_until_s = now_s + source.calm_s
            if now_s < device.shut_until_s:
                return Judged(Verdict.QUARANTINED, why=device.why)
            device.shut_until_s = 0.0
            return Judged(Verdict.TAKEN, Turn.FREED)
        if fault:
            device.shut_until_s, device.why = now_s + source.calm_s, fault
            return Judged(Verdict.QUARANTINED, Turn.SHUT, fault)
        lies = next((each.lie for each in measurements if each.lie), "")
        return Judged(Verdict.QUARANTINED, why=lies) if lies else Judged(Verdict.TAKEN)

    def _device(self, entity_id: str, source: Source, now_s: float) -> _Device:
        device = self._devices.get(entity_id)
        if device is None:
            device = self._devices[entity_id] = _Device(
                tokens=float(source.burst), refilled_s=now_s, last={}, turns=deque()
            )
        return device

    def _within_rate(self, device: _Device, source: Source, now_s: float) -> bool:
        """A bucket of tokens: `burst` at once, `per_second` in the long run."""
        grown = device.tokens + max(0.0, now_s - device.refilled_s) * source.per_second
        device.tokens, device.refilled_s = min(float(source.burst), grown), now_s
        if device.tokens < 1.0:
            return False
        device.tokens -= 1.0
        return True

    def _fault(self, device: _Device, source: Source, measurements: list[Measurement], now_s: float) -> str:
        """Why the device is to be shut out now: lies in a row, or values that turn round too often."""
        lie = next((each.lie for each in measurements if each.lie), "")
        device.lies = device.lies + 1 if lie else 0
        for each in measurements:
            step = source.attributes[each.attribute].flap_step
            if not each.lie and _turned(device, each, step):
                device.turns.append(now_s)
        while device.turns and device.turns[0] <= now_s - MINUTE_S:
            device.turns.popleft()
        if device.lies >= source.lies_in_a_row:
            return lie
        return "mqtt.flaps" if len(device.turns) > source.flaps_per_minute else ""


def _turned(device: _Device, each: Measurement, step: float | None) -> bool:
    """Whether a value goes the other way than it went before: words by any change, numbers by a turn of `step`."""
    before = device.last.get(each.attribute)
    if before is None or isinstance(each.value, str | bool) or isinstance(before[0], str | bool):
        device.last[each.attribute] = (each.value, 0)
        return before is not None and before[0] != each.value
    moved = each.value - before[0]
    if step is None or abs(moved) < step:
        return False
    way = 1 if moved > 0 else -1
    device.last[each.attribute] = (each.value, way)
    return way * before[1] < 0
