# SPDX-License-Identifier: Apache-2.0
"""Bytes to an alert: every rule that it breaks is told, with the place: pure."""

from typing import Any

import msgspec

from citybrain.doors.cap.elements import ALERTS, NAMESPACES, SIGNATURES, Element, Shape, Version
from citybrain.doors.cap.markup import Node, parse
from citybrain.doors.cap.model import Alert
from citybrain.doors.cap.problems import MOST_TOLD, Problem, RulesBroken
from citybrain.doors.cap.rules import broken
from citybrain.doors.cap.values import Kind, Unusable
from citybrain.kernel.errors import Invalid

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


class NotAnAlert(Invalid):
    """Well-formed XML, but no alert of a version of CAP that is known here."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it was read. `signed`: a signature is in it; `trust` says what it is worth."""

    alert: Alert
    version: Version
    signed: bool = False


def read(body: bytes) -> Message:
    """Read a message of CAP 1.0, 1.1 or 1.2. Refuses `NotXml`, `Dangerous`, `NotAnAlert` and `RulesBroken`."""
    return read_node(parse(body))


def read_node(root: Node) -> Message:
    """The same of an element that was parsed already, for instance in a feed."""
    version = NAMESPACES.get(root.space)
    if version is None:
        raise NotAnAlert("cap.namespace_unknown", {"namespace": root.space[:120], "known": list(NAMESPACES)})
    if root.name != "alert":
        raise NotAnAlert("cap.not_an_alert", {"name": root.name[:60]})
    reader = _Reader(root.space, takes_signatures=version is not Version.V10)
    alert = reader.shape(root, ALERTS[version], "/alert")
    if alert is None or reader.problems:
        raise RulesBroken(reader.problems)
    if problems := broken(alert, version):
        raise RulesBroken(problems)
    return Message(alert=alert, version=version, signed=reader.signed)


class _Reader:
    """Goes down the tables of a version beside the tree, and notes what does not fit."""

    def __init__(self, space: str, *, takes_signatures: bool) -> None:
        self.problems: list[Problem] = []
        self.signed = False
        self._space = space
        self._takes_signatures = takes_signatures

    def shape(self, node: Node, shape: Shape, path: str) -> Any:
        """What a table makes of an element; None when something in it does not fit."""
        before = len(self.problems)
        self._look_at(node, path)
        if node.text:
            self._say("cap.text_misplaced", path, value=node.text[:80])
        fields = self._fields(node, shape, path)
        return shape.make(**fields) if len(self.problems) == before else None

    def _fields(self, node: Node, shape: Shape, path: str) -> dict[str, Any]:
        places = {row.name: place for place, row in enumerate(shape.rows)}
        found: dict[str, list[Any]] = {}
        seen: dict[str, int] = {}
        furthest = 0
        for child in node.children:
            if self._is_signature(child, path):
                furthest = len(shape.rows)
                continue
            place = places.get(child.name) if child.space == self._space else None
            if place is None:
                self._say("cap.element_unknown", path, name=child.name[:60])
                continue
            row = shape.rows[place]
            seen[row.name] = seen.get(row.name, 0) + 1
            here = f"{path}/{row.name}[{seen[row.name]}]" if row.many else f"{path}/{row.name}"
            if place < furthest:
                self._say("cap.element_misplaced", here, name=row.name)
            furthest = max(furthest, place)
            if seen[row.name] > 1 and not row.many:
                self._say("cap.element_repeated", here, name=row.name)
            else:
                self._take(child, row, here, found)
        for row in shape.rows:
            if row.needed and row.name not in seen:
                self._say("cap.element_missing", path, name=row.name)
        return _by_field(shape, found)

    def _take(self, child: Node, row: Element, path: str, found: dict[str, list[Any]]) -> None:
        """Read one element by its row."""
        if isinstance(row.inside, Shape):
            value = self.shape(child, row.inside, path)
        else:
            if not row.empty_counts and not child.text and not child.children:
                return
            value = self._value(child, row.inside, path)
        if value is not None:
            found.setdefault(row.name, []).append(value)

    def _value(self, node: Node, kind: Kind, path: str) -> Any:
        self._look_at(node, path)
        for child in node.children[:1]:
            self._say("cap.element_unknown", path, name=child.name[:60])
        try:
            return kind.read(node.text)
        except Unusable as unusable:
            self._say(unusable.code, path, **unusable.facts)
            return None

    def _look_at(self, node: Node, path: str) -> None:
        """The schema has no attributes but those of schema instances."""
        for name in node.attributes:
            if not name.startswith(_SCHEMA_INSTANCE):
                self._say("cap.attribute_unknown", path, name=name[-60:])

    def _is_signature(self, child: Node, path: str) -> bool:
        """Whether a child is a signature where one may stand: at the end of the alert."""
        if path != "/alert" or child.space != SIGNATURES or not self._takes_signatures:
            return False
        self.signed = True
        return True

    def _say(self, code: str, path: str, **facts: Any) -> None:
        if len(self.problems) < MOST_TOLD:
            self.problems.append(Problem(code=code, path=path, facts=facts))


def _by_field(shape: Shape, found: dict[str, list[Any]]) -> dict[str, Any]:
    """Values by the names of the fields: tuples of what may repeat, else the value."""
    rows = {row.name: row for row in shape.rows if row.field}
    return {
        rows[name].field: tuple(values) if rows[name].many else values[0]
        for name, values in found.items()
        if name in rows
    }
