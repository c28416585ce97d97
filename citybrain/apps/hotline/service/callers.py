# SPDX-License-Identifier: Apache-2.0
"""Callers as personal data: seen in clear with a reason, taken out, erased, forgotten when their time is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from citybrain.apps.hotline.model import DESK, Caller
from citybrain.apps.hotline.store import callers, tickets
from citybrain.apps.hotline.store.calls import Row
from citybrain.kernel.access import Actor, Fields, Right, Shown, reach
from citybrain.kernel.cases.case import Case
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.privacy import Basis, Kept, PersonalField, Retention, Sort, kept_rows
from citybrain.kernel.privacy.people import Asking, Gone, Holder, People, Wanted
from citybrain.kernel.records import Json

PURPOSE = "answer"
SEE = "hotline.callers"
# As long as a citizen may come back to a matter; the type of case says the same, a city may set less.
KEEP = timedelta(days=365)
SORTS = {"name": Sort.NAME, "phone": Sort.PHONE, "email": Sort.EMAIL}
FIELDS = {
    name: PersonalField(name=name, purpose=PURPOSE, legal_basis=Basis.DUTY, retention=Retention(keep=KEEP), sort=sort)
    for name, sort in SORTS.items()
}
"""What may be known of a caller, and what for: to answer, which is the hotline's duty."""


async def reveal(db: Database, people: People, actor: Actor, case: Case, reason: str) -> Caller:
    """Who told it, in clear; the look stands in the audit log and in the person's own list.

    The permission is there for nothing else, so whoever has it may see the fields; what is missing without a reason
    is refused by the kernel.
    """
    sealed = await callers.sealed(db, case.id)
    clear = Right(reach=reach(actor, SEE), fields=Fields(otherwise=Shown.CLEAR))
    actor = msgspec.structs.replace(actor, rights={**actor.rights, SEE: clear})
    asking = Asking(
        permission=SEE,
        purpose=PURPOSE,
        reason=reason,
        person=sealed.person,
        object=f"case:{case.id}",
        department=case.department,
    )
    wanted = [Wanted(field=FIELDS[name], sealed=value, place=place) for name, value, place in sealed.parts()]
    async with db.transaction() as transaction:
        return msgspec.convert(await people.reveal(transaction, actor, asking, wanted), Caller)


async def reveal_number(db: Database, people: People, actor: Actor, call: Row, reason: str) -> Caller:
    """The number of a call that is no ticket yet, in clear; the look is written down as for a ticket."""
    clear = Right(reach=reach(actor, SEE), fields=Fields(otherwise=Shown.CLEAR))
    actor = msgspec.structs.replace(actor, rights={**actor.rights, SEE: clear})
    asking = Asking(
        permission=SEE,
        purpose=PURPOSE,
        reason=reason,
        person=call.phone_mark or b"",
        object=f"hotline_call:{call.id}",
        department=DESK,
    )
    place = Place("hotline_call", "phone", call.key)
    wanted = [Wanted(field=FIELDS["phone"], sealed=call.phone, place=place)] if call.phone else []
    async with db.transaction() as transaction:
        return msgspec.convert(await people.reveal(transaction, actor, asking, wanted), Caller)


def holder(keys: KeyRing) -> Holder:
    """The hotline as a part of the city that holds personal data."""

    async def take_out(transaction: Transaction, marks: Sequence[bytes]) -> Json:
        found = await callers.of_marks(transaction, marks)
        told = [
            {"number": each.number, "text": each.text, "at": each.created_at, **callers.opened(keys, each)}
            for each in found
        ]
        return {"reports": told}

    async def erase(transaction: Transaction, marks: Sequence[bytes]) -> Gone:
        """Of closed reports at once; of open ones not before they are answered, which needs the address."""
        erased = await transaction.write(callers.SQL.erase, {"marks": list(marks)})
        await transaction.write(callers.SQL.erase_calls, {"marks": list(marks)})
        await transaction.write(callers.SQL.erase_areas, {"marks": list(marks)})
        kept = len(await callers.of_marks(transaction, marks))
        return Gone(erased=erased, kept=kept)

    async def forget_due(transaction: Transaction, now: datetime) -> Gone:
        before = {"before": now - KEEP}
        erased = await transaction.write(callers.SQL.forget, before)
        erased += await transaction.write(callers.SQL.forget_calls, before)
        return Gone(erased=erased)

    return Holder(name=tickets.CALLER, take_out=take_out, erase=erase, forget_due=forget_due)


def kept(db: Database, keys: KeyRing) -> list[Kept]:
    """Callers, their calls and who wants news of an area: encrypted anew when there is a newer key."""
    queries = callers.SQL
    tables = (
        (
            "hotline_caller",
            queries.callers_stale,
            queries.caller_renew,
            lambda key: Place(tickets.CALLER, key[1], key[0]),
        ),
        (
            "hotline_call",
            queries.calls_stale,
            queries.call_renew,
            lambda key: Place("hotline_call", "phone", key[0]),
        ),
        (
            "hotline_area",
            queries.areas_stale,
            queries.area_renew,
            lambda key: Place("hotline_area", "email", key[0].hex()),
        ),
    )
    return [kept_rows(name, db, keys, stale=stale, renew=renew, place=place) for name, stale, renew, place in tables]
