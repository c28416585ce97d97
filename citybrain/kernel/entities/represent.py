# SPDX-License-Identifier: Apache-2.0
"""From the internal form to the wire: what an entity looks like to who asks (CIM 009 clauses 4.5.1 to 4.5.24)."""

from collections.abc import Callable, Mapping
from typing import Any

from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType, Document, Instance
from citybrain.kernel.entities.language import choose
from citybrain.kernel.entities.projection import Projection
from citybrain.kernel.entities.shape import AS_IS, Format, Shape, read_shape
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

__all__ = [
    "Format",
    "Link",
    "Shape",
    "feature_collection",
    "read_shape",
    "represent",
    "show_instance",
    "show_instances",
    "show_types",
    "shows",
]

Link = Callable[[str, Projection | None, Projection | None], Json]
"""The representation of the linked entity with this id, None when it is not to be had: how joined entities come in."""

_KEYS: Mapping[AttributeType, str] = dict(VALUE_KEY)
_VALUE_KEYS = frozenset(VALUE_KEY.values())
"""An attribute of such a name says its type, so that no one takes the entity for an attribute."""

_PLAIN = frozenset({AttributeType.PROPERTY, AttributeType.GEO_PROPERTY})
_WRAPPED_WHEN_SIMPLE = frozenset(
    {AttributeType.LANGUAGE_PROPERTY, AttributeType.VOCAB_PROPERTY, AttributeType.JSON_PROPERTY}
)


def represent(document: Document, context: Context, shape: Shape = AS_IS, link: Link | None = None) -> dict[str, Any]:
    """An entity as it is sent, without `@context`: id, type, scope, times, attributes; a Feature if `shape.geojson`.

    `link` joins linked entities inline (clause 4.5.23): it is asked for each object of a Relationship. A picked
    member that the entity lacks is not there; whether an entity with none of them is to be shown, `shows` tells.
    """
    if shape.geojson:
        return _feature(document, context, shape, link)
    return _Showing(context, shape, link).entity(document)


def shows(document: Document, shape: Shape) -> bool:
    """Something of the entity is left of what is picked (clause 4.21): else a query passes it by."""
    pick = shape.pick
    if pick is None:
        return True
    if "id" in pick or "type" in pick or ("scope" in pick and document.scopes):
        return True
    return any(name in document.attributes for name in pick.inside)


def feature_collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    """Features as a whole (clause 4.5.16.3); the caller adds `@context`, which no single feature has."""
    return {"type": "FeatureCollection", "features": features}


def show_types(types: tuple[str, ...], context: Context) -> Json:
    """The types of an entity: a text when there is one, else a list (clause 4.5.1)."""
    names = [context.compact_type(name) for name in types]
    return names[0] if len(names) == 1 else names


def show_instance(instance: Instance, context: Context, shape: Shape = AS_IS, name: str = "") -> Json:
    """One attribute instance alone in the shape; `name` is the attribute's internal name."""
    return _Showing(context, shape, None).instance(name, instance)


def show_instances(name: str, instances: tuple[Instance, ...], context: Context, shape: Shape = AS_IS) -> Json:
    """The instances of one attribute in the shape: one alone, several as a list (or a dataset map, simplified)."""
    return _Showing(context, shape, None).several(name, instances)


def _feature(document: Document, context: Context, shape: Shape, link: Link | None) -> dict[str, Any]:
    """Clauses 4.5.16 and 4.5.17: id, the geometry of the chosen attribute or null, all else as properties."""
    properties = _Showing(context, shape, link).entity(document)
    properties.pop("id", None)
    return {
        "id": document.id,
        "type": "Feature",
        "geometry": _geometry(document, shape),
        "properties": properties,
    }


def _geometry(document: Document, shape: Shape) -> Json:
    """Of the default instance, or of the one that is left by datasetId; null when it is no GeoProperty."""
    instances = document.attributes.get(shape.geometry_property, ())
    if shape.dataset_ids:
        instances = tuple(one for one in instances if one.dataset_id in shape.dataset_ids)
    chosen = next((one for one in instances if not one.dataset_id), instances[0] if instances else None)
    return chosen.value if chosen is not None and chosen.type is AttributeType.GEO_PROPERTY else None


class _Showing:
    """One shape in one context."""

    def __init__(self, context: Context, shape: Shape, link: Link | None) -> None:
        self._compact = context.compact
        self._context = context
        self._shape = shape
        self._link = link
        self._sys_attrs = shape.sys_attrs
        self._form = {
            Format.NORMALIZED: self._normalized,
            Format.CONCISE: self._concise,
            Format.SIMPLIFIED: self._simplified,
        }[shape.format]
        self._is_special = bool(shape.languages)

    def entity(self, document: Document) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": document.id, "type": show_types(document.types, self._context)}
        if document.scopes:
            shown["scope"] = document.scopes[0] if len(document.scopes) == 1 else list(document.scopes)
        if self._sys_attrs:
            _add_times(shown, document)
        shape = self._shape
        if shape.pick is None and shape.omit is None and not shape.attributes and not shape.dataset_ids:
            compact, several = self._compact, self.several
            for name, instances in document.attributes.items():
                shown[compact(name)] = several(name, instances)
            return shown
        return self._projected(document, shown)

    def _projected(self, document: Document, shown: dict[str, Any]) -> dict[str, Any]:
        """Clause 4.21: only what is picked and not omitted; datasetId leaves some instances of an attribute."""
        shape = self._shape
        if shape.pick is not None:
            shown = {name: held for name, held in shown.items() if name in shape.pick}
        if shape.omit is not None:
            shown = {name: held for name, held in shown.items() if name not in shape.omit}
        for name, instances in document.attributes.items():
            if self._is_wanted(name):
                left = self._of_datasets(instances)
                if left:
                    shown[self._compact(name)] = self.several(name, left)
        return shown

    def _is_wanted(self, name: str) -> bool:
        shape = self._shape
        if shape.pick is not None and name not in shape.pick:
            return False
        if shape.omit is not None and name in shape.omit and not shape.omit.inside[name].inside:
            return False
        return not shape.attributes or name in shape.attributes

    def _of_datasets(self, instances: tuple[Instance, ...]) -> tuple[Instance, ...]:
        wanted = self._shape.dataset_ids
        return tuple(one for one in instances if one.dataset_id in wanted) if wanted else instances

    def several(self, name: str, instances: tuple[Instance, ...]) -> Json:
        if len(instances) == 1:
            if self._shape.format is Format.SIMPLIFIED and instances[0].dataset_id:
                return self._dataset(name, instances)
            return self.instance(name, instances[0])
        if self._shape.format is Format.SIMPLIFIED:
            return self._dataset(name, instances)
        if self._shape.format is Format.CONCISE:
            return [self._concise_object(name, *self._special(one)) for one in instances]
        return [self.instance(name, one) for one in instances]

    def _dataset(self, name: str, instances: tuple[Instance, ...]) -> Json:
        """Clause 4.5.4: several instances, simplified, by datasetId."""
        return {"dataset": {one.dataset_id or "@none": self.instance(name, one) for one in instances}}

    def instance(self, name: str, instance: Instance) -> Json:
        if self._is_special:
            instance, extra = self._special(instance)
            return self._form(name, instance, extra)
        return self._form(name, instance, instance.extra)

    def _normalized(self, name: str, instance: Instance, extra: Mapping[str, Json]) -> Json:
        kind = instance.type
        shown: dict[str, Any] = {"type": kind.value, _KEYS[kind]: self._value(instance)}
        if self._link is not None and kind is AttributeType.RELATIONSHIP:
            self._join(name, instance, shown)
        self._rest(instance, shown, extra)
        return shown

    def _concise(self, name: str, instance: Instance, extra: Mapping[str, Json]) -> Json:
        """Clauses 4.5.2.3 ff.: without type where it can be told, a bare value where nothing else is said."""
        shown = self._concise_object(name, instance, extra)
        if name in _VALUE_KEYS:
            return {"type": instance.type.value, **shown}
        if len(shown) == 1 and instance.type in _PLAIN and _stands_alone(instance.type, instance.value):
            return instance.value
        return shown

    def _concise_object(self, name: str, instance: Instance, extra: Mapping[str, Json]) -> dict[str, Any]:
        """The same as an object in any case, as several instances beside each other must be."""
        kind = instance.type
        shown: dict[str, Any] = {_KEYS[kind]: self._value(instance)}
        if self._link is not None and kind is AttributeType.RELATIONSHIP:
            self._join(name, instance, shown)
        self._rest(instance, shown, extra)
        if kind is AttributeType.PROPERTY and looks_like_another(instance.value):
            return {"type": kind.value, **shown}
        return shown

    def _simplified(self, name: str, instance: Instance, extra: Mapping[str, Json]) -> Json:
        kind = instance.type
        if kind is AttributeType.LIST_RELATIONSHIP:
            return instance.value
        if self._link is not None and kind is AttributeType.RELATIONSHIP:
            return self._joined_simply(name, instance)
        value = self._value(instance)
        return {_KEYS[kind]: value} if kind in _WRAPPED_WHEN_SIMPLE else value

    def _value(self, instance: Instance) -> Json:
        kind = instance.type
        if kind is AttributeType.VOCAB_PROPERTY:
            compact = self._context.compact_type
            value = instance.value
            return [compact(word) for word in value] if isinstance(value, list) else compact(value)
        if kind is AttributeType.LIST_RELATIONSHIP and isinstance(instance.value, list):
            return [{"object": id} for id in instance.value]
        return instance.value

    def _rest(self, instance: Instance, shown: dict[str, Any], extra: Mapping[str, Json]) -> None:
        """Everything beside type and value, in a steady order."""
        if instance.dataset_id:
            shown["datasetId"] = instance.dataset_id
        if instance.unit_code:
            shown["unitCode"] = instance.unit_code
        if instance.observed_at:
            shown["observedAt"] = instance.observed_at
        if instance.object_type:
            shown["objectType"] = show_types(instance.object_type, self._context)
        if extra:
            self._extra(extra, shown)
        if self._sys_attrs:
            _add_times(shown, instance)
        for name, several in instance.attributes.items():
            shown[self._compact(name)] = self.several(name, several)

    def _extra(self, extra: Mapping[str, Json], shown: dict[str, Any]) -> None:
        for key, held in extra.items():
            shown[key] = self._context.compact_type(held) if key == "entityTypeSealed" else held

    def _special(self, instance: Instance) -> tuple[Instance, Mapping[str, Json]]:
        """Clause 4.15: a language filter makes a Property of a LanguageProperty."""
        shape, extra = self._shape, instance.extra
        if shape.languages and instance.type is AttributeType.LANGUAGE_PROPERTY and isinstance(instance.value, dict):
            tag, text = choose(instance.value, shape.languages)
            return _as(instance, AttributeType.PROPERTY, text), {**extra, "lang": tag}
        return instance, extra

    def _linked(self, name: str, id: str) -> Json:
        """The linked entity below this Relationship, with what is picked and omitted of it."""
        if self._link is None:
            return None
        pick, omit = self._shape.pick, self._shape.omit
        inside = pick.inside[name] if pick is not None and name in pick and pick.inside[name].inside else None
        outside = omit.inside[name] if omit is not None and name in omit and omit.inside[name].inside else None
        return self._link(id, inside, outside)

    def _join(self, name: str, instance: Instance, shown: dict[str, Any]) -> None:
        """Clause 4.5.23: `entity` beside an object, `entityList` beside a list of them."""
        if isinstance(instance.value, list):
            found = [self._linked(name, id) for id in instance.value]
            if any(found):
                shown["entityList"] = [one for one in found if one is not None]
        elif (one := self._linked(name, instance.value)) is not None:
            shown["entity"] = one

    def _joined_simply(self, name: str, instance: Instance) -> Json:
        if isinstance(instance.value, list):
            return [self._linked(name, id) or id for id in instance.value]
        return self._linked(name, instance.value) or instance.value


def _as(instance: Instance, kind: AttributeType, value: Json) -> Instance:
    return Instance(
        type=kind,
        value=value,
        dataset_id=instance.dataset_id,
        observed_at=instance.observed_at,
        unit_code=instance.unit_code,
        created_at=instance.created_at,
        modified_at=instance.modified_at,
        expires_at=instance.expires_at,
        attributes=instance.attributes,
    )


def _add_times(shown: dict[str, Any], kept: Document | Instance) -> None:
    """Clause 6.3.11: the times that the broker keeps, as far as known."""
    if kept.created_at:
        shown["createdAt"] = kept.created_at
    if kept.modified_at:
        shown["modifiedAt"] = kept.modified_at
    if kept.expires_at:
        shown["expiresAt"] = kept.expires_at


def _stands_alone(kind: AttributeType, value: Json) -> bool:
    """A bare value is read back as what it is: no object that could be read as an attribute, no list of such."""
    if kind is AttributeType.GEO_PROPERTY:
        return True
    if isinstance(value, dict):
        return False
    return not (isinstance(value, list) and any(isinstance(one, dict) for one in value)) and value != NULL


def looks_like_another(value: Json) -> bool:
    """The value of a Property that would be read as a geometry if the type were not said."""
    return isinstance(value, dict) and "coordinates" in value
