# SPDX-License-Identifier: Apache-2.0
"""How a value of an entity compares to what a question says (CIM 009 clause 4.9, semantics of the operators)."""

import operator as order
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from citybrain.kernel.entities.expressions import Kind, Literal, Operator, Pattern, Range, Values
from citybrain.kernel.entities.moments import date_key, date_time_key, time_key
from citybrain.kernel.entities.patterns import compiled
from citybrain.kernel.entities.targets import As, Target
from citybrain.kernel.records import Json

Key = float | int | str | bool | None

_ORDERS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.GREATER: order.gt,
    Operator.GREATER_EQUAL: order.ge,
    Operator.LESS: order.lt,
    Operator.LESS_EQUAL: order.le,
}


def holds(target: Target, operator: Operator, operand: Values | Range | Pattern) -> bool:
    """The comparison is true of the value.

    Unlike kinds are unequal and in no order; a list equals what is among its members; only texts meet a pattern; what
    a Relationship points to is only equal or unequal.
    """
    if isinstance(operand, Pattern):
        return _in_pattern(target, operator, operand)
    if operator in _ORDERS:
        return isinstance(operand, Values) and _in_order(target, operator, operand.any_of[0])
    return _equal(target, operand) is (operator is Operator.EQUAL)


def plain(value: Json) -> Json:
    """What a typed value of JSON-LD, `{"@type": …, "@value": …}`, says; anything else as it is."""
    return value["@value"] if isinstance(value, dict) and "@value" in value else value


def _in_pattern(target: Target, operator: Operator, pattern: Pattern) -> bool:
    value = plain(target.value)
    texts = value if isinstance(value, list) and target.how is As.VALUE else [value]
    if target.how is not As.VALUE or not texts or not all(isinstance(text, str) for text in texts):
        return False
    search = compiled(pattern.text).search
    found = any(search(text) is not None for text in texts)
    return found is (operator is Operator.MATCHES)


def _in_order(target: Target, operator: Operator, literal: Literal) -> bool:
    if target.how in (As.OBJECT, As.WORDS):
        return False
    key = _key(plain(target.value), literal.kind)
    return key is not None and literal.kind is not Kind.BOOLEAN and _ORDERS[operator](key, literal.key)


def _equal(target: Target, operand: Values | Range) -> bool:
    members = _members(target.value)
    if isinstance(operand, Range):
        return target.how in (As.VALUE, As.MOMENT) and any(_within(member, operand) for member in members)
    return any(_same(member, target.how, literal) for member in members for literal in operand.any_of)


def _members(value: Json) -> Iterable[Json]:
    return [plain(each) for each in value] if isinstance(value, list) else [plain(value)]


def _within(member: Json, operand: Range) -> bool:
    key: Any = _key(member, operand.lowest.kind)
    return key is not None and bool(operand.lowest.key <= key <= operand.highest.key)


def _same(member: Json, how: As, literal: Literal) -> bool:
    if how is As.WORDS:
        return literal.vocab != "" and bool(member == literal.vocab)
    key = _key(member, literal.kind)
    return key is not None and bool(key == literal.key)


def _key(value: Json, kind: Kind) -> Key:
    """What orders a value as one of a kind; None if it is of another kind."""
    if kind is Kind.BOOLEAN:
        return value if isinstance(value, bool) else None
    if kind is Kind.NUMBER:
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    return value if kind in (Kind.TEXT, Kind.WORD) else _TIME_KEYS[kind](value)


_TIME_KEYS: Mapping[Kind, Callable[[str], int | None]] = {
    Kind.DATE_TIME: date_time_key,
    Kind.DATE: date_key,
    Kind.TIME: time_key,
}
