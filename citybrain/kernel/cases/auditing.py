# SPDX-License-Identifier: Apache-2.0
"""Every act on a case stands in the audit log too, written with it."""

from collections.abc import Sequence

from citybrain.kernel.audit import record
from citybrain.kernel.audit.recording import Deed, record_all
from citybrain.kernel.cases.case import CaseChange
from citybrain.kernel.db import Transaction


async def audited(transaction: Transaction, change: CaseChange) -> None:
    """Write down who did what with which case: codes and numbers, nothing of what the case is about."""
    deed = _deed(change)
    await record(
        transaction,
        actor=change.actor,
        act=f"case.{change.event.verb}",
        object=deed.object,
        facts=deed.facts,
        department=deed.department,
    )


async def audited_together(transaction: Transaction, changes: Sequence[CaseChange]) -> None:
    """The same for many that one actor did the same with, in one statement."""
    if changes:
        act = f"case.{changes[0].event.verb}"
        await record_all(transaction, actor=changes[0].actor, act=act, deeds=[_deed(change) for change in changes])


def _deed(change: CaseChange) -> Deed:
    event = change.event
    facts = {"number": change.after.number, "version": event.version, "state": change.after.state, "move": event.move}
    return Deed(object=f"case:{event.case_id}", facts=facts, department=change.after.department)
