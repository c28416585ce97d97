# SPDX-License-Identifier: Apache-2.0
"""Writing down an act, in the transaction that does it: both are there, or neither."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Transaction, to_json
from citybrain.kernel.records import Facts


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    entry_add: str
    entries_add: str


SQL = sql.load(Path(__file__).with_name("queries_record.sql"), Sql)


class Acting(Protocol):
    """Who acts, as far as the log keeps it: `kernel.access.Actor` is one."""

    @property
    def account(self) -> str:
        """The name that rights and records go by; empty for nobody in particular."""
        ...

    @property
    def kind(self) -> str:
        """staff, citizen, service, anonymous or machine."""
        ...

    @property
    def on_behalf_of(self) -> str | None:
        """The account it was done for."""
        ...


class Machine(msgspec.Struct, frozen=True):
    """The city itself, when a job acts and nobody asked."""

    account: str = "brain"
    kind: str = "machine"
    on_behalf_of: str | None = None


MACHINE: Acting = Machine()


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One of many equal acts."""

    object: str
    facts: Facts = {}
    department: str | None = None


async def record(
    transaction: Transaction,
    *,
    actor: Acting,
    act: str,
    object: str,
    facts: Facts | None = None,
    department: str | None = None,
) -> None:
    """Write down that somebody did something: `act` like `case.move`, `object` like `case:4711`.

    Facts are codes, numbers and names of fields, never personal data in clear: what stands here can never be erased.
    One round trip, and no lock that another act would wait for.
    """
    await transaction.write(
        SQL.entry_add, _row(actor, act, Deed(object=object, facts=facts or {}, department=department))
    )


async def record_all(transaction: Transaction, *, actor: Acting, act: str, deeds: Sequence[Deed]) -> None:
    """Write down the same act on many objects, in one go."""
    entries = [
        {"object": deed.object, "department": deed.department, "facts": to_json(deed.facts).decode()} for deed in deeds
    ]
    params = _row(actor, act, Deed(object=""))
    await transaction.write(SQL.entries_add, {**params, "entries": to_json(entries).decode()})


def _row(actor: Acting, act: str, deed: Deed) -> dict[str, object]:
    return {
        "actor": actor.account,
        "kind": str(actor.kind),
        "on_behalf_of": actor.on_behalf_of,
        "act": act,
        "object": deed.object,
        "department": deed.department,
        "facts": to_json(deed.facts).decode(),
    }
