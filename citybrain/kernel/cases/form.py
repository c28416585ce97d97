# SPDX-License-Identifier: Apache-2.0
"""Whether the fields of a case fit the form of its type."""

from collections.abc import Callable
from functools import lru_cache

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.refusals import FieldsRefused
from citybrain.kernel.db import to_json
from citybrain.kernel.records import Facts, Json

FormCheck = Callable[[CaseType, Facts], Facts]
"""Refuses fields that do not fit the form of a type, or answers with them as they are to be kept."""

PROBLEMS_TOLD = 20


def check_form(type: CaseType, fields: Facts) -> Facts:
    """Fields as they came when they fit the form; else `FieldsRefused` with where and why, at most twenty."""
    if not type.form:
        return fields
    problems = [
        {"field": problem.json_path, "why": problem.message, "rule": problem.validator}
        for problem in _validator(to_json(type.form)).iter_errors(dict(fields))
    ]
    if problems:
        told = problems[:PROBLEMS_TOLD]
        facts = {"type": type.id, "fields": [each["field"] for each in told], "problems": told}
        raise FieldsRefused("kernel.case_fields_refused", facts)
    return fields


@lru_cache(maxsize=500)
def _validator(form: bytes) -> Validator:
    schema: Json = msgspec.json.decode(form)
    validator: Validator = Draft202012Validator(schema)
    return validator
