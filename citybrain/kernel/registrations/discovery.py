# SPDX-License-Identifier: Apache-2.0
"""Finding registrations by what they say of themselves: csf, scope, place and time (CIM 009 clauses 4.9, 5.10.2)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from citybrain.kernel.entities.document import AttributeType, Document, Instance
from citybrain.kernel.errors import Invalid
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.model import Registration

SHOWN = ("registrationName", "description", "refreshRate")
PLACES = ("location", "observationSpace", "operationSpace")


class Timerel(StrEnum):
    """How the time asked for lies to the one given (clause 4.11)."""

    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """The time a query is about (clause 4.11). `timeproperty` tells which interval of a registration counts."""

    timerel: Timerel
    at: datetime
    until: datetime | None = None
    timeproperty: str = "observedAt"


class InvalidPeriod(Invalid):
    """A temporal query that is none; `parameter` is the one at fault."""


def read_period(params: Mapping[str, str]) -> Period | None:
    """The temporal query among query parameters, None when there is none. Refuses an `InvalidPeriod`."""
    if "timerel" not in params:
        if "timeAt" in params or "endTimeAt" in params:
            raise InvalidPeriod("kernel.invalid_period", {"parameter": "timerel"})
        return None
    try:
        timerel = Timerel(params["timerel"])
    except ValueError as error:
        raise InvalidPeriod("kernel.invalid_period", {"parameter": "timerel"}) from error
    until = _moment(params, "endTimeAt") if timerel is Timerel.BETWEEN else None
    at = _moment(params, "timeAt")
    return Period(timerel=timerel, at=at, until=until, timeproperty=params.get("timeproperty") or "observedAt")


def _moment(params: Mapping[str, str], name: str) -> datetime:
    try:
        return datetime.fromisoformat(params[name]).astimezone(UTC)
    except (KeyError, ValueError) as error:
        raise InvalidPeriod("kernel.invalid_period", {"parameter": name}) from error


def is_in_period(registration: Registration, period: Period | None) -> bool:
    """Whether a source holds something of the time asked for.

    Without a period only sources of the latest state count: those that name no interval. With one, the interval that
    the time property speaks of must meet it.
    """
    intervals = {name: registration.members.get(name) for name in ("observationInterval", "managementInterval")}
    if period is None:
        return not any(intervals.values())
    interval = intervals["observationInterval" if period.timeproperty == "observedAt" else "managementInterval"]
    if not interval:
        return False
    start = datetime.fromisoformat(interval["startAt"])
    end = datetime.fromisoformat(interval["endAt"]) if "endAt" in interval else None
    return _meet(start, end, period)


def _meet(start: datetime, end: datetime | None, period: Period) -> bool:
    if period.timerel is Timerel.BEFORE:
        return start < period.at
    if period.timerel is Timerel.AFTER:
        return end is None or end > period.at
    return (period.until is None or start < period.until) and (end is None or end > period.at)


def as_document(registration: Registration) -> Document:
    """A registration as an entity, so that the query language for entities applies to it: csf, scopes and places."""
    values: dict[str, Json] = {
        "endpoint": registration.endpoint,
        "mode": str(registration.mode),
        "tenant": registration.tenant,
        "contextSourceAlias": registration.alias,
        "expiresAt": registration.expires_at,
        "operations": list(registration.operations),
        **{name: registration.members.get(name) for name in SHOWN},
    }
    attributes = {name: _property(value) for name, value in values.items() if value}
    attributes |= {name: _property(value) for name, value in registration.properties.items()}
    for name in PLACES:
        if name in registration.members:
            space = registration.members[name]
            geometry = space.get("value", space)
            attributes[name] = (Instance(type=AttributeType.GEO_PROPERTY, value=geometry),)
    return Document(
        id=registration.id,
        types=("ContextSourceRegistration",),
        scopes=registration.scopes,
        created_at=registration.created_at,
        modified_at=registration.modified_at,
        attributes=attributes,
    )


def _property(value: Json) -> tuple[Instance, ...]:
    """A context source property: a plain value, or one dressed as an attribute."""
    if isinstance(value, Mapping) and "object" in value:
        return (Instance(type=AttributeType.RELATIONSHIP, value=value["object"]),)
    if isinstance(value, Mapping) and "value" in value:
        return (Instance(type=AttributeType.PROPERTY, value=value["value"]),)
    return (Instance(type=AttributeType.PROPERTY, value=value),)
