# SPDX-License-Identifier: Apache-2.0
"""JSON Patch (RFC 6902) on plain JSON; the value given is not touched."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from citybrain.doors.sensorthings.refusals import unusable
from citybrain.kernel.records import Json


def apply(value: Json, operations: Json) -> Json:
    """The value after all operations; refuses all of them when one cannot be done."""
    if not isinstance(operations, list):
        raise unusable("patch_unusable", operation=str(operations)[:200])
    patched = copy.deepcopy(value)
    for each in operations:
        act = _ACTS.get(each.get("op")) if isinstance(each, dict) else None
        if act is None or not isinstance(each.get("path"), str):
            raise unusable("patch_unusable", operation=str(each)[:200])
        try:
            patched = act(patched, each)
        except (KeyError, IndexError, TypeError, ValueError):
            raise unusable("patch_unusable", operation=str(each)[:200]) from None
    return patched


def _pointer(text: Any) -> list[str]:
    """The steps of a JSON Pointer (RFC 6901)."""
    if text == "":
        return []
    if not text.startswith("/"):
        raise ValueError
    return [step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/")]


def _at(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        value = value[_index(step, len(value))] if isinstance(value, list) else value[step]
    return value


def _index(step: str, length: int) -> int:
    if not step.isdigit() or (len(step) > 1 and step[0] == "0") or int(step) >= length:
        raise IndexError
    return int(step)


def _add(value: Any, steps: Sequence[str], new: Any) -> Any:
    if not steps:
        return new
    holder = _at(value, steps[:-1])
    if isinstance(holder, list):
        holder.insert(len(holder) if steps[-1] == "-" else _index(steps[-1], len(holder) + 1), new)
    else:
        holder[steps[-1]] = new
    return value


def _remove(value: Any, steps: Sequence[str]) -> Any:
    holder = _at(value, steps[:-1])
    if isinstance(holder, list):
        return holder.pop(_index(steps[-1], len(holder)))
    return holder.pop(steps[-1])


def _do_add(value: Any, act: Mapping[str, Any]) -> Any:
    return _add(value, _pointer(act["path"]), act["value"])


def _do_remove(value: Any, act: Mapping[str, Any]) -> Any:
    _remove(value, _pointer(act["path"]))
    return value


def _do_replace(value: Any, act: Mapping[str, Any]) -> Any:
    steps = _pointer(act["path"])
    _at(value, steps)
    if not steps:
        return act["value"]
    holder = _at(value, steps[:-1])
    holder[_index(steps[-1], len(holder)) if isinstance(holder, list) else steps[-1]] = act["value"]
    return value


def _do_copy(value: Any, act: Mapping[str, Any]) -> Any:
    return _add(value, _pointer(act["path"]), copy.deepcopy(_at(value, _pointer(act["from"]))))


def _do_move(value: Any, act: Mapping[str, Any]) -> Any:
    begin, end = _pointer(act["from"]), _pointer(act["path"])
    if end[: len(begin)] == begin and len(end) > len(begin):
        raise ValueError
    return _add(value, end, _remove(value, begin))


def _do_test(value: Any, act: Mapping[str, Any]) -> Any:
    if _at(value, _pointer(act["path"])) != act["value"]:
        raise ValueError
    return value


_ACTS: Mapping[Any, Callable[[Any, Mapping[str, Any]], Any]] = {
    "add": _do_add,
    "remove": _do_remove,
    "replace": _do_replace,
    "copy": _do_copy,
    "move": _do_move,
    "test": _do_test,
}
