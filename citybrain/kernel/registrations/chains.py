# SPDX-License-Identifier: Apache-2.0
"""Which subscription at which source serves which subscription here (CIM 009 clause 5.8.1.4)."""

from pathlib import Path
from typing import Self

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database
from citybrain.kernel.records import Json
from citybrain.kernel.registrations.model import Registration


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    all: str
    put: str
    remove: str


SQL = sql.load(Path(__file__).with_name("queries_chains.sql"), Sql)


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription at a source. `registration` is how the source is reached, `said` what it was told."""

    tenant: str
    subscription_id: str
    registration: Registration
    remote_id: str
    said: dict[str, Json]


class Chains:
    """All of them, in memory and in the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._by_remote_id: dict[str, Chain] = {}

    @classmethod
    async def open(cls, db: Database) -> Self:
        """All that the database holds."""
        chains = cls(db)
        for (body,) in await db.rows(SQL.all):
            chain = msgspec.json.decode(bytes(body), type=Chain)
            chains._by_remote_id[chain.remote_id] = chain
        return chains

    def find(self, remote_id: str) -> Chain | None:
        """The chain of a subscription at a source."""
        return self._by_remote_id.get(remote_id)

    def of(self, tenant: str, subscription_id: str) -> list[Chain]:
        """All chains of a subscription here."""
        chains = self._by_remote_id.values()
        return [each for each in chains if each.tenant == tenant and each.subscription_id == subscription_id]

    async def put(self, chain: Chain) -> None:
        """Keep one."""
        await self._db.write(SQL.put, {"remote_id": chain.remote_id, "body": msgspec.json.encode(chain)})
        self._by_remote_id[chain.remote_id] = chain

    async def remove(self, chain: Chain) -> None:
        """Forget one."""
        await self._db.write(SQL.remove, {"remote_id": chain.remote_id})
        self._by_remote_id.pop(chain.remote_id, None)
