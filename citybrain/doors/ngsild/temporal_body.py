# SPDX-License-Identifier: Apache-2.0
"""The temporal members of a Query's body as parameters of the same meaning (CIM 009 clauses 5.2.21, 5.2.23, 5.2.44)."""

from collections.abc import Mapping
from typing import Any

from citybrain.doors.ngsild.answers import BadRequestData
from citybrain.kernel.records import Json

OF_TIME = ("timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration")
OF_FIGURES = ("aggrMethods", "aggrPeriodDuration")
OF_FORM = ("pick", "omit", "attrs", "lang", "datasetId", "jsonKeys", "expandValues")


def params_of(body: Mapping[str, Json]) -> dict[str, str]:
    """What `temporalQ`, `aggrParams` and the members of form say; refuses what is no text, number or list of texts."""
    params: dict[str, str] = {}
    for member, names in (("temporalQ", OF_TIME), ("aggrParams", OF_FIGURES)):
        held = body.get(member)
        if held is not None:
            params |= _read(_object(member, held), names)
    return params | _read(body, OF_FORM)


def _read(held: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    return {name: _text(name, held[name]) for name in names if held.get(name) is not None}


def _object(name: str, held: Json) -> Mapping[str, Any]:
    if not isinstance(held, dict):
        raise BadRequestData("ngsild.member_unusable", {"name": name, "value": str(held)[:100]})
    return held


def _text(name: str, held: Json) -> str:
    if isinstance(held, str):
        return held
    if name == "lastN" and isinstance(held, int | float) and not isinstance(held, bool):
        return str(held)
    if isinstance(held, list) and held and all(isinstance(each, str) for each in held):
        return ",".join(str(each) for each in held)
    raise BadRequestData("ngsild.member_unusable", {"name": name, "value": str(held)[:100]})
