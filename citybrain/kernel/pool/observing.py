# SPDX-License-Identifier: Apache-2.0
"""Many single observations at once, as devices, brokers and imports bring them: into the history and the present."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec
import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.entities.document import (
    AttributeChange,
    Attributes,
    AttributeType,
    Document,
    Done,
    EntityChange,
    Instance,
)
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.keepable import check_keepable
from citybrain.kernel.entities.times import from_us, text_of, to_us, us_of
from citybrain.kernel.entities.writing import HistoryRows
from citybrain.kernel.pool.single import Single, encode_single

TOGETHER = 20_000  # so many make one group: more would keep others waiting
DAY_US = 86_400_000_000

Times = NDArray[np.int64]
Numbers = NDArray[np.float64]


class Observations(msgspec.Struct, frozen=True, kw_only=True):
    """Observations side by side: `entity_ids[i]` had at `observed_us[i]` (since 1970) the value at `[i]`.

    A value is the word when there is one, else the number. `units` are codes of UN/CEFACT Recommendation 20.
    """

    entity_ids: Sequence[str]
    attributes: Sequence[str]
    observed_us: Times
    numbers: Numbers
    words: Sequence[str | None] | None = None
    units: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.entity_ids)

    def part(self, begin: int, end: int) -> "Observations":
        """Those from `begin` until before `end`."""
        return Observations(
            entity_ids=self.entity_ids[begin:end],
            attributes=self.attributes[begin:end],
            observed_us=self.observed_us[begin:end],
            numbers=self.numbers[begin:end],
            words=self.words and self.words[begin:end],
            units=self.units and self.units[begin:end],
        )

    def value(self, i: int) -> str | float:
        """One value; a whole number is an integer."""
        word = self.words[i] if self.words else None
        number = float(self.numbers[i])
        return word if word is not None else int(number) if number.is_integer() and abs(number) < 2**53 else number


async def observe_many(
    documents: Documents, tenant: str, observations: Observations, *, type: str, at: datetime
) -> list[int]:
    """Take observations in; answers with the numbers of their instances in the history. Committed on return.

    All enter the history. The present has the newest of each attribute: one observed before the value that is there
    changes nothing. An entity that is not there is created with the type `type`, an attribute as a Property. They are
    stored in groups of 20,000, each of which is there with all its rows or not at all. Refuses `UnkeepableWord`.
    """
    check_keepable(*{word for word in observations.words or () if word is not None})
    numbers: list[int] = []
    committed: list[asyncio.Future[None]] = []
    for begin in range(0, len(observations), TOGETHER):
        part = observations.part(begin, begin + TOGETHER)
        first = documents.reserve(len(part))
        numbers += range(first, first + len(part))
        changes = list(_changes(documents, tenant, part, type=type, at=at))
        history = _history(documents, tenant, part, first=first, at=at)
        committed.append(documents.put(changes, history=history))
        await asyncio.sleep(0)
    await asyncio.gather(*committed)
    return numbers


def _history(documents: Documents, tenant: str, part: Observations, *, first: int, at: datetime) -> HistoryRows:
    entities = {id: documents.claim(tenant, id) for id in set(part.entity_ids)}
    attributes = {name: documents.names.number(name) for name in set(part.attributes)}
    single = Single(
        entities=np.array([entities[id] for id in part.entity_ids], np.int32),
        attributes=np.array([attributes[name] for name in part.attributes], np.int32),
        observed_us=part.observed_us,
        numbers=part.numbers,
        words=part.words,
        details=None if part.units is None else [_detail(unit) for unit in part.units],
        first=first,
        at_us=to_us(at),
    )
    return HistoryRows(encode_single(single), frozenset(_days(part.observed_us)), first + len(part) - 1)


def _days(observed_us: Times) -> Iterator[date]:
    for day in np.unique(observed_us // DAY_US).tolist():
        yield from_us(day * DAY_US).date()


_details: dict[str, bytes] = {}


def _detail(unit: str) -> bytes:
    """What number and word do not say of an observation, as the history holds it; empty when that is nothing."""
    known = _details.get(unit)
    if known is None:
        said = msgspec.json.encode(Instance(type=AttributeType.PROPERTY, unit_code=unit)) if unit else b""
        known = _details[unit] = said
    return known


def _changes(
    documents: Documents, tenant: str, part: Observations, *, type: str, at: datetime
) -> Iterator[EntityChange]:
    """One change for each entity of which anything is newer than what is there."""
    stamp = text_of(at)
    for id, chosen in _newest(part).items():
        before = documents.get(tenant, id)
        document = before or Document(id=id, types=(type,), created_at=stamp)
        changed = [each for i in chosen if (each := _changed(document, part, i, stamp)) is not None]
        if changed or before is None:
            attributes: Attributes = dict(document.attributes)
            for told in changed:
                others = tuple(one for one in attributes.get(told.name, ()) if one.dataset_id)
                attributes[told.name] = (told.after, *others) if told.after else others
            after = msgspec.structs.replace(document, modified_at=stamp, attributes=attributes)
            change = EntityChange(tenant=tenant, id=id, at=at, before=before, after=after, attributes=tuple(changed))
            documents.check(change)
            yield change


def _newest(part: Observations) -> dict[str, list[int]]:
    """Where the newest observation of each attribute stands, by entity; of two at one time the later one."""
    newest: dict[tuple[str, str], int] = {}
    order = np.argsort(part.observed_us, kind="stable").tolist()
    ids, names = part.entity_ids, part.attributes
    for i in order:
        newest[ids[i], names[i]] = i
    by_entity: dict[str, list[int]] = {}
    for (id, _), i in newest.items():
        by_entity.setdefault(id, []).append(i)
    return by_entity


def _default(several: Sequence[Instance]) -> Instance | None:
    return next((one for one in several if not one.dataset_id), None)


def _changed(document: Document, part: Observations, i: int, stamp: str) -> AttributeChange | None:
    """What an observation makes of an attribute; None when what is there was observed later."""
    name = part.attributes[i]
    several = document.attributes.get(name, ())
    before = several[0] if len(several) == 1 and not several[0].dataset_id else _default(several)
    us = int(part.observed_us[i])
    if before and before.observed_at and us_of(before.observed_at) > us:
        return None
    after = Instance(
        type=AttributeType.PROPERTY,
        value=part.value(i),
        observed_at=text_of(from_us(us)),
        unit_code=part.units[i] if part.units else "",
        created_at=before.created_at if before else stamp,
        modified_at=stamp,
    )
    return AttributeChange(name=name, done=Done.UPDATED if before else Done.CREATED, before=before, after=after)
