# SPDX-License-Identifier: Apache-2.0
"""Every means of the city can be ordered, carried out, checked and undone, and says all that in both languages."""

import msgspec
import pytest
from jsonschema import Draft202012Validator

from citybrain.kernel.app import Means
from citybrain.serve import catalog, contributions

LANGUAGES = ("zh", "en")
PARTS = ("", ".does", ".effect", ".undo")
FLOOR = 96
"""So many means of disposal the city that we measure ourselves by has in one flow."""

MEANS = {means.name: means for app in catalog.apps() for means in app.means}
TWINS = {
    # What only takes another one back; nobody orders it by itself.
    "traffic.end_hold",
    "traffic.unlock",
    "traffic.end_plan",
    "traffic.end_green_wave",
    "traffic.end_bus_priority",
    "traffic.cancel_mission",
    "traffic.release",
    "traffic.reroute_vehicle",
    "street.reopen",
    "signals.resume",
    "devices.release",
    "information.all_clear",
    "information.cap_cancel",
    "administration.recall",
}
EACH = pytest.mark.parametrize("means", MEANS.values(), ids=MEANS)


def test_there_are_as_many_as_the_best_city_has_without_counting_what_only_undoes() -> None:
    assert len(MEANS.keys() - TWINS) >= FLOOR
    assert len(MEANS) > FLOOR


@EACH
def test_it_has_an_executor_a_group_a_precondition_and_a_promise(means: Means) -> None:
    assert means.name in contributions.trade().executed
    assert means.group
    assert means.precondition
    assert means.effect is not None
    assert means.effect.within.total_seconds() > 0


@EACH
def test_it_says_in_both_languages_what_it_is_does_promises_and_how_it_is_undone(means: Means) -> None:
    for language in LANGUAGES:
        words = catalog.words().of(language)
        for part in PARTS:
            assert words.get(f"means.{means.name}{part}", "").strip(), f"{language}: means.{means.name}{part}"
        assert words.get(means.precondition, "").strip()


@EACH
def test_its_parameters_have_a_schema_of_which_each_part_has_words(means: Means) -> None:
    schema = msgspec.json.schema(means.parameters)
    Draft202012Validator.check_schema(schema)
    assert (means.parameters.__doc__ or "").strip()


@EACH
def test_what_undoes_it_is_a_means_or_the_reason_is_said(means: Means) -> None:
    assert means.undone_by in {"", *MEANS}
    if means.lasts:
        assert means.undone_by, "what stands must be ended by something"
    if not means.undone_by:
        assert len(catalog.words().of("en")[f"means.{means.name}.undo"]) > 10


@EACH
def test_what_a_promise_compares_with_is_a_number_or_a_parameter(means: Means) -> None:
    effect = means.effect
    assert effect is not None
    if effect.becomes in ("above", "below", "is"):
        assert effect.value is not None
    if isinstance(effect.value, str) and effect.value.startswith("{"):
        named = {field.encode_name for field in msgspec.structs.fields(means.parameters)}
        assert effect.value.strip("{}") in named
