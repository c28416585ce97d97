# SPDX-License-Identifier: Apache-2.0
"""Evolutions of entities as they are sent: normalized, concise, or as values with their times (clause 4.5.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from citybrain.kernel.entities.document import NULL, AttributeType, Instance
from citybrain.kernel.entities.represent import show_instance, show_types
from citybrain.kernel.entities.shape import Format, Shape
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.ld.context import Context
from citybrain.kernel.pool.evolution import Evolution
from citybrain.kernel.pool.temporal_query import Form, TimeProperty
from citybrain.kernel.pool.temporal_rows import SCOPE, Moment
from citybrain.kernel.records import Json

VALUES_KEY: Mapping[AttributeType, str] = {
    AttributeType.PROPERTY: "values",
    AttributeType.GEO_PROPERTY: "values",
    AttributeType.RELATIONSHIP: "objects",
    AttributeType.LANGUAGE_PROPERTY: "languageMaps",
    AttributeType.VOCAB_PROPERTY: "vocabs",
    AttributeType.LIST_PROPERTY: "valueLists",
    AttributeType.LIST_RELATIONSHIP: "objectLists",
    AttributeType.JSON_PROPERTY: "jsons",
}
"""Under which key the pairs of value and time stand (clause 4.5.9)."""

_SYSTEM = frozenset({"id", "type", "scope", "createdAt", "modifiedAt", "expiresAt"})


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """In which form, in which shape, and by which time evolutions are told."""

    form: Form
    shape: Shape
    time: TimeProperty


def represent_evolution(evolution: Evolution, context: Context, telling: Telling) -> dict[str, Any]:
    """An entity over time, without `@context`. An attribute that has nothing in this part has an empty array."""
    told = members_of(evolution, context, telling.shape)
    for name, moments in evolution.attributes.items():
        if is_wanted(name, telling.shape):
            told[context.compact(name)] = _attribute(name, moments, context, telling)
    return told


def members_of(evolution: Evolution, context: Context, shape: Shape) -> dict[str, Any]:
    """What is said of an entity as such: id, type and, if asked for, its own times, as far as picked (clause 4.21)."""
    told: dict[str, Any] = {"id": evolution.id, "type": show_types(evolution.types, context)}
    if shape.sys_attrs:
        told |= {"createdAt": evolution.created_at, "modifiedAt": evolution.modified_at}
    return {name: held for name, held in told.items() if held and is_wanted(name, shape)}


def is_wanted(name: str, shape: Shape) -> bool:
    """Whether a member is picked, and not omitted."""
    if shape.pick is not None and name not in shape.pick:
        return False
    if shape.omit is not None and name in shape.omit:
        return False
    return not shape.attributes or name in shape.attributes or name in _SYSTEM


def _attribute(name: str, moments: Sequence[Moment], context: Context, telling: Telling) -> Json:
    if name == SCOPE:
        moments = [_scope(each) for each in moments]
    if telling.form is Form.TEMPORAL_VALUES:
        return _values(name, moments, context, telling)
    shape = telling.shape if telling.form is Form.NORMALIZED else _concise(telling.shape)
    return [show_instance(each.instance, context, shape, name) for each in moments]


def _concise(shape: Shape) -> Shape:
    return msgspec.structs.replace(shape, format=Format.CONCISE)


def _scope(moment: Moment) -> Moment:
    """A removed scope is an empty array, and one scope is a text (clause 4.5.6)."""
    held = moment.instance.value
    value: Json = [] if moment.is_gone else held[0] if isinstance(held, list) and len(held) == 1 else held
    return msgspec.structs.replace(moment, instance=msgspec.structs.replace(moment.instance, value=value))


def _values(name: str, moments: Sequence[Moment], context: Context, telling: Telling) -> Json:
    """One object for each data set; alone if there is one (clause 4.5.9)."""
    series: dict[str, list[Moment]] = {}
    for each in moments:
        series.setdefault(each.instance.dataset_id, []).append(each)
    told = [_pairs(name, dataset_id, held, context, telling) for dataset_id, held in series.items()]
    if not told:
        return {"type": AttributeType.PROPERTY.value, "values": []}
    return told[0] if len(told) == 1 else told


def _pairs(name: str, dataset_id: str, moments: Sequence[Moment], context: Context, telling: Telling) -> dict[str, Any]:
    pairs: list[list[Json]] = []
    kind = moments[-1].instance.type
    for each in moments:
        kind, value = _simple(name, each.instance, context, telling.shape)
        pairs.append([value, _time(each, telling.time)])
    told: dict[str, Any] = {"type": kind.value}
    if dataset_id:
        told["datasetId"] = dataset_id
    told[VALUES_KEY[kind]] = pairs
    return told


def _simple(name: str, instance: Instance, context: Context, shape: Shape) -> tuple[AttributeType, Json]:
    """The bare value with its kind, which a language filter makes that of a Property (clause 4.15)."""
    if instance.value == NULL:
        return instance.type, NULL
    simple = show_instance(instance, context, msgspec.structs.replace(shape, format=Format.SIMPLIFIED), name)
    if shape.languages and instance.type is AttributeType.LANGUAGE_PROPERTY:
        return AttributeType.PROPERTY, simple
    return instance.type, simple


def _time(moment: Moment, time: TimeProperty) -> str:
    """The time asked for; of an instance that has it not, the one at which it stands."""
    return (moment.instance.observed_at if time is TimeProperty.OBSERVED_AT else "") or text_of(moment.at)
