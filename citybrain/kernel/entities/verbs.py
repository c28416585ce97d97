# SPDX-License-Identifier: Apache-2.0
"""What may be done to an entity, as functions from its state to the change (CIM 009 clauses 5.6.1 to 5.6.21).

Each gives a whole `EntityChange`, or None when nothing changes. `at` is when it happens; its text stamps what is
touched. Nothing is looked up and nothing is stored here.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from citybrain.kernel.entities.attribute_reading import Part
from citybrain.kernel.entities.document import (
    NULL,
    AttributeChange,
    Attributes,
    Document,
    Done,
    EntityChange,
    Instance,
)
from citybrain.kernel.entities.fragment import Fragment, settle
from citybrain.kernel.entities.merging import AS_IT_IS, MergeOptions, merge_instances, partially_updated, replaced
from citybrain.kernel.entities.refusals import BadRequestData
from citybrain.kernel.entities.times import text_of
from citybrain.kernel.errors import Conflict, NotFound

SCOPE = "scope"
TYPE = "type"


class AlreadyExists(Conflict):
    """There is such an entity already (error type AlreadyExists)."""


class NoSuchAttribute(NotFound):
    """The entity has no such attribute, or not with this datasetId (error type ResourceNotFound)."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a fragment: the change, and the internal names that were and were not taken (clause 5.2.18).

    `not_updated` has a code of why for each name. `change` is None when nothing was taken.
    """

    change: EntityChange | None
    updated: tuple[str, ...] = ()
    not_updated: tuple[tuple[str, str], ...] = ()


def create(tenant: str, document: Document, at: datetime) -> EntityChange:
    """Clause 5.6.1: a new entity. Whether there is one already is for the caller to know."""
    return _change(tenant, None, document, at)


def replace(before: Document, document: Document, *, tenant: str, at: datetime) -> EntityChange:
    """Clause 5.6.18: nothing of the old entity stays but when it was created; so with its attributes.

    Refuses a document with another id.
    """
    _check_id(before, document.id)
    attributes = {name: _replaced(before, name, several) for name, several in document.attributes.items()}
    kept = before.created_at or document.created_at
    after = msgspec.structs.replace(document, created_at=kept, modified_at=text_of(at), attributes=attributes)
    return _change(tenant, before, after, at)


def _replaced(before: Document, name: str, several: tuple[Instance, ...]) -> tuple[Instance, ...]:
    old = {one.dataset_id: one for one in before.attributes.get(name, ())}
    return tuple(replaced(old[one.dataset_id], one) if one.dataset_id in old else one for one in several)


def append(before: Document, fragment: Fragment, *, overwrite: bool, tenant: str, at: datetime) -> Applied:
    """Clause 5.6.3: types are added, attribute instances added, or replaced where `overwrite`.

    Without `overwrite` an instance that is there stays and its name is not updated; scopes are added to those there.
    """
    take = _Take(before, fragment, at)
    take.types()
    if fragment.scopes is not None:
        take.scopes(fragment.scopes if overwrite else tuple(dict.fromkeys((*before.scopes, *fragment.scopes))))
    for name, part in _each(fragment.attributes):
        if overwrite or take.found(name, part) is None:
            take.put(name, part)
        else:
            take.refuse(name, "kernel.attribute_exists")
    return take.applied(tenant)


def update(before: Document, fragment: Fragment, *, tenant: str, at: datetime) -> Applied:
    """Clause 5.6.2: attribute instances are replaced, new ones added, those with a null value deleted (5.5.8).

    Types are added. Scopes are replaced when the entity has any, else not updated.
    """
    take = _Take(before, fragment, at)
    take.types()
    if fragment.scopes is not None:
        if before.scopes:
            take.scopes(fragment.scopes)
        else:
            take.refuse(SCOPE, "kernel.no_such_attribute")
    for name, part in _each(fragment.attributes):
        if not part.deletes:
            take.put(name, part)
        elif take.found(name, part) is None:
            take.refuse(name, "kernel.no_such_attribute")
        else:
            take.drop(name, part)
    return take.applied(tenant)


def partial_update(before: Document, name: str, part: Part, *, tenant: str, at: datetime) -> EntityChange:
    """Clause 5.6.4: some members of one attribute instance, found by its datasetId, are replaced; null deletes.

    Refuses a missing instance (`NoSuchAttribute`), the scope, an empty fragment and another attribute type.
    """
    _check_not_scope(name)
    if part.is_empty:
        raise BadRequestData("kernel.fragment_empty", {"member": name})
    old = _instance(before, name, part.dataset_id)
    if part.deletes:
        return _without(before, {(name, part.dataset_id)}, tenant=tenant, at=at)
    new = partially_updated(name, old, part, text_of(at))
    return _with(before, name, [new], tenant=tenant, at=at)


def replace_attribute(
    before: Document, name: str, instances: Iterable[Instance], *, tenant: str, at: datetime
) -> EntityChange:
    """Clause 5.6.19: whole instances in the place of those with the same datasetId, also of another type.

    Refuses a missing instance (`NoSuchAttribute`) and the scope.
    """
    _check_not_scope(name)
    new = [replaced(_instance(before, name, one.dataset_id), one) for one in instances]
    return _with(before, name, new, tenant=tenant, at=at)


def merge(
    before: Document, fragment: Fragment, *, tenant: str, at: datetime, options: MergeOptions = AS_IT_IS
) -> EntityChange | None:
    """Clause 5.6.17: the fragment goes into the entity as a merge patch (5.5.12); null deletes on every level.

    Types are added, scopes replaced. Refuses a fragment of another id.
    """
    _check_id(before, fragment.id)
    stamp = text_of(at)
    attributes = dict(before.attributes)
    for name, parts in fragment.attributes.items():
        several = merge_instances(name, attributes.get(name, ()), parts, stamp, options)
        attributes[name] = several
    after = _after(before, fragment, attributes, at)
    if fragment.scopes is not None:
        after = msgspec.structs.replace(after, scopes=fragment.scopes)
    return _if_changed(_change(tenant, before, after, at))


def delete_attribute(
    before: Document, name: str, *, dataset_id: str = "", delete_all: bool = False, tenant: str, at: datetime
) -> EntityChange:
    """Clause 5.6.5: one instance, or all of them; the scope too. Refuses what is not there (`NoSuchAttribute`)."""
    if name == SCOPE:
        if not before.scopes:
            raise NoSuchAttribute("kernel.no_such_attribute", {"member": name})
        return _change(tenant, before, _stamped(before, at, scopes=()), at)
    instances = before.attributes.get(name, ())
    if not delete_all:
        instances = (_instance(before, name, dataset_id),)
    if not instances:
        raise NoSuchAttribute("kernel.no_such_attribute", {"member": name})
    return _without(before, {(name, one.dataset_id) for one in instances}, tenant=tenant, at=at)


def delete(before: Document, *, tenant: str, at: datetime) -> EntityChange:
    """Clause 5.6.6: the whole entity, with a change for each attribute instance it had."""
    return _change(tenant, before, None, at)


def purge(
    before: Document, *, drop: Collection[str] = (), keep: Collection[str] = (), tenant: str, at: datetime
) -> EntityChange | None:
    """Clause 5.6.21: the whole entity; or the attributes named in `drop`, or all but those named in `keep`."""
    if not drop and not keep:
        return delete(before, tenant=tenant, at=at)
    gone = {name for name in before.attributes if (name in drop if drop else name not in keep)}
    if not gone:
        return None
    pairs = {(name, one.dataset_id) for name in gone for one in before.attributes[name]}
    return _without(before, pairs, tenant=tenant, at=at)


class _Take:
    """A fragment being taken into an entity, attribute instance by attribute instance."""

    def __init__(self, before: Document, fragment: Fragment, at: datetime) -> None:
        self._before = before
        self._fragment = fragment
        self._at = at
        self._stamp = text_of(at)
        self._scopes = before.scopes
        self._attributes: dict[str, dict[str, Instance]] = {}
        self._updated: dict[str, None] = {}
        self._refused: dict[str, str] = {}

    def types(self) -> None:
        if self._fragment.types:
            self._updated[TYPE] = None

    def scopes(self, scopes: tuple[str, ...]) -> None:
        self._scopes = scopes
        self._updated[SCOPE] = None

    def found(self, name: str, part: Part) -> Instance | None:
        return self._of(name).get(part.dataset_id)

    def put(self, name: str, part: Part) -> None:
        new = settle(name, part, self._stamp)
        old = self.found(name, part)
        self._of(name)[part.dataset_id] = replaced(old, new) if old else new
        self._updated[name] = None

    def drop(self, name: str, part: Part) -> None:
        del self._of(name)[part.dataset_id]
        self._updated[name] = None

    def refuse(self, name: str, why: str) -> None:
        self._refused[name] = why

    def applied(self, tenant: str) -> Applied:
        touched = {name: tuple(several.values()) for name, several in self._attributes.items()}
        after = _after(self._before, self._fragment, {**self._before.attributes, **touched}, self._at)
        after = msgspec.structs.replace(after, scopes=self._scopes)
        change = _if_changed(_change(tenant, self._before, after, self._at))
        return Applied(change=change, updated=tuple(self._updated), not_updated=tuple(self._refused.items()))

    def _of(self, name: str) -> dict[str, Instance]:
        if name not in self._attributes:
            self._attributes[name] = {one.dataset_id: one for one in self._before.attributes.get(name, ())}
        return self._attributes[name]


def _each(attributes: dict[str, tuple[Part, ...]]) -> Iterable[tuple[str, Part]]:
    return ((name, part) for name, several in attributes.items() for part in several)


def _after(before: Document, fragment: Fragment, attributes: Attributes, at: datetime) -> Document:
    """The entity with these attributes (empty ones gone), the fragment's types added and its expiry taken."""
    expires_at = before.expires_at
    if fragment.expires_at is not None:
        expires_at = "" if fragment.expires_at == NULL else fragment.expires_at
    return msgspec.structs.replace(
        before,
        types=tuple(dict.fromkeys((*before.types, *fragment.types))),
        expires_at=expires_at,
        modified_at=text_of(at),
        attributes={name: several for name, several in attributes.items() if several},
    )


def _with(before: Document, name: str, new: list[Instance], *, tenant: str, at: datetime) -> EntityChange:
    by_dataset = {one.dataset_id: one for one in new}
    several = tuple(by_dataset.get(one.dataset_id, one) for one in before.attributes[name])
    return _change(tenant, before, _stamped(before, at, attributes={**before.attributes, name: several}), at)


def _without(before: Document, gone: Collection[tuple[str, str]], *, tenant: str, at: datetime) -> EntityChange:
    left = {
        name: tuple(one for one in several if (name, one.dataset_id) not in gone)
        for name, several in before.attributes.items()
    }
    kept = {name: several for name, several in left.items() if several}
    return _change(tenant, before, _stamped(before, at, attributes=kept), at)


def _stamped(before: Document, at: datetime, **changed: object) -> Document:
    return msgspec.structs.replace(before, modified_at=text_of(at), **changed)


def _instance(before: Document, name: str, dataset_id: str) -> Instance:
    for one in before.attributes.get(name, ()):
        if one.dataset_id == dataset_id:
            return one
    if name in before.attributes:
        raise NoSuchAttribute("kernel.no_such_dataset", {"member": name, "dataset_id": dataset_id or "@none"})
    raise NoSuchAttribute("kernel.no_such_attribute", {"member": name})


def _check_not_scope(name: str) -> None:
    if name == SCOPE:
        raise BadRequestData("kernel.scope_no_attribute", {})


def _check_id(before: Document, id: str) -> None:
    if id and id != before.id:
        raise BadRequestData("kernel.id_differs", {"id": id, "expected": before.id})


def _change(tenant: str, before: Document | None, after: Document | None, at: datetime) -> EntityChange:
    """The change, with what became of each instance: one that is the same object on both sides was not touched."""
    kept = before or after
    if kept is None:
        raise ValueError("nothing before and nothing after")
    return EntityChange(
        tenant=tenant, id=kept.id, at=at, before=before, after=after, attributes=tuple(_changes(before, after))
    )


def _changes(before: Document | None, after: Document | None) -> Iterable[AttributeChange]:
    old = before.attributes if before else {}
    new = after.attributes if after else {}
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) is not new.get(name):
            yield from _instance_changes(name, old.get(name, ()), new.get(name, ()))


def _instance_changes(
    name: str, before: tuple[Instance, ...], after: tuple[Instance, ...]
) -> Iterable[AttributeChange]:
    old = {one.dataset_id: one for one in before}
    new = {one.dataset_id: one for one in after}
    for dataset_id in dict.fromkeys((*old, *new)):
        was, now = old.get(dataset_id), new.get(dataset_id)
        if was is now:
            continue
        done = Done.CREATED if was is None else Done.DELETED if now is None else Done.UPDATED
        yield AttributeChange(name=name, done=done, before=was, after=now)


def _if_changed(change: EntityChange) -> EntityChange | None:
    """None when the entity is as it was but for when it was modified."""
    if change.attributes or change.before is None or change.after is None:
        return change
    same = msgspec.structs.replace(change.after, modified_at=change.before.modified_at)
    return None if same == change.before else change
