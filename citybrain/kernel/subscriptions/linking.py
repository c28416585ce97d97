# SPDX-License-Identifier: Apache-2.0
"""Linked entities in a notification: inside the Relationship, or beside the entity (CIM 009 clause 4.5.23). Pure."""

from collections.abc import Iterator

import msgspec

from citybrain.kernel.entities.document import AttributeType, Document
from citybrain.kernel.entities.projection import Projection
from citybrain.kernel.entities.represent import Link, represent
from citybrain.kernel.entities.shape import Shape
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.compiled import Compiled, LookUp

USUAL_LEVEL = 1
_RELATIONSHIPS = frozenset({AttributeType.RELATIONSHIP, AttributeType.LIST_RELATIONSHIP})


def inline(one: Compiled, look_up: LookUp) -> Link | None:
    """What puts linked entities into Relationships; None when the subscriber does not want that."""
    params = one.subscription.params
    if params.join != "inline":
        return None
    return _link(one.context, one.shape, look_up, params.join_level or USUAL_LEVEL)


def beside(one: Compiled, document: Document, look_up: LookUp) -> list[Document]:
    """The linked entities to be told beside an entity, each once."""
    params = one.subscription.params
    if params.join != "flat":
        return []
    found: dict[str, Document] = {}
    level = list(_targets(_seen(document, one.shape)))
    for _ in range(params.join_level or USUAL_LEVEL):
        new = [target for id in level if id not in found and id != document.id and (target := look_up(id))]
        found |= {target.id: target for target in new}
        level = [id for target in new for id in _targets(target)]
    return list(found.values())


def linked_shape(shape: Shape, pick: Projection | None = None, omit: Projection | None = None) -> Shape:
    """How a linked entity is shown: which members are wanted of the entity itself says nothing of it."""
    return msgspec.structs.replace(shape, attributes=frozenset(), pick=pick, omit=omit, geojson=False)


def _link(context: Context, shape: Shape, look_up: LookUp, level: int) -> Link:
    def link(id: str, pick: Projection | None, omit: Projection | None) -> Json:
        target = look_up(id)
        if target is None:
            return None
        deeper = _link(context, shape, look_up, level - 1) if level > 1 else None
        return represent(target, context, linked_shape(shape, pick, omit), deeper)

    return link


def _seen(document: Document, shape: Shape) -> Document:
    """Only the attributes that are shown are followed."""
    if not shape.attributes:
        return document
    kept = {name: several for name, several in document.attributes.items() if name in shape.attributes}
    return msgspec.structs.replace(document, attributes=kept)


def _targets(document: Document) -> Iterator[str]:
    for instances in document.attributes.values():
        for instance in instances:
            if instance.type in _RELATIONSHIPS:
                values = instance.value if isinstance(instance.value, list) else [instance.value]
                yield from (value for value in values if isinstance(value, str))
