# SPDX-License-Identifier: Apache-2.0
"""Which members of entities are asked for: the projection language of `pick` and `omit` (CIM 009 clause 4.21)."""

from collections.abc import Mapping

import msgspec

from citybrain.kernel.entities.names import is_name, shown
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.ld.context import Context

KEEPS_ITS_NAME = frozenset({"id", "type", "scope", "createdAt", "modifiedAt", "expiresAt", "deletedAt"})
_DEEPEST = 20


class Projection(msgspec.Struct, frozen=True):
    """Members by internal name; `inside` has those of the linked entity that a Relationship leads to, if any."""

    inside: Mapping[str, "Projection"] = {}

    def __contains__(self, name: object) -> bool:
        return name in self.inside

    @property
    def has_linked(self) -> bool:
        """It asks for members of linked entities, which needs them to be joined (clause 5.7.1.4)."""
        return any(below.inside for below in self.inside.values())


def read_projection(text: str, context: Context, *, parameter: str) -> Projection:
    """Names joined by `,` or `|`, each followed by `{…}` for members of the linked entity.

    Refuses an empty member, unbalanced braces and what cannot be a name, naming the parameter.
    """
    reader = _Reader(text, context, parameter)
    projection = reader.projection(1)
    if reader.position < len(text):
        raise reader.refusal()
    return projection


class _Reader:
    def __init__(self, text: str, context: Context, parameter: str) -> None:
        self.position = 0
        self._text = text
        self._context = context
        self._parameter = parameter

    def refusal(self) -> BadRequestData:
        facts = {"parameter": self._parameter, "position": self.position, "value": shown(self._text)}
        return BadRequestData("kernel.projection_unreadable", facts)

    def projection(self, depth: int) -> Projection:
        if depth > _DEEPEST:
            raise self.refusal()
        inside: dict[str, Projection] = {}
        while True:
            name = self._name()
            below = Projection()
            if self._next("{"):
                below = self.projection(depth + 1)
                if not self._next("}"):
                    raise self.refusal()
            known = inside.get(name)
            inside[name] = Projection({**known.inside, **below.inside}) if known else below
            if not (self._next(",") or self._next("|")):
                return Projection(inside)

    def _next(self, mark: str) -> bool:
        found = self._text.startswith(mark, self.position)
        self.position += found
        return found

    def _name(self) -> str:
        start = self.position
        while self.position < len(self._text) and self._text[self.position] not in ",|{}":
            self.position += 1
        term = self._text[start : self.position].strip()
        if term in KEEPS_ITS_NAME:
            return term
        if not is_name(term):
            self.position = start
            raise self.refusal()
        return self._context.expand(term)
