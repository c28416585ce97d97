# SPDX-License-Identifier: Apache-2.0
"""What the numbers of GB/T 20999-2017 mean (its annex A.2), and what follows from them. Pure."""

from enum import IntEnum

from citybrain.kernel.controllers.outstation import Mode


class Lamp(IntEnum):
    """What a lamp group shows (A.2.7)."""

    OFF = 0x01
    RED = 0x10
    RED_FLASH = 0x11
    RED_FAST_FLASH = 0x12
    GREEN = 0x20
    GREEN_FLASH = 0x21
    GREEN_FAST_FLASH = 0x22
    YELLOW = 0x30
    YELLOW_FLASH = 0x31
    YELLOW_FAST_FLASH = 0x32
    RED_YELLOW = 0x40


GREENS = frozenset({Lamp.GREEN, Lamp.GREEN_FLASH, Lamp.GREEN_FAST_FLASH})
YELLOWS = frozenset({Lamp.YELLOW, Lamp.YELLOW_FLASH, Lamp.YELLOW_FAST_FLASH})


class LampGroupType(IntEnum):
    """Whom a lamp group is for."""

    VEHICLES = 1
    BICYCLES = 2
    PEDESTRIANS = 3
    LANE = 4
    SIGN = 5
    BUS = 6
    TRAM = 7
    SPECIAL = 8


class RunMode(IntEnum):
    """How a junction is run (A.2.11)."""

    CENTRE = 0x10
    CENTRE_TIMETABLE = 0x11
    CENTRE_OPTIMISED = 0x12
    CENTRE_COORDINATED = 0x13
    CENTRE_ADAPTIVE = 0x14
    CENTRE_MANUAL = 0x15
    LOCAL = 0x20
    LOCAL_FIXED = 0x21
    LOCAL_ACTUATED = 0x22
    LOCAL_COORDINATED = 0x23
    LOCAL_ADAPTIVE = 0x24
    LOCAL_MANUAL = 0x25
    SPECIAL = 0x30
    FLASH = 0x31
    ALL_RED = 0x32
    OFF = 0x33


SPECIAL_MODES = {RunMode.FLASH: Mode.FLASH, RunMode.ALL_RED: Mode.ALL_RED, RunMode.OFF: Mode.OFF}


def mode_of(number: int) -> Mode:
    """Makers have modes of their own; the upper half of the number tells whose hand is on the junction."""
    if number in SPECIAL_MODES:
        return SPECIAL_MODES[RunMode(number)]
    return Mode.CENTRE if number >> 4 == RunMode.CENTRE >> 4 else Mode.LOCAL


class StageState(IntEnum):
    """What a stage does (A.2.9)."""

    WAITING = 0x10
    GREEN = 0x20
    CHANGING = 0x30


class StageType(IntEnum):
    """Whether a stage comes in every cycle (A.2.8)."""

    FIXED = 0x10
    ON_DEMAND = 0x20


class AlarmType(IntEnum):
    """What an alarm is about (A.2.12); makers have more."""

    LAMP = 0x10
    DETECTOR = 0x30
    DEVICE = 0x40
    ENVIRONMENT = 0x60


class FaultType(IntEnum):
    """What is broken (A.2.14)."""

    GREEN_CONFLICT = 0x10
    GREEN_RED_CONFLICT = 0x11
    RED_LAMP = 0x20
    YELLOW_LAMP = 0x21
    GREEN_LAMP = 0x22
    COMMUNICATION = 0x30
    SELF_TEST = 0x40
    DETECTOR = 0x41
    RELAY = 0x42
    MEMORY = 0x43
    CLOCK = 0x44
    MOTHERBOARD = 0x45
    PHASE_BOARD = 0x46
    DETECTOR_BOARD = 0x47
    CONFIGURATION = 0x50
    RESPONSE = 0x70


class FaultAction(IntEnum):
    """What the controller did about a fault (A.2.15)."""

    NONE = 0x00
    FLASH = 0x10
    OFF = 0x20
    ALL_RED = 0x30
    LOCAL_FIXED = 0x40
    LOCAL_COORDINATED = 0x50
    LOCAL_ACTUATED = 0x60


class Command(IntEnum):
    """What the command pipe takes (A.2.16). The door never sends one: they are an operator's, at the cabinet."""

    CANCEL = 0x00
    FLASH = 0x01
    ALL_RED = 0x02
    ON = 0x03
    OFF = 0x04
    RESTART = 0x05


NO_WAY = 255
"""A transition constraint: this stage may not follow. 0: it may. Any other number: only by that stage."""
