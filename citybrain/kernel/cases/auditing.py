# SPDX-License-Identifier: Apache-2.0
"""Every act on a case stands in the audit log too, written with it."""

from citybrain.kernel.audit import record
from citybrain.kernel.cases.case import CaseChange
from citybrain.kernel.db import Transaction


async def audited(transaction: Transaction, change: CaseChange) -> None:
    """Write down who did what with which case: codes and numbers, nothing of what the case is about."""
    event = change.event
    facts = {"number": change.after.number, "version": event.version, "state": change.after.state, "move": event.move}
    await record(
        transaction,
        actor=change.actor,
        act=f"case.{event.verb}",
        object=f"case:{event.case_id}",
        facts=facts,
        department=change.after.department,
    )
