# SPDX-License-Identifier: Apache-2.0
"""Callers as they lie in the table, encrypted; and what is done with all of one person."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.apps.hotline.store.tickets import CALLER
from citybrain.kernel import sql
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database, Transaction

NAMES = ("name", "phone", "email")


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    sealed: str
    of_marks: str
    erase: str
    erase_calls: str
    erase_areas: str
    forget: str
    forget_calls: str
    callers_stale: str
    caller_renew: str
    calls_stale: str
    call_renew: str
    areas_stale: str
    area_renew: str


SQL = sql.load(Path(__file__).with_name("queries_callers.sql"), Sql)


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Who told a ticket, as it lies there."""

    case_id: int
    name: bytes | None = None
    phone: bytes | None = None
    email: bytes | None = None
    phone_mark: bytes | None = None
    email_mark: bytes | None = None

    @property
    def person(self) -> bytes:
        """By what the person is known; empty for somebody of whom only a name is known, or nothing."""
        return self.phone_mark or self.email_mark or b""

    def parts(self) -> Iterator[tuple[str, bytes, Place]]:
        """What is known, each with its place."""
        for name in NAMES:
            value = getattr(self, name)
            if value:
                yield name, value, Place(CALLER, name, self.case_id)


class Telling(Sealed, frozen=True, kw_only=True):
    """A ticket of a person."""

    number: str
    text: str
    created_at: datetime


async def sealed(db: Database, case_id: int) -> Sealed:
    """Who told a ticket; of an anonymous one nothing."""
    return await db.read_one(SQL.sealed, {"case_id": case_id}, as_=Sealed) or Sealed(case_id=case_id)


async def of_marks(transaction: Transaction, marks: Sequence[bytes]) -> list[Telling]:
    """The tickets of a person, the oldest first."""
    return await transaction.read(SQL.of_marks, {"marks": list(marks)}, as_=Telling)


def opened(keys: KeyRing, found: Sealed) -> dict[str, str]:
    """What is known, in clear."""
    return {name: keys.decrypt(value, place) for name, value, place in found.parts()}
