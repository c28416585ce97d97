# SPDX-License-Identifier: Apache-2.0
"""Frames of GB/T 20999-2017 and back: pure, byte-exact, and any bytes are either a frame or refused."""

import struct
from enum import IntEnum
from typing import Literal, NamedTuple

import msgspec

from citybrain.kernel.errors import Invalid

HEAD, TAIL, ESCAPE = 0x7E, 0x7D, 0x5C
LONGEST = 0xFFFF + 4
"""A length of 16 bits, the head, the length itself and the tail."""

_FIXED = struct.Struct(">HHBIBBB")
"""Length, version, centre, controller, junction, sequence, type."""

_CRC_S = 2
_ITEM_HEAD = 6
_LONGEST_DATA = 255 - 4
_POLYNOMIAL = 0x1005


class FrameType(IntEnum):
    """What a frame is for: an answer is its request + 0x10, a refusal its request + 0x11."""

    QUERY = 0x10
    QUERY_REPLY = 0x20
    QUERY_ERROR = 0x21
    SET = 0x30
    SET_REPLY = 0x40
    SET_ERROR = 0x41
    BROADCAST = 0x50
    TRAP = 0x60
    BEAT = 0x70
    BEAT_REPLY = 0x80


ODD_BEAT_REPLY = 0x71
"""Some send this where others answer a heartbeat with 0x80; it is read as such."""

BEATS = frozenset({FrameType.BEAT, FrameType.BEAT_REPLY})


class Status(IntEnum):
    """Why a value was refused (table A.2.5); the one byte of data in an item of a refusal."""

    BAD_VALUE = 0x10
    WRONG_LENGTH = 0x11
    OUT_OF_RANGE = 0x12
    READ_ONLY = 0x20
    NOT_THERE = 0x30
    ERROR = 0x40
    CONTROL_FAILED = 0x50


class Address(NamedTuple):
    """Where a value is: class, object, attribute, element. 0 as attribute or element means all of them."""

    klass: int
    object: int
    attribute: int = 0
    element: int = 0


class Item(msgspec.Struct, frozen=True):
    """One value of a frame; a query's items have no data. `index` counts from 1."""

    index: int
    address: Address
    data: bytes = b""


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame without its wrapping."""

    type: FrameType
    items: tuple[Item, ...] = ()
    sequence: int = 0
    centre: int = 1
    controller: int = 0
    junction: int = 1
    version: int = 0x0102


class Dialect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where sources disagree or are silent; defaults and their sources: docs/reference/gbt20999-conformance.md.

    `version` is written into each frame and any is read. `length` says whether the length counts itself; both are read.
    `beat_count` puts the count of items into heartbeats; both are read. `centre` is one table with four columns or one
    object for each. `arrays` says whether the value of number 1 stands last or first. `items` is the most per query.
    `sequence` says whether a reply must carry the number of its query or may be told by what it is about.
    """

    version: int = 0x0102
    length: Literal["without", "with"] = "without"
    beat_count: bool = False
    centre: Literal["table", "objects"] = "table"
    arrays: Literal["first_last", "first_first"] = "first_last"
    intergreen_unit_s: float = 0.1
    centre_mode: int = 0x15
    items: int = 16
    sequence: Literal["echoed", "free"] = "echoed"


USUAL = Dialect()


class Unreadable(Invalid):
    """These bytes are no frame; the facts say why."""


class Unwritable(Invalid):
    """This does not fit into a frame; the facts say why."""


def crc16(data: bytes) -> int:
    """CRC of x¹⁶ + x¹² + x² + 1, begun with 0, the highest bit first, nothing inverted."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC_TABLE[crc >> 8 ^ byte]
    return crc


def _table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x8000 else crc << 1) & 0xFFFF
        table.append(crc)
    return table


_CRC_TABLE = _table()


def encode(frame: Frame, *, escaped: bool, dialect: Dialect = USUAL) -> bytes:
    """The bytes of a frame, `escaped` on TCP and serial lines but not on UDP. Refuses what does not fit."""
    body = b"" if frame.type in BEATS and not dialect.beat_count else bytes([_byte(len(frame.items), "count")])
    body += b"".join(_item(item) for item in frame.items)
    length = _FIXED.size - 2 + len(body) + _CRC_S + (2 if dialect.length == "with" else 0)
    try:
        head = _FIXED.pack(
            length, frame.version, frame.centre, frame.controller, frame.junction, frame.sequence, frame.type
        )
    except struct.error as error:
        raise Unwritable("gbt20999.unwritable", {"why": str(error)}) from error
    inside = head + body
    inside += crc16(inside).to_bytes(2, "big")
    return bytes([HEAD]) + (_escape(inside) if escaped else inside) + bytes([TAIL])


def decode(data: bytes) -> Frame:
    """The frame between head and tail, already unescaped (`Splitter` or `datagram` make such bytes)."""
    if len(data) < _FIXED.size + _CRC_S:
        raise Unreadable("gbt20999.unreadable", {"why": "short"})
    inside, crc = data[:-_CRC_S], int.from_bytes(data[-_CRC_S:], "big")
    if crc16(inside) != crc:
        raise Unreadable("gbt20999.unreadable", {"why": "crc"})
    length, version, centre, controller, junction, sequence, type = _FIXED.unpack_from(inside)
    if length not in (len(data) - 2, len(data)):
        raise Unreadable("gbt20999.unreadable", {"why": "length"})
    return Frame(
        type=_type(type),
        items=_items(inside[_FIXED.size :]),
        sequence=sequence,
        centre=centre,
        controller=controller,
        junction=junction,
        version=version,
    )


def datagram(data: bytes) -> Frame:
    """The frame that is a whole UDP datagram: nothing in it is escaped."""
    if len(data) < 2 or data[0] != HEAD or data[-1] != TAIL:
        raise Unreadable("gbt20999.unreadable", {"why": "ends"})
    return decode(data[1:-1])


class Splitter:
    """Finds the frames in a stream of bytes, over any cuts in it; what is none is skipped up to the next head.

    An unescaped head inside a frame begins another one: the first was torn. What never ends is given up at `LONGEST`.
    """

    def __init__(self) -> None:
        self._inside: bytearray | None = None
        self._is_escaped = False

    def feed(self, data: bytes) -> list[bytes]:
        """The insides, unescaped, of the frames that end in these bytes."""
        found: list[bytes] = []
        for byte in data:
            if self._is_escaped:
                self._is_escaped = False
                self._keep(byte)
            elif byte == HEAD:
                self._inside = bytearray()
            elif self._inside is None:
                continue
            elif byte == ESCAPE:
                self._is_escaped = True
            elif byte == TAIL:
                found.append(bytes(self._inside))
                self._inside = None
            else:
                self._keep(byte)
        return found

    def _keep(self, byte: int) -> None:
        if self._inside is None:
            return
        self._inside.append(byte)
        if len(self._inside) > LONGEST:
            self._inside = None


def _escape(inside: bytes) -> bytes:
    out = bytearray()
    for byte in inside:
        if byte in (HEAD, TAIL, ESCAPE):
            out.append(ESCAPE)
        out.append(byte)
    return bytes(out)


def _item(item: Item) -> bytes:
    if len(item.data) > _LONGEST_DATA:
        raise Unwritable("gbt20999.unwritable", {"why": f"{len(item.data)} > {_LONGEST_DATA}"})
    numbers = [item.index, 4 + len(item.data), *item.address]
    return bytes(_byte(number, "item") for number in numbers) + item.data


def _byte(number: int, what: str) -> int:
    if not 0 <= number <= 0xFF:
        raise Unwritable("gbt20999.unwritable", {"why": f"{what} {number}"})
    return number


def _type(number: int) -> FrameType:
    if number == ODD_BEAT_REPLY:
        return FrameType.BEAT_REPLY
    try:
        return FrameType(number)
    except ValueError as error:
        raise Unreadable("gbt20999.unreadable", {"why": f"type 0x{number:02X}"}) from error


def _items(data: bytes) -> tuple[Item, ...]:
    """A count and so many items; nothing at all is no items, as heartbeats have it."""
    if not data:
        return ()
    items: list[Item] = []
    at = 1
    for _ in range(data[0]):
        if at + _ITEM_HEAD > len(data):
            raise Unreadable("gbt20999.unreadable", {"why": "items"})
        end = at + 2 + data[at + 1]
        if end < at + _ITEM_HEAD or end > len(data):
            raise Unreadable("gbt20999.unreadable", {"why": "items"})
        items.append(Item(data[at], Address(*data[at + 2 : at + _ITEM_HEAD]), data[at + _ITEM_HEAD : end]))
        at = end
    if at != len(data):
        raise Unreadable("gbt20999.unreadable", {"why": "items"})
    return tuple(items)
