# SPDX-License-Identifier: Apache-2.0
"""What the door does for people and for as long as the city runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import numpy as np

from citybrain.doors.mqtt import codec, feed, mapping, store
from citybrain.doors.mqtt.intake import Intake, Outlets, Seen, ended
from citybrain.doors.mqtt.mapping import Topics
from citybrain.kernel.clock import monotonic_s, utc_now
from citybrain.kernel.entities import service as entities
from citybrain.kernel.entities.document import DEFAULT_TENANT, AttributeType, Document, Instance
from citybrain.kernel.entities.order import Order
from citybrain.kernel.entities.service import Desk
from citybrain.kernel.entities.times import text_of, to_us
from citybrain.kernel.errors import Conflict, Invalid, NotFound
from citybrain.kernel.pool.observing import Observations, observe_many
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store


class NotInQuarantine(NotFound):
    """This device is believed already."""


class NoMapping(Conflict):
    """Without a mapping nobody can say what a message means."""


@asynccontextmanager
async def running(city: Store) -> AsyncIterator[None]:
    """Listen to the broker that the mapping file names; without such a file the door stays shut."""
    path = load_settings().mqtt
    if path is None:
        yield
        return
    plan = mapping.load(path)
    intake = await Intake.open(city.db, plan, outlets(city), steady_s=monotonic_s())
    async with feed.listening(plan, intake):
        yield


def outlets(city: Store) -> Outlets:
    """Into the pool and the journal of this city."""

    async def observe(seen: Sequence[Seen]) -> None:
        await observe_all(city, seen, utc_now())

    return Outlets(observe=observe, tell=city.journal.tell)


async def observe_all(city: Store, seen: Sequence[Seen], at: datetime) -> None:
    """Bring what messages said into the pool: present and history, committed on return."""
    by_type: dict[str, list[codec.Measurement]] = {}
    for each in seen:
        by_type.setdefault(each.source.type, []).extend(each.measurements)
    for type, measurements in by_type.items():
        await observe_many(city.documents, DEFAULT_TENANT, _side_by_side(measurements), type=type, at=at)
    moved = [_moved(each) for each in seen if each.place is not None]
    if moved:
        desk = Desk(documents=city.documents, tenant=DEFAULT_TENANT, at=at, order=Order.NEWEST)
        await entities.upsert_many(desk, moved)


def _side_by_side(measurements: Sequence[codec.Measurement]) -> Observations:
    words = [_word(each.value) for each in measurements]
    numbers = [np.nan if _word(each.value) is not None else float(each.value) for each in measurements]
    return Observations(
        entity_ids=[each.entity_id for each in measurements],
        attributes=[each.attribute for each in measurements],
        observed_us=np.array([to_us(each.observed_at) for each in measurements], np.int64),
        numbers=np.array(numbers, np.float64),
        words=words if any(word is not None for word in words) else None,
        units=[each.unit for each in measurements],
    )


def _word(value: float | str | bool) -> str | None:
    """A truth is kept as the word that JSON has for it."""
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else None


def _moved(seen: Seen) -> Document:
    """Where a device says it is, as its location."""
    assert seen.place is not None
    first = seen.measurements[0]
    point = {"type": "Point", "coordinates": [seen.place.longitude, seen.place.latitude]}
    location = Instance(type=AttributeType.GEO_PROPERTY, value=point, observed_at=text_of(first.observed_at))
    return Document(id=first.entity_id, types=(seen.source.type,), attributes={"location": (location,)})


async def replay(city: Store, ids: Sequence[int]) -> int:
    """Read messages again by the mapping as it is now; what can be taken in leaves the list; how many.

    A message is read with the time at which it came. A person vouches for it: rates and quarantine do not count.
    """
    path = load_settings().mqtt
    if path is None:
        raise NoMapping("mqtt.no_mapping", {})
    topics = Topics(mapping.load(path).source)
    seen: list[Seen] = []
    done: list[int] = []
    for letter in await store.letters_by_id(city.db, ids):
        found = topics.find(letter.topic)
        if found is None:
            continue
        source, entity_id = found
        try:
            said = codec.read(letter.payload, source, entity_id, letter.at)
        except Invalid:
            continue
        true = tuple(each for each in said.measurements if not each.lie)
        if len(true) == len(said.measurements):
            seen.append(Seen(source=source, measurements=true, place=said.place))
            done.append(letter.id)
    await observe_all(city, seen, utc_now())
    await store.remove_letters(city.db, done)
    return len(done)


async def release(city: Store, entity_id: str) -> None:
    """End a quarantine by hand, and the event that told of it."""
    shut = next((each for each in await store.quarantines(city.db) if each.entity_id == entity_id), None)
    if shut is None:
        raise NotInQuarantine("mqtt.not_in_quarantine", {"entity_id": entity_id})
    await store.end_quarantine(city.db, entity_id)
    await city.journal.tell([ended(shut, at=utc_now())])
