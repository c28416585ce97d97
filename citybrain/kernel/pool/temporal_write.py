# SPDX-License-Identifier: Apache-2.0
"""What may be done to the past: added, corrected, taken out (CIM 009 clauses 5.6.11 to 5.6.16).

Deleting an entity of now does not touch its history: that is done here, or by the retention policy.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.entities.attribute_reading import Part
from citybrain.kernel.entities.document import AttributeChange, Done, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.merging import partially_updated
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.errors import NotFound
from citybrain.kernel.pool.instances import parts
from citybrain.kernel.pool.temporal import Known, NoSuchEvolution, Series, Temporal
from citybrain.kernel.pool.temporal_query import Window
from citybrain.kernel.pool.temporal_reading import Given
from citybrain.kernel.pool.temporal_rows import Moment, moment_of


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    replaced_delete: str
    instances_by_number: str
    day_add: str
    instance_update: str
    instance_delete: str
    series_delete: str
    figures_delete: str


SQL = sql.load(Path(__file__).with_name("queries_temporal_write.sql"), Sql)


class NoSuchInstance(NotFound):
    """The history of the entity has no such attribute, or no such instance of it."""


class TemporalWriting:
    """Writes the history, by `documents` where an entity may come into being."""

    def __init__(self, temporal: Temporal, documents: Documents) -> None:
        self._temporal = temporal
        self._db = temporal.db
        self._documents = documents

    async def add(self, tenant: str, given: Given, *, at: datetime) -> bool:
        """Add instances to an evolution; answers whether it is a new one (clauses 5.6.11, 5.6.12). Committed.

        An instance observed at the same time as one that is there, in the same data set, replaces it: who sends the
        same twice changes nothing. Types that are new are added to those of an entity that only the history knows.
        """
        return bool(await self.add_all(tenant, [given], at=at))

    async def add_all(self, tenant: str, given: Sequence[Given], *, at: datetime) -> int:
        """Add instances to many evolutions, each of another entity; answers how many are new. Committed."""
        old = [each.id for each in given if self._documents.number(tenant, each.id) is not None]
        known = {each.id: each for each in await self._temporal.known_of(tenant, old)} if old else {}
        numbers = await asyncio.gather(*(self._record(tenant, each, known.get(each.id), at) for each in given))
        replacing = [
            (number, each.instances)
            for number, each in zip(numbers, given, strict=True)
            if each.id in known or _has_repeats(each.instances)
        ]
        await self._drop_replaced(replacing)
        return len(given) - len(known)

    async def _record(self, tenant: str, given: Given, known: Known | None, at: datetime) -> int:
        document = given.document(text_of(at))
        if known is not None:
            document = msgspec.structs.replace(
                document,
                types=tuple(dict.fromkeys((*known.types, *given.types))),
                scopes=document.scopes or known.document.scopes,
                created_at=known.document.created_at,
            )
        changes = [
            AttributeChange(name=name, done=Done.CREATED, before=None, after=instance)
            for name, instance in given.instances
        ]
        return await self._documents.record(tenant, document, changes, at=at)

    async def end_attribute(
        self, tenant: str, id: str, name: str, *, dataset_id: str = "", all_of_them: bool = False, at: datetime
    ) -> bool:
        """Record that an attribute is gone of an entity that only the history knows; answers whether it was there.

        The attribute was there when the last that the history tells of it is not that it went. Committed.
        """
        if self._documents.get(tenant, id) is not None or self._documents.number(tenant, id) is None:
            return False
        known = await self._temporal.known(tenant, id)
        series = [
            each
            for each in await self._temporal.series([known.number])
            if each.name == name and (all_of_them or each.dataset_id == dataset_id)
        ]
        newest = await self._temporal.moments(series, Window(), limit=1, backward=True)
        gone = [
            AttributeChange(name=name, done=Done.DELETED, before=moments[-1].instance, after=None)
            for moments in newest.values()
            if not moments[-1].is_gone
        ]
        if gone:
            await self._documents.record(tenant, known.document, gone, at=at)
        return bool(gone)

    async def delete_attribute(
        self, tenant: str, id: str, name: str, *, dataset_id: str = "", all_of_them: bool = False
    ) -> None:
        """Take one attribute out, its default instance or that of a data set, or all (clause 5.6.13). Committed."""
        entity, held = await self._held(tenant, id, name)
        chosen = [each.attribute for each in held if all_of_them or each.dataset_id == dataset_id]
        if not chosen:
            raise NoSuchInstance("kernel.no_such_instance", {"id": id, "name": name})
        params = {"entity": entity, "attributes": chosen}
        async with self._db.transaction() as transaction:
            await transaction.write(SQL.series_delete, params)
            await transaction.write(SQL.figures_delete, params)

    async def modify_instance(self, tenant: str, id: str, name: str, number: int, part: Part, *, at: datetime) -> None:
        """Correct one instance: what the part mentions is replaced (clause 5.6.14). Committed."""
        series, moment = await self._instance(tenant, id, name, number)
        before = moment.instance
        extra = {key: held for key, held in before.extra.items() if key not in ("instanceId", "deletedAt")}
        after = partially_updated(name, msgspec.structs.replace(before, extra=extra), part, text_of(at))
        value, word, detail = parts(after)
        seen = datetime.fromisoformat(after.observed_at) if after.observed_at else moment.at
        await self._db.write(SQL.day_add, {"day": seen.astimezone(UTC).date()})
        await self._db.write(
            SQL.instance_update,
            {
                "entity": series.entity,
                "attribute": series.attribute,
                "instance": number,
                "was_at": moment.at,
                "at": seen,
                "is_observed": bool(after.observed_at),
                "number": value,
                "word": word,
                "detail": detail,
                "modified_at": at,
            },
        )

    async def delete_instance(self, tenant: str, id: str, name: str, number: int) -> None:
        """Take one instance out (clause 5.6.15). Committed."""
        series, moment = await self._instance(tenant, id, name, number)
        params = {
            "entity": series.entity,
            "attribute": series.attribute,
            "was_at": moment.at,
            "instance": number,
        }
        await self._db.write(SQL.instance_delete, params)

    async def forget(self, tenant: str, id: str) -> None:
        """Take a whole evolution out (clause 5.6.16). An entity of now stays as it is. Committed."""
        known = await self._temporal.known(tenant, id)
        if known.live and not await self._temporal.series([known.number]):
            raise NoSuchEvolution("kernel.no_such_evolution", {"id": id})
        await self._documents.forget(tenant, id)
        await self._db.write(SQL.figures_delete, {"entity": known.number, "attributes": None})

    async def _drop_replaced(self, written: Iterable[tuple[int, Iterable[tuple[str, Instance]]]]) -> None:
        names = self._documents.names
        observed = [
            (entity, names.number(name, each.dataset_id), datetime.fromisoformat(each.observed_at))
            for entity, instances in written
            for name, each in instances
            if each.observed_at
        ]
        if observed:
            entities, attributes, times = (list(column) for column in zip(*observed, strict=True))
            params = {"entities": entities, "attributes": attributes, "times": times}
            await self._db.write(SQL.replaced_delete, params)

    async def _held(self, tenant: str, id: str, name: str) -> tuple[int, Sequence[Series]]:
        """What the history has of an attribute; refuses an entity that it does not know."""
        known = await self._temporal.known(tenant, id)
        series = await self._temporal.series([known.number])
        return known.number, [each for each in series if each.name == name]

    async def _instance(self, tenant: str, id: str, name: str, number: int) -> tuple[Series, Moment]:
        entity, held = await self._held(tenant, id, name)
        by_number = {each.attribute: each for each in held}
        params = {"entity": entity, "attributes": list(by_number), "instance": number}
        for row in await self._db.rows(SQL.instances_by_number, params):
            series = by_number[row[1]]
            moment = moment_of(row, series.dataset_id)
            if moment is not None:
                return series, moment
        raise NoSuchInstance("kernel.no_such_instance", {"id": id, "name": name})


def _has_repeats(instances: Sequence[tuple[str, Instance]]) -> bool:
    observed = [(name, each.dataset_id, each.observed_at) for name, each in instances if each.observed_at]
    return len(set(observed)) < len(observed)
