# SPDX-License-Identifier: Apache-2.0
"""The operators and functions of `$filter` on plain values (OGC 18-088 tables 22 and 23).

Nothing here fails on values that do not fit: what cannot be said is None, which is never true.
Geometries are planar in degrees, so are distances and lengths: that is what other services answer.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from citybrain.doors.sensorthings.expression import Span
from citybrain.doors.sensorthings.moments import read_span

EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
LONGEST_TEXT = 1_000_000
Evaluated = Any
"""None, bool, int, float, str, Span, timedelta, date, time, a geometry, or an object of JSON."""


def compare(operator: str, left: Evaluated, right: Evaluated) -> bool | None:
    """A comparison; None when the two cannot be compared. `null` equals itself alone."""
    if left is None or right is None:
        same = left is right
        return same if operator == "eq" else not same if operator == "ne" else None
    left, right = _alike(left, right)
    if isinstance(left, Span) and isinstance(right, Span):
        return _SPANS[operator](left, right)
    if isinstance(left, bool) != isinstance(right, bool):
        return {"eq": False, "ne": True}.get(operator)
    try:
        return bool(_PLAIN[operator](left, right))
    except TypeError:
        return {"eq": False, "ne": True}.get(operator)


def calculate(operator: str, left: Evaluated, right: Evaluated) -> Evaluated:
    """Arithmetic on numbers, times and durations; None when it cannot be done."""
    if isinstance(left, str) and isinstance(right, timedelta):
        left = read_span(left)
    try:
        if isinstance(left, Span):
            return _shifted(operator, left, right)
        return _ARITHMETIC[operator](left, right)
    except (TypeError, ZeroDivisionError, OverflowError, ValueError, AttributeError):
        return None


def call(name: str, arguments: list[Evaluated], now: datetime) -> Evaluated:
    """What a function answers; None when its arguments do not fit."""
    if name == "now":
        return Span(now, now)
    if any(each is None for each in arguments):
        return None
    try:
        return FUNCTIONS[name](*arguments)
    except (TypeError, ValueError, OverflowError, AttributeError, KeyError, shapely.errors.ShapelyError):
        return None


def _alike(left: Evaluated, right: Evaluated) -> tuple[Evaluated, Evaluated]:
    """A text next to a time is read as a time."""
    if isinstance(left, str) and isinstance(right, Span):
        return read_span(left) or left, right
    if isinstance(right, str) and isinstance(left, Span):
        return left, read_span(right) or right
    return left, right


def _shifted(operator: str, span: Span, by: Evaluated) -> Evaluated:
    if operator == "sub" and isinstance(by, Span):
        return span.begin - by.begin
    if operator == "add":
        return Span(span.begin + by, span.end + by)
    return Span(span.begin - by, span.end - by) if operator == "sub" else None


def _divided(left: Evaluated, right: Evaluated) -> Evaluated:
    """Whole numbers that divide without rest stay whole."""
    if isinstance(left, int) and isinstance(right, int) and right and left % right == 0:
        return left // right
    return left / right


_PLAIN: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}
_SPANS: Mapping[str, Callable[[Span, Span], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a.begin > b.end or (a.begin == b.end and a.end > b.end),
    "ge": lambda a, b: a.begin >= b.begin and a.end >= b.end,
    "lt": lambda a, b: a.end < b.begin or (a.end == b.begin and a.begin < b.begin),
    "le": lambda a, b: a.end <= b.end and a.begin <= b.begin,
}
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: _times(a, b),
    "div": lambda a, b: _divided(a, b),
    "mod": lambda a, b: math.fmod(a, b) if isinstance(a, float) or isinstance(b, float) else int(math.fmod(a, b)),
}


def _times(left: Any, right: Any) -> Any:
    """Numbers and durations only: a text times a number would be a long text."""
    if isinstance(left, str) or isinstance(right, str):
        raise TypeError
    return left * right


def _at(value: Evaluated) -> datetime:
    span = read_span(value) if isinstance(value, str) else value
    if not isinstance(span, Span):
        raise TypeError
    return span.begin


def _span(value: Evaluated) -> Span:
    span = read_span(value) if isinstance(value, str) else value
    if not isinstance(span, Span):
        raise TypeError
    return span


def _text(value: Evaluated) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise TypeError
    return value


def _substring(text: Any, start: Any, length: Any = None) -> str:
    begin = max(0, int(start))
    return _text(text)[begin:] if length is None else _text(text)[begin : begin + max(0, int(length))]


def _shape(value: Evaluated) -> BaseGeometry:
    if not isinstance(value, BaseGeometry):
        raise TypeError
    return value


def _round(value: Any) -> Any:
    """Half away from zero, as OData says."""
    return math.floor(value + 0.5) if value >= 0 else -math.floor(-value + 0.5)


def _relation(test: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda a, b: bool(test(_shape(a), _shape(b)))


def _relate(a: Any, b: Any, pattern: Any) -> bool:
    return bool(shapely.relate_pattern(_shape(a), _shape(b), _text(pattern)))


FUNCTIONS: Mapping[str, Callable[..., Evaluated]] = {
    "substringof": lambda part, text: _text(part) in _text(text),
    "contains": lambda text, part: _text(part) in _text(text),
    "endswith": lambda text, part: _text(text).endswith(_text(part)),
    "startswith": lambda text, part: _text(text).startswith(_text(part)),
    "length": lambda text: len(_text(text)),
    # Table 23 counts from one: indexof(description,'Sensor') eq 1.
    "indexof": lambda text, part: _text(text).find(_text(part)) + 1,
    "substring": _substring,
    "tolower": lambda text: _text(text).lower(),
    "toupper": lambda text: _text(text).upper(),
    "trim": lambda text: _text(text).strip(),
    "concat": lambda a, b: _text(_text(a) + _text(b)),
    "year": lambda at: _at(at).year,
    "month": lambda at: _at(at).month,
    "day": lambda at: _at(at).day,
    "hour": lambda at: _at(at).hour,
    "minute": lambda at: _at(at).minute,
    "second": lambda at: _at(at).second,
    "fractionalseconds": lambda at: _at(at).microsecond / 1_000_000,
    "date": lambda at: _at(at).date(),
    "time": lambda at: _at(at).time(),
    "totaloffsetminutes": lambda at: 0 * _at(at).minute,
    "mindatetime": lambda: Span(EARLIEST, EARLIEST),
    "maxdatetime": lambda: Span(LATEST, LATEST),
    "round": _round,
    "floor": lambda value: math.floor(value),
    "ceiling": lambda value: math.ceil(value),
    "before": lambda a, b: _span(a).end < _span(b).begin,
    "after": lambda a, b: _span(a).begin > _span(b).end,
    "meets": lambda a, b: _span(a).end == _span(b).begin or _span(b).end == _span(a).begin,
    "during": lambda a, b: _span(a).begin >= _span(b).begin and _span(a).end <= _span(b).end,
    "overlaps": lambda a, b: _span(a).begin <= _span(b).end and _span(b).begin <= _span(a).end,
    "starts": lambda a, b: _span(a).begin == _span(b).begin,
    "finishes": lambda a, b: _span(a).end == _span(b).end,
    "geo.distance": lambda a, b: float(_shape(a).distance(_shape(b))),
    "geo.length": lambda a: float(_shape(a).length),
    "geo.intersects": _relation(shapely.intersects),
    "st_equals": _relation(shapely.equals),
    "st_disjoint": _relation(shapely.disjoint),
    "st_touches": _relation(shapely.touches),
    "st_within": _relation(shapely.within),
    "st_overlaps": _relation(shapely.overlaps),
    "st_crosses": _relation(shapely.crosses),
    "st_intersects": _relation(shapely.intersects),
    "st_contains": _relation(shapely.contains),
    "st_relate": _relate,
}
_NONE, _ONE, _TWO = (frozenset({0}), frozenset({1}), frozenset({2}))
_OTHERS = {
    "now": _NONE,
    "mindatetime": _NONE,
    "maxdatetime": _NONE,
    "substring": frozenset({2, 3}),
    "st_relate": frozenset({3}),
}
_SINGLE = (
    "length",
    "tolower",
    "toupper",
    "trim",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "fractionalseconds",
    "date",
    "time",
    "totaloffsetminutes",
    "round",
    "floor",
    "ceiling",
    "geo.length",
)
ARGUMENTS: Mapping[str, frozenset[int]] = {
    **{name: _TWO for name in FUNCTIONS},
    **{name: _ONE for name in _SINGLE},
    **_OTHERS,
}
"""How many arguments each function takes."""
