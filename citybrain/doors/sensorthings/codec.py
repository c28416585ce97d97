# SPDX-License-Identifier: Apache-2.0
"""What clients send, as attributes of documents and as observations."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.doors.sensorthings.expression import Span
from citybrain.doors.sensorthings.model import SCHEMAS, Holds, Kind, Property, Schema
from citybrain.doors.sensorthings.moments import read_span, told
from citybrain.doors.sensorthings.refusals import unusable
from citybrain.kernel.entities.document import AttributeType, Instance
from citybrain.kernel.entities.geojson_reading import looks_like_geometry, read_geometry
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Json

Payload = Mapping[str, Json]
FOLLOWING = "@iot."
"""What a service adds to an entity has this in its name; clients may send it back."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a client sent of an entity: properties (None: take it away) and relations as they came."""

    properties: dict[str, Json]
    relations: dict[str, Json]


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One Observation that is to be kept: of which Datastream and feature (ids of documents), when, what."""

    stream: str
    feature: str
    when: Span
    result: Json
    result_time: str | None = None
    details: Mapping[str, Json] = {}


def read_body(body: bytes) -> Json:
    """JSON; refuses what is none."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise unusable("body_unreadable", why=str(problem)) from None


def read_object(body: Json) -> Payload:
    """An entity is an object; refuses anything else."""
    if not isinstance(body, dict):
        raise unusable("body_no_object")
    return body


def read_given(payload: Payload, kind: Kind, *, whole: bool) -> Given:
    """What was sent of an entity; refuses names that the kind does not have, values that do not fit.

    `whole` demands all that is required.
    """
    schema = SCHEMAS[kind]
    properties: dict[str, Json] = {}
    relations: dict[str, Json] = {}
    for name, value in payload.items():
        if name in schema.relations:
            relations[name] = value
        elif name in schema.properties:
            _check(name, value, schema.properties[name], schema)
            if not schema.properties[name].computed:
                properties[name] = value
        elif FOLLOWING not in name and name != "id":
            raise unusable("property_unknown", name=name, kind=kind)
    if whole:
        check_whole(properties, kind)
    return Given(properties=properties, relations=relations)


def check_whole(properties: Payload, kind: Kind) -> None:
    """Refuses what lacks something required; the result of an Observation may be null."""
    for name, property in SCHEMAS[kind].properties.items():
        if property.required and properties.get(name) is None and not (kind is Kind.OBSERVATION and name in properties):
            raise unusable("property_missing", name=name)


def _check(name: str, value: Json, property: Property, schema: Schema) -> None:
    if value is None:
        if property.required and schema.kind is not Kind.OBSERVATION:
            raise unusable("property_missing", name=name)
        return
    if not property.computed and not _FITS[property.holds](value):
        raise unusable("property_unusable", name=name, kind=schema.kind, holds=property.holds)


_FITS: Mapping[Holds, Callable[[Json], bool]] = {
    Holds.TEXT: lambda value: isinstance(value, str),
    Holds.JSON: lambda value: True,
    Holds.OBJECT: lambda value: isinstance(value, dict),
    Holds.PLACE: lambda value: isinstance(value, dict | str),
    Holds.INSTANT: lambda value: isinstance(value, str) and "/" not in value and read_span(value) is not None,
    Holds.SPAN: lambda value: isinstance(value, str) and read_span(value) is not None,
}


def instance(name: str, value: Json, kind: Kind, stamp: str) -> Instance:
    """A property as an attribute instance of a document."""
    holds = SCHEMAS[kind].properties[name].holds
    type = AttributeType.PROPERTY
    if holds in (Holds.OBJECT, Holds.JSON) and isinstance(value, dict | list):
        type = AttributeType.JSON_PROPERTY
    elif holds is Holds.PLACE and isinstance(value, dict):
        type = AttributeType.JSON_PROPERTY
        if looks_like_geometry(value):
            value, type = _geometry(name, value, kind), AttributeType.GEO_PROPERTY
    elif holds is Holds.INSTANT and isinstance(value, str):
        span = read_span(value)
        value = told(span) if span else value
    return Instance(type=type, value=value, created_at=stamp, modified_at=stamp)


def _geometry(name: str, value: Json, kind: Kind) -> Json:
    """A geometry that geographic programs can rely on; refuses others, and one that the pool cannot hold."""
    try:
        return read_geometry(name, value)
    except Refusal:
        raise unusable("property_unusable", name=name, kind=kind, holds="GeoJSON") from None


def link(targets: Sequence[str], stamp: str) -> Instance:
    """A relation as an attribute instance."""
    value: Json = targets[0] if len(targets) == 1 else list(targets)
    return Instance(type=AttributeType.RELATIONSHIP, value=value, created_at=stamp, modified_at=stamp)


def read_sight(given: Given, stream: str, feature: str, at: datetime) -> Sight:
    """An Observation; what happened at no told time happened now (clause 10.2.2.3)."""
    held = given.properties
    when = read_span(str(held["phenomenonTime"])) if held.get("phenomenonTime") else Span(at, at)
    result_time = held.get("resultTime")
    span = read_span(str(result_time)) if result_time else None
    valid = read_span(str(held["validTime"])) if held.get("validTime") else None
    details = {name: held[name] for name in ("resultQuality", "parameters") if held.get(name) is not None}
    if valid is not None:
        details["validTime"] = told(valid)
    return Sight(
        stream=stream,
        feature=feature,
        when=when or Span(at, at),
        result=held.get("result"),
        result_time=text_of(span.begin) if span else None,
        details=details,
    )


def result_of(sight: Sight, stamp: str) -> Instance:
    """An Observation as an instance of its Datastream's attribute."""
    attributes: dict[str, tuple[Instance, ...]] = {}
    if sight.when.begin != sight.when.end:
        attributes["phenomenonTime"] = (_plain(told(sight.when)),)
    if sight.result_time is not None:
        attributes["resultTime"] = (_plain(sight.result_time),)
    for name, value in sight.details.items():
        attributes[name] = (_plain(value),)
    if sight.feature:
        attributes["featureOfInterest"] = (Instance(type=AttributeType.RELATIONSHIP, value=sight.feature),)
    return Instance(
        type=AttributeType.PROPERTY,
        value=sight.result,
        observed_at=text_of(sight.when.begin),
        created_at=stamp,
        modified_at=stamp,
        attributes=attributes,
    )


def _plain(value: Json) -> Instance:
    type = AttributeType.JSON_PROPERTY if isinstance(value, dict | list) else AttributeType.PROPERTY
    return Instance(type=type, value=value)
