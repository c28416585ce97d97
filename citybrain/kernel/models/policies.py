# SPDX-License-Identifier: Apache-2.0
"""Validation on write: by type nothing is looked at, what does not fit is kept and marked, or it is refused."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.entities.document import Document, EntityChange
from citybrain.kernel.errors import Invalid
from citybrain.kernel.models.model import models
from citybrain.kernel.models.validation import Finding, findings
from citybrain.kernel.records import Facts


class Sql(msgspec.Struct, frozen=True):
    """The queries of this folder."""

    policies: str
    policy_set: str
    findings_drop: str
    finding_add: str
    findings_of: str
    findings_by_code: str


SQL = sql.load(Path(__file__).with_name("queries.sql"), Sql)
_BETWEEN = "\x1f"


class Policy(StrEnum):
    """What happens when an entity does not fit the model of its type."""

    OFF = "off"
    WARN = "warn"
    REFUSE = "refuse"


class DoesNotFit(Invalid):
    """An entity does not fit its model, and its type's policy is to refuse that."""


class TypePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of one type; `every_s` is how often each entity promises to be observed, None when nothing is."""

    type: str
    policy: Policy
    every_s: float | None
    changed_by: str
    changed_at: datetime


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an entity in the transaction of its change: all that does not fit now, maybe nothing."""

    tenant: str
    entity_id: str
    type: str
    at: datetime
    found: tuple[Finding, ...]


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not fit, as it is kept."""

    entity_id: str
    attribute: str
    code: str
    type: str
    facts: Facts
    since: datetime


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How often something does not fit, and with how many entities of a type."""

    type: str
    code: str
    count: int
    entities: int


class Policies:
    """Made by `Policies.open`. `guard` is asked before a change, `watch` after it."""

    def __init__(self, db: Database, known: Sequence[TypePolicy]) -> None:
        self._db = db
        self._by_type = {each.type: each for each in known}

    @classmethod
    async def open(cls, db: Database) -> "Policies":
        """The policies as the database has them."""
        return cls(db, await db.read(SQL.policies, as_=TypePolicy))

    def all(self) -> list[TypePolicy]:
        """Every policy that was ever set, by type."""
        return sorted(self._by_type.values(), key=lambda each: each.type)

    def of(self, type: str) -> Policy:
        """The policy of a type; off where none was set."""
        known = self._by_type.get(type)
        return known.policy if known else Policy.OFF

    async def set(self, policy: TypePolicy) -> None:
        """Set the policy of a type; committed on return. What is there already is looked at when it changes next."""
        await self._db.write(SQL.policy_set, msgspec.structs.asdict(policy))
        self._by_type[policy.type] = policy

    def guard(self, change: EntityChange) -> None:
        """Refuse a change that would make or leave an entity that does not fit, where that is the policy."""
        if change.after is None or not self._is_any(change.after, Policy.REFUSE):
            return
        for found in findings(change.after, models()):
            raise DoesNotFit(found.code, found.facts)

    def watch(self, changes: Sequence[EntityChange]) -> Sequence[Marks]:
        """What is to be marked of changed entities whose policy is to warn."""
        return [
            Marks(
                tenant=change.tenant,
                entity_id=change.id,
                type=(change.after or change.before or _NOBODY).types[0],
                at=change.at,
                found=findings(change.after, models()) if change.after else (),
            )
            for change in changes
            if self._is_any(change.after or change.before or _NOBODY, Policy.WARN)
        ]

    async def findings(
        self, tenant: str, *, type: str | None = None, entity_id: str | None = None, limit: int = 1_000
    ) -> list[Marked]:
        """What does not fit now, the newest first."""
        params = {"tenant": tenant, "type": type, "entity_id": entity_id, "limit": limit}
        return await self._db.read(SQL.findings_of, params, as_=Marked)

    async def counted(self, tenant: str) -> list[Counted]:
        """What does not fit now, counted by type and reason."""
        return await self._db.read(SQL.findings_by_code, {"tenant": tenant}, as_=Counted)

    def _is_any(self, document: Document, policy: Policy) -> bool:
        return bool(self._by_type) and any(self.of(type) is policy for type in document.types)


_NOBODY = Document(id="", types=())


async def store_marks(transaction: Transaction, marks: Sequence[Marks]) -> None:
    """Store what does not fit in the transaction of the change; of several changes of one entity the last counts."""
    newest = {(each.tenant, each.entity_id): each for each in marks}
    for each in newest.values():
        kept = [found.attribute + _BETWEEN + found.code for found in each.found]
        gone = {"tenants": [each.tenant], "ids": [each.entity_id], "kept": kept}
        await transaction.write(SQL.findings_drop, gone)
    rows = [
        {
            "tenant": each.tenant,
            "entity_id": each.entity_id,
            "attribute": found.attribute,
            "code": found.code,
            "type": each.type,
            "facts": dict(found.facts),
            "since": each.at,
        }
        for each in newest.values()
        for found in each.found
    ]
    await transaction.write_many(SQL.finding_add, rows)
