# SPDX-License-Identifier: Apache-2.0
"""Figures of periods, worked out where the history lies (CIM 009 clause 4.5.19)."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.ld.context import Context
from citybrain.kernel.pool.aggregates import ELIGIBLE, Figures, Kind, kind_of, summed, told
from citybrain.kernel.pool.duration import Duration
from citybrain.kernel.pool.temporal import LOOKED_AT, Known, Selection, Series, Temporal, window_params
from citybrain.kernel.pool.temporal_query import Aggregation, InvalidRequest, Method, Window
from citybrain.kernel.pool.temporal_rows import SCOPE

MOST_PERIODS = 100_000


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    thinned_span: str
    figures_of_numbers: str
    figures_of_texts: str
    distinct_values: str


SQL = sql.load(Path(__file__).with_name("queries_figures.sql"), Sql)

_BY_DATABASE: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.NUMBER: (SQL.figures_of_numbers, ("start", "total", "sum", "sumsq", "low", "high", "stddev")),
    Kind.TEXT: (SQL.figures_of_texts, ("start", "total", "first", "last")),
}
"""By kind the query, and what its columns behind the series are."""


class Periods:
    """Periods that follow each other from `origin`; each is known by its beginning."""

    def __init__(self, length: Duration, origin: datetime, end: datetime) -> None:
        self._length = length
        self._origin = origin
        self._end = end
        self.starts: list[datetime] | None = None
        if length.whole:
            self.starts = [origin]
        elif length.months:
            self.starts = list(length.periods(origin, end))
            if len(self.starts) > MOST_PERIODS:
                raise InvalidRequest("kernel.temporal_too_many_periods", {"most": MOST_PERIODS})

    def start_of(self, at: datetime) -> datetime:
        """The beginning of the period that a time lies in."""
        if self.starts is not None:
            return self.starts[max(bisect_right(self.starts, at) - 1, 0)]
        return self._origin + (at - self._origin) // self._length.exact * self._length.exact

    def end_of(self, start: datetime) -> datetime:
        """The end of the period that begins at a time."""
        if self._length.whole:
            return self._end
        if self.starts is None:
            return start + self._length.exact
        place = bisect_right(self.starts, start)
        return self.starts[place] if place < len(self.starts) else self._length.after(self._origin, place)

    def params(self) -> dict[str, Any]:
        """The periods as the queries take them."""
        return {"bounds": self.starts, "every": self._length.exact, "origin": self._origin}


class FiguresOf:
    """Aggregated representations, over a reader of the history."""

    def __init__(self, temporal: Temporal) -> None:
        self._temporal = temporal
        self._db = temporal.db

    async def of(
        self, entities: Sequence[Known], selection: Selection, aggregation: Aggregation
    ) -> dict[int, dict[str, Any]]:
        """Per entity number and attribute name the figures of each data set.

        Refuses with `InvalidRequest` an attribute that was asked for by name and has none of the figures.
        """
        series = [
            each
            for each in await self._temporal.series([one.number for one in entities])
            if each.name != SCOPE and selection.wants(each)
        ]
        kinds = await self._kinds(series, selection)
        _refuse_ineligible(kinds, selection, aggregation)
        shown: dict[int, dict[str, Any]] = {}
        for entity, held in _by_entity(kinds).items():
            periods = await self._periods(held, selection, aggregation)
            if periods is None:
                continue
            for each, figures in (await self._figures(held, kinds, periods, selection, aggregation)).items():
                kind, type = kinds[each]
                of = told(figures, aggregation.methods, kind, periods.end_of)
                if of:
                    dataset = {"datasetId": each.dataset_id} if each.dataset_id else {}
                    shown.setdefault(entity, {}).setdefault(each.name, []).append({"type": type, **dataset, **of})
        return shown

    async def worked_out(
        self, series: Sequence[Series], selection: Selection, aggregation: Aggregation
    ) -> Sequence[Figures]:
        """The figures of one series, by period."""
        kinds = await self._kinds(series, selection)
        periods = await self._periods(series, selection, aggregation) if kinds else None
        if periods is None:
            return []
        return (await self._figures(series[:1], kinds, periods, selection, aggregation)).get(series[0], [])

    async def _kinds(self, series: Sequence[Series], selection: Selection) -> dict[Series, tuple[Kind, str]]:
        """The kind of the newest value of each series that has any in the window, and its attribute type."""
        window = selection.temporal.window
        newest = await self._temporal.moments(series, window, limit=1, backward=True)
        kinds = {
            each: (kind_of(moments[-1].instance), moments[-1].instance.type.value) for each, moments in newest.items()
        }
        # A series of which only figures are left has been one of numbers.
        return kinds | {each: (Kind.NUMBER, "Property") for each in series if each not in kinds and not window.named}

    async def _periods(
        self, series: Sequence[Series], selection: Selection, aggregation: Aggregation
    ) -> Periods | None:
        """From the asked beginning, or the first that the entity has, to the asked end, or the last it has."""
        window = selection.temporal.window
        first, last = window.since, window.until
        if first is None:
            first = await self._edge(series, window, backward=False)
        if last is None:
            last = await self._edge(series, window, backward=True)
        if first is None or last is None:
            return None
        return Periods(aggregation.period, first.astimezone(UTC), last.astimezone(UTC))

    async def _edge(self, series: Sequence[Series], window: Window, *, backward: bool) -> datetime | None:
        """The first or the last time that series have in a window, also of what was thinned out."""
        found = await self._temporal.moments(series, window, limit=1, backward=backward)
        times = [each.at for moments in found.values() for each in moments]
        thinned = await self._db.rows(SQL.thinned_span, {**window_params(window), **_numbers(series)})
        times += [row[backward] for row in thinned if row[backward] is not None]
        if not times:
            return None
        return max(times) if backward else min(times)

    async def _figures(
        self,
        series: Sequence[Series],
        kinds: Mapping[Series, tuple[Kind, str]],
        periods: Periods,
        selection: Selection,
        aggregation: Aggregation,
    ) -> dict[Series, list[Figures]]:
        distinct = Method.DISTINCT_COUNT in aggregation.methods
        found: dict[Series, list[Figures]] = {}
        for kind in _BY_DATABASE:
            alike = [each for each in series if kinds[each][0] is kind]
            found |= await self._worked_out(alike, kind, periods, selection, distinct=distinct)
        others = [each for each in series if kinds[each][0] not in _BY_DATABASE]
        moments = await self._temporal.moments(others, selection.temporal.window, limit=LOOKED_AT)
        for each, held in moments.items():
            found[each] = summed(((one.at, one.instance.value) for one in held if not one.is_gone), periods.start_of)
        return found

    async def _worked_out(
        self, series: Sequence[Series], kind: Kind, periods: Periods, selection: Selection, *, distinct: bool
    ) -> dict[Series, list[Figures]]:
        """Of numbers or texts by the database, without their coming here."""
        if not series:
            return {}
        params = {**window_params(selection.temporal.window), **_numbers(series), **periods.params()}
        counts: dict[tuple[Any, ...], int] = {}
        if distinct:
            counts = {row[:3]: row[3] for row in await self._db.rows(SQL.distinct_values, params)}
        by_number = {(each.entity, each.attribute): each for each in series}
        found: dict[Series, list[Figures]] = {}
        query, names = _BY_DATABASE[kind]
        for row in await self._db.rows(query, params):
            figures = Figures(**dict(zip(names, row[2:], strict=True)), distinct=counts.get(row[:3]))
            found.setdefault(by_number[row[0], row[1]], []).append(figures)
        return found


def shown_figures(
    told_members: dict[str, Any], figures: Mapping[str, Sequence[dict[str, Any]]], context: Context
) -> dict[str, Any]:
    """An entity with its figures: one object for each attribute, a list where there are several data sets."""
    for name, held in figures.items():
        told_members[context.compact(name)] = held[0] if len(held) == 1 else list(held)
    return told_members


def _refuse_ineligible(
    kinds: Mapping[Series, tuple[Kind, str]], selection: Selection, aggregation: Aggregation
) -> None:
    """Clause 5.7.4.4: an attribute asked for by name must have at least one of the figures."""
    for each, (kind, _) in kinds.items():
        if selection.names and not ELIGIBLE[kind] & set(aggregation.methods):
            facts = {"name": each.name, "methods": ", ".join(aggregation.methods)}
            raise InvalidRequest("kernel.temporal_not_eligible", facts)


def _by_entity(kinds: Mapping[Series, Any]) -> dict[int, list[Series]]:
    grouped: dict[int, list[Series]] = {}
    for each in kinds:
        grouped.setdefault(each.entity, []).append(each)
    return grouped


def _numbers(series: Sequence[Series]) -> dict[str, Any]:
    return {"entities": [each.entity for each in series], "attributes": [each.attribute for each in series]}
