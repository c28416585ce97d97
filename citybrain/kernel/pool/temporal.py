# SPDX-License-Identifier: Apache-2.0
"""How entities came to be what they are: the history, asked for entity by entity (CIM 009 clauses 5.7.3 and 5.7.4)."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.evaluate import is_there, is_true, selects
from citybrain.kernel.entities.expressions import paths
from citybrain.kernel.entities.query import EntityQuery
from citybrain.kernel.errors import NotFound
from citybrain.kernel.pool.evolution import ALWAYS, Evolution, Found, Span, cut, last
from citybrain.kernel.pool.scoped import carried, spans_in_scope
from citybrain.kernel.pool.temporal_query import TemporalQuery, TimeProperty, Window
from citybrain.kernel.pool.temporal_rows import SCOPE, Moment, moment_of

PAGE = 1000
"""So many instances of an attribute go into one answer, unless the operator sets another number."""
AT_ONCE = 200
"""So many entities are looked at together while a filter is applied."""
LOOKED_AT = 100_000
"""So many instances of an attribute of one entity a filter looks at."""

_decode = msgspec.json.Decoder(Document).decode


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    entity_by_id: str
    entities_by_id: str
    entities_after: str
    entities_before: str
    series_of: str
    instances_forward: str
    instances_backward: str


SQL = sql.load(Path(__file__).with_name("queries_temporal.sql"), Sql)


class NoSuchEvolution(NotFound):
    """The history knows nothing of this entity, or nothing of what was asked for."""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An entity that the history knows: its number, and what it is, or was when it went."""

    number: int
    id: str
    types: tuple[str, ...]
    body: bytes
    live: bool

    @property
    def document(self) -> Document:
        """Types, scopes and times; attributes only of an entity that is there."""
        return _decode(self.body)


class Series(msgspec.Struct, frozen=True):
    """One attribute instance of one entity by numbers and names."""

    entity: int
    attribute: int
    name: str
    dataset_id: str


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which entities, and what of them: `names` are internal names of attributes, None for all; so `dataset_ids`."""

    entities: EntityQuery = EntityQuery()
    temporal: TemporalQuery = TemporalQuery()
    names: frozenset[str] | None = None
    omitted: frozenset[str] = frozenset()
    dataset_ids: frozenset[str] | None = None
    descending: bool = False

    def wants(self, series: Series) -> bool:
        """Whether a series is among what is to be shown."""
        if series.name in self.omitted or (self.names is not None and series.name not in self.names):
            return False
        return self.dataset_ids is None or series.name == SCOPE or series.dataset_id in self.dataset_ids


class Temporal:
    """Reads the history. `page` is how many instances of an attribute go into one answer."""

    def __init__(self, db: Database, *, page: int = PAGE) -> None:
        self.db = db
        self.page = page

    async def known(self, tenant: str, id: str) -> Known:
        """An entity that the history knows; refuses any other."""
        found = await self.db.read_one(SQL.entity_by_id, {"tenant": tenant, "id": id}, as_=Known)
        if found is None:
            raise NoSuchEvolution("kernel.no_such_evolution", {"id": id})
        return found

    async def known_of(self, tenant: str, ids: Sequence[str]) -> list[Known]:
        """Those of several entities that the history knows, in no order."""
        return await self.db.read(SQL.entities_by_id, {"tenant": tenant, "ids": list(ids)}, as_=Known)

    async def retrieve(self, tenant: str, id: str, selection: Selection) -> Found:
        """The evolution of one entity; refuses one of which nothing is known (clause 5.7.3)."""
        known = await self.known(tenant, id)
        series = [each for each in await self.series([known.number]) if selection.wants(each)]
        return cut(await self._evolutions([known], series, selection), selection.temporal, page=self.page)

    async def query(self, tenant: str, selection: Selection, *, offset: int, limit: int, count: bool) -> Found:
        """The evolutions of those entities that match, in order of their ids (clause 5.7.4)."""
        chosen, seen = await self.choose(tenant, selection, offset=offset, limit=limit, count=count)
        series = [each for each in await self.series([one.number for one in chosen]) if selection.wants(each)]
        evolutions = await self._evolutions(list(chosen), series, selection)
        scoped = [each.within(spans) for each, spans in zip(evolutions, chosen.values(), strict=True)]
        found = cut(scoped, selection.temporal, page=self.page)
        return msgspec.structs.replace(found, total=seen if count else None, more=seen > offset + limit)

    async def choose(
        self, tenant: str, selection: Selection, *, offset: int, limit: int, count: bool
    ) -> tuple[dict[Known, Sequence[Span]], int]:
        """The entities of one page of those that match, with the spans in which they do, and how many were seen."""
        chosen: dict[Known, Sequence[Span]] = {}
        seen = 0
        async for batch in self._candidates(tenant, selection):
            for known, spans in await self._matching(batch, selection):
                if offset <= seen < offset + limit:
                    chosen[known] = spans
                seen += 1
            if not count and seen > offset + limit:
                break
        return chosen, seen

    async def series(self, entities: Sequence[int]) -> list[Series]:
        """All that the history has of these entities."""
        if not entities:
            return []
        return [Series(*row) for row in await self.db.rows(SQL.series_of, {"entities": list(entities)})]

    async def moments(
        self, series: Iterable[Series], window: Window, *, limit: int, backward: bool = False
    ) -> dict[Series, list[Moment]]:
        """The instances of series in a window in order of time: at most `limit` of each, the oldest or the newest."""
        wanted = {(each.entity, each.attribute): each for each in series}
        if not wanted:
            return {}
        by_observation = window.time is TimeProperty.OBSERVED_AT
        params = {
            **window_params(window),
            "entities": [each.entity for each in wanted.values()],
            "attributes": [each.attribute for each in wanted.values()],
            "limit": limit if by_observation else LOOKED_AT,
        }
        query = SQL.instances_backward if backward else SQL.instances_forward
        found: dict[Series, list[Moment]] = {}
        for row in await self.db.rows(query, params):
            each = wanted[row[0], row[1]]
            moment = moment_of(row, each.dataset_id)
            if moment is not None:
                found.setdefault(each, []).append(moment)
        for moments in found.values():
            moments.sort(key=lambda one: one.at)
            if not by_observation:
                moments[:] = moments[-limit:] if backward else moments[:limit]
        return found

    async def _evolutions(
        self, entities: Sequence[Known], series: Sequence[Series], selection: Selection
    ) -> list[Evolution]:
        """What is to be shown of entities; one instance more than fits tells that there is more."""
        temporal = selection.temporal
        limit = min(temporal.last_n or self.page + 1, self.page + 1)
        found = await self.moments(series, temporal.window, limit=limit, backward=temporal.last_n is not None)
        scopes = await self._scopes(series, temporal.window)
        by_entity: dict[int, dict[str, list[Moment]]] = {}
        for each, moments in found.items():
            by_entity.setdefault(each.entity, {}).setdefault(each.name, []).extend(moments)
        for entity, moments in scopes.items():
            by_entity.setdefault(entity, {})[SCOPE] = list(carried(moments, temporal.window))
        return [_evolution(known, by_entity.get(known.number, {}), temporal.last_n) for known in entities]

    async def _scopes(self, series: Iterable[Series], window: Window) -> dict[int, list[Moment]]:
        """The scopes of entities up to the end of a window: one set before it may be valid in it (clause 4.18)."""
        if window.relation is None or window.time is not TimeProperty.OBSERVED_AT:
            return {}
        scoped = [each for each in series if each.name == SCOPE]
        found = await self.moments(scoped, msgspec.structs.replace(window, since_ever=True), limit=LOOKED_AT)
        return {each.entity: moments for each, moments in found.items()}

    async def _candidates(self, tenant: str, selection: Selection) -> AsyncIterator[list[Known]]:
        """Entities that have anything in the window, of the named types or ids, in order of ids, in batches."""
        entities = selection.entities
        params: dict[str, Any] = {
            **window_params(selection.temporal.window),
            "tenant": tenant,
            "ids": None if entities.ids is None else sorted(entities.ids),
            "types": None if entities.type_names is None else sorted(entities.type_names),
            "names": list(entities.attributes) or None,
            "thinned": selection.temporal.aggregation is not None,
            "after": "",
            "limit": AT_ONCE,
        }
        query = SQL.entities_before if selection.descending else SQL.entities_after
        while True:
            batch = await self.db.read(query, params, as_=Known)
            yield batch
            if len(batch) < AT_ONCE:
                return
            params["after"] = batch[-1].id

    async def _matching(self, batch: Sequence[Known], selection: Selection) -> list[tuple[Known, Sequence[Span]]]:
        """Those of a batch that fulfil every filter, with the spans of time in which their scopes do."""
        query = selection.entities
        selected = [
            each
            for each in batch
            if not query.selectors or any(selects(_bare(each), selector) for selector in query.selectors)
        ]
        if query.q is None and query.geo is None and query.scopes is None:
            return [(each, ALWAYS) for each in selected]
        series = await self.series([each.number for each in selected])
        documents = await self._documents(selected, series, selection)
        selected = [each for each in selected if _fulfils(documents[each.number], query)]
        if query.scopes is None:
            return [(each, ALWAYS) for each in selected]
        scopes: dict[int, Sequence[Moment]] = {each.entity: () for each in series if each.name == SCOPE}
        scopes |= await self._scopes(series, selection.temporal.window)
        spans: list[tuple[Known, Sequence[Span]]] = [
            (
                each,
                spans_in_scope(scopes.get(each.number), each.document.scopes, query.scopes, selection.temporal.window),
            )
            for each in selected
        ]
        return [(each, found) for each, found in spans if found]

    async def _documents(
        self, entities: Sequence[Known], series: Iterable[Series], selection: Selection
    ) -> Mapping[int, Document]:
        """Entities with all the instances that filters look at, as if they were instances of now."""
        query = selection.entities
        names = {path.names[0] for path in paths(query.q)} if query.q else set()
        names |= {query.geo.name} if query.geo else set()
        looked_at = [each for each in series if each.name in names]
        attributes: dict[int, dict[str, list[Any]]] = {}
        for each, moments in (await self.moments(looked_at, selection.temporal.window, limit=LOOKED_AT)).items():
            kept = attributes.setdefault(each.entity, {}).setdefault(each.name, [])
            kept.extend(one.instance for one in moments)
        return {
            each.number: msgspec.structs.replace(
                each.document,
                attributes={name: tuple(found) for name, found in attributes.get(each.number, {}).items()},
            )
            for each in entities
        }


def window_params(window: Window) -> dict[str, Any]:
    """A window as parameters: bounds of the partitions, and bounds of the time that counts."""
    first = None if window.since_ever else window.since
    since, until = first or "-infinity", window.until or "infinity"
    by_observation = window.time is TimeProperty.OBSERVED_AT
    return {
        "time": window.time if window.relation or window.named else "any",
        "since": since if by_observation else "-infinity",
        "until": until if by_observation else "infinity",
        "from": since,
        "to": until,
    }


def _bare(known: Known) -> Document:
    return Document(id=known.id, types=known.types)


def _fulfils(document: Document, query: EntityQuery) -> bool:
    return (query.geo is None or is_there(document, query.geo)) and (query.q is None or is_true(document, query.q))


def _evolution(known: Known, attributes: Mapping[str, list[Moment]], last_n: int | None) -> Evolution:
    document = known.document
    return Evolution(
        id=known.id,
        types=known.types,
        created_at=document.created_at,
        modified_at=document.modified_at,
        attributes={
            name: last(sorted(moments, key=lambda one: one.at), None if name == SCOPE else last_n)
            for name, moments in attributes.items()
            if moments
        },
    )
