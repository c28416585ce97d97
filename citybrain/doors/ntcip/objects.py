# SPDX-License-Identifier: Apache-2.0
"""The objects of NTCIP 1202 that we read and write: their numbers, words and bits."""

from collections.abc import Iterable, Mapping

from citybrain.doors.ntcip.codec import Oid

# iso.org.dod.internet.private.enterprises.nema.transportation.devices (NTCIP 8004), then 1 = asc, 6 = global.
NEMA: Oid = (1, 3, 6, 1, 4, 1, 1206)
DEVICES: Oid = (*NEMA, 4, 2)
ASC: Oid = (*DEVICES, 1)

SYSTEM_DESCRIPTION: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
MODULE_MAKE: Oid = (*DEVICES, 6, 1, 3, 1, 3)  # NTCIP 1201, globalModuleTable; add the module
MODULE_MODEL: Oid = (*DEVICES, 6, 1, 3, 1, 4)
MODULE_VERSION: Oid = (*DEVICES, 6, 1, 3, 1, 5)

# Phases: add the number of the phase. Sections are those of NTCIP 1202 v02.
PHASE: Oid = (*ASC, 1)
MAX_PHASES: Oid = (*PHASE, 1, 0)
PHASE_TABLE: Oid = (*PHASE, 2, 1)
WALK: Oid = (*PHASE_TABLE, 2)  # s
PED_CLEAR: Oid = (*PHASE_TABLE, 3)  # s
MIN_GREEN: Oid = (*PHASE_TABLE, 4)  # s
PASSAGE: Oid = (*PHASE_TABLE, 5)  # 0.1 s
MAX_GREEN: Oid = (*PHASE_TABLE, 6)  # s, phaseMaximum1
YELLOW: Oid = (*PHASE_TABLE, 8)  # 0.1 s
RED_CLEAR: Oid = (*PHASE_TABLE, 9)  # 0.1 s
OPTIONS: Oid = (*PHASE_TABLE, 21)
RING: Oid = (*PHASE_TABLE, 22)
CONCURRENCY: Oid = (*PHASE_TABLE, 23)  # one octet per phase that may run together with this one
MAX_PHASE_GROUPS: Oid = (*PHASE, 3, 0)

OPTION_ENABLED = 1 << 0
OPTION_MIN_RECALL = 1 << 6
OPTION_MAX_RECALL = 1 << 7
OPTION_PED_RECALL = 1 << 8
OPTION_DUAL_ENTRY = 1 << 10

# Status and control of phases: add the group of eight. Bit 0 is the lowest phase of the group.
PHASE_STATUS: Oid = (*PHASE, 4, 1)
STATUS_REDS: Oid = (*PHASE_STATUS, 2)
STATUS_YELLOWS: Oid = (*PHASE_STATUS, 3)
STATUS_GREENS: Oid = (*PHASE_STATUS, 4)
STATUS_DONT_WALKS: Oid = (*PHASE_STATUS, 5)
STATUS_PED_CLEARS: Oid = (*PHASE_STATUS, 6)
STATUS_WALKS: Oid = (*PHASE_STATUS, 7)
STATUS_VEHICLE_CALLS: Oid = (*PHASE_STATUS, 8)
STATUS_PED_CALLS: Oid = (*PHASE_STATUS, 9)
STATUS_ON: Oid = (*PHASE_STATUS, 10)
STATUS_NEXT: Oid = (*PHASE_STATUS, 11)

PHASE_CONTROL: Oid = (*PHASE, 5, 1)
CONTROL_OMIT: Oid = (*PHASE_CONTROL, 2)
CONTROL_PED_OMIT: Oid = (*PHASE_CONTROL, 3)
CONTROL_HOLD: Oid = (*PHASE_CONTROL, 4)
CONTROL_FORCE_OFF: Oid = (*PHASE_CONTROL, 5)
CONTROL_CALL: Oid = (*PHASE_CONTROL, 6)
CONTROL_PED_CALL: Oid = (*PHASE_CONTROL, 7)
CONTROLS = (CONTROL_OMIT, CONTROL_PED_OMIT, CONTROL_HOLD, CONTROL_FORCE_OFF, CONTROL_CALL, CONTROL_PED_CALL)

# The unit.
UNIT: Oid = (*ASC, 3)
BACKUP_TIME: Oid = (*UNIT, 3, 0)  # s without a SET of a control object until the unit goes back to local; 0 = never
CONTROL_STATUS: Oid = (*UNIT, 5, 0)
FLASH_STATUS: Oid = (*UNIT, 6, 0)
ALARMS_2: Oid = (*UNIT, 7, 0)
ALARMS_1: Oid = (*UNIT, 8, 0)
SHORT_ALARMS: Oid = (*UNIT, 9, 0)
UNIT_CONTROL: Oid = (*UNIT, 10, 0)
MAX_ALARM_GROUPS: Oid = (*UNIT, 11, 0)
ALARM_GROUP_STATE: Oid = (*UNIT, 12, 1, 2)

CONTROL_OTHER, CONTROL_SYSTEM, CONTROL_STANDBY, CONTROL_BACKUP, CONTROL_MANUAL, CONTROL_TIMEBASE = range(1, 7)
FLASH_OTHER, FLASH_NOT, FLASH_AUTOMATIC, FLASH_LOCAL_MANUAL, FLASH_FAULT_MONITOR, FLASH_MMU = range(1, 7)
FLASH_STARTUP = 7

# Coordination.
COORD: Oid = (*ASC, 4)
MAX_PATTERNS: Oid = (*COORD, 5, 0)
PATTERN_CYCLE: Oid = (*COORD, 7, 1, 2)
PATTERN_SPLIT: Oid = (*COORD, 7, 1, 4)
MAX_SPLITS: Oid = (*COORD, 8, 0)
SPLIT_TIME: Oid = (*COORD, 9, 1, 3)  # add the split and the phase; s, clearance included
PATTERN_STATUS: Oid = (*COORD, 10, 0)
FREE_STATUS: Oid = (*COORD, 11, 0)
PATTERN_CONTROL: Oid = (*COORD, 14, 0)
SYNC_CONTROL: Oid = (*COORD, 15, 0)

PATTERN_STANDBY, PATTERN_FREE, PATTERN_FLASH = 0, 254, 255

# Rings.
RINGS: Oid = (*ASC, 7)
MAX_RINGS: Oid = (*RINGS, 1, 0)
MAX_SEQUENCES: Oid = (*RINGS, 2, 0)
SEQUENCE_DATA: Oid = (*RINGS, 3, 1, 3)  # add the sequence and the ring; one octet per phase, in their order
RING_RED_REST: Oid = (*RINGS, 5, 1, 7)  # add the group of eight rings: a ring without calls rests in red
RING_STATUS: Oid = (*RINGS, 6, 1, 1)

# Channels, the outputs to the load switches.
CHANNELS: Oid = (*ASC, 8)
MAX_CHANNELS: Oid = (*CHANNELS, 1, 0)
CHANNEL_SOURCE: Oid = (*CHANNELS, 2, 1, 2)
CHANNEL_TYPE: Oid = (*CHANNELS, 2, 1, 3)
MAX_CHANNEL_GROUPS: Oid = (*CHANNELS, 3, 0)
CHANNEL_REDS: Oid = (*CHANNELS, 4, 1, 2)
CHANNEL_YELLOWS: Oid = (*CHANNELS, 4, 1, 3)
CHANNEL_GREENS: Oid = (*CHANNELS, 4, 1, 4)

CHANNEL_VEHICLE, CHANNEL_PEDESTRIAN, CHANNEL_OVERLAP = 2, 3, 4

# Overlaps, outputs that are green with any of several phases.
OVERLAPS: Oid = (*ASC, 9)
MAX_OVERLAPS: Oid = (*OVERLAPS, 1, 0)
OVERLAP_TYPE: Oid = (*OVERLAPS, 2, 1, 2)
OVERLAP_INCLUDED: Oid = (*OVERLAPS, 2, 1, 3)  # one octet per phase
OVERLAP_REDS: Oid = (*OVERLAPS, 4, 1, 2)
OVERLAP_YELLOWS: Oid = (*OVERLAPS, 4, 1, 3)
OVERLAP_GREENS: Oid = (*OVERLAPS, 4, 1, 4)

OVERLAP_NORMAL = 2

ECONOLITE_SPAT: Oid = (*NEMA, 3, 5, 2, 9, 44, 1, 0)
"""Switches the SPaT broadcast on at controllers of one maker; others answer noSuchName. carma-streets sets 2 there,
mmitss-az sets 6 at instance .1."""

ECONOLITE_SPAT_ON = 2

ALARM_WORDS_1: Mapping[int, str] = {
    0: "cycle_fault",
    1: "coord_fault",
    2: "coord_fail",
    3: "cycle_fail",
    4: "mmu_flash",
    5: "local_flash",
    6: "local_free",
    7: "coord_active",
}
ALARM_WORDS_2: Mapping[int, str] = {
    0: "power_restart",
    1: "low_battery",
    2: "response_fault",
    3: "external_start",
    4: "stop_time",
}
SHORT_ALARM_WORDS: Mapping[int, str] = {
    0: "preempt",
    1: "terminals_and_facilities_flash",
    2: "local_cycle_zero",
    3: "local_override",
    4: "coordination_alarm",
    5: "detector_fault",
    6: "non_critical_alarm",
    7: "critical_alarm",
}
NOT_ALARMING = frozenset({"coord_active", "local_free", "local_cycle_zero", "local_override"})
"""Bits of the alarm objects that only say how the unit runs."""


def groups(count: int) -> range:
    """The numbers of the groups of eight that hold `count` phases or channels."""
    return range(1, (count + 7) // 8 + 1)


def numbers(masks: Iterable[int]) -> frozenset[int]:
    """The phases whose bits are set in the masks of groups 1, 2 … (bit 0 of group 1 is phase 1)."""
    return frozenset(8 * group + bit + 1 for group, mask in enumerate(masks) for bit in range(8) if mask >> bit & 1)


def mask(phases: Iterable[int], group: int) -> int:
    """The mask of one group of eight."""
    first = 8 * (group - 1) + 1
    return sum(1 << phase - first for phase in set(phases) if first <= phase < first + 8)


def words(value: int, table: Mapping[int, str]) -> tuple[str, ...]:
    """The words of the bits that are set; reserved bits have none."""
    return tuple(word for bit, word in table.items() if value >> bit & 1)
