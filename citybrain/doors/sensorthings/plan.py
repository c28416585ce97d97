# SPDX-License-Identifier: Apache-2.0
"""How Observations are looked for: what indexes decide of a `$filter`, in what order they come, what remains to ask."""

import math
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from citybrain.doors.sensorthings.expression import (
    Among,
    Binary,
    Call,
    Expression,
    Literal,
    Minus,
    Not,
    Path,
    Span,
    paths,
)
from citybrain.doors.sensorthings.options import ID_NAMES, Options, parts_of
from citybrain.kernel.pool.sensed import Bounds

MICROSECOND = timedelta(microseconds=1)
_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq"}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the history.

    `of_streams` are conditions on Datastreams, `features` and `instances` ids that are named; `rest` is what must
    still be asked of every row.
    """

    bounds: Bounds = Bounds()
    of_streams: tuple[Expression, ...] = ()
    streams: tuple[int, ...] = ()
    features: tuple[int, ...] = ()
    instances: tuple[int, ...] = ()
    rest: tuple[Expression, ...] = ()


def plan(options: Options) -> Plan:
    """What indexes can decide of a filter."""
    made = Plan()
    for part in parts_of(options.filter):
        made = _with(made, part)
    # What is named by its id is read by it alone, so all else must be asked.
    return msgspec.structs.replace(made, rest=parts_of(options.filter)) if made.instances else made


def by_time(options: Options) -> bool | None:
    """Whether the order is that of time (its direction, True if backward); None for any other order."""
    return _direction(options, ("phenomenonTime",))


def by_number(options: Options) -> bool | None:
    """Whether the order is that of ids (its direction, True if backward); None for any other order."""
    return next((found for name in ID_NAMES if (found := _direction(options, (name,))) is not None), None)


def _direction(options: Options, names: tuple[str, ...]) -> bool | None:
    if not options.order or not _is(options.order[0].by, names):
        return None
    backward = options.order[0].descending
    for each in options.order[1:]:
        if not any(_is(each.by, (name,)) for name in ID_NAMES) or each.descending is not backward:
            return None
    return backward


def _with(made: Plan, part: Expression) -> Plan:
    if all(path.names[0] == "Datastream" for path in paths(part)) and any(True for _ in paths(part)):
        stripped = _stripped(part)
        known = id_of(stripped, ())
        if known is not None:
            return msgspec.structs.replace(made, streams=(*made.streams, known))
        return msgspec.structs.replace(made, of_streams=(*made.of_streams, stripped))
    instance = id_of(part, ())
    if instance is not None:
        return msgspec.structs.replace(made, instances=(*made.instances, instance))
    feature = id_of(part, ("FeatureOfInterest",))
    if feature is not None:
        return msgspec.structs.replace(made, features=(*made.features, feature), rest=(*made.rest, part))
    bounds, is_exact = _bounded(made.bounds, part)
    rest = made.rest if is_exact else (*made.rest, part)
    return msgspec.structs.replace(made, bounds=bounds, rest=rest)


def id_of(part: Expression, before: Sequence[str]) -> int | None:
    """The id that a condition names: `Thing/@iot.id eq 7` with `before` being `("Thing",)`."""
    path, operator, value = _compared(part)
    if path is None or operator != "eq" or not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if path.names[:-1] == tuple(before) and path.names[-1] in ID_NAMES else None


def _bounded(bounds: Bounds, part: Expression) -> tuple[Bounds, bool]:
    """Bounds that a comparison of time or number sets, and whether they say all of it."""
    path, operator, value = _compared(part)
    if path is None:
        return bounds, False
    if path.names == ("result",) and isinstance(value, int | float) and not isinstance(value, bool):
        return _number(bounds, operator, float(value)), operator != "ne"
    if path.names == ("phenomenonTime",) and isinstance(value, Span) and value.begin == value.end:
        return _time(bounds, operator, value)
    return bounds, False


def _number(bounds: Bounds, operator: str, value: float) -> Bounds:
    low, high = bounds.low, bounds.high
    if operator in ("gt", "ge", "eq"):
        least = math.nextafter(value, math.inf) if operator == "gt" else value
        low = least if low is None else max(low, least)
    if operator in ("lt", "le", "eq"):
        most = math.nextafter(value, -math.inf) if operator == "lt" else value
        high = most if high is None else min(high, most)
    return msgspec.structs.replace(bounds, low=low, high=high)


def _time(bounds: Bounds, operator: str, value: Span) -> tuple[Bounds, bool]:
    """What begins late enough is decided; what ends early enough must be asked, for spans have another end."""
    at = value.begin
    try:
        if operator in ("gt", "ge"):
            since = max(bounds.since, at + MICROSECOND if operator == "gt" else at)
            return msgspec.structs.replace(bounds, since=since), True
        if operator in ("lt", "le", "eq"):
            until = min(bounds.until, at + MICROSECOND)
            since = max(bounds.since, at) if operator == "eq" else bounds.since
            return msgspec.structs.replace(bounds, since=since, until=until), False
    except OverflowError:
        pass
    return bounds, False


def _compared(part: Expression) -> tuple[Path | None, str, object]:
    """A comparison of a property with a value, the property first."""
    if not isinstance(part, Binary) or part.operator not in (*_TURNED, "ne"):
        return None, "", None
    if isinstance(part.left, Path) and isinstance(part.right, Literal):
        return part.left, part.operator, part.right.value
    if isinstance(part.left, Literal) and isinstance(part.right, Path):
        return part.right, _TURNED.get(part.operator, part.operator), part.left.value
    return None, "", None


def _stripped(part: Expression) -> Expression:
    """A condition on an Observation's Datastream as one on the Datastream."""
    return rebased(part, 1)


def rebased(part: Expression, steps: int) -> Expression:
    """An expression whose paths begin so many steps later."""
    found: Expression
    match part:
        case Path(names=names):
            found = Path(names[steps:])
        case Call(name=name, arguments=arguments):
            found = Call(name, tuple(rebased(each, steps) for each in arguments))
        case Binary(operator=operator, left=left, right=right):
            found = Binary(operator, rebased(left, steps), rebased(right, steps))
        case Not(of=of):
            found = Not(rebased(of, steps))
        case Minus(of=of):
            found = Minus(rebased(of, steps))
        case Among(path=path, ids=ids):
            found = Among(Path(path.names[steps:]), ids)
        case Literal():
            found = part
    return found


def _is(expression: Expression, names: tuple[str, ...]) -> bool:
    return isinstance(expression, Path) and expression.names == names
