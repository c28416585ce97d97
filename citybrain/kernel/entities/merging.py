# SPDX-License-Identifier: Apache-2.0
"""How what a request says of an attribute instance becomes its next state (CIM 009 clauses 5.5.8 and 5.5.12)."""

from typing import Any

import msgspec
from msgspec import UNSET

from citybrain.kernel.entities.attribute_reading import ONLY_FOR, Part
from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType, Instance
from citybrain.kernel.entities.fragment import check_proof, settle
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.values import Nulls, Reading, read_value
from citybrain.kernel.ld.context import CORE
from citybrain.kernel.records import Json

_AS_SENT = Reading(context=CORE, nulls=Nulls.MERGE)
_MERGED_INSIDE = frozenset({AttributeType.PROPERTY, AttributeType.LANGUAGE_PROPERTY, AttributeType.JSON_PROPERTY})


class MergeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge request says beside its body (clause 5.6.17.3).

    `observed_at` is taken where the instance had an observedAt and the fragment says none; `lang` is the language of
    a simplified text for a LanguageProperty.
    """

    observed_at: str = ""
    lang: str = ""


AS_IT_IS = MergeOptions()


def replaced(before: Instance, after: Instance) -> Instance:
    """The new instance in the place of an old one: it keeps when that was created, also of attributes within."""
    attributes = {name: _instances_replaced(before, name, several) for name, several in after.attributes.items()}
    return msgspec.structs.replace(after, created_at=before.created_at or after.created_at, attributes=attributes)


def _instances_replaced(before: Instance, name: str, several: tuple[Instance, ...]) -> tuple[Instance, ...]:
    old = {one.dataset_id: one for one in before.attributes.get(name, ())}
    return tuple(replaced(old[one.dataset_id], one) if one.dataset_id in old else one for one in several)


def partially_updated(name: str, before: Instance, part: Part, at: str) -> Instance:
    """Clause 5.5.8: members and attributes that are mentioned are replaced as a whole, the others stay.

    Refuses an attribute type other than the present one.
    """
    kind = _same_kind(name, before, part)
    value = before.value if part.value is UNSET else _checked(name, kind, part)
    attributes = dict(before.attributes)
    for sub, several in part.attributes.items():
        attributes[sub] = _update_sub(attributes.get(sub, ()), sub, several, at)
    return _fitting(name, part, _next(before, part, at, type=kind, value=value, attributes=attributes))


def merged(name: str, before: Instance, part: Part, at: str, options: MergeOptions = AS_IT_IS) -> Instance:
    """Clause 5.5.12: the same recursively, also into values that are objects (RFC 7396).

    A bare value takes the type that the attribute has; a type that is said and differs becomes the new one.
    """
    kind, value = _merged_value(name, before, part, options)
    attributes = dict(before.attributes)
    for sub, several in part.attributes.items():
        attributes[sub] = merge_instances(sub, attributes.get(sub, ()), several, at)
    after = _fitting(name, part, _next(before, part, at, type=kind, value=value, attributes=attributes))
    if options.observed_at and before.observed_at and "observed_at" not in part.members:
        return msgspec.structs.replace(after, observed_at=options.observed_at)
    return after


def merge_instances(
    name: str, before: tuple[Instance, ...], parts: tuple[Part, ...], at: str, options: MergeOptions = AS_IT_IS
) -> tuple[Instance, ...]:
    """All instances of an attribute after a merge: touched, added, deleted, and those nobody spoke of."""
    found = {one.dataset_id: one for one in before}
    for part in parts:
        old = found.get(part.dataset_id)
        if part.deletes:
            found.pop(part.dataset_id, None)
        elif old is None:
            found[part.dataset_id] = settled(name, part, at, options)
        else:
            found[part.dataset_id] = merged(name, old, part, at, options)
    return tuple(found.values())


def settled(name: str, part: Part, at: str, options: MergeOptions = AS_IT_IS) -> Instance:
    """A new instance out of a merge fragment: what it would delete inside the value is not there."""
    new = settle(name, part, at)
    attributes = {sub: merge_instances(sub, (), several, at) for sub, several in part.attributes.items()}
    kept = {sub: several for sub, several in attributes.items() if several}
    return msgspec.structs.replace(new, value=without_nulls(new.value), attributes=kept)


def merge_value(before: Json, patch: Json) -> Json:
    """JSON Merge Patch (RFC 7396) with `urn:ngsi-ld:null` in the place of null."""
    if not isinstance(patch, dict):
        return patch
    target = dict(before) if isinstance(before, dict) else {}
    for key, held in patch.items():
        if held == NULL:
            target.pop(key, None)
        else:
            target[key] = merge_value(target.get(key), held)
    return target


def without_nulls(value: Json) -> Json:
    """A value of its own, in which nothing stands that would delete something."""
    return merge_value({}, value) if isinstance(value, dict) else value


def _update_sub(before: tuple[Instance, ...], name: str, parts: tuple[Part, ...], at: str) -> tuple[Instance, ...]:
    found = {one.dataset_id: one for one in before}
    for part in parts:
        old = found.pop(part.dataset_id, None)
        if not part.deletes:
            new = settle(name, part, at)
            found[part.dataset_id] = replaced(old, new) if old else new
    return tuple(found.values())


def _next(before: Instance, part: Part, at: str, **changed: Any) -> Instance:
    """The next state of an instance: what is mentioned changes, NULL deletes, all else stays."""
    members = {key: _EMPTY[key] if held == NULL else held for key, held in part.members.items()}
    extra = {key: held for key, held in {**before.extra, **part.extra}.items() if held != NULL}
    changed["attributes"] = {name: several for name, several in changed["attributes"].items() if several}
    return msgspec.structs.replace(before, **members, **changed, extra=extra, modified_at=at)


def _fitting(name: str, part: Part, after: Instance) -> Instance:
    """The instance without members that its kind cannot have. Refuses those that were asked for just now."""
    strange = [field for field, kinds in ONLY_FOR.items() if getattr(after, field) and after.type not in kinds]
    for field in strange:
        if field in part.members:
            raise BadRequestData("kernel.member_not_allowed", {"member": f"{name}.{field}"})
        after = msgspec.structs.replace(after, **{field: _EMPTY[field]})
    check_proof(name, after.value)
    return after


_EMPTY: dict[str, Any] = {"observed_at": "", "unit_code": "", "expires_at": "", "object_type": ()}


def _same_kind(name: str, before: Instance, part: Part) -> AttributeType:
    if part.type is UNSET or part.type is before.type or (part.is_inferred and _same_key(before.type, part.type)):
        return before.type
    facts = {"member": name, "type": str(part.type), "was": str(before.type)}
    raise BadRequestData("kernel.attribute_type_differs", facts)


def _same_key(kind: AttributeType, other: object) -> bool:
    return isinstance(other, AttributeType) and VALUE_KEY[kind] == VALUE_KEY[other]


def _checked(name: str, kind: AttributeType, part: Part) -> Json:
    """The value as one of this kind: its own kind was already read, another one is read now."""
    return part.value if part.type is kind else read_value(name, kind, part.value, _AS_SENT)


def _merged_value(name: str, before: Instance, part: Part, options: MergeOptions) -> tuple[AttributeType, Json]:
    if part.value is UNSET:
        if part.type not in (UNSET, before.type):
            facts = {"member": name, "value_key": VALUE_KEY[part.type or before.type]}
            raise BadRequestData("kernel.attribute_without_value", facts)
        return before.type, before.value
    if isinstance(part.type, AttributeType) and part.type is not before.type and not part.is_inferred:
        return part.type, without_nulls(part.value)
    kind, value = before.type, part.value
    if part.is_inferred and part.type is not kind:
        value = _in_language(kind, value, options)
        value = read_value(name, kind, value, _AS_SENT)
    return kind, merge_value(before.value, value) if kind in _MERGED_INSIDE else value


def _in_language(kind: AttributeType, value: Json, options: MergeOptions) -> Json:
    """A bare text for a LanguageProperty is its text in the language asked for (clause 5.5.12)."""
    if kind is AttributeType.LANGUAGE_PROPERTY and isinstance(value, str):
        return {options.lang or "@none": value}
    return value
