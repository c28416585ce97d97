# SPDX-License-Identifier: Apache-2.0
"""Routes for contacts: who does the work and who is told, by role. Whoever may edit them sees addresses, no secrets."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, delete, get, put
from litestar.datastructures import State
from litestar.params import FromPath, JSONBody

from citybrain.apps.operations.control.means import ROLES
from citybrain.apps.operations.service.carrying.book import DEVICES, Book
from citybrain.apps.operations.service.carrying.desk import desk_of
from citybrain.apps.operations.store.contacts import Contact, Way
from citybrain.kernel.clock import utc_now
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.records import Text

PERMISSION = "operations.contacts"

Asking = Request[Any, Any, Any]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[a-z0-9][a-z0-9_.-]*$")]


class NotRunning(Unavailable):
    """The city carries no means out."""


class ContactView(msgspec.Struct, frozen=True, kw_only=True):
    """A contact; `works`: whether something could be sent by it now, or its department is there."""

    id: str
    role: str
    name: Text
    channel: Way
    address: str
    has_secret: bool
    lang: str
    version: int
    works: bool


class RoleView(msgspec.Struct, frozen=True, kw_only=True):
    """A role that means need, its name, and the means that do."""

    id: str
    name: Text
    means: Sequence[str]


class ContactsView(msgspec.Struct, frozen=True, kw_only=True):
    """All contacts, and all roles there can be contacts for."""

    contacts: Sequence[ContactView]
    roles: Sequence[RoleView]


class NewContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contact as it shall be. `version` is the one that was read, 0 for a new one; without `secret` it keeps its
    own, with an empty one it has none."""

    role: Word
    name: Text
    channel: Way
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    secret: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    lang: Literal["zh", "en"] = "zh"
    version: int = 0


def _book(state: State) -> Book:
    desk = desk_of(state.store)
    if desk is None:
        raise NotRunning("operations.not_running", {})
    return desk.book


def _view(book: Book, contact: Contact) -> ContactView:
    return ContactView(
        id=contact.id,
        role=contact.role,
        name=contact.name,
        channel=contact.channel,
        address=contact.address,
        has_secret=bool(contact.secret),
        lang=contact.lang,
        version=contact.version,
        works=book.works(contact),
    )


@get("/api/operations/contacts", opt={"permission": PERMISSION})
async def contacts(state: State) -> ContactsView:
    """Who does the work and who is told, by role."""
    book = _book(state)
    roles = [RoleView(id=role, name=book.role(role), means=means) for role, means in ROLES.items()]
    roles.append(RoleView(id=DEVICES, name=book.role(DEVICES), means=()))
    return ContactsView(contacts=[_view(book, each) for each in book.all()], roles=roles)


@put("/api/operations/contacts/{id:str}", opt={"permission": PERMISSION})
async def put_contact(state: State, request: Asking, id: FromPath[str], data: JSONBody[NewContact]) -> ContactView:
    """Make or change a contact."""
    book = _book(state)
    known = book.of(id)
    secret = data.secret if data.secret is not None else known.secret if known else ""
    contact = Contact(
        id=id,
        role=data.role,
        name=data.name,
        channel=data.channel,
        address=data.address.strip(),
        secret=secret,
        lang=data.lang,
        version=data.version,
    )
    await book.put(contact, by=request.state.actor, now=utc_now())
    kept = book.of(id)
    assert kept is not None
    return _view(book, kept)


@delete("/api/operations/contacts/{id:str}", opt={"permission": PERMISSION})
async def remove_contact(state: State, request: Asking, id: FromPath[str]) -> None:
    """Take a contact away."""
    await _book(state).remove(id, by=request.state.actor)


ROUTES = (contacts, put_contact, remove_contact)
