# SPDX-License-Identifier: Apache-2.0
"""The kinds of values that elements hold, each read and written: pure. What cannot be read raises `Unusable`."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from citybrain.doors.cap.model import Circle, Named, Point, Reference, Ring
from citybrain.kernel.records import Facts

SHOWN = 80
# CAP 1.2 section 3.3.2 and the schema: seconds without fractions, an offset and never "Z".
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
# xs:dateTime as CAP 1.0 and 1.1 take it; a time without an offset is no moment.
_OLD_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[-+]\d\d:\d\d)")
# Section 3.2.1: "MUST NOT include spaces, commas or restricted characters (< and &)".
_TOKEN = re.compile(r"[^\s,<&]+")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)")
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_GROUP = re.compile(r'"([^"]*)"|(\S+)')
_MOST_POINTS = 20_000
# Half the way round the earth: a larger circle is the whole of it.
_LARGEST_RADIUS_KM = 20_038.0


class Unusable(Exception):
    """A text that is no value of its kind: a code under `cap.` and its facts."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts: Facts = facts


class Kind(msgspec.Struct, frozen=True):
    """How a value is read from an element's text and written into it."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


def _same(text: str) -> str:
    return text


def _filled(text: str) -> str:
    if not text:
        raise Unusable("cap.value_empty")
    return text


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise Unusable("cap.token_unusable", value=text[:SHOWN])
    return text


def _language(text: str) -> str:
    if not text:
        return "en-US"  # the schema's default
    if not _LANGUAGE.fullmatch(text):
        raise Unusable("cap.language_unusable", value=text[:SHOWN])
    return text


def read_moment(text: str) -> datetime:
    """A time as CAP 1.2 writes it."""
    if not _MOMENT.fullmatch(text):
        raise Unusable("cap.time_unusable", value=text[:SHOWN])
    return _moment(text, text)


def read_old_moment(text: str) -> datetime:
    """A time as CAP 1.0 and 1.1 write it; fractions of a second are left out."""
    match = _OLD_MOMENT.fullmatch(text)
    if match is None:
        raise Unusable("cap.time_unusable", value=text[:SHOWN])
    return _moment(match[1] + match[2].replace("Z", "+00:00"), text)


def _moment(text: str, given: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)  # the first and the last day of all years cannot be told in UTC
    except (ValueError, OverflowError):
        raise Unusable("cap.time_unusable", value=given[:SHOWN]) from None
    return moment


def write_moment(moment: datetime) -> str:
    """A time in its own offset; UTC is `-00:00` (section 3.3.2). Fractions are cut; seconds of an offset are not
    known to CAP, so such a time is told in UTC."""
    offset = moment.utcoffset()
    assert offset is not None
    if offset % timedelta(minutes=1):
        moment, offset = moment.astimezone(UTC), timedelta(0)
    text = moment.replace(microsecond=0).isoformat()
    return f"{text[:-6]}-00:00" if not offset else text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise Unusable("cap.number_unusable", value=text[:SHOWN])
    return int(text)


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise Unusable("cap.number_unusable", value=text[:SHOWN])
    return Decimal(text)


def _point(text: str) -> Point:
    latitude, comma, longitude = text.partition(",")
    if not comma or not _NUMBER.fullmatch(latitude) or not _NUMBER.fullmatch(longitude):
        raise Unusable("cap.point_unusable", value=text[:SHOWN])
    lat, lon = float(latitude), float(longitude)
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise Unusable("cap.point_off_earth", value=text[:SHOWN])
    return lat, lon


def _ring(text: str) -> Ring:
    pairs = text.split()
    if len(pairs) < 4 or len(pairs) > _MOST_POINTS:
        raise Unusable("cap.polygon_points", count=len(pairs), most=_MOST_POINTS)
    points = tuple(_point(pair) for pair in pairs)
    if points[0] != points[-1]:
        raise Unusable("cap.polygon_open")
    return points


def _circle(text: str) -> Circle:
    parts = text.split()
    if len(parts) != 2 or not _NUMBER.fullmatch(parts[1]):
        raise Unusable("cap.circle_unusable", value=text[:SHOWN])
    radius = float(parts[1])
    if not 0 <= radius <= _LARGEST_RADIUS_KM:
        raise Unusable("cap.circle_unusable", value=text[:SHOWN])
    return Circle(_point(parts[0]), radius)


def number_text(number: float) -> str:
    """A number as short as it can be, never with an exponent (xs:decimal has none)."""
    text = format(Decimal(repr(number)), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _write_point(point: Point) -> str:
    return f"{number_text(point[0])},{number_text(point[1])}"


def _references(text: str) -> tuple[Reference, ...]:
    found = text.split()
    if not found:
        raise Unusable("cap.references_unusable", value="")
    return tuple(_reference(each) for each in found)


def _reference(text: str) -> Reference:
    parts = text.split(",")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _TOKEN.fullmatch(parts[1]):
        raise Unusable("cap.references_unusable", value=text[:SHOWN])
    return Reference(sender=parts[0], identifier=parts[1], sent=read_old_moment(parts[2]))


def _oldest_references(text: str) -> tuple[Reference, ...]:
    """CAP 1.0 names an earlier message as `identifier/sender`."""
    found = []
    for each in text.split():
        identifier, slash, sender = each.partition("/")
        if not slash or not _TOKEN.fullmatch(identifier) or not _TOKEN.fullmatch(sender):
            raise Unusable("cap.references_unusable", value=each[:SHOWN])
        found.append(Reference(sender=sender, identifier=identifier))
    return tuple(found)


def _write_references(references: tuple[Reference, ...]) -> str:
    return " ".join(f"{each.sender},{each.identifier},{write_moment(each.sent)}" for each in references if each.sent)


def _group(text: str) -> tuple[str, ...]:
    """Words between blanks; one with blanks in it stands in double quotes (section 3.2.1, addresses)."""
    return tuple(quoted or bare for quoted, bare in _GROUP.findall(text) if quoted or bare)


def _write_group(words: tuple[str, ...]) -> str:
    return " ".join(f'"{word}"' if re.search(r"\s", word) else word for word in words)


def _pair(text: str) -> Named:
    """CAP 1.0 writes `name=value` where later versions have two elements."""
    name, sign, value = text.partition("=")
    if not sign:
        raise Unusable("cap.pair_unusable", value=text[:SHOWN])
    return Named(name.strip(), value.strip())


def word(words: type[StrEnum], *, but: frozenset[str] = frozenset(), also: tuple[tuple[str, str], ...] = ()) -> Kind:
    """One of the words of an enumeration; `but` those that a version has not, `also` those that it says otherwise."""
    others = dict(also)
    known = [each.value for each in words if each.value not in but]

    def read(text: str) -> StrEnum:
        text = others.get(text, text)
        if text not in known:
            raise Unusable("cap.word_unknown", value=text[:SHOWN], known=known)
        return words(text)

    return Kind(read, str)


TEXT = Kind(_same, str)
FILLED = Kind(_filled, str)
TOKEN = Kind(_token, str)
LANGUAGE = Kind(_language, str)
MOMENT = Kind(read_moment, write_moment)
OLD_MOMENT = Kind(read_old_moment, write_moment)
INTEGER = Kind(_integer, str)
DECIMAL = Kind(_decimal, lambda number: format(number, "f"))
RING = Kind(_ring, lambda ring: " ".join(_write_point(point) for point in ring))
CIRCLE = Kind(_circle, lambda circle: f"{_write_point(circle.centre)} {number_text(circle.radius_km)}")
REFERENCES = Kind(_references, _write_references)
OLDEST_REFERENCES = Kind(_oldest_references, _write_references)
GROUP = Kind(_group, _write_group)
PAIR = Kind(_pair, lambda named: f"{named.name}={named.value}")
