# SPDX-License-Identifier: Apache-2.0
"""Shows a subscription in its wire form, names in the terms of a context (CIM 009 clauses 5.2.12 to 5.2.15)."""

import re
from collections.abc import Iterable
from datetime import datetime

from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.reading import NOT_SIMPLE, TYPE
from citybrain.kernel.subscriptions.subscription import Endpoint, Health, Kind, Params, Selector, Subscription


def show(
    subscription: Subscription, health: Health, context: Context, *, now: datetime, sys_attrs: bool = False
) -> dict[str, Json]:
    """All that the standard names and that differs from what is usual, and always the status.

    Those of entities also show their triggers and the context of their notifications.
    """
    shown: dict[str, Json] = {"id": subscription.id, "type": TYPE}
    optional: dict[str, Json] = {
        "subscriptionName": subscription.name,
        "description": subscription.description,
        "entities": [_selector(each, context) for each in subscription.selectors],
        "watchedAttributes": _names(subscription.watched, context),
        "timeInterval": subscription.time_interval_s,
        "throttling": subscription.throttling_s,
        "q": subscription.q,
        "csf": subscription.csf,
        "scopeQ": subscription.scope_q,
        "geoQ": subscription.geo_q,
        "temporalQ": subscription.temporal_q,
        "lang": subscription.lang,
        "datasetId": list(subscription.dataset_ids),
        "expiresAt": subscription.expires_at,
        "localOnly": subscription.local_only,
        "splitEntities": subscription.split_entities,
        "jsonKeys": list(subscription.json_keys),
        "expandValues": list(subscription.expand_values),
    }
    shown |= {name: value for name, value in optional.items() if value}
    if not subscription.is_active:
        shown["isActive"] = False
    if subscription.kind is Kind.ENTITIES:
        shown["notificationTrigger"] = list(subscription.triggers)
        shown["jsonldContext"] = subscription.context_url
    shown["notification"] = _params(subscription.params, context) | _counts(health)
    shown["status"] = subscription.status(now)
    if sys_attrs:
        shown |= {"createdAt": subscription.created_at, "modifiedAt": subscription.modified_at}
    return shown


def compact_path(path: str, context: Context) -> str:
    """A member of an entity, or a path to one in a linked entity, in the terms of a context."""
    pieces = re.split(r"([{},|])", path)
    return "".join(piece if i % 2 or not piece else context.compact(piece) for i, piece in enumerate(pieces))


def text_of(at: datetime) -> str:
    """A time as the wire has it: UTC, milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _names(names: Iterable[str], context: Context) -> list[str]:
    return [compact_path(name, context) for name in names]


def _selector(selector: Selector, context: Context) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    if selector.ids:
        shown["id"] = selector.ids[0] if len(selector.ids) == 1 else list(selector.ids)
    if selector.id_pattern:
        shown["idPattern"] = selector.id_pattern
    pieces = NOT_SIMPLE.split(selector.type)
    shown["type"] = "".join(
        piece if i % 2 or not piece or piece == "*" else context.compact_type(piece) for i, piece in enumerate(pieces)
    )
    return shown


def _params(params: Params, context: Context) -> dict[str, Json]:
    optional: dict[str, Json] = {
        "attributes": _names(params.attributes, context),
        "pick": _names(params.pick, context),
        "omit": _names(params.omit, context),
        "format": params.format,
        "sysAttrs": params.sys_attrs,
        "showChanges": params.show_changes,
        "join": params.join,
        "joinLevel": params.join_level,
    }
    return {**{name: value for name, value in optional.items() if value}, "endpoint": _endpoint(params.endpoint)}


def _endpoint(endpoint: Endpoint) -> dict[str, Json]:
    optional: dict[str, Json] = {
        "accept": endpoint.accept,
        "receiverInfo": [{"key": key, "value": value} for key, value in endpoint.receiver_info],
        "notifierInfo": [{"key": key, "value": value} for key, value in endpoint.notifier_info],
        "cooldown": endpoint.cooldown_ms,
        "timeout": endpoint.timeout_ms,
    }
    return {"uri": endpoint.uri, **{name: value for name, value in optional.items() if value}}


def _counts(health: Health) -> dict[str, Json]:
    """The members that only the city writes (table 5.2.14.2-1); nothing before anything was sent."""
    if not health.times_sent:
        return {}
    times = {
        "lastNotification": health.last_notification,
        "lastSuccess": health.last_success,
        "lastFailure": health.last_failure,
    }
    shown: dict[str, Json] = {"status": "failed" if health.is_failing else "ok", "timesSent": health.times_sent}
    if health.times_failed:
        shown["timesFailed"] = health.times_failed
    return shown | {name: text_of(at) for name, at in times.items() if at}
