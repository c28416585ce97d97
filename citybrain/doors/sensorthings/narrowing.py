# SPDX-License-Identifier: Apache-2.0
"""Conditions on texts that the pool's columns answer, so that not every entity is looked at."""

from collections.abc import Sequence

from citybrain.doors.sensorthings.expression import Binary, Expression, Literal, Path
from citybrain.doors.sensorthings.model import SCHEMAS, Holds, Kind
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.query import read_query
from citybrain.kernel.entities.search import find_ids
from citybrain.kernel.ld.context import CORE

FEW = 1_000
"""So many entities are looked at one by one without asking the columns."""
LONGEST = 200


async def ids_by_text(documents: Documents, kind: Kind, parts: Sequence[Expression]) -> set[int] | None:
    """The numbers of documents of a kind that have all texts that are asked for; None if none is."""
    asked = [text for part in parts if (text := _asked(kind, part)) is not None]
    if not asked or documents.count(DEFAULT_TENANT, SCHEMAS[kind].type) < FEW:
        return None
    query = read_query({"type": SCHEMAS[kind].type, "q": ";".join(asked)}, CORE)
    found = await find_ids(documents, DEFAULT_TENANT, query)
    return {number for id in found if (number := documents.number(DEFAULT_TENANT, id)) is not None}


def _asked(kind: Kind, part: Expression) -> str | None:
    """An equality of a property with a text, in the pool's query language."""
    if not isinstance(part, Binary) or part.operator != "eq":
        return None
    path, literal = (part.left, part.right) if isinstance(part.left, Path) else (part.right, part.left)
    if not isinstance(path, Path) or not isinstance(literal, Literal) or not isinstance(literal.value, str):
        return None
    property = SCHEMAS[kind].properties.get(path.names[0])
    text = literal.value
    if property is None or property.holds is not Holds.TEXT or len(path.names) > 1 or len(text) > LONGEST:
        return None
    # What the query language would have to escape is looked at one by one.
    return f'{path.names[0]}=="{text}"' if text.isprintable() and not set(text) & set('"\\') else None
