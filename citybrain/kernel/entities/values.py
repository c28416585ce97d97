# SPDX-License-Identifier: Apache-2.0
"""The value of an attribute of each kind, as it is sent (CIM 009 clauses 4.5.2, 4.5.3, 4.5.18 to 4.5.24, 4.6.5)."""

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType
from citybrain.kernel.entities.geojson_reading import read_geometry
from citybrain.kernel.entities.names import check_uri, is_language, is_name, shown
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.ld.context import Context
from citybrain.kernel.records import Json

NULL_MAP = {"@none": NULL}
"""What stands for the NGSI-LD Null as a language map (clause 4.6.5)."""


class Nulls(StrEnum):
    """Where `urn:ngsi-ld:null` may stand (clauses 5.2.1, 5.5.4)."""

    REFUSED = "refused"
    """Nowhere: what is sent is whole."""
    DELETE = "delete"
    """As the value of an attribute or member, which it deletes: partial updates (clause 5.5.8)."""
    MERGE = "merge"
    """Also inside the value, where it deletes a member of it: merges (clause 5.5.12)."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How a payload is read: by which context, where nulls may stand, in which representation."""

    context: Context
    nulls: Nulls = Nulls.REFUSED
    simplified: bool = False
    repeats: bool = False
    """Several instances may have the same datasetId: a temporal representation (clause 4.5.6)."""


def read_value(where: str, kind: AttributeType, given: Json, reading: Reading) -> Json:
    """The value of an attribute of this kind in internal form, or NULL where that may stand. Refuses any other."""
    if given == NULL or (given == NULL_MAP and kind is AttributeType.LANGUAGE_PROPERTY):
        if reading.nulls is Nulls.REFUSED:
            raise null_refused(where)
        return NULL
    return _READERS[kind](where, given, reading)


def null_refused(where: str) -> BadRequestData:
    """`urn:ngsi-ld:null` stands where nothing can be deleted."""
    return BadRequestData("kernel.null_not_allowed", {"member": where})


def _property(where: str, given: Json, reading: Reading) -> Json:
    if given is None:
        raise _refuse(where, AttributeType.PROPERTY, given)
    if isinstance(given, dict | list):
        _check_nulls(where, given, reading)
    return given


def _relationship(where: str, given: Json, _: Reading) -> Json:
    if isinstance(given, list):
        if not given:
            raise _refuse(where, AttributeType.RELATIONSHIP, given)
        return [check_uri(where, one) for one in given]
    return check_uri(where, given)


def _geo_property(where: str, given: Json, _: Reading) -> Json:
    return read_geometry(where, given)


def _language_property(where: str, given: Json, reading: Reading) -> Json:
    if not isinstance(given, dict):
        raise _refuse(where, AttributeType.LANGUAGE_PROPERTY, given)
    for tag, words in given.items():
        if not is_language(tag):
            raise BadRequestData("kernel.language_invalid", {"member": where, "language": shown(tag)})
        several = words if isinstance(words, list) and words else [words]
        if not all(isinstance(word, str) for word in several):
            raise _refuse(where, AttributeType.LANGUAGE_PROPERTY, words)
    _check_nulls(where, given, reading)
    return given


def _vocab_property(where: str, given: Json, reading: Reading) -> Json:
    if isinstance(given, list) and given:
        return [_word(where, one, reading) for one in given]
    return _word(where, given, reading)


def _word(where: str, given: Json, reading: Reading) -> str:
    if not isinstance(given, str) or not given:
        raise _refuse(where, AttributeType.VOCAB_PROPERTY, given)
    return reading.context.expand_type(given)


def _list_property(where: str, given: Json, _: Reading) -> Json:
    if not isinstance(given, list):
        raise _refuse(where, AttributeType.LIST_PROPERTY, given)
    if _holds_null(given):
        raise null_refused(where)
    return given


def _list_relationship(where: str, given: Json, _: Reading) -> Json:
    if not isinstance(given, list):
        raise _refuse(where, AttributeType.LIST_RELATIONSHIP, given)
    return [check_uri(where, _object_of(one)) for one in given]


def _object_of(given: Json) -> Json:
    """An entry of an objectList: a URI (concise), or an object with the only member `object` (clause 4.5.22.2)."""
    return given["object"] if isinstance(given, dict) and given.keys() == {"object"} else given


def _json_property(where: str, given: Json, reading: Reading) -> Json:
    if not isinstance(given, dict | list):
        raise _refuse(where, AttributeType.JSON_PROPERTY, given)
    _check_nulls(where, given, reading)
    return given


def _check_nulls(where: str, given: Json, reading: Reading) -> None:
    """Refuses a null that cannot delete anything: in a merge one that is no member of an object, else any."""
    if _holds_null(given) if reading.nulls is not Nulls.MERGE else _has_lost_null(given):
        raise null_refused(where)


def _has_lost_null(given: Json) -> bool:
    """A list somewhere inside holds `urn:ngsi-ld:null`: lists are replaced as a whole (RFC 7396)."""
    waiting = [given]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            waiting.extend(held for held in found.values() if isinstance(held, dict | list))
        elif _holds_null(found):
            return True
    return False


def _holds_null(given: Json) -> bool:
    """`urn:ngsi-ld:null` stands somewhere inside, however deep."""
    waiting = [given]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
        elif found == NULL:
            return True
    return False


def check_type_name(where: str, given: Json, context: Context) -> str:
    """The internal name of an entity type. Refuses what clause 4.6.2 does not allow, and words of the language."""
    if not isinstance(given, str) or given in RESERVED or not is_name(given):
        raise BadRequestData("kernel.type_invalid", {"member": where, "value": shown(given)})
    return context.expand_type(given)


RESERVED = frozenset({"id", "type", "scope", "value", "object", NULL, *VALUE_KEY.values()})
"""Words that name a member of every entity or attribute, so that they cannot name a type."""


def _refuse(where: str, kind: AttributeType, given: Json) -> BadRequestData:
    facts = {"member": where, "type": str(kind), "value_key": VALUE_KEY[kind], "value": shown(given)}
    return BadRequestData("kernel.value_invalid", facts)


_READERS: Mapping[AttributeType, Callable[[str, Json, Reading], Json]] = {
    AttributeType.PROPERTY: _property,
    AttributeType.RELATIONSHIP: _relationship,
    AttributeType.GEO_PROPERTY: _geo_property,
    AttributeType.LANGUAGE_PROPERTY: _language_property,
    AttributeType.VOCAB_PROPERTY: _vocab_property,
    AttributeType.LIST_PROPERTY: _list_property,
    AttributeType.LIST_RELATIONSHIP: _list_relationship,
    AttributeType.JSON_PROPERTY: _json_property,
}
