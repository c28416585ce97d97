# SPDX-License-Identifier: Apache-2.0
"""Messages on their way: each is tried for about a minute by the way of its contact, and then never again.

So an order that failed is not told late, when it may be wrong by then; whoever still wants it gives another one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.operations.service.carrying.book import BY_NOTICE, Book
from citybrain.apps.operations.service.carrying.telling import Letter
from citybrain.apps.operations.store import contacts
from citybrain.apps.operations.store.contacts import Contact, Message, State, Way
from citybrain.kernel.cases.notice import Content
from citybrain.kernel.cases.notice_ways import NeverTaken, NotTaken, Outgoing, WayDown, signature
from citybrain.kernel.clock import utc_now
from citybrain.kernel.ending import end_all
from citybrain.kernel.http import Call, NoAnswer, ask_once

PAUSES_S = (0.0, 2.0, 5.0, 15.0, 30.0)
"""How long is waited before each try."""
WITHIN_S = 10.0
LATE = timedelta(minutes=15)
"""What was written down longer ago, as the city was down, is not told any more."""
FINAL = frozenset({400, 404, 410, 413, 422})


class Delivery:
    """Sends what orders tell; one order is told by one task, however often it is given."""

    def __init__(self, book: Book, *, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._book = book
        self._pauses_s = tuple(pauses_s)
        self._under_way: dict[str, asyncio.Task[list[Message]]] = {}

    async def queue(self, order_id: str, told: Sequence[Contact], letter: Letter) -> None:
        """Write down what an order tells whom."""
        content = msgspec.json.encode(letter)
        store = self._book.store
        await contacts.queue(store.db, store.keys, order_id, [(each, content) for each in told], at=utc_now())

    async def again(self, order_id: str) -> None:
        """What was not taken is to be sent once more: an order that stands is tried until it is ended."""
        await contacts.again(self._book.store.db, order_id, at=utc_now())

    async def deliver(self, order_id: str) -> list[Message]:
        """Send what is waiting; answers with all messages of the order when each is sent or given up."""
        task = self._under_way.get(order_id)
        if task is None:
            task = self._under_way[order_id] = asyncio.create_task(self._deliver(order_id))
            task.add_done_callback(lambda _: self._under_way.pop(order_id, None))
        return await asyncio.shield(task)

    def deliver_later(self, order_id: str) -> None:
        """Send beside all else."""
        if order_id not in self._under_way:
            task = self._under_way[order_id] = asyncio.create_task(self._deliver(order_id))
            task.add_done_callback(lambda _: self._under_way.pop(order_id, None))

    async def close(self) -> None:
        """Stop; what waits is sent when the order is given again."""
        await end_all(self._under_way.values())

    async def _deliver(self, order_id: str) -> list[Message]:
        db, keys = self._book.store.db, self._book.store.keys
        found = await contacts.messages(db, keys, order_id)
        await asyncio.gather(*(self._send(each) for each in found if each.state is State.WAITING))
        return await contacts.messages(db, keys, order_id)

    async def _send(self, message: Message) -> None:
        problem = ""
        if utc_now() - message.queued_at > LATE:
            await contacts.settle(self._book.store.db, message, State.DEAD, problem="late", at=utc_now())
            return
        for tries, pause_s in enumerate(self._pauses_s, 1):
            await asyncio.sleep(pause_s)
            message = msgspec.structs.replace(message, tries=tries)
            try:
                await self._once(message)
            except (WayDown, NotTaken) as refusal:
                problem = str(refusal.facts.get("why", ""))
            except NeverTaken as refusal:
                problem = str(refusal.facts.get("why", ""))
                break
            else:
                await contacts.settle(self._book.store.db, message, State.SENT, problem="", at=utc_now())
                return
        await contacts.settle(self._book.store.db, message, State.DEAD, problem=problem, at=utc_now())

    async def _once(self, message: Message) -> None:
        contact = self._book.of(message.contact_id)
        if contact is None:
            facts = {"channel": message.channel, "why": message.contact_id}
            raise NeverTaken("kernel.notice_not_taken", facts)
        letter = msgspec.json.decode(message.content, type=Letter)
        if contact.channel is Way.WEBHOOK:
            await _post(contact, letter, key=_key(message), now=utc_now())
            return
        way = self._book.store.casework.ways.get(BY_NOTICE[contact.channel])
        if way is None:
            raise WayDown("kernel.way_down", {"channel": contact.channel, "why": "unset"})
        async with AsyncExitStack() as opened:
            sending = await opened.enter_async_context(way.open())
            await sending.send(_outgoing(message, contact, letter), now=utc_now())


def _outgoing(message: Message, contact: Contact, letter: Letter) -> Outgoing:
    lang = contact.lang
    body = letter.body if contact.channel is Way.EMAIL else letter.brief
    return Outgoing(
        id=message.number,
        key=_key(message),
        topic="operations",
        lang=lang,
        queued_at=message.queued_at,
        content=Content(address=contact.address, subject=letter.subject[lang], body=body[lang]),
    )


async def _post(contact: Contact, letter: Letter, *, key: str, now: datetime) -> None:
    """Hand a message to a webhook as JSON, signed like notices are; only 2xx counts as taken."""
    said = {
        "id": key,
        "role": contact.role,
        "lang": contact.lang,
        "title": letter.subject,
        "text": letter.brief,
        **letter.payload,
    }
    body = msgspec.json.encode(said)
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    if contact.secret:
        headers |= signature(contact.secret, body, now)
    call = Call(method="POST", url=contact.address, headers=headers, content=body, may_repeat=True, wants_body=False)
    facts = {"channel": contact.channel}
    try:
        answer = await ask_once(call, within_s=WITHIN_S)
    except NoAnswer as problem:
        raise WayDown("kernel.way_down", {**facts, "why": str(problem)}) from problem
    if not answer.taken:
        refusal = NeverTaken if answer.status in FINAL else NotTaken
        raise refusal("kernel.notice_not_taken", {**facts, "why": str(answer.status)})


def _key(message: Message) -> str:
    """The same however often it is sent: receivers throw copies away."""
    return f"operations-{message.order_id}-{message.contact_id}"
