# SPDX-License-Identifier: Apache-2.0
"""An alert to bytes of CAP 1.2: the same alert always gives the same bytes: pure."""

from collections.abc import Iterator
from typing import Any

from citybrain.doors.cap.elements import ALERT, NAMESPACE, Element, Shape
from citybrain.doors.cap.model import Alert

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
MEDIA_TYPE = "application/cap+xml"
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def write(alert: Alert) -> bytes:
    """The whole document, in UTF-8, elements in the order of the schema, two blanks for each level.

    What XML has no letter for stays as it is: whoever lets an alert out reads it first (`service.issue`).
    """
    return f"{DECLARATION}{element(alert)}\n".encode("utf-8", "surrogatepass")


def element(alert: Alert) -> str:
    """The alert as an element alone, to stand in another document."""
    lines = "\n".join(_lines(alert, ALERT, "  "))
    return f'<alert xmlns="{NAMESPACE}">\n{lines}\n</alert>'


def escaped(text: str) -> str:
    """Text as it may stand in an element."""
    return text.translate(_ESCAPES)


def _lines(record: Any, shape: Shape, indent: str) -> Iterator[str]:
    for row in shape.rows:
        value = getattr(record, row.field)
        for each in value if row.many else (value,):
            if isinstance(row.inside, Shape):
                yield f"{indent}<{row.name}>"
                yield from _lines(each, row.inside, indent + "  ")
                yield f"{indent}</{row.name}>"
            elif row.needed or each not in (None, "", ()):
                yield f"{indent}<{row.name}>{escaped(_text(each, row))}</{row.name}>"


def _text(value: Any, row: Element) -> str:
    assert not isinstance(row.inside, Shape)
    return row.inside.write(value)
