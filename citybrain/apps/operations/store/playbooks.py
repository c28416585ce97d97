# SPDX-License-Identifier: Apache-2.0
"""Playbooks in versions: one row each, of which at most one is active."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.apps.operations.decide.playbook import Playbook
from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    playbook_add: str
    playbook_lock: str
    playbook_shipped: str
    version_last: str
    version_add: str
    version_propose: str
    version_retire: str
    version_activate: str
    versions: str


SQL = sql.load(Path(__file__).with_name("queries_playbooks.sql"), Sql)


class VersionState(StrEnum):
    """Where a version stands: not in force yet, in force, not any more."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version, without its body."""

    version: int
    state: VersionState
    made_by: str
    made_at: datetime
    proposed_by: str | None
    proposed_at: datetime | None
    activated_by: str | None
    activated_at: datetime | None
    retired_by: str | None
    retired_at: datetime | None


class VersionRow(VersionView, frozen=True, kw_only=True):
    """A version of a playbook as the database has it."""

    playbook: str
    body: Playbook


async def versions(where: Database | Transaction) -> Sequence[VersionRow]:
    """Every version of all playbooks, the oldest first."""
    return await where.read(SQL.versions, as_=VersionRow)


async def shipped(where: Database | Transaction) -> frozenset[str]:
    """The ids of playbooks that came with the program."""
    return frozenset(await where.read(SQL.playbook_shipped, as_=str))


async def add(transaction: Transaction, playbook: Playbook, *, by: str, at: datetime, shipped_too: bool = False) -> int:
    """Write a new version as a draft; answers with its number."""
    await transaction.write(SQL.playbook_add, {"id": playbook.id, "shipped": shipped_too, "by": by, "at": at})
    await lock(transaction, playbook.id)
    last = await transaction.read(SQL.version_last, {"playbook": playbook.id}, as_=int)
    version = last[0] + 1 if last else 1
    row = {"playbook": playbook.id, "version": version, "body": playbook, "by": by, "at": at}
    await transaction.write(SQL.version_add, row)
    return version


async def lock(transaction: Transaction, playbook: str) -> None:
    """Let nobody else change this playbook until the transaction is over."""
    await transaction.read(SQL.playbook_lock, {"id": playbook}, as_=str)


async def propose(transaction: Transaction, playbook: str, version: int, *, by: str, at: datetime) -> None:
    """The first of two persons wants a version in force."""
    await transaction.write(SQL.version_propose, {"playbook": playbook, "version": version, "by": by, "at": at})


async def activate(transaction: Transaction, playbook: str, version: int, *, by: str, at: datetime) -> None:
    """Put a version in force in place of the one that is."""
    await retire(transaction, playbook, by=by, at=at)
    await transaction.write(SQL.version_activate, {"playbook": playbook, "version": version, "by": by, "at": at})


async def retire(transaction: Transaction, playbook: str, *, by: str, at: datetime) -> int:
    """Put the version in force out of it; answers with how many that were."""
    return await transaction.write(SQL.version_retire, {"playbook": playbook, "by": by, "at": at})
