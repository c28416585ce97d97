# SPDX-License-Identifier: Apache-2.0
"""Parameters of an order, checked against what its means declares; what does not fit is told field by field."""

import re

import msgspec
import msgspec.inspect

from citybrain.kernel.app import Means
from citybrain.kernel.orders.order import ParametersInvalid
from citybrain.kernel.records import Facts

PLACE = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")
EXPECTED = re.compile(
    r"Expected `(?P<expected>[^`]+)`(?: (?P<bound>[<>]=? ?\S+|of length .+))?(?:, got `(?P<got>.+)`)?$"
)
NO_CHOICE = re.compile(r"Invalid enum value (?P<value>.+)$")
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`")


def checked(means: Means, parameters: Facts) -> Facts:
    """The parameters with defaults filled in. Refuses `ParametersInvalid`, which names the field and what is wrong."""
    known = {field.encode_name for field in msgspec.structs.fields(means.parameters)}
    for name in parameters:
        if name not in known:
            facts = {"means": means.name, "field": name, "known": ", ".join(sorted(known))}
            raise ParametersInvalid("kernel.order_field_unknown", facts)
    try:
        value = msgspec.convert(dict(parameters), means.parameters)
    except msgspec.ValidationError as error:
        raise _told(means, str(error)) from None
    # As JSON has it, so that what is kept and what is given are equal.
    plain: Facts = msgspec.json.decode(msgspec.json.encode(value))
    return plain


def _told(means: Means, problem: str) -> ParametersInvalid:
    """msgspec's English sentence as a code with facts."""
    place = PLACE.search(problem)
    said = PLACE.sub("", problem)
    facts = {"means": means.name, "field": place["field"] if place else ""}
    if missing := MISSING.match(said):
        inside = f"{facts['field']}.{missing['field']}" if facts["field"] else missing["field"]
        return ParametersInvalid("kernel.order_field_missing", {**facts, "field": inside})
    if choice := NO_CHOICE.match(said):
        choices = ", ".join(_choices(means, facts["field"]))
        return ParametersInvalid(
            "kernel.order_field_no_choice", {**facts, "value": choice["value"], "choices": choices}
        )
    if expected := EXPECTED.match(said):
        if expected["bound"]:
            return ParametersInvalid("kernel.order_field_out_of_range", {**facts, "bound": expected["bound"]})
        kinds = {"expected": expected["expected"], "got": expected["got"] or ""}
        return ParametersInvalid("kernel.order_field_wrong_kind", {**facts, **kinds})
    return ParametersInvalid("kernel.order_field_invalid", {**facts, "problem": said})


def _choices(means: Means, name: str) -> list[str]:
    """The values that a field may have, where the means lists them."""
    declared = msgspec.inspect.type_info(means.parameters)
    fields = declared.fields if isinstance(declared, msgspec.inspect.StructType) else ()
    type = next((field.type for field in fields if field.encode_name == name), None)
    if isinstance(type, msgspec.inspect.LiteralType):
        return [str(value) for value in type.values]
    if isinstance(type, msgspec.inspect.EnumType):
        return [str(member.value) for member in type.cls]
    return []
