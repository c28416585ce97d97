# SPDX-License-Identifier: Apache-2.0
"""The models the city knows: Smart Data Models, with the city's own profile over them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

from citybrain.kernel.records import Json

HERE = Path(__file__).parent


class AttributeModel(msgspec.Struct, frozen=True):
    """What one attribute should be: `unit` a code of UN/CEFACT Recommendation 20, `source` where its limits are from.

    `value` is a JSON type, `words` the values of an enumeration, `form` a format of JSON Schema.
    """

    kind: str = "Property"
    value: str = ""
    least: float | None = None
    greatest: float | None = None
    words: tuple[Json, ...] = ()
    form: str = ""
    unit: str = ""
    source: str = ""


class EntityModel(msgspec.Struct, frozen=True):
    """What entities of a type should have. `required` are names of attributes."""

    name: str
    subject: str
    required: tuple[str, ...]
    attributes: Mapping[str, AttributeModel]


class _Written(msgspec.Struct, frozen=True):
    subject: str
    required: tuple[str, ...]
    attributes: dict[str, dict[str, Json]]


class _Profile(msgspec.Struct, frozen=True):
    sources: dict[str, str]
    attributes: dict[str, dict[str, dict[str, Json]]]
    unit_codes: dict[str, str]
    provinces: dict[str, str]


@cache
def _profile() -> _Profile:
    return msgspec.json.decode((HERE / "city_profile.json").read_bytes(), type=_Profile)


@cache
def models() -> Mapping[str, EntityModel]:
    """Every known model by the name of its type; what the city's profile says counts before the general model."""
    written = msgspec.json.decode((HERE / "smart_data_models.json").read_bytes(), type=dict[str, _Written])
    profile = _profile()
    return {
        name: EntityModel(
            name=name,
            subject=model.subject,
            required=model.required,
            attributes={
                attribute: _attribute(facts, profile.attributes.get(name, {}).get(attribute, {}))
                for attribute, facts in _with_profile(model.attributes, profile.attributes.get(name, {})).items()
            },
        )
        for name, model in written.items()
    }


def provinces() -> Mapping[str, str]:
    """Names of provinces by the first two digits of an area code (GB/T 2260-2007)."""
    return _profile().provinces


def _with_profile(
    written: Mapping[str, dict[str, Json]], profile: Mapping[str, dict[str, Json]]
) -> Mapping[str, dict[str, Json]]:
    return {**{name: {"value": "number"} for name in profile}, **written}


def _attribute(facts: Mapping[str, Json], profile: Mapping[str, Json]) -> AttributeModel:
    """A unit in words becomes its code; one we know no code for is left out rather than guessed."""
    codes, sources = _profile().unit_codes, _profile().sources
    unit = codes.get(str(facts.get("unit", "")).strip(), "")
    source = sources.get(str(profile.get("source", "")), "")
    return msgspec.convert({**facts, "unit": unit, **profile, "source": source}, AttributeModel)
