# SPDX-License-Identifier: Apache-2.0
"""The history as observations one by one: found by number, read in order of time or of number, corrected, taken out.

Every page is read by keys, so that it costs the same wherever it begins. Values that came in columns have no number
and are not among them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.entities.document import AttributeType, Instance
from citybrain.kernel.pool.instances import parts
from citybrain.kernel.records import Json

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, tzinfo=UTC)
LARGEST = 2**63 - 1

_decode = msgspec.json.Decoder(Instance).decode


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    by_number: str
    series_forward: str
    series_backward: str
    numbers_forward: str
    numbers_backward: str
    series_count: str
    numbers_count: str
    delete_one: str
    delete_series: str
    day_add: str
    update_one: str


SQL = sql.load(Path(__file__).with_name("queries_sensed.sql"), Sql)


class Sensed(msgspec.Struct, frozen=True, array_like=True):
    """One observation as the history holds it: of which entity and attribute by number, when, its value by parts."""

    entity: int
    attribute: int
    observed_at: datetime
    number: float | None
    word: str | None
    instance: int
    detail: bytes | None

    def whole(self) -> Instance:
        """Value and attributes of the value."""
        value = self.value
        if not self.detail:
            return Instance(type=AttributeType.PROPERTY, value=value)
        held = _decode(self.detail)
        return held if held.value is not None else msgspec.structs.replace(held, value=value)

    @property
    def value(self) -> Json:
        """What number or word say; whole numbers come back as they were sent."""
        number = self.number
        if number is None:
            return self.word
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What an index or a comparison of columns decides: `since` <= time < `until`, `low` <= number <= `high`.

    `part` must be among the bytes of the detail.
    """

    since: datetime = FIRST
    until: datetime = LAST
    low: float | None = None
    high: float | None = None
    part: bytes | None = None


ALL = Bounds()


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """After which observation a page begins: its time (only where time orders) and its number."""

    at: datetime
    instance: int


def begin(*, backward: bool) -> Mark:
    """The mark before the first page."""
    return Mark(at=LAST, instance=LARGEST) if backward else Mark(at=FIRST, instance=-1)


def mark_of(last: Sensed) -> Mark:
    """The mark after an observation."""
    return Mark(at=last.observed_at, instance=last.instance)


class Series(msgspec.Struct, frozen=True):
    """Attributes of entities, side by side by number."""

    entities: Sequence[int]
    attributes: Sequence[int]

    def __len__(self) -> int:
        return len(self.entities)


class SensedHistory:
    """Reads and corrects single observations."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def one(self, attributes: Sequence[int], instance: int) -> Sensed | None:
        """An observation by its number, if it is one of these attributes."""
        if not 0 <= instance <= LARGEST:
            return None
        rows = await self._db.rows(SQL.by_number, {"attributes": list(attributes), "instance": instance})
        return Sensed(*rows[0]) if rows else None

    async def by_time(self, series: Series, bounds: Bounds, mark: Mark, *, limit: int, backward: bool) -> list[Sensed]:
        """The next `limit` of all these series in order of time, then number."""
        query = SQL.series_backward if backward else SQL.series_forward
        return await self._rows(
            query, {**_series(series), **_bounds(bounds), **_mark(mark), "limit": limit, "in_all": limit}
        )

    async def of_each(self, series: Series, bounds: Bounds, *, limit: int, backward: bool) -> list[Sensed]:
        """The first or last `limit` of each series."""
        query = SQL.series_backward if backward else SQL.series_forward
        mark = _mark(begin(backward=backward))
        return await self._rows(query, {**_series(series), **_bounds(bounds), **mark, "limit": limit, "in_all": None})

    async def by_number(
        self,
        attributes: Sequence[int],
        bounds: Bounds,
        mark: Mark,
        *,
        entities: Sequence[int] | None = None,
        limit: int,
        backward: bool,
    ) -> list[Sensed]:
        """The next `limit` of these attributes, of these entities or of all, in order of number."""
        query = SQL.numbers_backward if backward else SQL.numbers_forward
        params = {**_bounds(bounds), "attributes": list(attributes), "after": mark.instance, "limit": limit}
        return await self._rows(query, {**params, "entities": None if entities is None else list(entities)})

    async def count(self, series: Series, bounds: Bounds) -> int:
        """How many there are in these series: the index tells."""
        params = {**_series(series), **_bounds(bounds)}
        return (await self._db.read(SQL.series_count, params, as_=int))[0]

    async def count_all(
        self, attributes: Sequence[int], bounds: Bounds, *, entities: Sequence[int] | None = None
    ) -> int:
        """How many there are of these attributes, of these entities or of all."""
        params = {**_bounds(bounds), "attributes": list(attributes)}
        return (
            await self._db.read(
                SQL.numbers_count, {**params, "entities": None if entities is None else list(entities)}, as_=int
            )
        )[0]

    async def correct(self, before: Sensed, after: Instance, *, at: datetime, now: datetime) -> None:
        """Write another value, and perhaps another time, in the place of an observation. Committed."""
        number, word, detail = parts(after)
        await self._db.write(SQL.day_add, {"day": at.astimezone(UTC).date()})
        params = {
            "entity": before.entity,
            "attribute": before.attribute,
            "instance": before.instance,
            "was_at": before.observed_at,
            "at": at,
            "number": number,
            "word": word,
            "detail": detail,
            "now": now,
        }
        await self._db.write(SQL.update_one, params)

    async def delete(self, observations: Sequence[Sensed]) -> None:
        """Take single observations out, all or none. Committed."""
        async with self._db.transaction() as transaction:
            for each in observations:
                await _delete(transaction, each)

    async def delete_series(self, series: Series) -> None:
        """Take out all that was observed in these series. Committed."""
        if len(series):
            await self._db.write(SQL.delete_series, _series(series))

    async def _rows(self, query: str, params: dict[str, Any]) -> list[Sensed]:
        return [Sensed(*row) for row in await self._db.rows(query, params, binary=True)]


async def _delete(transaction: Transaction, each: Sensed) -> None:
    place = {"entity": each.entity, "attribute": each.attribute, "at": each.observed_at, "instance": each.instance}
    await transaction.write(SQL.delete_one, place)


def _series(series: Series) -> dict[str, Any]:
    return {"entities": list(series.entities), "attributes": list(series.attributes)}


def _bounds(bounds: Bounds) -> dict[str, Any]:
    return msgspec.structs.asdict(bounds)


def _mark(mark: Mark) -> dict[str, Any]:
    return {"after_at": mark.at, "after": mark.instance}
