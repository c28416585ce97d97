# SPDX-License-Identifier: Apache-2.0
"""Makes a notification of changes: what a subscriber is sent (CIM 009 clauses 5.3.1, 5.8.6). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.entities.document import (
    NULL,
    VALUE_KEY,
    AttributeType,
    Document,
    Done,
    Instance,
)
from citybrain.kernel.entities.represent import Link, represent
from citybrain.kernel.entities.shape import Shape
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.compiled import GEO_JSON, Compiled
from citybrain.kernel.subscriptions.notice import Told, Touched
from citybrain.kernel.subscriptions.reading import SIMPLIFIED
from citybrain.kernel.subscriptions.showing import text_of
from citybrain.kernel.subscriptions.subscription import Params, Subscription, Trigger

LD_JSON = "application/ld+json"
LINK = '<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
TENANT_HEADER = "NGSILD-Tenant"

_PREVIOUS: Mapping[str, str] = {key: f"previous{key[0].upper()}{key[1:]}" for key in VALUE_KEY.values()}
"""Under which key the wire holds the value before (clause 4.5.2 and following)."""


def envelope(subscription: Subscription, data: Sequence[Json], *, id: str, now: datetime) -> dict[str, Json]:
    """A notification with its data (clause 5.3.1)."""
    shown: Json = list(data)
    if subscription.params.endpoint.accept == GEO_JSON:
        shown = {"type": "FeatureCollection", "features": list(data)}
    return {
        "id": f"urn:ngsi-ld:Notification:{id}",
        "type": "Notification",
        "subscriptionId": subscription.id,
        "notifiedAt": text_of(now),
        "data": shown,
    }


def headers(subscription: Subscription) -> dict[str, str]:
    """What stands beside a notification: its media type, its context, the tenant, what the subscriber asked for."""
    accept = subscription.params.endpoint.accept or "application/json"
    said = {"Content-Type": accept}
    if accept != LD_JSON:
        said["Link"] = LINK.format(url=subscription.context_url)
    if subscription.tenant:
        said[TENANT_HEADER] = subscription.tenant
    return said | dict(subscription.params.endpoint.receiver_info)


def entity_data(told: Told, one: Compiled, link: Link | None = None) -> dict[str, Json]:
    """The entity of a change as the subscriber sees it: with what was deleted, and with what was before if asked."""
    if told.done is Done.DELETED:
        return _gone(told, one)
    deleted = [each for each in _watched(told, one) if each.done is Done.DELETED and each.before]
    document = told.document
    if deleted and not one.triggers.isdisjoint((Trigger.ATTRIBUTE_DELETED, Trigger.ENTITY_UPDATED)):
        document = _with_nulls(document, deleted)
    else:
        deleted = []
    seen = represent(document, one.context, one.shape, link)
    _dress(seen, told, one, deleted)
    return _in_context(seen, one)


def current_data(document: Document, one: Compiled, link: Link | None = None) -> dict[str, Json]:
    """An entity as it is now, as the subscriber sees it."""
    return _in_context(represent(document, one.context, one.shape, link), one)


def shown(document: Document, one: Compiled, shape: Shape) -> dict[str, Json]:
    """An entity in another shape than the subscriber's own: one that is linked to."""
    return _in_context(represent(document, one.context, shape), one)


def _in_context(seen: dict[str, Json], one: Compiled) -> dict[str, Json]:
    if one.subscription.params.endpoint.accept == LD_JSON:
        seen["@context"] = one.subscription.context_url
    return seen


def _watched(told: Told, one: Compiled) -> list[Touched]:
    return [each for each in told.touched if not one.watched or each.name in one.watched]


def _gone(told: Told, one: Compiled) -> dict[str, Json]:
    """A deleted entity: what it was, when it ended, and of its attributes those whose end was asked for."""
    wants_attributes = Trigger.ATTRIBUTE_DELETED in one.triggers or one.subscription.params.show_changes
    deleted = [each for each in _watched(told, one) if each.before] if wants_attributes else []
    bare = msgspec.structs.replace(told.document, attributes={})
    seen = represent(_with_nulls(bare, deleted), one.context, one.shape)
    _dress(seen, told, one, deleted)
    properties = seen["properties"] if seen.get("type") == "Feature" else seen
    properties["deletedAt"] = text_of(told.at)
    return _in_context(seen, one)


def _with_nulls(document: Document, deleted: Iterable[Touched]) -> Document:
    """The document with each deleted instance in its place, its value being the standard's word for nothing."""
    attributes = dict(document.attributes)
    gone: dict[str, list[Instance]] = {}
    for each in deleted:
        if each.before is not None:
            gone.setdefault(each.name, []).append(_null(each.before))
    for name, nulls in gone.items():
        left = attributes.get(name, ())
        # An attribute that is gone as a whole is told as one, whichever instances it had (clause 5.8.6).
        attributes[name] = (*left, *nulls) if left else (_whole(nulls),)
    return msgspec.structs.replace(document, attributes=attributes)


def _whole(nulls: Sequence[Instance]) -> Instance:
    if len(nulls) == 1:
        return nulls[0]
    default = next((each for each in nulls if not each.dataset_id), nulls[0])
    return msgspec.structs.replace(default, dataset_id="")


def _null(before: Instance) -> Instance:
    return Instance(
        type=before.type,
        value={"@none": NULL} if before.type is AttributeType.LANGUAGE_PROPERTY else NULL,
        dataset_id=before.dataset_id,
        created_at=before.created_at,
        modified_at=before.modified_at,
    )


def _dress(seen: dict[str, Json], told: Told, one: Compiled, deleted: Sequence[Touched]) -> None:
    """Add to instances when they were deleted (with sysAttrs) and what was before (with showChanges)."""
    params = one.subscription.params
    if params.format in SIMPLIFIED:
        return
    properties = seen["properties"] if seen.get("type") == "Feature" else seen
    if params.sys_attrs:
        for each in deleted:
            _add(properties, one.context, each, {"deletedAt": text_of(told.at)})
    if params.show_changes:
        for each in told.touched:
            if each.before is not None:
                _add(properties, one.context, each, _previous(each.before, one.context, params))


def _previous(before: Instance, context: Context, params: Params) -> dict[str, Json]:
    key = VALUE_KEY[before.type]
    value = before.value
    if before.type is AttributeType.VOCAB_PROPERTY:
        words = [context.compact_type(word) for word in (value if isinstance(value, list) else [value])]
        value = words if isinstance(value, list) else words[0]
    return {_PREVIOUS[key]: value}


def _add(properties: dict[str, Json], context: Context, touched: Touched, members: Mapping[str, Json]) -> None:
    """Add members to one instance of an attribute, if it is shown."""
    name = context.compact(touched.name)
    seen = properties.get(name)
    if seen is None and name not in properties:
        return
    instances = seen if isinstance(seen, list) and all(isinstance(each, dict) for each in seen) else [seen]
    dressed = [
        {**_as_object(each), **members} if _dataset_of(each) == touched.dataset_id else each for each in instances
    ]
    properties[name] = dressed if isinstance(seen, list) and instances is seen else dressed[0]


def _dataset_of(seen: Json) -> str:
    return str(seen.get("datasetId", "")) if isinstance(seen, dict) else ""


def _as_object(seen: Json) -> dict[str, Json]:
    """An instance in concise form may be its bare value."""
    return seen if isinstance(seen, dict) else {"value": seen}
