# SPDX-License-Identifier: Apache-2.0
"""What doors and apps do to entities: read what is there, apply the rule of the verb, store the change.

Every function is visible at once and committed on return. Between reading and the change nobody else runs, so two
writers of one entity follow one another. `order` says what becomes of an observation that is older than the one
there. A batch is one group: what is refused of one entity does not touch the others, the rest is stored as one.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from citybrain.kernel.entities import verbs
from citybrain.kernel.entities.attribute_reading import Part
from citybrain.kernel.entities.document import Document, EntityChange, Instance
from citybrain.kernel.entities.documents import Documents
from citybrain.kernel.entities.fragment import Fragment
from citybrain.kernel.entities.merging import AS_IT_IS, MergeOptions
from citybrain.kernel.entities.order import Order, in_order
from citybrain.kernel.entities.overwriting import overwrite
from citybrain.kernel.entities.verbs import Applied
from citybrain.kernel.errors import Conflict, NotFound, Refusal


class EntityExists(Conflict):
    """There is an entity with this id already (error type AlreadyExists)."""


class NoSuchEntity(NotFound):
    """There is no entity with this id (error type ResourceNotFound)."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Whose entities are written, when, and in what order observations count."""

    documents: Documents
    tenant: str
    at: datetime
    order: Order = Order.LAST_WRITE


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch: ids that were created, ids that were changed or left as they were, and refusals by id."""

    created: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    refused: tuple[tuple[str, Refusal], ...] = ()


Verb = Callable[[Document | None], EntityChange | None]


def existing(desk: Desk, id: str) -> Document:
    """An entity as it is now; refuses one that is not there (`NoSuchEntity`)."""
    document = desk.documents.get(desk.tenant, id)
    if document is None:
        raise NoSuchEntity("kernel.no_such_entity", {"id": id})
    return document


async def create(desk: Desk, document: Document) -> None:
    """Clause 5.6.1. Refuses an entity that is there already (`EntityExists`)."""
    await _store(desk, _created(desk, desk.documents.get(desk.tenant, document.id), document))


async def replace(desk: Desk, document: Document) -> None:
    """Clause 5.6.18. Refuses an entity that is not there (`NoSuchEntity`)."""
    before = existing(desk, document.id)
    await _store(desk, verbs.replace(before, document, tenant=desk.tenant, at=desk.at))


async def upsert(desk: Desk, document: Document) -> None:
    """Create an entity, or write its attributes over those that are there; others stay."""
    await _store(desk, _upserted(desk, desk.documents.get(desk.tenant, document.id), document))


async def append(desk: Desk, id: str, fragment: Fragment, *, overwrite: bool = True) -> Applied:
    """Clause 5.6.3. Refuses an entity that is not there (`NoSuchEntity`)."""
    before = existing(desk, id)
    applied = verbs.append(before, fragment, overwrite=overwrite, tenant=desk.tenant, at=desk.at)
    await _store(desk, applied.change)
    return applied


async def update(desk: Desk, id: str, fragment: Fragment) -> Applied:
    """Clause 5.6.2. Refuses an entity that is not there (`NoSuchEntity`)."""
    applied = verbs.update(existing(desk, id), fragment, tenant=desk.tenant, at=desk.at)
    await _store(desk, applied.change)
    return applied


async def partial_update(desk: Desk, id: str, name: str, part: Part) -> None:
    """Clause 5.6.4. Refuses what is not there (`NoSuchEntity`, `NoSuchAttribute`)."""
    await _store(desk, verbs.partial_update(existing(desk, id), name, part, tenant=desk.tenant, at=desk.at))


async def merge(desk: Desk, id: str, fragment: Fragment, *, options: MergeOptions = AS_IT_IS) -> None:
    """Clause 5.6.17. Refuses an entity that is not there (`NoSuchEntity`)."""
    await _store(desk, verbs.merge(existing(desk, id), fragment, tenant=desk.tenant, at=desk.at, options=options))


async def replace_attribute(desk: Desk, id: str, name: str, instances: Iterable[Instance]) -> None:
    """Clause 5.6.19. Refuses what is not there (`NoSuchEntity`, `NoSuchAttribute`)."""
    before = existing(desk, id)
    await _store(desk, verbs.replace_attribute(before, name, instances, tenant=desk.tenant, at=desk.at))


async def delete_attribute(desk: Desk, id: str, name: str, *, dataset_id: str = "", delete_all: bool = False) -> None:
    """Clause 5.6.5. Refuses what is not there (`NoSuchEntity`, `NoSuchAttribute`)."""
    change = verbs.delete_attribute(
        existing(desk, id), name, dataset_id=dataset_id, delete_all=delete_all, tenant=desk.tenant, at=desk.at
    )
    await _store(desk, change)


async def delete(desk: Desk, id: str) -> None:
    """Clause 5.6.6. Refuses an entity that is not there (`NoSuchEntity`)."""
    await _store(desk, verbs.delete(existing(desk, id), tenant=desk.tenant, at=desk.at))


async def purge(desk: Desk, ids: Iterable[str], *, drop: Collection[str] = (), keep: Collection[str] = ()) -> Outcome:
    """Clause 5.6.21, of the entities that a query found: the whole of them, or some of their attributes."""

    def purged(before: Document | None) -> EntityChange | None:
        return verbs.purge(_there(before), drop=drop, keep=keep, tenant=desk.tenant, at=desk.at)

    return await _many(desk, [(id, purged) for id in ids])


async def create_many(desk: Desk, documents: Iterable[Document]) -> Outcome:
    """Clause 5.6.7. Entities that are there already are refused."""

    def made(each: Document) -> Verb:
        return lambda before: _created(desk, before, each)

    return await _many(desk, [(each.id, made(each)) for each in documents])


async def upsert_many(desk: Desk, documents: Iterable[Document], *, replace: bool = False) -> Outcome:
    """Clause 5.6.8: create entities; of those that are there overwrite attributes, or `replace` the whole of them."""

    def upserted(each: Document) -> Verb:
        if replace:
            return lambda before: (
                _created(desk, None, each)
                if before is None
                else verbs.replace(before, each, tenant=desk.tenant, at=desk.at)
            )
        return lambda before: _upserted(desk, before, each)

    return await _many(desk, [(each.id, upserted(each)) for each in documents])


async def append_many(desk: Desk, fragments: Iterable[Fragment], *, overwrite: bool = True) -> Outcome:
    """Clause 5.6.9. Entities that are not there are refused."""

    def appended(each: Fragment) -> Verb:
        return lambda before: (
            verbs.append(_there(before, each.id), each, overwrite=overwrite, tenant=desk.tenant, at=desk.at).change
        )

    return await _many(desk, [(each.id, appended(each)) for each in fragments])


async def merge_many(desk: Desk, fragments: Iterable[Fragment], *, options: MergeOptions = AS_IT_IS) -> Outcome:
    """Clause 5.6.20. Entities that are not there are refused."""

    def merged(each: Fragment) -> Verb:
        return lambda before: verbs.merge(
            _there(before, each.id), each, tenant=desk.tenant, at=desk.at, options=options
        )

    return await _many(desk, [(each.id, merged(each)) for each in fragments])


async def delete_many(desk: Desk, ids: Iterable[str]) -> Outcome:
    """Clause 5.6.10. Entities that are not there are refused."""

    def deleted(id: str) -> Verb:
        return lambda before: verbs.delete(_there(before, id), tenant=desk.tenant, at=desk.at)

    return await _many(desk, [(id, deleted(id)) for id in ids])


async def _many(desk: Desk, acts: Sequence[tuple[str, Verb]]) -> Outcome:
    """Work out each change on what the ones before it left, then make all of them as one."""
    pending: dict[str, Document | None] = {}
    changes: list[EntityChange] = []
    created: dict[str, None] = {}
    changed: dict[str, None] = {}
    refused: list[tuple[str, Refusal]] = []
    for id, verb in acts:
        before = pending[id] if id in pending else desk.documents.get(desk.tenant, id)
        try:
            change = _checked(desk, verb(before))
        except Refusal as refusal:
            refused.append((id, refusal))
            continue
        (created if before is None else changed)[id] = None
        if change is not None:
            pending[id] = change.after
            changes.append(change)
    if changes:
        await desk.documents.apply(changes)
    return Outcome(created=tuple(created), changed=tuple(changed), refused=tuple(refused))


async def _store(desk: Desk, change: EntityChange | None) -> None:
    checked = _checked(desk, change)
    if checked is not None:
        await desk.documents.apply([checked])


def _checked(desk: Desk, change: EntityChange | None) -> EntityChange | None:
    """The change as it is to be made, when nobody minds it."""
    if change is None:
        return None
    change = in_order(change, desk.order)
    desk.documents.check(change)
    return change


def _there(before: Document | None, id: str = "") -> Document:
    if before is None:
        raise NoSuchEntity("kernel.no_such_entity", {"id": id})
    return before


def _created(desk: Desk, before: Document | None, document: Document) -> EntityChange:
    if before is not None:
        raise EntityExists("kernel.entity_exists", {"id": document.id})
    return verbs.create(desk.tenant, document, desk.at)


def _upserted(desk: Desk, before: Document | None, document: Document) -> EntityChange | None:
    if before is None:
        return verbs.create(desk.tenant, document, desk.at)
    return overwrite(before, document, tenant=desk.tenant, at=desk.at)
