# SPDX-License-Identifier: Apache-2.0
"""Bytes to a tree of elements, without anything by which XML can do harm: pure.

The parser is expat, told to stop at the first sign of a document type: without one there are no entities to expand,
no files and no addresses to fetch. Depth, size and number of elements have marks far above what a warning needs.
"""

from xml.parsers import expat

import msgspec

from citybrain.kernel.errors import Invalid

# A warning with its pictures inside (`derefUri`) may be large; a feed of the national centres has 20-200 KiB.
LARGEST_BYTES = 4 * 2**20
# CAP has five levels; a signature within it at most about ten.
DEEPEST = 32
MOST_ELEMENTS = 50_000
MOST_ATTRIBUTES = 64
_SPACE = "\x20"
_BLANK = " \t\r\n"


class NotXml(Invalid):
    """It is no well-formed XML, or in an encoding that nobody here reads."""


class Dangerous(Invalid):
    """XML that is built to do harm, or could: a document type, too deep, too large, too many elements."""


class Node(msgspec.Struct):
    """An element: its namespace and name, the names of its attributes, what is in it."""

    space: str
    name: str
    attributes: tuple[str, ...]
    children: list["Node"]
    pieces: list[str]

    @property
    def text(self) -> str:
        """Its own text, without blanks at the ends."""
        return "".join(self.pieces).strip(_BLANK)


def parse(body: bytes) -> Node:
    """The root of a document. Refuses `NotXml` and `Dangerous`; no bytes make it fail otherwise."""
    if len(body) > LARGEST_BYTES:
        raise Dangerous("cap.too_large", {"mib": LARGEST_BYTES // 2**20})
    building = _Building()
    parser = expat.ParserCreate(namespace_separator=_SPACE)
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = building.doctype
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.characters
    try:
        parser.Parse(body, True)
    except expat.ExpatError as problem:
        raise NotXml("cap.not_xml", {"line": problem.lineno, "why": expat.ErrorString(problem.code)}) from None
    except (ValueError, LookupError):
        raise NotXml("cap.encoding_unknown", {}) from None
    assert building.root is not None
    return building.root


class _Building:
    """The tree as it grows."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0

    def doctype(self, name: str, *_more: object) -> None:
        raise Dangerous("cap.doctype", {"name": name[:60]})

    def start(self, full: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise Dangerous("cap.too_many_elements", {"most": MOST_ELEMENTS})
        if len(self._open) >= DEEPEST:
            raise Dangerous("cap.too_deep", {"most": DEEPEST})
        if len(attributes) > MOST_ATTRIBUTES:
            raise Dangerous("cap.too_many_attributes", {"most": MOST_ATTRIBUTES})
        space, _, name = full.rpartition(_SPACE)
        node = Node(space=space, name=name, attributes=tuple(attributes), children=[], pieces=[])
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _full: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1].pieces.append(text)
