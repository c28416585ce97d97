# SPDX-License-Identifier: Apache-2.0
"""The ring and the database belong together: a key that the database needs and the ring lacks is said at the start."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from citybrain.kernel.crypto import KeyLost, KeyRing, Place
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.privacy.people import SQL

AT_ONCE = 500


class _Known(msgspec.Struct, frozen=True):
    number: int
    check_word: bytes


async def agree_on_keys(db: Database, keys: KeyRing) -> None:
    """Register the ring's keys in the database. Refuses `KeyLost` when the database was written with others."""
    known = {each.number: each.check_word for each in await db.read(SQL.keys_known, as_=_Known)}
    lost = [number for number, word in known.items() if keys.check(number) != word]
    if lost:
        raise KeyLost("kernel.key_lost", {"numbers": lost, "file": str(keys.path or "")})
    async with db.transaction() as transaction:
        for key in keys.keys:
            if key.number not in known:
                params = {"number": key.number, "use": key.use, "family": key.family, "made_at": key.made_at}
                await transaction.write(SQL.key_add, {**params, "check_word": keys.check(key.number)})


async def give_up(db: Database, numbers: Sequence[int], *, now: datetime) -> None:
    """Accept that what was encrypted with these keys cannot be read any more."""
    await db.write(SQL.key_give_up, {"numbers": list(numbers), "now": now})


class Sealed(msgspec.Struct, frozen=True):
    """A stored value and where it lies."""

    place: Place
    value: bytes


Old = Callable[[], AsyncIterator[Sequence[Sealed]]]
Store = Callable[[Transaction, Sequence[Sealed]], Awaitable[None]]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Encrypted values of one part of the city: how they are read in portions and written back."""

    name: str
    old: Old
    store: Store


def kept_rows(
    name: str, db: Database, keys: KeyRing, *, stale: str, renew: str, place: Callable[[tuple[Any, ...]], Place]
) -> Kept:
    """Encrypted values of one table, each with its place made of its key.

    `stale` answers with key and value of those that do not begin with `%(head)s`, `%(limit)s` at once; `renew` writes a
    `%(value)s` at the key `%(key_0)s`, `%(key_1)s` …, unless another wrote there with the newest key meanwhile.
    """
    portion: list[tuple[Any, ...]] = []

    async def old() -> AsyncIterator[Sequence[Sealed]]:
        while rows := await db.rows(stale, {"head": keys.head, "limit": AT_ONCE}):
            portion[:] = [row[:-1] for row in rows]
            yield [Sealed(place(row[:-1]), row[-1]) for row in rows]

    async def store(transaction: Transaction, anew: Sequence[Sealed]) -> None:
        named = [{f"key_{at}": part for at, part in enumerate(key)} for key in portion]
        rows = [{**key, "value": each.value, "head": keys.head} for key, each in zip(named, anew, strict=True)]
        await transaction.write_many(renew, rows)

    return Kept(name=name, old=old, store=store)


class Renewal:
    """The job that follows a rotation: each night, what is still encrypted with an older key gets the newest.

    Parts of the city that keep encrypted values put a `Kept` into `parts`.
    """

    def __init__(self, db: Database, keys: KeyRing) -> None:
        self._db = db
        self._keys = keys
        self.parts: list[Kept] = []

    async def renew(self, _now: datetime) -> dict[str, int]:
        """Go through all parts; answers with how many values each had."""
        return {part.name: await encrypt_anew(self._db, self._keys, part.old, part.store) for part in self.parts}


async def encrypt_anew(db: Database, keys: KeyRing, old: Old, store: Store) -> int:
    """Encrypt with the newest key what is not yet; answers with how many values that were.

    `old` yields values in portions, `store` writes a portion back and must leave alone what changed meanwhile. One that
    does not open stops it with its refusal: it is lost or was tampered with, and somebody has to look.
    """
    count = 0
    async for portion in old():
        stale = [each for each in portion if not keys.is_current(each.value)]
        anew = [
            Sealed(each.place, keys.encrypt(keys.decrypt_bytes(each.value, each.place), each.place)) for each in stale
        ]
        if anew:
            async with db.transaction() as transaction:
                await store(transaction, anew)
            count += len(anew)
    return count
