# SPDX-License-Identifier: Apache-2.0
"""Verifying the log: every entry, link and seal is made anew and compared, and what does not fit is named."""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.audit.chain import BEGINNING, Entry, Head, Seal, link, seal_bytes
from citybrain.kernel.crypto import PROVIDERS, KeyLost, KeyRing
from citybrain.kernel.db import Database

KEPT = 100  # so many findings are told one by one; all are counted


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    whole_chain: str
    all_seals: str


SQL = sql.load(Path(__file__).with_name("queries_verify.sql"), Sql)


class Flaw(StrEnum):
    """What can be wrong. Each has its sentence under `kernel.audit_flaw_…`."""

    REMOVED_LINKS = "removed_links"
    REMOVED_ENTRY = "removed_entry"
    CHANGED = "changed"
    INSERTED = "inserted"
    SEAL_FORGED = "seal_forged"
    SEAL_OF_OTHER_CHAIN = "seal_of_other_chain"
    SEAL_KEY_LOST = "seal_key_lost"
    SEAL_REMOVED = "seal_removed"
    END_REMOVED = "end_removed"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not fit: at which position of the chain, which entry."""

    flaw: Flaw
    position: int | None = None
    entry: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying found. `first` is the first broken place; `sealed` how far signatures reach."""

    whole: bool
    entries: int
    waiting: int
    seals: int
    sealed: int
    head: str
    flaws: int
    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding | None:
        """The first broken place."""
        return self.findings[0] if self.findings else None


class _Walk:
    """Walks along the chain and compares."""

    def __init__(self, anchors: Mapping[int, bytes]) -> None:
        self.entries = self.waiting = 0
        self.flaws = 0
        self.position = 0
        self.before = BEGINNING
        self.findings: list[Finding] = []
        self.hashes: dict[int, bytes] = dict.fromkeys(anchors, BEGINNING)

    def tell(self, flaw: Flaw, position: int | None = None, entry: int | None = None) -> None:
        self.flaws += 1
        if len(self.findings) < KEPT:
            self.findings.append(Finding(flaw=flaw, position=position, entry=entry))

    def row(self, row: tuple[Any, ...]) -> None:
        position, entry_id, family, hash, waits, *fields = row
        self.entries += fields[0] is not None
        if position is None:
            self.waiting += waits
            if not waits:
                self.tell(Flaw.INSERTED, entry=fields[0])
            return
        if position != self.position + 1:
            self.tell(Flaw.REMOVED_LINKS, self.position + 1)
        self._link(position, family, hash, entry_id, fields)
        # From here on what stands there is taken as it is, so that one flaw is told once.
        self.position, self.before = position, hash
        if position in self.hashes:
            self.hashes[position] = hash

    def _link(self, position: int, family: str, hash: bytes, entry_id: int, fields: Sequence[Any]) -> None:
        if fields[0] is None:
            self.tell(Flaw.REMOVED_ENTRY, position, entry_id)
            return
        provider = PROVIDERS.get(family)
        entry = Entry(**dict(zip(Entry.__struct_fields__, fields, strict=True)))
        if provider is None or link(provider, self.before, position, entry) != hash:
            self.tell(Flaw.CHANGED, position, entry.id)


async def verify(db: Database, keys: KeyRing, *, beside: Path | None = None, remembered: Sequence[Head] = ()) -> Report:
    """Read the whole log and say what does not fit. Changes nothing.

    `beside` is the file of seals outside the database; `remembered` are ends of the chain that somebody saw.
    """
    seals = await db.read(SQL.all_seals, as_=Seal)
    outside = _read(beside)
    seen = [*((each.position, each.hash) for each in (*seals, *outside)), *((e.position, e.hash) for e in remembered)]
    anchors = dict(seen)
    walk = _Walk(anchors)
    async for rows in db.stream(SQL.whole_chain):
        for row in rows:
            walk.row(row)
    _check_seals(walk, seals, keys)
    known = {each.signature for each in seals}
    for each in outside:
        if each.signature not in known:
            walk.tell(Flaw.SEAL_REMOVED, each.position)
    for position, hash in anchors.items():
        if position > walk.position:
            walk.tell(Flaw.END_REMOVED, walk.position + 1)
        elif walk.hashes[position] != hash:
            walk.tell(Flaw.SEAL_OF_OTHER_CHAIN, position)
    return Report(
        whole=not walk.flaws,
        entries=walk.entries,
        waiting=walk.waiting,
        seals=len(seals),
        sealed=max((each.position for each in seals), default=0),
        head=walk.before.hex(),
        flaws=walk.flaws,
        findings=tuple(sorted(walk.findings, key=lambda each: each.position or walk.position + 1)),
    )


def _check_seals(walk: _Walk, seals: Sequence[Seal], keys: KeyRing) -> None:
    before = BEGINNING
    for each in seals:
        signed = seal_bytes(each.position, each.hash, each.at, before)
        try:
            if not keys.is_signed(each.key_number, each.signature, signed):
                walk.tell(Flaw.SEAL_FORGED, each.position)
        except KeyLost:
            walk.tell(Flaw.SEAL_KEY_LOST, each.position)
        before = each.signature


def _read(beside: Path | None) -> list[Seal]:
    return list(_seals_in(beside)) if beside is not None and beside.exists() else []


def _seals_in(file: Path) -> Iterator[Seal]:
    for line in file.read_bytes().splitlines():
        try:
            yield msgspec.json.decode(line, type=Seal)
        except msgspec.DecodeError:
            continue  # the last line of a process that was killed
