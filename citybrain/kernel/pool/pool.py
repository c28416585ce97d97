# SPDX-License-Identifier: Apache-2.0
"""The pool of one city: entities and their newest values in memory, their history in the database."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from citybrain.kernel import sql
from citybrain.kernel.app import Attribute, EntityType, Keep, Values
from citybrain.kernel.db import Database, to_json
from citybrain.kernel.pool import rows
from citybrain.kernel.pool.current import Current, Numbers, Objects, Seen, to_us, typed
from citybrain.kernel.pool.keeping import Keeping
from citybrain.kernel.pool.slots import NOTHING, Directory, Slots
from citybrain.kernel.records import Batch, Entity, Json

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
FAR_AHEAD = datetime(9999, 12, 31, tzinfo=UTC)


_Row = tuple[Any, ...]


class DeclaredTwice(Exception):
    """Two parts of the city declare one attribute differently: a bug, seen at start."""


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    entities: str
    entity_upsert: str
    series_add: str
    series_of: str
    newest_values: str
    history: str
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


class _BatchRow(msgspec.Struct, frozen=True):
    id: str
    source: str
    observed_at: datetime
    received_at: datetime
    number: int


class Pool:
    """Made by `Pool.open`. Reading the present is immediate; what is awaited asks the database."""

    def __init__(self, db: Database, types: Sequence[EntityType]) -> None:
        self._db = db
        self._attributes = _declared(types)
        self._entities: dict[str, Entity] = {}
        self._by_type: dict[str, dict[str, Entity]] = {}
        self._directory = Directory()
        self._current = Current()
        self._keeping = Keeping(self._directory)

    @classmethod
    async def open(cls, db: Database, types: Sequence[EntityType]) -> "Pool":
        """The pool as the database has it: entities, and the newest kept value of every series."""
        pool = cls(db, types)
        known = await db.read(SQL.entities, as_=Entity)
        await pool._add(known)
        await pool._rebuild()
        return pool

    async def register(self, entities: Sequence[Entity]) -> None:
        """Add entities or change what is known of them; it is committed on return."""
        await self._db.write(SQL.entity_upsert, {"entities": to_json(entities).decode()})
        await self._add(entities)

    def entity(self, entity_id: str) -> Entity | None:
        """One entity; None when there is none."""
        return self._entities.get(entity_id)

    def entities(self, type: str | None = None) -> Sequence[Entity]:
        """All entities, or those of one type."""
        return list((self._entities if type is None else self._by_type.get(type, {})).values())

    def observe(self, batch: Batch) -> None:
        """Take a batch into the present. Its arrays must not change afterwards."""
        seen = Seen(batch.id, batch.observed_at, batch.received_at)
        for column in batch.columns:
            place = self._directory.known_place(column.attribute, column.entity_ids)
            self._current.put(place.slots, typed(column), seen)

    def now(self, entity_id: str) -> Mapping[str, Now]:
        """The newest value of each attribute of an entity that was ever seen."""
        entity = self._entities.get(entity_id)
        found: dict[str, Now] = {}
        for attribute in self._attributes.get(entity.type, ()) if entity else ():
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
        for seen, slots, found in self._newest(await self._db.rows(SQL.newest_values, {"at": at, "since": since})):
            past.put(slots, found, seen)

        def values(attribute: str, entity_ids: tuple[str, ...]) -> Sequence[Json]:
            return past.values(self._directory.place(attribute, entity_ids).slots)

        return values

    async def history(
        self, entity_id: str, attribute: str, *, since: datetime | None, until: datetime | None, limit: int
    ) -> list[tuple[datetime, Json]]:
        """The kept values of one series, oldest first; of more than `limit` the newest."""
        slot = self._directory.slot(entity_id, attribute)
        params = {
            "series_id": int(self._directory.series_id[slot]),
            "since": since or LONG_AGO,
            "until": until or FAR_AHEAD,
            "limit": limit,
        }
        return [(at, _value(number, word)) for at, number, word in await self._db.rows(SQL.history, params)]

    async def extent(self) -> tuple[datetime, datetime] | None:
        """The oldest and the newest city time of which batches are kept; None when there is none."""
        oldest, newest = (await self._db.rows(SQL.extent))[0]
        return None if oldest is None else (oldest, newest)

    async def batch(self, batch_id: str) -> BatchView | None:
        """A batch with its kept observations; None when there is none."""
        found = await self._db.read_one(SQL.batch, {"id": batch_id}, as_=_BatchRow)
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

    async def _add(self, entities: Sequence[Entity]) -> None:
        """Give entities of the database their place in memory, and numbers to series that have none yet."""
        for entity in entities:
            before = self._entities.get(entity.id)
            if before:
                del self._by_type[before.type][entity.id]
            self._entities[entity.id] = entity
            self._by_type.setdefault(entity.type, {})[entity.id] = entity
        kept = [
            (entity.id, attribute.name)
            for entity in entities
            for attribute in self._attributes.get(entity.type, ())
            if attribute.keep is not Keep.NEVER
        ]
        series = {"entity_ids": [each for each, _ in kept], "attributes": [each for _, each in kept]}
        await self._db.write(SQL.series_add, series)
        found = await self._db.rows(SQL.series_of, {"entity_ids": [entity.id for entity in entities]})
        numbers = {(entity_id, attribute): number for entity_id, attribute, number in found}
        self._directory.add(
            (entity.id, attribute, numbers.get((entity.id, attribute.name), 0))
            for entity in entities
            for attribute in self._attributes.get(entity.type, ())
        )
        self._current.grow(self._directory.size)
        self._keeping.grow(self._directory.size)

    async def _rebuild(self) -> None:
        """Take the newest kept values from the database, as the present and as what was kept last."""
        found = await self._db.rows(SQL.newest_values, {"at": FAR_AHEAD, "since": LONG_AGO})
        for seen, slots, values in self._newest(found):
            self._current.put(slots, values, seen)
            self._keeping.remember(slots, values, to_us(seen.observed_at))

    def _newest(self, found: Sequence[_Row]) -> Iterator[tuple[Seen, Slots, Numbers | Objects]]:
        """Rows of `newest_values` as columns: one of numbers and one of words for each batch they came in."""
        groups: dict[tuple[str, bool], tuple[Seen, list[int], list[Json]]] = {}
        for entity_id, attribute, number, word, batch_id, observed_at, received_at in found:
            slot = self._directory.slot(entity_id, attribute)
            if slot == NOTHING:
                continue
            key = (batch_id, number is None)
            if key not in groups:
                groups[key] = (Seen(batch_id, observed_at, received_at), [], [])
            groups[key][1].append(slot)
            groups[key][2].append(word if number is None else number)
        for (_, words), (seen, slots, values) in groups.items():
            yield (
                seen,
                np.array(slots, np.intp),
                np.array(values, np.object_) if words else np.array(values, np.float64),
            )


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
