# SPDX-License-Identifier: Apache-2.0
"""Playbooks, events and a small city with means of its own, for tests of playbooks."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from citybrain.apps.operations.decide.lines import Run
from citybrain.apps.operations.decide.matching import Version
from citybrain.apps.operations.decide.playbook import Line, Playbook, When
from citybrain.apps.operations.service.engine import Engine
from citybrain.apps.operations.service.operations import Operations
from citybrain.apps.operations.service.running import RunView, listed
from citybrain.apps.operations.store import playbooks, runs
from citybrain.kernel.access.actor import EVERYTHING, Actor, Kind, Right
from citybrain.kernel.app import Attribute, Effect, EntityType, Means
from citybrain.kernel.clock import new_id
from citybrain.kernel.orders import Trade
from citybrain.kernel.records import Batch, Because, Column, Entity, Event, Order, Outcome, OutcomeState, Severity
from citybrain.kernel.settings import Settings
from citybrain.kernel.store import Store, open_store

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
AT = datetime(2027, 1, 4, 7, tzinfo=UTC)
ROAD, NEXT_ROAD, OTHER_ROAD = (f"urn:ngsi-ld:RoadSegment:{name}" for name in "abc")
SIGNAL, BEFORE = "urn:ngsi-ld:TrafficSignalController:1", "urn:ngsi-ld:TrafficSignalController:2"
DETECTOR = "urn:ngsi-ld:TrafficDetector:1"


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Text(msgspec.Struct, frozen=True, kw_only=True):
    text: str = ""


def means(name: str, **more: Any) -> Means:
    more = {"permission": "street.act", "parameters": Text, "undone_by": "", **more}
    return Means(name=name, **more)


QUEUE_FALLS = Effect(attribute="queue", becomes="falls", within=timedelta(minutes=5))
MEAN_FALLS = Effect(
    attribute="queue", becomes="falls", within=timedelta(minutes=5), value="10%", mean=timedelta(minutes=3)
)
ALL = (
    means("street.sign"),
    means("street.divert", undone_by="street.end", lasts=True, effect=QUEUE_FALLS),
    means("street.end", parameters=Nothing),
    means("street.close", undone_by="street.open", lasts=True, two_person=True),
    means("street.open", parameters=Nothing),
    means("street.tow", undone_by="street.recall"),
    means("street.recall", parameters=Nothing),
    means("street.case", effect=Effect(attribute="", becomes="ordered", within=timedelta(0))),
    means("street.meter", effect=MEAN_FALLS),
    means("street.nobody"),
)
TRADE = Trade(
    means={each.name: each for each in ALL},
    executed=frozenset({each.name for each in ALL} - {"street.nobody"}),
)
TYPES = (EntityType(name="RoadSegment", attributes=(Attribute(name="queue"),)),)


def entity(id: str, type: str, **attributes: Any) -> Entity:
    return Entity(
        id=id, type=type, source="test", observed_at=AT, name={"zh": id[-1], "en": id[-1]}, attributes=attributes
    )


STREETS = (
    entity(ROAD, "RoadSegment", leadsTo=[NEXT_ROAD]),
    entity(NEXT_ROAD, "RoadSegment", leadsTo=[]),
    entity(OTHER_ROAD, "RoadSegment", leadsTo=[NEXT_ROAD]),
    entity("urn:ngsi-ld:RoadLane:a_0", "RoadLane", road=ROAD),
    entity("urn:ngsi-ld:RoadLane:b_0", "RoadLane", road=NEXT_ROAD, lane="b_0"),
    entity(SIGNAL, "TrafficSignalController", heads=[{"lane": "urn:ngsi-ld:RoadLane:b_0"}]),
    entity(DETECTOR, "TrafficDetector", controller=SIGNAL, lane="b_0"),
    entity(BEFORE, "TrafficSignalController", heads=[{"lane": "urn:ngsi-ld:RoadLane:a_0"}]),
)


def event(kind: str = "traffic.jam", entity_id: str = NEXT_ROAD, **more: Any) -> Event:
    given = {"id": new_id(), "severity": Severity.III, "at": AT, "because": Because(code="traffic.seen"), **more}
    return Event(kind=kind, entity_id=entity_id, **given)


def line(number: int, name: str = "street.sign", **more: Any) -> Line:
    return msgspec.convert({"number": number, "means": name, **more}, Line)


def playbook(id: str, *lines: Line, kinds: Sequence[str] = ("traffic.jam",), **more: Any) -> Playbook:
    when = msgspec.convert({"kinds": kinds, **more}, When)
    return Playbook(id=id, name={"zh": id, "en": id}, when=when, lines=lines)


def version(body: Playbook, number: int = 1) -> Version:
    return Version(playbook=body, version=number)


def officer(account: str) -> Actor:
    return Actor(name=account, account=account, kind=Kind.STAFF, rights={"street.act": Right(reach=EVERYTHING)})


ANN, BOB = officer("ann"), officer("bob")


class Town:
    """A city whose street answers as a test says, and the engine of playbooks, whose rounds the test makes.

    `answers` says what becomes of an order of a means; of what is not there nobody tells.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.operations = Operations(store)
        self.engine = Engine(self.operations)
        self.now, self.at = NOW, AT
        self.answers: dict[str, OutcomeState] = dict.fromkeys(TRADE.means, OutcomeState.EXECUTED)
        self.carried_out: list[Order] = []

    async def open(self) -> None:
        """As the city does when it starts."""
        self.store.journal.committed.append(self.engine.hear)
        await self.operations.load()
        await self.engine.open(self.now)
        await self.store.orders.delivery.tick(self.at, now=self.now)

    async def reopen(self) -> None:
        """After a kill: another engine and another street, that know what is in the tables and nothing else."""
        self.store.journal.committed.remove(self.engine.hear)
        self.operations = Operations(self.store)
        self.engine = Engine(self.operations)
        await self.store.orders.delivery.reopen(self.at, saved_at=None)
        await self.open()

    async def play(self, *bodies: Playbook) -> None:
        """Put playbooks in force in place of all that are."""
        for row in await playbooks.versions(self.store.db):
            async with self.store.db.transaction() as transaction:
                await playbooks.retire(transaction, row.playbook, by="", at=NOW)
        for body in bodies:
            async with self.store.db.transaction() as transaction:
                number = await playbooks.add(transaction, body, by="", at=NOW)
                await playbooks.activate(transaction, body.id, number, by="", at=NOW)
        await self.operations.load()

    async def tell(self, *events: Event) -> None:
        """Events are committed, and looked at."""
        await self.store.journal.tell(events)
        await self.engine.round(self.now)

    async def later(self, **time: float) -> None:
        """Time passes, in the city and by the clock."""
        self.now += timedelta(**time)
        self.at += timedelta(**time)
        await self.store.orders.delivery.tick(self.at, now=self.now)
        await self.engine.round(self.now)

    async def step(self, rounds: int = 4) -> None:
        """The street carries out what it was given, and the engine hears of it, a few times over."""
        for _ in range(rounds):
            await self.street()
            await self.engine.round(self.now)

    async def street(self) -> None:
        """The street carries out what it was given, which is committed."""
        given = await self.store.orders.delivery.take(self.at)
        self.carried_out += given
        outcomes = [
            Outcome(order_id=order.id, state=self.answers[order.means], at=self.at, code="street.said")
            for order in given
            if order.means in self.answers
        ]
        batch = Batch(id=new_id(), source="test", observed_at=self.at, received_at=self.now, columns=())
        await (await self.store.journal.append(batch, orders=given, outcomes=outcomes))
        await self.store.orders.delivery.settle(now=self.now)

    def see(self, attribute: str, entity_id: str, value: float) -> None:
        """A value is observed."""
        column = Column(attribute=attribute, entity_ids=(entity_id,), values=(value,))
        self.store.pool.observe(
            Batch(id=new_id(), source="test", observed_at=self.at, received_at=self.now, columns=(column,))
        )

    async def keep(self, attribute: str, entity_id: str, value: float) -> None:
        """A value is observed and goes into the history."""
        column = Column(attribute=attribute, entity_ids=(entity_id,), values=(value,))
        batch = Batch(id=new_id(), source="test", observed_at=self.at, received_at=self.now, columns=(column,))
        await (await self.store.journal.append(batch))
        self.store.pool.observe(batch)

    async def runs(self, of: Event) -> list[RunView]:
        """The runs of an event, the oldest first."""
        return list(reversed(await listed(self.operations, event_id=of.id)))

    async def states(self, of: Event) -> list[str]:
        """The states of the lines of an event's first run."""
        return [each.state.value for each in (await self.runs(of))[0].lines]

    def ordered(self) -> list[str]:
        """The means that were carried out, in their order."""
        return [order.means for order in self.carried_out]

    async def stored(self, of: Event) -> Sequence[Run]:
        """The runs of an event as the tables have them."""
        return await runs.find(self.store.db, event_id=of.id)


@asynccontextmanager
async def town(database_url: str, folder: Path, *, name: str = "") -> AsyncIterator[Town]:
    """An open town on a database of its own; under the same `name` it is the same one."""
    settings = Settings(data=folder / (name or f"town-{new_id()}"), database_url=database_url)
    async with open_store(settings, types=TYPES, trade=TRADE, permissions=[{"street.act": ("operator",)}]) as store:
        await store.pool.register(STREETS)
        found = Town(store)
        await found.open()
        yield found
        await found.store.orders.delivery.take(found.at)
