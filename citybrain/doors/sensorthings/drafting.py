# SPDX-License-Identifier: Apache-2.0
"""A write on its way: the entities and observations that one request makes or changes, stored as one."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
import shapely

from citybrain.doors.sensorthings.codec import Sight, link, result_of
from citybrain.doors.sensorthings.expression import Span
from citybrain.doors.sensorthings.links import targets
from citybrain.doors.sensorthings.model import FEATURES, RESULT, SCHEMAS, Kind
from citybrain.doors.sensorthings.moments import read_span, told
from citybrain.doors.sensorthings.nodes import Nodes, geometry_of
from citybrain.kernel.clock import new_id
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import (
    DEFAULT_TENANT,
    AttributeChange,
    Attributes,
    AttributeType,
    Document,
    Done,
    EntityChange,
    Instance,
)
from citybrain.kernel.entities.order import is_older
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.records import Json


class Draft:
    """Gathers what a request does. Nobody runs between its making and `store`, which makes it visible as a whole."""

    def __init__(self, nodes: Nodes, at: datetime) -> None:
        self.nodes = nodes
        self.at = at
        self.stamp = text_of(at)
        self._before: dict[str, Document | None] = {}
        self._after: dict[str, Document | None] = {}
        self._seen: dict[str, Document | None] = {}
        self._sights: list[Sight] = []
        self._features: dict[str, str] = {}

    def get(self, id: str) -> Document | None:
        """A document as this draft leaves it."""
        if id in self._after:
            return self._after[id]
        if id not in self._seen:
            self._seen[id] = self.nodes.documents.get(DEFAULT_TENANT, id)
        return self._seen[id]

    def create(self, kind: Kind, attributes: Attributes) -> str:
        """A new entity; answers with the id of its document."""
        type = SCHEMAS[kind].type
        id = f"urn:ngsi-ld:{type}:{new_id()}"
        self._before[id] = None
        self._after[id] = Document(
            id=id, types=(type,), created_at=self.stamp, modified_at=self.stamp, attributes=attributes
        )
        return id

    def feature(self, location: str, attributes: Attributes) -> str:
        """The FeatureOfInterest that is made of a Location, once however often it is asked for."""
        if location not in self._features:
            self._features[location] = self.create(Kind.FEATURE_OF_INTEREST, attributes)
        return self._features[location]

    def change(self, id: str, changes: dict[str, tuple[Instance, ...] | None]) -> None:
        """Set attributes of an entity, or take them away."""
        document = self.get(id)
        if document is None:
            return
        self._before.setdefault(id, self.nodes.documents.get(DEFAULT_TENANT, id))
        attributes = dict(document.attributes)
        for name, instances in changes.items():
            attributes.pop(name, None)
            if instances is not None:
                attributes[name] = instances
        self._after[id] = msgspec.structs.replace(document, modified_at=self.stamp, attributes=attributes)

    def delete(self, ids: Iterable[str]) -> None:
        """Take entities away."""
        for id in ids:
            before = self.nodes.documents.get(DEFAULT_TENANT, id)
            if before is not None:
                self._before[id], self._after[id] = before, None

    def remember_feature(self, stream: str, feature: str) -> None:
        """A Datastream has Observations of a feature."""
        document = self.get(stream)
        change = _features(document, [feature], self) if document else None
        if change is not None and change.after is not None:
            self.change(stream, {FEATURES: (change.after,)})

    def observe(self, sight: Sight) -> int:
        """Keep an Observation; answers with its place in what `store` answers."""
        self._sights.append(sight)
        return len(self._sights) - 1

    async def store(self) -> list[int]:
        """Make everything visible and wait until it is committed; answers with the ids of the Observations."""
        changes = [change for id in self._after if (change := self._changed(id)) is not None]
        whose: dict[int, list[int]] = {}
        for stream, places in self._by_stream().items():
            document = self.get(stream)
            if document is not None:
                change, order = _observed(document, [(place, self._sights[place]) for place in places], self)
                whose[len(changes)] = order
                changes.append(change)
        if not changes:
            return []
        documents = self.nodes.documents
        next_number = documents.reserve(0)
        numbers = [0] * len(self._sights)
        for place, change in enumerate(changes):
            for offset, sight in enumerate(whose.get(place, ())):
                if sight >= 0:
                    numbers[sight] = next_number + offset
            next_number += len(change.attributes) + len(change.late)
        await documents.put(changes)
        return numbers

    def _by_stream(self) -> dict[str, list[int]]:
        streams: dict[str, list[int]] = {}
        for place, sight in enumerate(self._sights):
            streams.setdefault(sight.stream, []).append(place)
        return streams

    def _changed(self, id: str) -> EntityChange | None:
        before, after = self._before[id], self._after[id]
        if after is None:
            return None if before is None else verbs.delete(before, tenant=DEFAULT_TENANT, at=self.at)
        if before is None:
            return verbs.create(DEFAULT_TENANT, after, self.at)
        changed = tuple(difference(before, after))
        if not changed:
            return None
        return EntityChange(tenant=DEFAULT_TENANT, id=id, at=self.at, before=before, after=after, attributes=changed)


def difference(before: Document, after: Document) -> Iterable[AttributeChange]:
    """What became of each attribute; of each there is one instance."""
    for name in dict.fromkeys((*before.attributes, *after.attributes)):
        old = next(iter(before.attributes.get(name, ())), None)
        new = next(iter(after.attributes.get(name, ())), None)
        if old != new:
            done = Done.CREATED if old is None else Done.DELETED if new is None else Done.UPDATED
            yield AttributeChange(name=name, done=done, before=old, after=new)


def _observed(document: Document, sights: Sequence[tuple[int, Sight]], draft: Draft) -> tuple[EntityChange, list[int]]:
    """What observations make of their Datastream, and in which order the history gets them.

    The newest becomes the present, unless a newer one is there; the others only enter the history.
    """
    before = next(iter(document.attributes.get(RESULT, ())), None)
    instances = [(place, result_of(sight, draft.stamp)) for place, sight in sights]
    newest = max(range(len(sights)), key=lambda i: (sights[i][1].when.begin, i))
    if before is not None and is_older(instances[newest][1], before):
        newest = -1
    attributes = dict(document.attributes)
    changed: list[AttributeChange] = []
    order: list[int] = []
    if newest >= 0:
        place, after = instances[newest]
        done = Done.CREATED if before is None else Done.UPDATED
        changed.append(AttributeChange(name=RESULT, done=done, before=before, after=after))
        attributes[RESULT] = (after,)
        order.append(place)
    late = [
        AttributeChange(name=RESULT, done=Done.CREATED, before=None, after=each)
        for i, (_, each) in enumerate(instances)
        if i != newest
    ]
    features = [each for _, sight in sights if (each := sight.feature)]
    feature_change = _features(document, features, draft)
    # It comes last, so that the numbers of the Observations stay side by side in the order they are told.
    if feature_change is not None and feature_change.after is not None:
        attributes[FEATURES] = (feature_change.after,)
        _widen(attributes, document, feature_change.after, draft)
    _stretch(attributes, [sight for _, sight in sights], draft.stamp)
    after_document = msgspec.structs.replace(document, modified_at=draft.stamp, attributes=attributes)
    tail = () if feature_change is None else (feature_change,)
    change = EntityChange(
        tenant=DEFAULT_TENANT,
        id=document.id,
        at=draft.at,
        before=document,
        after=after_document,
        attributes=(*changed, *tail),
        late=tuple(late),
    )
    others = [place for i, (place, _) in enumerate(instances) if i != newest]
    return change, [*order, *([-1] * len(tail)), *others]


def _features(document: Document, features: Sequence[str], draft: Draft) -> AttributeChange | None:
    """The Datastream remembers of which features it has Observations, so that these are found from there."""
    known = targets(document, FEATURES)
    new = [each for each in dict.fromkeys(features) if each not in set(known)]
    if not new:
        return None
    before = next(iter(document.attributes.get(FEATURES, ())), None)
    done = Done.CREATED if before is None else Done.UPDATED
    return AttributeChange(name=FEATURES, done=done, before=before, after=link([*known, *new], draft.stamp))


def _widen(attributes: Attributes, document: Document, features: Instance, draft: Draft) -> None:
    """The observed area grows with the features that are new: the convex hull of all (table 10, observedArea)."""
    known = set(targets(document, FEATURES))
    ids = [features.value] if isinstance(features.value, str) else list(features.value or ())
    found = [each for id in ids if id not in known and (each := draft.get(id)) is not None]
    held = [
        *attributes.get("observedArea", ()),
        *(each.attributes["feature"][0] for each in found if "feature" in each.attributes),
    ]
    shapes = [each for one in held if isinstance(one.value, dict) and (each := geometry_of(one.value)) is not None]
    if shapes:
        hull: Json = shapely.geometry.mapping(shapely.convex_hull(shapely.GeometryCollection(shapes)))
        area = msgspec.json.decode(msgspec.json.encode(hull))
        attributes["observedArea"] = (
            Instance(type=AttributeType.GEO_PROPERTY, value=area, created_at=draft.stamp, modified_at=draft.stamp),
        )


def _stretch(attributes: Attributes, sights: Sequence[Sight], stamp: str) -> None:
    """The time that a Datastream spans grows with its Observations."""
    spans = [sight.when for sight in sights]
    times = [span for sight in sights if sight.result_time and (span := read_span(sight.result_time))]
    for name, found in (("phenomenonTime", spans), ("resultTime", times)):
        held = attributes.get(name)
        known = read_span(str(held[0].value)) if held else None
        every = [*found, *([known] if known else [])]
        if not every:
            continue
        whole = Span(min(each.begin for each in every), max(each.end for each in every))
        if whole != known:
            attributes[name] = (spanning(whole, stamp),)


def spanning(span: Span, stamp: str) -> Instance:
    """A span as an attribute instance, always with both ends."""
    text = told(span)
    both = text if "/" in text else f"{text}/{text}"
    return Instance(type=AttributeType.PROPERTY, value=both, created_at=stamp, modified_at=stamp)
