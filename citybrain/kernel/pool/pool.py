# SPDX-License-Identifier: Apache-2.0
"""The pool of one city: entities and their newest values in memory, their history in the database."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from citybrain.kernel import sql
from citybrain.kernel.app import Attribute, EntityType, Keep, Values
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.entities.document import DEFAULT_TENANT, EntityChange
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.writing import HistoryRows
from citybrain.kernel.pool import instances, rows
from citybrain.kernel.pool.current import Current, Numbers, Objects, Seen, to_us, typed
from citybrain.kernel.pool.keeping import Keeping
from citybrain.kernel.pool.overlay import Overlay
from citybrain.kernel.pool.past import LONG_AGO, Known, Past
from citybrain.kernel.pool.registered import change_of, entity_of
from citybrain.kernel.pool.slots import NOTHING, Directory, Slots
from citybrain.kernel.records import Batch, Column, Entity, Json

FAR_AHEAD = datetime(9999, 12, 31, tzinfo=UTC)


class DeclaredTwice(Exception):
    """Two parts of the city declare one attribute differently: a bug, seen at start."""


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    newest_values: str
    history: str
    histories: str
    history_forget: str
    batch: str
    batch_rows: str
    extent: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The newest value of one series: None is "not known"."""

    value: Json
    observed_at: datetime
    received_at: datetime
    batch_id: str


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """One kept observation of a batch."""

    entity_id: str
    attribute: str
    value: Json


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """A batch with those of its observations that the history kept."""

    id: str
    source: str
    observed_at: datetime
    received_at: datetime
    observations: tuple[Observed, ...] = ()


class Pool:
    """Made by `Pool.open`. Reading the present is immediate; what is awaited asks the database."""

    def __init__(self, db: Database, types: Sequence[EntityType], documents: Documents) -> None:
        self._db = db
        self._attributes = _declared(types)
        self._never = frozenset(
            (type, each.name)
            for type, attributes in self._attributes.items()
            for each in attributes
            if each.keep is Keep.NEVER
        )
        self._entities: dict[str, tuple[bytes, Entity]] = {}
        self._directory = Directory()
        self._current = Current()
        self._keeping = Keeping(self._directory)
        self.documents = documents
        documents.observed = Overlay(self._attributes, self._directory, self._current)
        self.past = Past(db, documents, {type: self.declared(type) for type in self._attributes})
        self._add(id for type in self._attributes for id in documents.ids_of_type(DEFAULT_TENANT, type))

    @classmethod
    async def open(cls, db: Database, types: Sequence[EntityType], documents: Documents | None = None) -> "Pool":
        """The pool as the database has it: entities (opened here unless given), and the newest kept values."""
        pool = cls(db, types, documents or await Documents.open(db))
        await pool._rebuild()
        return pool

    async def register(self, entities: Sequence[Entity]) -> None:
        """Add entities of the default tenant or change what is known of them; it is committed on return."""
        told = (change_of(each, self.documents.stored(DEFAULT_TENANT, each.id)) for each in entities)
        changes = [change for change in told if change is not None]
        committed = self.documents.put(changes) if changes else None
        self._add(entity.id for entity in entities)
        if committed:
            await committed

    def admit(self, entity_ids: Iterable[str]) -> None:
        """Entities that doors brought in, so that their declared attributes may come in columns too."""
        self._add(entity_ids)

    def declared(self, type: str) -> frozenset[str]:
        """The names of the attributes of a type that may come in columns."""
        return frozenset(each.name for each in self._attributes.get(type, ()))

    def entity(self, entity_id: str) -> Entity | None:
        """One entity of the default tenant; None when there is none."""
        body = self.documents.kept(DEFAULT_TENANT, entity_id)
        known, entity = self._entities.get(entity_id, (None, None))
        if body is None or body is known:
            return None if body is None else entity
        document = self.documents.stored(DEFAULT_TENANT, entity_id)
        found = None if document is None else entity_of(document, {each.name for each in self._observed(entity_id)})
        if found and found.type in self._attributes:
            self._entities[entity_id] = (body, found)
        return found

    def entities(self, type: str | None = None) -> Sequence[Entity]:
        """All entities of the default tenant, or those of one type."""
        ids = self.documents.ids_of_type(DEFAULT_TENANT, type) if type else self.documents.ids(DEFAULT_TENANT)
        return [entity for id in ids if (entity := self.entity(id))]

    def observe(self, batch: Batch) -> None:
        """Take a batch into the present. Its arrays must not change afterwards."""
        seen = Seen(batch.id, batch.observed_at, batch.received_at)
        for column in batch.columns:
            place = self._directory.known_place(column.attribute, column.entity_ids)
            self._current.put(place.slots, typed(column), seen)

    def hear(self, attribute: str, values: Mapping[str, float | str], *, batch_id: str, at: datetime) -> None:
        """Take single values of one attribute into the present that came between two batches; those of a series that
        does not exist are left out. The next batch takes their place."""
        slots = np.array([self._directory.slot(entity_id, attribute) for entity_id in values], np.intp)
        known = slots != NOTHING
        column = typed(Column(attribute=attribute, entity_ids=tuple(values), values=tuple(values.values())))
        self._current.put(slots[known], column[known], Seen(batch_id, at, at))

    def now(self, entity_id: str) -> Mapping[str, Now]:
        """The newest value of each attribute of an entity that was ever seen."""
        found: dict[str, Now] = {}
        for attribute in self._observed(entity_id):
            newest = self._current.value(self._directory.slot(entity_id, attribute.name))
            if newest:
                value, seen = newest
                found[attribute.name] = Now(
                    value=value, observed_at=seen.observed_at, received_at=seen.received_at, batch_id=seen.batch_id
                )
        return found

    def values(self, attribute: str, entity_ids: tuple[str, ...]) -> Sequence[Json]:
        """The newest values of an attribute, None where not known. Pass the same tuple each time."""
        return self._current.values(self._directory.place(attribute, entity_ids).slots)

    async def values_at(self, at: datetime, *, since: datetime = LONG_AGO) -> Values:
        """The state of the city at a past time: of each series the newest kept value in `since` … `at`."""
        past = Current()
        past.grow(self._directory.size)
        for seen, slots, found in await self._newest(at=at, since=since):
            past.put(slots, found, seen)

        def values(attribute: str, entity_ids: tuple[str, ...]) -> Sequence[Json]:
            return past.values(self._directory.place(attribute, entity_ids).slots)

        return values

    async def history(
        self, entity_id: str, attribute: str, *, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[datetime, Json]]:
        """The kept values of one series, oldest first; of more than `limit` the newest."""
        params = {
            "entity": self.documents.number(DEFAULT_TENANT, entity_id) or NOTHING,
            "attribute": self.documents.names.known(attribute) or NOTHING,
            "since": since or LONG_AGO,
            "until": until or FAR_AHEAD,
            "limit": limit,
        }
        return [(at, _value(number, word)) for at, number, word in await self._db.rows(SQL.history, params)]

    async def histories(
        self, entity_ids: Sequence[str], attribute: str, *, since: datetime, until: datetime
    ) -> dict[str, list[tuple[datetime, Json]]]:
        """What feeds observed of one attribute of many entities in `since` … before `until`, each oldest first."""
        number_of = {self.documents.number(DEFAULT_TENANT, id): id for id in entity_ids}
        params = {
            "entities": [number for number in number_of if number is not None],
            "attribute": self.documents.names.known(attribute) or NOTHING,
            "since": since,
            "until": until,
        }
        found: dict[str, list[tuple[datetime, Json]]] = {id: [] for id in entity_ids}
        for entity, at, number, word in await self._db.rows(SQL.histories, params):
            found[number_of[entity]].append((at, _value(number, word)))
        return found

    async def extent(self) -> tuple[datetime, datetime] | None:
        """The oldest and the newest city time of which batches are kept; None when there is none."""
        oldest, newest = (await self._db.rows(SQL.extent))[0]
        return None if oldest is None else (oldest, newest)

    async def batch(self, batch_id: str) -> BatchView | None:
        """A batch with its kept observations; None when there is none."""
        found = await self._db.read_one(SQL.batch, {"id": batch_id}, as_=Known)
        if found is None:
            return None
        kept = await self._db.rows(SQL.batch_rows, {"number": found.number, "observed_at": found.observed_at})
        return BatchView(
            id=found.id,
            source=found.source,
            observed_at=found.observed_at,
            received_at=found.received_at,
            observations=tuple(
                Observed(entity_id=entity_id, attribute=attribute, value=_value(number, word))
                for entity_id, attribute, number, word in kept
            ),
        )

    def keep(self, batch: Batch, number: int, *, evidence: Collection[str] = ()) -> bytes:
        """The history rows of a batch, in COPY form, for the journal, which stores them.

        Each attribute's policy decides; what is known of the entities in `evidence` is kept in any case.
        """
        kept = self._keeping.take(batch, evidence)
        return rows.encode(kept, batch_number=number, observed_us=to_us(batch.observed_at))

    def keep_changes(self, changes: Sequence[tuple[int, EntityChange]], *, instance: int) -> HistoryRows:
        """The history rows of changed entities, in COPY form, for the journal; numbered from `instance` + 1 on."""
        return instances.encode_changes(changes, self.documents.names, instance=instance, never=self._never)

    async def forget(self, transaction: Transaction, numbers: Sequence[int]) -> None:
        """Delete the whole history of entities."""
        if numbers:
            await transaction.write(SQL.history_forget, {"numbers": list(numbers)})

    def _observed(self, entity_id: str) -> Iterator[Attribute]:
        """The declared attributes of an entity."""
        for type in self.documents.types(DEFAULT_TENANT, entity_id):
            yield from self._attributes.get(type, ())

    def _add(self, entity_ids: Iterable[str]) -> None:
        """Give the declared attributes of entities their place in memory."""
        names = self.documents.names
        self._directory.add(
            (id, attribute, self.documents.number(DEFAULT_TENANT, id) or NOTHING, names.number(attribute.name))
            for id in entity_ids
            for attribute in self._observed(id)
        )
        self._current.grow(self._directory.size)
        self._keeping.grow(self._directory.size)

    async def _rebuild(self) -> None:
        """Take the newest kept values from the database, as the present and as what was kept last."""
        for seen, slots, values in await self._newest(at=FAR_AHEAD, since=LONG_AGO):
            self._current.put(slots, values, seen)
            self._keeping.remember(slots, values, to_us(seen.observed_at))

    async def _newest(self, *, at: datetime, since: datetime) -> list[tuple[Seen, Slots, Numbers | Objects]]:
        """The newest values kept in `since` … `at`: of each batch they came in a column of numbers and one of words."""
        directory = self._directory
        entities, attributes = directory.entity[1:].tolist(), directory.attribute[1:].tolist()
        params = {"entities": entities, "attributes": attributes, "at": at, "since": since}
        slots = {key: slot for slot, key in enumerate(zip(entities, attributes, strict=True), 1)}
        groups: dict[tuple[str, bool], tuple[Seen, list[int], list[Json]]] = {}
        found = await self._db.rows(SQL.newest_values, params)
        for entity, attribute, number, word, batch_id, observed_at, received_at in found:
            key = (batch_id, number is None)
            if key not in groups:
                groups[key] = (Seen(batch_id, observed_at, received_at), [], [])
            groups[key][1].append(slots[entity, attribute])
            groups[key][2].append(word if number is None else number)
        return [
            (
                seen,
                np.array(places, np.intp),
                np.array(values, np.object_) if words else np.array(values, np.float64),
            )
            for (_, words), (seen, places, values) in groups.items()
        ]


def _declared(types: Iterable[EntityType]) -> Mapping[str, tuple[Attribute, ...]]:
    """Attributes by type; a type may be declared by a door and by apps that observe more of it."""
    declared: dict[str, dict[str, Attribute]] = {}
    for each in types:
        attributes = declared.setdefault(each.name, {})
        for attribute in each.attributes:
            if attributes.setdefault(attribute.name, attribute) != attribute:
                raise DeclaredTwice(each.name, attribute.name)
    return {name: tuple(attributes.values()) for name, attributes in declared.items()}


def _value(number: float | None, word: str | None) -> Json:
    """A kept value: a word, a number, or None for "not known"."""
    return word if number is None else None if math.isnan(number) else number
