# SPDX-License-Identifier: Apache-2.0
"""Reads a subscription, or a change of one, from the wire (CIM 009 clauses 5.2.12 to 5.2.15, 5.2.22, 5.2.33)."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NoReturn
from urllib.parse import urlsplit

import msgspec

from citybrain.kernel.entities.document import NULL
from citybrain.kernel.entities.moments import date_time_key, moment
from citybrain.kernel.errors import Invalid
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.subscription import (
    Endpoint,
    Kind,
    Params,
    Selector,
    Subscription,
    Trigger,
)

TYPE = "Subscription"
FORMATS = frozenset({"normalized", "concise", "keyValues", "simplified"})
SIMPLIFIED = frozenset({"keyValues", "simplified"})
MEDIA = frozenset({"application/json", "application/ld+json", "application/geo+json"})
JOINS = frozenset({"flat", "inline", "@none"})
SCHEMES = frozenset({"http", "https", "mqtt", "mqtts"})
NOT_SIMPLE = re.compile(r"([|,;()]+)")  # what a type selection is put together with (clause 4.17)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_KEYWORDS = frozenset({"id", "type", "scope", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})
# What a PATCH may not take away (clause 5.8.2.4).
_MANDATORY = frozenset({"id", "type", "notification"})


class InvalidSubscription(Invalid):
    """A subscription that the standard does not allow: `member` is where, `rule` what is asked for there."""


def refuse(member: str, rule: str) -> NoReturn:
    """Refuse a member."""
    raise InvalidSubscription("kernel.subscription_invalid", {"member": member, "rule": rule})


def is_uri(text: Json) -> bool:
    """Whether it is a URI with a scheme (clause 4.6.2)."""
    return isinstance(text, str) and _URI.fullmatch(text) is not None


def read_subscription(payload: Json, context: Context, *, tenant: str, kind: Kind, id: str) -> Subscription:
    """A new subscription; `id` counts, whatever the payload says.

    Refuses what clause 5.2.12 forbids. Members that the standard does not name, and those that only the city
    writes, are not looked at.
    """
    if not isinstance(payload, Mapping):
        refuse("", "object")
    if payload.get("type") != TYPE:
        refuse("type", TYPE)
    if not isinstance(payload.get("notification"), Mapping):
        refuse("notification", "object")
    for name, value in payload.items():
        if value is None and name in _READERS:
            refuse(name, "not null")
    fields = _fields(payload, context)
    read = Subscription(id=id, tenant=tenant, kind=kind, query_context=context.json, **fields)
    _check(read)
    return read


def patched(subscription: Subscription, fragment: Json, context: Context) -> Subscription:
    """The subscription with the members of a fragment in place of its own; null takes one away (clause 5.8.2)."""
    if not isinstance(fragment, Mapping):
        refuse("", "object")
    if fragment.get("type", TYPE) != TYPE:
        refuse("type", TYPE)
    if fragment.get("id", subscription.id) != subscription.id:
        refuse("id", subscription.id)
    gone = {name for name, value in fragment.items() if value is None or value == NULL}
    for name in gone & _MANDATORY:
        refuse(name, "not null")
    fields = _fields({name: value for name, value in fragment.items() if name not in gone}, context)
    usual = {field.name: field for field in msgspec.structs.fields(Subscription)}
    for name in gone & set(_FIELD_OF):
        field = usual[_FIELD_OF[name]]
        fields[field.name] = {} if field.default is msgspec.NODEFAULT else field.default
    if {"q", "csf", "geoQ"} & fragment.keys():
        fields["query_context"] = context.json
    changed: Subscription = msgspec.structs.replace(subscription, **fields)
    _check(changed)
    return changed


def refuse_past(subscription: Subscription, now: datetime) -> None:
    """Refuse one that has expired before it begins (clause 5.8.1.4)."""
    if subscription.expires_at and datetime.fromisoformat(subscription.expires_at) <= now:
        refuse("expiresAt", "a time to come")


def _fields(payload: Mapping[str, Json], context: Context) -> dict[str, Json]:
    """The fields of a subscription that a payload speaks of."""
    return {
        _FIELD_OF[name]: reader(name, payload[name], context) for name, reader in _READERS.items() if name in payload
    }


def _check(read: Subscription) -> None:
    """What holds between members (table 5.2.12-1)."""
    if not read.selectors and not read.watched:
        refuse("entities", "entities or watchedAttributes")
    if read.time_interval_s and read.throttling_s:
        refuse("throttling", "no timeInterval beside it")
    if read.time_interval_s and read.watched:
        refuse("watchedAttributes", "no timeInterval beside it")


# -- single values


def _text(name: str, value: Json, _context: Context | None = None) -> str:
    if not isinstance(value, str) or not value:
        refuse(name, "text")
    return value


def _flag(name: str, value: Json, _context: Context | None = None) -> bool:
    if not isinstance(value, bool):
        refuse(name, "true or false")
    return value


def _positive(name: str, value: Json, _context: Context | None = None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        refuse(name, "a number above 0")
    return value


def _texts(name: str, value: Json, _context: Context | None = None) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
        refuse(name, "a list of texts with at least one")
    return tuple(value)


def _names(name: str, value: Json, context: Context) -> tuple[str, ...]:
    if not isinstance(value, list):
        refuse(name, "a list of names with at least one")
    return tuple(expand_path(each, context) for each in _texts(name, value))


def expand_path(path: str, context: Context) -> str:
    """A member of an entity, or a path to one in a linked entity (`a{b}`), with internal names (clause 4.21)."""
    pieces = re.split(r"([{},|])", path)
    return "".join(
        piece if i % 2 or not piece or piece in _KEYWORDS else context.expand(piece.strip())
        for i, piece in enumerate(pieces)
    )


def _time(name: str, value: Json, _context: Context | None = None) -> str:
    text = _text(name, value)
    at = moment(text) if date_time_key(text) is not None else None
    if at is None:
        refuse(name, "a date-time of ISO 8601")
    return at.isoformat().replace("+00:00", "Z")


def _dataset_ids(name: str, value: Json, _context: Context) -> tuple[str, ...]:
    ids = _texts(name, value)
    for each in ids:
        if each != "@none" and not is_uri(each):
            refuse(name, "URI")
    return ids


def _triggers(name: str, value: Json, _context: Context) -> tuple[Trigger, ...]:
    words = _texts(name, value)
    if any(word not in set(Trigger) for word in words):
        refuse(name, ", ".join(Trigger))
    return tuple(Trigger(word) for word in words)


def _object(name: str, value: Json, _context: Context | None = None) -> dict[str, Json]:
    if not isinstance(value, Mapping):
        refuse(name, "object")
    return dict(value)


def _geo_q(name: str, value: Json, _context: Context) -> dict[str, Json]:
    query = _object(name, value)
    for member in ("georel", "geometry", "coordinates"):
        if member not in query:
            refuse(f"{name}.{member}", "member")
    return query


def _temporal_q(name: str, value: Json, _context: Context) -> dict[str, Json]:
    query = _object(name, value)
    if query.get("timerel") not in ("before", "after", "between"):
        refuse(f"{name}.timerel", "before, after or between")
    ends = ("timeAt", "endTimeAt") if query["timerel"] == "between" else ("timeAt",)
    for end in ends:
        _time(f"{name}.{end}", query.get(end))
    return query


def _context_url(name: str, value: Json, _context: Context) -> str:
    if not is_uri(value):
        refuse(name, "URI")
    return str(value)


# -- structures


def _selectors(name: str, value: Json, context: Context) -> tuple[Selector, ...]:
    if not isinstance(value, list) or not value:
        refuse(name, "a list with at least one")
    return tuple(_selector(each, context) for each in value)


def _selector(value: Json, context: Context) -> Selector:
    if not isinstance(value, Mapping):
        refuse("entities", "a list of objects")
    ids = _texts("entities.id", value["id"]) if "id" in value else ()
    for id in ids:
        if not is_uri(id):
            refuse("entities.id", "URI")
    pattern = _text("entities.idPattern", value["idPattern"]) if "idPattern" in value else ""
    try:
        re.compile(pattern)
    except re.error:
        refuse("entities.idPattern", "regular expression")
    selection = _text("entities.type", value.get("type"))
    return Selector(type=expand_selection(selection, context), ids=ids, id_pattern=pattern)


def expand_selection(selection: str, context: Context) -> str:
    """A type selection with internal names in place of terms (clause 4.17)."""
    pieces = NOT_SIMPLE.split(selection)
    return "".join(
        piece if i % 2 or not piece.strip() or piece == "*" else context.expand_type(piece.strip())
        for i, piece in enumerate(pieces)
    )


def _params(name: str, value: Json, context: Context) -> Params:
    given = _object(name, value)
    format = _word(given, "format", FORMATS)
    chosen = {
        member: _names(f"{name}.{member}", given[member], context)
        for member in ("attributes", "pick", "omit")
        if member in given
    }
    params = Params(
        endpoint=_endpoint(given.get("endpoint")),
        format=format,
        sys_attrs=_flag("notification.sysAttrs", given.get("sysAttrs", False)),
        show_changes=_flag("notification.showChanges", given.get("showChanges", False)),
        join=_word(given, "join", JOINS),
        join_level=_level(given.get("joinLevel")),
        **chosen,
    )
    if params.show_changes and format in SIMPLIFIED:
        refuse("notification.showChanges", "no simplified format beside it")
    if params.attributes and (params.pick or params.omit):
        refuse("notification.attributes", "no pick or omit beside it")
    if set(params.pick) & set(params.omit):
        refuse("notification.omit", "no member that pick has too")
    return params


def _word(given: Mapping[str, Json], member: str, words: frozenset[str]) -> str:
    if member not in given:
        return ""
    if given[member] not in words:
        refuse(f"notification.{member}", ", ".join(sorted(words)))
    return str(given[member])


def _level(value: Json) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        refuse("notification.joinLevel", "a whole number above 0")
    return value


def _endpoint(value: Json) -> Endpoint:
    member = "notification.endpoint"
    given = _object(member, value)
    uri = given.get("uri")
    if not is_uri(uri) or not _is_endpoint(str(uri)):
        refuse(f"{member}.uri", "URI of http, https, mqtt or mqtts")
    accept = given.get("accept", "")
    if accept and accept not in MEDIA:
        refuse(f"{member}.accept", ", ".join(sorted(MEDIA)))
    return Endpoint(
        uri=str(uri),
        accept=accept,
        receiver_info=_pairs(f"{member}.receiverInfo", given.get("receiverInfo", [])),
        notifier_info=_pairs(f"{member}.notifierInfo", given.get("notifierInfo", [])),
        cooldown_ms=_positive(f"{member}.cooldown", given["cooldown"]) if "cooldown" in given else 0,
        timeout_ms=_positive(f"{member}.timeout", given["timeout"]) if "timeout" in given else 0,
    )


def _is_endpoint(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    has_topic = bool(parts.path.strip("/")) or not parts.scheme.startswith("mqtt")
    return parts.scheme in SCHEMES and bool(parts.hostname) and port != 0 and has_topic


def _pairs(member: str, value: Json) -> tuple[tuple[str, str], ...]:
    """Key-value pairs, both texts (clause 5.2.22)."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        refuse(member, "a list of key and value")
    for each in value:
        if not isinstance(each, Mapping) or not all(isinstance(each.get(part), str) for part in ("key", "value")):
            refuse(member, "a list of key and value, both texts")
        # They become headers, where nothing may end the line (RFC 9110 section 5).
        if not _HEADER_NAME.fullmatch(each["key"]) or not _HEADER_VALUE.fullmatch(each["value"]):
            refuse(member, "what a header can hold")
    return tuple((each["key"], each["value"]) for each in value)


# Each member that a subscriber may write: how it is read, and into which field.
_READERS: Mapping[str, Callable[[str, Json, Context], Json]] = {
    "subscriptionName": _text,
    "description": _text,
    "entities": _selectors,
    "watchedAttributes": _names,
    "timeInterval": _positive,
    "throttling": _positive,
    "q": _text,
    "csf": _text,
    "scopeQ": _text,
    "geoQ": _geo_q,
    "temporalQ": _temporal_q,
    "lang": _text,
    "datasetId": _dataset_ids,
    "notificationTrigger": _triggers,
    "isActive": _flag,
    "expiresAt": _time,
    "localOnly": _flag,
    "splitEntities": _flag,
    "jsonKeys": _texts,
    "expandValues": _texts,
    "jsonldContext": _context_url,
    "notification": _params,
}
_FIELD_OF: Mapping[str, str] = {
    "subscriptionName": "name",
    "description": "description",
    "entities": "selectors",
    "watchedAttributes": "watched",
    "timeInterval": "time_interval_s",
    "throttling": "throttling_s",
    "q": "q",
    "csf": "csf",
    "scopeQ": "scope_q",
    "geoQ": "geo_q",
    "temporalQ": "temporal_q",
    "lang": "lang",
    "datasetId": "dataset_ids",
    "notificationTrigger": "triggers",
    "isActive": "is_active",
    "expiresAt": "expires_at",
    "localOnly": "local_only",
    "splitEntities": "split_entities",
    "jsonKeys": "json_keys",
    "expandValues": "expand_values",
    "jsonldContext": "context",
    "notification": "params",
}
