# SPDX-License-Identifier: Apache-2.0
"""Series of values without HTTP: the last of one, a span of one, its figures, the newest of all devices at once."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.pool.aggregates import Figures
from citybrain.kernel.pool.duration import Duration
from citybrain.kernel.pool.temporal import LOOKED_AT, Selection, Series, Temporal
from citybrain.kernel.pool.temporal_figures import FiguresOf
from citybrain.kernel.pool.temporal_query import Aggregation, Method, TemporalQuery, TimeRelation, Window
from citybrain.kernel.pool.temporal_rows import Moment


class Sql(msgspec.Struct, frozen=True):
    """The queries of this folder that stream."""

    newest_of_all: str
    attribute_number: str
    kept: str


SQL = sql.load(Path(__file__).with_name("queries_series.sql"), Sql)


class SeriesOf:
    """Reads single series of a tenant. Names are internal names."""

    def __init__(self, temporal: Temporal, tenant: str = "") -> None:
        self._temporal = temporal
        self._tenant = tenant

    async def last(self, id: str, name: str, number: int) -> Sequence[Moment]:
        """The last `number` values of an attribute, in order of time. Refuses an entity that nobody knows."""
        held = await self._held(id, name)
        found = await self._temporal.moments(held, Window(), limit=number, backward=True)
        return sorted((each for moments in found.values() for each in moments), key=_at)[-number:]

    async def between(self, id: str, name: str, since: datetime, until: datetime) -> Sequence[Moment]:
        """The values from `since` on and before `until`, in order of time, at most `LOOKED_AT` of each data set."""
        found = await self._temporal.moments(await self._held(id, name), _span(since, until), limit=LOOKED_AT)
        return sorted((each for moments in found.values() for each in moments), key=_at)

    async def figures(
        self, id: str, name: str, *, since: datetime, until: datetime, every: Duration
    ) -> Sequence[Figures]:
        """Count, sum, lowest, highest and deviation of the numbers or texts of each period that has any."""
        held = [each for each in await self._held(id, name) if not each.dataset_id]
        selection = Selection(temporal=TemporalQuery(window=_span(since, until)))
        aggregation = Aggregation(methods=(Method.AVG,), period=every)
        return await FiguresOf(self._temporal).worked_out(held, selection, aggregation)

    async def newest(
        self, types: Sequence[str], name: str, *, at: datetime, dataset_id: str = ""
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """The newest value by `at` of every entity of these types, in portions, in no order.

        Each is the id, the time, number, text, and the JSON of the instance when it is more than that.
        """
        db = self._temporal.db
        attribute = await db.read_one(SQL.attribute_number, {"name": name, "dataset_id": dataset_id}, as_=int)
        if attribute is not None:
            params = {"tenant": self._tenant, "types": list(types), "attribute": attribute, "at": at}
            async for rows in db.stream(SQL.newest_of_all, params):
                yield rows

    async def _held(self, id: str, name: str) -> list[Series]:
        known = await self._temporal.known(self._tenant, id)
        return [each for each in await self._temporal.series([known.number]) if each.name == name]


def _span(since: datetime, until: datetime) -> Window:
    return Window(relation=TimeRelation.BETWEEN, at=since, end=until)


def _at(moment: Moment) -> datetime:
    return moment.at
