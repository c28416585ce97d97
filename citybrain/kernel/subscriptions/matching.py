# SPDX-License-Identifier: Apache-2.0
"""Which subscriptions a change of an entity concerns (CIM 009 clause 5.8.6). Pure; a look-up, not a search.

Each subscription stands under the ids or types that it names, and there under the attributes that it watches, so
that a change asks only those that may want it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from citybrain.kernel.entities.document import Document, EntityChange
from citybrain.kernel.subscriptions.compiled import ANY, ANYTHING, Compiled, LookUp
from citybrain.kernel.subscriptions.subscription import Status, Subscription


class Matcher:
    """All subscriptions to entities, by what they are about."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, str, str, str], dict[int, Compiled]] = {}
        self._all: dict[int, Compiled] = {}

    def put(self, one: Compiled) -> None:
        """Take in a subscription, or a new form of one."""
        self.drop(one.subscription.number)
        self._all[one.subscription.number] = one
        for key in _keys(one):
            self._by_key.setdefault(key, {})[one.subscription.number] = one

    def drop(self, number: int) -> None:
        """Forget a subscription."""
        old = self._all.pop(number, None)
        if old is None:
            return
        for key in _keys(old):
            there = self._by_key[key]
            del there[number]
            if not there:
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
        found: dict[int, Compiled] = {}
        for key in _asked(change, document):
            there = self._by_key.get(key)
            if there:
                found.update(there)
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
