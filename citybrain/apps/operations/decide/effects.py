# SPDX-License-Identifier: Apache-2.0
"""Whether an order did what its means promises: the values before and after, held against the promise."""

from citybrain.kernel.app import Effect
from citybrain.kernel.records import Facts, Json


def wanted(effect: Effect, parameters: Facts) -> Json:
    """What the value is held against: a number, a word, or the order's own parameter (`{level}`)."""
    value = effect.value
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        return parameters.get(value[1:-1])
    return value


def holds(effect: Effect, before: Json, after: Json, parameters: Facts, *, anew: bool = False) -> bool | None:
    """Whether the promise was kept; None when the values do not say. `ordered` is kept by the outcome itself.

    `anew`: the value was observed after the order was carried out, though it may be the same.
    """
    if effect.becomes == "ordered":
        return True
    if effect.becomes == "changes":
        return None if after is None else anew or bool(after != before)
    return _compared(effect, before, after, wanted(effect, parameters))


def _compared(effect: Effect, before: Json, after: Json, against: Json) -> bool | None:
    if effect.becomes == "is":
        return None if after is None or against is None else bool(after == against)
    number, limit = _number(after), _number(against)
    if number is None:
        return None
    if effect.becomes in ("falls", "rises"):
        was = _number(before)
        return _changed(effect.becomes == "falls", was, number, _share(against, was) if limit is None else limit)
    if limit is None:
        return None
    return number < limit if effect.becomes == "below" else number > limit


def _changed(falls: bool, before: float | None, after: float, by: float | None) -> bool | None:
    if before is None:
        return None
    change = before - after if falls else after - before
    return change > 0 and (by is None or change >= by)


def _share(against: Json, before: float | None) -> float | None:
    """A limit like `10%`, of the value before."""
    if before is None or not isinstance(against, str) or not against.endswith("%"):
        return None
    return before * float(against.removesuffix("%")) / 100.0


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
