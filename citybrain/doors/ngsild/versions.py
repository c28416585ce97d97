# SPDX-License-Identifier: Apache-2.0
"""Answers for clients of earlier versions of the standard: `Prefer: ngsi-ld=1.5` (CIM 009 clause 4.3.6.8)."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from citybrain.doors.ngsild.preferences import VERSION, preferences
from citybrain.kernel.asgi import Request

OURS = (1, 9)
_VERSION = re.compile(r"(\d{1,2})\.(\d{1,2})")


class Since(msgspec.Struct, frozen=True):
    """The version that brought a kind of attribute, the key of its value, and what earlier clients read instead."""

    version: tuple[int, int]
    key: str
    kind: str = "Property"
    earlier_key: str = "value"


# Table 4.3.6.8-1: each falls back to the kind that an earlier client knows and that holds the same JSON.
SINCE: Mapping[str, Since] = {
    "LanguageProperty": Since((1, 4), "languageMap"),
    "VocabProperty": Since((1, 8), "vocab"),
    "JsonProperty": Since((1, 8), "json"),
    "ListProperty": Since((1, 8), "valueList"),
    "ListRelationship": Since((1, 8), "objectList"),
}


def preferred(request: Request) -> tuple[int, int] | None:
    """The version that the client prefers; None when it says nothing, or one that is newer than ours."""
    found = _VERSION.fullmatch(preferences(request).get(VERSION, "")) if "prefer" in request.headers else None
    if found is None:
        return None
    version = int(found[1]), int(found[2])
    return version if version <= OURS else None


def amended(shown: Any, version: tuple[int, int]) -> Any:
    """What is shown as a client of that version knows it; the same object when nothing in it is newer."""
    if isinstance(shown, list):
        made = [amended(each, version) for each in shown]
        return made if any(new is not old for new, old in zip(made, shown, strict=True)) else shown
    if not isinstance(shown, dict):
        return shown
    since = SINCE.get(str(shown.get("type")))
    is_newer = since is not None and version < since.version and since.key in shown
    changed: dict[str, Any] = {}
    for key, held in shown.items():
        # Values are the user's own JSON: what looks like an attribute in there is none.
        changed[key] = held if key in _VALUES else amended(held, version)
    if is_newer and since is not None:
        changed = {since.earlier_key if key == since.key else key: held for key, held in changed.items()}
        changed["type"] = since.kind
        return changed
    return changed if any(changed[key] is not held for key, held in shown.items()) else shown


_VALUES = frozenset({"value", "json", "languageMap", "vocab", "valueList", "objectList", "object", "@context"})
