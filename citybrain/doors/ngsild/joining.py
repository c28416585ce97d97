# SPDX-License-Identifier: Apache-2.0
"""Linked entities in an answer: within the Relationships that lead to them, or beside (CIM 009 clause 4.5.23)."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from citybrain.doors.ngsild.answers import BadRequestData
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.projection import Projection
from citybrain.kernel.entities.represent import Link, represent
from citybrain.kernel.entities.shape import Shape
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

LookUp = Callable[[str], Document | None]

# Each level multiplies what is fetched; whoever needs more asks again from there.
DEEPEST = 10


class Join(StrEnum):
    """How linked entities come; the words are those of the wire."""

    NONE = "none"
    INLINE = "inline"
    FLAT = "flat"


class Joining(msgspec.Struct, frozen=True, kw_only=True):
    """How far Relationships are followed; entities of `contained_by` are known already and not told again."""

    join: Join = Join.NONE
    level: int = 1
    contained_by: frozenset[str] = frozenset()

    @property
    def reach(self) -> int:
        """How many Relationships away the farthest linked entity is; 0 when none is joined."""
        return 0 if self.join is Join.NONE else self.level


def read_joining(params: Mapping[str, str]) -> Joining:
    """`join`, `joinLevel` and `containedBy` of a request."""
    said, level = params.get("join", "none"), params.get("joinLevel", "1")
    if said not in set(Join):
        raise BadRequestData("ngsild.unknown_option", {"option": said[:100], "known": ", ".join(Join)})
    if not (level.isascii() and level.isdecimal() and 1 <= int(level[:9]) <= DEEPEST):
        raise BadRequestData("ngsild.join_level", {"value": level[:100], "deepest": DEEPEST})
    known = frozenset(id.strip() for id in params.get("containedBy", "").split(",") if id.strip())
    return Joining(join=Join(said), level=int(level), contained_by=known)


def show_one(document: Document, context: Context, shape: Shape, joining: Joining, look_up: LookUp) -> Any:
    """One entity: an object, or a list when linked entities stand beside it."""
    shown = show_all([document], context, shape, joining, look_up)
    return shown[0] if len(shown) == 1 else shown


def show_all(
    documents: Sequence[Document], context: Context, shape: Shape, joining: Joining, look_up: LookUp
) -> list[dict[str, Any]]:
    """Entities as they are sent, joined as asked."""
    if joining.join is Join.FLAT:
        return _flat(documents, context, shape, joining, look_up)
    if joining.join is Join.NONE:
        return [represent(document, context, shape) for document in documents]
    return [
        represent(each, context, shape, _inline(context, shape, joining, look_up, (each.id,))) for each in documents
    ]


def _inline(context: Context, shape: Shape, joining: Joining, look_up: LookUp, chain: tuple[str, ...]) -> Link:
    """Gives the linked entity, in which the next level stands; nobody stands within itself."""

    def link(id: str, pick: Projection | None, omit: Projection | None) -> Json:
        if id in chain or id in joining.contained_by:
            return None
        linked = look_up(id)
        if linked is None:
            return None
        below = None
        if len(chain) < joining.level:
            below = _inline(context, shape, joining, look_up, (*chain, id))
        return represent(linked, context, _within(shape, pick, omit), below)

    return link


def _flat(
    documents: Sequence[Document], context: Context, shape: Shape, joining: Joining, look_up: LookUp
) -> list[dict[str, Any]]:
    """The entities, then those one Relationship away, then two; each once."""
    told = {each.id for each in documents} | joining.contained_by
    found: list[tuple[Document, Shape]] = [(each, shape) for each in documents]
    shown: list[dict[str, Any]] = []
    for level in range(joining.level + 1):
        met: dict[str, Shape] = {}

        def note(id: str, pick: Projection | None, omit: Projection | None, met: dict[str, Shape] = met) -> Json:
            met.setdefault(id, _within(shape, pick, omit))
            return None

        link = note if level < joining.level else None
        shown += [represent(document, context, form, link) for document, form in found]
        found = []
        for id, form in met.items():
            linked = None if id in told else look_up(id)
            if linked is not None:
                told.add(id)
                found.append((linked, form))
    return shown


def _within(shape: Shape, pick: Projection | None, omit: Projection | None) -> Shape:
    """The shape of a linked entity: what was asked of the first one's members does not count for it."""
    return msgspec.structs.replace(
        shape, pick=pick, omit=omit, attributes=frozenset(), dataset_ids=frozenset(), geojson=False
    )
