# SPDX-License-Identifier: Apache-2.0
"""Which entities there are and how they hang together, by number, kept in memory beside the documents.

An id of SensorThings is a number. What was written through this door has the number that the history knows its
document by. What others wrote is seen through this door as well: an entity is a Thing under its own number, and each of
its numeric attributes a Datastream under `attribute × 2³¹ + entity`, both by number; so with places. So ids need no
table, stay what they are, and lead both ways.
"""

import asyncio
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from citybrain.doors.sensorthings.model import BY_TYPE, FEATURES, FROM_LOCATION, RESULT, SCHEMAS, Kind
from citybrain.kernel.entities.document import (
    DEFAULT_TENANT,
    AttributeType,
    Document,
    Done,
    EntityChange,
    Instance,
)
from citybrain.kernel.entities.documents import Documents

SHIFT = 31
MASK = (1 << SHIFT) - 1
UNKNOWN_SENSOR = 1 << SHIFT
"""The Sensor of what others wrote: NGSI-LD does not say which instrument observed."""
TURN = 200

FORWARD: dict[Kind, tuple[str, ...]] = {
    kind: tuple(relation.attribute for relation in schema.relations.values() if relation.attribute)
    for kind, schema in SCHEMAS.items()
}
FORWARD[Kind.DATASTREAM] += (FEATURES,)
FORWARD[Kind.FEATURE_OF_INTEREST] += (FROM_LOCATION,)


_decode = msgspec.json.Decoder(Document).decode


class Numbers:
    """Numbers in order; most come as the largest."""

    def __init__(self) -> None:
        self.all = array("i")

    def add(self, number: int) -> None:
        """Take one in that may be there already."""
        if not self.all or number > self.all[-1]:
            self.all.append(number)
            return
        place = bisect_left(self.all, number)
        if self.all[place] != number:
            self.all.insert(place, number)

    def discard(self, number: int) -> None:
        """Take one out that may be gone already."""
        place = bisect_left(self.all, number)
        if place < len(self.all) and self.all[place] == number:
            del self.all[place]

    def __contains__(self, number: int) -> bool:
        place = bisect_left(self.all, number)
        return place < len(self.all) and self.all[place] == number


class Links:
    """Made once per city; `ready` must be awaited before anything is asked."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.ids: dict[int, str] = {}
        self._groups: dict[Kind, dict[int, Numbers]] = {kind: {} for kind in Kind}
        self._back: dict[tuple[Kind, str], dict[str, int | Numbers]] = {}
        self._building: asyncio.Task[None] | None = None
        documents.hooks.append(self.take_changes)

    async def ready(self) -> None:
        """Wait until all entities that were there are known; changes are taken in as they come."""
        if self._building is None:
            self._building = asyncio.create_task(self._build(), name="sensorthings links")
        if not self._building.done():
            await asyncio.shield(self._building)

    async def _build(self) -> None:
        for asked, id in enumerate(list(self.documents.ids(DEFAULT_TENANT))):
            body = self.documents.kept(DEFAULT_TENANT, id)
            if body is not None:
                self._take(None, _decode(body))
            if asked % TURN == 0:
                await asyncio.sleep(0)

    def take_changes(self, changes: Sequence[EntityChange]) -> None:
        """Take in what becomes of entities of the default tenant."""
        for change in changes:
            if change.tenant == DEFAULT_TENANT and _matters(change):
                self._take(change.before, change.after)

    def count(self, kind: Kind) -> int:
        """How many there are of a kind."""
        if kind is Kind.OBSERVED_PROPERTY:
            return len(self._group(kind, 0).all) + len(self._derived())
        if kind is Kind.SENSOR:
            return len(self._group(kind, 0).all) + bool(self._derived())
        return sum(len(group.all) for group in self._groups[kind].values())

    def after(self, kind: Kind, id: int) -> Iterator[int]:
        """The ids of a kind that are larger, in order."""
        for group in sorted(self._groups[kind]):
            base = group << SHIFT
            if id < base + MASK:
                numbers = self._groups[kind][group].all
                place = bisect_right(numbers, id - base) if id >= base else 0
                for number in numbers[place:]:
                    yield base + number
        for extra in self._single(kind):
            if extra > id:
                yield extra

    def has(self, kind: Kind, id: int) -> bool:
        """Whether there is such an entity."""
        group = self._groups[kind].get(id >> SHIFT)
        return (group is not None and (id & MASK) in group) or id in self._single(kind)

    def back(self, kind: Kind, attribute: str, target: str) -> Sequence[int]:
        """The numbers of entities of a kind whose attribute leads to an entity, in order."""
        held = self._back.get((kind, attribute), {}).get(target)
        if held is None:
            return ()
        return (held,) if isinstance(held, int) else held.all

    def native(self, kind: Kind, number: int) -> bool:
        """Whether it was written through this door."""
        return number in self._group(kind, 0)

    def others(self) -> Iterator[int]:
        """The numbers of Things that came by another door."""
        own = SCHEMAS[Kind.THING].type
        for number in self._group(Kind.THING, 0).all:
            if own not in self.documents.types(DEFAULT_TENANT, self.ids[number]):
                yield number

    def observed(self) -> Sequence[int]:
        """The numbers of all attributes that are seen as Datastreams."""
        result = self.documents.names.known(RESULT)
        own = [] if result is None else [result]
        return [*own, *(group for group in self._derived() if group != result)]

    def streams(self, attribute: int) -> Sequence[int]:
        """The ids of the Datastreams that are an attribute of entities of others."""
        numbers = self._groups[Kind.DATASTREAM].get(attribute)
        return [] if numbers is None else [(attribute << SHIFT) + each for each in numbers.all]

    def _derived(self) -> list[int]:
        return sorted(group for group, held in self._groups[Kind.DATASTREAM].items() if group and held.all)

    def _single(self, kind: Kind) -> Sequence[int]:
        if kind is Kind.OBSERVED_PROPERTY:
            return [group << SHIFT for group in self._derived()]
        return [UNKNOWN_SENSOR] if kind is Kind.SENSOR and self._derived() else []

    def _group(self, kind: Kind, group: int) -> Numbers:
        held = self._groups[kind].get(group)
        if held is None:
            held = self._groups[kind][group] = Numbers()
        return held

    def _take(self, before: Document | None, after: Document | None) -> None:
        document = after or before
        number = None if document is None else self.documents.number(DEFAULT_TENANT, document.id)
        if number is None:
            return
        if before is not None:
            for kind, group in self._places(before):
                self._group(kind, group).discard(number)
            self._relate(before, number, add=False)
        if after is None:
            self.ids.pop(number, None)
            return
        self.ids[number] = after.id
        for kind, group in self._places(after):
            self._group(kind, group).add(number)
        self._relate(after, number, add=True)

    def _places(self, document: Document) -> Iterator[tuple[Kind, int]]:
        """Of what kinds an entity is, and in which group."""
        kind = kind_of(document)
        if kind is not None:
            yield kind, 0
            return
        yield Kind.THING, 0
        for name, instances in document.attributes.items():
            for instance in instances:
                if is_number(instance):
                    yield Kind.DATASTREAM, self.documents.names.number(name, instance.dataset_id)
                elif instance.type is AttributeType.GEO_PROPERTY:
                    group = self.documents.names.number(name, instance.dataset_id)
                    yield Kind.LOCATION, group
                    yield Kind.FEATURE_OF_INTEREST, group

    def _relate(self, document: Document, number: int, *, add: bool) -> None:
        kind = kind_of(document)
        for attribute in FORWARD[kind] if kind else ():
            index = self._back.setdefault((kind, attribute), {}) if kind else {}
            for target in targets(document, attribute):
                held = index.get(target)
                if add:
                    index[target] = _with(held, number)
                elif isinstance(held, Numbers):
                    held.discard(number)
                elif held == number:
                    del index[target]


def _with(held: int | Numbers | None, number: int) -> int | Numbers:
    """Most have one only, which needs no room of its own."""
    if held is None or held == number:
        return number
    if isinstance(held, int):
        first, held = held, Numbers()
        held.add(first)
    held.add(number)
    return held


def kind_of(document: Document) -> Kind | None:
    """The kind of a document that was written through this door; None for others."""
    return next((BY_TYPE[type] for type in document.types if type in BY_TYPE), None)


def is_number(instance: Instance) -> bool:
    """Whether an attribute instance is a plain number."""
    return (
        instance.type is AttributeType.PROPERTY
        and isinstance(instance.value, int | float)
        and not isinstance(instance.value, bool)
    )


def targets(document: Document, attribute: str) -> Sequence[str]:
    """To which entities an attribute leads."""
    instances = document.attributes.get(attribute, ())
    value = instances[0].value if instances and instances[0].type is AttributeType.RELATIONSHIP else None
    if isinstance(value, str):
        return (value,)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else ()


def _matters(change: EntityChange) -> bool:
    """Whether a change touches more than values: most are observations, which change nothing here."""
    if change.before is None or change.after is None or change.before.types != change.after.types:
        return True
    return any(
        each.done is not Done.UPDATED
        or each.before is None
        or each.after is None
        or each.after.type is AttributeType.RELATIONSHIP
        or type(each.before.value) is not type(each.after.value)
        for each in change.attributes
    )
