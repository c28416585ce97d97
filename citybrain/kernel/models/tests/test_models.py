# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from citybrain.kernel.entities.document import Attributes, AttributeType, Document, Instance
from citybrain.kernel.models.model import models
from citybrain.kernel.models.validation import findings

AIR, LAMP = "AirQualityObserved", "Streetlight"


def entity(type: str, **values: Any) -> Document:
    attributes: Attributes = {
        name: (value if isinstance(value, Instance) else Instance(type=AttributeType.PROPERTY, value=value),)
        for name, value in values.items()
    }
    return Document(id="urn:ngsi-ld:x:1", types=(type,), attributes=attributes)


def place() -> Instance:
    return Instance(type=AttributeType.GEO_PROPERTY, value={"type": "Point", "coordinates": [120.1, 30.2]})


# fmt: off
FITS = [
    (AIR, {"pm25": 35},                      None,                    "a usual value"),
    (AIR, {"pm25": -1},                      "kernel.model_range",    "a concentration is never negative"),
    (AIR, {"pm25": 3001},                    "kernel.model_range",    "beyond the profile's limit"),
    (AIR, {"pm25": 3000},                    None,                    "the limit itself fits"),
    (AIR, {"pm25": "much"},                  "kernel.model_value",    "a number is expected"),
    (AIR, {"pm25": True},                    "kernel.model_value",    "true is no number"),
    (AIR, {"airQualityIndex": 501},          "kernel.model_range",    "the index ends at 500"),
    (AIR, {"refDevice": "urn:x"},            "kernel.model_kind",     "a relationship is expected"),
    (AIR, {"somethingElse": -1},             None,                    "what no model names is free"),
    (LAMP, {"powerState": "on"},             None,                    "a word of the enumeration"),
    (LAMP, {"powerState": "glowing"},        "kernel.model_word",     "another word"),
    ("UnknownType", {"pm25": -1},            None,                    "no model, no finding"),
    ("UnknownType", {"areaCode": "330106"},  None,                    "a district of Hangzhou"),
    ("UnknownType", {"areaCode": "990106"},  "kernel.model_area_code", "no province has 99"),
    ("UnknownType", {"areaCode": "3301"},    "kernel.model_area_code", "six digits"),
]
# fmt: on


@pytest.mark.parametrize(("type", "values", "code", "why"), FITS)
def test_what_does_not_fit_its_model_is_found(type: str, values: dict[str, Any], code: str | None, why: str) -> None:
    found = {each.code for each in findings(entity(type, **values), models())} - {"kernel.model_missing"}
    assert found == ({code} if code else set()), why


def test_a_required_attribute_that_is_not_there_is_found() -> None:
    missing = [
        each.attribute for each in findings(entity(AIR, pm25=3), models()) if each.code == "kernel.model_missing"
    ]
    assert missing == list(models()[AIR].required)
    assert missing, "the model requires something"


def test_a_unit_other_than_the_citys_is_found() -> None:
    wrong = Instance(type=AttributeType.PROPERTY, value=3, unit_code="GP")
    codes = [each.code for each in findings(entity(AIR, pm25=wrong, location=place()), models())]
    assert "kernel.model_unit" in codes


def test_every_unit_is_a_code_and_every_limit_of_the_profile_names_its_source() -> None:
    for model in models().values():
        for name, attribute in model.attributes.items():
            assert len(attribute.unit) <= 3, f"{model.name}.{name} has the unit {attribute.unit}"
    assert models()[AIR].attributes["pm25"].source.startswith("GB 3095")
