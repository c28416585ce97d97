# SPDX-License-Identifier: Apache-2.0
"""Entities with what hangs on them, as one request sends them (OGC 18-088 clause 10.2)."""

from collections.abc import Mapping, Sequence

from citybrain.doors.sensorthings.codec import (
    FOLLOWING,
    Given,
    Payload,
    instance,
    link,
    read_given,
    read_sight,
)
from citybrain.doors.sensorthings.drafting import Draft
from citybrain.doors.sensorthings.links import targets
from citybrain.doors.sensorthings.model import FROM_LOCATION, SCHEMAS, Kind, Relation
from citybrain.doors.sensorthings.moments import read_time
from citybrain.doors.sensorthings.refusals import unusable
from citybrain.kernel.entities.document import DEFAULT_TENANT, Attributes, Document
from citybrain.kernel.records import Json

DEEPEST = 20


class Creating:
    """Puts what a client sent into a draft."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._depth = 0

    def entity(self, kind: Kind, payload: Payload, given: Mapping[str, str] | None = None) -> str:
        """A new entity, all that is inside it included; `given` are relations that the path says.

        Answers with the id of its document. Refuses what lacks something or leads to what is not there.
        """
        self._depth += 1
        if self._depth > DEEPEST:
            raise unusable("body_too_deep", limit=DEEPEST)
        read = read_given(payload, kind, whole=True)
        stamp = self.draft.stamp
        attributes: Attributes = {
            name: (instance(name, value, kind, stamp),) for name, value in read.properties.items() if value is not None
        }
        linked = {name: [id] for name, id in (given or {}).items()}
        for name, relation in SCHEMAS[kind].relations.items():
            if relation.attribute:
                ids = [*linked.get(name, ()), *self._ahead(name, relation, read.relations)]
                if relation.required and not ids:
                    raise unusable("relation_missing", name=name, kind=kind)
                if ids:
                    attributes[relation.attribute] = (link(ids if relation.many else ids[-1:], stamp),)
        id = self.draft.create(kind, attributes)
        self._settle(kind, id)
        self._behind(kind, id, read.relations)
        self._depth -= 1
        return id

    def observation(self, payload: Payload, given: Mapping[str, str] | None = None) -> int:
        """A new Observation; answers with its place in the draft."""
        read = read_given(payload, Kind.OBSERVATION, whole=True)
        stream = (given or {}).get("Datastream") or self._one("Datastream", read, Kind.DATASTREAM)
        if stream is None:
            raise unusable("relation_missing", name="Datastream", kind=Kind.OBSERVATION)
        feature = (given or {}).get("FeatureOfInterest") or self._one(
            "FeatureOfInterest", read, Kind.FEATURE_OF_INTEREST
        )
        at = self.draft.at
        return self.draft.observe(read_sight(read, stream, feature or self.feature_of_stream(stream), at))

    def related(self, kind: Kind, value: Json) -> str:
        """An entity that is linked to by its id, or sent inside."""
        if not isinstance(value, dict):
            raise unusable("relation_unusable", kind=kind)
        number = value.get("@iot.id", value.get("id"))
        if number is None:
            return self.entity(kind, value)
        return self.linked(kind, number)

    def linked(self, kind: Kind, number: Json) -> str:
        """The document that an id leads to; refuses what is not there and what others wrote."""
        text = str(number)
        links = self.draft.nodes.links
        id = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        if not links.has(kind, id):
            raise unusable("link_broken", kind=kind, id=text)
        if not links.native(kind, id):
            raise unusable("derived_read_only", kind=kind, id=text)
        return links.ids[id]

    def place(self, thing: str, locations: Sequence[str]) -> None:
        """A Thing is at other Locations from now on, and its history says so (clause 8.2.3)."""
        stamp = self.draft.stamp
        self.draft.change(thing, {"locations": (link(locations, stamp),) if locations else None})
        self._remember(thing, locations)

    def link(self, id: str, kind: Kind, name: str, others: Sequence[str]) -> None:
        """Set whereto a relation leads."""
        attribute = SCHEMAS[kind].relations[name].attribute
        self.draft.change(id, {attribute: (link(list(dict.fromkeys(others)), self.draft.stamp),)})

    def feature_of_stream(self, stream: str) -> str:
        """The feature of Observations that name none: where the Thing is (clause 10.2.2.3)."""
        document = self.draft.get(stream)
        thing = self.draft.get(next(iter(targets(document, "thing")), "")) if document else None
        places = targets(thing, "locations") if thing else ()
        location = self.draft.get(places[0]) if places else None
        if location is None:
            raise unusable("feature_missing")
        return self._made_of(location)

    def _made_of(self, location: Document) -> str:
        known = self.draft.nodes.feature_of(location)
        if known is not None and self.draft.get(known) is not None:
            return known
        held = location.attributes
        attributes: Attributes = {
            name: held[name] for name in ("name", "description", "encodingType", "properties") if name in held
        }
        if "location" in held:
            attributes["feature"] = held["location"]
        attributes[FROM_LOCATION] = (link([location.id], self.draft.stamp),)
        return self.draft.feature(location.id, attributes)

    def _ahead(self, name: str, relation: Relation, given: Mapping[str, Json]) -> list[str]:
        """Entities that must be there first: the entity will lead to them."""
        if name not in given or given[name] is None:
            return []
        held = given[name]
        items = held if relation.many and isinstance(held, list) else [held]
        return [self.related(relation.to, each) for each in items]

    def _behind(self, kind: Kind, id: str, given: Mapping[str, Json]) -> None:
        """Entities that lead to this one."""
        for name, relation in SCHEMAS[kind].relations.items():
            if relation.attribute or given.get(name) is None:
                continue
            held = given[name]
            for each in held if isinstance(held, list) else [held]:
                self.attach(kind, id, name, each)

    def attach(self, kind: Kind, id: str, name: str, value: Json) -> str | int:
        """Let an entity, new or there, lead back to this one: answers with its document or place in the draft."""
        relation = SCHEMAS[kind].relations[name]
        if not isinstance(value, dict):
            raise unusable("relation_unusable", kind=relation.to)
        if relation.to is Kind.OBSERVATION:
            return self.observation(value, {relation.back: id})
        number = value.get("@iot.id", value.get("id"))
        if number is None:
            if SCHEMAS[relation.to].relations[relation.back].many:
                return self._placed(relation, self.entity(relation.to, value), id)
            return self.entity(relation.to, value, {relation.back: id})
        return self._placed(relation, self.linked(relation.to, number), id)

    def _placed(self, relation: Relation, other: str, id: str) -> str:
        back = SCHEMAS[relation.to].relations[relation.back]
        if relation.to is Kind.THING:
            self.place(other, [id])
        else:
            document = self.draft.get(other)
            before = targets(document, back.attribute) if back.many and document else ()
            ids = [*(each for each in before if each != id), id]
            self.draft.change(other, {back.attribute: (link(ids, self.draft.stamp),)})
        return other

    def _settle(self, kind: Kind, id: str) -> None:
        """What follows from a new entity: a Thing with Locations has been there since now, and the other way round."""
        document = self.draft.get(id)
        if document is None:
            return
        if kind is Kind.THING and targets(document, "locations"):
            self._remember(id, targets(document, "locations"))
        elif kind is Kind.HISTORICAL_LOCATION and targets(document, "locations"):
            self._newest(document)

    def _remember(self, thing: str, locations: Sequence[str]) -> None:
        if locations:
            stamp = self.draft.stamp
            kind = Kind.HISTORICAL_LOCATION
            attributes: Attributes = {
                "time": (instance("time", stamp, kind, stamp),),
                "thing": (link([thing], stamp),),
                "locations": (link(locations, stamp),),
            }
            self.draft.create(kind, attributes)

    def _newest(self, historical: Document) -> None:
        """A HistoricalLocation later than all others says where the Thing is now (clause 8.2.3)."""
        nodes = self.draft.nodes
        thing = targets(historical, "thing")[0]
        at = read_time(str(historical.attributes["time"][0].value))
        number = nodes.documents.number(DEFAULT_TENANT, thing)
        node = None if number is None else nodes.find(Kind.THING, number)
        others = (
            [read_time(str(each.fields.get("time"))) for each in nodes.related(node, "HistoricalLocations")]
            if node
            else []
        )
        if at is not None and all(each is None or each < at for each in others):
            places = targets(historical, "locations")
            self.draft.change(thing, {"locations": (link(places, self.draft.stamp),)})

    def _one(self, name: str, given: Given, kind: Kind) -> str | None:
        value = given.relations.get(name)
        return None if value is None else self.related(kind, value)


def is_link(value: Json) -> bool:
    """Whether a relation is told by an id alone."""
    return (
        isinstance(value, dict)
        and ("@iot.id" in value or "id" in value)
        and not any(FOLLOWING not in name and name != "id" for name in value)
    )
