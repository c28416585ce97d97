# SPDX-License-Identifier: Apache-2.0
"""Reads a registration from the wire and shows it again (CIM 009 clauses 5.2.8 to 5.2.10, 5.2.22, 5.2.34)."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from citybrain.kernel.errors import Invalid
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.model import (
    OPERATIONS,
    EntityInfo,
    Information,
    Management,
    Mode,
    Registration,
)

TYPE = "ContextSourceRegistration"

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d{1,6})?Z")
DURATION = re.compile(r"P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?")
GEOMETRIES = frozenset({"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})

TEXTS = ("registrationName", "description")
INTERVALS = ("observationInterval", "managementInterval")
SPACES = ("location", "observationSpace", "operationSpace")
OUTPUT_ONLY = frozenset({"createdAt", "modifiedAt", "status", "timesSent", "timesFailed", "lastSuccess", "lastFailure"})
OWN = frozenset(
    {
        "id",
        "type",
        "@context",
        "information",
        "endpoint",
        "mode",
        "operations",
        "tenant",
        "scope",
        "contextSourceInfo",
        "management",
        "localOnly",
        "contextSourceAlias",
        "hostAlias",
        "expiresAt",
        "refreshRate",
        "datasetId",
        *TEXTS,
        *INTERVALS,
        *SPACES,
        *OUTPUT_ONLY,
    }
)
AUXILIARY_MAY = frozenset({"retrieveOps", "retrieveEntity", "queryEntity"})


class InvalidRegistration(Invalid):
    """A registration that the standard does not allow; `member` is where, the end of the code what it is not."""


def _refuse(member: str, code: str) -> NoReturn:
    raise InvalidRegistration(code, {"member": member})


def is_uri(text: Json) -> bool:
    """Whether it is a URI with a scheme, as every identifier of the standard must be (clause 4.6.2)."""
    return isinstance(text, str) and URI.fullmatch(text) is not None


def read_registration(payload: Json, context: Context, now: datetime, *, id: str, created_at: str = "") -> Registration:
    """A whole registration from its wire form, as known from `now` on.

    Refuses what clauses 5.2.9 and 5.9.2.4 forbid. `id` counts; one in the payload is not looked at.
    """
    if not isinstance(payload, Mapping):
        _refuse("", "kernel.registration_not_object")
    if payload.get("type") != TYPE:
        _refuse("type", "kernel.registration_not_registration")
    information = _information(payload.get("information"), context)
    mode = _mode(payload.get("mode", Mode.INCLUSIVE))
    operations = _operations(payload.get("operations"), mode)
    if mode is Mode.EXCLUSIVE:
        _check_exclusive(information)
    at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Registration(
        id=id,
        endpoint=_uri("endpoint", payload.get("endpoint")),
        information=information,
        mode=mode,
        operations=operations,
        tenant=_text("tenant", payload.get("tenant", "")),
        scopes=_texts("scope", payload.get("scope", ())),
        source_info=_source_info(payload.get("contextSourceInfo", [])),
        management=_management(payload.get("management")),
        local_only=_flag("localOnly", payload.get("localOnly", False)),
        alias=_text("contextSourceAlias", payload.get("contextSourceAlias", payload.get("hostAlias", ""))),
        expires_at=_expiry(payload.get("expiresAt"), now),
        created_at=created_at or at,
        modified_at=at,
        members=_members(payload),
        properties={context.expand(name): value for name, value in payload.items() if name not in OWN},
    )


def patched(registration: Registration, fragment: Json, context: Context, now: datetime) -> Registration:
    """The registration with the members of a fragment in place of its own; null takes one away (clause 5.9.3)."""
    if not isinstance(fragment, Mapping):
        _refuse("", "kernel.registration_not_object")
    if fragment.get("id", registration.id) != registration.id:
        _refuse("id", "kernel.registration_not_same_id")
    merged = represent(registration, context)
    for name, value in fragment.items():
        if name not in OUTPUT_ONLY:
            merged[name] = value
    whole = {name: value for name, value in merged.items() if not _is_null(value)}
    if "expiresAt" not in fragment:
        whole.pop("expiresAt", None)
    read = read_registration(whole, context, now, id=registration.id, created_at=registration.created_at)
    return read if "expiresAt" in fragment else _with_expiry(read, registration.expires_at)


def represent(registration: Registration, context: Context, *, sys_attrs: bool = False) -> dict[str, Json]:
    """A registration in its wire form, names in the terms of `context`."""
    shown: dict[str, Json] = {"id": registration.id, "type": TYPE, "endpoint": registration.endpoint}
    shown["information"] = [_show_information(one, context) for one in registration.information]
    optional: dict[str, Json] = {
        "mode": "" if registration.mode is Mode.INCLUSIVE else str(registration.mode),
        "operations": list(registration.operations),
        "tenant": registration.tenant,
        "scope": _single(registration.scopes),
        "contextSourceInfo": [{"key": key, "value": value} for key, value in registration.source_info],
        "localOnly": registration.local_only,
        "contextSourceAlias": registration.alias,
        "expiresAt": registration.expires_at,
        "management": _show_management(registration.management),
    }
    if sys_attrs:
        optional |= {"createdAt": registration.created_at, "modifiedAt": registration.modified_at}
    shown |= {name: value for name, value in optional.items() if value}
    shown |= registration.members
    shown |= {context.compact(name): value for name, value in registration.properties.items()}
    return shown


def _with_expiry(registration: Registration, expires_at: str) -> Registration:
    fields: dict[str, Any] = {name: getattr(registration, name) for name in registration.__struct_fields__}
    return Registration(**(fields | {"expires_at": expires_at}))


def _is_null(value: Json) -> bool:
    return value is None or value == "urn:ngsi-ld:null"


def _single(values: tuple[str, ...]) -> Json:
    return values[0] if len(values) == 1 else list(values)


def _text(member: str, value: Json) -> str:
    return value if isinstance(value, str) else _refuse(member, "kernel.registration_not_text")


def _texts(member: str, value: Json) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple) or not all(isinstance(one, str) and one for one in values):
        _refuse(member, "kernel.registration_not_texts")
    return tuple(values)


def _flag(member: str, value: Json) -> bool:
    return value if isinstance(value, bool) else _refuse(member, "kernel.registration_not_boolean")


def _uri(member: str, value: Json) -> str:
    return str(value) if is_uri(value) else _refuse(member, "kernel.registration_not_uri")


def instant(member: str, value: Json) -> datetime:
    """A time of the wire; only UTC with a Z is one (clause 4.6.3)."""
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        _refuse(member, "kernel.registration_not_instant")
    try:
        return datetime.fromisoformat(value.replace(",", "."))
    except ValueError:
        _refuse(member, "kernel.registration_not_instant")


def _expiry(value: Json, now: datetime) -> str:
    if value is None:
        return ""
    if instant("expiresAt", value) <= now:
        _refuse("expiresAt", "kernel.registration_not_future")
    return str(value)


def _mode(value: Json) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        _refuse("mode", "kernel.registration_not_mode")


def _operations(value: Json, mode: Mode) -> tuple[str, ...]:
    if value is None:
        return ()
    operations = _texts("operations", value)
    if not operations or not OPERATIONS.issuperset(operations):
        _refuse("operations", "kernel.registration_not_operations")
    if mode is Mode.AUXILIARY and not AUXILIARY_MAY.issuperset(operations):
        _refuse("operations", "kernel.registration_not_read_only")
    return operations


def _information(value: Json, context: Context) -> tuple[Information, ...]:
    if not isinstance(value, list) or not value:
        _refuse("information", "kernel.registration_not_information")
    return tuple(_one_information(one, context) for one in value)


def _one_information(value: Json, context: Context) -> Information:
    if not isinstance(value, Mapping):
        _refuse("information", "kernel.registration_not_information")
    names = {
        member: tuple(context.expand(name) for name in _texts(f"information.{member}", value.get(member, ())))
        for member in ("propertyNames", "relationshipNames")
    }
    entities = value.get("entities", [])
    if not isinstance(entities, list) or not (entities or any(names.values())):
        _refuse("information", "kernel.registration_not_information")
    return Information(
        entities=tuple(_entity_info(one, context) for one in entities),
        properties=names["propertyNames"],
        relationships=names["relationshipNames"],
    )


def _entity_info(value: Json, context: Context) -> EntityInfo:
    if not isinstance(value, Mapping) or not {"id", "idPattern", "type"} & set(value):
        _refuse("information.entities", "kernel.registration_not_entity_info")
    pattern = value.get("idPattern", "")
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        _refuse("information.entities.idPattern", "kernel.registration_not_pattern")
    return EntityInfo(
        types=tuple(context.expand_type(name) for name in _texts("information.entities.type", value.get("type", ()))),
        id=_uri("information.entities.id", value["id"]) if "id" in value else "",
        # An id wins over a pattern that stands beside it (clause 5.2.8).
        id_pattern="" if "id" in value else pattern,
    )


def _check_exclusive(information: Iterable[Information]) -> None:
    """An exclusive registration names single entities and the attributes it takes over (clause 4.3.6.3)."""
    for one in information:
        if not one.entities or not all(info.id for info in one.entities):
            _refuse("information.entities", "kernel.registration_not_single_ids")
        if not one.attributes:
            _refuse("information", "kernel.registration_not_attributes")


def _source_info(value: Json) -> tuple[tuple[str, str], ...]:
    pairs = [value] if isinstance(value, Mapping) else value
    if not isinstance(pairs, list):
        _refuse("contextSourceInfo", "kernel.registration_not_key_values")
    for pair in pairs:
        if not isinstance(pair, Mapping) or not all(isinstance(pair.get(key), str) for key in ("key", "value")):
            _refuse("contextSourceInfo", "kernel.registration_not_key_values")
    return tuple((pair["key"], pair["value"]) for pair in pairs)


def _management(value: Json) -> Management | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        _refuse("management", "kernel.registration_not_object")
    cache = value.get("cacheDuration", "")
    if cache and not is_duration(cache):
        _refuse("management.cacheDuration", "kernel.registration_not_duration")
    management = Management(
        timeout_ms=_positive("management.timeout", value.get("timeout")),
        cooldown_ms=_positive("management.cooldown", value.get("cooldown")),
        cache_duration=cache,
        local_only=_flag("management.localOnly", value.get("localOnly", False)),
    )
    return None if management == Management() else management


def is_duration(value: Json) -> bool:
    """Whether it is a duration of ISO 8601 (clause 4.6.3)."""
    return isinstance(value, str) and DURATION.fullmatch(value) is not None


def _positive(member: str, value: Json) -> float:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        _refuse(member, "kernel.registration_not_positive")
    return value


def _members(payload: Mapping[str, Json]) -> dict[str, Json]:
    """The members that are only shown or matched as they came, each checked."""
    return {name: read(name, payload[name]) for name, read in _READERS.items() if name in payload}


def _rate(member: str, value: Json) -> Json:
    return value if is_duration(value) else _refuse(member, "kernel.registration_not_duration")


def _datasets(member: str, value: Json) -> Json:
    return [_dataset(one) for one in _texts(member, value)]


def _dataset(value: str) -> str:
    return value if value == "@none" or is_uri(value) else _refuse("datasetId", "kernel.registration_not_uri")


def _interval(member: str, value: Json) -> Json:
    if not isinstance(value, Mapping) or "startAt" not in value:
        _refuse(member, "kernel.registration_not_interval")
    start = instant(f"{member}.startAt", value["startAt"])
    if "endAt" in value and instant(f"{member}.endAt", value["endAt"]) < start:
        _refuse(member, "kernel.registration_not_interval")
    return dict(value)


def _space(member: str, value: Json) -> Json:
    geometry = value.get("value", value) if isinstance(value, Mapping) else None
    if not isinstance(geometry, Mapping) or geometry.get("type") not in GEOMETRIES:
        _refuse(member, "kernel.registration_not_geometry")
    if not isinstance(geometry.get("coordinates"), list):
        _refuse(member, "kernel.registration_not_geometry")
    return value


_READERS: Mapping[str, Callable[[str, Json], Json]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(INTERVALS, _interval),
    **dict.fromkeys(SPACES, _space),
    "refreshRate": _rate,
    "datasetId": _datasets,
}


def _show_information(one: Information, context: Context) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    if one.entities:
        shown["entities"] = [_show_entity_info(info, context) for info in one.entities]
    if one.properties:
        shown["propertyNames"] = [context.compact(name) for name in one.properties]
    if one.relationships:
        shown["relationshipNames"] = [context.compact(name) for name in one.relationships]
    return shown


def _show_entity_info(info: EntityInfo, context: Context) -> dict[str, Json]:
    shown: dict[str, Json] = {}
    if info.id:
        shown["id"] = info.id
    if info.id_pattern:
        shown["idPattern"] = info.id_pattern
    if info.types:
        shown["type"] = _single(tuple(context.compact_type(name) for name in info.types))
    return shown


def _show_management(management: Management | None) -> dict[str, Json]:
    if management is None:
        return {}
    shown = {
        "timeout": management.timeout_ms,
        "cooldown": management.cooldown_ms,
        "cacheDuration": management.cache_duration,
        "localOnly": management.local_only,
    }
    return {name: value for name, value in shown.items() if value}
