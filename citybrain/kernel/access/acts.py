# SPDX-License-Identifier: Apache-2.0
"""How rights are changed: one transaction per act, recorded in it, in force for the next request."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import require
from citybrain.kernel.audit.recording import record
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import NotFound
from citybrain.kernel.records import Facts


class NoSuchAccount(NotFound):
    """No account has this name, or it is closed."""


class Act:
    """One act under way."""

    def __init__(self, transaction: Transaction, actor: Actor) -> None:
        self.transaction = transaction
        self.actor = actor

    async def record(self, act: str, object: str, facts: Facts) -> None:
        """Keep what is done."""
        await record(self.transaction, actor=self.actor, act=act, object=object, facts=facts)


class Acts:
    """Carries out acts on people; `changed` is told after each."""

    def __init__(self, db: Database, changed: Callable[[], Awaitable[None]]) -> None:
        self.db = db
        self._changed = changed

    @asynccontextmanager
    async def begin(self, actor: Actor, permission: str) -> AsyncIterator[Act]:
        """Carry out one act that needs a permission: all of it or nothing."""
        require(actor, permission)
        async with self.db.transaction() as transaction:
            yield Act(transaction, actor)
        await self._changed()


Dissolved = Callable[[Transaction, Actor, str, str], Awaitable[None]]
"""Told in the transaction that dissolves a department: the act's transaction, who did it, the department, its heir."""
