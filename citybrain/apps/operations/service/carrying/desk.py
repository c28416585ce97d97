# SPDX-License-Identifier: Apache-2.0
"""The executor of all means that people, messages and devices carry out: each order in a task of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from citybrain.apps.operations.control.means import BY_NAME, CARRIED
from citybrain.apps.operations.control.means.acts import TAKEN, Command, Message, Task, Verb
from citybrain.apps.operations.control.progress import SAID
from citybrain.apps.operations.service.carrying import devices, works
from citybrain.apps.operations.service.carrying.book import Book, seed
from citybrain.apps.operations.service.carrying.messages import PAUSES_S, Delivery
from citybrain.apps.operations.service.carrying.outcomes import NothingToTakeBack, executed, failed, refused
from citybrain.apps.operations.service.carrying.telling import letter
from citybrain.apps.operations.store import contacts
from citybrain.apps.operations.store.contacts import State
from citybrain.kernel.clock import utc_now
from citybrain.kernel.ending import end_all
from citybrain.kernel.errors import Refusal, Unavailable
from citybrain.kernel.records import Because, Column, Facts, Order, Outcome
from citybrain.kernel.store import Store

NAME = "operations/means"
"""Where the open city has it, among what apps keep open."""
AT_ONCE = 16
"""So many orders are carried out side by side; others wait their turn."""
PATIENCE_S = 0.05
"""So long the loop waits for what is done at once; the rest is told with a later step."""
KEPT = timedelta(days=366)
DAY_S = 86_400.0

log = structlog.get_logger()


class MeansDesk:
    """Carries orders out once, however often one is given: cases, messages and wanted values are known by its id.

    `crews` is what those said last who report themselves for an order.
    """

    def __init__(self, store: Store, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self.book = Book(store)
        self.delivery = Delivery(self.book, pauses_s=pauses_s)
        self._under_way: dict[str, asyncio.Task[Outcome]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._at: datetime | None = None
        self.crews: dict[str, str] = {}

    @property
    def claims(self) -> frozenset[str]:
        """No entity is its own."""
        return frozenset()

    @property
    def means(self) -> frozenset[str]:
        """All that this app carries out."""
        return frozenset(CARRIED)

    def lacks(self, means: str) -> Because | None:
        """Why it could not be carried out now: no department, no contact, no way, no device."""
        return self.book.lacks(BY_NAME[means])

    async def obey(self, orders: Sequence[Order], at: datetime) -> Sequence[Outcome]:
        """Take orders in; answers with what is done by now."""
        self._at = at
        for order in orders:
            if order.id not in self._under_way:
                self._under_way[order.id] = asyncio.create_task(self._carry(order), name=f"order {order.id}")
        if not self._under_way:
            return ()
        done, _ = await asyncio.wait(self._under_way.values(), timeout=PATIENCE_S if orders else 0.0)
        if not done:
            return ()
        self._under_way = {id: task for id, task in self._under_way.items() if task not in done}
        return tuple(task.result() for task in done)

    def facts(self) -> Mapping[str, Facts]:
        """Nothing stands in the street."""
        return {}

    def columns(self) -> Sequence[Column]:
        """Nothing is shown."""
        return ()

    async def observed(self, order_id: str, attribute: str) -> float | None:
        """What an order promised and the pool does not know: `case.progress` or `message.taken`, as it is now."""
        if attribute == TAKEN:
            return await self._taken(order_id)
        progress = await works.progress(self.book, order_id)
        return SAID.get(self.crews.get(order_id, "")) if progress is None else progress

    async def close(self) -> None:
        """Let go of all; what is not done is given again when the city opens."""
        await end_all(self._under_way.values())
        await self.delivery.close()

    async def _carry(self, order: Order) -> Outcome:
        async with self._turn:
            try:
                return await self._carried(order)
            except Unavailable as refusal:
                return failed(order, self._now(order), refusal.code, refusal.facts)
            except Refusal as refusal:
                return refused(order, self._now(order), refusal.code, refusal.facts)
            except Exception as bug:
                log.exception("bug", order=order.id, means=order.means)
                return failed(order, self._now(order), "operations.broke", {"why": type(bug).__name__})

    async def _carried(self, order: Order) -> Outcome:
        match BY_NAME[order.means].how:
            case Task() as how:
                return await works.open_case(self.book, self.delivery, how, order, self._now(order))
            case Message(role=role):
                return await self._tell(order, role)
            case Command() as how:
                return await devices.command(self.book, self.delivery, how, order, self._now(order))
            case _:
                return await self._verb(order)

    async def _verb(self, order: Order) -> Outcome:
        now = self._now(order)
        match BY_NAME[order.means].how:
            case Verb(name="recall"):
                return await works.recall(self.book, order, now)
            case Verb(name="remind"):
                return await works.remind(self.book, self.delivery, order, now)
            case Verb(name="release"):
                return await devices.release(self.book, self.delivery, order, now)
            case _:
                return await self._all_clear(order)

    async def _tell(self, order: Order, role: str) -> Outcome:
        lack = self.book.lacks(BY_NAME[order.means])
        if lack is not None and not await self._taken(order.id):
            return refused(order, self._now(order), lack.code, lack.facts)
        return await self._told(order, self.book.told(role))

    async def _all_clear(self, order: Order) -> Outcome:
        """Tell those who took the messages of an earlier order that it is over."""
        earlier = str(order.parameters["order"])
        sent = await contacts.messages(self.book.store.db, self.book.store.keys, earlier)
        told = [self.book.of(each.contact_id) for each in sent if each.state is State.SENT]
        if not any(told):
            raise NothingToTakeBack("operations.no_message_of_order", {"order": earlier})
        return await self._told(order, [each for each in told if each is not None])

    async def _told(self, order: Order, told: Sequence[contacts.Contact]) -> Outcome:
        entity = self.book.store.pool.entity(order.entity_id)
        await self.delivery.queue(order.id, told, letter(self.book.words, order, entity))
        found = await self.delivery.deliver(order.id)
        taken = [each for each in found if each.state is State.SENT]
        missed = [each for each in found if each.state is not State.SENT]
        if not taken:
            why = missed[0].problem if missed else ""
            return failed(order, self._now(order), "operations.told_nobody", {"why": why})
        facts = {"count": len(taken), "of": len(found), "missed": [each.contact_id for each in missed]}
        return executed(order, self._now(order), "operations.told", facts)

    async def _taken(self, order_id: str) -> float | None:
        found = await contacts.messages(self.book.store.db, self.book.store.keys, order_id)
        return float(sum(each.state is State.SENT for each in found)) if found else None

    def _now(self, order: Order) -> datetime:
        """The city's time when it was last heard."""
        return self._at or order.at


@asynccontextmanager
async def carrying(store: Store, *, pauses_s: Sequence[float] = PAUSES_S) -> AsyncIterator[Sequence[MeansDesk]]:
    """The executor, as long as the city runs; types of cases and departments by role are there from the first start."""
    now = utc_now()
    await seed(store, now)
    desk = MeansDesk(store, pauses_s=pauses_s)
    await desk.book.load()
    encrypted = contacts.kept(store.db, store.keys)
    store.renewal.parts.extend(encrypted)
    store.of_apps[NAME] = desk
    for order_id in await contacts.waiting(store.db):
        desk.delivery.deliver_later(order_id)
    forgetting = asyncio.create_task(_forgetting(store), name="messages of orders")
    try:
        yield (desk,)
    finally:
        store.of_apps.pop(NAME, None)
        forgetting.cancel()
        await asyncio.wait([forgetting])
        for part in encrypted:
            store.renewal.parts.remove(part)
        await desk.close()


async def _forgetting(store: Store) -> None:
    """What was told a year ago is deleted, once a day."""
    while True:
        try:
            await contacts.forget(store.db, before=utc_now() - KEPT)
        except Refusal as refusal:  # the database may be away for a while
            log.warning("messages_not_forgotten", code=refusal.code)
        await asyncio.sleep(DAY_S)


def desk_of(store: Store) -> MeansDesk | None:
    """The executor of an open city; None where it runs none."""
    found = store.of_apps.get(NAME)
    return found if isinstance(found, MeansDesk) else None
