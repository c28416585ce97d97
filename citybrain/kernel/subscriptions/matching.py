# SPDX-License-Identifier: Apache-2.0
"""Which subscriptions a change of an entity concerns (CIM 009 clause 5.8.6). Pure; a look-up, not a search.

Each subscription stands under the ids or types that it names, and there under the attributes that it watches, so
that a change asks only those that may want it; where many insist on a value of an attribute, only those whose value
it is.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from citybrain.kernel.entities.document import Document, EntityChange
from citybrain.kernel.subscriptions.compiled import ANY, ANYTHING, Compiled, LookUp
from citybrain.kernel.subscriptions.equality import Key, keys_of
from citybrain.kernel.subscriptions.subscription import Status, Subscription

Several = dict[int, Compiled]


class _Shelf:
    """The subscriptions under one key: those that insist on a value by that value, the others together."""

    def __init__(self) -> None:
        self._plain: Several = {}
        self._by_value: dict[str, dict[Key, Several]] = {}

    def put(self, one: Compiled) -> None:
        for there in self._places(one):
            there[one.subscription.number] = one

    def drop(self, one: Compiled) -> None:
        for there in self._places(one):
            there.pop(one.subscription.number, None)
        if one.equality is not None:
            by_value = self._by_value[one.equality.name]
            for key in one.equality.keys:
                if not by_value[key]:
                    del by_value[key]
            if not by_value:
                del self._by_value[one.equality.name]

    @property
    def is_empty(self) -> bool:
        return not self._plain and not self._by_value

    def asked(self, document: Document) -> Iterator[Several]:
        """Those that may want to hear of an entity."""
        if self._plain:
            yield self._plain
        for name, by_value in self._by_value.items():
            keys = keys_of(document, name)
            yield from by_value.values() if keys is None else (by_value[key] for key in keys if key in by_value)

    def _places(self, one: Compiled) -> Iterator[Several]:
        if one.equality is None:
            yield self._plain
            return
        by_value = self._by_value.setdefault(one.equality.name, {})
        yield from (by_value.setdefault(key, {}) for key in one.equality.keys)


class Matcher:
    """All subscriptions to entities, by what they are about."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str, str, str], _Shelf] = {}
        self._all: Several = {}

    def put(self, one: Compiled) -> None:
        """Take in a subscription, or a new form of one."""
        self.drop(one.subscription.number)
        self._all[one.subscription.number] = one
        for key in _keys(one):
            self._by_key.setdefault(key, _Shelf()).put(one)

    def drop(self, number: int) -> None:
        """Forget a subscription."""
        old = self._all.pop(number, None)
        if old is None:
            return
        for key in set(_keys(old)):
            shelf = self._by_key[key]
            shelf.drop(old)
            if shelf.is_empty:
                del self._by_key[key]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def match(self, change: EntityChange, look_up: LookUp) -> list[Compiled]:
        """The subscriptions to be told of a change, in the order they were made.

        A deleted entity is judged as it was before. Paused and expired ones, and those that ask by interval, are told
        of nothing.
        """
        document = change.after or change.before
        if document is None or not self._all:
            return []
        found: Several = {}
        for key in _asked(change, document):
            shelf = self._by_key.get(key)
            if shelf is not None:
                for several in shelf.asked(document):
                    found.update(several)
        return [
            found[number]
            for number in sorted(found)
            if _is_awake(found[number].subscription, change.at)
            and found[number].triggered(change)
            and found[number].holds(document, look_up)
        ]


def _is_awake(subscription: Subscription, now: datetime) -> bool:
    return not subscription.time_interval_s and subscription.status(now) is Status.ACTIVE


def _keys(one: Compiled) -> Iterator[tuple[str, str, str, str]]:
    """Where a subscription stands: tenant, id or ANY, type or ANY, attribute or ANY."""
    tenant = one.subscription.tenant
    attributes: Iterable[str] = one.watched or (ANY,)
    for wanted in one.wanted or (ANYTHING,):
        for attribute in attributes:
            if wanted.ids:
                yield from ((tenant, id, ANY, attribute) for id in wanted.ids)
            else:
                yield from ((tenant, ANY, type, attribute) for type in wanted.types)


def _asked(change: EntityChange, document: Document) -> Iterator[tuple[str, str, str, str]]:
    """Under which keys those stand that a change may concern."""
    names = {ANY, *(each.name for each in change.attributes)}
    types = (ANY, *document.types)
    for name in names:
        yield (change.tenant, change.id, ANY, name)
        for type in types:
            yield (change.tenant, ANY, type, name)
