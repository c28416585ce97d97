# SPDX-License-Identifier: Apache-2.0
"""Reading of many documents only what is asked for: the rest is skipped, which is several times as fast."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from citybrain.kernel.entities.document import AttributeType, Instance
from citybrain.kernel.entities.targets import OF_ENTITY
from citybrain.kernel.records import Json

Decode = Callable[[bytes], Sequence[Any]]
"""From the bytes of a JSON array of documents to what was read of each."""


def decoder(name: str, *, in_full: bool) -> Decode:
    """Reads many documents, of each only the attribute, or all but attributes where the name is the entity's own.

    Of an attribute only type and value are read, unless it is needed `in_full`.
    """
    if name in OF_ENTITY:
        return msgspec.json.Decoder(list[_Head]).decode
    kind = Instance if in_full else _Value
    one = msgspec.defstruct("One", [("one", tuple[kind, ...], ())], rename={"one": name}, gc=False)  # type: ignore[valid-type]
    only = msgspec.defstruct("Only", [("attributes", one, msgspec.field(default_factory=one))], gc=False)
    decode: Decode = msgspec.json.Decoder(list[only]).decode  # type: ignore[valid-type]
    return lambda text: [_Only({name: each.attributes.one} if each.attributes.one else {}) for each in decode(text)]


class _Value(msgspec.Struct, gc=False):
    """An instance of an attribute, of which nothing but its value counts."""

    type: AttributeType
    value: Json = None


class _Only(msgspec.Struct, gc=False):
    """A document with nothing but one attribute."""

    attributes: dict[str, Any]


class _Head(msgspec.Struct, frozen=True):
    """A document without its attributes."""

    id: str
    types: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    created_at: str = ""
    modified_at: str = ""
    expires_at: str = ""

    @property
    def attributes(self) -> Mapping[str, tuple[Instance, ...]]:
        """None of them was read."""
        return {}
