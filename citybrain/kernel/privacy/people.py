# SPDX-License-Identifier: Apache-2.0
"""What a person can know and say about their own data: who looked, what they agreed to, take it along, have it gone."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.audit import MACHINE, Acting, record
from citybrain.kernel.crypto import KeyRing, Place
from citybrain.kernel.db import Database, Transaction
from citybrain.kernel.errors import Forbidden, Invalid
from citybrain.kernel.privacy.field import Basis, PersonalField
from citybrain.kernel.privacy.masking import normalise
from citybrain.kernel.records import Json

SHORTEST_REASON = 4
LONGEST_REASON = 500
PERSON = "person"
LOOKS_SHOWN = 500
FORGET_CRON = "41 3 * * *"  # at night, when nobody works on what goes


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    reveal_add: str
    reveals_of: str
    consent_add: str
    consent_revoke: str
    consents_of: str
    consent_holds: str
    consents_forget: str
    erasure_add: str
    keys_known: str
    key_add: str
    key_give_up: str


SQL = sql.load(Path(__file__).with_name("queries_people.sql"), Sql)


class RevealRefused(Forbidden):
    """The actor may not see this field in clear."""


class ReasonMissing(Invalid):
    """Whoever wants to see personal data in clear says why."""


class PurposeUnknown(Invalid):
    """The field was not collected for this purpose."""


class ConsentMissing(Forbidden):
    """The person did not agree to this, or no longer."""


class _Fields(Protocol):
    def of(self, field: str, /) -> str: ...


class _Right(Protocol):
    @property
    def fields(self) -> _Fields: ...


class Revealing(Acting, Protocol):
    """Who wants to see: an actor with rights, as `kernel.access.Actor` is."""

    @property
    def rights(self) -> Any:
        """Permission -> what it shows."""
        ...


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A personal value that somebody wants to see: the declared field, the value as it is stored, and where."""

    field: PersonalField
    sealed: bytes
    place: Place


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody saw something of a person's in clear."""

    at: datetime
    account: str
    on_behalf_of: str | None
    department: str | None
    object: str
    fields: tuple[str, ...]
    purpose: str
    reason: str


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What a person agreed to: fields for a purpose, in the words of one version of the text."""

    id: int
    purpose: str
    fields: tuple[str, ...]
    text_version: str
    separate: bool
    given_at: datetime
    given_via: str
    revoked_at: datetime | None


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody asks to see, about whom (`person` as `People.mark` made it), at which object, with which right.

    `also` are other marks under which the person may look for it, as of an address beside the phone number.
    """

    permission: str
    purpose: str
    reason: str
    person: bytes
    object: str
    department: str | None = None
    also: tuple[bytes, ...] = ()


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """What a holder did with somebody's data: `laws` are those by which the rest must stay."""

    erased: int = 0
    anonymised: int = 0
    kept: int = 0
    laws: tuple[str, ...] = ()


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the city that holds personal data, with what it can be asked for.

    `take_out` and `erase` get a transaction and the marks a person may be known by; `forget_due` the time.
    """

    name: str
    take_out: Callable[[Transaction, Sequence[bytes]], Awaitable[Json]]
    erase: Callable[[Transaction, Sequence[bytes]], Awaitable[Gone]]
    forget_due: Callable[[Transaction, datetime], Awaitable[Gone]]


class People:
    """Personal data across the parts of the city. A person is known by a keyed hash of an identifier of theirs."""

    def __init__(self, db: Database, keys: KeyRing) -> None:
        self.db = db
        self._keys = keys
        self.holders: list[Holder] = []

    def mark(self, sort: str, identifier: str) -> bytes:
        """Under what a person is stored: the keyed hash of their phone number, e-mail address or id number."""
        return self._keys.mark(sort, normalise(sort, identifier))

    def marks(self, sort: str, identifier: str) -> list[bytes]:
        """All that a person may be stored under, older keys included: what to search by."""
        return self._keys.marks(sort, normalise(sort, identifier))

    async def reveal(
        self, transaction: Transaction, actor: Revealing, asking: Asking, wanted: Sequence[Wanted]
    ) -> dict[str, str]:
        """The values in clear, by field. Refuses unless the right shows each field clear and the purpose is its own.

        That the row itself may be seen is for the caller to have checked. The look is written to the audit and to the
        person's own list, in the same transaction: no record, no look.
        """
        check_reason(asking.reason)
        for each in wanted:
            _check(actor, asking, each.field)
        names = [each.field.name for each in wanted]
        await note_looks(transaction, actor, [asking], names)
        await record(
            transaction,
            actor=actor,
            act="privacy.reveal",
            object=asking.object,
            facts={"fields": names, "purpose": asking.purpose, "permission": asking.permission},
            department=asking.department,
        )
        return {each.field.name: self._keys.decrypt(each.sealed, each.place) for each in wanted}

    async def looks(self, people: Sequence[bytes]) -> list[Look]:
        """Who saw what of a person in clear, the newest first: the person's own view."""
        return await self.db.read(SQL.reveals_of, {"people": list(people), "limit": LOOKS_SHOWN}, as_=Look)

    async def agree(
        self,
        transaction: Transaction,
        person: bytes,
        fields: Sequence[PersonalField],
        *,
        words: str,
        via: str,
        now: datetime,
    ) -> None:
        """Keep that a person agreed to fields for their purposes, in which version of the words, by which channel.

        Sensitive fields are agreed to by themselves (article 29), so they become a consent of their own.
        """
        for purpose, separate in sorted({(field.purpose, field.sensitive) for field in fields}):
            names = [field.name for field in fields if (field.purpose, field.sensitive) == (purpose, separate)]
            params = {"person": person, "purpose": purpose, "fields": names, "text_version": words}
            await transaction.write(
                SQL.consent_add, {**params, "separate": separate, "given_at": now, "given_via": via}
            )

    async def revoke(self, transaction: Transaction, people: Sequence[bytes], purpose: str, *, now: datetime) -> int:
        """End a person's consent to a purpose, as easily as it was given (article 15); answers with how many ended."""
        return await transaction.write(SQL.consent_revoke, {"people": list(people), "purpose": purpose, "now": now})

    async def consents(self, people: Sequence[bytes]) -> list[Consent]:
        """All that a person agreed to, revoked ones included."""
        return await self.db.read(SQL.consents_of, {"people": list(people)}, as_=Consent)

    async def require_consent(
        self, transaction: Transaction, people: Sequence[bytes], fields: Sequence[PersonalField]
    ) -> None:
        """Refuse to handle fields that rest on consent when it was not given, or was revoked."""
        for field in fields:
            if field.legal_basis is Basis.CONSENT:
                params = {"people": list(people), "purpose": field.purpose, "fields": [field.name]}
                found = await transaction.read(SQL.consent_holds, {**params, "separate": field.sensitive}, as_=bool)
                if not found[0]:
                    raise ConsentMissing("kernel.consent_missing", {"field": field.name, "purpose": field.purpose})

    async def take_out(self, actor: Acting, people: Sequence[bytes]) -> dict[str, Json]:
        """All that the city holds of a person, part by part, with consents and looks, ready to be JSON (article 45)."""
        marks = list(people)
        async with self.db.transaction() as transaction:
            found = {holder.name: await holder.take_out(transaction, marks) for holder in self.holders}
            await record(
                transaction, actor=actor, act="privacy.export", object="person", facts={"parts": sorted(found)}
            )
        return {"parts": found, "consents": await self.consents(marks), "looks": await self.looks(marks)}

    async def erase(self, actor: Acting, people: Sequence[bytes], *, why: str, now: datetime) -> dict[str, Gone]:
        """Erase what may be erased of a person; what stays says by which law (article 47)."""
        marks = list(people)
        async with self.db.transaction() as transaction:
            found = {holder.name: await holder.erase(transaction, marks) for holder in self.holders}
            await transaction.write(SQL.consents_forget, {"people": marks})
            await _keep_record(transaction, found, by=actor.account, why=why, now=now)
            await record(transaction, actor=actor, act="privacy.erase", object="person", facts=_told(found))
        return found

    async def forget_due(self, now: datetime) -> dict[str, Gone]:
        """The job: every part lets go of what is due."""
        async with self.db.transaction() as transaction:
            found = {holder.name: await holder.forget_due(transaction, now) for holder in self.holders}
            found = {name: gone for name, gone in found.items() if gone.erased or gone.anonymised}
            if found:
                await _keep_record(transaction, found, by=MACHINE.account, why="due", now=now)
                await record(transaction, actor=MACHINE, act="privacy.forget_due", object="person", facts=_told(found))
        return found


def check_reason(reason: str) -> None:
    """Refuse to show anything in clear without a reason that says something."""
    if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise ReasonMissing("kernel.reveal_reason_missing", {"shortest": SHORTEST_REASON, "longest": LONGEST_REASON})


async def note_looks(transaction: Transaction, actor: Acting, askings: Sequence[Asking], names: Sequence[str]) -> None:
    """Write into the own lists of persons that somebody saw these fields of theirs in clear."""
    looks = [
        {
            "person": person,
            "account": actor.account,
            "on_behalf_of": actor.on_behalf_of,
            "department": asking.department,
            "object": asking.object,
            "fields": list(names),
            "purpose": asking.purpose,
            "reason": asking.reason.strip(),
        }
        for asking in askings
        for person in (asking.person, *asking.also)
    ]
    await transaction.write_many(SQL.reveal_add, looks)


def _check(actor: Revealing, asking: Asking, field: PersonalField) -> None:
    right: _Right | None = actor.rights.get(asking.permission)
    if right is None or right.fields.of(field.name) != "clear":
        raise RevealRefused("kernel.reveal_refused", {"field": field.name, "permission": asking.permission})
    if field.purpose != asking.purpose:
        facts = {"field": field.name, "purpose": asking.purpose, "collected_for": field.purpose}
        raise PurposeUnknown("kernel.reveal_purpose_unknown", facts)


async def _keep_record(transaction: Transaction, found: dict[str, Gone], *, by: str, why: str, now: datetime) -> None:
    for name, gone in found.items():
        params = {**msgspec.structs.asdict(gone), "laws": list(gone.laws)}
        await transaction.write(SQL.erasure_add, {**params, "at": now, "holder": name, "by": by, "why": why})


def _told(found: dict[str, Gone]) -> dict[str, Json]:
    return {name: msgspec.structs.asdict(gone) for name, gone in found.items()}
