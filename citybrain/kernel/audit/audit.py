# SPDX-License-Identifier: Apache-2.0
"""The audit of an open city: sealed by a job, looked into and verified by the audit power."""

from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.kernel.audit.chain import Chain, Seal, seal
from citybrain.kernel.audit.recording import Acting, record
from citybrain.kernel.audit.searching import AuditEntry, AuditQuery, search
from citybrain.kernel.audit.verifying import Report, verify
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database, to_json

SEAL_CRON = "7 * * * *"  # a seal each hour, so that no more than an hour's entries rest on the chain alone


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The log of one open city. `beside` is the file of seals outside the database."""

    db: Database
    keys: KeyRing
    chain: Chain
    beside: Path

    async def seal(self, now: datetime) -> Seal | None:
        """Sign the chain as it is; None when nothing was added since it was last signed."""
        return await seal(self.db, self.keys, now=now, beside=self.beside)

    async def verify(self) -> Report:
        """Read the whole log and say what does not fit, with what this city remembers of the chain's end."""
        remembered = [head for head in (self.chain.lost, self.chain.head) if head is not None]
        return await verify(self.db, self.keys, beside=self.beside, remembered=remembered)

    async def search(self, actor: Acting, query: AuditQuery) -> list[AuditEntry]:
        """The newest entries that fit. That somebody looked, and for what, is recorded too."""
        asked = msgspec.json.decode(to_json(query))
        facts = {name: value for name, value in asked.items() if value not in (None, "")}
        async with self.db.transaction() as transaction:
            found = await search(transaction, query)
            await record(transaction, actor=actor, act="audit.search", object="audit", facts=facts)
        return found
