# SPDX-License-Identifier: Apache-2.0
"""Resource paths: `Things(1)/Datastreams(2)/Observations`, a property, `$ref`, `$value` (OGC 18-088 clause 9.2)."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

from citybrain.doors.sensorthings.finding import Finder, Within
from citybrain.doors.sensorthings.model import BY_SET, SCHEMAS, Kind
from citybrain.doors.sensorthings.nodes import Node, no_such_entity
from citybrain.doors.sensorthings.refusals import not_there

_STEP = re.compile(r"(\$?[A-Za-z_@][\w.@-]*)(?:\((.*)\))?", re.DOTALL)
LARGEST_ID = 2**63 - 1


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """What a path names: a collection (`within` alone), an entity (`node`), or a property of it (`names`)."""

    within: Within
    node: Node | None = None
    names: tuple[str, ...] = ()
    value: bool = False
    references: bool = False

    @property
    def kind(self) -> Kind:
        """The kind of entities it is about."""
        return self.within.kind


class Step(msgspec.Struct, frozen=True):
    """A piece of a path: a name, and an id if there is one."""

    name: str
    id: int | None = None


def read_path(path: str) -> list[Step]:
    """The steps of a path; refuses what is none as not there."""
    steps = []
    for piece in path.strip("/").split("/"):
        text = unquote(piece)
        found = _STEP.fullmatch(text)
        if found is None:
            raise not_there("no_such_path", path=path)
        name, inside = found.groups()
        steps.append(Step(name, None if inside is None else _id(name, inside)))
    return steps


def _id(name: str, text: str) -> int:
    digits = text.strip().removeprefix("'").removesuffix("'")
    if not (digits.isascii() and digits.isdigit()) or int(digits[:30]) > LARGEST_ID:
        raise not_there("no_such_entity", set=name, id=text)
    return int(digits)


async def resolve(finder: Finder, path: str) -> Resource:
    """What a path names; refuses what is not there (`NotThere`)."""
    steps = read_path(path)
    first = steps[0]
    schema = BY_SET.get(first.name)
    if schema is None:
        raise not_there("no_such_set", name=first.name)
    within = Within(kind=schema.kind)
    found = Resource(within=within)
    if first.id is not None:
        found = Resource(within=within, node=await entity(finder, schema.kind, first.id))
    for place, step in enumerate(steps[1:], 1):
        if step.name == "$ref" and place == len(steps) - 1 and not found.names:
            return msgspec.structs.replace(found, references=True)
        if found.node is None:
            raise not_there("no_such_path", path=path)
        if step.name not in SCHEMAS[found.node.kind].relations:
            return _property(found, found.node, steps[place:])
        found = await _onward(finder, found.node, step)
    return found


async def entity(finder: Finder, kind: Kind, id: int) -> Node:
    """An entity by its id; refuses one that is not there (`NotThere`)."""
    if kind is not Kind.OBSERVATION:
        return finder.nodes.get(kind, id)
    sensed = await finder.history.one(finder.nodes.links.observed(), id)
    node = None if sensed is None else finder.nodes.observation(sensed)
    if node is None:
        raise no_such_entity(kind, id)
    return node


async def _onward(finder: Finder, node: Node, step: Step) -> Resource:
    """From an entity along a relation."""
    relation = SCHEMAS[node.kind].relations[step.name]
    within = Within(kind=relation.to, parent=node, relation=step.name)
    if not relation.many:
        related = next(finder.nodes.related(node, step.name), None)
        if related is None:
            raise not_there("no_such_related", name=step.name, set=SCHEMAS[node.kind].set_name, id=str(node.id))
        return Resource(within=within, node=related)
    if step.id is None:
        return Resource(within=within)
    found = await entity(finder, relation.to, step.id)
    if not _belongs(finder, node, found, step.name):
        raise no_such_entity(relation.to, step.id)
    return Resource(within=within, node=found)


def _belongs(finder: Finder, parent: Node, node: Node, name: str) -> bool:
    if node.kind is not Kind.OBSERVATION:
        return node.id in finder.nodes.related_ids(parent, name)
    back = "Datastream" if parent.kind is Kind.DATASTREAM else "FeatureOfInterest"
    return parent.id in finder.nodes.related_ids(node, back)


def _property(found: Resource, node: Node, steps: Sequence[Step]) -> Resource:
    names = tuple(step.name for step in steps)
    value = names[-1] == "$value"
    names = names[:-1] if value else names
    if not names or names[0] not in (*SCHEMAS[node.kind].properties, "@iot.id", "id"):
        raise not_there("no_such_property", name="/".join(names) or "$value", kind=node.kind)
    return msgspec.structs.replace(found, names=names, value=value)
