# SPDX-License-Identifier: Apache-2.0
"""Reads from a controller what it can do and what it shows."""

from collections.abc import Sequence
from datetime import UTC, datetime

from citybrain.doors.ntcip import objects, phasing
from citybrain.doors.ntcip.capability import Capability, PhaseFacts, Seen
from citybrain.doors.ntcip.codec import Oid, Value
from citybrain.doors.ntcip.link import Link
from citybrain.kernel.controllers.outstation import Mode
from citybrain.kernel.errors import Conflict, Invalid

MAX_PHASES = 64
MAX_RINGS = 16
_NEVER = datetime.min.replace(tzinfo=UTC)
_COLUMNS = (
    *(objects.MIN_GREEN, objects.MAX_GREEN, objects.YELLOW, objects.RED_CLEAR, objects.WALK, objects.PED_CLEAR),
    *(objects.OPTIONS, objects.RING, objects.CONCURRENCY),
)
_CONTROLS = {
    "hold": objects.CONTROL_HOLD,
    "force_off": objects.CONTROL_FORCE_OFF,
    "omit": objects.CONTROL_OMIT,
    "call": objects.CONTROL_CALL,
}


class UnusableController(Conflict):
    """What the controller says of itself cannot be."""


class StageNotAllowed(Invalid):
    """A stage of the mapping is none that this controller may show."""


async def discover(link: Link, wanted: Sequence[tuple[int, ...]] = ()) -> Capability:
    """What the controller can do, all from its own tables. `wanted` stages are checked against them."""
    max_phases, max_rings, channels, backup_s = (
        _number(value)
        for value in await link.get((objects.MAX_PHASES, objects.MAX_RINGS, objects.MAX_CHANNELS, objects.BACKUP_TIME))
    )
    if not (1 <= max_phases <= MAX_PHASES and 1 <= max_rings <= MAX_RINGS):
        raise UnusableController("ntcip.unusable_controller", {"what": "maxPhases, maxRings"})
    phases = [facts for phase in range(1, max_phases + 1) if (facts := await _phase(link, phase))]
    if not phases:
        raise UnusableController("ntcip.unusable_controller", {"what": "phaseOptions"})
    rings = await _rings(link, max_rings, phases)
    conflicting = phasing.conflicts(phases)
    maker, version = await _maker(link)
    return Capability(
        maker=maker,
        version=version,
        phases=tuple(phases),
        stages=_checked(wanted, phases, conflicting) or phasing.stages(rings, conflicting),
        conflicts=conflicting,
        intergreen_s=phasing.intergreen_s(phases),
        rings=rings,
        can=await _can(link),
        backup_s=float(backup_s),
        max_phases=max_phases,
        channels=channels,
    )


async def look(link: Link, capability: Capability) -> Seen:
    """What it shows; the caller says when that was and how long the last command counts."""
    masks = (objects.STATUS_GREENS, objects.STATUS_YELLOWS, objects.STATUS_REDS)
    peds = (objects.STATUS_WALKS, objects.STATUS_PED_CLEARS)
    calls = (objects.STATUS_VEHICLE_CALLS, objects.STATUS_PED_CALLS)
    unit = (objects.CONTROL_STATUS, objects.FLASH_STATUS, objects.PATTERN_STATUS)
    alarms = (objects.ALARMS_1, objects.ALARMS_2, objects.SHORT_ALARMS)
    groups = objects.groups(max(phase.number for phase in capability.phases))
    wanted = [(*oid, group) for oid in (*masks, *peds, *calls) for group in groups] + [*unit, *alarms]
    values = [_number(value) for value in await link.get(wanted)]
    many = len(groups)
    green, yellow, red, walk, ped_clear, vehicle_calls, ped_calls = (
        objects.numbers(values[at * many : (at + 1) * many]) for at in range(len(masks) + len(peds) + len(calls))
    )
    control, flash, pattern, *alarmed = values[-len(unit) - len(alarms) :]
    words = alarm_words(*alarmed)
    if phasing.first_conflict(green | yellow, capability.conflicts):
        words = ("conflicting_phases_shown", *words)
    return Seen(
        at=_NEVER,
        green=green,
        yellow=yellow,
        red=red,
        walk=walk,
        ped_clear=ped_clear,
        calls=(vehicle_calls | ped_calls) - green,
        stage=phasing.stage_shown(capability.stages, green) if not yellow else None,
        mode=_mode(control, flash, is_dark=not green | yellow | red),
        is_manual=control == objects.CONTROL_MANUAL,
        pattern=pattern,
        alarms=words,
        backup_left_s=0.0,
    )


def alarm_words(alarms_1: int, alarms_2: int, short: int) -> tuple[str, ...]:
    """What is wrong, in words; bits that only tell how the unit runs are left out."""
    found = (
        *objects.words(alarms_1, objects.ALARM_WORDS_1),
        *objects.words(alarms_2, objects.ALARM_WORDS_2),
        *objects.words(short, objects.SHORT_ALARM_WORDS),
    )
    return tuple(word for word in dict.fromkeys(found) if word not in objects.NOT_ALARMING)


def _mode(control: int, flash: int, *, is_dark: bool) -> Mode:
    if flash > objects.FLASH_NOT:
        return Mode.FLASH
    if is_dark:
        return Mode.OFF
    return Mode.CENTRE if control == objects.CONTROL_SYSTEM else Mode.LOCAL


async def _phase(link: Link, phase: int) -> PhaseFacts | None:
    """The facts of one phase; None when it is not used. Tenths of seconds become seconds."""
    values = await link.get([(*column, phase) for column in _COLUMNS])
    min_green, max_green, yellow, red_clear, walk, ped_clear, options, ring = (_number(each) for each in values[:-1])
    concurrent = values[-1]
    if not options & objects.OPTION_ENABLED or not ring:
        return None
    if not isinstance(concurrent, bytes) or not yellow:
        raise UnusableController("ntcip.unusable_controller", {"what": f"phaseConcurrency, phaseYellowChange {phase}"})
    return PhaseFacts(
        number=phase,
        min_green_s=float(min_green),
        max_green_s=float(max_green),
        yellow_s=yellow / 10,
        all_red_s=red_clear / 10,
        walk_s=float(walk),
        ped_clear_s=float(ped_clear),
        ring=ring,
        concurrent=frozenset(concurrent) - {phase, 0},
    )


async def _rings(link: Link, count: int, phases: Sequence[PhaseFacts]) -> tuple[tuple[int, ...], ...]:
    """The enabled phases of each ring in the order of sequence 1; rings without any are left out."""
    values = await link.get([(*objects.SEQUENCE_DATA, 1, ring) for ring in range(1, count + 1)])
    rings: list[tuple[int, ...]] = []
    for ring, value in enumerate(values, start=1):
        mine = [phase.number for phase in phases if phase.ring == ring]
        order = [phase for phase in value if phase in mine] if isinstance(value, bytes) else []
        rings.append(tuple(dict.fromkeys([*order, *mine])))
    return tuple(ring for ring in rings if ring)


def _checked(
    wanted: Sequence[tuple[int, ...]], phases: Sequence[PhaseFacts], conflicting: frozenset[tuple[int, int]]
) -> tuple[tuple[int, ...], ...]:
    known = {phase.number for phase in phases}
    for stage in wanted:
        if not stage or not known.issuperset(stage):
            raise StageNotAllowed("ntcip.stage_unknown_phase", {"stage": list(stage), "phases": sorted(known)})
        if pair := phasing.first_conflict(stage, conflicting):
            raise StageNotAllowed("ntcip.stage_conflicts", {"one": pair[0], "other": pair[1]})
    return tuple(wanted)


async def _can(link: Link) -> frozenset[str]:
    values = await link.get([(*oid, 1) for oid in _CONTROLS.values()] + [objects.PATTERN_CONTROL])
    values = [*values, *await link.get([(*objects.RING_RED_REST, 1)])]
    words = [*_CONTROLS, "plan", "red_rest"]
    can = {word for word, value in zip(words, values, strict=True) if isinstance(value, int)}
    return frozenset(can | {"stage"} if {"hold", "force_off"} <= can else can)


async def _maker(link: Link) -> tuple[str, str]:
    """Make and model, and version, of module 1 (NTCIP 1201); else what the device says of itself."""
    oids: tuple[Oid, ...] = (
        *((*oid, 1) for oid in (objects.MODULE_MAKE, objects.MODULE_MODEL, objects.MODULE_VERSION)),
        objects.SYSTEM_DESCRIPTION,
    )
    make, model, version, description = (_text(value) for value in await link.get(oids))
    return " ".join(filter(None, (make, model))) or description, version


def _text(value: Value) -> str:
    return value.decode("utf-8", "replace").strip("\0 ") if isinstance(value, bytes) else ""


def _number(value: Value) -> int:
    """A number that is not there counts as 0."""
    return value if isinstance(value, int) else 0
