# SPDX-License-Identifier: Apache-2.0
"""A question that asks for one value of an attribute can be looked up by it instead of being asked. Pure.

What is found this way is a superset of what holds: the question itself is asked afterwards.
"""

from collections.abc import Iterator

import msgspec

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.expressions import AllOf, Comparison, Expression, Kind, Operator, Values
from citybrain.kernel.entities.targets import OF_ENTITY, objects
from citybrain.kernel.records import Json

Key = float | str

_RELATIONSHIPS = frozenset({AttributeType.RELATIONSHIP, AttributeType.LIST_RELATIONSHIP})
_KINDS = frozenset({Kind.NUMBER, Kind.TEXT, Kind.WORD})


class Equality(msgspec.Struct, frozen=True):
    """An attribute that must have one of these values for the question to hold."""

    name: str
    keys: frozenset[Key]


def equality_of(question: Expression | None) -> Equality | None:
    """The first equality that a question insists on; None when it insists on none."""
    terms = question.terms if isinstance(question, AllOf) else (question,)
    return next((found for term in terms if (found := _read(term)) is not None), None)


def keys_of(document: Document, name: str) -> list[Key] | None:
    """The values of an attribute as keys; None when one of them cannot be a key, so that nothing can be said."""
    keys: list[Key] = []
    for instance in document.attributes.get(name, ()):
        for value in _members(instance):
            if isinstance(value, int | float | str):
                keys.append(value)
            elif value is not None:
                return None
    return keys


def _read(term: Expression | None) -> Equality | None:
    if not isinstance(term, Comparison) or term.operator is not Operator.EQUAL or not isinstance(term.operand, Values):
        return None
    path, literals = term.path, term.operand.any_of
    is_plain = len(path.names) == 1 and not path.inside and path.linked is None and path.names[0] not in OF_ENTITY
    if not is_plain or any(each.kind not in _KINDS for each in literals):
        return None
    keys = {each.key for each in literals} | {each.vocab for each in literals if each.vocab}
    return Equality(path.names[0], frozenset(keys))


def _members(instance: Instance) -> Iterator[Json]:
    if instance.type in _RELATIONSHIPS:
        yield from objects(instance)
        return
    value = instance.value
    yield from value if isinstance(value, list) else (value,)
