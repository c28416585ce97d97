# SPDX-License-Identifier: Apache-2.0
"""Asks a controller what it is and what it shows. Nothing of it is believed from elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import inf

from citybrain.doors.gbt20999.capability import Capability, PhaseFacts, Seen
from citybrain.doors.gbt20999.client import Client
from citybrain.doors.gbt20999.codec import Address
from citybrain.doors.gbt20999.facts import Alarm, Data, Fault, Flow, Phase, Plan, Reader
from citybrain.doors.gbt20999.objects import columns, row
from citybrain.doors.gbt20999.values import GREENS, YELLOWS, LampGroupType, RunMode, StageState, mode_of
from citybrain.kernel.errors import Conflict

STAGE_PHASES = columns(0x06, 2)["phases"]
RUN = columns(0x0D, 2)
STAGE_STATE = columns(0x06, 3)
LAMP_STATES = (2, 1)
"""The column with what a lamp group shows: the second by one source, the only one by others."""

DEVICE_STATES = {"detector_broken": 1, "module_broken": 2, "door_open": 3, "wet": 8, "smoky": 9}
"""What is an alarm while it is not zero (class 0x0D, object 1)."""

NEEDED = tuple(
    number
    for name, number in columns(0x04, 2).items()
    if name.startswith(("lose", "gain")) or name in {"lamp_groups", "min_green_s", "max_green_s"}
)


class Contradiction(Conflict):
    """The controller's tables contradict each other: it is read wrongly, or set wrongly. Nobody may command it."""


async def discover(client: Client, chosen: Sequence[int] = (), *, backup_s: float) -> Capability:
    """Stages, the phases they use, their times, conflicts, intergreens and transitions.

    `chosen` are the stages that count, by the controller's numbers; without them all. Refuses `Silent`, and
    `Contradiction` where a chosen stage is not there, or an intergreen is shorter than the yellow before it, which
    shows that the unit of the dialect is not the controller's.
    """
    told: dict[Address, bytes] = dict((await client.query([Address(0x01, n) for n in range(1, 6)])).data)
    told |= (await client.query([Address(0x06, 1), Address(0x04, 1)])).data
    reader = Reader(told, client.line.dialect)
    asked = chosen or range(1, reader.one(0x06, 1, 0) + 1)
    told |= (await client.query([Address(0x06, 2, STAGE_PHASES, n) for n in asked])).data
    stages = {n: tuple(sorted(reader.stage(n).phases)) for n in asked}
    if not chosen:
        stages = _without_empty_end(stages)
    elif missing := [n for n, phases in stages.items() if not phases]:
        raise Contradiction("gbt20999.stage_not_there", {"stage": missing[0]})
    numbers = sorted({phase for phases in stages.values() for phase in phases})
    told |= (await client.query([Address(0x04, 2, column, n) for n in numbers for column in NEEDED])).data
    told |= (await client.query([Address(0x07, table, 2, n) for n in numbers for table in (1, 2)])).data
    told |= (await client.query([Address(0x0A, 1, 2, n) for n in stages])).data
    phases = {n: reader.phase(n) for n in numbers}
    groups = sorted({group for phase in phases.values() for group in phase.lamp_groups})
    told |= (await client.query([Address(0x03, 2, 2, group) for group in groups])).data
    conflicts = _both_ways((n, other) for n in numbers for other in reader.conflicts(n) if other in phases)
    intergreen_s = _intergreens(reader, phases, conflicts)
    device = reader.device()
    return Capability(
        maker=device.maker,
        version=device.version,
        serial=device.serial,
        phases=tuple(_facts(reader, phase, intergreen_s) for phase in phases.values()),
        stages=tuple(stages.values()),
        numbers=tuple(stages),
        conflicts=conflicts,
        intergreen_s=intergreen_s,
        transitions=_transitions(reader, list(stages)),
        backup_s=backup_s,
        lamp_state=await _lamp_state(client, groups),
    )


async def look(client: Client, capability: Capability, at: datetime) -> Seen:
    """What the junction of this line shows now, by its lamp groups; how it is run, and what is wrong with it."""
    junction = client.line.junction
    groups = sorted({group for phase in capability.phases for group in phase.lamp_groups})
    addresses = [
        *(Address(0x0D, 2, RUN[name], junction) for name in ("mode", "plan", "stage")),
        *(Address(0x0D, 1, number) for number in DEVICE_STATES.values()),
        *(Address(0x03, 3, capability.lamp_state, group) for group in groups),
    ]
    told: dict[Address, bytes] = dict((await client.query(addresses)).data)
    reader = Reader(told, client.line.dialect)
    run = reader.run(junction)
    told |= (await client.query([Address(0x06, 3, STAGE_STATE[name], run.stage) for name in ("state", "ran_s")])).data
    shown = {group: told.get(Address(0x03, 3, capability.lamp_state, group), b"") for group in groups}
    state = reader.row(0x06, 3, run.stage)
    ran_s = state.get("ran_s")
    green, yellow, red = _colours(capability, shown)
    return Seen(
        at=at,
        green=green,
        yellow=yellow,
        red=red,
        stage=_stage(capability, run.stage, state.get("state"), green),
        stage_age_s=float(ran_s) if isinstance(ran_s, int) else inf,
        mode=mode_of(run.mode),
        run_mode=run.mode,
        is_manual=run.mode == RunMode.LOCAL_MANUAL,
        pattern=run.plan,
        alarms=tuple(name for name, n in DEVICE_STATES.items() if any(told.get(Address(0x0D, 1, n), b""))),
        groups={group: lamp[0] for group, lamp in shown.items() if lamp},
    )


async def plans(client: Client, numbers: Iterable[int]) -> tuple[Plan, ...]:
    """The controller's plans under these numbers; those without stages are left out."""
    numbers = tuple(numbers)
    reader = await _read(client, [each for n in numbers for each in row(0x09, 2, n)])
    return tuple(plan for plan in map(reader.plan, numbers) if plan.steps)


async def flows(client: Client, detectors: Iterable[int]) -> tuple[Flow, ...]:
    """What these detectors counted in their last period."""
    detectors = tuple(detectors)
    reader = await _read(client, [each for n in detectors for each in row(0x0E, 2, n)])
    return tuple(map(reader.flow, detectors))


async def alarms(client: Client, *, most: int = 20) -> tuple[Alarm, ...]:
    """The alarms that the controller keeps, `most` of them."""
    count = min(most, (await _read(client, [Address(0x0F, 1)])).one(0x0F, 1, 0))
    reader = await _read(client, [each for n in range(1, count + 1) for each in row(0x0F, 2, n)])
    return tuple(reader.alarm(n) for n in range(1, count + 1))


async def faults(client: Client, *, most: int = 20) -> tuple[Fault, ...]:
    """The faults that the controller keeps, `most` of them."""
    count = min(most, (await _read(client, [Address(0x10, 1)])).one(0x10, 1, 0))
    reader = await _read(client, [each for n in range(1, count + 1) for each in row(0x10, 2, n)])
    return tuple(reader.fault(n) for n in range(1, count + 1))


async def _read(client: Client, addresses: list[Address]) -> Reader:
    data: Data = (await client.query(addresses)).data if addresses else {}
    return Reader(data, client.line.dialect)


async def _lamp_state(client: Client, groups: list[int]) -> int:
    """Which column has what lamp groups show: the first of `LAMP_STATES` that the controller tells."""
    for column in LAMP_STATES:
        if groups and (await client.query([Address(0x03, 3, column, groups[0])])).data:
            return column
    return LAMP_STATES[-1]


def _without_empty_end(stages: Mapping[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """Controllers count the rows that they have room for."""
    last = max((n for n, phases in stages.items() if phases), default=0)
    return {n: phases for n, phases in stages.items() if n <= last}


def _both_ways(pairs: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    """A conflict that only one of two phases knows of is one."""
    return frozenset(pair for one, other in pairs for pair in ((one, other), (other, one)))


def _intergreens(
    reader: Reader, phases: Mapping[int, Phase], conflicts: frozenset[tuple[int, int]]
) -> dict[tuple[int, int], float]:
    """For each conflict; where the table has none, the yellow of the phase that leaves."""
    found: dict[tuple[int, int], float] = {}
    for one, other in sorted(conflicts):
        yellow_s = float(phases[one].yellow_s)
        told_s = reader.intergreen_s(one).get(other)
        if told_s is not None and told_s < yellow_s:
            facts = {"phase": one, "other": other, "intergreen_s": told_s, "yellow_s": yellow_s}
            raise Contradiction("gbt20999.intergreen_too_short", facts)
        found[one, other] = yellow_s if told_s is None else told_s
    return found


def _transitions(reader: Reader, numbers: Sequence[int]) -> dict[tuple[int, int], int]:
    """Sources disagree whether a row is for the stage that is left or the one that is entered: both count."""
    found: dict[tuple[int, int], int] = {}
    for place, one in enumerate(numbers):
        for other, constraint in reader.constraints(one).items():
            if other in numbers and other != one:
                for way in ((place, numbers.index(other)), (numbers.index(other), place)):
                    found[way] = max(constraint, found.get(way, 0))
    return found


def _facts(reader: Reader, phase: Phase, intergreen_s: Mapping[tuple[int, int], float]) -> PhaseFacts:
    after = [seconds for (one, _), seconds in intergreen_s.items() if one == phase.number]
    walks = any(reader.lamp_group(group).type == LampGroupType.PEDESTRIANS for group in phase.lamp_groups)
    return PhaseFacts(
        number=phase.number,
        min_green_s=float(phase.min_green_s),
        max_green_s=float(phase.max_green_s),
        yellow_s=float(phase.yellow_s),
        all_red_s=max(0.0, min(after, default=0.0) - phase.yellow_s),
        ped_clear_s=float(phase.green_end_s) if walks else 0.0,
        lamp_groups=phase.lamp_groups,
    )


def _colours(
    capability: Capability, shown: Mapping[int, bytes]
) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
    """Phases by colour; one green lamp makes a phase green. A phase of which nothing was told is in none."""
    green: set[int] = set()
    yellow: set[int] = set()
    red: set[int] = set()
    for phase in capability.phases:
        lamps = {lamp for group in phase.lamp_groups for lamp in shown.get(group, b"")}
        if not lamps:
            continue
        (green if lamps & GREENS else yellow if lamps & YELLOWS else red).add(phase.number)
    return frozenset(green), frozenset(yellow), frozenset(red)


def _stage(capability: Capability, number: int, state: object, green: frozenset[int]) -> int | None:
    """The stage that the controller names, if it says that it is green, or its lamps do where it says nothing."""
    place = capability.place(number)
    if place is None:
        return None
    if state is None:
        return place if set(capability.stages[place]) <= green else None
    return place if state == StageState.GREEN else None
