# SPDX-License-Identifier: Apache-2.0
"""Entities of several sources as one: read, merged, and seen as if all were here (CIM 009 clauses 4.3.6.2, 4.5.5)."""

from collections.abc import Iterable, Mapping

import msgspec

from citybrain.kernel.entities.document import Document, Instance
from citybrain.kernel.entities.fragment import read_entity
from citybrain.kernel.entities.times import us_of
from citybrain.kernel.errors import Refusal
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.index import Match
from citybrain.kernel.registrations.model import Mode

Instances = tuple[Instance, ...]


class Part(msgspec.Struct, frozen=True):
    """What one source says of one entity."""

    match: Match
    document: Document

    @property
    def is_auxiliary(self) -> bool:
        """Whether it only fills gaps."""
        return self.match.registration.mode is Mode.AUXILIARY


def read_remote(payload: Json, context: Context, match: Match) -> Document | None:
    """An entity as a source tells it, with the times the source keeps; None when it is none.

    Attributes that the source did not register are left out: it has no say in them (clause 4.3.6.1).
    """
    if not isinstance(payload, Mapping):
        return None
    try:
        read = read_entity(payload, context, "")
    except Refusal:
        return None
    attributes = {
        name: _timed(name, instances, payload, context)
        for name, instances in read.attributes.items()
        if match.covers(name)
    }
    return msgspec.structs.replace(
        read,
        created_at=_time(payload, "createdAt"),
        modified_at=_time(payload, "modifiedAt"),
        attributes=attributes,
    )


def merge(local: Document | None, parts: Iterable[Part], now: str) -> Document | None:
    """One entity of what is here and what sources say; auxiliary ones come last and never override."""
    merged = local
    ordered = sorted(parts, key=lambda part: part.is_auxiliary)
    for part in ordered:
        merged = part.document if merged is None else _together(merged, part, now)
    return merged


def _together(base: Document, part: Part, now: str) -> Document:
    other = part.document
    attributes = dict(base.attributes)
    for name, instances in other.attributes.items():
        attributes[name] = _merged(attributes.get(name, ()), instances, part, now)
    return msgspec.structs.replace(
        base,
        types=tuple(dict.fromkeys((*base.types, *other.types))),
        scopes=tuple(dict.fromkeys((*base.scopes, *other.scopes))),
        created_at=min(filter(None, (base.created_at, other.created_at)), default=""),
        modified_at=max(base.modified_at, other.modified_at),
        attributes=attributes,
    )


def _merged(known: Instances, others: Instances, part: Part, now: str) -> Instances:
    """Of each datasetId the instance that counts: what has expired never does, then the newest (clause 4.5.5.3)."""
    if known and part.is_auxiliary:
        return known
    by_dataset = {instance.dataset_id: instance for instance in known}
    for instance in others:
        mine = by_dataset.get(instance.dataset_id)
        if mine is None or _wins(instance, mine, part, now):
            by_dataset[instance.dataset_id] = instance
    return tuple(by_dataset.values())


def _wins(other: Instance, mine: Instance, part: Part, now: str) -> bool:
    if _is_over(other, now) or _is_over(mine, now):
        return not _is_over(other, now)
    if part.match.registration.mode is Mode.EXCLUSIVE:
        return True
    return _newness(other) > _newness(mine)


def _is_over(instance: Instance, now: str) -> bool:
    return bool(instance.expires_at) and instance.expires_at <= now


def _newness(instance: Instance) -> int:
    told = instance.observed_at or instance.modified_at
    return us_of(told) if told else -1


def _time(payload: Mapping[str, Json], name: str) -> str:
    value = payload.get(name, "")
    return value if isinstance(value, str) else ""


def _timed(name: str, instances: Instances, payload: Mapping[str, Json], context: Context) -> Instances:
    """The instances with the times that the source keeps of them."""
    told = next((value for key, value in payload.items() if context.expand(key) == name), None)
    by_dataset = {
        each.get("datasetId", ""): each
        for each in (told if isinstance(told, list) else [told])
        if isinstance(each, Mapping)
    }
    return tuple(_with_times(instance, by_dataset.get(instance.dataset_id), context) for instance in instances)


def _with_times(instance: Instance, told: Mapping[str, Json] | None, context: Context) -> Instance:
    if told is None:
        return instance
    return msgspec.structs.replace(
        instance,
        created_at=_time(told, "createdAt"),
        modified_at=_time(told, "modifiedAt"),
        attributes={name: _timed(name, below, told, context) for name, below in instance.attributes.items()},
    )
