# SPDX-License-Identifier: Apache-2.0
"""Rounds of the hotline while the city runs; each is also a function that a test calls with its own time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import msgspec
import structlog

from citybrain.apps.hotline.detect import bursts, drift, gone
from citybrain.apps.hotline.jobs.mail import listening
from citybrain.apps.hotline.learn import USUAL_THRESHOLD
from citybrain.apps.hotline.model import Channel
from citybrain.apps.hotline.service import citizens, models
from citybrain.apps.hotline.service.hotline import Hotline, opened
from citybrain.apps.hotline.service.publishing import Publisher
from citybrain.apps.hotline.service.told import intake_of
from citybrain.apps.hotline.store import tickets
from citybrain.kernel.clock import utc_now
from citybrain.kernel.ending import end_all
from citybrain.kernel.errors import Refusal
from citybrain.kernel.store import Store

REFRESH = timedelta(seconds=2)
PUBLISH = timedelta(seconds=3)
LOOK_FOR_BURSTS = timedelta(minutes=1)
LOOK_FOR_DRIFT = timedelta(hours=1)
LOOK_FOR_GONE = timedelta(minutes=1)
RELOAD_PLACES = timedelta(minutes=15)
TELL_AREAS = timedelta(minutes=10)
LOOK_WHETHER_TO_TRAIN = timedelta(hours=6)
# A model older than a month is trained anew when tickets have grown by a tenth: marks of ours, without a source.
TRAIN_EVERY = timedelta(days=30)
GROWN = 1.1
FEWEST_TO_TRAIN = 1_000

log = structlog.get_logger()

Round = Callable[[Hotline, datetime], Awaitable[object]]


@asynccontextmanager
async def running(store: Store) -> AsyncIterator[Hotline]:
    """An open hotline with all its rounds, until the city stops."""
    async with opened(store) as hotline, listening(hotline), publishing(hotline) as publish:
        rounds: list[tuple[timedelta, Round]] = [
            (REFRESH, refresh),
            (PUBLISH, publish),
            (LOOK_FOR_BURSTS, look_for_bursts),
            (LOOK_FOR_DRIFT, look_for_drift),
            (LOOK_FOR_GONE, look_for_gone),
            (RELOAD_PLACES, reload_places),
            (TELL_AREAS, citizens.tell_areas),
            (LOOK_WHETHER_TO_TRAIN, train_when_due),
        ]
        tasks = [asyncio.create_task(_again(hotline, every, do)) for every, do in rounds]
        try:
            yield hotline
        finally:
            await end_all(tasks)


@asynccontextmanager
async def publishing(hotline: Hotline) -> AsyncIterator[Round]:
    """Take in what is told at the door for reports, and show what everybody may see; gives the round of the latter."""
    publisher = Publisher(hotline)
    await publisher.services(utc_now())

    async def publish(_hotline: Hotline, now: datetime) -> None:
        await publisher.round(now)

    with hotline.store.intakes.offered(Channel.OPEN311, intake_of(hotline, publisher)):
        yield publish


async def _again(hotline: Hotline, every: timedelta, do: Round) -> None:
    """The edge of a job: what is refused now is tried in the next round, and told in the log."""
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            await do(hotline, utc_now())
        except Refusal as refusal:
            log.warning("hotline round refused", code=refusal.code, facts=dict(refusal.facts))


async def refresh(hotline: Hotline, _now: datetime) -> None:
    """Learn of tickets that changed and of a model trained elsewhere."""
    await hotline.refresh()


async def reload_places(hotline: Hotline, _now: datetime) -> None:
    """Read the names of places again."""
    await hotline.load_places()


async def look_for_bursts(hotline: Hotline, now: datetime) -> int:
    """Tell the loop of bursts; answers with how many there are."""
    found = await tickets.between(hotline.db, now - bursts.USUAL.before, now + timedelta(seconds=1))
    events = bursts.events(await asyncio.to_thread(bursts.bursts, found, now))
    if events:
        await hotline.store.journal.tell(events)
    return len(events)


async def look_for_drift(hotline: Hotline, now: datetime) -> drift.Drift | None:
    """Tell the loop when the classifier no longer fits what is told; answers with what was found."""
    card = models.read_card(hotline.folder / "model-card.json")
    if card is None or hotline.classifier is None:
        return None
    found = drift.drift(card.shares, list(hotline.guesses), abstained_then=card.abstained)
    if found.is_great:
        await hotline.store.journal.tell([drift.event(found, now)])
    return found


async def look_for_gone(hotline: Hotline, now: datetime) -> list[gone.Gone]:
    """Warn of categories and rules that name a department which is no more, until that is mended."""
    found = gone.gone(hotline.tree, hotline.rules, hotline.store.access.policy.snapshot.departments)
    named = {each.department: gone.event(each, now) for each in found}
    new = [event for id, event in named.items() if id not in hotline.warned]
    mended = [msgspec.structs.replace(event, ended_at=now) for id, event in hotline.warned.items() if id not in named]
    if new or mended:
        await hotline.store.journal.tell([*new, *mended])
    hotline.warned = {id: hotline.warned.get(id, event) for id, event in named.items()}
    return found


async def train_when_due(hotline: Hotline, now: datetime) -> models.Card | None:
    """Train anew from the city's own closed tickets when the model is old and they have grown; the worse one goes."""
    card = models.read_card(hotline.folder / "model-card.json")
    if card is not None and now - card.trained_at < TRAIN_EVERY:
        return None
    found = await tickets.between(hotline.db, now - timedelta(days=730), now)
    examples = models.examples_of(found)
    if len(examples) < max(FEWEST_TO_TRAIN, GROWN * card.examples if card else 0):
        return None
    trained = await asyncio.to_thread(
        models.train, examples, hotline.folder, now=now, source="tickets", threshold=USUAL_THRESHOLD
    )
    await hotline.refresh()
    return trained
