# SPDX-License-Identifier: Apache-2.0
"""Personal fields of a form as somebody may see them: in clear, masked or not at all. Pure."""

from collections.abc import Mapping

import msgspec

from citybrain.kernel.access.actor import Shown
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.forms import fields_of
from citybrain.kernel.privacy import PersonalField, Sort, mask
from citybrain.kernel.records import Json


def personal_fields(type: CaseType) -> list[PersonalField]:
    """What a type declares of its personal fields."""
    return [msgspec.convert(dict(each), PersonalField) for each in type.personal]


def sorts_of(type: CaseType) -> Mapping[str, Sort]:
    """The personal fields of a type. What its schema marks is so although nothing declares how it is masked."""
    marked = {name: Sort.OTHER for name, schema in fields_of(type.form).items() if schema.get("x-personal")}
    return {**marked, **{each.name: each.sort for each in personal_fields(type)}}


def shown_value(sort: Sort, value: Json, how: Shown) -> Json:
    """A personal value as it may be shown; hidden it is empty."""
    if value in (None, "") or how is Shown.CLEAR:
        return value
    return mask(sort, str(value)) if how is Shown.MASKED else ""
