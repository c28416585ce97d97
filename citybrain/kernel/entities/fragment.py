# SPDX-License-Identifier: Apache-2.0
"""From the wire to the internal form: whole entities, fragments of them, single attributes (CIM 009 clause 5.5.4)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from citybrain.kernel.entities.attribute_reading import PROOF, Part, attribute_name, read_part, read_parts, says_type
from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType, Document, Instance
from citybrain.kernel.entities.names import check_time, check_uri, read_scopes
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.values import Nulls, Reading, check_type_name, null_refused
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json


class Fragment(msgspec.Struct, frozen=True, kw_only=True):
    """What a request says of an entity; nulls are kept where they delete something.

    `scopes` is None when not mentioned and empty when they are to be deleted; `expires_at` is None when not
    mentioned and NULL when it is to be deleted.
    """

    id: str = ""
    types: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    expires_at: str | None = None
    attributes: dict[str, tuple[Part, ...]] = {}


_ID = ("id", "@id")
_TYPE = ("type", "@type")
_MADE_BY_US = frozenset({"@context", "createdAt", "modifiedAt", "deletedAt"})
_VALUE_KEYS = frozenset(VALUE_KEY.values())
_NEVER_ATTRIBUTES = frozenset(
    {
        *("datasetId", "instanceId", "observedAt", "unitCode", "objectType", "valueType", "lang", "dataset"),
        *("entity", "entityList", "entityIdSealed", "entityTypeSealed"),
        *("previousValue", "previousObject", "previousLanguageMap", "previousVocab", "previousJson"),
        *("previousValueList", "previousObjectList"),
    }
)
"""Clause 4.5.1: the core context knows these as members of attributes, so they cannot name one."""


def read_entity(payload: Json, context: Context, at: str) -> Document:
    """A whole entity (clause 5.2.4), stamped as made at `at`.

    `@context` and the times the broker keeps are passed over. Refuses with `BadRequestData`, naming the member.
    """
    fragment = _read(payload, Reading(context=context))
    return whole(fragment, at)


def whole(fragment: Fragment, at: str) -> Document:
    """A fragment as a new entity. Refuses one without id, type, or with attributes that have no value."""
    if not fragment.id:
        raise BadRequestData("kernel.member_missing", {"member": "id"})
    if not fragment.types:
        raise BadRequestData("kernel.member_missing", {"member": "type"})
    return Document(
        id=fragment.id,
        types=fragment.types,
        scopes=fragment.scopes or (),
        created_at=at,
        modified_at=at,
        expires_at="" if fragment.expires_at in (None, NULL) else str(fragment.expires_at),
        attributes=settle_all(fragment.attributes, at),
    )


def read_fragment(
    payload: Json, context: Context, at: str = "", *, nulls: Nulls = Nulls.DELETE, simplified: bool = False
) -> Fragment:
    """What a request says of an entity (clause 5.2.4): id and type may be missing.

    Appending (5.6.3) takes `Nulls.REFUSED`, updating (5.6.2) `DELETE`, merging (5.6.17) `MERGE`; `simplified` reads
    bare values (clause 4.5.4). Nothing in it is stamped, so that `at` does not matter. Refuses `BadRequestData`.
    """
    return _read(payload, Reading(context=context, nulls=nulls, simplified=simplified))


def read_attribute(
    name: str, payload: Json, context: Context, at: str, *, repeats: bool = False
) -> tuple[Instance, ...]:
    """The instances of one attribute, whole (clause 5.6.19), stamped as made at `at`.

    `name` is the internal name. `repeats` allows the same datasetId several times: a temporal representation.
    """
    reading = Reading(context=context, repeats=repeats)
    return tuple(settle(name, part, at) for part in read_parts(name, _without_context(payload), reading))


def read_attribute_fragment(name: str, payload: Json, context: Context) -> Part:
    """What a partial update says of one instance of an attribute (clause 5.6.4); `name` is the internal name."""
    return read_part(name, _without_context(payload), Reading(context=context, nulls=Nulls.DELETE))


def read_attribute_name(term: str, context: Context) -> str:
    """The internal name of an attribute named in an address. Refuses what cannot be a name (clause 4.6.2)."""
    return attribute_name(term, Reading(context=context), term)


def settle(name: str, part: Part, at: str) -> Instance:
    """A part as a whole new instance, stamped `at`. Refuses one without a value (clause 4.2.2)."""
    kind = part.type
    if not isinstance(kind, AttributeType) or part.value is msgspec.UNSET or part.deletes:
        raise BadRequestData(
            "kernel.attribute_without_value", {"member": name, "value_key": VALUE_KEY[kind or AttributeType.PROPERTY]}
        )
    check_proof(name, part.value)
    return Instance(
        type=kind,
        value=part.value,
        dataset_id=part.dataset_id,
        created_at=at,
        modified_at=at,
        attributes=settle_all(part.attributes, at) if part.attributes else {},
        extra=_kept(part.extra) if part.extra else {},
        **_kept(part.members),
    )


def check_proof(name: str, value: Json) -> None:
    """Clause 4.5.2.2: the value of the Property that seals others is an object."""
    if name == PROOF and not isinstance(value, dict):
        raise BadRequestData("kernel.proof_invalid", {"member": name})


def _kept(members: dict[str, Any]) -> dict[str, Any]:
    """The members but for those that are to be deleted."""
    return {key: held for key, held in members.items() if held != NULL} if NULL in members.values() else members


def settle_all(parts: Mapping[str, tuple[Part, ...]], at: str) -> dict[str, tuple[Instance, ...]]:
    """Parts by name as whole new instances; what they delete is not there."""
    settled = {
        name: tuple(settle(name, one, at) for one in several if not one.deletes) for name, several in parts.items()
    }
    return {name: several for name, several in settled.items() if several}


def _check_no_member(name: str, key: str, held: Json) -> None:
    """Refuses members of attributes as attributes. The keys of values (`value`, `vocab`, …) pass if a type is said:
    then nobody has mistaken the entity for an attribute."""
    is_told = isinstance(held, dict) and says_type(held)
    if name in _NEVER_ATTRIBUTES or (name in _VALUE_KEYS and not is_told):
        raise BadRequestData("kernel.member_not_allowed", {"member": key})


def _without_context(payload: Json) -> Json:
    if isinstance(payload, dict) and "@context" in payload:
        return {key: held for key, held in payload.items() if key != "@context"}
    return payload


def _read(payload: Json, reading: Reading) -> Fragment:
    if not isinstance(payload, dict):
        raise BadRequestData("kernel.not_an_object", {"member": "entity"})
    taken = _Taken(reading)
    for key, held in payload.items():
        taken.take(key, held)
    return taken.fragment()


class _Taken:
    """An entity being read, member by member."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._id = ""
        self._types: tuple[str, ...] = ()
        self._scopes: tuple[str, ...] | None = None
        self._expires_at: str | None = None
        self._attributes: dict[str, tuple[Part, ...]] = {}

    def fragment(self) -> Fragment:
        return Fragment(
            id=self._id,
            types=self._types,
            scopes=self._scopes,
            expires_at=self._expires_at,
            attributes=self._attributes,
        )

    def take(self, key: str, held: Json) -> None:
        if key in _ID:
            self._id = check_uri("id", None if held == NULL else held)
        elif key in _TYPE:
            self._types = self._read_types(held)
        elif key not in _MADE_BY_US:
            self._take_other(key, held)

    def _take_other(self, key: str, held: Json) -> None:
        name = attribute_name(key, self._reading, key)
        if name in _ID or name in _TYPE:
            self.take(name, held)
        elif name == "scope":
            self._scopes = () if self._deletes(key, held) else read_scopes(held)
        elif name == "expiresAt":
            self._expires_at = NULL if self._deletes(key, held) else check_time(key, held)
        elif name in self._attributes:
            raise BadRequestData("kernel.attribute_twice", {"member": key})
        elif name not in _MADE_BY_US:
            _check_no_member(name, key, held)
            self._attributes[name] = read_parts(name, held, self._reading, key)

    def _deletes(self, key: str, held: Json) -> bool:
        if held == NULL and self._reading.nulls is Nulls.REFUSED:
            raise null_refused(key)
        return bool(held == NULL)

    def _read_types(self, held: Json) -> tuple[str, ...]:
        several = held if isinstance(held, list) else [held]
        if not several:
            raise BadRequestData("kernel.member_missing", {"member": "type"})
        names = [check_type_name("type", one, self._reading.context) for one in several]
        return tuple(dict.fromkeys(names))
