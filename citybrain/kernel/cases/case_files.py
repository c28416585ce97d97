# SPDX-License-Identifier: Apache-2.0
"""Files of cases in the hands of clerks: who may see, attach, publish and remove them, each an act of its case."""

from collections.abc import Callable, Sequence
from datetime import datetime

from citybrain.kernel.access.actor import Actor
from citybrain.kernel.access.policy import NotPermitted, require
from citybrain.kernel.cases.acts import Step
from citybrain.kernel.cases.attachments import Attachment, Attachments, NoSuchAttachment
from citybrain.kernel.cases.case import Case, CaseChange, Verb
from citybrain.kernel.cases.refusals import NoSuchCase
from citybrain.kernel.cases.rights import WORK, works_on
from citybrain.kernel.cases.service import Cases
from citybrain.kernel.cases.work import Watcher, Work
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.records import Facts


def owner_of(actor: Actor) -> str:
    """Whose an upload is: nobody else can attach it, or see it before it is attached."""
    return f"account:{actor.account}"


class CaseFiles:
    """The files of the cases of one city."""

    def __init__(self, db: Database, cases: Cases, attachments: Attachments, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._cases = cases
        self._attachments = attachments
        self._clock = clock

    async def get(self, actor: Actor, id: int) -> Attachment:
        """A file of a case that the actor sees or reviews, or one just uploaded by them; refuses `NoSuchAttachment`."""
        found = await self._attachments.get(id)
        if found.case_id is None:
            if found.owner == owner_of(actor):
                return found
            raise NoSuchAttachment("kernel.no_such_attachment", {"id": id})
        try:
            await self._cases.get(actor, found.case_id, to_review=True)
        except NoSuchCase:
            raise NoSuchAttachment("kernel.no_such_attachment", {"id": id}) from None
        return found

    def along(self, actor: Actor, ids: Sequence[int]) -> Watcher | None:
        """Attaches uploads in the transaction that opens a case: a watcher for `Cases.open`."""
        if not ids:
            return None

        async def attach(transaction: Transaction, change: CaseChange) -> None:
            await self._attachments.attach(transaction, owner_of(actor), ids, change.after.id, change.event.at)

        return attach

    async def attach(self, actor: Actor, case_id: int, ids: Sequence[int]) -> list[Attachment]:
        """Attach one's uploads to a case that one sees and may say something about, helping departments too."""
        require(actor, WORK)
        async with self._db.transaction() as transaction:
            work = self._work(transaction, actor)
            case = await work.lock(case_id)
            await self._attachments.attach(transaction, owner_of(actor), ids, case_id, work.now)
            await self._tell(work, case, {"attached": list(ids)})
        return await self._attachments.of_case(case_id)

    async def publish(self, actor: Actor, id: int) -> Attachment:
        """Show a photo to everybody, without position and author; for those who work on its case."""
        case_id = await self._worked_on(actor, id)

        async def told(transaction: Transaction) -> None:
            work = self._work(transaction, actor)
            await self._tell(work, await work.lock(case_id), {"published": id})

        return await self._attachments.publish(id, now=self._clock(), also=told)

    async def unpublish(self, actor: Actor, id: int) -> Attachment:
        """Show it no longer to everybody."""
        case_id = await self._worked_on(actor, id)
        async with self._db.transaction() as transaction:
            work = self._work(transaction, actor)
            case = await work.lock(case_id)
            await self._attachments.unpublish(id, within=transaction)
            await self._tell(work, case, {"unpublished": id})
        return await self._attachments.get(id)

    async def remove(self, actor: Actor, id: int) -> None:
        """Take a file away: an upload of one's own, or from a case one works on. It lasts a month longer, unseen."""
        found = await self.get(actor, id)
        async with self._db.transaction() as transaction:
            work = self._work(transaction, actor)
            if found.case_id is None:
                await self._attachments.remove(transaction, id, work.now)
                return
            case = await work.lock(found.case_id)
            _check_works(actor, case)
            await self._attachments.remove(transaction, id, work.now)
            await self._tell(work, case, {"removed": id, "name": found.name})

    def _work(self, transaction: Transaction, actor: Actor) -> Work:
        return Work(transaction, actor, self._clock(), self._cases.hooks)

    async def _worked_on(self, actor: Actor, id: int) -> int:
        """The case of a file, if the actor works on it."""
        found = await self.get(actor, id)
        if found.case_id is None:
            raise NoSuchAttachment("kernel.no_such_attachment", {"id": id})
        _check_works(actor, await self._cases.get(actor, found.case_id))
        return found.case_id

    async def _tell(self, work: Work, case: Case, facts: Facts) -> None:
        type = await self._cases.types.get(case.type, case.type_version, within=work.transaction)
        await work.record(case, Step(verb=Verb.EDIT, after=case, facts={"files": dict(facts)}), type)
        await work.finish()


def _check_works(actor: Actor, case: Case) -> None:
    if not works_on(actor, WORK, case):
        facts = {"permission": WORK, "name": actor.name, "department": case.department}
        raise NotPermitted("kernel.not_permitted", facts)
