# SPDX-License-Identifier: Apache-2.0
"""Entities that are there: changed, replaced, deleted with what hangs on them (OGC 18-088 clauses 10.3 and 10.4)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.doors.sensorthings import jsonpatch
from citybrain.doors.sensorthings.codec import (
    Given,
    Payload,
    check_whole,
    instance,
    link,
    read_given,
    read_object,
    read_sight,
    result_of,
)
from citybrain.doors.sensorthings.creating import Creating, is_link
from citybrain.doors.sensorthings.drafting import Draft, spanning
from citybrain.doors.sensorthings.expression import Span
from citybrain.doors.sensorthings.finding import Finder, Within
from citybrain.doors.sensorthings.links import kind_of
from citybrain.doors.sensorthings.model import RESULT, SCHEMAS, Kind
from citybrain.doors.sensorthings.nodes import Node
from citybrain.doors.sensorthings.options import NO_OPTIONS
from citybrain.doors.sensorthings.plan import plan
from citybrain.doors.sensorthings.refusals import unusable
from citybrain.kernel.entities.document import DEFAULT_TENANT, Attributes, EntityChange, Instance
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.entities.writing import HistoryRows
from citybrain.kernel.pool.sensed import ALL, Sensed
from citybrain.kernel.records import Json

# What goes with an entity that is deleted (table 25).
CASCADES: Mapping[Kind, tuple[str, ...]] = {
    Kind.THING: ("Datastreams", "HistoricalLocations"),
    Kind.LOCATION: ("HistoricalLocations",),
    Kind.SENSOR: ("Datastreams",),
    Kind.OBSERVED_PROPERTY: ("Datastreams",),
}


class Changing:
    """Changes entities, each as one; what others wrote is changed where it was written."""

    def __init__(self, finder: Finder) -> None:
        self.finder = finder

    async def patch(self, node: Node, body: Json, *, at: datetime) -> None:
        """Properties and links that are sent replace those there; null takes an optional one away."""
        payload = read_object(body)
        for name, value in payload.items():
            if name in SCHEMAS[node.kind].relations:
                items = value if isinstance(value, list) else [value]
                if not all(is_link(each) for each in items):
                    raise unusable("inline_in_patch", name=name)
        await self._write(node, read_given(payload, node.kind, whole=False), whole=False, at=at)

    async def put(self, node: Node, body: Json, *, at: datetime) -> None:
        """All properties are replaced; optional ones that are not sent go away. Relations stay unless sent."""
        await self._write(node, read_given(read_object(body), node.kind, whole=True), whole=True, at=at)

    async def json_patch(self, node: Node, operations: Json, *, at: datetime) -> None:
        """RFC 6902 on the properties."""
        patched = read_object(jsonpatch.apply(dict(node.fields), operations))
        await self._write(node, read_given(patched, node.kind, whole=True), whole=True, at=at)

    async def delete(self, node: Node, *, at: datetime) -> None:
        """An entity with all that cannot be without it."""
        nodes, history = self.finder.nodes, self.finder.history
        if node.sensed is not None:
            await history.delete([node.sensed])
            await self._resettle([self._writable(node)], at=at)
            return
        self._writable(node)
        if node.kind is Kind.FEATURE_OF_INTEREST:
            await self._delete_observations_of(node, at=at)
        gone = list(self._with_dependents(node))
        draft = Draft(nodes, at)
        if node.kind is Kind.LOCATION:
            self._forget_location(node, draft)
        draft.delete(each.document.id for each in gone if each.document is not None)
        streams = nodes.series([each.id for each in gone if each.kind is Kind.DATASTREAM])
        await draft.store()
        await history.delete_series(streams)

    def _writable(self, node: Node) -> str:
        """The id of the document behind an entity; refuses what others wrote."""
        if node.document is None or kind_of(node.document) is None:
            raise unusable("derived_read_only", kind=node.kind, id=str(node.id))
        return node.document.id

    def _with_dependents(self, node: Node) -> Iterator[Node]:
        yield node
        for name in CASCADES.get(node.kind, ()):
            for each in self.finder.nodes.related(node, name):
                yield from self._with_dependents(each)

    def _forget_location(self, node: Node, draft: Draft) -> None:
        for thing in self.finder.nodes.related(node, "Things"):
            left = [each for each in self.finder.nodes.related(thing, "Locations") if each.id != node.id]
            ids = [each.document.id for each in left if each.document is not None]
            if thing.document is not None:
                draft.change(thing.document.id, {"locations": (link(ids, draft.stamp),) if ids else None})

    async def _delete_observations_of(self, node: Node, *, at: datetime) -> None:
        within = Within(kind=Kind.OBSERVATION, parent=node, relation="Observations")
        rows = await self.finder.rows(within, plan(NO_OPTIONS), NO_OPTIONS, at)
        found: list[Sensed] = []
        streams: dict[str, None] = {}
        async for each in rows.all([]):
            if each.sensed is not None and each.document is not None:
                found.append(each.sensed)
                streams[each.document.id] = None
        await self.finder.history.delete(found)
        await self._resettle(list(streams), at=at)

    async def _write(self, node: Node, given: Given, *, whole: bool, at: datetime) -> None:
        id = self._writable(node)
        if node.sensed is not None:
            await self._correct(node, node.sensed, given, whole=whole, at=at)
            return
        draft = Draft(self.finder.nodes, at)
        creating = Creating(draft)
        changes: dict[str, tuple[Instance, ...] | None] = {}
        if whole:
            optional = SCHEMAS[node.kind].properties.items()
            changes.update({name: None for name, each in optional if not each.required and not each.computed})
        for name, value in given.properties.items():
            changes[name] = None if value is None else (instance(name, value, node.kind, draft.stamp),)
        draft.change(id, changes)
        for name, value in given.relations.items():
            self._relate(node, id, creating, name, value)
        await draft.store()

    def _relate(self, node: Node, id: str, creating: Creating, name: str, value: Json) -> None:
        relation = SCHEMAS[node.kind].relations[name]
        items: Sequence[Json] = value if isinstance(value, list) else [value]
        if not relation.attribute:
            for each in items:
                creating.attach(node.kind, id, name, each)
            return
        ids = [creating.related(relation.to, each) for each in items]
        if node.kind is Kind.THING:
            creating.place(id, ids)
        elif ids:
            creating.draft.change(id, {relation.attribute: (link(ids, creating.draft.stamp),)})

    async def _correct(self, node: Node, sensed: Sensed, given: Given, *, whole: bool, at: datetime) -> None:
        """Another Observation in the place of one that is there, under the same id."""
        id = self._writable(node)
        draft = Draft(self.finder.nodes, at)
        creating = Creating(draft)
        held = {} if whole else {name: value for name, value in node.fields.items()}
        properties: Payload = {**held, **given.properties}
        check_whole(properties, Kind.OBSERVATION)
        said = node.whole.attributes.get("featureOfInterest", ())
        feature = str(said[0].value) if said else ""
        if given.relations.get("FeatureOfInterest") is not None:
            feature = creating.related(Kind.FEATURE_OF_INTEREST, given.relations["FeatureOfInterest"])
        if given.relations.get("Datastream") is not None:
            stream = creating.related(Kind.DATASTREAM, given.relations["Datastream"])
            if stream != id:
                raise unusable("datastream_fixed")
        if not properties.get("phenomenonTime"):
            properties = {**properties, "phenomenonTime": node.fields["phenomenonTime"]}
        sight = read_sight(Given(properties=dict(properties), relations={}), id, feature, at)
        await draft.store()
        await self.finder.history.correct(sensed, result_of(sight, draft.stamp), at=sight.when.begin, now=at)
        if feature:
            draft = Draft(self.finder.nodes, at)
            draft.remember_feature(id, feature)
            await draft.store()
        await self._resettle([id], at=at)

    async def _resettle(self, streams: Sequence[str], *, at: datetime) -> None:
        """After the past of Datastreams was changed: what is newest, and what time they span."""
        nodes, documents = self.finder.nodes, self.finder.nodes.documents
        for id in streams:
            number = documents.number(DEFAULT_TENANT, id)
            if number is None:
                continue
            series = nodes.series([number])
            newest = await self.finder.history.of_each(series, ALL, limit=1, backward=True)
            oldest = await self.finder.history.of_each(series, ALL, limit=1, backward=False)
            before = documents.get(DEFAULT_TENANT, id)
            if before is None:
                continue
            attributes: Attributes = dict(before.attributes)
            attributes.pop(RESULT, None)
            attributes.pop("phenomenonTime", None)
            if newest and oldest:
                whole, stamp = newest[0].whole(), text_of(at)
                attributes[RESULT] = (
                    msgspec.structs.replace(
                        whole, observed_at=text_of(newest[0].observed_at), created_at=stamp, modified_at=stamp
                    ),
                )
                span = Span(oldest[0].observed_at, newest[0].observed_at)
                attributes["phenomenonTime"] = (spanning(span, stamp),)
            after = msgspec.structs.replace(before, modified_at=text_of(at), attributes=attributes)
            # The history says already how it is: nothing is added to it.
            change = EntityChange(tenant=DEFAULT_TENANT, id=id, at=at, before=before, after=after)
            await documents.put([change], history=HistoryRows())
