# SPDX-License-Identifier: Apache-2.0
"""Attributes of one document written over those of another: how doors that make whole documents change an entity."""

from datetime import datetime

import msgspec

from citybrain.kernel.entities.document import AttributeChange, Attributes, Document, Done, EntityChange, Instance
from citybrain.kernel.entities.merging import replaced
from citybrain.kernel.entities.times import text_of


def overwrite(before: Document, document: Document, *, tenant: str, at: datetime) -> EntityChange:
    """Types and attribute instances are added or replaced; others stay, and scopes unless new ones are said."""
    stamp = text_of(at)
    attributes: Attributes = dict(before.attributes)
    changes: list[AttributeChange] = []
    for name, several in document.attributes.items():
        held = {one.dataset_id: one for one in attributes.get(name, ())}
        for one in several:
            changes.append(_changed(name, held.get(one.dataset_id), one, stamp))
            held[one.dataset_id] = changes[-1].after or one
        attributes[name] = tuple(held.values())
    after = msgspec.structs.replace(
        before,
        types=before.types if document.types == before.types else tuple(dict.fromkeys(before.types + document.types)),
        scopes=document.scopes or before.scopes,
        expires_at=document.expires_at or before.expires_at,
        modified_at=stamp,
        attributes=attributes,
    )
    return EntityChange(tenant=tenant, id=before.id, at=at, before=before, after=after, attributes=tuple(changes))


def _changed(name: str, before: Instance | None, one: Instance, stamp: str) -> AttributeChange:
    if before is None:
        after = one if one.created_at else msgspec.structs.replace(one, created_at=stamp, modified_at=stamp)
        return AttributeChange(name=name, done=Done.CREATED, before=None, after=after)
    after = replaced(before, one)
    if not after.modified_at:
        after = msgspec.structs.replace(after, modified_at=stamp)
    return AttributeChange(name=name, done=Done.UPDATED, before=before, after=after)
