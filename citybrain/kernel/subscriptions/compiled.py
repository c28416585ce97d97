# SPDX-License-Identifier: Apache-2.0
"""A subscription made ready to be asked: about whom, what triggers it, under which condition, shown how. Pure."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

import msgspec

from citybrain.kernel.entities.document import Document, Done, EntityChange
from citybrain.kernel.entities.evaluate import matches
from citybrain.kernel.entities.patterns import compiled as compiled_pattern
from citybrain.kernel.entities.query import EntityQuery, read_query, read_query_body
from citybrain.kernel.entities.shape import Shape, read_shape
from citybrain.kernel.ld.context import CORE, Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.equality import Equality, equality_of
from citybrain.kernel.subscriptions.reading import NOT_SIMPLE, SIMPLIFIED
from citybrain.kernel.subscriptions.subscription import Selector, Subscription, Trigger

LookUp = Callable[[str], Document | None]

ANY = ""
GEO_JSON = "application/geo+json"
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
        if self.pattern and not self.ids and not self.pattern.search(document.id):
            return False
        if self.selection is not None:
            return matches(document, self.selection, look_up=look_up)
        return ANY in self.types or not self.types.isdisjoint(document.types)


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription, ready to be asked. `condition` is what q, geoQ and scopeQ say, None when they say nothing;
    `equality` is a value that the condition insists on, `shape` how entities are shown."""

    subscription: Subscription
    context: Context
    query_context: Context
    wanted: tuple[Wanted, ...]
    watched: frozenset[str]
    triggers: frozenset[Trigger]
    condition: EntityQuery | None
    equality: Equality | None
    shape: Shape

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
    condition = condition_of(subscription, query_context)
    return Compiled(
        subscription=subscription,
        context=context,
        query_context=query_context,
        wanted=tuple(_wanted(each) for each in subscription.selectors),
        watched=frozenset(subscription.watched),
        triggers=frozenset(subscription.triggers),
        condition=condition,
        equality=equality_of(condition.q) if condition else None,
        shape=shape_of(subscription),
    )


def entity_query(subscription: Subscription, query_context: Context) -> EntityQuery:
    """The query that finds everything a subscription is about."""
    read = [read_query(_selector_params(each), CORE).selectors for each in subscription.selectors]
    selectors = tuple(each[0] for each in read) if all(read) else ()
    condition = condition_of(subscription, query_context) or EntityQuery()
    return msgspec.structs.replace(condition, selectors=selectors, attributes=subscription.watched)


def _selector_params(selector: Selector) -> dict[str, str]:
    params = {"id": ",".join(selector.ids), "idPattern": selector.id_pattern, "type": selector.type}
    return {name: value for name, value in params.items() if value and value != "*"}


def shape_of(subscription: Subscription) -> Shape:
    """How entities are shown to a subscriber. Refuses (`BadRequestData`) what cannot be read."""
    params = subscription.params
    options = ["keyValues"] if params.format in SIMPLIFIED else [params.format] if params.format else []
    asked = {
        "options": ",".join([*options, *(["sysAttrs"] if params.sys_attrs else [])]),
        "attrs": ",".join(params.attributes),
        "pick": ",".join(params.pick),
        "omit": ",".join(params.omit),
        "lang": subscription.lang,
        "datasetId": ",".join(subscription.dataset_ids),
    }
    # The names of a subscription are internal ones, which the core context leaves as they are.
    shape = read_shape({name: value for name, value in asked.items() if value}, CORE)
    return msgspec.structs.replace(shape, geojson=params.endpoint.accept == GEO_JSON)


ANYTHING = Wanted(ids=frozenset(), pattern=None, types=frozenset({ANY}), selection=None)


def _wanted(selector: Selector) -> Wanted:
    names = [piece for piece in NOT_SIMPLE.split(selector.type)[::2] if piece]
    is_any = "*" in names
    is_simple = all(sign in ("|", ",") for sign in NOT_SIMPLE.split(selector.type)[1::2])
    # Names in a selection are internal ones, which the core context leaves as they are.
    selection = None if is_any or is_simple else read_query({"type": selector.type}, CORE)
    return Wanted(
        ids=frozenset(selector.ids),
        pattern=compiled_pattern(selector.id_pattern, "idPattern") if selector.id_pattern else None,
        types=frozenset({ANY} if is_any else names),
        selection=selection,
    )


def condition_of(subscription: Subscription, context: Context) -> EntityQuery | None:
    asked = _asked_of(subscription)
    return read_query_body(asked, context) if asked else None


def _asked_of(subscription: Subscription) -> dict[str, Json]:
    """q, geoQ and scopeQ as in the body of a Query. Clause 4.9 has q in the form of a URI, so signs may be encoded."""
    asked: dict[str, Json] = {"q": unquote(subscription.q), "scopeQ": subscription.scope_q, "geoQ": subscription.geo_q}
    if subscription.q:
        asked |= {"jsonKeys": list(subscription.json_keys), "expandValues": list(subscription.expand_values)}
    return {name: value for name, value in asked.items() if value}
