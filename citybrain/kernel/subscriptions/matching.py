# SPDX-License-Identifier: Apache-2.0
"""Which subscriptions a change of an entity concerns (CIM 009 clause 5.8.6). Pure; a look-up, not a search.

Each subscription stands under the ids or types that it names, and there under the attributes that it watches, so
that a change asks only those that may want it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from citybrain.kernel.entities.document import Document, Done, EntityChange
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.query import EntityQuery, read_query
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.reading import NOT_SIMPLE
from citybrain.kernel.subscriptions.subscription import Selector, Status, Subscription, Trigger

LookUp = Callable[[str], Document | None]

ANY = ""
_ATTRIBUTE_TRIGGER: Mapping[Done, Trigger] = {
    Done.CREATED: Trigger.ATTRIBUTE_CREATED,
    Done.UPDATED: Trigger.ATTRIBUTE_UPDATED,
    Done.DELETED: Trigger.ATTRIBUTE_DELETED,
}
_ENTITY_TRIGGER: Mapping[Done, Trigger] = {
    Done.CREATED: Trigger.ENTITY_CREATED,
    Done.UPDATED: Trigger.ENTITY_UPDATED,
    Done.DELETED: Trigger.ENTITY_DELETED,
}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A selector, ready to be asked. `types` are those it names; `selection` is there when they are combined."""

    ids: frozenset[str]
    pattern: re.Pattern[str] | None
    types: frozenset[str]
    selection: EntityQuery | None

    def holds(self, document: Document, look_up: LookUp) -> bool:
        """Whether the entity is one of those selected."""
        if self.ids and document.id not in self.ids:
            return False
        if self.pattern and not self.pattern.match(document.id):
            return False
        if self.selection is not None:
            return matches(document, self.selection, look_up=look_up)
        return ANY in self.types or not self.types.isdisjoint(document.types)


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription, ready to be asked. `condition` is what q, geoQ and scopeQ say, None when they say nothing."""

    subscription: Subscription
    context: Context
    wanted: tuple[Wanted, ...]
    watched: frozenset[str]
    triggers: frozenset[Trigger]
    condition: EntityQuery | None

    def holds(self, document: Document, look_up: LookUp) -> bool:
        """Whether the entity is one that the subscription is about, whatever happened to it."""
        if self.wanted and not any(each.holds(document, look_up) for each in self.wanted):
            return False
        return self.condition is None or matches(document, self.condition, look_up=look_up)

    def triggered(self, change: EntityChange) -> bool:
        """Whether what happened is what the subscription wants to hear of (table 5.2.12-1)."""
        watched = [each for each in change.attributes if not self.watched or each.name in self.watched]
        if self.watched and not watched:
            return False
        if _ENTITY_TRIGGER[change.done] in self.triggers:
            return True
        return any(_ATTRIBUTE_TRIGGER[each.done] in self.triggers for each in watched)


def compiled(subscription: Subscription, context: Context, query_context: Context) -> Compiled:
    """Make a subscription ready. Refuses (`BadRequestData`) selections and queries that cannot be read."""
    return Compiled(
        subscription=subscription,
        context=context,
        wanted=tuple(_wanted(each) for each in subscription.selectors),
        watched=frozenset(subscription.watched),
        triggers=frozenset(subscription.triggers),
        condition=_condition(subscription, query_context),
    )


def entity_queries(subscription: Subscription, query_context: Context) -> list[EntityQuery]:
    """The queries that find everything a subscription is about, one for each selector."""
    condition = _condition_params(subscription)
    queries = []
    for selector in subscription.selectors:
        params = dict(condition)
        if selector.ids:
            params["id"] = ",".join(selector.ids)
        if selector.id_pattern:
            params["idPattern"] = selector.id_pattern
        if selector.type != "*":
            params["type"] = selector.type
        queries.append(read_query(params, query_context))
    return queries


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
    for wanted in one.wanted or (_ANYTHING,):
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


_ANYTHING = Wanted(ids=frozenset(), pattern=None, types=frozenset({ANY}), selection=None)


def _wanted(selector: Selector) -> Wanted:
    names = [piece for piece in NOT_SIMPLE.split(selector.type)[::2] if piece]
    is_any = "*" in names
    is_simple = all(sign in ("|", ",") for sign in NOT_SIMPLE.split(selector.type)[1::2])
    # Names in a selection are internal ones, which the core context leaves as they are.
    selection = None if is_any or is_simple else read_query({"type": selector.type}, CORE)
    return Wanted(
        ids=frozenset(selector.ids),
        pattern=re.compile(selector.id_pattern) if selector.id_pattern else None,
        types=frozenset({ANY} if is_any else names),
        selection=selection,
    )


def _condition(subscription: Subscription, context: Context) -> EntityQuery | None:
    params = _condition_params(subscription)
    return read_query(params, context) if params else None


def _condition_params(subscription: Subscription) -> dict[str, str]:
    """q, geoQ and scopeQ as parameters of a query."""
    params: dict[str, Json] = {"q": subscription.q, "scopeQ": subscription.scope_q, **subscription.geo_q}
    if subscription.q:
        params["jsonKeys"] = ",".join(subscription.json_keys)
        params["expandValues"] = ",".join(subscription.expand_values)
    return {name: _param(value) for name, value in params.items() if value}


def _param(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
