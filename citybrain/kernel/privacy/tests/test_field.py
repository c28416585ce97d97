# SPDX-License-Identifier: Apache-2.0
"""A form that asks for more than its purpose needs is found, with the name of the field."""

from datetime import timedelta
from typing import Any

import pytest

from citybrain.kernel.privacy import Basis, PersonalField, Retention, Sort, excess

PHONE = PersonalField(
    name="phone",
    purpose="answer",
    legal_basis=Basis.DUTY,
    retention=Retention(keep=timedelta(days=365)),
    sort=Sort.PHONE,
)

# fmt: off
FORMS: list[tuple[dict[str, Any], list[str], str]] = [
    ({"properties": {"what": {}, "where": {}}}, [], "nothing personal"),
    ({"properties": {"phone": {}}}, [], "declared for this purpose"),
    ({"properties": {"phone": {}, "id_number": {}}}, ["id_number"], "not declared"),
    ({"properties": {"kin": {"x-personal": True}}}, ["kin"], "marked, whatever it is called"),
    ({"properties": {"who": {"type": "object", "properties": {"Email": {}}}}}, ["Email"], "a part of a part"),
    ({"if": {}, "then": {"properties": {"address": {}}}}, ["address"], "asked only sometimes"),
    ({"allOf": [{"else": {"properties": {"name": {}}}}]}, ["name"], "in a branch"),
    ({"properties": {"all": {"items": {"properties": {"birthday": {}}}}}}, ["birthday"], "many of them"),
    ({"$defs": {"person": {"properties": {"wechat": {}}}}}, ["wechat"], "in a definition"),
]
# fmt: on


@pytest.mark.parametrize(("form", "names", "why"), FORMS)
def test_what_a_form_asks_in_excess_is_named(form: dict[str, Any], names: list[str], why: str) -> None:
    assert excess(form, "answer", [PHONE]) == names, why


def test_a_field_declared_for_another_purpose_is_in_excess() -> None:
    assert excess({"properties": {"phone": {}}}, "advertising", [PHONE]) == ["phone"]
