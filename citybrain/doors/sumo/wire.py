# SPDX-License-Identifier: Apache-2.0
"""Frames between two processes: ids travel once, numbers as bytes."""

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.app import Frame
from citybrain.kernel.records import Batch, Column

Packed = tuple[Frame, dict[int, tuple[str, ...]], list[tuple[str, int, str, Any]]]
"""The frame with an empty batch, ids that are new, and (attribute, number of ids, form, content) of each column."""

NUMBERS = "numbers"
TABLES = "tables"
WORDS = "words"


class Packer:
    """The sending side: remembers which tuples of ids the other side has."""

    def __init__(self) -> None:
        self._sent: list[tuple[str, ...]] = []

    def pack(self, frame: Frame) -> Packed:
        """A frame as few large objects."""
        new: dict[int, tuple[str, ...]] = {}
        columns = [self._column(column, new) for column in frame.batch.columns]
        bare = msgspec.structs.replace(frame, batch=msgspec.structs.replace(frame.batch, columns=()))
        return bare, new, columns

    def _column(self, column: Column, new: dict[int, tuple[str, ...]]) -> tuple[str, int, str, Any]:
        number = next((at for at, ids in enumerate(self._sent) if ids is column.entity_ids), None)
        if number is None:
            number = len(self._sent)
            self._sent.append(column.entity_ids)
            new[number] = column.entity_ids
        return (column.attribute, number, *_packed(column.values))


class Unpacker:
    """The receiving side: gives each column the same tuple of ids every time."""

    def __init__(self) -> None:
        self._ids: dict[int, tuple[str, ...]] = {}

    def unpack(self, packed: Packed, received_at: datetime) -> Frame:
        """The frame as it was sent, but received now."""
        bare, new, columns = packed
        self._ids.update(new)
        batch: Batch = msgspec.structs.replace(
            bare.batch,
            received_at=received_at,
            columns=tuple(
                Column(attribute=attribute, entity_ids=self._ids[number], values=_unpacked(form, content))
                for attribute, number, form, content in columns
            ),
        )
        return msgspec.structs.replace(bare, batch=batch)


def _packed(values: NDArray[np.float64] | Sequence[Any]) -> tuple[str, Any]:
    if isinstance(values, np.ndarray):
        return NUMBERS, values.tobytes()
    if values and isinstance(values[0], np.ndarray):
        return TABLES, ([len(table) for table in values], values[0].shape[1], np.concatenate(values).tobytes())
    return WORDS, values


def _unpacked(form: str, content: Any) -> NDArray[np.float64] | Sequence[Any]:
    if form == NUMBERS:
        return np.frombuffer(content)
    if form == TABLES:
        lengths, width, rows = content
        table = np.frombuffer(rows).reshape(-1, width)
        ends = list(accumulate(lengths))
        return tuple(table[end - length : end] for length, end in zip(lengths, ends, strict=True))
    words: Sequence[Any] = content
    return words
