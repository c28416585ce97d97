# SPDX-License-Identifier: Apache-2.0
"""What is asked of the pool: entities by type, words and place, and how one value came to be what it is."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.pool.model import LOCATION, Page, Placed, Row, matches, name_of, place_of, row_of
from citybrain.kernel.entities.document import Document
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.geometry import GeoQuery, Relation
from citybrain.kernel.entities.query import EntityQuery, Selector
from citybrain.kernel.entities.search import find
from citybrain.kernel.entities.selection import Types
from citybrain.kernel.errors import NotFound
from citybrain.kernel.geo import Bounds
from citybrain.kernel.models.model import models
from citybrain.kernel.models.validation import findings
from citybrain.kernel.pool.duration import Duration
from citybrain.kernel.pool.series import SeriesOf
from citybrain.kernel.pool.temporal import Temporal
from citybrain.kernel.pool.temporal_rows import Moment
from citybrain.kernel.records import Facts, Json

AT_ONCE = 500
"""So many rows go into one answer."""
FOUND_AT_ONCE = 2_000
"""So many rows that words find go into one answer."""
LOOKED_AT = 300_000
"""So many entities are looked at for words or findings: a second or two, others running in between."""
ON_THE_MAP = 4_000
"""So many entities are drawn: a browser takes longer for more than a person looks at them."""
EXPORTED = 100_000
"""So many values go into one file."""
TURN = 500
PERIODS = 240
"""So many periods of a long time make a line as fine as a screen shows it."""
POINTS = 2_000
"""So many single values are shown; of more only figures by period."""
LONGEST_PERIOD_S = 86_400

_decode = msgspec.json.Decoder(Document).decode


class NoSuchEntity(NotFound):
    """The pool has no entity with this id."""


class Point(msgspec.Struct, frozen=True):
    """A value at a time; `value` is a number or a text."""

    at: datetime
    value: Json


class Period(msgspec.Struct, frozen=True):
    """What the values of a period came to."""

    at: datetime
    count: int
    low: float | None
    mean: float | None
    high: float | None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Values of an attribute, the oldest first: single ones, or periods of `every_s` seconds where they are many."""

    points: Sequence[Point] = ()
    periods: Sequence[Period] = ()
    every_s: float | None = None


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """Something of an entity that does not fit its model."""

    entity_id: str
    attribute: str
    code: str
    facts: Facts


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What of a type does not fit its model now: how often by reason, and the first that were found."""

    looked: int
    there: int
    misfits: int
    entities: int
    by_code: dict[str, int]
    rows: Sequence[Misfit]


def of_type(type: str) -> tuple[Selector, ...]:
    """The selector of a type by its internal name; none for "", which means all."""
    return (Selector(types=Types(any_of=(frozenset({type}),))),) if type else ()


async def page(documents: Documents, tenant: str, type: str, *, offset: int) -> Page:
    """The next rows of a type, in order of creation."""
    found = await find(documents, tenant, EntityQuery(selectors=of_type(type)), offset=offset, limit=AT_ONCE)
    there = documents.count(tenant, type or None)
    return Page(rows=[row_of(each) for each in found.documents], total=there, looked=there, there=there)


async def with_words(documents: Documents, tenant: str, type: str, words: Sequence[str]) -> Page:
    """Entities in which all words stand. The bytes are looked at first, so that few entities are decoded."""
    there = documents.count(tenant, type or None)
    plain = [word.encode() for word in words if _same_in_bytes(word)]
    rows: list[Row] = []
    total = looked = 0
    for id, body in documents.shelf(tenant).scan(type or None):
        looked += 1
        if looked > LOOKED_AT:
            looked -= 1
            break
        if looked % TURN == 0:
            await asyncio.sleep(0)
        lowered = body.lower() if plain else b""
        if not all(word in lowered for word in plain) or not matches(_decode(body), words):
            continue
        document = documents.get(tenant, id)
        if document is not None:
            total += 1
            rows += [row_of(document)] if len(rows) < FOUND_AT_ONCE else []
    return Page(rows=rows, total=total, looked=looked, there=there)


def _same_in_bytes(word: str) -> bool:
    """Whether the word, in small letters, stands as it is in bytes whose Latin letters were made small."""
    return (word.isascii() and word.isalnum()) or (not word.isascii() and word.upper() == word)


async def on_map(documents: Documents, tenant: str, type: str, box: Bounds | None) -> tuple[list[Placed], int]:
    """Entities of a type that say where they are, in a box if one is given, and how many there are in all."""
    geo = GeoQuery(relation=Relation.INTERSECTS, geometry=_rectangle(box), name=LOCATION) if box else None
    query = EntityQuery(selectors=of_type(type), attributes=() if geo else (LOCATION,), geo=geo)
    found = await find(documents, tenant, query, limit=ON_THE_MAP, count=True)
    placed = [
        Placed(id=each.id, name=name_of(each), geometry=place_of(each))
        for each in found.documents
        if place_of(each) is not None
    ]
    return placed, found.total or 0


def _rectangle(box: Bounds) -> bytes:
    west, south, east, north = box
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return msgspec.json.encode({"type": "Polygon", "coordinates": [ring]})


def one(documents: Documents, tenant: str, id: str) -> Document:
    """An entity as it is now."""
    document = documents.get(tenant, id)
    if document is None:
        raise NoSuchEntity("pool.no_such_entity", {"id": id})
    return document


async def newest(temporal: Temporal, tenant: str, id: str, name: str, *, dataset_id: str, number: int) -> History:
    """The newest values of an attribute, whenever they were observed."""
    found = await SeriesOf(temporal, tenant).last(id, name, number)
    return History(points=_points(found, dataset_id))


async def between(
    temporal: Temporal, tenant: str, id: str, name: str, *, dataset_id: str, span: tuple[datetime, datetime]
) -> History:
    """The values of a span of time; where there are many, what they came to in periods."""
    since, until = span
    series = SeriesOf(temporal, tenant)
    found = await series.between(id, name, since, until) if until - since <= timedelta(days=2) else ()
    points = _points(found, dataset_id)
    if points and len(points) <= POINTS:
        return History(points=points)
    every = period_of(until - since)
    figures = await series.figures(id, name, since=since, until=until, every=Duration(exact=every))
    periods = [
        Period(
            at=each.start,
            count=each.total,
            low=each.low,
            mean=each.sum / each.total if each.sum is not None and each.total else None,
            high=each.high,
        )
        for each in figures
    ]
    return History(periods=periods, every_s=every.total_seconds())


def period_of(span: timedelta) -> timedelta:
    """A length of periods that people use, of which about `PERIODS` make the span."""
    wanted = span.total_seconds() / PERIODS
    usual = (60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, LONGEST_PERIOD_S)
    return timedelta(seconds=next((each for each in usual if each >= wanted), LONGEST_PERIOD_S))


def _points(moments: Sequence[Moment], dataset_id: str) -> list[Point]:
    """Values of one data set; a value that is more than a number or text is shown as JSON."""
    return [
        Point(at=each.at, value=_shown(each.instance.value))
        for each in moments
        if each.instance.dataset_id == dataset_id and not each.is_gone
    ]


def _shown(value: Json) -> Json:
    return value if isinstance(value, int | float | str) or value is None else msgspec.json.encode(value).decode()


async def check(documents: Documents, tenant: str, type: str, *, limit: int) -> Check:
    """Hold every entity of a type against its model now, whatever its policy is. Nothing is stored."""
    rows: list[Misfit] = []
    by_code: dict[str, int] = {}
    looked = entities = 0
    for _, body in documents.shelf(tenant).scan(type):
        if looked >= LOOKED_AT:
            break
        looked += 1
        if looked % TURN == 0:
            await asyncio.sleep(0)
        document = _decode(body)
        found = findings(document, models())
        entities += bool(found)
        for each in found:
            by_code[each.code] = by_code.get(each.code, 0) + 1
            if len(rows) < limit:
                rows.append(Misfit(entity_id=document.id, attribute=each.attribute, code=each.code, facts=each.facts))
    return Check(
        looked=looked,
        there=documents.count(tenant, type),
        misfits=sum(by_code.values()),
        entities=entities,
        by_code=by_code,
        rows=rows,
    )
