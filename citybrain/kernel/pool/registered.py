# SPDX-License-Identifier: Apache-2.0
"""What doors and apps register as `Entity` is kept as a document like any other: how one becomes the other."""

from collections.abc import Collection
from datetime import datetime

from citybrain.kernel.entities.document import (
    DEFAULT_TENANT,
    AttributeChange,
    AttributeType,
    Document,
    Done,
    EntityChange,
    Instance,
)
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.records import Entity, Json

NAME, PLACE, SOURCE = "name", "location", "source"


def change_of(entity: Entity, before: Document | None) -> EntityChange | None:
    """The change that makes a document say what an entity says; None when it says it already.

    Attributes that the entity does not name stay: others may have added them.
    """
    at = text_of(entity.observed_at)
    attributes = dict(before.attributes) if before else {}
    changed: list[AttributeChange] = []
    for name, (type, value) in _parts(entity).items():
        kept = next((each for each in attributes.get(name, ()) if not each.dataset_id), None)
        if kept and kept.type is type and kept.value == value:
            continue
        new = Instance(type=type, value=value, created_at=kept.created_at if kept else at, modified_at=at)
        others = tuple(each for each in attributes.get(name, ()) if each.dataset_id)
        attributes[name] = (new, *others)
        done = Done.UPDATED if kept else Done.CREATED
        changed.append(AttributeChange(name=name, done=done, before=kept, after=new))
    types = before.types if before and entity.type in before.types else (entity.type,)
    if before and not changed and types == before.types:
        return None
    after = Document(
        id=entity.id,
        types=types,
        scopes=before.scopes if before else (),
        created_at=before.created_at if before else at,
        modified_at=at,
        expires_at=before.expires_at if before else "",
        attributes=attributes,
    )
    return EntityChange(
        tenant=DEFAULT_TENANT,
        id=entity.id,
        at=entity.observed_at,
        before=before,
        after=after,
        attributes=tuple(changed),
    )


def entity_of(document: Document, observed: Collection[str]) -> Entity:
    """A document as doors and apps see it: the values of its plain properties, its name and its place.

    What is `observed` in columns is no slow fact, also when somebody wrote it into the document.
    """
    plain = {
        name: instance.value
        for name, instances in document.attributes.items()
        for instance in instances
        if instance.type is AttributeType.PROPERTY and not instance.dataset_id and name not in observed
    }
    return Entity(
        id=document.id,
        type=document.types[0],
        source=str(plain.pop(SOURCE, "")),
        observed_at=datetime.fromisoformat(document.modified_at or document.created_at),
        name=_value(document, NAME, AttributeType.LANGUAGE_PROPERTY) or {},
        geometry=_value(document, PLACE, AttributeType.GEO_PROPERTY),
        attributes=plain,
    )


def _parts(entity: Entity) -> dict[str, tuple[AttributeType, Json]]:
    parts: dict[str, tuple[AttributeType, Json]] = {
        name: (AttributeType.PROPERTY, value) for name, value in entity.attributes.items() if value is not None
    }
    parts[SOURCE] = (AttributeType.PROPERTY, entity.source)
    if entity.name:
        parts[NAME] = (AttributeType.LANGUAGE_PROPERTY, dict(entity.name))
    if entity.geometry:
        parts[PLACE] = (AttributeType.GEO_PROPERTY, entity.geometry)
    return parts


def _value(document: Document, name: str, type: AttributeType) -> Json:
    return next(
        (each.value for each in document.attributes.get(name, ()) if each.type is type and not each.dataset_id), None
    )
