# SPDX-License-Identifier: Apache-2.0
"""What of an entity ends at a stated time (CIM 009 clauses 4.24 and 4.5.2: `expiresAt`)."""

from datetime import datetime

import msgspec

from citybrain.kernel.entities.document import AttributeChange, Attributes, Document, Done, EntityChange, Instance
from citybrain.kernel.entities.times import text_of, to_us, us_of

MARK = b'"expires_at"'


def due_us(document: Document, body: bytes) -> int | None:
    """When the first part of an entity, or all of it, expires; None when nothing ever does."""
    if MARK not in body:
        return None
    ends = [document.expires_at] if document.expires_at else []
    ends += [each.expires_at for instances in document.attributes.values() for each in instances if each.expires_at]
    return min(map(us_of, ends), default=None)


def unexpired(document: Document, now_us: int) -> Document | None:
    """What is left of an entity at a time; None when it is gone as a whole."""
    if document.expires_at and us_of(document.expires_at) <= now_us:
        return None
    left: Attributes = {}
    for name, instances in document.attributes.items():
        kept = tuple(each for each in instances if not (each.expires_at and us_of(each.expires_at) <= now_us))
        if kept:
            left[name] = kept
    return msgspec.structs.replace(document, attributes=left)


def expired(tenant: str, before: Document, now: datetime) -> EntityChange:
    """The change by which an entity, or those instances of its attributes that have expired, goes."""
    after = unexpired(before, to_us(now))
    if after is not None:
        after = msgspec.structs.replace(after, modified_at=text_of(now))
    gone: list[AttributeChange] = []
    for name, instances in before.attributes.items():
        left: tuple[Instance, ...] = after.attributes.get(name, ()) if after else ()
        gone += [
            AttributeChange(name=name, done=Done.DELETED, before=each, after=None)
            for each in instances
            if each not in left
        ]
    return EntityChange(tenant=tenant, id=before.id, at=now, before=before, after=after, attributes=tuple(gone))
