# SPDX-License-Identifier: Apache-2.0
"""A town whose lamps are subscribed to, and a receiver that can be slow, unwilling or away."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import msgspec

from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Database
from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.document import Attributes, AttributeType, Document, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.journal import Journal
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.ld.contexts import Contexts
from citybrain.kernel.pool import Pool
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.registrations import Registrations
from citybrain.kernel.subscriptions.service import Parts, Subscriptions
from citybrain.kernel.subscriptions.subscription import Kind

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def lamp(id: str, **values: object) -> Document:
    """A lamp with plain properties."""
    at = text_of(NOON)
    attributes: Attributes = {
        name: (Instance(type=AttributeType.PROPERTY, value=value, created_at=at, modified_at=at),)
        for name, value in values.items()
    }
    return Document(id=id, types=("Lamp",), created_at=at, modified_at=at, attributes=attributes)


class Receiver:
    """A real HTTP server. `answers` says the status for a body; `pause_s` how long it takes."""

    def __init__(self) -> None:
        self.got: list[dict[str, Json]] = []
        self.headers: list[dict[str, str]] = []
        self.status: int | Callable[[dict[str, Json]], int] = 200
        self.pause_s = 0.0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._came = asyncio.Event()

    async def start(self) -> None:
        """Be there, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be away."""
        if self._server:
            self._server.close()
            for writer in self._open:
                writer.close()
            await self._server.wait_closed()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notify"

    async def until(self, enough: Callable[[list[dict[str, Json]]], bool], within_s: float = 20) -> None:
        """Wait until what came is enough."""
        async with asyncio.timeout(within_s):
            while not enough(self.got):
                self._came.clear()
                await self._came.wait()

    def seen(self, subscription: str, attribute: str = "power") -> list[tuple[str, Json]]:
        """What a subscription was told, in order: entity and value."""
        return [
            (entity["id"], entity[attribute]["value"])
            for body in self.got
            if body["subscriptionId"] == subscription
            for entity in body["data"]
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                said = dict(line.lower().split(": ", 1) for line in head.strip().split("\r\n")[1:])
                body = msgspec.json.decode(await reader.readexactly(int(said["content-length"])))
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)
                status = self.status if isinstance(self.status, int) else self.status(body)
                if status == 200:
                    self.got.append(body)
                    self.headers.append(said)
                writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode())
                self._came.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._open.discard(writer)
            writer.close()


class Town:
    """Documents, registrations and subscriptions of one database."""

    def __init__(self, parts: Parts, subscriptions: Subscriptions) -> None:
        self.parts, self.subscriptions = parts, subscriptions
        self.documents = parts.documents

    async def create(self, *documents: Document, tenant: str = "") -> None:
        """New entities, in one change each."""
        await self.documents.apply([verbs.create(tenant, each, utc_now()) for each in documents])

    async def change(self, id: str, **values: object) -> None:
        """Other values for attributes of an entity."""
        before = self.documents.get("", id)
        assert before is not None
        after = lamp(id, **{name: several[0].value for name, several in before.attributes.items()} | values)
        await self.documents.apply([verbs.replace(before, after, tenant="", at=utc_now())])

    async def delete(self, id: str) -> None:
        """The end of an entity."""
        before = self.documents.get("", id)
        assert before is not None
        await self.documents.apply([verbs.delete(before, tenant="", at=utc_now())])

    async def subscribe(self, url: str, *, kind: Kind = Kind.ENTITIES, tenant: str = "", **members: Json) -> str:
        """A subscription to lamps; answers with its id."""
        payload = wanted(url, **members)
        made = await self.subscriptions.create(payload, CORE, tenant=tenant, now=utc_now(), kind=kind)
        return made.id


def wanted(url: str, **members: Json) -> dict[str, Json]:
    """A subscription to lamps as a client sends it; `notification` and `endpoint` are added to the usual ones."""
    endpoint = {"uri": url, **members.pop("endpoint", {})}
    notification = {"endpoint": endpoint, **members.pop("notification", {})}
    return {"type": "Subscription", "entities": [{"type": "Lamp"}], "notification": notification, **members}


@asynccontextmanager
async def open_town(db: Database) -> AsyncIterator[Town]:
    """A town on a database, closed in order."""
    async with AsyncExitStack() as opened:
        documents = await Documents.open(db)
        journal = await Journal.open(db, await Pool.open(db, (), documents))
        opened.push_async_callback(journal.close)
        contexts = await Contexts.open(db)
        opened.push_async_callback(contexts.close)
        parts = Parts(db, documents, journal, contexts, await Registrations.open(db))
        subscriptions = await Subscriptions.open(parts)
        opened.push_async_callback(subscriptions.close)
        yield Town(parts, subscriptions)


def by_subscription(got: list[dict[str, Json]]) -> dict[str, list[dict[str, Json]]]:
    """What came, by subscription."""
    found: dict[str, list[dict[str, Json]]] = defaultdict(list)
    for body in got:
        found[body["subscriptionId"]].append(body)
    return found
