# SPDX-License-Identifier: Apache-2.0
"""Entities as SensorThings shows them: their properties, and the way to related ones that are kept in memory."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from citybrain.doors.sensorthings.derived import fields_of
from citybrain.doors.sensorthings.functions import Evaluated
from citybrain.doors.sensorthings.links import MASK, SHIFT, UNKNOWN_SENSOR, Links, is_number, kind_of, targets
from citybrain.doors.sensorthings.model import FEATURES, FROM_LOCATION, RESULT, SCHEMAS, Holds, Kind, Relation
from citybrain.doors.sensorthings.moments import read_span
from citybrain.doors.sensorthings.refusals import NotThere, not_there
from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.pool.sensed import Sensed, Series
from citybrain.kernel.records import Json

__all__ = ["Node", "Nodes"]
_DETAILS = ("resultTime", "resultQuality", "validTime", "parameters")


class Node:
    """One entity. `document` is what it is made of; of an Observation that of its Datastream, or of who has it."""

    __slots__ = ("_document", "_fields", "_nodes", "_whole", "id", "kind", "sensed")

    def __init__(
        self, nodes: "Nodes", kind: Kind, id: int, document: Document | None, sensed: Sensed | None = None
    ) -> None:
        self.kind, self.id, self.sensed = kind, id, sensed
        self._document = document
        self._nodes = nodes
        self._fields: dict[str, Json] | None = None
        self._whole: Instance | None = None

    @property
    def document(self) -> Document | None:
        """What it is made of; what an Observation belongs to is read only when somebody asks."""
        if self._document is None and self.sensed is not None:
            self._document = self._nodes.document(self.sensed.entity)
        return self._document

    @property
    def fields(self) -> dict[str, Json]:
        """Its properties as they are shown."""
        if self._fields is None:
            self._fields = self._nodes.fields(self)
        return self._fields

    @property
    def whole(self) -> Instance:
        """Of an Observation: the value with its attributes."""
        if self._whole is None and self.sensed is not None:
            self._whole = self.sensed.whole()
        return self._whole or Instance(type=AttributeType.PROPERTY)

    def values(self, names: Sequence[str]) -> list[Evaluated]:
        """The values at a path, ready to be compared."""
        first, rest = names[0], names[1:]
        if first in ("@iot.id", "id"):
            return [self.id]
        property = SCHEMAS[self.kind].properties.get(first)
        if property is not None:
            return [_inside(self.fields.get(first), rest, property.holds)]
        related = self._nodes.related(self, first)
        return [value for node in related for value in node.values(rest)] or [None]


class Nodes:
    """Finds entities by kind and id, and what they are related to."""

    def __init__(self, documents: Documents, links: Links) -> None:
        self.documents = documents
        self.links = links

    def document(self, number: int) -> Document | None:
        """The document with this number."""
        id = self.links.ids.get(number)
        return None if id is None else self.documents.get(DEFAULT_TENANT, id)

    def find(self, kind: Kind, id: int) -> Node | None:
        """An entity that is kept in memory; None if there is none."""
        if not self.links.has(kind, id):
            return None
        if id >> SHIFT and kind in (Kind.SENSOR, Kind.OBSERVED_PROPERTY):
            return Node(self, kind, id, None)
        document = self.document(id & MASK)
        return None if document is None else Node(self, kind, id, document)

    def get(self, kind: Kind, id: int) -> Node:
        """An entity that is kept in memory; refuses one that is not there."""
        node = self.find(kind, id)
        if node is None:
            raise no_such_entity(kind, id)
        return node

    def observation(self, sensed: Sensed) -> Node | None:
        """An Observation, if its Datastream is there."""
        native = self.links.native(Kind.DATASTREAM, sensed.entity)
        stream = sensed.entity if native else (sensed.attribute << SHIFT) + sensed.entity
        if not self.links.has(Kind.DATASTREAM, stream):
            return None
        return Node(self, Kind.OBSERVATION, sensed.instance, None, sensed)

    def stream_of(self, node: Node) -> int:
        """The id of an Observation's Datastream."""
        sensed = node.sensed
        if sensed is None:
            return 0
        native = self.links.native(Kind.DATASTREAM, sensed.entity)
        return sensed.entity if native else (sensed.attribute << SHIFT) + sensed.entity

    def series(self, streams: Sequence[int]) -> Series:
        """Where the history holds the Observations of Datastreams."""
        result = self.documents.names.number(RESULT)
        return Series([id & MASK for id in streams], [(id >> SHIFT) or result for id in streams])

    def related(self, node: Node, name: str) -> Iterator[Node]:
        """Related entities that are kept in memory, in order of their ids."""
        kind = SCHEMAS[node.kind].relations[name].to
        for id in self.related_ids(node, name):
            found = self.find(kind, id)
            if found is not None:
                yield found

    def related_ids(self, node: Node, name: str) -> Sequence[int]:
        """The ids of related entities that are kept in memory, in order."""
        relation = SCHEMAS[node.kind].relations[name]
        if node.kind is Kind.OBSERVATION:
            return [self.stream_of(node)] if name == "Datastream" else self._feature(node)
        if node.document is None or kind_of(node.document) is None:
            return self._derived(node, relation)
        if relation.attribute:
            return sorted(self._numbers(targets(node.document, relation.attribute)))
        back = SCHEMAS[relation.to].relations[relation.back].attribute
        return self.links.back(relation.to, back, node.document.id)

    def streams_with(self, node: Node) -> Sequence[int]:
        """The Datastreams that have Observations of a FeatureOfInterest."""
        if node.document is None:
            return ()
        if kind_of(node.document) is None:
            return [id for id in self._streams_of(node.document, node.id & MASK)]
        return self.links.back(Kind.DATASTREAM, FEATURES, node.document.id)

    def feature_of(self, location: Document) -> str | None:
        """The id of the document of the FeatureOfInterest that was made of a Location."""
        made = self.links.back(Kind.FEATURE_OF_INTEREST, FROM_LOCATION, location.id)
        return self.links.ids.get(made[0]) if made else None

    def _numbers(self, ids: Sequence[str]) -> Iterator[int]:
        for id in ids:
            number = self.documents.number(DEFAULT_TENANT, id)
            if number is not None and number in self.links.ids:
                yield number

    def _feature(self, node: Node) -> Sequence[int]:
        """The FeatureOfInterest of an Observation: the one it says, else the place of what was observed."""
        said = node.whole.attributes.get("featureOfInterest", ())
        if said and isinstance(said[0].value, str):
            return list(self._numbers([said[0].value]))
        if node.document is None or kind_of(node.document) is not None:
            return ()
        number = self.documents.number(DEFAULT_TENANT, node.document.id) or 0
        return self._places(node.document, number)[:1]

    def _derived(self, node: Node, relation: Relation) -> Sequence[int]:
        """How what others wrote hangs together."""
        number = node.id & MASK
        if node.document is None:
            if node.kind is Kind.SENSOR:
                return [id for group in self.links.observed() for id in self.links.streams(group)]
            return self.links.streams(node.id >> SHIFT)
        ways = {
            Kind.THING: lambda: [number],
            Kind.SENSOR: lambda: [UNKNOWN_SENSOR],
            Kind.OBSERVED_PROPERTY: lambda: [node.id >> SHIFT << SHIFT],
            Kind.DATASTREAM: lambda: sorted(self._streams_of(node.document, number)),
            Kind.LOCATION: lambda: self._places(node.document, number),
        }
        return ways.get(relation.to, list)()

    def _streams_of(self, document: Document | None, number: int) -> Iterator[int]:
        for name, instances in document.attributes.items() if document else ():
            for each in instances:
                if is_number(each):
                    yield (self.documents.names.number(name, each.dataset_id) << SHIFT) + number

    def _places(self, document: Document | None, number: int) -> list[int]:
        found = [
            (name != "location", (self.documents.names.number(name, each.dataset_id) << SHIFT) + number)
            for name, instances in (document.attributes.items() if document else ())
            for each in instances
            if each.type is AttributeType.GEO_PROPERTY
        ]
        return [id for _, id in sorted(found)]

    def fields(self, node: Node) -> dict[str, Json]:
        """The properties of an entity as they are shown."""
        if node.sensed is not None:
            return _observation_fields(node, node.sensed)
        if node.document is None or kind_of(node.document) is None:
            return fields_of(node.kind, node.document, self._attribute(node.id >> SHIFT))
        shown: dict[str, Json] = {}
        for name in SCHEMAS[node.kind].properties:
            instances = node.document.attributes.get(name)
            if instances:
                shown[name] = instances[0].value
        return shown

    def _attribute(self, number: int) -> tuple[str, str]:
        return self.documents.names.name(number) if number else ("", "")


def no_such_entity(kind: Kind, id: int | str) -> NotThere:
    """There is no entity with this id."""
    return not_there("no_such_entity", set=SCHEMAS[kind].set_name, id=str(id))


def _observation_fields(node: Node, sensed: Sensed) -> dict[str, Json]:
    shown: dict[str, Json] = {"phenomenonTime": text_of(sensed.observed_at)}
    if not sensed.detail:
        shown["resultTime"] = None
        shown["result"] = sensed.value
        return shown
    held: Mapping[str, tuple[Instance, ...]] = node.whole.attributes
    if "phenomenonTime" in held:
        shown["phenomenonTime"] = held["phenomenonTime"][0].value
    shown["resultTime"] = None
    shown["result"] = node.whole.value
    for name in _DETAILS:
        if name in held:
            shown[name] = held[name][0].value
    return shown


def _inside(value: Any, rest: Sequence[str], holds: Holds) -> Evaluated:
    """A value of a property, or something inside it, ready to be compared."""
    for name in rest:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    if rest or not isinstance(value, str | dict):
        return value
    if holds in (Holds.INSTANT, Holds.SPAN) and isinstance(value, str):
        return read_span(value)
    return geometry_of(value) if holds is Holds.PLACE and isinstance(value, dict) else value


def geometry_of(value: Mapping[str, Any]) -> BaseGeometry | None:
    """The shape of a GeoJSON geometry or feature; None if it is neither."""
    inner = value.get("geometry") if value.get("type") == "Feature" else value
    try:
        found: BaseGeometry = shape(inner)
    except (shapely.errors.ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        return None
    return found
