# SPDX-License-Identifier: Apache-2.0
"""What waits to be told: one change, and the subscriptions it concerns. Stored with the change, told after it."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.entities.document import AttributeChange, Document, Done, EntityChange, Instance


class Touched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one instance of an attribute; `before` is None when it is new."""

    name: str
    done: Done
    dataset_id: str = ""
    before: Instance | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of an entity as it is told. `document` is the entity after it, or as it was when it is gone."""

    done: Done
    at: datetime
    document: Document
    touched: tuple[Touched, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Told)


class Notice:
    """One change to be told. `left` of the `subscriptions` have not been told yet; `body` may be left on the disk."""

    __slots__ = ("about", "at", "body", "left", "number", "size", "subscriptions")

    def __init__(self, *, number: int, at: datetime, about: str, subscriptions: Sequence[int], body: bytes) -> None:
        self.number = number
        self.at = at
        self.about = about
        self.subscriptions = tuple(subscriptions)
        self.body: bytes | None = body
        self.size = len(body)
        self.left = len(self.subscriptions)


def encoded(change: EntityChange) -> bytes:
    """A change as it is stored."""
    document = change.after or change.before
    if document is None:  # a change of nothing concerns nobody
        raise AssertionError(change)
    touched = tuple(_touched(each) for each in change.attributes)
    return _encoder.encode(Told(done=change.done, at=change.at, document=document, touched=touched))


def decoded(body: bytes) -> Told:
    """A stored change."""
    return _decoder.decode(body)


def _touched(change: AttributeChange) -> Touched:
    return Touched(name=change.name, done=change.done, dataset_id=change.dataset_id, before=change.before)
