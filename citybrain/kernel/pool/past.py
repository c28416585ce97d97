# SPDX-License-Identifier: Apache-2.0
"""Entities that doors brought in, as they were known at a time: who stood where, and in what state."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import DEFAULT_TENANT, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.pool.registered import NAME, PLACE
from citybrain.kernel.pool.temporal_rows import moment_of
from citybrain.kernel.records import Entity, Json


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    last_batch: str
    gone_since: str
    as_of: str


LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)

SQL = sql.load(Path(__file__).with_name("queries_past.sql"), Sql)


class Was(msgspec.Struct, frozen=True, kw_only=True):
    """An entity at a time: the values of its attributes, and when each of them was observed or else written."""

    id: str
    type: str
    values: Mapping[str, Json]
    seen_at: Mapping[str, datetime]

    def entity(self) -> Entity:
        """As doors and apps see an entity of which nothing else is known."""
        facts = {name: value for name, value in self.values.items() if name not in (NAME, PLACE)}
        name = self.values.get(NAME)
        return Entity(
            id=self.id,
            type=self.type,
            source="",
            observed_at=max(self.seen_at.values(), default=LONG_AGO),
            name=name if isinstance(name, Mapping) else {},
            geometry=self.values.get(PLACE),
            attributes={**facts, **({NAME: name} if isinstance(name, str) else {})},
        )


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that was kept."""

    id: str
    source: str
    observed_at: datetime
    received_at: datetime
    number: int


class _Gone(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    id: str
    types: tuple[str, ...]


_Held = tuple[Json, datetime]
_Found = dict[str, tuple[str, dict[str, _Held]]]
_Asked = dict[tuple[int, int], tuple[str, str]]


class Past:
    """Reads the default tenant. Times are those of whoever reported: in a simulated city the clock's, not the city's.
    `declared` says by type what comes in columns."""

    def __init__(self, db: Database, documents: Documents, declared: Mapping[str, Collection[str]]) -> None:
        self._db = db
        self._documents = documents
        self._declared = declared

    async def clock_at(self, at: datetime, *, since: datetime) -> datetime:
        """What the clock said when the city's time was `at`, by the batches observed from `since` on; `at` itself
        where there were none."""
        last = await self.last_batch(at, since=since)
        return last.received_at if last else at

    async def last_batch(self, at: datetime, *, since: datetime) -> Known | None:
        """The batch that a screen at a city time had last, of those observed from `since` on; None where none was."""
        return await self._db.read_one(SQL.last_batch, {"at": at, "since": since}, as_=Known)

    def now(self, types: Sequence[str], names: Sequence[str]) -> list[Was]:
        """The entities of these types as they are, by type and id."""
        found = {
            document.id: (type, {name: held for name in names if (held := _held(document, name))})
            for type in types
            for document in self._documents.scan(DEFAULT_TENANT, type)
        }
        return _sorted(found)

    async def at(self, types: Sequence[str], names: Sequence[str], at: datetime) -> list[Was]:
        """The entities of these types as they were at a time, also those that are gone since, by type and id.

        A value that has not changed since is read from memory, so retention takes nothing away that still holds.
        """
        numbers = {name: number for name in names if (number := self._documents.names.known(name)) is not None}
        known: _Found = {}
        asked: _Asked = {}
        for type in types:
            for document in list(self._documents.scan(DEFAULT_TENANT, type)):
                if _time(document.created_at) > at:
                    continue
                found = self._unchanged(document, type, names, at)
                known[document.id] = type, found
                if (number := self._documents.number(DEFAULT_TENANT, document.id)) is not None:
                    asked |= {(number, numbers[name]): (document.id, name) for name in numbers.keys() - found.keys()}
        for gone in await self._db.read(SQL.gone_since, {"types": list(types), "at": at}, as_=_Gone):
            known[gone.id] = next(type for type in types if type in gone.types), {}
            asked |= {(gone.number, number): (gone.id, name) for name, number in numbers.items()}
        await self._ask(known, asked, at)
        return _sorted(known)

    def _unchanged(self, document: Document, type: str, names: Sequence[str], at: datetime) -> dict[str, _Held]:
        """What holds now and held then."""
        in_columns = self._declared.get(type, ())
        held = {name: _held(document, name) for name in names if name not in in_columns}
        return {name: one for name, one in held.items() if one is not None and one[1] <= at}

    async def _ask(self, known: _Found, asked: _Asked, at: datetime) -> None:
        if not asked:
            return
        params = {"entities": [one for one, _ in asked], "attributes": [one for _, one in asked], "at": at}
        for row in await self._db.rows(SQL.as_of, params):
            id, name = asked[row[0], row[1]]
            moment = moment_of(row, "")
            if moment is not None and not moment.is_gone:
                known[id][1][name] = moment.instance.value, row[3]


def _sorted(known: _Found) -> list[Was]:
    return [
        Was(
            id=id,
            type=type,
            values={name: value for name, (value, _) in found.items()},
            seen_at={name: at for name, (_, at) in found.items()},
        )
        for id, (type, found) in sorted(known.items(), key=lambda one: (one[1][0], one[0]))
    ]


def _held(document: Document, name: str) -> _Held | None:
    plain: Instance | None = next((one for one in document.attributes.get(name, ()) if not one.dataset_id), None)
    if plain is None:
        return None
    return plain.value, _time(plain.observed_at or plain.modified_at or plain.created_at or document.created_at)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
