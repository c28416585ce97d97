# SPDX-License-Identifier: Apache-2.0
"""Contacts by role, what orders told them, and the cases that orders opened; addresses and words lie encrypted."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.audit.recording import Acting, record
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Conflict, NotFound
from citybrain.kernel.privacy import Kept, kept_rows
from citybrain.kernel.records import Text


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    contacts: str
    contact_put: str
    contact_change: str
    contact_remove: str
    contacts_stale: str
    contact_renew: str
    secrets_stale: str
    secret_renew: str
    messages_stale: str
    message_renew: str
    message_add: str
    messages: str
    messages_waiting: str
    messages_again: str
    message_settle: str
    messages_forget: str
    task_add: str
    task_case: str


SQL = sql.load(Path(__file__).with_name("queries_contacts.sql"), Sql)
CONTENT = Place("operations_message", "content", "")


class Way(StrEnum):
    """How a contact is reached: by a case for a department, or by a message."""

    CASE = "case"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WEBHOOK = "webhook"


class State(StrEnum):
    """What became of a message. `dead`: it was not taken, and is not sent any more."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for a role: `address` is the id of a department for a case, else where messages go.

    What is sent to a webhook is signed with `secret`. `version` is 0 before it is kept.
    """

    id: str
    role: str
    name: Text
    channel: Way
    address: str
    secret: str = ""
    lang: str = "zh"
    version: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What an order tells a contact; `content` is JSON, in clear here."""

    number: int
    order_id: str
    contact_id: str
    channel: Way
    content: bytes
    state: State
    tries: int
    problem: str
    queued_at: datetime


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    role: str
    name: Text
    channel: Way
    address: bytes
    secret: bytes | None
    lang: str
    version: int
    changed_by: str
    changed_at: datetime


class ContactChanged(Conflict):
    """Somebody changed the contact meanwhile, or there is one of this id."""


class NoSuchContact(NotFound):
    """There is no such contact."""


def address_place(id: str) -> Place:
    """Where the address of a contact lies."""
    return Place("operations_contact", "address", id)


def secret_place(id: str) -> Place:
    """Where the secret of a contact lies."""
    return Place("operations_contact", "secret", id)


def kept(db: Database, keys: KeyRing) -> tuple[Kept, ...]:
    """What follows the newest key."""
    parts: tuple[tuple[str, str, str, Callable[[tuple[str, ...]], Place]], ...] = (
        ("operations_contacts", SQL.contacts_stale, SQL.contact_renew, lambda key: address_place(key[0])),
        ("operations_secrets", SQL.secrets_stale, SQL.secret_renew, lambda key: secret_place(key[0])),
        ("operations_messages", SQL.messages_stale, SQL.message_renew, lambda _key: CONTENT),
    )
    return tuple(kept_rows(name, db, keys, stale=old, renew=renew, place=place) for name, old, renew, place in parts)


async def contacts(db: Database, keys: KeyRing) -> list[Contact]:
    """All contacts, by role."""
    return [
        Contact(
            id=row.id,
            role=row.role,
            name=row.name,
            channel=row.channel,
            address=keys.decrypt(row.address, address_place(row.id)),
            secret=keys.decrypt(row.secret, secret_place(row.id)) if row.secret else "",
            lang=row.lang,
            version=row.version,
            changed_by=row.changed_by,
            changed_at=row.changed_at,
        )
        for row in await db.read(SQL.contacts, as_=_Row)
    ]


async def put(db: Database, keys: KeyRing, contact: Contact, *, by: Acting, at: datetime) -> None:
    """Write a contact over the version that was read, with its audit entry. Refuses `ContactChanged`."""
    row = {
        "id": contact.id,
        "role": contact.role,
        "name": dict(contact.name),
        "channel": contact.channel,
        "address": keys.encrypt(contact.address, address_place(contact.id)),
        "secret": keys.encrypt(contact.secret, secret_place(contact.id)) if contact.secret else None,
        "lang": contact.lang,
        "version": contact.version,
        "by": by.account,
        "at": at,
    }
    async with db.transaction() as transaction:
        if not await transaction.write(SQL.contact_change if contact.version else SQL.contact_put, row):
            raise ContactChanged("operations.contact_changed", {"id": contact.id})
        facts = {"role": contact.role, "channel": contact.channel}
        await record(transaction, actor=by, act="operations.contact_put", object=f"contact:{contact.id}", facts=facts)


async def remove(db: Database, id: str, *, by: Acting) -> None:
    """Take a contact away. Refuses `NoSuchContact`."""
    async with db.transaction() as transaction:
        if not await transaction.write(SQL.contact_remove, {"id": id}):
            raise NoSuchContact("operations.no_such_contact", {"id": id})
        await record(transaction, actor=by, act="operations.contact_removed", object=f"contact:{id}")


async def queue(
    db: Database, keys: KeyRing, order_id: str, told: Sequence[tuple[Contact, bytes]], *, at: datetime
) -> None:
    """Write down what an order tells whom, all or nothing; what is written already stays as it was."""
    rows = [
        {
            "order_id": order_id,
            "contact_id": contact.id,
            "channel": contact.channel,
            "content": keys.encrypt(content, CONTENT),
            "at": at,
        }
        for contact, content in told
    ]
    async with db.transaction() as transaction:
        await transaction.write_many(SQL.message_add, rows)


async def messages(db: Database, keys: KeyRing, order_id: str) -> list[Message]:
    """What an order told, and what became of it."""
    found = await db.read(SQL.messages, {"order_id": order_id}, as_=Message)
    return [msgspec.structs.replace(each, content=keys.decrypt_bytes(each.content, CONTENT)) for each in found]


async def waiting(db: Database) -> list[str]:
    """The orders of which something still waits to be told."""
    return await db.read(SQL.messages_waiting, as_=str)


async def again(db: Database, order_id: str, *, at: datetime) -> None:
    """What was not taken waits once more."""
    await db.write(SQL.messages_again, {"order_id": order_id, "at": at})


async def settle(db: Database, message: Message, state: State, *, problem: str, at: datetime) -> None:
    """Write what became of a message."""
    params = {"number": message.number, "state": state, "tries": message.tries, "problem": problem[:500], "at": at}
    await db.write(SQL.message_settle, params)


async def forget(db: Database, *, before: datetime) -> int:
    """Delete what was told before a time; how many."""
    return await db.write(SQL.messages_forget, {"before": before})


async def add_task(transaction: Transaction, order_id: str, case_id: int, *, means: str, on: str, at: datetime) -> None:
    """Write which case an order opened, in the transaction that opens it."""
    params = {"order_id": order_id, "case_id": case_id, "means": means, "entity_id": on, "at": at}
    await transaction.write(SQL.task_add, params)


async def case_of(db: Database, order_id: str) -> int | None:
    """The case that an order opened."""
    return await db.read_one(SQL.task_case, {"order_id": order_id}, as_=int)
