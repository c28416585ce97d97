# SPDX-License-Identifier: Apache-2.0
"""The chain: one writer gives each entry its position and a hash over itself and all before it, and signs the end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from citybrain.kernel import sql
from citybrain.kernel.crypto import KeyRing, Provider
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Unavailable

EVERY_S = 1.0
AT_ONCE = 1_000
BEGINNING = b""  # what is before the first entry
SEALED = b"citybrain audit seal 1\0"

log = structlog.get_logger()


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    chain_lock: str
    chain_head: str
    chain_at: str
    entries_waiting: str
    links_add: str
    waiting_remove: str
    seal_last: str
    seal_add: str


SQL = sql.load(Path(__file__).with_name("queries_chain.sql"), Sql)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An act as it was recorded; `facts` is JSON as text."""

    id: int
    at: datetime
    actor: str
    actor_kind: str
    on_behalf_of: str | None
    act: str
    object: str
    department: str | None
    facts: str


class Head(msgspec.Struct, frozen=True):
    """The end of the chain."""

    position: int
    hash: bytes


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """A signature over the chain up to a position."""

    position: int
    at: datetime
    hash: bytes
    key_number: int
    signature: bytes


def entry_bytes(entry: Entry) -> bytes:
    """An entry as the hash sees it: a JSON list, the time in UTC with microseconds."""
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    return msgspec.json.encode(
        [
            entry.id,
            at,
            entry.actor,
            entry.actor_kind,
            entry.on_behalf_of,
            entry.act,
            entry.object,
            entry.department,
            entry.facts,
        ]
    )


def link(provider: Provider, before: bytes, position: int, entry: Entry) -> bytes:
    """The hash of an entry in its place."""
    return provider.digest(len(before).to_bytes(1, "big") + before + position.to_bytes(8, "big") + entry_bytes(entry))


def seal_bytes(position: int, hash: bytes, at: datetime, before: bytes) -> bytes:
    """What is signed: the end of the chain, the time, and the seal before, so that no seal can be taken out."""
    time = at.astimezone(UTC).isoformat(timespec="microseconds").encode()
    return b"".join((SEALED, position.to_bytes(8, "big"), hash, time, b"\0", before))


async def extend(db: Database, provider: Provider) -> int:
    """Put every entry that is committed and waits into the chain; answers with how many those were."""
    total = 0
    while True:
        async with db.transaction() as transaction:
            await transaction.rows(SQL.chain_lock)
            entries = await transaction.read(SQL.entries_waiting, {"limit": AT_ONCE}, as_=Entry)
            if entries:
                await _add(transaction, provider, entries)
        total += len(entries)
        if len(entries) < AT_ONCE:
            return total


async def _add(transaction: Transaction, provider: Provider, entries: Sequence[Entry]) -> None:
    head = (await transaction.read(SQL.chain_head, as_=Head) or [Head(0, BEGINNING)])[0]
    positions = range(head.position + 1, head.position + 1 + len(entries))
    hashes: list[bytes] = []
    before = head.hash
    for position, entry in zip(positions, entries, strict=True):
        before = link(provider, before, position, entry)
        hashes.append(before)
    ids = [entry.id for entry in entries]
    families = [provider.name] * len(ids)
    params = {"positions": list(positions), "entries": ids, "families": families, "hashes": hashes}
    await transaction.write(SQL.links_add, params)
    await transaction.write(SQL.waiting_remove, {"entries": ids})


async def seal(db: Database, keys: KeyRing, *, now: datetime, beside: Path | None = None) -> Seal | None:
    """Chain what waits and sign the end; None when nothing was added since the last seal.

    The seal is also written to the file `beside`, outside the database: who takes the end of the log together with
    its seals out of the database is found by it.
    """
    await extend(db, keys.family)
    async with db.transaction() as transaction:
        await transaction.rows(SQL.chain_lock)
        heads = await transaction.read(SQL.chain_head, as_=Head)
        last = next(iter(await transaction.read(SQL.seal_last, as_=Seal)), None)
        if not heads or (last and last.position >= heads[0].position):
            return None
        head = heads[0]
        before = last.signature if last else BEGINNING
        number, signature = keys.sign(seal_bytes(head.position, head.hash, now, before))
        made = Seal(position=head.position, at=now, hash=head.hash, key_number=number, signature=signature)
        await transaction.write(SQL.seal_add, msgspec.structs.asdict(made))
    if beside is not None:
        await asyncio.to_thread(_append, beside, made)
    return made


def _append(file: Path, made: Seal) -> None:
    with file.open("ab") as opened:
        opened.write(msgspec.json.encode(made) + b"\n")


class Chain:
    """Extends the chain for as long as the city is open, and remembers its end: if that is gone, it says so at once."""

    def __init__(self, db: Database, provider: Provider) -> None:
        self._db = db
        self._provider = provider
        self.head: Head | None = None
        self.lost: Head | None = None

    async def extend(self) -> None:
        """One turn."""
        added = await extend(self._db, self._provider)
        if self.head is not None and self.lost is None:
            found = await self._db.read_one(SQL.chain_at, {"position": self.head.position}, as_=Head)
            if found != self.head:
                self.lost = self.head
                log.error("audit chain broken", position=self.head.position)
        if added or self.head is None:
            self.head = await self._db.read_one(SQL.chain_head, as_=Head)

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            # The database is away: what could not be recorded was not done either, and the next turn chains the rest.
            with suppress(Unavailable):
                await self.extend()


@asynccontextmanager
async def chaining(db: Database, keys: KeyRing) -> AsyncIterator[Chain]:
    """Extend the chain every second until the end of the block, and once more then."""
    chain = Chain(db, keys.family)
    await chain.extend()
    task = asyncio.create_task(chain._go_on(), name="audit chain")
    try:
        yield chain
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(Unavailable):
            await chain.extend()
