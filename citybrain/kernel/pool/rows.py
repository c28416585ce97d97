# SPDX-License-Identifier: Apache-2.0
"""History rows in PostgreSQL's binary COPY form, made a column at a time.

The form: PostgreSQL documentation, COPY, "Binary Format": a header, then per row the number of fields and per field
its length and bytes in network order, then a trailer. A timestamptz is microseconds since 2000-01-01 UTC.
The fields are those of `history` in its own order.
"""

import struct
from collections.abc import Iterable
from typing import cast

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.pool.current import Numbers
from citybrain.kernel.pool.keeping import Kept

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = struct.pack(">h", -1)
UNIX_TO_POSTGRES_US = 946_684_800_000_000

FIELDS, NULL = 11, -1
# Of what comes in columns only five fields say something: it was observed, and the batch knows the rest.
_NUMBER_ROW = np.dtype([
    ("fields", ">i2"),
    ("entity_length", ">i4"), ("entity", ">i4"),
    ("attribute_length", ">i4"), ("attribute", ">i4"),
    ("at_length", ">i4"), ("at", ">i8"),
    ("batch_length", ">i4"), ("batch", ">i8"),
    ("number_length", ">i4"), ("number", ">f8"),
    ("word_length", ">i4"), ("instance_length", ">i4"), ("recorded_length", ">i4"), ("modified_length", ">i4"),
    ("observed_length", ">i4"), ("observed", "i1"),
    ("detail_length", ">i4"),
])  # fmt: skip
_ABSENT = ("word_length", "instance_length", "recorded_length", "modified_length", "detail_length")
_WORD_ROW = struct.Struct(">hiiiiiqiqii")
_WORD_END = struct.pack(">iiiibi", NULL, NULL, NULL, 1, 1, NULL)


def encode(kept: Iterable[Kept], *, batch_number: int, observed_us: int) -> bytes:
    """The rows of one batch, without header and trailer, so that batches can be joined."""
    at = observed_us - UNIX_TO_POSTGRES_US
    pieces: list[bytes] = []
    for each in kept:
        if each.values.dtype == np.object_:
            whose = zip(each.entities.tolist(), each.attributes.tolist(), each.values.tolist(), strict=True)
            pieces.extend(_word_row(entity, attribute, at, batch_number, word) for entity, attribute, word in whose)
        else:
            pieces.append(_number_rows(each, batch_number, at))
    return b"".join(pieces)


def _number_rows(kept: Kept, batch_number: int, at: int) -> bytes:
    rows: NDArray[np.void] = np.empty(len(kept.entities), _NUMBER_ROW)
    rows["fields"] = FIELDS
    rows["entity_length"], rows["entity"] = 4, kept.entities
    rows["attribute_length"], rows["attribute"] = 4, kept.attributes
    rows["at_length"], rows["at"] = 8, at
    rows["batch_length"], rows["batch"] = 8, batch_number
    rows["number_length"], rows["number"] = 8, cast(Numbers, kept.values)
    rows["observed_length"], rows["observed"] = 1, 1
    for name in _ABSENT:
        rows[name] = NULL
    return rows.tobytes()


def _word_row(entity: int, attribute: int, at: int, batch_number: int, word: str | None) -> bytes:
    text = b"" if word is None else word.encode()
    length = NULL if word is None else len(text)
    start = _WORD_ROW.pack(FIELDS, 4, entity, 4, attribute, 8, at, 8, batch_number, NULL, length)
    return start + text + _WORD_END
