# SPDX-License-Identifier: Apache-2.0
"""One value of every entity of a tenant in arrays, so that a question over a million of them is a few vector steps.

A row is filled when a question first needs it, from the bytes in memory, in pieces between which others run: about 2 µs
an entity. A change empties it again, which costs next to nothing where nobody asks. A column takes 13 bytes an entity
(33 for a place), and only for the stretches of slots that questions came by.
"""

import asyncio
from collections.abc import Callable, Hashable, Mapping, Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeType, Document, EntityChange
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.evaluate import nobody
from citybrain.kernel.entities.expressions import Path
from citybrain.kernel.entities.moments import date_time_key
from citybrain.kernel.entities.partly import Decode, decoder
from citybrain.kernel.entities.targets import OF_ENTITY, As, Target, targets
from citybrain.kernel.geo import Bounds, bounds
from citybrain.kernel.records import Json

MAKE = "@make"
"""Stands for the names and kinds of all attributes of an entity."""
PIECE = 1_000
"""So many entities are taken in at once: 2 or 3 ms."""
_MOST_COLUMNS = 256
_MOST_WORDS = 4_000_000
_WORDS_KEPT = 10_000
_SCOPE = Path(names=("scope",))
_OF_ALL = frozenset({*OF_ENTITY, MAKE})  # what any change may touch

Rows = slice | NDArray[np.intp]


class State(IntEnum):
    """What stands in a row. `OTHER` says nothing, like a row that is not filled: the entity itself must be asked."""

    EMPTY = 0
    ABSENT = 1
    NUMBER = 2
    TEXT = 3
    OBJECT = 4
    WORDS = 5
    MOMENT = 6
    BOOLEAN = 7
    SCOPES = 8
    OTHER = 9


class Column:
    """The values of one path: a state for each row, and a number or the place of a word."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.attribute = path.names[0]
        self.states: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.numbers: NDArray[np.float64] = np.zeros(0, np.float64)
        self.codes: NDArray[np.int32] = np.zeros(0, np.int32)
        self.words: list[Hashable] = []
        self.code_of: dict[Hashable, int] = {}
        self.sort_keys: dict[str, dict[int, Any]] = {}

    def grow(self, rows: int) -> None:
        """Make room for so many rows, with some to spare."""
        if rows > len(self.states):
            room = max(1024, rows + rows // 4)
            self.states = _grown(self.states, room)
            self.numbers = _grown(self.numbers, room)
            self.codes = _grown(self.codes, room)

    def put(self, row: int, document: Document) -> None:
        """Write what the document has into a row."""
        found = list(targets(document, self.path, nobody))
        if not found:
            self.states[row] = State.ABSENT
        elif len(found) > 1:
            self.states[row] = State.OTHER
        else:
            self._put(row, found[0])

    def decoder(self) -> Decode:
        """Reads what the column needs of many documents."""
        return decoder(self.attribute, in_full=len(self.path.names) > 1)

    def take(self, rows: Sequence[int], documents: Sequence[Any]) -> None:
        """Write many; a single number or text, which is what most attributes are, without going through its path."""
        if len(self.path.names) == 1 and not self.path.inside and self.attribute not in OF_ENTITY:
            self._take_plain(rows, documents)
            return
        for row, document in zip(rows, documents, strict=True):
            self.put(row, document)

    def _take_plain(self, rows: Sequence[int], documents: Sequence[Any]) -> None:
        numbers: list[tuple[int, float]] = []
        words: list[tuple[int, int, State]] = []
        name, code_of = self.attribute, self.code_of
        room = _MOST_WORDS - len(documents)
        for row, document in zip(rows, documents, strict=True):
            one: Sequence[Any] = document.attributes.get(name, ())
            value: Any = one[0].value if len(one) == 1 else None
            state = _AT_ONCE.get((one[0].type, type(value)), State.EMPTY) if one else State.EMPTY
            if state == State.NUMBER:
                numbers.append((row, value))
            elif state != State.EMPTY and len(self.words) < room:
                code = code_of.setdefault(value, len(self.words))
                if code == len(self.words):
                    self.words.append(value)
                words.append((row, code, state))
            else:
                self.put(row, document)
        if numbers:
            at = [row for row, _ in numbers]
            self.states[at], self.numbers[at] = State.NUMBER, [number for _, number in numbers]
        if words:
            at = [row for row, _, _ in words]
            self.codes[at], self.states[at] = [code for _, code, _ in words], [state for _, _, state in words]

    def _put(self, row: int, target: Target) -> None:
        value = target.value
        if isinstance(value, list) and len(value) == 1:
            value = value[0] if target.how is not As.VALUE else value
        state = _STATE.get((target.how, type(value)), State.OTHER)
        if state in (State.NUMBER, State.BOOLEAN):
            # A whole number that a float cannot hold exactly is left to the exact comparison.
            self.numbers[row] = number = float(value) if abs(value) < 2**53 else np.nan
            state = State.OTHER if number != number else state
        elif state is State.MOMENT:
            key = date_time_key(value)
            self.numbers[row] = 0 if key is None else key
            state = State.OTHER if key is None else state
        elif state is not State.OTHER:
            self.codes[row], state = self.code(value, state)
        self.states[row] = state

    def is_worn(self, rows: int) -> bool:
        """Most of its words are of values that are no more."""
        return len(self.words) > max(_WORDS_KEPT, 2 * rows)

    def code(self, word: Hashable, state: State) -> tuple[int, State]:
        """The place of a word, and the state; `OTHER` when there are too many words."""
        code = self.code_of.get(word)
        if code is None:
            if len(self.words) >= _MOST_WORDS:
                return 0, State.OTHER
            code = self.code_of[word] = len(self.words)
            self.words.append(word)
        return code, state


class Places:
    """Where a GeoProperty is: the box around it. Points are exact, others are asked themselves when the box counts."""

    def __init__(self, name: str) -> None:
        self.attribute = name
        self.states: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.west, self.south, self.east, self.north = (np.zeros(0, np.float64) for _ in range(4))

    def grow(self, rows: int) -> None:
        """Make room for so many rows, with some to spare."""
        if rows > len(self.states):
            room = max(1024, rows + rows // 4)
            self.states = _grown(self.states, room)
            self.west, self.south = _grown(self.west, room), _grown(self.south, room)
            self.east, self.north = _grown(self.east, room), _grown(self.north, room)

    def decoder(self) -> Decode:
        """Reads what the column needs of many documents."""
        return decoder(self.attribute, in_full=False)

    def take(self, rows: Sequence[int], documents: Sequence[Any]) -> None:
        """Write many; a single point, which is what most places are, at once."""
        kept: list[int] = []
        points: list[tuple[float, float]] = []
        for row, document in zip(rows, documents, strict=True):
            one = document.attributes.get(self.attribute, ())
            point = _point(one[0]) if len(one) == 1 else None
            if point is None:
                self.put(row, document)
            else:
                kept.append(row)
                points.append(point)
        if kept:
            self.states[kept] = State.NUMBER
            self.west[kept], self.south[kept] = np.array(points).T
            self.east[kept], self.north[kept] = self.west[kept], self.south[kept]

    def is_worn(self, rows: int) -> bool:
        """It holds nothing but what is there."""
        return False

    def put(self, row: int, document: Document) -> None:
        """Write where the document is into a row: ABSENT, NUMBER for a single point, OTHER with the box of all else."""
        found = [
            each.value
            for each in document.attributes.get(self.attribute, ())
            if each.type is AttributeType.GEO_PROPERTY and isinstance(each.value, dict)
        ]
        try:
            box = _box(found)
        except (KeyError, TypeError, ValueError, IndexError):
            box = None
        if box is None:
            self.states[row] = State.OTHER if found else State.ABSENT
            box = (-180.0, -90.0, 180.0, 90.0)
        else:
            self.states[row] = State.NUMBER if len(found) == 1 and found[0]["type"] == "Point" else State.OTHER
        self.west[row], self.south[row], self.east[row], self.north[row] = box


class Scoped(Column):
    """The scopes of entities, each list of scopes being a word."""

    def put(self, row: int, document: Document) -> None:
        """Write the scopes of the document into a row."""
        self.codes[row], self.states[row] = self.code(document.scopes, State.SCOPES)


class Columns:
    """The columns of all tenants, one of the hooks of `Documents`."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._of_tenant: dict[str, dict[Hashable, Any]] = {}
        self._slots_of: dict[str, list[str]] = {}

    def __call__(self, changes: Sequence[EntityChange]) -> None:
        """Empty the rows whose value may have changed: a question that comes by will fill them again, many at once."""
        for change in changes:
            if change.after is None or change.tenant not in self._slots_of:
                continue
            columns = self._columns(change.tenant)
            slot = self.documents.shelf(change.tenant).slots.get(change.id)
            if slot is None or not columns:
                continue
            touched = {each.name for each in change.attributes}
            for column in columns.values():
                is_touched = column.attribute in touched or column.attribute in _OF_ALL or change.before is None
                if is_touched and slot < len(column.states):
                    column.states[slot] = State.EMPTY

    def of_path(self, tenant: str, path: Path) -> Column:
        """The column of a path that follows no Relationship."""
        column: Column = self.kept(tenant, path, lambda: Column(path))
        return column

    def of_place(self, tenant: str, name: str) -> Places:
        """The column of a GeoProperty."""
        column: Places = self.kept(tenant, ("place", name), lambda: Places(name))
        return column

    def of_scopes(self, tenant: str) -> Scoped:
        """The column of scopes."""
        column: Scoped = self.kept(tenant, "scopes", lambda: Scoped(_SCOPE))
        return column

    def may_hold(self, tenant: str, path: Path) -> bool:
        """A column can hold this path: not if it leads to other entities, or to what is observed elsewhere."""
        return path.linked is None and path.names[0] not in self._observed(tenant)

    async def fill(self, tenant: str, column: "Column | Places", rows: Rows) -> None:
        """Fill the rows that are empty, in pieces between which others run."""
        shelf = self.documents.shelf(tenant)
        column.grow(len(shelf.ids))
        empty = np.flatnonzero(column.states[rows] == State.EMPTY)
        if not len(empty):
            return
        empty = empty + (rows.start or 0) if isinstance(rows, slice) else rows[empty]
        decode = column.decoder()
        slots = shelf.ids
        for begin in range(0, len(empty), PIECE):
            if shelf.ids is not slots:  # numbered anew meanwhile: nobody will ask this column again
                return
            piece = [row for row in empty[begin : begin + PIECE].tolist() if shelf.bodies[row] is not None]
            bodies = b"[" + b",".join(shelf.bodies[row] or b"" for row in piece) + b"]"
            column.take(piece, decode(bodies))
            await asyncio.sleep(0)

    def kept(self, tenant: str, key: Hashable, make: Callable[[], Any]) -> Any:
        """The column under a key, made now if it is not there."""
        columns = self._columns(tenant)
        column = columns.pop(key, None)
        if column is None or column.is_worn(len(self.documents.shelf(tenant).ids)):
            column = make()
        if len(columns) >= _MOST_COLUMNS:
            del columns[next(iter(columns))]
        columns[key] = column
        return column

    def _columns(self, tenant: str) -> dict[Hashable, Any]:
        """When the slots were numbered anew, columns of the old ones are forgotten."""
        slots = self.documents.shelf(tenant).ids
        if self._slots_of.get(tenant) is not slots:
            self._slots_of[tenant] = slots
            self._of_tenant[tenant] = {}
        return self._of_tenant[tenant]

    def _observed(self, tenant: str) -> set[str]:
        observed = self.documents.observed
        if observed is None or tenant != DEFAULT_TENANT:
            return set()
        return {name for types in self.documents.shelf(tenant).kind_types for name in observed.names(types)}


def columns_of(documents: Documents) -> Columns:
    """The columns that these documents keep up; their first are made now."""
    for hook in documents.hooks:
        if isinstance(hook, Columns):
            return hook
    made = Columns(documents)
    documents.hooks.append(made)
    return made


def _box(found: Sequence[Json]) -> Bounds | None:
    if len(found) == 1 and found[0]["type"] == "Point":
        lon, lat = found[0]["coordinates"][:2]
        return (float(lon), float(lat), float(lon), float(lat))
    return bounds(found)


def _point(instance: Any) -> tuple[float, float] | None:
    value = instance.value
    if instance.type is not AttributeType.GEO_PROPERTY or not isinstance(value, dict) or value.get("type") != "Point":
        return None
    position = value.get("coordinates")
    if (
        not isinstance(position, list)
        or len(position) < 2
        or not all(isinstance(each, float | int) for each in position)
    ):
        return None
    return (position[0], position[1])


def _grown(array: NDArray[Any], room: int) -> NDArray[Any]:
    made = np.zeros(room, array.dtype)
    made[: len(array)] = array
    return made


_AT_ONCE: Mapping[tuple[AttributeType, type], State] = {
    (AttributeType.PROPERTY, float): State.NUMBER,
    (AttributeType.PROPERTY, str): State.TEXT,
    (AttributeType.RELATIONSHIP, str): State.OBJECT,
    (AttributeType.VOCAB_PROPERTY, str): State.WORDS,
}
_STATE: Mapping[tuple[As, type], State] = {
    (As.VALUE, int): State.NUMBER,
    (As.VALUE, float): State.NUMBER,
    (As.VALUE, bool): State.BOOLEAN,
    (As.VALUE, str): State.TEXT,
    (As.OBJECT, str): State.OBJECT,
    (As.WORDS, str): State.WORDS,
    (As.MOMENT, str): State.MOMENT,
}
