# SPDX-License-Identifier: Apache-2.0
from typing import Annotated, Any, Literal

import msgspec
import pytest

from citybrain.kernel.app import Means
from citybrain.kernel.i18n import load_words
from citybrain.kernel.orders.order import ParametersInvalid
from citybrain.kernel.orders.parameters import checked


class Wave(msgspec.Struct, frozen=True, kw_only=True):
    stage: int
    mode: Literal["brain", "plan"] = "brain"
    speed_kmh: Annotated[float, msgspec.Meta(ge=10, le=80)] = 50.0
    signals: tuple[str, ...] = ()


MEANS = Means(name="road.wave", permission="road.control", parameters=Wave, undone_by="")

# fmt: off
WRONG: list[tuple[dict[str, Any], str, str, str]] = [
    ({},                                "missing",      "stage",      "needs the parameter stage"),
    ({"stage": "two"},                  "wrong_kind",   "stage",      "must be int, not str"),
    ({"stage": 1, "mode": "off"},       "no_choice",    "mode",       "it can be: brain, plan"),
    ({"stage": 1, "speed_kmh": 200},    "out_of_range", "speed_kmh",  "must be <= 80.0"),
    ({"stage": 1, "signals": ["a", 3]}, "wrong_kind",   "signals[1]", "must be str, not int"),
    ({"stage": 1, "colour": "red"},     "unknown",      "colour",     "it has: mode, signals, speed_kmh, stage"),
]
# fmt: on


@pytest.mark.parametrize(("parameters", "code", "field", "sentence"), WRONG)
def test_what_does_not_fit_is_told_with_the_name_of_the_field(
    parameters: dict[str, Any], code: str, field: str, sentence: str
) -> None:
    with pytest.raises(ParametersInvalid) as refused:
        checked(MEANS, parameters)
    assert (refused.value.code, refused.value.facts["field"]) == (f"kernel.order_field_{code}", field)
    words = load_words()
    assert sentence in words.sentence(refused.value.code, refused.value.facts, "en")
    assert field in words.sentence(refused.value.code, refused.value.facts, "zh")


def test_defaults_are_filled_in_as_json_has_them() -> None:
    assert checked(MEANS, {"stage": 2, "signals": ["a"]}) == {
        "stage": 2,
        "mode": "brain",
        "speed_kmh": 50.0,
        "signals": ["a"],
    }
