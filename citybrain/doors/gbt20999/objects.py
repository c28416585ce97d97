# SPDX-License-Identifier: Apache-2.0
"""Every object that GB/T 20999-2017 is known to have, with the form of its value. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from citybrain.doors.gbt20999.codec import Address, Dialect, Unwritable
from citybrain.kernel.errors import Invalid

Value = int | str | bytes | frozenset[int] | tuple[int, ...]

_PLACES = 64
"""So many phases there can be at most: as many bits or bytes an array has."""


class Attribute(msgspec.Struct, frozen=True):
    """One kind of value: its form, how many bytes it has on the wire, and whether the centre may set it.

    Forms: `number`, `text` (filled up with zeros), `time` (local, seven bytes), `set` (of numbers, as bits),
    `row` (a number of `width` bytes for each place), `raw`.
    """

    name: str
    form: str
    size: int
    settable: bool = False
    width: int = 1


Place = tuple[int, int, int]


def _n(name: str, size: int = 1, *, settable: bool = False) -> Attribute:
    return Attribute(name, "number", size, settable)


def _set(name: str, *, settable: bool = True) -> Attribute:
    return Attribute(name, "set", _PLACES // 8, settable)


def _row(name: str, places: int = _PLACES, width: int = 1) -> Attribute:
    return Attribute(name, "row", places * width, True, width)


def _time(name: str, *, settable: bool = False) -> Attribute:
    return Attribute(name, "time", 7, settable)


def _text(name: str, size: int, *, settable: bool = False) -> Attribute:
    return Attribute(name, "text", size, settable)


def _shades(what: str) -> list[Attribute]:
    """Three colours in a row, each with its seconds."""
    return [
        _n(f"{what}_{part}_{turn}", settable=True) for turn in (1, 2, 3) for part in ("lamp", "s")
    ]  # fmt: skip


_SHADES = [*_shades("lose"), *_shades("gain"), *_shades("first_gain"), *_shades("first_lose")]
_NET4 = [Attribute(name, "raw", 4, True) for name in ("ipv4", "ipv4_mask", "ipv4_gateway")]
_NET6 = [Attribute(name, "raw", 16, True) for name in ("ipv6", "ipv6_prefix", "ipv6_gateway")]
_REQUEST = [_n("number"), _n("stage", settable=True), _n("priority", settable=True), _n("is_masked", settable=True)]
_REQUEST_STATE = [_n("number"), _n("is_asked"), _n("is_running")]
_CONTROL = [_n("number"), _n("is_masked", settable=True), _n("is_forbidden", settable=True)]

# fmt: off
# class, object: either one attribute (which is then 0) or the columns of a table (numbered from 1)
_OBJECTS: dict[tuple[int, int], Attribute | list[Attribute]] = {
    (0x01, 1): _text("maker", 128),
    (0x01, 2): Attribute("version", "raw", 4),
    (0x01, 3): _text("serial", 16),
    (0x01, 4): _time("made_at"),
    (0x01, 5): _time("configured_at", settable=True),
    (0x02, 1): _text("place", 128, settable=True),
    (0x02, 2): _NET4,
    (0x02, 3): [Attribute("centre_ipv4", "raw", 4, True), _n("centre_port", 2, settable=True),
                _n("centre_link", settable=True)],
    (0x02, 4): _n("zone_s", 4, settable=True),
    (0x02, 5): _n("controller", 4, settable=True),
    (0x02, 6): _n("junctions", settable=True),
    (0x02, 7): _n("has_gps"),
    (0x02, 8): _NET6,
    (0x02, 9): [Attribute("centre_ipv6", "raw", 16, True), _n("centre_port", 2, settable=True),
                _n("centre_link", settable=True)],
    (0x03, 1): _n("lamp_groups"),
    (0x03, 2): [_n("number"), _n("type", settable=True)],
    (0x03, 3): [_n("number_or_state"), _n("state")],
    (0x03, 4): _CONTROL,
    (0x04, 1): _n("phases"),
    (0x04, 2): [_n("number"), _set("lamp_groups"), *_SHADES, _n("min_green_s", 2, settable=True),
                _n("max_green_s", 2, settable=True), _n("max_green_2_s", 2, settable=True),
                _n("extension_s", 2, settable=True), _set("calls")],
    (0x04, 3): _CONTROL,
    (0x05, 1): _n("detectors"),
    (0x05, 2): [_n("number"), _n("type", settable=True), _n("flow_every_s", 2, settable=True),
                _n("occupancy_every_s", 2, settable=True), _text("place", 128, settable=True)],
    (0x05, 3): [_n("number"), _n("is_occupied"), _n("speed_kmh"), _n("vehicle_type"), _text("plate", 16),
                _n("queue_m", 2)],
    (0x06, 1): _n("stages"),
    (0x06, 2): [_n("number"), _set("phases"), _row("late_start_s"), _row("early_end_s")],
    (0x06, 3): [_n("number"), _n("state"), _n("ran_s", 4), _n("left_s", 4)],
    (0x06, 4): [_n("number"), _n("is_called", settable=True), _n("is_masked", settable=True),
                _n("is_forbidden", settable=True)],
    (0x07, 1): [_n("number"), _set("conflicts")],
    (0x07, 2): [_n("number"), _row("intergreen")],
    (0x08, 1): _n("priorities"),
    (0x08, 2): _REQUEST,
    (0x08, 3): _REQUEST_STATE,
    (0x08, 4): _n("emergencies"),
    (0x08, 5): _REQUEST,
    (0x08, 6): _REQUEST_STATE,
    (0x09, 1): _n("plans"),
    (0x09, 2): [_n("number"), _n("junction", settable=True), _n("cycle_s", 4, settable=True),
                _n("coordinated", settable=True), _n("offset_s", 2, settable=True), _row("stages", 16),
                _row("stage_s", 16, 2), _row("stage_types", 16)],
    (0x0A, 1): [_n("number"), _row("constraints")],
    (0x0B, 1): _n("day_plans"),
    (0x0B, 2): [_n("number"), _n("junction", settable=True), _row("starts", 48, 2), _row("plans", 48),
                _row("modes", 48), *(Attribute(f"actions_{n}", "raw", 96, True) for n in range(1, 9))],
    (0x0C, 1): _n("schedules"),
    (0x0C, 2): [_n("number"), _n("junction", settable=True), _n("priority", settable=True),
                _n("weekdays", settable=True), _n("months", 2, settable=True), _n("days", 4, settable=True),
                _n("day_plan", settable=True)],
    (0x0D, 1): [_set("broken_detectors", settable=False), Attribute("broken_modules", "raw", 8), _n("doors"),
                _n("voltage_v", 2), _n("current_a10", 2), _n("temperature_c"), _n("humidity_percent"),
                _n("is_wet"), _n("is_smoky"), _time("utc", settable=True), _time("local", settable=True)],
    (0x0D, 2): [_n("junction"), _n("mode"), _n("plan"), _n("stage")],
    (0x0E, 1): _set("occupied_detectors", settable=False),
    (0x0E, 2): [_n("detector"), _n("flow", 2), _n("occupancy"), _n("speed_kmh", 2)],
    (0x0F, 1): _n("alarms", 4),
    (0x0F, 2): [_n("number", 4), _n("type"), _n("value"), _time("at")],
    (0x10, 1): _n("faults", 4),
    (0x10, 2): [_n("number", 4), _n("type"), _time("at"), _n("action")],
    (0x11, 1): [_n("junction"), _n("stage", settable=True), _n("plan", settable=True), _n("mode", settable=True)],
    # The same as three objects, as one source has it (Dialect.centre).
    (0x11, 2): _n("stage", settable=True),
    (0x11, 3): _n("plan", settable=True),
    (0x11, 4): _n("mode", settable=True),
    (0x12, 1): Attribute("command", "raw", 16, True),
}
# fmt: on


def _attributes() -> Iterator[tuple[Place, Attribute]]:
    for (klass, object), found in _OBJECTS.items():
        if isinstance(found, Attribute):
            yield (klass, object, 0), found
        else:
            yield from (((klass, object, number), each) for number, each in enumerate(found, start=1))


ATTRIBUTES: Mapping[Place, Attribute] = dict(_attributes())
"""By class, object and attribute; an object that is no table has the attribute 0."""


class UnreadableValue(Invalid):
    """A value has not the form that its attribute has; the facts say which and what came."""


def columns(klass: int, object: int) -> dict[str, int]:
    """The columns of a table by name."""
    return {each.name: place[2] for place, each in ATTRIBUTES.items() if place[:2] == (klass, object) and place[2] != 0}


def row(klass: int, object: int, element: int) -> tuple[Address, ...]:
    """The addresses of one row of a table."""
    return tuple(Address(klass, object, number, element) for number in columns(klass, object).values())


def read(address: Address, data: bytes, dialect: Dialect) -> Value:
    """The value that stands at an address. Numbers may be longer or shorter than told: makers differ."""
    attribute = ATTRIBUTES.get(address[:3])
    if attribute is None or not data:
        raise UnreadableValue("gbt20999.value_unreadable", {"address": shown(address), "data": data.hex()})
    try:
        return _READ[attribute.form](attribute, data, dialect)
    except ValueError as error:
        raise UnreadableValue("gbt20999.value_unreadable", {"address": shown(address), "data": data.hex()}) from error


def write(address: Address, value: Value, dialect: Dialect) -> bytes:
    """The bytes of a value, in the length that its attribute has."""
    attribute = ATTRIBUTES[address[:3]]
    try:
        return _WRITE[attribute.form](attribute, value, dialect)
    except (OverflowError, ValueError, TypeError) as error:
        raise Unwritable("gbt20999.unwritable", {"why": f"{attribute.name} {value!r}"}) from error


def shown(address: Address) -> str:
    """`17.1.2.1`, as centres show an address."""
    return ".".join(map(str, address))


def _read_number(_attribute: Attribute, data: bytes, _dialect: Dialect) -> int:
    if len(data) > 8:
        raise ValueError
    return int.from_bytes(data, "big")


def _read_text(_attribute: Attribute, data: bytes, _dialect: Dialect) -> str:
    return data.rstrip(b"\0 ").decode("utf-8", "replace")


def _read_time(_attribute: Attribute, data: bytes, _dialect: Dialect) -> str:
    """Local time of the controller without a zone, as ISO 8601 has it."""
    if len(data) != 7:
        raise ValueError
    year, (month, day, hour, minute, second) = int.from_bytes(data[:2], "big"), data[2:]
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"


def _read_set(_attribute: Attribute, data: bytes, dialect: Dialect) -> frozenset[int]:
    """Bits; a single byte is the one number itself, as one maker has it for the lamp group of a phase."""
    if len(data) == 1:
        return frozenset(data) - {0}
    bits = int.from_bytes(data, "big" if dialect.arrays == "first_last" else "little")
    return frozenset(number + 1 for number in range(len(data) * 8) if bits >> number & 1)


def _read_row(attribute: Attribute, data: bytes, dialect: Dialect) -> tuple[int, ...]:
    if len(data) % attribute.width:
        raise ValueError
    places = [int.from_bytes(data[at : at + attribute.width], "big") for at in range(0, len(data), attribute.width)]
    return tuple(reversed(places) if dialect.arrays == "first_last" else places)


def _read_raw(_attribute: Attribute, data: bytes, _dialect: Dialect) -> bytes:
    return data


def _write_number(attribute: Attribute, value: Value, _dialect: Dialect) -> bytes:
    return _int(value).to_bytes(attribute.size, "big")


def _write_text(attribute: Attribute, value: Value, _dialect: Dialect) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    data = value.encode()
    if len(data) > attribute.size:
        raise ValueError
    return data.ljust(attribute.size, b"\0")


def _write_time(_attribute: Attribute, value: Value, _dialect: Dialect) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    date, _, time = value.partition("T")
    year, *rest = [int(each) for each in (*date.split("-"), *time.split(":"))]
    return year.to_bytes(2, "big") + bytes(rest)


def _write_set(attribute: Attribute, value: Value, dialect: Dialect) -> bytes:
    if not isinstance(value, frozenset) or any(not 1 <= number <= attribute.size * 8 for number in value):
        raise ValueError
    bits = sum(1 << number - 1 for number in value)
    return bits.to_bytes(attribute.size, "big" if dialect.arrays == "first_last" else "little")


def _write_row(attribute: Attribute, value: Value, dialect: Dialect) -> bytes:
    places = attribute.size // attribute.width
    if not isinstance(value, tuple) or len(value) > places:
        raise ValueError
    full: Sequence[int] = (*value, *[0] * (places - len(value)))
    ordered = reversed(full) if dialect.arrays == "first_last" else full
    return b"".join(number.to_bytes(attribute.width, "big") for number in ordered)


def _write_raw(attribute: Attribute, value: Value, _dialect: Dialect) -> bytes:
    if not isinstance(value, bytes) or len(value) > attribute.size:
        raise ValueError
    return value.rjust(attribute.size, b"\0")


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError
    return value


_READ: Mapping[str, Callable[[Attribute, bytes, Dialect], Value]] = {
    "number": _read_number,
    "text": _read_text,
    "time": _read_time,
    "set": _read_set,
    "row": _read_row,
    "raw": _read_raw,
}
_WRITE: Mapping[str, Callable[[Attribute, Value, Dialect], bytes]] = {
    "number": _write_number,
    "text": _write_text,
    "time": _write_time,
    "set": _write_set,
    "row": _write_row,
    "raw": _write_raw,
}
