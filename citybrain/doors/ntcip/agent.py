# SPDX-License-Identifier: Apache-2.0
"""The SNMP agent of an emulated controller: objects of NTCIP 1202 over one unit (RFC 1157, RFC 3416). Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable

import msgspec

from citybrain.doors.ntcip import objects, outputs
from citybrain.doors.ntcip.cabinet import Phase
from citybrain.doors.ntcip.codec import Absent, Kind, Message, Oid, Problem, Value, Version
from citybrain.doors.ntcip.ring import Interval, Walkers, tenths
from citybrain.doors.ntcip.unit import Unit

LONGEST_BULK = 50
"""Objects in one answer to a GET_BULK: about 1,400 octets, one packet (RFC 3416 4.2.3 lets an agent end earlier)."""

OCTET = range(256)


class Item(msgspec.Struct, frozen=True):
    """One object: how it is read, and when it can be written, how and in which range."""

    read: Callable[[], Value]
    write: Callable[[int], None] | None = None
    range: range = OCTET


class Agent:
    """Answers messages about one unit. A wrong community gets no answer, as from real devices."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        parts = (_global, _phases, _status, _controls, _unit, _coord, _rings, _channels, _overlaps)
        self._items: dict[Oid, Item] = {oid: item for part in parts for oid, item in part(unit)}
        self._order = sorted(self._items)

    def answer(self, asked: Message) -> Message | None:
        """The answer to a request; None when it deserves none."""
        cabinet = self._unit.cabinet
        may_write = asked.community == cabinet.write_community.encode()
        if not may_write and asked.community != cabinet.read_community.encode():
            return None
        if asked.kind is Kind.SET:
            return self._set(asked) if may_write else None
        read = {Kind.GET: self._get, Kind.GET_NEXT: self._get_next, Kind.GET_BULK: self._bulk}.get(asked.kind)
        return read(asked) if read is not None else None

    def _get(self, asked: Message) -> Message:
        found: list[tuple[Oid, Value]] = []
        for at, (oid, _) in enumerate(asked.bindings, start=1):
            item = self._items.get(oid)
            if item is None and asked.version is Version.V1:
                return _problem(asked, Problem.NO_SUCH_NAME, at)
            found.append((oid, item.read() if item is not None else self._absent(oid)))
        return _response(asked, found)

    def _absent(self, oid: Oid) -> Absent:
        """The object is known but not this instance of it, or nothing is known of it."""
        return Absent.NO_INSTANCE if any(known[:-1] == oid[:-1] for known in self._order) else Absent.NO_OBJECT

    def _get_next(self, asked: Message) -> Message:
        found: list[tuple[Oid, Value]] = []
        for at, (oid, _) in enumerate(asked.bindings, start=1):
            following = self._after(oid)
            if following is None and asked.version is Version.V1:
                return _problem(asked, Problem.NO_SUCH_NAME, at)
            found.append((following, self._items[following].read()) if following else (oid, Absent.END))
        return _response(asked, found)

    def _bulk(self, asked: Message) -> Message:
        single = max(asked.problem, 0)
        found: list[tuple[Oid, Value]] = []
        begins = [oid for oid, _ in asked.bindings]
        for oid in begins[:single]:
            found.append(self._next_pair(oid))
        walking = begins[single:]
        for _ in range(min(max(asked.index, 0), LONGEST_BULK)):
            pairs = [self._next_pair(oid) for oid in walking[: max(LONGEST_BULK - len(found), 0)]]
            found += pairs
            walking = [oid for oid, value in pairs if value is not Absent.END]
        return _response(asked, found)

    def _next_pair(self, oid: Oid) -> tuple[Oid, Value]:
        following = self._after(oid)
        return (following, self._items[following].read()) if following else (oid, Absent.END)

    def _after(self, oid: Oid) -> Oid | None:
        at = bisect_right(self._order, oid)
        return self._order[at] if at < len(self._order) else None

    def _set(self, asked: Message) -> Message:
        """All or nothing: every binding is checked before the first is written."""
        writes: list[tuple[Callable[[int], None], int]] = []
        for at, (oid, value) in enumerate(asked.bindings, start=1):
            item = self._items.get(oid)
            problem = _problem_of(item, value)
            if problem is not Problem.NONE or item is None or item.write is None or not isinstance(value, int):
                return _problem(asked, problem if asked.version is Version.V2C else _as_v1(problem), at)
            writes.append((item.write, value))
        for write, value in writes:
            write(value)
        return _response(asked, list(asked.bindings))


def _problem_of(item: Item | None, value: Value) -> Problem:
    if item is None:
        return Problem.NO_ACCESS
    if item.write is None:
        return Problem.NOT_WRITABLE
    if not isinstance(value, int):
        return Problem.WRONG_TYPE
    return Problem.NONE if value in item.range else Problem.WRONG_VALUE


def _as_v1(problem: Problem) -> Problem:
    """RFC 3584 section 4.4: what version 1 says instead."""
    return Problem.BAD_VALUE if problem in (Problem.WRONG_TYPE, Problem.WRONG_VALUE) else Problem.NO_SUCH_NAME


def _response(asked: Message, bindings: list[tuple[Oid, Value]]) -> Message:
    return msgspec.structs.replace(asked, kind=Kind.RESPONSE, bindings=tuple(bindings), problem=0, index=0)


def _problem(asked: Message, problem: Problem, index: int) -> Message:
    return msgspec.structs.replace(asked, kind=Kind.RESPONSE, problem=int(problem), index=index)


Items = Iterable[tuple[Oid, Item]]


def _fixed(value: Value) -> Item:
    return Item(lambda: value)


def _global(unit: Unit) -> Items:
    cabinet = unit.cabinet
    yield objects.SYSTEM_DESCRIPTION, _fixed(f"{cabinet.make} {cabinet.model} {cabinet.version}".encode())
    for oid, text in (
        (objects.MODULE_MAKE, cabinet.make),
        (objects.MODULE_MODEL, cabinet.model),
        (objects.MODULE_VERSION, cabinet.version),
    ):
        yield (*oid, 1), _fixed(text.encode())


def _highest(unit: Unit) -> int:
    return 8 * max(objects.groups(max(unit.phases)))


def _phases(unit: Unit) -> Items:
    yield objects.MAX_PHASES, _fixed(_highest(unit))
    yield objects.MAX_PHASE_GROUPS, _fixed(max(objects.groups(_highest(unit))))
    unused = Phase(number=1, min_green_s=0, max_green_s=0, yellow_s=0, red_clear_s=0, recall="none", dual_entry=False)
    for number in range(1, _highest(unit) + 1):
        phase = unit.phases.get(number)
        facts = phase or unused
        for oid, value in (
            (objects.WALK, facts.walk_s),
            (objects.PED_CLEAR, facts.ped_clear_s),
            (objects.MIN_GREEN, facts.min_green_s),
            (objects.PASSAGE, 0),
            (objects.MAX_GREEN, facts.max_green_s),
            (objects.YELLOW, tenths(facts.yellow_s)),
            (objects.RED_CLEAR, tenths(facts.red_clear_s)),
            (objects.OPTIONS, _options(facts) if phase else 0),
            (objects.RING, unit.cabinet.ring_of(number) if phase else 0),
        ):
            yield (*oid, number), _fixed(value)
        yield (*objects.CONCURRENCY, number), _fixed(bytes(facts.concurrent))


def _options(phase: Phase) -> int:
    recall = {"none": 0, "min": objects.OPTION_MIN_RECALL, "max": objects.OPTION_MAX_RECALL}[phase.recall]
    ped = objects.OPTION_PED_RECALL if phase.ped_recall else 0
    return objects.OPTION_ENABLED | recall | ped | (objects.OPTION_DUAL_ENTRY if phase.dual_entry else 0)


def _masked(phases: Callable[[], Iterable[int]], group: int) -> Item:
    return Item(lambda: objects.mask(phases(), group))


def _lamps(unit: Unit, letter: str) -> Callable[[], Iterable[int]]:
    """A unit that flashes shows red to whoever asks: its lamps are driven by the flasher."""
    shown = {"R": "RF"}.get(letter, letter)
    return lambda: (phase for phase, lamp in unit.lamps().items() if lamp in shown)


def _status(unit: Unit) -> Items:
    walk: Callable[[], Iterable[int]] = lambda: unit.walkers(Walkers.WALK)  # noqa: E731
    clear: Callable[[], Iterable[int]] = lambda: unit.walkers(Walkers.CLEAR)  # noqa: E731
    columns: tuple[tuple[Oid, Callable[[], Iterable[int]]], ...] = (
        (objects.STATUS_REDS, _lamps(unit, "R")),
        (objects.STATUS_YELLOWS, _lamps(unit, "Y")),
        (objects.STATUS_GREENS, _lamps(unit, "G")),
        (objects.STATUS_DONT_WALKS, lambda: unit.phases.keys() - set(walk()) - set(clear())),
        (objects.STATUS_PED_CLEARS, clear),
        (objects.STATUS_WALKS, walk),
        (objects.STATUS_VEHICLE_CALLS, unit.calls),
        (objects.STATUS_PED_CALLS, lambda: unit.ped_called | unit.controls.ped_call),
        (objects.STATUS_ON, lambda: [ring.active for ring in unit.rings if ring.active is not None]),
        (objects.STATUS_NEXT, lambda: [ring.next for ring in unit.rings if ring.next is not None]),
    )
    for group in objects.groups(_highest(unit)):
        for oid, phases in columns:
            yield (*oid, group), _masked(phases, group)


_CONTROL_FIELDS = {
    objects.CONTROL_OMIT: "omit",
    objects.CONTROL_PED_OMIT: "ped_omit",
    objects.CONTROL_HOLD: "hold",
    objects.CONTROL_FORCE_OFF: "force_off",
    objects.CONTROL_CALL: "call",
    objects.CONTROL_PED_CALL: "ped_call",
}
"""By group of eight phases; that of rings is written like them."""


def _controls(unit: Unit) -> Items:
    for group in objects.groups(_highest(unit)):
        for oid, field in _CONTROL_FIELDS.items():
            yield (*oid, group), _control(unit, field, group)


def _control(unit: Unit, field: str, group: int) -> Item:
    def read() -> Value:
        return objects.mask(getattr(unit.controls, field), group)

    def write(value: int) -> None:
        others = {phase for phase in getattr(unit.controls, field) if (phase - 1) // 8 != group - 1}
        mine = {8 * (group - 1) + bit + 1 for bit in range(8) if value >> bit & 1}
        setattr(unit.controls, field, frozenset(others | mine))
        unit.commanded()

    return Item(read, write)


def _unit(unit: Unit) -> Items:
    def set_backup(seconds: int) -> None:
        unit.backup_s = seconds

    yield objects.BACKUP_TIME, Item(lambda: unit.backup_s, set_backup, range(65_536))
    yield objects.CONTROL_STATUS, Item(lambda: objects.CONTROL_MANUAL if unit.manual else unit.status)
    yield objects.FLASH_STATUS, Item(lambda: unit.flash)
    yield objects.ALARMS_1, Item(lambda: (1 << 4) if unit.flash == objects.FLASH_MMU else 0)
    yield objects.ALARMS_2, _fixed(0)
    yield objects.SHORT_ALARMS, Item(lambda: (1 << 1) if unit.flash == objects.FLASH_MMU else 0)
    yield objects.MAX_ALARM_GROUPS, _fixed(1)
    yield (*objects.ALARM_GROUP_STATE, 1), _fixed(0)


def _coord(unit: Unit) -> Items:
    def call(pattern: int) -> None:
        unit.controls.pattern = pattern
        unit.commanded()

    patterns = unit.cabinet.patterns
    yield objects.MAX_PATTERNS, _fixed(max(map(int, patterns), default=0))
    for number, splits in patterns.items():
        yield (*objects.PATTERN_SPLIT, int(number)), _fixed(int(number))
        for phase, seconds in splits.items():
            yield (*objects.SPLIT_TIME, int(number), int(phase)), _fixed(seconds)
    yield objects.PATTERN_STATUS, Item(lambda: unit.pattern)
    yield objects.PATTERN_CONTROL, Item(lambda: unit.controls.pattern, call)


def _rings(unit: Unit) -> Items:
    rings = unit.cabinet.rings
    yield objects.MAX_RINGS, _fixed(len(rings))
    yield objects.MAX_SEQUENCES, _fixed(1)
    for group in objects.groups(len(rings)):
        yield (*objects.RING_RED_REST, group), _control(unit, "red_rest", group)
    for number, order in enumerate(rings, start=1):
        yield (*objects.SEQUENCE_DATA, 1, number), _fixed(bytes(order))
        yield (*objects.RING_STATUS, number), Item(_ring_status(unit, number))


def _ring_status(unit: Unit, number: int) -> Callable[[], Value]:
    """Bits 0 to 2 code the interval: 0 least green, 1 extension, 4 yellow, 5 red clearance, 6 red rest."""

    def read() -> Value:
        ring = unit.rings[number - 1]
        if ring.interval is Interval.GREEN:
            return 1 if ring.least_is_over() else 0
        return {Interval.YELLOW: 4, Interval.CLEARING: 5}.get(ring.interval, 6)

    return read


def _channels(unit: Unit) -> Items:
    sources = outputs.sources(unit.cabinet)
    yield objects.MAX_CHANNELS, _fixed(len(sources))
    yield objects.MAX_CHANNEL_GROUPS, _fixed(max(objects.groups(len(sources))))
    for channel, (number, type) in enumerate(sources, start=1):
        yield (*objects.CHANNEL_SOURCE, channel), _fixed(number)
        yield (*objects.CHANNEL_TYPE, channel), _fixed(type)
    for group in objects.groups(len(sources)):
        for oid, letters in (
            (objects.CHANNEL_REDS, "RF"),
            (objects.CHANNEL_YELLOWS, "Y"),
            (objects.CHANNEL_GREENS, "G"),
        ):
            yield (*oid, group), _masked(_channel_lamps(unit, letters), group)


def _channel_lamps(unit: Unit, letters: str) -> Callable[[], Iterable[int]]:
    return lambda: (channel for channel, lamp in outputs.shown(unit).items() if lamp in letters)


def _overlaps(unit: Unit) -> Items:
    overlaps = unit.cabinet.overlaps
    yield objects.MAX_OVERLAPS, _fixed(len(overlaps))
    for number, included in enumerate(overlaps, start=1):
        yield (*objects.OVERLAP_TYPE, number), _fixed(objects.OVERLAP_NORMAL)
        yield (*objects.OVERLAP_INCLUDED, number), _fixed(bytes(included))
    for group in objects.groups(len(overlaps)) if overlaps else ():
        for oid, letters in (
            (objects.OVERLAP_REDS, "RF"),
            (objects.OVERLAP_YELLOWS, "Y"),
            (objects.OVERLAP_GREENS, "G"),
        ):
            yield (*oid, group), _masked(_overlap_lamps(unit, letters), group)


def _overlap_lamps(unit: Unit, letters: str) -> Callable[[], Iterable[int]]:
    return lambda: (number for number, lamp in enumerate(outputs.overlaps(unit), start=1) if lamp in letters)
