# SPDX-License-Identifier: Apache-2.0
"""What a controller says about itself, as records: made of the values that were read, missing ones at rest. Pure."""

from collections.abc import Mapping
from typing import TypeVar, cast

import msgspec

from citybrain.doors.gbt20999 import objects
from citybrain.doors.gbt20999.codec import Address, Dialect
from citybrain.doors.gbt20999.objects import UnreadableValue, Value
from citybrain.doors.gbt20999.values import GREENS, YELLOWS, Lamp, StageType

Data = Mapping[Address, bytes]
"""What was read: the bytes by address. What the controller refused to tell is not in it."""

Shade = tuple[int, int]
"""A colour (`Lamp`, or a maker's own) and its seconds."""

T = TypeVar("T")

NONE: tuple[int, ...] = ()


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x01."""

    maker: str
    version: str
    serial: str
    made_at: str
    configured_at: str


class LampGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x03, table 2."""

    number: int
    type: int


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x04, table 2. `lose` and `gain` are the colours on the way out of and into green, in their order."""

    number: int
    lamp_groups: frozenset[int]
    lose: tuple[Shade, ...]
    gain: tuple[Shade, ...]
    min_green_s: int
    max_green_s: int
    max_green_2_s: int = 0
    extension_s: int = 0

    @property
    def yellow_s(self) -> int:
        """How long it is yellow after green."""
        return sum(seconds for lamp, seconds in self.lose if lamp in YELLOWS)

    @property
    def green_end_s(self) -> int:
        """How long its green still flashes when it ends."""
        return sum(seconds for lamp, seconds in self.lose if lamp in GREENS)

    @property
    def lose_s(self) -> int:
        """How long it takes from the end of steady green to red."""
        return sum(seconds for _, seconds in self.lose)

    @property
    def gain_s(self) -> int:
        """How long it takes from red to green."""
        return sum(seconds for lamp, seconds in self.gain if lamp != Lamp.RED)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x06, table 2. Late starts and early ends are seconds by phase; none is left out."""

    number: int
    phases: frozenset[int]
    late_start_s: Mapping[int, int] = {}
    early_end_s: Mapping[int, int] = {}


class Step(msgspec.Struct, frozen=True):
    """One stage of a plan with all its seconds, the change into it included."""

    stage: int
    seconds: int
    is_on_demand: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x09, table 2."""

    number: int
    junction: int
    cycle_s: int
    offset_s: int
    coordinated: int
    steps: tuple[Step, ...]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x0D, table 2: how the junction is run now."""

    mode: int
    plan: int
    stage: int


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x0E, table 2: what a detector counted in its last period."""

    detector: int
    flow: int
    occupancy: int
    speed_kmh: int


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x0F, table 2. `at` is the controller's local time."""

    number: int
    type: int
    value: int
    at: str


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Class 0x10, table 2. `at` is the controller's local time, `action` what it did."""

    number: int
    type: int
    at: str
    action: int


class Reader:
    """Reads records out of data, in one dialect."""

    def __init__(self, data: Data, dialect: Dialect) -> None:
        self._data = data
        self._dialect = dialect

    def one(self, klass: int, object: int, rest: T) -> T:
        """The value of an object that is no table."""
        value = self._value(Address(klass, object))
        return rest if value is None else cast("T", value)

    def row(self, klass: int, object: int, element: int) -> dict[str, Value]:
        """What was told of one row, by column."""
        told = {
            name: self._value(Address(klass, object, number, element))
            for name, number in objects.columns(klass, object).items()
        }
        return {name: value for name, value in told.items() if value is not None}

    def device(self) -> Device:
        """Class 0x01."""
        version = self.one(0x01, 2, b"\0" * 4)
        return Device(
            maker=self.one(0x01, 1, ""),
            version=".".join(map(str, version)),
            serial=self.one(0x01, 3, ""),
            made_at=self.one(0x01, 4, ""),
            configured_at=self.one(0x01, 5, ""),
        )

    def lamp_group(self, number: int) -> LampGroup:
        """Class 0x03, table 2."""
        return LampGroup(number=number, type=_get(self.row(0x03, 2, number), "type", 0))

    def phase(self, number: int) -> Phase:
        """Class 0x04, table 2."""
        row = self.row(0x04, 2, number)
        return Phase(
            number=number,
            lamp_groups=_get(row, "lamp_groups", frozenset[int]()),
            lose=_shades(row, "lose"),
            gain=_shades(row, "gain"),
            min_green_s=_get(row, "min_green_s", 0),
            max_green_s=_get(row, "max_green_s", 0),
            max_green_2_s=_get(row, "max_green_2_s", 0),
            extension_s=_get(row, "extension_s", 0),
        )

    def stage(self, number: int) -> Stage:
        """Class 0x06, table 2."""
        row = self.row(0x06, 2, number)
        return Stage(
            number=number,
            phases=_get(row, "phases", frozenset[int]()),
            late_start_s=_by_number(_get(row, "late_start_s", NONE)),
            early_end_s=_by_number(_get(row, "early_end_s", NONE)),
        )

    def conflicts(self, phase: int) -> frozenset[int]:
        """Class 0x07, table 1: the phases that may not be green with this one."""
        return _get(self.row(0x07, 1, phase), "conflicts", frozenset[int]())

    def intergreen_s(self, phase: int) -> Mapping[int, float]:
        """Class 0x07, table 2: the seconds until another phase may follow this one, where any are set."""
        row = _get(self.row(0x07, 2, phase), "intergreen", NONE)
        return {number: round(ticks * self._dialect.intergreen_unit_s, 1) for number, ticks in _by_number(row).items()}

    def constraints(self, stage: int) -> Mapping[int, int]:
        """Class 0x0A: what stands for a change between this stage and others, where it is not free."""
        return _by_number(_get(self.row(0x0A, 1, stage), "constraints", NONE))

    def plan(self, number: int) -> Plan:
        """Class 0x09, table 2."""
        row = self.row(0x09, 2, number)
        stages, seconds = _get(row, "stages", NONE), _get(row, "stage_s", NONE)
        types = _get(row, "stage_types", NONE) + (0,) * len(stages)
        return Plan(
            number=number,
            junction=_get(row, "junction", 0),
            cycle_s=_get(row, "cycle_s", 0),
            offset_s=_get(row, "offset_s", 0),
            coordinated=_get(row, "coordinated", 0),
            steps=tuple(
                Step(stage, long_s, type == StageType.ON_DEMAND)
                for stage, long_s, type in zip(stages, seconds, types, strict=False)
                if stage
            ),
        )

    def run(self, junction: int) -> Run:
        """Class 0x0D, table 2."""
        row = self.row(0x0D, 2, junction)
        return Run(mode=_get(row, "mode", 0), plan=_get(row, "plan", 0), stage=_get(row, "stage", 0))

    def flow(self, detector: int) -> Flow:
        """Class 0x0E, table 2."""
        row = self.row(0x0E, 2, detector)
        return Flow(
            detector=detector,
            flow=_get(row, "flow", 0),
            occupancy=_get(row, "occupancy", 0),
            speed_kmh=_get(row, "speed_kmh", 0),
        )

    def alarm(self, element: int) -> Alarm:
        """Class 0x0F, table 2."""
        row = self.row(0x0F, 2, element)
        return Alarm(
            number=_get(row, "number", 0),
            type=_get(row, "type", 0),
            value=_get(row, "value", 0),
            at=_get(row, "at", ""),
        )

    def fault(self, element: int) -> Fault:
        """Class 0x10, table 2."""
        row = self.row(0x10, 2, element)
        return Fault(
            number=_get(row, "number", 0),
            type=_get(row, "type", 0),
            at=_get(row, "at", ""),
            action=_get(row, "action", 0),
        )

    def _value(self, address: Address) -> Value | None:
        """What stands there; None for what was not told or makes no sense."""
        data = self._data.get(address)
        if data is None:
            return None
        try:
            return objects.read(address, data, self._dialect)
        except UnreadableValue:
            return None


def _get(row: Mapping[str, Value], name: str, rest: T) -> T:
    return cast("T", row.get(name, rest))


def _shades(row: Mapping[str, Value], what: str) -> tuple[Shade, ...]:
    """The colours that last at all."""
    told = [(_get(row, f"{what}_lamp_{turn}", 0), _get(row, f"{what}_s_{turn}", 0)) for turn in (1, 2, 3)]
    return tuple((lamp, seconds) for lamp, seconds in told if seconds)


def _by_number(places: tuple[int, ...]) -> dict[int, int]:
    return {number: value for number, value in enumerate(places, start=1) if value}
