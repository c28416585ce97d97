# SPDX-License-Identifier: Apache-2.0
"""Attributes as they are sent, normalized, concise or simplified (CIM 009 clauses 4.5.2 to 4.5.5, 4.5.18 to 4.5.24)."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType
from citybrain.kernel.entities.geojson_reading import looks_like_geometry
from citybrain.kernel.entities.names import check_time, check_uri, is_name, shown
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.values import Nulls, Reading, check_type_name, null_refused, read_value
from citybrain.kernel.records import Json

DEEPEST = 10
"""So many attributes of attributes may stand inside each other."""

PROOF = "ngsildproof"
ALWAYS_GEO = frozenset({"location", "observationSpace", "operationSpace"})
"""Attributes that the standard defines as GeoProperties (clause 4.7.1)."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of one attribute instance. What it does not mention is UNSET, or not in `members`.

    A `value` of NULL deletes the instance, NULL in `members` or `extra` deletes that member. `is_inferred` tells that
    the type was not said but follows from what stands there. `members` has fields of `Instance` by their names:
    observed_at, unit_code, expires_at, object_type.
    """

    type: AttributeType | UnsetType = UNSET
    is_inferred: bool = False
    value: Json | UnsetType = UNSET
    dataset_id: str = ""
    members: dict[str, Any] = {}
    attributes: dict[str, tuple["Part", ...]] = {}
    extra: dict[str, Json] = {}
    instance_id: str = ""

    @property
    def is_empty(self) -> bool:
        """It says nothing that could be changed."""
        return self.value is UNSET and not (self.members or self.attributes or self.extra)

    @property
    def deletes(self) -> bool:
        """It deletes the instance."""
        return self.value == NULL


_ALSO_IN_VALUES = frozenset({"type", "@type", "id", "@id", "lang", "@context"})
"""Members that a value which is an object may have as well as an attribute."""

_TYPES: Mapping[str, AttributeType] = {str(kind): kind for kind in AttributeType}
_TYPE_OF_KEY: Mapping[str, AttributeType] = {
    key: kind for kind, key in VALUE_KEY.items() if kind is not AttributeType.GEO_PROPERTY
}
ONLY_FOR: Mapping[str, frozenset[AttributeType]] = {
    "unit_code": frozenset({AttributeType.PROPERTY, AttributeType.LIST_PROPERTY, AttributeType.GEO_PROPERTY}),
    "object_type": frozenset({AttributeType.RELATIONSHIP, AttributeType.LIST_RELATIONSHIP}),
}
"""Members that only some kinds of attributes have."""


def read_parts(name: str, given: Json, reading: Reading, where: str = "", depth: int = 1) -> tuple[Part, ...]:
    """The instances of the attribute with this internal name.

    `where` is the member as it was written. Refuses, naming it, what clauses 4.5.x do not allow: two instances with
    the same datasetId (unless `reading.repeats`), no value where all is whole, members of another kind of attribute.
    """
    where = where or name
    if depth > DEEPEST:
        raise BadRequestData("kernel.too_deep", {"member": where, "deepest": DEEPEST})
    if reading.simplified:
        parts = _simplified(name, given, reading, where)
    elif isinstance(given, list) and given and all(_is_reified(one) for one in given):
        parts = tuple(read_part(name, one, reading, where, depth) for one in given)
    else:
        parts = (_single(name, given, reading, where, depth),)
    if len(parts) > 1 and not reading.repeats:
        _check_different(where, parts)
    return parts


def _check_different(where: str, parts: tuple[Part, ...]) -> None:
    seen: set[str] = set()
    for part in parts:
        if part.dataset_id in seen:
            facts = {"member": where, "dataset_id": part.dataset_id or "@none"}
            raise BadRequestData("kernel.dataset_twice", facts)
        seen.add(part.dataset_id)


def says_type(given: Mapping[str, Json]) -> bool:
    """The object says that it is an attribute of some kind."""
    return _type_said(given) in _TYPES


def _is_reified(given: Json) -> bool:
    """An object that stands for an attribute instance, not for the value of one."""
    if not isinstance(given, dict):
        return False
    if says_type(given):
        return True
    return not looks_like_geometry(given) and any(key in _TYPE_OF_KEY for key in given)


def _type_said(given: Mapping[str, Json]) -> str:
    said = given.get("type", given.get("@type"))
    return said if isinstance(said, str) else ""


def _single(name: str, given: Json, reading: Reading, where: str, depth: int) -> Part:
    """One instance: an object that describes it, or the bare value of a Property or GeoProperty (concise)."""
    if isinstance(given, dict) and not looks_like_geometry(given):
        if _is_reified(given) or _describes(given, reading):
            return read_part(name, given, reading, where, depth)
        _check_no_context(where, given)
    return _bare(name, given, reading, where)


def _check_no_context(where: str, given: Mapping[str, Json]) -> None:
    if "@context" in given:
        raise BadRequestData("kernel.member_not_allowed", {"member": f"{where}.@context"})


def _describes(given: Mapping[str, Json], reading: Reading) -> bool:
    """An object without type and value that still speaks of an attribute, and is not a value that is an object."""
    if any(key in _MEMBERS and key not in _ALSO_IN_VALUES for key in given):
        return True
    return reading.nulls is not Nulls.REFUSED and _has_only_attributes(given)


def _has_only_attributes(given: Mapping[str, Json]) -> bool:
    """Every member is an attribute, or speaks of one in the same way: a merge that goes deep (clause 5.5.12)."""
    return bool(given) and all(
        _is_reified(one) or (isinstance(one, dict) and _has_only_attributes(one)) for one in given.values()
    )


def _bare(name: str, given: Json, reading: Reading, where: str) -> Part:
    if given == NULL:
        if reading.nulls is Nulls.REFUSED:
            raise null_refused(where)
        return Part(value=NULL)
    kind = AttributeType.GEO_PROPERTY if looks_like_geometry(given) else AttributeType.PROPERTY
    _check_kind(name, kind, where)
    return Part(type=kind, is_inferred=True, value=read_value(where, kind, given, reading))


def _simplified(name: str, given: Json, reading: Reading, where: str) -> tuple[Part, ...]:
    """The bare value of clause 4.5.4; the kinds that need it stand in an object with the only key of their value."""
    if isinstance(given, dict) and len(given) == 1:
        key, held = next(iter(given.items()))
        if key == "dataset" and isinstance(held, dict):
            return tuple(_one_of_dataset(name, id, one, reading, where) for id, one in held.items())
        if key in ("languageMap", "vocab", "json"):
            kind = _TYPE_OF_KEY[key]
            return (Part(type=kind, value=read_value(where, kind, held, reading)),)
    return (_bare(name, given, reading, where),)


def _one_of_dataset(name: str, id: str, given: Json, reading: Reading, where: str) -> Part:
    part = _simplified(name, given, reading, where)[0]
    return msgspec.structs.replace(part, dataset_id=_dataset_id(where, id))


def read_part(name: str, given: Json, reading: Reading, where: str = "", depth: int = 1) -> Part:
    """One instance of an attribute from the object that describes it, in normalized or concise form."""
    where = where or name
    if not isinstance(given, dict):
        raise BadRequestData("kernel.not_an_object", {"member": where})
    kind, key = _kind(where, given)
    if kind is not UNSET:
        _check_kind(name, kind, where)
    value: Json | UnsetType = UNSET
    if key in given:
        value = read_value(where, kind or AttributeType.PROPERTY, given[key], reading)
    elif reading.nulls is Nulls.REFUSED:
        raise BadRequestData("kernel.attribute_without_value", {"member": where, "value_key": key})
    into = _Members(name, kind, reading, where, depth)
    for member, held in given.items():
        if member != key:
            into.take(member, held)
    is_inferred = "type" not in given and "@type" not in given
    return Part(type=kind, is_inferred=is_inferred, value=value, **into.fields())


def _kind(where: str, given: Mapping[str, Json]) -> tuple[AttributeType | UnsetType, str]:
    """The kind of attribute that is said, or follows from the key of its value (clause 4.5.2.3), and that key."""
    if "type" in given or "@type" in given:
        kind = _TYPES.get(_type_said(given))
        if kind is None:
            facts = {"member": where, "type": shown(given.get("type", given.get("@type")))}
            raise BadRequestData("kernel.attribute_type_unknown", facts)
        return kind, VALUE_KEY[kind]
    keys = [key for key in given if key in _TYPE_OF_KEY]
    if not keys:
        return UNSET, "value"
    inferred = _TYPE_OF_KEY[keys[0]]
    if inferred is AttributeType.PROPERTY and looks_like_geometry(given["value"]):
        inferred = AttributeType.GEO_PROPERTY
    return inferred, keys[0]


def _check_kind(name: str, kind: AttributeType, where: str) -> None:
    if name in ALWAYS_GEO and kind is not AttributeType.GEO_PROPERTY:
        raise BadRequestData("kernel.attribute_type_fixed", {"member": where, "type": "GeoProperty"})


class _Members:
    """What stands in an attribute beside type and value, being sorted."""

    def __init__(self, name: str, kind: AttributeType | UnsetType, reading: Reading, where: str, depth: int) -> None:
        self.name = name
        self.kind = kind
        self.reading = reading
        self.where = where
        self._depth = depth
        self.dataset_id = ""
        self.instance_id = ""
        self.members: dict[str, Any] = {}
        self.extra: dict[str, Json] = {}
        self._attributes: dict[str, tuple[Part, ...]] = {}

    def fields(self) -> dict[str, Any]:
        return {
            "dataset_id": self.dataset_id,
            "instance_id": self.instance_id,
            "members": self.members,
            "extra": self.extra,
            "attributes": self._attributes,
        }

    def take(self, member: str, held: Json) -> None:
        take = _MEMBERS.get(member)
        if take is None:
            name = attribute_name(member, self.reading, f"{self.where}.{member}")
            take = _MEMBERS.get(name)
            if take is None:
                self._attribute(name, member, held)
                return
        take(self, member, held)

    def _attribute(self, name: str, member: str, held: Json) -> None:
        where = f"{self.where}.{member}"
        if name in self._attributes:
            raise BadRequestData("kernel.attribute_twice", {"member": where})
        self._attributes[name] = read_parts(name, held, self.reading, where, self._depth + 1)

    def deletes(self, member: str, held: Json) -> bool:
        """The member is to be deleted. Refused where nothing can be."""
        if held != NULL:
            return False
        if self.reading.nulls is Nulls.REFUSED:
            raise null_refused(f"{self.where}.{member}")
        return True

    def check_kind(self, field: str, member: str) -> None:
        if self.kind is not UNSET and self.kind not in ONLY_FOR[field]:
            raise self.refused(member)

    def refused(self, member: str) -> BadRequestData:
        facts = {"member": f"{self.where}.{member}"}
        return BadRequestData("kernel.member_not_allowed", facts)


def attribute_name(member: str, reading: Reading, where: str) -> str:
    """The internal name of an attribute. Refuses a name that clause 4.6.2 does not allow."""
    name = reading.context.expand(member)
    if member.startswith("@") or not is_name(member):
        raise BadRequestData("kernel.name_invalid", {"member": where, "name": shown(member)})
    return name


def _dataset_id(where: str, held: Json) -> str:
    if held == NULL:
        raise null_refused(f"{where}.datasetId")
    return "" if held == "@none" else check_uri(f"{where}.datasetId", held)


def _take_dataset(into: _Members, member: str, held: Json) -> None:
    into.dataset_id = _dataset_id(into.where, held)


def _take_instance(into: _Members, member: str, held: Json) -> None:
    into.instance_id = held if isinstance(held, str) else ""


def _take_observed_at(into: _Members, member: str, held: Json) -> None:
    into.members["observed_at"] = NULL if into.deletes(member, held) else check_time(f"{into.where}.{member}", held)


def _take_expires_at(into: _Members, member: str, held: Json) -> None:
    into.members["expires_at"] = NULL if into.deletes(member, held) else check_time(f"{into.where}.{member}", held)


def _take_unit(into: _Members, member: str, held: Json) -> None:
    into.check_kind("unit_code", member)
    if not isinstance(held, str) or not held:
        raise into.refused(member)
    into.members["unit_code"] = NULL if into.deletes(member, held) else held


def _take_object_type(into: _Members, member: str, held: Json) -> None:
    into.check_kind("object_type", member)
    if into.deletes(member, held):
        into.members["object_type"] = NULL
        return
    several = held if isinstance(held, list) and held else [held]
    where = f"{into.where}.{member}"
    into.members["object_type"] = tuple(check_type_name(where, one, into.reading.context) for one in several)


def _take_value_type(into: _Members, member: str, held: Json) -> None:
    """Table 5.2.32-1: the valueType of a LanguageProperty is langString."""
    only = "langString" if into.kind is AttributeType.LANGUAGE_PROPERTY else None
    if not isinstance(held, str) or not held or (only and held not in (only, f"rdf:{only}", NULL)):
        raise into.refused(member)
    into.extra["valueType"] = NULL if into.deletes(member, held) else held


def _take_language(into: _Members, member: str, held: Json) -> None:
    if not isinstance(held, str):
        raise into.refused(member)
    into.extra["lang"] = NULL if into.deletes(member, held) else held


def _take_seal(into: _Members, member: str, held: Json) -> None:
    """Clause 4.5.2.2: what was sealed is said by the Property `ngsildproof` and by nothing else."""
    if into.name != PROOF or not isinstance(held, str):
        raise into.refused(member)
    into.extra[member] = into.reading.context.expand_type(held) if member == "entityTypeSealed" else held


def _pass_by(into: _Members, member: str, held: Json) -> None:
    """What the broker makes itself is not taken from outside."""


def _refuse(into: _Members, member: str, held: Json) -> None:
    raise into.refused(member)


_MEMBERS: Mapping[str, Callable[[_Members, str, Json], None]] = {
    "type": _pass_by,
    "@type": _pass_by,
    "datasetId": _take_dataset,
    "instanceId": _take_instance,
    "observedAt": _take_observed_at,
    "expiresAt": _take_expires_at,
    "unitCode": _take_unit,
    "objectType": _take_object_type,
    "valueType": _take_value_type,
    "lang": _take_language,
    "entityIdSealed": _take_seal,
    "entityTypeSealed": _take_seal,
    "createdAt": _pass_by,
    "modifiedAt": _pass_by,
    "deletedAt": _pass_by,
    **dict.fromkeys(VALUE_KEY.values(), _refuse),
    **dict.fromkeys(("@context", "@id", "id", "entity", "entityList"), _refuse),
    **dict.fromkeys(
        (
            "previousValue",
            "previousObject",
            "previousLanguageMap",
            "previousVocab",
            "previousJson",
            "previousValueList",
            "previousObjectList",
        ),
        _refuse,
    ),
}
