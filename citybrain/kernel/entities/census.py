# SPDX-License-Identifier: Apache-2.0
"""Which types with which attributes there are, and how many entities of each (CIM 009 clauses 5.7.5 to 5.7.10).

Most entities are made alike, so a column holds for each the place of its make: the names of its attributes with their
kinds. Counting is one pass over two arrays; entities are decoded once, in pieces, and those that changed again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from citybrain.kernel.entities.columns import MAKE, Column, Columns, State, columns_of
from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeType, Document
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.expressions import Path
from citybrain.kernel.entities.partly import Decode

Make = tuple[tuple[str, tuple[AttributeType, ...]], ...]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Entities of the same types that have the same attributes, each in the same kinds."""

    types: tuple[str, ...]
    attributes: Mapping[str, frozenset[AttributeType]]
    count: int


async def census(documents: Documents, tenant: str) -> Sequence[Group]:
    """All entities of a tenant in groups. What is observed in columns, or may have expired, is looked at one by one."""
    columns = columns_of(documents)
    while True:
        shelf = documents.shelf(tenant)
        column: _Makes = columns.kept(tenant, "make", _Makes)
        rows = slice(0, len(shelf.ids))
        await columns.fill(tenant, column, rows)
        if shelf is documents.shelf(tenant) and column is columns.kept(tenant, "make", _Makes):
            return _counted(documents, tenant, columns, column)


class _Makes(Column):
    """For each entity the place of its make among the words."""

    def __init__(self) -> None:
        super().__init__(Path(names=(MAKE,)))

    def decoder(self) -> Decode:
        return msgspec.json.Decoder(list[_Kinds]).decode

    def take(self, rows: Sequence[int], documents: Sequence[Any]) -> None:
        for row, document in zip(rows, documents, strict=True):
            self.put(row, document)

    def put(self, row: int, document: Any) -> None:
        self.codes[row], self.states[row] = self.code(_make(document), State.WORDS)


class _Kind(msgspec.Struct, gc=False):
    """Of an instance only its kind."""

    type: AttributeType


class _Kinds(msgspec.Struct, gc=False):
    """Of a document only the names and kinds of its attributes."""

    attributes: dict[str, tuple[_Kind, ...]] = {}


def _make(document: Document | _Kinds) -> Make:
    attributes: Mapping[str, Sequence[Any]] = document.attributes
    return tuple((name, tuple(sorted({each.type for each in of}))) for name, of in sorted(attributes.items()))


def _counted(documents: Documents, tenant: str, columns: Columns, column: _Makes) -> Sequence[Group]:
    shelf = documents.shelf(tenant)
    column.grow(len(shelf.ids))
    kinds = np.array(shelf.kinds, np.int64)
    makes = np.where(column.states[: len(kinds)] == State.WORDS, column.codes[: len(kinds)], -1)
    single = (kinds > 0) & ((makes < 0) | _of_kinds(kinds, _observed_kinds(documents, tenant)))
    single[[shelf.slots[id] for id in shelf.due_us if id in shelf.slots]] = True
    counted = (kinds > 0) & ~single
    pairs, counts = np.unique(kinds[counted] * (len(column.words) + 1) + makes[counted], return_counts=True)
    found: dict[tuple[tuple[str, ...], Any], int] = {}
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        kind, make = divmod(pair, len(column.words) + 1)
        found[shelf.kind_types[kind], column.words[make]] = count
    for slot in np.flatnonzero(single).tolist():
        document = documents.get(tenant, shelf.ids[slot])
        if document is not None:
            key = document.types, _make(document)
            found[key] = found.get(key, 0) + 1
    return [
        Group(types=types, attributes={name: frozenset(of) for name, of in make}, count=count)
        for (types, make), count in found.items()
    ]


def _observed_kinds(documents: Documents, tenant: str) -> list[int]:
    observed = documents.observed
    if observed is None or tenant != DEFAULT_TENANT:
        return []
    return [kind for kind, types in enumerate(documents.shelf(tenant).kind_types) if observed.names(types)]


def _of_kinds(kinds: Any, wanted: list[int]) -> Any:
    return np.isin(kinds, np.array(wanted, np.int64))
