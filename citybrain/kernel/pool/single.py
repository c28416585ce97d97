# SPDX-License-Identifier: Apache-2.0
"""History rows of many single observations, in PostgreSQL's binary COPY form (see `rows`), made a column at a time."""

import struct
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.pool.current import Numbers
from citybrain.kernel.pool.rows import FIELDS, NULL, UNIX_TO_POSTGRES_US

_ROW = [
    ("fields", ">i2"),
    ("entity_length", ">i4"), ("entity", ">i4"),
    ("attribute_length", ">i4"), ("attribute", ">i4"),
    ("at_length", ">i4"), ("at", ">i8"),
    ("batch_length", ">i4"),
    ("number_length", ">i4"), ("number", ">f8"),
    ("word_length", ">i4"),
    ("instance_length", ">i4"), ("instance", ">i8"),
    ("recorded_length", ">i4"), ("recorded", ">i8"),
    ("modified_length", ">i4"), ("modified", ">i8"),
    ("observed_length", ">i4"), ("observed", "i1"),
    ("detail_length", ">i4"),
]  # fmt: skip
_FOUR, _EIGHT = ("entity", "attribute"), ("at", "number", "instance", "recorded", "modified")
_BEFORE_WORD = struct.Struct(">hiiiiiqiii")
_AFTER_WORD = struct.Struct(">iqiqiqibi")


class Single(msgspec.Struct, frozen=True, kw_only=True):
    """Observations side by side: of what by number, when, the value, and what value and columns do not say.

    Their instances are numbered from `first` on; they were recorded at `at_us`.
    """

    entities: NDArray[np.int32]
    attributes: NDArray[np.int32]
    observed_us: NDArray[np.int64]
    numbers: Numbers
    words: Sequence[str | None] | None
    details: Sequence[bytes] | None
    first: int
    at_us: int


def encode_single(single: Single) -> bytes:
    """The rows, without header and trailer, in no certain order."""
    size = len(single.entities)
    is_word = np.array([word is not None for word in single.words], np.bool_) if single.words else np.zeros(size, bool)
    pieces = list(_word_rows(single, np.flatnonzero(is_word)))
    if single.details is None:
        return b"".join([*pieces, _number_rows(single, np.flatnonzero(~is_word), b"")])
    kinds = {detail: kind for kind, detail in enumerate(dict.fromkeys(single.details))}
    kind_of = np.array([kinds[detail] for detail in single.details], np.int32)
    for detail, kind in kinds.items():
        pieces.append(_number_rows(single, np.flatnonzero((kind_of == kind) & ~is_word), detail))
    return b"".join(pieces)


def _number_rows(single: Single, chosen: NDArray[np.intp], detail: bytes) -> bytes:
    """Rows of numbers that share one detail, which has the same length in each."""
    rows: NDArray[np.void] = np.empty(len(chosen), np.dtype([*_ROW, ("detail", f"S{len(detail)}")] if detail else _ROW))
    rows["fields"] = FIELDS
    for name in _FOUR:
        rows[f"{name}_length"] = 4
    for name in _EIGHT:
        rows[f"{name}_length"] = 8
    rows["entity"], rows["attribute"] = single.entities[chosen], single.attributes[chosen]
    rows["at"] = single.observed_us[chosen] - UNIX_TO_POSTGRES_US
    rows["batch_length"] = rows["word_length"] = NULL
    rows["number"] = single.numbers[chosen]
    rows["instance"] = single.first + chosen
    rows["recorded"] = rows["modified"] = single.at_us - UNIX_TO_POSTGRES_US
    rows["observed_length"] = rows["observed"] = 1
    rows["detail_length"] = len(detail) or NULL
    if detail:
        rows["detail"] = detail
    return rows.tobytes()


def _word_rows(single: Single, chosen: NDArray[np.intp]) -> Iterator[bytes]:
    at = single.at_us - UNIX_TO_POSTGRES_US
    words, details = single.words or (), single.details
    for i in chosen.tolist():
        text = (words[i] or "").encode()
        seen = int(single.observed_us[i]) - UNIX_TO_POSTGRES_US
        entity, attribute = int(single.entities[i]), int(single.attributes[i])
        detail = details[i] if details else b""
        yield _BEFORE_WORD.pack(FIELDS, 4, entity, 4, attribute, 8, seen, NULL, NULL, len(text))
        yield text
        yield _AFTER_WORD.pack(8, single.first + i, 8, at, 8, at, 1, 1, len(detail) or NULL)
        yield detail
