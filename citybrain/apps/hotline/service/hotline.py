# SPDX-License-Identifier: Apache-2.0
"""An open hotline: the city's store with categories, rules, classifier and indexes in memory, kept up to date."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from citybrain.apps.hotline import choice, learn
from citybrain.apps.hotline.choice import Rule
from citybrain.apps.hotline.detect.gone import living
from citybrain.apps.hotline.index.places import Place, Places
from citybrain.apps.hotline.index.similar import Tickets
from citybrain.apps.hotline.learn import Classifier
from citybrain.apps.hotline.model import TYPES, Category, Tree
from citybrain.apps.hotline.service import callers
from citybrain.apps.hotline.service.models import read_card, read_model
from citybrain.apps.hotline.store import kept, tickets
from citybrain.kernel.access import Actor, Kind, Reach, Right
from citybrain.kernel.access.limits import Limits
from citybrain.kernel.access.policy import Department
from citybrain.kernel.cases.case import CaseChange
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.notice import Channel, Tell
from citybrain.kernel.cases.work import Watcher
from citybrain.kernel.clock import utc_now
from citybrain.kernel.db import Transaction
from citybrain.kernel.entities.document import AttributeType, Document
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Event, Json
from citybrain.kernel.store import Store

SEED = Path(__file__).parents[1] / "seed"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
# Transactions of one moment may be seen late: what changed shortly before is read again.
READ_AGAIN = timedelta(seconds=30)
AT_ONCE = 5_000
PLACES_AT_MOST = 300_000
GUESSES_KEPT = 2_000
TURN = 1_000
EVERYTHING = Right(reach=Reach(all=True))
MACHINE = Actor(
    name="hotline",
    account="hotline",
    kind=Kind.SERVICE,
    rights={f"case.{verb}": EVERYTHING for verb in ("view", "open", "work", "assign", "transfer")},
)
"""The hotline itself, when it acts for citizens who have no account."""
PLANTER = msgspec.structs.replace(MACHINE, rights={"people.departments": EVERYTHING})
"""The hotline at the first start of a city that has no departments yet."""


class Hotline:
    """The parts of one open hotline. `refresh` brings the memory up to what the tables say."""

    def __init__(self, store: Store, tree: Tree, rules: Sequence[Rule]) -> None:
        self.store = store
        self.db = store.db
        self.cases = store.cases
        self.keys = store.keys
        self.tree = tree
        self.rules = tuple(rules)
        self.rules_version = 0
        self.limits = Limits()
        self.places = Places(())
        self.tickets = Tickets()
        self.classifier: Classifier | None = None
        self.guesses: deque[tuple[str, bool]] = deque(maxlen=GUESSES_KEPT)
        self.warned: dict[str, Event] = {}
        self.folder = store.folder / "hotline"
        self._seen: tuple[datetime, int] = (LONG_AGO, 0)
        self._model_at = 0.0
        self._refreshing = asyncio.Lock()

    async def refresh(self) -> None:
        """Learn of what changed: tickets, and a model that was trained elsewhere."""
        async with self._refreshing:
            while found := await tickets.changed_since(self.db, *self._seen, limit=AT_ONCE):
                for number, ticket in enumerate(found):
                    self.tickets.put(ticket)
                    if number % TURN == 0:
                        await asyncio.sleep(0)
                self._seen = (found[-1].changed_at, found[-1].case_id)
                if len(found) < AT_ONCE:
                    break
            self._seen = (min(self._seen[0], utc_now() - READ_AGAIN), 0)
            await asyncio.to_thread(self._load_model)

    def _load_model(self) -> None:
        path = self.folder / "model.json"
        at = path.stat().st_mtime if path.exists() else 0.0
        if at != self._model_at:
            self.classifier = read_model(path) if at else None
            self._model_at = at

    async def load_places(self) -> None:
        """Read the names of what the pool knows the position of."""
        found = await places_of(self.store.documents)
        self.places = await asyncio.to_thread(Places, found)

    async def load_rules(self) -> None:
        """Read categories and rules in force."""
        self.tree, self.rules, self.rules_version = await _in_force(self.store)

    async def set_categories(self, categories: Sequence[Category], *, version: int, by: str, now: datetime) -> Tree:
        """Put a new tree in force; `version` is the one it was made from."""
        tree = Tree(categories, version + 1)
        tree.check(self.departments)
        await kept.put_version(self.db, "categories", version + 1, list(categories), by=by, now=now)
        self.tree = tree
        return tree

    async def set_rules(self, rules: Sequence[Rule], *, version: int, by: str, now: datetime) -> None:
        """Put a new routing table in force; `version` is the one it was made from."""
        choice.check(rules, self.departments)
        await kept.put_version(self.db, "rules", version + 1, list(rules), by=by, now=now)
        self.rules, self.rules_version = tuple(rules), version + 1

    @property
    def departments(self) -> frozenset[str]:
        """The departments that take work now."""
        return living(self.store.access.policy.snapshot.departments)

    def guess(self, text: str) -> learn.Guess | None:
        """What the classifier thinks a text is about; None while there is none. Remembered, to see drift."""
        if self.classifier is None:
            return None
        found = learn.guess(self.classifier, [text])[0]
        self.guesses.append((found.ranked[0][0], not found.category))
        return found

    def category_of(self, label: str) -> str:
        """The category that a label of the classifier means: its id, or its name; empty when there is none."""
        if label in self.tree.categories:
            return label
        named = [each.id for each in self.tree.categories.values() if label in each.name.values()]
        return min(named, key=len, default="")

    def card(self) -> Json:
        """The card of the model in use; None while there is none."""
        return read_card(self.folder / "model-card.json")


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Hotline]:
    """A hotline over an open city: seeded at its first start, its rows following their cases."""
    await seed(store, utc_now())
    tree, rules, version = await _in_force(store)
    hotline = Hotline(store, tree, rules)
    hotline.rules_version = version
    answered = _telling(store)
    hooks = store.cases.hooks
    hooks.watchers.extend((tickets.follow, answered))
    hooks.together.update({tickets.follow: tickets.follow_together, answered: _nothing_answered})
    store.casework.ratings.watchers.append(tickets.rated)
    held = callers.holder(store.keys)
    store.people.holders.append(held)
    encrypted = callers.kept(store.db, store.keys)
    store.renewal.parts.extend(encrypted)
    try:
        await hotline.load_places()
        await hotline.refresh()
        yield hotline
    finally:
        for watcher in (tickets.follow, answered):
            hooks.watchers.remove(watcher)
            hooks.together.pop(watcher)
        store.casework.ratings.watchers.remove(tickets.rated)
        store.people.holders.remove(held)
        for part in encrypted:
            store.renewal.parts.remove(part)


def _telling(store: Store) -> Watcher:
    """Tells who left an e-mail address of the answer, in the transaction of the answer."""

    async def tell(transaction: Transaction, change: CaseChange) -> None:
        if change.after.type not in TYPES or change.event.move not in tickets.ANSWERING:
            return
        caller = await tickets.caller_of(transaction, store.keys, change.after.id)
        if caller.email:
            facts = {"number": change.after.number, "answer": change.said}
            told = Tell(
                topic="hotline.answered",
                facts=facts,
                channel=Channel.EMAIL,
                address=caller.email,
                case_id=change.after.id,
                key=f"hotline.answered:{change.after.id}:{change.event.version}",
            )
            await store.casework.notices.queue(transaction, told, now=change.event.at)

    return tell


async def _nothing_answered(_transaction: Transaction, _changes: Sequence[CaseChange]) -> None:
    """Who is opened is not answered."""


async def seed(store: Store, now: datetime) -> None:
    """Put types, categories and rules in force that the city does not have; what was edited is left alone.

    A city without any department gets those that the categories name, so that a ticket can be handed on at once.
    """
    if not store.access.policy.snapshot.departments:
        tree = msgspec.json.decode((SEED / "departments.json").read_bytes(), type=list[Department])
        await store.access.departments.plant(PLANTER, tree, now=now)
    for name in TYPES:
        if not await store.cases.types.versions(name):
            definition = msgspec.json.decode((SEED / f"{name}.json").read_bytes(), type=CaseType)
            await store.cases.types.put(definition, by="hotline", now=now)
    for kind in ("categories", "rules"):
        if await kept.newest(store.db, kind) is None:
            body = msgspec.json.decode((SEED / f"{kind}.json").read_bytes())
            await kept.put_version(store.db, kind, 1, body, by="hotline", now=now)


async def _in_force(store: Store) -> tuple[Tree, tuple[Rule, ...], int]:
    categories, rules = await kept.newest(store.db, "categories"), await kept.newest(store.db, "rules")
    if categories is None or rules is None:
        raise NotSeeded("hotline.not_seeded", {})
    tree = Tree(msgspec.convert(categories.body, list[Category]), categories.version)
    return tree, tuple(msgspec.convert(rules.body, list[Rule])), rules.version


class NotSeeded(Invalid):
    """There are neither categories nor rules."""


NAMES = ("name", "title", "address", "stopName", "streetName")


async def places_of(documents: Documents) -> list[Place]:
    """Everything in the pool that has a name and a position."""
    found: list[Place] = []
    for number, document in enumerate(documents.scan("")):
        if number % TURN == 0:
            await asyncio.sleep(0)
        at = _position(document)
        for name in _names(document) if at else ():
            longitude, latitude = at or (0.0, 0.0)
            found.append(
                Place(
                    id=document.id, name=name, longitude=longitude, latitude=latitude, type=next(iter(document.types))
                )
            )
        if len(found) >= PLACES_AT_MOST:
            break
    return found


def _names(document: Document) -> list[str]:
    found: dict[str, None] = {}
    for attribute in NAMES:
        for instance in document.attributes.get(attribute, ()):
            values = instance.value.values() if isinstance(instance.value, dict) else [instance.value]
            found.update((value, None) for value in values if isinstance(value, str))
    return list(found)


def _position(document: Document) -> tuple[float, float] | None:
    """A point of where it is: the first position of its geometry, the middle one of a line."""
    for instance in document.attributes.get("location", ()):
        if instance.type is not AttributeType.GEO_PROPERTY or not isinstance(instance.value, dict):
            continue
        inner = instance.value.get("coordinates") or []
        while inner and isinstance(inner[0], list):
            inner = inner[len(inner) // 2] if isinstance(inner[0][0], int | float) else inner[0]
        if len(inner) >= 2 and all(isinstance(each, int | float) for each in inner[:2]):
            return float(inner[0]), float(inner[1])
    return None
