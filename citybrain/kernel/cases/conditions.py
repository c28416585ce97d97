# SPDX-License-Identifier: Apache-2.0
"""Conditions in processes: comparisons of what is known, in a few words of Python that nobody can do harm with. Pure.

`case.category == "road" and approved`, `amount > 5000`, `case.fields.kind in ["a", "b"]`. Names that nothing is known
of are None; so is a part of None.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json

LONGEST = 500
COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
}
ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Constant),
    *(ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.List, ast.Tuple, *COMPARED),
)


class ConditionUnusable(Invalid):
    """What is no condition, or says more than a condition may."""


def check_condition(text: str) -> None:
    """Refuse `ConditionUnusable`."""
    _tree(text)


def holds(text: str, known: Mapping[str, Json]) -> Json:
    """The value of a condition; refuses `ConditionUnusable` when what it compares cannot be compared."""
    try:
        return _value(_tree(text), known)
    except (TypeError, ValueError, KeyError, IndexError) as problem:
        raise ConditionUnusable("kernel.condition_unusable", {"why": f"{text}: {problem}"[:200]}) from problem


def _tree(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ConditionUnusable("kernel.condition_unusable", {"why": f"{text[:80]} …"})
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        raise ConditionUnusable("kernel.condition_unusable", {"why": f"{text[:80]}: {problem}"[:200]}) from problem
    for node in ast.walk(tree):
        if not isinstance(node, ALLOWED):
            why = f"{text[:80]}: {type(node).__name__}"
            raise ConditionUnusable("kernel.condition_unusable", {"why": why})
    return tree.body


def _value(node: ast.expr, known: Mapping[str, Json]) -> Json:
    evaluate = VALUES[type(node)]
    return evaluate(node, known)


def _name(node: ast.Name, known: Mapping[str, Json]) -> Json:
    return known.get(node.id)


def _part(node: ast.Attribute, known: Mapping[str, Json]) -> Json:
    whole = _value(node.value, known)
    return whole.get(node.attr) if isinstance(whole, Mapping) else None


def _item(node: ast.Subscript, known: Mapping[str, Json]) -> Json:
    whole, key = _value(node.value, known), _value(node.slice, known)
    if isinstance(whole, Mapping):
        return whole.get(key)
    return whole[key] if isinstance(whole, list | tuple) else None


def _both(node: ast.BoolOp, known: Mapping[str, Json]) -> Json:
    value: Json = None
    for each in node.values:
        value = _value(each, known)
        if bool(value) is isinstance(node.op, ast.Or):
            return value
    return value


def _turned(node: ast.UnaryOp, known: Mapping[str, Json]) -> Json:
    value = _value(node.operand, known)
    return not value if isinstance(node.op, ast.Not) else -value


def _compared(node: ast.Compare, known: Mapping[str, Json]) -> bool:
    left = _value(node.left, known)
    for sign, each in zip(node.ops, node.comparators, strict=True):
        right = _value(each, known)
        if not COMPARED[type(sign)](left, right):
            return False
        left = right
    return True


VALUES: Mapping[type[ast.expr], Callable[[Any, Mapping[str, Json]], Json]] = {
    ast.Constant: lambda node, _: node.value,
    ast.Name: _name,
    ast.Attribute: _part,
    ast.Subscript: _item,
    ast.BoolOp: _both,
    ast.UnaryOp: _turned,
    ast.Compare: _compared,
    ast.List: lambda node, known: [_value(each, known) for each in node.elts],
    ast.Tuple: lambda node, known: [_value(each, known) for each in node.elts],
}
