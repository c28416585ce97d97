# SPDX-License-Identifier: Apache-2.0
"""When a registration may not stand beside what is already there (CIM 009 clauses 4.3.6.3, 5.9.2.4, 5.9.3.4)."""

from collections.abc import Callable, Iterable

from citybrain.kernel.entities.document import Document
from citybrain.kernel.errors import Conflict
from citybrain.kernel.registrations.index import Index, Wanted, entity_matches
from citybrain.kernel.registrations.model import EntityInfo, Information, Mode, Registration

Known = Callable[[EntityInfo], Iterable[Document]]
"""The entities here that an EntityInfo could mean; a superset is allowed, it is checked again."""


class RegistrationConflict(Conflict):
    """The registration claims what another source or this broker already holds."""


def check_registrations(registration: Registration, index: Index) -> None:
    """No exclusive or redirect registration may share entity and attribute with an exclusive one, nor be one itself.

    Several redirect registrations may overlap (clause 4.3.6.3).
    """
    if not registration.mode.is_proxied:
        return
    for one in registration.information:
        for info in one.entities or (EntityInfo(),):
            for other in _overlapping(info, one, index):
                if other.id != registration.id and _clash(registration.mode, other.mode):
                    raise RegistrationConflict(
                        "kernel.registration_overlaps", {"id": registration.id, "other": other.id}
                    )


def check_entities(registration: Registration, known: Known) -> None:
    """What a source takes over must not be held here: with exclusive its attributes, with redirect the entity."""
    if not registration.mode.is_proxied:
        return
    for one in registration.information:
        for info in one.entities or (EntityInfo(),):
            for document in known(info):
                if _held_here(document, info, one):
                    raise RegistrationConflict(
                        "kernel.registration_over_entity", {"id": registration.id, "entity": document.id}
                    )


def _overlapping(info: EntityInfo, one: Information, index: Index) -> Iterable[Registration]:
    wanted = Wanted(
        ids=(info.id,) if info.id else (), id_pattern=info.id_pattern, types=info.types, attributes=one.attributes
    )
    return (match.registration for match in index.find(wanted))


def _clash(new: Mode, old: Mode) -> bool:
    return old.is_proxied and Mode.EXCLUSIVE in {new, old}


def _held_here(document: Document, info: EntityInfo, one: Information) -> bool:
    if not entity_matches(info, Wanted(ids=(document.id,), types=document.types)):
        return False
    return not one.attributes or bool(one.attributes.intersection(document.attributes))
