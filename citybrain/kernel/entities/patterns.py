# SPDX-License-Identifier: Apache-2.0
"""Regular expressions of questions, kept to those that end soon (CIM 009 clauses 4.9, 5.7.2: RegExp, idPattern)."""

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

from citybrain.kernel.entities.refusals import BadRequestData, TooComplexQuery

# How Python itself reads an expression: the only way to know what it will repeat without reading it twice.
sign: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

LONGEST = 1_000
_MOST_OPEN = 4
"""A text of n characters takes at most n to the power of so many steps; ids are short."""
_OPEN_ENDS = re.compile(r"^\^?\.\*|(?<!\\)\.\*\$?$")
_CLASSES = (
    ("[[:alnum:]]", r"[^\W_]"), ("[[:alpha:]]", r"[^\W\d_]"), ("[[:digit:]]", r"\d"), ("[[:space:]]", r"\s"),
    ("[[:upper:]]", "[A-Z]"), ("[[:lower:]]", "[a-z]"), ("[[:punct:]]", r"[!-/:-@\[-`{-~]"),
    ("[[:xdigit:]]", "[0-9A-Fa-f]"), ("[[:blank:]]", "[ \\t]"),
)  # fmt: skip
_REPEATS = {sign.MAX_REPEAT, sign.MIN_REPEAT, sign.POSSESSIVE_REPEAT}
_BACKTRACKING = {sign.GROUPREF, sign.GROUPREF_EXISTS, sign.ASSERT, sign.ASSERT_NOT}


@lru_cache(maxsize=1024)
def compiled(text: str, parameter: str = "q") -> re.Pattern[str]:
    """The expression, to be searched for. `.*` at an end says nothing and is left out.

    Refuses `BadRequestData` what is no regular expression, and `TooComplexQuery` what may take for ever: a repetition
    of a repetition, more than `_MOST_OPEN` repetitions without an end, back references, looking around.
    """
    facts = {"parameter": parameter, "pattern": text[:100]}
    if len(text) > LONGEST:
        raise TooComplexQuery("kernel.pattern_too_complex", facts)
    for posix, ours in _CLASSES:
        text = text.replace(posix, ours)
    text = _OPEN_ENDS.sub("", text) if "|" not in text else text
    try:
        found = re.compile(text)
        tree = parser.parse(text)
    except (re.error, OverflowError, RecursionError) as why:
        raise BadRequestData("kernel.pattern_unreadable", {**facts, "why": str(why)}) from None
    if _open(tree, inside=False) > _MOST_OPEN:
        raise TooComplexQuery("kernel.pattern_too_complex", facts)
    return found


def _open(tree: Any, *, inside: bool) -> int:
    """How many repetitions of unsure length there are; too many at once for a choice inside of a repetition."""
    total = 0
    for operator, argument in tree:
        if operator in _BACKTRACKING or (inside and operator is sign.BRANCH):
            return _MOST_OPEN + 1
        if operator in _REPEATS:
            least, most, body = argument
            if inside and least != most:
                return _MOST_OPEN + 1
            total += (most > least + 1) + _open(body, inside=inside or most > 1)
        else:
            total += sum(_open(body, inside=inside) for body in _bodies(operator, argument))
    return total


def _bodies(operator: Any, argument: Any) -> list[Any]:
    if operator is sign.SUBPATTERN:
        return [argument[-1]]
    if operator is sign.BRANCH:
        return list(argument[1])
    return [argument] if operator is sign.ATOMIC_GROUP else []
