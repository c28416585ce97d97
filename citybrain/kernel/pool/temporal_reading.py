# SPDX-License-Identifier: Apache-2.0
"""An evolution as it is sent: attributes as arrays of instances, scopes over time (CIM 009 clauses 4.5.6, 5.2.20)."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from citybrain.kernel.entities.document import NULL, VALUE_KEY, AttributeType, Document, Instance
from citybrain.kernel.entities.fragment import Fragment, read_attribute, read_attribute_name, read_fragment
from citybrain.kernel.entities.names import check_time, read_scopes
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.values import Nulls
from citybrain.kernel.ld.context import Context
from citybrain.kernel.pool.temporal_rows import SCOPE, null_of
from citybrain.kernel.records import Json

MEMBERS = frozenset({"id", "@id", "type", "@type", "@context", "createdAt", "modifiedAt", "deletedAt", "expiresAt"})


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an entity over time: who it is, and instances by internal name, the scopes among them."""

    id: str
    types: tuple[str, ...]
    instances: tuple[tuple[str, Instance], ...]

    def document(self, at: str) -> Document:
        """The entity without attributes; its scopes are those that were set last."""
        scoped = [instance.value for name, instance in self.instances if name == SCOPE]
        last = scoped[-1] if scoped else []
        scopes = (last,) if isinstance(last, str) else tuple(last)
        return Document(id=self.id, types=self.types, scopes=scopes, created_at=at, modified_at=at)


def read_evolution(payload: Json, context: Context, at: str, *, whole: bool) -> Given:
    """A temporal representation, normalized or concise. `whole` asks for id and type (clause 5.6.11).

    Refuses with `BadRequestData` what the same members of an entity may not be.
    """
    if not isinstance(payload, dict):
        raise BadRequestData("kernel.not_an_object", {"member": "entity"})
    members = {key: held for key, held in payload.items() if key in MEMBERS}
    fragment = read_fragment(members, context, nulls=Nulls.REFUSED)
    if whole:
        _check_whole(fragment)
    instances = [
        pair
        for key, held in payload.items()
        if key not in MEMBERS
        for pair in _instances(read_attribute_name(key, context), held, context, at)
    ]
    if not whole and not instances:
        raise BadRequestData("kernel.member_missing", {"member": "attributes"})
    return Given(id=fragment.id, types=fragment.types, instances=tuple(instances))


def _check_whole(fragment: Fragment) -> None:
    for member, held in (("id", fragment.id), ("type", fragment.types)):
        if not held:
            raise BadRequestData("kernel.member_missing", {"member": member})


def _instances(name: str, given: Json, context: Context, at: str) -> Iterator[tuple[str, Instance]]:
    if name == SCOPE:
        yield from ((SCOPE, each) for each in _scopes(given, at))
        return
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        given = [given]
    for each in given:
        if _deletes(each):
            yield name, _deleted(name, each, context, at)
        else:
            yield from ((name, one) for one in read_attribute(name, each, context, at, repeats=True))


def _scopes(given: Json, at: str) -> Iterator[Instance]:
    """Scopes over time as instances of a Property; scopes as an entity has them are set now (clause 4.5.6)."""
    several = given if isinstance(given, list) and given and all(isinstance(each, dict) for each in given) else None
    if several is None and not isinstance(given, dict):
        yield _scope(given, observed_at=at, at=at)
        return
    for each in several or [given]:
        seen = each.get("observedAt")
        yield _scope(each.get("value"), observed_at=check_time("scope.observedAt", seen) if seen else at, at=at)


def _scope(given: Json, *, observed_at: str, at: str) -> Instance:
    scopes = read_scopes(given)
    value: Json = scopes[0] if len(scopes) == 1 else list(scopes)
    return Instance(type=AttributeType.PROPERTY, value=value, observed_at=observed_at, created_at=at, modified_at=at)


def _deletes(given: Json) -> bool:
    """An instance that records a deletion: the null of its kind (clauses 4.5.7, 5.5.4)."""
    return isinstance(given, dict) and any(
        given.get(key) == NULL or (key == "languageMap" and given.get(key) == {"@none": NULL})
        for key in VALUE_KEY.values()
    )


def _deleted(name: str, given: Mapping[str, Any], context: Context, at: str) -> Instance:
    """It is read with a value that stands in for the null, so that everything else is checked as ever."""
    key = next(key for key in VALUE_KEY.values() if key in given)
    instance = read_attribute(name, {**given, key: _STANDING_IN.get(key, "urn:x:y")}, context, at, repeats=True)[0]
    return msgspec.structs.replace(instance, value=null_of(instance.type))


_STANDING_IN: Mapping[str, Json] = {"languageMap": {"@none": "-"}, "valueList": ["-"], "objectList": ["urn:x:y"]}
