# SPDX-License-Identifier: Apache-2.0
"""Evolutions as sources tell them, and merged with what is here (CIM 009 clauses 4.5.6, 5.7.3, 5.7.4). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.entities.document import AttributeType, Instance
from citybrain.kernel.entities.fragment import read_attribute
from citybrain.kernel.entities.times import EPOCH
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.pool.evolution import Evolution, last
from citybrain.kernel.pool.temporal_query import TimeProperty
from citybrain.kernel.pool.temporal_rows import SCOPE, Moment, null_of
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.index import Match

OWN = frozenset({"id", "@id", "type", "@type", "@context", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})


def read_evolution(payload: Json, context: Context, match: Match, time: TimeProperty) -> Evolution | None:
    """An entity over time in the normalized temporal representation; None when it is none."""
    if not isinstance(payload, Mapping) or not isinstance(payload.get("id"), str):
        return None
    types = payload.get("type", ())
    attributes: dict[str, Sequence[Moment]] = {}
    for term, held in payload.items():
        name = context.expand(term)
        if term in OWN or not (term == SCOPE or match.covers(name)):
            continue
        try:
            attributes[name] = _moments(name, held, context, time)
        except Refusal:
            return None
    return Evolution(
        id=payload["id"],
        types=tuple(context.expand_type(each) for each in ([types] if isinstance(types, str) else types)),
        created_at=str(payload.get("createdAt", "")),
        modified_at=str(payload.get("modifiedAt", "")),
        attributes={name: moments for name, moments in attributes.items() if moments},
    )


def merged(evolutions: Iterable[Evolution], last_n: int | None) -> Evolution | None:
    """One evolution of several of the same entity: an instance that two sources have is told once."""
    whole: Evolution | None = None
    for each in evolutions:
        whole = each if whole is None else _together(whole, each)
    if whole is None or last_n is None:
        return whole
    attributes = {name: last(moments, last_n) for name, moments in whole.attributes.items()}
    return msgspec.structs.replace(whole, attributes=attributes)


def _together(one: Evolution, other: Evolution) -> Evolution:
    names = dict.fromkeys((*one.attributes, *other.attributes))
    attributes = {
        name: _moments_once([*one.attributes.get(name, ()), *other.attributes.get(name, ())]) for name in names
    }
    return msgspec.structs.replace(
        one,
        types=tuple(dict.fromkeys((*one.types, *other.types))),
        created_at=min(filter(None, (one.created_at, other.created_at)), default=""),
        modified_at=max(one.modified_at, other.modified_at),
        attributes=attributes,
    )


def _moments_once(moments: Iterable[Moment]) -> list[Moment]:
    """In order of time, of each time and datasetId the first."""
    found: dict[tuple[datetime, str], Moment] = {}
    for moment in moments:
        found.setdefault((moment.at, moment.instance.dataset_id), moment)
    return sorted(found.values(), key=lambda moment: moment.at)


def _moments(name: str, held: Json, context: Context, time: TimeProperty) -> list[Moment]:
    several = held if isinstance(held, list) else [held]
    if name == SCOPE:
        return [_scope(each, time) for each in several if isinstance(each, Mapping) and _time(each, time)]
    moments = [_moment(name, each, context, time) for each in several if isinstance(each, Mapping)]
    return sorted((moment for moment in moments if moment is not None), key=lambda moment: moment.at)


def _scope(told: Mapping[str, Json], time: TimeProperty) -> Moment:
    """The scopes of an entity at a time; none of them is told as an empty array (clause 4.5.6)."""
    value = told.get("value", [])
    instance = Instance(
        type=AttributeType.PROPERTY,
        value=[value] if isinstance(value, str) else value,
        observed_at=str(told.get("observedAt", "")),
    )
    at = _time(told, time)
    return Moment(at=at or EPOCH, instance=_stamped(instance, told), is_gone=value == [])


def _moment(name: str, told: Mapping[str, Json], context: Context, time: TimeProperty) -> Moment | None:
    at = _time(told, time)
    if at is None:
        return None
    if "deletedAt" in told:
        return Moment(at=at, instance=_gone(told), is_gone=True)
    members = {key: value for key, value in told.items() if key not in {"instanceId", "createdAt", "modifiedAt"}}
    [read] = read_attribute(name, members, context, "", repeats=True)
    return Moment(at=at, instance=_stamped(read, told))


def _gone(told: Mapping[str, Json]) -> Instance:
    """What records a deletion: a null of its kind, and when (clauses 4.5.7, 4.5.8)."""
    kind = AttributeType(told.get("type", AttributeType.PROPERTY))
    dataset_id = str(told.get("datasetId", ""))
    return _stamped(Instance(type=kind, value=null_of(kind), dataset_id=dataset_id), told)


def _stamped(instance: Instance, told: Mapping[str, Json]) -> Instance:
    extra = {key: told[key] for key in ("instanceId", "deletedAt") if key in told}
    return msgspec.structs.replace(
        instance,
        created_at=str(told.get("createdAt", "")),
        modified_at=str(told.get("modifiedAt", "")),
        extra={**instance.extra, **extra},
    )


def _time(told: Mapping[str, Json], time: TimeProperty) -> datetime | None:
    """The time by which an instance is asked for; one without an observedAt stands where it was recorded."""
    for name in (time.value, "observedAt", "createdAt", "modifiedAt", "deletedAt"):
        value = told.get(name)
        if isinstance(value, str):
            return datetime.fromisoformat(value)
    return None
