# SPDX-License-Identifier: Apache-2.0
"""How good the data of a type is, source by source: complete, in time, in range, without doubles.

Four figures between 0 and 1, each with the counts it is made of; None where there is nothing to measure.
- completeness: attributes that are there ÷ attributes expected: those the model requires, and those that at least
  `USUAL` of the looked-at entities of the type have.
- timeliness: entities whose newest observation is at most `LATE_AFTER` × the promised interval old ÷ entities.
- range: values within the model's limits ÷ values for which the model has limits.
- uniqueness: 1 − (entities that another one of the source equals in name and place, and observations of the last day
  that say the same attribute and time again) ÷ all of them.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.entities.document import AttributeType, Document
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.times import to_us, us_of
from citybrain.kernel.models.model import EntityModel, models

LOOKED_AT = 20_000  # of more entities every k-th is looked at: below 0.7 % error at 95 % confidence
USUAL = 0.8
LATE_AFTER = 2.0
PROBED = 500  # entities whose history of the last day is looked through for doubles
DAY = timedelta(days=1)
TURN = 200
NO_SOURCE = ""
# Where an entity says who brought it (Smart Data Models, common attributes).
SOURCE_ATTRIBUTES = ("dataProvider", "source")


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    observed_twice: str


SQL = sql.load(Path(__file__).with_name("queries_quality.sql"), Sql)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with what it is made of: `good` of `all`."""

    good: int
    all: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.good / self.all if self.all else None


class SourceQuality(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of what one source says of one type. `entities` were looked at."""

    type: str
    source: str
    entities: int
    completeness: Share
    timeliness: Share | None
    range: Share
    uniqueness: Share


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of a type by source; of `total` entities `looked_at` were looked at."""

    type: str
    at: datetime
    total: int
    looked_at: int
    sources: tuple[SourceQuality, ...]


async def report(
    documents: Documents, db: Database, tenant: str, type: str, *, every_s: float | None, now: datetime
) -> Report:
    """Look at a type. `every_s` is the promised interval of observations; without one there is no timeliness."""
    total = documents.count(tenant, type)
    step = max(1, total // LOOKED_AT)
    by_source: dict[str, list[Document]] = {}
    looked_at = 0
    for place, document in enumerate(documents.scan(tenant, type)):
        if place % step == 0:
            by_source.setdefault(source_of(document), []).append(document)
            looked_at += 1
            if looked_at % TURN == 0:
                await asyncio.sleep(0)
    expected = expected_attributes((each for found in by_source.values() for each in found), models().get(type))
    yardstick = Yardstick(type=type, expected=expected, every_s=every_s, now=now)
    sources = []
    for source, found in sorted(by_source.items()):
        twice = await _observed_twice(documents, db, tenant, found, now)
        sources.append(measure(found, source, yardstick, twice=twice))
        await asyncio.sleep(0)
    return Report(type=type, at=now, total=total, looked_at=looked_at, sources=tuple(sources))


def source_of(document: Document) -> str:
    """Who brought an entity, as it says itself."""
    for name in SOURCE_ATTRIBUTES:
        for instance in document.attributes.get(name, ()):
            if isinstance(instance.value, str):
                return instance.value
    return NO_SOURCE


def expected_attributes(found: Iterable[Document], model: EntityModel | None) -> frozenset[str]:
    """What every entity of the type should have: what the model requires, and what is usual."""
    counted: Counter[str] = Counter()
    number = 0
    for document in found:
        counted.update(document.attributes.keys())
        number += 1
    usual = {name for name, count in counted.items() if count >= USUAL * number}
    return frozenset(usual | set(model.required if model else ()))


class Yardstick(msgspec.Struct, frozen=True, kw_only=True):
    """What is expected of entities of a type: these attributes, and an observation every `every_s` seconds."""

    type: str
    expected: frozenset[str]
    every_s: float | None
    now: datetime


def measure(found: Sequence[Document], source: str, yardstick: Yardstick, *, twice: Share) -> SourceQuality:
    """The figures of one source: pure."""
    there = sum(len(yardstick.expected & document.attributes.keys()) for document in found)
    limits = list(_in_limits(found, models().get(yardstick.type)))
    doubles = sum(count - 1 for count in Counter(filter(None, map(_likeness, found))).values())
    return SourceQuality(
        type=yardstick.type,
        source=source,
        entities=len(found),
        completeness=Share(good=there, all=len(yardstick.expected) * len(found)),
        timeliness=_timeliness(found, yardstick),
        range=Share(good=sum(limits), all=len(limits)),
        uniqueness=Share(good=len(found) - doubles + twice.good, all=len(found) + twice.all),
    )


def _timeliness(found: Sequence[Document], yardstick: Yardstick) -> Share | None:
    if yardstick.every_s is None:
        return None
    oldest_us = to_us(yardstick.now - timedelta(seconds=LATE_AFTER * yardstick.every_s))
    newest = [_newest_us(document) for document in found]
    return Share(good=sum(us is not None and us >= oldest_us for us in newest), all=len(found))


def _newest_us(document: Document) -> int | None:
    told = (one.observed_at for each in document.attributes.values() for one in each)
    return max((us_of(at) for at in told if at), default=None)


def _in_limits(found: Sequence[Document], model: EntityModel | None) -> Iterator[bool]:
    limited = {
        name: attribute
        for name, attribute in (model.attributes if model else {}).items()
        if attribute.least is not None or attribute.greatest is not None
    }
    for document in found:
        for name in limited.keys() & document.attributes.keys():
            for instance in document.attributes[name]:
                value = instance.value
                if isinstance(value, int | float) and not isinstance(value, bool):
                    least, greatest = limited[name].least, limited[name].greatest
                    yield (least is None or value >= least) and (greatest is None or value <= greatest)


def _likeness(document: Document) -> bytes | None:
    """What two entities have in common that are one thing entered twice: place and name; None without a place."""
    places = document.attributes.get("location", ())
    if not places or places[0].type is not AttributeType.GEO_PROPERTY:
        return None
    names = [one.value for one in document.attributes.get("name", ())]
    return msgspec.json.encode([places[0].value, names])


async def _observed_twice(
    documents: Documents, db: Database, tenant: str, found: Sequence[Document], now: datetime
) -> Share:
    """Observations of the last day, of at most `PROBED` entities, and how many say something new."""
    probed = found[:: max(1, len(found) // PROBED)]
    numbers = [number for each in probed if (number := documents.number(tenant, each.id)) is not None]
    ((count, doubles),) = await db.rows(SQL.observed_twice, {"entities": numbers, "since": now - DAY})
    return Share(good=count - doubles, all=count)
