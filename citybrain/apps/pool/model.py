# SPDX-License-Identifier: Apache-2.0
"""How entities are told to a person: in rows, in full, and as what stands on the map. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.records import Facts, Json, Text

NAMES = ("name", "title", "alternateName", "description")
"""Attributes that may say what an entity is called, the best first."""
SOURCES = ("providedBy", "source", "dataProvider", "owner")
"""Attributes of an attribute that may say where a value comes from."""
LOCATION = "location"
IN_BRIEF = 3


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """One value of an entity, for its row in a list."""

    name: str
    value: Json
    unit_code: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An entity in a list. `observed_at` is the newest time that any of its values was observed, "" when none was."""

    id: str
    type: str
    name: Text
    brief: Sequence[Brief]
    observed_at: str
    modified_at: str
    has_place: bool


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Entities of a list. `total` of them match among the `looked` that were looked at; `there` are there in all."""

    rows: Sequence[Row]
    total: int
    looked: int
    there: int


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute instance. `source` is who or what it comes from, as it says itself."""

    name: str
    kind: str
    value: Json
    dataset_id: str
    unit_code: str
    observed_at: str
    created_at: str
    modified_at: str
    expires_at: str
    source: str
    attributes: Sequence["Value"]


class EntityView(msgspec.Struct, frozen=True, kw_only=True):
    """An entity in full. `json` is its normalized NGSI-LD with the core context; `every_s` what its type promises."""

    id: str
    types: Sequence[str]
    scopes: Sequence[str]
    name: Text
    created_at: str
    modified_at: str
    expires_at: str
    geometry: Json
    values: Sequence[Value]
    every_s: float | None
    findings: Sequence[Any]
    json: Mapping[str, Any]


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An entity on the map."""

    id: str
    name: Text
    geometry: Json


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that was given up: about which entity, how often it was tried and why it failed."""

    number: int
    at: datetime
    about: str
    tries: int
    code: str
    facts: Facts
    died_at: datetime


def row_of(document: Document) -> Row:
    """An entity as a row."""
    return Row(
        id=document.id,
        type=document.types[0] if document.types else "",
        name=name_of(document),
        brief=tuple(_brief(document))[:IN_BRIEF],
        observed_at=max((each.observed_at for each in _instances(document)), default=""),
        modified_at=document.modified_at,
        has_place=place_of(document) is not None,
    )


def values_of(document: Document) -> list[Value]:
    """All attribute instances, what was observed first, then by name."""
    shown = [
        value_of(name, instance) for name, instances in sorted(document.attributes.items()) for instance in instances
    ]
    return sorted(shown, key=lambda each: not each.observed_at)


def value_of(name: str, instance: Instance) -> Value:
    """One attribute instance with the attributes it has itself."""
    return Value(
        name=name,
        kind=instance.type.value,
        value=instance.value,
        dataset_id=instance.dataset_id,
        unit_code=instance.unit_code,
        observed_at=instance.observed_at,
        created_at=instance.created_at,
        modified_at=instance.modified_at,
        expires_at=instance.expires_at,
        source=next((text for text in (_source(instance, each) for each in SOURCES) if text), ""),
        attributes=[value_of(inner, one) for inner, several in instance.attributes.items() for one in several],
    )


def name_of(document: Document) -> Text:
    """What an entity is called, by language where it says so; nothing when it says nothing."""
    for attribute in NAMES:
        for instance in document.attributes.get(attribute, ()):
            if isinstance(instance.value, str) and instance.value:
                return {"zh": instance.value, "en": instance.value}
            if isinstance(instance.value, dict):
                words = {str(lang)[:2]: word for lang, word in instance.value.items() if isinstance(word, str)}
                if words:
                    return words
    return {}


def place_of(document: Document) -> Json:
    """Where an entity is, as GeoJSON; None when it does not say."""
    for instance in document.attributes.get(LOCATION, ()):
        if instance.type is AttributeType.GEO_PROPERTY and isinstance(instance.value, dict):
            return instance.value
    return None


def texts_of(document: Document) -> Iterator[str]:
    """Every text of an entity that a person might look for."""
    yield document.id
    yield from document.types
    for name, instances in document.attributes.items():
        for instance in instances:
            if instance.type is not AttributeType.GEO_PROPERTY:
                yield from _texts(instance.value)
                yield name


def matches(document: Document, words: Sequence[str]) -> bool:
    """Every word stands somewhere in the entity, whatever its case."""
    texts = [text.casefold() for text in texts_of(document)]
    return all(any(word in text for text in texts) for word in words)


def without_secrets(address: str) -> str:
    """An address without user, password and query: everybody may look at it."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def _brief(document: Document) -> Iterator[Brief]:
    """Numbers and short words, what was observed first."""
    for value in values_of(document):
        is_plain = isinstance(value.value, int | float | bool) or (
            isinstance(value.value, str) and len(value.value) < 24 and not value.value.startswith("urn:")
        )
        if is_plain and value.kind == AttributeType.PROPERTY and value.name not in NAMES and not value.dataset_id:
            yield Brief(name=value.name, value=value.value, unit_code=value.unit_code)


def _instances(document: Document) -> Iterator[Instance]:
    for instances in document.attributes.values():
        yield from instances


def _source(instance: Instance, name: str) -> str:
    told = instance.attributes.get(name, ())
    return str(told[0].value) if told else ""


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
