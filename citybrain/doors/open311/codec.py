# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire in GeoReport v2, as JSON and as XML: pure.

One structure makes both, by the standard's "Spark" convention: a list is an element that holds one element for each
member. Nobody sends XML here, so none is ever read.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from xml.sax.saxutils import escape

import msgspec

from citybrain.kernel.records import Json

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


class Format(StrEnum):
    """The two forms of an answer; XML is the one that every server must have."""

    XML = "xml"
    JSON = "json"

    @property
    def mime(self) -> str:
        """The bare media type, as discovery names it."""
        return {Format.XML: "text/xml", Format.JSON: "application/json"}[self]

    @property
    def content_type(self) -> str:
        """The media type with its encoding, as the standard writes the header."""
        return f"{self.mime}; charset=utf-8"


# The name of each member of a list, by the name of the list.
MEMBERS: Mapping[str, str] = {
    "attributes": "attribute",
    "endpoints": "endpoint",
    "errors": "error",
    "formats": "format",
    "service_requests": "request",
    "services": "service",
    "values": "value",
}
# What XML 1.0 has no way to write, not even escaped (production 2, Char), and half characters.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def encode(root: str, content: Json, format: Format) -> bytes:
    """A document: in XML an element `root`, in JSON its content alone."""
    if format is Format.JSON:
        return msgspec.json.encode(content)
    return f"{DECLARATION}{_element(root, content)}".encode()


def _element(name: str, content: Json) -> str:
    """An element; every name is one of the standard's, every text is escaped."""
    if isinstance(content, Mapping):
        inside = "".join([_element(key, value) for key, value in content.items()])
    elif isinstance(content, Sequence) and not isinstance(content, str):
        inside = "".join([_element(MEMBERS[name], member) for member in content])
    else:
        inside = _text(content)
    return f"<{name}>{inside}</{name}>" if inside else f"<{name}/>"


def _text(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(_UNWRITABLE.sub("", str(value)).replace("\r\n", "\n").replace("\r", "\n"))


def form_of(path: str) -> tuple[str, Format | None]:
    """A path without the ending that names a format, and that format; None when it names none."""
    stem, dot, ending = path.rpartition(".")
    known = next((each for each in Format if each == ending.lower()), None)
    return (stem, known) if dot and known else (path, None)


def accepted(header: str) -> Format:
    """The format of a path that names none: JSON when the client asks for it before XML, else XML."""
    for each in header.split(","):
        media = each.partition(";")[0].strip().lower()
        if media == "application/json":
            return Format.JSON
        if media in ("text/xml", "application/xml"):
            return Format.XML
    return Format.XML
