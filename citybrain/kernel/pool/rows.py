# SPDX-License-Identifier: Apache-2.0
"""History rows in PostgreSQL's binary COPY form, made a column at a time.

The form: PostgreSQL documentation, COPY, "Binary Format": a header, then per row the number of fields and per field
its length and bytes in network order, then a trailer. A timestamptz is microseconds since 2000-01-01 UTC.
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

_FIELDS, _NULL = 5, -1
_NUMBER_ROW = np.dtype([
    ("fields", ">i2"),
    ("series_length", ">i4"), ("series", ">i4"),
    ("batch_length", ">i4"), ("batch", ">i8"),
    ("at_length", ">i4"), ("at", ">i8"),
    ("number_length", ">i4"), ("number", ">f8"),
    ("word_length", ">i4"),
])  # fmt: skip
_WORD_ROW = struct.Struct(">h ii iq iq i i")


def encode(kept: Iterable[Kept], *, batch_number: int, observed_us: int) -> bytes:
    """The rows of one batch, without header and trailer, so that batches can be joined."""
    at = observed_us - UNIX_TO_POSTGRES_US
    pieces: list[bytes] = []
    for each in kept:
        if each.values.dtype == np.object_:
            pieces.extend(
                _word_row(series, batch_number, at, word)
                for series, word in zip(each.series_ids.tolist(), each.values.tolist(), strict=True)
            )
        else:
            pieces.append(_number_rows(each.series_ids, batch_number, at, cast(Numbers, each.values)))
    return b"".join(pieces)


def _number_rows(series_ids: NDArray[np.int32], batch_number: int, at: int, numbers: Numbers) -> bytes:
    rows = np.empty(len(series_ids), _NUMBER_ROW)
    rows["fields"] = _FIELDS
    rows["series_length"], rows["series"] = 4, series_ids
    rows["batch_length"], rows["batch"] = 8, batch_number
    rows["at_length"], rows["at"] = 8, at
    rows["number_length"], rows["number"] = 8, numbers
    rows["word_length"] = _NULL
    return rows.tobytes()


def _word_row(series: int, batch_number: int, at: int, word: str | None) -> bytes:
    start = _WORD_ROW.pack(_FIELDS, 4, series, 8, batch_number, 8, at, _NULL, _NULL)
    if word is None:
        return start
    text = word.encode()
    return start[:-4] + struct.pack(">i", len(text)) + text
