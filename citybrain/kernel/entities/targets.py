# SPDX-License-Identifier: Apache-2.0
"""Which values of an entity a path leads to (CIM 009 clause 4.9, "target element" and "target value")."""

from collections.abc import Callable, Iterator
from enum import StrEnum

import msgspec

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.entities.expressions import Path
from citybrain.kernel.records import Json

LookUp = Callable[[str], Document | None]
"""The entity of an id, if it is stored here."""


class As(StrEnum):
    """How a value compares: by itself, as the entity or entities pointed to, as words of a vocabulary, as a time."""

    VALUE = "value"
    OBJECT = "object"
    WORDS = "words"
    MOMENT = "moment"


class Target(msgspec.Struct, frozen=True):
    """A value that a path leads to. A list means that each of its members counts."""

    how: As
    value: Json


OF_ENTITY: dict[str, Callable[[Document], Target | None]] = {
    "id": lambda document: Target(As.OBJECT, document.id),
    "type": lambda document: Target(As.WORDS, list(document.types)),
    "scope": lambda document: Target(As.VALUE, list(document.scopes)) if document.scopes else None,
    "createdAt": lambda document: _moment(document.created_at),
    "modifiedAt": lambda document: _moment(document.modified_at),
    "expiresAt": lambda document: _moment(document.expires_at),
}
_OF_INSTANCE: dict[str, Callable[[Instance], Target | None]] = {
    "observedAt": lambda instance: _moment(instance.observed_at),
    "createdAt": lambda instance: _moment(instance.created_at),
    "modifiedAt": lambda instance: _moment(instance.modified_at),
    "expiresAt": lambda instance: _moment(instance.expires_at),
    "unitCode": lambda instance: Target(As.VALUE, instance.unit_code) if instance.unit_code else None,
    "datasetId": lambda instance: Target(As.OBJECT, instance.dataset_id) if instance.dataset_id else None,
    "objectType": lambda instance: Target(As.WORDS, list(instance.object_type)) if instance.object_type else None,
    "type": lambda instance: Target(As.WORDS, str(instance.type)),
}


def targets(document: Document, path: Path, look_up: LookUp) -> Iterator[Target]:
    """Every value that the path leads to: one for each instance of the attribute, and each entity pointed to."""
    own = OF_ENTITY.get(path.names[0]) if len(path.names) == 1 and path.names[0] not in document.attributes else None
    if own is not None:
        found = own(document)
        if found is not None and not path.inside and path.linked is None:
            yield found
        return
    for instance in document.attributes.get(path.names[0], ()):
        yield from _below(instance, path, 1, look_up)


def objects(instance: Instance) -> tuple[str, ...]:
    """The ids of the entities that an instance of a Relationship or ListRelationship points to."""
    if instance.type is AttributeType.RELATIONSHIP:
        return tuple(instance.value) if isinstance(instance.value, list) else (str(instance.value),)
    if instance.type is AttributeType.LIST_RELATIONSHIP and isinstance(instance.value, list):
        return tuple(str(each["object"] if isinstance(each, dict) else each) for each in instance.value)
    return ()


def _below(instance: Instance, path: Path, at: int, look_up: LookUp) -> Iterator[Target]:
    if at == len(path.names):
        yield from _ends(instance, path, look_up)
        return
    name = path.names[at]
    inner = instance.attributes.get(name)
    if inner is not None:
        for each in inner:
            yield from _below(each, path, at + 1, look_up)
    elif at + 1 == len(path.names) and not path.inside and path.linked is None:
        own = _OF_INSTANCE.get(name)
        found = own(instance) if own is not None else _extra(instance, name)
        if found is not None:
            yield found


def _ends(instance: Instance, path: Path, look_up: LookUp) -> Iterator[Target]:
    if path.linked is not None:
        for id in objects(instance):
            linked = look_up(id)
            if linked is not None and (not path.types or not set(path.types).isdisjoint(linked.types)):
                yield from targets(linked, path.linked, look_up)
        return
    found = _value(instance, path.inside)
    if found is not None:
        yield found


def _value(instance: Instance, inside: tuple[str, ...]) -> Target | None:
    kind = instance.type
    if kind in (AttributeType.RELATIONSHIP, AttributeType.LIST_RELATIONSHIP):
        return Target(As.OBJECT, list(objects(instance))) if not inside else None
    if kind is AttributeType.VOCAB_PROPERTY:
        return Target(As.WORDS, instance.value) if not inside else None
    if kind is AttributeType.LANGUAGE_PROPERTY:
        return _of_language(instance.value, inside)
    value = instance.value
    for member in inside:
        value = value.get(member) if isinstance(value, dict) else None
    return None if value is None else Target(As.VALUE, value)


def _of_language(texts: Json, inside: tuple[str, ...]) -> Target | None:
    """The text in the language that `inside` names; without one, or with `*`, those in all languages."""
    if not isinstance(texts, dict) or len(inside) > 1:
        return None
    if inside and inside[0] != "*":
        return Target(As.VALUE, texts[inside[0]]) if inside[0] in texts else None
    every: list[Json] = []
    for text in texts.values():
        every.extend(text if isinstance(text, list) else [text])
    return Target(As.VALUE, every)


def _extra(instance: Instance, name: str) -> Target | None:
    value = instance.extra.get(name)
    return None if value is None else Target(As.VALUE, value)


def _moment(text: str) -> Target | None:
    return Target(As.MOMENT, text) if text else None
