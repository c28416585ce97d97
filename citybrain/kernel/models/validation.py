# SPDX-License-Identifier: Apache-2.0
"""What of an entity does not fit its model: pure, from the entity and the model alone."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.models.model import AttributeModel, EntityModel, provinces
from citybrain.kernel.records import Facts, Json

AREA_CODE = "areaCode"
_AREA_CODE = re.compile(r"\d{6}(\d{6})?")  # GB/T 2260 has six digits; townships and communities follow with six more
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not fit. `code` and `facts` make the sentence; `attribute` is "" for the entity itself."""

    code: str
    attribute: str = ""
    facts: Facts = {}


def findings(document: Document, models: Mapping[str, EntityModel]) -> tuple[Finding, ...]:
    """All that does not fit the models of the entity's types; nothing for types without a model.

    An attribute that no model names is no finding: models are the least that is agreed, not the most.
    """
    known = [models[name] for name in document.types if name in models]
    found: list[Finding] = []
    for model in known:
        found += [
            Finding(code="kernel.model_missing", attribute=name, facts={"attribute": name, "type": model.name})
            for name in model.required
            if name not in document.attributes
        ]
        for name, instances in document.attributes.items():
            expected = model.attributes.get(name)
            if expected is not None:
                found += [each for instance in instances for each in _misfits(name, instance, expected)]
    return (*found, *_bad_area_codes(document))


def _misfits(name: str, instance: Instance, model: AttributeModel) -> Iterator[Finding]:
    if not _is_kind(instance.type, model.kind):
        facts = {"attribute": name, "found": instance.type.value, "wanted": model.kind}
        yield Finding(code="kernel.model_kind", attribute=name, facts=facts)
        return
    if instance.type is not AttributeType.PROPERTY:
        return
    value = instance.value
    if model.value and not _IS_VALUE[model.value](value):
        facts = {"attribute": name, "found": str(value)[:60], "wanted": model.value}
        yield Finding(code="kernel.model_value", attribute=name, facts=facts)
        return
    yield from _outside(name, value, model)
    yield from _other_words(name, value, model)
    if model.unit and instance.unit_code and instance.unit_code != model.unit:
        facts = {"attribute": name, "found": instance.unit_code, "wanted": model.unit}
        yield Finding(code="kernel.model_unit", attribute=name, facts=facts)
    if model.form.startswith("date") and isinstance(value, str) and not _is_time(value):
        facts = {"attribute": name, "found": value[:60], "wanted": model.form}
        yield Finding(code="kernel.model_value", attribute=name, facts=facts)


def _outside(name: str, value: Json, model: AttributeModel) -> Iterator[Finding]:
    if not _is_number(value):
        return
    too_low = model.least is not None and value < model.least
    too_high = model.greatest is not None and value > model.greatest
    if too_low or too_high:
        facts = {"attribute": name, "value": value, "least": _limit(model.least), "greatest": _limit(model.greatest)}
        yield Finding(code="kernel.model_range", attribute=name, facts=facts)


def _limit(limit: float | None) -> Json:
    return "…" if limit is None else limit


def _other_words(name: str, value: Json, model: AttributeModel) -> Iterator[Finding]:
    if not model.words:
        return
    given: Sequence[Json] = value if isinstance(value, list) else [value]
    for word in given:
        if word not in model.words:
            facts = {"attribute": name, "found": str(word)[:60], "words": ", ".join(map(str, model.words))}
            yield Finding(code="kernel.model_word", attribute=name, facts=facts)


def _bad_area_codes(document: Document) -> Iterator[Finding]:
    """An area code has the form of GB/T 2260-2007 and begins with a province's two digits."""
    for instance in document.attributes.get(AREA_CODE, ()):
        code = str(instance.value)
        if not _AREA_CODE.fullmatch(code) or code[:2] not in provinces():
            yield Finding(code="kernel.model_area_code", attribute=AREA_CODE, facts={"found": code[:60]})


def _is_kind(found: AttributeType, wanted: str) -> bool:
    """A list of the plain kind fits the plain kind: a model says what it is, not how many."""
    plain = {AttributeType.LIST_PROPERTY: "Property", AttributeType.LIST_RELATIONSHIP: "Relationship"}
    also = {AttributeType.LANGUAGE_PROPERTY: "Property", AttributeType.VOCAB_PROPERTY: "Property"}
    also[AttributeType.JSON_PROPERTY] = "Property"
    return wanted in (found.value, plain.get(found), also.get(found))


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS_VALUE: Mapping[str, Callable[[Json], bool]] = {
    "number": _is_number,
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "string": lambda value: isinstance(value, str) or _is_typed(value),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list) or value is not None,  # one value is a list of one in JSON-LD
    "object": lambda value: isinstance(value, dict),
}


def _is_typed(value: Json) -> bool:
    """`{"@type": "DateTime", "@value": …}`: a text with its type, as NGSI-LD writes dates."""
    return isinstance(value, dict) and "@value" in value


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return _DATE.fullmatch(value) is not None
    return True
