# SPDX-License-Identifier: Apache-2.0
"""SNMP messages of version 1 and 2c as bytes and back (RFC 1157, RFC 3416, basic encoding rules of X.690)."""

from collections.abc import Iterator
from enum import IntEnum, StrEnum

import msgspec

from citybrain.kernel.errors import Invalid

Oid = tuple[int, ...]

LONGEST_OID = 128
"""Sub-identifiers of one object identifier (RFC 2578 section 3.5), each of 32 bits at most."""

INTEGER, OCTETS, NULL, OBJECT_ID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
LONGEST_INTEGER = 9
"""Octets of the longest integer that SNMP knows: Counter64, unsigned."""


class UnreadableFrame(Invalid):
    """These bytes are no SNMP message that we know."""


class Version(IntEnum):
    """The number that stands in the message."""

    V1 = 0
    V2C = 1


class Kind(IntEnum):
    """What a message is for, by the tag of its PDU."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GET_BULK = 0xA5
    INFORM = 0xA6
    TRAP = 0xA7
    REPORT = 0xA8


class Problem(IntEnum):
    """Why a request was not done (RFC 3416 section 3, error-status; 1 to 5 are those of version 1)."""

    NONE = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GENERAL = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_VALUE = 10
    NOT_WRITABLE = 17


class Absent(StrEnum):
    """What version 2c answers in place of a value that is not there."""

    NO_OBJECT = "no_object"
    NO_INSTANCE = "no_instance"
    END = "end"


_ABSENT = {0x80: Absent.NO_OBJECT, 0x81: Absent.NO_INSTANCE, 0x82: Absent.END}
_TAG_OF_ABSENT = {absent: tag for tag, absent in _ABSENT.items()}


class Special(msgspec.Struct, frozen=True):
    """A value of an SNMP type of its own (counter, gauge, time ticks, address), as its tag and bytes."""

    tag: int
    content: bytes

    @property
    def number(self) -> int:
        """The value of a counter, gauge or time ticks."""
        return int.from_bytes(self.content, "big")


Value = int | bytes | Oid | Absent | Special | None
Bindings = tuple[tuple[Oid, Value], ...]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. In a GET_BULK, `problem` holds the non-repeaters and `index` the most repetitions."""

    kind: Kind
    request_id: int
    bindings: Bindings
    community: bytes = b"public"
    version: Version = Version.V1
    problem: int = 0
    index: int = 0


def encode(message: Message) -> bytes:
    """The bytes of a message, in the shortest form."""
    bindings = b"".join(
        _field(SEQUENCE, _field(OBJECT_ID, _oid_octets(oid)) + _value(value)) for oid, value in message.bindings
    )
    numbers = _integer(message.request_id) + _integer(message.problem) + _integer(message.index)
    pdu = _field(message.kind, numbers + _field(SEQUENCE, bindings))
    return _field(SEQUENCE, _integer(message.version) + _field(OCTETS, message.community) + pdu)


def decode(frame: bytes) -> Message:
    """What the bytes of one datagram say. Refuses what is not exactly one message."""
    whole = _only(frame, SEQUENCE)
    fields = list(_fields(whole))
    if [tag for tag, _ in fields[:2]] != [INTEGER, OCTETS] or len(fields) != 3:
        raise _unreadable("message")
    tag, pdu = fields[2]
    parts = list(_fields(pdu))
    if [tag for tag, _ in parts] != [INTEGER, INTEGER, INTEGER, SEQUENCE]:
        raise _unreadable("pdu")
    try:
        version, kind = Version(_number(fields[0][1])), Kind(tag)
    except ValueError as error:
        raise _unreadable("version_or_kind") from error
    return Message(
        kind=kind,
        request_id=_number(parts[0][1]),
        problem=_number(parts[1][1]),
        index=_number(parts[2][1]),
        bindings=tuple(_binding(tag, octets) for tag, octets in _fields(parts[3][1])),
        community=fields[1][1],
        version=version,
    )


def _unreadable(where: str) -> UnreadableFrame:
    return UnreadableFrame("ntcip.frame_unreadable", {"where": where})


def _field(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _integer(number: int) -> bytes:
    return _field(INTEGER, number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True))


def _value(value: Value) -> bytes:
    match value:
        case None:
            return _field(NULL, b"")
        case int():
            return _integer(value)
        case bytes():
            return _field(OCTETS, value)
        case tuple():
            return _field(OBJECT_ID, _oid_octets(value))
        case Absent():
            return _field(_TAG_OF_ABSENT[value], b"")
        case Special():
            return _field(value.tag, value.content)


def _oid_octets(oid: Oid) -> bytes:
    """The first two sub-identifiers share one number (X.690 section 8.19.4)."""
    return b"".join(_septets(part) for part in (oid[0] * 40 + oid[1], *oid[2:]))


def _septets(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(number & 0x7F | 0x80)
    return bytes(reversed(octets))


def _only(frame: bytes, tag: int) -> bytes:
    fields = list(_fields(frame))
    if len(fields) != 1 or fields[0][0] != tag:
        raise _unreadable("message")
    return fields[0][1]


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each field; only definite lengths (RFC 3417 section 8)."""
    at = 0
    while at < len(content):
        tag = content[at]
        size, begin = _size(content, at + 1)
        if begin + size > len(content) or tag & 0x1F == 0x1F:
            raise _unreadable("length")
        yield tag, content[begin : begin + size]
        at = begin + size


def _size(content: bytes, at: int) -> tuple[int, int]:
    if at >= len(content):
        raise _unreadable("length")
    first = content[at]
    if first < 0x80:
        return first, at + 1
    many = first & 0x7F
    if not 1 <= many <= 4 or at + 1 + many > len(content):
        raise _unreadable("length")
    return int.from_bytes(content[at + 1 : at + 1 + many], "big"), at + 1 + many


def _number(octets: bytes) -> int:
    if not 1 <= len(octets) <= LONGEST_INTEGER:
        raise _unreadable("integer")
    return int.from_bytes(octets, "big", signed=True)


def _binding(tag: int, octets: bytes) -> tuple[Oid, Value]:
    fields = list(_fields(octets))
    if tag != SEQUENCE or len(fields) != 2 or fields[0][0] != OBJECT_ID:
        raise _unreadable("binding")
    return _oid(fields[0][1]), _read_value(*fields[1])


def _read_value(tag: int, octets: bytes) -> Value:
    if tag == INTEGER:
        return _number(octets)
    if tag == OCTETS:
        return octets
    if tag == OBJECT_ID:
        return _oid(octets)
    if tag in _ABSENT or tag == NULL:
        if octets:
            raise _unreadable("value")
        return _ABSENT.get(tag)
    if 0x40 <= tag <= 0x47:
        return Special(tag, octets)
    raise _unreadable("value")


def _oid(octets: bytes) -> Oid:
    parts: list[int] = []
    number = 0
    for octet in octets:
        number = number << 7 | octet & 0x7F
        if number >= 1 << 32:
            raise _unreadable("object_id")
        if not octet & 0x80:
            parts.append(number)
            number = 0
    if not parts or octets[-1] & 0x80 or len(parts) >= LONGEST_OID:
        raise _unreadable("object_id")
    first = min(parts[0] // 40, 2)
    return (first, parts[0] - 40 * first, *parts[1:])
