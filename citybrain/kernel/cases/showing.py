# SPDX-License-Identifier: Apache-2.0
"""Cases as somebody may see them: personal fields of a form in clear, masked or not at all. Pure."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from citybrain.kernel.access.actor import Fields, Shown
from citybrain.kernel.cases.case import Case, CaseEvent
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.forms import fields_of
from citybrain.kernel.privacy import PersonalField, Sort, mask
from citybrain.kernel.records import Facts, Json


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


def shown_case(case: Case, type: CaseType, fields: Fields) -> Case:
    """A case with its personal fields as they may be shown."""
    return replace(case, fields=_shown(case.fields, sorts_of(type), fields))


def shown_event(event: CaseEvent, type: CaseType, fields: Fields) -> CaseEvent:
    """An act of its history likewise: what it changed is not told by another way."""
    changed = event.changes.get("fields")
    if not isinstance(changed, dict):
        return event
    return replace(event, changes={**event.changes, "fields": _shown(changed, sorts_of(type), fields)})


def _shown(values: Facts, sorts: Mapping[str, Sort], fields: Fields) -> Facts:
    return {
        name: shown_value(sorts[name], value, fields.of(name)) if name in sorts else value
        for name, value in values.items()
    }
