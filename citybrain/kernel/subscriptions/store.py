# SPDX-License-Identifier: Apache-2.0
"""Subscriptions, notices and dead letters in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.records import Json
from citybrain.kernel.subscriptions.notice import Notice
from citybrain.kernel.subscriptions.subscription import Health, Subscription

PAGE = 5_000


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    subscription_all: str
    subscription_insert: str
    subscription_update: str
    subscription_delete: str
    progress_write: str
    notification_insert: str
    notification_delete: str
    notification_page: str
    notification_bodies: str
    notification_last: str
    dead_insert: str
    dead_of: str
    dead_delete: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription as the database has it, up to where it was told, and what became of its notifications."""

    subscription: Subscription
    told_until: int
    health: Health


class Dead(msgspec.Struct, frozen=True, kw_only=True):
    """A change that could not be told; `why` is a code, `about` the entity."""

    number: int
    at: datetime
    about: str
    body: bytes
    tries: int
    why: str
    died_at: datetime


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a subscription was told, to be written."""

    number: int
    told_until: int
    health: Health


async def load(db: Database) -> list[Known]:
    """All subscriptions in the order they were made."""
    known = []
    for number, body, told_until, sent, failed, told, success, failure, tries, why, dead in await db.rows(
        SQL.subscription_all
    ):
        subscription = msgspec.structs.replace(msgspec.convert(body, Subscription), number=number)
        health = Health(
            times_sent=sent,
            times_failed=failed,
            last_notification=told,
            last_success=success,
            last_failure=failure,
            tries=tries,
            why=why,
            dead=dead,
        )
        known.append(Known(subscription=subscription, told_until=told_until, health=health))
    return known


async def insert(db: Database, subscription: Subscription, *, told_until: int) -> int | None:
    """Keep a new subscription; answers with its number, None when there is one with this id."""
    params = {
        "tenant": subscription.tenant,
        "kind": subscription.kind,
        "id": subscription.id,
        "body": subscription,
        "told_until": told_until,
    }
    return await db.read_one(SQL.subscription_insert, params, as_=int)


async def update(db: Database, subscription: Subscription) -> None:
    """Keep a new form of a subscription."""
    await db.write(SQL.subscription_update, {"number": subscription.number, "body": subscription})


async def delete(db: Database, number: int) -> None:
    """Forget a subscription with its dead letters."""
    await db.write(SQL.subscription_delete, {"number": number})


async def add_notices(transaction: Transaction, notices: Sequence[Notice]) -> None:
    """Keep notices in the transaction of the changes that they tell of."""
    if not notices:
        return
    params = {
        "number": [each.number for each in notices],
        "at": [each.at for each in notices],
        "about": [each.about for each in notices],
        "subscriptions": [",".join(map(str, each.subscriptions)) for each in notices],
        "body": [each.body for each in notices],
    }
    await transaction.write(SQL.notification_insert, params)


async def waiting(db: Database, after: int) -> list[Notice]:
    """A page of what waits, in order, after a number."""
    rows = await db.rows(SQL.notification_page, {"after": after, "limit": PAGE})
    return [
        Notice(number=number, at=at, about=about, subscriptions=subscriptions, body=bytes(body))
        for number, at, about, subscriptions, body in rows
    ]


async def bodies(db: Database, numbers: Sequence[int]) -> dict[int, bytes]:
    """The bodies of notices that were left on the disk."""
    rows = await db.rows(SQL.notification_bodies, {"numbers": list(numbers)})
    return {number: bytes(body) for number, body in rows}


async def last_number(db: Database) -> int:
    """The highest number that a notice ever had, as far as anyone still knows."""
    return await db.read_one(SQL.notification_last, as_=int) or 0


async def write_progress(transaction: Transaction, progress: Sequence[Progress], done: Sequence[int]) -> None:
    """Write how far subscriptions were told, and forget the notices that are done."""
    if progress:
        await transaction.write(SQL.progress_write, _columns(progress))
    if done:
        await transaction.write(SQL.notification_delete, {"numbers": list(done)})


async def bury(
    transaction: Transaction, subscription: int, numbers: Sequence[int], *, tries: int, why: str, at: datetime
) -> None:
    """Move notices of a subscription to the dead letters."""
    params = {"subscription": subscription, "numbers": list(numbers), "tries": tries, "why": why, "died_at": at}
    await transaction.write(SQL.dead_insert, params)


async def dead(db: Database, subscription: int, *, limit: int) -> list[Dead]:
    """The oldest dead letters of a subscription."""
    rows = await db.rows(SQL.dead_of, {"subscription": subscription, "limit": limit})
    names = Dead.__struct_fields__
    return [Dead(**{**dict(zip(names, row, strict=True)), "body": bytes(row[3])}) for row in rows]


async def revive(
    transaction: Transaction, subscription: int, letters: Sequence[Dead], notices: Sequence[Notice]
) -> None:
    """Put dead letters back among what waits, as new notices."""
    await add_notices(transaction, notices)
    params = {"subscription": subscription, "numbers": [each.number for each in letters]}
    await transaction.write(SQL.dead_delete, params)


def _columns(progress: Sequence[Progress]) -> Mapping[str, Json]:
    names = ("times_sent", "times_failed", "last_notification", "last_success", "last_failure", "tries", "why")
    return {
        "number": [each.number for each in progress],
        "told_until": [each.told_until for each in progress],
        **{name: [getattr(each.health, name) for each in progress] for name in names},
    }
